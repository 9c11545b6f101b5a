//! The booking platform: bookings, slots, busy time, her decisions about bookings, and the lease.

use std::time::Duration;

use async_trait::async_trait;
use calendar::interval::Interval;
use sync::booking::{Booking, BookingStatus};
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, ProposalId, SlotId};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{BusyReceipt, BusySet, Coverage, Platform, Reading, Slot, SlotMade};
use sync::proposal::{Ending, Proposal};
use sync::world::Choice;

use super::super::people::{is_live, write_booking};
use super::super::stage::{Stage, from_words, on, spans};
use super::super::weather::{Call, Emptied, Lie};
use super::Liar;
use super::events::{reach, warp};
use super::lie::{gone, refusal};
use super::slots::{close_under_busy, make_slot, switch};
use super::watch::watch_busy;
use super::watch_answers::{card_of, carried_out, refuses, watch_answer};

fn busy_words(stage: &Stage, set: &BusySet) -> String {
    format!("of {}: {}", stage.source_words(&set.source), spans(&set.intervals))
}

#[async_trait]
impl Platform for Liar {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.serve(Call::Slots, None, spans(&[window]), |stage, _| {
            Ok(stage.world.slots.values().filter(|slot| slot.span.overlaps(&window)).cloned().collect())
        })
        .await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        let times: Vec<Interval> = slots.iter().map(|slot| slot.span).collect();
        self.fenced(Call::CreateSlots, spans(&times), |stage| {
            stage.world.writes += 1;
            if stage.is_undoing() {
                stage.past.undone_slots.extend(slots.iter().map(|slot| slot.span));
            }
            Ok(slots.iter().map(|slot| make_slot(stage, slot)).collect())
        })
        .await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.fenced(Call::RemoveSlot, spans(&[slot.span]), |stage| {
            match stage.world.slots.get(&slot.id) {
                None => return Err(gone()),
                Some(there) if there.open != slot.open || there.span != slot.span => {
                    return Err(ServiceError::Stale { service: "fake".to_owned() });
                }
                Some(_) => {}
            }
            stage.world.writes += 1;
            if stage.is_undoing() {
                stage.past.undone_slots.insert(slot.span);
            }
            stage.world.slots.remove(&slot.id);
            Ok(())
        })
        .await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        self.serve(Call::Bookings, None, from_words(cursor), |stage, lie| {
            let reading = read_bookings(stage, cursor, lie);
            if !matches!(reading, Reading::Failed(_)) && stage.lease.offered {
                stage.told().fencing = Some(Fencing(stage.lease.fencing));
            }
            warp(stage, reading, lie)
        })
        .await
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.fenced(Call::MoveBooking, format!("{booking} {}", spans(&[to])), |stage| {
            let card = card_of(key);
            watch_answer(stage, booking, Choice::Move, Some(to), card);
            carried_out(stage, card);
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let slot = stage.world.slots.values_mut().find(|slot| slot.open && slot.span == to);
            let (Some(slot), Some(row)) = (slot, stage.booked.get(booking).cloned()) else {
                stage.keys.remove(key);
                return Err(refuses(stage, booking, card));
            };
            slot.open = false;
            stage.world.writes += 1;
            write_booking(stage, Booking { start: to.start(), end: to.end(), ..row });
            Ok(())
        })
        .await
    }

    async fn propose_move(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.fenced(Call::ProposeMove, format!("{booking} {}", spans(&[to])), |stage| {
            let card = card_of(key);
            watch_answer(stage, booking, Choice::Propose, Some(to), card);
            carried_out(stage, card);
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let row = stage.booked.get(booking).filter(|row| is_live(row)).cloned();
            let (Some(row), true) = (row, to.start() > stage.now) else {
                stage.keys.remove(key);
                return Err(refuses(stage, booking, card));
            };
            stage.world.writes += 1;
            let id = ProposalId(stage.name("proposal"));
            write_booking(stage, Booking { proposal: Proposal::Waiting { id, to }, ..row });
            Ok(())
        })
        .await
    }

    async fn withdraw_proposal(
        &self,
        booking: &BookingId,
        proposal: &ProposalId,
        key: &str,
    ) -> Result<(), ServiceError> {
        self.fenced(Call::WithdrawProposal, format!("{booking} {proposal}"), |stage| {
            let card = card_of(key);
            watch_answer(stage, booking, Choice::PutBack, None, card);
            carried_out(stage, card);
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let row = stage.booked.get(booking).cloned();
            let waiting =
                row.as_ref().and_then(|row| row.proposal.waiting()).filter(|(id, _)| *id == proposal);
            let (Some((_, to)), Some(row)) = (waiting, &row) else {
                stage.keys.remove(key);
                return Err(refuses(stage, booking, card));
            };
            stage.world.writes += 1;
            let over = Proposal::Over { id: proposal.clone(), to, how: Ending::Withdrawn };
            write_booking(stage, Booking { proposal: over, ..row.clone() });
            Ok(())
        })
        .await
    }

    async fn cancel_booking(&self, booking: &BookingId, _: &str, key: &str) -> Result<(), ServiceError> {
        self.fenced(Call::CancelBooking, booking.to_string(), |stage| {
            let card = card_of(key);
            watch_answer(stage, booking, Choice::Cancel, None, card);
            carried_out(stage, card);
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let Some(row) = stage.booked.get(booking).cloned() else {
                stage.keys.remove(key);
                return Err(refuses(stage, booking, card));
            };
            stage.world.writes += 1;
            write_booking(stage, Booking { status: BookingStatus::Cancelled, ..row });
            Ok(())
        })
        .await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        let about = busy_words(&on(&self.stage), set);
        self.fenced(Call::PutBusy, about, |stage| {
            watch_busy(stage, set);
            stage.world.writes += 1;
            stage.world.busy.insert(set.source.clone(), set.clone());
            if !stage.leaves_slots {
                close_under_busy(stage);
            }
            Ok(BusyReceipt::default())
        })
        .await
    }

    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        Ok(!on(&self.stage).leaves_slots)
    }

    async fn switch_slots(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        let times: Vec<Interval> = slots.iter().map(|slot| slot.span).collect();
        let about = format!("{} {}", if open { "open" } else { "close" }, spans(&times));
        self.fenced(Call::SwitchSlots, about, |stage| {
            stage.world.writes += 1;
            Ok(slots.iter().filter(|slot| switch(stage, slot, open)).map(|slot| slot.id.clone()).collect())
        })
        .await
    }

    async fn lease(&self, _: &Installation, term: Duration) -> Result<Lease, ServiceError> {
        self.serve(Call::Lease, None, String::new(), |stage, _| Ok(stage.give_lease(term))).await
    }

    async fn release_lease(&self, _: &Installation, fencing: Fencing) -> Result<(), ServiceError> {
        self.serve(Call::Lease, None, "given back".to_owned(), |stage, _| {
            stage.release_lease(fencing);
            Ok(())
        })
        .await
    }

    fn fence(&self, fencing: Option<Fencing>) {
        on(&self.stage).runs[self.device].carried = fencing;
    }

    fn fencing_seen(&self) -> Option<Fencing> {
        let stage = &mut *on(&self.stage);
        stage.device = self.device;
        stage.told().fencing
    }
}

impl Liar {
    /// A write, which goes out under the number that stood when it was sent.
    async fn fenced<T>(
        &self,
        call: Call,
        about: String,
        done: impl FnOnce(&mut Stage) -> Result<T, ServiceError> + Send,
    ) -> Result<T, ServiceError> {
        let carried = on(&self.stage).runs[self.device].carried;
        self.serve(call, None, about, |stage, _| {
            stage.admit(carried)?;
            done(stage)
        })
        .await
    }
}

fn read_bookings(
    stage: &mut Stage,
    cursor: Option<&Cursor>,
    lie: Option<Lie>,
) -> Reading<Booking, BookingId> {
    if lie == Some(Lie::CursorLost) && cursor.is_some() {
        return Reading::CursorLost;
    }
    if stage.is_emptied(Emptied::Bookings) {
        stage.counts("Bookings comes back empty");
        if cursor.is_some() {
            return Reading::CursorLost;
        }
        // As far as anybody can tell, all of them are over: what she deleted may come again.
        stage.forgetful = true;
        stage.told().bookings.clear();
        stage.past.deleted_by_her.clear();
        let (items, coverage) = (Vec::new(), Coverage::Everything);
        return Reading::Snapshot { items, coverage, cursor: None };
    }
    let (after, upto) = reach(stage, cursor, lie);
    let mut items: Vec<Booking> = stage
        .world
        .bookings
        .values()
        .filter(|(at, _)| after.is_none_or(|after| *at > after && *at <= upto))
        .map(|(_, booking)| booking.clone())
        .collect();
    let half = lie == Some(Lie::HalfAReading);
    if half {
        items.truncate(items.len() / 2);
    }
    for booking in &items {
        stage.told().bookings.insert(booking.id.clone(), booking.clone());
    }
    let next = Cursor(upto.to_string());
    match after {
        _ if half => Reading::Partial { items, reason: refusal(Lie::HalfAReading) },
        Some(_) => Reading::Delta { changed: items, removed: Vec::new(), cursor: next },
        None => Reading::Snapshot { items, coverage: Coverage::Everything, cursor: Some(next) },
    }
}
