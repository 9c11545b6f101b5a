//! Slots over HTTP: what can be booked, and what stands in the way of a time.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::platform::{Slot, SlotType};
use super::problem::Problem;
use super::request::{answer, data, instant, text, write};
use crate::app::App;
use crate::postgrest::{Draft, Statement};
use crate::wire::Call;

pub async fn slots(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let from = call.query("start").map(|text| instant(text, "start")).transpose()?;
        let to = call.query("end").map(|text| instant(text, "end")).transpose()?;
        let mut slots: Vec<_> = world
            .platform
            .slots
            .values()
            .filter(|slot| from.is_none_or(|from| slot.end > from) && to.is_none_or(|to| slot.start < to))
            .collect();
        slots.sort_by_key(|slot| slot.start);
        let rows: Vec<Value> = slots.iter().map(|slot| slot.row(&world.vendor.id)).collect();
        Ok(data(json!({"slots": rows})))
    })
}

/// Every slot made here can be booked, whatever its type is called.
pub async fn create(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let start = instant(text(body, "startTime")?, "startTime")?;
        let end = instant(text(body, "endTime")?, "endTime")?;
        let slot_type = SlotType::parse(text(body, "slotType")?);
        let slot_type = slot_type
            .ok_or_else(|| Problem::validation("slotType is one of regular, blocked, maintenance"))?;
        if text(body, "providerId")? != world.vendor.id {
            return Err(Problem::new(403, "FORBIDDEN", "Forbidden - Provider ID mismatch"));
        }
        if end <= start {
            return Err(Problem::unprocessable("endTime is after startTime"));
        }
        let slot = Slot { slot_type, ..Slot::open(world.names.uuid(), start, end, now) };
        let mut statement = Statement::begin(&world.platform, &world.vendor.id);
        statement
            .insert(Draft::of(&slot, &world.vendor.id))
            .map_err(|_| Problem::new(409, "CONFLICT", "Slot conflicts with an existing slot"))?;
        statement.commit(&mut world.platform);
        Ok(json!({"success": true, "slot": slot.row(&world.vendor.id)}))
    })
}

/// Touching slots count here, as on the platform.
pub async fn conflicts(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let required =
            |name: &str| call.query(name).ok_or_else(|| Problem::validation(format!("{name} is required")));
        if required("providerId")? != world.vendor.id {
            return Err(Problem::new(403, "FORBIDDEN", "Forbidden - Provider ID mismatch"));
        }
        let from = instant(required("startTime")?, "startTime")?;
        let to = instant(required("endTime")?, "endTime")?;
        let conflicts: Vec<Value> = world
            .platform
            .slots
            .values()
            .filter(|slot| slot.is_available && slot.start <= to && slot.end >= from)
            .map(|slot| slot.row(&world.vendor.id))
            .collect();
        Ok(json!({"hasConflicts": !conflicts.is_empty(), "conflicts": conflicts}))
    })
}
