//! The places of the window, and the links that lead to one. A link opens a place and never does anything there.

use serde::{Deserialize, Serialize};
use url::Url;

/// What links of ours begin with.
pub const SCHEME: &str = "bookiji-companion";

/// Longer than any link of ours.
const LONGEST: usize = 128;

/// By the window's own words for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Place {
    Week,
    Decisions,
    Sync,
    Files,
    Connections,
    Privacy,
    Settings,
}

impl Place {
    pub const ALL: [Self; 7] = [
        Self::Week,
        Self::Decisions,
        Self::Sync,
        Self::Files,
        Self::Connections,
        Self::Privacy,
        Self::Settings,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Decisions => "decisions",
            Self::Sync => "sync",
            Self::Files => "files",
            Self::Connections => "connections",
            Self::Privacy => "privacy",
            Self::Settings => "settings",
        }
    }

    /// Where `bookiji-companion://open/decisions` leads. Anybody may have made such a link, so that it says a place of
    /// ours and nothing else, or leads nowhere.
    #[must_use]
    pub fn of_link(link: &str) -> Option<Self> {
        if link.len() > LONGEST || !link.is_ascii() {
            return None;
        }
        let url = Url::parse(link).ok()?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() != SCHEME || url.host_str() != Some("open") || !bare {
            return None;
        }
        let word = url.path().trim_matches('/');
        Self::ALL.into_iter().find(|place| place.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_a_place_and_nothing_else() {
        for place in Place::ALL {
            let link = format!("bookiji-companion://open/{}", place.as_str());
            assert_eq!(Place::of_link(&link), Some(place));
            assert_eq!(Place::of_link(&format!("{link}/")), Some(place), "as some browsers write it");
            assert_eq!(serde_json::to_value(place).unwrap(), place.as_str());
        }
        for link in [
            "",
            "week",
            "https://open/week",
            "bookiji-companion:week",
            "bookiji-companion://week",
            "bookiji-companion://open",
            "bookiji-companion://open/everything",
            "bookiji-companion://open/week/../settings/forget",
            "bookiji-companion://open/settings?forget=yes",
            "bookiji-companion://open/settings#forget",
            "bookiji-companion://her:secret@open/settings",
            "bookiji-companion://open:8080/settings",
            "bookiji-companion://open/decide/moved-b1",
            "bookiji-companion://open/%77eek",
            "bookiji-companion://open/wéek",
        ] {
            assert_eq!(Place::of_link(link), None, "{link}");
        }
        assert_eq!(Place::of_link(&format!("bookiji-companion://open/{}week", "/".repeat(200))), None);
    }
}
