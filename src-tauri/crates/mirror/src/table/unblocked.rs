//! `unblocked`: times that she lets be booked although a calendar blocks them.

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, Transaction, named_params, params};
use sync::ids::CalendarId;
use sync::unblocked::Unblocked;

use crate::column::Moment;
use crate::failure::Failure;

/// Rows stay until no busy set reaches back to their time: a set begins with her day.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

pub fn all(connection: &Connection) -> Result<Vec<Unblocked>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT calendar_id, start_at, end_at, at FROM unblocked ORDER BY start_at")?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, row: &Unblocked) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO unblocked (calendar_id, start_at, end_at, at)
         VALUES (:calendar_id, :start_at, :end_at, :at)",
    )?
    .execute(named_params! {
        ":calendar_id": row.calendar.as_str(),
        ":start_at": Moment(row.span.start()),
        ":end_at": Moment(row.span.end()),
        ":at": Moment(row.at),
    })?;
    Ok(())
}

/// Drops every row that has to do with this time.
pub fn take_back(tx: &Transaction<'_>, span: Interval) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM unblocked WHERE start_at < ?2 AND end_at > ?1")?
        .execute(params![Moment(span.start()), Moment(span.end())])?;
    Ok(())
}

pub fn prune(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Failure> {
    let since = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    tx.prepare_cached("DELETE FROM unblocked WHERE end_at < ?1")?.execute([Moment(since)])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Unblocked> {
    let start = row.get::<_, Moment>("start_at")?.0;
    let end = row.get::<_, Moment>("end_at")?.0;
    let span = Interval::new(start, end)
        .ok_or_else(|| rusqlite::Error::from(FromSqlError::OutOfRange(end.as_microsecond())))?;
    Ok(Unblocked { span, calendar: CalendarId(row.get("calendar_id")?), at: row.get::<_, Moment>("at")?.0 })
}
