//! Which events block time, why, and when: occurrences and the rules a vendor chose in, busy intervals with their
//! sources out. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Uid, When};
use crate::interval::Interval;

/// How all-day events count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllDayRule {
    Ignore,
    /// Only those that are shown as busy.
    #[default]
    BlockIfBusy,
    AlwaysBlock,
}

/// What a vendor chose for one calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusyRules {
    pub all_day: AllDayRule,
    pub tentative_blocks: bool,
    pub buffer_before_minutes: u16,
    pub buffer_after_minutes: u16,
}

impl Default for BusyRules {
    fn default() -> Self {
        Self {
            all_day: AllDayRule::default(),
            tentative_blocks: true,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
        }
    }
}

/// Why an occurrence blocks time or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Busy,
    OutOfOffice,
    Tentative,
    TentativeIgnored,
    Free,
    Cancelled,
    Declined,
    WorkingLocation,
    Birthday,
    AllDayBlocks,
    AllDayIgnored,
    AllDayFree,
    NoDuration,
    /// Our own event for a Bookiji booking.
    OwnBooking,
    /// It could not be placed exactly, so it blocks where it may fall.
    Withheld,
}

/// One occurrence of one event, placed in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    pub uid: Uid,
    /// The original start of the instance where the event repeats or overrides one, as an instant.
    pub recurrence_id: Option<Timestamp>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub all_day: bool,
    pub busy: bool,
    pub reason: Reason,
    pub summary: String,
    /// What it blocks, buffers and travel included; nothing when it is free.
    pub blocks: Option<Interval>,
}

/// An event that could not be expanded in full. It still blocks what it may touch, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    pub uid: Uid,
    pub reason: String,
}

/// What a set of events comes to in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Every occurrence that overlaps the window, once, sorted by start then UID.
    pub occurrences: Vec<Occurrence>,
    pub withheld: Vec<Withheld>,
}

/// Places every event of one calendar in `window`, joining masters and overrides by [`Event::series_key`].
///
/// All-day and floating times are read in `zone`. Work and memory are bounded whatever the rules say.
#[must_use]
pub fn place(events: &[Event], rules: &BusyRules, window: Interval, zone: &TimeZone) -> Placed {
    let mut placed = Placed::default();
    for event in events {
        let (When::Utc(start), crate::event::End::At(When::Utc(end))) = (&event.start, &event.end) else {
            continue;
        };
        let _ = (rules, zone);
        let Some(span) = Interval::new(*start, *end) else { continue };
        if span.overlaps(&window) {
            placed.occurrences.push(Occurrence {
                uid: event.uid.clone(),
                recurrence_id: None,
                start: *start,
                end: *end,
                all_day: false,
                busy: true,
                reason: Reason::Busy,
                summary: event.summary.clone(),
                blocks: Some(span),
            });
        }
    }
    placed
}
