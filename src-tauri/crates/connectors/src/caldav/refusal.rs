//! What a calendar server's refusals mean for the caller: status, and the condition that the body names (RFC 4791 §5.3.2,
//! RFC 6578 §3.2).

use sync::error::ServiceError;

use super::multistatus::conditions;
use crate::http::{Answer, Peer, Refusal};

/// What a refused request means where the request itself says nothing more of it.
pub(super) fn error(answer: &Answer) -> ServiceError {
    let service = Peer::Caldav.name().to_owned();
    let named = conditions(answer.bytes());
    let says = |condition: &str| named.iter().any(|name| name == condition);
    let reason = named.first().cloned();
    match answer.status.as_u16() {
        // Basic sign-in: the password itself was refused.
        401 => ServiceError::SignInExpired { service, reason: "it does not accept the password".to_owned() },
        403 if says("need-privileges") => {
            ServiceError::Forbidden { service, reason: "the account may not do this here".to_owned() }
        }
        // Nextcloud, after too many wrong passwords.
        429 => ServiceError::RateLimited { service, retry_after: answer.retry_after() },
        // iCloud. A refusal for good does not say when to come again.
        403 if answer.retry_after().is_some() => {
            ServiceError::RateLimited { service, retry_after: answer.retry_after() }
        }
        423 => {
            let reason = "it is locked just now".to_owned();
            ServiceError::Failing { service, reason, retry_after: answer.retry_after() }
        }
        507 => ServiceError::Rejected { service, reason: "there is no room left in the account".to_owned() },
        403 | 415 | 422 if reason.is_some() => {
            ServiceError::Rejected { service, reason: reason.unwrap_or_default() }
        }
        _ => answer.refused(&Refusal { code: reason, message: None }),
    }
}

/// As [`error`], of a new or changed file. 409 says that its folder is not there (RFC 4918 §9.7.1).
pub(super) fn of_write(answer: &Answer) -> ServiceError {
    match answer.status.as_u16() {
        409 if !has_other_of_this_uid(answer) => {
            ServiceError::Gone { service: Peer::Caldav.name().to_owned() }
        }
        _ => error(answer),
    }
}

/// Whether the file was refused because another one has its UID.
pub(super) fn has_other_of_this_uid(answer: &Answer) -> bool {
    match answer.status.as_u16() {
        400 | 403 | 409 => {
            let named = conditions(answer.bytes());
            // The second is what Cyrus says of it (RFC 6638 §3.2.4.1).
            named.iter().any(|name| matches!(name.as_str(), "no-uid-conflict" | "unique-scheduling-object-resource"))
                // Nextcloud's database says it in words alone.
                || String::from_utf8_lossy(answer.bytes()).contains("uid already exists")
        }
        _ => false,
    }
}

/// Whether the report was refused because of its sync token. RFC 6578 says 403 or 409 with the condition; others say it
/// with a status that means nothing else here.
pub(super) fn is_about_the_token(answer: &Answer) -> bool {
    match answer.status.as_u16() {
        403 => conditions(answer.bytes()).iter().any(|name| name == "valid-sync-token"),
        // 418: Nextcloud, where events had been deleted.
        400 | 409 | 410 | 412 | 418 => true,
        _ => false,
    }
}

/// Whether the server knows no such report.
pub(super) fn is_no_such_report(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 400 | 403 | 405 | 409 | 412 | 415 | 418 | 422 | 501)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::http::StatusCode;

    #[test]
    fn a_403_that_says_when_to_come_again_asks_to_slow_down_and_any_other_forbids() {
        let privileges = r#"<d:error xmlns:d="DAV:"><d:need-privileges/></d:error>"#;
        for (body, again, slows) in [
            ("", Some("120"), true),
            ("", None, false),
            (privileges, None, false),
            (privileges, Some("120"), false),
        ] {
            let again = again.map(|again| (RETRY_AFTER, HeaderValue::from_static(again)));
            let headers = HeaderMap::from_iter(again);
            let answer = Answer::made(Peer::Caldav, StatusCode::FORBIDDEN, headers, body.into());
            let refused = error(&answer);
            let wait = refused.retry_after().map(|wait| wait.as_secs());
            assert_eq!(wait, slows.then_some(120), "{body}: {refused}");
            assert_eq!(matches!(refused, ServiceError::Forbidden { .. }), !slows, "{body}: {refused}");
        }
    }
}
