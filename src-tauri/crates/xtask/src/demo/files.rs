//! Calendar files travel in and out: one of hers is taken in, nothing is new the second time, and what goes out comes
//! back as nothing.

use super::cast::{Companion, Sandbox};
use super::ledger::Ledger;
use anyhow::{Context, Result};
use serde_json::Value;

pub fn travel(companion: &Companion, sandbox: &Sandbox, ledger: &mut Ledger) -> Result<()> {
    ledger.scene("She takes a calendar file in: one busy time, one free one.");
    let open = open_slots(&sandbox.state()?);
    let slot = open.first().context("no open slot for her busy time")?;
    let night = format!("{}T081000Z", day_after(slot, &open)?);
    let file = companion.profile.path().join("course.ics");
    std::fs::write(&file, course(slot, &night)).context("writing her file")?;
    let name = file.to_string_lossy().into_owned();

    let preview = first_file(&companion.types(&["import", "--dry-run", &name], "")?);
    ledger.check(
        open_slots(&sandbox.state()?) == open && preview["events"]["new"] == 2,
        "the preview names 2 new events and changed nothing",
    );
    let taken = first_file(&companion.types(&["import", &name], "")?);
    let now = open_slots(&sandbox.state()?);
    let opened = now.iter().any(|slot| compact(&slot["start"]) == night);
    ledger.check(
        opened && taken["slots_created"] == 1,
        "its free time became a slot, in the night that nobody offers",
    );
    ledger.check(
        !now.iter().any(|other| other["id"] == slot["id"]) && taken["busy_blocks"] == 1,
        &format!("its busy time closed the slot at {}", slot["start"].as_str().unwrap_or_default()),
    );
    let again = first_file(&companion.types(&["import", &name], "")?);
    ledger.check(
        again["outcome"] == "unchanged" && open_slots(&sandbox.state()?) == now,
        "the same file again is nothing new",
    );

    ledger.scene("Her schedule goes out as a file, and comes back.");
    let out = companion.profile.path().join("schedule.ics");
    let path = out.to_string_lossy().into_owned();
    let (from, to) = (text(&slot["start"])[..10].to_owned(), day_of(&night));
    let sent = companion.types(&["export", "--from", &from, "--to", &to, "-o", &path], "")?;
    let events = sent["events"].as_u64().unwrap_or_default();
    ledger.check(events > 0 && out.is_file(), &format!("{events} bookings and slots written"));
    let back = first_file(&companion.types(&["import", "--dry-run", &path], "")?);
    ledger.check(
        back["events"]["new"] == 0 && back["slots_created"] == 0,
        "taken in again, her own file makes nothing",
    );
    Ok(())
}

fn course(slot: &Value, night: &str) -> String {
    let (start, end) = (compact(&slot["start"]), compact(&slot["end"]));
    let until = night.replace("T081000Z", "T084000Z");
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//A course//EN",
        "BEGIN:VEVENT",
        "UID:lesson@course.example",
        "DTSTAMP:20260101T000000Z",
        &format!("DTSTART:{start}"),
        &format!("DTEND:{end}"),
        "SUMMARY:Colour theory",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:free@course.example",
        "DTSTAMP:20260101T000000Z",
        &format!("DTSTART:{night}"),
        &format!("DTEND:{until}"),
        "TRANSP:TRANSPARENT",
        "SUMMARY:Free for customers",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n")
}

/// A later day on which something is open, so that it lies within what is published.
fn day_after(slot: &Value, open: &[Value]) -> Result<String> {
    let first = text(&slot["start"])[..10].to_owned();
    let later = open.iter().map(|slot| text(&slot["start"])[..10].to_owned()).find(|day| *day > first);
    Ok(later.context("slots are open on one day only")?.replace('-', ""))
}

fn day_of(compact: &str) -> String {
    format!("{}-{}-{}", &compact[..4], &compact[4..6], &compact[6..8])
}

/// `2026-11-27T14:00:00Z` as a calendar file writes it.
fn compact(instant: &Value) -> String {
    text(instant).replace(['-', ':'], "")
}

fn open_slots(state: &Value) -> Vec<Value> {
    let now = text(&state["now"]);
    let slots = state["slots"].as_array().cloned().unwrap_or_default();
    let mut open: Vec<Value> =
        slots.into_iter().filter(|slot| slot["is_available"] == true && text(&slot["start"]) > now).collect();
    open.sort_by_key(|slot| text(&slot["start"]));
    open
}

fn first_file(document: &Value) -> Value {
    document["files"][0].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
