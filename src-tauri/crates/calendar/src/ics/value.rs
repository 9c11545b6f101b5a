//! Dates, times, durations and periods as text (RFC 5545 §3.3), forgiving in form. Zones stay names here.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::property::Property;
use crate::event::{End, ExtraDate, When};
use crate::recurrence::civil::{self, DAY};
use crate::recurrence::{compact_date, compact_time};
use crate::zone::Zone;

/// A single moment. Its zone is a name still to be placed.
pub fn when(property: &Property<'_>) -> Option<When> {
    one(&property.value(), property)
}

/// A list of moments; those that cannot be read are counted.
pub fn whens(property: &Property<'_>, most: usize) -> (Vec<When>, usize) {
    let value = property.value();
    let mut list = Vec::new();
    let mut unread = 0;
    for item in items(&value).take(most) {
        match one(item, property) {
            Some(when) => list.push(when),
            None => unread += 1,
        }
    }
    (list, unread)
}

/// A list of RDATE values, periods among them.
pub fn extra_dates(property: &Property<'_>, most: usize) -> (Vec<ExtraDate>, usize) {
    let value = property.value();
    let mut list = Vec::new();
    let mut unread = 0;
    for item in items(&value).take(most) {
        match period(item, property) {
            Some(date) => list.push(date),
            None => unread += 1,
        }
    }
    (list, unread)
}

/// `start/end`, `start/duration`, or a start alone.
pub fn period(item: &str, property: &Property<'_>) -> Option<ExtraDate> {
    let Some((start, end)) = item.split_once('/') else {
        return Some(ExtraDate { start: one(item, property)?, end: End::Unstated });
    };
    let start = one(start, property)?;
    let end = match duration(end) {
        Some((days, seconds)) => End::Lasting { days, seconds },
        None => End::At(one(end, property)?),
    };
    Some(ExtraDate { start, end })
}

/// Days and seconds. The sign may stand before or after the P, and weeks beside other parts.
pub fn duration(text: &str) -> Option<(i32, i64)> {
    let text = text.trim().to_ascii_uppercase();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let text = text.strip_prefix('P')?;
    let (negative, text) = text.strip_prefix('-').map_or((negative, text), |rest| (!negative, rest));
    let (mut days, mut seconds, mut number) = (0_i64, 0_i64, None::<i64>);
    let mut parts = 0;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
            continue;
        }
        if c == 'T' {
            continue;
        }
        let value = number.take()?;
        parts += 1;
        match c {
            'W' => days = days.checked_add(value.checked_mul(7)?)?,
            'D' => days = days.checked_add(value)?,
            'H' => seconds = seconds.checked_add(value.checked_mul(3_600)?)?,
            'M' => seconds = seconds.checked_add(value.checked_mul(60)?)?,
            'S' => seconds = seconds.checked_add(value)?,
            _ => return None,
        }
    }
    if number.is_some() || parts == 0 || days > 36_525 || seconds > 36_525 * DAY {
        return None;
    }
    let sign = if negative { -1 } else { 1 };
    Some((i32::try_from(days * sign).ok()?, seconds * sign))
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    // vCalendar 1.0 separates with semicolons.
    value.split([',', ';']).map(str::trim).filter(|item| !item.is_empty())
}

fn one(text: &str, property: &Property<'_>) -> Option<When> {
    let text = text.trim();
    let as_date = property.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DATE"));
    match usual(text).or_else(|| moment(text))? {
        Moment::Date(wall) => Some(When::Date(wall.date())),
        Moment::Utc(_, wall) | Moment::Wall(wall) if as_date => Some(When::Date(wall.date())),
        Moment::Utc(instant, _) => Some(When::Utc(instant)),
        Moment::Wall(wall) => match property.parameter("TZID") {
            Some(name) if !name.is_empty() => {
                Some(When::Zoned { wall, zone: Zone::Unknown(name.into_owned()) })
            }
            Some(_) | None => Some(When::Floating(wall)),
        },
    }
}

enum Moment {
    Date(DateTime),
    Utc(Timestamp, DateTime),
    Wall(DateTime),
}

/// `20260710`, `20260710T100000` and `20260710T100000Z`, as nearly all are written; what else there is takes longer.
fn usual(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits
            .iter()
            .try_fold(0_i16, |number, b| b.is_ascii_digit().then(|| number * 10 + i16::from(b - b'0')))
    };
    let pair = |from: usize| i8::try_from(number(from, from + 2)?).ok();
    let date = Date::new(number(0, 4)?, pair(4)?, pair(6)?).ok()?;
    let utc = match bytes.get(8..) {
        Some([]) => return Some(Moment::Date(date.at(0, 0, 0, 0))),
        Some([b'T', _, _, _, _, _, _]) => false,
        Some([b'T', _, _, _, _, _, _, b'Z']) => true,
        Some(_) | None => return None,
    };
    let wall = date.to_datetime(Time::new(pair(9)?, pair(11)?, pair(13)?, 0).ok()?);
    if utc {
        return Timestamp::from_second(civil::of_datetime(wall))
            .ok()
            .map(|instant| Moment::Utc(instant, wall));
    }
    Some(Moment::Wall(wall))
}

/// `20260710`, `20260710T1000`, `20260710T100000Z`, `2026-07-10T10:00:00.000+02:00`, and T24 for the next midnight.
fn moment(text: &str) -> Option<Moment> {
    let upper = text.trim_matches(['"', '\'', ' ']).to_ascii_uppercase();
    let (date, time) = match upper.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        // A date has no zone, whatever is written after it.
        None => (upper.strip_suffix('Z').unwrap_or(&upper), None),
    };
    let date = compact_date(&date.replace('-', ""))?;
    let Some(time) = time.filter(|time| !time.is_empty()) else {
        return Some(Moment::Date(date.at(0, 0, 0, 0)));
    };
    let (time, offset) = match time.strip_suffix('Z') {
        Some(time) => (time, Some(0)),
        None => match time.find(['+', '-']) {
            Some(at) => (&time[..at], Some(offset(&time[at..])?)),
            None => (time, None),
        },
    };
    let digits = time.replace(':', "");
    let digits = digits.split_once('.').map_or(digits.as_str(), |(whole, _)| whole);
    let wall = if digits.starts_with("24") && digits[2..].bytes().all(|b| b == b'0') {
        date.tomorrow().ok()?.at(0, 0, 0, 0)
    } else {
        date.to_datetime(compact_time(digits)?)
    };
    match offset {
        None => Some(Moment::Wall(wall)),
        Some(seconds) => {
            let zone = TimeZone::fixed(Offset::from_seconds(seconds).ok()?);
            Some(Moment::Utc(zone.to_timestamp(wall).ok()?, wall))
        }
    }
}

/// `+0100`, `-05:30`, `+01`, `+005328` as seconds east of UTC.
pub fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        b'0'..=b'9' => (1, text),
        _ => return None,
    };
    let digits = digits.replace([':', '.'], "");
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = match digits.len() {
        1 => (part(0, 1)?, 0, 0),
        2 => (part(0, 2)?, 0, 0),
        3 => (part(0, 1)?, part(1, 3)?, 0),
        4 => (part(0, 2)?, part(2, 4)?, 0),
        6 => (part(0, 2)?, part(2, 4)?, part(4, 6)?),
        _ => return None,
    };
    let total = hours * 3_600 + minutes * 60 + seconds;
    (hours <= 25 && minutes < 60 && seconds < 60).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<When> {
        when(&Property::parse(line.as_bytes()).unwrap())
    }

    #[test]
    fn a_moment_is_read_in_every_form_that_is_seen() {
        let date = |text: &str| Some(When::Date(text.parse().unwrap()));
        let utc = |text: &str| Some(When::Utc(text.parse().unwrap()));
        let floating = |text: &str| Some(When::Floating(text.parse().unwrap()));
        assert_eq!(read("DTSTART:20260710"), date("2026-07-10"));
        assert_eq!(read("DTSTART:20260710Z"), date("2026-07-10"));
        assert_eq!(read("DTSTART:20260710T100000Z\""), utc("2026-07-10T10:00:00Z"));
        assert_eq!(read("DTSTART;VALUE=DATE:20260710T000000"), date("2026-07-10"));
        assert_eq!(read("DTSTART:20260710T100000Z"), utc("2026-07-10T10:00:00Z"));
        assert_eq!(read("DTSTART;TZID=Europe/Berlin:20260710t100000z"), utc("2026-07-10T10:00:00Z"));
        assert_eq!(read("DTSTART:2026-07-10T10:00:00.000+02:00"), utc("2026-07-10T08:00:00Z"));
        assert_eq!(read("DTSTART;TZID=:20260710T1000"), floating("2026-07-10T10:00"));
        assert_eq!(read("DTSTART:20260710T240000"), floating("2026-07-11T00:00"));
        assert_eq!(read("DTSTART:20260710T235960"), floating("2026-07-10T23:59:59"));
        for bad in
            ["DTSTART:", "DTSTART:20261310", "DTSTART:20260710T", "DTSTART:20260710T25", "DTSTART:tomorrow"]
        {
            assert!(matches!(read(bad), None | Some(When::Date(_))), "{bad}");
        }
    }

    #[test]
    fn durations_are_civil_days_and_exact_seconds() {
        assert_eq!(duration("P1W"), Some((7, 0)));
        assert_eq!(duration("P1DT2H3M4S"), Some((1, 7_384)));
        assert_eq!(duration("-PT15M"), Some((0, -900)));
        assert_eq!(duration("+P0D"), Some((0, 0)));
        for bad in ["", "P", "PT", "P1", "1H", "PT1X", "P99999999999999999999D"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn offsets_are_read_with_or_without_punctuation() {
        assert_eq!(offset("+0100"), Some(3_600));
        assert_eq!(offset("-05:30"), Some(-19_800));
        assert_eq!(offset("+1"), Some(3_600));
        assert_eq!(offset("-000420"), Some(-260));
        assert_eq!(offset("west"), None);
    }
}
