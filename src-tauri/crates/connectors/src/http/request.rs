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
    /// How many calls its service counts it as.
    pub(super) calls: u32,
    /// The caller decides where a redirect may lead.
    pub(super) shows_redirects: bool,
}

impl Request {
    #[must_use]
    pub fn new(peer: Peer, method: Method, route: &'static str, url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), Vec::new());
        Self { peer, route, method, url, headers, body, calls: 1, shows_redirects: false }
    }

    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
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

    pub(crate) fn multipart(self, kind: &str, body: Vec<u8>) -> Self {
        self.bytes(body).header(CONTENT_TYPE, kind)
    }

    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    pub(crate) fn route(&self) -> &'static str {
        self.route
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Says that its service counts it as so many calls.
    pub(crate) fn standing_for(self, calls: usize) -> Self {
        Self { calls: u32::try_from(calls).unwrap_or(u32::MAX).max(1), ..self }
    }

    /// The request as text, to stand inside another one: it goes to the same server, and says only where there.
    pub(crate) fn written_out(&self) -> Vec<u8> {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut text = format!("{} {}{query} HTTP/1.1\r\n", self.method, self.url.path()).into_bytes();
        for (name, value) in &self.headers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        text.extend_from_slice(&self.body);
        text
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
