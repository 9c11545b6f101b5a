//! Which place of the window somebody outside of it asked for: the tray, a notification, a link.

use companion::place::Place;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::State;
use tauri_specta::Event;

use crate::window::Wanted;

/// Tells the window to ask which place is wanted.
#[derive(Clone, Debug, Serialize, Deserialize, Type, Event)]
pub struct PlaceWanted;

/// Answers once for each time that somebody asked.
#[tauri::command]
#[specta::specta]
pub fn wanted_place(wanted: State<'_, Wanted>) -> Option<Place> {
    wanted.take()
}
