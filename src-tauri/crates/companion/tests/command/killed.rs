//! The process is killed at fifty random moments of its syncs, while both sides change under it. One sync later
//! everything stands as if nothing had happened.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::World;

const KILLS: u64 = 50;
/// Longer than a sync takes here, so that some moments lie after its end.
const LONGEST_MS: u64 = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_moment_of_a_sync_loses_and_doubles_nothing() {
    let world = World::connected().await;
    let mut random = Random(20_261_122);
    let mut cut_short = 0;
    for round in 0..KILLS {
        // The first kills meet the first sync, where most is written.
        if round >= 5 {
            change(&world, round, &mut random).await;
        }
        let mut child = world.spawn(&["sync"]);
        tokio::select! {
            status = child.wait() => assert!(matches!(status.unwrap().code(), Some(0 | 3))),
            () = tokio::time::sleep(Duration::from_millis(random.below(LONGEST_MS))) => {
                child.kill().await.unwrap();
                cut_short += 1;
            }
        }
    }
    assert!(cut_short > KILLS / 5, "too few of the kills met a sync: {cut_short}");

    let last = world.run(&["sync"]).await;
    assert_eq!(last.status, 0, "{last:?}");
    let again = world.run(&["sync"]).await;
    let bookings = &again.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{again:?}");
    let published = again.document["busy"]["sources"].as_array().unwrap().iter();
    assert!(published.clone().all(|source| source["published"] == false), "{again:?}");

    let state = world.state().await;
    let now: Timestamp = state["now"].as_str().unwrap().parse().unwrap();
    let mut events = live_events(&state);
    for booking in state["bookings"].as_array().unwrap() {
        let id = booking["id"].as_str().unwrap();
        let (start, end) = (instant(&booking["start"]), instant(&booking["end"]));
        let stands = matches!(booking["status"].as_str(), Some("pending" | "confirmed")) && end > now;
        let found = events.remove(id).unwrap_or_default();
        if stands {
            assert_eq!(found, [(start, end)], "one event, where the booking is: {booking}");
        } else if matches!(booking["status"].as_str(), Some("cancelled" | "no_show")) && end > now {
            assert_eq!(found, [], "no event for a booking that does not stand: {booking}");
        }
    }
    assert_eq!(
        events.keys().collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "events of bookings that do not exist"
    );

    // Her own events are as they were: what she made is there, and blocks.
    let busy = world.run(&["busy"]).await;
    let titles: Vec<&str> = busy.document["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["summary"].as_str())
        .collect();
    for round in (5..KILLS).filter(|round| round % 4 == 3) {
        let title = format!("Errand {round}");
        assert_eq!(titles.iter().filter(|seen| **seen == title).count(), 1, "{title}");
    }
}

/// Something that a customer or the vendor does between two syncs.
async fn change(world: &World, round: u64, random: &mut Random) {
    let state = world.state().await;
    let now: Timestamp = state["now"].as_str().unwrap().parse().unwrap();
    let standing: Vec<&str> = state["bookings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|booking| booking["status"] == "confirmed" && instant(&booking["start"]) > now)
        .filter_map(|booking| booking["id"].as_str())
        .collect();
    let any = || standing[usize::try_from(random.0 % standing.len() as u64).unwrap()];
    match round % 4 {
        0 => world.try_edit(json!({ "as": "customer", "do": "book" })).await,
        1 => world.try_edit(json!({ "as": "customer", "do": "reschedule", "booking": any() })).await,
        2 => world.try_edit(json!({ "as": "customer", "do": "cancel", "booking": any() })).await,
        _ => {
            let start = now.checked_add(Duration::from_secs(86_400 + round * 7_200)).unwrap();
            let end = start.checked_add(Duration::from_secs(1_800)).unwrap();
            let edit = json!({
                "as": "vendor", "do": "create_event", "summary": format!("Errand {round}"),
                "start": start.to_string(), "end": end.to_string(),
            });
            world.try_edit(edit).await;
        }
    }
    random.below(1);
}

/// Live events that name a booking, by booking.
fn live_events(state: &Value) -> BTreeMap<String, Vec<(Timestamp, Timestamp)>> {
    let mut found = BTreeMap::<String, Vec<_>>::new();
    for calendar in state["calendars"].as_array().unwrap() {
        for event in calendar["events"].as_array().unwrap() {
            if let (Some(booking), true) = (event["booking_id"].as_str(), event["status"] != "cancelled") {
                found
                    .entry(booking.to_owned())
                    .or_default()
                    .push((instant(&event["start"]), instant(&event["end"])));
            }
        }
    }
    found
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
