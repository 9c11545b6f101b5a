//! An answer that goes on: read piece by piece, for as long as somebody sends.

use std::time::Duration;

use sync::error::ServiceError;

use super::{Answer, Peer, Timeouts, garbled, unreachable};

/// A line that nobody renews is given up.
pub(super) const LONGEST: Duration = Duration::from_hours(24);

/// What came of asking for one.
pub(crate) enum Opened {
    Stream(Stream),
    Refused(Answer),
}

/// An open answer. Dropping it hangs up.
pub(crate) struct Stream {
    peer: Peer,
    timeouts: Timeouts,
    response: reqwest::Response,
}

impl Stream {
    pub(super) fn new(peer: Peer, timeouts: Timeouts, response: reqwest::Response) -> Self {
        Self { peer, timeouts, response }
    }

    /// Whether it says that it is of this kind.
    pub(crate) fn is(&self, kind: &str) -> bool {
        let told = self.response.headers().get(reqwest::header::CONTENT_TYPE);
        told.and_then(|told| told.to_str().ok()).is_some_and(|told| told.starts_with(kind))
    }

    /// The next piece; nothing once the other side has ended it.
    ///
    /// # Errors
    /// When nothing comes for longer than an answer may be silent, or the line breaks.
    pub(crate) async fn piece(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        match self.response.chunk().await {
            Ok(piece) => Ok(piece.map(|piece| piece.to_vec())),
            Err(error) if error.is_timeout() => Err(unreachable(
                self.peer,
                &format!("no sign of life in {} s", self.timeouts.silence.as_secs()),
            )),
            Err(_) => Err(garbled(self.peer, "the line broke")),
        }
    }
}
