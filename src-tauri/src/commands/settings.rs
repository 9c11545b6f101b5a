//! What she sets for the app itself, how it is, and the way out of it.

use companion::settings::Theme;
use companion::view::{self, DiagnosisView, ForgetForm, PreferencesForm, PreferencesView};
use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, State};

use super::Refusal;
use super::updates::UpdateView;
use crate::salon::Salon;
use crate::updates::{self, Updates};

#[tauri::command]
#[specta::specta]
pub fn preferences(salon: State<'_, Salon>) -> Result<PreferencesView, Refusal> {
    Ok(PreferencesView::of(&salon.shown().preferences()?))
}

/// Keeps all of them, and wears them at once.
#[tauri::command]
#[specta::specta]
pub fn set_preferences(
    app: AppHandle,
    salon: State<'_, Salon>,
    form: PreferencesForm,
) -> Result<(), Refusal> {
    salon.shown().set_preferences(&view::preferences(&form)?)?;
    app.set_theme(frame(form.theme));
    Ok(())
}

/// How the window's frame is lit; the page follows by itself.
#[must_use]
pub fn frame(theme: Theme) -> Option<tauri::Theme> {
    match theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    }
}

/// Checks everything that a sync needs, one layer after the other. Takes seconds.
#[tauri::command]
#[specta::specta]
pub async fn diagnose(salon: State<'_, Salon>) -> Result<DiagnosisView, Refusal> {
    Ok(salon.shown().diagnose().await)
}

/// Erases what this computer knows of her, once Bookiji was told to block nothing because of it.
#[tauri::command]
#[specta::specta]
pub async fn forget(salon: State<'_, Salon>, form: ForgetForm) -> Result<(), Refusal> {
    Ok(salon.forget(form).await?)
}

#[derive(Clone, Debug, Serialize, Type)]
pub struct AboutView {
    pub version: String,
    /// What was found last, by her or by the app itself.
    pub update: UpdateView,
    /// This build knows where updates come from, so the app can look by itself.
    pub looks: bool,
}

#[tauri::command]
#[specta::specta]
pub fn about(app: AppHandle, updates: State<'_, Updates>) -> AboutView {
    AboutView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        update: UpdateView::of(updates.known()),
        looks: updates::has_source(&app),
    }
}
