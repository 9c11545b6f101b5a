//! The local SQLite behind [`sync::ports::Mirror`]: rows, journal, cursors. SQL never leaves this crate, and what the
//! rows mean for a calendar is not decided here.

mod column;
mod failure;
mod keep;
mod left;
mod open;
mod overview;
mod read_only;
mod rebuild;
mod salvage;
mod spare;
mod store;
mod table;

#[cfg(test)]
mod tests;

pub use keep::files;
pub use overview::{MappingCounts, Overview};
pub use rebuild::Rebuilt;
pub use store::Sqlite;
pub use sync::journal::{EntryState, JournalEntry};
pub use table::pause::Pause;
