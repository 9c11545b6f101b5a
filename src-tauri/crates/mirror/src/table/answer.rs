//! `answers`: what she decided about events of bookings that she had changed.

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::{BookingId, CalendarId};
use sync::world::Answer;

use crate::column::{Moment, Word};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Answer>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT booking_id, calendar_id, card, choice, answered_at FROM answers ORDER BY booking_id, calendar_id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, answer: &Answer) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO answers (booking_id, calendar_id, card, choice, answered_at)
         VALUES (:booking_id, :calendar_id, :card, :choice, :answered_at)
         ON CONFLICT (booking_id, calendar_id) DO UPDATE SET card = excluded.card, choice = excluded.choice,
             answered_at = excluded.answered_at",
    )?
    .execute(named_params! {
        ":booking_id": answer.booking.as_str(),
        ":calendar_id": answer.calendar.as_str(),
        ":card": answer.card,
        ":choice": Word(answer.choice),
        ":answered_at": Moment(answer.at),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, booking: &BookingId, calendar: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM answers WHERE booking_id = ?1 AND calendar_id = ?2")?
        .execute([booking.as_str(), calendar.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Answer> {
    Ok(Answer {
        booking: BookingId(row.get("booking_id")?),
        calendar: CalendarId(row.get("calendar_id")?),
        card: row.get("card")?,
        choice: row.get::<_, Word<_>>("choice")?.0,
        at: row.get::<_, Moment>("answered_at")?.0,
    })
}
