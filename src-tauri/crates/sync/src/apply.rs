//! Performs a plan, one action at a time: write the intent, send with its precondition, write down what the service
//! echoed. A write whose outcome is unknown is probed before it is sent again. One bad item stops one item.

mod together;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::booking::{Draft, event_id};
use crate::decide::says;
use crate::error::{Code, MirrorError, ServiceError};
use crate::ids::{BookingId, CalendarId, ConnectionId, ETag, RemoteId, RunId};
use crate::news::News;
use crate::observe::Observed;
use crate::plan::{Plan, found, removed, stored};
use crate::ports::{Account, Calendar, Probe, RemoteEvent};
use crate::report::{BookingsReport, ErrorReport, Report, SlotsReport};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{
    Choice, Given, LinkedCalendar, Mapping, MappingState, Operation, OperationId, PublishedBusy, Settled,
    SyncProblem, World,
};

use together::Ahead;
pub(crate) use together::First;

/// What a run has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub bookings: BookingsReport,
    pub published: BTreeSet<CalendarId>,
    pub slots: SlotsReport,
    /// Events that were removed and that she had not let go.
    pub removed: usize,
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
            // Slots are counted where they are settled; of a booking its event is, once it follows.
            Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. }
            | Operation::MoveBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::CancelBooking { .. } => {}
        }
    }

    /// Nothing in this run has shown yet that it would be refused.
    fn may_try(&self, connection: &ConnectionId, calendar: &CalendarId, booking: &BookingId) -> bool {
        !self.stopped.contains(connection) && !self.failed.contains(&(calendar.clone(), booking.0.clone()))
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
    let mut ahead = Ahead::default();
    parts.progress.plans(plan.writes.len());
    for (at, operation) in plan.writes.iter().enumerate() {
        if !parts.writer.is_stopped() {
            ahead.send(parts, run, world, &plan.writes[at..], applied).await?;
        }
        let first = ahead.take(operation);
        // What was sent has its answer, whoever writes now.
        if parts.writer.is_stopped() && first.is_none() {
            continue;
        }
        again |= write(parts, run, world, operation, first, applied, report).await?;
        parts.progress.has_written();
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

/// Whether she decided that the event of this booking goes.
fn was_let_go(world: &World, booking: &BookingId) -> bool {
    world.answers.values().any(|answer| {
        let is_hers = answer.booking.as_ref() == Some(booking) && answer.given != Given::TakenBack;
        is_hers && answer.choice == Choice::Remove
    })
}

async fn write(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    operation: &Operation,
    first: Option<First>,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<bool, MirrorError> {
    let (calendar_id, booking) = match operation {
        Operation::CreateEvent { calendar, draft } | Operation::UpdateEvent { calendar, draft, .. } => {
            (calendar, &draft.booking)
        }
        Operation::RemoveEvent { calendar, booking, .. } => (calendar, booking),
        Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => {
            return Ok(false);
        }
    };
    let Some(linked) = world.calendars.get(calendar_id) else { return Ok(false) };
    let Some(account) = parts.accounts.get(&linked.connection) else { return Ok(false) };
    let key = (calendar_id.clone(), booking.0.clone());
    let first = match first {
        first if applied.may_try(&linked.connection, calendar_id, booking) => first,
        // It was sent with one that showed only now that nothing more is to be asked of this account.
        Some(First { answer: Err(error), operation, .. }) => return leave(parts, operation, &error),
        Some(first) => Some(first),
        None => return Ok(false),
    };
    let mapping = world.mappings.get(&(booking.clone(), calendar_id.clone()));
    let (id, ended) = send(parts, run, operation, first, linked, account.as_ref(), mapping).await?;
    let now = parts.clock.now();
    let settles = !matches!(ended, Ended::Open { .. });
    match ended {
        Ended::Done(settled) => {
            parts.mirror.settle(id, &settled, now)?;
            applied.count(operation);
            let is_removal = matches!(operation, Operation::RemoveEvent { .. });
            applied.removed += usize::from(is_removal && !was_let_go(world, booking));
            Ok(match &settled {
                Settled::Stored { mapping, event } => {
                    !fits(mapping, event) || leads_to_more(world, operation)
                }
                // The time it took up is free, and the one that stays is known for the booking's again.
                Settled::SecondRemoved { .. } => true,
                Settled::Removed { .. }
                | Settled::BookingChanged
                | Settled::Published(_)
                | Settled::Withdrawn { .. }
                | Settled::SlotsMade { .. }
                | Settled::SlotRemoved { .. }
                | Settled::SlotsSwitched { .. }
                | Settled::CalendarMade
                | Settled::CalendarRemoved
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
        // An earlier try may have been done: the next reading tells.
        Ended::Open { error } if error.is_fenced() => Ok(false),
        Ended::Failed { error } | Ended::Open { error } => {
            let problem = SyncProblem::from(&error);
            let mapping = failed_mapping(operation, mapping, &problem, now);
            if settles {
                let mapping = mapping.map(Box::new);
                parts.mirror.settle(id, &Settled::Failed { problem, mapping }, now)?;
            } else if let Some(mapping) = mapping {
                parts.mirror.put_mapping(&mapping)?;
            }
            report.errors.push(ErrorReport {
                connection: Some(linked.connection.clone()),
                calendar: Some(calendar_id.clone()),
                booking: Some(booking.clone()),
                ..ErrorReport::of(
                    &error,
                    world.connections.get(&linked.connection).map_or("calendar", |c| c.service.as_str()),
                )
            });
            applied.failed.insert(key);
            let refused_all = matches!(
                (operation, &error),
                (Operation::CreateEvent { .. }, ServiceError::Forbidden { .. })
            );
            if refused_all || concerns_account(&error) {
                applied.stopped.insert(linked.connection.clone());
            }
            Ok(false)
        }
    }
}

/// What nobody can say of stays open in the journal; what is known not to be done is planned again in the next run.
fn leave(parts: &Parts<'_>, operation: OperationId, error: &ServiceError) -> Result<bool, MirrorError> {
    if !error.outcome_unknown() && !matches!(error, ServiceError::Exists { .. }) {
        let settled = Settled::Failed { problem: SyncProblem::from(error), mapping: None };
        parts.mirror.settle(operation, &settled, parts.clock.now())?;
    }
    Ok(false)
}

/// Writes down what is intended with an event and does it, unless it was done already and has its first answer. How it
/// ended is still to be settled.
pub(crate) async fn send(
    parts: &Parts<'_>,
    run: &RunId,
    operation: &Operation,
    first: Option<First>,
    linked: &LinkedCalendar,
    account: &dyn Account,
    mapping: Option<&Mapping>,
) -> Result<(OperationId, Ended), MirrorError> {
    let calendar = account.calendar(&linked.remote);
    let (id, first) = match first {
        Some(First { operation, answer, came }) => (operation, Some((came, answer))),
        None => (parts.mirror.intend(run, operation, parts.clock.now())?, None),
    };
    let sender = Sender { parts, operation: id, calendar: calendar.as_ref(), linked, mapping };
    let ended = match operation {
        Operation::CreateEvent { draft, .. } => sender.create(draft, first).await?,
        Operation::UpdateEvent { event, base, draft, .. } => sender.update(event, base, draft).await?,
        Operation::RemoveEvent { event, base, remember, .. } => {
            sender.remove(event, base, remember.as_ref()).await?
        }
        Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => {
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

/// Whether an answer of hers can be carried out now that could not before: one about words that stayed hers while the
/// event went back to its time, or one about a customer who waits and whose booking had no event.
fn leads_to_more(world: &World, operation: &Operation) -> bool {
    if let Operation::CreateEvent { draft, .. } = operation {
        let booking = world.bookings.get(&draft.booking);
        return booking.is_some_and(|booking| booking.proposal.waiting().is_some());
    }
    matches!(operation, Operation::UpdateEvent { draft, .. } if draft.times_only)
}

/// What one event's failure says about the account's other events: they would fail alike.
pub(crate) fn concerns_account(error: &ServiceError) -> bool {
    match error {
        ServiceError::SignInExpired { .. }
        | ServiceError::NotLinked { .. }
        | ServiceError::SwitchedOff { .. }
        | ServiceError::OtherContract { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::Failing { retry_after: Some(_), .. }
        | ServiceError::Unreachable { .. }
        | ServiceError::VaultUnavailable { .. }
        | ServiceError::Gone { .. } => true,
        ServiceError::Forbidden { .. }
        | ServiceError::Stale { .. }
        | ServiceError::Exists { .. }
        | ServiceError::Rejected { .. }
        | ServiceError::Failing { retry_after: None, .. }
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
    now: Timestamp,
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

impl Sender<'_> {
    /// With `first`, it was sent once already, and this is the answer.
    async fn create(
        &self,
        draft: &Draft,
        mut first: Option<(Timestamp, Result<RemoteEvent, ServiceError>)>,
    ) -> Result<Ended, MirrorError> {
        let mut draft = draft.clone();
        for _ in 0..GENERATIONS {
            let first = first.take();
            let sent =
                self.send_on(first, || self.calendar.create(&draft), || self.calendar.find(&draft)).await?;
            let error = match sent {
                Sent::Done(event) => return Ok(Ended::Done(self.stored(&draft, &event))),
                Sent::Found(event) => return Ok(self.found(&draft, event)),
                Sent::NotThere(error) if !self.is_used_up(&draft, &error) => error,
                Sent::Failed(error) => error,
                Sent::Open(error) => return Ok(Ended::Open { error }),
                Sent::Burnt | Sent::NotThere(_) => {
                    // Another life of the same booking: the old id can never be used again.
                    draft.generation += 1;
                    draft.id = event_id(&draft.booking, &self.linked.remote, draft.generation);
                    continue;
                }
            };
            return Ok(Ended::Failed { error });
        }
        let reason = format!("{GENERATIONS} event ids in a row were used up");
        Ok(Ended::Failed { error: ServiceError::Rejected { service: "calendar".to_owned(), reason } })
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
    async fn send<T, F, A, G, L>(&self, attempt: A, look: L) -> Result<Sent<T>, MirrorError>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, ServiceError>>,
        L: FnMut() -> G,
        G: Future<Output = Result<Probe, ServiceError>>,
    {
        self.send_on(None, attempt, look).await
    }

    /// As [`Sender::send`], of a write that was sent once already where there is a first answer.
    async fn send_on<T, F, A, G, L>(
        &self,
        mut first: Option<(Timestamp, Result<T, ServiceError>)>,
        mut attempt: A,
        mut look: L,
    ) -> Result<Sent<T>, MirrorError>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, ServiceError>>,
        L: FnMut() -> G,
        G: Future<Output = Result<Probe, ServiceError>>,
    {
        let Parts { clock, policy, .. } = self.parts;
        let mut failed = 0;
        // Whether an earlier try may have been done: then no later refusal settles the write.
        let mut in_doubt = false;
        let fails = |in_doubt, error| if in_doubt { Sent::Open(error) } else { Sent::Failed(error) };
        loop {
            let (came, answer) = match first.take() {
                Some(answer) => answer,
                None => {
                    // The service itself would take it from either computer: there, keys and etags protect.
                    if let Err(error) = self.parts.writer.admit(self.parts).await {
                        return Ok(fails(in_doubt, error));
                    }
                    self.parts.mirror.attempted(self.operation, clock.now())?;
                    let answer = attempt().await;
                    (clock.now(), answer)
                }
            };
            let error = match answer {
                Ok(value) => return Ok(Sent::Done(value)),
                Err(error) => error,
            };
            failed += 1;
            let open = error.outcome_unknown()
                || matches!(
                    error,
                    ServiceError::Exists { .. } | ServiceError::Stale { .. } | ServiceError::Gone { .. }
                );
            let wait = || {
                let wait = error
                    .may_pass()
                    .then(|| policy.retry.wait_after(failed, error.retry_after(), clock.jitter()));
                let passed = Duration::try_from(clock.now().duration_since(came)).unwrap_or_default();
                wait.flatten().map(|wait| wait.saturating_sub(passed))
            };
            // To look is to ask too: where it wants to be left alone, that comes first.
            let looks_later = open && error.retry_after().is_some();
            if looks_later {
                match wait() {
                    Some(wait) => clock.wait(wait).await,
                    None => return Ok(Sent::Open(error)),
                }
            }
            if open {
                match with_retry(*clock, &policy.retry, &mut look).await {
                    Ok(Probe::Burnt) => return Ok(Sent::Burnt),
                    Ok(Probe::Live(event)) if !error.outcome_unknown() || self.is_news(&event) => {
                        return Ok(Sent::Found(event));
                    }
                    // Nothing happened: the write may be sent again.
                    Ok(Probe::Live(_)) if error.outcome_unknown() => in_doubt = false,
                    // Or it is out of sight, and what was done with it.
                    Ok(Probe::Absent) if error.outcome_unknown() => in_doubt = true,
                    Ok(Probe::Live(_) | Probe::Absent) if in_doubt => return Ok(Sent::Open(error)),
                    Ok(Probe::Live(_) | Probe::Absent) => return Ok(Sent::NotThere(error)),
                    Err(_) if error.outcome_unknown() => return Ok(Sent::Open(error)),
                    Err(error) => return Ok(fails(in_doubt, error)),
                }
            }
            if looks_later {
                continue;
            }
            match wait() {
                Some(wait) => clock.wait(wait).await,
                None => return Ok(fails(in_doubt, error)),
            }
        }
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
    /// Not confirmed, and asking did not tell either.
    Open(ServiceError),
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
    now: Timestamp,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, calendar, draft, event, moved, row};
    use crate::world::Answer;

    fn answer(booking: &str, choice: Choice, given: Given) -> Answer {
        Answer {
            booking: Some(booking.into()),
            calendar: calendar(),
            topic: "event".to_owned(),
            card: "card".to_owned(),
            choice,
            given,
            at: at(0),
        }
    }

    #[test]
    fn an_event_was_let_go_by_an_answer_that_counts_and_is_about_it() {
        for (answer, expected) in [
            (answer("b", Choice::Remove, Given::ByHer), true),
            (answer("b", Choice::Remove, Given::Standing), true),
            (answer("b", Choice::Remove, Given::TakenBack), false),
            (answer("b", Choice::Leave, Given::ByHer), false),
            (answer("other", Choice::Remove, Given::ByHer), false),
        ] {
            let world = World { answers: [(answer.card.clone(), answer.clone())].into(), ..World::default() };
            assert_eq!(was_let_go(&world, &"b".into()), expected, "{answer:?}");
        }
        assert!(!was_let_go(&World::default(), &"b".into()));
    }

    #[test]
    fn a_row_fits_the_event_that_it_echoes() {
        let ours = event(&draft(1), "1");
        assert!(fits(&row(&ours), &ours));
        assert!(!fits(&row(&ours), &moved(&ours, 5)));
    }

    #[test]
    fn a_change_that_failed_keeps_the_row_that_was_and_says_why() {
        let ours = event(&draft(1), "1");
        let problem = SyncProblem::from(&ServiceError::Stale { service: "fake".to_owned() });
        let update = Operation::UpdateEvent {
            calendar: calendar(),
            event: ours.id.clone(),
            base: ours.etag.clone(),
            draft: draft(2),
            before: Box::new(ours.clone()),
        };
        let before = row(&ours);
        let expected = Mapping {
            state: MappingState::Error,
            error: Some(problem.clone()),
            updated_at: at(0),
            ..before.clone()
        };
        assert_eq!(failed_mapping(&update, Some(&before), &problem, at(0)), Some(expected));
        assert_eq!(failed_mapping(&update, None, &problem, at(0)), None);
    }

    #[test]
    fn a_create_that_failed_leaves_a_row_without_an_echo_as_old_as_the_one_before() {
        let ours = event(&draft(1), "1");
        let problem = SyncProblem::from(&ServiceError::Stale { service: "fake".to_owned() });
        let create = Operation::CreateEvent { calendar: calendar(), draft: draft(2) };
        let before = row(&ours);
        let after = failed_mapping(&create, Some(&before), &problem, at(0)).unwrap();
        assert_eq!((after.echo, after.written, after.etag), (None, None, None));
        assert_eq!((after.state, after.created_at), (MappingState::Error, before.created_at));
        assert_eq!(after.last_synced_at, before.last_synced_at);
        let first = failed_mapping(&create, None, &problem, at(0)).unwrap();
        assert_eq!((first.created_at, first.last_synced_at), (at(0), None));
    }
}
