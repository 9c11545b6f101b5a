//! One sync: observe, settle what a crash left open, plan, apply, report. Owns the order of things and nothing else.

pub(crate) mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::Applied;
use crate::booking::Booking;
use crate::error::MirrorError;
use crate::ids::{BookingId, CalendarId, ConnectionId, RunId};
use crate::import::SlotState;
use crate::lease::writer::{Turn, Writer};
use crate::observe::{Observed, bookings_for, observe, read_bookings};
use crate::plan::{Plan, plan};
use crate::policy::{Policy, rhythm};
use crate::ports::{Account, Clock, Mirror, Platform};
use crate::progress::Progress;
use crate::report::{BookingsReport, ErrorReport, ReadOutcome, Report, SlotsReport, SourceReport};
use crate::world::{
    Direction, Given, LinkedCalendar, MappingState, Operation, Role, RunRecord, Settled, SyncOutcome, World,
};
use crate::{answers, apply, closing, decisions, recover, slots, standing, switch, target, trouble, undo};

/// Everything a run needs of the world.
pub struct Parts<'a> {
    pub mirror: &'a dyn Mirror,
    pub platform: &'a dyn Platform,
    /// A connection without an account here could not be opened: its calendars are reported as failed.
    pub accounts: &'a BTreeMap<ConnectionId, Box<dyn Account>>,
    pub clock: &'a dyn Clock,
    pub policy: Policy,
    /// Stands before every write.
    pub writer: &'a Writer,
    pub progress: &'a Progress,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub run: RunId,
    pub direction: Direction,
    /// Reads and plans; writes nothing but what was read into the mirror.
    pub dry_run: bool,
}

/// Busy time to Bookiji: the design's `syncFreeBusyToBookiji`.
///
/// # Errors
/// When the mirror cannot be read or written. What services refuse is in the report.
pub async fn sync_free_busy_to_bookiji(parts: &Parts<'_>, run: RunId) -> Result<Report, MirrorError> {
    self::run(parts, &Request { run, direction: Direction::FromCalendar, dry_run: false }).await
}

/// Bookings to her calendar: the design's `syncBookingsToCalendar`.
///
/// # Errors
/// As [`sync_free_busy_to_bookiji`].
pub async fn sync_bookings_to_calendar(parts: &Parts<'_>, run: RunId) -> Result<Report, MirrorError> {
    self::run(parts, &Request { run, direction: Direction::ToCalendar, dry_run: false }).await
}

/// Both: the design's `syncBidirectional`.
///
/// # Errors
/// As [`sync_free_busy_to_bookiji`].
pub async fn sync_bidirectional(parts: &Parts<'_>, run: RunId) -> Result<Report, MirrorError> {
    self::run(parts, &Request { run, direction: Direction::Bidirectional, dry_run: false }).await
}

/// How often a run decides anew after a write met a newer version.
const ROUNDS: usize = 3;

/// Runs one sync.
///
/// # Errors
/// When the mirror cannot be read or written. What services refuse is in the report.
pub async fn run(parts: &Parts<'_>, request: &Request) -> Result<Report, MirrorError> {
    run_among(parts, request, None).await
}

/// Runs one sync that asks only these accounts; what the others hold stands as it was last read.
///
/// # Errors
/// As [`run`].
pub async fn run_for(
    parts: &Parts<'_>,
    request: &Request,
    connections: &BTreeSet<ConnectionId>,
) -> Result<Report, MirrorError> {
    run_among(parts, request, Some(connections)).await
}

async fn run_among(
    parts: &Parts<'_>,
    request: &Request,
    connections: Option<&BTreeSet<ConnectionId>>,
) -> Result<Report, MirrorError> {
    let mut report = Report::new(request.direction, request.dry_run);
    let record = record::begun(&request.run, request.direction, parts.clock.now());
    if !request.dry_run {
        parts.mirror.begin_run(&record)?;
    }

    parts.writer.begin();
    let polled = request.direction == Direction::ToCalendar;
    let before = if polled { Some(parts.mirror.world()?.bookings) } else { None };
    // The platform first: where it has switched syncing off, her calendars are neither asked nor written to.
    let bookings = bookings_for(parts, request.direction, &mut report).await?;
    if report.is_switched_off() {
        let (plan, observed) = (Plan::default(), Observed::default());
        return end(parts, record, None, &plan, &observed, &Applied::default(), report).await;
    }
    let world = parts.mirror.world()?;
    let mut extra = None;
    if request.direction != Direction::FromCalendar {
        extra = target::ensure(parts, &request.run, &world, request.dry_run, &mut report).await?;
    }
    let mut observed = observe(parts, request.direction, connections, bookings, &mut report).await?;
    observed.new.extend(extra.iter().map(|calendar| calendar.id.clone()));
    if !request.dry_run {
        parts.writer.heed(parts.platform, parts.mirror)?;
    }
    settle_open_operations(parts, &observed)?;

    let mut applied = Applied::default();
    if !request.dry_run && switch::is_still_off(parts, request, &observed, &mut applied, &mut report).await? {
        return end(parts, record, None, &Plan::default(), &observed, &applied, report).await;
    }
    let mut unchanged = None;
    let mut last_plan;
    let mut round = 0;
    let mut has_answered = false;
    let mut has_looked = false;
    loop {
        let mut world = world_with(parts, extra.as_ref())?;
        let policy = Policy { removed: applied.removed, ..parts.policy };
        let planned = plan_with_standing(parts, &mut world, &policy, request.dry_run, &mut report)?;
        last_plan = allowed(planned, &world, request.direction, &observed);
        unchanged.get_or_insert(last_plan.unchanged + last_plan.notes.len());
        if request.dry_run {
            applied.count_planned(&last_plan);
            break;
        }
        if writes_anything(&last_plan) {
            match parts.writer.turn(parts).await? {
                Turn::Write => {}
                Turn::PlanAgain => continue,
                Turn::StandBy => write_nothing(&mut last_plan),
            }
        }
        let again = apply::apply(parts, &request.run, &world, &last_plan, &mut applied, &mut report).await?;
        round += 1;
        if again && round < ROUNDS {
            continue;
        }
        // Room under busy time is closed, and then not ours to remove: before the event that was to move blocks its time
        // again, and after one has gone that lay over it.
        let gives_up = !has_answered && request.direction == Direction::Bidirectional;
        if gives_up {
            give_up(parts, &request.run, &last_plan, &observed).await?;
        }
        apply::publish(parts, &request.run, &world, &last_plan, &observed, &mut applied, &mut report).await?;
        if gives_up {
            give_up(parts, &request.run, &last_plan, &observed).await?;
        }
        if std::mem::replace(&mut has_answered, true) {
            break;
        }
        // What she decided, she decided about the booking as it stood: should its customer have changed it meanwhile, she is
        // asked again.
        if !last_plan.answers.is_empty() && !std::mem::replace(&mut has_looked, true) {
            observed.bookings = read_bookings(parts, &world, &mut report).await?;
            (round, has_answered) = (0, false);
            continue;
        }
        let Some(done) = answers::carry_out(parts, &request.run, &world, &last_plan, &mut report).await?
        else {
            break;
        };
        // What follows from it for her calendar is planned like any other change of a booking.
        observed.bookings = read_bookings(parts, &parts.mirror.world()?, &mut report).await?;
        // An answer that was carried out is spent. Should the booking stand as it did all the same, somebody wanted that
        // since, and she is asked again.
        for (_, key) in done.iter().filter(|(booking, _)| observed.bookings.contains(booking)) {
            parts.mirror.take_back_answer(key)?;
        }
        round = 0;
    }

    let slots_may_differ = request.direction != Direction::ToCalendar || has_changed(parts, before.as_ref())?;
    if slots_may_differ && !report.is_switched_off() {
        if request.dry_run {
            closing::preview(parts, &last_plan.sources, &mut report).await?;
        } else {
            closing::settle(parts, &request.run, &mut report).await?;
        }
    }
    // After that, since what opens again may be what nobody wants any more.
    if request.direction != Direction::ToCalendar && !report.is_switched_off() {
        slots::settle(parts, &request.run, &last_plan.sources, request.dry_run, &mut applied, &mut report)
            .await?;
    }

    report.bookings.unchanged = unchanged.unwrap_or_default();
    end(parts, record, extra.as_ref(), &last_plan, &observed, &applied, report).await
}

/// Takes back room that was made for moves which never came to be, if there is any.
async fn give_up(
    parts: &Parts<'_>,
    run: &RunId,
    plan: &Plan,
    observed: &Observed,
) -> Result<(), MirrorError> {
    if parts.writer.is_stopped() {
        return Ok(());
    }
    let world = parts.mirror.world()?;
    let is_known = |booking: &BookingId| observed.bookings.contains(booking);
    answers::give_up(parts, run, &world, plan, &is_known).await
}

/// Takes back what the run `of` wrote, as a run of its own: looks at both sides first, and tells the platform what her
/// calendars block afterwards.
///
/// # Errors
/// As [`run`]. What was kept, and why, is in the report.
pub async fn undo(parts: &Parts<'_>, run: &RunId, of: &RunId) -> Result<Report, MirrorError> {
    let direction = Direction::Bidirectional;
    let mut report = Report::new(direction, false);
    let begun = record::begun(run, direction, parts.clock.now());
    let record = RunRecord { undoes: Some(of.clone()), ..begun };
    parts.mirror.begin_run(&record)?;
    parts.writer.begin();
    let bookings = bookings_for(parts, direction, &mut report).await?;
    if report.is_switched_off() {
        let (plan, observed) = (Plan::default(), Observed::default());
        return end(parts, record, None, &plan, &observed, &Applied::default(), report).await;
    }
    let observed = observe(parts, direction, None, bookings, &mut report).await?;
    parts.writer.heed(parts.platform, parts.mirror)?;
    settle_open_operations(parts, &observed)?;
    let sources = plan(&parts.mirror.world()?, parts.clock.now(), &parts.policy).sources;
    undo::carry_out(parts, run, of, &sources, &observed, &mut report).await?;

    let mut applied = Applied::default();
    let (world, after) = loop {
        let world = parts.mirror.world()?;
        let mut after = allowed(plan(&world, parts.clock.now(), &parts.policy), &world, direction, &observed);
        if !after.publish.is_empty() {
            match parts.writer.turn(parts).await? {
                Turn::Write => {}
                Turn::PlanAgain => continue,
                Turn::StandBy => write_nothing(&mut after),
            }
        }
        break (world, after);
    };
    apply::publish(parts, run, &world, &after, &observed, &mut applied, &mut report).await?;
    closing::settle(parts, run, &mut report).await?;
    report.bookings.unchanged = after.unchanged;
    end(parts, record, None, &after, &observed, &applied, report).await
}

/// Plans, after her standing answers were given to what waits. They are written down like any other, so that each is given
/// once and told once.
fn plan_with_standing(
    parts: &Parts<'_>,
    world: &mut World,
    policy: &Policy,
    dry_run: bool,
    report: &mut Report,
) -> Result<Plan, MirrorError> {
    let now = parts.clock.now();
    let first = plan(world, now, policy);
    let answers = standing::answers(world, &first.cards, policy, now);
    if answers.is_empty() {
        return Ok(first);
    }
    if !dry_run {
        parts.mirror.put_answers(&answers)?;
    }
    for answer in answers {
        let card = first.cards.iter().find(|card| card.id() == answer.card);
        if let Some(card) = card.filter(|_| answer.given == Given::Standing) {
            report.standing.push(decisions::told(world, card, answer.choice));
        }
        world.answers.insert(answer.card.clone(), answer);
    }
    Ok(plan(world, now, policy))
}

/// What the mirror knows, and a calendar that a dry run would make: it is empty, and known to be.
fn world_with(parts: &Parts<'_>, extra: Option<&LinkedCalendar>) -> Result<World, MirrorError> {
    let mut world = parts.mirror.world()?;
    if let Some(calendar) = extra {
        let made = || LinkedCalendar { known: true, ..calendar.clone() };
        for former in world.calendars.values_mut().filter(|former| former.role == Role::Target) {
            former.role = if world.gone.contains_key(&former.id) { Role::Off } else { Role::Busy };
        }
        world.calendars.entry(calendar.id.clone()).or_insert_with(made);
    }
    Ok(world)
}

/// Completes the report of a run, and its record unless it was a dry one.
async fn end(
    parts: &Parts<'_>,
    record: RunRecord,
    extra: Option<&LinkedCalendar>,
    plan: &Plan,
    observed: &Observed,
    applied: &Applied,
    mut report: Report,
) -> Result<Report, MirrorError> {
    let world = world_with(parts, extra)?;
    report.slots = slots_report(&world, applied);
    report.bookings =
        BookingsReport { unchanged: report.bookings.unchanged, held: held(plan), ..applied.bookings };
    let ended_at = parts.clock.now();
    finish(&world, plan, observed, applied, ended_at, &mut report);
    if !report.dry_run {
        parts.writer.end(parts, &mut report).await?;
        record_outcomes(parts, &world, observed, &report, ended_at)?;
        trouble::heed(parts, &world, &report)?;
    }
    record::close(parts, record, &mut report, ended_at)?;
    Ok(report)
}

fn held(plan: &Plan) -> usize {
    plan.cards.iter().filter(|card| card.holds_an_event()).count()
}

fn slots_report(world: &World, applied: &Applied) -> SlotsReport {
    let mut told = applied.slots;
    for row in world.imported_slots.values().filter(|row| row.is_of_a_file()) {
        match row.state {
            SlotState::Made | SlotState::Stands => told.standing += 1,
            SlotState::Waiting => told.waiting += 1,
            SlotState::Blocked => told.blocked += 1,
            SlotState::Left => {}
        }
    }
    told
}

fn settle_open_operations(parts: &Parts<'_>, observed: &Observed) -> Result<(), MirrorError> {
    let world = parts.mirror.world()?;
    for (id, operation) in &world.unsettled {
        let can_tell = match operation {
            Operation::CreateEvent { calendar, .. }
            | Operation::UpdateEvent { calendar, .. }
            | Operation::RemoveEvent { calendar, .. } => {
                observed.is_current(calendar) || !world.calendars.contains_key(calendar)
            }
            Operation::MoveBooking { booking, .. }
            | Operation::ProposeMove { booking, .. }
            | Operation::WithdrawProposal { booking, .. }
            | Operation::CancelBooking { booking, .. } => observed.bookings.contains(booking),
            Operation::MakeCalendar { .. } | Operation::RemoveCalendar { .. } => true,
            Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. } => false,
        };
        let now = parts.clock.now();
        let concluded = recover::conclude(operation, &world, now).filter(|settled| {
            // Room may have been made for it: see [`answers::give_up`].
            !matches!((operation, settled), (Operation::MoveBooking { .. }, Settled::Failed { .. }))
        });
        if can_tell && let Some(settled) = concluded {
            parts.mirror.settle(*id, &settled, now)?;
        }
    }
    Ok(())
}

/// Whether a poll told something new about bookings: a cancellation opens its slot, whatever lies over it.
fn has_changed(
    parts: &Parts<'_>,
    before: Option<&BTreeMap<BookingId, Booking>>,
) -> Result<bool, MirrorError> {
    Ok(match before {
        Some(before) => parts.mirror.world()?.bookings != *before,
        None => true,
    })
}

fn writes_anything(plan: &Plan) -> bool {
    !(plan.writes.is_empty() && plan.publish.is_empty() && plan.answers.is_empty())
}

/// Another computer writes. What it has written is still noted here, and what she must decide is still asked.
fn write_nothing(plan: &mut Plan) {
    plan.writes.clear();
    plan.publish.clear();
    plan.answers.clear();
}

/// What of the plan this run may do: its direction, and only where both sides were read to the present. What is not
/// known is not written over.
pub(crate) fn allowed(mut plan: Plan, world: &World, direction: Direction, observed: &Observed) -> Plan {
    if direction == Direction::FromCalendar {
        plan.writes.clear();
    }
    let may_write = |calendar: &CalendarId, booking: &BookingId| {
        observed.bookings.contains(booking) && (observed.is_current(calendar) || observed.is_new(calendar))
    };
    plan.writes.retain(|operation| match operation {
        Operation::CreateEvent { calendar, draft } | Operation::UpdateEvent { calendar, draft, .. } => {
            may_write(calendar, &draft.booking)
        }
        Operation::RemoveEvent { calendar, booking, .. } => may_write(calendar, booking),
        Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => false,
    });
    // Whose event is gone is forgotten only with a booking that is known to be over: it may be back, and she be asked.
    plan.notes
        .retain(|note| note.state != MappingState::Removed || observed.bookings.contains(&note.booking));
    if direction == Direction::ToCalendar {
        plan.publish.clear();
    }
    // A booking is moved to where its event stands: that must be known to the present, and the time be free.
    if direction != Direction::Bidirectional {
        plan.answers.clear();
    }
    plan.answers.retain(|operation| match operation {
        Operation::MoveBooking { calendar, booking, key, .. }
        | Operation::ProposeMove { calendar, booking, key, .. }
        | Operation::WithdrawProposal { calendar, booking, key, .. }
        | Operation::CancelBooking { calendar, booking, key } => {
            let looked_at = plan.relies_on.get(key).into_iter().flatten();
            may_write(calendar, booking)
                && looked_at.into_iter().all(|calendar| observed.is_current(calendar))
        }
        Operation::CreateEvent { .. }
        | Operation::UpdateEvent { .. }
        | Operation::RemoveEvent { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => false,
    });
    plan.publish.retain(|operation| match operation {
        // A source that is no longer wanted is withdrawn whether or not its calendar still answers.
        Operation::PublishBusy { set, .. } => {
            observed.was_read(&set.source)
                || observed.is_new(&set.source)
                || world.calendars.get(&set.source).is_none_or(|calendar| calendar.role == Role::Off)
        }
        Operation::CreateEvent { .. }
        | Operation::UpdateEvent { .. }
        | Operation::RemoveEvent { .. }
        | Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => false,
    });
    plan
}

fn finish(
    world: &World,
    plan: &Plan,
    observed: &Observed,
    applied: &Applied,
    now: Timestamp,
    report: &mut Report,
) {
    report.decisions = decisions::waiting(world, &plan.cards, now);
    for source in &plan.sources {
        let Some(calendar) = world.calendars.get(&source.calendar) else { continue };
        report.busy.sources.push(SourceReport {
            id: source.calendar.clone(),
            name: calendar.name.clone(),
            outcome: observed.outcome(&source.calendar).unwrap_or(ReadOutcome::NotRead),
            intervals: source.set.as_ref().map(|set| set.intervals.len()),
            published: applied.published.contains(&source.calendar),
            withheld: source.withheld.len(),
        });
    }
}

fn record_outcomes(
    parts: &Parts<'_>,
    world: &World,
    observed: &Observed,
    report: &Report,
    now: Timestamp,
) -> Result<(), MirrorError> {
    for (id, outcome) in &observed.calendars {
        let Some(calendar) = world.calendars.get(id) else { continue };
        let problem = report.errors.iter().find(|error| concerns(error, id, &calendar.connection));
        let mut calendar = calendar.clone();
        calendar.last_sync_status = Some(match (outcome, problem) {
            (ReadOutcome::Failed, _) => SyncOutcome::Error,
            (ReadOutcome::Partial, _) | (_, Some(_)) => SyncOutcome::Partial,
            (_, None) => SyncOutcome::Success,
        });
        calendar.last_sync_error = problem.map(ErrorReport::problem);
        if *outcome != ReadOutcome::Failed {
            calendar.last_sync_at = Some(now);
        }
        calendar.next_sync_at = next_reading(parts, world, &calendar, *outcome, now);
        calendar.updated_at = now;
        parts.mirror.put_calendar(&calendar)?;
    }
    Ok(())
}

/// After a failure as soon as the account may be asked again, and otherwise in the calendar's rhythm.
fn next_reading(
    parts: &Parts<'_>,
    world: &World,
    calendar: &LinkedCalendar,
    outcome: ReadOutcome,
    now: Timestamp,
) -> Option<Timestamp> {
    let backoff = world.connections.get(&calendar.connection).and_then(|connection| connection.backoff_until);
    if let (ReadOutcome::Failed, Some(until)) = (outcome, backoff) {
        return Some(until);
    }
    let account = parts.accounts.get(&calendar.connection);
    let asked =
        account.and_then(|account| account.calendar(&calendar.remote).rhythm(calendar.cursor.as_ref()));
    let own = Duration::from_secs(u64::from(calendar.sync_frequency_minutes) * 60);
    let wait = jiff::SignedDuration::try_from(rhythm(own, asked)).ok()?;
    now.checked_add(wait).ok()
}

fn concerns(error: &ErrorReport, calendar: &CalendarId, connection: &ConnectionId) -> bool {
    match &error.calendar {
        Some(named) => named == calendar,
        None => error.connection.as_ref() == Some(connection),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;
    use crate::ids::Service;
    use crate::made::{calendar, draft, event, linked, row, span};
    use crate::ports::BusySet;

    fn whole() -> Plan {
        let set = BusySet::of(Service::Google, calendar(), span(0), Vec::new());
        let key = "key".to_owned();
        Plan {
            writes: vec![Operation::CreateEvent { calendar: calendar(), draft: draft(1) }],
            publish: vec![Operation::PublishBusy { set, before: None }],
            answers: vec![Operation::CancelBooking { calendar: calendar(), booking: "b".into(), key }],
            notes: vec![row(&event(&draft(1), "1"))],
            ..Plan::default()
        }
    }

    #[test]
    fn a_plan_writes_if_anything_of_it_leaves_this_computer() {
        let Plan { writes, publish, answers, notes, .. } = whole();
        assert!(writes_anything(&Plan { writes, ..Plan::default() }));
        assert!(writes_anything(&Plan { publish, ..Plan::default() }));
        assert!(writes_anything(&Plan { answers, ..Plan::default() }));
        assert!(!writes_anything(&Plan { notes, ..Plan::default() }));
    }

    #[test]
    fn while_another_computer_writes_this_one_only_notes() {
        let mut plan = whole();
        write_nothing(&mut plan);
        assert_eq!(plan, Plan { notes: whole().notes, ..Plan::default() });
    }

    #[test]
    fn an_error_concerns_the_calendar_that_it_names_or_all_of_an_account_that_it_names() {
        let (mine, account) = (calendar(), linked().connection);
        let other = CalendarId::from("other");
        let of = |calendar: Option<&CalendarId>, connection: Option<&ConnectionId>| ErrorReport {
            calendar: calendar.cloned(),
            connection: connection.cloned(),
            ..ErrorReport::of(&ServiceError::Stale { service: "fake".to_owned() }, "fake")
        };
        for (error, expected) in [
            (of(Some(&mine), None), true),
            (of(Some(&other), Some(&account)), false),
            (of(None, Some(&account)), true),
            (of(None, Some(&"another".into())), false),
            (of(None, None), false),
        ] {
            assert_eq!(concerns(&error, &mine, &account), expected, "{error:?}");
        }
    }
}
