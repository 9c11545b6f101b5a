//! `published_busy`: what the platform was last sent, per source.

use calendar::interval::Interval;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::CalendarId;
use sync::ports::BusySet;
use sync::world::PublishedBusy;

use crate::column::{Json, Moment, Word};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<PublishedBusy>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT calendar_id, service, window_start, window_end, intervals, checksum, published_at
         FROM published_busy ORDER BY calendar_id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// What the platform holds may be another computer's by now: every set differs from what is sent next.
pub fn doubt(tx: &Transaction<'_>) -> Result<(), Failure> {
    tx.execute("UPDATE published_busy SET checksum = ''", [])?;
    Ok(())
}

pub fn put(tx: &Transaction<'_>, published: &PublishedBusy) -> Result<(), Failure> {
    let set = &published.set;
    tx.prepare_cached(
        "INSERT INTO published_busy (calendar_id, service, window_start, window_end, intervals, checksum,
             published_at)
         VALUES (:calendar_id, :service, :window_start, :window_end, :intervals, :checksum, :published_at)
         ON CONFLICT (calendar_id) DO UPDATE SET service = excluded.service,
             window_start = excluded.window_start, window_end = excluded.window_end,
             intervals = excluded.intervals, checksum = excluded.checksum, published_at = excluded.published_at",
    )?
    .execute(named_params! {
        ":calendar_id": set.source.as_str(),
        ":service": Word(set.service),
        ":window_start": Moment(set.window.start()),
        ":window_end": Moment(set.window.end()),
        ":intervals": Json(&set.intervals),
        ":checksum": set.checksum,
        ":published_at": Moment(published.at),
    })?;
    Ok(())
}

pub fn remove(tx: &Transaction<'_>, source: &CalendarId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM published_busy WHERE calendar_id = ?1")?.execute([source.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<PublishedBusy> {
    let start = row.get::<_, Moment>("window_start")?.0;
    let end = row.get::<_, Moment>("window_end")?.0;
    let window = Interval::new(start, end)
        .ok_or_else(|| rusqlite::Error::from(FromSqlError::OutOfRange(end.as_microsecond())))?;
    Ok(PublishedBusy {
        set: BusySet {
            service: row.get::<_, Word<_>>("service")?.0,
            source: CalendarId(row.get("calendar_id")?),
            window,
            intervals: row.get::<_, Json<_>>("intervals")?.0,
            checksum: row.get("checksum")?,
        },
        at: row.get::<_, Moment>("published_at")?.0,
    })
}
