//! What the window fills in. Nothing of it is believed before it was looked at here.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Deserialize;
use sync::error::Code;

use crate::errand::Errand;
use crate::problem::Problem;

/// No id of ours is longer.
const LONGEST_ID: usize = 256;

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DecideForm {
    pub id: String,
    pub option: String,
    /// Questions of this kind are answered so from now on.
    pub always: bool,
}

impl DecideForm {
    /// # Errors
    /// When it cannot be the answer to any question.
    pub fn errand(self) -> Result<Errand, Problem> {
        let Self { id, option, always } = self;
        (is_word(&id) && is_word(&option))
            .then_some(Errand::Decide { id, option, always })
            .ok_or_else(strange)
    }
}

/// A run that is to be taken back.
///
/// # Errors
/// When it cannot be the name of a run.
pub fn undo(run: String) -> Result<Errand, Problem> {
    is_word(&run).then_some(Errand::Undo { run }).ok_or_else(strange)
}

/// For how long nothing is to be synced by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum PauseForm {
    OneHour,
    UntilTomorrow,
    UntilResumed,
}

impl PauseForm {
    /// When it ends, in her own zone.
    #[must_use]
    pub fn errand(self, now: Timestamp, zone: &TimeZone) -> Errand {
        let until = match self {
            Self::OneHour => now.checked_add(SignedDuration::from_hours(1)).ok(),
            Self::UntilTomorrow => now
                .to_zoned(zone.clone())
                .date()
                .checked_add(1.day())
                .and_then(|day| day.to_zoned(zone.clone()))
                .map(|midnight| midnight.timestamp())
                .ok(),
            Self::UntilResumed => None,
        };
        Errand::Pause { until: until.map(|until| Timestamp::from_second(until.as_second()).unwrap_or(until)) }
    }
}

/// A time that she points at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct SpanForm {
    /// Instants as the overview writes them.
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub from: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub until: Timestamp,
}

impl SpanForm {
    /// Lets it be booked just this once.
    #[must_use]
    pub fn unblock(self) -> Errand {
        Errand::Unblock { from: self.from, until: self.until }
    }

    /// Takes that back.
    #[must_use]
    pub fn block_again(self) -> Errand {
        Errand::BlockAgain { from: self.from, until: self.until }
    }
}

fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '@');
    (1..=LONGEST_ID).contains(&text.len()) && text.chars().all(is_plain)
}

fn strange() -> Problem {
    Problem::new(Code::InvalidInput, "The window asked for something that does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_answer_goes_no_further() {
        let form =
            |id: &str, option: &str| DecideForm { id: id.into(), option: option.into(), always: false };
        assert!(form("moved-b1-0a1b2c", "put_back").errand().is_ok());
        for (id, option) in [
            ("", "leave"),
            ("moved", ""),
            ("moved\n", "leave"),
            ("moved", "a b"),
            (&"x".repeat(257), "leave"),
        ] {
            assert_eq!(form(id, option).errand().unwrap_err().code, Code::InvalidInput, "{id:?} {option:?}");
        }
        assert!(undo("a/b".into()).is_err());
    }

    #[test]
    fn until_tomorrow_ends_at_her_midnight_even_when_the_clocks_change() {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let until = |form: PauseForm, now: &str| {
            let Errand::Pause { until } = form.errand(now.parse().unwrap(), &zone) else { unreachable!() };
            until.map(|until| until.to_string())
        };
        let tomorrow = PauseForm::UntilTomorrow;
        assert_eq!(until(tomorrow, "2026-11-26T15:00:00.5Z").as_deref(), Some("2026-11-27T05:00:00Z"));
        assert_eq!(until(tomorrow, "2026-11-01T05:30:00Z").as_deref(), Some("2026-11-02T05:00:00Z"));
        assert_eq!(
            until(PauseForm::OneHour, "2026-11-26T15:00:00.5Z").as_deref(),
            Some("2026-11-26T16:00:00Z")
        );
        assert_eq!(until(PauseForm::UntilResumed, "2026-11-26T15:00:00Z"), None);
    }
}
