//! What a run did, as people and scripts are told. Serialises to the document that `companion sync --json` prints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decide::Question;
use crate::error::{Code, ServiceError};
use crate::ids::{BookingId, CalendarId, ConnectionId, RunId};
use crate::lease::StandingBy;
use crate::leave::LeaveReport;
use crate::undo::Why;
use crate::world::{Direction, Operation, OperationId, SyncOutcome, SyncProblem};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub direction: Direction,
    pub dry_run: bool,
    /// Requests by service. The engine cannot see them; who owns the HTTP stack fills them in.
    pub requests: BTreeMap<String, u64>,
    /// The same as services count them: a request may hold several calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, u64>,
    pub busy: BusyReport,
    pub bookings: BookingsReport,
    #[serde(default)]
    pub slots: SlotsReport,
    pub decisions: Vec<DecisionReport>,
    /// Questions that were answered as she always wants them answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<StandingReport>,
    pub errors: Vec<ErrorReport>,
    /// Another computer writes for her: this run read and planned, and wrote nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_by: Option<StandingBy>,
    /// What a full reading found that no service had told.
    #[serde(default)]
    pub drift: Vec<DriftReport>,
    /// By how much the clock of this computer was put right, where it is wrong. The engine cannot see it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_off_s: Option<i64>,
    /// Only of a run that took another one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoReport>,
    /// Only of a run that took back what was written for an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<LeaveReport>,
    pub duration_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyReport {
    pub sources: Vec<SourceReport>,
    /// Closed and opened one by one, where the platform does not do it itself.
    #[serde(default)]
    pub slots_closed: usize,
    #[serde(default)]
    pub slots_reopened: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    pub id: CalendarId,
    pub name: String,
    pub outcome: ReadOutcome,
    /// How many merged busy intervals the window holds; nothing while the calendar was never read in full.
    pub intervals: Option<usize>,
    /// Whether the platform was sent them in this run (or would be, in a dry run).
    pub published: bool,
    /// Events that could not be placed exactly. They block where they may fall.
    pub withheld: usize,
}

/// How a calendar was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOutcome {
    /// Everything.
    Snapshot,
    /// What changed.
    Delta,
    /// Nothing had changed.
    Unchanged,
    /// Half of it: nothing was concluded from what is missing.
    Partial,
    Failed,
    /// Not part of this run.
    NotRead,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingsReport {
    pub created: usize,
    pub updated: usize,
    pub removed: usize,
    pub unchanged: usize,
    /// Waiting for the vendor.
    pub held: usize,
}

/// What became of imported free times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotsReport {
    pub created: usize,
    pub removed: usize,
    /// Free times within the horizon that have their slot.
    pub standing: usize,
    /// Those that she must decide about.
    pub waiting: usize,
    /// Those that a booking or busy time lies over.
    pub blocked: usize,
}

/// What a run took back of another one, and what it kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoReport {
    pub of: RunId,
    pub undone: usize,
    pub kept: Vec<KeptReport>,
    /// Bookings whose events stand otherwise than they ask, on her word. They are left so until they change.
    pub held: Vec<BookingId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReport {
    pub operation: OperationReport,
    /// In words.
    pub reason: String,
    /// The same by its kind. Reports of older versions have none.
    #[serde(default)]
    pub why: Option<Why>,
}

/// A write, so that it can be found again in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationReport {
    pub id: OperationId,
    pub kind: String,
    /// Nothing where it is about several, or about one that is not there yet.
    #[serde(default)]
    pub calendar: Option<CalendarId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
}

impl OperationReport {
    #[must_use]
    pub fn of(id: OperationId, operation: &Operation) -> Self {
        Self {
            id,
            kind: operation.kind().to_owned(),
            calendar: operation.calendar().cloned(),
            booking_id: operation.booking().cloned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionReport {
    pub id: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    pub summary: String,
    pub options: Vec<String>,
    /// What each option comes to, in their order.
    #[serde(default)]
    pub outcomes: Vec<String>,
}

impl DecisionReport {
    /// Whether it is one that silence costs something: see [`crate::decide::Question::presses`].
    #[must_use]
    pub fn presses(&self) -> bool {
        Question::parse(&self.kind).is_none_or(Question::presses)
    }
}

/// A question that her standing answer was given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingReport {
    pub id: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    pub summary: String,
    pub option: String,
    /// What the option comes to.
    pub outcome: String,
}

/// A side that held something else than its cursor had led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// A calendar's id, or `bookings`.
    pub side: String,
    pub differences: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    pub code: Code,
    pub message: String,
    /// `google`, `bookiji`, … or `mirror`.
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<BookingId>,
    /// What the service asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Only that another computer writes, which is no error: see [`Report::standing_by`].
    #[serde(skip)]
    pub fenced: bool,
}

impl ErrorReport {
    #[must_use]
    pub fn of(error: &ServiceError, at: &str) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            at: at.to_owned(),
            connection: None,
            calendar: None,
            booking: None,
            retry_after_s: error.retry_after().map(|wait| wait.as_secs()),
            fenced: error.is_fenced(),
        }
    }
}

impl From<&ServiceError> for SyncProblem {
    fn from(error: &ServiceError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl Report {
    #[must_use]
    pub fn new(direction: Direction, dry_run: bool) -> Self {
        Self {
            direction,
            dry_run,
            requests: BTreeMap::new(),
            calls: BTreeMap::new(),
            busy: BusyReport::default(),
            bookings: BookingsReport::default(),
            slots: SlotsReport::default(),
            decisions: Vec::new(),
            standing: Vec::new(),
            errors: Vec::new(),
            standing_by: None,
            drift: Vec::new(),
            clock_off_s: None,
            undo: None,
            leave: None,
            duration_ms: 0,
        }
    }

    /// Whether the platform has a switch off (`CALENDAR_SYNC_DISABLED`, `SCHEDULING_DISABLED`): nothing is wrong with us, and
    /// nothing is done until it is on again.
    #[must_use]
    pub fn is_switched_off(&self) -> bool {
        self.errors.iter().any(|error| error.code == Code::SyncSwitchedOff)
    }

    /// The run as a whole: `Error` if nothing of it worked, `Partial` if some of it did.
    #[must_use]
    pub fn outcome(&self) -> SyncOutcome {
        if self.errors.is_empty() {
            return SyncOutcome::Success;
        }
        if self.is_switched_off() {
            return SyncOutcome::Partial;
        }
        let read = self.busy.sources.iter().any(|source| match source.outcome {
            ReadOutcome::Snapshot | ReadOutcome::Delta | ReadOutcome::Unchanged | ReadOutcome::Partial => {
                true
            }
            ReadOutcome::Failed | ReadOutcome::NotRead => false,
        });
        let bookings = self.bookings.created + self.bookings.updated + self.bookings.removed;
        let wrote = bookings + self.slots.created + self.slots.removed > 0;
        if read || wrote { SyncOutcome::Partial } else { SyncOutcome::Error }
    }
}

impl ErrorReport {
    #[must_use]
    pub fn problem(&self) -> SyncProblem {
        SyncProblem { code: self.code, message: self.message.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(change: impl FnOnce(&mut Report)) -> Report {
        let mut report = Report::new(Direction::Bidirectional, false);
        let error = ServiceError::Stale { service: "fake".to_owned() };
        report.errors.push(ErrorReport::of(&error, "fake"));
        change(&mut report);
        report
    }

    #[test]
    fn a_run_with_an_error_is_a_failure_unless_something_was_read_or_written() {
        assert_eq!(Report::new(Direction::Bidirectional, false).outcome(), SyncOutcome::Success);
        assert_eq!(report(|_| {}).outcome(), SyncOutcome::Error);
        for write in [
            |report: &mut Report| report.bookings.created = 1,
            |report: &mut Report| report.bookings.updated = 1,
            |report: &mut Report| report.bookings.removed = 1,
            |report: &mut Report| report.slots.created = 1,
            |report: &mut Report| report.slots.removed = 1,
            // One of each: none takes another's place.
            |report: &mut Report| (report.bookings.created, report.bookings.updated) = (1, 1),
            |report: &mut Report| (report.bookings.removed, report.slots.created) = (1, 1),
            |report: &mut Report| (report.slots.created, report.slots.removed) = (1, 1),
        ] {
            assert_eq!(report(write).outcome(), SyncOutcome::Partial);
        }
        for (outcome, expected) in [
            (ReadOutcome::Snapshot, SyncOutcome::Partial),
            (ReadOutcome::Partial, SyncOutcome::Partial),
            (ReadOutcome::Failed, SyncOutcome::Error),
            (ReadOutcome::NotRead, SyncOutcome::Error),
        ] {
            let source = SourceReport {
                id: "c".into(),
                name: String::new(),
                outcome,
                intervals: None,
                published: false,
                withheld: 0,
            };
            assert_eq!(report(|report| report.busy.sources.push(source)).outcome(), expected);
        }
    }

    #[test]
    fn a_platform_that_is_switched_off_is_no_failure() {
        assert!(!report(|_| {}).is_switched_off());
        let off = report(|report| report.errors[0].code = Code::SyncSwitchedOff);
        assert!(off.is_switched_off());
        assert_eq!(off.outcome(), SyncOutcome::Partial);
    }

    #[test]
    fn a_question_presses_as_its_kind_does_and_one_of_no_known_kind_does() {
        for (kind, expected) in [("moved", true), ("renamed", false), ("invitation", true)] {
            let told = DecisionReport {
                id: String::new(),
                kind: kind.to_owned(),
                booking_id: None,
                summary: String::new(),
                options: Vec::new(),
                outcomes: Vec::new(),
            };
            assert_eq!(told.presses(), expected, "{kind}");
        }
    }
}
