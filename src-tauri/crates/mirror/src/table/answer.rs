//! `answers`: what she decided, one row for each thing that was asked about.

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::{BookingId, CalendarId};
use sync::world::{Answer, Given, Mapping};

use crate::column::{Moment, Word};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Answer>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT calendar_id, booking_id, topic, card, choice, given, answered_at FROM answers
         ORDER BY calendar_id, booking_id, topic",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, answer: &Answer) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO answers (calendar_id, booking_id, topic, card, choice, given, answered_at)
         VALUES (:calendar_id, :booking_id, :topic, :card, :choice, :given, :answered_at)
         ON CONFLICT (calendar_id, booking_id, topic) DO UPDATE SET card = excluded.card,
             choice = excluded.choice, given = excluded.given, answered_at = excluded.answered_at",
    )?
    .execute(named_params! {
        ":calendar_id": answer.calendar.as_str(),
        ":booking_id": answer.booking.as_ref().map_or("", BookingId::as_str),
        ":topic": answer.topic,
        ":card": answer.card,
        ":choice": Word(answer.choice),
        ":given": Word(answer.given),
        ":answered_at": Moment(answer.at),
    })?;
    Ok(())
}

pub fn take_back(tx: &Transaction<'_>, card: &str) -> Result<(), Failure> {
    tx.prepare_cached("UPDATE answers SET given = :given WHERE card = :card")?
        .execute(named_params! { ":given": Word(Given::TakenBack), ":card": card })?;
    Ok(())
}

/// Once words of ours stand on the event, an answer about hers was for words that are no more.
pub fn spend(tx: &Transaction<'_>, mapping: &Mapping) -> Result<(), Failure> {
    if sync::decide::kept_her_words(mapping) {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM answers WHERE calendar_id = ?1 AND booking_id = ?2 AND topic = ?3")?
        .execute([mapping.calendar.as_str(), mapping.booking.as_str(), sync::plan::WORDS])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Answer> {
    let booking: String = row.get("booking_id")?;
    Ok(Answer {
        booking: (!booking.is_empty()).then_some(BookingId(booking)),
        calendar: CalendarId(row.get("calendar_id")?),
        topic: row.get("topic")?,
        card: row.get("card")?,
        choice: row.get::<_, Word<_>>("choice")?.0,
        given: row.get::<_, Word<_>>("given")?.0,
        at: row.get::<_, Moment>("answered_at")?.0,
    })
}
