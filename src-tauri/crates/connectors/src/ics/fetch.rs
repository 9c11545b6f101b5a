//! One polite request for what is behind a calendar link: conditional, through a few redirects, bounded in size and
//! time, and never to an address that the link may not lead to. Knows nothing of calendars.

use std::error::Error;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use sync::error::ServiceError;
use url::{Host, Url};

use super::address::{FeedAddress, Reach, digest, reach};
use super::cursor::Validators;
use crate::http::{
    self, Counters, HttpError, Network, Peer, StatusCode, Timeouts, retry_after, what_happened,
};

/// What one reading of a link may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// Between two pieces of an answer, and before its first.
    pub silence: Duration,
    /// For all of it, redirects included.
    pub whole: Duration,
    /// After decompression.
    pub bytes: usize,
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(15),
            whole: Duration::from_secs(30),
            bytes: 32 * 1024 * 1024,
            redirects: 5,
        }
    }
}

/// What the log calls every link.
const ROUTE: &str = "/{link}";

/// Longer than this is no validator.
const LONGEST_VALIDATOR: usize = 512;

/// Finds the addresses of a name.
pub type Lookup =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// Asks the operating system.
#[must_use]
pub fn system_names() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Fetches what is behind calendar links. Cloning shares connections and counters.
///
/// No request goes through a proxy that she has not named herself: it looks names up by itself, and nobody here can tell
/// where they lead.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Reaches public addresses alone, whatever a name resolves to at the moment of connecting.
    public: reqwest::Client,
    /// Reaches the private host that she typed.
    hers: reqwest::Client,
    /// Her proxy connects in place of `public`, so that names are looked at before.
    ahead: Option<Ahead>,
    counters: Counters,
    limits: Limits,
}

/// What came back.
pub(super) enum Fetched {
    NotModified,
    Body(Body),
}

pub(super) struct Body {
    pub bytes: Vec<u8>,
    pub validators: Validators,
    /// It broke off before its end.
    pub cut: bool,
}

enum Hop {
    Done(Fetched),
    Elsewhere(Url),
}

impl Fetcher {
    /// Builds the stack with the operating system's trust store.
    ///
    /// # Errors
    /// When the trust store cannot be read.
    pub fn new(counters: Counters, limits: Limits, names: Lookup) -> Result<Self, HttpError> {
        Self::through(&Network::default(), counters, limits, names)
    }

    /// As [`Fetcher::new`], trusting her own authorities too, and going out through the proxy that she names.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn through(
        network: &Network,
        counters: Counters,
        limits: Limits,
        names: Lookup,
    ) -> Result<Self, HttpError> {
        let timeouts = Timeouts {
            connect: limits.connect,
            silence: limits.silence,
            whole: limits.whole.saturating_mul(2),
        };
        // A feed is asked every few minutes at most: a connection kept open would only outlive its check.
        let builder = || http::builder(timeouts).pool_max_idle_per_host(0);
        let client = |only: Reach| {
            let names = Arc::new(Names { lookup: names.clone(), only });
            http::build(network.trusted(builder()).no_proxy().dns_resolver(names))
        };
        let hers = client(Reach::Private)?;
        let (public, ahead) = if network.names_a_proxy() {
            (http::build(network.abroad(builder()))?, Some(Ahead(names)))
        } else {
            (client(Reach::Public)?, None)
        };
        Ok(Self { public, hers, ahead, counters, limits })
    }

    /// The same connections for another profile of this process, counted apart.
    #[must_use]
    pub fn beside(&self, counters: Counters) -> Self {
        Self { counters, ..self.clone() }
    }

    /// Asks for what is behind `address`; with validators, only if it changed.
    pub(super) async fn fetch(
        &self,
        address: &FeedAddress,
        known: Option<&Validators>,
    ) -> Result<Fetched, ServiceError> {
        let whole = self.limits.whole;
        let result = tokio::time::timeout(whole, self.follow(address, known)).await.unwrap_or_else(|_| {
            // Asking again at once would take as long once more.
            Err(rejected(address, &format!("it had not sent its calendar after {} s", whole.as_secs())))
        });
        match &result {
            Ok(Fetched::NotModified) => {
                tracing::debug!(
                    service = Peer::Feeds.key(),
                    route = ROUTE,
                    status = 304,
                    bytes = 0,
                    "answered"
                );
            }
            Ok(Fetched::Body(body)) => {
                tracing::debug!(
                    service = Peer::Feeds.key(),
                    route = ROUTE,
                    status = 200,
                    bytes = body.bytes.len(),
                    cut = body.cut,
                    "answered"
                );
            }
            Err(error) => {
                tracing::debug!(service = Peer::Feeds.key(), route = ROUTE, code = %error.code(), "not answered");
            }
        }
        result
    }

    async fn follow(
        &self,
        address: &FeedAddress,
        known: Option<&Validators>,
    ) -> Result<Fetched, ServiceError> {
        let mut url = address.url().clone();
        for _ in 0..=self.limits.redirects {
            match self.hop(address, &url, known).await? {
                Hop::Done(fetched) => return Ok(fetched),
                Hop::Elsewhere(next) => url = next,
            }
        }
        let most = self.limits.redirects;
        Err(rejected(address, &format!("it points on from address to address, more than {most} times")))
    }

    async fn hop(
        &self,
        address: &FeedAddress,
        url: &Url,
        known: Option<&Validators>,
    ) -> Result<Hop, ServiceError> {
        let from = digest(url);
        let asked = conditions(known.filter(|known| known.from == from));
        let conditional = !asked.is_empty();
        let hers = address.is_hers(url);
        let client = if hers { &self.hers } else { &self.public };
        let ahead = self.ahead.as_ref().filter(|_| !hers);
        if let Some(ahead) = ahead
            && !ahead.may_lead_there(url).await
        {
            return Err(leads_inside(address));
        }
        self.counters.count(Peer::Feeds, 1);
        let request = client.get(url.clone()).header(ACCEPT, "text/calendar, */*;q=0.1").headers(asked);
        let response = request.send().await.map_err(|error| self.broken(address, &error))?;
        // Behind a proxy it is the proxy's.
        if ahead.is_none() && response.remote_addr().is_some_and(|peer| !may_ask(peer.ip(), hers)) {
            return Err(leads_inside(address));
        }
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return if conditional {
                Ok(Hop::Done(Fetched::NotModified))
            } else {
                Err(garbled(address, "it says that nothing changed, and was not asked that"))
            };
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let location =
                location.ok_or_else(|| garbled(address, "it points elsewhere without saying where"))?;
            let next =
                address.follow(url, location).map_err(|error| rejected(address, &error.to_string()))?;
            return Ok(Hop::Elsewhere(next));
        }
        if !matches!(status.as_u16(), 200 | 203) {
            return Err(refused(address, status, response.headers()));
        }
        let validators = validators(from, response.headers());
        self.body(address, response, validators).await.map(|body| Hop::Done(Fetched::Body(body)))
    }

    /// Reads the body piece by piece, so that neither an endless one nor a small one that unpacks without end is held.
    async fn body(
        &self,
        address: &FeedAddress,
        mut response: reqwest::Response,
        validators: Validators,
    ) -> Result<Body, ServiceError> {
        let most = self.limits.bytes;
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(Body { bytes, validators, cut: false }),
                Ok(Some(piece)) if bytes.len() + piece.len() > most => {
                    let megabytes = most / (1024 * 1024);
                    return Err(rejected(address, &format!("its calendar is larger than {megabytes} MB")));
                }
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Err(error) if bytes.is_empty() => return Err(self.broken(address, &error)),
                Err(_) => return Ok(Body { bytes, validators, cut: true }),
            }
        }
    }

    fn broken(&self, address: &FeedAddress, error: &reqwest::Error) -> ServiceError {
        if caused_by_refusal(error) {
            return leads_inside(address);
        }
        let service = address.host();
        if error.is_timeout() {
            let waited = if error.is_connect() { self.limits.connect } else { self.limits.silence };
            let reason = format!("no answer in {} s", waited.as_secs());
            return ServiceError::Unreachable { service, reason };
        }
        if error.is_decode() || error.is_body() {
            return garbled(address, "it broke off half-way");
        }
        ServiceError::Unreachable { service, reason: what_happened(error) }
    }
}

/// Looks names up for one client, and forgets every address that this client must not connect to.
struct Names {
    lookup: Lookup,
    only: Reach,
}

/// Looks at a name before a proxy does. What cannot be looked up here, as in networks where only the proxy can, is the
/// proxy's to know, but for names that belong inside.
#[derive(Clone)]
struct Ahead(Lookup);

/// Names that no calendar's publisher has (RFC 6762, 6761, 8375, and what ICANN keeps for networks of one's own).
const INSIDE: [&str; 5] = ["local", "localhost", "internal", "home.arpa", "test"];

impl Ahead {
    async fn may_lead_there(&self, url: &Url) -> bool {
        let name = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.'),
            Some(Host::Ipv4(address)) => return reach(address.into()) == Reach::Public,
            Some(Host::Ipv6(address)) => return reach(address.into()) == Reach::Public,
            None => return false,
        };
        let belongs_inside = |inside: &str| name.strip_suffix(inside).is_some_and(|rest| rest.ends_with('.'));
        if !name.contains('.') || INSIDE.into_iter().any(belongs_inside) {
            return false;
        }
        match (self.0)(name.to_owned()).await {
            Ok(found) => found.into_iter().all(|address| reach(address) == Reach::Public),
            Err(_) => true,
        }
    }
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ahead")
    }
}

/// A name led nowhere but inside.
#[derive(Debug, thiserror::Error)]
#[error("it has no public address")]
struct LeadsInside;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, hers) = ((self.lookup)(name.as_str().to_owned()), self.only == Reach::Private);
        Box::pin(async move {
            let found = found.await?;
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| may_ask(*address, hers))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if allowed.is_empty() {
                return Err(LeadsInside.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn may_ask(address: IpAddr, hers: bool) -> bool {
    match reach(address) {
        Reach::Public => true,
        Reach::Private => hers,
        Reach::Nowhere => false,
    }
}

fn caused_by_refusal(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(deeper) = cause {
        if deeper.is::<LeadsInside>() {
            return true;
        }
        cause = deeper.source();
    }
    false
}

fn conditions(known: Option<&Validators>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &Option<String>| {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    if let Some(known) = known {
        set(IF_NONE_MATCH, &known.etag);
        set(IF_MODIFIED_SINCE, &known.modified);
    }
    headers
}

fn validators(from: String, headers: &HeaderMap) -> Validators {
    let of = |name: HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        value.filter(|value| !value.is_empty() && value.len() <= LONGEST_VALIDATOR).map(str::to_owned)
    };
    Validators { from, etag: of(ETAG), modified: of(LAST_MODIFIED) }
}

fn refused(address: &FeedAddress, status: StatusCode, headers: &HeaderMap) -> ServiceError {
    let service = address.host();
    let wait = retry_after(headers, http::now());
    let reason = format!("HTTP {}", status.as_u16());
    match status.as_u16() {
        401 | 403 | 407 | 451 => ServiceError::Forbidden {
            service,
            reason: format!("{reason}; the link may have been changed, then connect the new one"),
        },
        404 | 410 => ServiceError::Gone { service },
        429 => ServiceError::RateLimited { service, retry_after: wait },
        503 if wait.is_some() => ServiceError::RateLimited { service, retry_after: wait },
        408 | 500..=599 => ServiceError::Failing { service, reason, retry_after: wait },
        400..=499 => ServiceError::Rejected { service, reason },
        _ => garbled(address, &format!("its status is {}", status.as_u16())),
    }
}

fn leads_inside(address: &FeedAddress) -> ServiceError {
    rejected(address, "it leads to an address inside a private network, where no calendar link may lead")
}

pub(super) fn rejected(address: &FeedAddress, reason: &str) -> ServiceError {
    ServiceError::Rejected { service: address.host(), reason: reason.to_owned() }
}

pub(super) fn garbled(address: &FeedAddress, reason: &str) -> ServiceError {
    ServiceError::Garbled { service: address.host(), reason: reason.to_owned() }
}
