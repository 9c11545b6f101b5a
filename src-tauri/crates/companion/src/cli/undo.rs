//! `companion undo`: takes back what a run wrote, and says what was kept and why.

use serde_json::json;
use sync::ids::RunId;
use sync::report::UndoReport;

use super::history;
use super::output::{Exit, Outcome};
use crate::lease;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::syncing;
use crate::wiring::Wiring;

pub async fn run(profile: &Profile, wanted: &str) -> Result<Outcome, Problem> {
    let wiring = Wiring::open(profile).await?;
    let of = history::find(&wiring.mirror, wanted)?.id;
    let undone = syncing::undo_once(&wiring, &of).await;
    lease::release(&wiring).await;
    let (run, report) = undone?;
    let problems = syncing::problems(&report);
    let told = report.undo.unwrap_or(UndoReport { of, undone: 0, kept: Vec::new(), held: Vec::new() });
    let exit = if told.kept.is_empty() && problems.is_empty() { Exit::Done } else { Exit::Partly };
    Ok(Outcome {
        document: json!({
            "run": run,
            "of": told.of,
            "undone": told.undone,
            "kept": told.kept,
            "held": told.held,
        }),
        text: sentences(&run, &told),
        problems,
        exit,
    })
}

fn sentences(run: &RunId, told: &UndoReport) -> String {
    let mut lines = vec![match (told.undone, told.kept.len()) {
        (0, 0) => "Nothing is left to take back.".to_owned(),
        (0, _) => "Nothing was taken back.".to_owned(),
        (1, _) => "1 change was taken back.".to_owned(),
        (n, _) => format!("{n} changes were taken back."),
    }];
    lines.extend(told.kept.iter().map(|kept| {
        let booking = kept.operation.booking_id.as_ref().map(|id| format!(" of booking {id}"));
        format!("Kept: {}{}: {}.", kept.operation.kind, booking.unwrap_or_default(), kept.reason)
    }));
    if !told.held.is_empty() {
        let whose = match told.held.len() {
            1 => "1 booking has its event".to_owned(),
            n => format!("{n} bookings have their events"),
        };
        lines.push(format!(
            "{whose} otherwise than Bookiji says, and syncs leave that so until the booking changes.\n\
             To have it follow the booking again: companion undo {run}"
        ));
    }
    lines.join("\n")
}
