//! Chance that comes from a seed alone: the same seed throws the same dice on every machine.

/// SplitMix64: small, well mixed, and written down here so that no package's new version changes old stories.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..sides`; 0 where there is no side.
    pub fn below(&mut self, sides: usize) -> usize {
        if sides == 0 {
            return 0;
        }
        let sides = sides as u64;
        usize::try_from(self.next() % sides).unwrap_or(0)
    }

    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = usize::try_from(most - least + 1).unwrap_or(1);
        least + i64::try_from(self.below(span)).unwrap_or(0)
    }

    pub fn per_mille(&mut self, chance: u32) -> bool {
        self.below(1000) < chance as usize
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of them, each as often as its weight says.
    pub fn weighed<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let all: u32 = of.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(all as usize);
        for (weight, item) in of {
            if left < *weight as usize {
                return *item;
            }
            left -= *weight as usize;
        }
        of[of.len() - 1].1
    }

    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
