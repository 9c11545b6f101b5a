//! The main job on Bookiji as it is today: its database instead of an interface, no leases, no place for busy time, and its
//! defects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Said, World};

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn span(value: &Value) -> (Timestamp, Timestamp) {
    (at(&value["start"]), at(&value["end"]))
}

fn overlaps(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> bool {
    one.0 < other.1 && other.0 < one.1
}

fn rows<'a>(document: &'a Value, name: &str) -> &'a Vec<Value> {
    document[name].as_array().unwrap()
}

/// Bookings that hold their time, by id.
fn live(state: &Value) -> BTreeMap<String, (Timestamp, Timestamp)> {
    let now = at(&state["now"]);
    let holds = |booking: &&Value| matches!(booking["status"].as_str(), Some("pending" | "confirmed"));
    let coming = rows(state, "bookings").iter().filter(holds).filter(|booking| at(&booking["end"]) > now);
    coming.map(|booking| (booking["id"].as_str().unwrap().to_owned(), span(booking))).collect()
}

/// The start of each event that stands for a booking.
fn events(state: &Value) -> BTreeMap<String, Timestamp> {
    let calendars = rows(state, "calendars").iter().flat_map(|calendar| rows(calendar, "events"));
    let ours = calendars.filter(|event| event["status"] != "cancelled" && event["booking_id"].is_string());
    let mut found = BTreeMap::new();
    for event in ours {
        let id = event["booking_id"].as_str().unwrap().to_owned();
        assert_eq!(found.insert(id.clone(), at(&event["start"])), None, "two events of {id}");
    }
    found
}

fn open(state: &Value) -> BTreeSet<String> {
    let open = rows(state, "slots").iter().filter(|slot| slot["is_available"] == true);
    open.map(|slot| slot["id"].as_str().unwrap().to_owned()).collect()
}

/// What her calendars block, as the command itself says.
async fn busy(world: &World) -> Vec<(Timestamp, Timestamp)> {
    let busy = world.run(&["busy"]).await;
    assert_eq!(busy.status, 0, "{busy:?}");
    rows(&busy.document, "intervals").iter().map(span).collect()
}

async fn sync(world: &World) -> Value {
    let synced = world.run(&["sync"]).await;
    assert!(matches!(synced.status, 0 | 3), "{synced:?}");
    assert_eq!(synced.document["errors"], json!([]), "{synced:?}");
    synced.document
}

/// Every booking has its event at its time, and every slot of the next month can be booked exactly if it is neither booked
/// nor under busy time.
async fn agrees(world: &World) {
    let state = world.state().await;
    let (live, events, busy) = (live(&state), events(&state), busy(world).await);
    let expected: BTreeMap<String, Timestamp> =
        live.iter().map(|(id, (start, _))| (id.clone(), *start)).collect();
    let standing: BTreeMap<String, Timestamp> =
        events.into_iter().filter(|(id, _)| live.contains_key(id)).collect();
    assert_eq!(standing, expected);
    let now = at(&state["now"]);
    let soon = now + jiff::SignedDuration::from_hours(24 * 28);
    let mut closed = 0;
    for slot in
        rows(&state, "slots").iter().filter(|slot| at(&slot["start"]) > now && at(&slot["end"]) < soon)
    {
        let booked = live.values().any(|booked| *booked == span(slot));
        let is_busy = busy.iter().any(|busy| overlaps(*busy, span(slot)));
        assert_eq!(slot["is_available"] == true, !booked && !is_busy, "{slot}");
        closed += usize::from(is_busy && !booked);
    }
    assert!(closed > 0, "busy time lies over some slot");
}

/// What of hers waits for an answer.
async fn question(world: &World, booking: &str) -> Value {
    let decisions = world.run(&["decisions"]).await;
    let found = rows(&decisions.document, "decisions").iter().find(|one| one["booking_id"] == booking);
    found.unwrap_or_else(|| panic!("{decisions:?}")).clone()
}

/// A slot that is open and lies free on both sides.
fn free_slot(state: &Value) -> Value {
    let earliest = at(&state["now"]) + jiff::SignedDuration::from_hours(3);
    let free = rows(state, "slots").iter().filter(|slot| slot["is_available"] == true);
    let mut free: Vec<&Value> = free.filter(|slot| at(&slot["start"]) > earliest).collect();
    free.sort_by_key(|slot| at(&slot["start"]));
    free[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_runs_on_todays_bookiji_from_the_first_sign_in_to_a_sync_with_nothing_to_do() {
    let world = World::start_today().await.with_account().await;
    let before = world.state().await;
    let plan = world.run(&["sync", "--dry-run"]).await;
    assert_eq!(plan.status, 0, "{plan:?}");
    assert_eq!(open(&world.state().await), open(&before), "a dry run closes nothing");

    let first = sync(&world).await;
    assert!(first["bookings"]["created"].as_u64().unwrap() > 0, "{first}");
    let closed = first["busy"]["slots_closed"].as_u64().unwrap();
    assert_eq!(open(&before).difference(&open(&world.state().await)).count() as u64, closed);
    agrees(&world).await;

    let second = sync(&world).await;
    let bookings = &second["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{second}");
    assert_eq!([&second["busy"]["slots_closed"], &second["busy"]["slots_reopened"]], [0, 0], "{second}");
    assert_eq!(second["requests"]["bookiji"], 2, "her bookings and her slots: {second}");
    let poll = world.run(&["sync", "--direction", "to_calendar"]).await;
    assert_eq!(poll.document["requests"]["bookiji"], 1, "{poll:?}");
    assert!(poll.document["requests"]["google"].is_null(), "{poll:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_time_closes_slots_and_gives_back_only_those_that_it_closed() {
    let world = World::start_today().await.with_account().await;
    sync(&world).await;
    let state = world.state().await;
    let (slot, hers) = (free_slot(&state), open(&state));
    let end = &slot["end"];
    let (start, id) = (&slot["start"], slot["id"].as_str().unwrap().to_owned());
    // She blocks the next slot by hand, and both lie under an event of hers for a while.
    let mut following: Vec<&Value> = rows(&state, "slots").iter().collect();
    following.retain(|other| other["is_available"] == true && at(&other["start"]) >= at(end));
    following.sort_by_key(|other| at(&other["start"]));
    let blocked = following[0];
    assert!(
        world
            .try_edit(json!({"as": "vendor", "do": "block_time", "start": blocked["start"],
        "end": blocked["end"]}))
            .await
    );
    let event = json!({"as": "vendor", "do": "create_event", "summary": "Piano tuner", "start": start,
        "end": blocked["end"]});
    assert!(world.try_edit(event).await);
    let synced = sync(&world).await;
    assert!(synced["busy"]["slots_closed"].as_u64().unwrap() >= 1, "{synced}");
    assert!(!open(&world.state().await).contains(&id));

    let state = world.state().await;
    let calendars = rows(&state, "calendars").iter().flat_map(|calendar| rows(calendar, "events"));
    let event = calendars.into_iter().find(|event| event["summary"] == "Piano tuner").unwrap()["id"].clone();
    assert!(world.try_edit(json!({"as": "vendor", "do": "delete_event", "event": event})).await, "{event}");
    let synced = sync(&world).await;
    assert!(synced["busy"]["slots_reopened"].as_u64().unwrap() >= 1, "{synced}");
    let mut expected = hers;
    expected.remove(blocked["id"].as_str().unwrap());
    assert_eq!(open(&world.state().await), expected, "all but what she blocked herself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_a_cancellation_opens_under_busy_time_is_closed_again_by_the_next_poll() {
    let world = World::start_today().await.with_account().await;
    sync(&world).await;
    let slot = free_slot(&world.state().await);
    assert!(world.try_edit(json!({"as": "customer", "do": "book", "slot": slot["id"]})).await);
    sync(&world).await;
    let event = json!({"as": "vendor", "do": "create_event", "summary": "Piano tuner", "start": slot["start"],
        "end": slot["end"]});
    assert!(world.try_edit(event).await);
    sync(&world).await;
    let state = world.state().await;
    let booking = live(&state).into_iter().find(|(_, booked)| *booked == span(&slot)).unwrap().0;
    assert!(world.try_edit(json!({"as": "vendor", "do": "cancel_booking", "booking": booking})).await);
    let id = slot["id"].as_str().unwrap();
    assert!(open(&world.state().await).contains(id), "the trigger knows nothing of busy time");
    let poll = world.run(&["sync", "--direction", "to_calendar"]).await;
    assert_eq!((poll.status, &poll.document["bookings"]["removed"]), (0, &json!(1)), "{poll:?}");
    assert!(!open(&world.state().await).contains(id));
    sync(&world).await;
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_she_decides_about_an_event_is_done_on_todays_bookiji_too() {
    let world = World::start_today().await.with_account().await;
    sync(&world).await;
    let state = world.state().await;
    let mut bookings = live(&state).into_iter();
    let (moved, cancelled) = (bookings.next().unwrap(), bookings.next().unwrap());
    let slot = free_slot(&state);
    let moves = json!({"as": "vendor", "do": "move_event", "calendar": target(&state), "booking": moved.0,
        "start": slot["start"], "end": slot["end"]});
    assert!(world.try_edit(moves).await);
    let deletes =
        json!({"as": "vendor", "do": "delete_event", "calendar": target(&state), "booking": cancelled.0});
    assert!(world.try_edit(deletes).await);
    sync(&world).await;
    assert!(!open(&world.state().await).contains(slot["id"].as_str().unwrap()), "both times stay blocked");

    let card = question(&world, &moved.0).await;
    let decided = world.run(&["decide", card["id"].as_str().unwrap(), "move"]).await;
    assert!(matches!(decided.status, 0 | 3), "{decided:?}");
    let card = question(&world, &cancelled.0).await;
    let decided = world.run(&["decide", card["id"].as_str().unwrap(), "cancel"]).await;
    assert_eq!(decided.status, 0, "{decided:?}");
    sync(&world).await;
    let after = world.state().await;
    assert_eq!(live(&after).get(&moved.0), Some(&span(&slot)));
    assert!(!live(&after).contains_key(&cancelled.0));
    agrees(&world).await;
}

/// The calendar that bookings go to.
fn target(state: &Value) -> Value {
    let has_ours =
        |calendar: &&Value| rows(calendar, "events").iter().any(|event| event["booking_id"].is_string());
    rows(state, "calendars").iter().find(has_ours).unwrap()["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_today_nobody_can_change_is_told_in_words_and_asked_about_again() {
    let world = World::start_today().await.with_account().await;
    sync(&world).await;
    let state = world.state().await;
    let (booking, (start, end)) = live(&state).into_iter().next().unwrap();
    // An open slot over a booked one: whatever is done with the booking, the database refuses from then on.
    let over = json!({"as": "vendor", "do": "create_slot", "start": start + jiff::SignedDuration::from_mins(5),
        "end": end - jiff::SignedDuration::from_mins(5)});
    assert!(world.try_edit(over).await);
    assert!(!world.try_edit(json!({"as": "vendor", "do": "cancel_booking", "booking": booking})).await);
    let deletes =
        json!({"as": "vendor", "do": "delete_event", "calendar": target(&state), "booking": booking});
    assert!(world.try_edit(deletes).await);
    sync(&world).await;
    let card = question(&world, &booking).await;
    let decided = world.run(&["decide", card["id"].as_str().unwrap(), "cancel"]).await;
    let told = told(&decided);
    assert!(told.contains("another open slot lies over the booking's own"), "{decided:?}");
    assert!(live(&world.state().await).contains_key(&booking));
    assert_eq!(question(&world, &booking).await["kind"], card["kind"]);
}

fn told(said: &Said) -> String {
    format!("{} {}", said.document, said.error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_was_deleted_without_a_trace_is_missed_within_a_day() {
    let world = World::start_today().await.with_account().await;
    sync(&world).await;
    let gone = live(&world.state().await).into_iter().next().unwrap().0;
    assert!(world.try_edit(json!({"as": "vendor", "do": "purge_booking", "booking": gone})).await);
    sync(&world).await;
    assert!(events(&world.state().await).contains_key(&gone), "nothing says that it is gone");
    age_the_cursor(&world);
    sync(&world).await;
    assert!(!events(&world.state().await).contains_key(&gone));
    agrees(&world).await;
}

/// As if the last full reading had been yesterday.
fn age_the_cursor(world: &World) {
    let db = mirror::Sqlite::open(&world.profile.path().join("companion.db")).unwrap();
    let known = sync::ports::Mirror::world(&db).unwrap();
    let cursor = known.bookings_cursor.unwrap().0;
    let mut parts: Vec<&str> = cursor.split('|').collect();
    parts[1] = "2020-01-01T00:00:00+00:00";
    let cursor = sync::ids::Cursor(parts.join("|"));
    let news = sync::news::News::Changes { changed: &[], removed: &[], cursor: &cursor };
    sync::ports::Mirror::take_bookings(&db, &news).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_not_linked_with_its_sign_in_is_told_plainly_and_empties_nothing() {
    let options = Options { faithful: true, unlinked: true, ..Options::default() };
    let world = World::start_with(options).await.with_account().await;
    let before = world.state().await;
    let synced = world.run(&["sync"]).await;
    assert_eq!(synced.status, 4, "{synced:?}");
    let codes: BTreeSet<&str> =
        rows(&synced.document, "errors").iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["PROFILE_NOT_LINKED"]), "{synced:?}");
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["error"]["code"], "PROFILE_NOT_LINKED", "{status:?}");
    assert!(status.document["error"]["next_step"].as_str().unwrap().contains("support"), "{status:?}");
    let after = world.state().await;
    assert_eq!((open(&after), events(&after).len()), (open(&before), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_opens_again_what_was_closed() {
    let world = World::start_today().await.with_account().await;
    let before = open(&world.state().await);
    sync(&world).await;
    assert_ne!(open(&world.state().await), before);
    let connection = world.run(&["status"]).await.document["connections"][0]["id"].clone();
    let gone = world.run(&["disconnect", connection.as_str().unwrap()]).await;
    assert_eq!(gone.status, 0, "{gone:?}");
    assert_eq!(open(&world.state().await), before);
}
