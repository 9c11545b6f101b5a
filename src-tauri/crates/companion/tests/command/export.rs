//! Her schedule as a file: what is in it, what is said where something could not be had, and what is never written over.

use std::path::Path;

use calendar::busy::{BusyRules, place};
use calendar::event::Transparency;
use calendar::ics::{self, Calendar};
use calendar::interval::Interval;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::world::{Said, World, command};

const RANGE: [&str; 4] = ["--from", "2020-01-01", "--to", "2024-12-31"];

fn read(path: &Path) -> Calendar {
    let (calendar, problems) = ics::read(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(problems, []);
    calendar
}

/// Start and end of everything in the file whose summary begins like that, as the state tells times.
fn spans(calendar: &Calendar, begins: &str) -> Vec<(Timestamp, Timestamp)> {
    let always =
        Interval::new("2000-01-01T00:00:00Z".parse().unwrap(), "2100-01-01T00:00:00Z".parse().unwrap());
    let placed = place(&calendar.events, &BusyRules::default(), always.unwrap(), &TimeZone::UTC);
    let mut spans: Vec<_> = placed
        .occurrences
        .iter()
        .filter(|occurrence| occurrence.summary.starts_with(begins))
        .map(|occurrence| (occurrence.start, occurrence.end))
        .collect();
    spans.sort();
    spans
}

fn rows<'a>(
    state: &'a Value,
    what: &str,
    wanted: impl Fn(&Value) -> bool + 'a,
) -> Vec<(Timestamp, Timestamp)> {
    let at = |row: &Value, key: &str| row[key].as_str().unwrap().parse().unwrap();
    let mut rows: Vec<_> = state[what]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| wanted(row))
        .map(|row| (at(row, "start"), at(row, "end")))
        .collect();
    rows.sort();
    rows
}

/// Her today, as the sandbox has it.
async fn today(world: &World) -> jiff::Zoned {
    let zone = TimeZone::get(&world.sandbox.vendor_zone).unwrap();
    let now: Timestamp = world.state().await["now"].as_str().unwrap().parse().unwrap();
    now.to_zoned(zone).start_of_day().unwrap()
}

/// From yesterday, for a year.
async fn export(world: &World, more: &[&str]) -> Said {
    let today = today(world).await;
    let from = today.yesterday().unwrap().date().to_string();
    let to = (today.date() + jiff::Span::new().years(1)).to_string();
    world.run(&[&["export", "--from", &from, "--to", &to], more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_bookings_and_slots_is_in_the_file_once_each_and_the_same_twice() {
    let world = World::connected().await;
    let (one, two) = (world.profile.path().join("one.ics"), world.profile.path().join("two.ics"));
    let said = export(&world, &["-o", one.to_str().unwrap()]).await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.document["path"], one.display().to_string());
    assert_eq!(export(&world, &["-o", two.to_str().unwrap()]).await.status, 0);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap(), "byte for byte");

    let state = world.state().await;
    let now: Timestamp = state["now"].as_str().unwrap().parse().unwrap();
    let coming = move |row: &Value| row["end"].as_str().unwrap().parse::<Timestamp>().unwrap() > now;
    let stands =
        |row: &Value| ["pending", "confirmed", "completed"].contains(&row["status"].as_str().unwrap());
    let file = read(&one);
    let bookings = rows(&state, "bookings", |row| stands(row) && coming(row));
    assert!(bookings.len() > 10, "there is something to tell");
    assert_eq!(spans(&file, "Booking"), bookings);
    assert_eq!(
        spans(&file, "Available"),
        rows(&state, "slots", |row| row["is_available"] == true && coming(row))
    );
    assert_eq!(spans(&file, "Blocked"), []);
    assert_eq!(said.document["events"], file.events.len());
    assert!(file.events.iter().all(|event| {
        (event.transparency == Transparency::Transparent) == (event.summary == "Available")
    }));

    // What was exported is known again: nothing of it is taken for time of hers.
    let path = one.to_str().unwrap();
    let busy = world.run(&["busy", path, "--from", "2020-01-01", "--to", "2040-01-01"]).await;
    assert_eq!(busy.document["intervals"], json!([]), "{busy:?}");
    assert_eq!(busy.document["events"].as_array().unwrap().len(), file.events.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_slots_come_where_asked_and_a_booked_one_is_its_booking() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let path = world.profile.path().join("all.ics");
    let said = export(&world, &["--include-blocked", "--include-past", "-o", path.to_str().unwrap()]).await;
    assert_eq!(said.status, 0, "{said:?}");
    let state = world.state().await;
    let stands =
        |row: &Value| ["pending", "confirmed", "completed"].contains(&row["status"].as_str().unwrap());
    let booked = rows(&state, "bookings", stands);
    let from = today(&world).await.yesterday().unwrap().timestamp();
    let closed: Vec<_> = rows(&state, "slots", |row| row["is_available"] == false)
        .into_iter()
        .filter(|span| !booked.contains(span) && span.1 > from)
        .collect();
    assert!(!closed.is_empty(), "her calendar closes some");
    assert_eq!(spans(&read(&path), "Blocked"), closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_reads_what_is_new_and_leaves_it_to_the_next_sync() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let path = world.profile.path().join("a.ics");
    let before = export(&world, &["-o", path.to_str().unwrap()]).await;
    assert!(world.try_edit(json!({ "as": "customer", "do": "book" })).await);
    let after = export(&world, &["-o", path.to_str().unwrap()]).await;
    let count = |said: &Said| said.document["bookings"].as_u64().unwrap();
    assert_eq!(count(&after), count(&before) + 1);
    let sync = world.run(&["sync"]).await;
    assert_eq!(sync.document["bookings"]["created"], 1, "{sync:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_bookiji_the_bookings_are_told_as_they_were_and_it_is_said() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let path = world.profile.path().join("a.ics");
    for kind in ["reset", "status:503", "html"] {
        world.fault(json!({ "service": "bookiji", "kind": kind })).await;
        let said = export(&world, &["-o", path.to_str().unwrap()]).await;
        assert_eq!(said.status, 4, "{kind}: {said:?}");
        assert_eq!((&said.document["fresh"], &said.document["slots"]), (&json!(false), &json!(0)));
        let message = said.error["message"].as_str().unwrap();
        assert!(message.contains("as they were last read") && message.contains("no slots"), "{message}");
        assert_eq!(spans(&read(&path), "Booking").len() as u64, said.document["bookings"].as_u64().unwrap());
        assert!(said.document["bookings"].as_u64().unwrap() > 10, "{said:?}");
        world.heal().await;
    }
    let output = command(world.profile.path())
        .args(["--json", "export", "-o", path.to_str().unwrap()])
        .args(RANGE)
        .env("COMPANION_PASSPHRASE", "another one")
        .output()
        .await
        .unwrap();
    let said = crate::world::said(&output);
    assert_eq!((said.status, &said.error["code"]), (4, &json!("KEYCHAIN_UNAVAILABLE")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_or_meant_is_refused_before_anything_is_asked() {
    let world = World::start().await;
    let folder = world.profile.path().to_str().unwrap();
    for (words, said) in [
        (["--from", "2026-02-01", "--to", "2026-01-31", "-o", "x.ics"], "is before"),
        (["--from", "2026-01-01", "--to", "2036-01-01", "-o", "x.ics"], "more than 5 years"),
        (["--from", "today", "--to", "2026-01-01", "-o", "x.ics"], "is no day"),
        (["--from", "2026-01-01", "--to", "2026-02-01", "-o", folder], "is a folder"),
        (["--from", "2026-01-01", "--to", "2026-02-01", "-o", "-"], "not both"),
        (["--from", "2026-01-01", "--to", "2026-02-01", "-o", "nowhere/x.ics"], "not there"),
    ] {
        let refused = world.run(&[&["export"], &words[..]].concat()).await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
        assert!(refused.error["message"].as_str().unwrap().contains(said), "{refused:?}");
        assert_eq!(refused.document, Value::Null);
    }
    let nobody = world.run(&[&["export", "-o", &format!("{folder}/x.ics")], &RANGE[..]].concat()).await;
    assert_eq!(nobody.error["code"], "NOT_SIGNED_IN");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_stdout_there_is_the_file_and_nothing_else() {
    let world = World::connected().await;
    let output = command(world.profile.path())
        .args(["export", "-o", "-", "--describe", "none"])
        .args(RANGE)
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_and_an_invitation_that_come_back_as_files_make_nothing() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let (schedule, invite) = (world.profile.path().join("mine.ics"), world.profile.path().join("ask.ics"));
    let said = export(&world, &["--include-blocked", "-o", schedule.to_str().unwrap()]).await;
    assert_eq!(said.status, 0, "{said:?}");
    let before = world.state().await;
    let now = before["now"].as_str().unwrap();
    let bookings = before["bookings"].as_array().unwrap();
    let coming =
        bookings.iter().find(|row| row["status"] == "confirmed" && row["start"].as_str().unwrap() > now);
    let id = coming.unwrap()["id"].as_str().unwrap();
    assert_eq!(world.run(&["invite", id, "-o", invite.to_str().unwrap()]).await.status, 0);

    let import = world.run(&["import", schedule.to_str().unwrap(), invite.to_str().unwrap()]).await;
    assert_eq!(import.status, 0, "{import:?}");
    for file in import.document["files"].as_array().unwrap() {
        for key in ["slots_created", "busy_blocks"] {
            assert_eq!(file[key], 0, "{file}");
        }
        assert_eq!((&file["events"]["new"], &file["conflicts"]), (&json!(0), &json!([])), "{file}");
    }
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let after = world.state().await;
    for what in ["slots", "busy", "bookings"] {
        assert_eq!(after[what], before[what], "{what}");
    }
}
