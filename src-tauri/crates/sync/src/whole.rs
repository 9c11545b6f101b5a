//! Reads a side in full once a week although its cursor works: a service that forgot to tell a change is found out. The
//! cursor was followed first, so what differs then was never told.

use crate::busy_set::{vendor_zone, window};
use crate::error::MirrorError;
use crate::ids::Cursor;
use crate::missing;
use crate::news::News;
use crate::ports::{Account, Reading};
use crate::provenance::name;
use crate::reconcile::{FullReading, Side, booking_drift, event_drift, is_due};
use crate::report::{DriftReport, Report};
use crate::retry::read_with_retry;
use crate::run::Parts;
use crate::world::{LinkedCalendar, World};

/// A reading that was whole anyway counts as the full one of its week.
///
/// # Errors
/// When the mirror cannot be written.
pub fn was_whole(parts: &Parts<'_>, world: &World, side: &Side) -> Result<(), MirrorError> {
    let now = parts.clock.now();
    if !is_due(side, world.full_readings.get(side), now) {
        return Ok(());
    }
    parts.mirror.put_full_reading(side, &FullReading::done(now))
}

/// Reads a calendar in full if it is time. What the reading cannot show stays as it is, cursor and all, and is looked for
/// again the next day.
///
/// # Errors
/// When the mirror cannot be read or written.
pub async fn calendar(
    parts: &Parts<'_>,
    account: &dyn Account,
    calendar: &LinkedCalendar,
    report: &mut Report,
) -> Result<(), MirrorError> {
    let world = parts.mirror.world()?;
    let side = Side::Calendar(calendar.id.clone());
    if report.dry_run || !begin(parts, &world, &side)? {
        return Ok(());
    }
    let zone = vendor_zone(world.vendor.as_ref());
    let window = window(parts.clock.now(), &zone, &parts.policy);
    let remote = account.calendar(&calendar.remote);
    let reading =
        read_with_retry(parts.clock, &parts.policy.retry, || remote.read(None, window.start())).await;
    let Reading::Snapshot { mut items, coverage, cursor } = reading else { return Ok(()) };
    let shows_nothing = items.is_empty();
    let Ok(found) = missing::look(parts, &world, calendar, remote.as_ref(), &items, coverage).await else {
        return Ok(());
    };
    items.extend(found.standing.iter().cloned());
    name(&world, calendar, &mut items);
    let known = world.events.get(&calendar.id).cloned().unwrap_or_default();
    let differences = event_drift(&known, &items, window, &zone);
    // A service that shows nothing at all where its cursor took nothing away is ill.
    if shows_nothing && differences > 0 {
        return Ok(());
    }
    found.note(parts, calendar)?;
    let news = News::Whole { items: &items, coverage, cursor: cursor.as_ref() };
    parts.mirror.take_events(&calendar.id, &news)?;
    end(parts, side, differences, report)
}

/// As [`calendar()`], for the platform's bookings.
///
/// # Errors
/// As [`calendar()`].
pub async fn bookings(parts: &Parts<'_>, report: &mut Report) -> Result<(), MirrorError> {
    let world = parts.mirror.world()?;
    let side = Side::Bookings;
    if report.dry_run || !begin(parts, &world, &side)? {
        return Ok(());
    }
    let none: Option<&Cursor> = None;
    let reading = read_with_retry(parts.clock, &parts.policy.retry, || parts.platform.bookings(none)).await;
    let Reading::Snapshot { items, coverage, cursor } = reading else { return Ok(()) };
    let differences = booking_drift(&world.bookings, &items);
    if items.is_empty() && differences > 0 {
        return Ok(());
    }
    parts.mirror.take_bookings(&News::Whole { items: &items, coverage, cursor: cursor.as_ref() })?;
    end(parts, side, differences, report)
}

/// Whether it is time; writes down that it was tried before anything is asked.
fn begin(parts: &Parts<'_>, world: &World, side: &Side) -> Result<bool, MirrorError> {
    let (now, last) = (parts.clock.now(), world.full_readings.get(side));
    if !is_due(side, last, now) {
        return Ok(false);
    }
    let read_at = last.and_then(|last| last.read_at);
    parts.mirror.put_full_reading(side, &FullReading { read_at, tried_at: Some(now) })?;
    Ok(true)
}

fn end(parts: &Parts<'_>, side: Side, differences: usize, report: &mut Report) -> Result<(), MirrorError> {
    parts.mirror.put_full_reading(&side, &FullReading::done(parts.clock.now()))?;
    if differences > 0 {
        report.drift.push(DriftReport { side: side.as_str().to_owned(), differences });
    }
    Ok(())
}
