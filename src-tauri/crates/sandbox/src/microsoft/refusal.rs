//! Microsoft's refusals at sign-in: an OAuth error, and an AADSTS number that says which of many.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;

#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub error: &'static str,
    pub number: u32,
    message: String,
    suberror: Option<&'static str>,
}

impl Refusal {
    #[must_use]
    pub fn new(error: &'static str, number: u32, message: impl Into<String>) -> Self {
        Self { status: 400, error, number, message: message.into(), suberror: None }
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn sub(mut self, word: &'static str) -> Self {
        self.suberror = Some(word);
        self
    }

    /// The work account's administrator has to agree first.
    #[must_use]
    pub fn needs_approval() -> Self {
        Self::new(
            "access_denied",
            90094,
            "Bookiji Companion needs permission to access resources in your organization that only an admin can grant. Ask an admin to grant permission to this app before you can use it.",
        )
    }

    #[must_use]
    pub fn consent_required() -> Self {
        Self::new(
            "invalid_grant",
            65001,
            "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
        )
        .sub("consent_required")
    }

    /// What Microsoft says with this status when it is not about the request.
    #[must_use]
    pub fn of_status(code: u16) -> Self {
        match code {
            429 => Self::new("temporarily_unavailable", 90055, "The server terminated an operation because it encountered a client request rate larger than expected.").status(429),
            400..=499 => Self::new("invalid_request", 900_144, "The request body must contain the following parameter: 'client_id'.").status(code),
            _ => Self::new("temporarily_unavailable", 90033, "A transient error has occurred. Please try again.").status(code),
        }
    }

    #[must_use]
    pub fn description(&self) -> String {
        format!("AADSTS{}: {}", self.number, self.message)
    }

    #[must_use]
    pub fn answer(&self, app: &App) -> Response {
        let now = app.clock().now();
        let (trace, correlation) = {
            let names = &mut app.world().outlook.names;
            (names.uuid(), names.uuid())
        };
        let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
                self.description()
            ),
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        if let Some(word) = self.suberror {
            body["suberror"] = json!(word);
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, [("cache-control", "no-store"), ("pragma", "no-cache")], Json(body)).into_response()
    }
}
