//! What Bookiji was sent.

use companion::view::{PrivacyView, WordsView};
use tauri::State;

use super::Refusal;
use crate::salon::Salon;

#[tauri::command]
#[specta::specta]
pub async fn privacy(salon: State<'_, Salon>) -> Result<PrivacyView, Refusal> {
    Ok(salon.shown().privacy().await?)
}

/// The very words of one message; nothing once it is no longer kept.
#[tauri::command]
#[specta::specta]
pub async fn sent_words(salon: State<'_, Salon>, number: u32) -> Result<Option<WordsView>, Refusal> {
    Ok(salon.shown().sent_words(number).await)
}
