//! A process that is killed while it writes leaves whole transactions, and every one it had been told is done.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sync::ids::RemoteId;
use sync::news::News;
use sync::ports::Mirror;
use sync::world::MappingState;

use super::scene::*;
use crate::Sqlite;

const PATH: &str = "MIRROR_TEST_PATH";
const ROUNDS: usize = 25;

#[test]
fn kill_9_in_the_middle_of_writing_leaves_whole_transactions() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    for round in 0..ROUNDS {
        let said = write_and_kill(&path, 1 + round * 7 % 23);
        let mirror = Sqlite::open(&path).unwrap();
        mirror.check().unwrap();
        whole(&mirror, &said);
    }
}

/// Lets a child write until it has said so many lines, kills it wherever it then is, and returns all it said.
fn write_and_kill(path: &Path, lines: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::killed::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in output.by_ref() {
        said.extend(line.unwrap().strip_prefix("committed ").map(str::to_owned));
        if said.len() == lines {
            child.kill().unwrap();
            break;
        }
    }
    // The last line may be cut short.
    said.extend(
        output.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ").map(str::to_owned)),
    );
    let status = child.wait().unwrap();
    assert!(!status.success(), "the child ended before it was killed");
    said
}

fn whole(mirror: &Sqlite, said: &[String]) {
    let world = mirror.world().unwrap();
    for booking in &said[..said.len() - 1] {
        assert!(world.bookings.contains_key(&booking_id(booking)), "{booking} was committed and is lost");
        assert!(world.mappings.contains_key(&(booking_id(booking), target().id)), "{booking}");
    }
    let newest = world.bookings.values().map(|booking| booking.start).max();
    let cursor = world.bookings_cursor.unwrap();
    assert_eq!(newest.map(|at| at.to_string()), Some(cursor.0), "cursor and rows go together");

    let calendar = &world.calendars[&private().id];
    let held: Vec<_> = world.events[&private().id].keys().map(|id| id.0.clone()).collect();
    assert!(calendar.known);
    assert_eq!(held.first(), calendar.cursor.as_ref().map(|cursor| &cursor.0));
    assert_eq!(held.len(), 1);

    let mapped: BTreeSet<RemoteId> = world.mappings.values().map(|mapping| mapping.event.clone()).collect();
    let there: BTreeSet<RemoteId> =
        world.events.get(&target().id).into_iter().flat_map(|events| events.keys().cloned()).collect();
    assert_eq!(mapped, there, "mapping and echo go together");
    assert!(world.mappings.values().all(|mapping| mapping.state == MappingState::Synced));
    let stored: i64 = mirror
        .db()
        .query_row("SELECT count(*) FROM operations WHERE state = 'stored'", [], |row| row.get(0))
        .unwrap();
    let marked: i64 = mirror
        .db()
        .query_row("SELECT count(google_calendar_event_id) FROM bookings", [], |row| row.get(0))
        .unwrap();
    assert_eq!([stored, marked], [i64::try_from(mapped.len()).unwrap(); 2]);
}

#[test]
#[ignore = "the child of the test above"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let mirror = Sqlite::open(Path::new(&path)).unwrap();
    mirror.set_vendor(&vendor()).unwrap();
    mirror.put_connection(&connection(ACCOUNT)).unwrap();
    mirror.put_calendar(&private()).unwrap();
    mirror.put_calendar(&target()).unwrap();
    let done = i64::try_from(mirror.world().unwrap().bookings.len()).unwrap();
    for n in done..done + 100_000 {
        let booking = booking(&format!("b{n}"), n);
        let draft = draft(&booking);
        let next = cursor(&booking.start.to_string());
        mirror.take_bookings(&News::Changes { changed: &[booking], removed: &[], cursor: &next }).unwrap();
        let name = format!("e{n}");
        mirror.take_events(&private().id, &everything(&[event(&name, n)], Some(&cursor(&name)))).unwrap();
        let id = mirror.intend(&run_id(), &create(&draft), at(n)).unwrap();
        mirror.attempted(id, at(n)).unwrap();
        mirror.settle(id, &was_stored(&draft, "1", n), at(n)).unwrap();
        println!("committed b{n}");
    }
}
