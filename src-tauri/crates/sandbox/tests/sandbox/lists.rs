//! Listing events: windows, pages, sync tokens, and what does not go together.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Answer, World, url_encoded};

const EVENTS: &str = "/google/calendar/v3/calendars/primary/events";

async fn list(world: &World, token: &str, query: &[(&str, &str)]) -> Answer {
    let query = url_encoded(&query.iter().copied().collect::<BTreeMap<_, _>>());
    world.get(&format!("{EVENTS}?{query}"), token).await
}

/// All pages of a list, and its sync token.
async fn all(world: &World, token: &str, query: &[(&str, &str)]) -> (Vec<Value>, Option<String>) {
    let (mut items, mut page_token) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        if let Some(page) = &page_token {
            query.push(("pageToken", page));
        }
        let page = list(world, token, &query).await.ok();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        page_token = page["nextPageToken"].as_str().map(str::to_owned);
        if page_token.is_none() {
            return (items, page["nextSyncToken"].as_str().map(str::to_owned));
        }
        assert!(page.get("nextSyncToken").is_none(), "a sync token comes with the last page alone");
    }
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

async fn create(world: &World, summary: &str, start: &str, end: &str) -> String {
    let order = json!({"as": "vendor", "do": "create_event", "summary": summary, "start": start, "end": end});
    world.edit(order).await["event"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sync_token_tells_what_changed_and_only_that() {
    let world = World::new().await;
    let token = world.google(&["calendar.events.readonly"]).await;
    let (_, sync) = all(&world, &token, &[("maxResults", "5")]).await;
    let sync = sync.unwrap();
    assert_eq!(all(&world, &token, &[("syncToken", &sync)]).await.0, Vec::<Value>::new());
    let id = create(&world, "Dentist", "2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z").await;
    let (changed, next) = all(&world, &token, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&changed), [id.as_str()]);
    world.edit(json!({"as": "vendor", "do": "delete_event", "event": id})).await;
    let (gone, _) = all(&world, &token, &[("syncToken", &next.unwrap())]).await;
    assert_eq!(gone[0]["status"], "cancelled");
    assert!(gone[0].get("summary").is_none(), "of a deleted event only the id is promised");
    let (both, _) = all(&world, &token, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&both), [id.as_str()], "an old token tells the end of the story");
}

#[tokio::test]
async fn a_change_while_pages_are_read_is_in_the_next_delta() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let first = list(&world, &token, &[("maxResults", "5")]).await.ok();
    let id = create(&world, "Late", "2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z").await;
    let mut page = first["nextPageToken"].as_str().map(str::to_owned);
    let mut sync = None;
    while let Some(next) = page {
        let answer = list(&world, &token, &[("maxResults", "5"), ("pageToken", &next)]).await.ok();
        page = answer["nextPageToken"].as_str().map(str::to_owned);
        sync = answer["nextSyncToken"].as_str().map(str::to_owned);
    }
    let (changed, _) = all(&world, &token, &[("syncToken", &sync.unwrap())]).await;
    assert!(ids(&changed).contains(&id.as_str()));
}

#[tokio::test]
async fn what_google_refuses_beside_a_sync_token_is_refused() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let (_, sync) = all(&world, &token, &[]).await;
    let sync = sync.unwrap();
    for (name, value) in [
        ("iCalUID", "x"),
        ("orderBy", "updated"),
        ("privateExtendedProperty", "a=b"),
        ("sharedExtendedProperty", "a=b"),
        ("q", "x"),
        ("timeMin", "2026-12-01T10:00:00Z"),
        ("timeMax", "2026-12-01T10:00:00Z"),
        ("updatedMin", "2026-11-21T10:00:00Z"),
        ("showDeleted", "false"),
    ] {
        list(&world, &token, &[("syncToken", &sync), (name, value)]).await.refused(400, "badRequest");
    }
    list(&world, &token, &[("syncToken", &sync), ("showDeleted", "true")]).await.ok();
    list(&world, &token, &[("syncToken", &sync), ("singleEvents", "true")]).await.refused(400, "invalid");
    list(&world, &token, &[("syncToken", "garbage")]).await.refused(400, "invalid");
}

#[tokio::test]
async fn a_forgotten_sync_token_asks_for_a_full_read() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let (_, sync) = all(&world, &token, &[]).await;
    world.advance(29 * 86_400).await;
    let token = world.google(&["calendar"]).await;
    list(&world, &token, &[("syncToken", &sync.unwrap())]).await.refused(410, "fullSyncRequired");
    let old = [("updatedMin", "2026-10-01T00:00:00Z")];
    list(&world, &token, &old).await.refused(410, "updatedMinTooLongAgo");
}

#[tokio::test]
async fn parameters_are_read_strictly() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let check = async |name: &str, value: &str, reason: &str| {
        list(&world, &token, &[(name, value)]).await.refused(400, reason);
    };
    check("maxResults", "abc", "invalidParameter").await;
    check("maxResults", "0", "invalidParameter").await;
    check("singleEvents", "yes", "invalidParameter").await;
    check("timeMin", "2026-12-01T10:00:00", "badRequest").await;
    check("timeMin", "2026-12-01", "badRequest").await;
    check("orderBy", "startTime", "badRequest").await;
    check("orderBy", "size", "invalidParameter").await;
    check("eventTypes", "party", "invalidParameter").await;
    check("pageToken", "garbage", "invalid").await;
    let reversed = [("timeMin", "2026-12-02T00:00:00Z"), ("timeMax", "2026-12-01T00:00:00Z")];
    list(&world, &token, &reversed).await.refused(400, "timeRangeEmpty");
    assert!(list(&world, &token, &[("maxResults", "9999")]).await.ok()["items"].is_array());
}

#[tokio::test]
async fn the_window_looks_at_ends_and_starts() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let id = create(&world, "Window", "2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z").await;
    let check = async |bounds: [(&str, &str); 1], there: bool| {
        let (items, _) = all(&world, &token, &bounds).await;
        assert_eq!(ids(&items).contains(&id.as_str()), there, "{bounds:?}");
    };
    check([("timeMin", "2026-12-01T10:59:59Z")], true).await;
    check([("timeMin", "2026-12-01T11:00:00Z")], false).await;
    check([("timeMax", "2026-12-01T10:00:01Z")], true).await;
    check([("timeMax", "2026-12-01T10:00:00Z")], false).await;
}

#[tokio::test]
async fn cancelled_instances_are_told_even_when_deleted_events_are_not() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let (items, _) = all(&world, &token, &[]).await;
    let cancelled: Vec<_> = items.iter().filter(|item| item["status"] == "cancelled").collect();
    assert!(!cancelled.is_empty());
    assert!(
        cancelled
            .iter()
            .all(|item| item["recurringEventId"].is_string() && item["originalStartTime"].is_object())
    );
    let (single, _) = all(
        &world,
        &token,
        &[("singleEvents", "true"), ("timeMin", "2026-11-01T00:00:00Z"), ("timeMax", "2027-01-01T00:00:00Z")],
    )
    .await;
    assert!(single.iter().all(|item| item["status"] != "cancelled" && item.get("recurrence").is_none()));
}

#[tokio::test]
async fn markers_and_kinds_can_be_searched_for() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let event = json!({"start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T11:00:00Z"},
        "extendedProperties": {"private": {"bookijiBooking": "b7"}}});
    let made = world.post(EVENTS, &token, event).await.ok();
    let (found, sync) = all(&world, &token, &[("privateExtendedProperty", "bookijiBooking=b7")]).await;
    assert_eq!(ids(&found), [made["id"].as_str().unwrap()]);
    assert_eq!(sync, None, "no sync token follows from a search");
    let (away, _) = all(&world, &token, &[("eventTypes", "outOfOffice")]).await;
    assert!(!away.is_empty() && away.iter().all(|item| item["eventType"] == "outOfOffice"));
}

#[tokio::test]
async fn a_series_goes_with_its_exceptions_as_one_tombstone() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let (items, sync) = all(&world, &token, &[]).await;
    let yoga = items.iter().find(|item| item["summary"] == "Yoga" && item["recurrence"].is_array()).unwrap();
    let id = yoga["id"].as_str().unwrap();
    assert!(items.iter().any(|item| item["recurringEventId"] == id));
    world.edit(json!({"as": "vendor", "do": "delete_event", "event": id})).await;
    let (changed, _) = all(&world, &token, &[("syncToken", &sync.unwrap())]).await;
    assert_eq!(ids(&changed), [id]);
    let (rest, _) = all(&world, &token, &[]).await;
    assert!(!rest.iter().any(|item| item["recurringEventId"] == id));
}

#[tokio::test]
async fn a_page_token_belongs_to_its_question() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let page = list(&world, &token, &[("maxResults", "5")]).await.ok();
    let page = page["nextPageToken"].as_str().unwrap();
    list(&world, &token, &[("pageToken", page), ("q", "yoga")]).await.refused(400, "invalid");
    list(&world, &token, &[("pageToken", page), ("maxResults", "50")]).await.ok();
}
