//! Whether the first sync may begin. Where somebody looks at a window, it begins with a plan that nothing follows from until
//! she says so; where nobody looks, at once.

use jiff::{SignedDuration, Timestamp};

use crate::view::PreviewView;

/// A plan that is older is made anew: her week goes on meanwhile.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// One that could not see everything is tried again sooner.
const TRIED_AGAIN: SignedDuration = SignedDuration::from_mins(1);

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

fn is_fresh(preview: &PreviewView, now: Timestamp) -> bool {
    let age = now.duration_since(preview.at);
    !age.is_negative() && age < if preview.problem.is_some() { TRIED_AGAIN } else { FRESH }
}

#[cfg(test)]
mod tests {
    use super::*;

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

        let report = sync::report::Report::new(sync::world::Direction::Bidirectional, true);
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
}
