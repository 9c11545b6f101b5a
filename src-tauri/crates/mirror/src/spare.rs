//! A second copy of the file, for the day on which the first is damaged: when it is stale, and how it is made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{Connection as Db, OpenFlags};
use sha2::{Digest, Sha256};
use sync::error::MirrorError;

use crate::failure::Failure;
use crate::left::beside;
use crate::open::{self, Identity};

/// What she did within this time may have to be done again, if the file is damaged just then.
const FRESH: Duration = Duration::from_hours(24);

pub fn path(database: &Path) -> PathBuf {
    beside(database, ".spare")
}

pub fn exists(database: &Path) -> bool {
    path(database).exists()
}

/// A copy from the future was made by a clock that was wrong.
pub fn is_fresh(database: &Path, now: Timestamp) -> bool {
    let made = fs::metadata(path(database)).and_then(|file| file.modified());
    let seconds = made.ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok()).map(|age| age.as_secs());
    let age = seconds.and_then(|seconds| u64::try_from(now.as_second()).ok()?.checked_sub(seconds));
    age.is_some_and(|age| age < FRESH.as_secs())
}

/// Which accounts and calendars there are, and what for: a copy that says otherwise brings back what she took away.
pub fn essence(db: &Db) -> Result<String, MirrorError> {
    let read = || -> rusqlite::Result<String> {
        let mut hash = Sha256::new();
        let mut statement = db.prepare_cached(
            "SELECT id FROM vendor UNION ALL SELECT id FROM connections
             UNION ALL SELECT id || role || all_day_rule || tentative_blocks FROM calendar_sync_status ORDER BY 1",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            hash.update(row.get::<_, String>(0)?);
            hash.update([0]);
        }
        Ok(HEXLOWER.encode(&hash.finalize()))
    };
    Ok(read().map_err(Failure::from)?)
}

/// What the copy says; nothing where it cannot be read, or is of another version of the app.
pub fn essence_of_copy(database: &Path) -> Option<String> {
    let db = Db::open_with_flags(path(database), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    match open::identity(&db).ok()? {
        Identity::Ours { version } if version == open::latest() => essence(&db).ok(),
        Identity::Ours { .. } | Identity::Newer | Identity::Foreign { .. } => None,
    }
}

/// Copies what was committed, and lets the copy take the place of the last one when it is complete.
pub fn make(db: &Db, database: &Path) -> Result<(), MirrorError> {
    let made = beside(database, ".spare-new");
    let result = write(db, &made, &path(database));
    if result.is_err() {
        let _ = fs::remove_file(&made);
    }
    result
}

fn write(db: &Db, made: &Path, place: &Path) -> Result<(), MirrorError> {
    let failed = |error: std::io::Error| open::from_io("the second copy cannot be written", "", &error);
    match fs::remove_file(made) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    // Closed to others from its first moment.
    open::create(made).map_err(failed)?;
    let name = made.to_str().ok_or_else(|| Failure::Refused("its path is no text".to_owned()))?;
    db.execute("VACUUM INTO ?1", [name]).map_err(Failure::from)?;
    File::open(made).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(made, place).map_err(failed)
}
