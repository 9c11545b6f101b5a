//! `companion undo` against the sandbox, as a person and as a script meets it.

use serde_json::{Value, json};

use crate::world::World;

/// The live events that stand for bookings.
fn booking_events(state: &Value) -> Vec<Value> {
    let calendars = state["calendars"].as_array().unwrap().iter();
    calendars
        .flat_map(|calendar| calendar["events"].as_array().unwrap())
        .filter(|event| event["booking_id"].is_string() && event["status"] != "cancelled")
        .cloned()
        .collect()
}

async fn runs(world: &World) -> Vec<Value> {
    world.run(&["history"]).await.document["runs"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_wrote_is_taken_back_and_stays_so_and_taking_back_is_taken_back_too() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let mut written = booking_events(&world.state().await).len();
    assert!(written > 0);
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    let poll = world.run(&["sync", "--direction", "to_calendar"]).await;
    assert_eq!(poll.document["bookings"]["created"], 1, "{poll:?}");
    written += 1;

    let undo = world.run(&["undo", "latest"]).await;
    assert_eq!(undo.status, 0, "{undo:?}");
    assert_eq!((&undo.document["undone"], &undo.document["kept"]), (&json!(1), &json!([])), "{undo:?}");
    assert_eq!(undo.document["held"].as_array().unwrap().len(), 1, "{undo:?}");
    assert_eq!(booking_events(&world.state().await).len(), written - 1);
    let sync = world.run(&["sync"]).await;
    assert_eq!((sync.status, &sync.document["bookings"]["created"]), (0, &json!(0)), "{sync:?}");
    assert_eq!(booking_events(&world.state().await).len(), written - 1);

    let of = undo.document["of"].as_str().unwrap();
    let again = world.run(&["undo", &of[..13]]).await;
    assert_eq!((again.status, &again.document["undone"]), (0, &json!(0)), "{again:?}");
    let run = undo.document["run"].as_str().unwrap();
    let shown = world.run(&["history", run]).await;
    let shown = &shown.document["runs"][0];
    assert_eq!((&shown["undoes"], &shown["operations"][0]["kind"]), (&json!(of), &json!("remove_event")));
    let back = world.run(&["undo", run]).await;
    assert_eq!((back.status, &back.document["held"]), (0, &json!([])), "{back:?}");
    assert_eq!(booking_events(&world.state().await).len(), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_said_with_its_reason_and_the_status_says_partly() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let events = booking_events(&world.state().await);
    let moved = json!({"as": "vendor", "do": "move_event", "event": events[0]["id"], "by_minutes": 90});
    assert!(world.try_edit(moved).await);
    let run = runs(&world).await[0]["id"].as_str().unwrap().to_owned();
    let undo = world.run(&["undo", &run]).await;
    assert_eq!((undo.status, &undo.document["undone"]), (4, &json!(events.len() - 1)), "{undo:?}");
    let kept = undo.document["kept"].as_array().unwrap();
    let of = |kind: &str| {
        let mut kept = kept.iter().filter(|kept| kept["operation"]["kind"] == kind);
        kept.next().unwrap_or_else(|| panic!("{kind}: {undo:?}"))
    };
    assert_eq!(of("create_event")["operation"]["booking_id"], events[0]["booking_id"]);
    assert!(of("create_event")["reason"].as_str().unwrap().contains("changed in the calendar"));
    assert_eq!(of("create_event")["why"], "touched");
    assert!(of("publish_busy")["reason"].as_str().unwrap().contains("follows your calendars"));
    assert_eq!(booking_events(&world.state().await).len(), 1, "hers stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_known_or_not_the_only_one_meant_is_refused() {
    let world = World::connected().await;
    let none = world.run(&["undo", "latest"]).await;
    assert_eq!((none.status, &none.error["code"]), (1, &json!("INVALID_INPUT")), "{none:?}");
    assert_eq!(world.run(&["sync"]).await.status, 0);
    for wanted in ["nonesuch", ""] {
        let unknown = world.run(&["undo", wanted]).await;
        assert_eq!((unknown.status, &unknown.error["code"]), (1, &json!("INVALID_INPUT")), "{unknown:?}");
        assert!(unknown.error["next_step"].as_str().unwrap().contains("companion history"), "{unknown:?}");
    }
    assert_eq!(runs(&world).await.len(), 1, "a refused word is no run");
}
