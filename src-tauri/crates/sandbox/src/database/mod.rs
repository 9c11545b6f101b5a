//! What today's database does by itself with bookings: constraints, triggers and functions, defects included (platform
//! notes §2). Decides what a statement comes to; who may make it, and over which door, is not its business.
//!
//! Every statement is made on a copy and taken over whole, or not at all.

mod bookings;
mod functions;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bookiji::platform::Platform;
use crate::postgrest::refusal::Refusal;

pub use self::bookings::{Change, delete, insert, update};
pub use self::functions::{claim, reschedule};

/// A row of `ops_events`, which triggers write and anybody may read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsEvent {
    pub kind: String,
    pub payload: Value,
    pub at: Timestamp,
}

/// Rows beyond this are forgotten, oldest first. The real table forgets nothing.
const OPS_KEPT: usize = 50_000;

/// Makes a statement: all of it, or nothing.
///
/// # Errors
/// What refused it.
pub fn statement<T>(
    platform: &mut Platform,
    work: impl FnOnce(&mut Platform) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut copy = platform.clone();
    let done = work(&mut copy)?;
    *platform = copy;
    Ok(done)
}

/// The trigger on slots: it fires for every statement that sets `is_available`, whether or not that changes it.
pub fn slot_was_set(platform: &mut Platform, slot: &str, available: bool, now: Timestamp) {
    let kind = if available { "slot_released" } else { "slot_claimed" };
    note(platform, kind, json!({ "slot_id": slot }), now);
}

fn note(platform: &mut Platform, kind: &str, payload: Value, at: Timestamp) {
    if platform.ops.len() >= OPS_KEPT {
        platform.ops.drain(..OPS_KEPT / 2);
    }
    platform.ops.push(OpsEvent { kind: kind.to_owned(), payload, at });
}
