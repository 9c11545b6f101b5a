//! Observe, plan, apply: how bookings and busy time travel. Knows no SQL, no HTTP, no window and no clock.

pub mod answers;
pub mod apply;
pub mod booking;
pub mod busy_set;
pub mod decide;
pub mod decisions;
pub mod error;
pub mod ids;
pub mod import;
pub mod invite;
pub mod journal;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod ports;
pub mod provenance;
pub mod recover;
pub mod report;
pub mod retry;
pub mod run;
pub mod slots;
pub mod target;
pub mod trouble;
pub mod undo;
pub mod words;
pub mod world;
