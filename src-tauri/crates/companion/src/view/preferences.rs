//! What she set for the window itself, as it crosses to it and back.

use serde::{Deserialize, Serialize};

use crate::preferences::Preferences;
use crate::settings::Theme;
use crate::words::Language;

/// Language, light and notifications. Times are 22:30, on her own clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct PreferencesView {
    /// Nothing follows the system.
    pub language: Option<Language>,
    pub theme: Theme,
    pub notifications: bool,
    /// Both, or neither.
    pub quiet_from: Option<String>,
    pub quiet_until: Option<String>,
    /// The app looks for newer versions by itself.
    pub updates: bool,
}

/// All of it as she wants it, at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct PreferencesForm {
    /// Nothing follows the system.
    pub language: Option<Language>,
    pub theme: Theme,
    pub notifications: bool,
    /// Both, or neither.
    pub quiet_from: Option<String>,
    pub quiet_until: Option<String>,
    /// The app looks for newer versions by itself.
    pub updates: bool,
}

impl PreferencesView {
    #[must_use]
    pub fn of(preferences: &Preferences) -> Self {
        let told = preferences.notifications;
        let time = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
        Self {
            language: preferences.language,
            theme: preferences.theme,
            notifications: told.on,
            quiet_from: told.quiet_from.map(time),
            quiet_until: told.quiet_until.map(time),
            updates: preferences.updates.check,
        }
    }
}
