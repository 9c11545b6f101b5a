//! The real app, driven as a person would: its window by the browser's own driver, its tray and its notifications over
//! the session bus, on a virtual display, beside services that run in this process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the stage fails as the tests on it do")]

mod first;
mod flows;
mod page;
#[allow(clippy::disallowed_types, reason = "the macro that writes interfaces for the bus uses them")]
mod panel;
mod salon;
mod sample;
mod several;
mod stage;
mod starts;
mod trouble;
mod week;
