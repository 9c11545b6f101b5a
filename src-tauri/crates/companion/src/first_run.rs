//! Whether the first sync may begin. Where somebody looks at a window, it begins with a plan that nothing follows from until
//! she says so; where nobody looks, at once.

use jiff::{SignedDuration, Timestamp};
use sync::error::MirrorError;
use sync::ports::Mirror;
use sync::world::{Direction, Operation, RunRecord};

use crate::view::PreviewView;

/// A plan that is older is made anew: her week goes on meanwhile.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// One that could not see everything is tried again sooner.
const TRIED_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// A calendar's turn comes within the hour, and the bookings' every minute: a day of runs holds a sync both ways, if there
/// was one.
const RUNS_SEARCHED: usize = 10_000;

/// What is known of the first sync.
#[derive(Clone, Debug, Default)]
pub struct FirstRun {
    /// Somebody is there to look at a plan first.
    pub is_shown: bool,
    /// She has seen it and said yes.
    pub is_let: bool,
    pub preview: Option<PreviewView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstStep {
    /// Nothing stands in the way of syncing.
    Sync,
    /// Plan, and write nothing.
    Preview,
    /// The plan is shown: it is for her to say.
    Wait,
}

impl FirstRun {
    /// Whether anything but syncing can come of it.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.is_shown && !self.is_let
    }

    /// `has_synced`: a run is on record. `asked`: somebody wants to see it anew.
    #[must_use]
    pub fn step(&self, has_synced: bool, asked: bool, now: Timestamp) -> FirstStep {
        match (self.may_wait() && !has_synced, &self.preview) {
            (false, _) => FirstStep::Sync,
            (true, Some(preview)) if !asked && is_fresh(preview, now) => FirstStep::Wait,
            (true, _) => FirstStep::Preview,
        }
    }
}

/// Whether a sync both ways is on record. What took an account's events back, or another run, is none; nor is what told
/// Bookiji of a file or of a time that she blocked by hand.
///
/// # Errors
/// When the mirror cannot be read.
pub fn has_synced(mirror: &dyn Mirror) -> Result<bool, MirrorError> {
    for run in mirror.runs(RUNS_SEARCHED)? {
        let is_sync = run.direction == Direction::Bidirectional && run.undoes.is_none();
        if is_sync && is_no_leave(&run, mirror)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A run that was killed has no report: there its writes tell. A leave only takes away.
fn is_no_leave(run: &RunRecord, mirror: &dyn Mirror) -> Result<bool, MirrorError> {
    if let Some(report) = &run.report {
        return Ok(report["leave"].is_null());
    }
    Ok(mirror.journal(&run.id)?.iter().any(|entry| match &entry.operation {
        Operation::CreateEvent { .. }
        | Operation::UpdateEvent { .. }
        | Operation::MakeSlots { .. }
        | Operation::MakeCalendar { .. } => true,
        Operation::PublishBusy { set, .. } => !set.intervals.is_empty(),
        Operation::RemoveEvent { .. }
        | Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::RemoveCalendar { .. } => false,
    }))
}

fn is_fresh(preview: &PreviewView, now: Timestamp) -> bool {
    let age = now.duration_since(preview.at);
    !age.is_negative() && age < if preview.problem.is_some() { TRIED_AGAIN } else { FRESH }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::interval::Interval;
    use mirror::Sqlite;
    use serde_json::{Value, json};
    use sync::ids::{CalendarId, RunId, Service};
    use sync::ports::BusySet;

    #[track_caller]
    fn check(first: &FirstRun, has_synced: bool, asked: bool, step: FirstStep) {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(first.step(has_synced, asked, now), step, "{first:?} {has_synced} {asked}");
    }

    #[test]
    fn the_first_sync_waits_for_her_where_she_can_see_it_and_no_later_one_does() {
        let unseen = FirstRun { is_shown: true, ..FirstRun::default() };
        check(&unseen, false, false, FirstStep::Preview);
        check(&unseen, true, false, FirstStep::Sync);
        check(&FirstRun::default(), false, false, FirstStep::Sync);

        let report = sync::report::Report::new(Direction::Bidirectional, true);
        let world = sync::world::World::default();
        let preview = PreviewView::of(&report, &world, Timestamp::UNIX_EPOCH);
        let seen = FirstRun { preview: Some(preview), ..unseen };
        check(&seen, false, false, FirstStep::Wait);
        check(&seen, false, true, FirstStep::Preview);
        let later = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert_eq!(seen.step(false, false, later(4)), FirstStep::Wait);
        assert_eq!(seen.step(false, false, later(5)), FirstStep::Preview, "her week goes on");
        assert_eq!(seen.step(false, false, later(-1)), FirstStep::Preview, "the clock was set back");
        check(&FirstRun { is_let: true, ..seen }, false, true, FirstStep::Sync);
    }

    fn run(direction: Direction, report: Option<Value>) -> RunRecord {
        let at = Timestamp::UNIX_EPOCH;
        let id = RunId("run".to_owned());
        RunRecord { id, direction, started_at: at, ended_at: Some(at), outcome: None, undoes: None, report }
    }

    #[track_caller]
    fn check_record(run: &RunRecord, published: Option<&[Interval]>, expected: bool) {
        let (mirror, at) = (Sqlite::in_memory().unwrap(), Timestamp::UNIX_EPOCH);
        assert!(!has_synced(&mirror).unwrap());
        mirror.begin_run(run).unwrap();
        mirror.end_run(run).unwrap();
        if let Some(intervals) = published {
            let source = CalendarId("c".to_owned());
            let window = Interval::new(at, at + SignedDuration::from_hours(9)).unwrap();
            let set = BusySet::of(Service::Google, source, window, intervals.to_vec());
            mirror.intend(&run.id, &Operation::PublishBusy { set, before: None }, at).unwrap();
        }
        assert_eq!(has_synced(&mirror).unwrap(), expected, "{run:?}");
    }

    #[test]
    fn only_a_sync_both_ways_counts_as_one() {
        let report = |leave: Value| Some(json!({ "leave": leave }));
        check_record(&run(Direction::Bidirectional, Some(json!({}))), None, true);
        check_record(&run(Direction::Bidirectional, report(Value::Null)), None, true);
        check_record(&run(Direction::Bidirectional, report(json!({ "events": 0 }))), None, false);
        check_record(&run(Direction::FromCalendar, Some(json!({}))), None, false);
        check_record(&run(Direction::ToCalendar, Some(json!({}))), None, false);
        let undo = RunRecord {
            undoes: Some(RunId("other".to_owned())),
            ..run(Direction::Bidirectional, Some(json!({})))
        };
        check_record(&undo, None, false);
    }

    #[test]
    fn a_run_that_was_killed_counts_by_what_it_wrote() {
        let at = Timestamp::UNIX_EPOCH;
        let busy = Interval::new(at, at + SignedDuration::from_hours(1)).unwrap();
        let killed = run(Direction::Bidirectional, None);
        check_record(&killed, None, false);
        check_record(&killed, Some(&[]), false);
        check_record(&killed, Some(&[busy]), true);
    }
}
