//! How many calls a minute may go to one server from this computer, whoever of its vendors asks. Decides when the next
//! call may go; those that must wait go in the order in which they came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// A budget that several clients draw from. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    opened: Instant,
    pace: Mutex<Pace>,
    /// Nothing goes before then.
    held: Mutex<Option<Instant>>,
}

impl Budget {
    /// At most `calls` within any minute, a third of them at once and the rest in an even stream.
    #[must_use]
    pub fn a_minute(calls: u32) -> Self {
        Self::of(Pace::Even(Even::a_minute(calls)))
    }

    /// At most `calls` within any minute, all of them at once if need be: for a server that counts calls and minds no
    /// haste. Somebody who presses *Sync Now* and then answers a question waits for neither.
    #[must_use]
    pub fn any_minute(calls: u32) -> Self {
        Self::of(Pace::Any(Any::minute(calls)))
    }

    fn of(pace: Pace) -> Self {
        Self(Arc::new(Shared { opened: Instant::now(), pace: Mutex::new(pace), held: Mutex::default() }))
    }

    /// Waits until a call may go. Who goes away while waiting has spent the call.
    pub async fn draw(&self) {
        self.draw_all(1).await;
    }

    /// As [`Budget::draw`], for calls that go together: all of them must be free to.
    pub async fn draw_all(&self, calls: u32) {
        let now = self.0.opened.elapsed();
        let at = {
            let mut pace = self.0.pace.lock().unwrap_or_else(PoisonError::into_inner);
            (0..calls).map(|_| pace.draw(now)).last().unwrap_or(now)
        };
        tokio::time::sleep_until(self.0.opened + at).await;
    }
}

impl Budget {
    /// The server wants to be left alone for so long.
    pub fn hold(&self, wait: Duration) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
    }

    /// How long it still wants to be left alone.
    #[must_use]
    pub fn held_for(&self) -> Option<Duration> {
        let held = *self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.map(|until| until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }
}

/// The budget as arithmetic over the time since it was opened.
#[derive(Clone, Debug)]
enum Pace {
    Even(Even),
    Any(Any),
}

impl Pace {
    /// When the call asked for at `now` may go.
    fn draw(&mut self, now: Duration) -> Duration {
        match self {
            Self::Even(even) => even.draw(now),
            Self::Any(any) => any.draw(now),
        }
    }
}

/// Remembers when as many calls went, or will go, as a minute may hold: the next one goes a minute after the first of them.
#[derive(Clone, Debug)]
struct Any {
    calls: usize,
    went: VecDeque<Duration>,
}

impl Any {
    fn minute(calls: u32) -> Self {
        Self { calls: usize::try_from(calls.max(1)).unwrap_or(usize::MAX), went: VecDeque::new() }
    }

    fn draw(&mut self, now: Duration) -> Duration {
        let full = self.went.len() >= self.calls;
        let free = if full { self.went.pop_front().map(|first| first + MINUTE) } else { None };
        let last = self.went.back().copied();
        let goes = now.max(free.unwrap_or_default()).max(last.unwrap_or_default());
        self.went.push_back(goes);
        goes
    }
}

/// Each call takes its share of time from a store that fills as time passes (the generic cell rate algorithm). A third
/// of a minute's calls is in the store and the rest is what flows in within a minute, so that the two together are
/// never more than a minute's calls.
#[derive(Clone, Copy, Debug)]
struct Even {
    every: Duration,
    store: Duration,
    /// When all that was drawn so far is paid for.
    paid: Duration,
}

impl Even {
    fn a_minute(calls: u32) -> Self {
        let calls = calls.max(2);
        let at_once = (calls / 3).max(1);
        let every = MINUTE / (calls - at_once);
        Self { every, store: every * at_once, paid: Duration::ZERO }
    }

    fn draw(&mut self, now: Duration) -> Duration {
        self.paid = self.paid.max(now) + self.every;
        self.paid.saturating_sub(self.store).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// When each of these asks is let go, in milliseconds.
    fn goes(calls: u32, asks: &[u64]) -> Vec<u128> {
        let mut pace = Even::a_minute(calls);
        asks.iter().map(|ask| pace.draw(Duration::from_millis(*ask)).as_millis()).collect()
    }

    #[test]
    fn a_third_goes_at_once_and_the_rest_in_an_even_stream() {
        assert_eq!(goes(6, &[0, 0, 0, 0, 0]), [0, 0, 15_000, 30_000, 45_000]);
        assert_eq!(goes(6, &[0, 0, 60_000, 60_000, 60_000]), [0, 0, 60_000, 60_000, 75_000]);
        assert_eq!(goes(2, &[0, 0]), [0, 60_000]);
    }

    #[test]
    fn where_any_minute_is_counted_all_of_its_calls_go_at_once_and_the_next_a_minute_after_the_first() {
        let mut pace = Any::minute(3);
        let mut goes = |ask| pace.draw(Duration::from_secs(ask)).as_secs();
        assert_eq!([0, 10, 10, 10, 10, 90].map(&mut goes), [0, 10, 10, 60, 70, 90]);
    }

    #[test]
    fn no_minute_ever_holds_more_calls_than_were_allowed_and_a_patient_caller_is_not_kept_waiting() {
        for calls in [2, 3, 7, 30, 1000] {
            // Everybody at once, then nobody, then one a second, then everybody again.
            let mut asks: Vec<u64> = vec![0; 90];
            asks.extend((0..200).map(|n| 700_000 + n * 1000));
            asks.extend(vec![3_000_000; 90]);
            for mut pace in [Pace::Even(Even::a_minute(calls)), Pace::Any(Any::minute(calls))] {
                let mut minute = VecDeque::new();
                let mut before = Duration::ZERO;
                for ask in &asks {
                    let now = Duration::from_millis(*ask);
                    let goes = pace.draw(now);
                    assert!(goes >= now && goes >= before, "in their order");
                    before = goes;
                    minute.push_back(goes);
                    while minute.front().is_some_and(|first| goes - *first >= MINUTE) {
                        minute.pop_front();
                    }
                    assert!(minute.len() <= calls as usize, "{} of {calls} before {goes:?}", minute.len());
                }
            }
        }
        assert_eq!(goes(30, &[0, 60_000, 120_000]), [0, 60_000, 120_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_go_together_wait_until_the_last_of_them_may_go() {
        let budget = Budget::a_minute(6);
        let started = Instant::now();
        budget.draw_all(2).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        budget.draw_all(3).await;
        assert_eq!(started.elapsed(), Duration::from_secs(45));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_ends_by_itself() {
        let budget = Budget::a_minute(6);
        assert_eq!(budget.held_for(), None);
        budget.hold(Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(budget.held_for(), Some(Duration::from_secs(40)));
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(budget.held_for(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn two_clients_of_one_budget_wait_for_each_other() {
        let (one, two) = {
            let budget = Budget::a_minute(6);
            (budget.clone(), budget)
        };
        let started = Instant::now();
        for budget in [&one, &two, &one] {
            budget.draw().await;
        }
        assert_eq!(started.elapsed(), Duration::from_secs(15));
        two.draw().await;
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }
}
