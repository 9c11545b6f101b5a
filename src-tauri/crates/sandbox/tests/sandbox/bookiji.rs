//! The platform: the delta of bookings, busy time and slots, idempotency, refusals.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

const BOOKINGS: &str = "/bookiji/api/vendor/bookings";
const BUSY: &str = "/bookiji/api/vendor/calendar/busy";
const EMPTY: &str = "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d";

async fn all(world: &World, token: &str, cursor: Option<String>) -> (Vec<Value>, String) {
    let (mut bookings, mut cursor) = (Vec::new(), cursor);
    loop {
        let from = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = world.get(&format!("{BOOKINGS}?limit=4{from}"), token).await.ok()["data"].clone();
        bookings.extend(page["bookings"].as_array().unwrap().iter().cloned());
        let next = page["next_cursor"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            return (bookings, next);
        }
        cursor = Some(next);
    }
}

fn ids(bookings: &[Value]) -> Vec<&str> {
    bookings.iter().map(|booking| booking["id"].as_str().unwrap()).collect()
}

fn live(state: &Value) -> Vec<Value> {
    let bookings = state["bookings"].as_array().unwrap().iter();
    let coming = |b: &&Value| b["status"] == "confirmed" && b["start"].as_str() > state["now"].as_str();
    bookings.filter(coming).cloned().collect()
}

fn open_slots(state: &Value) -> Vec<Value> {
    let slots = state["slots"].as_array().unwrap().iter();
    let open = |s: &&Value| s["is_available"] == true && s["start"].as_str() > state["now"].as_str();
    slots.filter(open).cloned().collect()
}

/// The busy set of one interval, with its checksum from outside: the golden vector's times.
fn golden() -> Value {
    json!({"provider": "google", "connection_id": "c1",
        "window": {"start": "2026-01-20T00:00:00Z", "end": "2026-02-20T00:00:00Z"},
        "checksum": "c389d6297f608e50c2d416ce53bd0272c516856ded9a7033e6abca335711fbc2",
        "intervals": [
            {"external_id": "1", "start": "2026-01-20T10:00:00Z", "end": "2026-01-20T11:00:00.000Z"},
            {"external_id": "2", "start": "2026-01-20T12:00:00+00:00", "end": "2026-01-20T13:00:00Z"}]})
}

async fn put(world: &World, token: &str, set: Value) -> Answer {
    world.call(Method::PUT, BUSY, Call::by(token).body(set)).await
}

/// Busy from `start` to `end`; asks the platform itself for the checksum, which names it when it is wrong.
async fn busy(world: &World, token: &str, source: &str, spans: &[&Value]) -> Value {
    let intervals: Vec<Value> = spans
        .iter()
        .map(|span| json!({"external_id": span["start"], "start": span["start"], "end": span["end"]}))
        .collect();
    let mut set = json!({"provider": "google", "connection_id": source, "checksum": "0".repeat(64),
        "window": {"start": "2026-11-22T00:00:00Z", "end": "2027-06-01T00:00:00Z"}, "intervals": intervals});
    let wrong = put(world, token, set.clone()).await;
    set["checksum"] = wrong.body["details"]["expected"].clone();
    wrong.problem(422, "CHECKSUM_MISMATCH");
    put(world, token, set).await.ok()["data"].clone()
}

#[tokio::test]
async fn the_list_without_a_cursor_is_everything_once() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let (bookings, _) = all(&world, &token, None).await;
    let state = world.state().await;
    assert_eq!(bookings.len(), state["bookings"].as_array().unwrap().len());
    assert_eq!(ids(&bookings).into_iter().collect::<BTreeSet<_>>().len(), bookings.len());
    let statuses: BTreeSet<_> = bookings.iter().map(|b| b["status"].as_str().unwrap()).collect();
    assert!(statuses.contains("completed") && statuses.contains("cancelled") && statuses.contains("pending"));
    assert!(bookings[0]["customers"]["full_name"].is_string() && bookings[0]["services"]["name"].is_string());
}

#[tokio::test]
async fn a_cursor_answers_what_changed_since() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let (_, cursor) = all(&world, &token, None).await;
    assert!(all(&world, &token, Some(cursor.clone())).await.0.is_empty());
    let moved = live(&world.state().await)[0]["id"].clone();
    let booked = world.edit(json!({"as": "customer", "do": "book"})).await["booking"].clone();
    world.edit(json!({"as": "customer", "do": "reschedule", "booking": moved})).await;
    let (changed, next) = all(&world, &token, Some(cursor.clone())).await;
    assert_eq!(ids(&changed), [booked["id"].as_str().unwrap(), moved.as_str().unwrap()]);
    world.edit(json!({"as": "customer", "do": "cancel", "booking": moved})).await;
    let (changed, _) = all(&world, &token, Some(next)).await;
    assert_eq!((ids(&changed), &changed[0]["status"]), (vec![moved.as_str().unwrap()], &json!("cancelled")));
    world.get(&format!("{BOOKINGS}?cursor=garbage"), &token).await.problem(422, "INVALID_CURSOR");
    world.fault(json!({"service": "bookiji", "kind": "cursor_lost", "times": 1})).await;
    world.get(&format!("{BOOKINGS}?cursor={cursor}"), &token).await.problem(410, "CURSOR_EXPIRED");
}

#[tokio::test]
async fn busy_time_closes_free_slots_and_opens_only_those_again() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let before = world.state().await;
    let open = open_slots(&before);
    let (slot, booking) = (&open[3], &live(&before)[0]);
    let done = busy(&world, &token, "c1", &[slot, booking]).await;
    assert_eq!(done["slots_closed"], json!([slot["id"]]));
    assert_eq!(done["conflicts"][0]["booking_id"], booking["id"]);
    // A second source over the same time keeps it closed when the first goes.
    assert_eq!(busy(&world, &token, "c2", &[slot]).await["slots_closed"], json!([]));
    assert_eq!(busy(&world, &token, "c1", &[]).await["slots_reopened"], json!([]));
    assert_eq!(busy(&world, &token, "c2", &[]).await["slots_reopened"], json!([slot["id"]]));
    assert_eq!(open_slots(&world.state().await), open);
}

#[tokio::test]
async fn touching_busy_time_closes_nothing() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let slot = &open_slots(&world.state().await)[2];
    let start: jiff::Timestamp = slot["start"].as_str().unwrap().parse().unwrap();
    let before =
        json!({"start": (start - jiff::SignedDuration::from_mins(1)).to_string(), "end": slot["start"]});
    let done = busy(&world, &token, "c1", &[&before]).await;
    assert!(!done["slots_closed"].as_array().unwrap().contains(&slot["id"]));
}

#[tokio::test]
async fn a_slot_that_is_busy_stays_closed_when_its_booking_goes() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let booking = &live(&world.state().await)[0];
    busy(&world, &token, "c1", &[booking]).await;
    world.edit(json!({"as": "customer", "do": "cancel", "booking": booking["id"]})).await;
    let is_open = |state: Value| open_slots(&state).iter().any(|slot| slot["start"] == booking["start"]);
    assert!(!is_open(world.state().await));
    busy(&world, &token, "c1", &[]).await;
    assert!(is_open(world.state().await));
}

#[tokio::test]
async fn the_same_set_again_changes_nothing() {
    let world = World::new().await;
    let token = world.bookiji().await;
    assert_eq!(put(&world, &token, golden()).await.ok()["data"]["ingested"], 2);
    let again = put(&world, &token, golden()).await.ok()["data"].clone();
    assert_eq!((again["ingested"].as_u64(), again["skipped"].as_u64()), (Some(0), Some(2)));
}

#[tokio::test]
async fn a_busy_set_that_makes_no_sense_is_refused_whole() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let check = async |path: &str, value: Value, status: u16, code: &str| {
        let mut set = golden();
        *set.pointer_mut(path).unwrap() = value;
        put(&world, &token, set).await.problem(status, code);
    };
    check("/provider", json!("outlook"), 400, "VALIDATION_ERROR").await;
    check("/checksum", json!(EMPTY), 422, "CHECKSUM_MISMATCH").await;
    check("/checksum", json!("x"), 400, "VALIDATION_ERROR").await;
    check("/window/end", json!("2026-01-20T00:00:00Z"), 422, "UNPROCESSABLE").await;
    check("/window/start", json!("yesterday"), 400, "VALIDATION_ERROR").await;
    check("/intervals/0/end", json!("2026-01-20T10:00:00Z"), 422, "UNPROCESSABLE").await;
    check("/intervals/1/end", json!(null), 400, "VALIDATION_ERROR").await;
    check("/intervals", json!({}), 400, "VALIDATION_ERROR").await;
    check("/window/end", json!("2026-01-20T11:30:00Z"), 422, "UNPROCESSABLE").await;
    assert!(world.state().await["busy"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_answer() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let state = world.state().await;
    let (booking, slots) = (live(&state)[0]["id"].clone(), open_slots(&state));
    let reschedule = async |slot: &Value| {
        let body = json!({"bookingId": booking, "new_slot_id": slot["id"]});
        let call = Call::by(&token).header("idempotency-key", "key-1").body(body);
        world.call(Method::POST, "/bookiji/api/bookings/reschedule", call).await
    };
    let first = reschedule(&slots[0]).await.ok();
    let replay = reschedule(&slots[0]).await;
    assert_eq!(replay.headers["idempotency-replayed"], "true");
    assert_eq!(replay.ok(), first);
    reschedule(&slots[1]).await.problem(422, "IDEMPOTENCY_KEY_REUSED");
    world.advance(25 * 3600).await;
    let token = world.bookiji().await;
    let body = json!({"bookingId": booking, "new_slot_id": slots[4]["id"]});
    let call = Call::by(&token).header("idempotency-key", "key-1").body(body);
    world.call(Method::POST, "/bookiji/api/bookings/reschedule", call).await.ok();
}

#[tokio::test]
async fn bookings_move_only_to_slots_that_are_free() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let state = world.state().await;
    let bookings = live(&state);
    let path = "/bookiji/api/bookings/reschedule";
    let taken = json!({"bookingId": bookings[0]["id"], "newSlotStart": bookings[1]["start"], "newSlotEnd": bookings[1]["end"]});
    world.post(path, &token, taken).await.problem(409, "BOOKING_CONFLICT");
    let nowhere = json!({"bookingId": bookings[0]["id"], "new_slot_id": "nowhere"});
    world.post(path, &token, nowhere).await.problem(404, "SLOT_NOT_FOUND");
    world.post(path, &token, json!({"bookingId": bookings[0]["id"]})).await.problem(400, "VALIDATION_ERROR");
    let cancel = format!("{BOOKINGS}/{}/cancel", bookings[0]["id"].as_str().unwrap());
    let cancelled = world.post(&cancel, &token, json!({"reason": "ill"})).await.ok();
    assert_eq!(cancelled["data"]["booking"]["status"], "cancelled");
    let slot =
        open_slots(&world.state().await).into_iter().find(|slot| slot["start"] == bookings[0]["start"]);
    assert!(slot.is_some(), "the slot of a cancelled booking is open again");
    let late = json!({"bookingId": bookings[0]["id"], "new_slot_id": slot.unwrap()["id"]});
    world.post(path, &token, late).await.problem(409, "BOOKING_NOT_ACTIVE");
}

#[tokio::test]
async fn tokens_are_not_accepted_for_a_connection() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let path = "/bookiji/api/vendor/calendar/connections/google";
    let body = json!({"provider_calendar_id": "primary", "provider_email": "a@b.example"});
    let made = world.call(Method::PUT, path, Call::by(&token).body(body.clone())).await.ok();
    assert_eq!(made["data"]["connection"]["sync_enabled"], false);
    let mut leaky = body;
    leaky["access_token"] = json!("ya29.x");
    world.call(Method::PUT, path, Call::by(&token).body(leaky)).await.problem(400, "VALIDATION_ERROR");
    let beat = json!({"connection_id": made["data"]["connection"]["id"], "status": "success", "last_synced_at": "2026-11-22T15:00:00Z"});
    world.post("/bookiji/api/vendor/calendar/sync-status", &token, beat).await.ok();
    let told = world.get("/bookiji/api/vendor/calendar/status", &token).await.ok();
    assert_eq!(told["connections"][0]["last_synced_at"], "2026-11-22T15:00:00Z");
}

#[tokio::test]
async fn refusals_have_one_shape() {
    let world = World::new().await;
    let token = world.bookiji().await;
    world.call(Method::GET, BOOKINGS, Call::default()).await.problem(401, "AUTH_REQUIRED");
    world.get(&format!("{BOOKINGS}/nowhere"), &token).await.problem(404, "NOT_FOUND");
    world.get(&format!("{BOOKINGS}?limit=201"), &token).await.problem(400, "VALIDATION_ERROR");
    world.get("/bookiji/api/nowhere", &token).await.problem(404, "NOT_FOUND");
    world.get("/bookiji/api/system/time", &token).await.ok();
    let document = world.get("/bookiji/openapi.json", &token).await.ok();
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_answer_tells_the_version_of_the_contract_and_todays_platform_tells_none() {
    let world = World::new().await;
    let token = world.bookiji().await;
    let document = world.get("/bookiji/openapi.json", &token).await.ok();
    let version = document["info"]["version"].clone();
    let health = async || world.get("/bookiji/api/health", "").await.ok();
    assert_eq!(health().await["contract"], version);
    for path in [BOOKINGS, "/bookiji/api/nowhere", "/bookiji/api/health"] {
        let answer = world.get(path, &token).await;
        assert_eq!(answer.headers["contract-version"], *version.as_str().unwrap(), "{path}");
    }
    world.edit(json!({"as": "platform", "do": "keep_contract", "version": "2.0.0"})).await;
    assert_eq!(health().await["contract"], "2.0.0");
    assert_eq!(world.get(BOOKINGS, &token).await.headers["contract-version"], "2.0.0");
    world.edit(json!({"as": "platform", "do": "keep_contract", "version": ""})).await;
    assert!(health().await.get("contract").is_none());
    assert!(!world.get(BOOKINGS, &token).await.headers.contains_key("contract-version"));

    let today = World::with(sandbox::Options { faithful: true, ..sandbox::Options::default() }).await;
    let answer = today.get("/bookiji/api/health", "").await;
    assert!(!answer.headers.contains_key("contract-version"));
    assert!(answer.ok().get("contract").is_none());
}
