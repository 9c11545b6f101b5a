//! Reads a calendar from its cursor, page by page, and says honestly how far it got (provider notes A6).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sync::error::ServiceError;
use sync::ids::{Cursor, RemoteId};
use sync::ports::{Coverage, Reading, RemoteEvent};

use super::calendar::GoogleCalendar;
use super::translate::{Item, item};
use super::{PAGES, refusal, wire};
use crate::http::{Method, Peer, Request, garbled};

/// What may block time. Birthdays and working locations are not asked for.
const EVENT_TYPES: [&str; 4] = ["default", "focusTime", "fromGmail", "outOfOffice"];

/// Why a page is not there.
enum Stop {
    CursorLost,
    Failed(ServiceError),
}

impl GoogleCalendar {
    pub(super) async fn read_from(
        &self,
        cursor: Option<&Cursor>,
        since: Timestamp,
    ) -> Reading<RemoteEvent, RemoteId> {
        let mut found = Found::default();
        let mut page_token: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            let page = match self.page(cursor, since, page_token.as_deref()).await {
                Ok(page) => page,
                Err(Stop::CursorLost) => return Reading::CursorLost,
                Err(Stop::Failed(reason)) if page_token.is_none() => return Reading::Failed(reason),
                Err(Stop::Failed(reason)) => return found.partial(reason),
            };
            found.take(page.items.unwrap_or_default(), page.time_zone.as_deref());
            match (page.next_page_token, page.next_sync_token) {
                (Some(token), _) if seen.insert(token.clone()) => page_token = Some(token),
                (Some(_), _) => return found.partial(nonsense("its pages go round in circles")),
                (None, Some(next)) => return found.whole(cursor, since, Cursor(next)),
                // Only the last page carries the token. Without it nothing proves that this was the last.
                (None, None) => return found.partial(nonsense("its list ends without saying so")),
            }
        }
        found.partial(nonsense("its pages do not end"))
    }

    async fn page(
        &self,
        cursor: Option<&Cursor>,
        since: Timestamp,
        page_token: Option<&str>,
    ) -> Result<wire::Events, Stop> {
        let answer = self.api.send(self.list(cursor, since, page_token)).await.map_err(Stop::Failed)?;
        if refusal::is_about_the_cursor(&answer) {
            // Without one it says nothing of the calendar either: not that it is gone, nor that it is hidden.
            let lost = || Stop::Failed(nonsense("it lost a cursor that was never given"));
            return Err(cursor.map_or_else(lost, |_| Stop::CursorLost));
        }
        if !answer.status.is_success() {
            return Err(Stop::Failed(refusal::error(&answer)));
        }
        let page: wire::Events = answer.json().map_err(Stop::Failed)?;
        if page.items.is_none() && page.next_page_token.is_none() && page.next_sync_token.is_none() {
            return Err(Stop::Failed(nonsense("it is no list of events")));
        }
        Ok(page)
    }

    /// The same parameters every time, or the sync token means nothing. `timeMin` is refused beside a token.
    fn list(&self, cursor: Option<&Cursor>, since: Timestamp, page_token: Option<&str>) -> Request {
        let mut request = self
            .events(Method::GET)
            .query("singleEvents", "false")
            .query("showDeleted", "true")
            .query("maxResults", "2500");
        for kind in EVENT_TYPES {
            request = request.query("eventTypes", kind);
        }
        request = match cursor {
            Some(cursor) => request.query("syncToken", cursor.as_str()),
            None => request.query("timeMin", &since.to_string()),
        };
        match page_token {
            Some(token) => request.query("pageToken", token),
            None => request,
        }
    }
}

/// What the pages held so far. An id that comes twice counts as it came last.
#[derive(Default)]
struct Found {
    items: BTreeMap<RemoteId, Option<RemoteEvent>>,
    nameless: usize,
}

impl Found {
    fn take(&mut self, values: Vec<serde_json::Value>, calendar_zone: Option<&str>) {
        for value in values {
            match item(value, calendar_zone) {
                Item::Live(event) => {
                    self.items.insert(event.id.clone(), Some(*event));
                }
                Item::Deleted(id) => {
                    self.items.insert(id, None);
                }
                Item::Nameless => {
                    tracing::warn!("an event without an id cannot be held");
                    self.nameless += 1;
                }
            }
        }
    }

    fn whole(
        self,
        cursor: Option<&Cursor>,
        since: Timestamp,
        next: Cursor,
    ) -> Reading<RemoteEvent, RemoteId> {
        if self.nameless > 0 {
            return self.partial(nonsense("some of its events have no id"));
        }
        let (live, dead): (Vec<_>, Vec<_>) = self.items.into_iter().partition(|(_, event)| event.is_some());
        let items = live.into_iter().filter_map(|(_, event)| event).collect();
        match cursor {
            None => Reading::Snapshot { items, coverage: Coverage::EndingAfter(since), cursor: Some(next) },
            Some(_) => Reading::Delta {
                changed: items,
                removed: dead.into_iter().map(|(id, _)| id).collect(),
                cursor: next,
            },
        }
    }

    fn partial(self, reason: ServiceError) -> Reading<RemoteEvent, RemoteId> {
        Reading::Partial { items: self.items.into_values().flatten().collect(), reason }
    }
}

fn nonsense(reason: &str) -> ServiceError {
    garbled(Peer::Google, reason)
}
