//! Whether the app starts with the computer, in the tray.

use companion::problem::Problem;
use sync::error::Code;
use tauri::AppHandle;
use tauri_plugin_autostart::ManagerExt;

use super::Refusal;

#[tauri::command]
#[specta::specta]
pub fn starts_at_login(app: AppHandle) -> bool {
    app.autolaunch().is_enabled().unwrap_or(false)
}

#[tauri::command]
#[specta::specta]
pub fn set_start_at_login(app: AppHandle, on: bool) -> Result<(), Refusal> {
    let launch = app.autolaunch();
    // What does not start by itself cannot be kept from it once more.
    let done = if on {
        launch.enable()
    } else if launch.is_enabled().unwrap_or(false) {
        launch.disable()
    } else {
        Ok(())
    };
    done.map_err(|error| {
        tracing::warn!(%error, "starting at login does not change");
        Problem::new(Code::Internal, "This system does not let the app start by itself.").into()
    })
}
