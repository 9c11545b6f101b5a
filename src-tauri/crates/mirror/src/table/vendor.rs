//! `vendor`: whose profile this is.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use sync::ids::VendorId;
use sync::world::Vendor;

use crate::failure::Failure;

pub fn get(connection: &Connection) -> Result<Option<Vendor>, Failure> {
    Ok(connection.query_row("SELECT id, name, email, time_zone FROM vendor", [], read).optional()?)
}

/// Writes down who she is. Another vendor is refused: the rows here are not hers, and would pass for hers.
pub fn set(tx: &Transaction<'_>, vendor: &Vendor) -> Result<(), Failure> {
    if let Some(owner) = get(tx)?.filter(|owner| owner.id != vendor.id) {
        return Err(Failure::Refused(format!(
            "this profile belongs to {}; use another profile, or erase this one first",
            owner.email
        )));
    }
    tx.prepare_cached(
        "INSERT INTO vendor (one, id, name, email, time_zone) VALUES (1, :id, :name, :email, :time_zone)
         ON CONFLICT (one) DO UPDATE SET name = excluded.name, email = excluded.email,
             time_zone = excluded.time_zone",
    )?
    .execute(named_params! {
        ":id": vendor.id.as_str(),
        ":name": vendor.name,
        ":email": vendor.email,
        ":time_zone": vendor.time_zone,
    })?;
    Ok(())
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<Vendor> {
    Ok(Vendor {
        id: VendorId(row.get("id")?),
        name: row.get("name")?,
        email: row.get("email")?,
        time_zone: row.get("time_zone")?,
    })
}
