//! `connections`: the linked accounts and how they are.

use rusqlite::{Connection, Row, Transaction, named_params};
use sync::ids::ConnectionId;
use sync::world::Connection as Account;

use crate::column::{Moment, Word, problem};
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<Vec<Account>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, service, account, state, error_code, error_message, error_count, backoff_until, created_at
         FROM connections ORDER BY id",
    )?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Writes the row. One that is there keeps its calendars and the time it was made.
pub fn put(tx: &Transaction<'_>, account: &Account) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO connections (id, service, account, state, error_code, error_message, error_count,
             backoff_until, created_at)
         VALUES (:id, :service, :account, :state, :error_code, :error_message, :error_count,
             :backoff_until, :created_at)
         ON CONFLICT (id) DO UPDATE SET service = excluded.service, account = excluded.account,
             state = excluded.state, error_code = excluded.error_code, error_message = excluded.error_message,
             error_count = excluded.error_count, backoff_until = excluded.backoff_until",
    )?
    .execute(named_params! {
        ":id": account.id.as_str(),
        ":service": Word(account.service),
        ":account": account.account,
        ":state": Word(account.state),
        ":error_code": account.error.as_ref().map(|error| Word(error.code)),
        ":error_message": account.error.as_ref().map(|error| &error.message),
        ":error_count": account.error_count,
        ":backoff_until": account.backoff_until.map(Moment),
        ":created_at": Moment(account.created_at),
    })?;
    Ok(())
}

/// Removes the row, and with it its calendars, their events and their mappings.
pub fn remove(tx: &Transaction<'_>, id: &ConnectionId) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM connections WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: ConnectionId(row.get("id")?),
        service: row.get::<_, Word<_>>("service")?.0,
        account: row.get("account")?,
        state: row.get::<_, Word<_>>("state")?.0,
        created_at: row.get::<_, Moment>("created_at")?.0,
        error: problem(row, "error_code", "error_message")?,
        backoff_until: row.get::<_, Option<Moment>>("backoff_until")?.map(|at| at.0),
        error_count: row.get("error_count")?,
    })
}
