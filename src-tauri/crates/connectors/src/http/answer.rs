//! What came back: its status, its JSON, or why it is none.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;
use sync::error::ServiceError;

use super::{Peer, StatusCode, garbled, retry_after};

/// A whole answer of any status.
pub struct Answer {
    pub(super) peer: Peer,
    pub status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) received_at: Timestamp,
}

/// Why a service did not do it, in its own words and ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The word that services mean machines to read.
    pub code: Option<String>,
    pub message: Option<String>,
}

impl Answer {
    /// One part of an answer to many requests at once.
    pub(crate) fn part(whole: &Self, status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { peer: whole.peer, status, headers, body, received_at: whole.received_at }
    }

    #[cfg(test)]
    pub(crate) fn made(peer: Peer, status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { peer, status, headers, body, received_at: Timestamp::UNIX_EPOCH }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Reads the body as JSON of the expected shape.
    ///
    /// # Errors
    /// [`ServiceError::Garbled`] when it is something else, as a hotel's sign-in page is.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        if let Some(other) = self.content_type().filter(|kind| !is_json(kind)) {
            return Err(garbled(self.peer, &format!("it is {}, not JSON", line(other))));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "its JSON stops half-way",
                serde_json::error::Category::Data => "its JSON has another shape than promised",
                serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
            };
            garbled(self.peer, what)
        })
    }

    /// The body as JSON, if it is any: for reading why something was refused.
    pub(crate) fn value(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Of a write after which nothing need be read: that it was done. A hotel's sign-in page is no such word, whatever its
    /// status. That a server may say more to a thing that is done than nothing, is no harm.
    ///
    /// # Errors
    /// [`ServiceError::Garbled`] when it is a page.
    pub(crate) fn is_no_page(&self) -> Result<(), ServiceError> {
        let is_html = self.content_type().is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        // 201 and 204 are said by none but who did it; PHP calls an answer without any body a page.
        if is_html && self.status == StatusCode::OK && !self.body.is_empty() {
            return Err(garbled(self.peer, "a page came in place of a word that it was done"));
        }
        Ok(())
    }

    pub(crate) fn received_at(&self) -> Timestamp {
        self.received_at
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Vec<u8>) {
        (self.status, self.headers, self.body)
    }

    /// The body as one line of text, if it is plain text.
    pub(crate) fn text(&self) -> Option<String> {
        self.content_type().filter(|kind| kind.starts_with("text/plain"))?;
        std::str::from_utf8(&self.body).ok().map(line).filter(|text| !text.is_empty())
    }

    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, self.received_at)
    }

    /// What a refusal means where the service has no rule of its own for it.
    ///
    /// A 503 that says when to come back is a request to slow down; without that it is a failure, after which nobody
    /// knows whether the thing was done.
    #[must_use]
    pub fn refused(&self, refusal: &Refusal) -> ServiceError {
        let service = self.peer.name().to_owned();
        let reason = refusal
            .message
            .clone()
            .or_else(|| refusal.code.clone())
            .map_or_else(|| format!("HTTP {}", self.status.as_u16()), |text| line(&text));
        match self.status.as_u16() {
            401 => ServiceError::SignInExpired { service, reason },
            403 | 407 | 451 => ServiceError::Forbidden { service, reason },
            404 | 410 => ServiceError::Gone { service },
            409 => ServiceError::Exists { service },
            412 => ServiceError::Stale { service },
            429 => ServiceError::RateLimited { service, retry_after: self.retry_after() },
            503 if self.retry_after().is_some() => {
                ServiceError::RateLimited { service, retry_after: self.retry_after() }
            }
            408 | 500..=599 => ServiceError::Failing { service, reason, retry_after: self.retry_after() },
            400..=499 => ServiceError::Rejected { service, reason },
            _ => garbled(self.peer, &format!("its status is {}", self.status.as_u16())),
        }
    }

    /// As [`Answer::refused`], from a server that is asked to sign somebody in: nothing has expired by its refusal.
    pub(crate) fn sign_in_refused(&self, refusal: &Refusal) -> ServiceError {
        not_expired(self.refused(refusal))
    }

    fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
    }
}

pub(crate) fn not_expired(error: ServiceError) -> ServiceError {
    if let ServiceError::SignInExpired { service, reason } = error {
        ServiceError::Rejected { service, reason }
    } else {
        error
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// A stranger's words, made fit for one line of ours.
pub(crate) fn line(text: &str) -> String {
    let words: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
