//! What has to do with a time: one word each, which scripts read.

use calendar::busy::Reason;
use serde::{Serialize, Serializer};

/// Why something stands among the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Past,
    Booking,
    /// A booking's event stands where its booking does not.
    Moved,
    /// The event itself, as its calendar's rules take it.
    Event(Reason),
    /// Time that is kept around an event.
    Buffer,
    /// The way to an event.
    Travel,
    /// She lets it be booked just this once.
    Unblocked,
    NotRead,
    BeyondHorizon,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::Booking => "booking",
            Self::Moved => "moved",
            Self::Buffer => "buffer",
            Self::Travel => "travel",
            Self::Unblocked => "unblocked",
            Self::NotRead => "not_read",
            Self::BeyondHorizon => "beyond_horizon",
            Self::Event(reason) => match reason {
                Reason::Busy => "busy",
                Reason::OutOfOffice => "out_of_office",
                Reason::Tentative => "tentative",
                Reason::TentativeIgnored => "tentative_ignored",
                Reason::Free => "free",
                Reason::Cancelled => "cancelled",
                Reason::Declined => "declined",
                Reason::WorkingLocation => "working_location",
                Reason::Birthday => "birthday",
                Reason::AllDayBlocks => "all_day",
                Reason::AllDayIgnored => "all_day_ignored",
                Reason::AllDayFree => "all_day_free",
                Reason::NoDuration => "no_duration",
                Reason::OwnBooking => "own_booking",
                Reason::Withheld => "withheld",
            },
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
