//! Reads what came of a batch out of the import's report: which file is good, which is bad and why. Pure.

use std::path::PathBuf;

use calendar::ics::NotACalendar;
use sync::error::Code;

use super::{Verdict, names};
use crate::import::{FileOutcome, FileReport, Rejected, Rejection};
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

pub(super) fn verdict(report: FileReport) -> Verdict {
    let good = match report.outcome {
        FileOutcome::Imported | FileOutcome::Unchanged | FileOutcome::NoTimes => true,
        FileOutcome::Rejected => false,
    };
    if good {
        return Verdict::Good { outcome: report.outcome, waiting: report.waiting };
    }
    // In the folder she knows, a name says it all.
    let path = report.path.display().to_string();
    let name = report.path.file_name().map(names::shown).unwrap_or_default();
    let short = |text: &str| text.replace(&path, &name);
    let mut rejected = report.refusal.unwrap_or_else(|| {
        let why = Rejection::NotACalendar { what: NotACalendar::NoCalendar };
        let problem = Problem::new(Code::InvalidIcsFormat, format!("{name} is not a calendar file."));
        Rejected::new(why, problem)
    });
    rejected.problem.message = short(&rejected.problem.message);
    let lines = report.problems.iter().map(|told| (told.line, short(&told.message)));
    let lines = lines.filter(|(_, message)| *message != rejected.problem.message);
    let lines = lines.map(|(line, message)| format!("Line {line}: {message}")).collect();
    Verdict::Bad { rejected, lines }
}

fn not_told() -> Verdict {
    let problem = Problem::new(Code::Internal, "A file was not taken in, and nothing says why.");
    Verdict::NotNow(problem.then("It is tried again by itself."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::read_file;

    #[test]
    fn a_rejection_names_the_file_as_she_knows_it_and_a_file_nobody_spoke_of_waits() {
        let dir = tempfile::tempdir().unwrap();
        let bad = dir.path().join("page.ics");
        std::fs::write(&bad, "<html>").unwrap();
        let report = FileReport::rejected(&bad, read_file(&bad).unwrap_err());
        let verdicts = verdicts(&[PathBuf::from("other.ics"), bad], vec![report]);
        assert!(matches!(verdicts[0], Verdict::NotNow(_)), "{verdicts:?}");
        let Verdict::Bad { rejected, lines } = &verdicts[1] else { panic!("{verdicts:?}") };
        assert!(rejected.problem.message.starts_with("page.ics, line 1: "), "{rejected:?}");
        assert!(lines.is_empty(), "it is said once: {lines:?}");
    }
}
