//! Which vendors a folder holds: each sub-folder with a `settings.toml` or a `companion.db` is a profile. Opens none.

use std::path::{Path, PathBuf};

use sync::error::Code;

use crate::problem::Problem;
use crate::profile::Profile;

/// More profiles than this are no salon but a mistake.
pub const MOST: usize = 1000;

/// One vendor's profile, and the name it goes by: its folder's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub profile: Profile,
}

/// The profiles in `dir`, by name.
///
/// # Errors
/// When it cannot be read, is itself one vendor's profile, or holds too many.
pub fn members(dir: &Path) -> Result<Vec<Member>, Problem> {
    let refuse = |reason: String| {
        Problem::new(Code::InvalidInput, format!("{} {reason}.", dir.display()))
            .then("Name the folder that holds the vendors' profiles, one in each sub-folder.")
    };
    if dir.join("companion.db").exists() {
        return Err(refuse("is one vendor's profile, not a folder of profiles".to_owned()));
    }
    let entries = std::fs::read_dir(dir).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refuse(format!("cannot be read: {error}")))?.path();
        let Some(name) = name(&path) else { continue };
        if found.len() == MOST {
            return Err(refuse(format!("holds more than {MOST} profiles")));
        }
        found.push(Member { name, profile: Profile::at(Some(&path))? });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// What a folder is called, if it is a profile. A name that is no text could not be told to anybody.
fn name(path: &Path) -> Option<String> {
    let is_profile = |path: &Path| {
        let marks: [PathBuf; 2] = ["settings.toml", "companion.db"].map(|file| path.join(file));
        marks.iter().any(|mark| mark.is_file())
    };
    let name = path.file_name()?.to_str()?;
    (!name.starts_with('.') && !name.contains(char::is_control) && is_profile(path)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        members(dir).unwrap().into_iter().map(|member| member.name).collect()
    }

    #[test]
    fn each_folder_with_settings_or_a_database_is_a_profile_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        for (folder, file) in [
            ("zoe", Some("settings.toml")),
            ("anna", Some("companion.db")),
            ("pictures", Some("photo.jpg")),
            ("empty", None),
            (".trash", Some("settings.toml")),
        ] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
            if let Some(file) = file {
                std::fs::write(dir.path().join(folder).join(file), "").unwrap();
            }
        }
        std::fs::write(dir.path().join("settings.toml"), "").unwrap();
        assert_eq!(names(dir.path()), ["anna", "zoe"]);
    }

    #[test]
    fn one_vendors_profile_is_not_taken_for_a_folder_of_them() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("companion.db"), "").unwrap();
        assert!(members(dir.path()).unwrap_err().message.contains("is one vendor's profile"));
        assert!(members(&dir.path().join("nowhere")).unwrap_err().message.contains("cannot be read"));
    }
}
