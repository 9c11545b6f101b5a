//! Why a time can or cannot be booked, as far as this computer knows: what lies over it in her calendars, her bookings,
//! and the rules. Pure, and from the mirror alone; whether a slot is open there only Bookiji knows.

mod kind;

use std::collections::BTreeMap;

use calendar::busy::{Occurrence, place};
use calendar::interval::{Interval, without};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Serialize;
use sync::booking::BookingStatus;
use sync::busy_set::{vendor_zone, window};
use sync::decide::{Question, times};
use sync::error::Code;
use sync::ids::CalendarId;
use sync::plan::plan;
use sync::policy::Policy;
use sync::unblocked;
use sync::world::{LinkedCalendar, Role, World};

use crate::busy::{self, Asked, Told};
use crate::problem::Problem;

pub use kind::Kind;

/// The answer, as `explain --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub time: Timestamp,
    /// Where a whole day was asked about: the first moment after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// As far as calendars and bookings go.
    pub bookable: bool,
    /// Nothing but her calendars keeps it from being booked, so she can let it be booked just this once.
    pub can_unblock: bool,
    pub because: Vec<Because>,
}

/// One thing that has to do with the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    pub kind: Kind,
    /// The calendar's name, or who says so.
    pub source: String,
    /// Every calendar it stands in.
    pub sources: Vec<String>,
    pub summary: String,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// When that was last known to be so.
    pub checked_at: Option<Timestamp>,
    /// Whether it keeps the time from being booked.
    pub blocks: bool,
}

/// A moment or a whole day of hers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    Moment(Timestamp),
    Day(Interval),
}

impl Time {
    /// Reads an RFC 3339 instant, or a local time or day in her zone.
    ///
    /// # Errors
    /// In words, where it is none, or where her clock shows it never or twice.
    pub fn read(text: &str, zone: &TimeZone) -> Result<Self, Problem> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Moment(instant));
        }
        let no_time = || {
            Problem::new(Code::InvalidInput, format!("\"{text}\" is no time."))
                .then("Write 2026-03-29T14:00, 2026-03-29T12:00:00Z, or a whole day: 2026-03-29.")
        };
        if let (10, Ok(day)) = (text.len(), text.parse::<Date>()) {
            let start = |day: Date| day.to_zoned(zone.clone()).ok().map(|start| start.timestamp());
            let ends = start(day).zip(day.checked_add(1.day()).ok().and_then(start));
            return ends
                .and_then(|(start, end)| Interval::new(start, end))
                .map(Self::Day)
                .ok_or_else(no_time);
        }
        let wall: DateTime =
            if text.len() > 10 { text.parse().map_err(|_| no_time())? } else { return Err(no_time()) };
        let ambiguous = zone.to_ambiguous_timestamp(wall);
        let again =
            |words: &str| Problem::new(Code::InvalidInput, format!("Your clock shows {wall} {words}."));
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                ambiguous.unambiguous().map(Self::Moment).map_err(|_| no_time())
            }
            AmbiguousOffset::Gap { .. } => {
                Err(again("never: it is put forward over it").then("Ask about a time before or after."))
            }
            AmbiguousOffset::Fold { before, after } => Err(again("twice: it is put back that night")
                .then(format!("Write which one with its offset: {wall}{before} or {wall}{after}."))),
        }
    }

    /// As a stretch; a moment is the shortest there is.
    fn span(self) -> Option<Interval> {
        match self {
            Self::Day(day) => Some(day),
            Self::Moment(at) => Interval::new(at, at.checked_add(SignedDuration::from_nanos(1)).ok()?),
        }
    }
}

/// Explains `time`. `bookings_checked_at` is when the bookings were last read.
#[must_use]
pub fn explain(
    world: &World,
    time: Time,
    now: Timestamp,
    policy: &Policy,
    bookings_checked_at: Option<Timestamp>,
) -> Answer {
    let (at, until) = match time {
        Time::Moment(at) => (at, None),
        Time::Day(day) => (day.start(), Some(day.end())),
    };
    let mut because = Vec::new();
    let mut can_unblock = false;
    if let Some(span) = time.span() {
        because.extend(past(span, now));
        because.extend(bookings(world, span, bookings_checked_at));
        because.extend(moved(world, span, now, policy));
        let settled = because.iter().any(|reason| reason.blocks);
        because.extend(events(world, span));
        can_unblock = until.is_none() && !settled && because.iter().any(|reason| reason.blocks);
        because.extend(just_once(world, span));
        because.extend(unread(world));
        because.extend(beyond(world, span, now, policy));
    }
    // What blocks comes first; the order is otherwise that of the list above.
    because.sort_by_key(|reason| !reason.blocks);
    Answer { time: at, until, bookable: !because.iter().any(|reason| reason.blocks), can_unblock, because }
}

/// What keeps `span` from being booked whatever her calendars say: it is over, a booking stands there, or one was moved
/// there.
#[must_use]
pub fn settled(world: &World, span: Interval, now: Timestamp, policy: &Policy) -> Option<Because> {
    let reasons = past(span, now).into_iter().chain(bookings(world, span, None));
    reasons.chain(moved(world, span, now, policy)).next()
}

fn past(span: Interval, now: Timestamp) -> Option<Because> {
    (span.end() <= now).then(|| Because {
        end: Some(now),
        blocks: true,
        ..plain(Kind::Past, "clock", "That time is over.")
    })
}

fn bookings(world: &World, span: Interval, checked_at: Option<Timestamp>) -> Vec<Because> {
    let standing = world.bookings.values().filter(|booking| match booking.status {
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => true,
        BookingStatus::Cancelled | BookingStatus::NoShow => false,
    });
    let mut over: Vec<_> = standing
        .filter(|booking| {
            Interval::new(booking.start, booking.end).is_some_and(|taken| taken.overlaps(&span))
        })
        .collect();
    over.sort_by_key(|booking| (booking.start, &booking.id));
    over.into_iter()
        .map(|booking| {
            let what = booking.service_name.as_deref().unwrap_or("Appointment");
            let who = booking.customer_name.as_deref().map_or_else(String::new, |who| format!(", {who}"));
            Because {
                start: Some(booking.start),
                end: Some(booking.end),
                checked_at,
                blocks: true,
                ..plain(Kind::Booking, "bookiji", &format!("{what}{who}"))
            }
        })
        .collect()
}

/// Events of bookings whose time no booking holds, and which block it as events of hers would.
fn moved(world: &World, span: Interval, now: Timestamp, policy: &Policy) -> Vec<Because> {
    let planned = plan(world, now, policy);
    let asked = |calendar: &CalendarId, found: (Timestamp, Timestamp)| {
        planned
            .cards
            .iter()
            .find(|card| card.calendar == *calendar && card.found == Some(found))
            .map(|card| card.question)
    };
    let places = planned.elsewhere.iter().filter_map(|(calendar, event)| {
        let event = world.events.get(calendar)?.get(event)?;
        Some((calendar, times(event)?))
    });
    places
        .filter_map(|(calendar, (start, end))| {
            let row = world.calendars.get(calendar)?;
            Interval::new(start, end)?.overlaps(&span).then(|| Because {
                start: Some(start),
                end: Some(end),
                checked_at: row.last_sync_at,
                blocks: true,
                ..plain(Kind::Moved, &row.name, why_it_blocks(asked(calendar, (start, end))))
            })
        })
        .collect()
}

fn why_it_blocks(asked: Option<Question>) -> &'static str {
    match asked {
        Some(Question::Proposed) => "You asked a customer to come at this time, and wait for an answer.",
        Some(Question::Held) => {
            "The event of a booking that is cancelled or gone from Bookiji stands here and waits for your decision."
        }
        Some(Question::MovedCancelled) => {
            "The event of a cancelled booking was moved here and waits for your decision."
        }
        Some(
            Question::Moved
            | Question::Resized
            | Question::MovedBoth
            | Question::Duplicated
            | Question::Deleted
            | Question::Renamed
            | Question::Overlap
            | Question::TargetGone
            | Question::AccountChanged,
        ) => "The event of a booking was moved here and waits for your decision.",
        None => "The event of a booking stands here, at a time that the booking does not have.",
    }
}

fn events(world: &World, span: Interval) -> Vec<Because> {
    let asked = Asked { window: span, zone: vendor_zone(world.vendor.as_ref()) };
    let sources = busy::of_world(world, &asked);
    let calendar = |id: &str| world.calendars.values().find(|calendar| calendar.id.as_str() == id);
    busy::told(&sources)
        .into_iter()
        .map(|told| {
            let calendars: Vec<&LinkedCalendar> = told.sources.iter().filter_map(|id| calendar(id)).collect();
            let names: Vec<String> = calendars.iter().map(|calendar| calendar.name.clone()).collect();
            let blocks = told.blocks.is_some_and(|blocks| blocks_some_of(world, &calendars, blocks, span));
            Because {
                kind: kind(world, &told, &calendars, span),
                source: names.first().cloned().unwrap_or_default(),
                sources: names,
                summary: told.occurrence.summary.clone(),
                start: Some(told.occurrence.start),
                end: Some(told.occurrence.end),
                checked_at: calendars.iter().filter_map(|calendar| calendar.last_sync_at).min(),
                blocks,
            }
        })
        .collect()
}

/// Where she lets it be booked just this once, a calendar blocks what is left.
fn blocks_some_of(world: &World, calendars: &[&LinkedCalendar], blocks: Interval, span: Interval) -> bool {
    let left = |calendar: &&LinkedCalendar| without(vec![blocks], &unblocked::of(world, &calendar.id));
    calendars.iter().flat_map(left).any(|blocks| blocks.overlaps(&span))
}

fn just_once(world: &World, span: Interval) -> Vec<Because> {
    let mut told: BTreeMap<Interval, (Timestamp, Vec<String>)> = BTreeMap::new();
    for row in world.unblocked.iter().filter(|row| row.span.overlaps(&span)) {
        let name = world.calendars.get(&row.calendar).map(|calendar| calendar.name.clone());
        let (at, names) = told.entry(row.span).or_insert((row.at, Vec::new()));
        *at = (*at).max(row.at);
        names.extend(name);
    }
    told.into_iter()
        .map(|(span, (at, sources))| Because {
            start: Some(span.start()),
            end: Some(span.end()),
            checked_at: Some(at),
            sources,
            ..plain(Kind::Unblocked, "you", "You let this time be booked just this once.")
        })
        .collect()
}

fn kind(world: &World, told: &Told<'_>, calendars: &[&LinkedCalendar], span: Interval) -> Kind {
    let itself = Interval::new(told.occurrence.start, told.occurrence.end);
    if told.blocks.is_some() && !itself.is_some_and(|itself| itself.overlaps(&span)) {
        let on_the_way = calendars.iter().any(|calendar| is_travel(world, calendar, told.occurrence, span));
        return if on_the_way { Kind::Travel } else { Kind::Buffer };
    }
    Kind::Event(told.reason)
}

/// Whether the event still lies over `span` when no buffer is kept around it: then it is the way there.
fn is_travel(world: &World, calendar: &LinkedCalendar, occurrence: &Occurrence, span: Interval) -> bool {
    let rules =
        calendar::busy::BusyRules { buffer_before_minutes: 0, buffer_after_minutes: 0, ..calendar.rules };
    let rows = world.events.get(&calendar.id).into_iter().flat_map(|rows| rows.values());
    let events: Vec<_> =
        rows.filter(|row| row.event.uid == occurrence.uid).map(|row| row.event.clone()).collect();
    place(&events, &rules, span, &vendor_zone(world.vendor.as_ref())).occurrences.iter().any(|other| {
        other.start == occurrence.start && other.blocks.is_some_and(|blocks| blocks.overlaps(&span))
    })
}

/// Nothing is known of a calendar that was never read in full: it keeps nothing closed, and that is said.
fn unread(world: &World) -> Vec<Because> {
    let unread = world.calendars.values().filter(|calendar| calendar.role != Role::Off && !calendar.known);
    unread
        .map(|calendar| Because {
            checked_at: calendar.last_sync_at,
            ..plain(Kind::NotRead, &calendar.name, "This calendar has not been read in full yet.")
        })
        .collect()
}

fn beyond(world: &World, span: Interval, now: Timestamp, policy: &Policy) -> Option<Because> {
    let horizon = window(now, &vendor_zone(world.vendor.as_ref()), policy).end();
    (span.start() >= horizon).then(|| Because {
        start: Some(horizon),
        ..plain(Kind::BeyondHorizon, "settings", "Busy time this far ahead is not sent to Bookiji yet.")
    })
}

fn plain(kind: Kind, source: &str, summary: &str) -> Because {
    Because {
        kind,
        source: source.to_owned(),
        sources: vec![source.to_owned()],
        summary: summary.to_owned(),
        start: None,
        end: None,
        checked_at: None,
        blocks: false,
    }
}

/// The answer in a few lines, in her zone.
#[must_use]
pub fn text(answer: &Answer, zone: &TimeZone) -> String {
    let local = |at: Timestamp, format: &str| at.to_zoned(zone.clone()).strftime(format).to_string();
    let when = match answer.until {
        None => local(answer.time, "%a %-d %b %Y, %H:%M"),
        Some(_) => local(answer.time, "%a %-d %b %Y"),
    };
    let mut lines = vec![match (answer.bookable, answer.until) {
        (true, None) => format!("{when}: nothing here keeps it from being booked, where a slot is open."),
        (true, Some(_)) => {
            format!("{when}: nothing here keeps the day from being booked, where slots are open.")
        }
        (false, None) => format!("{when}: cannot be booked."),
        (false, Some(_)) => format!("{when}: cannot be booked throughout."),
    }];
    for reason in &answer.because {
        let mark = if reason.blocks { "-" } else { "(" };
        let end = if reason.blocks { "" } else { ")" };
        let span = match (reason.start, reason.end) {
            (Some(start), Some(stop)) => {
                format!(", {} – {}", local(start, "%a %-d %b %H:%M"), local(stop, "%a %-d %b %H:%M"))
            }
            (Some(_), None) | (None, Some(_)) | (None, None) => String::new(),
        };
        let checked = reason
            .checked_at
            .map_or_else(String::new, |at| format!(", as of {}", local(at, "%a %-d %b %H:%M")));
        let kind = reason.kind.as_str().replace('_', " ");
        let sources = reason.sources.join(", ");
        lines.push(format!("{mark} {kind}: {} [{sources}]{span}{checked}{end}", reason.summary));
    }
    if answer.can_unblock {
        let when = local(answer.time, "%Y-%m-%dT%H:%M");
        lines.push(format!("To let it be booked just this once: companion unblock {when}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
