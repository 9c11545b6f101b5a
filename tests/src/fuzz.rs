//! What must hold for any bytes whatever: one function per fuzz target, each given an input and panicking where a
//! promise is broken. Knows the `calendar` crate alone, so that the coverage-guided fuzzer and the ordinary tests run
//! the very same code.

use calendar::busy::{BusyRules, Occurrence, Placed, place};
use calendar::event::{End, Event, When};
use calendar::ics::{self, Calendar};
use calendar::interval::{Interval, union};
use calendar::recurrence::{Budget, MAX_FOUND, Rule, between};
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

/// A target's name and what it does with one input.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 4] =
    [("reader", reader), ("zones", zones), ("expander", expander), ("import", import)];

/// What a series may spend here: an input takes a moment at most, also where every step is watched.
const STEPS: u64 = 300_000;
const DAY: i64 = 86_400;
const OWN: [&str; 1] = ["her@salon.example"];

/// Reads a whole file: whatever is kept of it is bounded, and every problem names a line that is there.
pub fn reader(input: &[u8]) {
    let Ok((calendar, problems)) = ics::read_as(input, &OWN) else { return };
    assert!(problems.len() <= 1_000);
    let most = input.len() + 1;
    assert!(problems.iter().all(|problem| (1..=most).contains(&problem.line)), "a line that is not there");
    // Escapes and folds only ever shrink; what another encoding spells in one byte takes up three at most.
    let room = input.len() * 3 + 64;
    let words = |event: &Event| event.summary.len() + event.description.len() + event.location.len();
    assert!(calendar.events.iter().map(words).sum::<usize>() <= room, "more words than were written");
}

/// The first line is a zone's name, the rest a VTIMEZONE of that name. An event in it blocks its time wherever that may
/// be on earth.
pub fn zones(input: &[u8]) {
    let (name, rules) = split_line(input);
    let name = String::from_utf8_lossy(name);
    let name: String = name.chars().filter(|c| !c.is_control() && *c != '"').take(200).collect();
    if let Zone::Iana(iana) = Zone::named(&name) {
        assert_eq!(Zone::named(&iana), Zone::Iana(iana.clone()), "a name that was placed is placed again");
        assert!(TimeZone::get(&iana).is_ok());
    }
    let file = [
        b"BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:".as_slice(),
        escaped(&name).as_bytes(),
        b"\r\n",
        rules,
        b"\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:",
        escaped(&name).as_bytes(),
        b"\r\n",
        rules,
        b"\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:fuzz-zone\r\nDTSTART;TZID=\"",
        name.as_bytes(),
        b"\":20260329T023000\r\nDTEND;TZID=\"",
        name.as_bytes(),
        // Longer than any change of the clocks, which could swallow it.
        b"\":20260403T023000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ]
    .concat();
    let Ok((calendar, _)) = ics::read(&file) else { return };
    let Some(event) = calendar.events.iter().find(|event| event.uid.0 == "fuzz-zone") else { return };
    if event.repeats() || event.instance.is_some() || event.start == event_end(event) {
        return;
    }
    let wall = at_second(1_774_751_400);
    let window = around(wall, 3 * DAY, 3 * DAY);
    let placed = place(std::slice::from_ref(event), &BusyRules::default(), window, &berlin());
    assert!(!placed.busy().is_empty(), "an event vanished with its zone {name:?}: {event:?}");
}

/// The first line is `days-from-start days zone`, the rest the body of a VEVENT. Where a window is cut changes nothing,
/// and a rule names the same times whether it is walked from its start or from the window.
pub fn expander(input: &[u8]) {
    let (header, body) = split_line(input);
    let header = String::from_utf8_lossy(header);
    let mut words = header.split_ascii_whitespace();
    let mut number = |or: i64| words.next().and_then(|word| word.parse::<i64>().ok()).unwrap_or(or);
    let (from, days) = (number(0).clamp(-4_000_000, 4_000_000), number(60).clamp(2, 800));
    let zone = words.next().and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(berlin);
    let file = [
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:fuzz-series\r\n".as_slice(),
        body,
        b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ]
    .concat();
    let Ok((calendar, _)) = ics::read(&file) else { return };
    let Some(first) = calendar.events.first() else { return };
    let start = wall(&first.start);
    let window = around(at_second(start.saturating_add(from * DAY)), 0, days * DAY);
    cut_anywhere(&calendar.events, window, &zone);
    for event in &calendar.events {
        for text in &event.recurrence.rules {
            walked_or_sought(text, wall(&event.start), from, days);
        }
    }
}

/// A whole file on its way in and out again: events, their place in a year, busy time; written, and read as it was.
pub fn import(input: &[u8]) {
    let Ok((calendar, _)) = ics::read_as(input, &OWN) else { return };
    let placed = placed_within(&calendar.events, year());
    let busy = placed.busy();
    assert_eq!(union(busy.clone()), busy, "busy time is a union");
    let written = ics::write(&calendar, Timestamp::UNIX_EPOCH);
    let long = written.split("\r\n").find(|line| line.len() > 75 || line.contains(['\r', '\n']));
    assert_eq!(long, None, "every line is folded");
    let (again, _) = ics::read(written.as_bytes()).unwrap_or_else(|error| panic!("{error}: {written}"));
    let twice = ics::write(&again, Timestamp::UNIX_EPOCH);
    let (third, _) = ics::read(twice.as_bytes()).unwrap_or_else(|error| panic!("{error}: {twice}"));
    assert_eq!(again, third, "what was written once reads back as it was: {twice}");
    if is_faithful(&calendar) {
        let back = placed_within(&again.events, year()).busy();
        assert_eq!(back, busy, "a trip through a file changes no busy time: {written}");
    }
}

/// What iCalendar has a word for: the rest cannot survive a file.
fn is_faithful(calendar: &Calendar) -> bool {
    let said = |event: &Event| event.answer.is_none() && event.series.is_none() && !event.uid.0.is_empty();
    let known =
        |event: &Event| !matches!(event.start, When::Zoned { zone: Zone::Unknown(_) | Zone::Given(_), .. });
    calendar.events.iter().all(|event| said(event) && known(event))
}

fn cut_anywhere(events: &[Event], window: Interval, zone: &TimeZone) {
    let rules = BusyRules::default();
    let whole = place(events, &rules, window, zone);
    sound(&whole, window);
    if !whole.withheld.is_empty() {
        return;
    }
    let middle = at_second((window.start().as_second() + window.end().as_second()) / 2);
    for (from, to) in [(window.start(), middle), (middle, window.end())] {
        let Some(part) = Interval::new(from, to) else { continue };
        let found = place(events, &rules, part, zone);
        sound(&found, part);
        if !found.withheld.is_empty() {
            continue;
        }
        let expected: Vec<&Occurrence> =
            whole.occurrences.iter().filter(|occurrence| touches(occurrence, part)).collect();
        assert_eq!(found.occurrences.iter().collect::<Vec<_>>(), expected, "cut to {part:?}");
    }
}

/// A rule's times in a window, walked from its start, are those that seeking the window finds.
fn walked_or_sought(text: &str, start: i64, from: i64, days: i64) {
    let Ok(rule) = Rule::parse(text) else { return };
    let from = start.saturating_add(from.saturating_mul(DAY));
    let to = from.saturating_add(days * DAY);
    let Ok(sought) = between(&rule, start, from, to, &mut Budget::new(STEPS)) else { return };
    assert!(sought.len() <= MAX_FOUND + 1);
    assert!(sought.is_sorted_by(|a, b| a < b), "{text}: {sought:?}");
    assert!(sought.iter().all(|wall| (from.max(start)..=to).contains(wall)), "{text}: {sought:?}");
    let Ok(mut walked) = between(&rule, start, start, to, &mut Budget::new(STEPS)) else { return };
    if walked.len() <= MAX_FOUND {
        walked.retain(|wall| *wall >= from);
        assert_eq!(sought, walked, "{text} from {start}");
    }
}

fn placed_within(events: &[Event], window: Interval) -> Placed {
    let placed = place(events, &BusyRules::default(), window, &berlin());
    sound(&placed, window);
    placed
}

/// What holds for any answer: sorted, inside the window, and busy exactly where something blocks.
fn sound(placed: &Placed, window: Interval) {
    let sorted = placed.occurrences.is_sorted_by_key(|occurrence| (occurrence.start, occurrence.uid.clone()));
    assert!(sorted, "occurrences are sorted");
    for occurrence in &placed.occurrences {
        assert!(occurrence.start <= occurrence.end, "{occurrence:?}");
        assert!(touches(occurrence, window), "{occurrence:?} outside of {window:?}");
        assert!(occurrence.busy || occurrence.blocks.is_none(), "{occurrence:?}");
    }
}

fn touches(occurrence: &Occurrence, window: Interval) -> bool {
    let itself = Interval::new(occurrence.start, occurrence.end)
        .map_or(window.start() <= occurrence.start && occurrence.start < window.end(), |span| {
            span.overlaps(&window)
        });
    itself || occurrence.blocks.is_some_and(|blocks| blocks.overlaps(&window))
}

fn split_line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,")
}

fn event_end(event: &Event) -> When {
    match &event.end {
        End::At(when) => when.clone(),
        End::Lasting { .. } | End::Unstated => event.start.clone(),
    }
}

fn wall(when: &When) -> i64 {
    let seconds = |wall: DateTime| TimeZone::UTC.to_timestamp(wall).map_or(0, Timestamp::as_second);
    match when {
        When::Date(date) => seconds(date.at(0, 0, 0, 0)),
        When::Utc(instant) => instant.as_second(),
        When::Zoned { wall, .. } | When::Floating(wall) => seconds(*wall),
    }
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC)
}

fn year() -> Interval {
    let start = wall(&When::Date(date(2026, 1, 1)));
    around(at_second(start), 0, 365 * DAY)
}

fn around(instant: Timestamp, before: i64, after: i64) -> Interval {
    let second = instant.as_second();
    let (from, to) = (at_second(second - before), at_second(second + after));
    Interval::new(from, to).unwrap_or_else(|| {
        // At either end of time nothing is left of the window: a day within it is as good as any.
        Interval::new(at_second(0), at_second(DAY)).unwrap_or_else(|| unreachable!("a day has a beginning"))
    })
}

/// The nearest instant that there is.
fn at_second(second: i64) -> Timestamp {
    let second = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}
