//! Where a service lives, and whether we may speak to it there.

use url::{Host, Url};

/// A service's address. Secrets travel under it, so it is https, or this computer, or what the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Url);

/// Why an address is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseError {
    #[error("{0} is neither https nor on this computer")]
    Insecure(String),
    #[error("{0} is not a web address")]
    NotAnAddress(String),
}

impl Base {
    /// Takes an address that came with the app.
    ///
    /// # Errors
    /// [`BaseError::Insecure`] for plain http to another computer.
    pub fn new(url: Url) -> Result<Self, BaseError> {
        match url.scheme() {
            "https" | "http" if url.host().is_none() => Err(BaseError::NotAnAddress(url.to_string())),
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(BaseError::Insecure(url.to_string())),
            _ => Err(BaseError::NotAnAddress(url.to_string())),
        }
    }

    /// Takes an address that the person wrote into the settings: plain http is then her choice.
    ///
    /// # Errors
    /// [`BaseError::NotAnAddress`] for anything but http and https.
    pub fn from_settings(url: Url) -> Result<Self, BaseError> {
        match (url.scheme(), url.host()) {
            ("https" | "http", Some(_)) => Ok(Self(url)),
            _ => Err(BaseError::NotAnAddress(url.to_string())),
        }
    }

    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Another address of the same server, as trusted as this one.
    #[must_use]
    pub(crate) fn beside(&self, url: Url) -> Self {
        debug_assert_eq!(self.0.origin(), url.origin());
        Self(url)
    }

    /// The address of something under this one. Each part is one path segment and is escaped as such.
    #[must_use]
    pub fn at(&self, parts: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_computer_or_for_who_asked_for_it() {
        assert!(Base::new(url("https://example.com")).is_ok());
        assert!(Base::new(url("http://127.0.0.1:4000/google")).is_ok());
        assert!(Base::new(url("http://[::1]:4000")).is_ok());
        assert!(matches!(Base::new(url("http://127.0.0.1.example.com")), Err(BaseError::Insecure(_))));
        assert!(Base::from_settings(url("http://sandbox.test")).is_ok());
        assert!(matches!(Base::new(url("ftp://127.0.0.1")), Err(BaseError::NotAnAddress(_))));
        assert!(matches!(Base::from_settings(url("data:text")), Err(BaseError::NotAnAddress(_))));
    }

    #[test]
    fn a_part_stays_one_segment_whatever_it_holds() {
        let base = Base::new(url("http://127.0.0.1:1/google/?x=1")).unwrap();
        assert_eq!(
            base.at(&["calendars", "a/b#c?d@group.calendar.google.com", "events"]).as_str(),
            "http://127.0.0.1:1/google/calendars/a%2Fb%23c%3Fd@group.calendar.google.com/events"
        );
    }
}
