//! Page and sync tokens: opaque to clients, and refused when they were not made here or not for this question.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Where a paged answer goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageToken {
    /// The question it belongs to: [`fingerprint`].
    pub question: String,
    /// The sort key of the last item that was sent.
    pub after: String,
    /// The change counter when the first page was made.
    pub as_of: u64,
}

/// What a client knows already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncToken {
    pub question: String,
    pub seen: u64,
    pub issued_s: i64,
}

#[must_use]
pub fn seal<T: Serialize>(token: &T) -> String {
    let text = serde_json::to_string(token).unwrap_or_default();
    BASE64URL_NOPAD.encode(format!("{}{text}", &mark(&text)).as_bytes())
}

#[must_use]
pub fn open<T: DeserializeOwned>(word: &str) -> Option<T> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(word.as_bytes()).ok()?).ok()?;
    let (seal, text) = text.split_at_checked(8)?;
    if seal != mark(text) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// Stands for a question, so that a token for another one is told apart.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    HEXLOWER.encode(&Sha256::digest(parts.join("\u{1f}")))[..16].to_owned()
}

fn mark(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("sandbox|{text}")))[..8].to_owned()
}
