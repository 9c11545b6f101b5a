//! The rooms there are, one for each service.

mod caldav;
mod fake;
mod google;
mod ics;
mod outlook;
pub mod sandbox;

pub use caldav::{CaldavRoom, Servers};
pub use fake::FakeRoom;
pub use google::GoogleRoom;
pub use outlook::OutlookRoom;
