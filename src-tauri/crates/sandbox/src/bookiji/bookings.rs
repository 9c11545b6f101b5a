//! Bookings over HTTP: the delta, one, cancel, reschedule, create, and the change hints.

use axum::extract::State;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::lease::Door;
use super::platform::{Booking, BookingAsk, Change, Status};
use super::problem::Problem;
use super::proposals::Proposal;
use super::request::{answer, data, instant, nullable_text, optional_text, text, write};
use crate::app::App;
use crate::faults::Quirk;
use crate::time::zulu_ms;
use crate::wire::Call;
use crate::world::World;

const MOST: usize = 200;
const USUAL: usize = 100;

/// Without a cursor everything there is, oldest change first; with one, what changed since.
pub async fn list(State(app): State<App>, call: Call) -> Response {
    let lost = call.query("cursor").is_some() && app.misbehaves(&call, Quirk::CursorLost);
    let empty = app.misbehaves(&call, Quirk::EmptyListing);
    let short = app.misbehaves(&call, Quirk::ShortPage);
    let duplicate = call.query("cursor").is_some() && app.misbehaves(&call, Quirk::DuplicatePage);
    let reordered = app.misbehaves(&call, Quirk::Reordered);
    let mut listed = answer(&app, &call, |world, now| {
        let mut limit = limit(&call)?;
        let wanted = statuses(&call)?;
        let since = call.query("updated_since").map(|text| instant(text, "updated_since")).transpose()?;
        let mut seen = match call.query("cursor") {
            None => 0,
            Some(word) => cursor(word)?,
        };
        if lost || seen > world.platform.sequence {
            return Err(Problem::new(
                410,
                "CURSOR_EXPIRED",
                "This cursor is no longer known; list without it",
            ));
        }
        if short {
            limit = limit.min(2);
        }
        let mut matching: Vec<&Booking> = world
            .platform
            .bookings
            .values()
            .filter(|booking| !empty && booking.sequence > seen)
            .filter(|booking| since.is_none_or(|since| booking.updated_at >= since))
            .filter(|booking| wanted.is_empty() || wanted.contains(&booking.status))
            .collect();
        matching.sort_by_key(|booking| booking.sequence);
        let has_more = matching.len() > limit;
        matching.truncate(limit);
        seen = if has_more {
            matching.last().map_or(seen, |last| last.sequence)
        } else {
            world.platform.sequence
        };
        let mut rows: Vec<Value> = matching.iter().map(|booking| row(world, booking)).collect();
        if duplicate {
            rows.extend(rows.first().cloned());
        }
        if reordered {
            rows.reverse();
        }
        Ok(data(json!({"bookings": rows, "next_cursor": seal(seen), "has_more": has_more,
            "server_time": zulu_ms(now)})))
    });
    app.world().platform.leases.tell(&mut listed);
    listed
}

pub async fn get(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let booking = world.platform.bookings.get(call.param("id"));
        let booking = booking.ok_or_else(|| Problem::not_found("Booking"))?;
        Ok(told(world, booking))
    })
}

pub async fn cancel(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let reason = nullable_text(body, "reason")?;
        world.platform.leases.admit(&call, Door::Website, now)?;
        let booking = world.platform.cancel(call.param("id"), reason, now)?;
        Ok(told(world, &booking))
    })
}

pub async fn reschedule(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let booking = text(body, "bookingId")?.to_owned();
        world.platform.leases.admit(&call, Door::Website, now)?;
        let slot = target(world, body)?;
        world.platform.reschedule(&booking, &slot, now)?;
        Ok(json!({"success": true, "rescheduleId": booking, "message": "Reschedule successful"}))
    })
}

pub async fn create(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let start = instant(text(body, "startTime")?, "startTime")?;
        let end = instant(text(body, "endTime")?, "endTime")?;
        let slot = exact(world, start, end)?;
        let asked = BookingAsk {
            service: Some(text(body, "serviceId")?.to_owned()),
            customer: Some(text(body, "customerId")?.to_owned()),
            notes: optional_text(body, "notes")?.map(str::to_owned),
            vendor_created: true,
        };
        let booking = world.platform.book(&mut world.names, &slot, &asked, now)?;
        let row = row(world, &booking);
        Ok(json!({"success": true, "booking": row, "requiresCustomerConfirmation": true,
            "message": "Booking created successfully. Customer confirmation pending."}))
    })
}

pub async fn changes(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let limit = limit(&call)?;
        let seen = call.query("cursor").map(cursor).transpose()?.unwrap_or(0);
        let changes: Vec<_> =
            world.platform.changes.iter().filter(|change| change.sequence > seen).take(limit).collect();
        let next = changes.last().map_or(seen, |change| change.sequence);
        let told: Vec<Value> = changes.into_iter().map(hint).collect();
        Ok(json!({"changes": told, "next_cursor": seal(next)}))
    })
}

/// A change as it is told.
pub(super) fn hint(change: &Change) -> Value {
    let mut told = json!({"seq": change.sequence, "type": change.kind, "at": zulu_ms(change.at)});
    if let Some(booking) = &change.booking {
        told["booking_id"] = json!(booking);
    }
    if let Some(slot) = &change.slot {
        told["slot_id"] = json!(slot);
    }
    told
}

fn target(world: &World, body: &Map<String, Value>) -> Result<String, Problem> {
    if let Some(slot) = optional_text(body, "new_slot_id")? {
        return Ok(slot.to_owned());
    }
    let start = optional_text(body, "newSlotStart")?;
    let end = optional_text(body, "newSlotEnd")?;
    let (Some(start), Some(end)) = (start, end) else {
        return Err(Problem::validation("Target slot not found or new_slot_id missing"));
    };
    exact(world, instant(start, "newSlotStart")?, instant(end, "newSlotEnd")?)
}

fn exact(world: &World, start: Timestamp, end: Timestamp) -> Result<String, Problem> {
    let slot = world.platform.slots.values().find(|slot| slot.start == start && slot.end == end);
    let missing = || Problem::new(404, "SLOT_NOT_FOUND", "No slot has exactly these times");
    Ok(slot.ok_or_else(missing)?.id.clone())
}

pub(super) fn told(world: &World, booking: &Booking) -> Value {
    data(json!({"booking": row(world, booking)}))
}

/// The row as today's platform has it, and what the contract adds.
fn row(world: &World, booking: &Booking) -> Value {
    let mut row = world.platform.row(booking, &world.vendor.id);
    row["proposal"] = booking.proposal.as_ref().map_or(Value::Null, Proposal::row);
    row
}

fn limit(call: &Call) -> Result<usize, Problem> {
    match call.query("limit") {
        None => Ok(USUAL),
        Some(text) => match text.parse() {
            Ok(limit @ 1..=MOST) => Ok(limit),
            Ok(_) | Err(_) => Err(Problem::validation(format!("limit is between 1 and {MOST}"))),
        },
    }
}

fn statuses(call: &Call) -> Result<Vec<Status>, Problem> {
    let Some(text) = call.query("status").filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    text.split(',')
        .map(|word| {
            Status::parse(word).ok_or_else(|| Problem::validation(format!("status {word:?} is not known")))
        })
        .collect()
}

pub(super) fn seal(sequence: u64) -> String {
    BASE64URL_NOPAD.encode(format!("v1:{sequence}").as_bytes())
}

pub(super) fn cursor(word: &str) -> Result<u64, Problem> {
    let invalid = || Problem::new(422, "INVALID_CURSOR", "cursor was not made by this server");
    let bytes = BASE64URL_NOPAD.decode(word.as_bytes()).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    text.strip_prefix("v1:").and_then(|number| number.parse().ok()).ok_or_else(invalid)
}
