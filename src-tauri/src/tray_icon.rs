//! Which picture stands for which state on which panel.

use companion::view::State;
use tauri::image::Image;
use tauri::include_image;

/// What the panel behind the icon looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    Dark,
    Light,
    /// macOS colours the picture itself.
    Template,
}

impl Panel {
    /// Nothing on Linux says what colour a panel is. GNOME's and Xfce's are dark unless somebody changed them; KDE's
    /// and Windows' follow a light theme by default.
    #[must_use]
    pub fn usual(desktop: &str) -> Self {
        if cfg!(target_os = "macos") {
            Self::Template
        } else if cfg!(windows) || desktop.contains("KDE") || desktop.contains("LXQt") {
            Self::Light
        } else {
            Self::Dark
        }
    }
}

#[must_use]
pub fn icon(state: State, panel: Panel) -> Image<'static> {
    match (state, panel) {
        (State::UpToDate, Panel::Dark) => include_image!("../icons/tray/up-to-date-on-dark.png"),
        (State::UpToDate, Panel::Light) => include_image!("../icons/tray/up-to-date-on-light.png"),
        (State::UpToDate, Panel::Template) => include_image!("../icons/tray/up-to-date.png"),
        (State::Syncing, Panel::Dark) => include_image!("../icons/tray/syncing-on-dark.png"),
        (State::Syncing, Panel::Light) => include_image!("../icons/tray/syncing-on-light.png"),
        (State::Syncing, Panel::Template) => include_image!("../icons/tray/syncing.png"),
        (State::Paused, Panel::Dark) => include_image!("../icons/tray/paused-on-dark.png"),
        (State::Paused, Panel::Light) => include_image!("../icons/tray/paused-on-light.png"),
        (State::Paused, Panel::Template) => include_image!("../icons/tray/paused.png"),
        (State::NeedsYou, Panel::Dark) => include_image!("../icons/tray/needs-you-on-dark.png"),
        (State::NeedsYou, Panel::Light) => include_image!("../icons/tray/needs-you-on-light.png"),
        (State::NeedsYou, Panel::Template) => include_image!("../icons/tray/needs-you.png"),
        (State::Offline, Panel::Dark) => include_image!("../icons/tray/offline-on-dark.png"),
        (State::Offline, Panel::Light) => include_image!("../icons/tray/offline-on-light.png"),
        (State::Offline, Panel::Template) => include_image!("../icons/tray/offline.png"),
        (State::Error, Panel::Dark) => include_image!("../icons/tray/error-on-dark.png"),
        (State::Error, Panel::Light) => include_image!("../icons/tray/error-on-light.png"),
        (State::Error, Panel::Template) => include_image!("../icons/tray/error.png"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_look_alike() {
        for panel in [Panel::Dark, Panel::Light, Panel::Template] {
            let pictures: std::collections::BTreeSet<Vec<u8>> =
                State::ALL.into_iter().map(|state| icon(state, panel).rgba().to_vec()).collect();
            assert_eq!(pictures.len(), State::ALL.len(), "{panel:?}");
        }
    }

    #[test]
    fn a_panel_is_dark_where_that_is_usual() {
        if cfg!(target_os = "linux") {
            assert_eq!(Panel::usual("ubuntu:GNOME"), Panel::Dark);
            assert_eq!(Panel::usual("XFCE"), Panel::Dark);
            assert_eq!(Panel::usual("KDE"), Panel::Light);
        }
    }
}
