//! Which rules a wall time follows. Turns the names that calendars write into rules, and says so when it cannot.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The zone of a wall time, as far as it could be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// A name of the IANA database that the bundled copy knows.
    Iana(String),
    /// Rules that came with the calendar itself, as VTIMEZONE (RFC 5545 §3.6.5) or as a bare offset.
    Given(Box<GivenZone>),
    /// A name nobody could place. Events in it block conservatively and are reported as withheld.
    Unknown(String),
}

/// A zone that is known only by the rules beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GivenZone {
    pub name: String,
    pub observances: Vec<Observance>,
}

/// One STANDARD or DAYLIGHT part of a VTIMEZONE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Observance {
    /// When it first takes effect, on the clocks that it changes.
    pub start: DateTime,
    /// Seconds east of UTC before.
    pub offset_from: i32,
    /// Seconds east of UTC from then on.
    pub offset_to: i32,
    pub rules: Vec<String>,
    pub dates: Vec<DateTime>,
}

impl Zone {
    /// Places a zone name that stands alone, without a file's own VTIMEZONE beside it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match TimeZone::get(name.trim()) {
            Ok(zone) if !zone.is_unknown() => {
                Self::Iana(zone.iana_name().unwrap_or_else(|| name.trim()).to_owned())
            }
            Ok(_) | Err(_) => Self::Unknown(name.to_owned()),
        }
    }

    /// The rules themselves; nothing when nobody knows them.
    #[must_use]
    pub fn time_zone(&self) -> Option<TimeZone> {
        match self {
            Self::Iana(name) => TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()),
            Self::Given(given) => given.time_zone(),
            Self::Unknown(_) => None,
        }
    }
}

impl GivenZone {
    fn time_zone(&self) -> Option<TimeZone> {
        let offset = self.observances.first()?.offset_to;
        jiff::tz::Offset::from_seconds(offset).ok().map(TimeZone::fixed)
    }
}
