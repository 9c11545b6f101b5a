//! How every run begins and ends, whatever it does in between: its row in history, and who may write meanwhile.

use jiff::Timestamp;

use super::Parts;
use crate::error::MirrorError;
use crate::ids::RunId;
use crate::report::Report;
use crate::world::{Direction, RunRecord};

/// A run that has begun and not ended.
pub(crate) fn begun(id: &RunId, direction: Direction, started_at: Timestamp) -> RunRecord {
    RunRecord {
        id: id.clone(),
        direction,
        started_at,
        ended_at: None,
        outcome: None,
        undoes: None,
        report: None,
    }
}

/// Completes the report and the record of a run. A dry one leaves no record.
pub(crate) fn close(
    parts: &Parts<'_>,
    record: RunRecord,
    report: &mut Report,
    ended_at: Timestamp,
) -> Result<(), MirrorError> {
    let lasted = ended_at.duration_since(record.started_at).as_millis();
    report.duration_ms = u64::try_from(lasted).unwrap_or(0);
    if report.dry_run {
        return Ok(());
    }
    parts.mirror.end_run(&RunRecord {
        ended_at: Some(ended_at),
        outcome: Some(report.outcome()),
        report: serde_json::to_value(&*report).ok(),
        ..record
    })
}
