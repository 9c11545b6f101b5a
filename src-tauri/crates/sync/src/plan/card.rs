//! One question about one booking's event: what it is about, what she may answer, and whether she has. Knows no words.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::booking::Booking;
use crate::decide::{Question, fingerprint, times};
use crate::ids::{BookingId, CalendarId};
use crate::ports::RemoteEvent;
use crate::world::{Choice, LinkedCalendar, Mapping, World};

/// One question for the vendor. Until she answers, nothing changes and both times stay blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub question: Question,
    pub booking: BookingId,
    pub calendar: CalendarId,
    pub booked: Option<(Timestamp, Timestamp)>,
    /// Where she put the event, if it still stands.
    pub found: Option<(Timestamp, Timestamp)>,
    /// A digest of everything the question is about: once that changes, it is another question.
    pub state: String,
}

impl Card {
    /// The same question about the same booking in the same state is the same card.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.question.as_str(), self.booking, self.state)
    }

    /// What she may decide, the likeliest first.
    #[must_use]
    pub fn choices(&self) -> &'static [Choice] {
        match self.question {
            Question::Moved | Question::MovedBoth if self.found.is_some() => {
                &[Choice::Move, Choice::PutBack, Choice::Leave]
            }
            Question::Moved | Question::MovedBoth => &[Choice::PutBack, Choice::Leave],
            Question::Deleted => &[Choice::Cancel, Choice::PutBack, Choice::Leave],
            Question::MovedCancelled | Question::Held => &[Choice::Remove, Choice::Leave],
        }
    }
}

impl Question {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::MovedBoth => "moved_both",
            Self::MovedCancelled => "moved_cancelled",
            Self::Held => "held_deletion",
        }
    }
}

pub(super) fn asking(
    question: Question,
    booking: &BookingId,
    calendar: &LinkedCalendar,
    row: Option<&Booking>,
    mapping: &Mapping,
    event: Option<&RemoteEvent>,
) -> Card {
    let booked = row.map(|booking| (booking.start, booking.end));
    // With every write of ours it is another question, even if she does the same again.
    let state = json!([booked, event.map(fingerprint), mapping.generation, mapping.etag]);
    Card {
        question,
        booking: booking.clone(),
        calendar: calendar.id.clone(),
        booked,
        found: event.and_then(times),
        state: HEXLOWER.encode(&Sha256::digest(state.to_string())[..6]),
    }
}

/// Her answer to exactly this question.
pub(super) fn chosen(world: &World, card: &Card) -> Option<Choice> {
    let answer = world.answers.get(&(card.booking.clone(), card.calendar.clone()))?;
    (answer.card == card.id() && card.choices().contains(&answer.choice)).then_some(answer.choice)
}
