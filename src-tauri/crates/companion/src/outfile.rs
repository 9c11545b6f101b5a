//! Where a file may be put, and how it gets there: whole or not at all, and never through a link or over a folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use sync::error::Code;

use crate::problem::Problem;

/// A place that was looked at and may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Looks before anything is done that only makes sense with a file.
    ///
    /// # Errors
    /// In words, where no file can or should be put.
    pub fn at(path: &Path) -> Result<Self, Problem> {
        let shown = path.display();
        let path = std::path::absolute(path)
            .map_err(|error| refused(format!("{shown} is no usable path ({error}).")))?;
        let folder = path.parent().filter(|_| path.file_name().is_some()).map(Path::to_owned);
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            return Err(refused(format!("{shown} cannot be written: its folder is not there.")));
        };
        match std::fs::symlink_metadata(&path) {
            Ok(there) if there.is_dir() => {
                Err(refused(format!("{shown} is a folder."))
                    .then("Name a file in it: -o FOLDER/calendar.ics."))
            }
            Ok(there) if there.is_symlink() => {
                Err(refused(format!("{shown} is a link to another place, which is not written over.")))
            }
            Ok(there) if !there.is_file() => Err(refused(format!("{shown} is no ordinary file."))),
            Ok(_) | Err(_) => Ok(Self { path, folder }),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file there, in place of the one that was.
    ///
    /// # Errors
    /// When the disk says no: what was there is still there then.
    pub fn write(&self, text: &str) -> Result<(), Problem> {
        let put = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".bookiji-").tempfile_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        put().map_err(|error| refused(format!("{} cannot be written: {error}.", self.path.display())))
    }
}

fn refused(message: String) -> Problem {
    Problem::new(Code::InvalidInput, message)
        .then("Name a file in a folder that you may write to, with -o FILE.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ics");
        for text in ["one", "two"] {
            Place::at(&path).unwrap().write(text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_a_missing_folder_and_nothing_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (path, words) in [
            (folder.path().to_owned(), "is a folder"),
            (folder.path().join("none/a.ics"), "its folder is not there"),
            (PathBuf::new(), "no usable path"),
        ] {
            let problem = Place::at(&path).unwrap_err();
            assert!(problem.message.contains(words), "{problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_neither_followed_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (hers, link) = (folder.path().join("hers"), folder.path().join("link.ics"));
        std::fs::write(&hers, "hers").unwrap();
        std::os::unix::fs::symlink(&hers, &link).unwrap();
        assert!(Place::at(&link).unwrap_err().message.contains("is a link"));
        // One that appears after the look is replaced, and what it leads to is left alone.
        std::fs::remove_file(&link).unwrap();
        let place = Place::at(&link).unwrap();
        std::os::unix::fs::symlink(&hers, &link).unwrap();
        place.write("ours").unwrap();
        assert_eq!(std::fs::read_to_string(&hers).unwrap(), "hers");
        assert!(Place::at(Path::new("/dev/null")).unwrap_err().message.contains("no ordinary file"));
    }
}
