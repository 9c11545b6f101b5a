//! CalDAV (RFC 4791, 4918, 6578, 6764): one account's calendars and events on whatever server she named. Translates and
//! decides nothing. Facts and their sources: provider notes C.

mod account;
mod address;
mod body;
mod calendar;
mod cursor;
mod dav;
mod dealings;
mod discovery;
mod fetch;
mod href;
mod lines;
mod multistatus;
mod names;
pub mod nextcloud;
mod read;
mod refusal;

pub use account::{CaldavAccount, FindError, SignIn, find};
pub use address::{AddressError, Entry};
pub use dealings::Dealings;
pub use names::{Names, NoNames, Resolved, SystemNames};
