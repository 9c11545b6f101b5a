//! The sandbox's own strictness, over real sockets: what the services refuse, it refuses, in their words.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees tests in functions marked so, and not in what they call"
)]

mod batch;
mod bookiji;
mod calendars;
mod control;
mod delta;
mod events;
mod faults;
mod gotrue;
mod graph;
mod lease;
mod life;
mod lists;
mod microsoft;
mod oauth;
mod outlook;
mod slots;
mod vendors;
mod world;
