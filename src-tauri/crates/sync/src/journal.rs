//! A row of the journal as history shows it. Whether and how it can be taken back is decided in
//! [`crate::undo`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::RunId;
use crate::world::{Operation, OperationId, SyncProblem};

/// One write: what was intended, how often it was tried, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub id: OperationId,
    pub run: RunId,
    /// With what was there before, where it replaced something.
    pub operation: Operation,
    pub state: EntryState,
    pub attempts: u32,
    /// The event as the service stored it.
    pub echo: Option<serde_json::Value>,
    pub problem: Option<SyncProblem>,
    pub intended_at: Timestamp,
    pub attempted_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    Intended,
    /// Tried at least once, with an outcome nobody knows yet.
    Attempted,
    Stored,
    Removed,
    Published,
    Withdrawn,
    /// The platform changed the booking as she had decided.
    Changed,
    Failed,
    /// Its account was unlinked before the outcome was known.
    Abandoned,
}
