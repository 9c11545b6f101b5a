//! Carries out on the platform what she decided about a booking: makes room where it is to go, and has it moved or
//! cancelled. Every call carries the answer's own key, so that sending it again does nothing twice.

use calendar::interval::Interval;
use jiff::Timestamp;

use crate::closing::{self, Booked};
use crate::decide::times;
use crate::error::{MirrorError, ServiceError};
use crate::ids::{BookingId, CalendarId, RunId};
use crate::plan::Plan;
use crate::ports::{Slot, SlotMade};
use crate::recover::{interrupt, interrupted};
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::slots::{is_remembered, left_over, slot_id};
use crate::world::{Choice, Operation, OperationId, Settled, SyncProblem, World};

const TAKEN: &str = "another booking has this time";

/// What the platform keeps as the reason of a cancellation, and may tell the customer.
const REASON: &str = "Cancelled by the provider";

/// Answers with what was done, by the key of its answer; or with nothing, if there was nothing to do and the platform has
/// nothing new to say about bookings.
///
/// # Errors
/// When the mirror cannot be written: nothing more is sent then.
pub async fn carry_out(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    plan: &Plan,
    report: &mut Report,
) -> Result<Option<Vec<(BookingId, String)>>, MirrorError> {
    let mut done = Vec::new();
    for operation in &plan.answers {
        if parts.writer.is_stopped() {
            break;
        }
        let desk = Desk { parts, run, world };
        match operation {
            Operation::MoveBooking { calendar, booking, to, key, .. } => {
                // Written down before room is made, so that the room is found again whatever happens.
                let is_first = !world.unsettled.iter().any(|(_, open)| is_same(open, operation));
                let id = desk.intend(operation)?;
                let made = match desk.make_room(calendar, booking, *to).await? {
                    Ok(made) => made,
                    Err(error) => {
                        // An earlier try may have made some.
                        if is_first && !error.outcome_unknown() {
                            parts.mirror.settle(id, &failed(&error), desk.now())?;
                        }
                        desk.refused(calendar, booking, key, &error, report)?;
                        continue;
                    }
                };
                let (platform, once) = (parts.platform, once(Choice::Move, key));
                let sent = parts.writer.send(parts, || platform.move_booking(booking, *to, &once)).await;
                done.extend(sent.as_ref().ok().map(|()| (booking.clone(), key.clone())));
                if let (Err(error), Some(made)) = (&sent, made)
                    && !error.outcome_unknown()
                    && !desk.take_back(calendar, &made).await?
                {
                    // Nobody may book what was only made for this: it stays open until that is gone.
                    desk.refused(calendar, booking, key, error, report)?;
                    continue;
                }
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::ProposeMove { calendar, booking, to, key } => {
                if desk.is_taken(booking, *to) {
                    desk.refused(calendar, booking, key, &rejected(TAKEN), report)?;
                    continue;
                }
                let id = desk.intend(operation)?;
                let (platform, once) = (parts.platform, once(Choice::Propose, key));
                let sent = parts.writer.send(parts, || platform.propose_move(booking, *to, &once)).await;
                done.extend(sent.as_ref().ok().map(|()| (booking.clone(), key.clone())));
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::WithdrawProposal { calendar, booking, proposal, key } => {
                // The event first: while it stays there, her answer is not carried out, and still counts.
                if desk.stands_as_asked(calendar, booking)? {
                    continue;
                }
                let id = desk.intend(operation)?;
                let (platform, once) = (parts.platform, once(Choice::PutBack, key));
                let sent =
                    parts.writer.send(parts, || platform.withdraw_proposal(booking, proposal, &once)).await;
                done.extend(sent.as_ref().ok().map(|()| (booking.clone(), key.clone())));
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::CancelBooking { calendar, booking, key } => {
                let id = desk.intend(operation)?;
                let (platform, once) = (parts.platform, once(Choice::Cancel, key));
                let sent = parts.writer.send(parts, || platform.cancel_booking(booking, REASON, &once)).await;
                done.extend(sent.as_ref().ok().map(|()| (booking.clone(), key.clone())));
                desk.settle(id, (calendar, booking, key), sent, report)?;
            }
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => {}
        }
    }
    Ok((!plan.answers.is_empty()).then_some(done))
}

/// Takes back the room that was made for moves which never came to be, and which she does not ask for any more.
///
/// # Errors
/// When the mirror cannot be written.
pub async fn give_up(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    plan: &Plan,
    is_known: &(dyn Fn(&BookingId) -> bool + Sync),
) -> Result<(), MirrorError> {
    let desk = Desk { parts, run, world };
    for (id, operation) in &world.unsettled {
        let Operation::MoveBooking { calendar, booking, to, .. } = operation else { continue };
        let is_asked = plan.answers.iter().any(|answer| is_same(operation, answer));
        let Some(vendor) = world.vendor.as_ref().filter(|_| !is_asked && is_known(booking)) else { continue };
        let mine = slot_id(&vendor.id, calendar, *to);
        let Parts { platform, clock, policy, .. } = parts;
        // Where nobody can say what stands, the next run looks again.
        let Ok(standing) = with_retry(*clock, &policy.retry, || platform.slots(*to)).await else { continue };
        let is_gone = match standing.iter().find(|slot| slot.id == mine && slot.span == *to) {
            Some(room) => desk.take_back(calendar, room).await?,
            None => true,
        };
        if is_gone {
            parts.mirror.settle(*id, &interrupted(), desk.now())?;
        }
    }
    Ok(())
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
        let id = self.parts.mirror.intend(self.run, operation, self.now())?;
        self.parts.mirror.attempted(id, self.now())?;
        // An earlier try of the same answer no longer matters: this one has the same key.
        interrupt(self.parts, self.world, |open| is_same(open, operation))?;
        Ok(id)
    }

    /// Whether some other booking is there, as far as is known: only the platform's own rules would keep the two apart.
    fn is_taken(&self, booking: &BookingId, to: Interval) -> bool {
        let others = self.world.bookings.values().filter(|other| other.id != *booking);
        Booked::of(others, self.now()).lies_over(to)
    }

    /// Whether the event of a booking is where its customer is asked to come, after this run's writes.
    fn stands_as_asked(&self, calendar: &CalendarId, booking: &BookingId) -> Result<bool, MirrorError> {
        let world = self.parts.mirror.world()?;
        let asked = world.bookings.get(booking).and_then(|row| row.proposal.asked());
        let mapping = world.mappings.get(&(booking.clone(), calendar.clone()));
        let event = mapping.and_then(|mapping| world.events.get(calendar)?.get(&mapping.event));
        Ok(asked.is_some() && event.and_then(times) == asked.map(|to| (to.start(), to.end())))
    }

    /// A slot of exactly these times, open: what is open across it gives way, since a booking will lie there, and so does
    /// the booking's own where the two overlap: the platform lets no booking go whose slot another one lies over.
    /// Answers with the slot, if this or an earlier try made it for that.
    async fn make_room(
        &self,
        calendar: &CalendarId,
        booking: &BookingId,
        to: Interval,
    ) -> Result<Result<Option<Slot>, ServiceError>, MirrorError> {
        let Parts { platform, clock, policy, .. } = self.parts;
        let moved = self.world.bookings.get(booking);
        let own = moved.and_then(|moved| Interval::new(moved.start, moved.end));
        if own == Some(to) {
            return Ok(Ok(None));
        }
        if self.is_taken(booking, to) {
            return Ok(Err(rejected(TAKEN)));
        }
        let standing = match with_retry(*clock, &policy.retry, || platform.slots(to)).await {
            Ok(standing) => standing,
            Err(error) => return Ok(Err(error)),
        };
        let Some(vendor) = &self.world.vendor else { return Ok(Ok(None)) };
        let mine = slot_id(&vendor.id, calendar, to);
        if let Some(exact) = standing.iter().find(|slot| slot.span == to) {
            let opened = self.open(calendar, exact, own, &standing).await?;
            return Ok(opened.map(|open| (exact.id == mine).then(|| Slot { open, ..exact.clone() })));
        }
        for slot in standing.iter().filter(|slot| slot.open || Some(slot.span) == own) {
            match self.remove(calendar, slot).await? {
                Ok(()) | Err(ServiceError::Gone { .. }) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        let slot = Slot { id: mine, span: to, open: true };
        let operation = Operation::MakeSlots { source: calendar.clone(), slots: vec![slot.clone()] };
        let id = self.intend(&operation)?;
        let slots = std::slice::from_ref(&slot);
        let made = self.parts.writer.send(self.parts, || platform.create_slots(slots)).await;
        let made = made.map(|made| made.into_iter().next().unwrap_or(SlotMade::Overlaps));
        let error = match made {
            Ok(SlotMade::Stands) => {
                // Once the booking is there, it may be cancelled or move on, and the platform opens the slot for anybody.
                let rows = vec![left_over(calendar, &slot, self.now())];
                self.parts.mirror.settle(id, &Settled::SlotsMade { rows }, self.now())?;
                return Ok(Ok(Some(slot)));
            }
            Ok(SlotMade::Taken) => {
                self.parts.mirror.settle(id, &interrupted(), self.now())?;
                return Ok(Ok(None));
            }
            Ok(SlotMade::Overlaps) => rejected("another slot stands across this time"),
            Ok(SlotMade::Refused(error)) | Err(error) => error,
        };
        if !error.outcome_unknown() {
            self.parts.mirror.settle(id, &failed(&error), self.now())?;
        }
        Ok(Err(error))
    }

    /// Opens the slot that the booking is to go to, if it was we who closed it: because of this very event, perhaps.
    /// Answers whether it is open.
    async fn open(
        &self,
        calendar: &CalendarId,
        slot: &Slot,
        own: Option<Interval>,
        standing: &[Slot],
    ) -> Result<Result<bool, ServiceError>, MirrorError> {
        if slot.open || !self.world.closed_slots.contains_key(&slot.id) {
            return Ok(Ok(slot.open));
        }
        let of_the_booking = |other: &&Slot| Some(other.span) == own && other.span.overlaps(&slot.span);
        for other in standing.iter().filter(of_the_booking) {
            match self.remove(calendar, other).await? {
                Ok(()) | Err(ServiceError::Gone { .. }) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        closing::open_for(self.parts, self.run, slot).await
    }

    /// Answers whether nobody can book it any more, or it is remembered until nobody can.
    async fn take_back(&self, calendar: &CalendarId, slot: &Slot) -> Result<bool, MirrorError> {
        if !slot.open {
            // Somebody may have it. Under busy time it opens again one day, if nobody has.
            let is_over = slot.span.end() <= self.now() || is_booked(self.world, slot.span);
            return Ok(is_over || self.is_remembered(slot)?);
        }
        let removed = self.remove(calendar, slot).await?;
        if let Err(error) = &removed {
            tracing::warn!(code = %error.code(), "a slot that was made for a move could not be taken back");
        }
        Ok(matches!(removed, Ok(()) | Err(ServiceError::Gone { .. })) || self.is_remembered(slot)?)
    }

    fn is_remembered(&self, slot: &Slot) -> Result<bool, MirrorError> {
        Ok(is_remembered(&self.parts.mirror.world()?, slot))
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
            Err(error) => {
                if !error.outcome_unknown() {
                    self.parts.mirror.settle(id, &failed(&error), self.now())?;
                }
                self.refused(calendar, booking, key, &error, report)
            }
        }
    }

    /// It cannot be done as she decided, now or at all: then she is asked again, with both times blocked as before.
    fn refused(
        &self,
        calendar: &CalendarId,
        booking: &BookingId,
        key: &str,
        error: &ServiceError,
        report: &mut Report,
    ) -> Result<(), MirrorError> {
        if !error.may_pass() && !error.is_fenced() {
            self.parts.mirror.take_back_answer(key)?;
        }
        tell(calendar, booking, error, report);
        Ok(())
    }
}

/// The key under which the platform carries this answer out once. It keeps keys for a day, and the same question may come
/// again within it and be answered otherwise: after the customer was asked for another time, say, and the booking cancelled
/// and confirmed again.
fn once(choice: Choice, card: &str) -> String {
    format!("{}-{card}", choice.as_str())
}

fn rejected(reason: &str) -> ServiceError {
    ServiceError::Rejected { service: "bookiji".to_owned(), reason: reason.to_owned() }
}

fn is_booked(world: &World, span: Interval) -> bool {
    world.bookings.values().any(|row| (row.start, row.end) == (span.start(), span.end()))
}

fn is_same(open: &Operation, operation: &Operation) -> bool {
    use Operation::{CancelBooking, MoveBooking, ProposeMove, WithdrawProposal};
    match (open, operation) {
        (MoveBooking { key: a, .. }, MoveBooking { key: b, .. })
        | (ProposeMove { key: a, .. }, ProposeMove { key: b, .. })
        | (WithdrawProposal { key: a, .. }, WithdrawProposal { key: b, .. })
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
