//! The CalDAV connector on servers that nobody here wrote, each started for the test. What holds on every server is tried
//! on each; what only one of them does, on that one.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod discovery;
mod events;
mod nextcloud;
mod peers;
mod reading;
mod stage;
mod whole;
