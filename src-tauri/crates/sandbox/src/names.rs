//! Ids, tokens and choices that follow from the seed alone: the same seed and the same calls give the same names.

use data_encoding::{BASE32HEX_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Builder;

/// Draws names one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Names {
    seed: u64,
    drawn: u64,
}

impl Names {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub fn uuid(&mut self) -> String {
        uuid(&self.draw("uuid"))
    }

    /// A secret in the shape of an id. No id of any sandbox is the same, whatever its seed.
    pub fn secret_uuid(&mut self) -> String {
        let secret = uuid(&self.draw("secret uuid"));
        crate::told::secret(&secret);
        secret
    }

    /// A bearer word: nobody can tell what it stands for by looking at it.
    pub fn token(&mut self, prefix: &str) -> String {
        let word = BASE64URL_NOPAD.encode(&self.draw("token"));
        // Some are handed out shortened, and some inside longer words.
        crate::told::secret(&word[..22]);
        format!("{prefix}{word}")
    }

    /// A bearer word of as many characters as Microsoft's have.
    pub fn long_token(&mut self, prefix: &str, draws: usize) -> String {
        let words: String = (0..draws).map(|_| BASE64URL_NOPAD.encode(&self.draw("token"))).collect();
        crate::told::secret(&words[..22]);
        format!("{prefix}{words}")
    }

    /// An event id as Google makes them.
    pub fn event_id(&mut self) -> String {
        BASE32HEX_NOPAD.encode(&self.draw("event")[..16]).to_lowercase()
    }

    pub fn hex(&mut self) -> String {
        HEXLOWER.encode(&self.draw("hex"))
    }

    fn draw(&mut self, kind: &str) -> [u8; 32] {
        self.drawn += 1;
        digest(self.seed, &format!("{kind}|{}", self.drawn))
    }
}

fn uuid(digest: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// One of `0..bound`, the same for the same seed and question.
#[must_use]
pub fn pick(seed: u64, question: &str, bound: usize) -> usize {
    let digest = digest(seed, question);
    let number = u64::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ]);
    let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
    usize::try_from(number % bound).unwrap_or(0)
}

/// What stands for a secret where it is shown.
#[must_use]
pub fn hashed(secret: &str) -> String {
    format!("sha256:{}", &HEXLOWER.encode(&Sha256::digest(secret))[..16])
}

fn digest(seed: u64, text: &str) -> [u8; 32] {
    Sha256::digest(format!("{seed}|{text}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_of_a_sandbox_is_the_secret_of_another_one() {
        let (mut ids, mut secrets) = (Names::new(7), Names::new(7));
        let ids: std::collections::BTreeSet<_> = (0..50).map(|_| ids.uuid()).collect();
        assert!((0..50).all(|_| !ids.contains(&secrets.secret_uuid())));
    }
}
