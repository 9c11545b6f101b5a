//! Outlook's recurrence: a pattern and a range, which say less than an RRULE and are checked more closely.

use calendar::zone::Zone;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::moment::{GraphZone, Moment};
use super::refusal::Refusal;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SHORT: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];
/// How far the first day that fits may lie from the day that was named.
const FIRST_WITHIN_DAYS: i64 = 6 * 366;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    kind: Kind,
    interval: u32,
    month: i8,
    day: i8,
    /// Monday is 0.
    days: Vec<usize>,
    first_day: usize,
    /// Into [`INDEXES`].
    index: usize,
    starts: Date,
    range: Range,
    /// As it was named.
    zone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Daily,
    Weekly,
    AbsoluteMonthly,
    RelativeMonthly,
    AbsoluteYearly,
    RelativeYearly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Range {
    EndDate(Date),
    NoEnd,
    Numbered(u32),
}

impl Recurrence {
    /// # Errors
    /// As Graph refuses.
    pub fn read(value: &Value, start: &Moment) -> Result<Self, Refusal> {
        let part =
            |name: &str| value.get(name).filter(|part| part.is_object()).ok_or_else(Refusal::validation);
        let (pattern, range) = (part("pattern")?, part("range")?);
        let kind = match word(pattern, "type")? {
            "daily" => Kind::Daily,
            "weekly" => Kind::Weekly,
            "absoluteMonthly" => Kind::AbsoluteMonthly,
            "relativeMonthly" => Kind::RelativeMonthly,
            "absoluteYearly" => Kind::AbsoluteYearly,
            "relativeYearly" => Kind::RelativeYearly,
            other => return Err(enumeration(other)),
        };
        let number = |of: &Value, name: &str| match of.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(Refusal::validation),
        };
        let days = pattern.get("daysOfWeek").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut days: Vec<usize> = days.iter().map(day_of_week).collect::<Result<_, _>>()?;
        days.sort_unstable();
        days.dedup();
        let first_day = match pattern.get("firstDayOfWeek") {
            None | Some(Value::Null) => 6,
            Some(day) => day_of_week(day)?,
        };
        let index = match pattern.get("index") {
            None | Some(Value::Null) => 0,
            Some(word) => {
                let word = word.as_str().unwrap_or_default();
                INDEXES.iter().position(|known| *known == word).ok_or_else(|| enumeration(word))?
            }
        };
        let starts = date(range, "startDate")?.ok_or_else(Refusal::validation)?;
        // The range starts on the day that the event starts, by the words of the reference.
        if starts != start.wall.date() {
            return Err(Refusal::validation());
        }
        let range = match word(range, "type")? {
            "noEnd" => Range::NoEnd,
            "endDate" => match date(range, "endDate")? {
                Some(end) if end >= starts => Range::EndDate(end),
                Some(_) | None => return Err(Refusal::validation()),
            },
            "numbered" => match number(range, "numberOfOccurrences")?.and_then(|n| u32::try_from(n).ok()) {
                Some(count) if (1..=999).contains(&count) => Range::Numbered(count),
                Some(_) | None => return Err(Refusal::validation()),
            },
            other => return Err(enumeration(other)),
        };
        let zone = match value.get("range").and_then(|range| range.get("recurrenceTimeZone")) {
            None | Some(Value::Null) => start.zone.clone(),
            Some(name) => {
                let name = name.as_str().unwrap_or_default();
                GraphZone::named(name).ok_or_else(Refusal::validation)?.name().to_owned()
            }
        };
        let small = |value: Option<i64>| value.and_then(|n| i8::try_from(n).ok()).unwrap_or(0);
        let read = Self {
            kind,
            interval: number(pattern, "interval")?.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            month: small(number(pattern, "month")?),
            day: small(number(pattern, "dayOfMonth")?),
            days,
            first_day,
            index,
            starts,
            range,
            zone,
        };
        if read.is_whole() { Ok(read) } else { Err(Refusal::validation()) }
    }

    fn is_whole(&self) -> bool {
        let (day, month) = ((1..=31).contains(&self.day), (1..=12).contains(&self.month));
        let parts = match self.kind {
            Kind::Daily => true,
            Kind::Weekly | Kind::RelativeMonthly => !self.days.is_empty(),
            Kind::AbsoluteMonthly => day,
            Kind::AbsoluteYearly => day && month,
            Kind::RelativeYearly => !self.days.is_empty() && month,
        };
        parts && (1..=99).contains(&self.interval)
    }

    /// The first day of the series: the one named, or the next that the pattern meets.
    #[must_use]
    pub fn first_day(&self) -> Option<Date> {
        let days = (0..FIRST_WITHIN_DAYS).filter_map(|days| self.starts.checked_add(days.days()).ok());
        days.into_iter().find(|date| self.meets(*date))
    }

    fn meets(&self, date: Date) -> bool {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let counted = || {
            let of_kind: Vec<Date> = (0..date.days_in_month())
                .filter_map(|day| date.with().day(day + 1).build().ok())
                .filter(|day| {
                    self.days.contains(&usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0))
                })
                .collect();
            let wanted = if self.index == 4 { of_kind.last() } else { of_kind.get(self.index) };
            wanted == Some(&date)
        };
        let on_day = || date.day() == self.day.min(date.days_in_month());
        match self.kind {
            Kind::Daily => true,
            Kind::Weekly => self.days.contains(&weekday),
            Kind::AbsoluteMonthly => on_day(),
            Kind::RelativeMonthly => counted(),
            Kind::AbsoluteYearly => date.month() == self.month && on_day(),
            Kind::RelativeYearly => date.month() == self.month && counted(),
        }
    }

    /// The same in RFC 5545's words, to be expanded from the series' first day.
    #[must_use]
    pub fn rule(&self, all_day: bool) -> String {
        let days = || self.days.iter().map(|day| SHORT[*day]).collect::<Vec<_>>().join(",");
        let place = || if self.index == 4 { "-1".to_owned() } else { (self.index + 1).to_string() };
        // Where a month is too short, Outlook takes its last day.
        let on_day = || match self.day {
            day @ ..=28 => format!("BYMONTHDAY={day}"),
            day => {
                let days: Vec<String> = (28..=day).map(|day| day.to_string()).collect();
                format!("BYMONTHDAY={};BYSETPOS=-1", days.join(","))
            }
        };
        let (frequency, parts) = match self.kind {
            Kind::Daily => ("DAILY", String::new()),
            Kind::Weekly => ("WEEKLY", format!(";BYDAY={};WKST={}", days(), SHORT[self.first_day])),
            Kind::AbsoluteMonthly => ("MONTHLY", format!(";{}", on_day())),
            Kind::RelativeMonthly => ("MONTHLY", format!(";BYDAY={};BYSETPOS={}", days(), place())),
            Kind::AbsoluteYearly => ("YEARLY", format!(";BYMONTH={};{}", self.month, on_day())),
            Kind::RelativeYearly => {
                ("YEARLY", format!(";BYMONTH={};BYDAY={};BYSETPOS={}", self.month, days(), place()))
            }
        };
        let end = match self.range {
            Range::NoEnd => String::new(),
            Range::Numbered(count) => format!(";COUNT={count}"),
            Range::EndDate(date) if all_day => format!(";UNTIL={}", date.strftime("%Y%m%d")),
            Range::EndDate(date) => {
                let zone = GraphZone::named(&self.zone).map_or(TimeZone::UTC, |zone| zone.zone().clone());
                let last = date.at(23, 59, 59, 0).to_zoned(zone);
                let last = last.map_or(Timestamp::MAX, |last| last.timestamp());
                format!(";UNTIL={}", last.strftime("%Y%m%dT%H%M%SZ"))
            }
        };
        format!("FREQ={frequency};INTERVAL={}{parts}{end}", self.interval)
    }

    /// As Graph tells it: every part, also those that the type makes no use of.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let mut pattern = json!({"type": self.kind, "interval": self.interval, "month": self.month,
            "dayOfMonth": self.day, "firstDayOfWeek": DAYS[self.first_day], "index": INDEXES[self.index]});
        if !self.days.is_empty() {
            pattern["daysOfWeek"] = self.days.iter().map(|day| json!(DAYS[*day])).collect();
        }
        let (kind, end, count) = match self.range {
            Range::EndDate(date) => ("endDate", date.to_string(), 0),
            Range::NoEnd => ("noEnd", "0001-01-01".to_owned(), 0),
            Range::Numbered(count) => ("numbered", "0001-01-01".to_owned(), count),
        };
        let range = json!({"type": kind, "startDate": self.starts.to_string(), "endDate": end,
            "recurrenceTimeZone": self.zone, "numberOfOccurrences": count});
        json!({"pattern": pattern, "range": range})
    }

    /// The zone that the series keeps its hour in.
    #[must_use]
    pub fn calendar_zone(&self, start: &Moment) -> Zone {
        let zone = start.graph_zone();
        zone.zone().iana_name().map_or_else(|| Zone::Iana("UTC".to_owned()), Zone::named)
    }

    /// For seeds: every week on these days.
    #[must_use]
    pub fn weekly(days: &[Weekday], starts: Date, zone: &str) -> Self {
        let days = days.iter().map(|day| usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)).collect();
        let zone = zone.to_owned();
        Self {
            kind: Kind::Weekly,
            interval: 1,
            month: 0,
            day: 0,
            days,
            first_day: 6,
            index: 0,
            starts,
            range: Range::NoEnd,
            zone,
        }
    }
}

fn word<'a>(of: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    of.get(name).and_then(Value::as_str).ok_or_else(Refusal::validation)
}

fn day_of_week(value: &Value) -> Result<usize, Refusal> {
    let word = value.as_str().unwrap_or_default();
    DAYS.iter().position(|day| *day == word).ok_or_else(|| enumeration(word))
}

fn date(of: &Value, name: &str) -> Result<Option<Date>, Refusal> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() == 10 => text
            .parse()
            .map(Some)
            .map_err(|_| Refusal::body_read("Cannot convert the literal to the expected type 'Edm.Date'.")),
        Some(_) => Err(Refusal::body_read("Cannot convert the literal to the expected type 'Edm.Date'.")),
    }
}

fn enumeration(word: &str) -> Refusal {
    Refusal::body_read(format!("Requested value '{word}' was not found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: Value, range: Value, start: &str) -> Result<Recurrence, Refusal> {
        let start = Moment::read(&json!({"dateTime": start, "timeZone": "Eastern Standard Time"}))?;
        Recurrence::read(&json!({"pattern": pattern, "range": range}), &start)
    }

    #[test]
    fn every_kind_of_pattern_is_a_rule() {
        let check = |pattern: Value, rule: &str| {
            let range = json!({"type": "noEnd", "startDate": "2026-12-01"});
            let read = read(pattern, range, "2026-12-01T10:00:00").unwrap();
            assert_eq!(read.rule(false), rule);
        };
        check(json!({"type": "daily", "interval": 2}), "FREQ=DAILY;INTERVAL=2");
        check(
            json!({"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday", "monday"]}),
            "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU;WKST=SU",
        );
        check(
            json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
            "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        );
        check(
            json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"}),
            "FREQ=MONTHLY;INTERVAL=1;BYDAY=FR;BYSETPOS=-1",
        );
        check(
            json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 24, "month": 12}),
            "FREQ=YEARLY;INTERVAL=1;BYMONTH=12;BYMONTHDAY=24",
        );
        check(
            json!({"type": "relativeYearly", "interval": 1, "month": 3, "daysOfWeek": ["sunday"], "index": "second"}),
            "FREQ=YEARLY;INTERVAL=1;BYMONTH=3;BYDAY=SU;BYSETPOS=2",
        );
    }

    #[test]
    fn a_range_starts_with_the_event_and_ends_by_local_days() {
        let daily = json!({"type": "daily", "interval": 1});
        let check = |range: Value| read(daily.clone(), range, "2026-12-01T10:00:00");
        let until =
            check(json!({"type": "endDate", "startDate": "2026-12-01", "endDate": "2026-12-05"})).unwrap();
        assert_eq!(until.rule(false), "FREQ=DAILY;INTERVAL=1;UNTIL=20261206T045959Z");
        let counted =
            check(json!({"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3})).unwrap();
        assert_eq!(counted.rule(false), "FREQ=DAILY;INTERVAL=1;COUNT=3");
        for refused in [
            json!({"type": "noEnd", "startDate": "2026-12-02"}),
            json!({"type": "endDate", "startDate": "2026-12-01", "endDate": "2026-11-30"}),
            json!({"type": "numbered", "startDate": "2026-12-01"}),
            json!({"type": "always", "startDate": "2026-12-01"}),
        ] {
            assert!(check(refused.clone()).is_err(), "{refused}");
        }
        assert!(
            read(
                json!({"type": "weekly", "interval": 1}),
                json!({"type": "noEnd", "startDate": "2026-12-01"}),
                "2026-12-01T10:00:00"
            )
            .is_err()
        );
    }

    #[test]
    fn a_series_begins_on_the_first_day_that_its_pattern_meets() {
        let range = json!({"type": "noEnd", "startDate": "2026-12-01"});
        let friday = json!({"type": "weekly", "interval": 1, "daysOfWeek": ["friday"]});
        let read = read(friday, range, "2026-12-01T10:00:00").unwrap();
        assert_eq!(read.first_day(), Some(jiff::civil::date(2026, 12, 4)));
    }
}
