//! The last files that came in, as the window shows them, kept over restarts. A list that cannot be read is an empty one: what
//! became of each file lies beside it on the disk all the same.

use std::collections::VecDeque;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::inbox::Settled;
use crate::outfile::Place;
use crate::profile::Profile;
use crate::view::{FILES_SHOWN, FileView};

/// In a profile's folder.
pub const FILE: &str = "files.json";
/// Twenty lines are far less.
const MAX_BYTES: u64 = 256 * 1024;

#[derive(Debug)]
pub struct Recent {
    path: PathBuf,
    files: VecDeque<FileView>,
}

impl Recent {
    #[must_use]
    pub fn open(profile: &Profile) -> Self {
        let path = profile.root().join(FILE);
        let mut files = read(&path).unwrap_or_default();
        files.truncate(FILES_SHOWN);
        Self { path, files }
    }

    /// Newest first.
    #[must_use]
    pub fn files(&self) -> Vec<FileView> {
        self.files.iter().cloned().collect()
    }

    pub fn add(&mut self, file: &Settled) {
        self.files.push_front(file.into());
        self.files.truncate(FILES_SHOWN);
        let kept =
            Place::at(&self.path).and_then(|place| place.write(&serde_json::json!(self.files).to_string()));
        if let Err(problem) = kept {
            tracing::info!(code = %problem.code, "the list of recent files could not be kept");
        }
    }
}

fn read(path: &Path) -> Option<VecDeque<FileView>> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::import::{FileOutcome, Rejection};

    fn settled(name: &str) -> Settled {
        Settled {
            name: name.to_owned(),
            outcome: FileOutcome::Rejected,
            at: Timestamp::UNIX_EPOCH,
            into: PathBuf::from("/somewhere/rejected"),
            reason: Some("It is larger than 5 MB.".to_owned()),
            why: Some(Rejection::TooLarge { most_mb: 5 }),
            waiting: 2,
        }
    }

    #[test]
    fn the_last_files_are_known_after_a_restart_and_no_more_than_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(folder.path())).unwrap();
        let mut recent = Recent::open(&profile);
        assert_eq!(recent.files(), []);
        for number in 0..FILES_SHOWN + 3 {
            recent.add(&settled(&format!("{number}.ics")));
        }
        let after = Recent::open(&profile).files();
        assert_eq!(after, recent.files());
        assert_eq!((after.len(), after[0].name.as_str(), after[0].waiting), (FILES_SHOWN, "22.ics", 2));
        assert_eq!(after[0].refusal, Some(Rejection::TooLarge { most_mb: 5 }));
        assert!(!fs::read_to_string(folder.path().join(FILE)).unwrap().contains("somewhere"));
    }

    #[test]
    fn what_is_no_list_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(folder.path())).unwrap();
        for broken in ["", "[{}]", "\u{0}"] {
            fs::write(folder.path().join(FILE), broken).unwrap();
            assert_eq!(Recent::open(&profile).files(), [], "{broken:?}");
        }
    }
}
