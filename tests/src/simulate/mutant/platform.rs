//! A platform between which and the engine one rule is broken.

use std::time::Duration;

use async_trait::async_trait;
use calendar::interval::Interval;
use sync::booking::Booking;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, ProposalId, SlotId};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{BusyReceipt, BusySet, Coverage, Platform, Reading, Slot, SlotMade};

use super::super::liar::Liar;
use super::super::stage::on;
use super::Mutant;

pub struct MutantPlatform {
    pub inside: Liar,
    pub mutant: Mutant,
}

impl MutantPlatform {
    fn key(&self, key: &str) -> String {
        if self.mutant == Mutant::AnswersUnderNewKeys {
            on(&self.inside.stage).name(key)
        } else {
            key.to_owned()
        }
    }
}

#[async_trait]
impl Platform for MutantPlatform {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.inside.slots(window).await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.inside.create_slots(slots).await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.inside.remove_slot(slot).await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let whole = |items| Reading::Snapshot { items, coverage: Coverage::Everything, cursor: None };
        match (self.mutant, self.inside.bookings(cursor).await) {
            (Mutant::TakesHalfTheBookingsForAll, Reading::Partial { items, .. }) => whole(items),
            (Mutant::TakesUnreadBookingsForNone, Reading::Failed(_)) => whole(Vec::new()),
            (_, reading) => reading,
        }
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.inside.move_booking(booking, to, &self.key(key)).await
    }

    async fn propose_move(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.inside.propose_move(booking, to, &self.key(key)).await
    }

    async fn withdraw_proposal(
        &self,
        booking: &BookingId,
        proposal: &ProposalId,
        key: &str,
    ) -> Result<(), ServiceError> {
        self.inside.withdraw_proposal(booking, proposal, &self.key(key)).await
    }

    async fn cancel_booking(&self, booking: &BookingId, reason: &str, key: &str) -> Result<(), ServiceError> {
        self.inside.cancel_booking(booking, reason, &self.key(key)).await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        let sent = if self.mutant == Mutant::NeverReopens {
            let before = on(&self.inside.stage).published(&set.source);
            let all = set.intervals.iter().copied().chain(before).collect();
            BusySet::of(set.service, set.source.clone(), set.window, all)
        } else {
            set.clone()
        };
        match self.inside.put_busy(&sent).await {
            Err(error) if error.outcome_unknown() && self.mutant == Mutant::BelievesLostPublications => {
                Ok(BusyReceipt::default())
            }
            answer => answer,
        }
    }

    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        Ok(self.inside.closes_slots().await? || self.mutant == Mutant::LeavesSlotsBookable)
    }

    async fn switch_slots(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        self.inside.switch_slots(slots, open).await
    }

    async fn lease(&self, me: &Installation, term: Duration) -> Result<Lease, ServiceError> {
        match (self.mutant, self.inside.lease(me, term).await?) {
            (Mutant::IgnoresTheLease, Lease::HeldByOther { fencing, .. }) => {
                Ok(Lease::Held { fencing, lives: term, others: true })
            }
            (_, lease) => Ok(lease),
        }
    }

    async fn release_lease(&self, me: &Installation, fencing: Fencing) -> Result<(), ServiceError> {
        self.inside.release_lease(me, fencing).await
    }

    fn fence(&self, fencing: Option<Fencing>) {
        self.inside.fence(fencing.filter(|_| self.mutant != Mutant::WritesWithoutItsNumber));
    }

    fn fencing_seen(&self) -> Option<Fencing> {
        self.inside.fencing_seen()
    }
}
