//! The application without a window: settings, wiring, schedule, and the companion command.

pub mod clock;
pub mod log;
pub mod problem;
pub mod profile;
pub mod roles;
pub mod schedule;
pub mod settings;
pub mod status;
pub mod view;
pub mod words;
