//! `gone_calendars`: those that their service says it does not have any more, and since when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, named_params};
use sync::ids::CalendarId;

use crate::column::Moment;
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<BTreeMap<CalendarId, Timestamp>, Failure> {
    let mut statement = connection.prepare_cached("SELECT calendar_id, since FROM gone_calendars")?;
    let rows = statement.query_map([], |row| Ok((CalendarId(row.get(0)?), row.get::<_, Moment>(1)?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn set(tx: &Transaction<'_>, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), Failure> {
    match since {
        Some(since) => tx
            .prepare_cached(
                "INSERT INTO gone_calendars (calendar_id, since) VALUES (:calendar_id, :since)
                 ON CONFLICT (calendar_id) DO UPDATE SET since = excluded.since",
            )?
            .execute(named_params! { ":calendar_id": calendar.as_str(), ":since": Moment(since) })?,
        None => tx
            .prepare_cached("DELETE FROM gone_calendars WHERE calendar_id = ?1")?
            .execute([calendar.as_str()])?,
    };
    Ok(())
}
