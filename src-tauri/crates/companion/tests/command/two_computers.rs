//! Two computers of one vendor for real: two profiles and two processes beside one sandbox. Whatever becomes of either,
//! every booking has one event.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::world::{World, command, said};

/// One that has used up its calls of a minute waits for the next one, and then has other things to ask first.
const PATIENCE: Duration = Duration::from_secs(180);

/// Her studio's computer, and the laptop that is the world's own profile.
async fn two() -> (World, TempDir) {
    two_of(World::connected().await).await
}

async fn two_of(mut world: World) -> (World, TempDir) {
    let settings = std::fs::read_to_string(world.profile.path().join("settings.toml")).unwrap();
    let studio = std::mem::replace(&mut world.profile, tempfile::tempdir().unwrap());
    for profile in [&studio, &world.profile] {
        let often = format!("{settings}\n[sync]\nbooking_poll_seconds = 10\n");
        std::fs::write(profile.path().join("settings.toml"), often).unwrap();
    }
    assert_eq!(world.login().await.status, 0);
    assert_eq!(world.connect().await.status, 0);
    (world, studio)
}

fn watch(profile: &Path) -> Child {
    let mut watcher = command(profile);
    watcher.arg("--json").args(["sync", "--watch"]);
    // Nobody reads what it says.
    watcher.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    watcher.spawn().unwrap()
}

async fn signal(process: &Child, name: &str) {
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
}

async fn ask(profile: &Path, words: &[&str]) -> Value {
    let asked = command(profile).arg("--json").args(words).output().await.unwrap();
    said(&asked).document
}

/// Live bookings with how many events each has.
fn events(state: &Value) -> BTreeMap<String, usize> {
    let bookings = state["bookings"].as_array().unwrap().iter();
    let now: Timestamp = state["now"].as_str().unwrap().parse().unwrap();
    let live = bookings.filter(|booking| {
        let end: Timestamp = booking["end"].as_str().unwrap().parse().unwrap();
        matches!(booking["status"].as_str(), Some("pending" | "confirmed")) && end > now
    });
    let mut counts: BTreeMap<String, usize> =
        live.map(|booking| (booking["id"].as_str().unwrap().to_owned(), 0)).collect();
    for calendar in state["calendars"].as_array().unwrap() {
        for event in calendar["events"].as_array().unwrap().iter().filter(|e| e["status"] != "cancelled") {
            if let Some(count) = event["booking_id"].as_str().and_then(|id| counts.get_mut(id)) {
                *count += 1;
            }
        }
    }
    counts
}

fn each_once(state: &Value) -> bool {
    events(state).values().all(|count| *count == 1)
}

async fn until(world: &World, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let state = world.state().await;
        if is(&state) {
            return state;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {:?} {}", events(&state), state["leases"]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn holder(state: &Value) -> &str {
    state["leases"][0]["installation_id"].as_str().unwrap_or_default()
}

async fn books(world: &World) {
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await, "a free slot");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_other_takes_over_when_the_writer_is_stopped_and_the_first_then_stands_by() {
    let (world, studio) = two().await;
    let mut first = watch(studio.path());
    let state =
        until(&world, "the studio's computer writes", |state| each_once(state) && !holder(state).is_empty())
            .await;
    let of_studio = holder(&state).to_owned();

    let mut second = watch(world.profile.path());
    let begun = Instant::now();
    // It learns whose turn it is in the middle of its first run.
    let status = loop {
        let status = ask(world.profile.path(), &["status"]).await;
        if !status["standing_by"]["holder"].is_null() && status["state"] != "syncing" {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "the laptop stands by");
    };
    assert_eq!((&status["state"], &status["error"]), (&json!("up_to_date"), &Value::Null), "{status}");

    // It is stopped in the middle of a run's writes, with their answer on its way.
    world.fault(json!({"service": "google", "route": "POST", "kind": "slow_reply:1500"})).await;
    for _ in 0..3 {
        books(&world).await;
    }
    until(&world, "one of three is written", |state| {
        events(state).values().filter(|count| **count == 0).count() == 2
    })
    .await;
    signal(&first, "-STOP").await;
    world.heal().await;
    let stopped = Instant::now();
    let taken_over = |state: &Value| each_once(state) && holder(state) != of_studio;
    let state = until(&world, "the laptop takes over", taken_over).await;
    let waited = stopped.elapsed();
    assert!(waited < Duration::from_secs(60), "{waited:?}");
    let of_laptop = holder(&state).to_owned();
    assert_ne!(of_laptop, of_studio);

    signal(&first, "-CONT").await;
    // What has changed meanwhile it is told by what changes next.
    books(&world).await;
    let begun = Instant::now();
    let run = loop {
        let runs = ask(studio.path(), &["history"]).await;
        let told =
            runs["runs"].as_array().unwrap().iter().find(|run| run["report"]["standing_by"].is_object());
        match told {
            Some(run) => break run.clone(),
            None => assert!(begun.elapsed() < PATIENCE, "the studio's computer stands by: {runs}"),
        }
    };
    assert_eq!(run["outcome"], "success", "{run}");
    let status = ask(studio.path(), &["status"]).await;
    assert_eq!(
        (&status["standing_by"]["holder"].is_string(), &status["error"]),
        (&true, &Value::Null),
        "{status}"
    );
    let state = until(&world, "the laptop writes on", each_once).await;
    assert_eq!(holder(&state), of_laptop);

    // Whoever goes in peace leaves the lease to the other at once.
    signal(&second, "-TERM").await;
    second.wait().await.unwrap();
    assert_ne!(holder(&world.state().await), of_laptop);
    books(&world).await;
    let state = until(&world, "the studio's computer writes again", each_once).await;
    assert_eq!(holder(&state), of_studio);
    assert!(events(&state).len() > 4);
    signal(&first, "-TERM").await;
    first.wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_platform_without_leases_two_that_sync_at_once_double_nothing() {
    let (world, studio) = two().await;
    let none = json!({"service": "bookiji", "route": "/api/vendor/calendar/lease", "kind": "status:404"});
    world.fault(none).await;
    each_booking_has_one_event(&world, &studio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_todays_bookiji_which_has_no_leases_two_that_sync_at_once_double_nothing() {
    let (world, studio) = two_of(World::start_today().await.with_account().await).await;
    each_booking_has_one_event(&world, &studio).await;
}

/// However often both sync at once, while customers go on booking.
async fn each_booking_has_one_event(world: &World, studio: &TempDir) {
    for round in 0..6 {
        let (first, second) =
            tokio::join!(ask(studio.path(), &["sync"]), ask(world.profile.path(), &["sync"]));
        for report in [first, second] {
            assert_eq!(report["errors"], json!([]), "round {round}: {report}");
            assert_eq!(report["standing_by"], Value::Null);
        }
        let state = world.state().await;
        assert!(each_once(&state), "round {round}: {:?}", events(&state));
        assert_eq!(state["leases"], json!([]));
        for _ in 0..3 {
            books(world).await;
        }
    }
}
