//! Which events stand in one calendar. Graph answers for an event by its id under whatever calendar it is asked for
//! (microsoft-graph-docs issue 391), so an event that she moved to another one would seem to stand in both: only the
//! calendar that it says it is in, or a list of the calendar's own, proves it. Changes nothing.

use std::collections::BTreeSet;

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sync::decide::event_times;
use sync::error::ServiceError;
use url::Url;

use super::batch::Ask;
use super::calendar::OutlookCalendar;
use super::read::{nonsense, read_page};
use super::translate::{described, span};
use super::wire::{self, Item, Kind};
use super::{PAGES, query, refusal};
use crate::http::Method;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Of one page: nothing but ids is told.
const LISTED: &str = "500";
/// Graph lists no longer stretch.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 1825);
/// Stretches that lie no further apart are asked for as one.
const CLOSE: SignedDuration = SignedDuration::from_hours(24 * 31);

/// What a list of the calendar named.
#[derive(Default)]
pub(super) struct Here {
    events: BTreeSet<String>,
    series: BTreeSet<String>,
}

impl Here {
    pub(super) fn holds(&self, event: &wire::Event) -> bool {
        self.events.contains(&event.id) || event.kind == Kind::Master && self.holds_series(&event.id)
    }

    pub(super) fn holds_series(&self, id: &str) -> bool {
        self.series.contains(id)
    }
}

impl OutlookCalendar {
    /// What of these events, as Graph has them now, the calendar lists. A series is looked for in `stretch`. No events are
    /// no request, and those of a month are one.
    pub(super) async fn here(
        &self,
        events: &[&wire::Event],
        stretch: Interval,
    ) -> Result<Here, ServiceError> {
        let stretches = together(events.iter().map(|event| reach(event, stretch)).collect());
        let asks = stretches.into_iter().map(|stretch| Ask::get(self.view(stretch))).collect();
        let mut here = Here::default();
        for answer in self.api.batch(asks).await {
            let mut page = read_page(&answer?)?;
            for _ in 0..PAGES {
                for item in &page.items {
                    if let Item::Stands(event) = wire::item(item) {
                        here.events.insert(event.id);
                        here.series.extend(event.series);
                    }
                }
                let Some(next) = page.next.take() else { break };
                let url = self.api.own(&next).ok_or_else(|| nonsense("its next page is somewhere else"))?;
                page = read_page(&self.page(VIEW, url).await?)?;
            }
            if page.next.is_some() {
                return Err(nonsense("its pages do not end"));
            }
        }
        Ok(here)
    }

    /// Of one event: by the calendar that Graph names for it, or because this one lists it. An empty list alone proves
    /// nothing, and what a shared calendar is called in its owner's mailbox is not known. A series is looked for in its
    /// first year.
    pub(super) async fn is_here(&self, event: &wire::Event) -> Result<bool, ServiceError> {
        if self.calendar_of(&event.id).await?.as_deref() == Some(self.remote.as_str()) {
            return Ok(true);
        }
        let (start, end) = span(event);
        let start =
            event_times(&described(event, start, end)).map_or(Timestamp::UNIX_EPOCH, |(start, _)| start);
        let year = start.checked_add(DAY * 366).ok().and_then(|end| Interval::new(start, end));
        let year = year.ok_or_else(|| nonsense("there is no such time"))?;
        Ok(self.here(&[event], year).await?.holds(event))
    }

    /// The navigation property `calendar` of an event, which containers' ids let be compared: those never change.
    async fn calendar_of(&self, event: &str) -> Result<Option<String>, ServiceError> {
        let mut url = self.api.url(&["me", "events", event, "calendar"]);
        query(&mut url, &[("$select", "id")]);
        let answer = self.api.send(self.api.request(Method::GET, CALENDAR_OF, url)).await?;
        match refusal::of(&answer) {
            None => Ok(answer.json::<Value>()?.get("id").and_then(Value::as_str).map(str::to_owned)),
            // Nobody says which it is.
            Some(ServiceError::Gone { .. } | ServiceError::Forbidden { .. }) => Ok(None),
            Some(error) => Err(error),
        }
    }

    fn view(&self, stretch: Interval) -> Url {
        let mut url = self.url(&["calendarView"]);
        let (from, to) = (stretch.start().to_string(), stretch.end().to_string());
        let select = ("$select", "id,seriesMasterId,type");
        query(&mut url, &[("startDateTime", &from), ("endDateTime", &to), select, ("$top", LISTED)]);
        url
    }
}

const CALENDAR_OF: &str = "/v1.0/me/events/{event}/calendar";
pub(super) const VIEW: &str = "/v1.0/me/calendars/{calendar}/calendarView";

/// Where an event must be listed if it stands in the calendar.
fn reach(event: &wire::Event, stretch: Interval) -> Interval {
    if event.kind == Kind::Master {
        return stretch;
    }
    let (start, end) = span(event);
    let day = event.is_all_day.then(|| start.wall().date());
    let told = match day {
        // Its day begins in her zone, which is not known here.
        Some(day) => day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|midnight| {
            let midnight = midnight.timestamp();
            (midnight, midnight.saturating_add(DAY).unwrap_or(midnight))
        }),
        None => event_times(&described(event, start, end)),
    };
    // What lasts no time has to be in the stretch all the same.
    let told = told.and_then(|(start, end)| {
        let end = end.max(start.saturating_add(SignedDuration::from_mins(1)).ok()?);
        Interval::new(start, end.min(longest_from(start)))
    });
    told.unwrap_or(stretch)
}

fn longest_from(start: Timestamp) -> Timestamp {
    start.saturating_add(LONGEST).unwrap_or(Timestamp::MAX)
}

fn together(mut stretches: Vec<Interval>) -> Vec<Interval> {
    stretches.sort_by_key(|stretch| (stretch.start(), stretch.end()));
    let mut all: Vec<Interval> = Vec::new();
    for next in stretches {
        let joined = all.last().and_then(|last| {
            let end = last.end().max(next.end());
            let close = next.start().duration_since(last.end()) <= CLOSE;
            (close && end <= longest_from(last.start())).then(|| Interval::new(last.start(), end))?
        });
        match (joined, all.last_mut()) {
            (Some(joined), Some(last)) => *last = joined,
            _ => all.push(next),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_lie_close_are_one_and_none_is_longer_than_graph_lists() {
        let day = |day: i64| Timestamp::UNIX_EPOCH.checked_add(DAY * i32::try_from(day).unwrap()).unwrap();
        let days = |from, to| Interval::new(day(from), day(to)).unwrap();
        let check = |given: &[(i64, i64)], expected: &[(i64, i64)]| {
            let given = given.iter().map(|(from, to)| days(*from, *to)).collect();
            let expected: Vec<_> = expected.iter().map(|(from, to)| days(*from, *to)).collect();
            assert_eq!(together(given), expected);
        };
        check(&[], &[]);
        check(&[(40, 41), (0, 1), (10, 30)], &[(0, 41)]);
        check(&[(0, 1), (0, 90), (5, 6)], &[(0, 90)]);
        check(&[(0, 1), (33, 34)], &[(0, 1), (33, 34)]);
        check(&[(0, 1000), (1001, 1825), (1830, 1831)], &[(0, 1825), (1830, 1831)]);
    }
}
