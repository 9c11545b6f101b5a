//! Google's refusals, word for word: clients switch on status and reason, so both must be right.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: u16,
    domain: &'static str,
    pub reason: &'static str,
    message: String,
    location: Option<(&'static str, String)>,
    scope_missing: bool,
}

impl Refusal {
    fn new(code: u16, domain: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, domain, reason, message: message.into(), location: None, scope_missing: false }
    }

    fn at(mut self, kind: &'static str, location: impl Into<String>) -> Self {
        self.location = Some((kind, location.into()));
        self
    }

    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "global", "invalid", message)
    }

    #[must_use]
    pub fn required(message: impl Into<String>) -> Self {
        Self::new(400, "global", "required", message)
    }

    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "global", "badRequest", message)
    }

    #[must_use]
    pub fn parse_error() -> Self {
        Self::new(400, "global", "parseError", "Parse Error")
    }

    #[must_use]
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self::new(400, "global", "invalidParameter", message).at("parameter", name)
    }

    #[must_use]
    pub fn invalid_parameter_value(name: &str, message: impl Into<String>) -> Self {
        Self::new(400, "global", "invalid", message).at("parameter", name)
    }

    #[must_use]
    pub fn time_range_empty() -> Self {
        Self::new(400, "calendar", "timeRangeEmpty", "The specified time range is empty.")
            .at("parameter", "timeMax")
    }

    #[must_use]
    pub fn empty_event() -> Self {
        Self::new(400, "calendar", "timeRangeEmpty", "The specified time range is empty.")
    }

    #[must_use]
    pub fn event_type() -> Self {
        Self::new(400, "calendar", "eventTypeRestriction", "The event type cannot be changed.")
    }

    #[must_use]
    pub fn sign_in() -> Self {
        Self::new(401, "global", "authError", "Invalid Credentials").at("header", "Authorization")
    }

    #[must_use]
    pub fn login_required() -> Self {
        Self::new(401, "global", "required", "Login Required.").at("header", "Authorization")
    }

    #[must_use]
    pub fn scope_missing() -> Self {
        let mut refusal = Self::new(
            403,
            "global",
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        );
        refusal.scope_missing = true;
        refusal
    }

    #[must_use]
    pub fn read_only() -> Self {
        Self::new(403, "calendar", "requiredAccessLevel", "You need to have writer access to this calendar.")
    }

    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(403, "global", "forbidden", "Forbidden")
    }

    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "global", "notFound", "Not Found")
    }

    #[must_use]
    pub fn duplicate() -> Self {
        Self::new(409, "global", "duplicate", "The requested identifier already exists.")
    }

    #[must_use]
    pub fn full_sync_required() -> Self {
        Self::new(
            410,
            "calendar",
            "fullSyncRequired",
            "Sync token is no longer valid, a full sync is required.",
        )
        .at("parameter", "syncToken")
    }

    #[must_use]
    pub fn updated_min_too_long_ago() -> Self {
        Self::new(
            410,
            "calendar",
            "updatedMinTooLongAgo",
            "The requested minimum modification time lies too far in the past.",
        )
        .at("parameter", "updatedMin")
    }

    #[must_use]
    pub fn deleted() -> Self {
        Self::new(410, "global", "deleted", "Resource has been deleted")
    }

    #[must_use]
    pub fn condition_not_met() -> Self {
        Self::new(412, "global", "conditionNotMet", "Precondition Failed").at("header", "If-Match")
    }

    /// What Google says with this status when it is not about the request.
    #[must_use]
    pub fn of_status(code: u16, reason: Option<&'static str>) -> Self {
        if let Some(reason) = reason {
            let message = match reason {
                "quotaExceeded" => "Calendar usage limits exceeded.",
                "userRateLimitExceeded" => "User Rate Limit Exceeded",
                "rateLimitExceeded" => "Rate Limit Exceeded",
                _ => "Shared properties can only be changed by the organizer of the event.",
            };
            let domain = if reason.ends_with("Exceeded") { "usageLimits" } else { "calendar" };
            return Self::new(code, domain, reason, message);
        }
        match code {
            401 => Self::sign_in(),
            403 => Self::new(403, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
            404 => Self::not_found(),
            409 => Self::duplicate(),
            410 => Self::deleted(),
            412 => Self::condition_not_met(),
            429 => Self::new(429, "usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
            400..=499 => Self::new(code, "global", "badRequest", "Bad Request"),
            _ => Self::new(code, "global", "backendError", "Backend Error"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut entry = json!({"domain": self.domain, "reason": self.reason, "message": self.message});
        if let Some((kind, location)) = &self.location {
            entry["locationType"] = json!(kind);
            entry["location"] = json!(location);
        }
        let mut error = json!({"errors": [entry], "code": self.code, "message": self.message});
        if self.scope_missing {
            error["status"] = json!("PERMISSION_DENIED");
            error["details"] = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com",
                "metadata": {"service": "calendar-json.googleapis.com"}}]);
        }
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json::<Value>(json!({"error": error}))).into_response();
        if self.code == 401 {
            let challenge = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            response.headers_mut().insert("www-authenticate", HeaderValue::from_static(challenge));
        }
        response
    }
}
