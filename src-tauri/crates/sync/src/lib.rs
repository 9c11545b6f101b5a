//! Observe, plan, apply: how bookings and busy time travel. Knows no SQL, no HTTP, no window and no clock.

pub mod booking;
pub mod error;
pub mod ids;
pub mod plan;
pub mod ports;
pub mod world;
