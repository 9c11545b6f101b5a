//! Carries out on the platform what she decided about a booking: makes room where it is to go, and has it moved or
//! cancelled. Every call carries the answer's own key, so that sending it again does nothing twice.

use calendar::interval::Interval;
use jiff::Timestamp;

use crate::closing::{self, Booked};
use crate::error::{MirrorError, ServiceError};
use crate::ids::{BookingId, CalendarId, RunId};
use crate::plan::Plan;
use crate::ports::{Slot, SlotMade};
use crate::recover::interrupted;
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::slots::slot_id;
use crate::world::{Operation, OperationId, Settled, SyncProblem, World};

/// What the platform keeps as the reason of a cancellation, and may tell the customer.
const REASON: &str = "Cancelled by the provider";

/// Answers whether the platform may say something new about bookings now.
///
/// # Errors
/// When the mirror cannot be written: nothing more is sent then.
pub async fn carry_out(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    plan: &Plan,
    report: &mut Report,
) -> Result<bool, MirrorError> {
    for operation in &plan.answers {
        if parts.writer.is_stopped() {
            break;
        }
        let desk = Desk { parts, run, world };
        match operation {
            Operation::MoveBooking { calendar, booking, to, key, .. } => {
                let room = desk.make_room(calendar, booking, *to).await?;
                let made = match room {
                    Ok(made) => made,
                    Err(error) => {
                        desk.refused(calendar, booking, key, &error, report)?;
                        continue;
                    }
                };
                let id = desk.intend(operation)?;
                let platform = parts.platform;
                let sent = parts.writer.send(parts, || platform.move_booking(booking, *to, key)).await;
                if sent.as_ref().is_err_and(|error| !error.outcome_unknown())
                    && let Some(made) = made
                {
                    // Nobody may book what was only made for this.
                    desk.take_back(calendar, &made).await?;
                }
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::CancelBooking { calendar, booking, key } => {
                let id = desk.intend(operation)?;
                let platform = parts.platform;
                let sent = parts.writer.send(parts, || platform.cancel_booking(booking, REASON, key)).await;
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. } => {}
        }
    }
    Ok(!plan.answers.is_empty())
}

struct Desk<'a> {
    parts: &'a Parts<'a>,
    run: &'a RunId,
    world: &'a World,
}

impl Desk<'_> {
    fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn intend(&self, operation: &Operation) -> Result<OperationId, MirrorError> {
        // An earlier try of the same answer no longer matters: this one has the same key.
        for (id, open) in &self.world.unsettled {
            if is_same(open, operation) {
                self.parts.mirror.settle(*id, &interrupted(), self.now())?;
            }
        }
        let id = self.parts.mirror.intend(self.run, operation, self.now())?;
        self.parts.mirror.attempted(id, self.now())?;
        Ok(id)
    }

    /// A slot of exactly these times, open: what is open across it gives way, since a booking will lie there, and so does
    /// the booking's own where the two overlap: the platform lets no booking go whose slot another one lies over.
    /// Answers with the slot that was made for it.
    async fn make_room(
        &self,
        calendar: &CalendarId,
        booking: &BookingId,
        to: Interval,
    ) -> Result<Result<Option<Slot>, ServiceError>, MirrorError> {
        let Parts { platform, clock, policy, .. } = self.parts;
        let standing = match with_retry(*clock, &policy.retry, || platform.slots(to)).await {
            Ok(standing) => standing,
            Err(error) => return Ok(Err(error)),
        };
        let moved = self.world.bookings.get(booking);
        let is_there = moved.is_some_and(|moved| (moved.start, moved.end) == (to.start(), to.end()));
        let own = moved.and_then(|moved| Interval::new(moved.start, moved.end));
        let exact = standing.iter().find(|slot| slot.span == to);
        if let Some(exact) = exact.filter(|_| !is_there) {
            return Ok(self.open(calendar, exact, own, &standing).await?.map(|()| None));
        }
        if is_there {
            return Ok(Ok(None));
        }
        for slot in standing.iter().filter(|slot| slot.open || Some(slot.span) == own) {
            match self.remove(calendar, slot).await? {
                Ok(()) | Err(ServiceError::Gone { .. }) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        let Some(vendor) = &self.world.vendor else { return Ok(Ok(None)) };
        let slot = Slot { id: slot_id(&vendor.id, calendar, to), span: to, open: true };
        let operation = Operation::MakeSlots { source: calendar.clone(), slots: vec![slot.clone()] };
        let id = self.intend(&operation)?;
        let slots = std::slice::from_ref(&slot);
        let made = self.parts.writer.send(self.parts, || platform.create_slots(slots)).await;
        let made = made.map(|made| made.into_iter().next().unwrap_or(SlotMade::Overlaps));
        let error = match made {
            Ok(SlotMade::Stands) => {
                self.parts.mirror.settle(id, &Settled::SlotsMade { rows: Vec::new() }, self.now())?;
                return Ok(Ok(Some(slot)));
            }
            Ok(SlotMade::Taken) => {
                self.parts.mirror.settle(id, &interrupted(), self.now())?;
                return Ok(Ok(None));
            }
            Ok(SlotMade::Overlaps) => ServiceError::Rejected {
                service: "bookiji".to_owned(),
                reason: "another slot stands across this time".to_owned(),
            },
            Ok(SlotMade::Refused(error)) | Err(error) => error,
        };
        if !error.outcome_unknown() {
            self.parts.mirror.settle(id, &failed(&error), self.now())?;
        }
        Ok(Err(error))
    }

    /// Opens the slot that the booking is to go to, if it was we who closed it: because of this very event, perhaps.
    async fn open(
        &self,
        calendar: &CalendarId,
        slot: &Slot,
        own: Option<Interval>,
        standing: &[Slot],
    ) -> Result<Result<(), ServiceError>, MirrorError> {
        let others = self.world.bookings.values();
        let others = others.filter(|other| Interval::new(other.start, other.end) != own);
        let is_taken = Booked::of(others, self.now()).lies_over(slot.span);
        if slot.open || is_taken || !self.world.closed_slots.contains_key(&slot.id) {
            return Ok(Ok(()));
        }
        let of_the_booking = |other: &&Slot| Some(other.span) == own && other.span.overlaps(&slot.span);
        for other in standing.iter().filter(of_the_booking) {
            match self.remove(calendar, other).await? {
                Ok(()) | Err(ServiceError::Gone { .. }) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(closing::open_for(self.parts, slot).await?.map(drop))
    }

    async fn take_back(&self, calendar: &CalendarId, slot: &Slot) -> Result<(), MirrorError> {
        if let Err(error) = self.remove(calendar, slot).await? {
            tracing::warn!(code = %error.code(), "a slot that was made for a move could not be taken back");
        }
        Ok(())
    }

    async fn remove(
        &self,
        calendar: &CalendarId,
        slot: &Slot,
    ) -> Result<Result<(), ServiceError>, MirrorError> {
        let Parts { mirror, platform, writer, .. } = self.parts;
        let operation = Operation::RemoveSlot { source: calendar.clone(), slot: slot.clone() };
        let id = self.intend(&operation)?;
        let sent = writer.send(self.parts, || platform.remove_slot(slot)).await;
        match &sent {
            Ok(()) | Err(ServiceError::Gone { .. }) => {
                let gone = Settled::SlotRemoved { rows: Vec::new(), forgotten: Vec::new() };
                mirror.settle(id, &gone, self.now())?;
            }
            Err(error) if !error.outcome_unknown() => mirror.settle(id, &failed(error), self.now())?,
            Err(_) => {}
        }
        Ok(sent)
    }

    fn settle(
        &self,
        id: OperationId,
        (calendar, booking, key): (&CalendarId, &BookingId, &str),
        sent: Result<(), ServiceError>,
        report: &mut Report,
    ) -> Result<(), MirrorError> {
        match sent {
            Ok(()) => self.parts.mirror.settle(id, &Settled::BookingChanged, self.now()),
            // Whether it was done, the bookings themselves will say; if not, it is sent again with the same key.
            Err(error) if error.outcome_unknown() || error.may_pass() || error.is_fenced() => {
                if !error.outcome_unknown() {
                    self.parts.mirror.settle(id, &failed(&error), self.now())?;
                }
                tell(calendar, booking, &error, report);
                Ok(())
            }
            Err(error) => {
                self.parts.mirror.settle(id, &failed(&error), self.now())?;
                self.refused(calendar, booking, key, &error, report)
            }
        }
    }

    /// It cannot be done as she decided: she is asked again, with both times blocked as before.
    fn refused(
        &self,
        calendar: &CalendarId,
        booking: &BookingId,
        key: &str,
        error: &ServiceError,
        report: &mut Report,
    ) -> Result<(), MirrorError> {
        if !error.outcome_unknown() && !error.may_pass() && !error.is_fenced() {
            self.parts.mirror.take_back_answer(key)?;
        }
        tell(calendar, booking, error, report);
        Ok(())
    }
}

fn is_same(open: &Operation, operation: &Operation) -> bool {
    use Operation::{CancelBooking, MoveBooking};
    match (open, operation) {
        (MoveBooking { key: a, .. }, MoveBooking { key: b, .. })
        | (CancelBooking { key: a, .. }, CancelBooking { key: b, .. }) => a == b,
        _ => false,
    }
}

fn failed(error: &ServiceError) -> Settled {
    Settled::Failed { problem: SyncProblem::from(error), mapping: None }
}

fn tell(calendar: &CalendarId, booking: &BookingId, error: &ServiceError, report: &mut Report) {
    report.errors.push(ErrorReport {
        calendar: Some(calendar.clone()),
        booking: Some(booking.clone()),
        ..ErrorReport::of(error, "bookiji")
    });
}
