//! Who is kept on this computer, beside the one whose week is shown.

use tauri::State;

use super::Refusal;
use crate::salon::Salon;

/// Makes room for one more vendor, whom the window then welcomes.
#[tauri::command]
#[specta::specta]
pub async fn add_vendor(salon: State<'_, Salon>) -> Result<(), Refusal> {
    Ok(salon.add().await?)
}

/// Turns the window to another vendor.
#[tauri::command]
#[specta::specta]
pub async fn show_vendor(salon: State<'_, Salon>, seat: u32) -> Result<(), Refusal> {
    Ok(salon.show(seat).await?)
}
