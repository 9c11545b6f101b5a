//! Takes calendar files in: the one way for the command, the watched folder and files dropped on the window.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::wiring::Wiring;

/// What becomes of free times that meet slots she already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    Replace,
    Merge,
    Skip,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Nothing leaves the conflicts to her: they are listed and wait.
    pub on_conflict: Option<OnConflict>,
    pub dry_run: bool,
}

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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    pub path: PathBuf,
    pub outcome: FileOutcome,
}

/// Takes `files` in, in this order. A file that is refused keeps none of the others from being taken in.
///
/// # Errors
/// When the profile itself cannot be used: nobody is signed in, the database cannot be written.
pub async fn import_files(
    _wiring: &Wiring,
    _files: &[PathBuf],
    _options: &Options,
) -> Result<Vec<FileReport>, Problem> {
    Ok(Vec::new())
}

/// Reads one file for import: at most 10 MB, a regular file, a calendar.
///
/// # Errors
/// In words for the vendor, with the cause and what to do.
pub fn read_file(_path: &Path) -> Result<Vec<u8>, Problem> {
    Ok(Vec::new())
}
