//! Her bookings and slots as one calendar file: which of them are told, when, and in which words. Pure; reading and
//! writing happen elsewhere.

use std::collections::BTreeSet;

use calendar::event::{End, Event, Status, Transparency, When};
use calendar::ics::{self, Calendar, Method, People, Person};
use calendar::identity::slot_uid;
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sync::booking::{Booking, BookingStatus, booking_uid};
use sync::error::Code;
use sync::ids::Service;
use sync::ports::Slot;
use sync::world::{Vendor, World};

use crate::problem::Problem;

/// The longest range that is written at once.
const MAX_YEARS: i16 = 5;
/// What is kept of a booking's notes.
const MAX_NOTES: usize = 1_000;

/// How much of a booking is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Describe {
    /// Service, customer, notes and the booking's id.
    #[default]
    Full,
    /// The service alone.
    Short,
    /// That there is a booking.
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Closed slots too.
    pub include_blocked: bool,
    /// What is over too.
    pub include_past: bool,
    pub describe: Describe,
}

/// Whole days, both ends among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    pub from: Date,
    pub to: Date,
}

impl Days {
    /// Reads the words of the command line.
    ///
    /// # Errors
    /// In words, when they are no days, in the wrong order, or too many.
    pub fn read(from: &str, to: &str) -> Result<Self, Problem> {
        let (from, to) = (day("--from", from)?, day("--to", to)?);
        if to < from {
            return Err(Problem::new(Code::InvalidInput, format!("--to ({to}) is before --from ({from}).")));
        }
        if from.checked_add(MAX_YEARS.years()).is_ok_and(|end| to >= end) {
            return Err(Problem::new(
                Code::InvalidInput,
                format!("From {from} to {to} is more than {MAX_YEARS} years."),
            )
            .then("Export shorter ranges, each into a file of its own."));
        }
        Ok(Self { from, to })
    }

    /// From the first midnight to the one after the last day, in her zone.
    ///
    /// # Errors
    /// At the very ends of time.
    pub fn window(&self, zone: &TimeZone) -> Result<Interval, Problem> {
        let start = |day: Date| day.to_zoned(zone.clone()).map(|start| start.timestamp());
        let window = self.to.checked_add(1.day()).and_then(|after| Ok((start(self.from)?, start(after)?)));
        window.ok().and_then(|(start, end)| Interval::new(start, end)).ok_or_else(|| {
            Problem::new(Code::InvalidInput, format!("There is no time from {} to {}.", self.from, self.to))
        })
    }
}

fn day(option: &str, text: &str) -> Result<Date, Problem> {
    let text = text.trim();
    (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("{option} is no day: \"{text}\"."))
            .then("Write a day as 2026-03-29.")
    })
}

/// A file, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    pub bookings: usize,
    pub slots: usize,
}

/// The file. The same bookings and slots give the same bytes, whenever it is made.
#[must_use]
pub fn file(
    world: &World,
    vendor: &Vendor,
    slots: &[Slot],
    window: Interval,
    now: Timestamp,
    options: &Options,
) -> Exported {
    let wanted = |span: &Interval| span.overlaps(&window) && (options.include_past || span.end() > now);
    let zone = Zone::iana(&vendor.time_zone);
    let mut taken = BTreeSet::new();
    let mut events: Vec<(Interval, Event)> = Vec::new();
    for booking in world.bookings.values() {
        let (Some(status), Some(span)) = (status(&booking.status), Interval::new(booking.start, booking.end))
        else {
            continue;
        };
        taken.insert(span);
        if wanted(&span) {
            events.push((span, booking_event(booking, span, status, zone.as_ref(), options.describe)));
        }
    }
    let bookings = events.len();
    let known = world.bookings.values().filter_map(|booking| stamp(&booking.updated_at)).max();
    let known = known.unwrap_or(Timestamp::UNIX_EPOCH);
    // A slot that a booking holds is the booking.
    let told = slots.iter().filter(|slot| {
        wanted(&slot.span) && (slot.open || (options.include_blocked && !taken.contains(&slot.span)))
    });
    events.extend(told.map(|slot| (slot.span, slot_event(slot, zone.as_ref(), known))));
    events.sort_by(|(a, x), (b, y)| (a, &x.uid).cmp(&(b, &y.uid)));
    let calendar = Calendar {
        method: Some(Method::Publish),
        name: Some(format!("Bookiji: {}", vendor.name)),
        zone,
        events: events.into_iter().map(|(_, event)| event).collect(),
        ..Calendar::default()
    };
    // RFC 5546 §3.2.1 wants to know who publishes.
    let people = People { organizer: Person::new(&vendor.name, &vendor.email), attendee: None };
    let slots = calendar.events.len() - bookings;
    Exported { text: ics::write_for(&calendar, &people, known), bookings, slots }
}

/// A cancelled booking is not told: programs that read a file once make an event of it all the same, and in those that
/// keep it up to date the booking is gone when it is in the file no longer.
fn status(status: &BookingStatus) -> Option<Status> {
    match status {
        BookingStatus::Confirmed | BookingStatus::Completed => Some(Status::Confirmed),
        // Nobody knows yet what a newer platform means by another word.
        BookingStatus::Pending | BookingStatus::Other(_) => Some(Status::Tentative),
        BookingStatus::Cancelled | BookingStatus::NoShow => None,
    }
}

fn booking_event(
    booking: &Booking,
    span: Interval,
    status: Status,
    zone: Option<&Zone>,
    describe: Describe,
) -> Event {
    let (start, end) = placed(span, zone);
    let (summary, description) = words(booking, describe);
    let stamp = stamp(&booking.updated_at).unwrap_or(Timestamp::UNIX_EPOCH);
    Event {
        summary,
        description,
        status,
        stamp: Some(stamp),
        ..Event::new(booking_uid(&booking.id, &booking.vendor, Service::Ics), start, End::At(end))
    }
}

fn words(booking: &Booking, describe: Describe) -> (String, String) {
    let title = format!("Booking: {}", booking.service_name.as_deref().unwrap_or("Appointment"));
    match describe {
        Describe::None => ("Booking".to_owned(), String::new()),
        Describe::Short => (title, String::new()),
        Describe::Full => {
            let mut lines = Vec::new();
            lines.extend(booking.customer_name.as_ref().map(|name| format!("Customer: {name}")));
            let notes = booking.notes.as_deref().unwrap_or_default().trim();
            if !notes.is_empty() {
                lines.push(format!("Notes: {}", notes.chars().take(MAX_NOTES).collect::<String>()));
            }
            lines.push(format!("Booking ID: {}", booking.id));
            (title, lines.join("\n"))
        }
    }
}

/// The platform does not say when a slot changed; no later than it last told of anything is what is known.
fn slot_event(slot: &Slot, zone: Option<&Zone>, known: Timestamp) -> Event {
    let (start, end) = placed(slot.span, zone);
    let (summary, transparency) =
        if slot.open { ("Available", Transparency::Transparent) } else { ("Blocked", Transparency::Opaque) };
    Event {
        summary: summary.to_owned(),
        transparency,
        stamp: Some(known),
        ..Event::new(slot_uid(slot.id.as_str()), start, End::At(end))
    }
}

/// The platform's word for when something changed, to the second as files have it.
#[must_use]
pub fn stamp(updated_at: &str) -> Option<Timestamp> {
    let at: Timestamp = updated_at.parse().ok()?;
    Timestamp::from_second(at.as_second()).ok()
}

/// Both ends as her clock shows them, or both in UTC where it shows one of them twice: RFC 5545 §3.3.5 takes such a time
/// for the first, and not every reader does.
#[must_use]
pub fn placed(span: Interval, zone: Option<&Zone>) -> (When, When) {
    let rules = zone.and_then(Zone::time_zone).filter(|_| zone != Some(&Zone::Iana("UTC".to_owned())));
    let wall = |at: Timestamp| {
        let (zone, rules) = (zone?, rules.as_ref()?);
        let wall = rules.to_datetime(at);
        let back = rules.to_ambiguous_timestamp(wall).unambiguous().ok()?;
        (back == at).then(|| When::Zoned { wall, zone: zone.clone() })
    };
    wall(span.start())
        .zip(wall(span.end()))
        .unwrap_or_else(|| (When::Utc(span.start()), When::Utc(span.end())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::busy::{BusyRules, place};
    use sync::booking::MailAddress;
    use sync::ids::SlotId;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(start: &str, end: &str) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }

    fn booking(id: &str, start: &str, end: &str, status: BookingStatus) -> Booking {
        Booking {
            id: id.into(),
            vendor: "ana".into(),
            status,
            start: at(start),
            end: at(end),
            service_name: Some("Cut, wash; go".into()),
            customer_name: Some("Zoé Roy".into()),
            customer_email: Some(MailAddress("zoe@example.com".into())),
            notes: Some("First line\r\nsecond".into()),
            proposal: sync::proposal::Proposal::NotOffered,
            updated_at: "2026-03-01T08:00:00.123456+00:00".into(),
        }
    }

    fn slot(id: &str, start: &str, end: &str, open: bool) -> Slot {
        Slot { span: span(start, end), id: SlotId(id.into()), open }
    }

    fn vendor(zone: &str) -> Vendor {
        Vendor {
            id: "ana".into(),
            name: "Ana".into(),
            email: "ana@example.com".into(),
            time_zone: zone.into(),
        }
    }

    fn world(bookings: &[Booking]) -> World {
        let bookings = bookings.iter().map(|booking| (booking.id.clone(), booking.clone())).collect();
        World { bookings, ..World::default() }
    }

    fn read(text: &str) -> Calendar {
        let (calendar, problems) = ics::read(text.as_bytes()).unwrap();
        assert_eq!(problems, []);
        calendar
    }

    fn summaries(text: &str) -> Vec<String> {
        read(text).events.into_iter().map(|event| event.summary).collect()
    }

    const YEAR: (&str, &str) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    const NOW: &str = "2026-03-02T12:00:00Z";

    #[test]
    fn days_that_cannot_be_used_are_refused_in_words() {
        for (from, to, words) in [
            ("2026-03-02", "2026-03-01", "is before"),
            ("2026-03-02", "2031-03-02", "more than 5 years"),
            ("soon", "2026-03-01", "--from is no day"),
            ("2026-03-02", "2026-02-30", "--to is no day"),
            ("2026-03-02", "2026-03-02T10:00", "--to is no day"),
        ] {
            let problem = Days::read(from, to).unwrap_err();
            assert!(problem.message.contains(words), "{from} {to}: {problem}");
        }
        assert!(Days::read("2026-03-02", "2031-03-01").is_ok());
        let one = Days::read("2026-03-29", "2026-03-29").unwrap();
        let paris = TimeZone::get("Europe/Paris").unwrap();
        assert_eq!(one.window(&paris).unwrap(), span("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
        assert!(Days::read("9999-12-31", "9999-12-31").unwrap().window(&paris).is_err());
    }

    #[test]
    fn what_is_over_closed_or_cancelled_is_told_only_where_asked_and_a_booked_slot_once() {
        use BookingStatus::{Cancelled, Completed, Confirmed, NoShow, Other, Pending};
        let bookings = [
            booking("past", "2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z", Completed),
            booking("now", "2026-03-02T11:30:00Z", "2026-03-02T12:30:00Z", Confirmed),
            booking("asked", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z", Pending),
            booking("new", "2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z", Other("on_hold".into())),
            booking("gone", "2026-03-03T11:00:00Z", "2026-03-03T12:00:00Z", Cancelled),
            booking("away", "2026-03-03T12:00:00Z", "2026-03-03T13:00:00Z", NoShow),
        ];
        let slots = [
            slot("held", "2026-03-02T11:30:00Z", "2026-03-02T12:30:00Z", false),
            slot("open", "2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z", true),
            slot("shut", "2026-03-04T10:00:00Z", "2026-03-04T11:00:00Z", false),
            slot("old", "2026-02-04T10:00:00Z", "2026-02-04T11:00:00Z", true),
            slot("far", "2027-02-04T10:00:00Z", "2027-02-04T11:00:00Z", true),
        ];
        let told = |include_blocked, include_past| {
            let options = Options { include_blocked, include_past, describe: Describe::None };
            let window = span(YEAR.0, YEAR.1);
            let file = file(&world(&bookings), &vendor("Europe/Paris"), &slots, window, at(NOW), &options);
            assert_eq!(summaries(&file.text).len(), file.bookings + file.slots);
            summaries(&file.text)
        };
        assert_eq!(told(false, false), ["Booking", "Booking", "Booking", "Available"]);
        assert_eq!(told(true, false), ["Booking", "Booking", "Booking", "Available", "Blocked"]);
        assert_eq!(
            told(true, true),
            ["Available", "Booking", "Booking", "Booking", "Booking", "Available", "Blocked"]
        );
    }

    #[test]
    fn a_file_is_told_in_her_zone_and_means_the_same_moments() {
        // Both hours that are called half past two, and the gap of spring.
        let spans = [
            ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
            ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
            ("2026-07-01T08:00:00Z", "2026-07-01T09:00:00Z"),
        ];
        let zones = [
            "Europe/Paris",
            "America/St_Johns",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "Pacific/Chatham",
            "UTC",
            "Nowhere/Else",
        ];
        for zone in zones {
            let bookings: Vec<Booking> = spans
                .iter()
                .enumerate()
                .map(|(n, (start, end))| booking(&format!("b{n}"), start, end, BookingStatus::Confirmed))
                .collect();
            let window = span(YEAR.0, YEAR.1);
            let all = Options { include_past: true, ..Options::default() };
            let file = file(&world(&bookings), &vendor(zone), &[], window, at(NOW), &all);
            let read = read(&file.text);
            let placed = place(&read.events, &BusyRules::default(), window, &TimeZone::UTC);
            let found: Vec<Interval> = placed
                .occurrences
                .iter()
                .map(|occurrence| Interval::new(occurrence.start, occurrence.end).unwrap())
                .collect();
            let mut expected: Vec<Interval> = spans.iter().map(|(start, end)| span(start, end)).collect();
            expected.sort();
            assert_eq!(found, expected, "{zone}");
            assert_eq!(placed.withheld, [], "{zone}");
            let told = file.text.contains(&format!("DTSTART;TZID={zone}:"));
            assert_eq!(told, !["UTC", "Nowhere/Else"].contains(&zone), "{zone}\n{}", file.text);
        }
    }

    #[test]
    fn no_word_of_hers_breaks_the_file_and_no_address_of_a_customer_is_in_it() {
        let booking = booking("b1", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z", BookingStatus::Pending);
        let told = |describe| {
            let options = Options { describe, ..Options::default() };
            let window = span(YEAR.0, YEAR.1);
            let worlds = world(std::slice::from_ref(&booking));
            file(&worlds, &vendor("Europe/Paris"), &[], window, at(NOW), &options).text
        };
        let full = told(Describe::Full);
        let event = read(&full).events.remove(0);
        assert_eq!(event.summary, "Booking: Cut, wash; go");
        assert_eq!(event.description, "Customer: Zoé Roy\nNotes: First line\nsecond\nBooking ID: b1");
        assert_eq!(event.status, Status::Tentative);
        assert!(calendar::identity::own_uid(&event.uid).is_some(), "{:?}", event.uid);
        assert!(full.contains("ORGANIZER;CN=Ana:mailto:ana@example.com\r\n"), "{full}");
        assert!(!full.contains("zoe@"), "{full}");
        assert!(!full.replace("\r\n", "").contains(['\r', '\n']), "only whole line ends");
        assert!(full.split("\r\n").all(|line| line.len() <= 75), "{full}");
        assert!(!told(Describe::Short).contains("Zo") && told(Describe::Short).contains("Cut"));
        assert!(!told(Describe::None).contains("Cut"));
        assert_eq!(full, told(Describe::Full));
    }
}
