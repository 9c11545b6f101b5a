//! What a status line needs, without reading every event.

use std::collections::BTreeMap;

use rusqlite::Connection as Db;
use serde::{Deserialize, Serialize};
use sync::ids::CalendarId;
use sync::world::{Connection, LinkedCalendar, RunRecord, Vendor};

use crate::failure::Failure;
use crate::table::{calendar, connection, run, vendor};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub vendor: Option<Vendor>,
    pub connections: Vec<Connection>,
    pub calendars: Vec<LinkedCalendar>,
    pub bookings: u32,
    /// Per calendar, ours among them.
    pub events: BTreeMap<CalendarId, u32>,
    pub mappings: MappingCounts,
    /// Intended and never settled.
    pub pending_operations: u32,
    pub last_run: Option<RunRecord>,
}

/// How many bookings' events are in which state; removed ones are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingCounts {
    pub synced: u32,
    pub pending: u32,
    pub error: u32,
}

pub(crate) fn read(db: &Db) -> Result<Overview, Failure> {
    let count = |sql: &str| db.prepare_cached(sql)?.query_row([], |row| row.get(0));
    let mut statement =
        db.prepare_cached("SELECT calendar_id, count(*) FROM remote_events GROUP BY calendar_id")?;
    let events = statement.query_map([], |row| Ok((CalendarId(row.get(0)?), row.get(1)?)))?;
    let mut statement = db.prepare_cached(
        "SELECT count(*) FILTER (WHERE sync_status = 'synced'),
             count(*) FILTER (WHERE sync_status = 'pending'),
             count(*) FILTER (WHERE sync_status = 'error')
         FROM calendar_events",
    )?;
    let mappings = statement.query_row([], |row| {
        Ok(MappingCounts { synced: row.get(0)?, pending: row.get(1)?, error: row.get(2)? })
    })?;
    Ok(Overview {
        vendor: vendor::get(db)?,
        connections: connection::all(db)?,
        calendars: calendar::all(db)?,
        bookings: count("SELECT count(*) FROM bookings")?,
        events: events.collect::<Result<_, _>>()?,
        mappings,
        pending_operations: count("SELECT count(*) FROM operations WHERE settled_at IS NULL")?,
        last_run: run::recent(db, 1)?.pop(),
    })
}
