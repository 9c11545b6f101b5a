//! Takes calendar files in again that the app had taken in before and a damaged database lost: those that still lie
//! where watched folders put them away.

use std::path::{Path, PathBuf};

use sync::error::Code;

use crate::import::{self, Options};
use crate::inbox;
use crate::problem::Problem;
use crate::wiring::Wiring;

/// A vendor's folder of files that were dealt with is not endless; the newest names of it count.
const FILES: usize = 500;

/// Does nothing unless the database was built anew and files are missing from it.
///
/// # Errors
/// When the database cannot be read or written. A file that is refused keeps none of the others from being taken in.
pub async fn retake_imports(wiring: &Wiring) -> Result<(), Problem> {
    if !wiring.mirror.rebuilt()?.is_some_and(|rebuilt| rebuilt.imports_lost) {
        return Ok(());
    }
    let files: Vec<PathBuf> =
        inbox::watched(wiring).iter().flat_map(|folder| put_away(&folder.imported)).collect();
    if !files.is_empty() {
        let options = Options { on_conflict: wiring.settings.import.on_conflict, ..Options::default() };
        match import::import_files(wiring, &files, &options).await {
            // There is nobody whose files they are: the next sign-in is asked for anyway.
            Err(problem) if problem.code == Code::NotSignedIn => return Ok(()),
            Err(problem) => return Err(problem),
            Ok(reports) => tracing::info!(files = reports.len(), "files were taken in again"),
        }
    }
    wiring.mirror.imports_are_back()?;
    Ok(())
}

/// A folder that cannot be read has nothing to give back.
fn put_away(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_calendar = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        matches!(ending.as_deref(), Some("ics" | "ical" | "ifb" | "vcs")) && path.is_file()
    };
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(is_calendar).collect();
    found.sort();
    let too_many = found.len().saturating_sub(FILES);
    found.split_off(too_many)
}
