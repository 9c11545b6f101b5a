//! Bends inputs the way a fuzzer does, from a seed: the same input and seed bend the same way on every machine. Knows
//! nothing of what the bytes mean.

/// Numbers that look random (SplitMix64).
pub struct Chance(u64);

impl Chance {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `most`, which is not 0.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap_or(0)
    }
}

/// One to six changes to one of `inputs`: bytes flipped, stretches doubled or taken out, words put in, another input
/// spliced on.
#[must_use]
pub fn mutated(inputs: &[Vec<u8>], words: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let pick = |list: &[Vec<u8>], chance: &mut Chance| list[chance.below(list.len())].clone();
    let mut bytes = pick(inputs, chance);
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(60)).min(bytes.len());
        match chance.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = b"0123456789;:,=\r\n\0\xff-Z"[chance.below(20)],
            2 => {
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
            3 => {
                bytes.drain(at..end);
            }
            4 | 5 => {
                bytes.splice(at..at, pick(words, chance));
            }
            _ => {
                let other = pick(inputs, chance);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[chance.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}
