//! Finds out whether a file can be trusted before anybody acts on it, and builds a new one in the place of a damaged
//! one, which is set aside and never deleted. What the new file then lacks, the next sync reads from the remote sides.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection as Db, ErrorCode, OpenFlags};
use sync::error::MirrorError;

use crate::failure::Failure;
use crate::left::{self, Left, beside};
use crate::open::{self, Identity};
use crate::salvage::Salvaged;
use crate::spare;
use crate::store::Sqlite;
use crate::table::rebuild;

/// A damaged file that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub at: Timestamp,
    /// Its name, in the same folder.
    pub kept_as: String,
    /// What is wrong with it, in SQLite's words and ours.
    pub reason: String,
    /// Some of what was imported from files is in it alone.
    pub imports_lost: bool,
}

/// A look at all of a file may take no longer: what nobody found by then, a reading will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the file for writing, or a new one in its place. Only one process may do this to a path at a time.
pub fn open(path: &Path, now: Timestamp) -> Result<(Db, Option<Rebuilt>), MirrorError> {
    let path = open::absolute(path)?;
    let path = path.as_path();
    let seen =
        |error: std::io::Error| open::from_io(&format!("{} cannot be read", path.display()), "", &error);
    finish(path).map_err(seen)?;
    let left = left::how(path).map_err(seen)?;
    let reason = match left {
        Left::Nowhere => None,
        Left::AsNoted if left::has_log(path) => {
            // Every writer of ours takes the note away first, so this log belongs to another file.
            set_aside(&beside(path, "-wal"), now).map_err(seen)?;
            None
        }
        Left::AsNoted => None,
        Left::Open => examine(path)?,
        // Nobody but us writes to it. What is whole in it may still be wrong, and no page says so.
        Left::Changed => {
            Some(examine(path)?.unwrap_or_else(|| "it was changed after it was closed".to_owned()))
        }
    };
    if let Some(reason) = reason {
        return rebuild(path, reason, now).map(|(db, rebuilt)| (db, Some(rebuilt)));
    }
    left::begin(path).map_err(seen)?;
    Ok((open::writable(path)?, None))
}

/// What is wrong with the file, if it is damaged.
///
/// # Errors
/// When it is whole and not for us, or cannot be read for another reason than what is in it.
fn examine(path: &Path) -> Result<Option<String>, MirrorError> {
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        // A new file begins like this, and so does one that lost everything.
        return Ok(spare::exists(path).then(|| "the file is empty".to_owned()));
    }
    match look(path) {
        Err(MirrorError::Damaged { reason }) => Ok(Some(reason)),
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

fn look(path: &Path) -> Result<(), MirrorError> {
    // SQLite takes a file of a few bytes for an empty one, and would fill it.
    if !left::begins_with(path, b"SQLite format 3\0") {
        return Err(damaged("it is no database"));
    }
    let db = Db::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Failure::from)?;
    db.busy_timeout(open::BUSY_TIMEOUT).map_err(Failure::from)?;
    if !left::has_log(path) && !is_of_whole_pages(&db, path).map_err(Failure::from)? {
        return Err(damaged("it is cut short"));
    }
    let as_ours = open::has_latest_schema(&db)?;
    match open::identity(&db)? {
        Identity::Ours { version } if as_ours == (version == open::latest()) => {}
        Identity::Foreign { has_our_tables: false } => return Err(open::foreign()),
        Identity::Newer if !as_ours => return Err(MirrorError::TooNew),
        Identity::Ours { .. } | Identity::Newer | Identity::Foreign { .. } => {
            return Err(damaged("its header is wrong"));
        }
    }
    match check(&db) {
        Err(Failure::Sql(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
        result => result?,
    }
    drop(db);
    // Pages that are sound may still hold what no row of ours says.
    let mirror = Sqlite::open_as_it_is(path)?;
    mirror.read_everything()
}

fn is_of_whole_pages(db: &Db, path: &Path) -> rusqlite::Result<bool> {
    let page: u64 = db.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0))?.into();
    Ok(fs::metadata(path).is_ok_and(|file| page > 0 && file.len() % page == 0))
}

/// Goes through every page and every reference, for as long as there is patience.
pub fn check(db: &Db) -> Result<(), Failure> {
    let since = Instant::now();
    db.progress_handler(100_000, Some(move || since.elapsed() > PATIENCE))?;
    let found: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Failure::Damaged(found));
    }
    let stray: i64 = db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if stray > 0 {
        return Err(Failure::Damaged(format!("{stray} rows point at nothing")));
    }
    Ok(())
}

/// Builds the new file beside the old one, and lets them change places when it is complete.
fn rebuild(path: &Path, reason: String, now: Timestamp) -> Result<(Db, Rebuilt), MirrorError> {
    let moved = |error: std::io::Error| {
        open::from_io(&format!("the damaged file {} cannot be set aside", path.display()), "", &error)
    };
    let mut salvaged = Salvaged::default();
    salvaged.add(path);
    if spare::exists(path) {
        salvaged.add(&spare::path(path));
    }
    let kept = free_name(path, now);
    let rebuilt = Rebuilt {
        at: now,
        kept_as: kept.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        reason,
        imports_lost: salvaged.lost_imports,
    };
    let made = beside(path, ".new");
    remove_all(&made).map_err(moved)?;
    {
        let mut db = open::writable(&made)?;
        let tx = db.transaction().map_err(Failure::from)?;
        salvaged.write(&tx)?;
        rebuild::put(&tx, &rebuilt)?;
        tx.commit().map_err(Failure::from)?;
        // All of it into the one file that is moved.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(Failure::from)?;
    }
    left::begin(path).map_err(moved)?;
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(path, suffix), beside(&kept, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(moved(error)),
            Ok(()) | Err(_) => {}
        }
    }
    finish(path).map_err(moved)?;
    Ok((open::writable(path)?, rebuilt))
}

/// The process may have ended between the two moves.
fn finish(path: &Path) -> std::io::Result<()> {
    let made = beside(path, ".new");
    match (path.exists(), made.exists()) {
        (false, true) => fs::rename(made, path),
        (true, true) => remove_all(&made),
        (_, false) => Ok(()),
    }
}

fn set_aside(path: &Path, now: Timestamp) -> std::io::Result<()> {
    fs::rename(path, free_name(path, now))
}

fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let stem = format!(".damaged-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let numbered = (1..1000).map(|n| beside(path, &format!("{stem}-{n}")));
    std::iter::once(beside(path, &stem))
        .chain(numbered)
        .find(|name| !name.exists())
        .unwrap_or_else(|| beside(path, &stem))
}

fn remove_all(path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn damaged(what: &str) -> MirrorError {
    Failure::Damaged(what.to_owned()).into()
}
