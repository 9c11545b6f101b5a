//! The way out of the app, which the tray offers where there is one.

use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, State};

use super::Refusal;
use crate::app;
use crate::salon::Salon;
use crate::window::{NO_TRAY, TrayHost};

#[derive(Clone, Copy, Debug, Serialize, Type)]
pub struct TrayView {
    /// Somebody shows tray icons.
    pub shown: bool,
    /// Nobody does, and she has not been told.
    pub is_news: bool,
}

#[tauri::command]
#[specta::specta]
pub fn tray(salon: State<'_, Salon>, host: State<'_, TrayHost>) -> TrayView {
    let shown = *host.0.borrow();
    TrayView { shown, is_news: !shown && !salon.shown().was_said(NO_TRAY) }
}

/// She has read that there is no tray.
#[tauri::command]
#[specta::specta]
pub fn tray_noticed(salon: State<'_, Salon>) {
    let _ = salon.shown().says_once(NO_TRAY);
}

/// Ends the app once the sync under way has, if that is soon.
#[tauri::command]
#[specta::specta]
pub fn quit(app: AppHandle) -> Result<(), Refusal> {
    app::quit(&app);
    Ok(())
}
