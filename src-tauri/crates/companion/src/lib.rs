//! The application without a window: settings, wiring, schedule, and the companion command.

pub mod view;
