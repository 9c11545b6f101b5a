//! Bookiji as it is today (platform notes §1 to 3): rows of its database, of which row-level security shows a vendor her
//! own, and what few routes of its own work. It takes no busy time and gives no leases; who speaks to it closes slots one
//! by one.

mod bookings;
mod change;
mod switch;

use async_trait::async_trait;
use calendar::interval::Interval;
use sync::booking::Booking;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, SlotId};
use sync::ports::{BusyReceipt, BusySet, Platform, Reading, Slot, SlotMade};

use super::database::{Database, error};
use super::lease::Fence;
use super::slots::Slots;
use crate::http::{Answer, Base, Http, Peer, Request};
use crate::tokens::{Signed, Tokens};

/// Today's platform with a vendor signed in.
#[derive(Clone)]
pub struct Rest {
    signed: Signed,
    base: Base,
    database: Database,
    /// Never carries a number: there are no leases here.
    fence: Fence,
}

impl Rest {
    /// `base` is the platform's address without `/api`, `database` what lies beside its sign-in server.
    #[must_use]
    pub fn new(http: Http, base: Base, tokens: Tokens, database: Database) -> Self {
        Self { signed: Signed { http, tokens }, base, database, fence: Fence::default() }
    }

    pub(super) fn parts(&self) -> (&Signed, &Database) {
        (&self.signed, &self.database)
    }

    fn rows(&self) -> Slots<'_> {
        Slots { signed: &self.signed, database: &self.database, fence: &self.fence }
    }

    async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        let answer = self.signed.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(error(&answer)) }
    }
}

fn rejected(reason: impl Into<String>) -> ServiceError {
    ServiceError::Rejected { service: Peer::Bookiji.name().to_owned(), reason: reason.into() }
}

#[async_trait]
impl Platform for Rest {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.rows().overlapping(window).await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.rows().create(slots).await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.rows().remove(slot).await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        self.read_bookings(cursor).await
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, _key: &str) -> Result<(), ServiceError> {
        self.move_to(booking, to).await
    }

    async fn cancel_booking(
        &self,
        booking: &BookingId,
        reason: &str,
        _key: &str,
    ) -> Result<(), ServiceError> {
        self.cancel(booking, reason).await
    }

    /// It has no place for busy time: the slots say it.
    async fn put_busy(&self, _set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        Ok(BusyReceipt::default())
    }

    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        Ok(false)
    }

    async fn switch_slots(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        self.switch(slots, open).await
    }
}

/// Whether a cursor was given out here.
pub(super) use bookings::is_ours;
