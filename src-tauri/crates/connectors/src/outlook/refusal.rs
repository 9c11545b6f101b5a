//! Graph's error envelope: codes decide, words never do (provider notes B6).

use serde_json::Value;
use sync::error::ServiceError;

use crate::http::{Answer, Refusal};

/// A create whose key was used before. Clients have met it as 400 and as 409.
const DUPLICATE: &str = "ErrorDuplicateTransactionId";

/// What a refusal means for the caller; nothing if it is none.
pub(super) fn of(answer: &Answer) -> Option<ServiceError> {
    (!answer.status.is_success()).then(|| error(answer))
}

/// Says what a refused request means for the caller.
pub(super) fn error(answer: &Answer) -> ServiceError {
    let body = answer.value().unwrap_or_default();
    let codes = codes(&body);
    let says = |code: &str| codes.iter().any(|said| said.eq_ignore_ascii_case(code));
    let service = answer.peer().name().to_owned();
    let refusal = Refusal {
        code: codes.first().map(|code| (*code).to_owned()),
        message: body["error"]["message"].as_str().map(str::to_owned),
    };
    match answer.status.as_u16() {
        400 | 409 if says(DUPLICATE) => ServiceError::Exists { service },
        400..=499 if says("ErrorFolderExists") => ServiceError::Exists { service },
        400..=499 if says("ErrorIrresolvableConflict") => ServiceError::Stale { service },
        // Its mailbox is on a server of its own, or there is none: that is no calendar that has gone.
        400..=499 if codes.iter().any(|code| has_no_mailbox(code)) => ServiceError::Forbidden {
            service,
            reason: "this account has no calendar that Microsoft gives to apps".to_owned(),
        },
        509 => ServiceError::RateLimited { service, retry_after: answer.retry_after() },
        _ => answer.refused(&refusal),
    }
}

/// A create has no precondition, so a conflict is trouble on their side: it may pass, and may have been done.
pub(super) fn of_create(error: ServiceError) -> ServiceError {
    if let ServiceError::Stale { service } = error {
        let reason = "it speaks of a conflict where there is none".to_owned();
        ServiceError::Failing { service, reason, retry_after: None }
    } else {
        error
    }
}

/// Whether a list of changes was refused because of where it was to begin: 410, or any refusal that names the state.
pub(super) fn is_about_the_cursor(answer: &Answer) -> bool {
    let status = answer.status.as_u16();
    let named = |code: &&str| {
        let code = code.to_ascii_lowercase();
        code.contains("syncstate") || code == "resyncrequired"
    };
    status == 410
        || (400..500).contains(&status) && answer.value().is_some_and(|body| codes(&body).iter().any(named))
}

fn has_no_mailbox(code: &str) -> bool {
    ["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(code))
}

/// The code, and those of the errors inside it: the property is spelled in two ways, and nests.
fn codes(body: &Value) -> Vec<&str> {
    const DEPTH: usize = 8;
    let mut codes = Vec::new();
    let mut error = &body["error"];
    for _ in 0..DEPTH {
        codes.extend(error["code"].as_str());
        let inner =
            ["innerError", "innererror"].iter().map(|name| &error[*name]).find(|inner| inner.is_object());
        match inner {
            Some(inner) => error = inner,
            None => break,
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_code_is_found_wherever_the_envelope_puts_it() {
        let body = json!({"error": {"code": "ErrorInvalidRequest", "message": "no", "innererror":
            {"code": "resyncRequired", "innerError": {"code": "SyncStateNotFound"}}}});
        assert_eq!(codes(&body), ["ErrorInvalidRequest", "resyncRequired", "SyncStateNotFound"]);
        assert!(codes(&json!({"error": "invalid_grant"})).is_empty());
        assert!(codes(&json!(null)).is_empty());
    }
}
