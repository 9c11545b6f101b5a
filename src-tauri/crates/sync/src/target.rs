//! Where bookings go: finds the calendar we made for this vendor, or makes it, before the first booking is written.

use std::time::Duration;

use jiff::SignedDuration;

use crate::error::{MirrorError, ServiceError};
use crate::ids::{CalendarId, ConnectionId, RemoteCalendarId, RunId};
use crate::lease::writer::Turn;
use crate::plan::decided_home;
use crate::ports::{Account, CalendarEntry, Reading, RemoteEvent};
use crate::recover::interrupt;
use crate::report::{ErrorReport, Report};
use crate::retry::{read_with_retry, with_retry};
use crate::run::Parts;
use crate::slots::{fail, no_room_was_made};
use crate::world::{Connection, ConnectionState, LinkedCalendar, Operation, Role, Settled, Vendor, World};

/// The name of the calendar we make.
pub const TARGET_NAME: &str = "Bookiji";

/// Makes sure that some calendar has [`Role::Target`]. In a dry run, answers with the one that would be made.
///
/// # Errors
/// When the mirror cannot be written. What the service refuses is in the report.
pub async fn ensure(
    parts: &Parts<'_>,
    run: &RunId,
    world: &World,
    dry_run: bool,
    report: &mut Report,
) -> Result<Option<LinkedCalendar>, MirrorError> {
    let moves = decided_home(world, parts.clock.now());
    let target = world.calendars.values().find(|calendar| calendar.role == Role::Target);
    if let (None, Some(target)) = (&moves, target) {
        if !dry_run && may_have_a_twin(parts, world, target) {
            agree(parts, world, target).await?;
        }
        return Ok(None);
    }
    let Some(vendor) = &world.vendor else { return Ok(None) };
    // One that must sign in again is asked all the same: she may just have.
    let wanted = |connection: &Connection| {
        let named = moves.as_ref().is_none_or(|home| home.connection == connection.id);
        named && connection.state != ConnectionState::Leaving && connection.service.holds_bookings()
    };
    let home = world.connections.values().find_map(|connection| {
        let account = parts.accounts.get(&connection.id)?;
        wanted(connection).then_some((connection, account))
    });
    let Some((connection, account)) = home else { return Ok(None) };
    let former = moves.as_ref().and_then(|home| world.calendars.get(&home.instead_of));
    let not = former.map(|former| &former.remote);
    let entry = match find(parts, account.as_ref(), not).await {
        Ok(Some(entry)) => Ok(entry),
        Ok(None) if dry_run => Ok(imagined(vendor)),
        Ok(None) if parts.writer.turn(parts).await? == Turn::StandBy => return Ok(None),
        Ok(None) => find_or_make(parts, run, (&connection.id, account.as_ref()), vendor, not).await?,
        Err(error) => Err(error),
    };
    let entry = match entry {
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

/// For how long after one was linked another computer may still make, or have made, a second one at the same moment.
const TWINS: SignedDuration = SignedDuration::from_hours(1);

/// Nothing was written to it from here, it is new, and this computer may not be alone.
fn may_have_a_twin(parts: &Parts<'_>, world: &World, target: &LinkedCalendar) -> bool {
    let is_new = parts.clock.now().duration_since(target.created_at).abs() < TWINS;
    let is_unused = !world.mappings.keys().any(|(_, calendar)| *calendar == target.id)
        && !world.unsettled.iter().any(|(_, operation)| operation.calendar() == Some(&target.id));
    is_new && is_unused && !parts.writer.is_alone(parts.clock)
}

/// Two computers that each made a calendar at the same moment come to use one. Where nobody can be asked, the next run
/// does it.
async fn agree(parts: &Parts<'_>, world: &World, target: &LinkedCalendar) -> Result<(), MirrorError> {
    let Some(account) = parts.accounts.get(&target.connection) else { return Ok(()) };
    match find(parts, account.as_ref(), None).await {
        Ok(Some(entry)) if entry.remote != target.remote => {
            let now = parts.clock.now();
            parts.mirror.put_calendar(&linked(world, &target.connection, &entry, now))?;
            parts.mirror.put_calendar(&LinkedCalendar { role: Role::Off, updated_at: now, ..target.clone() })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The one that bookings are in; among equals the first by id, so that computers which see the same calendars choose the
/// same. `not` the one that is to be left.
async fn find(
    parts: &Parts<'_>,
    account: &dyn Account,
    not: Option<&RemoteCalendarId>,
) -> Result<Option<CalendarEntry>, ServiceError> {
    let listed = with_retry(parts.clock, &parts.policy.retry, || account.calendars()).await?;
    let ours = listed.into_iter().filter(|entry| entry.ours && entry.writable && Some(&entry.remote) != not);
    let mut ours: Vec<CalendarEntry> = ours.collect();
    ours.sort_by(|a, b| a.remote.cmp(&b.remote));
    if ours.len() > 1 {
        for entry in &ours {
            if holds_bookings(parts, account, entry).await? {
                return Ok(Some(entry.clone()));
            }
        }
    }
    Ok(ours.into_iter().next())
}

async fn holds_bookings(
    parts: &Parts<'_>,
    account: &dyn Account,
    entry: &CalendarEntry,
) -> Result<bool, ServiceError> {
    let calendar = account.calendar(&entry.remote);
    let since = parts.clock.now();
    match read_with_retry(parts.clock, &parts.policy.retry, || calendar.read(None, since)).await {
        Reading::Partial { items, .. } if items.iter().any(is_marked) => Ok(true),
        Reading::Snapshot { items, .. } => Ok(items.iter().any(is_marked)),
        Reading::Delta { changed, .. } => Ok(changed.iter().any(is_marked)),
        Reading::CursorLost => Ok(false),
        Reading::Partial { reason: error, .. } | Reading::Failed(error) => Err(error),
    }
}

fn is_marked(event: &RemoteEvent) -> bool {
    event.marker.is_some()
}

/// What a dry run would make.
fn imagined(vendor: &Vendor) -> CalendarEntry {
    CalendarEntry {
        remote: RemoteCalendarId("new".to_owned()),
        name: TARGET_NAME.to_owned(),
        time_zone: Some(vendor.time_zone.clone()),
        writable: true,
        primary: false,
        ours: true,
    }
}

/// Between this computer's look and its turn, another may have had its own.
async fn find_or_make(
    parts: &Parts<'_>,
    run: &RunId,
    home: (&ConnectionId, &dyn Account),
    vendor: &Vendor,
    not: Option<&RemoteCalendarId>,
) -> Result<Result<CalendarEntry, ServiceError>, MirrorError> {
    if parts.writer.has_company() {
        match find(parts, home.1, not).await {
            Ok(None) => {}
            Ok(Some(entry)) => return Ok(Ok(entry)),
            Err(error) => return Ok(Err(error)),
        }
    }
    make(parts, run, home, vendor, not).await
}

/// Looking first is what makes it safe to be interrupted: a calendar made just before a crash is found again.
async fn make(
    parts: &Parts<'_>,
    run: &RunId,
    (connection, account): (&ConnectionId, &dyn Account),
    vendor: &Vendor,
    not: Option<&RemoteCalendarId>,
) -> Result<Result<CalendarEntry, ServiceError>, MirrorError> {
    let Parts { mirror, clock, writer, .. } = parts;
    if let Err(error) = writer.admit(parts).await {
        return Ok(Err(error));
    }
    // An earlier try did not make one: it was just looked for.
    interrupt(
        parts,
        &mirror.world()?,
        |open| matches!(open, Operation::MakeCalendar { connection: at, .. } if at == connection),
    )?;
    let making = Operation::MakeCalendar { connection: connection.clone(), name: TARGET_NAME.to_owned() };
    let id = mirror.intend(run, &making, clock.now())?;
    mirror.attempted(id, clock.now())?;
    let sent = account.create_calendar(TARGET_NAME, &vendor.time_zone, &vendor.id).await;
    let was_made = sent.is_ok();
    let in_doubt = sent.as_ref().is_err_and(ServiceError::outcome_unknown);
    let made = match sent {
        Ok(entry) if writer.is_alone(*clock) => Ok(entry),
        // No key protects a calendar from being made twice, and without a lease, or under one that ended while this was
        // in the air, another computer may be making one at this moment: it is waited for, and both take the same.
        Ok(entry) => {
            clock.wait(OTHERS_MAY_MAKE_ONE).await;
            find(parts, account, not).await.map(|found| found.unwrap_or(entry))
        }
        Err(error) if in_doubt => match find(parts, account, not).await {
            Ok(found) => found.ok_or(error),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match &made {
        made if was_made || made.is_ok() => {
            mirror.settle(id, &Settled::CalendarMade, clock.now())?;
            no_room_was_made(parts)?;
        }
        Err(error) if !in_doubt => fail(parts, id, error)?,
        // The next run finds it, or makes it.
        Ok(_) | Err(_) => {}
    }
    Ok(made)
}

/// Longer than it takes to look, and then to make one.
const OTHERS_MAY_MAKE_ONE: Duration = Duration::from_secs(3);

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
