//! Which files are opened, how they are kept, and which are left as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection as Db;
use rusqlite_migration::{M, Migrations};
use sync::error::MirrorError;
use sync::news::News;
use sync::ports::Mirror;
use sync::world::World;
use tempfile::TempDir;

use super::scene::*;
use crate::Sqlite;
use crate::open::latest;

fn profile() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("profiles").join("ana").join("companion.db");
    (folder, path)
}

/// A file with something in it, closed.
fn filled(path: &Path) -> World {
    let mirror = Sqlite::open(path).unwrap();
    mirror.set_vendor(&vendor()).unwrap();
    mirror.put_connection(&connection(ACCOUNT)).unwrap();
    mirror.put_calendar(&private()).unwrap();
    mirror.take_events(&private().id, &everything(&[event("e1", 0)], Some(&cursor("1")))).unwrap();
    mirror.take_bookings(&everything(&[booking("b1", 0)], Some(&cursor("1")))).unwrap();
    mirror.world().unwrap()
}

/// Opening `path` fails with these words, and leaves what is there as it is.
#[track_caller]
fn refused(path: &Path, words: &str) {
    let before = fs::read(path).unwrap();
    for result in [Sqlite::open(path), Sqlite::open_read_only(path)] {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(fs::read(path).unwrap(), before, "a refused file must be left untouched");
}

#[test]
fn the_tables_are_those_of_the_released_migrations() {
    let mirror = Sqlite::in_memory().unwrap();
    let db = mirror.db();
    let mut statement = db
        .prepare(
            "SELECT sql FROM sqlite_schema
             WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name",
        )
        .unwrap();
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    insta::assert_snapshot!(tables.join(";\n\n"));
}

#[test]
fn every_table_is_strict() {
    let mirror = Sqlite::in_memory().unwrap();
    let lax: i64 = mirror
        .db()
        .query_row(
            "SELECT count(*) FROM pragma_table_list
             WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(lax, 0);
}

#[test]
fn the_connection_is_set_as_promised() {
    let (_folder, path) = profile();
    let mirror = Sqlite::open(&path).unwrap();
    let db = mirror.db();
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(number("synchronous"), 1, "NORMAL");
    assert_eq!(number("foreign_keys"), 1);
    assert_eq!(number("trusted_schema"), 0);
    assert_eq!(number("busy_timeout"), 5_000);
    assert_eq!(number("application_id"), 0x426B_6A69);
    assert_eq!(number("user_version"), latest());
}

#[test]
fn what_was_written_is_there_when_the_file_is_opened_again() {
    let (_folder, path) = profile();
    let before = filled(&path);
    let mirror = Sqlite::open(&path).unwrap();
    assert_eq!(mirror.world().unwrap(), before);
    mirror.check().unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_profile() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, path) = profile();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let beside = |suffix: &str| path.with_extension(format!("db-{suffix}"));
    crate::open::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600, "from its first moment");
    let mirror = Sqlite::open(&path).unwrap();
    mirror.set_vendor(&vendor()).unwrap();
    assert_eq!([mode(&path), mode(&beside("wal")), mode(&beside("shm"))], [0o600; 3]);
    assert_eq!([mode(&folder.path().join("profiles")), mode(path.parent().unwrap())], [0o700; 2]);

    for file in [&path, &beside("wal"), &beside("shm")] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let again = Sqlite::open(&path).unwrap();
    assert_eq!([mode(&path), mode(&beside("wal")), mode(&beside("shm"))], [0o600; 3]);
    drop((mirror, again));
}

#[test]
fn what_was_removed_does_not_linger_in_the_file() {
    let (_folder, path) = profile();
    filled(&path);
    let holds = |title: &str| fs::read(&path).unwrap().windows(title.len()).any(|at| at == title.as_bytes());
    assert!(holds("Dentist, e1"));
    Sqlite::open(&path).unwrap().remove_connection(&connection(ACCOUNT).id).unwrap();
    assert!(!holds("Dentist, e1"));
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let (_folder, path) = profile();
    filled(&path);
    Db::open(&path).unwrap().pragma_update(None, "user_version", latest() + 1).unwrap();

    let before = fs::read(&path).unwrap();
    for result in [Sqlite::open(&path), Sqlite::open_read_only(&path)] {
        assert!(matches!(result, Err(MirrorError::TooNew)), "{result:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_file_is_refused_while_the_newer_app_runs() {
    let (_folder, path) = profile();
    filled(&path);
    let newer = Db::open(&path).unwrap();
    newer.pragma_update(None, "user_version", latest() + 1).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(MirrorError::TooNew)), "the version stands in the -wal alone");
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(newer);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    fs::write(&path, "Dear diary, ".repeat(1000)).unwrap();
    refused(&path, "is no database");
}

#[test]
fn another_programs_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("places.sqlite");
    Db::open(&path).unwrap().execute_batch("CREATE TABLE moz_places (id INTEGER)").unwrap();
    refused(&path, "another program");
}

#[test]
fn a_place_where_no_file_can_be_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().to_owned(), file.join("companion.db")] {
        let error = Sqlite::open(&path).unwrap_err();
        assert!(error.to_string().contains("check the rights"), "{error}");
    }
}

#[test]
fn a_damaged_file_is_noticed() {
    let (_folder, path) = profile();
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    for page in 2..pages {
        bytes[page * 4096..page * 4096 + 64].fill(0xAA);
    }
    fs::write(&path, bytes).unwrap();

    let error = Sqlite::open(&path).and_then(|mirror| mirror.check()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    let error = Sqlite::open(&path).and_then(|mirror| mirror.world()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn an_empty_file_becomes_a_mirror() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    fs::write(&path, "").unwrap();
    assert_eq!(Sqlite::open_read_only(&path).unwrap().world().unwrap(), World::default());
    assert_eq!(Sqlite::open(&path).unwrap().world().unwrap(), World::default());
}

#[test]
fn a_path_is_a_path_and_not_a_uri() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file:ana?mode=memory#é.db");
    let before = filled(&path);
    assert!(path.exists());
    assert_eq!(Sqlite::open_read_only(&path).unwrap().world().unwrap(), before);
}

#[test]
fn migrations_that_fail_leave_nothing_behind() {
    let mut db = Db::open_in_memory().unwrap();
    let steps = [
        M::up(include_str!("../../../../../migrations/0001_mirror.sql")),
        M::up("CREATE TABLE more (id INTEGER) STRICT; CREATE TABLE more (id INTEGER) STRICT;"),
    ];
    Migrations::from_slice(&steps).to_latest(&mut db).unwrap_err();
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!((tables, version), (0, 0));
}

#[test]
fn many_may_make_the_same_file_at_once() {
    let (_folder, path) = profile();
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| Sqlite::open(&path))).collect();
        for mirror in opened {
            assert_eq!(mirror.join().unwrap().unwrap().world().unwrap(), World::default());
        }
    });
}

#[test]
fn a_reader_sees_what_the_writer_committed_and_writes_nothing() {
    let (_folder, path) = profile();
    filled(&path);
    let writer = Sqlite::open(&path).unwrap();
    let reader = Sqlite::open_read_only(&path).unwrap();
    writer.take_bookings(&News::Half { items: &[booking("b2", 60)] }).unwrap();
    assert_eq!(reader.world().unwrap(), writer.world().unwrap());
    assert_eq!(reader.overview().unwrap().bookings, 2);

    let error = reader.set_vendor(&vendor()).unwrap_err();
    assert!(error.to_string().contains("may only be read"), "{error}");
}

#[test]
fn a_reader_can_look_while_a_transaction_is_open() {
    let (_folder, path) = profile();
    let before = filled(&path);
    let writer = Sqlite::open(&path).unwrap();
    let mut db = writer.db();
    let tx = db.transaction().unwrap();
    tx.execute("DELETE FROM bookings", []).unwrap();
    assert_eq!(Sqlite::open_read_only(&path).unwrap().world().unwrap(), before);
}

#[test]
fn a_profile_without_a_file_reads_as_an_empty_one() {
    let (_folder, path) = profile();
    let reader = Sqlite::open_read_only(&path).unwrap();
    assert_eq!(reader.world().unwrap(), World::default());
    assert!(reader.set_vendor(&vendor()).is_err());
    assert!(!path.exists() && !path.parent().unwrap().exists());
}

#[test]
fn a_reader_does_not_bring_an_older_file_up_to_date() {
    let (_folder, path) = profile();
    filled(&path);
    Db::open(&path).unwrap().pragma_update(None, "user_version", 0).unwrap();
    let error = Sqlite::open_read_only(&path).unwrap_err();
    assert!(error.to_string().contains("older version"), "{error}");
}

#[test]
fn bookings_of_an_older_file_are_read_once_more_for_their_addresses() {
    let (_folder, path) = profile();
    crate::open::create(&path).unwrap();
    let mut db = Db::open(&path).unwrap();
    let first = [M::up(include_str!("../../../../../migrations/0001_mirror.sql"))];
    Migrations::from_slice(&first).to_latest(&mut db).unwrap();
    db.execute_batch(
        "INSERT INTO bookings (id, vendor_id, status, start_at, end_at, updated_at)
             VALUES ('b1', 'ana', 'confirmed', 0, 1, 'then');
         INSERT INTO bookings_cursor (one, cursor) VALUES (1, 'far');",
    )
    .unwrap();
    drop(db);

    let world = Sqlite::open(&path).unwrap().world().unwrap();
    assert_eq!(world.bookings[&booking_id("b1")].customer_email, None);
    assert_eq!(world.bookings_cursor, None);
}

#[test]
fn a_second_writer_is_told_that_somebody_writes() {
    let (_folder, path) = profile();
    let (first, second) = (Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap());
    second.db().busy_timeout(Duration::ZERO).unwrap();
    let mut db = first.db();
    let tx = db.transaction().unwrap();
    let error = second.set_vendor(&vendor()).unwrap_err();
    assert!(error.to_string().contains("another process is writing"), "{error}");
    drop(tx);
    second.set_vendor(&vendor()).unwrap();
}
