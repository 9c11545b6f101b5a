//! Which SEQUENCE an invitation bears: calendars take the highest for the newest (RFC 5546 §2.1.4), so it rises with
//! every change and never falls, not even after a withdrawal.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The last invitation of one booking that was written here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentInvite {
    pub sequence: u32,
    /// [`checksum`] of what it said.
    pub checksum: String,
    pub written_at: Timestamp,
}

/// The sequence of an invitation that says `checksum`, after `last`.
///
/// The same words again are the same invitation. A withdrawal that follows nothing known here starts above zero, so
/// that it also outranks an invitation from elsewhere.
#[must_use]
pub fn sequence(last: Option<&SentInvite>, checksum: &str, withdraws: bool) -> u32 {
    match last {
        Some(last) if last.checksum == checksum => last.sequence,
        Some(last) => last.sequence.saturating_add(1),
        None => u32::from(withdraws),
    }
}

/// Of everything an invitation says.
#[must_use]
pub fn checksum(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_with_every_change_and_only_then() {
        let steps = [
            ("ten o'clock", false, 0),
            ("ten o'clock", false, 0),
            ("eleven", false, 1),
            ("withdrawn", true, 2),
            ("withdrawn", true, 2),
            ("eleven", false, 3),
            ("ten o'clock", false, 4),
        ];
        let mut last: Option<SentInvite> = None;
        for (says, withdraws, expected) in steps {
            let sequence = sequence(last.as_ref(), says, withdraws);
            assert_eq!(sequence, expected, "{says}");
            last =
                Some(SentInvite { sequence, checksum: says.to_owned(), written_at: Timestamp::UNIX_EPOCH });
        }
        assert_eq!(sequence(None, "withdrawn", true), 1);
    }

    #[test]
    fn words_that_move_from_one_part_to_the_next_are_other_words() {
        assert_ne!(checksum(&["ab", "c"]), checksum(&["a", "bc"]));
    }
}
