//! What cases say alike: times, events of hers, bookings of ours, and readings that must be of one kind.

use calendar::busy::{BusyRules, Reason, place};
use calendar::event::{End, Event, Uid, When};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus, Draft};
use sync::ids::{BookingId, Cursor, RemoteCalendarId, RemoteId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry, Reading, RemoteEvent};

use super::room::{NOW, Room, VENDOR, ZONE};

#[must_use]
pub fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// Where readings begin: midnight before [`now`], in her zone.
#[must_use]
pub fn since() -> Timestamp {
    "2026-11-22T05:00:00Z".parse().expect("a time")
}

/// So many hours from now.
#[must_use]
pub fn at(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

#[must_use]
pub fn utc(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[must_use]
pub fn day(text: &str) -> When {
    When::Date(text.parse::<Date>().expect("a day"))
}

#[must_use]
pub fn wall(text: &str, zone: &str) -> When {
    When::Zoned {
        wall: text.parse::<DateTime>().expect("a wall time"),
        zone: Zone::iana(zone).expect("a zone"),
    }
}

/// An event of hers.
#[must_use]
pub fn event(title: &str, start: When, end: When) -> Event {
    let mut event = Event::new(Uid(format!("{title}@elsewhere")), start, End::At(end));
    title.clone_into(&mut event.summary);
    event
}

/// An hour of hers.
#[must_use]
pub fn hour(title: &str, hours: i64) -> Event {
    event(title, When::Utc(at(hours)), When::Utc(at(hours + 1)))
}

/// An hour of hers that repeats; the first begins at this wall time in this zone.
#[must_use]
pub fn series(title: &str, start: &str, zone: &str, rule: &str) -> Event {
    let first: DateTime = start.parse().expect("a wall time");
    let last = first.saturating_add(jiff::Span::new().hours(1)).to_string();
    let mut event = event(title, wall(start, zone), wall(&last, zone));
    event.recurrence.rules.push(rule.to_owned());
    event
}

#[must_use]
pub fn booking(name: &str, hours: i64) -> Booking {
    Booking {
        id: BookingId(format!("booking-{name}")),
        vendor: VENDOR.into(),
        status: BookingStatus::Confirmed,
        start: at(hours),
        end: at(hours + 1),
        service_name: Some("Haircut".to_owned()),
        customer_name: Some("Nadia Roy".to_owned()),
        customer_email: None,
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: NOW.to_owned(),
    }
}

/// A calendar for bookings, made through our connector as the engine makes it.
pub struct Target {
    pub remote: RemoteCalendarId,
    pub entry: CalendarEntry,
    pub calendar: Box<dyn Calendar>,
}

impl Target {
    pub async fn of(room: &dyn Room) -> Self {
        Self::made(room.account(), "Bookiji").await
    }

    pub async fn made(account: &dyn Account, name: &str) -> Self {
        let entry = account.create_calendar(name, ZONE, &VENDOR.into()).await.expect("a calendar is made");
        Self { remote: entry.remote.clone(), calendar: account.calendar(&entry.remote), entry }
    }

    #[must_use]
    pub fn draft(&self, room: &dyn Room, booking: &Booking) -> Draft {
        self.draft_again(room, booking, 0)
    }

    /// As [`Target::draft`], for another life of the booking.
    #[must_use]
    pub fn draft_again(&self, room: &dyn Room, booking: &Booking, generation: u32) -> Draft {
        Draft::of(booking, room.service(), &self.remote, generation)
    }

    /// A booking's event that stands, with the draft that made it.
    pub async fn with_event(&self, room: &dyn Room, name: &str, hours: i64) -> (Draft, RemoteEvent) {
        let draft = self.draft(room, &booking(name, hours));
        let stored = self.calendar.create(&draft).await.expect("it is created");
        (draft, stored)
    }
}

/// Her calendar, through our connector.
#[must_use]
pub fn hers(room: &dyn Room) -> Box<dyn Calendar> {
    room.account().calendar(&room.hers())
}

/// What is moved by so many minutes.
#[must_use]
pub fn moved(draft: &Draft, minutes: i64) -> Draft {
    let by = SignedDuration::from_mins(minutes);
    Draft { start: draft.start + by, end: draft.end + by, ..draft.clone() }
}

/// A first reading, which is whole.
#[track_caller]
pub fn snapshot(reading: Reading<RemoteEvent, RemoteId>) -> (Vec<RemoteEvent>, Cursor) {
    match reading {
        Reading::Snapshot { items, cursor: Some(cursor), .. } => (items, cursor),
        other @ (Reading::Snapshot { .. }
        | Reading::Delta { .. }
        | Reading::Partial { .. }
        | Reading::CursorLost
        | Reading::Failed(_)) => panic!("no whole reading: {other:?}"),
    }
}

/// A reading of what changed.
#[track_caller]
pub fn delta(reading: Reading<RemoteEvent, RemoteId>) -> (Vec<RemoteEvent>, Vec<RemoteId>, Cursor) {
    match reading {
        Reading::Delta { changed, removed, cursor } => (changed, removed, cursor),
        other @ (Reading::Snapshot { .. }
        | Reading::Partial { .. }
        | Reading::CursorLost
        | Reading::Failed(_)) => panic!("no reading of changes: {other:?}"),
    }
}

pub async fn read_all(calendar: &dyn Calendar) -> (Vec<RemoteEvent>, Cursor) {
    snapshot(calendar.read(None, since()).await)
}

pub async fn read_on(calendar: &dyn Calendar, cursor: &Cursor) -> (Vec<RemoteEvent>, Vec<RemoteId>, Cursor) {
    delta(calendar.read(Some(cursor), since()).await)
}

#[must_use]
pub fn ids(events: &[RemoteEvent]) -> Vec<RemoteId> {
    let mut ids: Vec<RemoteId> = events.iter().map(|event| event.id.clone()).collect();
    ids.sort();
    ids
}

#[must_use]
pub fn titles(events: &[RemoteEvent]) -> Vec<&str> {
    let mut titles: Vec<&str> = events.iter().map(|event| event.event.summary.as_str()).collect();
    titles.sort_unstable();
    titles
}

/// When something of these events falls between now and sixty days from now, and whether it blocks.
#[must_use]
pub fn placed(events: &[RemoteEvent]) -> Vec<(Timestamp, Timestamp, Reason)> {
    placed_between(events, now(), at(24 * 60))
}

#[must_use]
pub fn placed_between(
    events: &[RemoteEvent],
    from: Timestamp,
    to: Timestamp,
) -> Vec<(Timestamp, Timestamp, Reason)> {
    let zone = TimeZone::get(ZONE).expect("a zone");
    let window = Interval::new(from, to).expect("a window");
    let all: Vec<Event> = events.iter().map(|event| event.event.clone()).collect();
    let placed = place(&all, &BusyRules::default(), window, &zone);
    assert!(placed.withheld.is_empty(), "{:?}", placed.withheld);
    placed.occurrences.into_iter().map(|one| (one.start, one.end, one.reason)).collect()
}

/// The starts of what blocks.
#[must_use]
pub fn busy_starts(events: &[RemoteEvent]) -> Vec<Timestamp> {
    let blocks =
        |(start, _, reason): (Timestamp, Timestamp, Reason)| (reason == Reason::Busy).then_some(start);
    placed(events).into_iter().filter_map(blocks).collect()
}

/// Whether this event is known to be what the draft led to.
#[must_use]
pub fn is_of(event: &RemoteEvent, draft: &Draft) -> bool {
    let marked = event
        .marker
        .as_ref()
        .is_some_and(|mark| mark.booking == draft.booking && mark.generation == draft.generation);
    *event.key() == draft.id && (marked || event.created_as.is_some())
}

#[must_use]
pub fn vendor(name: &str) -> VendorId {
    name.into()
}
