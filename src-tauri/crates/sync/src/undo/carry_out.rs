//! Takes back a run as planned, by the same intent, attempt and echo as every write, so that taking back can itself be
//! taken back, and a crash in between is healed by the next sync.

use std::collections::BTreeSet;

use calendar::interval::Interval;

use super::{Seen, Step, Undo, Why, plan};
use crate::apply::{Ended, concerns_account, send};
use crate::decide::says_held;
use crate::error::{MirrorError, ServiceError};
use crate::ids::{CalendarId, ConnectionId, RunId};
use crate::import::{ImportedSlot, SlotState};
use crate::journal::JournalEntry;
use crate::lease::writer::Turn;
use crate::observe::{KnownBookings, Observed, read_bookings};
use crate::plan::SourceBusy;
use crate::ports::{Slot, SlotMade};
use crate::report::{ErrorReport, KeptReport, OperationReport, Report, UndoReport};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::slots::{self, Taken};
use crate::world::{Mapping, Operation, OperationId, Settled, SyncProblem, World};

/// Takes back what the run `of` wrote, where the world as it was just observed still stands as that run left it.
///
/// # Errors
/// When the mirror cannot be read or written: nothing more is sent then.
pub async fn carry_out(
    parts: &Parts<'_>,
    run: &RunId,
    of: &RunId,
    sources: &[SourceBusy],
    observed: &Observed,
    report: &mut Report,
) -> Result<(), MirrorError> {
    let entries = parts.mirror.journal(of)?;
    let standing = standing_slots(parts, &entries, report).await?;
    let world = parts.mirror.world()?;
    let now = parts.clock.now();
    let seen = Seen {
        world: &world,
        slots: standing.as_deref(),
        taken: &Taken::of(&world, sources, now),
        is_current: &|calendar, booking| observed.is_current(calendar) && observed.bookings.contains(booking),
        now,
    };
    let Undo { steps, kept } = plan(&entries, &seen);
    let kept = kept.into_iter().map(|kept| KeptReport {
        operation: OperationReport::of(kept.of, &kept.operation),
        reason: kept.why.words().to_owned(),
        why: Some(kept.why),
    });
    let told = UndoReport { of: of.clone(), undone: 0, kept: kept.collect(), held: Vec::new() };
    let mut work = Work { parts, run, world: &world, stopped: BTreeSet::new(), told, report };
    let may_write = steps.is_empty() || parts.writer.turn(parts).await? != Turn::StandBy;
    parts.progress.plans(steps.len());
    for step in &steps {
        if !may_write || parts.writer.is_stopped() {
            work.keep(step, Why::AnotherWrites);
            continue;
        }
        work.take(step).await?;
        parts.progress.has_written();
    }
    work.report.undo = Some(work.told);
    Ok(())
}

/// The platform's slots around those that the run made or removed. Asks nothing if there are none.
async fn standing_slots(
    parts: &Parts<'_>,
    entries: &[JournalEntry],
    report: &mut Report,
) -> Result<Option<Vec<Slot>>, MirrorError> {
    let touched = |entry: &JournalEntry| match &entry.operation {
        Operation::MakeSlots { slots, .. } => slots.clone(),
        Operation::RemoveSlot { slot, .. } => vec![slot.clone()],
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
        | Operation::PublishBusy { .. } => Vec::new(),
    };
    let touched: Vec<Slot> = entries.iter().flat_map(touched).collect();
    let first = touched.iter().map(|slot| slot.span.start()).min();
    let last = touched.iter().map(|slot| slot.span.end()).max();
    let Some(window) = first.zip(last).and_then(|(first, last)| Interval::new(first, last)) else {
        return Ok(None);
    };
    let standing = match with_retry(parts.clock, &parts.policy.retry, || parts.platform.slots(window)).await {
        Ok(standing) => standing,
        Err(error) => {
            report.errors.push(ErrorReport::of(&error, "bookiji"));
            return Ok(None);
        }
    };
    // After the slots, so that every slot that was a customer's by then is known as hers.
    Ok(match read_bookings(parts, &parts.mirror.world()?, report).await? {
        KnownBookings::All => Some(standing),
        KnownBookings::None | KnownBookings::Only(_) => None,
    })
}

struct Work<'a, 'p> {
    parts: &'a Parts<'p>,
    run: &'a RunId,
    world: &'a World,
    /// Accounts that refused everything: nothing more is asked of them.
    stopped: BTreeSet<ConnectionId>,
    told: UndoReport,
    report: &'a mut Report,
}

impl Work<'_, '_> {
    async fn take(&mut self, step: &Step) -> Result<(), MirrorError> {
        match &step.write {
            Operation::CreateEvent { .. } | Operation::UpdateEvent { .. } | Operation::RemoveEvent { .. } => {
                self.event(step).await
            }
            Operation::MakeSlots { source, slots } => {
                for slot in slots {
                    self.make(step, source, slot).await?;
                }
                Ok(())
            }
            Operation::RemoveSlot { source, slot } => self.remove(step, source, slot).await,
            // No plan holds one: see `Why::FollowsHerCalendars`, `Why::CustomerWasTold` and `Why::CalendarStays`.
            Operation::PublishBusy { .. }
            | Operation::MoveBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::CancelBooking { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => Ok(()),
        }
    }

    async fn event(&mut self, step: &Step) -> Result<(), MirrorError> {
        let linked = step.write.calendar().and_then(|id| self.world.calendars.get(id));
        let account = linked.and_then(|linked| self.parts.accounts.get(&linked.connection));
        let (Some(linked), Some(account), Some(booking)) = (linked, account, step.write.booking()) else {
            self.keep(step, Why::Unlinked);
            return Ok(());
        };
        if self.stopped.contains(&linked.connection) {
            self.keep(step, Why::Refused);
            return Ok(());
        }
        let mapping = self.world.mappings.get(&(booking.clone(), linked.id.clone()));
        let (id, ended) =
            send(self.parts, self.run, &step.write, None, linked, account.as_ref(), mapping).await?;
        match ended {
            Ended::Done(settled) => {
                self.parts.mirror.settle(id, &settled, self.parts.clock.now())?;
                self.told.undone += 1;
                if mapping_of(&settled).is_some_and(says_held) {
                    self.told.held.push(booking.clone());
                }
            }
            Ended::Again { problem } => {
                self.fail(id, problem)?;
                self.keep(step, Why::Touched);
            }
            Ended::Failed { error } => {
                self.fail(id, SyncProblem::from(&error))?;
                if concerns_account(&error) {
                    self.stopped.insert(linked.connection.clone());
                }
                self.refused(step, &error);
            }
            // It stays open in the journal, and the next sync looks.
            Ended::Open { error } => {
                self.stopped.insert(linked.connection.clone());
                self.refused(step, &error);
            }
        }
        Ok(())
    }

    /// An imported free time whose slot was taken back is left alone, as if she had chosen so.
    async fn remove(&mut self, step: &Step, source: &CalendarId, slot: &Slot) -> Result<(), MirrorError> {
        let world = self.parts.mirror.world()?;
        let stood_for =
            |row: &&ImportedSlot| row.calendar == *source && row.made.iter().any(|made| made.id == slot.id);
        let row = world.imported_slots.values().find(stood_for).map(|row| ImportedSlot {
            state: SlotState::Left,
            choice: world.choices.get(&(row.calendar.clone(), row.uid.clone())).copied(),
            decided_at: self.parts.clock.now(),
            ..slots::without_slot(row, slot)
        });
        let done = Settled::SlotRemoved { rows: row.into_iter().collect(), forgotten: Vec::new() };
        match slots::remove(self.parts, self.run, source, slot, &done).await? {
            Ok(()) => self.told.undone += 1,
            Err(ServiceError::Stale { .. }) => self.keep(step, Why::SlotIsClosed),
            Err(error) => self.refused(step, &error),
        }
        Ok(())
    }

    /// The free time that the slot stood for has it again, if that is still known.
    async fn make(&mut self, step: &Step, source: &CalendarId, slot: &Slot) -> Result<(), MirrorError> {
        let slots = std::slice::from_ref(slot);
        let (id, answers) = slots::make(self.parts, self.run, source.clone(), slots).await?;
        match answers.map(|answers| answers.into_iter().next()) {
            Ok(Some(SlotMade::Stands)) => {
                let world = self.parts.mirror.world()?;
                let stood_for = |row: &&ImportedSlot| {
                    row.calendar == *source
                        && row.state == SlotState::Left
                        && row.span.start() <= slot.span.start()
                        && slot.span.end() <= row.span.end()
                };
                let row = world.imported_slots.values().find(stood_for).map(|row| ImportedSlot {
                    state: SlotState::Made,
                    made: row.made.iter().chain([slot]).cloned().collect(),
                    ..row.clone()
                });
                let settled = Settled::SlotsMade { rows: row.into_iter().collect() };
                self.parts.mirror.settle(id, &settled, self.parts.clock.now())?;
                self.told.undone += 1;
            }
            Ok(Some(SlotMade::Taken | SlotMade::Overlaps) | None) => {
                let error = ServiceError::Exists { service: "bookiji".to_owned() };
                self.fail(id, SyncProblem::from(&error))?;
                self.keep(step, Why::TimeIsTaken);
            }
            Ok(Some(SlotMade::Refused(error))) | Err(error) => {
                slots::fail(self.parts, id, &error)?;
                self.refused(step, &error);
            }
        }
        Ok(())
    }

    fn fail(&self, id: OperationId, problem: SyncProblem) -> Result<(), MirrorError> {
        let now = self.parts.clock.now();
        self.parts.mirror.settle(id, &Settled::Failed { problem, mapping: None }, now)
    }

    fn refused(&mut self, step: &Step, error: &ServiceError) {
        let linked = step.write.calendar().and_then(|id| self.world.calendars.get(id));
        let connection = linked.and_then(|linked| self.world.connections.get(&linked.connection));
        let at = match step.write.booking() {
            Some(_) => connection.map_or("calendar", |connection| connection.service.as_str()),
            None => "bookiji",
        };
        self.report.errors.push(ErrorReport {
            calendar: step.write.calendar().cloned(),
            booking: step.write.booking().cloned(),
            ..ErrorReport::of(error, at)
        });
        let why = if error.is_fenced() { Why::AnotherWrites } else { Why::Refused };
        self.keep_saying(step, why, error.to_string());
    }

    fn keep(&mut self, step: &Step, why: Why) {
        self.keep_saying(step, why, why.words().to_owned());
    }

    fn keep_saying(&mut self, step: &Step, why: Why, reason: String) {
        let operation = OperationReport::of(step.of, &step.taken_back);
        self.told.kept.push(KeptReport { operation, reason, why: Some(why) });
    }
}

fn mapping_of(settled: &Settled) -> Option<&Mapping> {
    match settled {
        Settled::Stored { mapping, .. } | Settled::Removed { mapping } => Some(mapping),
        Settled::BookingChanged
        | Settled::SecondRemoved { .. }
        | Settled::Published(_)
        | Settled::Withdrawn { .. }
        | Settled::SlotsMade { .. }
        | Settled::SlotRemoved { .. }
        | Settled::SlotsSwitched { .. }
        | Settled::CalendarMade
        | Settled::CalendarRemoved
        | Settled::Failed { .. } => None,
    }
}
