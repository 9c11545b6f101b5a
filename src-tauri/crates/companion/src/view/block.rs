//! A time that she blocks in the window: what her own clock reads becomes instants, or it is said what is wrong with it.
//! Nothing is known here of how it is kept.

use calendar::interval::Interval;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::forms::{is_word, strange};
use crate::errand::Errand;
use crate::problem::Problem;

/// A block that is longer was mistyped.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);

/// From when to when nobody is to book her, as her own clock reads: `2026-11-19T14:00`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct BlockTimeForm {
    pub from: String,
    pub until: String,
}

/// A block of hers that she takes back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct TakeBackForm {
    pub block: String,
}

/// What is wrong with a time. The window has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum BlockFault {
    /// It is no time at all.
    NoTime,
    /// It ends before it begins, or with it.
    Backwards,
    /// It is over.
    Past,
    TooLong,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum BlockedView {
    Blocked {
        /// What takes it back.
        block: String,
        /// Bookiji knows of it. Otherwise the next sync tells it.
        told: bool,
    },
    Refused {
        why: BlockFault,
    },
}

impl BlockTimeForm {
    /// # Errors
    /// [`BlockFault`] where nobody could be kept from booking it.
    pub fn errand(&self, now: Timestamp, zone: &TimeZone) -> Result<Errand, BlockFault> {
        let at = |text: &str| -> Option<Timestamp> {
            let wall: DateTime = text.parse().ok()?;
            // Where the clocks skip it, it is an hour later; where they show it twice, it is the first.
            Some(wall.to_zoned(zone.clone()).ok()?.timestamp())
        };
        let (from, until) = at(&self.from).zip(at(&self.until)).ok_or(BlockFault::NoTime)?;
        let span = Interval::new(from, until).ok_or(BlockFault::Backwards)?;
        if span.end() <= now {
            Err(BlockFault::Past)
        } else if span.end().duration_since(span.start()) > LONGEST {
            Err(BlockFault::TooLong)
        } else {
            Ok(Errand::Block { start: span.start(), end: span.end() })
        }
    }
}

impl TakeBackForm {
    /// # Errors
    /// [`sync::error::Code::InvalidInput`] where it is no name of a block.
    pub fn errand(self) -> Result<Errand, Problem> {
        if is_word(&self.block) { Ok(Errand::TakeBackBlock { block: self.block }) } else { Err(strange()) }
    }
}

impl BlockedView {
    /// Reads what the errand wrote.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let block = document["block"].as_str().unwrap_or_default().to_owned();
        Self::Blocked { block, told: document["told"] == true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 15:07 in Paris.
    fn read(from: &str, until: &str) -> Result<String, BlockFault> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let form = BlockTimeForm { from: from.to_owned(), until: until.to_owned() };
        let Errand::Block { start, end } = form.errand("2026-11-19T14:07:00Z".parse().unwrap(), &zone)?
        else {
            unreachable!()
        };
        Ok(format!("{start}/{end}"))
    }

    #[test]
    fn what_her_clock_reads_is_blocked_in_her_zone() {
        assert_eq!(
            read("2026-11-20T14:00", "2026-11-20T15:30").as_deref(),
            Ok("2026-11-20T13:00:00Z/2026-11-20T14:30:00Z")
        );
        assert_eq!(
            read("2027-03-28T00:00", "2027-03-29T00:00").as_deref(),
            Ok("2027-03-27T23:00:00Z/2027-03-28T22:00:00Z"),
            "a day of 23 hours"
        );
        assert!(read("2026-11-19T14:30", "2026-11-19T15:30").is_ok(), "it may have begun");
    }

    #[test]
    fn what_is_wrong_with_a_time_is_told_apart() {
        let said = |from, until| read(from, until).unwrap_err();
        assert_eq!(said("", "2026-11-20T15:00"), BlockFault::NoTime);
        assert_eq!(said("2026-11-31T10:00", "2026-11-31T11:00"), BlockFault::NoTime);
        assert_eq!(said("2026-11-20T15:00", "2026-11-20T14:00"), BlockFault::Backwards);
        assert_eq!(said("2026-11-20T15:00", "2026-11-20T15:00"), BlockFault::Backwards);
        assert_eq!(said("2026-11-19T14:00", "2026-11-19T15:07"), BlockFault::Past);
        assert_eq!(said("2026-11-20T15:00", "2026-12-22T15:00"), BlockFault::TooLong);
        assert_eq!(said("1900-01-01T00:00", "9998-12-31T23:59"), BlockFault::TooLong);
    }

    #[test]
    fn only_what_may_be_a_name_is_taken_back() {
        assert!(TakeBackForm { block: "blocked-0a".to_owned() }.errand().is_ok());
        assert!(TakeBackForm { block: "blocked 0a;".to_owned() }.errand().is_err());
    }
}
