//! `platform`: which of its interfaces it answered when it was last asked.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use crate::column::Moment;
use crate::failure::Failure;

/// The interface's word, and when the platform was asked for it.
pub type Interface = (String, Timestamp);

pub fn get(connection: &Connection) -> Result<Option<Interface>, Failure> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get("interface")?, row.get::<_, Moment>("asked_at")?.0));
    Ok(connection.query_row("SELECT interface, asked_at FROM platform", [], read).optional()?)
}

/// Answers whether it is another one than before.
pub fn set(tx: &Transaction<'_>, interface: &str, asked_at: Timestamp) -> Result<bool, Failure> {
    let before = get(tx)?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO platform (one, interface, asked_at) VALUES (1, :interface, :asked_at)",
    )?
    .execute(named_params! { ":interface": interface, ":asked_at": Moment(asked_at) })?;
    Ok(before.is_some_and(|(known, _)| known != interface))
}
