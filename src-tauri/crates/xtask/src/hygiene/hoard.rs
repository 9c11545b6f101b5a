//! Keeps every file that appears below a folder by a second name, so that it can still be read when its first is gone.

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// What is larger is no log and no database of ours.
const LARGEST: u64 = 256 * 1024 * 1024;
/// What services and browsers remember is theirs: a sandbox's state, a browser's own profile.
const THEIRS: [&str; 2] = ["sandbox-state", "browser-profile"];

pub struct Hoard {
    folder: PathBuf,
    known: BTreeSet<(u64, u64)>,
    files: Vec<(PathBuf, PathBuf)>,
    lost: Vec<PathBuf>,
}

impl Hoard {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, known: BTreeSet::new(), files: Vec::new(), lost: Vec::new() }
    }

    /// Takes in what is new. What is removed meanwhile is no fault.
    pub fn look(&mut self, below: &Path) {
        let Ok(entries) = std::fs::read_dir(below) else { return };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            if THEIRS.iter().any(|theirs| name.starts_with(theirs)) {
                continue;
            }
            if kind.is_dir() {
                self.look(&entry.path());
            } else if kind.is_file() {
                self.keep(&entry);
            }
        }
    }

    /// What a file was called, and where it is now.
    pub fn files(&self) -> &[(PathBuf, PathBuf)] {
        &self.files
    }

    /// What could not be kept though it was there.
    pub fn lost(&self) -> impl Iterator<Item = &PathBuf> {
        self.lost.iter()
    }

    fn keep(&mut self, entry: &DirEntry) {
        let Ok(about) = entry.metadata() else { return };
        if about.len() > LARGEST || !self.known.insert(identity(&about)) {
            return;
        }
        let kept = self.folder.join(self.files.len().to_string());
        match std::fs::hard_link(entry.path(), &kept) {
            Ok(()) => self.files.push((entry.path(), kept)),
            Err(_) if !entry.path().exists() => {}
            Err(_) => self.lost.push(entry.path()),
        }
    }
}

#[cfg(unix)]
fn identity(about: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (about.dev(), about.ino())
}

/// Elsewhere a file is not told from another one: each look keeps it again.
#[cfg(not(unix))]
fn identity(about: &std::fs::Metadata) -> (u64, u64) {
    let changed = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    (changed.map_or(0, |at| at.as_secs()), about.len())
}
