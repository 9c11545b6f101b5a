//! `import_choices`: what she chose where an imported event's free times meet slots of hers.

use std::collections::BTreeMap;

use calendar::event::Uid;
use rusqlite::{Connection, Transaction};
use sync::ids::CalendarId;
use sync::import::OnConflict;

use crate::column::Word;
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<BTreeMap<(CalendarId, Uid), OnConflict>, Failure> {
    let mut statement = connection.prepare_cached("SELECT calendar_id, uid, choice FROM import_choices")?;
    let rows = statement.query_map([], |row| {
        Ok(((CalendarId(row.get(0)?), Uid(row.get(1)?)), row.get::<_, Word<_>>(2)?.0))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn set(
    tx: &Transaction<'_>,
    calendar: &CalendarId,
    uid: &Uid,
    choice: Option<OnConflict>,
) -> Result<(), Failure> {
    let Some(choice) = choice else {
        tx.prepare_cached("DELETE FROM import_choices WHERE calendar_id = ?1 AND uid = ?2")?
            .execute((calendar.as_str(), &uid.0))?;
        return Ok(());
    };
    tx.prepare_cached(
        "INSERT INTO import_choices (calendar_id, uid, choice) VALUES (?1, ?2, ?3)
         ON CONFLICT (calendar_id, uid) DO UPDATE SET choice = excluded.choice",
    )?
    .execute((calendar.as_str(), &uid.0, Word(choice)))?;
    Ok(())
}
