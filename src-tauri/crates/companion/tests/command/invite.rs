//! Invitations: one file, three links, and a sequence that rises as the booking changes.

use calendar::event::Status;
use calendar::ics::{self, Method};
use serde_json::{Value, json};

use crate::world::{Said, World};

/// A booking that is still to come and stands like that.
fn booking(state: &Value, status: &str) -> Value {
    let now = state["now"].as_str().unwrap().to_owned();
    let rows = state["bookings"].as_array().unwrap();
    let coming = |row: &&Value| row["status"] == status && row["start"].as_str().unwrap() > now.as_str();
    rows.iter().find(coming).unwrap().clone()
}

async fn invite(world: &World, words: &[&str]) -> (Said, String) {
    let path = world.profile.path().join("invite.ics");
    let said = world.run(&[&["invite", "-o", path.to_str().unwrap()], words].concat()).await;
    (said, std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n ", ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_follows_its_booking_to_the_end() {
    let world = World::connected().await;
    let state = world.state().await;
    let booking = booking(&state, "confirmed");
    let id = booking["id"].as_str().unwrap();
    let customers = state["customers"].as_array().unwrap();
    let customer = customers.iter().find(|customer| customer["full_name"] == booking["customer"]).unwrap();

    let (said, text) = invite(&world, &[id]).await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!((&said.document["method"], &said.document["sequence"]), (&json!("request"), &json!(0)));
    let (file, problems) = ics::read(text.as_bytes()).unwrap();
    assert_eq!((file.method, problems.len()), (Some(Method::Request), 0));
    assert_eq!(file.events[0].uid.0, format!("{id}@bookiji.com"));
    let email = customer["email"].as_str().unwrap();
    assert!(text.contains(&format!("RSVP=TRUE:mailto:{email}\r\n")), "{text}");
    assert!(text.contains(&format!("mailto:{}\r\n", world.sandbox.email)), "{text}");
    let links = &said.document["links"];
    assert!(links["google"].as_str().unwrap().starts_with("https://calendar.google.com/"), "{links}");
    assert!(links["outlook"].as_str().unwrap().starts_with("https://outlook.live.com/"), "{links}");
    assert_eq!(links["apple"], said.document["path"]);

    let (again, same) = invite(&world, &[&id.to_uppercase()]).await;
    assert_eq!((again.document, same), (said.document, text));

    assert!(world.try_edit(json!({ "as": "customer", "do": "reschedule", "booking": id })).await);
    let (moved, text) = invite(&world, &[id]).await;
    assert_eq!(moved.document["sequence"], 1, "{moved:?}");
    assert!(text.contains("SEQUENCE:1\r\n"), "{text}");

    assert!(world.try_edit(json!({ "as": "customer", "do": "cancel", "booking": id })).await);
    let (refused, _) = invite(&world, &[id]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    assert!(refused.error["next_step"].as_str().unwrap().contains("--cancel"), "{refused:?}");
    let (cancel, text) = invite(&world, &[id, "--cancel"]).await;
    assert_eq!(cancel.status, 0, "{cancel:?}");
    assert_eq!((&cancel.document["method"], &cancel.document["sequence"]), (&json!("cancel"), &json!(2)));
    assert_eq!(cancel.document["links"]["google"], Value::Null);
    let (file, _) = ics::read(text.as_bytes()).unwrap();
    assert_eq!((file.method, file.events[0].status), (Some(Method::Cancel), Status::Cancelled));
    let (again, _) = invite(&world, &[id, "--cancel"]).await;
    assert_eq!(again.document["sequence"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bookiji_the_invitation_says_what_was_last_known_and_that_it_does() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let id = booking(&world.state().await, "pending")["id"].as_str().unwrap().to_owned();
    world.fault(json!({ "service": "bookiji", "kind": "reset" })).await;
    let (said, text) = invite(&world, &[&id[..13]]).await;
    assert_eq!((said.status, &said.error["code"]), (4, &json!("NETWORK_ERROR")), "{said:?}");
    assert!(said.error["message"].as_str().unwrap().contains("last told"), "{said:?}");
    assert!(text.contains("STATUS:TENTATIVE\r\n") && text.contains("METHOD:REQUEST\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_nobody_knows_or_a_place_that_cannot_be_written_is_refused() {
    let world = World::connected().await;
    let id = booking(&world.state().await, "confirmed")["id"].as_str().unwrap().to_owned();
    let (unknown, _) = invite(&world, &["no-such-booking"]).await;
    assert_eq!((unknown.status, &unknown.error["code"]), (1, &json!("INVALID_INPUT")), "{unknown:?}");
    assert!(unknown.error["message"].as_str().unwrap().contains("no-such-booking"), "{unknown:?}");
    let folder = world.run(&["invite", &id, "-o", world.profile.path().to_str().unwrap()]).await;
    assert!(folder.error["message"].as_str().unwrap().contains("is a folder"), "{folder:?}");
    let (first, _) = invite(&world, &[&id]).await;
    assert_eq!(first.document["sequence"], 0, "a refused place spends no sequence");
}
