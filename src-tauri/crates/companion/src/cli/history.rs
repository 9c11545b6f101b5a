//! `companion history`: past runs, newest first, or one of them in full.

use mirror::Sqlite;
use sync::error::Code;
use sync::journal::{EntryState, JournalEntry};
use sync::ports::Mirror;
use sync::world::{Direction, Operation, RunRecord, SyncOutcome};

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::status;

const SHOWN: usize = 50;
/// A run that is asked for by its id may be older.
pub(crate) const SEARCHED: usize = 10_000;
const LATEST: &str = "latest";

pub fn run(profile: &Profile, wanted: Option<&str>) -> Result<Outcome, Problem> {
    let mirror = Sqlite::open_read_only(&profile.database())?;
    let Some(wanted) = wanted else {
        let mut runs = status::worth_telling(mirror.runs(SEARCHED)?);
        runs.truncate(SHOWN);
        let text = if runs.is_empty() {
            "Nothing has been synced yet.".to_owned()
        } else {
            runs.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        return Ok(Outcome::done(status::history(&runs), text));
    };
    let run = find(&mirror, wanted)?;
    let entries = mirror.journal(&run.id)?;
    let mut lines = vec![line(&run)];
    lines.extend(entries.iter().map(written));
    lines.extend(run.report.as_ref().map(|report| format!("{report:#}")));
    Ok(Outcome::done(status::history_of(&run, &entries), lines.join("\n")))
}

/// The run that was asked for by its id, by as much of its beginning as no other has, or as the latest that wrote.
pub fn find(mirror: &Sqlite, wanted: &str) -> Result<RunRecord, Problem> {
    let runs = mirror.runs(SEARCHED)?;
    if wanted == LATEST {
        for run in runs {
            if !mirror.journal(&run.id)?.is_empty() {
                return Ok(run);
            }
        }
        return Err(Problem::new(Code::InvalidInput, "No run has written anything in the last 30 days."));
    }
    let exact = runs.iter().find(|run| run.id.as_str() == wanted);
    let mut alike = runs.iter().filter(|run| !wanted.is_empty() && run.id.as_str().starts_with(wanted));
    match (exact.or_else(|| alike.next()), exact.is_none() && alike.next().is_some()) {
        (Some(run), false) => Ok(run.clone()),
        (Some(_), true) => {
            Err(Problem::new(Code::InvalidInput, format!("More than one run begins with \"{wanted}\"."))
                .then("Give more of its id, as `companion history` shows it."))
        }
        (None, _) => Err(Problem::new(Code::InvalidInput, format!("No run is called \"{wanted}\"."))
            .then("See the runs there are with `companion history`.")),
    }
}

/// One write of a run, on a line.
fn written(entry: &JournalEntry) -> String {
    let what = match &entry.operation {
        Operation::CreateEvent { .. } => "create the event",
        Operation::UpdateEvent { .. } => "change the event",
        Operation::RemoveEvent { .. } => "remove the event",
        Operation::MoveBooking { .. } => "move the appointment",
        Operation::ProposeMove { .. } => "ask the customer for another time",
        Operation::WithdrawProposal { .. } => "take back what the customer was asked",
        Operation::CancelBooking { .. } => "cancel the appointment",
        Operation::PublishBusy { .. } => "tell Bookiji the busy time",
        Operation::MakeSlots { .. } => "make slots",
        Operation::RemoveSlot { .. } => "remove a slot",
        Operation::SwitchSlots { open: true, .. } => "open slots again",
        Operation::SwitchSlots { open: false, .. } => "close slots",
        Operation::MakeCalendar { .. } => "make a calendar for bookings",
        Operation::RemoveCalendar { .. } => "remove the calendar for bookings",
    };
    let whose = match (&entry.operation, entry.operation.booking(), entry.operation.calendar()) {
        (_, Some(booking), _) => format!("of booking {booking}"),
        (_, None, Some(calendar)) => format!("of {calendar}"),
        (Operation::SwitchSlots { slots, .. }, None, None) => format!("({})", slots.len()),
        (Operation::MakeCalendar { connection, .. }, None, None) => format!("in {connection}"),
        (_, None, None) => String::new(),
    };
    let how = match entry.state {
        EntryState::Intended | EntryState::Attempted => "not known yet",
        EntryState::Stored
        | EntryState::Removed
        | EntryState::Published
        | EntryState::Withdrawn
        | EntryState::Changed => "done",
        EntryState::Failed => "failed",
        EntryState::Abandoned => "given up",
    };
    format!("  {:>5}  {how:<13} {what} {whose}", entry.id.0)
}

fn line(run: &RunRecord) -> String {
    let direction = match run.direction {
        Direction::Bidirectional => "both ways",
        Direction::ToCalendar => "bookings to calendar",
        Direction::FromCalendar => "busy time to Bookiji",
    };
    let outcome = match run.outcome {
        Some(SyncOutcome::Success) => "done",
        Some(SyncOutcome::Partial) => "partly done",
        Some(SyncOutcome::Error) => "failed",
        None => "not finished",
    };
    let direction = match &run.undoes {
        Some(of) => format!("took back {of}"),
        None => direction.to_owned(),
    };
    format!("{}  {outcome:<12} {direction}  {}", run.started_at.strftime("%Y-%m-%d %H:%M:%SZ"), run.id)
}
