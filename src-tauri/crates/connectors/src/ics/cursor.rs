//! What one reading of a calendar link leaves for the next: the validators, where they came from, and how often the
//! publisher wants to be asked. Written as JSON that only this module reads.

use serde::{Deserialize, Serialize};
use sync::ids::Cursor;

/// A new version may read the same file better, so what an older one took from it does not stand for the file.
const READER: &str = env!("CARGO_PKG_VERSION");

/// Where a reading ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    reader: String,
    /// Of the whole file, unpacked.
    pub body: String,
    pub validators: Validators,
    pub refresh_s: Option<u64>,
}

/// What lets a server answer "not modified". Sent to the address that they came from and to no other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    /// Digest of that address.
    pub from: String,
    pub etag: Option<String>,
    pub modified: Option<String>,
}

impl Place {
    pub fn new(body: String, validators: Validators, refresh_s: Option<u64>) -> Self {
        Self { reader: READER.to_owned(), body, validators, refresh_s }
    }

    /// Nothing for a cursor of another version, which leads to a whole reading.
    pub fn parse(cursor: &Cursor) -> Option<Self> {
        serde_json::from_str(cursor.as_str()).ok().filter(|place: &Self| place.reader == READER)
    }

    pub fn cursor(&self) -> Cursor {
        Cursor(serde_json::json!(self).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_says_again_what_was_put_in_and_one_of_another_version_says_nothing() {
        let place = Place::new("b0d7".to_owned(), Validators::default(), Some(3600));
        assert_eq!(Place::parse(&place.cursor()), Some(place.clone()));
        let older = Place { reader: "0.0.0".to_owned(), ..place };
        assert_eq!(Place::parse(&older.cursor()), None);
        assert_eq!(Place::parse(&Cursor("a sync token".to_owned())), None);
    }
}
