//! The application without a window: settings, wiring, schedule, and the companion command.

pub mod busy;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod doctor;
pub mod import;
pub mod inbox;
pub mod log;
pub mod problem;
pub mod profile;
pub mod roles;
pub mod schedule;
pub mod secrets;
pub mod settings;
pub mod sign_in;
pub mod status;
pub mod syncing;
pub mod view;
pub mod wiring;
pub mod words;
