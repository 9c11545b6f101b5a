//! A calendar of which she may see only when it is busy (provider notes A5): its blocks, merged and without ids, read as
//! events that say nothing. What cannot be told is no free time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calendar::event::{End, Event, Uid, When};
use calendar::interval::{Interval, union};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId};
use sync::ports::{Coverage, Reading, RemoteEvent};
use tokio::time::Instant;

use super::calendar::GoogleCalendar;
use super::refusal;
use crate::http::{Method, Peer, garbled};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(60);
/// The longest stretch of one question. Google does not say how long it may be.
const QUESTION: SignedDuration = SignedDuration::from_hours(60 * 24);
/// More blocks than this no calendar has in such a stretch.
const BLOCKS: usize = 20_000;

type Asked = (RemoteCalendarId, Timestamp, Timestamp);
type Told = (Instant, Vec<Interval>);

/// Answers of the last minute. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct RecentTimes(Arc<Mutex<BTreeMap<Asked, Told>>>);

impl RecentTimes {
    fn get(&self, asked: &Asked) -> Option<Vec<Interval>> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.get(asked).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, blocks)| blocks.clone())
    }

    fn keep(&self, asked: Asked, blocks: &[Interval]) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (at, _)| at.elapsed() < FRESH);
        recent.insert(asked, (Instant::now(), blocks.to_vec()));
    }
}

/// Where a reading of times ended: from when on it looked, and what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub since: Timestamp,
    found: String,
}

const WORD: &str = "times-only";

impl Place {
    /// Reads a cursor that a reading of times left; nothing for one of events.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let mut words = cursor.as_str().split('|');
        let (WORD, since, found, None) = (words.next()?, words.next()?, words.next()?, words.next()) else {
            return None;
        };
        Some(Self { since: since.parse().ok()?, found: found.to_owned() })
    }

    fn after(since: Timestamp, blocks: &[Interval]) -> Self {
        let text: Vec<String> =
            blocks.iter().map(|block| format!("{}/{}", block.start(), block.end())).collect();
        Self { since, found: HEXLOWER.encode(&Sha256::digest(text.join(",")))[..32].to_owned() }
    }

    fn cursor(&self) -> Cursor {
        Cursor(format!("{WORD}|{}|{}", self.since, self.found))
    }
}

impl GoogleCalendar {
    /// Everything that blocks from `since` as far ahead as must be known.
    pub(super) async fn read_times(
        &self,
        before: Option<&Place>,
        since: Timestamp,
    ) -> Reading<RemoteEvent, RemoteId> {
        let reach = SignedDuration::from_hours(24 * (i64::from(self.ahead) + 1));
        let Some(stretch) = since.checked_add(reach).ok().and_then(|end| Interval::new(since, end)) else {
            return Reading::Failed(garbled(Peer::Google, "the time asked for makes no sense"));
        };
        let blocks = match self.blocks(stretch).await {
            Ok(blocks) => blocks,
            Err(error) => return Reading::Failed(error),
        };
        let place = Place::after(since, &blocks);
        if before == Some(&place) {
            return Reading::Delta { changed: Vec::new(), removed: Vec::new(), cursor: place.cursor() };
        }
        let items = blocks.into_iter().map(event).collect();
        Reading::Snapshot { items, coverage: Coverage::Overlapping(stretch), cursor: Some(place.cursor()) }
    }

    async fn blocks(&self, stretch: Interval) -> Result<Vec<Interval>, ServiceError> {
        let mut all = Vec::new();
        let mut from = stretch.start();
        while from < stretch.end() {
            let to = from.checked_add(QUESTION).map_or(stretch.end(), |to| to.min(stretch.end()));
            all.extend(self.ask(from, to).await?);
            from = to;
        }
        // One that lies over two questions comes in two pieces.
        Ok(union(all))
    }

    async fn ask(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Interval>, ServiceError> {
        let asked = (self.remote.clone(), from, to);
        if let Some(blocks) = self.api.recent.get(&asked) {
            return Ok(blocks);
        }
        let body = json!({"timeMin": from.to_string(), "timeMax": to.to_string(), "timeZone": "UTC",
            "items": [{"id": self.remote.as_str()}]});
        let request = self.api.request(Method::POST, super::FREE_BUSY, &["freeBusy"]).json(&body);
        let answer = self.api.send(request).await?;
        if !answer.status.is_success() {
            return Err(refusal::error(&answer));
        }
        let blocks = told(&answer.json::<Value>()?, &self.remote)?;
        self.api.recent.keep(asked, &blocks);
        Ok(blocks)
    }
}

/// What is said of this calendar. An error beside it means that nobody knows, whatever else is said.
fn told(body: &Value, remote: &RemoteCalendarId) -> Result<Vec<Interval>, ServiceError> {
    let nonsense = |reason: &str| garbled(Peer::Google, reason);
    let calendar = body["calendars"]
        .get(remote.as_str())
        .ok_or_else(|| nonsense("its free/busy answer leaves the calendar out"))?;
    if let Some(error) = calendar["errors"].as_array().and_then(|errors| errors.first()) {
        let service = Peer::Google.name().to_owned();
        return Err(match error["reason"].as_str() {
            Some("notFound") => ServiceError::Gone { service },
            reason => {
                let reason = crate::http::line(reason.unwrap_or("no reason"));
                ServiceError::Failing { service, reason: format!("free/busy: {reason}"), retry_after: None }
            }
        });
    }
    let busy = calendar["busy"].as_array().ok_or_else(|| nonsense("its free/busy answer says nothing"))?;
    if busy.len() > BLOCKS {
        return Err(nonsense("its free/busy answer has no end"));
    }
    let block = |block: &Value| {
        let at = |name: &str| block[name].as_str().and_then(|text| text.parse().ok());
        Interval::new(at("start")?, at("end")?)
    };
    let blocks: Option<Vec<Interval>> = busy.iter().map(block).collect();
    blocks.map(union).ok_or_else(|| nonsense("a time of its free/busy answer makes no sense"))
}

fn event(block: Interval) -> RemoteEvent {
    let name = format!("busy-{}-{}", block.start().as_second(), block.end().as_second());
    let (start, end) = (When::Utc(block.start()), End::At(When::Utc(block.end())));
    RemoteEvent {
        event: Event::new(Uid(name.clone()), start, end),
        id: RemoteId(name),
        // It is never written to.
        etag: ETag(String::new()),
        marker: None,
        created_as: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(calendar: Value, expected: Result<usize, fn(&ServiceError) -> bool>) {
        let told = told(&json!({"calendars": {"c": calendar}}), &"c".into());
        match (told, expected) {
            (Ok(blocks), Ok(count)) => assert_eq!(blocks.len(), count),
            (Err(error), Err(is)) => assert!(is(&error), "{error:?}"),
            (told, _) => panic!("{told:?}"),
        }
    }

    #[test]
    fn what_is_not_told_is_unknown_and_never_free() {
        let hour = json!({"start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z"});
        check(json!({"busy": [hour]}), Ok(1));
        check(json!({"busy": []}), Ok(0));
        check(json!({"busy": [hour], "errors": []}), Ok(1));
        let failing: fn(&ServiceError) -> bool = |error| matches!(error, ServiceError::Failing { .. });
        check(json!({"busy": [], "errors": [{"reason": "internalError"}]}), Err(failing));
        check(json!({"busy": [hour], "errors": [{}]}), Err(failing));
        check(
            json!({"errors": [{"reason": "notFound"}]}),
            Err(|error| matches!(error, ServiceError::Gone { .. })),
        );
        let garbled: fn(&ServiceError) -> bool = |error| matches!(error, ServiceError::Garbled { .. });
        for nonsense in [
            json!({}),
            json!({"busy": "none"}),
            json!({"busy": [hour, {"start": "2026-11-22T10:00:00Z"}]}),
            json!({"busy": [{"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T10:00:00Z"}]}),
        ] {
            check(nonsense, Err(garbled));
        }
        assert!(told(&json!({"calendars": {}}), &"c".into()).is_err());
    }

    #[test]
    fn a_cursor_of_events_is_none_of_times() {
        let place = Place::after(Timestamp::UNIX_EPOCH, &[]);
        assert_eq!(Place::of(&place.cursor()), Some(place));
        for other in ["CPjS", "times-only", "times-only|x|y", "times-only|1970-01-01T00:00:00Z|a|b", ""] {
            assert_eq!(Place::of(&Cursor::from(other)), None, "{other}");
        }
    }
}
