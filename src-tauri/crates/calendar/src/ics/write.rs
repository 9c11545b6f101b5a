//! Writes calendars as RFC 5545 wants them read: folded by octets, escaped, every zone with its VTIMEZONE. What only a
//! service can say of an event (its kind, her answer) has no place in a file and is left out; people stand in it only
//! where the caller names them.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::people::People;
use super::{Calendar, Method};
use crate::event::{End, Event, ExtraDate, ShownAs, Status, Transparency, When};
use crate::zone::{GivenZone, Observance, Zone};

const PRODUCT: &str = "-//Bookiji//Companion//EN";
const FOLD: usize = 75;

/// The whole file. `stamp` is the DTSTAMP of events that have none of their own.
#[must_use]
pub fn write(calendar: &Calendar, stamp: Timestamp) -> String {
    write_for(calendar, &People::default(), stamp)
}

/// As [`write`], with `people` on every event.
#[must_use]
pub fn write_for(calendar: &Calendar, people: &People, stamp: Timestamp) -> String {
    let people = people.lines(calendar.method);
    let mut out = Lines::default();
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line(&format!("PRODID:{PRODUCT}"));
    out.line("CALSCALE:GREGORIAN");
    if let Some(method) = calendar.method {
        out.line(&format!("METHOD:{}", method_word(method)));
    }
    if let Some(name) = &calendar.name {
        out.text("NAME", name);
        out.text("X-WR-CALNAME", name);
    }
    // Readers would take it for the zone of times that have none.
    let floats = calendar.events.iter().any(|event| matches!(event.start, When::Floating(_)));
    if let (Some(Zone::Iana(zone)), false) = (&calendar.zone, floats) {
        out.text("X-WR-TIMEZONE", zone);
    }
    if let Some(seconds) = calendar.refresh_seconds {
        out.line(&format!("REFRESH-INTERVAL;VALUE=DURATION:PT{seconds}S"));
        out.line(&format!("X-PUBLISHED-TTL:PT{seconds}S"));
    }
    let mut zones = zones(&calendar.events);
    if let (true, Some(Zone::Iana(zone))) = (calendar.events.is_empty(), &calendar.zone) {
        // A calendar of nothing at all is none (RFC 5545 §3.6).
        zones.extend(GivenZone::of(zone, 1970..=1970).map(|given| (zone.as_str(), given)));
    }
    for zone in zones.values() {
        write_zone(zone, &mut out);
    }
    for event in &calendar.events {
        write_event(event, &people, stamp, &mut out);
    }
    out.line("END:VCALENDAR");
    out.text
}

fn write_event(event: &Event, people: &[String], stamp: Timestamp, out: &mut Lines) {
    out.line("BEGIN:VEVENT");
    if !event.uid.0.is_empty() {
        out.text("UID", &event.uid.0);
    }
    out.line(&format!("DTSTAMP:{}", utc(event.stamp.unwrap_or(stamp))));
    out.time("DTSTART", &[], &event.start);
    match &event.end {
        End::At(end) => out.time("DTEND", &[], end),
        End::Lasting { days, seconds } => out.line(&format!("DURATION:{}", duration(*days, *seconds))),
        End::Unstated => {}
    }
    if let Some(instance) = &event.instance {
        let range: &[&str] = if event.and_future { &["RANGE=THISANDFUTURE"] } else { &[] };
        out.time("RECURRENCE-ID", range, instance);
    }
    for rule in &event.recurrence.rules {
        out.line(&format!("RRULE:{}", plain(rule)));
    }
    for rule in &event.recurrence.except_rules {
        out.line(&format!("EXRULE:{}", plain(rule)));
    }
    for date in &event.recurrence.dates {
        out.extra_date(date);
    }
    for date in &event.recurrence.except_dates {
        out.time("EXDATE", &[], date);
    }
    for (name, text) in
        [("SUMMARY", &event.summary), ("DESCRIPTION", &event.description), ("LOCATION", &event.location)]
    {
        if !text.is_empty() {
            out.text(name, text);
        }
    }
    for person in people {
        out.line(person);
    }
    out.line(match event.status {
        Status::Confirmed => "STATUS:CONFIRMED",
        Status::Tentative => "STATUS:TENTATIVE",
        Status::Cancelled => "STATUS:CANCELLED",
    });
    out.line(match event.transparency {
        Transparency::Opaque => "TRANSP:OPAQUE",
        Transparency::Transparent => "TRANSP:TRANSPARENT",
    });
    if let Some(shown) = event.shown_as {
        out.line(&format!("X-MICROSOFT-CDO-BUSYSTATUS:{}", shown_word(shown)));
    }
    if event.travel_seconds > 0 {
        out.line(&format!("X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT{}S", event.travel_seconds));
    }
    out.line(&format!("SEQUENCE:{}", event.sequence));
    out.line("END:VEVENT");
}

/// Every zone that a time of these events names, with rules from before the first of them to after the last.
fn zones(events: &[Event]) -> BTreeMap<&str, GivenZone> {
    let mut years: BTreeMap<&str, (&Zone, i16, i16)> = BTreeMap::new();
    let mut note = |when| {
        if let &When::Zoned { ref zone, wall } = when {
            let (_, first, last) = years.entry(name_of(zone)).or_insert((zone, wall.year(), wall.year()));
            (*first, *last) = ((*first).min(wall.year()), (*last).max(wall.year()));
        }
    };
    for event in events {
        note(&event.start);
        event.instance.iter().chain(&event.recurrence.except_dates).for_each(&mut note);
        event.recurrence.dates.iter().for_each(|date| note(&date.start));
        let ends = event.recurrence.dates.iter().map(|date| &date.end).chain([&event.end]);
        for end in ends {
            if let End::At(when) = end {
                note(when);
            }
        }
    }
    years
        .into_iter()
        .filter_map(|(name, (zone, first, last))| {
            let given = match zone {
                Zone::Iana(name) => GivenZone::of(name, first..=last)?,
                Zone::Given(given) => (**given).clone(),
                Zone::Unknown(_) => return None,
            };
            Some((name, given))
        })
        .collect()
}

fn write_zone(zone: &GivenZone, out: &mut Lines) {
    out.line("BEGIN:VTIMEZONE");
    out.text("TZID", &zone.name);
    for part in &zone.observances {
        let kind = if part.offset_to > part.offset_from { "DAYLIGHT" } else { "STANDARD" };
        out.line(&format!("BEGIN:{kind}"));
        write_part(part, out);
        out.line(&format!("END:{kind}"));
    }
    out.line("END:VTIMEZONE");
}

fn write_part(part: &Observance, out: &mut Lines) {
    out.line(&format!("DTSTART:{}", wall(part.start)));
    out.line(&format!("TZOFFSETFROM:{}", offset(part.offset_from)));
    out.line(&format!("TZOFFSETTO:{}", offset(part.offset_to)));
    for rule in &part.rules {
        out.line(&format!("RRULE:{}", plain(rule)));
    }
    for date in &part.dates {
        out.line(&format!("RDATE:{}", wall(*date)));
    }
}

/// Content lines, folded as they come.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Folds after at most 75 octets and never inside a character.
    fn line(&mut self, line: &str) {
        let mut rest = line;
        let mut room = FOLD;
        while rest.len() > room {
            let cut = (1..=room).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            self.text.push_str(&rest[..cut]);
            self.text.push_str("\r\n ");
            rest = &rest[cut..];
            room = FOLD - 1;
        }
        self.text.push_str(rest);
        self.text.push_str("\r\n");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.line(&format!("{name}:{}", escaped(text)));
    }

    fn time(&mut self, name: &str, parameters: &[&str], when: &When) {
        let mut line = name.to_owned();
        for parameter in parameters {
            let _ = write!(line, ";{parameter}");
        }
        if let When::Date(_) = when {
            line.push_str(";VALUE=DATE");
        }
        line.push_str(&zone_parameter(when));
        self.line(&format!("{line}:{}", moment(when)));
    }

    fn extra_date(&mut self, date: &ExtraDate) {
        let end = match &date.end {
            End::Unstated => return self.time("RDATE", &[], &date.start),
            End::At(end) => moment(end),
            End::Lasting { days, seconds } => duration(*days, *seconds),
        };
        let zone = zone_parameter(&date.start);
        self.line(&format!("RDATE;VALUE=PERIOD{zone}:{}/{end}", moment(&date.start)));
    }
}

fn zone_parameter(when: &When) -> String {
    let When::Zoned { zone, .. } = when else { return String::new() };
    let name: String = name_of(zone).chars().filter(|c| !c.is_control() && *c != '"').collect();
    if name.contains([':', ';', ',']) { format!(";TZID=\"{name}\"") } else { format!(";TZID={name}") }
}

fn name_of(zone: &Zone) -> &str {
    match zone {
        Zone::Iana(name) | Zone::Unknown(name) => name,
        Zone::Given(given) => &given.name,
    }
}

fn moment(when: &When) -> String {
    match when {
        When::Date(date) => date.strftime("%Y%m%d").to_string(),
        When::Utc(instant) => utc(*instant),
        When::Zoned { wall: time, .. } | When::Floating(time) => wall(*time),
    }
}

fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn wall(time: DateTime) -> String {
    time.strftime("%Y%m%dT%H%M%S").to_string()
}

fn duration(days: i32, seconds: i64) -> String {
    let sign = if days < 0 || seconds < 0 { "-" } else { "" };
    match (days.unsigned_abs(), seconds.unsigned_abs()) {
        (0, seconds) => format!("{sign}PT{seconds}S"),
        (days, 0) => format!("{sign}P{days}D"),
        (days, seconds) => format!("{sign}P{days}DT{seconds}S"),
    }
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let rest = seconds.abs();
    let mut text = format!("{sign}{:02}{:02}", rest / 3_600, rest / 60 % 60);
    if rest % 60 != 0 {
        let _ = write!(text, "{:02}", rest % 60);
    }
    text
}

/// RFC 5545 §3.3.11. Characters that no line may hold are dropped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.push_str("\\n"),
            '\t' => out.push('\t'),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn method_word(method: Method) -> &'static str {
    match method {
        Method::Publish => "PUBLISH",
        Method::Request => "REQUEST",
        Method::Reply => "REPLY",
        Method::Add => "ADD",
        Method::Cancel => "CANCEL",
        Method::Refresh => "REFRESH",
        Method::Counter => "COUNTER",
        Method::DeclineCounter => "DECLINECOUNTER",
    }
}

fn shown_word(shown: ShownAs) -> &'static str {
    match shown {
        ShownAs::Free => "FREE",
        ShownAs::Tentative => "TENTATIVE",
        ShownAs::Busy => "BUSY",
        ShownAs::OutOfOffice => "OOF",
        ShownAs::WorkingElsewhere => "WORKINGELSEWHERE",
    }
}
