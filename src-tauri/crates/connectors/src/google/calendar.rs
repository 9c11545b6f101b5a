//! One Google calendar: its events created, changed and deleted, each under its precondition.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::IF_MATCH;
use serde_json::Value;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId};
use sync::ports::{Calendar, Probe, Reading, RemoteEvent};

use super::times::Place;
use super::translate::{Item, insert_body, item, patch_body};
use super::{Api, batch, refusal};
use crate::http::{Answer, Method, Peer, Request, garbled};

pub(super) struct GoogleCalendar {
    pub(super) api: Api,
    pub(super) remote: RemoteCalendarId,
    /// How many days ahead must be known where no more than busy times may be seen.
    pub(super) ahead: u16,
    /// Events of ours may stand in it: busy times alone would not tell them from deleted ones.
    pub(super) holds_ours: bool,
}

const NOT_OURS: &str = "this calendar is not one that the app may write to; connect the account with --own-calendar, or \
                        let bookings go to the Bookiji calendar";
/// What a PATCH is said to cost of the account's quota; Google's own pages do not name it (provider notes A4).
const A_PATCH: usize = 3;
const EVENT: &str = "/calendar/v3/calendars/{calendar}/events/{event}";

impl GoogleCalendar {
    pub(super) fn events(&self, method: Method) -> Request {
        let route = "/calendar/v3/calendars/{calendar}/events";
        self.api.request(method, route, &["calendars", self.remote.as_str(), "events"])
    }

    fn event(&self, method: Method, id: &RemoteId) -> Request {
        self.api.request(method, EVENT, &["calendars", self.remote.as_str(), "events", id.as_str()])
    }

    fn insert(&self, draft: &Draft) -> Request {
        self.events(Method::POST).query("sendUpdates", "none").json(&insert_body(draft))
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

fn created(answer: &Answer) -> Result<RemoteEvent, ServiceError> {
    if answer.status.is_success() {
        return stored(answer);
    }
    let error = refusal::error(answer);
    // It was just read, so it is there: what Google hides is the permission to write.
    if let ServiceError::Gone { service } = error {
        return Err(ServiceError::Forbidden { service, reason: NOT_OURS.to_owned() });
    }
    Err(error)
}

/// A calendar whose events may not be seen is hidden from some sign-ins as if it were not there.
fn is_out_of_sight(reading: &Reading<RemoteEvent, RemoteId>) -> bool {
    matches!(reading, Reading::Failed(ServiceError::Forbidden { .. } | ServiceError::Gone { .. }))
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
        let times = cursor.and_then(Place::of);
        if let Some(place) = times.as_ref().filter(|place| place.since == since) {
            return self.read_times(Some(place), since).await;
        }
        // Once a day she may have been shown more.
        let events = self.read_from(cursor.filter(|_| times.is_none()), since).await;
        // Of a calendar whose events were shown before, one refusal proves nothing.
        let were_shown = cursor.is_some() && times.is_none();
        if self.holds_ours || were_shown || !is_out_of_sight(&events) {
            return events;
        }
        // Where her times may not be seen either, what was said first is what is wrong.
        let times = self.read_times(None, since).await;
        if is_out_of_sight(&times) { events } else { times }
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        created(&self.api.send(self.insert(draft)).await?)
    }

    fn creates_at_once(&self) -> usize {
        batch::CALLS
    }

    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let mut made = Vec::with_capacity(drafts.len());
        for together in drafts.chunks(batch::CALLS) {
            if let [only] = together {
                made.push(self.create(only).await);
                continue;
            }
            let calls = together.iter().map(|draft| self.insert(draft)).collect();
            let answers = self.api.send_together(calls).await;
            made.extend(answers.into_iter().map(|answer| created(&answer?)));
        }
        made
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let request = self.event(Method::PATCH, id).standing_for(A_PATCH).json(&patch_body(draft));
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
