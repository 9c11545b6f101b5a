//! PostgREST's refusals: PostgreSQL's code or its own, and a status that follows from the code.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    details: Option<String>,
}

impl Refusal {
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None }
    }

    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// A query that cannot be read.
    #[must_use]
    pub fn unparsable(what: &str, text: &str) -> Self {
        let message = format!("\"failed to parse {what} ({text})\" (line 1, column 1)");
        Self::new(400, "PGRST100", message).with_details("unexpected input")
    }

    #[must_use]
    pub fn no_such_column(table: &str, column: &str) -> Self {
        Self::new(400, "42703", format!("column {table}.{column} does not exist"))
    }

    #[must_use]
    pub fn body() -> Self {
        Self::new(400, "PGRST102", "Empty or invalid json")
    }

    #[cfg(test)]
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({"code": self.code, "details": self.details, "hint": null, "message": self.message});
        (status, Json(body)).into_response()
    }
}

/// What the door, or the gateway before it, says with this status when it is not about the request.
#[must_use]
pub fn of_status(status: u16) -> Response {
    let http = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let gateway = |message: &str| json!({"message": message});
    let door = |code: &str, message: &str| -> Value {
        json!({"code": code, "details": null, "hint": null, "message": message})
    };
    let body = match status {
        401 => door("PGRST301", "JWT expired"),
        429 => gateway("API rate limit exceeded"),
        500 => door("57014", "canceling statement due to statement timeout"),
        502 | 504 => gateway("An invalid response was received from the upstream server"),
        503 => door("PGRST002", "Could not query the database for the schema cache. Retrying."),
        501 | 505.. => gateway("An unexpected error occurred"),
        _ => door("PGRST000", "Injected fault."),
    };
    (http, Json(body)).into_response()
}
