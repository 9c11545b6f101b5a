//! A file that is not what was written to it: it is set aside, nothing in it is acted upon, and what cannot be read
//! again from the services is saved from it or from its copy.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use calendar::ics;
use calendar::interval::Interval;
use rusqlite::Connection as Db;
use sync::closing::{ClosedSlot, ClosedState};
use sync::error::MirrorError;
use sync::import::{self, Holdings, Own};
use sync::invite::SentInvite;
use sync::ports::Mirror;
use sync::world::{Answer, Choice, Connection, Given, LinkedCalendar, MappingState, World};
use tempfile::TempDir;

use super::scene::*;
use crate::left::{Left, beside, how};
use crate::{Pause, Rebuilt, Sqlite};

const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:lunch\r\n\
                    DTSTAMP:20260101T000000Z\r\nDTSTART:20260402T100000Z\r\nDTEND:20260402T110000Z\r\n\
                    SUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// A full life: accounts, calendars, events, bookings, a written event, an answer, an imported file, a copy beside it.
struct Life {
    _folder: TempDir,
    path: PathBuf,
    before: World,
    bytes: Vec<u8>,
}

fn files() -> LinkedCalendar {
    import::linked("here", 5, at(0))
}

fn life() -> Life {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    let (mirror, rebuilt) = Sqlite::open_kept(&path, at(0)).unwrap();
    assert_eq!(rebuilt, None);
    mirror.set_vendor(&vendor()).unwrap();
    mirror.put_connection(&connection(ACCOUNT)).unwrap();
    mirror.put_calendar(&private()).unwrap();
    mirror.put_calendar(&target()).unwrap();
    let events: Vec<_> = (0..60).map(|n| event(&format!("e{n}"), n)).collect();
    mirror.take_events(&private().id, &everything(&events, Some(&cursor("1")))).unwrap();
    let bookings: Vec<_> = (0..30).map(|n| booking(&format!("b{n}"), n * 60)).collect();
    mirror.take_bookings(&everything(&bookings, Some(&cursor("1")))).unwrap();
    mirror.take_events(&target().id, &everything(&[], Some(&cursor("1")))).unwrap();
    mirror.begin_run(&began("run-1", 0)).unwrap();
    for booking in &bookings {
        let draft = draft(booking);
        let operation = mirror.intend(&run_id(), &create(&draft), at(1)).unwrap();
        mirror.settle(operation, &was_stored(&draft, "7", 4), at(4)).unwrap();
    }
    let closed = ClosedSlot {
        id: "s1".into(),
        span: Interval::new(at(60), at(90)).unwrap(),
        state: ClosedState::Closed,
        at: at(2),
    };
    mirror.put_closed_slots(&[closed], &[]).unwrap();
    mirror.set_pause(Some(&Pause { since: at(3), until: None })).unwrap();
    let answer = Answer {
        booking: Some(booking_id("b3")),
        topic: "event".into(),
        given: Given::ByHer,
        calendar: target().id,
        card: "card-1".to_owned(),
        choice: Choice::Leave,
        at: at(5),
    };
    mirror.put_answers(&[answer]).unwrap();
    mirror.put_connection(&import::connection(at(0))).unwrap();
    mirror.put_calendar(&files()).unwrap();
    let world = mirror.world().unwrap();
    let mut holdings = Holdings::of(&world, &files().id);
    let (parts, _) = ics::read_each_as(FILE.as_bytes(), &[]).unwrap();
    let zone = jiff::tz::TimeZone::UTC;
    let taken = holdings.take(&parts[0], &Own::of(&world, &[]), at(0), &zone);
    mirror.take_import(&files().id, &taken.intake).unwrap();
    let invite = SentInvite { sequence: 3, checksum: "c".to_owned(), written_at: at(0) };
    mirror.put_sent_invite(&booking_id("b1"), &invite).unwrap();
    mirror.end_run(&ended("run-1", 9)).unwrap();
    mirror.keep_spare(at(10)).unwrap();
    let before = mirror.world().unwrap();
    assert_eq!(before.events[&files().id].len(), 1);
    drop(mirror);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(how(&path).unwrap(), Left::AsNoted);
    Life { _folder: folder, path, before, bytes }
}

impl Life {
    /// Puts these bytes where the file is, as somebody else than us would.
    fn put(&self, bytes: &[u8]) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
        fs::write(&self.path, bytes).unwrap();
    }

    /// As if the process had ended without a word.
    fn forget_the_note(&self) {
        fs::remove_file(beside(&self.path, ".closed")).unwrap();
    }

    fn open(&self) -> (World, Option<Rebuilt>) {
        let (mirror, rebuilt) = Sqlite::open_kept(&self.path, at(100)).unwrap();
        if rebuilt.is_some() {
            assert_eq!(mirror.rebuilt().unwrap(), rebuilt);
        }
        mirror.check().unwrap();
        (mirror.world().unwrap(), rebuilt)
    }

    /// Opens what is there now and holds that nothing of it is acted upon.
    #[track_caller]
    fn assert_healed(&self, what: &str) -> Rebuilt {
        let damaged = fs::read(&self.path).unwrap();
        let (world, rebuilt) = self.open();
        let rebuilt = rebuilt.unwrap_or_else(|| panic!("{what}: a new file"));
        assert_eq!(world.vendor, self.before.vendor, "{what}");
        let accounts = |world: &World| -> BTreeMap<_, _> {
            let told = |row: &Connection| (row.service, row.account.clone(), row.state);
            world.connections.iter().map(|(id, row)| (id.clone(), told(row))).collect()
        };
        assert_eq!(accounts(&world), accounts(&self.before), "{what}");
        let names = |world: &World| -> BTreeMap<_, _> {
            world.calendars.iter().map(|(id, row)| (id.clone(), (row.role, row.rules))).collect()
        };
        assert_eq!(names(&world), names(&self.before), "{what}");
        for calendar in world.calendars.values().filter(|calendar| calendar.id != files().id) {
            assert_eq!((&calendar.cursor, calendar.known), (&None, false), "{what}");
        }
        for (key, row) in &world.mappings {
            let known = &self.before.mappings[key];
            assert_eq!((&row.event, row.generation), (&known.event, known.generation), "{what}");
        }
        assert_eq!(world.mappings.len(), self.before.mappings.len(), "{what}");
        assert_eq!(world.events.get(&files().id), self.before.events.get(&files().id), "{what}");
        assert!(world.events.keys().all(|calendar| *calendar == files().id), "{what}");
        assert!(world.bookings.is_empty() && world.bookings_cursor.is_none(), "{what}");
        assert!(world.unsettled.is_empty() && world.published.is_empty(), "{what}");
        let kept = self.path.with_file_name(&rebuilt.kept_as);
        assert_eq!(fs::read(&kept).unwrap(), damaged, "{what}: the damaged file is kept as it was");
        fs::remove_file(kept).unwrap();
        rebuilt
    }

    /// Back to the file as it was closed.
    fn restore(&self) {
        self.put(&self.bytes);
        let _ = fs::remove_file(beside(&self.path, ".closed"));
        let (mirror, rebuilt) = Sqlite::open_kept(&self.path, at(50)).unwrap();
        assert_eq!(rebuilt, None);
        drop(mirror);
    }
}

#[test]
fn a_file_that_was_closed_in_peace_is_opened_as_it_was() {
    let life = life();
    let (world, rebuilt) = life.open();
    assert_eq!((world, rebuilt), (life.before, None));
}

#[test]
fn a_process_that_ended_without_a_word_leaves_a_file_that_is_looked_at_and_believed() {
    let life = life();
    life.forget_the_note();
    assert_eq!(how(&life.path).unwrap(), Left::Open);
    let (world, rebuilt) = life.open();
    assert_eq!((&world, rebuilt), (&life.before, None));
    assert_eq!(how(&life.path).unwrap(), Left::AsNoted, "closed in peace since");
}

#[test]
fn a_file_that_is_being_written_has_no_note() {
    let life = life();
    let (mirror, _) = Sqlite::open_kept(&life.path, at(0)).unwrap();
    assert_eq!(how(&life.path).unwrap(), Left::Open);
    let reader = Sqlite::open_read_only(&life.path).unwrap();
    reader.world().unwrap();
    mirror.put_connection(&connection("second@example.com")).unwrap();
    drop(mirror);
    assert_eq!(reader.world().unwrap().connections.len(), 3);
}

#[test]
fn whatever_byte_of_whatever_page_is_flipped_nothing_of_the_file_is_acted_upon() {
    let life = life();
    let pages = life.bytes.len() / 4096;
    for page in 0..pages {
        for offset in [0, page * 977 % 4096, 4095] {
            life.restore();
            let mut bytes = fs::read(&life.path).unwrap();
            bytes[page * 4096 + offset] ^= 0x55;
            life.put(&bytes);
            life.assert_healed(&format!("page {page}, byte {offset}"));
        }
    }
}

#[test]
fn a_page_full_of_noise_costs_what_can_be_read_again_and_nothing_else() {
    let life = life();
    for page in 0..life.bytes.len() / 4096 {
        life.restore();
        life.forget_the_note();
        let mut bytes = fs::read(&life.path).unwrap();
        for (at, byte) in bytes[page * 4096..(page + 1) * 4096].iter_mut().enumerate() {
            *byte = (at * 37 + 11) as u8;
        }
        life.put(&bytes);
        let (world, _) = life.open();
        assert_eq!(world.vendor, life.before.vendor, "page {page}");
        assert_eq!(world.connections, life.before.connections, "page {page}");
        assert_eq!(world.calendars.len(), life.before.calendars.len(), "page {page}");
    }
}

#[test]
fn a_file_that_is_cut_short_emptied_zeroed_or_text_is_replaced_by_what_its_copy_knows() {
    let life = life();
    let length = life.bytes.len();
    let mut cases = vec![
        ("empty".to_owned(), Vec::new()),
        ("zeroes".to_owned(), vec![0; length]),
        ("text".to_owned(), "Dear diary, ".repeat(1000).into_bytes()),
        ("one byte".to_owned(), vec![b'S']),
    ];
    for cut in [16, 100, 512, 4096, 4097, 3 * 4096, length / 2, length - 4096, length - 1] {
        cases.push((format!("cut at {cut}"), life.bytes[..cut].to_vec()));
    }
    for (what, bytes) in cases {
        for is_noted in [true, false] {
            life.restore();
            if !is_noted {
                life.forget_the_note();
            }
            life.put(&bytes);
            life.assert_healed(&what);
        }
    }
}

#[test]
fn without_a_copy_what_proves_itself_is_taken_from_the_damaged_file() {
    let life = life();
    fs::remove_file(crate::spare::path(&life.path)).unwrap();
    life.forget_the_note();
    // The leaf pages of the bookings.
    let db = Db::open(&life.path).unwrap();
    let page: u32 = db
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'bookings'", [], |row| row.get(0))
        .unwrap();
    drop(db);
    let mut bytes = fs::read(&life.path).unwrap();
    let page = page as usize;
    bytes[(page - 1) * 4096..page * 4096].fill(0xAA);
    life.put(&bytes);

    let rebuilt = life.assert_healed("bookings");
    assert!(!rebuilt.imports_lost);
    let (world, again) = life.open();
    assert_eq!(again, None, "it is told of once: the file is whole now");
    assert_eq!(world.mappings.len(), life.before.mappings.len(), "generations are known");
    assert_eq!(world.answers, life.before.answers);
    assert_eq!(world.closed_slots, life.before.closed_slots, "what we closed is still ours to open");
    let (mirror, _) = Sqlite::open_kept(&life.path, at(100)).unwrap();
    assert_eq!(mirror.pause().unwrap(), Some(Pause { since: at(3), until: None }));
}

#[test]
fn a_row_that_does_not_prove_itself_is_not_taken() {
    let life = life();
    fs::remove_file(crate::spare::path(&life.path)).unwrap();
    let db = Db::open(&life.path).unwrap();
    db.execute_batch(
        "UPDATE calendar_events SET external_event_id = 'bookijielsewhere' WHERE booking_id = 'b1';
         UPDATE remote_events SET event = replace(event, 'Lunch', 'Launch') WHERE event LIKE '%Lunch%';
         UPDATE calendar_sync_status SET external_calendar_id = 'another' WHERE external_calendar_id = 'private';
         UPDATE answers SET choice = 'leafe';",
    )
    .unwrap();
    drop(db);

    let (world, rebuilt) = life.open();
    assert!(rebuilt.expect("a new file").imports_lost);
    assert!(!world.calendars.contains_key(&private().id) && world.calendars.contains_key(&target().id));
    assert!(!world.mappings.keys().any(|(booking, _)| *booking == booking_id("b1")));
    assert_eq!(world.mappings.len(), life.before.mappings.len() - 1);
    assert!(world.events.is_empty());
}

#[test]
fn what_she_took_away_does_not_come_back_with_an_older_copy() {
    let life = life();
    let (mirror, _) = Sqlite::open_kept(&life.path, at(20)).unwrap();
    mirror.put_connection(&connection("second@example.com")).unwrap();
    mirror.keep_spare(at(21)).unwrap();
    mirror.remove_connection(&connection("second@example.com").id).unwrap();
    drop(mirror);
    life.forget_the_note();
    let mut bytes = fs::read(&life.path).unwrap();
    let pages = bytes.len() / 4096;
    let damaged = (1..pages).rev().find(|page| bytes[page * 4096] == 13).expect("a leaf of a table");
    bytes[damaged * 4096 + 8..damaged * 4096 + 200].fill(0xFF);
    life.put(&bytes);
    let (world, rebuilt) = life.open();
    assert!(rebuilt.is_some());
    assert_eq!(world.connections, life.before.connections);
}

#[test]
fn a_copy_is_made_anew_when_her_accounts_change_or_a_day_has_passed() {
    let life = life();
    let made = || fs::metadata(crate::spare::path(&life.path)).unwrap().modified().unwrap();
    let (mirror, _) = Sqlite::open_kept(&life.path, at(20)).unwrap();
    let now = || jiff::Timestamp::try_from(made()).unwrap();
    let first = made();
    mirror.keep_spare(now()).unwrap();
    assert_eq!(made(), first, "nothing new");
    mirror.put_connection(&connection("second@example.com")).unwrap();
    mirror.keep_spare(now()).unwrap();
    let second = made();
    assert_ne!(second, first);
    mirror.keep_spare(now() + jiff::SignedDuration::from_hours(25)).unwrap();
    assert_ne!(made(), second);
    let copy = Sqlite::open_read_only(&crate::spare::path(&life.path)).unwrap();
    assert_eq!(copy.world().unwrap(), mirror.world().unwrap());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("companion.db");
    Db::open(&path).unwrap().execute_batch("CREATE TABLE moz_places (id INTEGER)").unwrap();
    let bytes = fs::read(&path).unwrap();
    let error = Sqlite::open_kept(&path, at(0)).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);

    let life = life();
    life.forget_the_note();
    let newer = Db::open(&life.path).unwrap();
    newer.execute_batch("CREATE TABLE of_tomorrow (id INTEGER); PRAGMA user_version = 999").unwrap();
    drop(newer);
    assert!(matches!(Sqlite::open_kept(&life.path, at(0)), Err(MirrorError::TooNew)));

    let place = folder.path().join("a folder");
    fs::create_dir(&place).unwrap();
    assert!(Sqlite::open_kept(&place, at(0)).is_err());
    assert!(place.is_dir());
}

#[test]
fn a_log_of_another_file_is_set_aside_and_never_played_into_this_one() {
    let life = life();
    let other = life.path.with_file_name("other.db");
    let stranger = Sqlite::open(&other).unwrap();
    stranger.put_connection(&connection("stranger@example.com")).unwrap();
    fs::copy(beside(&other, "-wal"), beside(&life.path, "-wal")).unwrap();
    let (world, rebuilt) = life.open();
    assert_eq!((world, rebuilt), (life.before, None));
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let kept: Vec<String> = fs::read_dir(life.path.parent().unwrap())
        .unwrap()
        .map(name)
        .filter(|name| name.starts_with("companion.db-wal.damaged-"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn a_rebuild_that_was_cut_off_is_brought_to_its_end() {
    let life = life();
    let made = beside(&life.path, ".new");
    fs::copy(crate::spare::path(&life.path), &made).unwrap();
    life.forget_the_note();
    fs::rename(&life.path, beside(&life.path, ".damaged-then")).unwrap();
    let (world, rebuilt) = life.open();
    assert_eq!((world.connections, rebuilt), (life.before.connections, None));
    assert!(!made.exists());
}

#[test]
fn a_reader_is_told_that_the_file_is_damaged_and_what_will_heal_it() {
    let life = life();
    life.put("Dear diary, ".repeat(1000).as_bytes());
    let error = Sqlite::open_read_only(&life.path).unwrap_err();
    assert!(matches!(error, MirrorError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("the next sync"), "{error}");
}

#[test]
fn damage_that_is_met_while_the_file_is_open_is_looked_for_when_it_is_opened_next() {
    let life = life();
    let (mirror, _) = Sqlite::open_kept(&life.path, at(0)).unwrap();
    mirror.db().execute_batch("UPDATE bookings SET status = 'x', updated_at = 'y'").unwrap();
    mirror.db().execute_batch("UPDATE calendar_sync_status SET role = 'nonsense'").unwrap();
    assert!(matches!(mirror.world(), Err(MirrorError::Damaged { .. })));
    drop(mirror);
    assert_eq!(how(&life.path).unwrap(), Left::Open);
    let (world, rebuilt) = life.open();
    assert!(rebuilt.is_some());
    assert_eq!(world.calendars.len(), life.before.calendars.len());
}

#[test]
fn everything_that_holds_rows_is_named_for_whoever_erases_a_profile() {
    let life = life();
    fs::write(life.path.with_file_name("companion.dbx"), "another's").unwrap();
    life.put(b"text");
    let (_, rebuilt) = life.open();
    let names: Vec<String> = crate::files(&life.path)
        .unwrap()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(names.contains(&rebuilt.unwrap().kept_as), "{names:?}");
    assert!(names.contains(&"companion.db.spare".to_owned()), "{names:?}");
    assert!(!names.contains(&"companion.dbx".to_owned()), "{names:?}");
}

#[test]
fn a_full_disk_is_told_as_such_and_nothing_is_half_written() {
    let life = life();
    let (mirror, _) = Sqlite::open_kept(&life.path, at(0)).unwrap();
    let pages: u32 = mirror.db().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    mirror.bound(pages).unwrap();
    let before = mirror.world().unwrap();
    let more: Vec<_> = (0..500).map(|n| booking(&format!("more{n}"), n)).collect();
    let error = mirror.take_bookings(&everything(&more, Some(&cursor("2")))).unwrap_err();
    assert!(matches!(error, MirrorError::Full { .. }), "{error}");
    assert_eq!(mirror.world().unwrap(), before);
    mirror.bound(pages + 1000).unwrap();
    mirror.take_bookings(&everything(&more, Some(&cursor("2")))).unwrap();
    assert_eq!(mirror.world().unwrap().bookings.len(), 500);
}

#[test]
fn a_mapping_in_the_wrong_state_word_is_unreadable_and_not_guessed() {
    let life = life();
    let db = Db::open(&life.path).unwrap();
    db.execute_batch("UPDATE calendar_events SET sync_status = 'sinced' WHERE booking_id = 'b2'").unwrap();
    drop(db);
    fs::remove_file(crate::spare::path(&life.path)).unwrap();
    let (world, rebuilt) = life.open();
    assert!(rebuilt.is_some());
    assert_eq!(world.mappings.len(), life.before.mappings.len() - 1);
    assert!(world.mappings.values().all(|row| row.state == MappingState::Synced));
}
