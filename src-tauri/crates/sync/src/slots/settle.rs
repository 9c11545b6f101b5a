//! Makes and takes back slots as planned, each write in the journal before it is tried. What a crash left open there
//! is settled here too, since only the platform's slots can tell how it ended.

use std::collections::BTreeSet;

use calendar::interval::Interval;
use jiff::Timestamp;

use super::{AGAIN, Decided, SlotPlan, Taken, Wanted};
use super::{needs_look, passed, plan, reach, rooms, slot_id, wanted};
use crate::apply::Applied;
use crate::error::{MirrorError, ServiceError};
use crate::ids::{CalendarId, RunId};
use crate::import::{ImportedSlot, SlotState};
use crate::lease::writer::Turn;
use crate::observe::{KnownBookings, read_bookings};
use crate::plan::SourceBusy;
use crate::ports::{Slot, SlotMade};
use crate::recover::interrupted;
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{Operation, OperationId, Settled, SyncProblem, World};

/// Slots that are made with one request.
const AT_ONCE: usize = 100;

/// Brings the platform's slots in line with the free times of imported files. Where nothing changed, nothing is asked.
///
/// # Errors
/// When the mirror cannot be read or written: nothing more is sent then.
pub async fn settle(
    parts: &Parts<'_>,
    run: &RunId,
    sources: &[SourceBusy],
    dry_run: bool,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<(), MirrorError> {
    // What another computer made or removed meanwhile is looked at first.
    while look_and_make(parts, run, sources, dry_run, applied, report).await? == Turn::PlanAgain {}
    Ok(())
}

async fn look_and_make(
    parts: &Parts<'_>,
    run: &RunId,
    sources: &[SourceBusy],
    dry_run: bool,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<Turn, MirrorError> {
    let done = Ok(Turn::Write);
    let world = parts.mirror.world()?;
    let now = parts.clock.now();
    let wanted_now = wanted(&world, now, &parts.policy);
    let looks_for_rooms = !dry_run && rooms::are_to_be_looked_for(&world);
    let needs_look = needs_look(&world, &Taken::of(&world, sources, now), &wanted_now, now, &parts.policy);
    if !needs_look && !looks_for_rooms {
        let passed = passed(&world, &wanted_now, now);
        if !passed.is_empty() && !dry_run {
            parts.mirror.put_imported_slots(&[], &passed)?;
        }
        return done;
    }
    let window = reach(&world, now, &parts.policy);
    let standing = match with_retry(parts.clock, &parts.policy.retry, || parts.platform.slots(window)).await {
        Ok(standing) => standing,
        // The next run looks for rooms again; nothing waits for them.
        Err(error) => {
            report.errors.extend(needs_look.then(|| ErrorReport::of(&error, "bookiji")));
            return done;
        }
    };
    if looks_for_rooms {
        rooms::remember(parts, &world, &standing, now)?;
    }
    // After the slots, so that every slot that was a customer's by then is known as hers.
    match read_bookings(parts, &world, report).await? {
        KnownBookings::All => {}
        KnownBookings::None | KnownBookings::Only(_) => return done,
    }
    let mut work = Work { parts, run, now: parts.clock.now(), failed: Vec::new(), applied, report };
    let world = if dry_run { parts.mirror.world()? } else { work.remember(&standing, &wanted_now)? };
    let taken = Taken::of(&world, sources, work.now);
    let plan = plan(&world, &taken, &wanted_now, &standing, work.now, &parts.policy);
    if dry_run {
        work.count_planned(&plan);
        return done;
    }
    let writes = !plan.take_back.is_empty()
        || plan.decided.iter().any(|decided| !(decided.make.is_empty() && decided.remove.is_empty()));
    if writes {
        match parts.writer.turn(parts).await? {
            Turn::Write => {}
            turn @ (Turn::PlanAgain | Turn::StandBy) => return Ok(turn),
        }
    }
    work.carry_out(&world, plan).await?;
    done
}

struct Work<'a, 'p> {
    parts: &'a Parts<'p>,
    run: &'a RunId,
    now: Timestamp,
    /// Where a slot could not be removed: nothing is made over it.
    failed: Vec<Interval>,
    applied: &'a mut Applied,
    report: &'a mut Report,
}

impl Work<'_, '_> {
    /// Settles what a crash left open: slots that stand after all are remembered as ours, so that they are taken back
    /// if nobody wants them any more. The rest is decided anew.
    fn remember(&self, standing: &[Slot], wanted: &[Wanted]) -> Result<World, MirrorError> {
        let world = self.parts.mirror.world()?;
        let Some(vendor) = world.vendor.as_ref().map(|vendor| vendor.id.clone()) else { return Ok(world) };
        let ids: BTreeSet<_> = standing.iter().map(|slot| &slot.id).collect();
        let mut open = false;
        for (id, operation) in &world.unsettled {
            match operation {
                Operation::MakeSlots { source, slots } => {
                    let rows: Vec<ImportedSlot> = slots
                        .iter()
                        .filter(|slot| ids.contains(&slot.id) && !is_remembered(&world, slot))
                        .filter(|slot| slot.id == slot_id(&vendor, source, slot.span))
                        .map(|slot| left_over(source, slot, self.now))
                        // A time that is wanted still finds its slots by their ids.
                        .filter(|row| !wanted.iter().any(|wanted| wanted.span.overlaps(&row.span)))
                        .collect();
                    self.parts.mirror.put_imported_slots(&rows, &[])?;
                    self.parts.mirror.settle(*id, &interrupted(), self.now)?;
                    open = true;
                }
                Operation::RemoveSlot { .. } => {
                    self.parts.mirror.settle(*id, &interrupted(), self.now)?;
                    open = true;
                }
                Operation::CreateEvent { .. }
                | Operation::UpdateEvent { .. }
                | Operation::RemoveEvent { .. }
                | Operation::MoveBooking { .. }
                | Operation::ProposeMove { .. }
                | Operation::WithdrawProposal { .. }
                | Operation::CancelBooking { .. }
                | Operation::SwitchSlots { .. }
                | Operation::MakeCalendar { .. }
                | Operation::RemoveCalendar { .. }
                | Operation::PublishBusy { .. } => {}
            }
        }
        if open { self.parts.mirror.world() } else { Ok(world) }
    }

    fn count_planned(&mut self, plan: &SlotPlan) {
        self.applied.slots.removed += plan.take_back.len();
        for decided in &plan.decided {
            self.applied.slots.removed += decided.remove.len();
            self.applied.slots.created += decided.make.len();
        }
    }

    async fn carry_out(&mut self, world: &World, plan: SlotPlan) -> Result<(), MirrorError> {
        let mut rows = world.imported_slots.clone();
        for (key, slot) in &plan.take_back {
            let left = rows.get(key).map(|row| without(row, slot)).filter(|row| !row.made.is_empty());
            let settled = match &left {
                Some(row) => Settled::SlotRemoved { rows: vec![row.clone()], forgotten: Vec::new() },
                None => Settled::SlotRemoved { rows: Vec::new(), forgotten: vec![key.clone()] },
            };
            if self.remove(&key.0, slot, &settled).await? {
                rows.remove(key);
                rows.extend(left.map(|row| (key.clone(), row)));
            }
        }
        let nothing = Settled::SlotRemoved { rows: Vec::new(), forgotten: Vec::new() };
        for decided in &plan.decided {
            for slot in &decided.remove {
                self.remove(&decided.row.calendar, slot, &nothing).await?;
            }
        }
        let stays_free = |decided: &Decided, failed: &[Interval]| {
            !decided.make.iter().any(|slot| failed.iter().any(|failed| failed.overlaps(&slot.span)))
        };
        let (quiet, made): (Vec<Decided>, Vec<Decided>) = plan
            .decided
            .into_iter()
            .filter(|decided| stays_free(decided, &self.failed))
            .partition(|decided| decided.make.is_empty());
        let mut batch: Vec<Decided> = Vec::new();
        for decided in made {
            batch.push(decided);
            if batch.iter().map(|decided| decided.make.len()).sum::<usize>() >= AT_ONCE {
                self.make(std::mem::take(&mut batch)).await?;
            }
        }
        self.make(batch).await?;
        let rows: Vec<ImportedSlot> = quiet.into_iter().map(|decided| decided.row).collect();
        if !rows.is_empty() || !plan.forgotten.is_empty() {
            self.parts.mirror.put_imported_slots(&rows, &plan.forgotten)?;
        }
        Ok(())
    }

    /// Removes a slot that was open a moment ago, and answers whether it is gone. Sending it twice does no harm.
    async fn remove(
        &mut self,
        source: &CalendarId,
        slot: &Slot,
        done: &Settled,
    ) -> Result<bool, MirrorError> {
        match remove(self.parts, self.run, source, slot, done).await? {
            Ok(()) => {
                self.applied.slots.removed += 1;
                Ok(true)
            }
            Err(error) => {
                self.failed.push(slot.span);
                // Closed meanwhile, perhaps booked: decided anew with the next look.
                if !matches!(error, ServiceError::Stale { .. }) {
                    self.report.errors.push(ErrorReport::of(&error, "bookiji"));
                }
                Ok(false)
            }
        }
    }

    async fn make(&mut self, batch: Vec<Decided>) -> Result<(), MirrorError> {
        let Some(source) = batch.first().map(|decided| decided.row.calendar.clone()) else { return Ok(()) };
        let slots: Vec<Slot> = batch.iter().flat_map(|decided| decided.make.iter().cloned()).collect();
        let (id, answers) = make(self.parts, self.run, source, &slots).await?;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                self.report.errors.push(ErrorReport::of(&error, "bookiji"));
                return fail(self.parts, id, &error);
            }
        };
        let mut answers = answers.into_iter();
        let mut rows = Vec::new();
        for decided in batch {
            let answers: Vec<SlotMade> = answers.by_ref().take(decided.make.len()).collect();
            rows.push(self.answered(decided, answers));
        }
        let now = self.parts.clock.now();
        self.parts.mirror.settle(id, &Settled::SlotsMade { rows }, now)
    }

    /// The row of one free time after the platform answered. What it did not make is looked at again.
    fn answered(&mut self, decided: Decided, answers: Vec<SlotMade>) -> ImportedSlot {
        let mut row = decided.row;
        for (slot, answer) in decided.make.iter().zip(answers) {
            match answer {
                SlotMade::Stands => {
                    self.applied.slots.created += 1;
                    continue;
                }
                SlotMade::Taken | SlotMade::Overlaps => {}
                SlotMade::Refused(error) => {
                    self.report.errors.push(ErrorReport::of(&error, "bookiji"));
                }
            }
            row.made.retain(|made| made.id != slot.id);
            row.state = SlotState::Blocked;
            AGAIN.clone_into(&mut row.under);
        }
        row
    }
}

/// Removes one open slot, with `done` as what follows. Sending it twice does no harm.
pub(crate) async fn remove(
    parts: &Parts<'_>,
    run: &RunId,
    source: &CalendarId,
    slot: &Slot,
    done: &Settled,
) -> Result<Result<(), ServiceError>, MirrorError> {
    let Parts { mirror, platform, clock, writer, .. } = parts;
    let operation = Operation::RemoveSlot { source: source.clone(), slot: slot.clone() };
    let id = mirror.intend(run, &operation, clock.now())?;
    mirror.attempted(id, clock.now())?;
    match writer.send(parts, || platform.remove_slot(slot)).await {
        Ok(()) | Err(ServiceError::Gone { .. }) => {
            mirror.settle(id, done, clock.now())?;
            Ok(Ok(()))
        }
        Err(error) => {
            fail(parts, id, &error)?;
            Ok(Err(error))
        }
    }
}

/// Makes slots with one request, and answers for each of them. How it ended is still to be settled.
pub(crate) async fn make(
    parts: &Parts<'_>,
    run: &RunId,
    source: CalendarId,
    slots: &[Slot],
) -> Result<(OperationId, Result<Vec<SlotMade>, ServiceError>), MirrorError> {
    let Parts { mirror, platform, clock, writer, .. } = parts;
    let operation = Operation::MakeSlots { source, slots: slots.to_vec() };
    let id = mirror.intend(run, &operation, clock.now())?;
    mirror.attempted(id, clock.now())?;
    let answers = writer.send(parts, || platform.create_slots(slots)).await;
    Ok((
        id,
        answers.and_then(|answers| {
            if answers.len() == slots.len() {
                return Ok(answers);
            }
            let reason = "it answered for another number of slots than were sent".to_owned();
            Err(ServiceError::Garbled { service: "bookiji".to_owned(), reason })
        }),
    ))
}

/// Settles what was refused. What nobody knows the outcome of stays open.
pub(crate) fn fail(parts: &Parts<'_>, id: OperationId, error: &ServiceError) -> Result<(), MirrorError> {
    if !error.outcome_unknown() {
        let settled = Settled::Failed { problem: SyncProblem::from(error), mapping: None };
        parts.mirror.settle(id, &settled, parts.clock.now())?;
    }
    Ok(())
}

/// Whether a row speaks of it, which is looked after in every run.
pub(crate) fn is_remembered(world: &World, slot: &Slot) -> bool {
    world.imported_slots.values().flat_map(|row| &row.made).any(|made| made.id == slot.id)
}

pub(crate) fn without(row: &ImportedSlot, slot: &Slot) -> ImportedSlot {
    let made = row.made.iter().filter(|made| made.id != slot.id).cloned().collect();
    ImportedSlot { made, ..row.clone() }
}

/// A slot of ours that no free time asks for: open, it is taken back.
pub(crate) fn left_over(source: &CalendarId, slot: &Slot, now: Timestamp) -> ImportedSlot {
    ImportedSlot {
        calendar: source.clone(),
        span: slot.span,
        part: None,
        uid: calendar::event::Uid::default(),
        summary: String::new(),
        state: SlotState::Blocked,
        made: vec![Slot { open: true, ..slot.clone() }],
        choice: None,
        under: AGAIN.to_owned(),
        conflicts: Vec::new(),
        decided_at: now,
    }
}
