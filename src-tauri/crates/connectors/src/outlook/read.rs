//! Reads a calendar: all of a stretch of time, or what changed in it since, and says honestly how far it got (provider
//! notes B2). Every trap of the list of changes is dealt with here or in [`super::series`].

use std::collections::{BTreeMap, BTreeSet};

use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::Value;
use sync::error::ServiceError;
use sync::ids::{Cursor, RemoteId};
use sync::ports::{Coverage, EVER, Reading, RemoteEvent};
use url::Url;

use super::batch::Ask;
use super::calendar::{EVENTS, OutlookCalendar};
use super::place::{Place, stretch};
use super::round::Round;
use super::translate::single;
use super::wire::{self, Kind};
use super::{PAGES, marker, query, refusal, series};
use crate::http::{Answer, Method, Peer, garbled};

/// Text comes with every event and cannot be left out: a page of these many stays far below what is read of one answer.
pub(super) const PAGE: usize = 250;
/// More series than these are read again as a whole.
const MOST_SERIES: usize = 200;
/// Of one series in one answer.
const INSTANCES: &str = "500";
const DELTA: &str = "/v1.0/me/calendars/{calendar}/calendarView/delta";
const INSTANCES_OF: &str = "/v1.0/me/calendars/{calendar}/events/{event}/instances";

type Events = Reading<RemoteEvent, RemoteId>;

/// Why a round did not come to its end.
enum Broken {
    CursorLost,
    /// Nothing was read.
    Failed(ServiceError),
    Midway(Box<Round>, ServiceError),
}

/// What stands under the id of a series.
enum Stands {
    Series(Box<wire::Event>, Vec<wire::Event>),
    /// It does not repeat any more.
    Alone(Box<wire::Event>),
    Nowhere,
}

/// One page of any list.
pub(super) struct Page {
    pub items: Vec<Value>,
    pub next: Option<String>,
    delta: Option<String>,
}

impl OutlookCalendar {
    pub(super) async fn read_from(&self, cursor: Option<&Cursor>, since: Timestamp) -> Events {
        if since <= EVER {
            return self.everything().await;
        }
        match cursor.map(Place::of) {
            Some(None) => Reading::CursorLost,
            Some(Some(place)) if place.serves(since, self.ahead) => match self.changes(place).await {
                Some(reading) => reading,
                None => self.whole(since).await,
            },
            Some(Some(_)) | None => self.whole(since).await,
        }
    }

    /// All that lies in a stretch of time.
    async fn whole(&self, since: Timestamp) -> Events {
        let Some(stretch) = stretch(since, self.ahead) else {
            return Reading::Failed(nonsense("there is no such time"));
        };
        let mut first = self.url(&["calendarView", "delta"]);
        let (from, to) = bounds(stretch);
        query(&mut first, &[("startDateTime", &from), ("endDateTime", &to)]);
        let (mut round, link) = match self.round(first, false).await {
            Ok(whole) => whole,
            Err(broken) => return broken.reading(),
        };
        let unknown: Vec<String> =
            round.instances.keys().filter(|id| !round.masters.contains_key(*id)).cloned().collect();
        let looked = match self.look(unknown.iter().chain(&round.to_look_at())).await {
            Ok(looked) => looked,
            Err(reason) => return round.partial(reason),
        };
        looked.into_values().flatten().for_each(|event| round.put(event));
        if round.nameless > 0 {
            return round.partial(nonsense("some of its events have no id"));
        }
        let known: Vec<String> = round.instances.keys().cloned().collect();
        let mut items: Vec<RemoteEvent> = round.singles.into_values().map(single).collect();
        for (id, instances) in round.instances {
            // A series whose master is not there any more, or was never shown, takes up its time all the same.
            let master = round.masters.remove(&id).unwrap_or_else(|| nameless_master(&id));
            items.extend(series::events(&master, instances.into_values().collect()));
        }
        let place = Place { link, stretch, series: known };
        Reading::Snapshot { items, coverage: Coverage::Overlapping(stretch), cursor: Some(place.cursor()) }
    }

    /// What changed since. Nothing where reading everything again is less work.
    async fn changes(&self, place: Place) -> Option<Events> {
        let Some(first) = self.api.own(&place.link) else { return Some(Reading::CursorLost) };
        let (mut round, link) = match self.round(first, true).await {
            Ok(whole) => whole,
            Err(broken) => return Some(broken.reading()),
        };
        let removed = std::mem::take(&mut round.removed);
        let looked = match self.look(removed.iter().chain(&round.to_look_at())).await {
            Ok(looked) => looked,
            Err(reason) => return Some(round.partial(reason)),
        };
        let doubtful: Vec<&wire::Event> = looked
            .iter()
            .filter(|(id, _)| removed.contains(*id))
            .filter_map(|(_, found)| found.as_ref())
            .collect();
        let here = match self.here(&doubtful, place.stretch).await {
            Ok(here) => here,
            Err(reason) => return Some(round.partial(reason)),
        };
        let mut gone = BTreeSet::new();
        for (id, found) in looked {
            match found {
                // It stands, only not in the stretch.
                Some(event) if !removed.contains(&id) || here.holds(&event) => round.put(event),
                found => {
                    round.singles.remove(&id);
                    // An occurrence goes to another calendar with its series.
                    let series = found.and_then(|event| event.series);
                    gone.extend(
                        series.filter(|series| !round.tells_of(series) && !here.holds_series(series)),
                    );
                    gone.insert(id);
                }
            }
        }
        if round.nameless > 0 {
            return Some(round.partial(nonsense("some of its events have no id")));
        }
        let touched = touched(&round, &place, &gone);
        if touched.len() > MOST_SERIES {
            return None;
        }
        let all = match self.series(&touched, &round.masters, place.stretch).await {
            Ok(all) => all,
            Err(reason) => return Some(round.partial(reason)),
        };
        let mut known: BTreeSet<String> = place.series.iter().cloned().collect();
        // What is no series any more leaves nothing of one.
        let ended = gone.iter().chain(round.singles.keys()).filter(|id| known.contains(*id));
        let mut removed: BTreeSet<RemoteId> =
            ended.chain(all.keys()).flat_map(|id| series::ids(id)).collect();
        removed.extend(gone.iter().cloned().map(RemoteId));
        known.retain(|id| !gone.contains(id) && !round.singles.contains_key(id));
        let mut changed: Vec<RemoteEvent> = round.singles.into_values().map(single).collect();
        for (id, stands) in all {
            let events = match stands {
                Stands::Series(master, instances) => series::events(&master, instances),
                Stands::Alone(event) => {
                    changed.push(single(*event));
                    Vec::new()
                }
                Stands::Nowhere => Vec::new(),
            };
            if events.is_empty() {
                known.remove(&id);
            } else {
                known.insert(id);
            }
            changed.extend(events);
        }
        for event in &changed {
            removed.remove(&event.id);
        }
        let place = Place { link, series: known.into_iter().collect(), ..place };
        Some(Reading::Delta { changed, removed: removed.into_iter().collect(), cursor: place.cursor() })
    }

    /// All there is and ever was, series as they are written: for whoever looks for what is ours.
    async fn everything(&self) -> Events {
        let mut first = self.url(&["events"]);
        let size = PAGE.to_string();
        query(&mut first, &[("$top", &size), ("$expand", &marker::expand(marker::BOOKING))]);
        let mut round = Round::default();
        let mut link = Some(first);
        for number in 0..PAGES {
            let Some(url) = link else { break };
            let page = match self.page(EVENTS, url).await.and_then(|answer| read_page(&answer)) {
                Ok(page) => page,
                Err(error) if number == 0 => return Reading::Failed(error),
                Err(error) => return round.partial(error),
            };
            round.take(&page.items);
            link = match page.next.map(|next| self.api.own(&next)) {
                None => {
                    let masters = round.masters.into_values().map(|master| {
                        let mut event = single(master);
                        event.event.incomplete = true;
                        event
                    });
                    let items = round.singles.into_values().map(single).chain(masters).collect();
                    return Reading::Snapshot { items, coverage: Coverage::Everything, cursor: None };
                }
                Some(None) => return round.partial(nonsense("its next page is somewhere else")),
                Some(next) => next,
            };
        }
        round.partial(nonsense("its pages do not end"))
    }

    /// Every page of one round, and the link that the next one starts from.
    async fn round(&self, first: Url, from_cursor: bool) -> Result<(Round, String), Broken> {
        let mut round = Round::default();
        let mut seen = BTreeSet::new();
        let mut url = first;
        for number in 0..PAGES {
            let stop = |round: Round, error| match number {
                0 => Broken::Failed(error),
                _ => Broken::Midway(Box::new(round), error),
            };
            let answer = match self.page(DELTA, url).await {
                Ok(answer) => answer,
                Err(error) => return Err(stop(round, error)),
            };
            if from_cursor && refusal::is_about_the_cursor(&answer) {
                return Err(Broken::CursorLost);
            }
            let page = match read_page(&answer) {
                Ok(page) => page,
                Err(error) => return Err(stop(round, error)),
            };
            round.take(&page.items);
            match (page.next, page.delta) {
                (Some(next), _) if seen.insert(next.clone()) => match self.api.own(&next) {
                    Some(own) => url = own,
                    None => return Err(stop(round, nonsense("its next page is somewhere else"))),
                },
                (Some(_), _) => {
                    let reason = nonsense("its pages go round in circles");
                    return Err(Broken::Midway(Box::new(round), reason));
                }
                (None, Some(link)) if self.api.own(&link).is_some() => return Ok((round, link)),
                // Only the last page carries the link. Without it nothing proves that this was the last.
                (None, _) => {
                    let reason = nonsense("its list ends without saying so");
                    return Err(Broken::Midway(Box::new(round), reason));
                }
            }
        }
        Err(Broken::Midway(Box::new(round), nonsense("its pages do not end")))
    }

    pub(super) async fn page(&self, route: &'static str, url: Url) -> Result<Answer, ServiceError> {
        self.api.send(self.api.request_of_a_page(Method::GET, route, url)).await
    }

    /// What stands under these ids, with what we may have written on it; nothing for one that is not there.
    async fn look(
        &self,
        ids: impl Iterator<Item = &String>,
    ) -> Result<BTreeMap<String, Option<wire::Event>>, ServiceError> {
        let ids: Vec<&String> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        let asks = ids.iter().map(|id| Ask::get(self.closely(id))).collect();
        let mut found = BTreeMap::new();
        for (id, answer) in ids.into_iter().zip(self.api.batch(asks).await) {
            found.insert(id.clone(), standing(&answer?)?);
        }
        Ok(found)
    }

    /// Each of these series as it is now: its master and its instances in the stretch, or nothing.
    async fn series(
        &self,
        ids: &BTreeSet<String>,
        masters: &BTreeMap<String, wire::Event>,
        stretch: Interval,
    ) -> Result<BTreeMap<String, Stands>, ServiceError> {
        let unknown: Vec<String> = ids.iter().filter(|id| !masters.contains_key(*id)).cloned().collect();
        let mut looked = self.look(unknown.iter()).await?;
        let mut all = BTreeMap::new();
        let mut standing = Vec::new();
        for id in ids {
            let stands = match masters.get(id).cloned().or_else(|| looked.remove(id).flatten()) {
                Some(event) if event.kind == Kind::Master => {
                    standing.push((id.clone(), event));
                    continue;
                }
                Some(event) => Stands::Alone(Box::new(event)),
                None => Stands::Nowhere,
            };
            all.insert(id.clone(), stands);
        }
        let asks = standing.iter().map(|(id, _)| Ask::get(self.instances(id, stretch))).collect();
        let answers = self.api.batch(asks).await;
        for ((id, master), answer) in standing.into_iter().zip(answers) {
            let answer = answer?;
            if answer.status.as_u16() == 404 {
                all.insert(id, Stands::Nowhere);
                continue;
            }
            let mut page = read_page(&answer)?;
            let mut round = Round::default();
            round.take(&page.items);
            for _ in 0..PAGES {
                let Some(next) = page.next.take() else { break };
                let url = self.api.own(&next).ok_or_else(|| nonsense("its next page is somewhere else"))?;
                page = read_page(&self.page(INSTANCES_OF, url).await?)?;
                round.take(&page.items);
            }
            if page.next.is_some() || round.nameless > 0 {
                return Err(nonsense("a series cannot be read to its end"));
            }
            let instances = round.instances.into_values().flat_map(BTreeMap::into_values);
            // One that does not say that it belongs to the series was asked for as its instance all the same.
            let instances = instances.chain(round.singles.into_values()).collect();
            all.insert(id, Stands::Series(Box::new(master), instances));
        }
        Ok(all)
    }

    fn closely(&self, id: &str) -> Url {
        let mut url = self.url(&["events", id]);
        query(&mut url, &[("$expand", &marker::expand(marker::BOOKING))]);
        url
    }

    fn instances(&self, id: &str, stretch: Interval) -> Url {
        let mut url = self.url(&["events", id, "instances"]);
        let (from, to) = bounds(stretch);
        query(&mut url, &[("startDateTime", &from), ("endDateTime", &to), ("$top", INSTANCES)]);
        url
    }
}

impl Broken {
    fn reading(self) -> Events {
        match self {
            Self::CursorLost => Reading::CursorLost,
            Self::Failed(error) => Reading::Failed(error),
            Self::Midway(round, error) => round.partial(error),
        }
    }
}

/// Series that must be read anew. That one occurrence is gone is said of the occurrence at most, never of its series: where
/// anything is gone, each of them may have lost one.
fn touched(round: &Round, place: &Place, gone: &BTreeSet<String>) -> BTreeSet<String> {
    let mut touched: BTreeSet<String> = round.masters.keys().chain(round.instances.keys()).cloned().collect();
    if !gone.is_empty() && !gone.iter().all(|id| place.series.contains(id)) {
        touched.extend(place.series.iter().cloned());
    }
    touched.retain(|id| !gone.contains(id) && !round.singles.contains_key(id));
    touched
}

fn bounds(stretch: Interval) -> (String, String) {
    (stretch.start().to_string(), stretch.end().to_string())
}

fn nameless_master(id: &str) -> wire::Event {
    wire::Event { id: id.to_owned(), kind: Kind::Master, ..wire::Event::default() }
}

fn standing(answer: &Answer) -> Result<Option<wire::Event>, ServiceError> {
    match refusal::of(answer) {
        None => {
            let event = wire::event(&answer.json::<Value>()?);
            event.map(Some).ok_or_else(|| nonsense("it is no event"))
        }
        Some(ServiceError::Gone { .. }) => Ok(None),
        Some(error) => Err(error),
    }
}

pub(super) fn read_page(answer: &Answer) -> Result<Page, ServiceError> {
    if let Some(error) = refusal::of(answer) {
        return Err(error);
    }
    let mut body: Value = answer.json()?;
    let link = |name: &str| body[name].as_str().map(str::to_owned);
    let (next, delta) = (link("@odata.nextLink"), link("@odata.deltaLink"));
    let items = body["value"].as_array_mut().map(std::mem::take);
    Ok(Page { items: items.ok_or_else(|| nonsense("it is no list"))?, next, delta })
}

pub(super) fn nonsense(reason: &str) -> ServiceError {
    garbled(Peer::Outlook, reason)
}
