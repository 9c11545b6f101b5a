//! Takes back what we wrote for an account, by the same intent, attempt and echo as every write. It is looked for anew
//! each time, so a crash in between costs nothing: the same call again goes on where things stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Extent, LeaveReport, Leaving, MadeCalendar, Ours, StayedEvent, StayedSlot, judge};
use crate::apply::{self, Applied, Ended, concerns_account, send};
use crate::busy_set::{vendor_zone, window};
use crate::error::{MirrorError, ServiceError};
use crate::ids::{CalendarId, ConnectionId, RemoteId, RunId, Service};
use crate::observe::{self, Observed};
use crate::plan::Plan;
use crate::ports::{Account, BusySet, CalendarEntry, EVER, Reading, RemoteEvent};
use crate::recover::interrupt;
use crate::report::{ErrorReport, Report};
use crate::retry::{read_with_retry, with_retry};
use crate::run::{Parts, record};
use crate::world::{
    Connection, ConnectionState, Direction, LinkedCalendar, Operation, Role, RunRecord, Settled, SyncProblem,
    World,
};
use crate::{closing, slots};

/// How often an event that changes under our hands is looked at again.
const LOOKS: usize = 3;

/// Takes back what was written for an account. From the first moment on, nothing more is written for it; whether all is
/// gone is in the report, and the row of the account stays until somebody removes it.
///
/// # Errors
/// When the mirror cannot be read or written: nothing more is sent then.
pub async fn leave(
    parts: &Parts<'_>,
    run: &RunId,
    connection: &ConnectionId,
    extent: Extent,
) -> Result<Report, MirrorError> {
    let mut report = Report::new(Direction::Bidirectional, false);
    let record = begin(parts, run).await?;
    let told = LeaveReport::new(connection);
    let mut work = Work { parts, run, told, report: &mut report };
    if let Some(linked) = parts.mirror.world()?.connections.get(connection).cloned() {
        work.stop_writing(&linked)?;
        if extent == Extent::Everything {
            // Which bookings are hers is what some events prove themselves by.
            observe::bookings(parts, work.report).await?;
            work.events(&linked).await?;
        }
        work.busy_time(&linked).await?;
        if extent == Extent::Everything && linked.id == crate::import::connection_id() {
            work.slots().await?;
        }
        work.remember_what_remains(&linked)?;
    }
    let mut told = work.told;
    told.complete = report.errors.is_empty();
    report.bookings.removed = told.removed;
    report.slots.removed = told.slots_removed;
    report.leave = Some(told);
    end(parts, record, &mut report).await?;
    Ok(report)
}

/// Tells the platform to drop every busy time that it may have from here. Nothing else changes: should she stay after
/// all, the next sync sends it again.
///
/// # Errors
/// As [`leave`].
pub async fn withdraw_everything(parts: &Parts<'_>, run: &RunId) -> Result<Report, MirrorError> {
    let mut report = Report::new(Direction::FromCalendar, false);
    let record = begin(parts, run).await?;
    let world = parts.mirror.world()?;
    let sources = may_have(&world, |_| true);
    withdraw(parts, run, &sources, &mut report).await?;
    end(parts, record, &mut report).await?;
    Ok(report)
}

async fn begin(parts: &Parts<'_>, run: &RunId) -> Result<RunRecord, MirrorError> {
    let record = record::begun(run, Direction::Bidirectional, parts.clock.now());
    parts.mirror.begin_run(&record)?;
    parts.writer.begin();
    // What stands is looked at only now, so that whatever another computer wrote before its turn ended is seen. Where it
    // is not our turn, each write is refused for itself.
    parts.writer.turn(parts).await?;
    Ok(record)
}

/// What could not be taken back because another computer writes is still there, and that is said.
async fn end(parts: &Parts<'_>, record: RunRecord, report: &mut Report) -> Result<(), MirrorError> {
    let refused = report.errors.iter().find(|error| error.fenced).cloned();
    parts.writer.end(parts, report).await?;
    if report.errors.is_empty() {
        report.errors.extend(refused);
    }
    record::close(parts, record, report, parts.clock.now())
}

/// The sources that the platform may hold busy time of: those it was told, and every calendar that may have been told
/// before the mirror was lost.
fn may_have(world: &World, wanted: impl Fn(&CalendarId) -> bool) -> BTreeMap<CalendarId, Service> {
    let of = |calendar: &LinkedCalendar| {
        let connection = world.connections.get(&calendar.connection)?;
        Some((calendar.id.clone(), connection.service))
    };
    let mut sources: BTreeMap<CalendarId, Service> = world.calendars.values().filter_map(of).collect();
    sources.extend(world.published.iter().map(|(id, published)| (id.clone(), published.set.service)));
    for (_, operation) in &world.unsettled {
        if let Operation::PublishBusy { set, .. } = operation {
            sources.insert(set.source.clone(), set.service);
        }
    }
    sources.retain(|id, _| wanted(id));
    sources
}

/// Sends an empty set for each source; answers how many were taken.
async fn withdraw(
    parts: &Parts<'_>,
    run: &RunId,
    sources: &BTreeMap<CalendarId, Service>,
    report: &mut Report,
) -> Result<usize, MirrorError> {
    let world = parts.mirror.world()?;
    let zone = vendor_zone(world.vendor.as_ref());
    let window = window(parts.clock.now(), &zone, &parts.policy);
    let publish = sources
        .iter()
        .map(|(source, service)| Operation::PublishBusy {
            set: BusySet::of(*service, source.clone(), window, Vec::new()),
            before: world.published.get(source).map(|published| published.set.clone()),
        })
        .collect();
    let plan = Plan { publish, ..Plan::default() };
    let mut applied = Applied::default();
    apply::publish(parts, run, &world, &plan, &Observed::default(), &mut applied, report).await?;
    closing::settle(parts, run, report).await?;
    Ok(applied.published.len())
}

/// What stands in a calendar now.
struct Look {
    leaving: Leaving,
    /// All of it was seen.
    whole: bool,
}

struct Work<'a, 'p> {
    parts: &'a Parts<'p>,
    run: &'a RunId,
    told: LeaveReport,
    report: &'a mut Report,
}

impl Work<'_, '_> {
    /// What is taken out must not be put in again by a sync in between.
    fn stop_writing(&self, connection: &Connection) -> Result<(), MirrorError> {
        let Parts { mirror, clock, .. } = self.parts;
        if connection.state != ConnectionState::Leaving {
            let state = ConnectionState::Leaving;
            mirror.put_connection(&Connection { state, ..connection.clone() })?;
        }
        let own = |calendar: &&LinkedCalendar| calendar.connection == connection.id;
        for calendar in mirror.world()?.calendars.values().filter(own) {
            if calendar.role != Role::Off {
                let updated_at = clock.now();
                mirror.put_calendar(&LinkedCalendar { role: Role::Off, updated_at, ..calendar.clone() })?;
            }
        }
        Ok(())
    }

    async fn events(&mut self, connection: &Connection) -> Result<(), MirrorError> {
        match connection.service {
            Service::Google | Service::Outlook | Service::Caldav => {}
            // Nothing is ever written there.
            Service::Ics => return Ok(()),
        }
        let Some(account) = self.parts.accounts.get(&connection.id) else {
            let reason = format!("the sign-in of {} could not be read", connection.account);
            self.remains(connection, None, &ServiceError::VaultUnavailable { reason });
            return Ok(());
        };
        let account = account.as_ref();
        let listed =
            match with_retry(self.parts.clock, &self.parts.policy.retry, || account.calendars()).await {
                Ok(listed) => listed,
                Err(error) => {
                    self.remains(connection, None, &error);
                    return Ok(());
                }
            };
        let calendars = self.worth_a_look(connection, &listed)?;
        self.parts.progress.begins(calendars.len());
        for calendar in calendars {
            let entry = listed.iter().find(|entry| entry.remote == calendar.remote);
            if !self.calendar(connection, account, &calendar, entry).await? {
                return Ok(());
            }
            self.parts.progress.has_read();
        }
        Ok(())
    }

    /// Every calendar that can hold something of ours: those that can be written to, and those that once could.
    fn worth_a_look(
        &self,
        connection: &Connection,
        listed: &[CalendarEntry],
    ) -> Result<Vec<LinkedCalendar>, MirrorError> {
        let world = self.parts.mirror.world()?;
        let has_ours = |id: &CalendarId| world.mappings.values().any(|mapping| mapping.calendar == *id);
        let known = world.calendars.values().filter(|calendar| calendar.connection == connection.id);
        let mut all: Vec<LinkedCalendar> = known
            .filter(|calendar| {
                let writable = listed.iter().any(|entry| entry.remote == calendar.remote && entry.writable);
                writable || has_ours(&calendar.id)
            })
            .cloned()
            .collect();
        for entry in listed.iter().filter(|entry| entry.writable) {
            if !world.calendars.contains_key(&CalendarId::of(&connection.id, &entry.remote)) {
                let minutes = crate::target::DEFAULT_FREQUENCY_MINUTES;
                let now = self.parts.clock.now();
                all.push(LinkedCalendar::new(&connection.id, entry, Role::Off, minutes, now));
            }
        }
        // The calendar that was made for bookings comes last, when all else is out of it.
        let is_ours = |calendar: &LinkedCalendar| {
            listed.iter().any(|entry| entry.remote == calendar.remote && entry.ours)
        };
        all.sort_by_key(is_ours);
        Ok(all)
    }

    /// Takes ours out of one calendar. Answers whether the account may be asked for more.
    async fn calendar(
        &mut self,
        connection: &Connection,
        account: &dyn Account,
        calendar: &LinkedCalendar,
        entry: Option<&CalendarEntry>,
    ) -> Result<bool, MirrorError> {
        let made_for_her = entry.is_some_and(|entry| entry.ours);
        let look = match self.look(account, calendar, made_for_her).await? {
            Ok(look) => look,
            // The calendar is gone, and everything in it.
            Err(ServiceError::Gone { .. }) if entry.is_none() => return Ok(true),
            Err(error) => {
                self.remains(connection, Some(&calendar.id), &error);
                return Ok(!concerns_account(&error));
            }
        };
        let mut gone = BTreeSet::new();
        self.parts.progress.plans(look.leaving.ours.len());
        for ours in &look.leaving.ours {
            let removed = self.remove(account, calendar, made_for_her, ours).await?;
            self.parts.progress.has_written();
            match removed {
                Ok(removed) => {
                    gone.insert(ours.event.id.clone());
                    self.told.removed += usize::from(removed.is_some());
                    let changed = removed.filter(|removed| removed.changed);
                    self.told.changed.extend(changed.map(|changed| changed.booking));
                }
                Err(error) => {
                    self.remains(connection, Some(&calendar.id), &error);
                    if concerns_account(&error) {
                        return Ok(false);
                    }
                }
            }
        }
        self.told.kept.extend(look.leaving.named.iter().filter(|event| !is_of(&gone, event)).map(|event| {
            StayedEvent {
                calendar: calendar.id.clone(),
                event: event.id.clone(),
                reason: "it names a booking, but nothing proves that it is ours: it may be a copy of yours"
                    .to_owned(),
            }
        }));
        if !look.whole {
            let reason = "it could not be read to its end".to_owned();
            let error = ServiceError::Garbled { service: "the calendar".to_owned(), reason };
            self.remains(connection, Some(&calendar.id), &error);
            return Ok(true);
        }
        match entry {
            Some(entry) if entry.ours && gone.len() == look.leaving.ours.len() => {
                self.made(connection, account, calendar, entry).await
            }
            Some(_) | None => Ok(true),
        }
    }

    /// Reads the whole calendar, and adds what the mirror knows of ours in it where the reading broke off.
    async fn look(
        &self,
        account: &dyn Account,
        calendar: &LinkedCalendar,
        made_for_her: bool,
    ) -> Result<Result<Look, ServiceError>, MirrorError> {
        let Parts { mirror, clock, policy, .. } = self.parts;
        let remote = account.calendar(&calendar.remote);
        let reading = read_with_retry(*clock, &policy.retry, || remote.read(None, EVER)).await;
        let (events, whole): (Vec<RemoteEvent>, bool) = match reading {
            Reading::Snapshot { items, .. } => (items, true),
            Reading::Partial { items, .. } => (items, false),
            Reading::Failed(error) => return Ok(Err(error)),
            Reading::Delta { .. } | Reading::CursorLost => {
                let reason = "it tells of changes where everything was asked for".to_owned();
                return Ok(Err(ServiceError::Garbled { service: "the calendar".to_owned(), reason }));
            }
        };
        let world = mirror.world()?;
        let mut leaving = judge(&world, calendar, made_for_her, &events, clock.now());
        if !whole {
            let known = world.events.get(&calendar.id).into_iter().flat_map(BTreeMap::values);
            let unseen = known.filter(|row| events.iter().all(|event| event.id != row.id));
            leaving.ours.extend(judge(&world, calendar, made_for_her, unseen, clock.now()).ours);
        }
        Ok(Ok(Look { leaving, whole }))
    }

    /// Removes one event as it was just seen. Answers with what it was at last, if it still was there.
    async fn remove(
        &self,
        account: &dyn Account,
        calendar: &LinkedCalendar,
        made_for_her: bool,
        ours: &Ours,
    ) -> Result<Result<Option<Ours>, ServiceError>, MirrorError> {
        let Parts { mirror, clock, .. } = self.parts;
        let mut world = mirror.world()?;
        if !world.calendars.contains_key(&calendar.id) {
            mirror.put_calendar(calendar)?;
        }
        let mut ours = ours.clone();
        let key = (ours.booking.clone(), calendar.id.clone());
        if world.mappings.get(&key).is_none_or(|known| known.event != ours.event.id) {
            mirror.put_mapping(&ours.mapping)?;
        }
        for _ in 0..LOOKS {
            let removal = ours.removal();
            let (id, ended) =
                send(self.parts, self.run, &removal, None, calendar, account, Some(&ours.mapping)).await?;
            match ended {
                Ended::Done(settled) => {
                    mirror.settle(id, &settled, clock.now())?;
                    return Ok(Ok(Some(ours)));
                }
                Ended::Again { problem } => {
                    mirror.settle(id, &Settled::Failed { problem, mapping: None }, clock.now())?;
                }
                Ended::Failed { error } => {
                    let problem = SyncProblem::from(&error);
                    mirror.settle(id, &Settled::Failed { problem, mapping: None }, clock.now())?;
                    return Ok(Err(error));
                }
                // It stays open in the journal: looking again tells how it ended.
                Ended::Open { error } => return Ok(Err(error)),
            }
            // She changed it while we reached for it. As it stands now it must prove again that it is ours.
            world = mirror.world()?;
            let there = world.events.get(&calendar.id).and_then(|events| events.get(&ours.event.id));
            let Some(there) = there else { return Ok(Ok(None)) };
            match judge(&world, calendar, made_for_her, [there], clock.now()).ours.pop() {
                Some(again) => ours = Ours { changed: ours.changed || again.changed, ..again },
                None => return Ok(Ok(None)),
            }
        }
        Ok(Err(ServiceError::Stale { service: "the calendar".to_owned() }))
    }

    /// Deletes the calendar that we made, if nothing is left in it. Looking first makes it safe to be interrupted, as it
    /// does when the calendar is made: it is in no journal.
    async fn made(
        &mut self,
        connection: &Connection,
        account: &dyn Account,
        calendar: &LinkedCalendar,
        entry: &CalendarEntry,
    ) -> Result<bool, MirrorError> {
        let look = match self.look(account, calendar, true).await? {
            Ok(look) => look,
            Err(error) => {
                self.remains(connection, Some(&calendar.id), &error);
                return Ok(!concerns_account(&error));
            }
        };
        let told = |deleted, reason| MadeCalendar {
            calendar: calendar.id.clone(),
            name: entry.name.clone(),
            deleted,
            reason,
        };
        let left = look.leaving.hers + look.leaving.named.len();
        if !look.whole || !look.leaving.ours.is_empty() {
            let error = ServiceError::Stale { service: "the calendar".to_owned() };
            self.remains(connection, Some(&calendar.id), &error);
        } else if left > 0 {
            let events =
                if left == 1 { "1 event that is".to_owned() } else { format!("{left} events that are") };
            self.told.calendars.push(told(false, Some(format!("it holds {events} not ours"))));
        } else {
            match self.delete(account, calendar, &entry.name).await? {
                Ok(()) => self.told.calendars.push(told(true, None)),
                Err(error) if error.may_pass() || concerns_account(&error) => {
                    self.remains(connection, Some(&calendar.id), &error);
                    return Ok(!concerns_account(&error));
                }
                Err(error) => self.told.calendars.push(told(false, Some(error.to_string()))),
            }
        }
        Ok(true)
    }

    async fn delete(
        &self,
        account: &dyn Account,
        calendar: &LinkedCalendar,
        name: &str,
    ) -> Result<Result<(), ServiceError>, MirrorError> {
        let Parts { mirror, clock, policy, .. } = self.parts;
        // An earlier try did not remove it: it was just seen.
        interrupt(
            self.parts,
            &mirror.world()?,
            |open| matches!(open, Operation::RemoveCalendar { calendar: at, .. } if *at == calendar.id),
        )?;
        let removal = Operation::RemoveCalendar { calendar: calendar.id.clone(), name: name.to_owned() };
        let id = mirror.intend(self.run, &removal, clock.now())?;
        mirror.attempted(id, clock.now())?;
        let deleted = with_retry(*clock, &policy.retry, || account.delete_calendar(&calendar.remote)).await;
        let deleted = match deleted {
            Err(ServiceError::Gone { .. }) => Ok(()),
            Err(error) if error.outcome_unknown() => {
                match with_retry(*clock, &policy.retry, || account.calendars()).await {
                    Ok(listed) if listed.iter().all(|entry| entry.remote != calendar.remote) => Ok(()),
                    Ok(_) | Err(_) => Err(error),
                }
            }
            done => done,
        };
        match &deleted {
            Ok(()) => mirror.settle(id, &Settled::CalendarRemoved, clock.now())?,
            // Asked again, it looks what stands.
            Err(error) => slots::fail(self.parts, id, error)?,
        }
        Ok(deleted)
    }

    async fn busy_time(&mut self, connection: &Connection) -> Result<(), MirrorError> {
        let world = self.parts.mirror.world()?;
        let own =
            |id: &CalendarId| world.calendars.get(id).is_some_and(|row| row.connection == connection.id);
        self.told.withdrawn = withdraw(self.parts, self.run, &may_have(&world, own), self.report).await?;
        Ok(())
    }

    /// Slots that were made of imported free times. Those that are closed by now stay: they may be booked.
    async fn slots(&mut self) -> Result<(), MirrorError> {
        let mut applied = Applied::default();
        slots::settle(self.parts, self.run, &[], false, &mut applied, self.report).await?;
        self.told.slots_removed = applied.slots.removed;
        let now = self.parts.clock.now();
        let world = self.parts.mirror.world()?;
        let made = world.imported_slots.values().flat_map(|row| &row.made);
        let stayed = made.filter(|slot| slot.span.start() > now);
        self.told.slots_kept = stayed
            .map(|slot| {
                let is_booked = world.bookings.values().any(|booking| {
                    (booking.start, booking.end) == (slot.span.start(), slot.span.end())
                        && crate::decide::wish(Some(booking), now) == crate::decide::Wish::Event
                });
                StayedSlot {
                    start: slot.span.start(),
                    end: slot.span.end(),
                    reason: if is_booked { "it is booked" } else { "it is closed, and may be booked" }
                        .to_owned(),
                }
            })
            .collect();
        Ok(())
    }

    /// Where something remains, `status` says so until it is gone.
    fn remember_what_remains(&self, connection: &Connection) -> Result<(), MirrorError> {
        let error = self.report.errors.first().map(ErrorReport::problem);
        let state = ConnectionState::Leaving;
        self.parts.mirror.put_connection(&Connection { state, error, ..connection.clone() })
    }

    fn remains(&mut self, connection: &Connection, calendar: Option<&CalendarId>, error: &ServiceError) {
        self.report.errors.push(ErrorReport {
            connection: Some(connection.id.clone()),
            calendar: calendar.cloned(),
            ..ErrorReport::of(error, connection.service.as_str())
        });
    }
}

fn is_of(gone: &BTreeSet<RemoteId>, event: &RemoteEvent) -> bool {
    // The occurrences of a series are events of their own, and go with it.
    gone.iter().any(|id| event.id.0.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('_')))
}
