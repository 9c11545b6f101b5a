//! Graph's refusals: a status, a code to branch on, a sentence that is not to be branched on.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::App;

#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    message: String,
    retry_after_s: Option<u32>,
    /// Beside code and message, as annotations are.
    annotation: Option<(&'static str, String)>,
    /// Where to start again.
    location: Option<String>,
}

impl Refusal {
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None, annotation: None, location: None }
    }

    #[must_use]
    pub fn annotated(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.annotation = Some((name, value.into()));
        self
    }

    #[must_use]
    pub fn at(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    #[must_use]
    pub fn malformed_id() -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    #[must_use]
    pub fn access_denied() -> Self {
        Self::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorInvalidRequest", message)
    }

    #[must_use]
    pub fn invalid_query(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorInvalidUrlQuery", message)
    }

    #[must_use]
    pub fn body_read(message: impl Into<String>) -> Self {
        Self::new(400, "RequestBodyRead", message)
    }

    #[must_use]
    pub fn unreadable() -> Self {
        Self::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )
    }

    #[must_use]
    pub fn validation() -> Self {
        Self::new(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
    }

    #[must_use]
    pub fn conflict() -> Self {
        Self::new(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
        )
    }

    #[must_use]
    pub fn throttled(message: &str) -> Self {
        let mut refusal = Self::new(429, "ApplicationThrottled", message);
        refusal.retry_after_s = Some(2);
        refusal
    }

    /// What Graph says with this status when it is not about the request.
    #[must_use]
    pub fn of_status(code: u16, reason: Option<&'static str>) -> Self {
        if let Some(reason) = reason {
            return Self::new(code, reason, "Injected fault.");
        }
        match code {
            401 => Self::new(
                401,
                "InvalidAuthenticationToken",
                "Lifetime validation failed, the token is expired.",
            ),
            403 => Self::access_denied(),
            404 => Self::not_found(),
            409 => Self::new(
                409,
                "ErrorIrresolvableConflict",
                "The change could not be made because of another.",
            ),
            410 => Self::new(410, "SyncStateNotFound", "The sync state generation is not found."),
            412 => Self::conflict(),
            429 => Self::throttled("Application is over its MailboxConcurrency limit."),
            400..=499 => Self::new(code, "ErrorInvalidRequest", "The request is invalid."),
            503 => Self::new(
                503,
                "ErrorServerBusy",
                "The server cannot service this request right now. Try again later.",
            ),
            504 => Self::new(504, "UnknownError", "Gateway timeout."),
            509 => Self::new(
                509,
                "BandwidthLimitExceeded",
                "The app has been throttled for exceeding the maximum bandwidth cap.",
            ),
            _ => Self::new(
                code,
                "ErrorInternalServerError",
                "An internal server error occurred. The operation failed.",
            ),
        }
    }

    fn body(&self, request: &str, client_request: &str, date: &str) -> Value {
        let mut error = json!({"code": self.code, "message": self.message,
            "innerError": {"date": date, "request-id": request, "client-request-id": client_request}});
        if let Some((name, value)) = &self.annotation {
            error[*name] = json!(value);
        }
        json!({"error": error})
    }
}

/// The refusal itself travels beside its answer, until [`stamp`] knows the request's id.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body("", "", ""))).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert("retry-after", HeaderValue::from(seconds));
        }
        if let Some(location) = self.location.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert("location", location);
        }
        if self.status == 401 {
            let challenge = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";
            headers.insert("www-authenticate", HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every answer the ids by which Microsoft's support finds it.
pub fn stamp(app: &App, asked: &HeaderMap, mut response: Response) -> Response {
    let now = app.clock().now();
    let request = app.world().outlook.names.uuid();
    let client =
        asked.get("client-request-id").and_then(|id| id.to_str().ok()).unwrap_or(&request).to_owned();
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let date = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let (mut parts, _) = response.into_parts();
        parts.headers.remove("content-length");
        let body = refusal.body(&request, &client, &date).to_string();
        response = Response::from_parts(parts, body.into());
    }
    for (name, value) in [("request-id", &request), ("client-request-id", &client)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
