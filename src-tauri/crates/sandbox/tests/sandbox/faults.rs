//! Things that go wrong on purpose.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Call, World};

const LIST: &str = "/google/calendar/v3/users/me/calendarList";
const EVENTS: &str = "/google/calendar/v3/calendars/primary/events";

fn event(id: &str) -> Value {
    json!({"id": id, "start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T11:00:00Z"},
        "extendedProperties": {"private": {"bookijiBooking": "b1"}}})
}

#[tokio::test]
async fn refusals_come_as_often_as_asked_and_in_the_services_words() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "status:503", "times": 2})).await;
    world.get(LIST, &token).await.refused(503, "backendError");
    world.get(LIST, &token).await.refused(503, "backendError");
    world.get(LIST, &token).await.ok();
    world.fault(json!({"service": "google", "kind": "rate_limited", "times": 1})).await;
    let slow_down = world.get(LIST, &token).await;
    assert_eq!(slow_down.headers["retry-after"], "2");
    slow_down.refused(429, "rateLimitExceeded");
    let bookiji = world.bookiji().await;
    world.fault(json!({"service": "bookiji", "kind": "rate_limited", "times": 1})).await;
    let slow_down = world.get("/bookiji/api/vendor/bookings", &bookiji).await;
    assert_eq!(slow_down.headers["retry-after"], "2");
    slow_down.problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_refusal_can_be_named() {
    let world = World::new().await;
    let (token, bookiji) = (world.google(&["calendar"]).await, world.bookiji().await);
    world.fault(json!({"service": "google", "kind": "status:403:quotaExceeded", "times": 1})).await;
    world.get(LIST, &token).await.refused(403, "quotaExceeded");
    world.fault(json!({"service": "bookiji", "kind": "status:503:SCHEDULING_DISABLED", "times": 1})).await;
    world.get("/bookiji/api/vendor/bookings", &bookiji).await.problem(503, "SCHEDULING_DISABLED");
    world.fault(json!({"service": "bookiji", "kind": "status:503", "times": 1})).await;
    world.get("/bookiji/api/vendor/bookings", &bookiji).await.problem(503, "SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn a_route_can_be_named_in_three_ways() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let path = "/calendar/v3/users/me/calendarList";
    for route in [format!("GET {path}"), path.to_owned(), "GET".to_owned()] {
        world.fault(json!({"service": "google", "route": route, "kind": "status:500", "times": 1})).await;
        world.post(EVENTS, &token, event("unharmed0")).await;
        world.get(LIST, &token).await.refused(500, "backendError");
    }
}

#[tokio::test]
async fn a_lost_reply_was_done_all_the_same() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "reply_lost", "times": 1})).await;
    let call = Call::by(&token).body(event("lost0"));
    assert!(world.try_call(Method::POST, EVENTS, call).await.is_err());
    world.get(&format!("{EVENTS}/lost0"), &token).await.ok();
}

#[tokio::test]
async fn a_reset_was_not_done() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "reset", "times": 1})).await;
    let call = Call::by(&token).body(event("reset0"));
    assert!(world.try_call(Method::POST, EVENTS, call).await.is_err());
    world.get(&format!("{EVENTS}/reset0"), &token).await.refused(404, "notFound");
}

#[tokio::test]
async fn half_a_body_and_a_page_of_html() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "truncated", "times": 1})).await;
    let half = world.try_call(Method::GET, LIST, Call::by(&token)).await;
    assert!(half.is_err(), "half a body is no answer");
    world.fault(json!({"service": "google", "kind": "html", "times": 1})).await;
    let page = world.get(LIST, &token).await;
    assert_eq!(page.status, 200);
    assert!(page.text.starts_with("<!doctype html>"));
}

#[tokio::test]
async fn a_revoked_sign_in_needs_a_new_one() {
    let world = World::new().await;
    let tokens = world.google_tokens(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "token_revoked", "times": 1})).await;
    world.get(LIST, tokens["access_token"].as_str().unwrap()).await.refused(401, "authError");
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    assert_eq!(world.token(&form).await.body["error"], "invalid_grant");
    let session = world.password(&world.sandbox.password).await.ok();
    world.fault(json!({"service": "bookiji", "kind": "token_revoked", "times": 1})).await;
    let access = session["access_token"].as_str().unwrap();
    world.get("/bookiji/api/vendor/bookings", access).await.problem(401, "AUTH_REQUIRED");
    let refresh = json!({"refresh_token": session["refresh_token"]});
    assert_eq!(world.gotrue("/token?grant_type=refresh_token", refresh).await.status, 400);
}

#[tokio::test]
async fn pages_can_be_short_doubled_and_out_of_order_and_lose_nothing() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let read = async || {
        let (mut ids, mut page, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let answer = world.get(&format!("{EVENTS}?maxResults=6{page}"), &token).await.ok();
            pages += 1;
            let items = answer["items"].as_array().unwrap();
            ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match answer["nextPageToken"].as_str() {
                Some(next) => page = format!("&pageToken={next}"),
                None => return (ids, pages),
            }
        }
    };
    let (plain, pages) = read().await;
    world.fault(json!({"service": "google", "kind": "short_page", "times": 2})).await;
    let (short, more_pages) = read().await;
    assert!(more_pages > pages);
    assert_eq!(short, plain);
    world.fault(json!({"service": "google", "kind": "duplicate_page", "times": 1})).await;
    let (mut doubled, _) = read().await;
    assert!(doubled.len() > plain.len());
    doubled.dedup();
    doubled.sort();
    doubled.dedup();
    let mut sorted = plain.clone();
    sorted.sort();
    assert_eq!(doubled, sorted);
    world.fault(json!({"service": "google", "kind": "reordered"})).await;
    let (mut turned, _) = read().await;
    assert_ne!(turned, plain);
    turned.sort();
    assert_eq!(turned, sorted);
}

#[tokio::test]
async fn a_lying_google_ignores_preconditions_drops_markers_and_hides_events() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "drops_marker", "times": 1})).await;
    let made = world.post(EVENTS, &token, event("bare0")).await.ok();
    assert!(made.get("extendedProperties").is_none());
    world.fault(json!({"service": "google", "kind": "ignores_precondition", "times": 1})).await;
    let call = Call::by(&token).header("if-match", "\"stale\"").body(json!({"summary": "x"}));
    world.call(Method::PATCH, &format!("{EVENTS}/bare0"), call).await.ok();
    world.fault(json!({"service": "google", "kind": "empty_listing", "times": 1})).await;
    let empty = world.get(EVENTS, &token).await.ok();
    assert_eq!(empty["items"], json!([]));
    assert!(empty["nextSyncToken"].is_string());
    world.fault(json!({"service": "google", "kind": "calendar_gone", "times": 1})).await;
    world.get(EVENTS, &token).await.refused(404, "notFound");
    world.get(EVENTS, &token).await.ok();
}

#[tokio::test]
async fn chance_follows_the_seed() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let run = async |seed: u64| {
        world
            .fault(json!({"service": "google", "kind": "status:500", "probability": 0.5, "seed": seed}))
            .await;
        let mut told = Vec::new();
        for _ in 0..12 {
            told.push(world.get(LIST, &token).await.status);
        }
        world.call(Method::DELETE, "/_sandbox/faults", Call::default()).await;
        told
    };
    let first = run(7).await;
    assert!(first.contains(&200) && first.contains(&500));
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
}

#[tokio::test]
async fn an_unknown_fault_is_refused() {
    let world = World::new().await;
    for fault in [
        json!({"service": "google", "kind": "gremlins"}),
        json!({"service": "fax", "kind": "html"}),
        json!({"service": "google", "kind": "status:200"}),
        json!({"service": "google", "kind": "html", "tymes": 1}),
        json!({"service": "google", "kind": "html", "probability": 2}),
    ] {
        let answer = world.call(Method::POST, "/_sandbox/faults", Call::default().body(fault)).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
}
