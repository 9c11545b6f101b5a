//! Looking at everything, acting as a person, counting what clients ask.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Call, World};

const EVENTS: &str = "/google/calendar/v3/calendars/primary/events";

async fn google_event(world: &World, token: &str, id: &Value) -> Value {
    world.get(&format!("{EVENTS}/{}", id.as_str().unwrap()), token).await.ok()
}

fn marked(id: &str) -> Value {
    json!({"id": id, "summary": "Booking", "start": {"dateTime": "2026-12-01T10:00:00Z"},
        "end": {"dateTime": "2026-12-01T11:00:00Z"}, "extendedProperties": {"private": {"bookijiBooking": "b1"}}})
}

#[tokio::test]
async fn she_moves_edits_deletes_and_restores_an_event_by_its_booking() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let made = world.post(EVENTS, &token, marked("ours0")).await.ok();
    let moved =
        world.edit(json!({"as": "vendor", "do": "move_event", "booking": "b1", "by_minutes": 30})).await;
    assert_eq!(
        (&moved["event"]["start"], &moved["event"]["end"]),
        (&json!("2026-12-01T10:30:00Z"), &json!("2026-12-01T11:30:00Z"))
    );
    let order = json!({"as": "vendor", "do": "edit_event", "event": "ours0", "fields": {"summary": "Mine"}});
    assert_eq!(world.edit(order).await["event"]["summary"], "Mine");
    assert_ne!(google_event(&world, &token, &made["id"]).await["etag"], made["etag"]);
    world.edit(json!({"as": "vendor", "do": "delete_event", "booking": "b1"})).await;
    assert_eq!(google_event(&world, &token, &made["id"]).await["status"], "cancelled");
    world.edit(json!({"as": "vendor", "do": "restore_event", "event": "ours0"})).await;
    assert_eq!(google_event(&world, &token, &made["id"]).await["status"], "confirmed");
}

#[tokio::test]
async fn a_copy_carries_the_marker_under_another_id() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.post(EVENTS, &token, marked("ours0")).await.ok();
    let order = json!({"as": "vendor", "do": "copy_event", "booking": "b1", "start": "2026-12-03T09:00:00Z"});
    let copy = world.edit(order).await["event"].clone();
    assert_eq!((&copy["booking_id"], &copy["start"]), (&json!("b1"), &json!("2026-12-03T09:00:00Z")));
    assert_ne!(copy["id"], "ours0");
    let named =
        world.edit(json!({"as": "vendor", "do": "move_event", "booking": "b1", "by_minutes": 5})).await;
    assert_eq!(named["event"]["id"], "ours0", "the booking's event is the first of the two");
}

#[tokio::test]
async fn the_state_shows_tombstones_bookings_and_no_secret() {
    let world = World::new().await;
    let tokens = world.google_tokens(&["calendar"]).await;
    let session = world.password(&world.sandbox.password).await.ok();
    let access = tokens["access_token"].as_str().unwrap();
    world.post(EVENTS, access, marked("ours0")).await.ok();
    world.edit(json!({"as": "vendor", "do": "delete_event", "event": "ours0"})).await;
    let state = world.state().await;
    let primary = state["calendars"].as_array().unwrap().iter().find(|c| c["primary"] == true).unwrap();
    let ours = primary["events"].as_array().unwrap().iter().find(|event| event["id"] == "ours0").unwrap();
    assert_eq!((&ours["status"], &ours["booking_id"]), (&json!("cancelled"), &json!("b1")));
    assert_eq!(primary["service"], "google");
    let text = state.to_string();
    for secret in
        [access, tokens["refresh_token"].as_str().unwrap(), session["refresh_token"].as_str().unwrap()]
    {
        assert!(!text.contains(secret));
    }
    assert!(state["tokens"].as_array().unwrap().len() >= 2);
}

#[tokio::test]
async fn requests_are_counted_by_service_and_route_until_reset() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let bookiji = world.bookiji().await;
    world.call(Method::DELETE, "/_sandbox/requests", Call::default()).await;
    world.post(EVENTS, &token, marked("ours0")).await.ok();
    world.get(EVENTS, &token).await.ok();
    world.get("/bookiji/api/vendor/bookings", &bookiji).await.ok();
    world.get("/bookiji/api/nowhere", &bookiji).await;
    let told = world.requests().await;
    let route = "/calendar/v3/calendars/{calendarId}/events";
    assert_eq!(told["google"]["routes"], json!({format!("GET {route}"): 1, format!("POST {route}"): 1}));
    assert_eq!((&told["google"]["total"], &told["google"]["peak"]), (&json!(2), &json!(1)));
    assert!(
        told["google"]["bytes_in"].as_u64() > Some(100) && told["google"]["bytes_out"].as_u64() > Some(1000)
    );
    assert_eq!(told["bookiji"]["total"], 2);
    assert!(told.get("google_auth").is_none(), "asking the sandbox itself is not counted");
    world.call(Method::DELETE, "/_sandbox/requests", Call::default()).await;
    assert_eq!(world.requests().await, json!({}));
}

#[tokio::test]
async fn the_peak_tells_how_many_were_open_at_once() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.fault(json!({"service": "google", "kind": "slow:300"})).await;
    tokio::join!(world.get(EVENTS, &token), world.get(EVENTS, &token), world.get(EVENTS, &token));
    assert_eq!(world.requests().await["google"]["peak"], 3);
}

#[tokio::test]
async fn an_edit_that_cannot_be_made_says_why() {
    let world = World::new().await;
    for order in [
        json!({"as": "vendor", "do": "fly"}),
        json!({"as": "nobody", "do": "book"}),
        json!({"as": "vendor", "do": "move_event", "event": "nowhere", "by_minutes": 5}),
        json!({"as": "customer", "do": "cancel", "booking": "nowhere"}),
        json!({"as": "customer", "do": "book", "start": "2026-11-22T03:00:00Z"}),
    ] {
        let answer = world.call(Method::POST, "/_sandbox/edit", Call::default().body(order)).await;
        assert_eq!(answer.status, 409);
        assert!(answer.body["error"].as_str().is_some_and(|text| text.len() > 8), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_second_account_has_a_life_of_its_own() {
    let world = World::new().await;
    world.edit(json!({"as": "vendor", "do": "add_account", "email": "zoe@mail.example"})).await;
    let scope = crate::world::full(&["calendar", "email"]);
    let code = world.code(&[("scope", &scope), ("login_hint", "zoe@mail.example")]).await;
    let tokens = world.exchange(&code, &[]).await.ok();
    let list = world
        .get("/google/calendar/v3/users/me/calendarList", tokens["access_token"].as_str().unwrap())
        .await
        .ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["id"], "zoe@mail.example");
}

#[tokio::test]
async fn an_occurrence_can_be_moved_and_cancelled() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let series = json!({"id": "series0", "start": {"dateTime": "2026-12-01T10:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-01T11:00:00Z", "timeZone": "UTC"}, "recurrence": ["RRULE:FREQ=WEEKLY"]});
    world.post(EVENTS, &token, series).await.ok();
    let order = json!({"as": "vendor", "do": "move_occurrence", "event": "series0", "original": "2026-12-08T10:00:00Z", "start": "2026-12-09T12:00:00Z"});
    assert_eq!(world.edit(order).await["event"]["end"], "2026-12-09T13:00:00Z");
    let order = json!({"as": "vendor", "do": "cancel_occurrence", "event": "series0", "original": "2026-12-15T10:00:00Z"});
    assert_eq!(world.edit(order).await["event"]["status"], "cancelled");
}
