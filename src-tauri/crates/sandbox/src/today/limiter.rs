//! So many calls in any sixty seconds. Knows neither who calls nor what for.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug)]
pub struct Limiter {
    most: usize,
    calls: VecDeque<Timestamp>,
}

impl Limiter {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, calls: VecDeque::new() }
    }

    /// How many more there may be after this call; nothing if it may not be.
    pub fn take(&mut self, now: Timestamp) -> Option<usize> {
        while self.calls.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            self.calls.pop_front();
        }
        if self.calls.len() >= self.most {
            return None;
        }
        self.calls.push_back(now);
        Some(self.most - self.calls.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_counts_for_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut limiter = Limiter::new(2);
        let told: Vec<_> = [0, 10, 20, 59, 60, 61, 70].map(|second| limiter.take(at(second))).into();
        assert_eq!(told, [Some(1), Some(0), None, None, Some(0), None, Some(0)]);
    }
}
