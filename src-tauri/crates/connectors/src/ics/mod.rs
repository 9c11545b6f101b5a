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

/// How long the publisher asks to be left alone, as the reading that ended at `cursor` said.
#[must_use]
pub fn rhythm(cursor: &Cursor) -> Option<Duration> {
    cursor::Place::parse(cursor)?.refresh_s.map(Duration::from_secs)
}
