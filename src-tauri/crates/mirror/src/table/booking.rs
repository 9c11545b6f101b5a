//! `bookings` and `bookings_cursor`: the platform's bookings, and where the next reading of them starts.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use sync::booking::{Booking, BookingStatus, MailAddress};
use sync::ids::{BookingId, Cursor, VendorId};
use sync::ports::Coverage;
use sync::proposal::Proposal;

use crate::column::{Json, Moment};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Booking>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, vendor_id, status, start_at, end_at, service_name, customer_name, customer_email, notes,
             proposal, updated_at
         FROM bookings ORDER BY id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Those that a reading of this coverage must have shown if they are still there.
pub fn inside(connection: &Connection, coverage: Coverage) -> Result<BTreeSet<BookingId>, Failure> {
    let mut statement = connection.prepare_cached("SELECT id, start_at, end_at FROM bookings")?;
    let rows = statement.query_map([], |row| {
        Ok((BookingId(row.get(0)?), row.get::<_, Moment>(1)?.0, row.get::<_, Moment>(2)?.0))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let reached = rows.into_iter().filter(|(_, start, end)| coverage.reaches(*start, *end));
    Ok(reached.map(|(id, _, _)| id).collect())
}

pub fn put(tx: &Transaction<'_>, booking: &Booking) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO bookings (id, vendor_id, status, start_at, end_at, service_name, customer_name,
             customer_email, notes, proposal, updated_at)
         VALUES (:id, :vendor_id, :status, :start_at, :end_at, :service_name, :customer_name, :customer_email, :notes,
             :proposal, :updated_at)
         ON CONFLICT (id) DO UPDATE SET vendor_id = excluded.vendor_id, status = excluded.status,
             start_at = excluded.start_at, end_at = excluded.end_at, service_name = excluded.service_name,
             customer_name = excluded.customer_name, customer_email = excluded.customer_email, notes = excluded.notes,
             proposal = excluded.proposal, updated_at = excluded.updated_at",
    )?
    .execute(named_params! {
        ":id": booking.id.as_str(),
        ":vendor_id": booking.vendor.as_str(),
        ":status": booking.status.as_str(),
        ":start_at": Moment(booking.start),
        ":end_at": Moment(booking.end),
        ":service_name": booking.service_name,
        ":customer_name": booking.customer_name,
        ":customer_email": booking.customer_email.as_ref().map(|address| &address.0),
        ":notes": booking.notes,
        ":proposal": (booking.proposal != Proposal::NotOffered).then_some(Json(&booking.proposal)),
        ":updated_at": booking.updated_at,
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, id: &BookingId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM bookings WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

/// Brings a booking's calendar columns in line with the events that stand for it.
pub fn refresh_calendar_columns(tx: &Transaction<'_>, id: &BookingId) -> Result<(), Failure> {
    tx.prepare_cached(
        "UPDATE bookings SET
             google_calendar_event_id = (
                 SELECT event.external_event_id FROM calendar_events AS event
                 JOIN calendar_sync_status AS calendar ON calendar.id = event.calendar_id
                 JOIN connections AS connection ON connection.id = calendar.connection_id
                 WHERE event.booking_id = bookings.id AND connection.service = 'google'
                     AND event.sync_status <> 'removed' AND event.last_synced_at IS NOT NULL
                 ORDER BY event.last_synced_at DESC, event.calendar_id LIMIT 1),
             calendar_synced_at = (
                 SELECT max(event.last_synced_at) FROM calendar_events AS event
                 WHERE event.booking_id = bookings.id AND event.sync_status <> 'removed')
         WHERE id = ?1",
    )?
    .execute([id.as_str()])?;
    Ok(())
}

pub fn cursor(connection: &Connection) -> Result<Option<Cursor>, Failure> {
    let mut statement = connection.prepare_cached("SELECT cursor FROM bookings_cursor")?;
    Ok(statement.query_row([], |row| Ok(Cursor(row.get(0)?))).optional()?)
}

pub fn set_cursor(tx: &Transaction<'_>, cursor: &Cursor) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO bookings_cursor (one, cursor) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET cursor = excluded.cursor",
    )?
    .execute([cursor.as_str()])?;
    Ok(())
}

pub fn forget_cursor(tx: &Transaction<'_>) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM bookings_cursor")?.execute([])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Booking> {
    Ok(Booking {
        id: BookingId(row.get("id")?),
        vendor: VendorId(row.get("vendor_id")?),
        status: BookingStatus::parse(&row.get::<_, String>("status")?),
        start: row.get::<_, Moment>("start_at")?.0,
        end: row.get::<_, Moment>("end_at")?.0,
        service_name: row.get("service_name")?,
        customer_name: row.get("customer_name")?,
        customer_email: row.get::<_, Option<_>>("customer_email")?.map(MailAddress),
        notes: row.get("notes")?,
        proposal: row.get::<_, Option<Json<_>>>("proposal")?.map_or(Proposal::NotOffered, |told| told.0),
        updated_at: row.get("updated_at")?,
    })
}
