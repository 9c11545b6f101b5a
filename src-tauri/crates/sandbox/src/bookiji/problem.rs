//! The platform's refusals: the canonical envelope, plus the `error` string that older parsers read.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::App;

#[derive(Clone, Debug)]
pub struct Problem {
    status: u16,
    code: &'static str,
    message: String,
    details: Option<Value>,
    correlation_id: String,
}

impl Problem {
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None, correlation_id: String::new() }
    }

    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// Well-formed, and still not possible: the contract keeps 400 for what its schema already forbids.
    #[must_use]
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "UNPROCESSABLE", message)
    }

    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "NOT_FOUND", format!("{what} not found"))
    }

    /// Gives it the id that the platform's own logs would carry.
    #[must_use]
    pub fn logged(mut self, app: &App) -> Self {
        self.correlation_id = app.world().names.uuid();
        self
    }

    /// Status and body, for those who keep the answer.
    #[must_use]
    pub fn parts(&self) -> (u16, Value) {
        let mut body = json!({"ok": false, "error": self.message, "code": self.code, "message": self.message,
            "correlation_id": self.correlation_id});
        if let Some(details) = &self.details {
            body["details"] = details.clone();
        }
        (self.status, body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        let http = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (http, Json(body)).into_response();
        if status == 429 || status == 503 {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("2"));
        }
        response
    }
}

/// What the platform says with this status when it is not about the request.
#[must_use]
pub fn of_status(app: &App, status: u16, reason: Option<&'static str>) -> Problem {
    let (code, message) = match (status, reason) {
        (_, Some(code @ "SCHEDULING_DISABLED")) => (code, "Scheduling is disabled"),
        (_, Some(code)) => (code, "Calendar sync is not enabled"),
        (status, None) => plain(status),
    };
    Problem::new(status, code, message).logged(app)
}

fn plain(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("AUTH_REQUIRED", "Invalid or expired token"),
        403 => ("FORBIDDEN", "Forbidden"),
        404 => ("NOT_FOUND", "Not found"),
        409 => ("CONFLICT", "Conflict"),
        429 => ("RATE_LIMITED", "Too many requests"),
        503 => ("SERVICE_UNAVAILABLE", "Service unavailable"),
        400..=499 => ("VALIDATION_ERROR", "Bad request"),
        _ => ("INTERNAL_ERROR", "Internal server error"),
    }
}
