//! `sent_invites`: the last invitation of each booking.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use sync::ids::BookingId;
use sync::invite::SentInvite;

use crate::column::Moment;
use crate::failure::Failure;

pub fn get(connection: &Connection, booking: &BookingId) -> Result<Option<SentInvite>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT sequence, checksum, written_at FROM sent_invites WHERE booking_id = ?1")?;
    Ok(statement.query_row([booking.as_str()], read).optional()?)
}

/// Writes the row; a sequence that is there never falls.
pub fn put(tx: &Transaction<'_>, booking: &BookingId, invite: &SentInvite) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO sent_invites (booking_id, sequence, checksum, written_at)
         VALUES (:booking_id, :sequence, :checksum, :written_at)
         ON CONFLICT (booking_id) DO UPDATE SET sequence = excluded.sequence, checksum = excluded.checksum,
             written_at = excluded.written_at
         WHERE excluded.sequence >= sequence",
    )?
    .execute(named_params! {
        ":booking_id": booking.as_str(),
        ":sequence": invite.sequence,
        ":checksum": invite.checksum,
        ":written_at": Moment(invite.written_at),
    })?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<SentInvite> {
    Ok(SentInvite {
        sequence: row.get("sequence")?,
        checksum: row.get("checksum")?,
        written_at: row.get::<_, Moment>("written_at")?.0,
    })
}
