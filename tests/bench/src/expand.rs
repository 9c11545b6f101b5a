//! Two years of the rules, again and again, on one side; what it came to is the number of occurrences in one pass. The
//! model is made once, the times are worked out in every pass, zone and clock changes included.

use calendar::event::{End, Event, Uid, When};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Done;
use crate::rules::{Age, FROM, Line, TO, ZONE, rules};

pub fn expand(side: &str, passes: &str, age: Age) -> Done {
    let passes: usize = passes.parse()?;
    let lines = rules(age);
    let once: Box<dyn Fn() -> usize> = match side {
        "ours" => ours(&lines)?,
        "calcard" => calcard(&lines)?,
        "rrule" => rrule(&lines)?,
        _ => return Err(format!("no side {side}").into()),
    };
    let mut told = 0;
    for _ in 0..passes {
        told = once();
    }
    Ok(told.to_string())
}

type Pass = Result<Box<dyn Fn() -> usize>, Box<dyn std::error::Error>>;

fn ours(lines: &[Line]) -> Pass {
    let zone = TimeZone::get(ZONE)?;
    let window = Interval::new(zone.to_timestamp(FROM)?, zone.to_timestamp(TO)?).ok_or("no window")?;
    let events: Vec<Event> = lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let start = When::Zoned { wall: line.start, zone: Zone::named(ZONE) };
            let end = End::Lasting { days: 0, seconds: 3_600 };
            let mut event = Event::new(Uid(number.to_string()), start, end);
            event.recurrence.rules.push(line.rule.clone());
            event
        })
        .collect();
    Ok(Box::new(move || calendar::series::expand(&events, window, &zone).instances.len()))
}

fn calcard(lines: &[Line]) -> Pass {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n");
    for (number, line) in lines.iter().enumerate() {
        let start = basic(line.start);
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART;TZID={ZONE}:{start}\r\nDURATION:PT1H\r\nRRULE:{}\r\nEND:VEVENT\r\n",
            line.rule
        ));
    }
    text.push_str("END:VCALENDAR\r\n");
    let calendar = calcard::icalendar::ICalendar::parse(&text).map_err(|entry| format!("{entry:?}"))?;
    Ok(Box::new(move || calendar.expand_dates(calcard::common::timezone::Tz::UTC, 1_000_000).events.len()))
}

fn rrule(lines: &[Line]) -> Pass {
    let zone: rrule::Tz = rrule::Tz::Europe__Bucharest;
    let at = |time: DateTime| {
        use chrono::TimeZone as _;
        let parts =
            (i32::from(time.year()), time.month().unsigned_abs().into(), time.day().unsigned_abs().into());
        zone.with_ymd_and_hms(parts.0, parts.1, parts.2, 0, 0, 0).single().ok_or("no such time")
    };
    let (from, to) = (at(FROM)?, at(TO)?);
    let mut sets = Vec::new();
    for line in lines {
        let text = format!("DTSTART;TZID={ZONE}:{}\nRRULE:{}", basic(line.start), line.rule);
        sets.push(text.parse::<rrule::RRuleSet>()?.after(from).before(to));
    }
    Ok(Box::new(move || sets.iter().map(|set| set.clone().all_unchecked().len()).sum()))
}

fn basic(time: DateTime) -> String {
    time.strftime("%Y%m%dT%H%M%S").to_string()
}
