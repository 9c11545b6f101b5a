//! Hears that something may have changed on the platform, so that nobody waits for the next poll. A hint says nothing else:
//! whoever hears one reads the bookings, and a forged one costs one reading.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sync::error::ServiceError;

use super::database::error;
use super::events::{Event, Reader, TooLong};
use super::rest::Rest;
use super::slots::written;
use super::{Bookiji, Interface, refusal};
use crate::http::{Method, Opened, Peer, Request, garbled};

/// How often today's log is looked at, which is outside the platform's limit.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A booking may have changed.
    Bookings,
    /// She asked for a sync on the website.
    Sync,
}

/// An ear at the platform. What it heard last it remembers, so that nothing is missed between two lines.
pub struct Hints {
    contract: Bookiji,
    rest: Rest,
    interface: Interface,
    line: Option<Line>,
    /// Where to go on after the last event.
    last: Option<String>,
    /// The last entry of today's log that was seen.
    logged: Option<Timestamp>,
}

struct Line {
    stream: crate::http::Stream,
    reader: Reader,
    waiting: std::collections::VecDeque<Event>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Logged {
    ts: Timestamp,
}

impl Hints {
    pub(super) fn new(contract: Bookiji, rest: Rest, interface: Interface) -> Self {
        Self { contract, rest, interface, line: None, last: None, logged: None }
    }

    /// Waits for the next hint, for as long as it takes.
    ///
    /// # Errors
    /// When it cannot be heard any more: ask again after a while. [`ServiceError::Gone`] when the platform tells none.
    pub async fn next(&mut self) -> Result<Hint, ServiceError> {
        let heard = match self.interface {
            Interface::Contract => self.hear().await,
            Interface::Rest => self.look().await,
        };
        if heard.is_err() {
            self.line = None;
        }
        heard
    }

    async fn hear(&mut self) -> Result<Hint, ServiceError> {
        loop {
            let line = match &mut self.line {
                Some(line) => line,
                none @ None => none.insert(open(&self.contract, self.last.as_deref()).await?),
            };
            while let Some(event) = line.waiting.pop_front() {
                self.last = event.id.or(self.last.take());
                if let Some(hint) = hint(&event.name, &event.data) {
                    return Ok(hint);
                }
            }
            let Some(piece) = line.stream.piece().await? else {
                return Err(garbled(Peer::Bookiji, "it ended the line"));
            };
            let events = line.reader.take(&piece);
            let events = events.map_err(|TooLong| garbled(Peer::Bookiji, "its events do not end"))?;
            line.waiting.extend(events);
        }
    }

    /// Today's database logs what happens to bookings, for anybody to read and to write. A change of words alone is not in
    /// it.
    async fn look(&mut self) -> Result<Hint, ServiceError> {
        loop {
            let newest = self.newest().await?;
            let is_news = match self.logged {
                Some(seen) => newest.is_some_and(|newest| newest > seen),
                None => false,
            };
            self.logged = newest.max(self.logged).or(Some(Timestamp::UNIX_EPOCH));
            if is_news {
                return Ok(Hint::Bookings);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn newest(&self) -> Result<Option<Timestamp>, ServiceError> {
        let (signed, database) = self.rest.parts();
        let mut request = database
            .rows(Method::GET, "/rest/v1/ops_events", &["ops_events"], "")
            .query("select", "ts")
            .query("source", "eq.prod")
            .query("provider_id", &format!("eq.{}", database.vendor))
            .query("type", "in.(booking_created,booking_cancelled,booking_rescheduled)")
            .query("order", "ts.desc")
            .query("limit", "1");
        if let Some(seen) = self.logged {
            request = request.query("ts", &format!("gt.{}", written(seen)));
        }
        let answer = signed.send(request).await?;
        if !answer.status.is_success() {
            return Err(error(&answer));
        }
        Ok(answer.json::<Vec<Logged>>()?.first().map(|row| row.ts))
    }
}

async fn open(contract: &Bookiji, last: Option<&str>) -> Result<Line, ServiceError> {
    let url = contract.base.at(&["api", "vendor", "changes", "stream"]);
    let mut request = Request::new(Peer::Bookiji, Method::GET, "/api/vendor/changes/stream", url)
        .header(reqwest::header::ACCEPT, "text/event-stream");
    if let Some(last) = last {
        request = request.header(reqwest::header::HeaderName::from_static("last-event-id"), last);
    }
    match contract.signed.open(request).await? {
        Opened::Stream(stream) if stream.is("text/event-stream") => {
            Ok(Line { stream, reader: Reader::default(), waiting: std::collections::VecDeque::new() })
        }
        Opened::Stream(_) => Err(garbled(Peer::Bookiji, "it is no stream of events")),
        Opened::Refused(answer) => Err(refusal::error(&answer)),
    }
}

/// What an event is worth to us. Slots are closed and opened by our own busy time, too: that is no news.
fn hint(name: &str, data: &str) -> Option<Hint> {
    if name == "ready" || data.is_empty() {
        return None;
    }
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    let change = Change::deserialize(&value).unwrap_or(Change { kind: String::new() });
    match change.kind.as_str() {
        "sync_requested" => Some(Hint::Sync),
        kind if kind.starts_with("slot_") => None,
        // A word of the future may be about a booking.
        _ => Some(Hint::Bookings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_about_bookings_unless_it_is_known_to_be_about_something_else() {
        for (name, data, expected) in [
            ("change", r#"{"seq":1,"type":"booking_created"}"#, Some(Hint::Bookings)),
            ("change", r#"{"seq":1,"type":"sync_requested"}"#, Some(Hint::Sync)),
            ("change", r#"{"seq":1,"type":"slot_claimed"}"#, None),
            ("change", r#"{"seq":1,"type":"voucher_used"}"#, Some(Hint::Bookings)),
            ("", "what is this", Some(Hint::Bookings)),
            ("ready", "{}", None),
            ("change", "", None),
        ] {
            assert_eq!(hint(name, data), expected, "{name} {data}");
        }
    }
}
