//! Whatever fails in the middle of a call, the call never happened.

use std::path::Path;

use rusqlite::Connection as Db;
use rusqlite::types::Value;
use sync::error::MirrorError;
use sync::news::News;
use sync::ports::{Mirror, RemoteEvent};
use sync::world::{LinkedCalendar, MappingState, Operation, OperationId, Role, Settled};
use tempfile::TempDir;

use super::scene::*;
use crate::Sqlite;

type Step = (&'static str, Box<dyn Fn(&Sqlite) -> Result<(), MirrorError>>);

fn step(name: &'static str, call: impl Fn(&Sqlite) -> Result<(), MirrorError> + 'static) -> Step {
    (name, Box::new(call))
}

/// Every writing call there is, in an order that makes sense.
fn every_step() -> Vec<Step> {
    let draft = draft(&booking("b1", 0));
    let gone = mapping(&draft, "7", MappingState::Removed, 9);
    let (stored, adopted) = (was_stored(&draft, "7", 4), mapping(&draft, "8", MappingState::Synced, 5));
    let publish = Operation::PublishBusy { set: busy_set(&private().id, 0), before: None };
    let removed = gone.clone();
    vec![
        step("vendor", |mirror| mirror.set_vendor(&vendor())),
        step("connection", |mirror| mirror.put_connection(&connection(ACCOUNT))),
        step("private calendar", |mirror| mirror.put_calendar(&private())),
        step("target calendar", |mirror| mirror.put_calendar(&target())),
        step("bookings", |mirror| {
            mirror.take_bookings(&everything(&[booking("b1", 0), booking("b2", 9)], Some(&cursor("1"))))
        }),
        step("events", |mirror| {
            mirror.take_events(&private().id, &everything(&events(0..5), Some(&cursor("1"))))
        }),
        step("run", |mirror| mirror.begin_run(&began("run-1", 0))),
        step("intend", move |mirror| mirror.intend(&run_id(), &create(&draft), at(1)).map(drop)),
        step("attempted", |mirror| mirror.attempted(OperationId(1), at(2))),
        step("stored", move |mirror| mirror.settle(OperationId(1), &stored, at(4))),
        step("intend to publish", move |mirror| mirror.intend(&run_id(), &publish, at(5)).map(drop)),
        step("published", |mirror| {
            let settled = Settled::Published(Box::new(published(&private().id, 0)));
            mirror.settle(OperationId(2), &settled, at(5))
        }),
        step("adopted", move |mirror| mirror.put_mapping(&adopted)),
        step("other events", |mirror| {
            mirror.take_events(&private().id, &everything(&events(3..9), Some(&cursor("2"))))
        }),
        step("fewer bookings", |mirror| {
            mirror.take_bookings(&News::Changes {
                changed: &[booking("b1", 30)],
                removed: &[booking_id("b2")],
                cursor: &cursor("2"),
            })
        }),
        step("forgotten cursor", |mirror| mirror.forget_cursor(None)),
        step("end of the run", |mirror| mirror.end_run(&ended("run-1", 60 * 24 * 90))),
        step("intend again", move |mirror| mirror.intend(&run_id(), &every_removal(), at(6)).map(drop)),
        step("removed", move |mirror| {
            mirror.settle(OperationId(3), &Settled::Removed { mapping: Box::new(removed.clone()) }, at(7))
        }),
        step("mapping away", move |mirror| mirror.remove_mapping(&gone.booking, &gone.calendar)),
        step("left alone", |mirror| mirror.put_calendar(&LinkedCalendar { role: Role::Off, ..private() })),
        step("unlinked", |mirror| mirror.remove_connection(&connection(ACCOUNT).id)),
    ]
}

fn every_removal() -> Operation {
    let draft = draft(&booking("b1", 0));
    let before = Box::new(stored(&draft, "7"));
    Operation::RemoveEvent {
        calendar: target().id,
        booking: draft.booking,
        event: draft.id,
        base: "7".into(),
        before,
        remember: None,
    }
}

fn events(range: std::ops::Range<i64>) -> Vec<RemoteEvent> {
    range.map(|n| event(&format!("e{n}"), n)).collect()
}

const TABLES: [&str; 10] = [
    "vendor",
    "connections",
    "calendar_sync_status",
    "remote_events",
    "bookings",
    "bookings_cursor",
    "calendar_events",
    "published_busy",
    "runs",
    "operations",
];

/// All rows of all tables.
fn dump(db: &Db) -> Vec<(&'static str, Vec<Value>)> {
    let mut rows = Vec::new();
    for table in TABLES {
        let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            rows.push((table, (0..columns).map(|column| row.get(column).unwrap()).collect()));
        }
    }
    rows
}

/// Lets `left` row changes pass and fails every one after.
fn fail_after(db: &Db, left: u32) {
    let mut sql = format!(
        "DROP TABLE IF EXISTS temp.countdown;
         CREATE TEMP TABLE countdown (passes INTEGER);
         INSERT INTO countdown VALUES ({left});"
    );
    for table in TABLES {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            sql.push_str(&format!(
                "CREATE TEMP TRIGGER IF NOT EXISTS {change}_{table} BEFORE {change} ON main.{table} BEGIN
                     SELECT RAISE(ABORT, 'injected') WHERE (SELECT passes FROM countdown) <= 0;
                     UPDATE countdown SET passes = passes - 1;
                 END;"
            ));
        }
    }
    db.execute_batch(&sql).unwrap();
}

fn never_fail(db: &Db) {
    fail_after(db, u32::MAX);
}

#[test]
fn a_call_whose_ith_row_fails_never_happened_and_works_the_next_time() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    let untroubled = Sqlite::in_memory().unwrap();
    let mut failures = 0;
    for (name, call) in every_step() {
        call(&untroubled).unwrap();
        for passes in 0.. {
            assert!(passes < 100, "{name} has no end");
            let before = dump(&Sqlite::open(&path).unwrap().db());
            let mirror = Sqlite::open(&path).unwrap();
            fail_after(&mirror.db(), passes);
            let result = call(&mirror);
            if result.is_ok() {
                break;
            }
            failures += 1;
            assert_eq!(dump(&mirror.db()), before, "{name}, {passes}, same connection");
            drop(mirror);
            assert_eq!(dump(&Sqlite::open(&path).unwrap().db()), before, "{name}, {passes}, reopened");
        }
        assert_eq!(dump(&Sqlite::open(&path).unwrap().db()), dump(&untroubled.db()), "{name}, in the end");
    }
    assert!(failures > 50, "only {failures} faults were injected");
}

#[test]
fn the_same_connection_goes_on_after_a_fault() {
    let (mirror, untroubled) = (Sqlite::in_memory().unwrap(), Sqlite::in_memory().unwrap());
    for (name, call) in every_step() {
        call(&untroubled).unwrap();
        fail_after(&mirror.db(), 0);
        let error = call(&mirror).unwrap_err();
        assert!(error.to_string().contains("injected"), "{name}: {error}");
        never_fail(&mirror.db());
        call(&mirror).unwrap();
    }
    assert_eq!(dump(&mirror.db()), dump(&untroubled.db()));
}

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    let mirror = filled(&path);
    let before = dump(&mirror.db());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut db = mirror.db();
        let tx = db.transaction().unwrap();
        tx.execute("DELETE FROM bookings", []).unwrap();
        tx.execute("DELETE FROM connections", []).unwrap();
        panic!("in the middle of a transaction");
    }));
    assert!(panicked.is_err());
    assert_eq!(dump(&mirror.db()), before);
    mirror.take_bookings(&News::Half { items: &[booking("b9", 0)] }).unwrap();
}

#[test]
fn a_full_disk_says_so_loses_nothing_and_works_again_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    let mirror = filled(&path);
    let before = dump(&mirror.db());
    let pages: i64 = mirror.db().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let many = events(0..500);
    for room in 0..5 {
        set_max_pages(&mirror, pages + room);
        let error = mirror.take_events(&private().id, &everything(&many, Some(&cursor("2")))).unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(dump(&mirror.db()), before);
    }
    assert_eq!(dump(&Sqlite::open(&path).unwrap().db()), before);

    set_max_pages(&mirror, 1_000_000);
    mirror.take_events(&private().id, &everything(&many, Some(&cursor("2")))).unwrap();
    assert_eq!(mirror.world().unwrap().events[&private().id].len(), many.len());
    mirror.check().unwrap();
}

fn filled(path: &Path) -> Sqlite {
    let mirror = Sqlite::open(path).unwrap();
    for (_, call) in every_step().iter().take(10) {
        call(&mirror).unwrap();
    }
    mirror
}

fn set_max_pages(mirror: &Sqlite, pages: i64) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    mirror.db().query_row(&sql, [], |_| Ok(())).unwrap();
}
