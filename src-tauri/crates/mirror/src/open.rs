//! Opens the file: whose it is, who may read it, how durable it is, and which shape its tables have.
//!
//! `synchronous = NORMAL` means that a power cut may take back the last transactions, never a part of one. That is
//! enough here. What is lost of the readings is read again, since cursor and rows go together. What is lost of the
//! journal is a write that was done and forgotten: a create carries a deterministic id and finds its own event there,
//! an update or a delete carries the etag it was planned on and finds a newer version. A killed process loses nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use rusqlite_migration::{M, Migrations};
use sync::error::MirrorError;

use crate::failure::Failure;
use crate::left::beside;
use crate::{read_only, spare};

pub(crate) const STEPS: &[M<'_>] = &[
    M::up(include_str!("../../../../migrations/0001_mirror.sql")),
    M::up(include_str!("../../../../migrations/0002_imports.sql")),
    M::up(include_str!("../../../../migrations/0003_invitations.sql")),
    M::up(include_str!("../../../../migrations/0004_answers.sql")),
    M::up(include_str!("../../../../migrations/0005_undo.sql")),
    M::up(include_str!("../../../../migrations/0006_lease.sql")),
    M::up(include_str!("../../../../migrations/0007_standing_answers.sql")),
    M::up(include_str!("../../../../migrations/0008_pause.sql")),
    M::up(include_str!("../../../../migrations/0009_full_reading.sql")),
    M::up(include_str!("../../../../migrations/0010_create_keys.sql")),
    M::up(include_str!("../../../../migrations/0011_platform.sql")),
    M::up(include_str!("../../../../migrations/0012_unblocked.sql")),
    M::up(include_str!("../../../../migrations/0013_proposals.sql")),
    M::up(include_str!("../../../../migrations/0014_hours.sql")),
];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// Set by the first migration.
const APPLICATION_ID: i64 = 1_114_335_849;

/// Opens the database at `path` for writing, making it and its folder if they are not there.
pub fn writable(path: &Path) -> Result<Connection, MirrorError> {
    let path = absolute(path)?;
    create(&path).map_err(|error| {
        let what = format!("{} cannot be made or written", path.display());
        from_io(&what, "; check the rights on it", &error)
    })?;
    let mut connection =
        Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Failure::from)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(Failure::from)?;
    identify(&connection)?;
    close_to_others(&path)
        .map_err(|error| from_io(&format!("{} cannot be kept private", path.display()), "", &error))?;
    settle_in(&mut connection)?;
    Ok(connection)
}

/// Opens the database at `path` for reading alone. A profile without a file reads as an empty one.
pub fn readable(path: &Path) -> Result<Connection, MirrorError> {
    let path = absolute(path)?;
    let empty = match fs::metadata(&path) {
        Ok(file) => file.len() == 0,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(failed(format!("{} cannot be opened ({error})", path.display()))),
    };
    // A file that was never there has no copy beside it, and none that is being built.
    let was_there = beside(&path, ".new").exists() || (path.exists() && spare::exists(&path));
    if empty && was_there {
        return Err(Failure::Damaged("it is empty, and was not".to_owned()).into());
    }
    if empty {
        let connection = in_memory()?;
        connection.pragma_update(None, "query_only", true).map_err(Failure::from)?;
        return Ok(connection);
    }
    let connection = read_only::open(&path)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(Failure::from)?;
    if identify(&connection)? < latest() {
        return Err(failed("an older version of the app made it; open the app once to bring it up to date"));
    }
    connection.execute_batch("PRAGMA trusted_schema = OFF").map_err(Failure::from)?;
    Ok(connection)
}

pub fn in_memory() -> Result<Connection, MirrorError> {
    let mut connection = Connection::open_in_memory().map_err(Failure::from)?;
    settle_in(&mut connection)?;
    Ok(connection)
}

pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub fn latest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `version` is how many migrations it has seen.
    Ours {
        version: i64,
    },
    Newer,
    Foreign {
        has_our_tables: bool,
    },
}

/// Looks at the file without writing to it.
pub fn identity(connection: &Connection) -> Result<Identity, MirrorError> {
    // In this order: another process may be making the file meanwhile, all of it in one transaction.
    let read = || -> rusqlite::Result<(i64, bool)> {
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let ours = connection.query_row(
            "SELECT count(*) = 2 FROM sqlite_schema WHERE name IN ('calendar_sync_status', 'calendar_events')",
            [],
            |row| row.get(0),
        )?;
        Ok((tables, ours))
    };
    let (tables, has_our_tables) = read().map_err(Failure::from)?;
    let version = version(connection)?;
    let id: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(Failure::from)?;
    Ok(if version > latest() {
        Identity::Newer
    } else if id == APPLICATION_ID || (id == 0 && version == 0 && tables == 0) {
        Identity::Ours { version }
    } else {
        Identity::Foreign { has_our_tables }
    })
}

/// Whether its tables are those of this version of the app, whatever its header says.
pub fn has_latest_schema(connection: &Connection) -> Result<bool, MirrorError> {
    Ok(schema(connection)? == schema(&in_memory()?)?)
}

fn schema(connection: &Connection) -> Result<Vec<String>, MirrorError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    Ok(read().map_err(Failure::from)?)
}

/// Says how many migrations the file has seen, before anything is written to it.
fn identify(connection: &Connection) -> Result<i64, MirrorError> {
    match identity(connection)? {
        Identity::Ours { version } => Ok(version),
        Identity::Newer => Err(MirrorError::TooNew),
        Identity::Foreign { .. } => Err(foreign()),
    }
}

pub fn foreign() -> MirrorError {
    failed("the file is another program's database; choose another folder for the profile")
}

fn version(connection: &Connection) -> Result<i64, MirrorError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    Ok(version.map_err(Failure::from)?)
}

/// Sets what a connection needs for its lifetime, and runs what migrations are missing in one transaction.
fn settle_in(connection: &mut Connection) -> Result<(), MirrorError> {
    write_ahead(connection).map_err(Failure::from)?;
    connection
        .execute_batch(
            "PRAGMA synchronous = NORMAL;
             PRAGMA journal_size_limit = 16777216;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA secure_delete = ON;",
        )
        .map_err(Failure::from)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    match MIGRATIONS.to_latest(connection) {
        Ok(()) => Ok(()),
        // Another process did it between our look at the version and our transaction.
        Err(_) if version(connection)? == latest() => Ok(()),
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(Failure::from(err).into()),
        Err(error) => Err(failed(format!("its tables could not be brought up to date ({error})"))),
    }
}

/// While another process does the same, SQLite says that it is busy at once, whatever it was told about waiting.
#[expect(clippy::disallowed_methods, reason = "SQLite's own waiting holds up the thread as well")]
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        let done = connection.execute_batch("PRAGMA journal_mode = WAL");
        let busy =
            done.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !busy || waited >= BUSY_TIMEOUT {
            return done;
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

/// Makes the file, closed to others from its first moment; SQLite gives -wal and -shm the same mode.
pub fn create(path: &Path) -> std::io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    let mut file = fs::OpenOptions::new();
    folder.recursive(true);
    file.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent() {
        folder.create(parent)?;
    }
    file.open(path)?;
    Ok(())
}

/// Takes away what a copy or a careless umask gave to others.
#[cfg(unix)]
fn close_to_others(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::metadata(&name) {
            Ok(file) if file.permissions().mode() & 0o077 == 0 => {}
            Ok(_) => fs::set_permissions(&name, fs::Permissions::from_mode(0o600))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Windows gives a profile's folder to its user alone.
#[cfg(not(unix))]
fn close_to_others(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// An absolute path is never taken for a URI.
pub fn absolute(path: &Path) -> Result<PathBuf, MirrorError> {
    std::path::absolute(path)
        .map_err(|error| failed(format!("{} is no usable path ({error})", path.display())))
}

/// What the operating system says about a file of ours.
pub fn from_io(what: &str, next: &str, error: &std::io::Error) -> MirrorError {
    let reason = format!("{what} ({error}){next}");
    let kind = error.kind();
    if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) {
        MirrorError::Full { reason }
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        MirrorError::ReadOnly { reason }
    } else {
        MirrorError::Failed { reason }
    }
}

fn failed(reason: impl Into<String>) -> MirrorError {
    MirrorError::Failed { reason: reason.into() }
}
