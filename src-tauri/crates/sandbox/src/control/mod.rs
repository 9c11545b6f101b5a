//! The hand behind the scene, for tests and demos: look at everything, act as a person, let things go wrong, move time.
//! Where there are several vendors, `?vendor=ADDRESS` says whose life is meant; without it, the first one's.

mod edit;
mod outlook;
mod state;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;
use crate::wire::Call;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/_sandbox/state", get(state::state))
        .route("/_sandbox/requests", get(requests).delete(forget_requests))
        .route("/_sandbox/edit", post(edit::edit))
        .route("/_sandbox/faults", post(add_fault).get(faults).delete(clear_faults))
        .route("/_sandbox/clock", post(advance).get(clock))
}

async fn requests(State(app): State<App>) -> Response {
    Json(&*app.meter()).into_response()
}

async fn forget_requests(State(app): State<App>) -> StatusCode {
    app.meter().reset();
    StatusCode::NO_CONTENT
}

async fn add_fault(State(app): State<App>, call: Call) -> Response {
    let order = match serde_json::from_slice(&call.body) {
        Ok(order) => order,
        Err(error) => return refuse(format!("not a fault: {error}")),
    };
    let mut faults = app.faults();
    match faults.add(order) {
        Ok(()) => Json(json!({"faults": faults.as_json()})).into_response(),
        Err(message) => refuse(message),
    }
}

async fn faults(State(app): State<App>) -> Response {
    Json(json!({"faults": app.faults().as_json()})).into_response()
}

async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.faults().clear();
    StatusCode::NO_CONTENT
}

async fn clock(State(app): State<App>) -> Response {
    Json(json!({"now": app.clock().now().to_string()})).into_response()
}

async fn advance(State(app): State<App>, call: Call) -> Response {
    let seconds = call.json().and_then(|body| body.get("advance_s").and_then(Value::as_i64));
    let Some(seconds) = seconds.filter(|s| (0..=10 * 366 * 86_400).contains(s)) else {
        return refuse("advance_s is a number of seconds from 0 to ten years".to_owned());
    };
    app.world().advanced_s = app.clock().advance(seconds);
    clock(State(app)).await
}

fn refuse(message: String) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": message}))).into_response()
}
