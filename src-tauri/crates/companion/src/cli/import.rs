//! `companion import`: .ics files in.

use std::path::PathBuf;

use serde_json::json;
use sync::error::Code;

use super::args::{self, ImportArgs};
use super::output::{Exit, Outcome, Voice};
use crate::errand::{self, Errand};
use crate::import::{self, FileOutcome, FileReport, OnConflict, Options};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::wiring::Wiring;

pub async fn run(profile: &Profile, args: &ImportArgs, voice: Voice) -> Result<Outcome, Problem> {
    let whole = |path: &PathBuf| {
        std::path::absolute(path)
            .map_err(|error| Problem::new(Code::InvalidInput, format!("{}: {error}.", path.display())))
    };
    let files = args.files.iter().map(whole).collect::<Result<_, _>>()?;
    let on_conflict = args.on_conflict.map(Into::into);
    errand::run(profile, voice, &Errand::Import { files, on_conflict, dry_run: args.dry_run }).await
}

/// Takes the files in.
pub async fn take(wiring: &Wiring, files: &[PathBuf], options: &Options) -> Result<Outcome, Problem> {
    let reports = import::import_files(wiring, files, options).await?;
    Ok(outcome(&reports, options.dry_run))
}

impl From<args::OnConflict> for OnConflict {
    fn from(choice: args::OnConflict) -> Self {
        match choice {
            args::OnConflict::Replace => Self::Replace,
            args::OnConflict::Merge => Self::Merge,
            args::OnConflict::Skip => Self::Skip,
        }
    }
}

fn outcome(reports: &[FileReport], dry_run: bool) -> Outcome {
    let refusals: Vec<Problem> =
        reports.iter().filter_map(|report| Some(report.refusal.as_ref()?.problem.clone())).collect();
    let mut problems = refusals.clone();
    for problem in reports.iter().filter_map(|report| report.unsent.as_ref()) {
        if !problems.contains(problem) {
            problems.push(problem.clone());
        }
    }
    let taken = reports.iter().filter(|report| report.outcome != FileOutcome::Rejected);
    let exit = match (problems.is_empty(), taken.count()) {
        (false, 0) => Exit::Failed,
        (false, _) => Exit::Partly,
        (true, _) if reports.iter().any(|report| report.waiting > 0) => Exit::Decide,
        (true, _) => Exit::Done,
    };
    Outcome {
        document: json!({ "dry_run": dry_run, "files": reports }),
        text: import::sentences(reports, dry_run),
        problems,
        exit,
    }
}
