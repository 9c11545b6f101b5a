//! Slots over HTTP: what can be booked, and what stands in the way of a time.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::problem::Problem;
use super::request::{answer, data, instant};
use crate::app::App;
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
        let rows: Vec<Value> =
            slots.iter().map(|slot| world.platform.slot_row(slot, &world.vendor.id)).collect();
        Ok(data(json!({"slots": rows})))
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
            .map(|slot| world.platform.slot_row(slot, &world.vendor.id))
            .collect();
        Ok(json!({"hasConflicts": !conflicts.is_empty(), "conflicts": conflicts}))
    })
}
