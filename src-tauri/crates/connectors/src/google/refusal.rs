//! Google's error envelope, and its many sorts of 403 told apart (provider notes A3).

use std::time::Duration;

use serde_json::Value;
use sync::error::ServiceError;

use crate::http::{Answer, Refusal};

/// A quota of the account, not of the minute: asking again soon only adds to it.
const ACCOUNT_QUOTA_PAUSE: Duration = Duration::from_hours(1);

/// Says what a refused request means for the caller.
pub(super) fn error(answer: &Answer) -> ServiceError {
    let refusal = read(&answer.value().unwrap_or_default());
    let service = answer.peer().name().to_owned();
    let reason = refusal.code.as_deref().unwrap_or_default();
    match (answer.status.as_u16(), reason) {
        (403, "userRateLimitExceeded" | "rateLimitExceeded" | "dailyLimitExceeded") => {
            ServiceError::RateLimited { service, retry_after: answer.retry_after() }
        }
        (403, "quotaExceeded") => {
            ServiceError::RateLimited { service, retry_after: Some(ACCOUNT_QUOTA_PAUSE) }
        }
        (403, "forbiddenForNonOrganizer") => ServiceError::Rejected {
            service,
            reason: "only the organizer may change this of the event".to_owned(),
        },
        _ => answer.refused(&refusal),
    }
}

/// Whether the list was refused because of its sync token. Google says 410; a token that it cannot even read is a 400.
pub(super) fn is_about_the_cursor(answer: &Answer) -> bool {
    match answer.status.as_u16() {
        410 => true,
        400 => answer
            .value()
            .is_some_and(|body| body["error"]["errors"][0]["location"].as_str() == Some("syncToken")),
        _ => false,
    }
}

fn read(body: &Value) -> Refusal {
    let error = &body["error"];
    let first = &error["errors"][0];
    let scope_missing = error["details"].as_array().is_some_and(|details| {
        details.iter().any(|detail| detail["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    });
    let word = |value: &Value| value.as_str().map(str::to_owned);
    Refusal {
        code: if scope_missing {
            Some("insufficientPermissions".to_owned())
        } else {
            word(&first["reason"]).or_else(|| word(&error["status"]))
        },
        message: word(&error["message"]).or_else(|| word(&first["message"])),
    }
}
