//! What a sync costs: at each service no request more than its protocol needs, and `sync --json` says how many.

use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Said, World};

const LIST: &str = "GET /calendar/v3/calendars/{calendarId}/events";

async fn connected(service: &str, bookings: usize, events: usize) -> World {
    let world = World::start_with(Options { bookings, events, ..Options::default() }).await;
    assert_eq!(world.login().await.status, 0);
    let connect = world.sign_in_to(service, &[], "").await;
    assert_eq!(connect.status, 0, "{connect:?}");
    world.asked().await;
    world
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_default().try_into().unwrap()
}

/// Syncs, and answers with what the sandbox was asked for it: as many requests as were told.
async fn sync(world: &World) -> (Said, Value) {
    let said = world.run(&["sync"]).await;
    assert_eq!((said.status, &said.document["errors"]), (0, &json!([])), "{said:?}");
    let asked = world.asked().await;
    for service in ["google", "outlook", "bookiji"] {
        let told = number(&said.document["requests"][service]);
        // The command gives the lease back once the run is over.
        let after = number(&asked[service]["routes"]["DELETE /api/vendor/calendar/lease"]);
        assert_eq!(told, number(&asked[service]["total"]) - after, "{service}: {said:?} {asked}");
    }
    (said, asked)
}

fn sources(said: &Said) -> usize {
    said.document["busy"]["sources"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_google_a_thousand_events_are_a_page_a_hundred_bookings_two_batches_and_idle_is_one_for_each_calendar()
 {
    let world = connected("google", 100, 1000).await;
    let (first, asked) = sync(&world).await;
    let created = number(&first.document["bookings"]["created"]);
    assert!(created >= 100, "{first:?}");
    let routes = &asked["google"]["routes"];
    assert_eq!(number(&routes["POST /batch/calendar/v3"]), created.div_ceil(50), "{asked}");
    assert_eq!(number(&routes[LIST]), sources(&first) * 1000_usize.div_ceil(2500), "{asked}");
    assert_eq!(routes["POST /calendar/v3/calendars/{calendarId}/events"], Value::Null, "{asked}");
    // Google counts what a batch holds.
    let (requests, calls) = (&first.document["requests"]["google"], &first.document["calls"]["google"]);
    assert_eq!(number(calls), number(requests) + created - created.div_ceil(50));

    // What was just written is told once more, and then nothing is left.
    sync(&world).await;
    let (idle, asked) = sync(&world).await;
    assert_eq!(number(&idle.document["requests"]["google"]), sources(&idle), "{idle:?}");
    assert_eq!(asked["google"]["routes"], json!({ LIST: sources(&idle) }));
    assert_eq!(idle.document["requests"]["bookiji"], 1);

    let doctor = world.run(&["doctor"]).await;
    let check = doctor.document["checks"].as_array().unwrap().iter().find(|it| it["name"] == "google_calls");
    let spent = number(calls) + 2 * sources(&idle);
    assert_eq!(check.unwrap()["detail"], format!("{spent} of 1000 in the last 24 hours"), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_a_page_holds_are_as_many_pages_as_they_fill() {
    let world = connected("google", 1, 5500).await;
    let (first, asked) = sync(&world).await;
    // Her own calendar fills two pages, and each of the others one.
    assert_eq!(number(&asked["google"]["routes"][LIST]), sources(&first) + 1, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_outlook_a_hundred_bookings_are_five_batches_and_idle_is_one_for_each_calendar() {
    let world = connected("outlook", 100, 10).await;
    let (first, asked) = sync(&world).await;
    let created = number(&first.document["bookings"]["created"]);
    assert!(created >= 100, "{first:?}");
    let routes = &asked["outlook"]["routes"];
    assert_eq!(number(&routes["POST /v1.0/$batch"]), created.div_ceil(20), "{asked}");
    assert_eq!(routes["POST /v1.0/me/calendars/{calendar}/events"], Value::Null, "{asked}");
    sync(&world).await;
    let (idle, _) = sync(&world).await;
    assert_eq!(number(&idle.document["requests"]["outlook"]), sources(&idle), "{idle:?}");
}
