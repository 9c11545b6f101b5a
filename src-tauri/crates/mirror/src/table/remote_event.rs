//! `remote_events`: what each calendar held when it was last read or written.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::decide::times;
use sync::ids::{BookingId, CalendarId, ETag, RemoteId};
use sync::ports::{Coverage, Marker, RemoteEvent};

use crate::column::Json;
use crate::failure::Failure;

pub fn all(
    connection: &Connection,
) -> Result<BTreeMap<CalendarId, BTreeMap<RemoteId, RemoteEvent>>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT calendar_id, external_event_id, event_etag, event, marker_booking_id, marker_generation,
             create_key
         FROM remote_events",
    )?;
    let mut calendars: BTreeMap<CalendarId, BTreeMap<_, _>> = BTreeMap::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let event = read(row)?;
        calendars.entry(CalendarId(row.get("calendar_id")?)).or_default().insert(event.id.clone(), event);
    }
    Ok(calendars)
}

/// Those that a reading of this coverage must have shown if they are still there, and past ones that nobody needs any
/// more. What stands for a booking and lies outside the coverage is not among them.
pub fn inside(
    connection: &Connection,
    calendar: &CalendarId,
    coverage: Coverage,
) -> Result<BTreeSet<RemoteId>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT external_event_id FROM remote_events WHERE calendar_id = ?1")?;
    let ids = statement.query_map([calendar.as_str()], |row| Ok(RemoteId(row.get(0)?)))?;
    let mut ids: BTreeSet<RemoteId> = ids.collect::<Result<_, _>>()?;
    for event in of_bookings(connection, calendar)? {
        if times(&event).is_some_and(|(start, end)| !event.event.repeats() && !coverage.reaches(start, end)) {
            ids.remove(&event.id);
        }
    }
    Ok(ids)
}

fn of_bookings(connection: &Connection, calendar: &CalendarId) -> Result<Vec<RemoteEvent>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT external_event_id, event_etag, event, marker_booking_id, marker_generation, create_key
         FROM remote_events
         WHERE calendar_id = ?1 AND external_event_id IN
             (SELECT external_event_id FROM calendar_events WHERE calendar_id = ?1)",
    )?;
    Ok(statement.query_map([calendar.as_str()], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, calendar: &CalendarId, event: &RemoteEvent) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO remote_events (calendar_id, external_event_id, event_etag, event, marker_booking_id,
             marker_generation, create_key)
         VALUES (:calendar_id, :external_event_id, :event_etag, :event, :marker_booking_id, :marker_generation,
             :create_key)
         ON CONFLICT (calendar_id, external_event_id) DO UPDATE SET event_etag = excluded.event_etag,
             event = excluded.event, marker_booking_id = excluded.marker_booking_id,
             marker_generation = excluded.marker_generation, create_key = excluded.create_key",
    )?
    .execute(named_params! {
        ":calendar_id": calendar.as_str(),
        ":external_event_id": event.id.as_str(),
        ":event_etag": event.etag.as_str(),
        ":event": Json(&event.event),
        ":marker_booking_id": event.marker.as_ref().map(|marker| marker.booking.as_str()),
        ":marker_generation": event.marker.as_ref().map(|marker| marker.generation),
        ":create_key": event.created_as.as_ref().map(RemoteId::as_str),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, calendar: &CalendarId, id: &RemoteId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM remote_events WHERE calendar_id = ?1 AND external_event_id = ?2")?
        .execute([calendar.as_str(), id.as_str()])?;
    Ok(())
}

/// Removes what a calendar that is left alone holds of hers. Events that stand for bookings stay: they are ours to
/// take away, and that needs what they were.
pub fn remove_foreign(tx: &Transaction<'_>, calendar: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached(
        "DELETE FROM remote_events WHERE calendar_id = ?1 AND external_event_id NOT IN
             (SELECT external_event_id FROM calendar_events WHERE calendar_id = ?1)",
    )?
    .execute([calendar.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<RemoteEvent> {
    let booking: Option<_> = row.get("marker_booking_id")?;
    let generation: Option<_> = row.get("marker_generation")?;
    Ok(RemoteEvent {
        id: RemoteId(row.get("external_event_id")?),
        etag: ETag(row.get("event_etag")?),
        event: row.get::<_, Json<_>>("event")?.0,
        marker: booking
            .zip(generation)
            .map(|(booking, generation)| Marker { booking: BookingId(booking), generation }),
        created_as: row.get::<_, Option<String>>("create_key")?.map(RemoteId),
    })
}
