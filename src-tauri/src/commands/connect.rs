//! Signing in to Bookiji, and linking calendars.

use companion::view::{CaldavForm, DisconnectForm, LinkForm, LogInForm};
use tauri::State;

use super::Refusal;
use crate::desk::Desk;

#[tauri::command]
#[specta::specta]
pub async fn log_in(desk: State<'_, Desk>, form: LogInForm) -> Result<(), Refusal> {
    let (email, password) = form.read()?;
    Ok(desk.log_in(email, password).await?)
}

/// Links an account by its name and password.
#[tauri::command]
#[specta::specta]
pub async fn connect_caldav(desk: State<'_, Desk>, form: CaldavForm) -> Result<(), Refusal> {
    let (server, username, password) = form.read()?;
    Ok(desk.connect_caldav(server, username, password).await?)
}

/// Links a calendar by its link.
#[tauri::command]
#[specta::specta]
pub async fn connect_link(desk: State<'_, Desk>, form: LinkForm) -> Result<(), Refusal> {
    desk.perform(form.errand()?).await?;
    Ok(desk.sync_now().await?)
}

/// Takes an account's busy time off Bookiji, and unlinks it.
#[tauri::command]
#[specta::specta]
pub async fn disconnect(desk: State<'_, Desk>, form: DisconnectForm) -> Result<(), Refusal> {
    Ok(desk.perform(form.errand()?).await?)
}
