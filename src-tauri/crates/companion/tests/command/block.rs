//! Time that she blocks by hand: nobody can book it, no calendar has an event for it, and it is said why.

use serde_json::{Value, json};

use crate::world::World;

fn closed(state: &Value, at: jiff::Timestamp) -> bool {
    let of =
        |span: &Value, name: &str| span[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let spans = state["busy"].as_array().unwrap().iter();
    spans
        .filter_map(|span| of(span, "start").zip(of(span, "end")))
        .any(|(start, end)| start <= at && at < end)
}

/// Whether it is said of a moment that she blocks it.
async fn blocks_it(world: &World, at: jiff::Timestamp) -> bool {
    let why = world.run(&["explain", &at.to_string()]).await.document;
    let because = why["because"].as_array().unwrap();
    let hers =
        because.iter().any(|because| because["summary"] == "Blocked by you" && because["blocks"] == true);
    assert!(!hers || why["bookable"] == false, "{why}");
    hers
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_time_cannot_be_booked_and_is_explained_and_no_calendar_has_an_event_for_it() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let events = |state: &Value| {
        let calendars = state["calendars"].as_array().unwrap().clone();
        calendars.iter().map(|calendar| calendar["events"].as_array().unwrap().len()).sum::<usize>()
    };
    let before = events(&world.state().await);
    let blocked = world.run(&["block", "--for", "30min"]).await;
    assert_eq!((blocked.status, &blocked.document["told"]), (0, &json!(true)), "{blocked:?}");
    let start: jiff::Timestamp = blocked.document["start"].as_str().unwrap().parse().unwrap();
    let middle = start.checked_add(jiff::SignedDuration::from_mins(15)).unwrap();
    let state = world.state().await;
    assert!(closed(&state, middle), "{}", state["busy"]);
    assert_eq!(events(&state), before);
    assert!(blocks_it(&world, middle).await);

    let again = world.run(&["sync"]).await;
    assert_eq!(again.status, 0, "{again:?}");
    assert!(closed(&world.state().await, middle), "and stays so");
    assert_eq!(world.run(&["block"]).await.status, 0, "the rest of the day");
    for wrong in ["soon", "9000 h"] {
        let refused = world.run(&["block", "--for", wrong]).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_blocked_while_bookiji_is_out_of_reach_is_told_by_the_next_sync() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let busy = "PUT /api/vendor/calendar/busy";
    world.fault(json!({"service": "bookiji", "route": busy, "kind": "status:503"})).await;
    let blocked = world.run(&["block", "--for", "2h"]).await;
    assert_eq!((blocked.status, &blocked.document["told"]), (4, &json!(false)), "{blocked:?}");
    world.heal().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let start: jiff::Timestamp = blocked.document["start"].as_str().unwrap().parse().unwrap();
    assert!(closed(&world.state().await, start.checked_add(jiff::SignedDuration::from_hours(1)).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_of_hers_is_taken_back_once_and_nothing_else_is() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let blocked = world.run(&["block", "--for", "30min"]).await;
    let start: jiff::Timestamp = blocked.document["start"].as_str().unwrap().parse().unwrap();
    let middle = start.checked_add(jiff::SignedDuration::from_mins(15)).unwrap();
    assert!(closed(&world.state().await, middle));
    assert!(blocks_it(&world, middle).await);

    let block = blocked.document["block"].as_str().unwrap().to_owned();
    let taken = world.run(&["block", "--take-back", &block]).await;
    assert_eq!((taken.status, &taken.document["told"]), (0, &json!(true)), "{taken:?}");
    assert!(!blocks_it(&world, middle).await);
    // What else she does at this hour goes on.
    let busy = world.run(&["explain", &middle.to_string()]).await;
    let others = busy.document["because"].as_array().unwrap().iter().any(|because| because["blocks"] == true);
    assert_eq!(closed(&world.state().await, middle), others, "it can be booked again: {busy:?}");
    for gone in [&block, "blocked-by-nobody", "no name"] {
        let refused = world.run(&["block", "--take-back", gone]).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    }
}
