//! What files would do, or did, and which folders are watched, as the window shows it. No path is part of it: the window
//! knows names and numbers.

use std::collections::BTreeMap;
use std::path::Path;

use calendar::ics::ProblemKind;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sync::error::Code;
use sync::import::{Conflict, ConflictKind, Resolution};
use sync::world::SyncProblem;

use super::{FileState, Problem, count};
use crate::import::{FileReport, Rejection, Why};
use crate::inbox;
use crate::offer::name;
use crate::settings::ImportSettings;

/// Conflicts and lines that are shown of one file; there is a count of the rest.
const SHOWN: usize = 50;

/// Files that wait for her word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct OfferView {
    /// What it is called when it is spoken of.
    pub number: u32,
    /// Files and folders as she gave them.
    pub names: Vec<String>,
}

/// What an offer would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ImportView {
    pub offer: u32,
    pub files: Vec<FileImportView>,
    /// There were more files than are looked at in one go.
    pub more: bool,
}

/// What one file would do, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct FileImportView {
    pub name: String,
    pub outcome: FileState,
    pub new: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub cancelled: u32,
    pub skipped: u32,
    pub skips: Vec<SkippedView>,
    /// Stretches that its events block.
    pub busy: u32,
    /// Open slots that those close; nothing where that is not known.
    pub closes: Option<u32>,
    /// Slots that its free times open.
    pub opens: u32,
    pub conflicts: Vec<ConflictView>,
    /// Conflicts that are not among them.
    pub more_conflicts: u32,
    /// What could not be read, by line.
    pub lines: Vec<LineView>,
    pub more_lines: u32,
    /// Questions that wait for her afterwards.
    pub waiting: u32,
    /// Why it was not taken in.
    pub refusal: Option<Rejection>,
    /// It is here, or would be, and Bookiji could not be asked or told.
    pub unsent: Option<Problem>,
}

/// How many entries were passed over for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct SkippedView {
    pub why: Why,
    pub count: u32,
}

/// Something in the file that could not be read as it stands. The window has a sentence for each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct LineView {
    pub line: u32,
    pub odd: ProblemKind,
}

/// Where a time of the file meets something that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ConflictView {
    /// The event's name in the file: what she chooses is chosen for all of its times.
    pub uid: String,
    pub kind: ConflictKind,
    pub summary: String,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
    pub with: MeetsView,
    pub resolution: Resolution,
    /// She can choose what becomes of it. What is booked or busy stays, whatever a file says.
    pub can_choose: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct MeetsView {
    pub summary: Option<String>,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
}

impl ImportView {
    #[must_use]
    pub fn of(offer: u32, reports: &[FileReport], more: bool) -> Self {
        Self { offer, files: reports.iter().map(FileImportView::of).collect(), more }
    }
}

impl FileImportView {
    fn of(report: &FileReport) -> Self {
        let mut skips: BTreeMap<Why, usize> = BTreeMap::new();
        for note in &report.notes {
            *skips.entry(note.why).or_default() += 1;
        }
        let lines = report.problems.iter().filter_map(|problem| {
            problem.kind.clone().map(|odd| LineView { line: count(problem.line), odd })
        });
        let lines: Vec<LineView> = lines.collect();
        let events = report.events;
        Self {
            name: name(&report.path),
            outcome: report.outcome.into(),
            new: count(events.new),
            updated: count(events.updated),
            unchanged: count(events.unchanged),
            cancelled: count(events.cancelled),
            skipped: count(events.skipped),
            skips: skips.into_iter().map(|(why, n)| SkippedView { why, count: count(n) }).collect(),
            busy: count(report.busy_blocks),
            closes: report.slots_closed.map(count),
            opens: count(report.slots_created),
            conflicts: report.conflicts.iter().take(SHOWN).map(ConflictView::of).collect(),
            more_conflicts: count(report.conflicts.len().saturating_sub(SHOWN)),
            more_lines: count(lines.len().saturating_sub(SHOWN)),
            lines: lines.into_iter().take(SHOWN).collect(),
            waiting: count(report.waiting),
            refusal: report.refusal.as_ref().map(|rejected| rejected.why),
            unsent: report.unsent.as_ref().map(Problem::from),
        }
    }
}

impl ConflictView {
    fn of(conflict: &Conflict) -> Self {
        let Conflict { kind, uid, summary, start, end, with, resolution } = conflict;
        Self {
            uid: uid.0.clone(),
            kind: *kind,
            summary: summary.clone(),
            start: *start,
            end: *end,
            with: MeetsView { summary: with.summary.clone(), start: with.start, end: with.end },
            resolution: *resolution,
            can_choose: match kind {
                ConflictKind::Slot | ConflictKind::Closed => true,
                ConflictKind::Booking | ConflictKind::Busy => false,
            },
        }
    }
}

/// A file that was written where she chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct WrittenView {
    pub name: String,
    pub bookings: u32,
    pub slots: u32,
    /// Whether the customer is asked: without an address nobody can be.
    pub addressed: bool,
    /// Why it is not all there is.
    pub problem: Option<Problem>,
}

impl WrittenView {
    /// From the document of `companion export` or `companion invite`.
    #[must_use]
    pub fn of(document: &Value, problems: &[crate::problem::Problem]) -> Self {
        let path = document["path"].as_str().unwrap_or_default();
        let number =
            |key: &str| count(document[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0));
        Self {
            name: name(Path::new(path)),
            bookings: number("bookings"),
            slots: number("slots"),
            addressed: document["addressed"].as_bool().unwrap_or(true),
            problem: problems.first().map(Problem::from),
        }
    }
}

/// The folders whose files are taken in by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct FoldersView {
    /// Not one of them is looked at while she does not want it.
    pub watched: bool,
    pub folders: Vec<FolderView>,
    /// No more can be added.
    pub full: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct FolderView {
    /// What it is called when it is spoken of.
    pub number: u32,
    pub name: String,
    /// It is not there, or cannot be read.
    pub problem: Option<Problem>,
}

/// Folders of hers, as the settings name them.
#[must_use]
pub fn folders(settings: &ImportSettings, is_there: impl Fn(&Path) -> bool) -> FoldersView {
    let missing = || Problem::from(&SyncProblem { code: Code::InvalidInput, message: String::new() });
    let folders = settings.folders.iter().enumerate().map(|(number, path)| FolderView {
        number: count(number),
        name: path.file_name().map(inbox::shown).unwrap_or_default(),
        problem: (!is_there(path)).then(missing),
    });
    FoldersView {
        watched: settings.watch,
        folders: folders.collect(),
        full: settings.folders.len() >= crate::settings::MAX_FOLDERS,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use calendar::ics::NotACalendar;
    use sync::import::Met;

    use super::*;
    use crate::import::{FileProblem, Rejected, read_file};

    #[test]
    fn a_refused_file_says_why_once_and_not_where_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.ics");
        std::fs::write(&path, "<html>").unwrap();
        let report = FileReport::rejected(&path, read_file(&path).unwrap_err());
        let view = ImportView::of(7, &[report], false);
        let file = &view.files[0];
        assert_eq!((view.offer, file.name.as_str(), file.outcome), (7, "page.ics", FileState::Rejected));
        assert_eq!(file.refusal, Some(Rejection::NotACalendar { what: NotACalendar::Html }));
        assert!(file.lines.is_empty(), "it is said once: {file:?}");
        assert!(!serde_json::to_string(&view).unwrap().contains(&dir.path().display().to_string()));
    }

    #[test]
    fn what_is_booked_or_busy_is_no_choice_of_hers_and_the_rest_is_counted() {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let meets = |kind| Conflict {
            kind,
            uid: calendar::event::Uid("e".to_owned()),
            summary: "Open".to_owned(),
            start: at(1),
            end: at(2),
            with: Met { id: None, summary: None, start: at(1), end: at(2) },
            resolution: Resolution::Waiting,
        };
        let mut report = FileReport::rejected(
            &PathBuf::from("a.ics"),
            Rejected::new(
                Rejection::NoEvents { line: 1 },
                crate::problem::Problem::new(Code::InvalidIcsFormat, "no"),
            ),
        );
        report.conflicts =
            [ConflictKind::Booking, ConflictKind::Busy, ConflictKind::Slot, ConflictKind::Closed]
                .map(meets)
                .to_vec();
        let line =
            |line| FileProblem { line, message: format!("odd {line}"), kind: Some(ProblemKind::NoProperty) };
        report.problems = (1..=SHOWN + 3).map(line).collect();
        let view = &ImportView::of(1, &[report], true).files[0];
        let choices: Vec<bool> = view.conflicts.iter().map(|conflict| conflict.can_choose).collect();
        assert_eq!(choices, [false, false, true, true]);
        assert_eq!((view.lines.len(), view.more_lines), (SHOWN, 3));
    }

    #[test]
    fn a_watched_folder_is_shown_by_its_name_and_a_missing_one_says_so() {
        let settings = ImportSettings {
            folders: vec![PathBuf::from("/salon/Downloads"), PathBuf::from("/media/stick")],
            ..ImportSettings::default()
        };
        let view = folders(&settings, |path| path.ends_with("Downloads"));
        let shown: Vec<_> =
            view.folders.iter().map(|f| (f.number, f.name.as_str(), f.problem.is_some())).collect();
        assert_eq!(shown, [(0, "Downloads", false), (1, "stick", true)]);
        assert!(!view.full);
    }
}
