//! `installation` and `lease`: which computer this is, and which of them writes.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params, params};
use sync::ids::InstallationId;
use sync::lease::{Fencing, LeaseRecord, StandingBy};

use crate::column::Moment;
use crate::failure::Failure;

/// Who this installation is. One that was made on another computer is that one's: from then on it is `fresh`.
pub fn installation(
    tx: &Transaction<'_>,
    computer: &str,
    fresh: &InstallationId,
) -> Result<InstallationId, Failure> {
    let known: Option<String> = tx
        .prepare_cached("SELECT id FROM installation WHERE computer = ?1")?
        .query_row([computer], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(InstallationId(id));
    }
    tx.prepare_cached("INSERT OR REPLACE INTO installation (one, id, computer) VALUES (1, ?1, ?2)")?
        .execute(params![fresh.as_str(), computer])?;
    Ok(fresh.clone())
}

pub fn get(connection: &Connection) -> Result<LeaseRecord, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT last_fencing, holder, standing_by_since FROM lease")?;
    Ok(statement.query_row([], read).optional()?.unwrap_or_default())
}

pub fn set(tx: &Transaction<'_>, record: &LeaseRecord) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO lease (one, last_fencing, holder, standing_by_since)
         VALUES (1, :last_fencing, :holder, :standing_by_since)",
    )?
    .execute(named_params! {
        // Beyond this the platform's own numbers end.
        ":last_fencing": record.last.map(|last| i64::try_from(last.0).unwrap_or(i64::MAX)),
        ":holder": record.standing_by.as_ref().map(|other| other.holder.as_str()),
        ":standing_by_since": record.standing_by.as_ref().map(|other| Moment(other.since)),
    })?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<LeaseRecord> {
    let last: Option<i64> = row.get("last_fencing")?;
    let holder: Option<String> = row.get("holder")?;
    let since: Option<Moment> = row.get("standing_by_since")?;
    Ok(LeaseRecord {
        last: last.map(|last| Fencing(last.unsigned_abs())),
        standing_by: holder.zip(since).map(|(holder, since)| StandingBy { holder, since: since.0 }),
    })
}
