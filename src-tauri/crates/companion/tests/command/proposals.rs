//! Another time that a customer is asked for, by the command and against the sandbox: what both sides say afterwards, and
//! whatever goes wrong on the way.

use serde_json::{Value, json};

use crate::decide::{booking, dragged, event, the_question, time};
use crate::world::{Said, World};

async fn waiting(world: &World) -> Said {
    let listed = world.run(&["decisions"]).await;
    assert_eq!(listed.document["decisions"][0]["kind"], "proposed", "{listed:?}");
    listed
}

fn proposal(state: &Value, id: &Value) -> Value {
    booking(state, id)["proposal"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_is_asked_and_accepts_has_the_booking_moved_to_its_event() {
    let (world, id, card, night) = dragged().await;
    let before = booking(&world.state().await, &id)["start"].clone();
    let done = world.run(&["decide", &card, "propose"]).await;
    assert_eq!(done.status, 0, "nothing presses: {done:?}");
    let state = world.state().await;
    assert_eq!(
        (&booking(&state, &id)["start"], &proposal(&state, &id)["state"]),
        (&before, &json!("waiting"))
    );
    assert_eq!(time(&proposal(&state, &id)["start"]), night);
    let listed = waiting(&world).await;
    assert!(
        listed.document["decisions"][0]["summary"].as_str().unwrap().contains("wait for an answer"),
        "{listed:?}"
    );

    // Nobody else gets that time meanwhile, and the time says why.
    let asked = format!("{night:.0}");
    let why = world.run(&["explain", &asked]).await;
    assert_eq!(why.document["bookable"], false, "{why:?}");

    assert!(world.try_edit(json!({"as": "customer", "do": "accept_move", "booking": id})).await);
    let settled = world.run(&["sync"]).await;
    assert_eq!((settled.status, &settled.document["decisions"]), (0, &json!([])), "{settled:?}");
    let state = world.state().await;
    assert_eq!(time(&booking(&state, &id)["start"]), night);
    assert_eq!(time(&event(&state, &id).unwrap().1["start"]), night);
    let slots = state["slots"].as_array().unwrap();
    assert!(
        slots.iter().filter(|slot| time(&slot["start"]) == night).all(|slot| slot["is_available"] == false)
    );
    let again = world.run(&["sync"]).await;
    let bookings = &again.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_declines_is_told_of_and_the_question_comes_back_without_that_answer() {
    let (world, id, card, _) = dragged().await;
    assert_eq!(world.run(&["decide", &card, "propose"]).await.status, 0);
    assert!(world.try_edit(json!({"as": "customer", "do": "decline_move", "booking": id})).await);
    let (_, card) = the_question(&world).await;
    assert_eq!(
        (&card["kind"], &card["options"]),
        (&json!("moved"), &json!(["move", "put_back", "leave"])),
        "{card}"
    );
    assert!(card["summary"].as_str().unwrap().contains("cannot come at that time"), "{card}");
    let refused = world.run(&["decide", card["id"].as_str().unwrap(), "propose"]).await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_taken_back_leaves_the_booking_and_its_event_where_they_were() {
    let (world, id, card, _) = dragged().await;
    let before = booking(&world.state().await, &id)["start"].clone();
    assert_eq!(world.run(&["decide", &card, "propose"]).await.status, 0);
    let card = waiting(&world).await.document["decisions"][0]["id"].as_str().unwrap().to_owned();
    let done = world.run(&["decide", &card, "put_back"]).await;
    assert_eq!((done.status, &done.document["decisions"]), (0, &json!([])), "{done:?}");
    let state = world.state().await;
    assert_eq!(
        (&booking(&state, &id)["start"], &proposal(&state, &id)["state"]),
        (&before, &json!("withdrawn"))
    );
    assert_eq!(time(&event(&state, &id).unwrap().1["start"]), time(&before));
}

/// With every trouble, whether she asks or takes it back: the command ends, and the next ones come to the same.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_on_the_way_the_customer_is_asked_once_and_no_more_when_she_says_so() {
    let troubles = ["status:500", "status:503", "rate_limited", "html", "truncated", "reset", "reply_lost"];
    let all = std::env::var("MATRIX").is_ok_and(|part| part == "all");
    for (number, kind) in troubles.into_iter().enumerate() {
        if !all && number % 3 != 0 {
            continue;
        }
        let (world, id, card, night) = dragged().await;
        let fault = json!({"service": "bookiji", "route": "/proposals", "kind": kind, "probability": 1.0});
        world.fault(fault.clone()).await;
        world.run(&["decide", &card, "propose"]).await;
        world.heal().await;
        world.run(&["sync"]).await;
        let state = world.state().await;
        assert_eq!(time(&proposal(&state, &id)["start"]), night, "{kind}");
        let listed = waiting(&world).await;
        let first = proposal(&state, &id)["id"].clone();

        world.fault(fault).await;
        let card = listed.document["decisions"][0]["id"].as_str().unwrap().to_owned();
        world.run(&["decide", &card, "put_back"]).await;
        world.heal().await;
        let settled = world.run(&["sync"]).await;
        assert_eq!((settled.status, &settled.document["errors"]), (0, &json!([])), "{kind}: {settled:?}");
        let last = proposal(&world.state().await, &id);
        assert_eq!(
            (&last["id"], &last["state"]),
            (&first, &json!("withdrawn")),
            "{kind}: asked once, and no more"
        );
    }
}
