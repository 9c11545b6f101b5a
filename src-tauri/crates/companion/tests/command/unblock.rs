//! A time that she lets be booked just this once, with the real command: on Bookiji as it should be, and as it is today.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::World;

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn span(value: &Value) -> (Timestamp, Timestamp) {
    (at(&value["start"]), at(&value["end"]))
}

fn rows<'a>(document: &'a Value, name: &str) -> &'a Vec<Value> {
    document[name].as_array().unwrap()
}

fn overlaps(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> bool {
    one.0 < other.1 && other.0 < one.1
}

fn open(state: &Value) -> BTreeSet<String> {
    let open = rows(state, "slots").iter().filter(|slot| slot["is_available"] == true);
    open.map(|slot| slot["id"].as_str().unwrap().to_owned()).collect()
}

/// A slot that is open, far enough ahead, and that no booking touches.
async fn free_slot(world: &World) -> Value {
    let state = world.state().await;
    let earliest = at(&state["now"]) + SignedDuration::from_hours(30);
    let booked: Vec<_> = rows(&state, "bookings").iter().map(span).collect();
    let mut free: Vec<Value> =
        rows(&state, "slots").iter().filter(|slot| slot["is_available"] == true).cloned().collect();
    free.retain(|slot| at(&slot["start"]) > earliest && !booked.iter().any(|b| overlaps(*b, span(slot))));
    free.sort_by_key(|slot| at(&slot["start"]));
    free.swap_remove(0)
}

async fn story(world: World) {
    assert!(matches!(world.run(&["sync"]).await.status, 0 | 3));
    let slot = free_slot(&world).await;
    let id = slot["id"].as_str().unwrap();
    let (start, end) = span(&slot);
    let wide = |minutes| SignedDuration::from_mins(minutes);
    let (from, to) = ((start - wide(90)).to_string(), (end + wide(90)).to_string());
    let edit = json!({"as": "vendor", "do": "create_event", "summary": "maybe", "start": from, "end": to});
    assert!(world.try_edit(edit).await);
    assert!(matches!(world.run(&["sync"]).await.status, 0 | 3));
    let closed = open(&world.state().await);
    assert!(!closed.contains(id), "her event closes it");

    let inside = (start + wide(5)).to_string();
    let said = world.run(&["explain", &inside]).await;
    assert_eq!((&said.document["bookable"], &said.document["can_unblock"]), (&json!(false), &json!(true)));
    let done = world.run(&["unblock", &inside, "--for", "10min"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let ahead = rows(&done.document, "unblocked");
    assert_eq!(ahead.len(), 1, "{done:?}");
    assert!(span(&ahead[0]).0 <= start && span(&ahead[0]).1 >= end, "a slot is opened whole: {done:?}");
    let opened = open(&world.state().await);
    assert!(opened.contains(id), "{done:?}");
    assert_eq!(opened.difference(&closed).count(), 1, "that slot and no other");
    let said = world.run(&["explain", &inside]).await;
    assert_eq!(said.document["bookable"], true, "{said:?}");
    assert_eq!(said.kinds(), ["busy", "unblocked"], "{said:?}");
    assert!(matches!(world.run(&["sync"]).await.status, 0 | 3));
    assert_eq!(open(&world.state().await), opened, "later syncs leave it open");

    let back = world.run(&["unblock", &inside, "--take-back"]).await;
    assert_eq!((back.status, &back.document["unblocked"]), (0, &json!([])), "{back:?}");
    assert_eq!(open(&world.state().await), closed);
    let again = world.run(&["unblock", &inside, "--take-back"]).await;
    assert_eq!((again.status, &again.error["code"]), (1, &json!("INVALID_INPUT")), "{again:?}");

    let done = world.run(&["unblock", &inside]).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(open(&world.state().await), opened, "a moment alone means the slot that stands there");
    let questions = rows(&world.run(&["decisions"]).await.document, "decisions").len();
    assert!(world.try_edit(json!({"as": "customer", "do": "book", "slot": id})).await);
    let synced = world.run(&["sync"]).await;
    assert_eq!(synced.document["bookings"]["created"], 1, "{synced:?}");
    assert_eq!(rows(&synced.document, "decisions").len(), questions, "she knows what lies there: {synced:?}");
    let said = world.run(&["explain", &inside]).await;
    assert_eq!((&said.document["bookable"], &said.document["can_unblock"]), (&json!(false), &json!(false)));
    for refused in [inside.as_str(), "2020-01-01T10:00:00Z", "2020-01-01"] {
        let refused = world.run(&["unblock", refused]).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_she_unblocks_can_be_booked_once_and_no_slot_beside_it() {
    story(World::connected().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_todays_bookiji_the_slot_that_she_unblocks_is_opened_and_closed_again() {
    story(World::start_today().await.with_account().await).await;
}
