//! Where the platform does not close slots itself: which free slots busy time closes, and which of those that we closed
//! are opened again. Pure. Knows of the platform only what stands there, and proves by the mirror alone what is ours.
//!
//! A slot that a booking holds is never touched. None is opened under a booking: from then on the platform would refuse
//! every change of that booking, even its cancellation.

mod settle;

use std::collections::{BTreeMap, BTreeSet};

use calendar::interval::{Interval, union};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::{Booking, BookingStatus};
use crate::ids::SlotId;
use crate::ports::Slot;
use crate::world::World;

pub(crate) use settle::open_for;
pub use settle::{preview, settle};

/// A slot that we closed, or are about to. The row is written before the slot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedSlot {
    pub id: SlotId,
    pub span: Interval,
    pub state: ClosedState,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedState {
    /// Intended. Nobody knows yet whether it was done.
    Closing,
    Closed,
    /// To be opened again, and not confirmed.
    Opening,
}

/// What is to be done about slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    pub close: Vec<Slot>,
    pub open: Vec<Slot>,
    /// Rows that say something else from now on.
    pub known: Vec<ClosedSlot>,
    /// Rows of slots that are not ours to open any more.
    pub forgotten: Vec<SlotId>,
}

impl Closing {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The bookings that hold their time on the platform.
pub struct Booked(Vec<Interval>);

impl Booked {
    /// Everything but what was cancelled or missed, as the platform's own constraint has it.
    #[must_use]
    pub fn of<'a>(bookings: impl IntoIterator<Item = &'a Booking>, now: Timestamp) -> Self {
        let holds = |booking: &&Booking| booking.end > now && holds(&booking.status);
        let spans = bookings.into_iter().filter(holds);
        let mut spans: Vec<Interval> = spans.filter_map(|one| Interval::new(one.start, one.end)).collect();
        spans.sort();
        Self(spans)
    }

    fn holds(&self, span: Interval) -> bool {
        self.0.binary_search(&span).is_ok()
    }

    pub(crate) fn lies_over(&self, span: Interval) -> bool {
        lies_over(&self.0, span)
    }
}

fn holds(status: &BookingStatus) -> bool {
    match status {
        BookingStatus::Cancelled | BookingStatus::NoShow => false,
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => true,
    }
}

/// What the platform was last told of all her calendars together.
#[must_use]
pub fn told(world: &World) -> Vec<Interval> {
    union(world.published.values().flat_map(|told| told.set.intervals.iter().copied()).collect())
}

/// Decides about every slot that stands. With `closes`, slots under busy time are closed; without, only ours are opened.
///
/// `window` is what `standing` was read for: a row inside it whose slot is not there is over.
#[must_use]
pub fn plan(
    ours: &BTreeMap<SlotId, ClosedSlot>,
    busy: &[Interval],
    booked: &Booked,
    standing: &[Slot],
    window: Interval,
    now: Timestamp,
    closes: bool,
) -> Closing {
    let mut closing = Closing::default();
    let mut open: Vec<Interval> = standing.iter().filter(|slot| slot.open).map(|slot| slot.span).collect();
    let mut slots: Vec<&Slot> = standing.iter().collect();
    slots.sort();
    for slot in slots.into_iter().filter(|slot| slot.span.start() > now) {
        let row = ours.get(&slot.id);
        let busy = lies_over(busy, slot.span);
        if booked.holds(slot.span) {
            // It is the booking's, and opens with its cancellation, whatever we did before.
            closing.forgotten.extend(row.map(|row| row.id.clone()));
        } else if slot.open {
            if busy && closes {
                closing.close.push(slot.clone());
            } else {
                closing.forgotten.extend(row.map(|row| row.id.clone()));
            }
        } else if let Some(row) = row {
            let is_free = !busy && !booked.lies_over(slot.span) && !lies_over(&open, slot.span);
            if is_free {
                open.push(slot.span);
                closing.open.push(slot.clone());
            } else if row.state != ClosedState::Closed || row.span != slot.span {
                let state = ClosedState::Closed;
                closing.known.push(ClosedSlot { span: slot.span, state, ..row.clone() });
            }
        }
    }
    let there: BTreeSet<&SlotId> = standing.iter().map(|slot| &slot.id).collect();
    let is_over = |row: &&ClosedSlot| {
        let gone = row.span.overlaps(&window) && !there.contains(&row.id);
        row.span.start() <= now || gone
    };
    closing.forgotten.extend(ours.values().filter(is_over).map(|row| row.id.clone()));
    closing
}

fn lies_over(these: &[Interval], span: Interval) -> bool {
    these.iter().any(|one| one.overlaps(&span))
}

#[cfg(test)]
mod tests;
