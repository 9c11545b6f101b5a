//! Ids as Graph shows them: opaque, case-sensitive, full of characters that a path must escape, in two kinds of which
//! only one survives a move to another calendar. They are taken apart here and nowhere else.

use data_encoding::BASE64;
use jiff::Timestamp;
use uuid::Uuid;

use super::refusal::Refusal;

const REGULAR: &str = "AAMkAGI";
const IMMUTABLE: &str = "AAkALgAAAAAAHYQD";

/// What an event id stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    /// The item: a single event or the master of a series.
    pub item: String,
    /// How often it had been moved when this id was given; nothing in an immutable id.
    pub moves: Option<u8>,
    /// Which occurrence of the series, by its original start.
    pub original: Option<Timestamp>,
}

impl EventId {
    #[must_use]
    pub fn write(&self) -> String {
        let mut bytes = Uuid::parse_str(&self.item).unwrap_or_default().as_bytes().to_vec();
        bytes.push(self.moves.unwrap_or(0));
        if let Some(original) = self.original {
            bytes.extend(original.as_second().to_be_bytes());
        }
        let prefix = if self.moves.is_some() { REGULAR } else { IMMUTABLE };
        format!("{prefix}{}", BASE64.encode(&bytes))
    }

    /// # Errors
    /// `ErrorInvalidIdMalformed`.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let (regular, rest) = match (text.strip_prefix(REGULAR), text.strip_prefix(IMMUTABLE)) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(Refusal::malformed_id()),
        };
        let bytes = BASE64.decode(rest.as_bytes()).map_err(|_| Refusal::malformed_id())?;
        let (item, rest) = bytes.split_at_checked(16).ok_or_else(Refusal::malformed_id)?;
        let item = Uuid::from_slice(item).map_err(|_| Refusal::malformed_id())?.to_string();
        let (moves, rest) = rest.split_first().ok_or_else(Refusal::malformed_id)?;
        let original = match rest {
            [] => None,
            seconds => {
                let seconds = seconds.try_into().map_err(|_| Refusal::malformed_id())?;
                let at = Timestamp::from_second(i64::from_be_bytes(seconds));
                Some(at.map_err(|_| Refusal::malformed_id())?)
            }
        };
        Ok(Self { item, moves: regular.then_some(*moves), original })
    }
}

/// Calendars have one kind of id, whatever is preferred.
#[must_use]
pub fn calendar(uuid: &str) -> String {
    let mut bytes = b"\x01calendar".to_vec();
    bytes.extend(Uuid::parse_str(uuid).unwrap_or_default().as_bytes());
    format!("{REGULAR}{}", BASE64.encode(&bytes))
}

/// Whether the text could be a calendar's id at all.
#[must_use]
pub fn is_calendar(text: &str) -> bool {
    let bytes = text.strip_prefix(REGULAR).and_then(|rest| BASE64.decode(rest.as_bytes()).ok());
    bytes.is_some_and(|bytes| bytes.len() == 25 && bytes.starts_with(b"\x01calendar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_which_item_which_kind_and_which_occurrence() {
        let item = "0192f7c5-2b7e-4bff-bfff-3f3f3e3e7f7f".to_owned();
        for (moves, original) in
            [(None, None), (Some(3), None), (None, Timestamp::from_second(1_800_000_000).ok())]
        {
            let id = EventId { item: item.clone(), moves, original };
            assert_eq!(EventId::read(&id.write()).ok(), Some(id.clone()), "{}", id.write());
        }
        assert!(EventId::read("AAMkAGI=").is_err() && EventId::read("nonsense").is_err());
        assert!(is_calendar(&calendar(&item)) && !is_calendar("AAMkAGIx"));
    }
}
