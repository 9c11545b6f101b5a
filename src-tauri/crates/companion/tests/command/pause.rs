//! Syncs that stop by themselves: because she paused them, or because Bookiji has switched them off.

use serde_json::{Value, json};

use crate::world::World;

fn live_bookings_events(state: &Value) -> usize {
    let calendars = state["calendars"].as_array().unwrap().iter();
    let events = calendars.flat_map(|calendar| calendar["events"].as_array().unwrap());
    events.filter(|event| event["booking_id"].is_string() && event["status"] != "cancelled").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_remembered_and_said_and_who_asks_for_a_sync_still_gets_it() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let paused = world.run(&["pause", "--for", "2h"]).await;
    assert_eq!((paused.status, &paused.document["paused"]), (0, &json!(true)), "{paused:?}");
    let status = world.run(&["status"]).await;
    assert_eq!(status.document["state"], "paused", "{status:?}");
    assert_eq!(status.document["paused_until"], paused.document["paused_until"]);
    let sync = world.run(&["sync"]).await;
    assert_eq!(sync.status, 0, "{sync:?}");
    assert_eq!(world.run(&["status"]).await.document["state"], "paused", "and the pause goes on");

    let open = world.run(&["pause"]).await;
    assert_eq!((open.status, &open.document["paused_until"]), (0, &Value::Null), "{open:?}");
    let status = world.run(&["status"]).await;
    assert_eq!(
        (&status.document["state"], &status.document["paused_until"]),
        (&json!("paused"), &Value::Null)
    );
    assert_eq!(world.run(&["resume"]).await.status, 0);
    assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
    for wrong in [["--for", "soon"], ["--until", "2001-01-01"], ["--for", "9000 h"]] {
        let refused = world.run(&["pause", wrong[0], wrong[1]]).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_switched_off_stops_everything_quietly_and_its_return_heals() {
    for code in ["status:503:SCHEDULING_DISABLED", "status:403:CALENDAR_SYNC_DISABLED"] {
        let world = World::connected().await;
        world.fault(json!({"service": "bookiji", "kind": code})).await;
        let off = world.run(&["sync"]).await;
        assert_eq!((off.status, &off.error["code"]), (4, &json!("SYNC_SWITCHED_OFF")), "{off:?}");
        assert_eq!(off.document["errors"].as_array().unwrap().len(), 1, "said once: {off:?}");
        let state = world.state().await;
        assert!(!state["calendars"].as_array().unwrap().iter().any(|calendar| calendar["name"] == "Bookiji"));
        assert_eq!(
            off.document["requests"]["google"],
            Value::Null,
            "her calendars are not even asked: {off:?}"
        );
        let status = world.run(&["status"]).await;
        assert_eq!(
            (&status.document["state"], &status.document["connections"][0]["error"]),
            (&json!("paused"), &Value::Null)
        );
        assert_eq!(status.document["error"]["code"], "SYNC_SWITCHED_OFF");
        world.heal().await;
        assert_eq!(world.run(&["sync"]).await.status, 0);
        assert!(live_bookings_events(&world.state().await) > 0);
        assert_eq!(world.run(&["status"]).await.document["state"], "up_to_date");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_calendar_sync_alone_is_off_bookings_that_can_be_read_are_not_written_either() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let busy = "PUT /api/vendor/calendar/busy";
    world
        .fault(json!({"service": "bookiji", "route": busy, "kind": "status:403:CALENDAR_SYNC_DISABLED"}))
        .await;
    let now: jiff::Timestamp = world.state().await["now"].as_str().unwrap().parse().unwrap();
    // In her night, when nobody has an appointment that it would lie over.
    let night = (now.as_second() / 86_400 + 2) * 86_400 + 7 * 3600;
    let at = |seconds: i64| jiff::Timestamp::from_second(night + seconds).unwrap().to_string();
    let edit =
        json!({"as": "vendor", "do": "create_event", "summary": "hers", "start": at(0), "end": at(3600)});
    assert!(world.try_edit(edit).await);
    let off = world.run(&["sync"]).await;
    assert_eq!((off.status, &off.error["code"]), (4, &json!("SYNC_SWITCHED_OFF")), "{off:?}");
    let before = live_bookings_events(&world.state().await);
    assert!(world.try_edit(json!({"as": "customer", "do": "book"})).await);
    let still = world.run(&["sync"]).await;
    assert_eq!((still.status, &still.error["code"]), (4, &json!("SYNC_SWITCHED_OFF")), "{still:?}");
    assert_eq!(live_bookings_events(&world.state().await), before, "known to be off, so nothing is written");
    world.heal().await;
    let on = world.run(&["sync"]).await;
    assert_eq!((on.status, &on.document["bookings"]["created"]), (0, &json!(1)), "{on:?}");
}
