//! When a rule repeats: RFC 5545 §3.3.10 on wall time, window-first. Knows no zones and no events; a series of any
//! age costs what its window costs.

pub mod civil;
mod days;
mod expand;
mod rule;

pub use expand::{MAX_FOUND, between};
pub use rule::{BadRule, Frequency, Rule, Until};
pub(crate) use rule::{compact_date, compact_time};

/// Work allowed for expanding, counted in candidates looked at, so that no rule can stall the app.
#[derive(Debug)]
pub struct Budget {
    left: u64,
}

/// The budget ran out before the rule was expanded as far as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rule needs more steps than any real calendar")]
pub struct Exhausted;

impl Budget {
    #[must_use]
    pub fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Takes `steps` from what is left.
    ///
    /// # Errors
    /// [`Exhausted`] when that is more than there is.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }
}
