//! One secret over several slots of limited size: Windows keeps 2,560 bytes in one. What was there stays readable until
//! the new one is whole.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::VaultError;

/// What goes into one slot.
pub(super) const SLOT: usize = 2400;
/// More pieces than this are no token.
const PIECES: usize = 64;

pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// Named places for a few bytes each.
pub(super) trait Slots {
    fn read(&self, name: &str) -> Result<Option<Bytes>, VaultError>;
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError>;
    /// Removing what is not there succeeds.
    fn remove(&self, name: &str) -> Result<(), VaultError>;
}

/// What the first slot holds.
enum Head {
    /// `=` and the secret.
    Whole(Bytes),
    /// `#`, the side, how many pieces, and the digest of the secret.
    Pieces { side: char, count: usize, digest: String },
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (b'=', secret) => Some(Self::Whole(Zeroizing::new(secret.to_vec()))),
            (b'#', rest) => {
                let mut words = std::str::from_utf8(rest).ok()?.split(' ');
                let side = words.next()?.parse().ok().filter(|side| matches!(side, 'a' | 'b'))?;
                let count = words.next()?.parse().ok().filter(|&count| count <= PIECES)?;
                Some(Self::Pieces { side, count, digest: words.next()?.to_owned() })
            }
            _ => None,
        }
    }
}

pub(super) fn get(slots: &impl Slots, name: &str) -> Result<Option<Bytes>, VaultError> {
    let Some(head) = slots.read(name)? else { return Ok(None) };
    match Head::parse(&head).ok_or(VaultError::Lost)? {
        Head::Whole(secret) => Ok(Some(secret)),
        Head::Pieces { side, count, digest } => {
            let mut secret = Zeroizing::new(Vec::with_capacity(count * SLOT));
            for number in 0..count {
                let piece = slots.read(&piece_name(name, side, number))?.ok_or(VaultError::Lost)?;
                secret.extend_from_slice(&piece);
            }
            if digest_of(&secret) == digest { Ok(Some(secret)) } else { Err(VaultError::Lost) }
        }
    }
}

/// Writes the pieces on the side that is not in use, then the head that makes them count, then sweeps the other side.
pub(super) fn put(slots: &impl Slots, name: &str, secret: &[u8]) -> Result<(), VaultError> {
    let used = slots.read(name)?.and_then(|head| Head::parse(&head));
    if secret.len() < SLOT {
        slots.write(name, &Zeroizing::new([b"=", secret].concat()))?;
        sweep(slots, name, 'a', 0);
        sweep(slots, name, 'b', 0);
        return Ok(());
    }
    let pieces = cut(secret);
    if pieces.len() > PIECES {
        return Err(VaultError::unavailable("the secret is too long for a keychain"));
    }
    let (side, other) = match used {
        Some(Head::Pieces { side: 'a', .. }) => ('b', 'a'),
        Some(Head::Pieces { .. } | Head::Whole(_)) | None => ('a', 'b'),
    };
    for (number, piece) in pieces.iter().enumerate() {
        slots.write(&piece_name(name, side, number), piece)?;
    }
    slots.write(name, format!("#{side} {} {}", pieces.len(), digest_of(secret)).as_bytes())?;
    sweep(slots, name, side, pieces.len());
    sweep(slots, name, other, 0);
    Ok(())
}

/// Pieces that fit into a slot. No letter is cut in two: KWallet keeps text alone.
fn cut(secret: &[u8]) -> Vec<&[u8]> {
    let continues = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    let mut pieces = Vec::new();
    let mut rest = secret;
    while rest.len() > SLOT {
        let within = rest[SLOT - 3..=SLOT].iter().rposition(|byte| !continues(byte));
        let (piece, after) = rest.split_at(within.map_or(SLOT, |back| SLOT - 3 + back));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

pub(super) fn delete(slots: &impl Slots, name: &str) -> Result<(), VaultError> {
    slots.remove(name)?;
    sweep(slots, name, 'a', 0);
    sweep(slots, name, 'b', 0);
    Ok(())
}

/// Removes what no head speaks of any more. Failing costs nothing but a few bytes until the next time.
fn sweep(slots: &impl Slots, name: &str, side: char, from: usize) {
    for number in from..PIECES {
        let name = piece_name(name, side, number);
        match slots.read(&name) {
            Ok(Some(_)) if slots.remove(&name).is_ok() => {}
            _ => return,
        }
    }
}

fn piece_name(name: &str, side: char, number: usize) -> String {
    format!("{name}#{side}{number}")
}

fn digest_of(secret: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A keychain as small as Windows's, which can break off after some writes.
    struct Small {
        slots: RefCell<BTreeMap<String, Vec<u8>>>,
        writes_left: Cell<usize>,
    }

    impl Default for Small {
        fn default() -> Self {
            Self { slots: RefCell::default(), writes_left: Cell::new(usize::MAX) }
        }
    }

    impl Slots for Small {
        fn read(&self, name: &str) -> Result<Option<Bytes>, VaultError> {
            Ok(self.slots.borrow().get(name).cloned().map(Zeroizing::new))
        }

        fn write(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
            assert!(bytes.len() <= 2560, "{name} does not fit");
            self.spend()?;
            self.slots.borrow_mut().insert(name.to_owned(), bytes.to_vec());
            Ok(())
        }

        fn remove(&self, name: &str) -> Result<(), VaultError> {
            self.spend()?;
            self.slots.borrow_mut().remove(name);
            Ok(())
        }
    }

    impl Small {
        fn spend(&self) -> Result<(), VaultError> {
            let left = self.writes_left.get().checked_sub(1);
            self.writes_left.set(left.ok_or_else(|| VaultError::unavailable("killed"))?);
            Ok(())
        }

        fn holds(&self) -> Option<Vec<u8>> {
            get(self, "x").unwrap().map(|secret| secret.to_vec())
        }
    }

    fn secret(length: usize, seed: u8) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8 ^ seed).collect()
    }

    #[test]
    fn a_secret_of_any_length_comes_back_and_leaves_nothing_behind() {
        let small = Small::default();
        for length in [0, 1, 2399, 2400, 2401, 9000, 4800, 5, 150_000] {
            put(&small, "x", &secret(length, 1)).unwrap();
            assert_eq!(small.holds(), Some(secret(length, 1)), "{length}");
            let slots = 1 + if length < SLOT { 0 } else { length.div_ceil(SLOT) };
            assert_eq!(small.slots.borrow().len(), slots, "{length}");
        }
        assert!(put(&small, "x", &secret(SLOT * 65, 1)).is_err());
        delete(&small, "x").unwrap();
        assert_eq!(small.holds(), None);
        assert!(small.slots.borrow().is_empty());
    }

    #[test]
    fn no_letter_is_cut_in_two() {
        for before in 0..4 {
            let text = format!("{}{}", "x".repeat(before), "é€😀".repeat(900));
            let pieces = cut(text.as_bytes());
            assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= SLOT));
            assert!(pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok()), "{before}");
            assert_eq!(pieces.concat(), text.as_bytes());
        }
    }

    #[test]
    fn a_write_that_is_cut_off_anywhere_leaves_the_old_secret_or_the_new_one() {
        for (before, after) in [(9000, 12_000), (12_000, 9000), (100, 9000), (9000, 100), (9000, 9000)] {
            for cut in 0..20 {
                let small = Small::default();
                put(&small, "x", &secret(before, 1)).unwrap();
                small.writes_left.set(cut);
                let done = put(&small, "x", &secret(after, 2)).is_ok();
                let expected = [Some(secret(before, 1)), Some(secret(after, 2))];
                assert!(expected[usize::from(done)..].contains(&small.holds()), "{before} {after} {cut}");
                small.writes_left.set(usize::MAX);
                put(&small, "x", &secret(after, 3)).unwrap();
                assert_eq!(small.holds(), Some(secret(after, 3)));
            }
        }
    }

    #[test]
    fn what_was_not_written_by_us_is_lost_and_not_absent() {
        for bytes in ["", "word", "#a 2", "#c 1 x", "#a 65 x", "#a 1 x"] {
            let small = Small::default();
            small.slots.borrow_mut().insert("x".into(), bytes.into());
            assert_eq!(get(&small, "x").err(), Some(VaultError::Lost), "{bytes}");
            put(&small, "x", b"new").unwrap();
            assert_eq!(small.holds(), Some(b"new".to_vec()));
        }
    }
}
