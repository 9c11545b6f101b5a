//! One question: what it is about, what she may answer, and whether she has. Knows no words.

use calendar::interval::Interval;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::booking::Booking;
use crate::decide::{Question, fingerprint, times};
use crate::ids::{BookingId, CalendarId, ConnectionId, RemoteId};
use crate::ports::RemoteEvent;
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
            About::Copy(event) => format!("copy:{event}"),
            About::Seconds(_) => "seconds".to_owned(),
            About::Overlap(_) => "overlap".to_owned(),
            About::Target { .. } => "target".to_owned(),
            About::Account { connection, .. } => format!("account:{connection}"),
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
            | About::Copy(_)
            | About::Overlap(_)
            | About::Target { .. }
            | About::Account { .. } => false,
        }
    }
}

impl Question {
    pub const ALL: [Self; 11] = [
        Self::Moved,
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
        use Choice::{Cancel, Create, Leave, Move, PutBack, Remove, Switch, Unblock};
        match self {
            Self::Moved | Self::Resized | Self::MovedBoth => &[Move, PutBack, Leave],
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
    /// Words of hers stay whatever she answers, so that question is told and does not press.
    #[must_use]
    pub fn presses(self) -> bool {
        self != Self::Renamed
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
    let choices = question.options().iter().copied();
    Card {
        question,
        booking: Some(booking.clone()),
        calendar: calendar.id.clone(),
        about: About::Event,
        booked,
        found,
        // With every write of ours it is another question, even if she does the same again.
        state: digest(&json!([booked, event.map(fingerprint), mapping.generation, mapping.etag])),
        choices: choices.filter(|choice| *choice != Choice::Move || can_go_there).collect(),
    }
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
    let interval = |(start, end)| Interval::new(start, end);
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
