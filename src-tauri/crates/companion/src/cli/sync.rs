//! `companion sync`: one run, the plan of one, or the schedule until somebody interrupts it.

use mirror::{Rebuilt, Sqlite};
use sync::error::Code;
use sync::ports::Mirror;
use sync::report::{DecisionReport, Report};
use sync::world::{Direction, SyncOutcome};
use tokio::sync::broadcast::error::RecvError;

use super::args::SyncArgs;
use super::output::{self, Exit, Outcome, Voice};
use crate::controller::{Controller, Options};
use crate::errand::{self, Errand};
use crate::heal;
use crate::import::FileOutcome;
use crate::inbox::Settled;
use crate::notice;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::settings::Settings;
use crate::syncing::{self, Wanted};
use crate::wiring::Wiring;
use crate::words::Language;

pub async fn run(profile: &Profile, args: &SyncArgs, voice: Voice) -> Result<Outcome, Problem> {
    let _: Settings = profile.settings()?;
    // Before anybody is asked for a passphrase.
    match before(profile) {
        // It is healed by opening it for writing, and what was there before is looked at then.
        Err(problem) if problem.code == Code::DatabaseDamaged => {}
        // Whoever keeps watching may be given files, with no account at all.
        Err(problem) if args.watch && problem.code == Code::NotConnected => {}
        ready => ready?,
    }
    if args.watch {
        let wiring = Wiring::open(profile).await?;
        if let Some(rebuilt) = &wiring.rebuilt {
            tell(rebuilt, voice);
        }
        return watch(wiring, voice).await;
    }
    errand::run(profile, voice, &Errand::Sync { direction: args.direction.into(), dry_run: args.dry_run })
        .await
}

/// Runs one sync of everything, or shows what it would do.
pub async fn once(wiring: &Wiring, direction: Direction, dry_run: bool) -> Result<Outcome, Problem> {
    if !dry_run {
        heal::retake_imports(wiring).await?;
    }
    Ok(outcome(&syncing::sync_once(wiring, &Wanted { direction, connections: None, dry_run }).await?))
}

/// What there is to sync, as far as it can be read.
fn before(profile: &Profile) -> Result<(), Problem> {
    syncing::ready(&Sqlite::open_read_only(&profile.database())?.world()?)
}

/// Says once, on stderr, that the database had to be built anew.
pub(crate) fn tell(rebuilt: &Rebuilt, Voice { language, json }: Voice) {
    let told = if json { Language::English } else { language };
    let notice = notice::of_rebuild(rebuilt, told);
    let line = if json {
        serde_json::json!({ "notice": notice }).to_string()
    } else {
        notice::text(std::slice::from_ref(&notice))
    };
    output::note(&line);
}

/// The document, the sentences and the exit status of one run.
pub(super) fn outcome(report: &Report) -> Outcome {
    let exit = match report.outcome() {
        SyncOutcome::Error => Exit::Failed,
        SyncOutcome::Partial => Exit::Partly,
        SyncOutcome::Success if report.decisions.iter().any(DecisionReport::presses) => Exit::Decide,
        SyncOutcome::Success => Exit::Done,
    };
    Outcome {
        document: serde_json::to_value(report).unwrap_or_default(),
        text: syncing::sentences(report),
        problems: syncing::problems(report),
        exit,
    }
}

/// Each run is told on stderr; the last one's document is the answer.
async fn watch(wiring: Wiring, Voice { language, json }: Voice) -> Result<Outcome, Problem> {
    let mut interrupted = std::pin::pin!(interrupted());
    let mut handle = Controller::start(wiring, Options::default());
    output::note("Syncing. Interrupt to stop.");
    loop {
        tokio::select! {
            () = &mut interrupted => break,
            changed = handle.reports.changed() => {
                if changed.is_err() {
                    break;
                }
                match handle.reports.borrow_and_update().as_ref() {
                    Some(Ok(report)) => {
                        output::note(&syncing::sentences(report));
                        for problem in syncing::problems(report) {
                            output::problem(&problem, json, language);
                        }
                    }
                    Some(Err(problem)) => output::problem(problem, json, language),
                    None => {}
                }
            }
            file = handle.files.recv() => match file {
                Ok(file) => output::note(&told(&file, json)),
                Err(RecvError::Lagged(missed)) => output::note(&format!("{missed} more files.")),
                Err(RecvError::Closed) => break,
            }
        }
    }
    let last = handle.reports.borrow().clone();
    handle.shutdown().await;
    match last {
        Some(Ok(report)) => Ok(Outcome {
            problems: Vec::new(),
            text: "Stopped.".to_owned(),
            exit: Exit::Done,
            ..outcome(&report)
        }),
        Some(Err(problem)) => Err(problem),
        None => Ok(Outcome::done(serde_json::json!({}), "Stopped before the first sync ended.")),
    }
}

/// A file of a watched folder, on one line.
pub(super) fn told(file: &Settled, json: bool) -> String {
    if json {
        return serde_json::json!({ "file": file }).to_string();
    }
    let what = match file.outcome {
        FileOutcome::Imported => "imported",
        FileOutcome::Unchanged => "nothing new in it",
        FileOutcome::NoTimes => "no times of yours in it",
        FileOutcome::Rejected => "rejected",
    };
    let reason = file.reason.as_ref().map(|reason| format!(" {reason}")).unwrap_or_default();
    let waits = match file.waiting {
        0 => "",
        _ => " It asks something of you: see `companion decisions`.",
    };
    format!("{}: {what}.{reason}{waits}", file.name)
}

/// Ends when somebody presses Ctrl-C or asks the process to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
