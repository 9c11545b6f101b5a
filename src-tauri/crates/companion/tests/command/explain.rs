//! Why a time can or cannot be booked, asked of the real command after a real sync.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_and_an_event_keep_their_times_and_say_so() {
    let world = World::connected().await;
    let nobody = World::start().await.run(&["explain", "2026-03-29"]).await;
    assert_eq!(nobody.error["code"], "NOT_SIGNED_IN", "{nobody:?}");
    assert_eq!(world.run(&["sync"]).await.status, 0);

    let state = world.state().await;
    let now = state["now"].as_str().unwrap().to_owned();
    let rows = state["bookings"].as_array().unwrap();
    let booking = rows
        .iter()
        .find(|row| row["status"] == "confirmed" && row["start"].as_str().unwrap() > now.as_str())
        .unwrap();
    let said = world.run(&["explain", booking["start"].as_str().unwrap()]).await;
    assert_eq!((said.status, &said.document["bookable"]), (0, &json!(false)), "{said:?}");
    let because = said.document["because"].as_array().unwrap();
    assert_eq!(said.kinds(), ["booking", "own_booking"], "its own event blocks nothing: {said:?}");
    assert!(because[0]["summary"].as_str().unwrap().contains(booking["customer"].as_str().unwrap()));
    assert!(because[0]["checked_at"].is_string(), "{said:?}");

    let busy = world.run(&["busy"]).await;
    let events = busy.document["events"].as_array().unwrap();
    let event = events
        .iter()
        .find(|event| event["reason"] == "busy" && event["start"].as_str().unwrap() > now.as_str())
        .unwrap();
    let said = world.run(&["explain", event["start"].as_str().unwrap()]).await;
    assert_eq!(said.document["bookable"], false, "{said:?}");
    let reasons = said.document["because"].as_array().unwrap();
    let reason = reasons.iter().find(|reason| reason["summary"] == event["summary"]).unwrap();
    assert_eq!(reason["kind"], "busy");
    for key in ["source", "start", "end", "checked_at"] {
        assert!(reason[key].is_string(), "{key}: {reason}");
    }

    let over = world.run(&["explain", "2020-01-01T10:00"]).await;
    assert_eq!(over.document["because"][0]["kind"], "past", "{over:?}");
    let nonsense = world.run(&["explain", "soon"]).await;
    assert_eq!((nonsense.status, &nonsense.error["code"]), (1, &json!("INVALID_INPUT")), "{nonsense:?}");
}
