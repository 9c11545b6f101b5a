//! What her profile asked of a service within a day, as its runs wrote it down, against what it may ask. All vendors of
//! the app share what Google allows it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sync::world::RunRecord;

/// More runs than a day has, at one a minute.
pub const RUNS_OF_A_DAY: usize = 2_000;

/// What was asked in the day before a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub calls: u64,
    /// Runs that never ended: what they asked, nobody wrote down.
    pub uncounted: usize,
}

/// Adds up the last day's runs. A request that holds several calls counts as those.
#[must_use]
pub fn spent(runs: &[RunRecord], service: &str, now: Timestamp) -> Spent {
    let since = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let mut spent = Spent::default();
    for run in runs.iter().filter(|run| run.started_at > since && run.started_at <= now) {
        let Some(report) = &run.report else {
            spent.uncounted += 1;
            continue;
        };
        let counted =
            |table: &str| report.get(table).and_then(|counts| counts.get(service)).and_then(Value::as_u64);
        // Older runs know requests only.
        spent.calls += counted("calls").or_else(|| counted("requests")).unwrap_or_default();
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sync::world::Direction;

    fn run(hours_ago: i64, report: Option<Value>) -> RunRecord {
        let started_at = noon().saturating_sub(SignedDuration::from_hours(hours_ago)).unwrap();
        RunRecord {
            id: "r".into(),
            direction: Direction::Bidirectional,
            started_at,
            ended_at: None,
            outcome: None,
            undoes: None,
            report,
        }
    }

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_days_calls_are_those_of_its_runs_and_a_run_without_an_end_is_said() {
        let runs = [
            run(0, Some(json!({"requests": {"google": 3}, "calls": {"google": 101}}))),
            run(1, None),
            run(23, Some(json!({"requests": {"google": 4, "bookiji": 9}}))),
            run(24, Some(json!({"requests": {"google": 500}}))),
            run(-1, Some(json!({"requests": {"google": 500}}))),
        ];
        assert_eq!(spent(&runs, "google", noon()), Spent { calls: 105, uncounted: 1 });
        assert_eq!(spent(&runs, "outlook", noon()).calls, 0);
    }
}
