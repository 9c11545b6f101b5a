//! A salon's calendar of two years as programs export it: zones with their rules, folds, guests, alarms, series. The
//! same bytes for the same number of events.

use std::fmt::Write;

use jiff::civil::{DateTime, date};
use jiff::{Span, ToSpan};

use crate::Done;
use crate::chance::Chance;

const ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:Europe/Bucharest\r\nX-LIC-LOCATION:Europe/Bucharest\r\nBEGIN:DAYLIGHT\r\n\
    TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0300\r\nTZNAME:EEST\r\nDTSTART:19970330T030000\r\n\
    RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0300\r\n\
    TZOFFSETTO:+0200\r\nTZNAME:EET\r\nDTSTART:19971026T040000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n\
    END:STANDARD\r\nEND:VTIMEZONE\r\n";
const RULES: [&str; 6] = [
    "FREQ=WEEKLY;COUNT=12",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=24",
    "FREQ=DAILY;COUNT=10",
    "FREQ=MONTHLY;BYDAY=2TU;COUNT=6",
    "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=6",
    "FREQ=YEARLY;COUNT=3",
];
const WORDS: [&str; 24] = [
    "colour",
    "cut",
    "massage",
    "review",
    "planning",
    "deep",
    "tissue",
    "client",
    "invoice",
    "room",
    "lesson",
    "dentist",
    "fitting",
    "rehearsal",
    "with",
    "and",
    "before",
    "the",
    "second",
    "visit",
    "caf\u{e9}",
    "m\u{e2}ine",
    "bring",
    "photographs",
];

pub fn write(events: &str, path: &str) -> Done {
    let events: u64 = events.parse()?;
    let mut out = String::from(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bookiji//Bench 1//EN\r\nCALSCALE:GREGORIAN\r\n",
    );
    out.push_str(ZONE);
    let mut chance = Chance::new(7);
    for number in 0..events {
        event(number, &mut chance, &mut out);
    }
    out.push_str("END:VCALENDAR\r\n");
    std::fs::write(path, &out)?;
    Ok(format!("{events} events, {:.1} MB", out.len() as f64 / 1e6))
}

fn event(number: u64, chance: &mut Chance, out: &mut String) {
    let day = i64::try_from(chance.below(730)).unwrap_or(0);
    let quarter = i64::try_from(chance.below(40)).unwrap_or(0);
    let start = date(2025, 11, 1).at(8, 0, 0, 0).saturating_add(day.days().minutes(15 * quarter));
    let mut line = |text: &str| fold(text, out);
    line("BEGIN:VEVENT");
    line(&format!("UID:event-{number:06}-{:016x}@salon.example", chance.number()));
    line("DTSTAMP:20251101T120000Z");
    line("CREATED:20250901T100000Z");
    line("LAST-MODIFIED:20251015T090000Z");
    line(&format!("SEQUENCE:{}", chance.below(4)));
    let minutes = *chance.one_of(&[30_i64, 45, 60, 90, 120]);
    let end = start.saturating_add(minutes.minutes());
    match chance.below(100) {
        0..8 => {
            let days: Span = chance.one_of(&[1_i64, 1, 2, 5]).days();
            line(&format!("DTSTART;VALUE=DATE:{}", start.strftime("%Y%m%d")));
            line(&format!("DTEND;VALUE=DATE:{}", start.saturating_add(days).strftime("%Y%m%d")));
        }
        8..25 => {
            line(&format!("DTSTART:{}Z", basic(start)));
            line(&format!("DTEND:{}Z", basic(end)));
        }
        _ => {
            line(&format!("DTSTART;TZID=Europe/Bucharest:{}", basic(start)));
            line(&format!("DTEND;TZID=Europe/Bucharest:{}", basic(end)));
        }
    }
    if chance.percent(15) {
        line(&format!("RRULE:{}", chance.one_of(&RULES)));
    }
    let words = chance.below(4) + 2;
    line(&format!("SUMMARY:{}", text(words, chance)));
    line("LOCATION:Strada Florilor 12\\, Cluj-Napoca");
    let words = chance.below(70) + 5;
    line(&format!("DESCRIPTION:{}", text(words, chance)));
    for guest in 0..*chance.one_of(&[0, 0, 1, 2, 4]) {
        let answer = chance.one_of(&["ACCEPTED", "NEEDS-ACTION", "DECLINED"]);
        line(&format!(
            "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};RSVP=TRUE;CN=Guest {guest}:\
             mailto:guest{guest}.{number}@example.com"
        ));
    }
    line(if chance.percent(80) { "STATUS:CONFIRMED" } else { "STATUS:TENTATIVE" });
    line(if chance.percent(83) { "TRANSP:OPAQUE" } else { "TRANSP:TRANSPARENT" });
    line(&format!("X-SALON-ID:{number}"));
    if chance.percent(30) {
        for part in ["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Reminder", "END:VALARM"]
        {
            line(part);
        }
    }
    line("END:VEVENT");
}

fn text(words: u64, chance: &mut Chance) -> String {
    let mut text = String::new();
    for word in 0..words {
        if word > 0 {
            text.push_str(*chance.one_of(&[" ", " ", " ", " ", "\\n", "\\, "]));
        }
        text.push_str(*chance.one_of(&WORDS));
    }
    text
}

fn basic(time: DateTime) -> String {
    time.strftime("%Y%m%dT%H%M%S").to_string()
}

/// RFC 5545 §3.1: at most 75 octets a line.
fn fold(line: &str, out: &mut String) {
    let (mut rest, mut room) = (line, 75);
    while rest.len() > room {
        let cut = (1..=room).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let _ = write!(out, "{}\r\n ", &rest[..cut]);
        rest = &rest[cut..];
        room = 74;
    }
    let _ = write!(out, "{rest}\r\n");
}
