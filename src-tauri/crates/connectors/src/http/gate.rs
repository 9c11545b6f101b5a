//! How fast, and how much at once, one account is asked, and that it is left alone while it wants to be: services throttle
//! accounts, not programs. Knows no service's numbers but a pace that all of them bear.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sync::error::ServiceError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{Answer, Budget, Peer};

/// Half of what Google gives an account a minute, and far more than a busy day needs.
const A_MINUTE: u32 = 300;
/// More at once are refused by Microsoft.
const AT_ONCE: usize = 4;
/// What is asked for beyond this, no call waits out by itself: see `sync::policy::Retry`. The account's other calls would
/// each be refused in turn, and Google and Microsoft count those too.
const WORTH_HOLDING: Duration = Duration::from_secs(20);

/// One account's way in. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Gate {
    budget: Budget,
    places: Arc<Semaphore>,
    held_until: Arc<Mutex<Option<Instant>>>,
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
        Self {
            budget: Budget::a_minute(a_minute),
            places: Arc::new(Semaphore::new(at_once.max(1))),
            held_until: Arc::default(),
        }
    }

    /// Waits until a call may go.
    ///
    /// # Errors
    /// [`ServiceError::RateLimited`] while the account asked to be left alone: nothing is sent then.
    pub async fn enter(&self, peer: Peer) -> Result<Inside, ServiceError> {
        // Nobody closes it.
        let place = self.places.clone().acquire_owned().await.ok();
        self.budget.draw().await;
        match self.held_for() {
            Some(wait) => {
                Err(ServiceError::RateLimited { service: peer.name().to_owned(), retry_after: Some(wait) })
            }
            None => Ok(Inside(place)),
        }
    }

    /// Takes from an answer whether the account is to be left alone, and how long.
    pub fn heed(&self, answer: &Answer) {
        let is_refusal = answer.status.is_client_error() || answer.status.is_server_error();
        if let Some(wait) = answer.retry_after().filter(|wait| is_refusal && *wait > WORTH_HOLDING) {
            self.hold(wait);
        }
    }

    fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |before| before.max(until)));
    }

    fn held_for(&self) -> Option<Duration> {
        let held = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        held?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
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

    const BUSY: Peer = Peer::Google;

    #[tokio::test(start_paused = true)]
    async fn so_many_are_inside_at_once_and_the_next_one_comes_in_when_one_leaves() {
        let gate = Gate::of(600, 2);
        let (first, _second) = (gate.enter(BUSY).await, gate.clone().enter(BUSY).await);
        assert!(timeout(Duration::from_secs(60), gate.enter(BUSY)).await.is_err(), "there are two places");
        drop(first);
        assert!(timeout(Duration::from_secs(1), gate.enter(BUSY)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_inside_of_one_are_paid_for_too() {
        let gate = Gate::of(6, 4);
        let started = Instant::now();
        gate.draw(3).await;
        drop(gate.enter(BUSY).await);
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_asked_to_be_left_alone_is_asked_nothing_until_that_is_over() {
        let (gate, other) = (Gate::default(), Gate::default());
        gate.hold(Duration::from_secs(90));
        gate.hold(Duration::from_secs(30));
        tokio::time::advance(Duration::from_secs(60)).await;
        let left = Some(Duration::from_secs(30));
        let refused = gate.clone().enter(BUSY).await;
        assert!(
            matches!(&refused, Err(ServiceError::RateLimited { retry_after, .. }) if *retry_after == left),
            "{refused:?}"
        );
        assert!(other.enter(BUSY).await.is_ok(), "another account asked for nothing");
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(gate.enter(BUSY).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_without_end_is_slowed_to_the_pace_and_another_account_is_not() {
        let (gate, other) = (Gate::of(6, 4), Gate::of(6, 4));
        let started = Instant::now();
        for _ in 0..4 {
            drop(gate.enter(BUSY).await);
        }
        assert_eq!(started.elapsed(), Duration::from_secs(30));
        drop(other.enter(BUSY).await);
        assert_eq!(started.elapsed(), Duration::from_secs(30));
    }
}
