//! The one way out to the network: sends a request, bounds the answer, counts it, logs it without its secrets, and
//! names what went wrong. Knows no service's rules.

mod answer;
mod base;
mod budget;
mod counters;
mod gate;
mod network;
mod request;
mod retry_after;
mod sent;
mod skew;
mod stream;

use std::error::Error as _;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sync::error::ServiceError;

pub use answer::{Answer, Refusal};
pub(crate) use answer::{line, not_expired};
pub use base::{Base, BaseError};
pub use budget::Budget;
pub use counters::{Counters, Peer};
pub use gate::Gate;
pub use network::{Network, NetworkError};
pub use request::Request;
pub use reqwest::{Method, StatusCode};
pub(crate) use retry_after::retry_after;
pub use sent::{Body, Message, Sent};
pub use skew::Skew;
pub(crate) use stream::{Opened, Stream};

/// The largest answer that is read, after decompression. Google's largest page is a tenth of it.
pub const BODY_CAP: usize = 16 * 1024 * 1024;

const OVER_THE_CAP: &str = "it is larger than 16 MB";

/// Whether an answer was refused for its size alone: who asked for much may ask for less.
pub(crate) fn is_too_large(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Garbled { reason, .. } if reason == OVER_THE_CAP)
}

/// How long each phase of a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// Between two pieces of an answer, and before its first.
    pub silence: Duration,
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(120),
        }
    }
}

/// The HTTP stack. Cloning shares connections and counters.
#[derive(Clone, Debug)]
pub struct Http {
    abroad: reqwest::Client,
    /// Loopback never goes through the system's proxy.
    home: reqwest::Client,
    counters: Counters,
    skew: Skew,
    sent: Sent,
    timeouts: Timeouts,
    /// What all vendors of this computer together may ask of Bookiji.
    bookiji: Option<Budget>,
}

impl Http {
    /// Builds the stack with the operating system's trust store and proxy.
    ///
    /// # Errors
    /// When the trust store cannot be read.
    pub fn new(counters: Counters, timeouts: Timeouts) -> Result<Self, HttpError> {
        Self::through(&Network::default(), counters, timeouts)
    }

    /// As [`Http::new`], with what she says about her network.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn through(network: &Network, counters: Counters, timeouts: Timeouts) -> Result<Self, HttpError> {
        let abroad = build(network.abroad(builder(timeouts)))?;
        let home = build(network.trusted(builder(timeouts)).no_proxy())?;
        Ok(Self {
            abroad,
            home,
            counters,
            skew: Skew::default(),
            sent: Sent::default(),
            timeouts,
            bookiji: None,
        })
    }

    /// The same connections for another profile of this process, counted apart.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { counters: Counters::default(), sent: Sent::default(), ..self.clone() }
    }

    /// Keeps calls of Bookiji's API within a budget. Bookiji counts them by the computer they come from.
    #[must_use]
    pub fn with_bookiji_budget(self, budget: Budget) -> Self {
        Self { bookiji: Some(budget), ..self }
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How far the services' clocks are from ours.
    #[must_use]
    pub fn skew(&self) -> &Skew {
        &self.skew
    }

    /// What Bookiji was sent through this stack.
    #[must_use]
    pub fn sent(&self) -> &Sent {
        &self.sent
    }

    /// Keeps what Bookiji is sent among what another stack of the same profile sends.
    #[must_use]
    pub fn telling(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ServiceError::Unreachable`] when nothing came back, [`ServiceError::Garbled`] when what came back is cut
    /// short, over [`BODY_CAP`] or a redirect.
    pub async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        let (peer, route, method) = (request.peer, request.route, request.method.clone());
        let client = if base::is_loopback(&request.url) { &self.home } else { &self.abroad };
        if let Some(budget) = self.bookiji.as_ref().filter(|_| peer == Peer::Bookiji && is_of_the_api(route))
        {
            budget.draw().await;
        }
        self.counters.count(peer, request.calls);
        let kept = self.sent.keep(&request, now());
        let result = self.exchange(client, request).await;
        if let Ok(answer) = &result {
            self.sent.answered(kept, answer.status.as_u16());
        }
        match &result {
            Ok(answer) => tracing::debug!(
                service = peer.key(),
                %method,
                route,
                status = answer.status.as_u16(),
                bytes = answer.body.len(),
                "answered"
            ),
            Err(error) => tracing::debug!(service = peer.key(), %method, route, %error, "not answered"),
        }
        result
    }

    /// Sends one request whose answer may go on for hours, and reads no more of it than it is asked for. An answer that
    /// is a refusal is read whole.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub(crate) async fn open(&self, request: Request) -> Result<Opened, ServiceError> {
        let (peer, route, shows_redirects) = (request.peer, request.route, request.shows_redirects);
        let client = if base::is_loopback(&request.url) { &self.home } else { &self.abroad };
        if let Some(budget) = self.bookiji.as_ref().filter(|_| peer == Peer::Bookiji && is_of_the_api(route))
        {
            budget.draw().await;
        }
        self.counters.count(peer, 1);
        let kept = self.sent.keep(&request, now());
        let began = Instant::now();
        let sent = request.into_reqwest(client).timeout(stream::LONGEST).send().await;
        let response = sent.map_err(|error| self.broken(peer, &error, false, began.elapsed()))?;
        tracing::debug!(service = peer.key(), route, status = response.status().as_u16(), "opened");
        self.sent.answered(kept, response.status().as_u16());
        if response.status().is_success() {
            return Ok(Opened::Stream(Stream::new(peer, self.timeouts, response)));
        }
        Ok(Opened::Refused(self.whole(peer, response, began, shows_redirects).await?))
    }

    async fn exchange(&self, client: &reqwest::Client, request: Request) -> Result<Answer, ServiceError> {
        let (peer, shows_redirects) = (request.peer, request.shows_redirects);
        let (sent, began) = (now(), Instant::now());
        let response = request
            .into_reqwest(client)
            .send()
            .await
            .map_err(|error| self.broken(peer, &error, false, began.elapsed()))?;
        self.skew.hear(peer, response.headers(), sent, now());
        self.whole(peer, response, began, shows_redirects).await
    }

    async fn whole(
        &self,
        peer: Peer,
        mut response: reqwest::Response,
        began: Instant,
        shows_redirects: bool,
    ) -> Result<Answer, ServiceError> {
        let broken = |error: &reqwest::Error, begun| self.broken(peer, error, begun, began.elapsed());
        let status = response.status();
        if !shows_redirects && status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return Err(garbled(peer, "it points to another address, where no request of ours goes"));
        }
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| broken(&error, true))? {
            if body.len() + piece.len() > BODY_CAP {
                return Err(garbled(peer, OVER_THE_CAP));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { peer, status, headers, body, received_at: now() })
    }

    fn broken(&self, peer: Peer, error: &reqwest::Error, begun: bool, took: Duration) -> ServiceError {
        let Timeouts { connect, silence, whole } = self.timeouts;
        if error.is_timeout() {
            if took >= whole {
                return unreachable(peer, &format!("its answer had not ended after {} s", whole.as_secs()));
            }
            let waited = if error.is_connect() { connect } else { silence };
            return unreachable(peer, &format!("no answer in {} s", waited.as_secs()));
        }
        if begun || error.is_decode() {
            return garbled(peer, "it broke off half-way");
        }
        unreachable(peer, &what_happened(error))
    }
}

/// Bookiji counts these; its database's own door has other limits.
fn is_of_the_api(route: &str) -> bool {
    route.starts_with("/api/")
}

/// What every client of ours has in common: no redirect is followed behind our back.
pub(crate) fn builder(timeouts: Timeouts) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else may have chosen one first; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .user_agent(concat!("BookijiCompanion/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.silence)
        .timeout(timeouts.whole)
}

pub(crate) fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, HttpError> {
    builder.build().map_err(|error| HttpError { source: Arc::new(error) })
}

/// reqwest's own words name the whole address; the innermost cause names only what happened.
pub(crate) fn what_happened(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(|cause| cause.source()) {
        cause = Some(deeper);
    }
    line(&cause.map_or_else(|| "the connection failed".to_owned(), ToString::to_string))
}

/// The HTTP stack could not be built.
#[derive(Clone, Debug, thiserror::Error)]
#[error("secure connections cannot be set up on this computer: {source}")]
pub struct HttpError {
    source: Arc<reqwest::Error>,
}

pub(crate) fn garbled(peer: Peer, reason: &str) -> ServiceError {
    ServiceError::Garbled { service: peer.name().to_owned(), reason: reason.to_owned() }
}

fn unreachable(peer: Peer, reason: &str) -> ServiceError {
    ServiceError::Unreachable { service: peer.name().to_owned(), reason: reason.to_owned() }
}

#[expect(clippy::disallowed_methods, reason = "an answer's arrival is read here, at the edge")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
