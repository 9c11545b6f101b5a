//! Who the vendor is, her settings and services, and the platform's clock and health.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::problem::Problem;
use super::request::{answer, data, optional_text, write};
use super::version;
use crate::app::App;
use crate::time::{zulu, zulu_ms};
use crate::wire::Call;

pub const OPENAPI: &str = include_str!("../../openapi/bookiji.json");

pub async fn capabilities(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        Ok(json!({"user_id": world.vendor.auth_id, "role": "vendor", "capabilities": ["can_offer_services"],
            "roles": ["vendor"]}))
    })
}

pub async fn settings(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let settings = &world.platform.settings;
        Ok(
            json!({"provider_id": world.vendor.id, "full_name": world.vendor.name, "email": world.vendor.email,
            "availability_mode": "subtractive", "business_hours": settings.business_hours,
            "timezone": settings.time_zone, "preferences": {}}),
        )
    })
}

pub async fn change_settings(State(app): State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, _| {
        if optional_text(body, "providerId")?.is_some_and(|id| id != world.vendor.id) {
            return Err(Problem::new(403, "FORBIDDEN", "Forbidden - Provider ID mismatch"));
        }
        let zone = optional_text(body, "timezone")?;
        if zone.is_some_and(|name| jiff::tz::TimeZone::get(name).is_err()) {
            return Err(Problem::unprocessable("timezone must be an IANA name such as America/Toronto"));
        }
        let hours = match body.get("businessHours") {
            None => None,
            Some(hours @ Value::Object(_)) => Some(hours.clone()),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Err(Problem::validation("businessHours must be an object"));
            }
        };
        if zone.is_none() && hours.is_none() {
            return Ok(json!({"success": true, "message": "No changes provided"}));
        }
        if let Some(zone) = zone {
            zone.clone_into(&mut world.platform.settings.time_zone);
            zone.clone_into(&mut world.vendor.time_zone);
        }
        if let Some(hours) = hours {
            world.platform.settings.business_hours = hours;
        }
        Ok(json!({"success": true, "message": "Settings updated"}))
    })
}

pub async fn services(State(app): State<App>, call: Call) -> Response {
    answer(&app, &call, |world, _| {
        let rows: Vec<Value> = world
            .platform
            .services
            .values()
            .map(|service| {
                json!({"id": service.id, "provider_id": world.vendor.id, "name": service.name,
                    "category": service.category, "price": service.price, "price_type": "fixed",
                    "duration_minutes": service.duration_minutes, "is_active": true})
            })
            .collect();
        Ok(data(json!({"services": rows})))
    })
}

pub async fn time(State(app): State<App>) -> Response {
    let now = app.clock().now();
    Json(json!({"server_now": now.as_millisecond(), "server_now_iso": zulu_ms(now),
        "message": "Server sourced UTC timestamp"}))
    .into_response()
}

/// Open to all; with a bearer it also says whether the bearer counts.
pub async fn health(State(app): State<App>, call: Call) -> Response {
    let now = app.clock().now();
    let world = app.world();
    let mut body = json!({"status": "healthy", "timestamp": zulu(now), "version": "sandbox",
        "environment": "sandbox"});
    if let Some(contract) = version::of(&world) {
        body["contract"] = json!(contract);
    }
    if call.bearer().is_some_and(|token| world.sessions.accepts(token, now)) {
        body["authenticated"] = json!(true);
        body["userId"] = json!(world.vendor.auth_id);
    }
    Json(body).into_response()
}

pub async fn openapi() -> Response {
    ([("content-type", "application/json")], OPENAPI).into_response()
}
