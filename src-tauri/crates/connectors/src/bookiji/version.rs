//! Which version of its contract the platform says it keeps, and whether that is one this app knows. One that it does not
//! know may mean something else by the same words: then nothing is written, and reading goes on asking.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderName;
use serde::Deserialize;
use sync::error::ServiceError;

use crate::http::{Answer, Base, Http, Method, Peer, Request, line};

/// The first number of the contract that is spoken here; what a second number adds takes nothing away.
const KNOWN: u64 = 1;
const CONTRACT_VERSION: HeaderName = HeaderName::from_static("contract-version");
/// A version is only shown.
const SHOWN: usize = 40;

/// A strange version, while the platform says that it keeps one. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Strange(Arc<Mutex<Option<String>>>);

impl Strange {
    /// Heeds what an answer says. One that says nothing may be somebody's between here and there.
    pub(super) fn heed(&self, answer: &Answer) {
        if let Some(version) = told(answer) {
            self.set(strange(version));
        }
    }

    /// Heeds what an answer says that the platform gave for certain: without a word it is older than the word.
    pub(super) fn believe(&self, answer: &Answer) {
        self.set(told(answer).and_then(strange));
    }

    /// # Errors
    /// [`ServiceError::OtherContract`] while the platform keeps one that nobody here knows.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(version) => Err(other(version)),
        }
    }

    /// Heeds what its health says, where nothing else does; without an answer, nothing is news.
    ///
    /// # Errors
    /// As [`Strange::check`].
    pub(super) async fn heed_health(&self, http: &Http, base: &Base) -> Result<(), ServiceError> {
        match contract_version(http, base).await {
            Ok(_) => self.set(None),
            Err(ServiceError::OtherContract { version, .. }) => self.set(Some(version)),
            Err(_) => {}
        }
        self.check()
    }

    fn set(&self, version: Option<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != version {
            tracing::warn!(version = version.as_deref().unwrap_or("known"), "Bookiji keeps another contract");
            *known = version;
        }
    }
}

/// Which version the platform keeps, as its health says. `base` is its address without `/api`.
///
/// # Errors
/// [`ServiceError::OtherContract`] when nobody here knows it, and whatever keeps the platform from answering.
pub async fn contract_version(http: &Http, base: &Base) -> Result<Option<String>, ServiceError> {
    let url = base.at(&["api", "health"]);
    let answer = http.send(Request::new(Peer::Bookiji, Method::GET, "/api/health", url)).await?;
    let Some(version) = answer.json::<Health>()?.contract else { return Ok(None) };
    match strange(&version) {
        None => Ok(Some(shown(&version))),
        Some(version) => Err(other(&version)),
    }
}

#[derive(Deserialize)]
struct Health {
    contract: Option<String>,
}

/// Whether this answer tells a version at all.
pub(super) fn is_told(answer: &Answer) -> bool {
    told(answer).is_some()
}

/// # Errors
/// [`ServiceError::OtherContract`] when this answer was given under one that nobody here knows.
pub(super) fn check(answer: &Answer) -> Result<(), ServiceError> {
    told(answer).and_then(strange).map_or(Ok(()), |version| Err(other(&version)))
}

fn told(answer: &Answer) -> Option<&str> {
    answer.header(CONTRACT_VERSION.as_str())
}

/// The version, if it is one that nobody here knows. What is no version says nothing.
fn strange(version: &str) -> Option<String> {
    let (first, _) = version.trim().split_once('.')?;
    let first: u64 = first.parse().ok()?;
    (first != KNOWN).then(|| shown(version))
}

fn shown(version: &str) -> String {
    line(version).chars().take(SHOWN).collect()
}

fn other(version: &str) -> ServiceError {
    ServiceError::OtherContract { service: Peer::Bookiji.name().to_owned(), version: version.to_owned() }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;
    use crate::http::StatusCode;

    fn saying(version: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(version) = version {
            headers.insert(CONTRACT_VERSION, HeaderValue::from_str(version).unwrap());
        }
        Answer::made(Peer::Bookiji, StatusCode::OK, headers, Vec::new())
    }

    #[test]
    fn only_another_first_number_is_strange() {
        for (version, expected) in [
            ("1.0.0", None),
            ("1.99.3-beta.1", None),
            ("2.0.0", Some("2.0.0")),
            (" 0.9.1 ", Some("0.9.1")),
            ("10.0.0", Some("10.0.0")),
            ("2", None),
            ("next", None),
            ("", None),
            ("-1.0.0", None),
        ] {
            assert_eq!(strange(version).as_deref(), expected, "{version:?}");
        }
        assert_eq!(strange(&format!("2.{}", "0".repeat(500))).map(|shown| shown.len()), Some(SHOWN));
    }

    #[test]
    fn what_is_strange_stays_so_until_the_platform_itself_says_or_shows_otherwise() {
        let strange = Strange::default();
        strange.heed(&saying(Some("2.1.0")));
        strange.heed(&saying(None));
        let refused = strange.check().unwrap_err();
        assert!(refused.to_string().contains("2.1.0"), "{refused}");
        strange.heed(&saying(Some("1.7.0")));
        assert_eq!(strange.check(), Ok(()));
        strange.believe(&saying(Some("3.0.0")));
        assert!(strange.check().is_err());
        strange.believe(&saying(None));
        assert_eq!(strange.check(), Ok(()));
    }
}
