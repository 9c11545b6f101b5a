//! One Outlook calendar: its events created, changed and deleted, each under its precondition or its key.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::IF_MATCH;
use serde_json::Value;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId};
use sync::ports::{Calendar, Marker, Probe, Reading, RemoteEvent};
use url::Url;

use super::batch::{AT_ONCE, Ask};
use super::translate::{create_body, patch_body, single};
use super::{Api, PAGES, marker, query, refusal, wire};
use crate::http::{Answer, Method, Peer, Request, garbled};

/// One calendar of an account.
pub struct OutlookCalendar {
    pub(super) api: Api,
    pub(super) remote: RemoteCalendarId,
    /// How many days ahead of a reading's start must be known.
    pub(super) ahead: u16,
}

pub(super) const EVENTS: &str = "/v1.0/me/calendars/{calendar}/events";
const EVENT: &str = "/v1.0/me/calendars/{calendar}/events/{event}";
/// As many copies of one event nobody makes.
const CANDIDATES: &str = "50";

impl OutlookCalendar {
    /// Its id, as Graph names it.
    #[must_use]
    pub fn remote(&self) -> &RemoteCalendarId {
        &self.remote
    }

    pub(super) fn url(&self, parts: &[&str]) -> Url {
        self.api.url(&[&["me", "calendars", self.remote.as_str()], parts].concat())
    }

    fn event(&self, method: Method, id: &RemoteId) -> Request {
        self.api.request(method, EVENT, self.url(&["events", id.as_str()]))
    }

    /// Creates many events, twenty with each request. The answers are in the order of `drafts`, each as
    /// [`Calendar::create`] would have it.
    pub async fn create_many(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let ask =
            |draft| Ask { method: Method::POST, url: self.url(&["events"]), body: Some(create_body(draft)) };
        let answers = self.api.batch(drafts.iter().map(ask).collect()).await;
        drafts.iter().zip(answers).map(|(draft, answer)| created(&answer?, draft)).collect()
    }

    /// Whether the calendar itself is there.
    async fn stands(&self) -> Result<bool, ServiceError> {
        let mut url = self.url(&[]);
        query(&mut url, &[("$select", "id")]);
        let answer =
            self.api.send(self.api.request(Method::GET, "/v1.0/me/calendars/{calendar}", url)).await?;
        match refusal::of(&answer) {
            None => Ok(true),
            Some(ServiceError::Gone { .. }) => Ok(false),
            Some(error) => Err(error),
        }
    }
}

fn created(answer: &Answer, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
    let event = stored(answer, draft).map_err(refusal::of_create)?;
    Ok(RemoteEvent { created_as: Some(draft.id.clone()), ..event })
}

/// What Microsoft says that it stored. What was written on it is not told with it, but was stored with it.
fn stored(answer: &Answer, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
    let event = event_in(answer)?;
    let marker = Marker { booking: draft.booking.clone(), generation: draft.generation };
    Ok(RemoteEvent { marker: Some(marker), ..single(event) })
}

fn event_in(answer: &Answer) -> Result<wire::Event, ServiceError> {
    if let Some(error) = refusal::of(answer) {
        return Err(error);
    }
    let event = wire::event(&answer.json::<Value>()?);
    event.ok_or_else(|| garbled(Peer::Outlook, "it is no event"))
}

/// A write without a precondition could undo what somebody else did.
fn guarded(request: Request, base: &ETag) -> Result<Request, ServiceError> {
    // A star would stand for any version at all.
    let names_one = !matches!(base.as_str(), "" | "*");
    if !names_one || !base.as_str().bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(ServiceError::Stale { service: Peer::Outlook.name().to_owned() });
    }
    Ok(request.header(IF_MATCH, base.as_str()))
}

#[async_trait]
impl Calendar for OutlookCalendar {
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        self.read_from(cursor, since).await
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let request = self.api.request(Method::POST, EVENTS, self.url(&["events"]));
        let answer = self.api.send(request.json(&create_body(draft))).await?;
        created(&answer, draft)
    }

    fn creates_at_once(&self) -> usize {
        AT_ONCE
    }

    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        match drafts {
            [only] => vec![self.create(only).await],
            several => self.create_many(several).await,
        }
    }

    /// By what was written on it. A copy carries that too, but has another key.
    async fn find(&self, draft: &Draft) -> Result<Probe, ServiceError> {
        let mut first = self.url(&["events"]);
        let filter = marker::carries(marker::BOOKING, &marker::text(draft));
        let expand = marker::expand(marker::BOOKING);
        query(&mut first, &[("$filter", &filter), ("$expand", &expand), ("$top", CANDIDATES)]);
        let mut url = Some(first);
        for _ in 0..PAGES {
            let Some(page) = url else { return Ok(Probe::Absent) };
            let answer = self.api.send(self.api.request(Method::GET, EVENTS, page)).await?;
            if let Some(error) = refusal::of(&answer) {
                return Err(error);
            }
            let body: Value = answer.json()?;
            let items = body["value"].as_array().ok_or_else(|| garbled(Peer::Outlook, "it is no list"))?;
            let made = items.iter().filter_map(wire::event).map(single);
            if let Some(event) = made.into_iter().find(|event| *event.key() == draft.id) {
                return Ok(Probe::Live(event));
            }
            url = match body["@odata.nextLink"].as_str() {
                None => None,
                Some(next) => {
                    let elsewhere = || garbled(Peer::Outlook, "its next page is somewhere else");
                    Some(self.api.own(next).ok_or_else(elsewhere)?)
                }
            };
        }
        Err(garbled(Peer::Outlook, "its list of events does not end"))
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let request = self.event(Method::PATCH, id).json(&patch_body(draft));
        stored(&self.api.send(guarded(request, base)?).await?, draft)
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        let answer = self.api.send(guarded(self.event(Method::DELETE, id), base)?).await?;
        refusal::of(&answer).map_or_else(|| answer.is_no_page(), Err)
    }

    /// An id was given to one event and is never given again: where its calendar stands and it does not, it was deleted, or
    /// moved to another one.
    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        let mut url = self.url(&["events", id.as_str()]);
        query(&mut url, &[("$expand", &marker::expand(marker::BOOKING))]);
        let answer = self.api.send(self.api.request(Method::GET, EVENT, url)).await?;
        match event_in(&answer) {
            Ok(event) => match self.is_here(&event).await {
                Ok(true) => Ok(Probe::Live(single(event))),
                Ok(false) => Ok(Probe::Burnt),
                Err(ServiceError::Gone { .. }) => Ok(Probe::Absent),
                Err(error) => Err(error),
            },
            Err(ServiceError::Gone { .. }) if self.stands().await? => Ok(Probe::Burnt),
            Err(ServiceError::Gone { .. }) => Ok(Probe::Absent),
            Err(error) => Err(error),
        }
    }
}
