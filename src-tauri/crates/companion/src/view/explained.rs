//! Why a time can or cannot be booked, as the window shows it: the reasons of [`crate::explain`], without their English.

use calendar::busy::Reason;
use jiff::Timestamp;
use serde::Serialize;

use crate::explain::{Answer, Because, Kind};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ExplainedView {
    pub bookable: bool,
    /// What blocks comes first.
    pub because: Vec<BecauseView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct BecauseView {
    pub rule: Rule,
    /// Names of calendars; none where no calendar says so.
    pub calendars: Vec<String>,
    /// What an event says; nothing leaves this computer with it.
    pub title: Option<String>,
    #[cfg_attr(feature = "bindings", specta(type = Option<String>))]
    pub checked_at: Option<Timestamp>,
    pub blocks: bool,
}

/// The rule by which something blocks, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Rule {
    Past,
    Booking,
    /// A booking's event was moved there and waits for her answer.
    Moved,
    Busy,
    OutOfOffice,
    Tentative,
    AllDay,
    Buffer,
    Travel,
    /// It blocks nothing: free, declined, cancelled or of a kind that she lets pass.
    LetPass,
    OwnBooking,
    /// What the event says cannot be reckoned with.
    Withheld,
    JustOnce,
    NotRead,
    BeyondHorizon,
}

impl ExplainedView {
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        Self { bookable: answer.bookable, because: answer.because.iter().map(because).collect() }
    }
}

fn because(reason: &Because) -> BecauseView {
    let rule = rule(reason.kind);
    let of_calendars = !matches!(rule, Rule::Past | Rule::Booking | Rule::JustOnce | Rule::BeyondHorizon);
    let of_event = of_calendars && !matches!(rule, Rule::Moved | Rule::NotRead);
    BecauseView {
        rule,
        calendars: if of_calendars { reason.sources.clone() } else { Vec::new() },
        title: (of_event && !reason.summary.is_empty()).then(|| reason.summary.clone()),
        checked_at: reason.checked_at,
        blocks: reason.blocks,
    }
}

fn rule(kind: Kind) -> Rule {
    match kind {
        Kind::Past => Rule::Past,
        Kind::Booking => Rule::Booking,
        Kind::Moved => Rule::Moved,
        Kind::Buffer => Rule::Buffer,
        Kind::Travel => Rule::Travel,
        Kind::Unblocked => Rule::JustOnce,
        Kind::NotRead => Rule::NotRead,
        Kind::BeyondHorizon => Rule::BeyondHorizon,
        Kind::Event(reason) => match reason {
            Reason::Busy => Rule::Busy,
            Reason::OutOfOffice => Rule::OutOfOffice,
            Reason::Tentative => Rule::Tentative,
            Reason::AllDayBlocks => Rule::AllDay,
            Reason::OwnBooking => Rule::OwnBooking,
            Reason::Withheld => Rule::Withheld,
            Reason::TentativeIgnored
            | Reason::Free
            | Reason::Cancelled
            | Reason::Declined
            | Reason::WorkingLocation
            | Reason::Birthday
            | Reason::AllDayIgnored
            | Reason::AllDayFree
            | Reason::NoDuration => Rule::LetPass,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(kind: Kind, summary: &str) -> Because {
        Because {
            kind,
            source: "Work".to_owned(),
            sources: vec!["Work".to_owned(), "Family".to_owned()],
            summary: summary.to_owned(),
            start: None,
            end: None,
            checked_at: None,
            blocks: true,
        }
    }

    fn view(reason: Because) -> BecauseView {
        let answer = Answer {
            time: Timestamp::UNIX_EPOCH,
            until: None,
            bookable: false,
            can_unblock: false,
            because: vec![reason],
        };
        ExplainedView::of(&answer).because.remove(0)
    }

    #[test]
    fn an_event_is_told_with_every_calendar_it_stands_in_and_a_rule_without_english_words() {
        let told = view(reason(Kind::Event(Reason::OutOfOffice), "Dentist"));
        assert_eq!(
            (told.rule, told.calendars.len(), told.title.as_deref()),
            (Rule::OutOfOffice, 2, Some("Dentist"))
        );
        let told = view(reason(Kind::Moved, "The event of a booking was moved here."));
        assert_eq!((told.rule, told.calendars.len(), told.title), (Rule::Moved, 2, None));
        let told = view(reason(Kind::Past, "That time is over."));
        assert_eq!((told.rule, told.calendars.len(), told.title), (Rule::Past, 0, None));
    }

    #[test]
    fn whatever_lets_a_time_pass_is_one_rule() {
        for passes in [Reason::Free, Reason::Declined, Reason::Birthday, Reason::TentativeIgnored] {
            assert_eq!(view(reason(Kind::Event(passes), "x")).rule, Rule::LetPass, "{passes:?}");
        }
    }
}
