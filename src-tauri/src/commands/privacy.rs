//! What Bookiji was sent.

use companion::view::{PrivacyView, WordsView};
use tauri::State;

use super::Refusal;
use crate::desk::Desk;

#[tauri::command]
#[specta::specta]
pub async fn privacy(desk: State<'_, Desk>) -> Result<PrivacyView, Refusal> {
    Ok(desk.privacy().await?)
}

/// The very words of one message; nothing once it is no longer kept.
#[tauri::command]
#[specta::specta]
pub async fn sent_words(desk: State<'_, Desk>, number: u32) -> Result<Option<WordsView>, Refusal> {
    Ok(desk.sent_words(number).await)
}
