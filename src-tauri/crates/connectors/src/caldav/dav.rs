//! WebDAV with somebody signed in: sends her password where it may go and nowhere else, follows redirects by hand, and
//! takes answers apart. Knows no calendar.

use data_encoding::BASE64;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use sync::error::ServiceError;
use url::Url;

use super::address::{AddressError, Entry};
use super::multistatus::{self, Multistatus};
use super::refusal;
use crate::http::{Answer, Gate, Http, Method, Peer, Request, garbled};

const REDIRECTS: usize = 5;
const XML: &str = "application/xml; charset=utf-8";
pub(super) const DEPTH: HeaderName = HeaderName::from_static("depth");

#[derive(Clone)]
pub(super) struct Dav {
    pub http: Http,
    /// How fast the account may be asked.
    pub gate: Gate,
    pub entry: Entry,
    pub username: String,
    pub password: SecretString,
}

/// One request, but for where it goes in the end.
pub(super) struct Call<'a> {
    pub method: &'static str,
    /// For the log, with names instead of values.
    pub route: &'static str,
    pub headers: Vec<(HeaderName, &'a str)>,
    pub body: String,
}

impl<'a> Call<'a> {
    pub fn new(method: &'static str, route: &'static str) -> Self {
        Self { method, route, headers: Vec::new(), body: String::new() }
    }

    pub fn header(mut self, name: HeaderName, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn xml(mut self, body: &str) -> Self {
        self.body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{body}");
        self.header(CONTENT_TYPE, XML)
    }

    fn request(&self, url: Url) -> Result<Request, ServiceError> {
        let method = Method::from_bytes(self.method.as_bytes());
        let method = method.map_err(|_| rejected("there is no such method"))?;
        let request = Request::new(Peer::Caldav, method, self.route, url).shows_redirects();
        let request =
            self.headers.iter().fold(request, |request, (name, value)| request.header(name.clone(), value));
        Ok(request.bytes(self.body.clone().into_bytes()))
    }
}

impl Dav {
    /// Sends it, with her password, and answers with where the answer came from.
    pub async fn send(&self, url: &Url, call: &Call<'_>) -> Result<(Answer, Url), ServiceError> {
        let mut url = url.clone();
        self.admits(&url, self.entry.url())?;
        for _ in 0..=REDIRECTS {
            let token = format!("{}:{}", self.username, self.password.expose_secret());
            let token = SecretString::from(format!("Basic {}", BASE64.encode(token.as_bytes())));
            let request = call.request(url.clone())?.header(AUTHORIZATION, token.expose_secret());
            let inside = self.gate.enter(Peer::Caldav).await?;
            let answer = self.http.send(request).await?;
            self.gate.heed(&answer);
            drop(inside);
            if !matches!(answer.status.as_u16(), 301 | 302 | 307 | 308) {
                return Ok((answer, url));
            }
            let location = answer.header(LOCATION.as_str()).unwrap_or_default();
            let next = url.join(location).map_err(|_| garbled(Peer::Caldav, "it points to no address"))?;
            self.admits(&next, &url)?;
            url = next;
        }
        Err(garbled(Peer::Caldav, "it points from one address to the next without end"))
    }

    fn admits(&self, url: &Url, from: &Url) -> Result<(), ServiceError> {
        self.entry.admits(url, from).map_err(|error| not_there(&error))
    }

    /// Properties of `url`, and with `depth` 1 of what lies in it.
    pub async fn properties(
        &self,
        url: &Url,
        depth: &str,
        route: &'static str,
        wanted: &str,
    ) -> Result<(Multistatus, Url), ServiceError> {
        let body = format!("<d:propfind {SPACES}><d:prop>{wanted}</d:prop></d:propfind>");
        let (answer, from) =
            self.send(url, &Call::new("PROPFIND", route).header(DEPTH, depth).xml(&body)).await?;
        Ok((multistatus(&answer)?, from))
    }
}

/// The names that the bodies here use.
pub(super) const SPACES: &str = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
                                 xmlns:s=\"http://calendarserver.org/ns/\" xmlns:b=\"https://bookiji.com/ns/companion\"";

/// A 207 taken apart; anything else is a refusal.
pub(super) fn multistatus(answer: &Answer) -> Result<Multistatus, ServiceError> {
    match answer.status.as_u16() {
        207 => multistatus::read(answer.bytes()).map_err(|error| garbled(Peer::Caldav, &error.to_string())),
        // A page of somebody's, where an answer should be.
        200..=299 => Err(garbled(Peer::Caldav, "it is no WebDAV answer")),
        _ => Err(refusal::error(answer)),
    }
}

pub(super) fn not_there(error: &AddressError) -> ServiceError {
    rejected(&error.to_string())
}

pub(super) fn rejected(reason: &str) -> ServiceError {
    ServiceError::Rejected { service: Peer::Caldav.name().to_owned(), reason: reason.to_owned() }
}
