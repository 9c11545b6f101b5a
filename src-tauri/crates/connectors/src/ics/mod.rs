//! Calendars behind a link (`.ics` over https or webcal): read politely, never written. The link is a secret, since who
//! knows it can read the calendar: it stays in the vault, and no error, log or row holds more of it than the host.

mod address;
mod body;
mod cursor;
mod feed;
mod fetch;

use std::time::Duration;

use sync::ids::Cursor;

pub use address::{AddressError, FeedAddress, Reach, reach};
pub use feed::{Account, Look, REMOTE, look};
pub use fetch::{Fetcher, Limits, Lookup, system_names};

/// What a connection of the service `ics` is: a link that is read, or the files that she took in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Feed,
    ImportedFiles,
}

/// The account of the one connection that holds imported files. No host is called so.
pub const IMPORTED_FILES: &str = "Imported files";

impl Kind {
    #[must_use]
    pub fn of(account: &str) -> Self {
        if account == IMPORTED_FILES { Self::ImportedFiles } else { Self::Feed }
    }
}

/// How long the publisher asks to be left alone, as the reading that ended at `cursor` said.
#[must_use]
pub fn rhythm(cursor: &Cursor) -> Option<Duration> {
    cursor::Place::parse(cursor)?.refresh_s.map(Duration::from_secs)
}
