//! Her answers about bookings' events, by the command and against the sandbox: what both sides say afterwards.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Said, World};

pub fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

pub fn booking(state: &Value, id: &Value) -> Value {
    state["bookings"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone()
}

/// The live event of a booking, with its calendar.
pub fn event(state: &Value, id: &Value) -> Option<(Value, Value)> {
    state["calendars"].as_array().unwrap().iter().find_map(|calendar| {
        let events = calendar["events"].as_array().unwrap();
        let found = events.iter().find(|event| event["booking_id"] == *id && event["status"] != "cancelled");
        found.map(|event| (calendar["id"].clone(), event.clone()))
    })
}

/// A synced profile, and a confirmed booking that lies days ahead.
async fn synced() -> (World, Value) {
    let world = World::start().await;
    world.login().await;
    world.connect().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let state = world.state().await;
    let soon = time(&state["now"]) + SignedDuration::from_hours(48);
    let bookings = state["bookings"].as_array().unwrap();
    let found = bookings.iter().find(|row| row["status"] == "confirmed" && time(&row["start"]) > soon);
    (world, found.unwrap()["id"].clone())
}

pub async fn the_question(world: &World) -> (Said, Value) {
    let asked = world.run(&["sync"]).await;
    assert_eq!(asked.status, 3, "{asked:?}");
    let listed = world.run(&["decisions"]).await;
    let card = listed.document["decisions"][0].clone();
    assert_eq!(card["options"].as_array().unwrap().len(), card["outcomes"].as_array().unwrap().len());
    (listed, card)
}

/// A booking whose event she dragged to three in the morning of the next day, the question about it, and that time: nobody
/// offers it, so there is no slot.
pub async fn dragged() -> (World, Value, String, Timestamp) {
    let (world, id) = synced().await;
    let (calendar, moved) = event(&world.state().await, &id).unwrap();
    let night = time(&moved["start"]) + SignedDuration::from_hours(13);
    let edit = json!({ "as": "vendor", "do": "move_event", "calendar": calendar, "event": moved["id"],
        "start": night, "end": night + SignedDuration::from_mins(45) });
    assert!(world.try_edit(edit).await);
    let (_, card) = the_question(&world).await;
    assert_eq!(card["options"], json!(["move", "propose", "put_back", "leave"]), "{card}");
    (world, id, card["id"].as_str().unwrap().to_owned(), night)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_moved_to_where_she_dragged_its_event() {
    let (world, id, id_of_card, night) = dragged().await;
    let wrong = world.run(&["decide", &id_of_card, "cancel"]).await;
    assert_eq!((wrong.status, &wrong.error["code"]), (1, &json!("INVALID_INPUT")), "{wrong:?}");

    let done = world.run(&["decide", &id_of_card, "move"]).await;
    assert_eq!((done.status, &done.document["decisions"]), (0, &json!([])), "{done:?}");
    let state = world.state().await;
    assert_eq!(time(&booking(&state, &id)["start"]), night);
    assert_eq!(booking(&state, &id)["status"], "confirmed");
    let slots = state["slots"].as_array().unwrap();
    let over = slots.iter().filter(|slot| time(&slot["start"]) == night);
    assert!(over.clone().count() == 1 && over.clone().all(|slot| slot["is_available"] == false));
    let again = world.run(&["decide", &id_of_card, "move"]).await;
    assert_eq!((again.status, &again.error["code"]), (1, &json!("INVALID_INPUT")), "answered once");
    let settled = world.run(&["sync"]).await;
    let bookings = &settled.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_event_takes_its_booking_along_or_comes_back_as_she_says() {
    for (option, status, stands) in [("cancel", "cancelled", false), ("put_back", "confirmed", true)] {
        let (world, id) = synced().await;
        let (calendar, gone) = event(&world.state().await, &id).unwrap();
        let edit = json!({ "as": "vendor", "do": "delete_event", "calendar": calendar, "event": gone["id"] });
        assert!(world.try_edit(edit).await);
        let (_, card) = the_question(&world).await;
        let done = world.run(&["decide", card["id"].as_str().unwrap(), option]).await;
        assert_eq!(done.status, 0, "{option}: {done:?}");
        let state = world.state().await;
        assert_eq!(booking(&state, &id)["status"], status, "{option}");
        assert_eq!(event(&state, &id).is_some(), stands, "{option}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_while_bookiji_is_down_is_carried_out_by_the_next_sync() {
    let (world, id) = synced().await;
    let (calendar, gone) = event(&world.state().await, &id).unwrap();
    let edit = json!({ "as": "vendor", "do": "delete_event", "calendar": calendar, "event": gone["id"] });
    assert!(world.try_edit(edit).await);
    let (_, card) = the_question(&world).await;
    let cancel = "POST /api/vendor/bookings/{id}/cancel";
    world.fault(json!({ "service": "bookiji", "route": cancel, "kind": "reply_lost" })).await;
    let later = world.run(&["decide", card["id"].as_str().unwrap(), "cancel"]).await;
    assert_eq!(later.status, 4, "{later:?}");
    world.heal().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    assert_eq!(booking(&world.state().await, &id)["status"], "cancelled");
    assert_eq!(world.run(&["decisions"]).await.document["decisions"], json!([]));
}
