//! Whether there is a newer version, and how it gets here.

use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, State};
use tauri_plugin_updater::Update;

use super::Refusal;
use crate::salon::Salon;
use crate::updates::{self, Updates};

#[derive(Clone, Debug, Serialize, Type)]
pub struct UpdateView {
    /// Nothing where this is the newest.
    pub newer: Option<String>,
    /// What is new in it.
    pub notes: Option<String>,
}

#[tauri::command]
#[specta::specta]
pub async fn check_for_updates(
    app: AppHandle,
    salon: State<'_, Salon>,
    updates: State<'_, Updates>,
) -> Result<UpdateView, Refusal> {
    let network = salon.shown().settings()?.network;
    Ok(UpdateView::of(updates.look(&app, &network).await?))
}

impl UpdateView {
    #[must_use]
    pub fn of(found: Option<Update>) -> Self {
        Self {
            newer: found.as_ref().map(|update| update.version.clone()),
            notes: found.and_then(|update| update.body),
        }
    }
}

/// Installs what was found, and starts again.
#[tauri::command]
#[specta::specta]
pub async fn install_update(
    app: AppHandle,
    salon: State<'_, Salon>,
    updates: State<'_, Updates>,
) -> Result<(), Refusal> {
    let ready = updates.fetch().await?;
    // Never during a run.
    salon.shut_down().await;
    match updates::install(ready).await {
        Ok(()) => app.restart(),
        Err(problem) => {
            // What stopped it says so itself.
            salon.start(false).await;
            Err(problem.into())
        }
    }
}
