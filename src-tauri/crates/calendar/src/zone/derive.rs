//! The other way round: the VTIMEZONE parts that say what a zone of the database does, for readers without one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{GivenZone, Observance};
use crate::recurrence::civil::{self, DAY};

/// Changes are looked up to here at least; what repeats till the end is taken to repeat for ever.
const LAST_YEAR: i16 = 2037;
/// No calendar reaches further, and the lists of a zone without a rule must end.
const END_OF_TIME: i16 = 2200;
/// A habit is a habit after this many years.
const HABIT_YEARS: usize = 4;

impl GivenZone {
    /// The rules of the IANA zone `name` for times in these years, and for all later ones where they follow a rule.
    ///
    /// It begins with the last change before the year that precedes them, so that a zone with summer time is said in
    /// its two rules and nothing else.
    #[must_use]
    pub fn of(name: &str, years: RangeInclusive<i16>) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let first_year = i64::from((*years.start()).clamp(1_900, END_OF_TIME - 10)) - 1;
        let last_year = i64::from((*years.end()).clamp(LAST_YEAR, END_OF_TIME)) + 1;
        let start = Timestamp::from_second(civil::day_number(first_year, 1, 1) * DAY).ok()?;
        let offset = |at: i64| Some(zone.to_offset(Timestamp::from_second(at).ok()?).seconds());
        let changes = zone.preceding(start).map(|change| change.timestamp().as_second());
        let first =
            changes.filter_map(|at| Some((at, offset(at - 1)?, offset(at)?))).find(|(_, a, b)| a != b);
        let mut observances = Vec::new();
        let mut habits: BTreeMap<(i32, i32), Vec<i64>> = BTreeMap::new();
        let mut before = match first {
            Some((at, before, after)) => {
                habits.entry((before, after)).or_default().push(at + i64::from(before));
                after
            }
            None => {
                let always = zone.to_offset(start).seconds();
                observances.push(Observance {
                    start: DateTime::constant(1_601, 1, 1, 0, 0, 0, 0),
                    offset_from: always,
                    offset_to: always,
                    rules: Vec::new(),
                    dates: Vec::new(),
                });
                always
            }
        };
        for change in zone.following(start) {
            let instant = change.timestamp();
            let after = change.offset().seconds();
            let wall = instant.as_second() + i64::from(before);
            if civil::civil_day(wall.div_euclid(DAY)).0 > last_year {
                break;
            }
            if after != before {
                habits.entry((before, after)).or_default().push(wall);
            }
            before = after;
        }
        for ((offset_from, offset_to), walls) in habits {
            let (single, habit) = walls.split_at(habit_start(&walls, last_year));
            let part = |walls: &[i64], rules: Vec<String>| {
                let mut dates = walls.iter().filter_map(|wall| civil::to_datetime(*wall));
                Some(Observance {
                    start: dates.next()?,
                    offset_from,
                    offset_to,
                    rules,
                    dates: dates.collect(),
                })
            };
            observances.extend(part(single, Vec::new()));
            if let (Some(first), Some(rule)) = (habit.first(), habit_of(habit, last_year)) {
                observances.extend(part(&[*first], vec![rule]));
            }
        }
        Some(Self { name: name.to_owned(), observances })
    }
}

/// Where the changes begin to follow one yearly rule that holds to the end.
fn habit_start(walls: &[i64], last_year: i64) -> usize {
    (0..walls.len())
        .find(|from| walls.len() - from >= HABIT_YEARS && habit_of(&walls[*from..], last_year).is_some())
        .unwrap_or(walls.len())
}

/// The rule that names these wall times, one in each year up to the last.
fn habit_of(walls: &[i64], last_year: i64) -> Option<String> {
    let days: Vec<i64> = walls.iter().map(|wall| wall.div_euclid(DAY)).collect();
    let (first_year, month, day) = civil::civil_day(*days.first()?);
    let weekday = civil::weekday(*days.first()?);
    let steady = walls.iter().zip(first_year..).all(|(wall, year)| {
        let (its_year, its_month, _) = civil::civil_day(wall.div_euclid(DAY));
        (its_year, its_month) == (year, month)
            && civil::weekday(wall.div_euclid(DAY)) == weekday
            && wall.rem_euclid(DAY) == walls[0].rem_euclid(DAY)
    });
    let reaches_the_end = civil::civil_day(*days.last()?).0 == last_year;
    if !steady || !reaches_the_end {
        return None;
    }
    let day_of = |number: &i64| civil::civil_day(*number).2;
    let from_end = |number: &i64| {
        let (year, month, day) = civil::civil_day(*number);
        (civil::days_in_month(year, month) - day) / 7 + 1
    };
    let name = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][usize::try_from(weekday).ok()?];
    let last = from_end(days.first()?);
    if days.iter().all(|number| from_end(number) == last) && (last == 1 || (day - 1) / 7 > 3) {
        return Some(format!("FREQ=YEARLY;BYMONTH={month};BYDAY=-{last}{name}"));
    }
    let nth = (day - 1) / 7 + 1;
    if days.iter().all(|number| (day_of(number) - 1) / 7 + 1 == nth) {
        return Some(format!("FREQ=YEARLY;BYMONTH={month};BYDAY={nth}{name}"));
    }
    // Such as "the Sunday on or after the 8th", where that is not simply the second one.
    let earliest = days.iter().map(day_of).min()?;
    let within = days.iter().all(|number| (earliest..earliest + 7).contains(&day_of(number)));
    let list: Vec<String> = (earliest..earliest + 7).map(|day| day.to_string()).collect();
    within.then(|| format!("FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={};BYDAY={name}", list.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_database_reads_back_as_itself_at_every_change() {
        let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let to: Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
        let mut changes = 0;
        for name in jiff::tz::db().available() {
            let Ok(zone) = TimeZone::get(name.as_str()) else { continue };
            let given = GivenZone::of(name.as_str(), 2020..=2020).unwrap().time_zone().unwrap();
            assert_eq!(given.to_offset(from), zone.to_offset(from), "{name}");
            for change in zone.following(from).take_while(|change| change.timestamp() < to) {
                for seconds in [-3_601, -1, 0, 1, 3_600] {
                    let at = Timestamp::from_second(change.timestamp().as_second() + seconds).unwrap();
                    assert_eq!(given.to_offset(at), zone.to_offset(at), "{name} {at}");
                }
                changes += 1;
            }
        }
        assert!(changes > 5_000, "only {changes} changes were compared");
    }

    #[track_caller]
    fn check(name: &str, years: RangeInclusive<i16>, expected: &[(&str, i32, i32, &str)]) {
        let mut parts = GivenZone::of(name, years).unwrap().observances;
        parts.sort_by_key(|part| part.start);
        let parts: Vec<(String, i32, i32, String)> = parts
            .into_iter()
            .map(|part| (part.start.to_string(), part.offset_from, part.offset_to, part.rules.join("|")))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(start, from, to, rule)| ((*start).to_owned(), *from, *to, (*rule).to_owned()))
            .collect();
        assert_eq!(parts, expected, "{name}");
    }

    #[test]
    fn a_steady_zone_is_said_in_two_rules() {
        check(
            "Europe/Berlin",
            2026..=2026,
            &[
                ("2024-10-27T03:00:00", 7_200, 3_600, "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
                ("2025-03-30T02:00:00", 3_600, 7_200, "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
            ],
        );
        // Half an hour of summer time, in the south.
        check(
            "Australia/Lord_Howe",
            2026..=2026,
            &[
                ("2024-10-06T02:00:00", 37_800, 39_600, "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU"),
                ("2025-04-06T02:00:00", 39_600, 37_800, "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"),
            ],
        );
    }

    #[test]
    fn a_zone_without_summer_time_is_said_in_one_part() {
        check("Asia/Kathmandu", 2026..=2026, &[("1986-01-01T00:00:00", 19_800, 20_700, "")]);
        check("Etc/GMT+5", 2026..=2026, &[("1601-01-01T00:00:00", -18_000, -18_000, "")]);
    }

    #[test]
    fn a_zone_that_follows_the_moon_is_right_as_far_as_its_times_reach() {
        for (name, first, last) in [("Africa/Casablanca", 2019, 2026), ("Asia/Gaza", 2026, 2060)] {
            let zone = TimeZone::get(name).unwrap();
            let given = GivenZone::of(name, first..=last).unwrap().time_zone().unwrap();
            let start = |year: i16| DateTime::constant(year, 1, 1, 0, 0, 0, 0);
            let from = zone.to_timestamp(start(first)).unwrap();
            let to = zone.to_timestamp(start(last + 1)).unwrap();
            let changes: Vec<Timestamp> =
                zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < to).collect();
            assert!(changes.len() > 12, "{name}: {}", changes.len());
            for at in changes {
                for seconds in [-1, 0] {
                    let at = Timestamp::from_second(at.as_second() + seconds).unwrap();
                    assert_eq!(given.to_offset(at), zone.to_offset(at), "{name} {at}");
                }
            }
        }
    }
}
