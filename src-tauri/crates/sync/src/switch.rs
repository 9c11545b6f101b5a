//! The platform's switches: whether one that was off at the end of the last run is off still. Asked before anything is
//! written to her calendar, with a request that has to be made anyway.

use crate::apply::{self, Applied};
use crate::error::{Code, MirrorError};
use crate::observe::Observed;
use crate::plan::{Plan, plan};
use crate::report::Report;
use crate::run::{Parts, Request, allowed};
use crate::world::RunRecord;

/// Sends the first busy time that is due, where the last run found syncing switched off. Bookings can be read even then.
///
/// # Errors
/// When the mirror cannot be read or written.
pub async fn is_still_off(
    parts: &Parts<'_>,
    request: &Request,
    observed: &Observed,
    applied: &mut Applied,
    report: &mut Report,
) -> Result<bool, MirrorError> {
    // The newest is this run itself.
    if !parts.mirror.runs(2)?.get(1).is_some_and(ended_switched_off) {
        return Ok(false);
    }
    let world = parts.mirror.world()?;
    let due = plan(&world, parts.clock.now(), &parts.policy);
    let due = allowed(due, &world, request.direction, observed);
    let first = Plan { publish: due.publish.into_iter().take(1).collect(), ..Plan::default() };
    apply::publish(parts, &request.run, &world, &first, observed, applied, report).await?;
    Ok(report.is_switched_off())
}

fn ended_switched_off(run: &RunRecord) -> bool {
    let errors = run.report.as_ref().and_then(|report| report["errors"].as_array());
    let off = |error: &serde_json::Value| error["code"] == Code::SyncSwitchedOff.as_str();
    errors.is_some_and(|errors| errors.iter().any(off))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServiceError;
    use crate::made::at;
    use crate::report::ErrorReport;
    use crate::run::record::begun;
    use crate::world::Direction;

    #[test]
    fn only_a_run_that_says_so_ended_switched_off() {
        let ended = |errors: &[ServiceError]| {
            let mut report = Report::new(Direction::Bidirectional, false);
            report.errors = errors.iter().map(|error| ErrorReport::of(error, "bookiji")).collect();
            let record = begun(&"run".into(), Direction::Bidirectional, at(0));
            RunRecord { report: serde_json::to_value(&report).ok(), ..record }
        };
        let off = ServiceError::SwitchedOff { service: "bookiji".to_owned(), reason: String::new() };
        let stale = ServiceError::Stale { service: "bookiji".to_owned() };
        assert!(ended_switched_off(&ended(&[stale.clone(), off])));
        assert!(!ended_switched_off(&ended(&[stale])));
        assert!(!ended_switched_off(&ended(&[])));
        assert!(!ended_switched_off(&begun(&"run".into(), Direction::Bidirectional, at(0))));
    }
}
