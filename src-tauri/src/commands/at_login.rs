//! Whether the app starts with the computer, in the tray.

use companion::problem::Problem;
use sync::error::Code;

use super::Refusal;

#[tauri::command]
#[specta::specta]
pub fn starts_at_login() -> bool {
    false
}

#[tauri::command]
#[specta::specta]
pub fn set_start_at_login(on: bool) -> Result<(), Refusal> {
    if !on {
        return Ok(());
    }
    Err(Problem::new(Code::Internal, "This system does not let the app start by itself.").into())
}
