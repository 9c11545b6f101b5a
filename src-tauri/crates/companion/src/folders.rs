//! Which folders are watched: one more, or one less, as lines of `settings.toml`. What is in them is read elsewhere.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sync::error::Code;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::preferences::rewrite;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::settings::{MAX_FOLDERS, Settings};

/// Why a folder is not watched. The window has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum FolderFault {
    /// It is none, or cannot be read.
    NoFolder,
    /// The app keeps its own data there.
    Ours,
    /// A folder in it, or one that it lies in, is watched already.
    Overlaps,
    /// As many are watched as can be.
    TooMany,
    /// Its name is no text.
    Nameless,
}

/// Watches one more folder from now on, or says why not. One that is watched already stays.
///
/// # Errors
/// When the settings cannot be read or written.
pub fn add(profile: &Profile, folder: &Path) -> Result<Option<FolderFault>, Problem> {
    if !folder.is_dir() {
        return Ok(Some(FolderFault::NoFolder));
    }
    if folder.starts_with(profile.root()) || profile.root().starts_with(folder) {
        return Ok(Some(FolderFault::Ours));
    }
    let watched = profile.settings()?.import.folders;
    if watched.iter().any(|other| other == folder) {
        return Ok(None);
    }
    if watched.iter().any(|other| folder.starts_with(other) || other.starts_with(folder)) {
        return Ok(Some(FolderFault::Overlaps));
    }
    if watched.len() >= MAX_FOLDERS {
        return Ok(Some(FolderFault::TooMany));
    }
    let Some(text) = folder.to_str() else { return Ok(Some(FolderFault::Nameless)) };
    rewrite(profile, |settings| changed(settings, |folders| folders.push(text)))?;
    Ok(None)
}

/// Watches a folder no longer, by its place in the settings. What was taken in of it stays.
///
/// # Errors
/// In words, where there is none.
pub fn remove(profile: &Profile, number: u32, folder: &Path) -> Result<(), Problem> {
    let watched: Vec<PathBuf> = profile.settings()?.import.folders;
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    if watched.get(place).is_none_or(|there| there != folder) {
        return Err(Problem::new(Code::InvalidInput, "That folder is not watched."));
    }
    rewrite(profile, |settings| changed(settings, |folders| drop(folders.remove(place))))
}

fn changed(text: &str, change: impl FnOnce(&mut Array)) -> Result<String, String> {
    let mut file: DocumentMut = text.parse().map_err(|_| "it is no TOML".to_owned())?;
    let import = file.as_table_mut().entry("import").or_insert_with(|| Item::Table(Table::new()));
    let import = import.as_table_like_mut().ok_or("import is no table")?;
    let folders = import.entry("folders").or_insert_with(|| value(Array::new()));
    change(folders.as_array_mut().ok_or("import.folders is no list")?);
    let text = file.to_string();
    Settings::parse(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_added_once_and_removed_and_the_rest_of_the_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("profile"))).unwrap();
        profile.create().unwrap();
        std::fs::write(profile.settings_file(), "# mine\nlanguage = \"fr\"\n").unwrap();
        let [one, other] = ["one", "other"].map(|name| dir.path().join(name));
        for folder in [&one, &other, &one] {
            std::fs::create_dir_all(folder).unwrap();
            assert_eq!(add(&profile, folder).unwrap(), None);
        }
        let watched = || profile.settings().unwrap().import.folders;
        assert_eq!(watched(), [one.clone(), other.clone()]);
        assert!(remove(&profile, 0, &other).is_err(), "the list has changed since it was shown");
        remove(&profile, 0, &one).unwrap();
        assert_eq!(watched(), [other]);
        assert!(std::fs::read_to_string(profile.settings_file()).unwrap().starts_with("# mine\n"));
    }

    #[test]
    fn what_cannot_be_watched_is_said_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("profile"))).unwrap();
        profile.create().unwrap();
        let watched = dir.path().join("watched");
        std::fs::create_dir_all(watched.join("inside")).unwrap();
        add(&profile, &watched).unwrap();
        for (folder, fault) in [
            (watched.join("inside"), FolderFault::Overlaps),
            (dir.path().to_owned(), FolderFault::Ours),
            (profile.root().to_owned(), FolderFault::Ours),
            (dir.path().join("nowhere"), FolderFault::NoFolder),
        ] {
            assert_eq!(add(&profile, &folder).unwrap(), Some(fault), "{}", folder.display());
        }
        assert_eq!(profile.settings().unwrap().import.folders, [watched]);
    }
}
