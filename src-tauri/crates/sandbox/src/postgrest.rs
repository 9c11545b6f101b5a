//! The two tables that a vendor's client reads straight from the database's REST door: her profile and her services.
//!
//! A filter that matches nothing answers an empty list, as PostgREST does; a filter it cannot read is refused.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::gotrue::without_key;
use crate::wire::Call;
use crate::world::World;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/supabase/rest/v1/profiles", get(profiles))
        .route("/supabase/rest/v1/services", get(services))
}

async fn profiles(State(app): State<App>, call: Call) -> Response {
    read(&app, &call, |world| {
        let vendor = &world.vendor;
        vec![json!({"id": vendor.id, "auth_user_id": vendor.auth_id, "full_name": vendor.name,
            "email": vendor.email, "phone": null, "role": "vendor", "timezone": world.platform.settings.time_zone,
            "availability_mode": "subtractive", "business_hours": world.platform.settings.business_hours})]
    })
}

async fn services(State(app): State<App>, call: Call) -> Response {
    read(&app, &call, |world| {
        let row = |service: &crate::bookiji::platform::Service| {
            json!({"id": service.id, "provider_id": world.vendor.id, "name": service.name, "description": null,
                "category": service.category, "price": service.price, "price_type": "fixed",
                "duration_minutes": service.duration_minutes, "is_active": true})
        };
        world.platform.services.values().map(row).collect()
    })
}

fn read(app: &App, call: &Call, table: impl FnOnce(&World) -> Vec<Value>) -> Response {
    if let Some(refused) = without_key(call) {
        return refused;
    }
    let now = app.clock().now();
    let world = app.world();
    if call.bearer().is_some_and(|token| !world.sessions.accepts(token, now)) {
        return refuse(401, "PGRST301", "JWT expired");
    }
    let mut rows = table(&world);
    for (column, filter) in call.query.iter().filter(|(name, _)| !is_reserved(name)) {
        if rows.first().is_some_and(|row| row.get(column).is_none()) {
            return refuse(400, "42703", &format!("column {column} does not exist"));
        }
        let Some(wanted) = filter.strip_prefix("eq.") else {
            return refuse(400, "PGRST100", &format!("\"failed to parse filter ({filter})\""));
        };
        rows.retain(|row| {
            row[column].as_str().map_or_else(|| format!("{}", row[column]), str::to_owned) == wanted
        });
    }
    let columns: Vec<&str> = match call.query("select") {
        None | Some("*") => return Json(rows).into_response(),
        Some(columns) => columns.split(',').collect(),
    };
    let chosen = |row: &Value| -> Option<Map<String, Value>> {
        columns.iter().map(|column| Some(((*column).to_owned(), row.get(*column)?.clone()))).collect()
    };
    match rows.iter().map(chosen).collect::<Option<Vec<_>>>() {
        Some(rows) => Json(rows).into_response(),
        None => refuse(400, "42703", "column does not exist"),
    }
}

fn is_reserved(name: &str) -> bool {
    ["select", "order", "limit", "offset", "apikey"].contains(&name)
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({"code": code, "details": null, "hint": null, "message": message}))).into_response()
}
