//! Slots on the sandbox's database: made once however often they are asked for, and never at anybody's cost.

use std::time::Instant;

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::error::ServiceError;
use sync::ids::SlotId;
use sync::ports::{Platform, Slot, SlotMade};

use super::{World, now};

const ROUTE: &str = "POST /rest/v1/availability_slots";

/// A minute of a year that the seeded life does not reach.
fn at(minute: i64) -> Timestamp {
    "2029-03-05T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn slot(number: usize, start: i64, end: i64) -> Slot {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &number.to_be_bytes());
    Slot { id: SlotId(id.to_string()), span: Interval::new(at(start), at(end)).unwrap(), open: true }
}

/// Slots of half an hour, one after the other.
fn slots(count: usize) -> Vec<Slot> {
    (0..count)
        .map(|number| (number, i64::try_from(number).unwrap() * 30))
        .map(|(n, m)| slot(n, m, m + 30))
        .collect()
}

fn everything() -> Interval {
    Interval::new(at(-60), at(100_000)).unwrap()
}

impl World {
    async fn state(&self) -> Value {
        self.browser
            .get(format!("{}/_sandbox/state", self.sandbox.base_url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn fault_at(&self, route: &str, kind: &str) {
        let fault = json!({"service": "bookiji", "route": route, "kind": kind, "times": 1});
        self.control("faults", fault).await;
    }

    fn requests(&self) -> u64 {
        self.http.counters().reset().get("bookiji").copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn a_thousand_slots_cost_five_requests_and_stand_however_often_they_are_made() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = slots(1000);
    world.requests();
    let began = Instant::now();
    assert_eq!(platform.create_slots(&wanted).await.unwrap(), vec![SlotMade::Stands; 1000]);
    let took = began.elapsed();
    assert_eq!(world.requests(), 5);
    assert!(took.as_secs() < 5, "{took:?}");
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted);
    assert_eq!(world.requests(), 1, "a thousand rows are one page");

    let upper: Vec<Slot> =
        wanted.iter().map(|slot| Slot { id: SlotId(slot.id.0.to_uppercase()), ..slot.clone() }).collect();
    assert_eq!(platform.create_slots(&upper).await.unwrap(), vec![SlotMade::Stands; 1000]);
    assert_eq!(world.requests(), 15);
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted, "and no second of any");
}

#[tokio::test]
async fn more_slots_than_a_page_holds_are_all_read() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = slots(2300);
    platform.create_slots(&wanted).await.unwrap();
    world.requests();
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted);
    assert_eq!(world.requests(), 3);
    world.fault_at("GET", "short_page").await;
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted, "a short page is not the last");
    let part = Interval::new(at(45), at(120)).unwrap();
    assert_eq!(platform.slots(part).await.unwrap(), wanted[1..4], "what touches the window is outside it");
}

#[tokio::test]
async fn what_went_wrong_on_the_way_is_made_good_by_the_same_call() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = slots(450);
    for kind in ["reset", "reply_lost", "truncated", "html", "status:500", "status:503"] {
        world.fault_at(ROUTE, kind).await;
        let error = platform.create_slots(&wanted).await.unwrap_err();
        assert!(error.outcome_unknown(), "{kind} {error:?}");
    }
    world.fault_at(ROUTE, "rate_limited").await;
    let error = platform.create_slots(&wanted).await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait.as_secs() == 2), "{error:?}");
    assert_eq!(platform.create_slots(&wanted).await.unwrap(), vec![SlotMade::Stands; 450]);
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted);

    for kind in ["reset", "truncated", "html", "status:502"] {
        world.fault_at("GET", kind).await;
        let error = platform.slots(everything()).await.unwrap_err();
        assert!(error.may_pass(), "{kind} {error:?}");
    }
    world.fault_at("DELETE", "reply_lost").await;
    assert!(platform.remove_slot(&wanted[0]).await.unwrap_err().outcome_unknown());
    assert!(matches!(platform.remove_slot(&wanted[0]).await, Err(ServiceError::Gone { .. })));
    world.fault_at("DELETE", "reset").await;
    assert!(platform.remove_slot(&wanted[1]).await.unwrap_err().outcome_unknown());
    platform.remove_slot(&wanted[1]).await.unwrap();
    assert_eq!(platform.slots(everything()).await.unwrap(), wanted[2..]);
}

#[tokio::test]
async fn one_slot_in_the_way_stops_one_slot() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = slots(600);
    let standing = [slot(9000, 45, 50), slot(9001, 7 * 30, 8 * 30), slot(9002, 450 * 30 + 10, 450 * 30 + 20)];
    assert_eq!(platform.create_slots(&standing).await.unwrap(), vec![SlotMade::Stands; 3]);
    let busy = json!({"start": at(300 * 30).to_string(), "end": at(301 * 30).to_string(), "open": false});
    world.vendor_does("create_slot", busy).await;
    world.requests();
    let made = platform.create_slots(&wanted).await.unwrap();
    for (place, made) in made.iter().enumerate() {
        let expected = match place {
            1 | 450 => SlotMade::Overlaps,
            7 | 300 => SlotMade::Taken,
            _ => SlotMade::Stands,
        };
        assert_eq!(*made, expected, "{place}");
    }
    assert_eq!(world.requests(), 9, "each refused list is looked at once and sent once more");
    assert_eq!(platform.slots(everything()).await.unwrap().len(), 596 + 4);
}

#[tokio::test]
async fn slots_that_exclude_each_other_let_the_first_have_its_way() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = [slot(1, 0, 30), slot(2, 15, 45), slot(3, 0, 30), slot(4, 30, 60), slot(1, 0, 30)];
    let made = platform.create_slots(&wanted).await.unwrap();
    let expected =
        [SlotMade::Stands, SlotMade::Overlaps, SlotMade::Taken, SlotMade::Stands, SlotMade::Stands];
    assert_eq!(made[..4], expected[..4]);
    assert_eq!(platform.slots(everything()).await.unwrap(), [slot(1, 0, 30), slot(4, 30, 60)]);
}

#[tokio::test]
async fn a_slot_that_was_booked_closed_or_moved_meanwhile_stays() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let wanted = slots(3);
    platform.create_slots(&wanted).await.unwrap();
    world.control("edit", json!({"as": "customer", "do": "book", "slot": wanted[0].id})).await;
    world.vendor_does("block_time", json!({"start": at(30).to_string(), "end": at(60).to_string()})).await;
    let moved = Slot { span: Interval::new(at(60), at(89)).unwrap(), ..wanted[2].clone() };
    for slot in [&wanted[0], &wanted[1], &moved] {
        assert!(matches!(platform.remove_slot(slot).await, Err(ServiceError::Stale { .. })), "{slot:?}");
    }
    let there = platform.slots(everything()).await.unwrap();
    assert_eq!(there.iter().map(|slot| slot.open).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(
        platform.create_slots(&wanted).await.unwrap(),
        vec![SlotMade::Stands; 3],
        "what we made stands, closed or not"
    );
    platform.remove_slot(&wanted[2]).await.unwrap();
}

#[tokio::test]
async fn another_vendors_slots_are_neither_read_nor_touched() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let neighbour = world.state().await["neighbour"].clone();
    assert_ne!(neighbour["id"], vendor.id.as_str());
    let theirs: Vec<Slot> = serde_json::from_value(json!(
        neighbour["slots"]
            .as_array()
            .unwrap()
            .iter()
            .map(|slot| json!({"id": slot["id"], "open": true,
                "span": {"start": slot["start"], "end": slot["end"]}}))
            .collect::<Vec<_>>()
    ))
    .unwrap();
    assert!(theirs.len() > 5);
    let year = Interval::new(now(), at(0)).unwrap();
    let seen = platform.slots(year).await.unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|slot| theirs.iter().all(|other| other.id != slot.id)));
    for slot in &theirs {
        assert!(matches!(platform.remove_slot(slot).await, Err(ServiceError::Gone { .. })));
    }
    // Their time is free here; their ids are not.
    let squatted = Slot { id: theirs[0].id.clone(), ..slot(1, 0, 30) };
    let made = platform.create_slots(&[slot(2, 30, 60), squatted]).await.unwrap();
    assert_eq!(made[0], SlotMade::Stands);
    assert!(matches!(made[1], SlotMade::Refused(ServiceError::Exists { .. })), "{made:?}");
    let database = world.gotrue().database(&neighbour["id"].as_str().unwrap().into());
    let posing = platform.clone().with_slots(database);
    let error = posing.create_slots(&[slot(3, 60, 90)]).await.unwrap_err();
    assert!(matches!(error, ServiceError::Forbidden { .. }), "{error:?}");
    for slot in &theirs {
        assert!(posing.remove_slot(slot).await.is_err());
    }
    assert_eq!(world.state().await["neighbour"], neighbour);
}

#[tokio::test]
async fn a_session_that_expires_between_two_lists_is_renewed() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    platform.create_slots(&slots(10)).await.unwrap();
    world.control("clock", json!({"advance_s": 3700})).await;
    assert_eq!(platform.create_slots(&slots(300)).await.unwrap(), vec![SlotMade::Stands; 300]);
    world.fault("bookiji", "token_revoked").await;
    let error = platform.slots(everything()).await.unwrap_err();
    assert!(matches!(error, ServiceError::SignInExpired { .. }), "{error:?}");
}
