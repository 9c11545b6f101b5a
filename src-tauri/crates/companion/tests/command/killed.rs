//! `kill -9` at random moments of a sync, an answer or an import; after each, clean runs must leave what undisturbed ones
//! would have: every booking once, at its time, every imported busy time blocked, and nothing else of ours.
//!
//! `cargo xtask kills --times N --seed S` does more of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::World;

/// What a test has time for.
const KILLS: u32 = 50;
/// Some commands are done before they can be killed. More rounds than this for each kill mean that nearly all are.
const ROUNDS: u32 = 6;

/// Pseudo-random numbers that are the same in every run (Numerical Recipes' LCG), so that a failure can be had again.
pub struct Dice(pub u32);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides
    }
}

fn asked(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_at_any_moment_is_healed_by_the_next() {
    let kills = asked("COMPANION_KILLS").unwrap_or(KILLS);
    let seed = asked("COMPANION_KILLS_SEED").unwrap_or(7);
    let (world, mut dice) = (World::connected().await, Dice(seed));
    // Most of a request's time lies between its work and its answer, so that most kills leave work done that nobody
    // heard of.
    world.fault(json!({"service": "google", "kind": "slow_reply:25", "probability": 1.0})).await;
    world.fault(json!({"service": "bookiji", "kind": "slow_reply:25", "probability": 1.0})).await;
    let began = Instant::now();
    let mut story: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut imported = Vec::new();
    let mut cut_short = 0;
    let mut round = 0;
    while cut_short < kills {
        round += 1;
        assert!(
            round < 20 + kills * ROUNDS,
            "only {cut_short} commands were still running when they were killed"
        );
        for _ in 0..3 {
            change_something(&world, &mut dice).await;
        }
        // The first sync has everything to do; later ones have less.
        let (name, words) = if round < 5 {
            ("sync", vec!["sync".to_owned()])
        } else {
            command(&world, &mut dice, round, &mut imported).await
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut child = world.spawn(&words);
        let longest = if round < 5 { 1200 } else { 350 };
        let moment = Duration::from_millis(u64::from(dice.roll(longest)));
        let ended = tokio::time::timeout(moment, child.wait()).await;
        let (tried, killed) = story.entry(name).or_default();
        *tried += 1;
        if ended.is_err() {
            cut_short += 1;
            *killed += 1;
            child.kill().await.unwrap();
        }
        // Every few rounds the next command is killed too before anything may heal.
        if round % 4 == 3 && cut_short < kills {
            continue;
        }
        heal(&world, &imported, round).await;
        hold(&world.state().await, &imported, round);
    }
    let settled = world.run(&["sync"]).await;
    let bookings = &settled.document["bookings"];
    assert_eq!([&bookings["created"], &bookings["updated"], &bookings["removed"]], [0, 0, 0], "{settled:?}");
    assert!(settled.document["busy"]["sources"].as_array().unwrap().iter().all(|s| s["published"] == false));
    assert!(kills < KILLS || story.len() == 3, "all three were tried: {story:?}");
    if asked("COMPANION_KILLS").is_some() {
        let told: Vec<String> = story
            .iter()
            .map(|(name, (tried, killed))| format!("{name}: {killed} of {tried} killed"))
            .collect();
        let seconds = began.elapsed().as_secs_f64();
        eprintln!(
            "seed {seed}: {cut_short} kills in {round} rounds ({}), {seconds:.0} s. All healed.",
            told.join(", ")
        );
    }
}

/// What is run and may be killed: mostly a sync; now and then an answer to a question, or an import.
async fn command(
    world: &World,
    dice: &mut Dice,
    round: u32,
    imported: &mut Vec<(String, Timestamp)>,
) -> (&'static str, Vec<String>) {
    match dice.roll(10) {
        0..3 => {
            if let Some(card) = question(world, dice).await {
                let options = card["options"].as_array().unwrap();
                let option = if options.contains(&json!("cancel")) && dice.roll(2) == 0 {
                    "cancel"
                } else {
                    "put_back"
                };
                return (
                    "decide",
                    vec!["decide".to_owned(), card["id"].as_str().unwrap().to_owned(), option.to_owned()],
                );
            }
            ("sync", vec!["sync".to_owned()])
        }
        3..6 => {
            let start = Timestamp::from_second(now() + 86_400 + i64::from(dice.roll(600)) * 3600).unwrap();
            let written = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
            let end = Timestamp::from_second(start.as_second() + 1800).unwrap();
            let text = format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:file-{round}\r\nDTSTART:{}\r\nDTEND:{}\r\n\
                 END:VEVENT\r\nEND:VCALENDAR\r\n",
                written(start),
                written(end)
            );
            let path = world.profile.path().join(format!("{round}.ics"));
            std::fs::write(&path, text).unwrap();
            imported.push((path.display().to_string(), start));
            ("import", vec!["import".to_owned(), path.display().to_string()])
        }
        _ => ("sync", vec!["sync".to_owned()]),
    }
}

/// She moves or deletes an event of a booking, and a clean sync asks about it.
async fn question(world: &World, dice: &mut Dice) -> Option<Value> {
    let state = world.state().await;
    let calendars = state["calendars"].as_array().unwrap().iter();
    let lies_ahead = |event: &&Value| {
        event["booking_id"].is_string()
            && event["status"] != "cancelled"
            && event["start"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second() > now() + 7200
    };
    let events: Vec<Value> = calendars
        .flat_map(|calendar| calendar["events"].as_array().unwrap().iter().filter(lies_ahead))
        .cloned()
        .collect();
    let event = events.get(dice.roll(u32::try_from(events.len().max(1)).unwrap()) as usize)?;
    let edit = match dice.roll(2) {
        0 => json!({"as": "vendor", "do": "move_event", "event": event["id"], "by_minutes": 45}),
        _ => json!({"as": "vendor", "do": "delete_event", "event": event["id"]}),
    };
    world.try_edit(edit).await;
    world.run(&["sync"]).await;
    let listed = world.run(&["decisions"]).await;
    listed.document["decisions"].as_array()?.iter().find(|card| card["kind"] != "held_deletion").cloned()
}

/// What she would do next: give the file again, and answer what waits.
async fn heal(world: &World, imported: &[(String, Timestamp)], round: u32) {
    if let Some((path, _)) = imported.last() {
        let again = world.run(&["import", path]).await;
        assert!([0, 3].contains(&again.status), "round {round}: {again:?}");
    }
    let mut last = world.run(&["sync"]).await;
    for _ in 0..5 {
        if last.status == 0 {
            return;
        }
        assert_eq!(last.status, 3, "round {round}: {last:?}");
        for card in world.run(&["decisions"]).await.document["decisions"].as_array().unwrap() {
            let options = card["options"].as_array().unwrap();
            let offered = ["put_back", "remove", "leave"];
            let option = offered.into_iter().find(|option| options.contains(&json!(option))).unwrap();
            world.run(&["decide", card["id"].as_str().unwrap(), option]).await;
        }
        last = world.run(&["sync"]).await;
    }
    panic!("round {round}: {last:?}");
}

/// One thing that a customer or the vendor does. Some are impossible at times (no free slot, nothing to cancel): then
/// nothing happens.
pub async fn change_something(world: &World, dice: &mut Dice) {
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

pub fn hold(state: &Value, imported: &[(String, Timestamp)], round: u32) {
    let busy = state["busy"].as_array().unwrap();
    let covers = |at: Timestamp| {
        let time = |one: &Value, key: &str| one[key].as_str().unwrap().parse::<Timestamp>().unwrap();
        busy.iter().any(|one| time(one, "start") <= at && at < time(one, "end"))
    };
    // One that was killed before it took the file in, and again before anybody gave it anew, is not there.
    if let Some((path, start)) = imported.last() {
        assert!(covers(*start), "round {round}: {path} blocks nothing at {start}");
    }

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
