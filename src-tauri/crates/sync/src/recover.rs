//! Settles what a crash left open. Looks at what the calendar shows now; what it cannot tell, planning decides anew,
//! because every write has a key of its own and can be repeated.

use jiff::Timestamp;

use crate::booking::{Booking, BookingStatus, Draft};
use crate::decide::{fingerprint, is_reworded, says, stands_where, times};
use crate::error::{Code, MirrorError};
use crate::plan::{found, removed};
use crate::ports::RemoteEvent;
use crate::run::Parts;
use crate::world::{LinkedCalendar, Mapping, Operation, Role, Settled, SyncProblem, World};

/// How an operation that was intended and never settled has ended, read off a world that was observed since.
///
/// Nothing for busy time, which the platform does not show: it stays in doubt until the source is sent again; so do
/// calendars, until one is found or its account is gone. Slots are
/// settled when the platform is next asked for them: see [`crate::slots`] and [`crate::closing`].
#[must_use]
pub fn conclude(operation: &Operation, world: &World, now: Timestamp) -> Option<Settled> {
    Some(match operation {
        Operation::CreateEvent { calendar, draft } => {
            let mut events = world.events.get(calendar).into_iter().flat_map(|events| events.values());
            let standing = events.find(|event| *event.key() == draft.id);
            let ours = |event: &&RemoteEvent| {
                event.marker.as_ref().is_some_and(|marker| marker.booking == draft.booking)
            };
            match standing.filter(|event| says(event, draft) || ours(event)) {
                // Where she changed it meanwhile, the difference is hers, and asked about.
                Some(event) => Settled::Stored {
                    mapping: Box::new(found(calendar.clone(), draft, event, now)),
                    event: Box::new(event.clone()),
                },
                None => interrupted(),
            }
        }
        Operation::UpdateEvent { calendar, event, draft, before, .. } => {
            let standing = world.events.get(calendar).and_then(|events| events.get(event));
            let mapping = world.mappings.get(&(draft.booking.clone(), calendar.clone()));
            match (standing, mapping) {
                // Where she wrote on it since, the words alone are hers.
                (Some(standing), Some(mapping)) if was_done(standing, draft, before) => {
                    let mapping = Mapping {
                        created_at: mapping.created_at,
                        ..found(calendar.clone(), draft, standing, now)
                    };
                    Settled::Stored { mapping: Box::new(mapping), event: Box::new(standing.clone()) }
                }
                _ => interrupted(),
            }
        }
        Operation::RemoveEvent { calendar, booking, event, remember, .. } => {
            let stands = world.events.get(calendar).is_some_and(|events| events.contains_key(event));
            match world.mappings.get(&(booking.clone(), calendar.clone())) {
                Some(mapping) if !stands && mapping.event == *event => {
                    let mapping = Mapping { written: remember.clone(), ..removed(mapping, now) };
                    Settled::Removed { mapping: Box::new(mapping) }
                }
                Some(_) | None if !stands => {
                    Settled::SecondRemoved { calendar: calendar.clone(), event: event.clone() }
                }
                Some(_) | None => interrupted(),
            }
        }
        Operation::MoveBooking { booking, to, .. } => match world.bookings.get(booking) {
            Some(row) if (row.start, row.end) == (to.start(), to.end()) => Settled::BookingChanged,
            _ => interrupted(),
        },
        Operation::ProposeMove { booking, to, .. } => match world.bookings.get(booking) {
            Some(row) if (row.start, row.end) == (to.start(), to.end()) => Settled::BookingChanged,
            Some(row) if row.proposal.asked() == Some(*to) => Settled::BookingChanged,
            _ => interrupted(),
        },
        Operation::WithdrawProposal { booking, proposal, .. } => {
            let waits = |row: &Booking| row.proposal.waiting().is_some_and(|(id, _)| id == proposal);
            if world.bookings.get(booking).is_some_and(waits) {
                interrupted()
            } else {
                Settled::BookingChanged
            }
        }
        Operation::CancelBooking { booking, .. } => match world.bookings.get(booking) {
            Some(row) if row.status == BookingStatus::Cancelled => Settled::BookingChanged,
            _ => interrupted(),
        },
        Operation::MakeCalendar { connection, .. } => {
            let is_it = |calendar: &LinkedCalendar| {
                calendar.connection == *connection && calendar.role == Role::Target
            };
            match world.connections.get(connection) {
                _ if world.calendars.values().any(is_it) => Settled::CalendarMade,
                None => interrupted(),
                Some(_) => return None,
            }
        }
        Operation::RemoveCalendar { calendar, .. } => {
            if world.calendars.contains_key(calendar) {
                return None;
            }
            interrupted()
        }
        Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. } => return None,
    })
}

/// Whether an event is another than before, and says what was sent or went to where it was sent. Words that were sent stay
/// ours wherever she has put the event since.
fn was_done(standing: &RemoteEvent, draft: &Draft, before: &RemoteEvent) -> bool {
    let has_new_words = !draft.times_only && !is_reworded(standing, draft) && is_reworded(before, draft);
    (says(standing, draft) && fingerprint(standing) != fingerprint(before))
        || (stands_where(standing, draft) && times(standing) != times(before))
        || has_new_words
}

/// An operation that a later one of the same source has made pointless to ask about.
#[must_use]
pub fn interrupted() -> Settled {
    let message = "the app stopped before this was confirmed; it is decided again".to_owned();
    Settled::Failed { problem: SyncProblem { code: Code::Internal, message }, mapping: None }
}

/// Settles every open operation that `is_it`: what came of it does not matter any more.
pub(crate) fn interrupt(
    parts: &Parts<'_>,
    world: &World,
    is_it: impl Fn(&Operation) -> bool,
) -> Result<(), MirrorError> {
    for (id, _) in world.unsettled.iter().filter(|(_, open)| is_it(open)) {
        parts.mirror.settle(*id, &interrupted(), parts.clock.now())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
