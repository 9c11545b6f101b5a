//! Which rules a wall time follows. Turns the names that calendars write into rules, and says so when it cannot.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The zone of a wall time, as far as it could be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// A name of the IANA database that the bundled copy knows.
    Iana(String),
    /// A name nobody could place. Events in it block conservatively and are reported as withheld.
    Unknown(String),
}

impl Zone {
    /// Places a zone name that stands alone, without a file's own VTIMEZONE beside it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match TimeZone::get(name) {
            Ok(_) => Self::Iana(name.to_owned()),
            Err(_) => Self::Unknown(name.to_owned()),
        }
    }
}
