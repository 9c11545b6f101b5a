//! Bookings as today's database shows them to a vendor, the function that moves one, and the log of operations. Decides
//! who may see and change what; what a change comes to is the database's own business.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::cell::Kind::{Flag, Id, Instant, Json as JsonKind, Number, Text};
use super::filter::Filter;
use super::prefer::Prefer;
use super::query;
use super::refusal::Refusal;
use super::select::Select;
use super::table::{Embed, Table};
use super::{Caller, admit, slot_body};
use crate::app::App;
use crate::database::{self, Change};
use crate::faults::Quirk;
use crate::time::postgres;
use crate::wire::Call;
use crate::world::World;

const BOOKINGS: Table = Table {
    name: "bookings",
    columns: &[
        ("id", Id),
        ("customer_id", Id),
        ("provider_id", Id),
        ("service_id", Id),
        ("start_time", Instant),
        ("end_time", Instant),
        ("status", Text),
        ("total_amount", Number),
        ("notes", Text),
        ("cancellation_reason", Text),
        ("created_at", Instant),
        ("updated_at", Instant),
        ("quote_id", Id),
        ("state", Text),
        ("stripe_payment_intent_id", Text),
        ("idempotency_key", Text),
        ("confirmed_at", Instant),
        ("cancelled_at", Instant),
        ("cancelled_reason", Text),
        ("refunded_at", Instant),
        ("receipt_url", Text),
        ("price_cents", Number),
        ("hold_expires_at", Instant),
        ("vendor_created", Flag),
        ("vendor_created_by", Id),
    ],
    // There are three ways to a profile, so a request has to say which it means.
    embeds: &[
        Embed { table: "profiles", hint: Some("bookings_customer_id_fkey"), from: "customers" },
        Embed { table: "services", hint: None, from: "services" },
        Embed { table: "services", hint: Some("bookings_service_id_fkey"), from: "services" },
    ],
};

const OPS_EVENTS: Table = Table {
    name: "ops_events",
    columns: &[
        ("id", Id),
        ("ts", Instant),
        ("source", Text),
        ("run_id", Text),
        ("tenant_id", Id),
        ("provider_id", Id),
        ("type", Text),
        ("correlation_id", Text),
        ("payload", JsonKind),
        ("created_at", Instant),
    ],
    embeds: &[],
};

pub async fn read(State(app): State<App>, call: Call) -> Response {
    let caller = match admit(&app, &call) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let empty = app.misbehaves(&call, Quirk::EmptyListing);
    let most = if app.misbehaves(&call, Quirk::ShortPage) { 2 } else { query::MOST };
    let world = app.world();
    let rows = if empty || caller == Caller::Anybody { Vec::new() } else { hers(&world) };
    query::page(&BOOKINGS, rows, &call, most).unwrap_or_else(IntoResponse::into_response)
}

/// Row-level security compares with her sign-in, and her profile may have another id.
fn hers(world: &World) -> Vec<Value> {
    if !world.is_linked() {
        return Vec::new();
    }
    let platform = &world.platform;
    platform.bookings.values().map(|booking| platform.row(booking, &world.vendor.id)).collect()
}

pub async fn update(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, now| {
        let changes = match slot_body::objects(&BOOKINGS, &call.body)?.as_slice() {
            [changes] => changes.clone(),
            _ => return Err(Refusal::body()),
        };
        let meant = meant(world, &call, "UPDATE")?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let change = change(world, &changes)?;
        database::statement(&mut world.platform, |platform| {
            meant.iter().try_for_each(|id| database::update(platform, id, &change, now))
        })?;
        Ok(meant)
    })
}

/// A customer books; a vendor may insert nothing.
pub async fn insert(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |_, _| {
        slot_body::objects(&BOOKINGS, &call.body)?;
        let message = "new row violates row-level security policy for table \"bookings\"";
        Err(Refusal::new(403, "42501", message))
    })
}

/// No policy speaks of deleting, so nothing is there to be deleted.
pub async fn delete(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, _| meant(world, &call, "DELETE").map(|_| Vec::new()))
}

pub async fn reschedule(State(app): State<App>, call: Call) -> Response {
    let caller = match admit(&app, &call) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let Some(body) = call.json() else { return Refusal::body().into_response() };
    let argument = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let (Some(booking), Some(slot)) = (argument("p_booking_id"), argument("p_new_slot_id")) else {
        let message = "Could not find the function public.reschedule_booking_atomically in the schema cache";
        return Refusal::new(404, "PGRST202", message).into_response();
    };
    let now = app.clock().now();
    let world = &mut *app.world();
    let done = if caller == Caller::Anybody || !world.is_linked() {
        Ok(Some("Booking not found"))
    } else {
        database::statement(&mut world.platform, |platform| {
            database::reschedule(platform, &booking, &slot, now)
        })
    };
    match done {
        Err(refusal) => refusal.into_response(),
        Ok(None) => {
            Json(json!([{"success": true, "booking_id": booking, "error_message": null}])).into_response()
        }
        Ok(Some(why)) => {
            Json(json!([{"success": false, "booking_id": null, "error_message": why}])).into_response()
        }
    }
}

/// Anybody reads all of it, and anybody may have written it.
pub async fn ops_events(State(app): State<App>, call: Call) -> Response {
    if let Err(refused) = admit(&app, &call) {
        return refused;
    }
    let world = app.world();
    let row = |(place, event): (usize, &database::OpsEvent)| {
        json!({"id": uuid::Uuid::from_u128(place as u128 + 1).to_string(), "ts": postgres(event.at), "source": "prod",
            "run_id": null, "tenant_id": null, "provider_id": world.vendor.id, "type": event.kind,
            "correlation_id": null, "payload": event.payload, "created_at": postgres(event.at)})
    };
    let rows = world.platform.ops.iter().enumerate().map(row).collect();
    query::page(&OPS_EVENTS, rows, &call, query::MOST).unwrap_or_else(IntoResponse::into_response)
}

/// The ids of her rows that the filters mean. Without a filter, nobody means all of them.
fn meant(world: &World, call: &Call, verb: &str) -> Result<Vec<String>, Refusal> {
    let filters = Filter::all(&BOOKINGS, call)?;
    if filters.is_empty() {
        return Err(Refusal::new(400, "21000", format!("{verb} requires a WHERE clause")));
    }
    let rows = hers(world).into_iter().filter(|row| filters.iter().all(|filter| filter.passes(row)));
    Ok(rows.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
}

fn change(world: &World, object: &Map<String, Value>) -> Result<Change, Refusal> {
    let mut change = Change::default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let instant = |value: &Value| -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = value.as_str() else { return Ok(None) };
        let read = Instant.read(text)?;
        Ok(if let Cell::Instant(at) = read { Some(at) } else { None })
    };
    for (column, value) in object {
        match column.as_str() {
            "status" => change.status = Some(text(value).ok_or_else(|| missing(column))?),
            "start_time" => change.start = Some(instant(value)?.ok_or_else(|| missing(column))?),
            "end_time" => change.end = Some(instant(value)?.ok_or_else(|| missing(column))?),
            "notes" => change.notes = Some(text(value)),
            "cancellation_reason" => change.reason = Some(text(value)),
            "state" => change.state = Some(text(value).unwrap_or_default()),
            "stripe_payment_intent_id" => change.payment = Some(text(value)),
            "confirmed_at" => change.confirmed_at = Some(instant(value)?),
            "provider_id" if value.as_str() != Some(&world.vendor.id) => {
                let message = "new row violates row-level security policy for table \"bookings\"";
                return Err(Refusal::new(403, "42501", message));
            }
            // What else a booking says, nobody here asks about.
            _ => {}
        }
    }
    Ok(change)
}

fn missing(column: &str) -> Refusal {
    let message =
        format!("null value in column \"{column}\" of relation \"bookings\" violates not-null constraint");
    Refusal::new(400, "23502", message)
}

fn write(
    app: &App,
    call: &Call,
    work: impl FnOnce(&mut World, Timestamp) -> Result<Vec<String>, Refusal>,
) -> Response {
    match admit(app, call) {
        Err(refused) => return refused,
        Ok(Caller::Anybody) => {
            let message = "new row violates row-level security policy for table \"bookings\"";
            return Refusal::new(401, "42501", message).into_response();
        }
        Ok(Caller::Vendor) => {}
    }
    let select = match Select::read(&BOOKINGS, call.query("select")) {
        Ok(select) => select,
        Err(refusal) => return refusal.into_response(),
    };
    let now = app.clock().now();
    let world = &mut *app.world();
    match work(world, now) {
        Err(refusal) => refusal.into_response(),
        Ok(written) if Prefer::of(call).representation => {
            let rows = hers(world).into_iter();
            let rows = rows.filter(|row| written.iter().any(|id| row["id"] == id.as_str()));
            Json(rows.map(|row| select.of(row)).collect::<Vec<_>>()).into_response()
        }
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
    }
}
