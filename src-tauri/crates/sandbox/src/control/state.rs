//! `GET /_sandbox/state`: everything the sandbox knows, in one document, secrets hashed.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::outlook;
use crate::app::App;
use crate::bookiji::platform::Slot;
use crate::google::event::{Moment, property};
use crate::google::world::{Calendar, Record};
use crate::time::zulu;
use crate::world::World;

pub async fn state(State(app): State<App>) -> Response {
    let now = app.clock().now();
    let world = app.world();
    let mut tokens = world.sessions.hashed();
    if let (Value::Array(all), Value::Array(google)) = (&mut tokens, world.google.grants.hashed()) {
        all.extend(google);
    }
    if let (Value::Array(all), Value::Array(outlook)) = (&mut tokens, world.outlook.grants.hashed()) {
        all.extend(outlook);
    }
    let body = json!({
        "now": zulu(now),
        "vendor": {"id": world.vendor.id, "name": world.vendor.name, "email": world.vendor.email,
            "password": world.vendor.password, "time_zone": world.vendor.time_zone},
        "services": world.platform.services.values().collect::<Vec<_>>(),
        "customers": world.platform.customers.values().collect::<Vec<_>>(),
        "bookings": bookings(&world),
        "slots": slots(world.platform.slots.values()),
        "neighbour": {"id": world.platform.neighbour.id,
            "slots": slots(world.platform.neighbour.slots.values())},
        "busy": busy(&world),
        "ops_events": world.platform.ops.iter().map(|event| json!({"type": event.kind,
            "payload": event.payload, "at": zulu(event.at)})).collect::<Vec<_>>(),
        "connections": world.platform.connections.values().collect::<Vec<_>>(),
        "calendars": world.google.accounts.iter().flat_map(|(account, held)| {
            held.calendars.values().map(move |calendar| calendar_json(account, calendar))
        }).chain(outlook::calendars(&world)).collect::<Vec<_>>(),
        "feeds": world.feeds.keys().collect::<Vec<_>>(),
        "tokens": tokens,
        "leases": world.platform.leases.state(now),
    });
    Json(body).into_response()
}

fn bookings(world: &World) -> Vec<Value> {
    let mut rows: Vec<_> = world.platform.bookings.values().collect();
    rows.sort_by_key(|booking| booking.start);
    rows.into_iter()
        .map(|booking| {
            let customer = world.platform.customers.get(&booking.customer);
            let service = world.platform.services.get(&booking.service);
            json!({"id": booking.id, "status": booking.status, "start": zulu(booking.start),
                "end": zulu(booking.end), "customer": customer.map(|c| &c.full_name),
                "service": service.map(|s| &s.name), "notes": booking.notes,
                "proposal": booking.proposal.as_ref().map(|p| json!({"id": p.id, "state": p.state,
                    "start": zulu(p.start), "end": zulu(p.end)})),
                "updated_at": crate::time::postgres(booking.updated_at)})
        })
        .collect()
}

fn slots<'a>(slots: impl Iterator<Item = &'a Slot>) -> Vec<Value> {
    let mut rows: Vec<_> = slots.collect();
    rows.sort_by_key(|slot| slot.start);
    rows.into_iter()
        .map(|slot| {
            json!({"id": slot.id, "start": zulu(slot.start), "end": zulu(slot.end),
                "is_available": slot.is_available, "closed_by_busy": slot.closed_by_busy,
                "slot_type": slot.slot_type})
        })
        .collect()
}

/// One entry for each interval of each source.
fn busy(world: &World) -> Vec<Value> {
    world
        .platform
        .busy
        .iter()
        .flat_map(|(source, set)| {
            set.intervals.iter().map(move |one| {
                json!({"source": source, "provider": set.provider, "external_id": one.external_id,
                    "start": zulu(one.start), "end": zulu(one.end)})
            })
        })
        .collect()
}

fn calendar_json(account: &str, calendar: &Calendar) -> Value {
    json!({"service": "google", "account": account, "id": calendar.id, "name": calendar.summary,
        "description": calendar.description, "time_zone": calendar.time_zone, "primary": calendar.primary,
        "role": calendar.role.as_str(), "deleted": calendar.deleted,
        "events": calendar.events.values().map(|record| event(calendar, record)).collect::<Vec<_>>()})
}

/// An event in short, also used as the answer to an edit.
pub fn event(calendar: &Calendar, record: &Record) -> Value {
    let zone = calendar.zone();
    let time = |name: &str| match Moment::stored(record.fields.get(name)) {
        None => Value::Null,
        Some(Moment::Day(date)) => json!(date.to_string()),
        Some(moment @ Moment::At { .. }) => json!(zulu(moment.instant(&zone))),
    };
    let mut event = json!({
        "id": record.text("id"),
        "uid": record.text("iCalUID"),
        "status": record.text("status"),
        "start": time("start"),
        "end": time("end"),
        "all_day": record.fields.get("start").is_some_and(|start| start.get("date").is_some()),
        "summary": record.text("summary"),
        "etag": record.etag(),
    });
    for (name, value) in [
        ("description", record.fields.get("description").cloned()),
        ("transparency", record.fields.get("transparency").cloned()),
        ("recurrence", record.fields.get("recurrence").cloned()),
        ("recurring_event_id", record.series().map(|series| json!(series))),
        ("booking_id", property(&record.fields, "private", "bookijiBooking").map(|id| json!(id))),
        ("extended_properties", record.fields.get("extendedProperties").cloned()),
    ] {
        if let Some(value) = value {
            event[name] = value;
        }
    }
    event
}
