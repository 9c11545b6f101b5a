//! The platform's error envelopes: five shapes coexist, and PostgREST's beside them (platform notes §1.1).

use std::time::Duration;

use serde_json::Value;
use sync::error::ServiceError;

use crate::http::{Answer, Refusal, line};

/// Says what a refused request means for the caller.
pub(super) fn error(answer: &Answer) -> ServiceError {
    let body = answer.value().unwrap_or_default();
    let mut refusal = read(&body);
    if refusal == Refusal::default() {
        refusal.message = answer.text();
    }
    let service = answer.peer().name().to_owned();
    match refusal.code.as_deref().unwrap_or_default() {
        switch @ ("SCHEDULING_DISABLED" | "CALENDAR_SYNC_DISABLED") => {
            return ServiceError::SwitchedOff { service, reason: switch.to_owned() };
        }
        "FENCED" => return ServiceError::Fenced { service },
        "PGRST301" => {
            return ServiceError::SignInExpired { service, reason: "the session has expired".to_owned() };
        }
        _ => {}
    }
    let error = answer.refused(&refusal);
    if matches!(error, ServiceError::RateLimited { retry_after: None, .. }) {
        return ServiceError::RateLimited { service, retry_after: retry_after(&body) };
    }
    if matches!(error, ServiceError::Exists { .. }) {
        // Nothing is created under a name here: a conflict is with what stands there.
        let reason =
            refusal.message.or(refusal.code).map_or_else(|| "a conflict".to_owned(), |text| line(&text));
        return ServiceError::Rejected { service, reason };
    }
    error
}

/// Whether the page was refused because of its cursor.
pub(super) fn is_about_the_cursor(answer: &Answer) -> bool {
    let code = || read(&answer.value().unwrap_or_default()).code;
    match answer.status.as_u16() {
        410 => true,
        400 | 404 | 409 | 422 => code().is_some_and(|code| code.contains("CURSOR")),
        _ => false,
    }
}

/// The word that a refusal means machines to read.
pub(super) fn code(answer: &Answer) -> Option<String> {
    read(&answer.value().unwrap_or_default()).code
}

/// What a refusal says to people.
pub(super) fn message(answer: &Answer) -> Option<String> {
    read(&answer.value().unwrap_or_default()).message
}

fn read(body: &Value) -> Refusal {
    let word = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let error = &body["error"];
    if error.is_object() {
        return Refusal { code: word(&error["code"]), message: word(&error["message"]) };
    }
    Refusal {
        // Where `code` is missing, `error` is sometimes the code itself, beside a `message` for people.
        code: word(&body["code"]).or_else(|| word(error).filter(|text| is_code(text))),
        message: word(&body["message"]).or_else(|| word(error)),
    }
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// The partner API says it in its body.
fn retry_after(body: &Value) -> Option<Duration> {
    body["error"]["retryAfter"].as_u64().map(|seconds| Duration::from_secs(seconds.min(3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, code: Option<&str>, message: Option<&str>) {
        let body = serde_json::from_str(body).unwrap();
        let expected = Refusal { code: code.map(str::to_owned), message: message.map(str::to_owned) };
        assert_eq!(read(&body), expected, "{body}");
    }

    #[test]
    fn every_envelope_gives_up_its_code_and_its_words() {
        check(r#"{"error":"Unauthorized"}"#, None, Some("Unauthorized"));
        check(r#"{"error":"No","code":"FORBIDDEN","hint":"h"}"#, Some("FORBIDDEN"), Some("No"));
        check(
            r#"{"ok":false,"error":"Off","code":"SCHEDULING_DISABLED","message":"Off now","correlation_id":"c"}"#,
            Some("SCHEDULING_DISABLED"),
            Some("Off now"),
        );
        check(
            r#"{"success":false,"error":"CONFLICT_DETECTED","message":"It overlaps"}"#,
            Some("CONFLICT_DETECTED"),
            Some("It overlaps"),
        );
        check(
            r#"{"error":{"code":"RATE_LIMITED","message":"Slow","retryable":true,"retryAfter":3}}"#,
            Some("RATE_LIMITED"),
            Some("Slow"),
        );
        check(
            r#"{"code":"23P01","details":null,"hint":null,"message":"conflicting key"}"#,
            Some("23P01"),
            Some("conflicting key"),
        );
        check(r#"["not","an","envelope"]"#, None, None);
    }
}
