//! The CalDAV connector on servers that nobody here wrote, each started for the test. What holds on every server is tried
//! on each; what only one of them does, on that one.

mod discovery;
mod events;
mod reading;
mod stage;
