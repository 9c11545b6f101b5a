//! Which rules a wall time follows. Turns the names that calendars write into rules, and says so when it cannot.

mod derive;
mod given;
mod names;

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
        Self::iana(name)
            .or_else(|| Self::alias(name))
            .or_else(|| Self::fixed(name))
            .unwrap_or_else(|| Self::Unknown(name.to_owned()))
    }

    /// A name of the IANA database, in any case, with or without a vendor's path before it.
    #[must_use]
    pub fn iana(name: &str) -> Option<Self> {
        names::iana(name)
    }

    /// A name that stands for an IANA zone: Windows names and labels above all.
    #[must_use]
    pub fn alias(name: &str) -> Option<Self> {
        names::alias(name)
    }

    /// A name that is nothing but an offset.
    #[must_use]
    pub fn fixed(name: &str) -> Option<Self> {
        names::fixed(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, iana: &str) {
        assert_eq!(Zone::named(name), Zone::Iana(iana.to_owned()), "{name}");
    }

    #[test]
    fn iana_names_are_known_in_any_case_and_behind_any_path() {
        check("Europe/Berlin", "Europe/Berlin");
        check("europe/berlin", "Europe/Berlin");
        check("US/Eastern", "US/Eastern");
        check("/example.org/Olson_20011030_5/America/Chicago", "America/Chicago");
        check("/example.net/Tzfile/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires");
        check("tzone://Microsoft/Utc", "UTC");
    }

    #[test]
    fn windows_names_and_labels_are_known() {
        check("W. Europe Standard Time", "Europe/Berlin");
        check("w. europe standard time", "Europe/Berlin");
        check("Central Asia Standard Time", "Asia/Bishkek");
        check("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "Europe/London");
        check("(UTC+00:00) Dublin\\, Edinburgh\\, Lisbon\\, London", "Europe/London");
        check("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York");
        check("(GMT+01.00) Amsterdam / Berlin / Bern / Rome / Stockholm / Vienna", "Europe/Berlin");
        check("(GMT+09:00) Osaka, Sapporo, Tokyo", "Asia/Tokyo");
        check("(UTC-05:00) Eastern Time (US and Canada)", "America/New_York");
        check("Amsterdam, Belgrade, Berlin, Brussels, Budapest, Madrid", "Europe/Amsterdam");
        check("US-Eastern", "US/Eastern");
        check("America/New York", "America/New_York");
    }

    #[test]
    fn a_bare_offset_is_a_zone_and_east_is_positive() {
        for (name, seconds) in [
            ("GMT+0100", 3_600),
            ("UTC-05:30", -19_800),
            ("+02:00", 7_200),
            ("GMT-5", -18_000),
            ("(GMT +01:00)", 3_600),
        ] {
            let zone = Zone::named(name).time_zone().unwrap();
            assert_eq!(zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(), seconds, "{name}");
        }
        check("GMT+0000", "UTC");
    }

    #[test]
    fn what_nobody_knows_stays_unknown() {
        for name in [
            "",
            "Customized Time Zone",
            "tzone://Microsoft/Custom",
            "Nowhere/Else",
            "Etc/Unknown",
            "/",
            "(UTC+01:00) Atlantis",
        ] {
            assert_eq!(Zone::named(name), Zone::Unknown(name.to_owned()));
        }
    }
}
