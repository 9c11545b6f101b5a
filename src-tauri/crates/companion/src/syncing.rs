//! Runs one sync of an open profile, and says what it came to: for the command, the schedule and the window alike.

use std::collections::BTreeSet;
use std::time::Duration;

use sync::error::{Code, MirrorError};
use sync::ids::{ConnectionId, RunId, Service};
use sync::import;
use sync::ports::{Clock, Mirror};
use sync::report::{Report, SourceReport};
use sync::run::{Parts, Request};
use sync::world::{Direction, RunRecord, SyncOutcome, World};

use crate::clock::SystemClock;
use crate::hours;
use crate::problem::Problem;
use crate::wiring::Wiring;
use crate::words::{self, Language};

/// What to sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub direction: Direction,
    /// Every account, or only these.
    pub connections: Option<BTreeSet<ConnectionId>>,
    pub dry_run: bool,
}

/// A run that takes longer is stopped, whatever it waits for.
///
/// One request has 120 s at most and three tries with 20 s in between: 400 s. A sign-in that is renewed first takes 240 s
/// more. After that the service counts as out of reach for this run, and there are three of them at most on a usual
/// profile: 32 minutes if every one of them fails as slowly as it can, and a first reading of a full calendar takes two.
pub const LONGEST_RUN: Duration = Duration::from_secs(35 * 60);

/// What must be there before anything can be synced.
pub fn ready(world: &World) -> Result<(), Problem> {
    if world.vendor.is_none() {
        return Err(Problem::new(Code::NotSignedIn, "Nobody is signed in to Bookiji in this profile."));
    }
    // What an unlinked account left on the platform is still to be taken back.
    let nothing_left = world.published.is_empty() && world.imported_slots.is_empty();
    if world.connections.is_empty() && nothing_left {
        return Err(Problem::new(Code::NotConnected, "No calendar account is connected in this profile.")
            .then("Connect one: `companion connect google`, `companion connect outlook` or `companion connect caldav`."));
    }
    Ok(())
}

/// Runs one sync, in its turn where several vendors share the process.
pub async fn sync_once(wiring: &Wiring, wanted: &Wanted) -> Result<Report, Problem> {
    let world = wiring.mirror.world()?;
    ready(&world)?;
    match &wiring.place {
        Some(place) => {
            let services = services(&world, wanted);
            // Much may have changed by the time it is its turn.
            place.in_turn(services, async { sync_now(wiring, &wiring.mirror.world()?, wanted).await }).await
        }
        None => sync_now(wiring, &world, wanted).await,
    }
}

/// The calendar services that a sync asks something of.
fn services(world: &World, wanted: &Wanted) -> BTreeSet<Service> {
    let all = world.connections.values().filter(|connection| connection.id != import::connection_id());
    let meant = |id: &ConnectionId| wanted.connections.as_ref().is_none_or(|wanted| wanted.contains(id));
    all.filter(|connection| meant(&connection.id)).map(|connection| connection.service).collect()
}

async fn sync_now(wiring: &Wiring, world: &World, wanted: &Wanted) -> Result<Report, Problem> {
    // Without a session every part of the run would fail in its own words: say it once instead.
    wiring.check_session().await?;
    let (_, report) = with_parts(wiring, world, async |parts, run| {
        let request = Request { run: run.clone(), direction: wanted.direction, dry_run: wanted.dry_run };
        tracing::info!(run = %run, direction = ?wanted.direction, dry_run = wanted.dry_run, "sync starts");
        match &wanted.connections {
            None => sync::run::run(parts, &request).await,
            Some(connections) => sync::run::run_for(parts, &request, connections).await,
        }
    })
    .await?;
    // Where something is wrong, nothing more is waited for.
    if !wanted.dry_run
        && report.errors.is_empty()
        && let Err(problem) = hours::keep(wiring).await
    {
        tracing::warn!(%problem, "when she works could not be kept");
    }
    Ok(report)
}

/// Takes back what the run `of` wrote. Answers with the run that did, and its report.
pub async fn undo_once(wiring: &Wiring, of: &RunId) -> Result<(RunId, Report), Problem> {
    let world = wiring.mirror.world()?;
    ready(&world)?;
    wiring.check_session().await?;
    with_parts(wiring, &world, async |parts, run| {
        tracing::info!(run = %run, of = %of, "taking back starts");
        sync::run::undo(parts, run, of).await
    })
    .await
}

/// Gives `work` all that a run needs, counts what it asks of services, and tells the log how it ended.
pub(crate) async fn with_parts(
    wiring: &Wiring,
    world: &World,
    work: impl AsyncFnOnce(&Parts<'_>, &RunId) -> Result<Report, MirrorError>,
) -> Result<(RunId, Report), Problem> {
    let platform = wiring.platform()?;
    let accounts = wiring.accounts(world)?;
    let parts = Parts {
        mirror: &wiring.mirror,
        platform: &platform,
        accounts: &accounts,
        clock: &wiring.clock,
        policy: wiring.policy(),
        writer: &wiring.writer,
        progress: &wiring.progress,
    };
    let run = RunId(uuid::Uuid::new_v4().to_string());
    wiring.http.counters().reset();
    // A run is many futures in one another, and they are large: on the heap, so that a thread's stack holds them.
    let work = Box::pin(work(&parts, &run));
    let done = within_bounds(wiring, &run, LONGEST_RUN, work).await;
    wiring.keep_told()?;
    let mut report = done?;
    report.calls = wiring.http.counters().calls();
    complete(wiring, &mut report);
    if !report.dry_run {
        keep_counts(wiring, &run, &report)?;
        keep_spare(wiring);
    }
    tell_log(&run, &report);
    Ok((run, report))
}

/// Lets a run come to its end, or stops it. What it left open in the journal, the next run settles.
async fn within_bounds(
    wiring: &Wiring,
    run: &RunId,
    longest: Duration,
    work: impl Future<Output = Result<Report, MirrorError>>,
) -> Result<Report, Problem> {
    if let Ok(result) = tokio::time::timeout(longest, work).await {
        return Ok(result?);
    }
    close(wiring, |record| record.id == *run, SyncOutcome::Error)?;
    tracing::warn!(run = %run, "the run took too long and was stopped");
    let minutes = longest.as_secs() / 60;
    Err(Problem::new(
        Code::NetworkError,
        format!(
            "The sync was stopped because it took longer than {minutes} minutes. What it did is kept, and the next one goes on."
        ),
    ))
}

/// Says in the history that the run under way was stopped by her: it is dropped where it was, like one that is killed, and
/// the next one settles what it left open.
pub fn stopped(wiring: &Wiring) -> Result<(), MirrorError> {
    tracing::info!("she stopped the sync");
    close(wiring, |record| record.ended_at.is_none(), SyncOutcome::Partial)
}

fn close(
    wiring: &Wiring,
    is_it: impl Fn(&RunRecord) -> bool,
    outcome: SyncOutcome,
) -> Result<(), MirrorError> {
    if let Some(mut record) = wiring.mirror.runs(1)?.into_iter().find(is_it) {
        record.ended_at = Some(wiring.clock.now());
        record.outcome = Some(outcome);
        wiring.mirror.end_run(&record)?;
    }
    Ok(())
}

/// What the engine cannot see of its own run.
fn complete(wiring: &Wiring, report: &mut Report) {
    report.requests = wiring.http.counters().reset();
    report.clock_off_s = wiring.clock.correction().map(|off| off.as_secs());
}

/// A copy that cannot be made now is made another time; the sync was done all the same.
fn keep_spare(wiring: &Wiring) {
    if let Err(error) = wiring.mirror.keep_spare(SystemClock.now()) {
        let problem = Problem::from(error);
        tracing::warn!(code = %problem.code, "the second copy of the database could not be made");
    }
}

pub(crate) fn tell_log(run: &RunId, report: &Report) {
    tracing::info!(
        run = %run,
        outcome = ?report.outcome(),
        created = report.bookings.created,
        updated = report.bookings.updated,
        removed = report.bookings.removed,
        unchanged = report.bookings.unchanged,
        standing_by = report.standing_by.is_some(),
        undone = report.undo.as_ref().map(|undo| undo.undone),
        published = report.busy.sources.iter().filter(|source| source.published).count(),
        duration_ms = report.duration_ms,
        "sync ended"
    );
    for drift in &report.drift {
        tracing::warn!(run = %run, side = drift.side, differences = drift.differences, "a change nobody had told of");
    }
    for error in &report.errors {
        if report.is_switched_off() {
            tracing::info!(run = %run, at = %error.at, "Bookiji has switched syncing off");
            continue;
        }
        tracing::warn!(run = %run, code = %error.code, at = %error.at, "something of it failed");
    }
}

/// The engine cannot see requests, so the run's record gets its counts afterwards.
pub(crate) fn keep_counts(wiring: &Wiring, run: &RunId, report: &Report) -> Result<(), Problem> {
    if let Some(mut record) = wiring.mirror.runs(1)?.into_iter().find(|record| record.id == *run) {
        record.report = serde_json::to_value(report).ok();
        wiring.mirror.end_run(&record)?;
    }
    Ok(())
}

/// The problems of a report, each kind once, the worst first.
#[must_use]
pub fn problems(report: &Report) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for error in &report.errors {
        let problem = Problem::from(error.problem());
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(crate::view::State::of_code(problem.code)));
    problems
}

/// A report in a few sentences.
#[must_use]
pub fn sentences(report: &Report) -> String {
    let bookings = &report.bookings;
    let mut lines = Vec::new();
    let verb = |done: &'static str, planned: &'static str| if report.dry_run { planned } else { done };
    if report.direction != Direction::FromCalendar {
        let changes = [
            (bookings.created, verb("created", "to create")),
            (bookings.updated, verb("updated", "to update")),
            (bookings.removed, verb("removed", "to remove")),
            (bookings.unchanged, "unchanged"),
            (bookings.held, "waiting for you"),
        ];
        let changes: Vec<String> =
            changes.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let changes = if changes.is_empty() { "none".to_owned() } else { changes.join(", ") };
        lines.push(format!("Booking events: {changes}."));
    }
    if report.direction != Direction::ToCalendar {
        let told = |source: &&SourceReport| source.published || source.intervals != Some(0);
        for source in report.busy.sources.iter().filter(told) {
            let intervals = source.intervals.map_or("not read yet".to_owned(), |n| {
                format!("{n} busy {}", if n == 1 { "interval" } else { "intervals" })
            });
            let sent = if source.published {
                verb("sent to Bookiji", "to send to Bookiji")
            } else {
                "nothing new for Bookiji"
            };
            lines.push(format!("{}: {intervals}, {sent}.", source.name));
        }
    }
    let slots = [
        (report.slots.created, verb("made", "to make")),
        (report.slots.removed, verb("taken back", "to take back")),
        (report.slots.waiting, "waiting for you"),
    ];
    let slots: Vec<String> =
        slots.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !slots.is_empty() {
        lines.push(format!("Slots from imported files: {}.", slots.join(", ")));
    }
    if let Some(other) = &report.standing_by {
        lines.push(words::standing_by(&other.holder, Language::English));
    }
    for given in &report.standing {
        lines.push(format!("Answered as always: {} {}", given.summary, given.outcome));
    }
    for decision in &report.decisions {
        lines.push(format!("Decide: {}", decision.summary));
    }
    lines.push(match (report.dry_run, report.outcome()) {
        (true, _) => "Nothing was written: this was a dry run.".to_owned(),
        (false, SyncOutcome::Success) => format!("Done in {:.1} s.", report.duration_ms as f64 / 1000.0),
        (false, _) if report.is_switched_off() => {
            "Bookiji has switched syncing off for now. Nothing is lost, and it is asked again by itself."
                .to_owned()
        }
        (false, SyncOutcome::Partial) => {
            "Partly done; the rest is tried again with the next sync.".to_owned()
        }
        (false, SyncOutcome::Error) => "Nothing could be synced; nothing is lost.".to_owned(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use connectors::vault::Memory;
    use sync::world::RunRecord;

    #[tokio::test]
    async fn a_run_that_never_ends_is_stopped_and_its_record_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(folder.path())).unwrap();
        let wiring = Wiring::open_with(&profile, std::sync::Arc::new(Memory::default())).await.unwrap();
        let run = RunId("run-1".to_owned());
        let record = RunRecord {
            id: run.clone(),
            direction: Direction::Bidirectional,
            started_at: wiring.clock.now(),
            ended_at: None,
            outcome: None,
            undoes: None,
            report: None,
        };
        let work = async {
            wiring.mirror.begin_run(&record)?;
            std::future::pending().await
        };
        let stopped = within_bounds(&wiring, &run, Duration::from_millis(50), work).await.unwrap_err();
        assert_eq!(stopped.code, Code::NetworkError);
        let told = wiring.mirror.runs(1).unwrap().remove(0);
        assert!(told.ended_at.is_some() && told.outcome == Some(SyncOutcome::Error), "{told:?}");
    }
}
