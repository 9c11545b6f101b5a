//! The sandbox's time: it starts where the caller says, runs as time does, and jumps when asked.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

#[derive(Debug)]
pub struct Clock {
    origin: Timestamp,
    started: Instant,
    advanced_s: AtomicI64,
}

impl Clock {
    #[must_use]
    pub fn starting_at(origin: Timestamp, advanced_s: i64) -> Self {
        Self { origin, started: Instant::now(), advanced_s: AtomicI64::new(advanced_s) }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        let jump = SignedDuration::from_secs(self.advanced_s.load(Ordering::Relaxed));
        self.origin.saturating_add(elapsed.saturating_add(jump)).unwrap_or(self.origin)
    }

    /// Jumps forward, and answers with how far it has jumped in all.
    pub fn advance(&self, seconds: i64) -> i64 {
        self.advanced_s.fetch_add(seconds, Ordering::Relaxed) + seconds
    }
}
