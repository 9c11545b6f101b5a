//! `imported_slots`: the free times of imported files within the horizon, and what became of each.

use calendar::event::Uid;
use calendar::interval::Interval;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::CalendarId;
use sync::import::{ImportedSlot, SlotKey};

use crate::column::{Json, Moment, Word};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<ImportedSlot>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT calendar_id, start_at, end_at, part, uid, summary, state, made, choice, under, conflicts,
             decided_at
         FROM imported_slots ORDER BY calendar_id, start_at, end_at",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, row: &ImportedSlot) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO imported_slots (calendar_id, start_at, end_at, part, uid, summary, state, made, choice,
             under, conflicts, decided_at)
         VALUES (:calendar_id, :start_at, :end_at, :part, :uid, :summary, :state, :made, :choice, :under,
             :conflicts, :decided_at)
         ON CONFLICT (calendar_id, start_at, end_at) DO UPDATE SET part = excluded.part, uid = excluded.uid,
             summary = excluded.summary, state = excluded.state, made = excluded.made, choice = excluded.choice,
             under = excluded.under, conflicts = excluded.conflicts, decided_at = excluded.decided_at",
    )?
    .execute(named_params! {
        ":calendar_id": row.calendar.as_str(),
        ":start_at": Moment(row.span.start()),
        ":end_at": Moment(row.span.end()),
        ":part": row.part.as_ref().map(Json),
        ":uid": row.uid.0,
        ":summary": row.summary,
        ":state": Word(row.state),
        ":made": Json(&row.made),
        ":choice": row.choice.map(Word),
        ":under": row.under,
        ":conflicts": Json(&row.conflicts),
        ":decided_at": Moment(row.decided_at),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, (calendar, span): &SlotKey) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM imported_slots WHERE calendar_id = ?1 AND start_at = ?2 AND end_at = ?3")?
        .execute((calendar.as_str(), Moment(span.start()), Moment(span.end())))?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<ImportedSlot> {
    let start = row.get::<_, Moment>("start_at")?.0;
    let end = row.get::<_, Moment>("end_at")?.0;
    let span = Interval::new(start, end)
        .ok_or_else(|| rusqlite::Error::from(FromSqlError::OutOfRange(end.as_microsecond())))?;
    Ok(ImportedSlot {
        calendar: CalendarId(row.get("calendar_id")?),
        span,
        part: row.get::<_, Option<Json<_>>>("part")?.map(|part| part.0),
        uid: Uid(row.get("uid")?),
        summary: row.get("summary")?,
        state: row.get::<_, Word<_>>("state")?.0,
        made: row.get::<_, Json<_>>("made")?.0,
        choice: row.get::<_, Option<Word<_>>>("choice")?.map(|choice| choice.0),
        under: row.get("under")?,
        conflicts: row.get::<_, Json<_>>("conflicts")?.0,
        decided_at: row.get::<_, Moment>("decided_at")?.0,
    })
}
