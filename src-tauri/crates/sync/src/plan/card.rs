//! One question: what it is about, what she may answer, and whether she has. Knows no words.

use calendar::interval::Interval;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::booking::Booking;
use crate::decide::{Question, fingerprint, times};
use crate::ids::{BookingId, CalendarId, ConnectionId, ProposalId, RemoteId};
use crate::ports::RemoteEvent;
use crate::proposal::{Ending, Proposal};
use crate::world::{Choice, Given, LinkedCalendar, Mapping, World};

/// One question for the vendor. Until she answers, nothing changes and both times stay blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub question: Question,
    /// None where it is about a whole calendar or account.
    pub booking: Option<BookingId>,
    /// Where it can be acted on.
    pub calendar: CalendarId,
    pub about: About,
    pub booked: Option<(Timestamp, Timestamp)>,
    /// Where the event in question stands, if it does.
    pub found: Option<(Timestamp, Timestamp)>,
    /// A digest of everything the question is about: once that changes, it is another question.
    pub state: String,
    pub choices: Vec<Choice>,
}

/// The topic of her own words on an event.
pub const WORDS: &str = "words";

/// What of a booking, or of the set-up, a question is about. One booking may have several questions at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Where its event stands, or that it does not.
    Event,
    Words,
    /// A time that the customer was asked for.
    Proposal(ProposalId),
    /// A copy of its event.
    Copy(RemoteId),
    /// Further events that prove to be its own.
    Seconds(Vec<RemoteId>),
    /// Her events over it, the first of them first.
    Overlap(Vec<Over>),
    /// The calendar that bookings go to, and how many have no place without it.
    Target {
        bookings: usize,
    },
    /// Another account that they may go to: how many would get an event there, and how many events stay behind.
    Account {
        connection: ConnectionId,
        bookings: usize,
        stay: usize,
    },
}

/// Why the customer does not come at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Declined,
    Lapsed,
}

/// One occurrence of hers over a booking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Over {
    pub span: Interval,
    pub calendar: CalendarId,
    pub title: String,
    pub all_day: bool,
}

impl Card {
    /// The same question about the same in the same state is the same card.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.booking {
            Some(booking) => format!("{}-{booking}-{}", self.question.as_str(), self.state),
            None => format!("{}-{}", self.question.as_str(), self.state),
        }
    }

    /// What a later answer about the same takes the place of.
    #[must_use]
    pub fn topic(&self) -> String {
        match &self.about {
            About::Event => "event".to_owned(),
            About::Words => WORDS.to_owned(),
            About::Proposal(_) => "proposal".to_owned(),
            About::Copy(event) => format!("copy:{event}"),
            About::Seconds(_) => "seconds".to_owned(),
            About::Overlap(_) => "overlap".to_owned(),
            About::Target { .. } => "target".to_owned(),
            About::Account { connection, .. } => format!("account:{connection}"),
        }
    }

    /// Whether the customer was asked to come where the event is, and how that ended.
    #[must_use]
    pub fn refused(&self, world: &World) -> Option<Refusal> {
        let booking = world.bookings.get(self.booking.as_ref()?)?;
        let Proposal::Over { to, how, .. } = &booking.proposal else { return None };
        let is_there = self.question == Question::Moved && self.found == Some((to.start(), to.end()));
        match how {
            Ending::Declined if is_there => Some(Refusal::Declined),
            Ending::Lapsed if is_there => Some(Refusal::Lapsed),
            Ending::Declined | Ending::Lapsed | Ending::Withdrawn => None,
        }
    }

    /// What she may decide, the likeliest first.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Whether a write to her calendar waits for it.
    #[must_use]
    pub fn holds_an_event(&self) -> bool {
        match self.about {
            About::Event | About::Seconds(_) => true,
            About::Words
            | About::Proposal(_)
            | About::Copy(_)
            | About::Overlap(_)
            | About::Target { .. }
            | About::Account { .. } => false,
        }
    }
}

impl Question {
    pub const ALL: [Self; 12] = [
        Self::Moved,
        Self::Proposed,
        Self::Resized,
        Self::Deleted,
        Self::MovedBoth,
        Self::MovedCancelled,
        Self::Held,
        Self::Renamed,
        Self::Duplicated,
        Self::Overlap,
        Self::TargetGone,
        Self::AccountChanged,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Proposed => "proposed",
            Self::Resized => "resized",
            Self::Deleted => "deleted",
            Self::MovedBoth => "moved_both",
            Self::MovedCancelled => "moved_cancelled",
            Self::Held => "held_deletion",
            Self::Renamed => "renamed",
            Self::Duplicated => "duplicated",
            Self::Overlap => "overlap",
            Self::TargetGone => "target_gone",
            Self::AccountChanged => "account_changed",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.as_str() == word)
    }

    /// Everything that some question of this kind may be answered with.
    #[must_use]
    pub fn options(self) -> &'static [Choice] {
        use Choice::{Cancel, Create, Leave, Move, Propose, PutBack, Remove, Switch, Unblock};
        match self {
            Self::Moved => &[Move, Propose, PutBack, Leave],
            Self::Proposed => &[Leave, PutBack, Move],
            Self::Resized | Self::MovedBoth => &[Move, PutBack, Leave],
            Self::Deleted => &[Cancel, PutBack, Leave],
            Self::MovedCancelled | Self::Held => &[Remove, Leave],
            Self::Renamed => &[Leave, PutBack],
            Self::Duplicated => &[Leave, Unblock, Remove],
            Self::Overlap => &[Leave, Cancel],
            Self::TargetGone => &[Create, Leave],
            Self::AccountChanged => &[Switch, Leave],
        }
    }

    /// Whether silence costs something: a write that waits, time that is held for nobody, a customer who comes in vain.
    /// Words of hers stay whatever she answers, and a proposal is the customer's to answer: those questions are told and
    /// do not press.
    #[must_use]
    pub fn presses(self) -> bool {
        self != Self::Renamed && self != Self::Proposed
    }
}

/// A question about where the event of a booking stands.
pub(super) fn asking(
    question: Question,
    booking: &BookingId,
    calendar: &LinkedCalendar,
    row: Option<&Booking>,
    mapping: &Mapping,
    event: Option<&RemoteEvent>,
    now: Timestamp,
) -> Card {
    let booked = row.map(|booking| (booking.start, booking.end));
    let found = event.and_then(times);
    let question =
        if question == Question::Moved && is_resized(booked, found) { Question::Resized } else { question };
    let can_go_there = can_go(booked, found, now);
    let proposal = row.map(|booking| &booking.proposal);
    let may_ask =
        found.and_then(interval).is_some_and(|to| proposal.is_some_and(|proposal| proposal.may_be(to)));
    let may = |choice: &Choice| match choice {
        Choice::Move => can_go_there,
        Choice::Propose => can_go_there && may_ask,
        Choice::Cancel
        | Choice::PutBack
        | Choice::Remove
        | Choice::Unblock
        | Choice::Create
        | Choice::Switch
        | Choice::Leave => true,
    };
    let stands = json!([booked, event.map(fingerprint), mapping.generation, mapping.etag]);
    Card {
        question,
        booking: Some(booking.clone()),
        calendar: calendar.id.clone(),
        about: About::Event,
        booked,
        found,
        // With every write of ours it is another question, even if she does the same again.
        // So it is once the customer has been asked, or has answered.
        state: match proposal.filter(|proposal| proposal.asked().is_some()) {
            Some(proposal) => digest(&json!([stands, proposal])),
            None => digest(&stands),
        },
        choices: question.options().iter().copied().filter(may).collect(),
    }
}

/// What she may do about a time that the customer was asked for and has not answered. It stays the same question wherever
/// the event stands meanwhile, so that an answer of two steps is carried out to its end.
pub(super) fn waiting_for(
    (id, to): (&ProposalId, Interval),
    booking: &Booking,
    calendar: &LinkedCalendar,
    now: Timestamp,
) -> Card {
    let (booked, found) = ((booking.start, booking.end), (to.start(), to.end()));
    let choices = Question::Proposed.options().iter().copied();
    Card {
        question: Question::Proposed,
        booking: Some(booking.id.clone()),
        calendar: calendar.id.clone(),
        about: About::Proposal(id.clone()),
        booked: Some(booked),
        found: Some(found),
        state: digest(&json!([booked, id, to])),
        choices: choices.filter(|choice| *choice != Choice::Move || to.start() > now).collect(),
    }
}

fn interval((start, end): (Timestamp, Timestamp)) -> Option<Interval> {
    Interval::new(start, end)
}

fn is_resized(booked: Option<(Timestamp, Timestamp)>, found: Option<(Timestamp, Timestamp)>) -> bool {
    matches!((booked, found), (Some(booked), Some(found)) if booked.0 == found.0 && booked.1 != found.1)
}

/// The platform moves no booking into the past.
fn can_go(
    booked: Option<(Timestamp, Timestamp)>,
    found: Option<(Timestamp, Timestamp)>,
    now: Timestamp,
) -> bool {
    let (Some(to), Some(_)) = (found.and_then(interval), booked) else { return false };
    to.start() > now
}

pub(super) fn digest(state: &Value) -> String {
    HEXLOWER.encode(&Sha256::digest(state.to_string())[..6])
}

/// Her answer to exactly this question.
pub(super) fn chosen(world: &World, card: &Card) -> Option<Choice> {
    let answer = world.answers.get(&card.id())?;
    let counts = match answer.given {
        Given::ByHer | Given::Standing => answer.calendar == card.calendar,
        Given::TakenBack => false,
    };
    (counts && card.choices.contains(&answer.choice)).then_some(answer.choice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, booked, booking, draft, event, linked, moved, row, span};

    fn card(proposal: Proposal, hour: i64, now: i64) -> Card {
        let booking = Booking { proposal, ..booking(1) };
        let (ours, id) = (event(&draft(1), "1"), BookingId::from("b"));
        let there = moved(&ours, hour);
        asking(Question::Moved, &id, &linked(), Some(&booking), &row(&ours), Some(&there), at(now))
    }

    #[test]
    fn no_booking_goes_to_a_time_that_has_begun() {
        let may = |now| card(Proposal::Possible, 5, now).choices.contains(&Choice::Move);
        assert!(may(4) && !may(5) && !may(6));
        let waiting = |now| {
            let (id, booking) = (ProposalId::from("p"), booking(1));
            waiting_for((&id, span(5)), &booking, &linked(), at(now)).choices
        };
        assert_eq!(waiting(4), [Choice::Leave, Choice::PutBack, Choice::Move]);
        assert_eq!(waiting(5), [Choice::Leave, Choice::PutBack]);
    }

    #[test]
    fn a_customer_refuses_the_time_where_the_event_stands_and_no_other() {
        let refused = |how, asked: i64, stands: i64| {
            let over = Proposal::Over { id: "p".into(), to: span(asked), how };
            let world = booked(World::default(), |row| row.proposal = over.clone());
            card(over, stands, 0).refused(&world)
        };
        assert_eq!(refused(Ending::Declined, 5, 5), Some(Refusal::Declined));
        assert_eq!(refused(Ending::Lapsed, 5, 5), Some(Refusal::Lapsed));
        assert_eq!(refused(Ending::Withdrawn, 5, 5), None);
        assert_eq!(refused(Ending::Declined, 5, 6), None);
        assert_eq!(refused(Ending::Lapsed, 5, 6), None);
        let over = Proposal::Over { id: "p".into(), to: span(5), how: Ending::Declined };
        let world = booked(World::default(), |row| row.proposal = over.clone());
        let both = Card { question: Question::MovedBoth, ..card(over, 5, 0) };
        assert_eq!(both.refused(&world), None, "the booking has changed since");
    }
}
