//! What happens on Bookiji is in her calendar before she looks: hints over a real line, and the poll where there is none.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::world::{World, command};

/// Within which a booking made online is in the calendar.
const PROMISED: Duration = Duration::from_secs(5);
/// The poll alone is a minute.
const PATIENCE: Duration = Duration::from_secs(40);

/// The command that goes on, after its first sync.
async fn watching(world: &World) -> Child {
    let mut watch = command(world.profile.path());
    let mut watch = watch.args(["--json", "sync", "--watch"]).stdin(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("Done in") {
            break;
        }
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    watch
}

fn has_event(state: &Value, booking: &str) -> bool {
    let calendars = state["calendars"].as_array().unwrap().iter();
    let mut events = calendars.flat_map(|calendar| calendar["events"].as_array().unwrap());
    events.any(|event| event["booking_id"] == booking && event["status"] != "cancelled")
}

/// Books as a customer does, and answers how long it takes until the event stands.
async fn until_it_is_in_her_calendar(world: &World) -> Duration {
    let before = world.state().await;
    let known: Vec<&Value> = before["bookings"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    let begun = Instant::now();
    loop {
        let state = world.state().await;
        let fresh = state["bookings"].as_array().unwrap().iter().find(|one| !known.contains(&&one["id"]));
        if has_event(&state, fresh.unwrap()["id"].as_str().unwrap()) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn line_is_open(world: &World, route: &str) {
    let begun = Instant::now();
    while world.requests().await["bookiji"]["routes"][route].is_null() {
        assert!(begun.elapsed() < PATIENCE, "{}", world.requests().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const STREAM: &str = "GET /api/vendor/changes/stream";

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_made_online_is_in_the_calendar_within_five_seconds() {
    let world = World::connected().await;
    let _watch = watching(&world).await;
    line_is_open(&world, STREAM).await;
    for _ in 0..2 {
        let took = until_it_is_in_her_calendar(&world).await;
        assert!(took < PROMISED, "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_is_opened_again_and_nothing_is_missed() {
    let world = World::connected().await;
    // Cut off right after each opening, some times.
    world.fault(json!({"service": "bookiji", "route": "/api/vendor/changes/stream", "kind": "status:503", "times": 2})).await;
    let _watch = watching(&world).await;
    let begun = Instant::now();
    loop {
        let opened = world.requests().await["bookiji"]["routes"][STREAM].as_u64().unwrap_or_default();
        if opened >= 3 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", world.requests().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = until_it_is_in_her_calendar(&world).await;
    assert!(took < PROMISED, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_line_the_poll_finds_it() {
    let world = World::connected().await;
    let settings = world.profile.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n[sync]\nbooking_poll_seconds = 10\n")).unwrap();
    let none = json!({"service": "bookiji", "route": "/api/vendor/changes/stream", "kind": "status:404"});
    world.fault(none).await;
    let _watch = watching(&world).await;
    let took = until_it_is_in_her_calendar(&world).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn todays_log_is_a_hint_too() {
    let world = World::start_today().await.with_account().await;
    let _watch = watching(&world).await;
    line_is_open(&world, "GET /rest/v1/ops_events").await;
    let took = until_it_is_in_her_calendar(&world).await;
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bookijis_page_is_told_which_calendars_there_are_and_how_they_went_and_hears_no_token() {
    let world = World::connected().await;
    let watch = watching(&world).await;
    let begun = Instant::now();
    let connections = loop {
        let state = world.state().await;
        let told = state["connections"].as_array().unwrap().clone();
        if told.len() > 1 && told.iter().all(|one| one["last_synced_at"].is_string()) {
            break told;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for one in &connections {
        assert_eq!((&one["provider"], &one["status"]), (&json!("google"), &json!("success")), "{one}");
        assert!(one["next_sync_at"].is_string(), "{one}");
    }
    drop(watch);
    // Today's has no place for it, and is not asked for one.
    let today = World::start_today().await.with_account().await;
    let _watch = watching(&today).await;
    line_is_open(&today, "GET /rest/v1/ops_events").await;
    let asked = today.requests().await["bookiji"]["routes"].clone();
    assert!(asked.as_object().unwrap().keys().all(|route| !route.contains("calendar")), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_she_asks_for_on_bookijis_page_begins_at_once() {
    let world = World::connected().await;
    let _watch = watching(&world).await;
    line_is_open(&world, STREAM).await;
    let event = json!({"as": "vendor", "do": "create_event", "summary": "Piano tuner",
        "start": "2030-01-02T10:00:00Z", "end": "2030-01-02T11:00:00Z"});
    assert!(world.try_edit(event).await);
    let routes = |requests: Value| requests["google"]["total"].as_u64().unwrap();
    let before = routes(world.requests().await);
    world.asks_for_a_sync().await;
    let begun = Instant::now();
    while routes(world.requests().await) == before {
        assert!(begun.elapsed() < PROMISED, "nothing was read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
