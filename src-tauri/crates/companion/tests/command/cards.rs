//! The rest of what she is asked, by the command and against the sandbox, and her answers for all of a kind.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Said, World};

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn booking(state: &Value, id: &Value) -> Value {
    state["bookings"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone()
}

/// The live events of a booking, each with its calendar.
fn events(state: &Value, id: &Value) -> Vec<(Value, Value)> {
    let calendars =
        state["calendars"].as_array().unwrap().iter().filter(|calendar| calendar["deleted"] != true);
    let all = calendars.flat_map(|calendar| {
        let events = calendar["events"].as_array().unwrap().iter();
        events.map(move |event| (calendar["id"].clone(), event.clone()))
    });
    all.filter(|(_, event)| event["booking_id"] == *id && event["status"] != "cancelled").collect()
}

/// A synced profile, and a confirmed booking that lies days ahead.
async fn synced() -> (World, Value) {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let state = world.state().await;
    let soon = time(&state["now"]) + SignedDuration::from_hours(48);
    let bookings = state["bookings"].as_array().unwrap();
    let found = bookings.iter().find(|row| row["status"] == "confirmed" && time(&row["start"]) > soon);
    (world, found.unwrap()["id"].clone())
}

async fn edit(world: &World, edit: Value) {
    assert!(world.try_edit(edit.clone()).await, "{edit}");
}

/// The only question of this kind, after a sync that ends with `status`.
async fn question(world: &World, kind: &str, status: i32) -> Value {
    let asked = world.run(&["sync"]).await;
    assert_eq!(asked.status, status, "{asked:?}");
    let listed = world.run(&["decisions"]).await;
    let all = listed.document["decisions"].as_array().unwrap();
    let of_kind: Vec<&Value> = all.iter().filter(|card| card["kind"] == kind).collect();
    assert_eq!(of_kind.len(), 1, "{listed:?}");
    of_kind[0].clone()
}

async fn decide(world: &World, card: &Value, words: &[&str]) -> Said {
    world.run(&[&["decide", card["id"].as_str().unwrap()], words].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appointment_grows_with_its_event_although_its_own_slot_lies_under_the_new_one() {
    let (world, id) = synced().await;
    let (calendar, event) = events(&world.state().await, &id).remove(0);
    let end = time(&event["end"]) + SignedDuration::from_mins(7);
    edit(
        &world,
        json!({ "as": "vendor", "do": "move_event", "calendar": calendar, "event": event["id"],
            "start": event["start"], "end": end }),
    )
    .await;
    let card = question(&world, "resized", 3).await;
    let done = decide(&world, &card, &["move"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let state = world.state().await;
    let grown = booking(&state, &id);
    assert_eq!((&grown["start"], time(&grown["end"])), (&booking(&state, &id)["start"], end));
    assert_eq!(grown["status"], "confirmed");
    let slots = state["slots"].as_array().unwrap();
    let under: Vec<&Value> = slots
        .iter()
        .filter(|slot| time(&slot["start"]) < end && time(&slot["end"]) > time(&grown["start"]))
        .collect();
    assert_eq!(under.len(), 1, "{under:?}");
    // The platform lets a booking go whose slot nothing lies over.
    edit(&world, json!({ "as": "customer", "do": "cancel", "booking": id })).await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_her_own_are_told_and_do_not_make_every_sync_ask() {
    let (world, id) = synced().await;
    let (calendar, event) = events(&world.state().await, &id).remove(0);
    edit(
        &world,
        json!({ "as": "vendor", "do": "edit_event", "calendar": calendar, "event": event["id"],
            "fields": { "summary": "Bring the blue dye" } }),
    )
    .await;
    let card = question(&world, "renamed", 0).await;
    assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
    let done = decide(&world, &card, &["put_back"]).await;
    assert_eq!((done.status, &done.document["decisions"]), (0, &json!([])), "{done:?}");
    assert_eq!(world.run(&["sync"]).await.document["bookings"]["updated"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_an_event_restored_beside_its_successor_are_asked_about() {
    let (world, id) = synced().await;
    let (calendar, event) = events(&world.state().await, &id).remove(0);
    let night = time(&event["start"]) + SignedDuration::from_hours(13);
    edit(
        &world,
        json!({ "as": "vendor", "do": "copy_event", "calendar": calendar, "event": event["id"], "start": night }),
    )
    .await;
    let card = question(&world, "duplicated", 3).await;
    assert_eq!(card["options"], json!(["leave", "unblock"]));
    let done = decide(&world, &card, &["unblock"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let said = world.run(&["explain", &night.to_string()]).await;
    let told = said.document["because"].as_array().unwrap();
    assert!(told.iter().all(|reason| reason["blocks"] == false || reason["kind"] == "booking"), "{said:?}");

    edit(&world, json!({ "as": "vendor", "do": "delete_event", "calendar": calendar, "event": event["id"] }))
        .await;
    let card = question(&world, "deleted", 3).await;
    assert_eq!(decide(&world, &card, &["put_back"]).await.status, 0);
    edit(
        &world,
        json!({ "as": "vendor", "do": "restore_event", "calendar": calendar, "event": event["id"] }),
    )
    .await;
    let card = question(&world, "duplicated", 3).await;
    assert_eq!(card["options"], json!(["leave", "remove"]), "{card}");
    let done = decide(&world, &card, &["remove"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let left = events(&world.state().await, &id);
    assert_eq!(left.len(), 2, "its own and the copy: {left:?}");
    assert!(left.iter().all(|(_, there)| there["id"] != event["id"]), "the restored one went");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_an_appointment_cancels_it_only_on_her_word() {
    let (world, id) = synced().await;
    let booked = booking(&world.state().await, &id);
    edit(
        &world,
        json!({ "as": "vendor", "do": "create_event", "summary": "Dentist",
            "start": booked["start"], "end": booked["end"] }),
    )
    .await;
    let card = question(&world, "overlap", 3).await;
    assert!(card["summary"].as_str().unwrap().starts_with("Dentist, "), "{card}");
    assert_eq!(booking(&world.state().await, &id)["status"], "confirmed");
    let done = decide(&world, &card, &["cancel"]).await;
    assert_eq!((done.status, &done.document["decisions"]), (0, &json!([])), "{done:?}");
    let state = world.state().await;
    assert_eq!(booking(&state, &id)["status"], "cancelled");
    assert!(events(&state, &id).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_she_deleted_is_made_anew_only_on_her_word() {
    let (world, id) = synced().await;
    let (calendar, _) = events(&world.state().await, &id).remove(0);
    edit(&world, json!({ "as": "vendor", "do": "delete_calendar", "calendar": calendar })).await;
    let card = question(&world, "target_gone", 4).await;
    assert!(events(&world.state().await, &id).is_empty(), "nothing is made elsewhere");
    let refused = decide(&world, &card, &["create", "--always"]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    let done = decide(&world, &card, &["create"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(events(&world.state().await, &id).len(), 1);
    let settled = world.run(&["sync"]).await;
    assert_eq!((settled.status, &settled.document["bookings"]["created"]), (0, &json!(0)), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_takes_the_appointments_only_on_her_word() {
    let (world, id) = synced().await;
    let email = "nouvelle@studiolumiere.example";
    edit(&world, json!({ "as": "vendor", "do": "add_account", "email": email })).await;
    let connected = world.connect_as(email).await;
    assert_eq!(connected.status, 0, "{connected:?}");
    let card = question(&world, "account_changed", 3).await;
    assert_eq!(card["options"], json!(["switch", "leave"]));
    assert!(
        card["outcomes"][0].as_str().unwrap().starts_with(&format!("Use {email} from now on:")),
        "{card}"
    );
    assert_eq!(events(&world.state().await, &id).len(), 1);
    let done = decide(&world, &card, &["switch"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let both = events(&world.state().await, &id);
    assert_eq!(both.len(), 2, "{both:?}");
    let settled = world.run(&["sync"]).await;
    assert_eq!((settled.status, &settled.document["bookings"]["created"]), (0, &json!(0)), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_vendor_is_not_let_into_a_profile_that_belongs_to_one() {
    let world = World::start_of(2).await;
    assert_eq!(world.login().await.status, 0);
    let other = world.sandbox.vendors[1].clone();
    let password = format!("{}\n", other.password);
    let refused = world.run_with(&["login", "--email", &other.email], &password).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    let said = refused.error["message"].as_str().unwrap();
    assert!(said.contains(&world.sandbox.email) && said.contains("somebody else has signed in"), "{said}");
    assert!(refused.error["next_step"].as_str().unwrap().contains("--profile"), "{refused:?}");
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["vendor"]["email"], json!(world.sandbox.email), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_all_of_a_kind_is_listed_given_told_and_ended() {
    let (world, id) = synced().await;
    let (calendar, event) = events(&world.state().await, &id).remove(0);
    let drag = async |hours: i64| {
        let start = time(&event["start"]) + SignedDuration::from_hours(hours);
        let end = time(&event["end"]) + SignedDuration::from_hours(hours);
        let moved = json!({ "as": "vendor", "do": "move_event", "calendar": calendar, "event": event["id"],
            "start": start, "end": end });
        edit(&world, moved).await;
    };
    drag(13).await;
    let card = question(&world, "moved", 3).await;
    let done = decide(&world, &card, &["put_back", "--always"]).await;
    assert_eq!(done.status, 0, "{done:?}");
    let expected = json!([{ "kind": "moved", "option": "put_back" }]);
    assert_eq!(world.run(&["decisions", "--standing"]).await.document["standing"], expected);

    drag(14).await;
    let synced = world.run(&["sync"]).await;
    assert_eq!(
        (synced.status, &synced.document["standing"][0]["option"]),
        (0, &json!("put_back")),
        "{synced:?}"
    );
    assert_eq!(time(&events(&world.state().await, &id)[0].1["start"]), time(&event["start"]));
    let history = world.run(&["history", "latest"]).await;
    assert_eq!(history.document["runs"][0]["report"]["standing"][0]["kind"], "moved", "{history:?}");

    for (line, part) in [
        ("target_gone=create", "come back"),
        ("held_deletions=remove", "fault"),
        ("moved=cancel", "put_back"),
        ("moved", "KIND=OPTION"),
        ("nonsense=leave", "moved_both"),
    ] {
        let refused = world.run(&["decisions", "--standing", line]).await;
        assert_eq!(
            (refused.status, &refused.error["code"]),
            (1, &json!("INVALID_INPUT")),
            "{line}: {refused:?}"
        );
        assert!(refused.error.to_string().contains(part), "{line}: {refused:?}");
    }
    let ended = world.run(&["decisions", "--standing", "moved=ask"]).await;
    assert_eq!((ended.status, &ended.document["standing"]), (0, &json!([])), "{ended:?}");
    drag(15).await;
    question(&world, "moved", 3).await;
}
