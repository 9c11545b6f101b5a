//! `companion history`: past runs, newest first, or one of them in full.

use mirror::Sqlite;
use sync::error::Code;
use sync::ports::Mirror;
use sync::world::{Direction, RunRecord, SyncOutcome};

use super::output::Outcome;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::status;

const SHOWN: usize = 50;
/// A run that is asked for by its id may be older.
const SEARCHED: usize = 10_000;

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
    let run = mirror.runs(SEARCHED)?.into_iter().find(|run| run.id.as_str() == wanted).ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("No run is called \"{wanted}\"."))
            .then("See the runs there are with `companion history`.")
    })?;
    let report = run.report.as_ref().map_or_else(String::new, |report| format!("\n{report:#}"));
    let text = format!("{}{report}", line(&run));
    Ok(Outcome::done(status::history(&[run]), text))
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
    format!("{}  {outcome:<12} {direction}  {}", run.started_at.strftime("%Y-%m-%d %H:%M:%SZ"), run.id)
}
