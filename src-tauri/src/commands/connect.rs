//! Signing in to Bookiji, and linking calendars.

use companion::view::{CaldavForm, DisconnectForm, LinkForm, LogInForm};
use tauri::State;

use super::Refusal;
use crate::salon::Salon;

#[tauri::command]
#[specta::specta]
pub async fn log_in(salon: State<'_, Salon>, form: LogInForm) -> Result<(), Refusal> {
    let (email, password) = form.read()?;
    Ok(salon.shown().log_in(email, password).await?)
}

/// Links an account by its name and password.
#[tauri::command]
#[specta::specta]
pub async fn connect_caldav(salon: State<'_, Salon>, form: CaldavForm) -> Result<(), Refusal> {
    let (server, username, password) = form.read()?;
    Ok(salon.shown().connect_caldav(server, username, password).await?)
}

/// Links a calendar by its link.
#[tauri::command]
#[specta::specta]
pub async fn connect_link(salon: State<'_, Salon>, form: LinkForm) -> Result<(), Refusal> {
    Ok(salon.shown().connect_link(form.errand()?).await?)
}

/// Takes an account's busy time off Bookiji, and unlinks it.
#[tauri::command]
#[specta::specta]
pub async fn disconnect(salon: State<'_, Salon>, form: DisconnectForm) -> Result<(), Refusal> {
    Ok(salon.shown().perform(form.errand()?).await?)
}
