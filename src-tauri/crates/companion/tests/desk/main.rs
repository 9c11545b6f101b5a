//! A front desk: many vendors of one sandbox kept by one process.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod crowd;
mod hints;
mod hundred;
#[cfg(target_os = "linux")]
mod measured;
mod troubles;
