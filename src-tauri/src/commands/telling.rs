//! What happened in a run, and why a time can or cannot be booked.

use companion::view::{ExplainedView, RunStoryView};
use tauri::State;

use super::Refusal;
use crate::salon::Salon;

/// Everything that a run did, and why.
#[tauri::command]
#[specta::specta]
pub async fn run_story(salon: State<'_, Salon>, run: String) -> Result<RunStoryView, Refusal> {
    Ok(salon.shown().run_story(&run)?)
}

/// Why a moment can or cannot be booked.
#[tauri::command]
#[specta::specta]
pub async fn explain(salon: State<'_, Salon>, moment: String) -> Result<ExplainedView, Refusal> {
    Ok(salon.shown().explain(&moment)?)
}
