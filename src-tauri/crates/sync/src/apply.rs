//! Performs a plan, one action at a time: write the intent, send with its precondition, write down what the service
//! echoed. A write whose outcome is unknown is probed before it is sent again. One bad item stops one item.

mod creates;

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::booking::{Draft, event_id};
use crate::decide::says;
use crate::error::{Code, MirrorError, ServiceError};
use crate::ids::{CalendarId, ConnectionId, ETag, RemoteId, RunId, Service};
use crate::news::News;
use crate::observe::Observed;
use crate::plan::{Plan, found, removed, stored};
use crate::ports::{Account, Calendar, Probe, RemoteEvent};
use crate::report::{BookingsReport, ErrorReport, Report, SlotsReport};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{
    LinkedCalendar, Mapping, MappingState, Operation, OperationId, PublishedBusy, Settled, SyncProblem, World,
};

/// What a run has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub bookings: BookingsReport,
    pub published: BTreeSet<CalendarId>,
    pub slots: SlotsReport,
    /// Accounts that refused everything: nothing more is asked of them in this run.
    stopped: BTreeSet<ConnectionId>,
    failed: BTreeSet<(CalendarId, String)>,
}

impl Applied {
    /// Counts a dry run as if everything had gone well.
    pub fn count_planned(&mut self, plan: &Plan) {
        for operation in plan.writes.iter().chain(&plan.publish) {
            self.count(operation);
        }
    }

    pub(crate) fn count(&mut self, operation: &Operation) {
        match operation {
            Operation::CreateEvent { .. } => self.bookings.created += 1,
            Operation::UpdateEvent { .. } => self.bookings.updated += 1,
            Operation::RemoveEvent { .. } => self.bookings.removed += 1,
            Operation::PublishBusy { set, .. } => {
                self.published.insert(set.source.clone());
            }
            Operation::MakeSlots { slots, .. } => self.slots.created += slots.len(),
            Operation::RemoveSlot { .. } => self.slots.removed += 1,
            // Its event is counted, once it follows.
            Operation::MoveBooking { .. } | Operation::CancelBooking { .. } => {}
        }
    }
}

/// How one write ended.
pub(crate) enum Ended {
    Done(Settled),
    /// A newer version stands there: the mirror has it now, and planning must look again.
    Again {
        problem: SyncProblem,
    },
    Failed {
        error: ServiceError,
    },
    /// Nobody can say whether it was done. It stays open in the journal and the next run looks.
    Open {
        error: ServiceError,
    },
}

/// Performs the plan's writes to her calendars. Answers whether something must be planned again.
///
/// # Errors
/// When the mirror cannot be written: nothing more is sent then.
pub async fn apply(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    plan: &Plan,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<bool, MirrorError> {
    let mut again = false;
    for note in &plan.notes {
        parts.mirror.put_mapping(note)?;
        again = true;
    }
    let mut writing = Writing { parts, run, world, applied, report };
    for step in creates::together(&plan.writes, |calendar| writing.creates_at_once(calendar)) {
        if parts.writer.is_stopped() {
            break;
        }
        again |= match step.as_slice() {
            [only] => writing.write(only).await?,
            several => writing.create_together(several).await?,
        };
    }
    Ok(again)
}

/// Tells the platform her busy time. Comes after the writes, since what they meet there can change what blocks.
///
/// # Errors
/// When the mirror cannot be written: nothing more is sent then.
pub async fn publish(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    plan: &Plan,
    observed: &Observed,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<(), MirrorError> {
    for operation in &plan.publish {
        if report.is_switched_off() || parts.writer.is_stopped() {
            break;
        }
        publish_one(parts, run, world, operation, observed, applied, report).await?;
    }
    Ok(())
}

/// What the writes of one round share.
struct Writing<'a, 'r> {
    parts: &'a Parts<'a>,
    run: &'a RunId,
    world: &'a World,
    applied: &'r mut Applied,
    report: &'r mut Report,
}

impl<'a> Writing<'a, '_> {
    async fn write(&mut self, operation: &Operation) -> Result<bool, MirrorError> {
        let Some(way) = self.way_to(operation) else { return Ok(false) };
        let (id, ended) = send(self.parts, self.run, operation, way.linked, way.account, way.mapping).await?;
        self.conclude(operation, &way, id, ended)
    }

    /// Where an event of a booking is written; nothing where it cannot be in this run.
    fn way_to(&self, operation: &Operation) -> Option<Way<'a>> {
        let (calendar, booking) = match operation {
            Operation::CreateEvent { calendar, draft } | Operation::UpdateEvent { calendar, draft, .. } => {
                (calendar, &draft.booking)
            }
            Operation::RemoveEvent { calendar, booking, .. } => (calendar, booking),
            Operation::MoveBooking { .. }
            | Operation::CancelBooking { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. } => return None,
        };
        let linked = self.world.calendars.get(calendar)?;
        let account = self.parts.accounts.get(&linked.connection)?.as_ref();
        let key = (calendar.clone(), booking.0.clone());
        if self.applied.stopped.contains(&linked.connection) || self.applied.failed.contains(&key) {
            return None;
        }
        let mapping = self.world.mappings.get(&(booking.clone(), calendar.clone()));
        Some(Way { linked, account, mapping, key })
    }

    /// Writes down how a write ended. Answers whether something must be planned again.
    fn conclude(
        &mut self,
        operation: &Operation,
        way: &Way<'_>,
        id: OperationId,
        ended: Ended,
    ) -> Result<bool, MirrorError> {
        let parts = self.parts;
        let now = parts.clock.now();
        let settles = !matches!(ended, Ended::Open { .. });
        match ended {
            Ended::Done(settled) => {
                parts.mirror.settle(id, &settled, now)?;
                self.applied.count(operation);
                Ok(match &settled {
                    Settled::Stored { mapping, event } => !fits(mapping, event),
                    // The time it took up is free, and the one that stays is known for the booking's again.
                    Settled::SecondRemoved { .. } => true,
                    Settled::Removed { .. }
                    | Settled::BookingChanged
                    | Settled::Published(_)
                    | Settled::Withdrawn { .. }
                    | Settled::SlotsMade { .. }
                    | Settled::SlotRemoved { .. }
                    | Settled::Failed { .. } => false,
                })
            }
            Ended::Again { problem } => {
                parts.mirror.settle(id, &Settled::Failed { problem, mapping: None }, now)?;
                Ok(true)
            }
            // Nothing is wrong with it: it is planned again when this computer writes again.
            Ended::Failed { error } if error.is_fenced() => {
                let problem = SyncProblem::from(&error);
                parts.mirror.settle(id, &Settled::Failed { problem, mapping: None }, now)?;
                Ok(false)
            }
            Ended::Failed { error } | Ended::Open { error } => {
                let problem = SyncProblem::from(&error);
                let mapping = failed_mapping(operation, way.mapping, &problem, now);
                if settles {
                    let mapping = mapping.map(Box::new);
                    parts.mirror.settle(id, &Settled::Failed { problem, mapping }, now)?;
                } else if let Some(mapping) = mapping {
                    parts.mirror.put_mapping(&mapping)?;
                }
                self.applied.failed.insert(way.key.clone());
                let connection = &way.linked.connection;
                // Others of the same request were refused alike: that is told once.
                if self.applied.stopped.contains(connection) && stops_account(operation, &error) {
                    return Ok(false);
                }
                let service = self.world.connections.get(connection).map(|connection| connection.service);
                self.report.errors.push(ErrorReport {
                    connection: Some(connection.clone()),
                    calendar: Some(way.linked.id.clone()),
                    booking: operation.booking().cloned(),
                    ..ErrorReport::of(&error, service.map_or("calendar", Service::as_str))
                });
                if stops_account(operation, &error) {
                    self.applied.stopped.insert(connection.clone());
                }
                Ok(false)
            }
        }
    }
}

/// Where an event of a booking stands, or is to stand.
struct Way<'a> {
    linked: &'a LinkedCalendar,
    account: &'a dyn Account,
    mapping: Option<&'a Mapping>,
    key: (CalendarId, String),
}

/// Whether nothing more is to be asked of the account in this run.
fn stops_account(operation: &Operation, error: &ServiceError) -> bool {
    let refused_all =
        matches!((operation, error), (Operation::CreateEvent { .. }, ServiceError::Forbidden { .. }));
    refused_all || concerns_account(error)
}

/// Writes down what is intended with an event and does it. How it ended is still to be settled.
pub(crate) async fn send(
    parts: &Parts<'_>,
    run: &RunId,
    operation: &Operation,
    linked: &LinkedCalendar,
    account: &dyn Account,
    mapping: Option<&Mapping>,
) -> Result<(OperationId, Ended), MirrorError> {
    let calendar = account.calendar(&linked.remote);
    let id = parts.mirror.intend(run, operation, parts.clock.now())?;
    let sender = Sender { parts, operation: id, calendar: calendar.as_ref(), linked, mapping };
    let ended = match operation {
        Operation::CreateEvent { draft, .. } => sender.create(draft).await?,
        Operation::UpdateEvent { event, base, draft, .. } => sender.update(event, base, draft).await?,
        Operation::RemoveEvent { event, base, remember, .. } => {
            sender.remove(event, base, remember.as_ref()).await?
        }
        Operation::MoveBooking { .. }
        | Operation::CancelBooking { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. } => {
            let reason = "this is no event".to_owned();
            Ended::Failed { error: ServiceError::Rejected { service: "the calendar".to_owned(), reason } }
        }
    };
    Ok((id, ended))
}

/// An adopted event that does not say what its booking says has a question to be asked.
fn fits(mapping: &Mapping, event: &RemoteEvent) -> bool {
    mapping.echo.as_deref() == Some(crate::decide::fingerprint(event).as_str())
}

/// What one event's failure says about the account's other events: they would fail alike.
pub(crate) fn concerns_account(error: &ServiceError) -> bool {
    match error {
        ServiceError::SignInExpired { .. }
        | ServiceError::SwitchedOff { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::Unreachable { .. }
        | ServiceError::VaultUnavailable { .. }
        | ServiceError::Gone { .. } => true,
        ServiceError::Forbidden { .. }
        | ServiceError::Stale { .. }
        | ServiceError::Exists { .. }
        | ServiceError::Rejected { .. }
        | ServiceError::Failing { .. }
        | ServiceError::NotACalendar { .. }
        | ServiceError::Fenced { .. }
        | ServiceError::Garbled { .. } => false,
    }
}

/// What remains for the booking. A create that failed leaves a row without an echo, so that it is tried again
/// whatever its checksum; a failed change keeps the row that was.
fn failed_mapping(
    operation: &Operation,
    mapping: Option<&Mapping>,
    problem: &SyncProblem,
    now: jiff::Timestamp,
) -> Option<Mapping> {
    let error = Some(problem.clone());
    match (operation, mapping) {
        (Operation::CreateEvent { calendar, draft }, _) => Some(Mapping {
            booking: draft.booking.clone(),
            calendar: calendar.clone(),
            vendor: draft.vendor.clone(),
            event: draft.id.clone(),
            generation: draft.generation,
            state: MappingState::Error,
            etag: None,
            written: None,
            echo: None,
            error,
            last_synced_at: mapping.and_then(|mapping| mapping.last_synced_at),
            created_at: mapping.map_or(now, |mapping| mapping.created_at),
            updated_at: now,
        }),
        (_, Some(mapping)) => {
            Some(Mapping { state: MappingState::Error, error, updated_at: now, ..mapping.clone() })
        }
        (_, None) => None,
    }
}

struct Sender<'a> {
    parts: &'a Parts<'a>,
    operation: OperationId,
    calendar: &'a dyn Calendar,
    linked: &'a LinkedCalendar,
    mapping: Option<&'a Mapping>,
}

/// However slow a service is, it shows by then what it has stored.
const SHOWN_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// How many burnt ids are stepped over before giving up.
const GENERATIONS: u32 = 8;

fn used_up() -> ServiceError {
    let reason = format!("{GENERATIONS} event ids in a row were used up");
    ServiceError::Rejected { service: "calendar".to_owned(), reason }
}

impl Sender<'_> {
    async fn create(&self, draft: &Draft) -> Result<Ended, MirrorError> {
        let mut draft = draft.clone();
        for _ in 0..GENERATIONS {
            let sent = self.send(|| self.calendar.create(&draft), || self.calendar.find(&draft)).await?;
            let error = match sent {
                Sent::Done(event) => return Ok(Ended::Done(self.stored(&draft, &event))),
                Sent::Found(event) => return Ok(self.found(&draft, event)),
                Sent::NotThere(error) if !self.is_used_up(&draft, &error) => error,
                Sent::Failed(error) => error,
                Sent::Open(error) => return Ok(Ended::Open { error }),
                Sent::Burnt | Sent::NotThere(_) => {
                    self.live_again(&mut draft);
                    continue;
                }
            };
            return Ok(Ended::Failed { error });
        }
        Ok(Ended::Failed { error: used_up() })
    }

    /// Another life of the same booking: the old id can never be used again.
    fn live_again(&self, draft: &mut Draft) {
        draft.generation += 1;
        draft.id = event_id(&draft.booking, &self.linked.remote, draft.generation);
    }

    /// Whether the service has done a create under this key before and shows nothing that came of it, as it did when we
    /// last asked: then she has deleted it. What was made a moment ago may not be shown yet, so the first time is no proof.
    fn is_used_up(&self, draft: &Draft, error: &ServiceError) -> bool {
        let refused_before = |mapping: &&Mapping| {
            mapping.event == draft.id
                && mapping.error.as_ref().is_some_and(|problem| problem.code == Code::ConflictDetected)
                && mapping.updated_at.saturating_add(SHOWN_AFTER).is_ok_and(|at| at <= self.parts.clock.now())
        };
        matches!(error, ServiceError::Exists { .. }) && self.mapping.filter(refused_before).is_some()
    }

    /// The id was taken. If what stands there is this booking's, it is ours from an earlier life.
    fn found(&self, draft: &Draft, event: RemoteEvent) -> Ended {
        let ours = event.marker.as_ref().is_some_and(|marker| marker.booking == draft.booking);
        if ours || says(&event, draft) {
            let mapping = found(self.linked.id.clone(), draft, &event, self.parts.clock.now());
            Ended::Done(Settled::Stored { mapping: Box::new(self.keep_age(mapping)), event: Box::new(event) })
        } else {
            Ended::Failed { error: ServiceError::Exists { service: "the calendar".to_owned() } }
        }
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<Ended, MirrorError> {
        let sent = self.send(|| self.calendar.update(id, base, draft), || self.calendar.probe(id));
        match sent.await? {
            Sent::Done(event) => Ok(Ended::Done(self.stored(draft, &event))),
            Sent::Found(event) if says(&event, draft) => Ok(Ended::Done(self.stored(draft, &event))),
            Sent::Found(event) => self.look_again(&[event], &[]),
            Sent::Burnt => self.look_again(&[], std::slice::from_ref(id)),
            // Nothing says that it was deleted: its whole calendar may be out of sight. The next reading tells.
            Sent::NotThere(error) | Sent::Failed(error) => Ok(Ended::Failed { error }),
            Sent::Open(error) => Ok(Ended::Open { error }),
        }
    }

    async fn remove(
        &self,
        id: &RemoteId,
        base: &ETag,
        remember: Option<&String>,
    ) -> Result<Ended, MirrorError> {
        match self.send(|| self.calendar.delete(id, base), || self.calendar.probe(id)).await? {
            Sent::Done(()) | Sent::Burnt => {
                let its_own = self.mapping.filter(|mapping| mapping.event == *id);
                let settled = match its_own {
                    Some(mapping) => {
                        let now = self.parts.clock.now();
                        let mapping = Mapping { written: remember.cloned(), ..removed(mapping, now) };
                        Settled::Removed { mapping: Box::new(mapping) }
                    }
                    None => Settled::SecondRemoved { calendar: self.linked.id.clone(), event: id.clone() },
                };
                Ok(Ended::Done(settled))
            }
            Sent::Found(event) => self.look_again(&[event], &[]),
            Sent::NotThere(error) | Sent::Failed(error) => Ok(Ended::Failed { error }),
            Sent::Open(error) => Ok(Ended::Open { error }),
        }
    }

    fn look_again(&self, standing: &[RemoteEvent], deleted: &[RemoteId]) -> Result<Ended, MirrorError> {
        self.parts.mirror.take_events(&self.linked.id, &News::Found { standing, deleted })?;
        let problem = SyncProblem::from(&ServiceError::Stale { service: "the calendar".to_owned() });
        Ok(Ended::Again { problem })
    }

    fn stored(&self, draft: &Draft, event: &RemoteEvent) -> Settled {
        let mapping = stored(self.linked.id.clone(), draft, event, self.parts.clock.now());
        Settled::Stored { mapping: Box::new(self.keep_age(mapping)), event: Box::new(event.clone()) }
    }

    fn keep_age(&self, mapping: Mapping) -> Mapping {
        Mapping { created_at: self.mapping.map_or(mapping.created_at, |old| old.created_at), ..mapping }
    }

    /// Sends a write, and looks for what came of it whenever the answer leaves that open.
    async fn send<T, F, A, G, L>(&self, mut attempt: A, mut look: L) -> Result<Sent<T>, MirrorError>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, ServiceError>>,
        L: FnMut() -> G,
        G: Future<Output = Result<Probe, ServiceError>>,
    {
        let Parts { clock, policy, .. } = self.parts;
        let mut failed = 0;
        loop {
            // The service itself would take it from either computer: there, keys and etags protect. An earlier try
            // of this write is known not to have been done.
            if let Err(error) = self.parts.writer.admit(self.parts).await {
                return Ok(Sent::Failed(error));
            }
            self.parts.mirror.attempted(self.operation, clock.now())?;
            let error = match attempt().await {
                Ok(value) => return Ok(Sent::Done(value)),
                Err(error) => error,
            };
            failed += 1;
            let error = match self.judge(error, &mut look).await {
                Judged::Again(error) => error,
                Judged::Found(event) => return Ok(Sent::Found(event)),
                Judged::Burnt => return Ok(Sent::Burnt),
                Judged::NotThere(error) => return Ok(Sent::NotThere(error)),
                Judged::Failed(error) => return Ok(Sent::Failed(error)),
                Judged::Open(error) => return Ok(Sent::Open(error)),
            };
            match policy.retry.wait_after(failed, error.retry_after(), clock.jitter()) {
                Some(wait) => clock.wait(wait).await,
                None => return Ok(Sent::Failed(error)),
            }
        }
    }

    /// What an answer that confirms nothing comes to, once it is known what came of the write.
    async fn judge<G, L>(&self, error: ServiceError, look: L) -> Judged
    where
        L: FnMut() -> G,
        G: Future<Output = Result<Probe, ServiceError>>,
    {
        let Parts { clock, policy, .. } = self.parts;
        let open = error.outcome_unknown()
            || matches!(
                error,
                ServiceError::Exists { .. } | ServiceError::Stale { .. } | ServiceError::Gone { .. }
            );
        if open {
            match with_retry(*clock, &policy.retry, look).await {
                Ok(Probe::Burnt) => return Judged::Burnt,
                Ok(Probe::Live(event)) if !error.outcome_unknown() || self.is_news(&event) => {
                    return Judged::Found(event);
                }
                // Nothing happened: the write may be sent again.
                Ok(Probe::Live(_) | Probe::Absent) if error.outcome_unknown() => {}
                Ok(Probe::Live(_) | Probe::Absent) => return Judged::NotThere(error),
                Err(_) if error.outcome_unknown() => return Judged::Open(error),
                Err(error) => return Judged::Failed(error),
            }
        }
        if error.may_pass() { Judged::Again(error) } else { Judged::Failed(error) }
    }

    /// Whether the event stands differently from what the mirror knew before the write.
    fn is_news(&self, event: &RemoteEvent) -> bool {
        self.mapping.and_then(|mapping| mapping.etag.as_ref()) != Some(&event.etag)
    }
}

/// What became of a write.
#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
enum Sent<T> {
    Done(T),
    /// Not confirmed, and this stands there now.
    Found(RemoteEvent),
    /// Not confirmed, and the id has been deleted.
    Burnt,
    /// Not confirmed, and there is nothing under the id.
    NotThere(ServiceError),
    Failed(ServiceError),
    /// Not confirmed, and asking failed too.
    Open(ServiceError),
}

/// What becomes of a write that was not confirmed.
#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
enum Judged {
    Found(RemoteEvent),
    Burnt,
    NotThere(ServiceError),
    Failed(ServiceError),
    Open(ServiceError),
    /// It was not done, and may be if it is sent again.
    Again(ServiceError),
}

async fn publish_one(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    operation: &Operation,
    observed: &Observed,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<(), MirrorError> {
    let Operation::PublishBusy { set, .. } = operation else { return Ok(()) };
    let set = not_shrunk_by_half_a_reading(set, world, observed);
    let id = parts.mirror.intend(run, operation, parts.clock.now())?;
    let sent = parts.writer.send(parts, || parts.platform.put_busy(&set)).await;
    let now = parts.clock.now();
    match sent {
        Ok(receipt) => {
            let wanted = world.calendars.get(&set.source).is_some_and(|c| c.role != crate::world::Role::Off);
            let settled = if wanted {
                Settled::Published(Box::new(PublishedBusy { set: set.clone(), at: now }))
            } else {
                Settled::Withdrawn { source: set.source.clone() }
            };
            settle_older(parts, world, &set, now)?;
            parts.mirror.settle(id, &settled, now)?;
            tracing::info!(
                source = %set.source, intervals = set.intervals.len(), closed = receipt.slots_closed,
                reopened = receipt.slots_reopened, conflicts = receipt.conflicts.len(), "busy time published"
            );
            applied.published.insert(set.source.clone());
        }
        Err(error) => {
            if !error.outcome_unknown() {
                let settled = Settled::Failed { problem: SyncProblem::from(&error), mapping: None };
                parts.mirror.settle(id, &settled, now)?;
            }
            report.errors.push(ErrorReport {
                calendar: Some(set.source.clone()),
                ..ErrorReport::of(&error, "bookiji")
            });
        }
    }
    Ok(())
}

/// What this source was sent before, without an answer, no longer matters.
fn settle_older(
    parts: &Parts<'_>,
    world: &World,
    sent: &crate::ports::BusySet,
    now: jiff::Timestamp,
) -> Result<(), MirrorError> {
    for (id, operation) in &world.unsettled {
        if matches!(operation, Operation::PublishBusy { set, .. } if set.source == sent.source) {
            parts.mirror.settle(*id, &crate::recover::interrupted(), now)?;
        }
    }
    Ok(())
}

/// After half a reading only more may be blocked, never less: what the platform has stays, and what was read is added.
fn not_shrunk_by_half_a_reading(
    set: &crate::ports::BusySet,
    world: &World,
    observed: &Observed,
) -> crate::ports::BusySet {
    if observed.is_current(&set.source) || !observed.was_read(&set.source) {
        return set.clone();
    }
    let before = world.published.get(&set.source).map(|published| published.set.intervals.clone());
    let all = set.intervals.iter().copied().chain(before.unwrap_or_default()).collect();
    crate::ports::BusySet::of(set.service, set.source.clone(), set.window, all)
}
