//! The contract between the engine and every calendar service, service by service.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod lies;
mod matrix;
mod suite;
