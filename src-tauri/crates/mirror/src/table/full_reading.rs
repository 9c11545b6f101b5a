//! `full_readings`: when each side was last read in full, whatever its cursor says.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, named_params};
use sync::reconcile::{FullReading, Side};

use crate::column::Moment;
use crate::failure::Failure;

pub fn all(connection: &Connection) -> Result<BTreeMap<Side, FullReading>, Failure> {
    let mut statement = connection.prepare_cached("SELECT side, read_at, tried_at FROM full_readings")?;
    let rows = statement.query_map([], |row| {
        let moment =
            |name: &str| -> rusqlite::Result<_> { Ok(row.get::<_, Option<Moment>>(name)?.map(|at| at.0)) };
        let side: String = row.get("side")?;
        Ok((Side::parse(&side), FullReading { read_at: moment("read_at")?, tried_at: moment("tried_at")? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn put(tx: &Transaction<'_>, side: &Side, reading: &FullReading) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO full_readings (side, read_at, tried_at) VALUES (:side, :read_at, :tried_at)
         ON CONFLICT (side) DO UPDATE SET read_at = excluded.read_at, tried_at = excluded.tried_at",
    )?
    .execute(named_params! {
        ":side": side.as_str(),
        ":read_at": reading.read_at.map(Moment),
        ":tried_at": reading.tried_at.map(Moment),
    })?;
    Ok(())
}
