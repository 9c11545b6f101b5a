//! One vendor's folder on this computer: where its files are, who may see them, and which one process may write them.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::app_strategy::{AppStrategy, AppStrategyArgs, choose_native_strategy};
use sync::error::Code;

use crate::inbox::Folder;
use crate::problem::Problem;
use crate::settings::Settings;

/// A reader may hold the lock for a moment to see whether anybody writes, so one refusal is not yet an answer.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    root: PathBuf,
}

/// The right to write a profile; given back when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Profile {
    /// The profile in `dir`, or the platform's data folder. Creates nothing.
    pub fn at(dir: Option<&Path>) -> Result<Self, Problem> {
        let root = match dir {
            // Part by part: secrets stand under this path, and a shell adds a slash to a folder's name.
            Some(dir) => std::path::absolute(dir)
                .map_err(|error| Problem::new(Code::InvalidInput, format!("{}: {error}.", dir.display())))?
                .components()
                .collect(),
            None => choose_native_strategy(AppStrategyArgs {
                top_level_domain: "com".to_owned(),
                author: "Bookiji".to_owned(),
                app_name: "Bookiji Companion".to_owned(),
            })
            .map_err(|_| {
                Problem::new(Code::InvalidInput, "This user has no home folder.")
                    .then("Name a folder with --profile DIR.")
            })?
            .data_dir(),
        };
        Ok(Self { root })
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("companion.db")
    }

    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.root.join("settings.toml")
    }

    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The watched folder of the profile, and where its files go from there.
    #[must_use]
    pub fn inbox(&self) -> Folder {
        Folder::of_profile(&self.root)
    }

    /// Where secrets are kept when there is no keychain.
    #[must_use]
    pub fn vault_file(&self) -> PathBuf {
        self.root.join("vault")
    }

    pub fn settings(&self) -> Result<Settings, Problem> {
        Settings::load(&self.settings_file())
    }

    /// Creates the folder, for its owner alone.
    pub fn create(&self) -> Result<(), Problem> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.root).map_err(|error| self.unusable(&error))
    }

    /// Takes the right to write, creating the folder if need be.
    pub async fn lock(&self) -> Result<Lock, Problem> {
        self.create()?;
        let file = self.lock_file(true).map_err(|error| self.unusable(&error))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(self.unusable(&error)),
            }
        }
        Err(Problem::new(
            Code::AlreadyRunning,
            format!("Another Companion is using the profile {}.", self.root.display()),
        ))
    }

    /// Whether another process holds the right to write just now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.lock_file(false)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn lock_file(&self, create: bool) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.root.join("lock"))
    }

    fn unusable(&self, error: &std::io::Error) -> Problem {
        use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
        let code = if error.kind() == ReadOnlyFilesystem {
            Code::ProfileReadOnly
        } else if error.kind() == StorageFull {
            Code::DiskFull
        } else {
            Code::InvalidInput
        };
        let problem = Problem::new(
            code,
            format!("The profile folder {} cannot be used: {error}.", self.root.display()),
        );
        if code != Code::InvalidInput {
            return problem;
        }
        problem.then("Check that it is a folder you may write to, or name another with --profile DIR.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_writer_is_told_who_is_there_and_the_next_one_gets_in_after() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("deep/profile"))).unwrap();
        assert!(!profile.is_locked());
        let first = profile.lock().await.unwrap();
        assert!(profile.is_locked());
        let refused = profile.lock().await.unwrap_err();
        assert_eq!(refused.code, Code::AlreadyRunning);
        drop(first);
        assert!(!profile.is_locked());
        profile.lock().await.unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_new_profile_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("profile"))).unwrap();
        let _lock = profile.lock().await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(profile.root()), 0o700);
        assert_eq!(mode(&profile.root().join("lock")), 0o600);
    }

    #[tokio::test]
    async fn a_profile_that_is_a_file_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = Profile::at(Some(&file)).unwrap().lock().await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidInput);
        assert!(refused.message.contains("cannot be used"), "{refused}");
    }
}
