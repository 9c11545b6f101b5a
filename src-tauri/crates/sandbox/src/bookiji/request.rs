//! What every platform route does first and last: the bearer, the body, the idempotency key, the envelope.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::platform::Answered;
use super::problem::Problem;
use crate::app::App;
use crate::time::after;
use crate::wire::Call;
use crate::world::World;

const KEYS_KEPT_SECONDS: i64 = 24 * 3600;

/// Answers a route that needs a signed-in vendor.
pub fn answer(
    app: &App,
    call: &Call,
    work: impl FnOnce(&mut World, Timestamp) -> Result<Value, Problem>,
) -> Response {
    let done = admit(app, call).and_then(|now| work(&mut app.world(), now));
    match done {
        Ok(body) => Json(body).into_response(),
        Err(problem) => problem.logged(app).into_response(),
    }
}

/// As [`answer`], and an `Idempotency-Key` that was answered before gets the same answer again.
pub fn write(
    app: &App,
    call: &Call,
    work: impl FnOnce(&mut World, &Map<String, Value>, Timestamp) -> Result<Value, Problem>,
) -> Response {
    let now = match admit(app, call) {
        Ok(now) => now,
        Err(problem) => return problem.logged(app).into_response(),
    };
    let Some(body) = call.json() else {
        return Problem::new(400, "INVALID_JSON", "The body is not a JSON object")
            .logged(app)
            .into_response();
    };
    let key = call.headers.get("idempotency-key");
    let is_key = |key: &[u8]| (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if key.is_some_and(|key| !is_key(key.as_bytes())) {
        let message = "Idempotency-Key has 1 to 255 characters, visible and ASCII";
        return Problem::validation(message).logged(app).into_response();
    }
    let key = call.header("idempotency-key").map(str::to_owned);
    let request = fingerprint(call);
    let mut world = app.world();
    let kept = &mut world.platform.answered;
    kept.retain(|_, answer| after(answer.at, KEYS_KEPT_SECONDS) > now);
    if let Some(answered) = key.as_ref().and_then(|key| kept.get(key)) {
        if answered.request != request {
            drop(world);
            let message = "This Idempotency-Key was used for another request";
            return Problem::new(422, "IDEMPOTENCY_KEY_REUSED", message).logged(app).into_response();
        }
        let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::OK);
        return (status, [("idempotency-replayed", "true")], Json(answered.body.clone())).into_response();
    }
    match work(&mut world, &body, now) {
        Ok(body) => {
            if let Some(key) = key {
                let answered = Answered { request, status: 200, body: body.clone(), at: now };
                world.platform.answered.insert(key, answered);
            }
            Json(body).into_response()
        }
        Err(problem) => {
            drop(world);
            problem.logged(app).into_response()
        }
    }
}

/// `{ok: true, data}`.
#[must_use]
pub fn data(data: Value) -> Value {
    json!({"ok": true, "data": data})
}

pub fn admit(app: &App, call: &Call) -> Result<Timestamp, Problem> {
    let now = app.clock().now();
    let refused = |message| Err(Problem::new(401, "AUTH_REQUIRED", message));
    match call.bearer() {
        None => refused("Authorization header missing"),
        Some(token) if app.world().sessions.accepts(token, now) => Ok(now),
        Some(_) => refused("Invalid or expired token"),
    }
}

/// A whole number, which JSON may also write as `5.0`.
#[must_use]
pub fn whole(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..1e9).contains(n)).map(|n| n as u64))
}

/// # Errors
/// When it is missing or no string.
pub fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Problem::validation(format!("{name} is required")))
}

/// # Errors
/// When it is there and no string.
pub fn optional_text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    body.get(name)
        .map(|value| value.as_str().ok_or_else(|| Problem::validation(format!("{name} must be a string"))))
        .transpose()
}

/// As [`optional_text`], and `null` is the same as nothing.
///
/// # Errors
/// When it is there and neither.
pub fn nullable_text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    if body.get(name).is_some_and(Value::is_null) { Ok(None) } else { optional_text(body, name) }
}

/// # Errors
/// When it is no RFC 3339 instant.
pub fn instant(text: &str, name: &str) -> Result<Timestamp, Problem> {
    // A leap second or a bracketed zone is fine for the library and not for the contract.
    let plain = text.len() <= 40 && text.as_bytes().get(10) == Some(&b'T') && !text.contains('[');
    match text.parse() {
        Ok(at) if plain => Ok(at),
        Ok(_) | Err(_) => Err(Problem::validation(format!(
            "{name} must be an ISO 8601 instant such as 2026-01-02T10:00:00Z"
        ))),
    }
}

fn fingerprint(call: &Call) -> String {
    let mut hash = Sha256::new();
    hash.update(call.route.label());
    for (key, value) in &call.query {
        hash.update(format!("&{key}={value}"));
    }
    hash.update(call.param("id"));
    hash.update(&call.body);
    HEXLOWER.encode(&hash.finalize())
}
