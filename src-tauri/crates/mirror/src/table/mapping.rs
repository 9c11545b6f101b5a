//! `calendar_events`: which event stands for which booking, in which calendar.

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::{BookingId, CalendarId, ETag, RemoteId, VendorId};
use sync::world::Mapping;

use crate::column::{Moment, Word, problem};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Mapping>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT booking_id, calendar_id, vendor_id, external_event_id, generation, event_etag, sync_status,
             sync_error_code, sync_error, written_checksum, echo_fingerprint, last_synced_at, created_at, updated_at
         FROM calendar_events ORDER BY booking_id, calendar_id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Writes the row. One that is there keeps the time it was made.
pub fn put(tx: &Transaction<'_>, mapping: &Mapping) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO calendar_events (booking_id, calendar_id, vendor_id, external_event_id, generation,
             event_etag, sync_status, sync_error_code, sync_error, written_checksum, echo_fingerprint,
             last_synced_at, created_at, updated_at)
         VALUES (:booking_id, :calendar_id, :vendor_id, :external_event_id, :generation, :event_etag, :sync_status,
             :sync_error_code, :sync_error, :written_checksum, :echo_fingerprint, :last_synced_at, :created_at,
             :updated_at)
         ON CONFLICT (booking_id, calendar_id) DO UPDATE SET vendor_id = excluded.vendor_id,
             external_event_id = excluded.external_event_id, generation = excluded.generation,
             event_etag = excluded.event_etag, sync_status = excluded.sync_status,
             sync_error_code = excluded.sync_error_code, sync_error = excluded.sync_error,
             written_checksum = excluded.written_checksum, echo_fingerprint = excluded.echo_fingerprint,
             last_synced_at = excluded.last_synced_at, updated_at = excluded.updated_at",
    )?
    .execute(named_params! {
        ":booking_id": mapping.booking.as_str(),
        ":calendar_id": mapping.calendar.as_str(),
        ":vendor_id": mapping.vendor.as_str(),
        ":external_event_id": mapping.event.as_str(),
        ":generation": mapping.generation,
        ":event_etag": mapping.etag.as_ref().map(ETag::as_str),
        ":sync_status": Word(mapping.state),
        ":sync_error_code": mapping.error.as_ref().map(|error| Word(error.code)),
        ":sync_error": mapping.error.as_ref().map(|error| &error.message),
        ":written_checksum": mapping.written,
        ":echo_fingerprint": mapping.echo,
        ":last_synced_at": mapping.last_synced_at.map(Moment),
        ":created_at": Moment(mapping.created_at),
        ":updated_at": Moment(mapping.updated_at),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, booking: &BookingId, calendar: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM calendar_events WHERE booking_id = ?1 AND calendar_id = ?2")?
        .execute([booking.as_str(), calendar.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Mapping> {
    Ok(Mapping {
        booking: BookingId(row.get("booking_id")?),
        calendar: CalendarId(row.get("calendar_id")?),
        vendor: VendorId(row.get("vendor_id")?),
        event: RemoteId(row.get("external_event_id")?),
        generation: row.get("generation")?,
        state: row.get::<_, Word<_>>("sync_status")?.0,
        etag: row.get::<_, Option<_>>("event_etag")?.map(ETag),
        written: row.get("written_checksum")?,
        echo: row.get("echo_fingerprint")?,
        error: problem(row, "sync_error_code", "sync_error")?,
        last_synced_at: row.get::<_, Option<Moment>>("last_synced_at")?.map(|at| at.0),
        created_at: row.get::<_, Moment>("created_at")?.0,
        updated_at: row.get::<_, Moment>("updated_at")?.0,
    })
}
