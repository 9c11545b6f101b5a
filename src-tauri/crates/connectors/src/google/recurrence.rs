//! Google's `recurrence` lines (RRULE, EXRULE, RDATE, EXDATE, no DTSTART) as the model's recurrence.

use calendar::event::{End, ExtraDate, Recurrence, When};
use calendar::zone::Zone;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

/// Reads the lines of one series.
///
/// A line that cannot be read is kept among the rules: no rule reads like it, so the series is withheld and blocks its
/// time instead of losing a day unseen. Only an unreadable EXDATE is dropped, which leaves a day blocked.
pub(super) fn recurrence(lines: &[String]) -> Recurrence {
    let mut recurrence = Recurrence::default();
    for line in lines {
        let Some((head, value)) = line.split_once(':') else {
            recurrence.rules.push(line.clone());
            continue;
        };
        let (name, params) = head.split_once(';').unwrap_or((head, ""));
        match name.trim().to_ascii_uppercase().as_str() {
            "RRULE" => recurrence.rules.push(value.trim().to_owned()),
            "EXRULE" => recurrence.except_rules.push(value.trim().to_owned()),
            "RDATE" => match value.split(',').map(|text| extra(text.trim(), params)).collect() {
                Some::<Vec<_>>(dates) => recurrence.dates.extend(dates),
                None => recurrence.rules.push(line.clone()),
            },
            "EXDATE" => recurrence
                .except_dates
                .extend(value.split(',').filter_map(|text| when(text.trim(), zone(params)))),
            _ => recurrence.rules.push(line.clone()),
        }
    }
    recurrence
}

fn extra(text: &str, params: &str) -> Option<ExtraDate> {
    let Some((start, end)) = text.split_once('/') else {
        return Some(ExtraDate { start: when(text, zone(params))?, end: End::Unstated });
    };
    let start = when(start, zone(params))?;
    let end = match when(end, zone(params)) {
        Some(end) => End::At(end),
        None => lasting(end)?,
    };
    Some(ExtraDate { start, end })
}

fn lasting(text: &str) -> Option<End> {
    let span: Span = text.parse().ok().filter(|_| text.starts_with('P'))?;
    let days = span.get_weeks().checked_mul(7)?.checked_add(span.get_days())?;
    let time = SignedDuration::from_hours(i64::from(span.get_hours()))
        .checked_add(SignedDuration::from_mins(span.get_minutes()))?
        .checked_add(SignedDuration::from_secs(span.get_seconds()))?;
    Some(End::Lasting { days, seconds: time.as_secs() })
}

fn zone(params: &str) -> Option<Zone> {
    params
        .split(';')
        .filter_map(|param| param.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("TZID"))
        .map(|(_, value)| Zone::named(value.trim_matches('"')))
}

fn when(text: &str, zone: Option<Zone>) -> Option<When> {
    if !text.contains('T') {
        return Date::strptime("%Y%m%d", text).ok().map(When::Date);
    }
    if let Some(utc) = text.strip_suffix('Z') {
        let wall = DateTime::strptime("%Y%m%dT%H%M%S", utc).ok()?;
        return wall.to_zoned(TimeZone::UTC).ok().map(|at| When::Utc(at.timestamp()));
    }
    let wall = DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?;
    Some(zone.map_or(When::Floating(wall), |zone| When::Zoned { wall, zone }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};

    fn read(lines: &[&str]) -> Recurrence {
        recurrence(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_kind_of_line_finds_its_place() {
        let paris = || Zone::Iana("Europe/Paris".to_owned());
        assert_eq!(
            read(&[
                "RRULE:FREQ=WEEKLY;BYDAY=MO",
                "EXRULE:FREQ=MONTHLY",
                "EXDATE;TZID=Europe/Paris:20260105T090000,20260112T090000",
                "RDATE;VALUE=DATE:20260106",
                "RDATE;VALUE=PERIOD:20260107T080000Z/20260107T090000Z,20260108T080000Z/P1DT1H30M",
            ]),
            Recurrence {
                rules: vec!["FREQ=WEEKLY;BYDAY=MO".into()],
                except_rules: vec!["FREQ=MONTHLY".into()],
                except_dates: vec![
                    When::Zoned { wall: datetime(2026, 1, 5, 9, 0, 0, 0), zone: paris() },
                    When::Zoned { wall: datetime(2026, 1, 12, 9, 0, 0, 0), zone: paris() },
                ],
                dates: vec![
                    ExtraDate { start: When::Date(date(2026, 1, 6)), end: End::Unstated },
                    ExtraDate {
                        start: When::Utc("2026-01-07T08:00:00Z".parse().unwrap()),
                        end: End::At(When::Utc("2026-01-07T09:00:00Z".parse().unwrap())),
                    },
                    ExtraDate {
                        start: When::Utc("2026-01-08T08:00:00Z".parse().unwrap()),
                        end: End::Lasting { days: 1, seconds: 5400 },
                    },
                ],
            }
        );
    }

    #[test]
    fn what_could_hide_a_busy_day_is_kept_and_what_could_only_free_one_is_not() {
        assert_eq!(
            read(&["RDATE:soon", "XRULE:A=B", "nonsense"]).rules,
            ["RDATE:soon", "XRULE:A=B", "nonsense"]
        );
        assert_eq!(read(&["EXDATE:20261301,20260101"]).except_dates, [When::Date(date(2026, 1, 1))]);
    }
}
