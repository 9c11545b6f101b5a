//! Closes and opens slots as planned. A row of the mirror says what is intended before it is tried, and what a lost answer
//! left open is read off the slots themselves by the next look.

use std::sync::atomic::{AtomicBool, Ordering};

use calendar::interval::{Interval, union};
use jiff::{SignedDuration, Timestamp};

use super::{Booked, ClosedSlot, ClosedState, Closing, plan, told};
use crate::error::{MirrorError, ServiceError};
use crate::ids::RunId;
use crate::lease::writer::Turn;
use crate::observe::{KnownBookings, read_bookings};
use crate::plan::SourceBusy;
use crate::ports::Slot;
use crate::recover::interrupted;
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::slots::fail;
use crate::world::{Operation, Settled, World};

/// Slots that are closed or opened with one request.
const AT_ONCE: usize = 100;

/// Makes bookable slots and busy time agree, where the platform leaves that to us. Where nothing was ever told and
/// nothing closed, nothing is asked.
///
/// # Errors
/// When the mirror cannot be read or written: nothing more is sent then.
pub async fn settle(parts: &Parts<'_>, run: &RunId, report: &mut Report) -> Result<(), MirrorError> {
    // What another computer switched meanwhile is looked at first.
    while look_and_switch(parts, run, report).await? == Turn::PlanAgain {}
    Ok(())
}

/// Counts what a run would close and open now, were it to tell what `sources` block.
///
/// # Errors
/// When the mirror cannot be read.
pub async fn preview(
    parts: &Parts<'_>,
    sources: &[SourceBusy],
    report: &mut Report,
) -> Result<(), MirrorError> {
    let world = parts.mirror.world()?;
    let sets = sources.iter().filter_map(|source| source.set.as_ref());
    let busy = union(sets.flat_map(|set| set.intervals.iter().copied()).collect());
    let now = parts.clock.now();
    let Some(seen) = look(parts, &world, &busy, now, report).await else { return Ok(()) };
    let closing = seen.decide(&world, &busy, now);
    report.busy.slots_closed = closing.close.len();
    report.busy.slots_reopened = closing.open.len();
    Ok(())
}

/// The slots that stand, and whether busy time is ours to close them under.
struct Seen {
    standing: Vec<Slot>,
    window: Interval,
    closes: bool,
}

impl Seen {
    fn decide(&self, world: &World, busy: &[Interval], now: Timestamp) -> Closing {
        let booked = Booked::of(world.bookings.values(), now);
        plan(&world.closed_slots, busy, &booked, &self.standing, self.window, now, self.closes)
    }
}

/// Nothing where there is nothing to see, or where that cannot be seen: why is in the report.
async fn look(
    parts: &Parts<'_>,
    world: &World,
    busy: &[Interval],
    now: Timestamp,
    report: &mut Report,
) -> Option<Seen> {
    let Parts { platform, clock, policy, .. } = parts;
    let window = reach(world, busy, now)?;
    let seen = match with_retry(*clock, &policy.retry, || platform.closes_slots()).await {
        // What we closed while it left that to us is still ours to open.
        Ok(true) if world.closed_slots.is_empty() => return None,
        Ok(by_itself) => with_retry(*clock, &policy.retry, || platform.slots(window))
            .await
            .map(|standing| Seen { standing, window, closes: !by_itself }),
        Err(error) => Err(error),
    };
    seen.map_err(|error| report.errors.push(ErrorReport::of(&error, "bookiji"))).ok()
}

async fn look_and_switch(parts: &Parts<'_>, run: &RunId, report: &mut Report) -> Result<Turn, MirrorError> {
    let done = Ok(Turn::Write);
    let world = parts.mirror.world()?;
    let is_in_doubt =
        |slot: &Slot| world.closed_slots.get(&slot.id).is_some_and(|row| row.state != ClosedState::Closed);
    conclude(parts, &world, &[], |slots| !slots.iter().any(is_in_doubt))?;
    let busy = told(&world);
    let now = parts.clock.now();
    let Some(seen) = look(parts, &world, &busy, now, report).await else { return done };
    conclude(parts, &world, &seen.standing, |slots| slots.iter().any(is_in_doubt))?;
    let mut closing = seen.decide(&world, &busy, now);
    let in_doubt = world.closed_slots.values().any(|row| row.state != ClosedState::Closed);
    if !closing.open.is_empty() || in_doubt {
        // After the slots, so that every slot that was a customer's by then is known as hers.
        match read_bookings(parts, &world, report).await? {
            KnownBookings::All => closing = seen.decide(&parts.mirror.world()?, &busy, now),
            KnownBookings::None | KnownBookings::Only(_) => {
                closing = Closing { close: closing.close, ..Closing::default() };
            }
        }
    }
    if closing.is_empty() {
        return done;
    }
    let writes = !closing.close.is_empty() || !closing.open.is_empty();
    if writes {
        match parts.writer.turn(parts).await? {
            Turn::Write => {}
            turn @ (Turn::PlanAgain | Turn::StandBy) => return Ok(turn),
        }
    }
    parts.mirror.put_closed_slots(&closing.known, &closing.forgotten)?;
    for (slots, open) in [(&closing.close, false), (&closing.open, true)] {
        for some in slots.chunks(AT_ONCE) {
            match switch(parts, run, some, open).await? {
                Ok(count) if open => report.busy.slots_reopened += count,
                Ok(count) => report.busy.slots_closed += count,
                Err(error) => report.errors.push(ErrorReport::of(&error, "bookiji")),
            }
        }
    }
    done
}

/// Opens one slot that we closed, because a booking is to go there now. Answers whether it is open; where the booking
/// does not come after all, the next look closes it again.
///
/// # Errors
/// When the mirror cannot be read or written.
pub(crate) async fn open_for(
    parts: &Parts<'_>,
    run: &RunId,
    slot: &Slot,
) -> Result<Result<bool, ServiceError>, MirrorError> {
    let switched = switch(parts, run, std::slice::from_ref(slot), true).await?;
    Ok(switched.map(|count| count == 1))
}

/// From now to the end of what is known to be busy or closed by us; nothing where that is nothing.
fn reach(world: &World, busy: &[Interval], now: Timestamp) -> Option<Interval> {
    let closed = world.closed_slots.values().map(|row| row.span.end());
    let end = busy.iter().map(|interval| interval.end()).chain(closed).max()?;
    // A row that is all past is still to be forgotten.
    let soon = now.checked_add(SignedDuration::from_secs(1)).ok()?;
    Interval::new(now, end.max(soon))
}

/// Closes in the journal what a crash or a lost answer left open there, by what stands now. What follows from it is
/// planned by the rows, which remember meanwhile.
fn conclude(
    parts: &Parts<'_>,
    world: &World,
    standing: &[Slot],
    is_known: impl Fn(&[Slot]) -> bool,
) -> Result<(), MirrorError> {
    for (id, operation) in &world.unsettled {
        let Operation::SwitchSlots { open, slots } = operation else { continue };
        if !is_known(slots) {
            continue;
        }
        let is_done = |slot: &Slot| standing.iter().any(|there| there.id == slot.id && there.open == *open);
        let settled = if slots.iter().all(is_done) {
            Settled::SlotsSwitched { rows: Vec::new(), forgotten: Vec::new() }
        } else {
            interrupted()
        };
        parts.mirror.settle(*id, &settled, parts.clock.now())?;
    }
    Ok(())
}

/// Switches slots that stand as they were seen, and answers how many were.
async fn switch(
    parts: &Parts<'_>,
    run: &RunId,
    slots: &[Slot],
    open: bool,
) -> Result<Result<usize, ServiceError>, MirrorError> {
    let now = parts.clock.now();
    let row = |slot: &Slot, state| ClosedSlot { id: slot.id.clone(), span: slot.span, state, at: now };
    let state = if open { ClosedState::Opening } else { ClosedState::Closing };
    let intended: Vec<ClosedSlot> = slots.iter().map(|slot| row(slot, state)).collect();
    parts.mirror.put_closed_slots(&intended, &[])?;
    let id = parts.mirror.intend(run, &Operation::SwitchSlots { open, slots: slots.to_vec() }, now)?;
    parts.mirror.attempted(id, now)?;
    // What a try switched whose answer was lost, the next one does not tell.
    let is_lost = AtomicBool::new(false);
    let attempt = || async {
        let switched = parts.platform.switch_slots(slots, open).await;
        is_lost.fetch_or(switched.as_ref().is_err_and(ServiceError::outcome_unknown), Ordering::Relaxed);
        switched
    };
    let switched = match parts.writer.send(parts, attempt).await {
        Ok(switched) => switched,
        Err(error) => {
            if !error.outcome_unknown() {
                // None was: what was to be closed is not ours, and what was to be opened still is.
                undone(parts, slots, open, now)?;
            }
            fail(parts, id, &error)?;
            return Ok(Err(error));
        }
    };
    let (done, left): (Vec<&Slot>, Vec<&Slot>) = slots.iter().partition(|slot| switched.contains(&slot.id));
    let (rows, forgotten) = if open {
        // One that would not open waits for the next look, which sees why.
        (
            left.into_iter().map(|slot| row(slot, ClosedState::Closed)).collect(),
            done.iter().map(|s| s.id.clone()).collect(),
        )
    } else {
        // One that was no longer open is whoever's closed it. Where that may have been we, the next look sees it closed.
        let is_lost = is_lost.load(Ordering::Relaxed);
        (
            done.iter().map(|slot| row(slot, ClosedState::Closed)).collect::<Vec<_>>(),
            left.into_iter().filter(|_| !is_lost).map(|s| s.id.clone()).collect::<Vec<_>>(),
        )
    };
    let count = done.len();
    parts.mirror.settle(id, &Settled::SlotsSwitched { rows, forgotten }, parts.clock.now())?;
    Ok(Ok(count))
}

fn undone(parts: &Parts<'_>, slots: &[Slot], open: bool, now: Timestamp) -> Result<(), MirrorError> {
    if open {
        let row = |slot: &Slot| ClosedSlot {
            id: slot.id.clone(),
            span: slot.span,
            state: ClosedState::Closed,
            at: now,
        };
        let rows: Vec<ClosedSlot> = slots.iter().map(row).collect();
        parts.mirror.put_closed_slots(&rows, &[])
    } else {
        let ids: Vec<_> = slots.iter().map(|slot| slot.id.clone()).collect();
        parts.mirror.put_closed_slots(&[], &ids)
    }
}
