//! A request before it is sent: where, what, and under which name the log knows it.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Method, Peer};

/// One request. Its [`std::fmt::Debug`] shows no query, no header and no body.
#[derive(Clone)]
pub struct Request {
    pub(super) peer: Peer,
    /// The path with names instead of values.
    pub(super) route: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The caller decides where a redirect may lead.
    pub(super) shows_redirects: bool,
}

impl Request {
    #[must_use]
    pub fn new(peer: Peer, method: Method, route: &'static str, url: Url) -> Self {
        Self { peer, route, method, url, headers: HeaderMap::new(), body: Vec::new(), shows_redirects: false }
    }

    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Leaves the header out when `value` cannot stand in one; a precondition must not be sent like this.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    #[must_use]
    pub fn bearer(self, token: &SecretString) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()))
    }

    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header(CONTENT_TYPE, "application/json")
    }

    pub(crate) fn bytes(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Lets a redirect come back as an answer instead of an error.
    pub(crate) fn shows_redirects(self) -> Self {
        Self { shows_redirects: true, ..self }
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn into_reqwest(self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let builder = client.request(self.method.clone(), self.url).headers(self.headers);
        if self.body.is_empty() && self.method == Method::GET { builder } else { builder.body(self.body) }
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.peer.key(), self.method, self.route)
    }
}
