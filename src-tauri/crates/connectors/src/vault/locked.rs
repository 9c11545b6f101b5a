//! Whether the Secret Service hides something from us. Some of its daemons answer a search in a locked collection with
//! "nothing found", which is not the same as nothing.

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::OwnedObjectPath;

pub(super) const DAEMON: &str = "org.freedesktop.secrets";

/// Whether the collection that our secrets are kept in is locked. A daemon without one has none of our secrets.
pub(super) fn default_collection_is_locked() -> zbus::Result<bool> {
    let bus = Connection::session()?;
    let service = Proxy::new(&bus, DAEMON, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service")?;
    let collection: OwnedObjectPath = service.call("ReadAlias", &"default")?;
    if collection.as_str() == "/" {
        return Ok(false);
    }
    Proxy::new(&bus, DAEMON, collection, "org.freedesktop.Secret.Collection")?.get_property("Locked")
}
