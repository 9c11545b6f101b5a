//! `hours`: when she works, as Bookiji said it when it was last asked.

use calendar::hours::Hours;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use crate::column::{Json, Moment};
use crate::failure::Failure;

/// What was said, and when it was asked.
pub type Told = (Option<Hours>, Timestamp);

pub fn get(connection: &Connection) -> Result<Option<Told>, Failure> {
    let read = |row: &rusqlite::Row<'_>| {
        let said: Option<String> = row.get("hours")?;
        // What an older version wrote otherwise is asked anew within a day.
        let hours = said.and_then(|text| serde_json::from_str(&text).ok());
        Ok((hours, row.get::<_, Moment>("asked_at")?.0))
    };
    Ok(connection.query_row("SELECT hours, asked_at FROM hours", [], read).optional()?)
}

pub fn set(tx: &Transaction<'_>, hours: Option<&Hours>, asked_at: Timestamp) -> Result<(), Failure> {
    tx.prepare_cached("INSERT OR REPLACE INTO hours (one, hours, asked_at) VALUES (1, :hours, :asked_at)")?
        .execute(named_params! { ":hours": hours.map(Json), ":asked_at": Moment(asked_at) })?;
    Ok(())
}
