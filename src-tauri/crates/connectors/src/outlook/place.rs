//! Where the next reading starts: Graph's link, the stretch of time that is frozen in it, and the series in that stretch.
//! Decides when the stretch ends too soon.

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sync::ids::Cursor;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How far a new stretch reaches beyond what is needed: so many days it serves.
const SPARE_DAYS: i32 = 60;

/// The cursor, as only this module writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub link: String,
    pub stretch: Interval,
    /// Masters of the series that had occurrences in the stretch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<String>,
}

impl Place {
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        serde_json::from_str(cursor.as_str()).ok()
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether readings from here still reach `ahead` days beyond `since`.
    pub(super) fn serves(&self, since: Timestamp, ahead: u16) -> bool {
        self.stretch.start() <= since && needed(since, ahead) <= self.stretch.end()
    }
}

/// The stretch that a reading of everything is to reach over.
pub(super) fn stretch(since: Timestamp, ahead: u16) -> Option<Interval> {
    let start = since.saturating_sub(DAY).unwrap_or(since);
    let end = needed(since, ahead).saturating_add(DAY * SPARE_DAYS).ok()?;
    Interval::new(start, end)
}

/// A day more than was asked: her zone is not known here.
fn needed(since: Timestamp, ahead: u16) -> Timestamp {
    since.saturating_add(DAY * (i32::from(ahead) + 2)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_stretch_serves_until_what_is_needed_comes_to_its_end() {
        let since = at("2026-01-01T05:00:00Z");
        let place =
            Place { link: "x".into(), stretch: stretch(since, 30).unwrap(), series: vec!["m".into()] };
        assert_eq!(Place::of(&place.cursor()), Some(place.clone()));
        let after = |days: i32| since.saturating_add(DAY * days).unwrap();
        assert!(place.serves(since, 30) && place.serves(after(60), 30));
        assert!(!place.serves(after(61), 30), "it would end before what is to be told does");
        assert!(!place.serves(since, 91), "she wants more days than it has");
        assert!(!place.serves(after(-2), 30), "the clock was set back");
        assert_eq!(Place::of(&"https://graph.example/delta?x=1".into()), None);
    }
}
