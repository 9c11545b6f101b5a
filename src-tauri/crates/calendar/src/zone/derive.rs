//! The other way round: the VTIMEZONE parts that say what a zone of the database does, for readers without one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{GivenZone, Observance};
use crate::recurrence::civil::{self, DAY};

/// Changes are looked up to here; what repeats till then is taken to repeat for ever.
const LAST_YEAR: i16 = 2037;
/// A habit is a habit after this many years.
const HABIT_YEARS: usize = 4;

impl GivenZone {
    /// The rules of the IANA zone `name` from the year before `year` on.
    #[must_use]
    pub fn of(name: &str, year: i16) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let first_year = i64::from(year.clamp(1_900, LAST_YEAR - 10)) - 1;
        let start = Timestamp::from_second(civil::day_number(first_year, 1, 1) * DAY).ok()?;
        let mut before = zone.to_offset(start).seconds();
        let mut observances = vec![Observance {
            start: DateTime::constant(1_601, 1, 1, 0, 0, 0, 0),
            offset_from: before,
            offset_to: before,
            rules: Vec::new(),
            dates: Vec::new(),
        }];
        let mut changes: BTreeMap<(i32, i32), Vec<i64>> = BTreeMap::new();
        for change in zone.following(start) {
            let instant = change.timestamp();
            let after = change.offset().seconds();
            let wall = instant.as_second() + i64::from(before);
            if civil::civil_day(wall.div_euclid(DAY)).0 > i64::from(LAST_YEAR) {
                break;
            }
            if after != before {
                changes.entry((before, after)).or_default().push(wall);
            }
            before = after;
        }
        for ((offset_from, offset_to), walls) in changes {
            let (single, habit) = walls.split_at(habit_start(&walls));
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
            if let (Some(first), Some(rule)) = (habit.first(), habit_of(habit)) {
                observances.extend(part(&[*first], vec![rule]));
            }
        }
        Some(Self { name: name.to_owned(), observances })
    }
}

/// Where the changes begin to follow one yearly rule that holds to the end.
fn habit_start(walls: &[i64]) -> usize {
    (0..walls.len())
        .find(|from| walls.len() - from >= HABIT_YEARS && habit_of(&walls[*from..]).is_some())
        .unwrap_or(walls.len())
}

/// The rule that names these wall times, one in each year up to the last.
fn habit_of(walls: &[i64]) -> Option<String> {
    let days: Vec<i64> = walls.iter().map(|wall| wall.div_euclid(DAY)).collect();
    let (first_year, month, day) = civil::civil_day(*days.first()?);
    let weekday = civil::weekday(*days.first()?);
    let steady = walls.iter().zip(first_year..).all(|(wall, year)| {
        let (its_year, its_month, _) = civil::civil_day(wall.div_euclid(DAY));
        (its_year, its_month) == (year, month)
            && civil::weekday(wall.div_euclid(DAY)) == weekday
            && wall.rem_euclid(DAY) == walls[0].rem_euclid(DAY)
    });
    let reaches_the_end = civil::civil_day(*days.last()?).0 == i64::from(LAST_YEAR);
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
            let given = GivenZone::of(name.as_str(), 2020).unwrap().time_zone().unwrap();
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

    #[test]
    fn a_steady_zone_is_said_in_two_rules() {
        let rules: Vec<String> = GivenZone::of("Europe/Berlin", 2026)
            .unwrap()
            .observances
            .into_iter()
            .flat_map(|part| part.rules)
            .collect();
        assert_eq!(rules, ["FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"]);
    }
}
