//! A database that is damaged between two commands: the next sync heals it from both remote sides, doubles nothing, asks
//! for no sign-in, and says so.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::killed::hold;
use crate::world::World;

fn database(world: &World) -> PathBuf {
    world.profile.path().join("companion.db")
}

fn kept(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.profile.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let itself = |name: &String| !name.ends_with("-wal") && !name.ends_with("-shm");
    names.filter(|name| name.starts_with("companion.db.damaged-")).filter(itself).collect()
}

async fn synced() -> World {
    let world = World::connected().await;
    let first = world.run(&["sync"]).await;
    assert_eq!(first.status, 0, "{first:?}");
    world
}

/// One sync heals, and the one after it has nothing to do.
async fn assert_heals(world: &World, what: &str, times: usize) {
    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{what}: {healed:?}");
    assert_eq!(healed.document["bookings"]["created"], 0, "{what}: every event was found again: {healed:?}");
    assert_eq!(healed.document["bookings"]["removed"], 0, "{what}: {healed:?}");
    hold(&world.state().await, &[], 0);
    assert_eq!(kept(world).len(), times, "{what}: the damaged file is kept");
    let settled = world.run(&["sync"]).await;
    assert_eq!(settled.status, 0, "{what}: {settled:?}");
    let bookings = &settled.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_database_is_damaged_one_sync_heals_it_and_doubles_nothing() {
    let world = synced().await;
    let whole = std::fs::read(database(&world)).unwrap();
    let pages = whole.len() / 4096;
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("text".to_owned(), "Dear diary, ".repeat(500).into_bytes()),
        ("zeroes".to_owned(), vec![0; whole.len()]),
        ("empty".to_owned(), Vec::new()),
        ("half".to_owned(), whole[..whole.len() / 2].to_vec()),
    ];
    for page in (0..pages).step_by((pages / 6).max(1)) {
        let mut bytes = whole.clone();
        for at in (page * 4096..(page + 1) * 4096).step_by(97) {
            bytes[at] ^= 0x5A;
        }
        cases.push((format!("page {page}"), bytes));
    }
    for (times, (what, bytes)) in cases.into_iter().enumerate() {
        std::fs::write(database(&world), bytes).unwrap();
        assert_heals(&world, &what, times + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_database_is_told_in_the_sync_the_status_and_the_doctor() {
    let world = synced().await;
    std::fs::write(database(&world), "not a database").unwrap();

    let status = world.run(&["status"]).await;
    assert_eq!((status.status, &status.error["code"]), (1, &json!("DATABASE_DAMAGED")), "{status:?}");
    assert!(status.error["next_step"].as_str().unwrap().contains("companion sync"));

    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{healed:?}");
    assert!(healed.stderr.contains("\"notice\"") && healed.stderr.contains("DATABASE_DAMAGED"), "{healed:?}");
    let again = world.run(&["sync"]).await;
    assert!(!again.stderr.contains("notice"), "once: {again:?}");

    let status = world.run(&["status"]).await;
    let notice = &status.document["notices"][0];
    assert_eq!(notice["code"], "DATABASE_DAMAGED", "{status:?}");
    assert!(notice["message"].as_str().unwrap().contains(&kept(&world)[0]), "{notice}");
    let doctor = world.run(&["doctor"]).await;
    let checks = doctor.document["checks"].as_array().unwrap();
    let database = checks.iter().find(|check| check["name"] == "database").unwrap();
    assert!(
        database["ok"] == true && database["detail"].as_str().unwrap().contains("built anew"),
        "{database}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_a_watched_folder_had_taken_in_are_taken_in_again() {
    let world = synced().await;
    let imported = world.profile.path().join("imported");
    std::fs::create_dir_all(&imported).unwrap();
    // At night, when nobody has booked anything, so that nothing lies under it whenever this runs.
    let days = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap() / 86_400;
    let start = jiff::Timestamp::from_second((days + 3) * 86_400 + 2 * 3600).unwrap();
    let stamp = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let file = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:lunch\r\nDTSTART:{}\r\nDTEND:{}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n",
        stamp(start),
        stamp(start + jiff::SignedDuration::from_hours(1)),
    );
    let path = imported.join("lunch.ics");
    std::fs::write(&path, &file).unwrap();
    let import = world.run(&["import", path.to_str().unwrap()]).await;
    assert_eq!(import.document["files"][0]["events"]["new"], 1, "{import:?}");

    // Nothing but the folder knows of it any more.
    std::fs::remove_file(world.profile.path().join("companion.db.spare")).unwrap();
    let mut bytes = std::fs::read(database(&world)).unwrap();
    for at in (0..bytes.len()).step_by(4096).skip(1) {
        bytes[at..at + 8].fill(0xEE);
    }
    std::fs::write(database(&world), bytes).unwrap();
    let lost = world.run(&["sync"]).await;
    assert_eq!(lost.error["code"], "NOT_SIGNED_IN", "{lost:?}");
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.connect().await.status, 0);
    let healed = world.run(&["sync"]).await;
    assert_eq!(healed.status, 0, "{healed:?}");
    hold(&world.state().await, &[], 0);
    let again = world.run(&["import", path.to_str().unwrap()]).await;
    assert_eq!(again.document["files"][0]["events"]["new"], 0, "it is here already: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_set_to_another_year_syncs_by_the_services_clock_and_says_so() {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    for days in [-370, 370] {
        let elsewhere = jiff::Timestamp::from_second(now + days * 86_400).unwrap();
        let world = World::at(elsewhere).await;
        assert_eq!(world.login().await.status, 0);
        assert_eq!(world.connect().await.status, 0);
        let sync = world.run(&["sync"]).await;
        assert_eq!(sync.status, 0, "{sync:?}");
        assert!(sync.document["bookings"]["created"].as_u64().unwrap() > 10, "{days}: {sync:?}");
        let off = sync.document["clock_off_s"].as_i64().unwrap();
        assert!((off - days * 86_400).abs() < 60, "{off}");
        let state = world.state().await;
        let starts = |value: &Value| value["start"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let busy: Vec<&Value> = state["busy"].as_array().unwrap().iter().collect();
        assert!(!busy.is_empty(), "{days}");
        for interval in busy {
            let away = starts(interval).duration_since(elsewhere).as_hours() / 24;
            assert!((-2..33).contains(&away), "{days}: published {interval}");
        }
        let settled = world.run(&["sync"]).await;
        assert_eq!(settled.document["bookings"]["created"], 0, "{settled:?}");
        assert!(
            settled.document["busy"]["sources"].as_array().unwrap().iter().all(|s| s["published"] == false)
        );

        let status = world.run(&["status"]).await;
        let notice = &status.document["notices"][0];
        assert_eq!(notice["code"], "CLOCK_WRONG", "{status:?}");
        let doctor = world.run(&["doctor"]).await;
        let checks = doctor.document["checks"].as_array().unwrap();
        let clock = checks.iter().find(|check| check["name"] == "clock").unwrap();
        assert_eq!(clock["ok"], false, "{clock}");
        assert!(clock["next_step"].as_str().unwrap().contains("Set the clock"));
    }
}
