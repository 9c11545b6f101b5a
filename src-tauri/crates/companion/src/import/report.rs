//! What came of one file, as scripts and people are told.

use std::path::{Path, PathBuf};

use calendar::event::{Status, Uid};
use calendar::ics::{self, Calendar, Method, ProblemKind};
use serde::{Serialize, Serializer};
use sync::import::{Conflict, ConflictKind, Counts, Resolution, Skip, Taken, says_free};

use super::rejection::Rejected;
use crate::problem::Problem;

/// What came of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOutcome {
    /// Something of it is new here.
    Imported,
    /// All of it was here already, in this version or a newer one.
    Unchanged,
    /// A calendar without times of hers: a reply, a counter-proposal.
    NoTimes,
    /// Not taken in at all; `problems` says why.
    Rejected,
}

/// The `files` entry of `import --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    #[serde(serialize_with = "as_shown")]
    pub path: PathBuf,
    pub outcome: FileOutcome,
    pub events: Counts,
    /// Slots that customers can book since this import (or could, in a dry run).
    pub slots_created: usize,
    /// Separate stretches that its events block from now to the horizon.
    pub busy_blocks: usize,
    /// Slots that are open now and that its busy times would close: counted in a dry run, where Bookiji's slots could be
    /// looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots_closed: Option<usize>,
    pub conflicts: Vec<Conflict>,
    pub problems: Vec<FileProblem>,
    /// Why entries were not taken in, or lead to nothing.
    pub notes: Vec<Note>,
    /// Questions that wait for her.
    pub waiting: usize,
    /// It is here, and Bookiji does not know all of it yet.
    #[serde(serialize_with = "as_error", skip_serializing_if = "Option::is_none")]
    pub unsent: Option<Problem>,
    /// Why it was rejected.
    #[serde(skip)]
    pub refusal: Option<Rejected>,
}

/// Something in the file that could not be read as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileProblem {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
    /// Nothing where the whole file is meant: then `refusal` has it.
    #[serde(skip)]
    pub kind: Option<ProblemKind>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub uid: Uid,
    pub summary: String,
    pub reason: &'static str,
    #[serde(skip)]
    pub why: Why,
}

/// What a note is about, for whoever has words of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Why {
    OwnBooking,
    Over,
    Older,
    NotHere,
    NoTime,
    Reminder,
}

/// A report is for reading: a file in which everything is over needs no thousand notes.
const NOTES: usize = 200;

impl FileReport {
    fn empty(path: &Path, outcome: FileOutcome) -> Self {
        Self {
            path: path.to_path_buf(),
            outcome,
            events: Counts::default(),
            slots_created: 0,
            busy_blocks: 0,
            slots_closed: None,
            conflicts: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            waiting: 0,
            unsent: None,
            refusal: None,
        }
    }

    pub(crate) fn rejected(path: &Path, rejected: Rejected) -> Self {
        let told = FileProblem { line: 1, message: rejected.problem.message.clone(), kind: None };
        Self { problems: vec![told], refusal: Some(rejected), ..Self::empty(path, FileOutcome::Rejected) }
    }

    /// As far as the file alone tells.
    pub(super) fn of(path: &Path, parts: &[Calendar], problems: Vec<ics::Problem>) -> Self {
        let carries = |method: Option<Method>| method.is_none_or(|m| m.carries_time() || m == Method::Cancel);
        let events = || parts.iter().flat_map(|part| &part.events);
        let outcome = if events().next().is_none() && !problems.is_empty() {
            FileOutcome::Rejected
        } else if events().next().is_none() || parts.iter().all(|part| !carries(part.method)) {
            FileOutcome::NoTimes
        } else {
            FileOutcome::Unchanged
        };
        let reminders = events()
            .filter(|event| event.is_all_day() && says_free(event) && event.status != Status::Cancelled);
        let notes = reminders.take(NOTES).map(|event| Note {
            uid: event.uid.clone(),
            summary: event.summary.clone(),
            reason: "It is free all day: a reminder, and no hours that could be booked.",
            why: Why::Reminder,
        });
        let problem = |problem: ics::Problem| FileProblem {
            line: problem.line,
            message: problem.message(),
            kind: Some(problem.kind),
        };
        Self {
            notes: notes.collect(),
            problems: problems.into_iter().map(problem).collect(),
            ..Self::empty(path, outcome)
        }
    }

    pub(super) fn count(&mut self, taken: &Taken) {
        self.events = taken.counts;
        let changed = self.events.new + self.events.updated + self.events.cancelled > 0
            || !taken.intake.choices.is_empty();
        if self.outcome == FileOutcome::Unchanged && changed {
            self.outcome = FileOutcome::Imported;
        }
        let skipped = taken.skipped.iter().map(|skipped| {
            let (reason, why) = words(skipped.reason);
            Note { uid: skipped.uid.clone(), summary: skipped.summary.clone(), reason, why }
        });
        let room = NOTES.saturating_sub(self.notes.len());
        self.notes.extend(skipped.take(room));
    }
}

fn words(reason: Skip) -> (&'static str, Why) {
    match reason {
        Skip::OwnBooking => {
            ("Bookiji wrote it: it is a booking or a slot of yours already.", Why::OwnBooking)
        }
        Skip::Over => ("It is over.", Why::Over),
        Skip::Older => ("A newer version of it is here.", Why::Older),
        Skip::NotHere => ("It takes back an event that was never imported.", Why::NotHere),
        Skip::NoTime => ("It answers an invitation, and is no time of yours.", Why::NoTime),
    }
}

/// A report in a few sentences, one file after the other.
#[must_use]
pub fn sentences(reports: &[FileReport], dry_run: bool) -> String {
    let mut lines: Vec<String> = reports.iter().flat_map(|report| of_file(report, dry_run)).collect();
    if dry_run {
        lines.push("Nothing was taken in: this was a dry run.".to_owned());
    }
    lines.join("\n")
}

fn of_file(report: &FileReport, dry_run: bool) -> Vec<String> {
    let name = report.path.display();
    let counted = |parts: &[(usize, &str)]| {
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        parts.join(", ")
    };
    let events = counted(&[
        (report.events.new, "new"),
        (report.events.updated, "updated"),
        (report.events.unchanged, "unchanged"),
        (report.events.cancelled, "cancelled"),
        (report.events.skipped, "skipped"),
    ]);
    let mut lines = vec![match report.outcome {
        FileOutcome::Rejected => format!("{name}: not taken in."),
        FileOutcome::NoTimes if events.is_empty() => format!("{name}: a calendar without events."),
        FileOutcome::NoTimes => format!("{name}: no times of yours ({events})."),
        FileOutcome::Imported | FileOutcome::Unchanged => format!("{name}: {events}."),
    }];
    let effects = counted(&[
        (report.busy_blocks, if report.busy_blocks == 1 { "busy time" } else { "busy times" }),
        (
            report.slots_created,
            match (dry_run, report.slots_created) {
                (true, 1) => "slot to be made",
                (true, _) => "slots to be made",
                (false, 1) => "new slot",
                (false, _) => "new slots",
            },
        ),
        (report.waiting, if report.waiting == 1 { "question for you" } else { "questions for you" }),
    ]);
    if !effects.is_empty() {
        lines.push(format!("  {effects}"));
    }
    lines.extend(report.conflicts.iter().map(|conflict| format!("  {}", conflict_words(conflict))));
    if report.outcome != FileOutcome::Rejected {
        lines.extend(
            report.problems.iter().map(|problem| format!("  line {}: {}", problem.line, problem.message)),
        );
    }
    lines
}

fn conflict_words(conflict: &Conflict) -> String {
    let what = if conflict.summary.is_empty() { "An event" } else { &conflict.summary };
    let with = match conflict.kind {
        ConflictKind::Booking => "a booking",
        ConflictKind::Busy => "busy time",
        ConflictKind::Slot => "a slot of yours",
        ConflictKind::Closed => "a closed slot",
    };
    let done = match conflict.resolution {
        Resolution::Waiting => "you decide: import again with --on-conflict, or see `companion decisions`",
        Resolution::Replaced => "replaced",
        Resolution::Merged => "only the rest becomes a slot",
        Resolution::Skipped => "skipped",
        Resolution::Kept => "both stay",
        Resolution::Later => "it becomes a slot once the time is free",
    };
    format!("{what} ({} – {}) meets {with} at {}: {done}.", conflict.start, conflict.end, conflict.with.start)
}

fn as_shown<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

fn as_error<S: Serializer>(problem: &Option<Problem>, to: S) -> Result<S::Ok, S::Error> {
    let problem = problem.as_ref();
    serde_json::json!({
        "code": problem.map(|problem| problem.code),
        "message": problem.map(|problem| problem.message.clone()),
        "next_step": problem.map(|problem| problem.next_step(crate::words::Language::English)),
    })
    .serialize(to)
}
