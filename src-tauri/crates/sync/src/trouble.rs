//! What becomes of a connection whose service refuses or fails: asked to sign in again, or left alone for a while.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::error::{Code, MirrorError};
use crate::observe::Observed;
use crate::policy::back_off;
use crate::report::{ReadOutcome, Report};
use crate::run::Parts;
use crate::world::{Connection, ConnectionState, SyncProblem, World};

/// Writes the state of every connection that was asked.
///
/// # Errors
/// When the mirror cannot be written.
pub fn record(
    parts: &Parts<'_>,
    world: &World,
    observed: &Observed,
    report: &Report,
) -> Result<(), MirrorError> {
    for connection in world.connections.values() {
        let outcomes: Vec<ReadOutcome> = world
            .calendars
            .values()
            .filter(|calendar| calendar.connection == connection.id)
            .filter_map(|calendar| observed.outcome(&calendar.id))
            .collect();
        if outcomes.is_empty() {
            continue;
        }
        let next = judge(connection, &outcomes, report, parts.clock.now());
        if next != *connection {
            parts.mirror.put_connection(&next)?;
        }
    }
    Ok(())
}

/// Leaves alone every account that asked for it, whichever request it refused.
///
/// # Errors
/// When the mirror cannot be written.
pub fn heed(parts: &Parts<'_>, world: &World, report: &Report) -> Result<(), MirrorError> {
    let now = parts.clock.now();
    for connection in world.connections.values() {
        let until = asked_for(connection, report, now);
        if until > connection.backoff_until {
            parts.mirror.put_connection(&Connection { backoff_until: until, ..connection.clone() })?;
        }
    }
    Ok(())
}

fn asked_for(connection: &Connection, report: &Report, now: Timestamp) -> Option<Timestamp> {
    let of_it = report.errors.iter().filter(|error| error.connection.as_ref() == Some(&connection.id));
    let seconds = of_it.filter_map(|error| error.retry_after_s).max()?;
    now.checked_add(SignedDuration::try_from(Duration::from_secs(seconds)).ok()?).ok()
}

fn judge(connection: &Connection, outcomes: &[ReadOutcome], report: &Report, now: Timestamp) -> Connection {
    let mut next = connection.clone();
    let problem = report.errors.iter().find(|error| error.connection.as_ref() == Some(&connection.id));
    let all_failed = outcomes.iter().all(|outcome| *outcome == ReadOutcome::Failed);
    match problem {
        Some(problem) if all_failed => {
            next.state = if problem.code == Code::OauthTokenExpired {
                ConnectionState::NeedsSignIn
            } else {
                connection.state
            };
            next.error = Some(SyncProblem { code: problem.code, message: problem.message.clone() });
            next.error_count = connection.error_count.saturating_add(1);
            let wait = back_off(next.error_count, problem.retry_after_s.map(Duration::from_secs));
            next.backoff_until =
                SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
        }
        _ => {
            next.state = ConnectionState::Connected;
            next.error =
                problem.map(|problem| SyncProblem { code: problem.code, message: problem.message.clone() });
            next.error_count = 0;
            next.backoff_until = None;
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;
    use crate::ids::{ConnectionId, Service};
    use crate::made::at;
    use crate::report::ErrorReport;
    use crate::world::Direction;

    fn hers() -> Connection {
        Connection {
            id: ConnectionId::of(Service::Google, "amelie@example.com"),
            service: Service::Google,
            account: "amelie@example.com".to_owned(),
            state: ConnectionState::Connected,
            created_at: at(-9),
            error: None,
            backoff_until: None,
            error_count: 2,
        }
    }

    #[test]
    fn an_account_is_left_alone_for_the_longest_that_it_asked_for_and_no_other_is() {
        let mut report = Report::new(Direction::Bidirectional, false);
        for (account, seconds) in
            [("amelie@example.com", 30), ("amelie@example.com", 600), ("else@example.com", 900)]
        {
            let retry_after = Some(Duration::from_secs(seconds));
            let error =
                ServiceError::Failing { service: "google".to_owned(), reason: "503".to_owned(), retry_after };
            let connection = Some(ConnectionId::of(Service::Google, account));
            report.errors.push(ErrorReport { connection, ..ErrorReport::of(&error, "google") });
        }
        let until = at(0).checked_add(SignedDuration::from_secs(600)).unwrap();
        assert_eq!(asked_for(&hers(), &report, at(0)), Some(until));
        report.errors.clear();
        assert_eq!(asked_for(&hers(), &report, at(0)), None);
    }

    #[test]
    fn an_account_is_left_alone_only_where_all_of_it_failed() {
        let connection = hers();
        let id = connection.id.clone();
        let mut report = Report::new(Direction::Bidirectional, false);
        let error =
            ServiceError::SignInExpired { service: "google".to_owned(), reason: "invalid_grant".to_owned() };
        report.errors.push(ErrorReport { connection: Some(id), ..ErrorReport::of(&error, "google") });

        let all = judge(&connection, &[ReadOutcome::Failed, ReadOutcome::Failed], &report, at(0));
        assert_eq!((all.state, all.error_count), (ConnectionState::NeedsSignIn, 3));
        assert!(all.backoff_until.is_some_and(|until| until > at(0)) && all.error.is_some());

        let some = judge(&connection, &[ReadOutcome::Failed, ReadOutcome::Delta], &report, at(0));
        assert_eq!((some.state, some.error_count), (ConnectionState::Connected, 0));
        assert!(some.backoff_until.is_none() && some.error.is_some(), "what went wrong is told all the same");

        let of_another = ConnectionId::of(Service::Google, "else@example.com");
        report.errors[0].connection = Some(of_another);
        let none = judge(&connection, &[ReadOutcome::Failed], &report, at(0));
        assert_eq!((none.error, none.error_count), (None, 0));
    }
}
