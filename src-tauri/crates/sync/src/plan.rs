//! Turns what is known into a list of actions. Pure.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::ports::RemoteEvent;

/// What we look at to see whether the vendor changed an event of ours: its time and its words, not its colour.
#[must_use]
pub fn fingerprint(event: &RemoteEvent) -> String {
    let e = &event.event;
    let text =
        serde_json::json!([e.start, e.end, e.recurrence, e.status, e.summary, e.description, e.location]);
    HEXLOWER.encode(&Sha256::digest(text.to_string()))
}
