//! `rebuilds`: damaged files that were set aside, this file in the place of the last one.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::column::Moment;
use crate::failure::Failure;
use crate::rebuild::Rebuilt;

pub fn last(connection: &Connection) -> Result<Option<Rebuilt>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT rebuilt_at, kept_as, reason, imports_lost FROM rebuilds ORDER BY rebuilt_at DESC LIMIT 1",
    )?;
    Ok(statement.query_row([], read).optional()?)
}

pub fn put(tx: &Transaction<'_>, rebuilt: &Rebuilt) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO rebuilds (rebuilt_at, kept_as, reason, imports_lost)
         VALUES (:rebuilt_at, :kept_as, :reason, :imports_lost)
         ON CONFLICT (rebuilt_at) DO UPDATE SET kept_as = excluded.kept_as, reason = excluded.reason,
             imports_lost = excluded.imports_lost",
    )?
    .execute(named_params! {
        ":rebuilt_at": Moment(rebuilt.at),
        ":kept_as": rebuilt.kept_as,
        ":reason": rebuilt.reason,
        ":imports_lost": rebuilt.imports_lost,
    })?;
    Ok(())
}

pub fn imports_are_back(tx: &Transaction<'_>) -> Result<(), Failure> {
    tx.prepare_cached("UPDATE rebuilds SET imports_lost = 0")?.execute([])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Rebuilt> {
    Ok(Rebuilt {
        at: row.get::<_, Moment>("rebuilt_at")?.0,
        kept_as: row.get("kept_as")?,
        reason: row.get("reason")?,
        imports_lost: row.get("imports_lost")?,
    })
}
