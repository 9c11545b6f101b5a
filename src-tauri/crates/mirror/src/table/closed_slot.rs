//! `closed_slots`: the slots that we closed, or are about to.

use calendar::interval::Interval;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, Transaction, named_params};
use sync::closing::ClosedSlot;
use sync::ids::SlotId;

use crate::column::{Moment, Word};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<ClosedSlot>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT slot_id, start_at, end_at, state, at FROM closed_slots ORDER BY slot_id")?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, row: &ClosedSlot) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO closed_slots (slot_id, start_at, end_at, state, at)
         VALUES (:slot_id, :start_at, :end_at, :state, :at)",
    )?
    .execute(named_params! {
        ":slot_id": row.id.as_str(),
        ":start_at": Moment(row.span.start()),
        ":end_at": Moment(row.span.end()),
        ":state": Word(row.state),
        ":at": Moment(row.at),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, slot: &SlotId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM closed_slots WHERE slot_id = ?1")?.execute([slot.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<ClosedSlot> {
    let start = row.get::<_, Moment>("start_at")?.0;
    let end = row.get::<_, Moment>("end_at")?.0;
    let span = Interval::new(start, end)
        .ok_or_else(|| rusqlite::Error::from(FromSqlError::OutOfRange(end.as_microsecond())))?;
    Ok(ClosedSlot {
        id: SlotId(row.get("slot_id")?),
        span,
        state: row.get::<_, Word<_>>("state")?.0,
        at: row.get::<_, Moment>("at")?.0,
    })
}
