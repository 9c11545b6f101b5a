//! Calendars, permissions and free/busy.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Call, World};

const V3: &str = "/google/calendar/v3";
const HOLIDAYS: &str = "en.canadian%23holiday%40group.v.calendar.google.com";

fn event() -> Value {
    json!({"start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T11:00:00Z"}})
}

#[tokio::test]
async fn without_a_token_or_with_a_dead_one_nothing_opens() {
    let world = World::new().await;
    let path = format!("{V3}/users/me/calendarList");
    world.call(Method::GET, &path, Call::default()).await.refused(401, "required");
    world.get(&path, "ya29.invented").await.refused(401, "authError");
    let token = world.google(&["calendar"]).await;
    world.get(&path, &token).await.ok();
    world.advance(3601).await;
    world.get(&path, &token).await.refused(401, "authError");
}

#[tokio::test]
async fn each_method_asks_for_its_own_scopes() {
    let world = World::new().await;
    let busy = json!({"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-02T00:00:00Z", "items": []});
    let check = async |scope: &str, method: Method, path: &str, body: Option<&Value>, opens: bool| {
        let token = world.google(&[scope]).await;
        let call = Call::by(&token);
        let call = if let Some(body) = body { call.body(body.clone()) } else { call };
        let answer = world.call(method.clone(), &format!("{V3}{path}"), call).await;
        if opens {
            answer.ok();
        } else {
            answer.refused(403, "insufficientPermissions");
        }
    };
    let list = "/users/me/calendarList";
    check("calendar.app.created", Method::GET, list, None, false).await;
    check("calendar.events", Method::GET, list, None, false).await;
    check("calendar.calendarlist.readonly", Method::GET, list, None, true).await;
    let events = "/calendars/primary/events";
    check("calendar.calendarlist.readonly", Method::GET, events, None, false).await;
    check("calendar.events.readonly", Method::GET, events, None, true).await;
    check("calendar.events.readonly", Method::POST, events, Some(&event()), false).await;
    check("calendar.events", Method::POST, events, Some(&event()), true).await;
    check("calendar.events", Method::POST, "/freeBusy", Some(&busy), false).await;
    check("calendar.app.created", Method::POST, "/freeBusy", Some(&busy), false).await;
    check("calendar.freebusy", Method::POST, "/freeBusy", Some(&busy), true).await;
    let calendar = json!({"summary": "Bookiji"});
    check("calendar.events", Method::POST, "/calendars", Some(&calendar), false).await;
    check("calendar.app.created", Method::POST, "/calendars", Some(&calendar), true).await;
}

#[tokio::test]
async fn an_app_that_may_only_use_its_own_calendars_cannot_reach_hers() {
    let world = World::new().await;
    let token = world.google(&["calendar.app.created"]).await;
    let made = world.post(&format!("{V3}/calendars"), &token, json!({"summary": "Bookiji"})).await.ok();
    let own = format!("{V3}/calendars/{}/events", made["id"].as_str().unwrap());
    world.post(&own, &token, event()).await.ok();
    world.post(&format!("{V3}/calendars/primary/events"), &token, event()).await.refused(404, "notFound");
}

#[tokio::test]
async fn a_calendar_she_may_only_read_takes_no_writes() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let path = format!("{V3}/calendars/{HOLIDAYS}/events");
    assert!(!world.get(&path, &token).await.ok()["items"].as_array().unwrap().is_empty());
    world.post(&path, &token, event()).await.refused(403, "requiredAccessLevel");
    let owned = world.google(&["calendar.events.owned"]).await;
    world.get(&path, &owned).await.refused(403, "forbidden");
}

#[tokio::test]
async fn free_busy_permission_shows_that_and_not_what() {
    let world = World::new().await;
    let token = world.google(&["calendar.events.freebusy"]).await;
    let items = world.get(&format!("{V3}/calendars/primary/events"), &token).await.ok()["items"].clone();
    let items = items.as_array().unwrap();
    assert!(!items.is_empty());
    assert!(items.iter().all(|item| item.get("summary").is_none() && item["transparency"] != "transparent"));
}

#[tokio::test]
async fn a_calendar_of_the_app_lives_and_dies() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let list = format!("{V3}/users/me/calendarList");
    let sync = world.get(&list, &token).await.ok()["nextSyncToken"].as_str().unwrap().to_owned();
    let calendar = json!({"summary": "Bookiji", "description": "ours", "timeZone": "Europe/Paris"});
    let made = world.post(&format!("{V3}/calendars"), &token, calendar).await.ok();
    let path = format!("{V3}/calendars/{}", made["id"].as_str().unwrap());
    assert_eq!(world.get(&path, &token).await.ok()["timeZone"], "Europe/Paris");
    let delta = world.get(&format!("{list}?syncToken={sync}"), &token).await.ok();
    assert_eq!(delta["items"][0]["description"], "ours");
    assert_eq!(world.call(Method::DELETE, &path, Call::by(&token)).await.status, 204);
    world.get(&format!("{path}/events"), &token).await.refused(404, "notFound");
    let delta = world.get(&format!("{list}?syncToken={sync}"), &token).await.ok();
    assert_eq!(delta["items"][0]["deleted"], true);
    world.post(&format!("{V3}/calendars"), &token, json!({})).await.refused(400, "required");
    let mars = json!({"summary": "x", "timeZone": "Mars/Olympus"});
    world.post(&format!("{V3}/calendars"), &token, mars).await.refused(400, "invalid");
    world.get(&format!("{V3}/calendars/nobody"), &token).await.refused(404, "notFound");
}

#[tokio::test]
async fn the_list_of_calendars_comes_in_pages() {
    let world = World::new().await;
    let token = world.google(&["calendar.readonly"]).await;
    let list = format!("{V3}/users/me/calendarList?maxResults=2");
    let first = world.get(&list, &token).await.ok();
    assert!(first.get("nextSyncToken").is_none());
    let second = world
        .get(&format!("{list}&pageToken={}", first["nextPageToken"].as_str().unwrap()), &token)
        .await
        .ok();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert!(second["nextSyncToken"].is_string());
    let writable = world.get(&format!("{V3}/users/me/calendarList?minAccessRole=writer"), &token).await.ok();
    assert_eq!(writable["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn free_busy_merges_and_names_what_it_cannot_see() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    for (start, end) in [("03:00", "04:00"), ("04:00", "05:00")] {
        let event = json!({"start": {"dateTime": format!("2027-02-03T{start}:00Z")}, "end": {"dateTime": format!("2027-02-03T{end}:00Z")}});
        world.post(&format!("{V3}/calendars/primary/events"), &token, event).await.ok();
    }
    let query = json!({"timeMin": "2027-02-03T03:30:00Z", "timeMax": "2027-02-03T08:00:00Z",
        "items": [{"id": "primary"}, {"id": "nobody@example.com"}]});
    let answer = world.post(&format!("{V3}/freeBusy"), &token, query).await.ok();
    let block = json!([{"start": "2027-02-03T03:30:00Z", "end": "2027-02-03T05:00:00Z"}]);
    assert_eq!(answer["calendars"]["primary"]["busy"], block);
    assert_eq!(answer["calendars"]["nobody@example.com"]["errors"][0]["reason"], "notFound");
    let empty = json!({"timeMin": "2027-02-03T03:30:00Z", "timeMax": "2027-02-03T03:30:00Z", "items": []});
    world.post(&format!("{V3}/freeBusy"), &token, empty).await.refused(400, "timeRangeEmpty");
}

#[tokio::test]
async fn a_route_that_is_not_there_answers_as_google_does() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    world.get(&format!("{V3}/nowhere"), &token).await.refused(404, "notFound");
}
