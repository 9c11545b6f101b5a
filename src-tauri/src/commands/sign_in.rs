//! A sign-in that goes through her browser: begun here, followed here, and given up here.

use companion::view::{SignInForm, SignInView};
use tauri::State;

use super::Refusal;
use crate::salon::Salon;

#[tauri::command]
#[specta::specta]
pub fn sign_in(salon: State<'_, Salon>) -> SignInView {
    salon.shown().connecting().view()
}

#[tauri::command]
#[specta::specta]
pub async fn begin_sign_in(salon: State<'_, Salon>, form: SignInForm) -> Result<(), Refusal> {
    Ok(salon.shown().begin_sign_in(form.read()?).await?)
}

/// Opens its page once more.
#[tauri::command]
#[specta::specta]
pub fn open_sign_in(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.shown().connecting().open()?)
}

/// Takes the address at which her browser ended.
#[tauri::command]
#[specta::specta]
pub fn paste_sign_in(salon: State<'_, Salon>, address: String) -> Result<(), Refusal> {
    Ok(salon.shown().connecting().paste(&address)?)
}

/// Gives it up, or forgets how it ended.
#[tauri::command]
#[specta::specta]
pub fn cancel_sign_in(salon: State<'_, Salon>) -> Result<(), Refusal> {
    salon.shown().connecting().cancel();
    Ok(())
}
