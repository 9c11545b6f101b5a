//! Whether Bookiji as a whole is to be left alone for a while: what it refuses of one booking or one slot is no reason to
//! ask for all the others more seldom. Pure, but for what is known of the last question.

use connectors::http::Sent;
use sync::error::Code;
use sync::report::{ErrorReport, Report};

use crate::view::MessageKind;

/// Whether Bookiji answered when it was last asked for her bookings.
pub(super) fn answers(sent: &Sent) -> bool {
    let asked = |kind| kind == MessageKind::AskedBookings;
    let messages = sent.messages();
    let last = messages
        .iter()
        .filter(|message| asked(MessageKind::of(&message.method, message.route)))
        .max_by_key(|message| message.number);
    last.and_then(|message| message.status).is_some_and(|status| (200..300).contains(&status))
}

/// What keeps Bookiji from being asked as often as ever, if anything does. `answers`: her bookings could be read.
pub(super) fn silence(report: &Report, answers: bool) -> Option<&ErrorReport> {
    let mut of_bookiji = report.errors.iter().filter(|error| error.at == "bookiji");
    of_bookiji.find(|error| !answers || error.retry_after_s.is_some() || concerns_all(error.code))
}

/// Whether the account or the network is what is wrong.
fn concerns_all(code: Code) -> bool {
    match code {
        Code::OauthTokenExpired
        | Code::RateLimitExceeded
        | Code::NetworkError
        | Code::InvalidCredentials
        | Code::NotSignedIn
        | Code::ProfileNotLinked
        | Code::KeychainUnavailable => true,
        Code::CalendarApiError
        | Code::InvalidIcsFormat
        | Code::ConflictDetected
        | Code::NotConnected
        | Code::PermissionDenied
        | Code::SyncSwitchedOff
        | Code::SettingsInvalid
        | Code::DatabaseTooNew
        | Code::DatabaseError
        | Code::DatabaseDamaged
        | Code::DiskFull
        | Code::ProfileReadOnly
        | Code::ClockWrong
        | Code::AlreadyRunning
        | Code::InvalidInput
        | Code::SignInCancelled
        | Code::Stopped
        | Code::Internal => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::error::ServiceError;
    use sync::world::Direction;

    #[track_caller]
    fn check(error: &ServiceError, at: &str, answers: bool, expected: bool) {
        let mut report = Report::new(Direction::Bidirectional, false);
        report.errors.push(ErrorReport::of(error, at));
        assert_eq!(silence(&report, answers).is_some(), expected, "{error} at {at}, answers: {answers}");
    }

    #[test]
    fn one_thing_that_bookiji_refuses_delays_no_other_and_what_concerns_all_does() {
        let service = || "bookiji".to_owned();
        let refused = ServiceError::Rejected { service: service(), reason: "past".into() };
        let nameless = ServiceError::Garbled { service: service(), reason: "no id".into() };
        let unreachable = ServiceError::Unreachable { service: service(), reason: "reset".into() };
        for one in [&refused, &nameless] {
            check(one, "bookiji", true, false);
            check(one, "bookiji", false, true);
            check(one, "google", false, false);
        }
        check(&unreachable, "bookiji", true, true);
        let busy =
            |retry_after| ServiceError::Failing { service: service(), reason: "503".into(), retry_after };
        check(&busy(None), "bookiji", true, false);
        check(&busy(Some(std::time::Duration::from_secs(9))), "bookiji", true, true);
    }
}
