//! Google's error envelope, and its many sorts of 403 told apart (provider notes A3).

use std::time::Duration;

use serde_json::Value;
use sync::error::ServiceError;

use crate::http::{Answer, Refusal};

/// A quota of the account or of the day, not of the minute: asking again soon only adds to it.
const LONG_PAUSE: Duration = Duration::from_hours(1);

/// What kind of limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// Too much at once, from this user or from all users of the app.
    Minute,
    /// The account may not change so much, or all users of the app have used up the day.
    Long,
}

/// Says what a refused request means for the caller.
pub(super) fn error(answer: &Answer) -> ServiceError {
    let refusal = read(&answer.value().unwrap_or_default());
    let service = answer.peer().name().to_owned();
    let reason = refusal.code.as_deref().unwrap_or_default();
    if let Some(limit) = limit(answer, reason) {
        // The words for people are the same: the log tells which it was.
        tracing::warn!(reason = word(reason), ?limit, "Google limits us");
        let asked = answer.retry_after();
        let retry_after = match limit {
            Limit::Minute => asked,
            Limit::Long => Some(asked.map_or(LONG_PAUSE, |asked| asked.max(LONG_PAUSE))),
        };
        return ServiceError::RateLimited { service, retry_after };
    }
    match (answer.status.as_u16(), reason) {
        (403, "forbiddenForNonOrganizer") => ServiceError::Rejected {
            service,
            reason: "only the organizer may change this of the event".to_owned(),
        },
        (403, "accessNotConfigured" | "dailyLimitExceededUnreg" | "SERVICE_DISABLED") => {
            let reason = "Google does not know this app, or it may not use calendars".to_owned();
            ServiceError::Forbidden { service, reason }
        }
        // Only inside batches: another call of the same batch stood in its way.
        (409, "conflict") => {
            let reason = "it was held up by another of our calls".to_owned();
            ServiceError::Failing { service, reason, retry_after: answer.retry_after() }
        }
        _ => answer.refused(&refusal),
    }
}

/// How long the account's own quota keeps it from being changed.
pub(super) fn account_pause(answer: &Answer) -> Option<Duration> {
    let refusal = (!answer.status.is_success()).then(|| read(&answer.value().unwrap_or_default()))?;
    let met = limit(answer, refusal.code.as_deref().unwrap_or_default());
    (met == Some(Limit::Long)).then_some(LONG_PAUSE)
}

fn limit(answer: &Answer, reason: &str) -> Option<Limit> {
    match (answer.status.as_u16(), reason) {
        (403 | 429, "quotaExceeded" | "dailyLimitExceeded") => Some(Limit::Long),
        (403, "userRateLimitExceeded" | "rateLimitExceeded" | "RESOURCE_EXHAUSTED") | (429, _) => {
            Some(Limit::Minute)
        }
        _ => None,
    }
}

/// Google's own words for machines; anything else is not put into the log.
fn word(reason: &str) -> &str {
    let known = [
        "quotaExceeded",
        "dailyLimitExceeded",
        "userRateLimitExceeded",
        "rateLimitExceeded",
        "RESOURCE_EXHAUSTED",
    ];
    known.into_iter().find(|known| *known == reason).unwrap_or("another")
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
    let details = || error["details"].as_array().into_iter().flatten().map(|detail| &detail["reason"]);
    let scope_missing = details().any(|reason| reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    let word = |value: &Value| value.as_str().map(str::to_owned);
    Refusal {
        code: if scope_missing {
            Some("insufficientPermissions".to_owned())
        } else {
            word(&first["reason"]).or_else(|| details().find_map(word)).or_else(|| word(&error["status"]))
        },
        message: word(&error["message"]).or_else(|| word(&first["message"])),
    }
}
