//! What one reading of a calendar leaves for the next. A sync token where the server gives them; else what was listed,
//! to compare with. Written as JSON that only this module reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sync::ids::Cursor;

/// A new version may read the same file better, so what an older one took from it does not stand for the file.
const READER: &str = env!("CARGO_PKG_VERSION");

/// Where a reading ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    reader: String,
    pub at: At,
    /// The files that hold anything but one event under their own name, with what they hold: once such a file is gone,
    /// nothing else tells what went with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum At {
    Token(String),
    Listed { ctag: Option<String>, etags: BTreeMap<String, String> },
}

impl Place {
    pub fn new(at: At, parts: BTreeMap<String, Vec<String>>) -> Self {
        Self { reader: READER.to_owned(), at, parts }
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
        let parts = BTreeMap::from([("a".to_owned(), vec![String::new(), "0123".to_owned()])]);
        let etags = BTreeMap::from([("a".to_owned(), "\"1\"".to_owned())]);
        for at in [At::Token("t".to_owned()), At::Listed { ctag: None, etags }] {
            let place = Place::new(at, parts.clone());
            assert_eq!(Place::parse(&place.cursor()), Some(place.clone()));
            let older = Place { reader: "0.0.0".to_owned(), ..place };
            assert_eq!(Place::parse(&older.cursor()), None);
        }
        assert_eq!(Place::parse(&Cursor("a sync token".to_owned())), None);
    }
}
