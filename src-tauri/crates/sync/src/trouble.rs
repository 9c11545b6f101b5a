//! What becomes of a connection whose service refuses or fails: asked to sign in again, or left alone for a while.

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

fn judge(
    connection: &Connection,
    outcomes: &[ReadOutcome],
    report: &Report,
    now: jiff::Timestamp,
) -> Connection {
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
            let wait = back_off(next.error_count, problem.retry_after_s.map(std::time::Duration::from_secs));
            next.backoff_until =
                jiff::SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
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
