//! Chance that is the same in every run.

use std::time::Duration;

/// Pseudo-random numbers (Numerical Recipes' LCG): a seed tells the whole story.
pub struct Dice(u32);

impl Dice {
    pub fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761).wrapping_add(1))
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides.max(1)
    }

    pub fn index(&mut self, length: usize) -> usize {
        self.roll(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    pub fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(u64::from(self.roll(u32::try_from(longest.as_millis()).unwrap_or(u32::MAX))))
    }
}
