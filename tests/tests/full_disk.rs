//! A disk that is full stops a run at the first thing that cannot be written down. Nothing is done that the journal does
//! not know of, and when there is space again the next run goes on.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::BTreeSet;
use std::path::Path;

use mirror::Sqlite;
use sync::error::MirrorError;
use sync::ports::Mirror;
use sync::report::Report;
use sync::world::{Direction, Operation};
use tests::service::Services;
use tests::world::World;

const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:lunch\r\nDTSTAMP:20260101T000000Z\r\n\
                    DTSTART:20261125T100000Z\r\nDTEND:20261125T110000Z\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\n\
                    END:VCALENDAR\r\n";

/// A mirror in a file, so that it can be looked at from outside.
fn mirror_in(path: &Path) -> Sqlite {
    Sqlite::open(path).unwrap()
}

fn busy_week(world: &World) {
    for n in 0..12 {
        world.customer_books(&format!("b{n}"), 20 + n * 3);
        world.vendor_adds(&format!("hers {n}"), 100 + n * 4, 2);
    }
}

/// Every event that stands for a booking was intended before it was written.
fn assert_journalled(world: &World, path: &Path) {
    let seen = Sqlite::open_read_only(path).unwrap();
    let mut intended: BTreeSet<String> = BTreeSet::new();
    for run in seen.runs(100).unwrap() {
        for entry in seen.journal(&run.id).unwrap() {
            if let Operation::CreateEvent { draft, .. } = &entry.operation {
                intended.insert(draft.id.0.clone());
            }
        }
    }
    for event in world.booking_events() {
        assert!(intended.contains(event.id.as_str()), "{event:?} was written and not written down");
    }
}

#[tokio::test]
async fn wherever_the_disk_fills_up_nothing_is_written_that_was_not_written_down_and_space_heals() {
    let mut filled = 0;
    for spare_pages in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("companion.db");
        let mut world = World::around(Services::default(), Box::new(mirror_in(&path)));
        busy_week(&world);
        let pages = std::fs::metadata(&path).unwrap().len().max(1) / 4096;
        drop(std::mem::replace(&mut world.mirror, Box::new(bounded(&path, pages as u32 + spare_pages))));

        let error = world.try_sync(Direction::Bidirectional, false).await;
        assert_journalled(&world, &path);
        match error {
            Err(MirrorError::Full { .. }) => filled += 1,
            Err(other) => panic!("{spare_pages} pages: {other}"),
            Ok(report) => assert!(report.errors.is_empty(), "{report:#?}"),
        }
        world.mirror = Box::new(mirror_in(&path));
        let healed: Report = world.sync().await;
        assert!(healed.errors.is_empty(), "{spare_pages} pages: {healed:#?}");
        let stands: BTreeSet<_> =
            world.booking_events().iter().map(|event| event.marker.clone().unwrap().booking).collect();
        assert_eq!((stands.len(), world.booking_events().len()), (12, 12), "{spare_pages} pages");
        world.assert_settled().await;
    }
    assert!(filled > 5, "the disk was full {filled} times only");
}

fn bounded(path: &Path, pages: u32) -> Sqlite {
    let mirror = mirror_in(path);
    // The file may be larger than what lies outside its log.
    let least = (0..200).find(|more| mirror.bound(pages + more).is_ok());
    assert!(least.is_some());
    mirror
}

#[tokio::test]
async fn an_import_that_finds_no_space_is_not_half_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("companion.db");
    let mut world = World::around(Services::default(), Box::new(mirror_in(&path)));
    world.link_imports();
    let many: String = (0..200)
        .map(|n| {
            FILE.replace("UID:lunch", &format!("UID:lunch{n}"))
                .lines()
                .skip(2)
                .take(6)
                .map(|line| format!("{line}\r\n"))
                .collect::<String>()
        })
        .collect();
    let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{many}END:VCALENDAR\r\n");
    let before = world.mirror.world().unwrap();
    world.mirror = Box::new(bounded(&path, 1));
    let import = std::panic::AssertUnwindSafe(|| world.vendor_imports(&file, None));
    assert!(std::panic::catch_unwind(import).is_err(), "there is no space for 200 events");
    assert_eq!(mirror_in(&path).world().unwrap(), before);
    world.mirror = Box::new(mirror_in(&path));
    let taken = world.vendor_imports(&file, None);
    assert_eq!(taken.intake.changed.len(), 200);
}
