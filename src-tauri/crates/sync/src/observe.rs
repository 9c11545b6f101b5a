//! Reads each side from its cursor into the mirror, and remembers how far that went. Concludes nothing from what it
//! did not read.

use std::collections::{BTreeMap, BTreeSet};

use crate::busy_set::{vendor_zone, window};
use crate::error::{Code, MirrorError, ServiceError};
use crate::ids::{BookingId, CalendarId, ConnectionId};
use crate::news::News;
use crate::plan::plan;
use crate::ports::{Account, Reading};
use crate::provenance::name;
use crate::reconcile::Side;
use crate::report::{ErrorReport, ReadOutcome, Report};
use crate::retry::read_with_retry;
use crate::run::Parts;
use crate::world::{Connection, Direction, LinkedCalendar, Operation, Role, World};
use crate::{import, missing, trouble, unreadable, whole};

/// How far each side was read in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub bookings: KnownBookings,
    pub calendars: BTreeMap<CalendarId, ReadOutcome>,
    /// Calendars a dry run would make: there is nothing to read in them yet.
    pub new: BTreeSet<CalendarId>,
}

/// Which of the platform's bookings are known to the present. Only those may be acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KnownBookings {
    #[default]
    None,
    /// Half a reading, or one with an item that nobody can read: these and no others.
    Only(BTreeSet<BookingId>),
    All,
}

impl KnownBookings {
    #[must_use]
    pub fn contains(&self, booking: &BookingId) -> bool {
        match self {
            Self::None => false,
            Self::Only(known) => known.contains(booking),
            Self::All => true,
        }
    }
}

impl Observed {
    #[must_use]
    pub fn outcome(&self, calendar: &CalendarId) -> Option<ReadOutcome> {
        self.calendars.get(calendar).copied()
    }

    /// Read to the present, so that what is absent is absent.
    #[must_use]
    pub fn is_current(&self, calendar: &CalendarId) -> bool {
        self.outcome(calendar).is_some_and(is_whole)
    }

    /// Something of it was read: enough to add busy time, which only closes slots.
    #[must_use]
    pub fn was_read(&self, calendar: &CalendarId) -> bool {
        self.is_current(calendar) || self.outcome(calendar) == Some(ReadOutcome::Partial)
    }

    #[must_use]
    pub fn is_new(&self, calendar: &CalendarId) -> bool {
        self.new.contains(calendar)
    }
}

fn is_whole(outcome: ReadOutcome) -> bool {
    match outcome {
        ReadOutcome::Snapshot | ReadOutcome::Delta | ReadOutcome::Unchanged => true,
        ReadOutcome::Partial | ReadOutcome::Failed | ReadOutcome::NotRead => false,
    }
}

/// Reads the calendars that `direction` needs, once `bookings` are read. With `connections`, the other accounts are not
/// asked.
///
/// When only bookings travel, the target is read if something is to be written to it: an event she moved must not be
/// written over. Polling for bookings that have not changed costs the calendar nothing.
///
/// # Errors
/// When the mirror cannot be written. What services refuse is in the report.
pub async fn observe(
    parts: &Parts<'_>,
    direction: Direction,
    connections: Option<&BTreeSet<ConnectionId>>,
    bookings: KnownBookings,
    report: &mut Report,
) -> Result<Observed, MirrorError> {
    let world = parts.mirror.world()?;
    let mut observed = Observed { bookings, ..Observed::default() };
    let is_asked = |calendar: &LinkedCalendar| {
        calendar.role != Role::Off && connections.is_none_or(|asked| asked.contains(&calendar.connection))
    };
    let calendars: Vec<&LinkedCalendar> = world.calendars.values().filter(|one| is_asked(one)).collect();
    parts.progress.begins(calendars.len());
    for calendar in calendars {
        let wanted = match calendar.role {
            Role::Off => false,
            Role::Busy => direction != Direction::ToCalendar,
            Role::Target => {
                direction != Direction::ToCalendar || writes_to(&parts.mirror.world()?, calendar, parts)
            }
        };
        if let Some(connection) = world.connections.get(&calendar.connection).filter(|_| wanted) {
            let outcome = read_calendar(parts, &world, connection, calendar, report).await?;
            observed.calendars.insert(calendar.id.clone(), outcome);
        }
        parts.progress.has_read();
    }
    trouble::record(parts, &world, &observed, report)?;
    Ok(observed)
}

fn writes_to(world: &World, calendar: &LinkedCalendar, parts: &Parts<'_>) -> bool {
    let planned = plan(world, parts.clock.now(), &parts.policy);
    let open = world.unsettled.iter().map(|(_, operation)| operation);
    planned.writes.iter().chain(open).any(|operation| match operation {
        Operation::CreateEvent { calendar: id, .. }
        | Operation::UpdateEvent { calendar: id, .. }
        | Operation::RemoveEvent { calendar: id, .. } => *id == calendar.id,
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
    })
}

/// Reads the bookings that `direction` needs: those of the way out.
///
/// # Errors
/// As [`observe`].
pub async fn bookings_for(
    parts: &Parts<'_>,
    direction: Direction,
    report: &mut Report,
) -> Result<KnownBookings, MirrorError> {
    match direction {
        Direction::FromCalendar => Ok(KnownBookings::None),
        Direction::Bidirectional | Direction::ToCalendar => bookings(parts, report).await,
    }
}

/// Reads the platform's bookings alone, for commands that show them.
///
/// # Errors
/// As [`observe`].
pub async fn bookings(parts: &Parts<'_>, report: &mut Report) -> Result<KnownBookings, MirrorError> {
    read_bookings(parts, &parts.mirror.world()?, report).await
}

/// Reads the platform's bookings from where the last reading ended.
pub(crate) async fn read_bookings(
    parts: &Parts<'_>,
    world: &World,
    report: &mut Report,
) -> Result<KnownBookings, MirrorError> {
    let retry = &parts.policy.retry;
    let mut cursor = world.bookings_cursor.clone();
    loop {
        let reading = read_with_retry(parts.clock, retry, || parts.platform.bookings(cursor.as_ref())).await;
        match reading {
            Reading::Snapshot { items, coverage, cursor } => {
                let news = News::Whole { items: &items, coverage, cursor: cursor.as_ref() };
                parts.mirror.take_bookings(&news)?;
                whole::was_whole(parts, world, &Side::Bookings)?;
                return Ok(KnownBookings::All);
            }
            Reading::Delta { changed, removed, cursor: next } => {
                if !changed.is_empty() || !removed.is_empty() || cursor.as_ref() != Some(&next) {
                    let (changed, removed) = (&changed, &removed);
                    parts.mirror.take_bookings(&News::Changes { changed, removed, cursor: &next })?;
                }
                whole::bookings(parts, report).await?;
                return Ok(KnownBookings::All);
            }
            Reading::Partial { items, reason } => {
                parts.mirror.take_bookings(&News::Half { items: &items })?;
                report.errors.push(ErrorReport::of(&reason, "bookiji"));
                return Ok(KnownBookings::Only(items.into_iter().map(|booking| booking.id).collect()));
            }
            Reading::CursorLost if cursor.is_some() => {
                parts.mirror.forget_cursor(None)?;
                cursor = None;
            }
            Reading::CursorLost => {
                report.errors.push(ErrorReport::of(&lost_without_cursor("bookiji"), "bookiji"));
                return Ok(KnownBookings::None);
            }
            Reading::Failed(error) => {
                report.errors.push(ErrorReport::of(&error, "bookiji"));
                return Ok(KnownBookings::None);
            }
        }
    }
}

async fn read_calendar(
    parts: &Parts<'_>,
    world: &World,
    connection: &Connection,
    calendar: &LinkedCalendar,
    report: &mut Report,
) -> Result<ReadOutcome, MirrorError> {
    let at = connection.service.as_str();
    let fail = |error: &ServiceError| ErrorReport {
        connection: Some(connection.id.clone()),
        calendar: Some(calendar.id.clone()),
        ..ErrorReport::of(error, at)
    };
    let Some(account) = parts.accounts.get(&connection.id) else {
        report.errors.push(fail(&not_open(connection)));
        return Ok(ReadOutcome::Failed);
    };
    if let Some(refusal) = refused_before(report, connection) {
        let again = ErrorReport { calendar: Some(calendar.id.clone()), ..refusal.clone() };
        report.errors.push(again);
        return Ok(ReadOutcome::Failed);
    }
    let outcome = read_from(parts, world, account.as_ref(), calendar, &fail, report).await?;
    if world.gone.contains_key(&calendar.id) && is_whole(outcome) {
        parts.mirror.set_gone(&calendar.id, None)?;
    }
    match outcome {
        // There is nothing behind imported files that could be read.
        _ if calendar.connection == import::connection_id() => {}
        ReadOutcome::Snapshot => whole::was_whole(parts, world, &Side::Calendar(calendar.id.clone()))?,
        ReadOutcome::Delta | ReadOutcome::Unchanged => {
            whole::calendar(parts, account.as_ref(), calendar, report).await?;
        }
        ReadOutcome::Partial | ReadOutcome::Failed | ReadOutcome::NotRead => {}
    }
    Ok(outcome)
}

async fn read_from(
    parts: &Parts<'_>,
    world: &World,
    account: &dyn Account,
    calendar: &LinkedCalendar,
    fail: &(dyn Fn(&ServiceError) -> ErrorReport + Sync),
    report: &mut Report,
) -> Result<ReadOutcome, MirrorError> {
    let remote = account.calendar(&calendar.remote);
    let zone = vendor_zone(world.vendor.as_ref());
    let from = || window(parts.clock.now(), &zone, &parts.policy).start();
    let mut since = from();
    let mut cursor = calendar.cursor.clone();
    let mut again = true;
    loop {
        let reading =
            read_with_retry(parts.clock, &parts.policy.retry, || remote.read(cursor.as_ref(), since)).await;
        match reading {
            // The answer told that the clock is wrong, and the reading began too late: what it left out is not past.
            Reading::Snapshot { .. } if again && from() < since => {
                again = false;
                since = from();
            }
            Reading::Snapshot { mut items, coverage, cursor } => {
                let known = parts.mirror.world()?;
                let unlisted =
                    missing::look(parts, &known, calendar, remote.as_ref(), &items, coverage).await;
                if let Ok(found) = &unlisted {
                    items.extend(found.standing.iter().cloned());
                }
                unreadable::keep_known(&mut items, known.events.get(&calendar.id));
                name(world, calendar, &mut items);
                match unlisted {
                    Ok(found) => found.note(parts, calendar)?,
                    Err(error) => {
                        parts.mirror.take_events(&calendar.id, &News::Half { items: &items })?;
                        report.errors.push(fail(&error));
                        return Ok(ReadOutcome::Partial);
                    }
                }
                let news = News::Whole { items: &items, coverage, cursor: cursor.as_ref() };
                parts.mirror.take_events(&calendar.id, &news)?;
                return Ok(ReadOutcome::Snapshot);
            }
            Reading::Delta { mut changed, removed, cursor: next } => {
                if changed.is_empty() && removed.is_empty() && cursor.as_ref() == Some(&next) {
                    return Ok(ReadOutcome::Unchanged);
                }
                name(world, calendar, &mut changed);
                let outcome = if changed.is_empty() && removed.is_empty() {
                    ReadOutcome::Unchanged
                } else {
                    ReadOutcome::Delta
                };
                let (changed, removed) = (&changed, &removed);
                let news = News::Changes { changed, removed, cursor: &next };
                parts.mirror.take_events(&calendar.id, &news)?;
                return Ok(outcome);
            }
            Reading::Partial { mut items, reason } => {
                unreadable::keep_known(&mut items, parts.mirror.world()?.events.get(&calendar.id));
                name(world, calendar, &mut items);
                parts.mirror.take_events(&calendar.id, &News::Half { items: &items })?;
                report.errors.push(fail(&reason));
                return Ok(ReadOutcome::Partial);
            }
            Reading::CursorLost if cursor.is_some() => {
                parts.mirror.forget_cursor(Some(&calendar.id))?;
                cursor = None;
            }
            Reading::CursorLost => {
                report.errors.push(fail(&lost_without_cursor("calendar")));
                return Ok(ReadOutcome::Failed);
            }
            Reading::Failed(error) => {
                // Nothing else says that it is gone: not silence, and not half a reading.
                let says_gone = matches!(error, ServiceError::Gone { .. });
                if says_gone && !world.gone.contains_key(&calendar.id) {
                    parts.mirror.set_gone(&calendar.id, Some(parts.clock.now()))?;
                }
                report.errors.push(fail(&error));
                return Ok(ReadOutcome::Failed);
            }
        }
    }
}

/// One refusal per account and run is enough: its other calendars would be refused alike, after as long a wait.
fn refused_before<'a>(report: &'a Report, connection: &Connection) -> Option<&'a ErrorReport> {
    use Code::{KeychainUnavailable, NetworkError, OauthTokenExpired, RateLimitExceeded};
    report.errors.iter().find(|error| {
        error.connection.as_ref() == Some(&connection.id)
            && matches!(
                error.code,
                KeychainUnavailable | NetworkError | OauthTokenExpired | RateLimitExceeded
            )
    })
}

fn not_open(connection: &Connection) -> ServiceError {
    ServiceError::VaultUnavailable {
        reason: format!("the sign-in of {} could not be read", connection.account),
    }
}

fn lost_without_cursor(service: &str) -> ServiceError {
    ServiceError::Garbled {
        service: service.to_owned(),
        reason: "it lost a cursor that was never given".to_owned(),
    }
}
