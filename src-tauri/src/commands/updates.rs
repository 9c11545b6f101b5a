//! Whether there is a newer version, and how it gets here.

use companion::problem::Problem;
use serde::Serialize;
use specta::Type;
use sync::error::Code;

use super::Refusal;

#[derive(Clone, Debug, Serialize, Type)]
pub struct UpdateView {
    /// Nothing where this is the newest.
    pub newer: Option<String>,
    /// What is new in it.
    pub notes: Option<String>,
}

#[tauri::command]
#[specta::specta]
pub fn check_for_updates() -> Result<UpdateView, Refusal> {
    Err(nowhere())
}

/// Installs what was found, and starts again.
#[tauri::command]
#[specta::specta]
pub fn install_update() -> Result<(), Refusal> {
    Err(nowhere())
}

fn nowhere() -> Refusal {
    Problem::new(Code::SettingsInvalid, "This build does not know where updates come from.").into()
}
