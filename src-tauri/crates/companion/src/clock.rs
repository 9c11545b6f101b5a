//! The clocks of the app: the one place where time and chance come in, and the correction of a computer whose clock is
//! wrong.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connectors::http::Skew;
use jiff::{SignedDuration, Timestamp};
use sync::ports::Clock;

/// A clock that is off by less is left alone: nothing that is decided here turns on two minutes.
pub const TOLERATED: SignedDuration = SignedDuration::from_mins(2);

/// The computer's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn jitter(&self) -> f64 {
        rand::random()
    }

    fn steady(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock that is put right by the services' own, where it is far off.
#[derive(Clone, Debug)]
pub struct CorrectedClock<C = SystemClock> {
    own: C,
    skew: Skew,
}

impl CorrectedClock {
    #[must_use]
    pub fn new(skew: Skew) -> Self {
        Self { own: SystemClock, skew }
    }
}

impl<C> CorrectedClock<C> {
    #[cfg(test)]
    fn over(own: C, skew: Skew) -> Self {
        Self { own, skew }
    }

    /// By how much the computer's clock is put right; nothing where it is right.
    #[must_use]
    pub fn correction(&self) -> Option<SignedDuration> {
        self.skew.estimate().filter(|off| off.abs() > TOLERATED)
    }
}

#[async_trait]
impl<C: Clock> Clock for CorrectedClock<C> {
    fn now(&self) -> Timestamp {
        let now = self.own.now();
        self.correction().and_then(|off| now.checked_add(off).ok()).unwrap_or(now)
    }

    async fn wait(&self, duration: Duration) {
        self.own.wait(duration).await;
    }

    fn jitter(&self) -> f64 {
        self.own.jitter()
    }

    /// What passes is not put right: a lease is counted by it while the time of day may jump.
    fn steady(&self) -> Duration {
        self.own.steady()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stopped;

    #[async_trait]
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn wait(&self, _duration: Duration) {}

        fn jitter(&self) -> f64 {
            0.0
        }

        fn steady(&self) -> Duration {
            Duration::from_secs(7)
        }
    }

    #[test]
    fn nobody_has_spoken_so_the_computer_is_believed() {
        let clock = CorrectedClock::over(Stopped, Skew::default());
        assert_eq!((clock.now(), clock.correction()), (Timestamp::UNIX_EPOCH, None));
    }

    #[test]
    fn a_clock_is_put_right_only_where_it_is_far_off() {
        for (off, expected) in [(120, 0), (-120, 0), (121, 121), (-31_536_000, -31_536_000)] {
            let skew = Skew::default();
            skew.assume(SignedDuration::from_secs(off));
            let clock = CorrectedClock::over(Stopped, skew);
            assert_eq!(clock.now().as_second(), expected, "{off}");
            assert_eq!(clock.steady(), Duration::from_secs(7), "what passes is not put right: {off}");
        }
    }
}
