//! What each lie leaves of a request, and what the device hears instead.

use std::time::Duration;

use jiff::SignedDuration;
use sync::error::ServiceError;

use super::super::stage::Stage;
use super::super::weather::Lie;

pub(super) fn refusal(lie: Lie) -> ServiceError {
    let service = "fake".to_owned();
    match lie {
        Lie::RateLimited => ServiceError::RateLimited { service, retry_after: Some(Duration::from_secs(2)) },
        Lie::SignInExpired => ServiceError::SignInExpired { service, reason: "invalid_grant".to_owned() },
        Lie::Rejected => ServiceError::Rejected { service, reason: "not to its taste".to_owned() },
        Lie::Failing => ServiceError::Failing { service, reason: "503".to_owned(), retry_after: None },
        Lie::Forbidden => ServiceError::Forbidden { service, reason: "403".to_owned() },
        Lie::SwitchedOff => ServiceError::SwitchedOff { service, reason: "SCHEDULING_DISABLED".to_owned() },
        Lie::Garbled | Lie::Html => ServiceError::Garbled { service, reason: format!("{lie:?}") },
        Lie::ReplyLost
        | Lie::Unreachable
        | Lie::Slow
        | Lie::HalfAReading
        | Lie::CursorLost
        | Lie::Duplicates
        | Lie::Reordered
        | Lie::Old
        | Lie::IgnoresPrecondition
        | Lie::DropsMarker => ServiceError::Unreachable { service, reason: format!("{lie:?}") },
    }
}

pub(super) fn gone() -> ServiceError {
    ServiceError::Gone { service: "fake".to_owned() }
}

/// What a lie leaves of a request.
pub(super) enum Bent {
    NotDone,
    /// Done, and the answer does not arrive as one.
    Unanswered,
    /// Done and answered, in its own way.
    Answered,
}

pub(super) fn bent(lie: Lie) -> Bent {
    match lie {
        Lie::Unreachable
        | Lie::RateLimited
        | Lie::Failing
        | Lie::SignInExpired
        | Lie::Rejected
        | Lie::Forbidden
        | Lie::SwitchedOff
        | Lie::Html => Bent::NotDone,
        Lie::ReplyLost | Lie::Garbled => Bent::Unanswered,
        Lie::Slow
        | Lie::HalfAReading
        | Lie::CursorLost
        | Lie::Duplicates
        | Lie::Reordered
        | Lie::Old
        | Lie::IgnoresPrecondition
        | Lie::DropsMarker => Bent::Answered,
    }
}

pub(super) fn takes_its_time(stage: &mut Stage, lie: Lie) {
    if lie == Lie::Slow {
        let minutes = stage.dice.between(1, 20);
        stage.passes(SignedDuration::from_mins(minutes), None);
    }
}
