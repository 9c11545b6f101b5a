//! The slots: everybody reads all of them, a vendor writes her own, and a body of many rows is one statement.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::cell::Kind::{Flag, Id, Instant, Number, Text};
use super::filter::Filter;
use super::prefer::Prefer;
use super::query;
use super::refusal::Refusal;
use super::select::Select;
use super::slot_body::{Draft, objects};
use super::slot_table::{Statement, Target, not_hers};
use super::table::Table;
use super::{Caller, admit};
use crate::app::App;
use crate::bookiji::lease::Door;
use crate::bookiji::platform::Slot;
use crate::database;
use crate::faults::Quirk;
use crate::wire::Call;
use crate::world::World;

const SLOTS: Table = Table {
    name: "availability_slots",
    columns: &[
        ("id", Id),
        ("provider_id", Id),
        ("start_time", Instant),
        ("end_time", Instant),
        ("is_available", Flag),
        ("slot_type", Text),
        ("created_at", Instant),
        ("updated_at", Instant),
        ("version", Number),
        ("recurring_rule_id", Id),
    ],
    embeds: &[],
};

pub async fn read(State(app): State<App>, call: Call) -> Response {
    if let Err(refused) = admit(&app, &call) {
        return refused;
    }
    let most = if app.misbehaves(&call, Quirk::ShortPage) { 2 } else { query::MOST };
    let world = app.world();
    let platform = &world.platform;
    let hers = platform.slots.values().map(|slot| slot.row(&world.vendor.id));
    let others = platform.neighbour.slots.values().map(|slot| slot.row(&platform.neighbour.id));
    let rows = hers.chain(others).collect();
    query::page(&SLOTS, rows, &call, most).unwrap_or_else(IntoResponse::into_response)
}

pub async fn insert(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, StatusCode::CREATED, |world, now| {
        let objects = objects(&SLOTS, &call.body)?;
        let resolution = Prefer::of(&call).resolution;
        let target = target(&call)?;
        if !world.is_linked() {
            return Err(not_hers(""));
        }
        let mut statement = Statement::begin(&world.platform, &world.vendor.id);
        for object in &objects {
            let draft = Draft::new(&SLOTS, object, world.names.uuid(), now)?;
            match resolution {
                None => statement.insert(draft)?,
                Some(resolution) => {
                    statement.upsert(draft, target, resolution, |old| old.take(&SLOTS, object))?;
                }
            }
        }
        Ok(statement.commit(&mut world.platform))
    })
}

pub async fn update(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, StatusCode::OK, |world, now| {
        let changes = match objects(&SLOTS, &call.body)?.as_slice() {
            [changes] => changes.clone(),
            _ => return Err(Refusal::body()),
        };
        let meant = meant(world, &call, "UPDATE")?;
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::begin(&world.platform, &world.vendor.id);
        for slot in meant {
            let mut draft = Draft::of(&slot, &world.vendor.id);
            draft.take(&SLOTS, &changes)?;
            statement.replace(&slot.id, draft)?;
        }
        let written = statement.commit(&mut world.platform);
        if world.platform.faithful && changes.contains_key("is_available") {
            for slot in &written {
                database::slot_was_set(&mut world.platform, &slot.id, slot.is_available, now);
            }
        }
        Ok(written)
    })
}

pub async fn delete(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, StatusCode::OK, |world, _| {
        let meant = meant(world, &call, "DELETE")?;
        let mut statement = Statement::begin(&world.platform, &world.vendor.id);
        for slot in &meant {
            statement.remove(&slot.id);
        }
        statement.commit(&mut world.platform);
        Ok(meant)
    })
}

/// Her rows that the filters mean. Without a filter, nobody means all of them.
fn meant(world: &World, call: &Call, verb: &str) -> Result<Vec<Slot>, Refusal> {
    let filters = Filter::all(&SLOTS, call)?;
    if filters.is_empty() {
        return Err(Refusal::new(400, "21000", format!("{verb} requires a WHERE clause")));
    }
    if !world.is_linked() {
        return Ok(Vec::new());
    }
    let passes = |slot: &&Slot| {
        let row = slot.row(&world.vendor.id);
        filters.iter().all(|filter| filter.passes(&row))
    };
    Ok(world.platform.slots.values().filter(passes).cloned().collect())
}

fn target(call: &Call) -> Result<Target, Refusal> {
    let mut columns: Vec<&str> = call.query("on_conflict").unwrap_or("id").split(',').collect();
    columns.sort_unstable();
    match columns[..] {
        ["id"] => Ok(Target::Id),
        ["end_time", "provider_id", "start_time"] => Ok(Target::Times),
        _ => {
            let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            Err(Refusal::new(400, "42P10", message))
        }
    }
}

fn write(
    app: &App,
    call: &Call,
    status: StatusCode,
    work: impl FnOnce(&mut World, Timestamp) -> Result<Vec<Slot>, Refusal>,
) -> Response {
    let caller = match admit(app, call) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    if caller == Caller::Anybody {
        // Nobody is signed in, so this is about signing in.
        let message = "new row violates row-level security policy for table \"availability_slots\"";
        return Refusal::new(401, "42501", message).into_response();
    }
    let select = match Select::read(&SLOTS, call.query("select")) {
        Ok(select) => select,
        Err(refusal) => return refusal.into_response(),
    };
    let world = &mut *app.world();
    let now = app.clock().now();
    // As a function that runs before each request does it, inside the request's own transaction.
    if let Err(fenced) = world.platform.leases.admit(call, Door::Website, now) {
        return Refusal::new(409, "FENCED", fenced.0).into_response();
    }
    match work(world, now) {
        Err(refusal) => refusal.into_response(),
        Ok(written) if Prefer::of(call).representation => {
            let rows: Vec<Value> = written.iter().map(|slot| select.of(slot.row(&world.vendor.id))).collect();
            (status, Json(rows)).into_response()
        }
        Ok(_) if status == StatusCode::CREATED => status.into_response(),
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
    }
}
