//! What the one writer of a file owes to the next one: a note of how it was left, and a second copy of what cannot be
//! read again from anywhere. Knows no rows.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection as Db;
use sync::error::MirrorError;

use crate::failure::Failure;
use crate::left::{self, beside};
use crate::{open, spare};

/// Everything that may lie beside a database of ours and holds something of it: for whoever erases a profile.
///
/// # Errors
/// When the folder cannot be listed.
pub fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name();
        let rest = own.to_string_lossy().strip_prefix(&*name.to_string_lossy()).map(str::to_owned);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.'])) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Held as long as the file is written.
#[derive(Debug)]
pub struct Keeping {
    path: PathBuf,
    doubted: AtomicBool,
    /// What the spare copy says of her accounts, where that is known.
    told: Mutex<Option<String>>,
}

impl Keeping {
    pub fn new(path: &Path) -> Result<Self, MirrorError> {
        let path = open::absolute(path)?;
        let told = Mutex::new(spare::essence_of_copy(&path));
        Ok(Self { path, doubted: AtomicBool::new(false), told })
    }

    /// Something in the file cannot be what was written to it.
    pub fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    pub fn keep_spare(&self, db: &Db, now: Timestamp) -> Result<(), MirrorError> {
        if self.is_doubted() {
            return Ok(());
        }
        let essence = spare::essence(db)?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_deref() == Some(&essence) && spare::is_fresh(&self.path, now) {
            return Ok(());
        }
        spare::make(db, &self.path)?;
        *told = Some(essence);
        Ok(())
    }

    /// Brings everything into the one file, while it is still open.
    pub fn settle(&self, db: &Db) {
        // A reader in the way only leaves the log where it is, and then no note is written.
        let _ = db.busy_timeout(Duration::ZERO);
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(Failure::from);
    }

    fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if !self.is_doubted() && !std::thread::panicking() {
            // Without a note the next one looks at all of the file.
            let _ = left::end(&self.path);
            let _ = std::fs::remove_file(beside(&self.path, ".closing"));
        }
    }
}
