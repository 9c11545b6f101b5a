//! The seeded life and how the sandbox starts: determinism, size, state, settings.

use std::collections::BTreeSet;

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Call, World};

#[tokio::test]
async fn the_same_seed_is_the_same_life_and_another_is_not() {
    let state = async |seed| {
        let mut state = World::with(Options { seed, ..Options::default() }).await.state().await;
        state["now"] = Value::Null;
        state
    };
    let first = state(7).await;
    assert_eq!(first, state(7).await);
    assert_ne!(first, state(8).await);
}

#[tokio::test]
async fn bookings_are_as_many_as_asked_and_never_overlap() {
    let days = [22, 24, 28].into_iter();
    let cases = days.flat_map(|day| [0, 26, 80, 81, 300].map(|bookings| (day, bookings)));
    for (day, bookings) in cases {
        let now = format!("2026-11-{day}T21:30:00Z").parse().ok();
        let world = World::with(Options { now, bookings, events: 0, ..Options::default() }).await;
        let state = world.state().await;
        let mut coming: Vec<_> = state["bookings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|b| b["status"] == "confirmed" || b["status"] == "pending")
            .map(|b| (b["start"].as_str().unwrap(), b["end"].as_str().unwrap()))
            .collect();
        coming.sort_unstable();
        assert_eq!(coming.len(), bookings);
        assert!(coming.iter().all(|(start, _)| Some(*start) > state["now"].as_str()));
        assert!(coming.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }
}

#[tokio::test]
async fn her_calendar_holds_everything_that_makes_busy_time_hard() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let events =
        world.get("/google/calendar/v3/calendars/primary/events?showDeleted=true", &token).await.ok();
    let events = events["items"].as_array().unwrap();
    let some = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        assert!(events.iter().any(wanted), "no event is {what}");
    };
    some("weekly", &|e| e["recurrence"].to_string().contains("WEEKLY"));
    some("monthly", &|e| e["recurrence"].to_string().contains("MONTHLY"));
    some("moved", &|e| e["recurringEventId"].is_string() && e["status"] == "confirmed");
    some("a cancelled instance", &|e| e["recurringEventId"].is_string() && e["status"] == "cancelled");
    some("deleted", &|e| e["recurringEventId"].is_null() && e["status"] == "cancelled");
    some("all day", &|e| e["start"]["date"].is_string());
    some("declined", &|e| e["attendees"].to_string().contains("declined"));
    some("tentative", &|e| e["status"] == "tentative");
    some("transparent", &|e| e["transparency"] == "transparent");
    some("in another zone", &|e| e["start"]["timeZone"] == "Europe/Paris");
    some("out of office", &|e| e["eventType"] == "outOfOffice");
    let changes = |e: &Value| {
        let offset = |name: &str| e[name]["dateTime"].as_str().map(|text| text[19..].to_owned());
        offset("start").is_some() && offset("start") != offset("end")
    };
    some("over a change of clocks", &changes);
}

#[tokio::test]
async fn a_thousand_events_are_a_thousand_more() {
    let world = World::with(Options { events: 1000, bookings: 0, ..Options::default() }).await;
    let state = world.state().await;
    let primary = state["calendars"].as_array().unwrap().iter().find(|c| c["primary"] == true).unwrap();
    assert!(primary["events"].as_array().unwrap().len() > 1000);
}

#[tokio::test]
async fn the_state_file_carries_a_life_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox-state.json");
    let options = || Options { state: Some(path.clone()), bookings: 5, events: 3, ..Options::default() };
    let world = World::with(options()).await;
    let token = world.google(&["calendar"]).await;
    world.advance(600).await;
    let booked =
        world.edit(serde_json::json!({"as": "customer", "do": "book"})).await["booking"]["id"].clone();
    world.sandbox.stop().await;
    let world = World::with(Options { seed: 99, ..options() }).await;
    let state = world.state().await;
    assert!(state["bookings"].as_array().unwrap().iter().any(|booking| booking["id"] == booked));
    world.get("/google/calendar/v3/users/me/calendarList", &token).await.ok();
    assert!(state["now"].as_str() >= Some("2026-11-22T15:10:00Z"));
}

#[tokio::test]
async fn a_stopped_sandbox_answers_nobody() {
    let world = World::new().await;
    let address = world.sandbox.base_url.strip_prefix("http://").unwrap().to_owned();
    world.state().await;
    world.sandbox.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let options = Options { listen: ([0, 0, 0, 0], 0).into(), ..Options::default() };
    assert!(sandbox::serve(options).await.is_err());
    let options = Options { vendor_zone: "Mars/Olympus".to_owned(), ..Options::default() };
    assert!(sandbox::serve(options).await.is_err());
}

#[tokio::test]
async fn the_settings_name_every_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let world = World::with(Options { write_settings: Some(path.clone()), ..Options::default() }).await;
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, world.sandbox.settings);
    let keys: BTreeSet<&str> =
        written.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
    for key in [
        "bookiji",
        "supabase",
        "google_api",
        "google_auth",
        "google_token",
        "graph",
        "microsoft_login",
        "microsoft_client_id",
        "caldav_allow_http",
    ] {
        assert!(keys.contains(key), "{key}");
    }
    assert!(written.contains("/google/o/oauth2/v2/auth?sandbox_auto_consent=1"));
    assert!(written.contains("/microsoft?sandbox_auto_consent=1"));
}

#[tokio::test]
async fn a_feed_is_a_calendar_file_with_a_validator() {
    let world = World::new().await;
    let feed = world.call(Method::GET, "/feeds/school.ics", Call::default()).await;
    assert!(feed.text.starts_with("BEGIN:VCALENDAR\r\n") && feed.text.ends_with("END:VCALENDAR\r\n"));
    let etag = feed.headers["etag"].to_str().unwrap();
    let call = Call::default().header("if-none-match", etag);
    assert_eq!(world.call(Method::GET, "/feeds/school.ics", call).await.status, 304);
    assert_eq!(world.call(Method::GET, "/feeds/nowhere.ics", Call::default()).await.status, 404);
}

#[tokio::test]
async fn a_feed_is_packed_for_who_asks_and_known_by_its_date_and_by_its_tag() {
    let world = World::new().await;
    let get = |call| world.call(Method::GET, "/feeds/school.ics", call);
    let packed = get(Call::default()).await;
    let sent = world.requests().await["feeds"]["bytes_out"].as_u64().unwrap();
    assert!(sent < packed.text.len() as u64, "{sent} bytes for {}", packed.text.len());
    get(Call::default().header("accept-encoding", "identity")).await;
    let plain = world.requests().await["feeds"]["bytes_out"].as_u64().unwrap() - sent;
    assert_eq!(plain, packed.text.len() as u64);
    let date = packed.headers["last-modified"].to_str().unwrap().to_owned();
    let since = |date: &str| Call::default().header("if-modified-since", date);
    assert_eq!(get(since(&date)).await.status, 304);
    assert_eq!(get(since("Thu, 01 Jan 1998 00:00:00 GMT")).await.status, 200);
    let other = since(&date).header("if-none-match", "\"another\"");
    assert_eq!(get(other).await.status, 200, "a tag that differs outweighs the date");
}

#[tokio::test]
async fn a_publisher_changes_moves_and_withdraws_a_feed() {
    let world = World::new().await;
    let before = world.call(Method::GET, "/feeds/school.ics", Call::default()).await.headers["etag"].clone();
    world.edit(json!({"as": "publisher", "do": "put_feed", "name": "school.ics", "text": "<html>"})).await;
    let call = Call::default().header("if-none-match", before.to_str().unwrap());
    let after = world.call(Method::GET, "/feeds/school.ics", call).await;
    assert_eq!((after.status, after.text.as_str()), (200, "<html>"));
    let moved = world.call(Method::GET, "/feeds/moved/school.ics", Call::default()).await;
    assert_eq!((moved.status, &moved.headers["location"]), (301, &"/feeds/school.ics".parse().unwrap()));
    world.edit(json!({"as": "vendor", "do": "delete_feed", "name": "school.ics"})).await;
    assert_eq!(world.call(Method::GET, "/feeds/school.ics", Call::default()).await.status, 404);
    let again = json!({"as": "publisher", "do": "delete_feed", "name": "school.ics"});
    let again = world.call(Method::POST, "/_sandbox/edit", Call::default().body(again)).await;
    assert_eq!(again.status, 409);
    let routes = &world.requests().await["feeds"]["routes"];
    assert_eq!((&routes["GET /feeds/{name}"], &routes["GET /feeds/moved/{name}"]), (&json!(3), &json!(1)));
}
