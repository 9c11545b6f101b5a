//! One Google calendar: its events created, changed and deleted, each under its precondition.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::IF_MATCH;
use serde_json::Value;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId};
use sync::ports::{Calendar, Probe, Reading, RemoteEvent};

use super::translate::{Item, insert_body, item, patch_body};
use super::{Api, refusal};
use crate::http::{Answer, Method, Peer, Request, garbled};

pub(super) struct GoogleCalendar {
    pub(super) api: Api,
    pub(super) remote: RemoteCalendarId,
}

const NOT_OURS: &str = "this calendar is not one that the app may write to; connect the account with --own-calendar, or \
                        let bookings go to the Bookiji calendar";
const EVENT: &str = "/calendar/v3/calendars/{calendar}/events/{event}";

impl GoogleCalendar {
    pub(super) fn events(&self, method: Method) -> Request {
        let route = "/calendar/v3/calendars/{calendar}/events";
        self.api.request(method, route, &["calendars", self.remote.as_str(), "events"])
    }

    fn event(&self, method: Method, id: &RemoteId) -> Request {
        self.api.request(method, EVENT, &["calendars", self.remote.as_str(), "events", id.as_str()])
    }

    async fn write(&self, request: Request) -> Result<Answer, ServiceError> {
        let answer = self.api.send(request.query("sendUpdates", "none")).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(refusal::error(&answer)) }
    }
}

/// What Google says that it stored.
fn stored(answer: &Answer) -> Result<RemoteEvent, ServiceError> {
    match item(answer.json::<Value>()?, None) {
        Item::Live(event) => Ok(*event),
        Item::Deleted(_) => Err(ServiceError::Gone { service: Peer::Google.name().to_owned() }),
        Item::Nameless => Err(garbled(Peer::Google, "it is no event")),
    }
}

/// A write without a precondition could undo what somebody else did.
fn guarded(request: Request, base: &ETag) -> Result<Request, ServiceError> {
    // A star would stand for any version at all.
    let names_one = !matches!(base.as_str(), "" | "*");
    if !names_one || !base.as_str().bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(ServiceError::Stale { service: Peer::Google.name().to_owned() });
    }
    Ok(request.header(IF_MATCH, base.as_str()))
}

#[async_trait]
impl Calendar for GoogleCalendar {
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        self.read_from(cursor, since).await
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let request = self.events(Method::POST).json(&insert_body(draft));
        match self.write(request).await {
            Ok(answer) => stored(&answer),
            // It was just read, so it is there: what Google hides is the permission to write.
            Err(ServiceError::Gone { service }) => {
                Err(ServiceError::Forbidden { service, reason: NOT_OURS.to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let request = self.event(Method::PATCH, id).json(&patch_body(draft));
        match self.write(guarded(request, base)?).await {
            Ok(answer) => stored(&answer),
            // Google forbids changes of what was deleted, in the words with which it forbids everything.
            Err(ServiceError::Forbidden { service, reason }) => match self.probe(id).await? {
                Probe::Burnt | Probe::Absent => Err(ServiceError::Gone { service }),
                Probe::Live(_) => Err(ServiceError::Forbidden { service, reason }),
            },
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        self.write(guarded(self.event(Method::DELETE, id), base)?).await?.is_no_page()
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        let answer = self.api.send(self.event(Method::GET, id)).await?;
        match answer.status.as_u16() {
            200 => {}
            404 => return Ok(Probe::Absent),
            410 => return Ok(Probe::Burnt),
            _ => return Err(refusal::error(&answer)),
        }
        let body: Value = answer.json()?;
        if body["status"] == "cancelled" {
            return Ok(Probe::Burnt);
        }
        stored(&answer).map(Probe::Live)
    }
}
