//! A sign-in that goes through her browser: begun here, followed here, and given up here.

use companion::view::{SignInTo, SignInView};
use tauri::State;

use super::Refusal;
use crate::desk::Desk;

#[tauri::command]
#[specta::specta]
pub fn sign_in(desk: State<'_, Desk>) -> SignInView {
    desk.connecting().view()
}

#[tauri::command]
#[specta::specta]
pub async fn begin_sign_in(desk: State<'_, Desk>, to: SignInTo) -> Result<(), Refusal> {
    Ok(desk.begin_sign_in(to).await?)
}

/// Opens its page once more.
#[tauri::command]
#[specta::specta]
pub fn open_sign_in(desk: State<'_, Desk>) -> Result<(), Refusal> {
    Ok(desk.connecting().open()?)
}

/// Takes the address at which her browser ended.
#[tauri::command]
#[specta::specta]
pub fn paste_sign_in(desk: State<'_, Desk>, address: String) -> Result<(), Refusal> {
    Ok(desk.connecting().paste(&address)?)
}

/// Gives it up, or forgets how it ended.
#[tauri::command]
#[specta::specta]
pub fn cancel_sign_in(desk: State<'_, Desk>) -> Result<(), Refusal> {
    desk.connecting().cancel();
    Ok(())
}
