//! `kill -9` at random moments of a sync, fifty times; after each, one clean sync must leave what an undisturbed one
//! would have: every booking once, at its time, and nothing else of ours.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::World;

const KILLS: u32 = 50;
/// Some syncs are done before they can be killed. More rounds than this mean that nearly all are.
const ROUNDS: u32 = 300;

/// Pseudo-random numbers that are the same in every run (Numerical Recipes' LCG), so that a failure can be had again.
struct Dice(u32);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_killed_at_any_moment_is_healed_by_the_next() {
    let world = World::connected().await;
    let mut dice = Dice(7);
    // Most of a request's time lies between its work and its answer, so that most kills leave work done that nobody
    // heard of.
    world.fault(json!({"service": "google", "kind": "slow_reply:25", "probability": 1.0})).await;
    world.fault(json!({"service": "bookiji", "kind": "slow_reply:25", "probability": 1.0})).await;
    let mut cut_short = 0;
    let mut round = 0;
    while cut_short < KILLS {
        round += 1;
        assert!(round < ROUNDS, "only {cut_short} syncs were still running when they were killed");
        for _ in 0..3 {
            change_something(&world, &mut dice).await;
        }
        let mut child = world.spawn(&["sync"]);
        // The first sync has everything to do; later ones have less.
        let longest = if round < 5 { 1200 } else { 350 };
        let moment = Duration::from_millis(u64::from(dice.roll(longest)));
        let ended = tokio::time::timeout(moment, child.wait()).await;
        if ended.is_err() {
            cut_short += 1;
            child.kill().await.unwrap();
        }
        // Every few rounds the next sync is killed too before anything may heal.
        if round % 4 == 3 {
            continue;
        }
        let clean = world.run(&["sync"]).await;
        assert_eq!(clean.status, 0, "round {round}: {clean:?}");
        hold(&world.state().await, round);
    }
    let clean = world.run(&["sync"]).await;
    assert_eq!(clean.status, 0, "{clean:?}");
    hold(&world.state().await, round);
    let settled = world.run(&["sync"]).await;
    let bookings = &settled.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{settled:?}");
    assert!(settled.document["busy"]["sources"].as_array().unwrap().iter().all(|s| s["published"] == false));
}

/// One thing that a customer or the vendor does. Some are impossible at times (no free slot, nothing to cancel): then
/// nothing happens.
async fn change_something(world: &World, dice: &mut Dice) {
    let state = world.state().await;
    let live: Vec<&str> = state["bookings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|booking| is_live(booking))
        .filter_map(|booking| booking["id"].as_str())
        .collect();
    let any = live.get(dice.roll(u32::try_from(live.len().max(1)).unwrap()) as usize);
    let edit = match (dice.roll(5), any) {
        (0 | 1, _) => json!({"as": "customer", "do": "book"}),
        (2, Some(id)) => json!({"as": "customer", "do": "reschedule", "booking": id}),
        (3, Some(id)) => json!({"as": "customer", "do": "cancel", "booking": id}),
        _ => {
            let start = Timestamp::from_second(now() + 86_400 + i64::from(dice.roll(400)) * 3600).unwrap();
            let end = Timestamp::from_second(start.as_second() + 5400).unwrap();
            json!({"as": "vendor", "do": "create_event", "summary": "hers", "start": start, "end": end})
        }
    };
    world.try_edit(edit).await;
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

fn is_live(booking: &Value) -> bool {
    let end: Timestamp = booking["end"].as_str().unwrap().parse().unwrap();
    matches!(booking["status"].as_str(), Some("pending" | "confirmed")) && end.as_second() > now() + 60
}

pub fn hold(state: &Value, round: u32) {
    let mut standing: BTreeMap<&str, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
    for calendar in state["calendars"].as_array().unwrap() {
        for event in calendar["events"].as_array().unwrap() {
            if let (Some(booking), true) = (event["booking_id"].as_str(), event["status"] != "cancelled") {
                let time = |key: &str| event[key].as_str().unwrap().parse::<Timestamp>().unwrap();
                standing.entry(booking).or_default().push((time("start"), time("end")));
            }
        }
    }
    let bookings = state["bookings"].as_array().unwrap();
    for booking in bookings.iter().filter(|booking| is_live(booking)) {
        let time = |key: &str| booking[key].as_str().unwrap().parse::<Timestamp>().unwrap();
        let events = standing.remove(booking["id"].as_str().unwrap()).unwrap_or_default();
        assert_eq!(events, [(time("start"), time("end"))], "round {round}: {booking}");
    }
    standing.retain(|id, _| {
        bookings.iter().any(|booking| booking["id"] == **id && booking["status"] == "cancelled")
    });
    assert!(standing.is_empty(), "round {round}: events of cancelled bookings still stand: {standing:?}");
}
