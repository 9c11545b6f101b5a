//! What each calendar is for, and how its events count.

use companion::view::{ChoicesView, ChooseForm};
use tauri::State;

use super::Refusal;
use crate::salon::Salon;

#[tauri::command]
#[specta::specta]
pub fn choices(salon: State<'_, Salon>) -> Result<ChoicesView, Refusal> {
    Ok(salon.shown().choices()?)
}

/// Gives a calendar another role, or other rules, and syncs.
#[tauri::command]
#[specta::specta]
pub async fn choose(salon: State<'_, Salon>, form: ChooseForm) -> Result<(), Refusal> {
    let desk = salon.shown();
    desk.perform(form.errand()?).await?;
    Ok(desk.sync_now().await?)
}
