//! The numbers a vendor or an operator may change.

use std::time::Duration;

/// How a run behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How far ahead busy time is published. Clamped to 1..=366.
    pub horizon_days: u16,
    pub deletions: Deletions,
    /// How many events the run has removed by itself already, if it plans anew.
    pub removed: usize,
    pub retry: Retry,
}

impl Policy {
    /// Whether a run may remove so many more by itself.
    #[must_use]
    pub fn allows_removing(&self, events: usize, standing: usize) -> bool {
        self.deletions.allows(self.removed + events, self.removed + standing)
    }
}

/// How many events a run removes from a calendar by itself. Above both bounds they are held for her, one and all: a
/// platform that lost its bookings looks like a platform where everybody cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletions {
    pub at_most: u16,
    /// Of the events that stand for bookings.
    pub percent: u8,
}

impl Default for Deletions {
    fn default() -> Self {
        Self { at_most: 5, percent: 10 }
    }
}

impl Deletions {
    #[must_use]
    pub fn allows(self, removed: usize, standing: usize) -> bool {
        removed <= usize::from(self.at_most) || removed * 100 <= standing * usize::from(self.percent)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { horizon_days: 30, deletions: Deletions::default(), removed: 0, retry: Retry::default() }
    }
}

/// The design's retry strategy: three tries, exponential, and only where a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub tries: u32,
    /// Before the second try; doubles after each.
    pub first_wait: Duration,
    /// A service that asks for more than this is left for the next run.
    pub longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 3, first_wait: Duration::from_millis(400), longest_wait: Duration::from_secs(20) }
    }
}

impl Retry {
    /// How long to wait after failed try number `failed` (1 is the first), or nothing if the next run should do it.
    ///
    /// What the service asks for is a floor; jitter spreads clients that failed together.
    #[must_use]
    pub fn wait_after(&self, failed: u32, asked: Option<Duration>, jitter: f64) -> Option<Duration> {
        if failed >= self.tries {
            return None;
        }
        let grown = self.first_wait.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        let spread = grown.mul_f64(0.5 + jitter.clamp(0.0, 1.0));
        let wait = asked.map_or(spread, |floor| floor.saturating_add(spread / 4));
        (wait <= self.longest_wait).then_some(wait)
    }
}

/// A publisher who asks for less gets this.
const SHORTEST_RHYTHM: Duration = Duration::from_secs(5 * 60);
/// A publisher who asks for more gets this: nobody's busy time is older than a day.
const LONGEST_RHYTHM: Duration = Duration::from_hours(24);

/// How often a calendar is read: as its publisher asks, within reason, and never more often than she set herself.
#[must_use]
pub fn rhythm(own: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(own, |asked| asked.clamp(SHORTEST_RHYTHM, LONGEST_RHYTHM).max(own))
}

/// When a connection that keeps failing is asked again: one minute, doubling, an hour at most, and never before the
/// service said.
#[must_use]
pub fn back_off(error_count: u32, asked: Option<Duration>) -> Duration {
    let grown =
        Duration::from_secs(60).saturating_mul(2_u32.saturating_pow(error_count.saturating_sub(1).min(6)));
    grown.min(Duration::from_secs(3600)).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_removes_a_few_or_a_small_share_and_never_more_than_both() {
        let deletions = Deletions::default();
        assert!(deletions.allows(5, 5), "a few are a few, however few there are");
        assert!(!deletions.allows(6, 59));
        assert!(deletions.allows(6, 60));
        assert!(!deletions.allows(44, 44));
        assert!(Deletions { at_most: 0, percent: 0 }.allows(0, 0));
    }

    #[test]
    fn what_a_run_removed_before_it_planned_anew_counts_among_what_it_removes_and_what_stood() {
        assert!(Policy::default().allows_removing(6, 60));
        let policy = Policy { removed: 5, ..Policy::default() };
        assert!(!policy.allows_removing(1, 54), "six of 59");
        assert!(policy.allows_removing(1, 55), "six of 60");
    }

    #[test]
    fn waits_double_and_end_after_the_last_try() {
        let retry = Retry::default();
        assert_eq!(retry.wait_after(1, None, 0.5), Some(Duration::from_millis(400)));
        assert_eq!(retry.wait_after(2, None, 0.5), Some(Duration::from_millis(800)));
        assert_eq!(retry.wait_after(3, None, 0.5), None);
    }

    #[test]
    fn a_service_that_asks_for_two_seconds_gets_two_and_a_quarter_of_what_spreads_clients() {
        let wait = |jitter| Retry::default().wait_after(1, Some(Duration::from_secs(2)), jitter);
        assert_eq!(wait(0.0), Some(Duration::from_millis(2_050)));
        assert_eq!(wait(1.0), Some(Duration::from_millis(2_150)));
    }

    #[test]
    fn a_service_that_asks_for_an_hour_is_left_for_later() {
        assert_eq!(Retry::default().wait_after(1, Some(Duration::from_secs(3600)), 0.5), None);
    }

    #[test]
    fn a_publisher_is_heard_between_five_minutes_and_a_day_and_never_over_her_own_choice() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        for (own, asked, expected) in [
            (5, None, 5),
            (5, Some(60), 60),
            (5, Some(0), 5),
            (1, Some(0), 5),
            (1, None, 1),
            (5, Some(7 * 24 * 60), 24 * 60),
            (240, Some(60), 240),
            (2 * 24 * 60, Some(60), 2 * 24 * 60),
        ] {
            assert_eq!(rhythm(minutes(own), asked.map(minutes)), minutes(expected), "{own} {asked:?}");
        }
    }

    #[test]
    fn a_failing_connection_is_asked_less_and_less_but_at_least_hourly() {
        assert_eq!(back_off(1, None), Duration::from_secs(60));
        assert_eq!(back_off(3, None), Duration::from_secs(240));
        assert_eq!(back_off(40, None), Duration::from_secs(3600));
        assert_eq!(back_off(1, Some(Duration::from_secs(7200))), Duration::from_secs(7200));
    }
}
