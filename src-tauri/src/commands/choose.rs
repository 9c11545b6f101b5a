//! What each calendar is for, and how its events count.

use companion::view::{ChoicesView, ChooseForm};
use tauri::State;

use super::Refusal;
use crate::desk::Desk;

#[tauri::command]
#[specta::specta]
pub fn choices(desk: State<'_, Desk>) -> Result<ChoicesView, Refusal> {
    Ok(desk.choices()?)
}

/// Gives a calendar another role, or other rules, and syncs.
#[tauri::command]
#[specta::specta]
pub async fn choose(desk: State<'_, Desk>, form: ChooseForm) -> Result<(), Refusal> {
    desk.perform(form.errand()?).await?;
    Ok(desk.sync_now().await?)
}
