//! Keeps every file that appears below a folder by a second name, so that it can still be read when its first is gone.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is larger is no log and no database of ours.
const LARGEST: u64 = 256 * 1024 * 1024;
/// How often one name is looked at in a row.
const TRIES: usize = 4;
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
                self.keep(&entry.path());
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

    fn keep(&mut self, path: &Path) {
        // What is replaced again and again is met by a later look.
        for _ in 0..TRIES {
            let Ok(about) = path.symlink_metadata() else { return };
            if !about.is_file() || about.len() > LARGEST || self.known.contains(&identity(&about)) {
                return;
            }
            let kept = self.folder.join(self.files.len().to_string());
            match std::fs::hard_link(path, &kept) {
                Ok(()) => return self.take(path, kept),
                // It is gone. What has its name now is another file.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => return self.lost.push(path.to_path_buf()),
            }
        }
    }

    /// The file may be another than the one that was looked at, if that was replaced meanwhile.
    fn take(&mut self, path: &Path, kept: PathBuf) {
        match kept.symlink_metadata() {
            Ok(about) if !self.known.insert(identity(&about)) => {
                let _ = std::fs::remove_file(kept);
            }
            Ok(_) | Err(_) => self.files.push((path.to_path_buf(), kept)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Scratch;

    #[test]
    fn what_is_replaced_while_it_is_being_kept_is_no_fault() {
        let scratch = Scratch::new("hoard").unwrap();
        let (kept, below) = (scratch.path().join("kept"), scratch.path().join("t"));
        for folder in [&kept, &below] {
            std::fs::create_dir(folder).unwrap();
        }
        let (new, name) = (below.join("new"), below.join("event.ics"));
        let replaced = std::thread::spawn(move || {
            for version in 0..5_000 {
                std::fs::write(&new, version.to_string()).unwrap();
                std::fs::rename(&new, &name).unwrap();
            }
        });
        let mut hoard = Hoard::new(kept);
        while !replaced.is_finished() {
            hoard.look(&below);
        }
        hoard.look(&below);
        assert_eq!(hoard.lost().count(), 0);
        let last = hoard.files().iter().map(|(_, kept)| std::fs::read_to_string(kept).unwrap());
        assert!(last.into_iter().any(|text| text == "4999"), "the one that stands is among them");
    }
}
