//! Reads the text of one RRULE or EXRULE into numbers, forgiving in form and strict in meaning: a part it does not
//! understand would change the dates, so it refuses the rule.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// UNTIL as it was written; what it means depends on DTSTART.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    Date(Date),
    Local(DateTime),
    Utc(Timestamp),
}

/// BYDAY: the weekday (Monday is 0), and which one of the month or year; 0 is every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByDay {
    pub nth: i64,
    pub weekday: i64,
}

/// One rule. Lists are empty where the part is absent; the time lists are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub frequency: Frequency,
    pub interval: i64,
    pub count: Option<u64>,
    pub until: Option<Until>,
    pub by_second: Vec<i64>,
    pub by_minute: Vec<i64>,
    pub by_hour: Vec<i64>,
    pub by_day: Vec<ByDay>,
    pub by_month_day: Vec<i64>,
    pub by_year_day: Vec<i64>,
    pub by_week_no: Vec<i64>,
    pub by_month: Vec<i64>,
    pub by_set_pos: Vec<i64>,
    /// Monday is 0.
    pub week_start: i64,
}

/// Why a rule cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    #[error("the rule has no FREQ that RFC 5545 knows")]
    NoFrequency,
    #[error("the rule's {part} cannot be read: {value:?}")]
    BadPart { part: String, value: String },
    #[error("the rule uses {0}, which this app cannot expand")]
    Unsupported(String),
    #[error("the rule is longer than any real one")]
    TooLong,
}

const MAX_TEXT: usize = 8_192;

impl Rule {
    /// Reads the value of an RRULE.
    ///
    /// # Errors
    /// [`BadRule`] when a part is unknown or out of range.
    pub fn parse(text: &str) -> Result<Self, BadRule> {
        if text.len() > MAX_TEXT {
            return Err(BadRule::TooLong);
        }
        let text = text.trim();
        let text = strip_prefix_ignoring_case(text, "RRULE:").unwrap_or(text);
        let mut rule = Self::daily();
        let mut has_frequency = false;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(bad("part", part));
            };
            let name = name.trim().to_ascii_uppercase();
            has_frequency |= name == "FREQ";
            rule.read_part(&name, value.trim())?;
        }
        if !has_frequency {
            return Err(BadRule::NoFrequency);
        }
        for list in [
            &mut rule.by_second,
            &mut rule.by_minute,
            &mut rule.by_hour,
            &mut rule.by_month_day,
            &mut rule.by_year_day,
            &mut rule.by_week_no,
            &mut rule.by_month,
            &mut rule.by_set_pos,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        Ok(rule)
    }

    /// Whether instances may fall at another time of day than DTSTART.
    #[must_use]
    pub fn varies_within_day(&self) -> bool {
        self.frequency < Frequency::Daily
            || !self.by_hour.is_empty()
            || !self.by_minute.is_empty()
            || !self.by_second.is_empty()
    }

    fn daily() -> Self {
        Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_second: Vec::new(),
            by_minute: Vec::new(),
            by_hour: Vec::new(),
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_year_day: Vec::new(),
            by_week_no: Vec::new(),
            by_month: Vec::new(),
            by_set_pos: Vec::new(),
            week_start: 0,
        }
    }

    fn read_part(&mut self, name: &str, value: &str) -> Result<(), BadRule> {
        match name {
            "FREQ" => self.read_frequency(value)?,
            "INTERVAL" => self.read_interval(value)?,
            "COUNT" => {
                // None, or fewer: writers mean that it does not end.
                let count: i64 = value.parse().map_err(|_| bad(name, value))?;
                self.count = u64::try_from(count).ok().filter(|count| *count > 0);
            }
            "UNTIL" => {
                if !value.is_empty() {
                    self.until = Some(until(value).ok_or_else(|| bad(name, value))?);
                }
            }
            "BYSECOND" => {
                self.by_second = numbers(name, value, 0, 60)?;
                self.by_second.iter_mut().for_each(|second| *second = (*second).min(59));
            }
            "BYMINUTE" => self.by_minute = numbers(name, value, 0, 59)?,
            "BYHOUR" => self.by_hour = numbers(name, value, 0, 23)?,
            "BYDAY" => self.by_day = weekdays(value)?,
            "BYMONTHDAY" => self.by_month_day = positions(name, value, 31)?,
            "BYYEARDAY" => self.by_year_day = positions(name, value, 366)?,
            "BYWEEKNO" => self.by_week_no = positions(name, value, 53)?,
            "BYMONTH" => self.by_month = numbers(name, value, 1, 12)?,
            "BYSETPOS" => self.by_set_pos = positions(name, value, 1_000_000)?,
            "WKST" => self.week_start = weekday(value).ok_or_else(|| bad(name, value))?,
            "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
            "SKIP" if value.eq_ignore_ascii_case("OMIT") => {}
            _ if name.starts_with("X-") => {}
            _ => return Err(BadRule::Unsupported(format!("{name}={value}"))),
        }
        Ok(())
    }

    fn read_frequency(&mut self, value: &str) -> Result<(), BadRule> {
        self.frequency = match value.to_ascii_uppercase().as_str() {
            "SECONDLY" => Frequency::Secondly,
            "MINUTELY" => Frequency::Minutely,
            "HOURLY" => Frequency::Hourly,
            "DAILY" => Frequency::Daily,
            "WEEKLY" => Frequency::Weekly,
            "MONTHLY" => Frequency::Monthly,
            "YEARLY" => Frequency::Yearly,
            _ => return Err(BadRule::NoFrequency),
        };
        Ok(())
    }

    fn read_interval(&mut self, value: &str) -> Result<(), BadRule> {
        let interval: u32 = value.parse().map_err(|_| bad("INTERVAL", value))?;
        self.interval = i64::from(interval.max(1));
        Ok(())
    }
}

fn bad(part: &str, value: &str) -> BadRule {
    BadRule::BadPart { part: part.to_owned(), value: value.chars().take(60).collect() }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn numbers(part: &str, value: &str, least: i64, most: i64) -> Result<Vec<i64>, BadRule> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            let number: i64 = item.parse().map_err(|_| bad(part, value))?;
            if (least..=most).contains(&number) { Ok(number) } else { Err(bad(part, value)) }
        })
        .collect()
}

/// Positions count from either end, so there is no position 0.
fn positions(part: &str, value: &str, most: i64) -> Result<Vec<i64>, BadRule> {
    let list = numbers(part, value, -most, most)?;
    if list.contains(&0) { Err(bad(part, value)) } else { Ok(list) }
}

fn weekdays(value: &str) -> Result<Vec<ByDay>, BadRule> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            let split = item.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| bad("BYDAY", value))?;
            let (nth, name) = item.split_at(split);
            let nth = match nth.trim() {
                "" => 0,
                digits => digits.parse::<i64>().map_err(|_| bad("BYDAY", value))?,
            };
            let weekday = weekday(name).ok_or_else(|| bad("BYDAY", value))?;
            if (-53..=53).contains(&nth) { Ok(ByDay { nth, weekday }) } else { Err(bad("BYDAY", value)) }
        })
        .collect()
}

fn weekday(name: &str) -> Option<i64> {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name.trim()))
        .and_then(|index| i64::try_from(index).ok())
}

/// Reads `20260713`, `20260713T220000` and `20260713T220000Z`, with or without ISO 8601 punctuation.
fn until(value: &str) -> Option<Until> {
    let compact: String = value.chars().filter(|c| !matches!(c, '-' | ':' | ' ')).collect();
    let upper = compact.to_ascii_uppercase();
    let (digits, utc) = upper.strip_suffix('Z').map_or((upper.as_str(), false), |rest| (rest, true));
    let (date, time) = digits.split_once('T').map_or((digits, None), |(date, time)| (date, Some(time)));
    let date = compact_date(date)?;
    let Some(time) = time else { return Some(Until::Date(date)) };
    let wall = date.to_datetime(compact_time(time)?);
    if utc {
        return TimeZone::UTC.to_timestamp(wall).ok().map(Until::Utc);
    }
    Some(Until::Local(wall))
}

pub(crate) fn compact_date(digits: &str) -> Option<Date> {
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Date::new(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?).ok()
}

/// `HHMMSS` or `HHMM`; the leap second 60 counts as 59 (§3.3.12).
pub(crate) fn compact_time(digits: &str) -> Option<jiff::civil::Time> {
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let second: i8 = digits.get(4..6).map_or(Ok(0), str::parse).ok()?;
    let second = if second == 60 { 59 } else { second };
    jiff::civil::Time::new(digits[..2].parse().ok()?, digits[2..4].parse().ok()?, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_forgiven() {
        let rule = Rule::parse("rrule:interval=2; freq=weekly ;byday=mo, -1we;;").unwrap();
        assert_eq!((rule.frequency, rule.interval), (Frequency::Weekly, 2));
        assert_eq!(rule.by_day, vec![ByDay { nth: 0, weekday: 0 }, ByDay { nth: -1, weekday: 2 }]);
    }

    #[test]
    fn meaning_is_not_guessed() {
        for text in [
            "",
            "FREQ=FORTNIGHTLY",
            "INTERVAL=2",
            "FREQ=DAILY;BYEASTER=1",
            "FREQ=YEARLY;RSCALE=CHINESE",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD",
            "FREQ=DAILY;BYHOUR=24",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=DAILY;COUNT=many",
            "FREQ=DAILY;INTERVAL=x",
        ] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn until_is_a_date_a_local_time_or_an_instant() {
        let read = |text: &str| Rule::parse(&format!("FREQ=DAILY;UNTIL={text}")).unwrap().until.unwrap();
        assert_eq!(read("20260713"), Until::Date(jiff::civil::date(2026, 7, 13)));
        assert_eq!(read("20260713T100000"), Until::Local(jiff::civil::date(2026, 7, 13).at(10, 0, 0, 0)));
        assert_eq!(read("2026-07-13T10:00:00Z"), Until::Utc("2026-07-13T10:00:00Z".parse().unwrap()));
    }
}
