//! `invitations`: imported events that came as a question, and how she answered.

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::{CalendarId, RemoteId};
use sync::import::Invitation;

use crate::column::Word;
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Invitation>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT calendar_id, external_event_id, asked, answer FROM invitations
         ORDER BY calendar_id, external_event_id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Writes the row; its event must be there.
pub fn put(tx: &Transaction<'_>, invitation: &Invitation) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO invitations (calendar_id, external_event_id, asked, answer)
         VALUES (:calendar_id, :external_event_id, :asked, :answer)
         ON CONFLICT (calendar_id, external_event_id) DO UPDATE SET asked = excluded.asked,
             answer = excluded.answer",
    )?
    .execute(named_params! {
        ":calendar_id": invitation.calendar.as_str(),
        ":external_event_id": invitation.event.as_str(),
        ":asked": invitation.asked,
        ":answer": Word(invitation.answer),
    })?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        calendar: CalendarId(row.get("calendar_id")?),
        event: RemoteId(row.get("external_event_id")?),
        asked: row.get("asked")?,
        answer: row.get::<_, Word<_>>("answer")?.0,
    })
}
