//! Where bookings go: finds the calendar we made for this vendor, or makes it, before the first booking is written.

use crate::error::{MirrorError, ServiceError};
use crate::ids::{CalendarId, ConnectionId, RemoteCalendarId};
use crate::plan::decided_home;
use crate::ports::{Account, CalendarEntry};
use crate::report::{ErrorReport, Report};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{Connection, LinkedCalendar, Role, Vendor, World};

/// The name of the calendar we make.
pub const TARGET_NAME: &str = "Bookiji";

/// Makes sure that some calendar has [`Role::Target`]. In a dry run, answers with the one that would be made.
///
/// # Errors
/// When the mirror cannot be written. What the service refuses is in the report.
pub async fn ensure(
    parts: &Parts<'_>,
    world: &World,
    dry_run: bool,
    report: &mut Report,
) -> Result<Option<LinkedCalendar>, MirrorError> {
    let moves = decided_home(world, parts.clock.now());
    if moves.is_none() && world.calendars.values().any(|calendar| calendar.role == Role::Target) {
        return Ok(None);
    }
    let Some(vendor) = &world.vendor else { return Ok(None) };
    // One that must sign in again is asked all the same: she may just have.
    let wanted = |connection: &Connection| {
        let named = moves.as_ref().is_none_or(|home| home.connection == connection.id);
        named && connection.service.holds_bookings()
    };
    let home = world.connections.values().find_map(|connection| {
        let account = parts.accounts.get(&connection.id)?;
        wanted(connection).then_some((connection, account))
    });
    let Some((connection, account)) = home else { return Ok(None) };
    let former = moves.as_ref().and_then(|home| world.calendars.get(&home.instead_of));
    let found =
        find_or_make(parts, account.as_ref(), vendor, former.map(|former| &former.remote), dry_run).await;
    let entry = match found {
        Ok(entry) => entry,
        Err(error) => {
            let at = connection.service.as_str();
            report
                .errors
                .push(ErrorReport { connection: Some(connection.id.clone()), ..ErrorReport::of(&error, at) });
            return Ok(None);
        }
    };
    let calendar = linked(world, &connection.id, &entry, parts.clock.now());
    if dry_run {
        return Ok(Some(calendar));
    }
    parts.mirror.put_calendar(&calendar)?;
    // Stopped in between, the next run comes here again before it plans anything.
    if let (Some(former), Some(home)) = (former, &moves) {
        let former = LinkedCalendar { role: home.role, updated_at: parts.clock.now(), ..former.clone() };
        parts.mirror.put_calendar(&former)?;
    }
    Ok(None)
}

/// Looking first is what makes it safe to be interrupted: a calendar made just before a crash is found again.
async fn find_or_make(
    parts: &Parts<'_>,
    account: &dyn Account,
    vendor: &Vendor,
    former: Option<&RemoteCalendarId>,
    dry_run: bool,
) -> Result<CalendarEntry, ServiceError> {
    let retry = &parts.policy.retry;
    let ours = |entry: &CalendarEntry| entry.ours && entry.writable && Some(&entry.remote) != former;
    let listed = with_retry(parts.clock, retry, || account.calendars()).await?;
    if let Some(entry) = listed.into_iter().find(ours) {
        return Ok(entry);
    }
    if dry_run {
        return Ok(CalendarEntry {
            remote: RemoteCalendarId("new".to_owned()),
            name: TARGET_NAME.to_owned(),
            time_zone: Some(vendor.time_zone.clone()),
            writable: true,
            primary: false,
            ours: true,
        });
    }
    match account.create_calendar(TARGET_NAME, &vendor.time_zone, &vendor.id).await {
        Ok(entry) => Ok(entry),
        Err(error) if error.outcome_unknown() => {
            let listed = with_retry(parts.clock, retry, || account.calendars()).await?;
            listed.into_iter().find(ours).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn linked(
    world: &World,
    connection: &ConnectionId,
    entry: &CalendarEntry,
    now: jiff::Timestamp,
) -> LinkedCalendar {
    let id = CalendarId::of(connection, &entry.remote);
    if let Some(known) = world.calendars.get(&id) {
        return LinkedCalendar { role: Role::Target, updated_at: now, ..known.clone() };
    }
    LinkedCalendar::new(connection, entry, Role::Target, DEFAULT_FREQUENCY_MINUTES, now)
}

/// The design's `sync_frequency_minutes` default.
pub const DEFAULT_FREQUENCY_MINUTES: u32 = 5;
