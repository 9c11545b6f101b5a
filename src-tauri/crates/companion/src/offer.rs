//! What she gave to the window: which files that is, where folders are among them, and how many of them are looked at.
//! Decides by names alone; what is in a file, the import says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::inbox::{Takes, shown};

/// Files that are looked at in one go.
pub const MOST_FILES: usize = 200;
/// Entries of folders that are gone through.
const MOST_ENTRIES: usize = 20_000;
/// Folders within folders.
const DEEPEST: usize = 8;

/// Files that wait for her word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Each once: those that she gave herself in her order, and then those of folders, sorted.
    pub files: Vec<PathBuf>,
    /// There were more than are looked at in one go.
    pub more: bool,
}

impl Offered {
    /// Goes through what was given: a file counts whatever its name, a folder by the calendars in it. Links inside folders
    /// are not followed.
    #[must_use]
    pub fn gather(given: &[PathBuf]) -> Self {
        let mut found = Finding::default();
        for path in given {
            if path.is_dir() {
                found.folder(path, 0);
            } else {
                found.add(path.clone());
            }
        }
        Self { files: found.files, more: found.more }
    }

    /// The names, as they may be shown.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files.iter().map(|path| name(path)).collect()
    }
}

/// What a file is called, as it may be shown.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map(shown).unwrap_or_default()
}

#[derive(Default)]
struct Finding {
    files: Vec<PathBuf>,
    known: BTreeSet<PathBuf>,
    entries: usize,
    more: bool,
}

impl Finding {
    fn add(&mut self, path: PathBuf) {
        if self.known.contains(&path) {
            return;
        }
        if self.files.len() >= MOST_FILES {
            self.more = true;
            return;
        }
        self.known.insert(path.clone());
        self.files.push(path);
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        // A folder that cannot be read has nothing to offer.
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                self.more = true;
                break;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && Takes::Calendars.takes(&entry.file_name()) => {
                    files.push(entry.path());
                }
                Ok(_) | Err(_) => {}
            }
        }
        files.sort();
        folders.sort();
        files.into_iter().for_each(|file| self.add(file));
        if depth + 1 >= DEEPEST {
            self.more |= !folders.is_empty();
            return;
        }
        for folder in folders {
            if self.files.len() >= MOST_FILES || self.entries > MOST_ENTRIES {
                self.more = true;
                return;
            }
            self.folder(&folder, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    }

    fn names(offered: &Offered) -> Vec<String> {
        offered.names()
    }

    #[test]
    fn a_folder_counts_by_the_calendars_in_it_and_a_file_whatever_its_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.ics", "a.ICS", "letter.pdf", ".hidden.ics", "sub/c.vcs", "sub/deeper/d.ics.part"] {
            put(&dir.path().join("folder").join(name));
        }
        put(&dir.path().join("notes.txt"));
        let given = [dir.path().join("notes.txt"), dir.path().join("folder"), dir.path().join("notes.txt")];
        let offered = Offered::gather(&given);
        assert_eq!(names(&offered), ["notes.txt", "a.ICS", "b.ics", "c.vcs"]);
        assert!(!offered.more);
    }

    #[test]
    fn more_files_or_deeper_folders_than_are_looked_at_are_said_and_left() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..=MOST_FILES {
            put(&dir.path().join("many").join(format!("{n:04}.ics")));
        }
        let offered = Offered::gather(&[dir.path().join("many")]);
        assert_eq!((offered.files.len(), offered.more), (MOST_FILES, true));

        let deep: PathBuf = std::iter::once(dir.path().join("deep"))
            .chain((0..DEEPEST).map(|n| PathBuf::from(n.to_string())))
            .collect();
        put(&deep.join("far.ics"));
        put(&dir.path().join("deep").join("near.ics"));
        let offered = Offered::gather(&[dir.path().join("deep")]);
        assert_eq!((names(&offered), offered.more), (vec!["near.ics".to_owned()], true));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_a_folder_leads_nowhere_and_round_no_circle() {
        let dir = tempfile::tempdir().unwrap();
        put(&dir.path().join("outside.ics"));
        put(&dir.path().join("folder/inside.ics"));
        std::os::unix::fs::symlink(dir.path().join("outside.ics"), dir.path().join("folder/link.ics"))
            .unwrap();
        std::os::unix::fs::symlink(dir.path().join("folder"), dir.path().join("folder/round")).unwrap();
        assert_eq!(names(&Offered::gather(&[dir.path().join("folder")])), ["inside.ics"]);
    }
}
