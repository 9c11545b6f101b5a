//! `calendar_sync_status`: the calendars, what each is for, and how far it was read.

use calendar::busy::BusyRules;
use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::{CalendarId, ConnectionId, Cursor, RemoteCalendarId};
use sync::world::LinkedCalendar;

use crate::column::{Moment, Word, problem};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<LinkedCalendar>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, connection_id, external_calendar_id, name, time_zone, writable, role, all_day_rule,
             tentative_blocks, buffer_before_minutes, buffer_after_minutes, sync_frequency_minutes,
             auto_sync_enabled, cursor, known, last_sync_at, last_sync_status, last_sync_error_code,
             last_sync_error, next_sync_at, created_at, updated_at
         FROM calendar_sync_status ORDER BY id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Writes the row. One that is there keeps its cursor and whether it is known: those belong to readings, and the
/// caller's copy may be older than the last one.
pub fn put(tx: &Transaction<'_>, calendar: &LinkedCalendar) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO calendar_sync_status (id, connection_id, external_calendar_id, name, time_zone, writable,
             role, all_day_rule, tentative_blocks, buffer_before_minutes, buffer_after_minutes,
             sync_frequency_minutes, auto_sync_enabled, cursor, known, last_sync_at, last_sync_status,
             last_sync_error_code, last_sync_error, next_sync_at, created_at, updated_at)
         VALUES (:id, :connection_id, :external_calendar_id, :name, :time_zone, :writable, :role, :all_day_rule,
             :tentative_blocks, :buffer_before_minutes, :buffer_after_minutes, :sync_frequency_minutes,
             :auto_sync_enabled, :cursor, :known, :last_sync_at, :last_sync_status, :last_sync_error_code,
             :last_sync_error, :next_sync_at, :created_at, :updated_at)
         ON CONFLICT (id) DO UPDATE SET connection_id = excluded.connection_id,
             external_calendar_id = excluded.external_calendar_id, name = excluded.name,
             time_zone = excluded.time_zone, writable = excluded.writable, role = excluded.role,
             all_day_rule = excluded.all_day_rule, tentative_blocks = excluded.tentative_blocks,
             buffer_before_minutes = excluded.buffer_before_minutes,
             buffer_after_minutes = excluded.buffer_after_minutes,
             sync_frequency_minutes = excluded.sync_frequency_minutes,
             auto_sync_enabled = excluded.auto_sync_enabled, last_sync_at = excluded.last_sync_at,
             last_sync_status = excluded.last_sync_status,
             last_sync_error_code = excluded.last_sync_error_code,
             last_sync_error = excluded.last_sync_error, next_sync_at = excluded.next_sync_at,
             updated_at = excluded.updated_at",
    )?
    .execute(named_params! {
        ":id": calendar.id.as_str(),
        ":connection_id": calendar.connection.as_str(),
        ":external_calendar_id": calendar.remote.as_str(),
        ":name": calendar.name,
        ":time_zone": calendar.time_zone,
        ":writable": calendar.writable,
        ":role": Word(calendar.role),
        ":all_day_rule": Word(calendar.rules.all_day),
        ":tentative_blocks": calendar.rules.tentative_blocks,
        ":buffer_before_minutes": calendar.rules.buffer_before_minutes,
        ":buffer_after_minutes": calendar.rules.buffer_after_minutes,
        ":sync_frequency_minutes": calendar.sync_frequency_minutes,
        ":auto_sync_enabled": calendar.auto_sync_enabled,
        ":cursor": calendar.cursor.as_ref().map(Cursor::as_str),
        ":known": calendar.known,
        ":last_sync_at": calendar.last_sync_at.map(Moment),
        ":last_sync_status": calendar.last_sync_status.map(Word),
        ":last_sync_error_code": calendar.last_sync_error.as_ref().map(|error| Word(error.code)),
        ":last_sync_error": calendar.last_sync_error.as_ref().map(|error| &error.message),
        ":next_sync_at": calendar.next_sync_at.map(Moment),
        ":created_at": Moment(calendar.created_at),
        ":updated_at": Moment(calendar.updated_at),
    })?;
    Ok(())
}

/// Writes down how far a reading came. Without a new cursor, a complete reading has none and a partial one leaves
/// the old: what it did not reach is read again from there.
pub fn took_reading(
    tx: &Transaction<'_>,
    id: &CalendarId,
    complete: bool,
    cursor: Option<&Cursor>,
) -> Result<(), Failure> {
    let rows = tx
        .prepare_cached(
            "UPDATE calendar_sync_status SET
                 cursor = CASE WHEN :complete THEN :cursor ELSE coalesce(:cursor, cursor) END,
                 known = known OR :complete OR :cursor IS NOT NULL
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": id.as_str(),
            ":complete": complete,
            ":cursor": cursor.map(Cursor::as_str),
        })?;
    if rows == 0 { Err(Failure::Refused(format!("there is no calendar {id}"))) } else { Ok(()) }
}

pub fn forget_cursor(tx: &Transaction<'_>, id: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached("UPDATE calendar_sync_status SET cursor = NULL WHERE id = ?1")?
        .execute([id.as_str()])?;
    Ok(())
}

/// Takes back that the calendar was ever read.
pub fn forget(tx: &Transaction<'_>, id: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached("UPDATE calendar_sync_status SET cursor = NULL, known = 0 WHERE id = ?1")?
        .execute([id.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<LinkedCalendar> {
    let moment =
        |name: &str| -> rusqlite::Result<_> { Ok(row.get::<_, Option<Moment>>(name)?.map(|at| at.0)) };
    Ok(LinkedCalendar {
        id: CalendarId(row.get("id")?),
        connection: ConnectionId(row.get("connection_id")?),
        remote: RemoteCalendarId(row.get("external_calendar_id")?),
        name: row.get("name")?,
        time_zone: row.get("time_zone")?,
        writable: row.get("writable")?,
        role: row.get::<_, Word<_>>("role")?.0,
        rules: BusyRules {
            all_day: row.get::<_, Word<_>>("all_day_rule")?.0,
            tentative_blocks: row.get("tentative_blocks")?,
            buffer_before_minutes: row.get("buffer_before_minutes")?,
            buffer_after_minutes: row.get("buffer_after_minutes")?,
        },
        sync_frequency_minutes: row.get("sync_frequency_minutes")?,
        auto_sync_enabled: row.get("auto_sync_enabled")?,
        cursor: row.get::<_, Option<_>>("cursor")?.map(Cursor),
        known: row.get("known")?,
        last_sync_at: moment("last_sync_at")?,
        last_sync_status: row.get::<_, Option<Word<_>>>("last_sync_status")?.map(|status| status.0),
        last_sync_error: problem(row, "last_sync_error_code", "last_sync_error")?,
        next_sync_at: moment("next_sync_at")?,
        created_at: row.get::<_, Moment>("created_at")?.0,
        updated_at: row.get::<_, Moment>("updated_at")?.0,
    })
}
