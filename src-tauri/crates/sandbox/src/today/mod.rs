//! The site's own routes as they are today (platform notes §1): which of them work, which answer wrongly, and which do not
//! exist. Bookings and slots are read and written over the database's door instead.

mod limiter;

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::limiter::Limiter;
use crate::app::App;
use crate::bookiji::platform::{Slot, SlotType};
use crate::bookiji::{availability, vendor};
use crate::postgrest::{Draft, Statement};
use crate::time::zulu_ms;
use crate::wire::Call;

/// Calls of `/api/*` in any sixty seconds, by the computer that they come from.
const A_MINUTE: usize = 60;

pub fn routes(app: &App) -> Router<App> {
    let guard = Guard { app: app.clone(), limiter: Arc::new(Mutex::new(Limiter::new(A_MINUTE))) };
    Router::new()
        .route("/bookiji/api/health", get(vendor::health))
        .route("/bookiji/api/system/time", get(vendor::time))
        .route("/bookiji/api/auth/capabilities", get(vendor::capabilities))
        .route("/bookiji/api/auth/session", get(session))
        .route("/bookiji/api/notifications", get(notifications))
        .route("/bookiji/api/vendor/settings", get(settings))
        .route("/bookiji/api/vendor/service-types", get(service_types))
        .route("/bookiji/api/vendor/availability", post(unusable_availability))
        .route("/bookiji/api/vendor/availability/slots", post(create_slot))
        .route("/bookiji/api/vendor/availability/conflicts", get(availability::conflicts))
        .route("/bookiji/api/vendor/bookings/create", post(no_subscription))
        .route("/bookiji/api/vendor/calendar/sync", post(sync_stub))
        .route("/bookiji/api/vendor/calendar/disconnect", delete(disconnect_stub))
        .route("/bookiji/api/vendor/calendar/export.ics", get(plain_unauthorized))
        .route("/bookiji/api/vendor/calendar/import", post(cookie_only))
        .route("/bookiji/api/bookings/create", post(cookie_only))
        .route("/bookiji/api/bookings/reschedule", post(cookie_only))
        .route("/bookiji/api/bookings/cancel", post(skeleton))
        .route("/bookiji/api/bookings/user", get(nobodys_bookings))
        .route("/bookiji/api/v1/vendors/{vendor}/availability", get(partner))
        .route("/bookiji/{*rest}", any(page_not_found))
        .layer(from_fn_with_state(guard, limit))
}

#[derive(Clone)]
struct Guard {
    app: App,
    limiter: Arc<Mutex<Limiter>>,
}

/// Stands before every route of `/api`, as the site's own middleware does.
async fn limit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if !path.starts_with("/bookiji/api/") || path == "/bookiji/api/health" {
        return next.run(request).await;
    }
    let now = guard.app.clock().now();
    let left = guard.limiter.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(now);
    let mut response = match left {
        Some(_) => next.run(request).await,
        None => (StatusCode::TOO_MANY_REQUESTS, Json(json!({"error": "Too many requests"}))).into_response(),
    };
    let mut told = vec![
        ("x-ratelimit-limit", A_MINUTE.to_string()),
        ("x-ratelimit-window", "60000".to_owned()),
        ("x-ratelimit-remaining", left.unwrap_or(0).to_string()),
        // By the sandbox's own clock, which may stand elsewhere than the computer's.
        ("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    ];
    if left.is_none() {
        told.push(("x-ratelimit-reset", zulu_ms(crate::time::after(now, 60))));
    }
    for (name, value) in told {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refuse(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
}

/// What the framework answers to a route that does not exist.
async fn page_not_found() -> Response {
    let page = "<!DOCTYPE html><html><head><title>404: This page could not be found.</title></head>\
        <body><h1>404</h1><h2>This page could not be found.</h2></body></html>";
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Routes that know a browser's cookies and no bearer.
async fn cookie_only() -> Response {
    refuse(401, json!({"error": "Unauthorized"}))
}

async fn plain_unauthorized() -> Response {
    (StatusCode::UNAUTHORIZED, "Unauthorized").into_response()
}

/// Its client never has a session.
async fn unusable_availability() -> Response {
    refuse(401, json!({"success": false, "error": "UNAUTHORIZED", "message": "Authentication required"}))
}

/// Its key is looked up by somebody who may not see it.
async fn partner() -> Response {
    let error = json!({"code": "UNAUTHORIZED", "message": "Invalid API key", "retryable": false});
    refuse(401, json!({ "error": error }))
}

/// The guard asks for columns that do not exist, and takes that for an answer.
async fn no_subscription() -> Response {
    refuse(403, json!({"error": "Active subscription required"}))
}

/// Says that it cancels, and changes nothing.
async fn skeleton() -> Response {
    Json(json!({"ok": true, "data": {"cancelled": true}})).into_response()
}

/// It asks as nobody, and nobody sees a booking.
async fn nobodys_bookings() -> Response {
    Json(json!({"success": true, "bookings": [], "count": 0})).into_response()
}

async fn notifications() -> Response {
    Json(json!({"notifications": []})).into_response()
}

async fn sync_stub(call: Call) -> Response {
    match call.json().and_then(|body| body.get("connectionId").cloned()) {
        None => refuse(400, json!({"error": "Connection ID is required"})),
        Some(_) => refuse(404, json!({"error": "Connection not found"})),
    }
}

async fn disconnect_stub(call: Call) -> Response {
    match call.query("id") {
        None => refuse(400, json!({"error": "Connection ID is required"})),
        Some(_) => refuse(404, json!({"error": "Connection not found"})),
    }
}

fn is_signed_in(app: &App, call: &Call, now: Timestamp) -> bool {
    call.bearer().is_some_and(|token| app.world().sessions.accepts(token, now))
}

async fn session(State(app): State<App>, call: Call) -> Response {
    if !is_signed_in(&app, &call, app.clock().now()) {
        let error = if call.bearer().is_some() { "Invalid or expired token" } else { "No active session" };
        return refuse(401, json!({"session": null, "user": null, "role": null, "error": error}));
    }
    let world = app.world();
    let role = if world.is_linked() { json!("vendor") } else { Value::Null };
    let user = json!({"id": world.vendor.auth_id, "email": world.vendor.email});
    Json(json!({"session": null, "user": user, "role": role})).into_response()
}

/// It asks for a column that does not exist.
async fn settings(State(app): State<App>, call: Call) -> Response {
    if !is_signed_in(&app, &call, app.clock().now()) {
        return refuse(401, json!({"error": "Unauthorized"}));
    }
    refuse(500, json!({"error": "Failed to fetch profile"}))
}

async fn service_types(State(app): State<App>, call: Call) -> Response {
    if !is_signed_in(&app, &call, app.clock().now()) {
        return refuse(401, json!({"error": "Unauthorized"}));
    }
    let world = app.world();
    let kinds: std::collections::BTreeSet<&str> =
        world.platform.services.values().map(|service| service.category.as_str()).collect();
    Json(json!({ "service_types": kinds })).into_response()
}

/// Whatever its type is called, the slot can be booked; and the type that it takes when none is named does not exist.
async fn create_slot(State(app): State<App>, call: Call) -> Response {
    let now = app.clock().now();
    if !is_signed_in(&app, &call, now) {
        return refuse(401, json!({"error": "Unauthorized"}));
    }
    let body = call.json().unwrap_or_default();
    let word = |name: &str| body.get(name).and_then(Value::as_str);
    let at = |name: &str| word(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(provider), Some(start), Some(end)) = (word("providerId"), at("startTime"), at("endTime"))
    else {
        return refuse(400, json!({"error": "Missing required fields"}));
    };
    let world = &mut *app.world();
    let vendor = world.vendor.id.clone();
    if provider != vendor || !world.is_linked() {
        return refuse(403, json!({"error": "Forbidden"}));
    }
    let failed = || refuse(500, json!({"error": "Failed to create slot"}));
    let Some(slot_type) = SlotType::parse(word("slotType").unwrap_or("available")) else { return failed() };
    let slot = Slot { slot_type, ..Slot::open(world.names.uuid(), start, end, now) };
    let mut statement = Statement::begin(&world.platform, &vendor);
    match statement.insert(Draft::of(&slot, &vendor)) {
        Ok(()) => {
            statement.commit(&mut world.platform);
            Json(json!({"success": true, "slot": slot.row(&vendor)})).into_response()
        }
        Err(refusal) if refusal.is("23P01") => {
            refuse(409, json!({"error": "Slot conflicts with an existing slot", "code": "CONFLICT"}))
        }
        // The exact same times once more are another code, which nobody thought of.
        Err(_) => failed(),
    }
}
