//! How fast, and how much at once, one account is asked: services throttle accounts, not programs. Knows no service's
//! numbers but a pace that all of them bear.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Budget;

/// Half of what Google gives an account a minute, and far more than a busy day needs.
const A_MINUTE: u32 = 300;
/// More at once are refused by Microsoft.
const AT_ONCE: usize = 4;

/// One account's way in. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Gate {
    budget: Budget,
    places: Arc<Semaphore>,
}

/// Somebody is being asked. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Inside(#[expect(dead_code, reason = "held, not looked at")] Option<OwnedSemaphorePermit>);

impl Default for Gate {
    fn default() -> Self {
        Self::of(A_MINUTE, AT_ONCE)
    }
}

impl Gate {
    /// At most so many calls within any minute, and so many under way at any moment.
    #[must_use]
    pub fn of(a_minute: u32, at_once: usize) -> Self {
        Self { budget: Budget::a_minute(a_minute), places: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// Waits until a call may go.
    pub async fn enter(&self) -> Inside {
        // Nobody closes it.
        let place = self.places.clone().acquire_owned().await.ok();
        self.budget.draw().await;
        Inside(place)
    }

    /// Waits until so many more calls may go, which are sent inside of one.
    pub async fn draw(&self, calls: usize) {
        self.budget.draw_all(u32::try_from(calls).unwrap_or(u32::MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_are_inside_at_once_and_the_next_one_comes_in_when_one_leaves() {
        let gate = Gate::of(600, 2);
        let (first, _second) = (gate.enter().await, gate.clone().enter().await);
        assert!(timeout(Duration::from_secs(60), gate.enter()).await.is_err(), "there are two places");
        drop(first);
        assert!(timeout(Duration::from_secs(1), gate.enter()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_inside_of_one_are_paid_for_too() {
        let gate = Gate::of(6, 4);
        let started = Instant::now();
        gate.draw(3).await;
        drop(gate.enter().await);
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_without_end_is_slowed_to_the_pace_and_another_account_is_not() {
        let (gate, other) = (Gate::of(6, 4), Gate::of(6, 4));
        let started = Instant::now();
        for _ in 0..4 {
            drop(gate.enter().await);
        }
        assert_eq!(started.elapsed(), Duration::from_secs(30));
        drop(other.enter().await);
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }
}
