//! What pages of bookings come to: each booking once, and one that cannot be read stops no other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sync::booking::Booking;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor};
use sync::ports::{Coverage, Reading};

use super::wire;
use crate::http::{Peer, garbled};

/// What the pages held so far. A booking that comes twice counts as it came last.
#[derive(Default)]
pub(super) struct Found {
    bookings: BTreeMap<BookingId, Option<Booking>>,
    nameless: usize,
}

impl Found {
    pub(super) fn take(&mut self, values: Vec<Value>, removed: Vec<BookingId>) {
        for value in values {
            let Some(id) = value["id"].as_str().map(BookingId::from) else {
                tracing::warn!("a booking without an id cannot be held");
                self.nameless += 1;
                continue;
            };
            let booking = wire::Booking::deserialize(&value).map_or_else(
                |_| {
                    tracing::warn!(booking = %id, "a booking cannot be read; its event stays as it is");
                    wire::unreadable(id.clone(), &value)
                },
                wire::Booking::into_booking,
            );
            self.bookings.insert(id, Some(booking));
        }
        self.bookings.extend(removed.into_iter().map(|id| (id, None)));
    }

    /// As [`Found::all`], from the cursor that was asked with to the next one.
    pub(super) fn whole(self, cursor: Option<&Cursor>, next: Option<Cursor>) -> Reading<Booking, BookingId> {
        match (self.all(), cursor, next) {
            (Err(partial), _, _) => partial,
            (Ok((changed, removed)), Some(_), Some(cursor)) => Reading::Delta { changed, removed, cursor },
            (Ok((items, _)), _, cursor) => {
                Reading::Snapshot { items, coverage: Coverage::Everything, cursor }
            }
        }
    }

    /// Those that are there, and those that were said to be gone.
    ///
    /// What has no id is neither there nor absent, so a reading with such a thing is never whole.
    pub(super) fn all(self) -> Result<(Vec<Booking>, Vec<BookingId>), Reading<Booking, BookingId>> {
        if self.nameless > 0 {
            return Err(self.partial(garbled(Peer::Bookiji, "some of its bookings have no id")));
        }
        let (live, dead): (Vec<_>, Vec<_>) = self.bookings.into_iter().partition(|(_, b)| b.is_some());
        let items = live.into_iter().filter_map(|(_, booking)| booking).collect();
        Ok((items, dead.into_iter().map(|(id, _)| id).collect()))
    }

    pub(super) fn partial(self, reason: ServiceError) -> Reading<Booking, BookingId> {
        Reading::Partial { items: self.bookings.into_values().flatten().collect(), reason }
    }
}
