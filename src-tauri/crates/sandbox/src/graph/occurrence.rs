//! Events placed in time: singles, and every occurrence of a series with its changed ones in place of the regular.

use calendar::busy::{BusyRules, place};
use calendar::event::{End, Event, Recurrence as Rules, Uid, When};
use calendar::interval::Interval;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::moment::{GraphZone, Moment};
use super::refusal::Refusal;
use super::world::{Calendar, Item, Mailbox, change_key};
use crate::graph::ids::EventId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Single,
    Master,
    Occurrence,
    Exception,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "singleInstance",
            Self::Master => "seriesMaster",
            Self::Occurrence => "occurrence",
            Self::Exception => "exception",
        }
    }
}

/// Something with a time of its own.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// What says everything but the time: the item, its exception, or the master.
    pub item: &'a Item,
    pub master: Option<&'a Item>,
    pub original: Option<Timestamp>,
    pub kind: Kind,
    pub start: Moment,
    pub end: Moment,
}

impl Placed<'_> {
    #[must_use]
    pub fn id(&self, immutable: bool) -> String {
        self.master.unwrap_or(self.item).id(self.original, immutable)
    }

    #[must_use]
    pub fn change_key(&self) -> String {
        match self.original {
            None => self.item.change_key(),
            Some(original) => change_key(&format!("{}|{original}", self.item.key), self.item.changed),
        }
    }

    /// From and to, a day being a day in her own zone.
    #[must_use]
    pub fn span(&self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        (instant(&self.start, self.item.all_day, zone), instant(&self.end, self.item.all_day, zone))
    }

    #[must_use]
    pub fn is_in(&self, zone: &TimeZone, from: Timestamp, to: Timestamp) -> bool {
        let (start, end) = self.span(zone);
        start < to && (end > from || start >= from)
    }
}

fn instant(moment: &Moment, all_day: bool, zone: &TimeZone) -> Timestamp {
    if !all_day {
        return moment.instant();
    }
    moment.wall.to_zoned(zone.clone()).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

impl Mailbox {
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        GraphZone::named(&self.time_zone).map_or(TimeZone::UTC, |zone| zone.zone().clone())
    }

    /// The event of this id.
    ///
    /// # Errors
    /// `ErrorItemNotFound`.
    pub fn look(&self, id: &EventId) -> Result<(&Calendar, Placed<'_>), Refusal> {
        let (calendar, item) = self.find(id)?;
        let placed = match id.original {
            None => whole(item),
            Some(original) => at(item, original).ok_or_else(Refusal::not_found)?,
        };
        Ok((calendar, placed))
    }
}

/// The item by itself: a single event, or a series as its master.
#[must_use]
pub fn whole(item: &Item) -> Placed<'_> {
    let kind = if item.recurrence.is_some() { Kind::Master } else { Kind::Single };
    Placed { item, master: None, original: None, kind, start: item.start.clone(), end: item.end.clone() }
}

/// The occurrence of a series that was to start then, if there is one.
#[must_use]
pub fn at(master: &Item, original: Timestamp) -> Option<Placed<'_>> {
    if master.cancelled.contains_key(&original.as_second()) {
        return None;
    }
    if let Some(item) = master.exceptions.get(&original.as_second()) {
        let (start, end) = (item.start.clone(), item.end.clone());
        return Some(Placed {
            item,
            master: Some(master),
            original: Some(original),
            kind: Kind::Exception,
            start,
            end,
        });
    }
    let day = SignedDuration::from_hours(24);
    let (from, to) = (original.checked_sub(day).ok()?, original.checked_add(day).ok()?);
    originals(master, from, to).contains(&original).then(|| regular(master, original))
}

fn regular(master: &Item, original: Timestamp) -> Placed<'_> {
    let zone = if master.all_day { GraphZone::utc() } else { master.start.graph_zone() };
    let mut start = Moment::at(original, &zone);
    start.zone.clone_from(&master.start.zone);
    let end = if master.all_day {
        let length = master.start.wall.until(master.end.wall).unwrap_or_default();
        Moment { wall: start.wall.checked_add(length).unwrap_or(start.wall), zone: master.end.zone.clone() }
    } else {
        let length = master.end.instant().duration_since(master.start.instant());
        Moment::at(original.saturating_add(length).unwrap_or(original), &master.end.graph_zone())
    };
    Placed {
        item: master,
        master: Some(master),
        original: Some(original),
        kind: Kind::Occurrence,
        start,
        end,
    }
}

/// Where the pattern puts the series between two moments, exceptions left out of account. A day is its midnight in UTC.
#[must_use]
pub fn originals(master: &Item, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let Some(recurrence) = &master.recurrence else { return Vec::new() };
    let start = if master.all_day {
        When::Date(master.start.wall.date())
    } else {
        When::Zoned { wall: master.start.wall, zone: recurrence.calendar_zone(&master.start) }
    };
    let mut event = Event::new(Uid(master.uid.clone()), start, End::Unstated);
    if !master.all_day {
        // Only where it starts is asked, and nothing has no time at all to be found in.
        event.end = End::Lasting { days: 0, seconds: 60 };
    }
    event.recurrence = Rules { rules: vec![recurrence.rule(master.all_day)], ..Rules::default() };
    let Some(window) = Interval::new(from, to) else { return Vec::new() };
    let placed = place(&[event], &BusyRules::default(), window, &TimeZone::UTC).occurrences;
    let starts = placed.into_iter().map(|one| one.recurrence_id.unwrap_or(one.start));
    starts.filter(|start| (from..to).contains(start)).collect()
}

/// All occurrences of a series, or the single event, that touch the window.
#[must_use]
pub fn of_item<'a>(item: &'a Item, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Placed<'a>> {
    if item.recurrence.is_none() {
        return vec![whole(item)].into_iter().filter(|one| one.is_in(zone, from, to)).collect();
    }
    let length = item.end.instant().duration_since(item.start.instant());
    let margin = length.saturating_add(SignedDuration::from_hours(24));
    let far = from.saturating_sub(margin).unwrap_or(from);
    let near = to.saturating_add(SignedDuration::from_hours(24)).unwrap_or(to);
    let regulars = originals(item, far, near).into_iter().filter(|original| {
        let second = original.as_second();
        !item.cancelled.contains_key(&second) && !item.exceptions.contains_key(&second)
    });
    let exceptions =
        item.exceptions.keys().filter_map(|second| at(item, Timestamp::from_second(*second).ok()?));
    let mut placed: Vec<Placed> =
        regulars.map(|original| regular(item, original)).chain(exceptions).collect();
    placed.retain(|one| one.is_in(zone, from, to));
    placed.sort_by_key(|one| one.span(zone).0);
    placed
}

/// Everything of a calendar that touches the window, by start.
#[must_use]
pub fn of_calendar<'a>(
    calendar: &'a Calendar,
    zone: &TimeZone,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Placed<'a>> {
    let live = calendar.events.values().filter(|item| !item.deleted);
    let mut placed: Vec<Placed> = live.flat_map(|item| of_item(item, zone, from, to)).collect();
    placed.sort_by_key(|one| (one.span(zone).0, one.item.made));
    placed
}
