//! `pause`: whether she asked for no syncs for a while.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use crate::column::Moment;
use crate::failure::Failure;

/// She asked for no syncs for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub since: Timestamp,
    /// Nothing until she takes it back.
    pub until: Option<Timestamp>,
}

impl Pause {
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

pub fn get(connection: &Connection) -> Result<Option<Pause>, Failure> {
    Ok(connection.query_row("SELECT since, until FROM pause", [], read).optional()?)
}

pub fn set(tx: &Transaction<'_>, pause: Option<&Pause>) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM pause")?.execute([])?;
    if let Some(pause) = pause {
        tx.prepare_cached("INSERT INTO pause (one, since, until) VALUES (1, :since, :until)")?
            .execute(named_params! { ":since": Moment(pause.since), ":until": pause.until.map(Moment) })?;
    }
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Pause> {
    Ok(Pause {
        since: row.get::<_, Moment>("since")?.0,
        until: row.get::<_, Option<Moment>>("until")?.map(|at| at.0),
    })
}
