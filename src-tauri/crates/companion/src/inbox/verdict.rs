//! Reads what came of a batch out of the import's report: which file is good, which is bad and why. Pure.

use std::path::PathBuf;

use sync::error::Code;

use super::Verdict;
use crate::import::{FileOutcome, FileReport};
use crate::problem::Problem;

/// One verdict for each of `files`.
#[must_use]
pub fn verdicts(files: &[PathBuf], reports: Vec<FileReport>) -> Vec<Verdict> {
    let mut reports: Vec<Option<FileReport>> = reports.into_iter().map(Some).collect();
    let mut report_of = |file: &PathBuf| {
        reports.iter_mut().find(|report| report.as_ref().is_some_and(|report| report.path == *file))?.take()
    };
    files.iter().map(|file| report_of(file).map_or_else(not_told, verdict)).collect()
}

fn verdict(report: FileReport) -> Verdict {
    match report.outcome {
        FileOutcome::Imported | FileOutcome::Unchanged | FileOutcome::NoTimes => {
            Verdict::Good(report.outcome)
        }
        FileOutcome::Rejected => Verdict::Bad {
            problem: Problem::new(Code::InvalidIcsFormat, "This is not a calendar file."),
            lines: Vec::new(),
        },
    }
}

fn not_told() -> Verdict {
    let problem = Problem::new(Code::Internal, "A file was not taken in, and nothing says why.");
    Verdict::NotNow(problem.then("It is tried again by itself."))
}
