//! Opens a file for reading alone, also where nothing can be written beside it: SQLite shares its log through a file that
//! it would have to make.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use sync::error::MirrorError;

use crate::failure::Failure;
use crate::left::{beside, has_log};
use crate::open;

/// Larger files are not copied to be read.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// # Errors
/// When there is no way to read it.
pub fn open(path: &Path) -> Result<Connection, MirrorError> {
    let error = match plain(path) {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let shares = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    if !shares || !path.is_file() {
        return Err(Failure::from(error).into());
    }
    if has_log(path) { copied(path) } else { Ok(unchanging(path).map_err(Failure::from)?) }
}

fn plain(path: &Path) -> rusqlite::Result<Connection> {
    looked_at(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// The first look is what opens the log.
fn looked_at(connection: Connection) -> rusqlite::Result<Connection> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Nobody can write where we cannot, as far as we can know.
fn unchanging(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    looked_at(Connection::open_with_flags(address(path), flags)?)
}

fn address(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let mut address = String::from("file://");
    for byte in path.to_string_lossy().bytes() {
        if plain(byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address + "?immutable=1"
}

/// What was written last lies in the log: file and log are read together from a place where that can be done.
fn copied(path: &Path) -> Result<Connection, MirrorError> {
    let failed =
        |error: std::io::Error| open::from_io("no copy of the file can be made to read it", "", &error);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(Failure::Refused(
            "the folder may only be read, and the file is too large to copy".to_owned(),
        )
        .into());
    }
    let folder = tempfile::tempdir().map_err(failed)?;
    let copy = folder.path().join("companion.db");
    fs::copy(path, &copy).map_err(failed)?;
    fs::copy(beside(path, "-wal"), beside(&copy, "-wal")).map_err(failed)?;
    // An open file outlives its folder; where it does not, the folder stays until the system clears it away.
    Ok(plain(&copy).map_err(Failure::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_so_that_nothing_of_it_is_taken_for_a_parameter() {
        assert_eq!(
            address(Path::new("/a b/ü?mode=rw#x.db")),
            "file:///a%20b/%C3%BC%3Fmode%3Drw%23x.db?immutable=1"
        );
    }

    #[test]
    fn a_file_that_cannot_change_and_one_with_a_log_are_read_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?.db");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);")
            .unwrap();
        let count =
            |db: &Connection| db.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count(&copied(&path).unwrap()), 1);
        drop(writer);
        assert!(!has_log(&path));
        assert_eq!(count(&unchanging(&path).unwrap()), 1);
    }
}
