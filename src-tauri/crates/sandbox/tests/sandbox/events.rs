//! Writing events: ids, preconditions, tombstones, merges, times.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

const EVENTS: &str = "/google/calendar/v3/calendars/primary/events";

struct Desk {
    world: World,
    token: String,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let token = world.google(&["calendar"]).await;
        Self { world, token }
    }

    async fn insert(&self, body: Value) -> Answer {
        self.world.post(EVENTS, &self.token, body).await
    }

    async fn on(&self, method: Method, id: &str, etag: Option<&str>, body: Option<Value>) -> Answer {
        let mut call = Call::by(&self.token);
        if let Some(etag) = etag {
            call = call.header("if-match", etag);
        }
        if let Some(body) = body {
            call = call.body(body);
        }
        self.world.call(method, &format!("{EVENTS}/{id}"), call).await
    }
}

fn haircut(id: &str) -> Value {
    json!({"id": id, "summary": "Haircut", "start": {"dateTime": "2026-12-01T10:00:00-05:00"},
        "end": {"dateTime": "2026-12-01T11:00:00-05:00"},
        "extendedProperties": {"private": {"bookijiBooking": "b1", "bookijiGeneration": "0"}}})
}

#[tokio::test]
async fn an_event_is_told_back_as_it_was_stored() {
    let desk = Desk::new().await;
    let made = desk.insert(haircut("haircut01")).await;
    let etag = made.headers["etag"].to_str().unwrap().to_owned();
    let made = made.ok();
    assert_eq!(made["etag"], etag);
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    assert_eq!(made["iCalUID"], "haircut01@google.com");
    assert_eq!(
        made["start"],
        json!({"dateTime": "2026-12-01T10:00:00-05:00", "timeZone": "America/Toronto"})
    );
    assert_eq!(made["organizer"]["self"], true);
    assert_eq!(desk.on(Method::GET, "haircut01", None, None).await.ok(), made);
}

#[tokio::test]
async fn a_deleted_id_is_burnt_for_ever() {
    let desk = Desk::new().await;
    desk.insert(haircut("haircut01")).await.ok();
    desk.insert(haircut("haircut01")).await.refused(409, "duplicate");
    assert_eq!(desk.on(Method::DELETE, "haircut01", None, None).await.status, 204);
    desk.on(Method::DELETE, "haircut01", None, None).await.refused(410, "deleted");
    desk.insert(haircut("haircut01")).await.refused(409, "duplicate");
    assert_eq!(desk.on(Method::GET, "haircut01", None, None).await.ok()["status"], "cancelled");
    desk.on(Method::PATCH, "haircut01", None, Some(json!({"summary": "x"}))).await.refused(403, "forbidden");
    desk.on(Method::DELETE, "never00was", None, None).await.refused(404, "notFound");
}

#[tokio::test]
async fn ids_are_base32hex_in_lower_case() {
    let desk = Desk::new().await;
    for id in ["abcd", "with-hyphen", "Uppercase1", "wxyz12345", "ümlaut00", &"a".repeat(1025)] {
        desk.insert(haircut(id)).await.refused(400, "invalid");
    }
    desk.insert(haircut("abcd0")).await.ok();
    let mut both = haircut("abcd1");
    both["iCalUID"] = json!("mine@example.com");
    desk.insert(both).await.refused(400, "invalid");
    let uid = desk.insert(json!({"iCalUID": "mine@example.com", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}));
    assert_eq!(uid.await.ok()["iCalUID"], "mine@example.com");
}

#[tokio::test]
async fn a_stale_precondition_stops_every_write() {
    let desk = Desk::new().await;
    let first = desk.insert(haircut("haircut01")).await.ok()["etag"].as_str().unwrap().to_owned();
    let second = desk.on(Method::PATCH, "haircut01", Some(&first), Some(json!({"summary": "b"}))).await.ok();
    let second = second["etag"].as_str().unwrap();
    assert_ne!(first, second);
    let body = || Some(haircut("haircut01"));
    desk.on(Method::PATCH, "haircut01", Some(&first), body()).await.refused(412, "conditionNotMet");
    desk.on(Method::PUT, "haircut01", Some(&first), body()).await.refused(412, "conditionNotMet");
    desk.on(Method::DELETE, "haircut01", Some(&first), None).await.refused(412, "conditionNotMet");
    // The quotes belong to it.
    desk.on(Method::DELETE, "haircut01", Some(second.trim_matches('"')), None)
        .await
        .refused(412, "conditionNotMet");
    assert_eq!(desk.on(Method::DELETE, "haircut01", Some(second), None).await.status, 204);
}

#[tokio::test]
async fn a_patch_merges_and_a_put_replaces() {
    let desk = Desk::new().await;
    desk.insert(haircut("haircut01")).await.ok();
    let patch = json!({"location": "Studio", "extendedProperties": {"private": {"bookijiGeneration": null, "x": "1"}}});
    let patched = desk.on(Method::PATCH, "haircut01", None, Some(patch)).await.ok();
    assert_eq!(patched["summary"], "Haircut");
    assert_eq!(patched["extendedProperties"], json!({"private": {"bookijiBooking": "b1", "x": "1"}}));
    assert_eq!(patched["sequence"], 0, "the times did not move");
    let times = haircut("x");
    let put = json!({"start": times["start"], "end": {"dateTime": "2026-12-01T11:30:00-05:00"}});
    let replaced = desk.on(Method::PUT, "haircut01", None, Some(put)).await.ok();
    assert!(replaced.get("summary").is_none() && replaced.get("extendedProperties").is_none());
    assert_eq!(
        (replaced["iCalUID"].as_str(), &replaced["sequence"]),
        (Some("haircut01@google.com"), &json!(1))
    );
}

#[tokio::test]
async fn times_are_checked_as_google_checks_them() {
    let desk = Desk::new().await;
    let check = async |start: Value, end: Value, status: u16, reason: &str| {
        desk.insert(json!({"start": start, "end": end})).await.refused(status, reason);
    };
    let at = |text: &str| json!({"dateTime": text});
    check(Value::Null, at("2026-12-01T11:00:00Z"), 400, "required").await;
    check(at("2026-12-01T11:00:00Z"), Value::Null, 400, "required").await;
    check(at("2026-12-01T11:00:00Z"), at("2026-12-01T10:00:00Z"), 400, "timeRangeEmpty").await;
    check(json!({"date": "2026-12-01"}), json!({"date": "2026-12-01"}), 400, "timeRangeEmpty").await;
    check(json!({"date": "2026-12-01"}), at("2026-12-01T10:00:00Z"), 400, "invalid").await;
    check(json!({"date": "2026-13-01"}), json!({"date": "2026-13-02"}), 400, "invalid").await;
    check(at("2026-12-01T10:00:00"), at("2026-12-01T11:00:00"), 400, "required").await;
    check(json!("2026"), at("2026-12-01T11:00:00Z"), 400, "invalid").await;
    let wall = json!({"dateTime": "2026-12-01T10:00:00", "timeZone": "Europe/Paris"});
    let made = desk.insert(json!({"start": wall, "end": at("2026-12-01T10:00:00Z")})).await.ok();
    assert_eq!(made["start"], json!({"dateTime": "2026-12-01T04:00:00-05:00", "timeZone": "Europe/Paris"}));
    let nowhere = json!({"dateTime": "2026-12-01T10:00:00Z", "timeZone": "Mars/Olympus"});
    check(nowhere, at("2026-12-01T11:00:00Z"), 400, "invalid").await;
}

#[tokio::test]
async fn an_all_day_event_becomes_timed_when_the_day_is_nulled() {
    let desk = Desk::new().await;
    let day = json!({"id": "a11da0", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}});
    desk.insert(day).await.ok();
    let at = |text: &str| json!({"dateTime": text});
    let both = json!({"start": at("2026-12-01T10:00:00Z"), "end": at("2026-12-01T11:00:00Z")});
    desk.on(Method::PATCH, "a11da0", None, Some(both)).await.refused(400, "invalid");
    let nulled = |text: &str| json!({"date": null, "dateTime": text});
    let timed = json!({"start": nulled("2026-12-01T10:00:00Z"), "end": nulled("2026-12-01T11:00:00Z")});
    let timed = desk.on(Method::PATCH, "a11da0", None, Some(timed)).await.ok();
    assert_eq!(timed["end"], json!({"dateTime": "2026-12-01T06:00:00-05:00", "timeZone": "America/Toronto"}));
}

#[tokio::test]
async fn wrong_types_and_unreadable_bodies_are_refused() {
    let desk = Desk::new().await;
    for (name, value) in [("summary", json!(5)), ("transparency", json!("maybe")), ("status", json!("gone"))]
    {
        let mut event = haircut("haircut01");
        event[name] = value;
        desk.insert(event).await.refused(400, "invalid");
    }
    let call = Call::by(&desk.token).header("content-type", "application/json");
    desk.world.call(Method::POST, EVENTS, call).await.refused(400, "required");
    let mut unknown = haircut("haircut02");
    unknown["favouriteColour"] = json!("blue");
    assert!(desk.insert(unknown).await.ok().get("favouriteColour").is_none());
}

#[tokio::test]
async fn the_kind_of_an_event_is_for_life() {
    let desk = Desk::new().await;
    desk.insert(haircut("haircut01")).await.ok();
    let patch = Some(json!({"eventType": "outOfOffice"}));
    desk.on(Method::PATCH, "haircut01", None, patch).await.refused(400, "eventTypeRestriction");
}

#[tokio::test]
async fn extended_properties_that_are_too_long_vanish_without_a_word() {
    let desk = Desk::new().await;
    let mut event = haircut("haircut01");
    event["extendedProperties"] =
        json!({"private": {"k".repeat(45): "v", "long": "v".repeat(1025), "kept": "v".repeat(1024)}});
    let made = desk.insert(event).await.ok();
    let kept: Vec<_> = made["extendedProperties"]["private"].as_object().unwrap().keys().collect();
    assert_eq!(kept, ["kept"]);
}

#[tokio::test]
async fn patching_the_status_to_cancelled_deletes() {
    let desk = Desk::new().await;
    desk.insert(haircut("haircut01")).await.ok();
    desk.on(Method::PATCH, "haircut01", None, Some(json!({"status": "cancelled"}))).await.ok();
    desk.on(Method::DELETE, "haircut01", None, None).await.refused(410, "deleted");
}

#[tokio::test]
async fn an_instance_of_a_series_becomes_an_exception_when_it_is_touched() {
    let desk = Desk::new().await;
    let zone = "America/Toronto";
    let series = json!({"id": "series0", "summary": "Yoga",
        "start": {"dateTime": "2026-10-28T19:00:00-04:00", "timeZone": zone},
        "end": {"dateTime": "2026-10-28T20:00:00-04:00", "timeZone": zone}, "recurrence": ["RRULE:FREQ=WEEKLY"]});
    desk.insert(series).await.ok();
    // The clocks changed on 1 November: seven in the evening is an hour later in UTC.
    desk.on(Method::GET, "series0_20261104T230000Z", None, None).await.refused(404, "notFound");
    let instance = desk.on(Method::GET, "series0_20261105T000000Z", None, None).await.ok();
    assert_eq!(instance["recurringEventId"], "series0");
    assert!(instance.get("recurrence").is_none());
    let moved = json!({"start": {"dateTime": "2026-11-06T08:00:00-05:00"}, "end": {"dateTime": "2026-11-06T09:00:00-05:00"}});
    let moved = desk.on(Method::PATCH, "series0_20261105T000000Z", None, Some(moved)).await.ok();
    assert_eq!(moved["originalStartTime"]["dateTime"], "2026-11-04T19:00:00-05:00");
    assert_eq!(moved["start"]["dateTime"], "2026-11-06T08:00:00-05:00");
    assert_eq!(desk.on(Method::DELETE, "series0_20261112T000000Z", None, None).await.status, 204);
    desk.on(Method::DELETE, "series0_20261112T000000Z", None, None).await.refused(410, "deleted");
    desk.insert(json!({"start": {"dateTime": "2026-10-28T19:00:00-04:00"}, "end": {"dateTime": "2026-10-28T20:00:00-04:00"},
        "recurrence": ["RRULE:FREQ=WEEKLY"]})).await.refused(400, "required");
}
