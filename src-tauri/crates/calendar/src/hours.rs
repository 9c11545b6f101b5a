//! When she works: wall-clock stretches of each weekday, and the times that they are in a zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::interval::{Interval, union};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A stretch of a day by its wall clock, in minutes after midnight: `from <= minute < until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    pub from: u16,
    pub until: u16,
}

impl Stretch {
    /// Nothing when it is empty, reversed or longer than its day.
    #[must_use]
    pub fn new(from: u16, until: u16) -> Option<Self> {
        (from < until && until <= DAY).then_some(Self { from, until })
    }
}

/// The stretches of each weekday, from Monday on, sorted. A day without one is a day off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours([Vec<Stretch>; 7]);

impl Hours {
    pub fn set(&mut self, day: Weekday, mut stretches: Vec<Stretch>) {
        stretches.sort_unstable();
        self.0[index(day)] = stretches;
    }

    #[must_use]
    pub fn on(&self, day: Weekday) -> &[Stretch] {
        &self.0[index(day)]
    }

    /// From Monday to Sunday.
    pub fn days(&self) -> impl Iterator<Item = &[Stretch]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// What of `window` is working time by the clocks of `zone`, as the fewest intervals, sorted. A wall-clock time that a
    /// change of the clocks skips counts as the moment after it.
    #[must_use]
    pub fn within(&self, window: Interval, zone: &TimeZone) -> Vec<Interval> {
        let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let last = date(window.end());
        let days = std::iter::successors(Some(date(window.start())), |day| day.tomorrow().ok());
        let spans = days.take_while(|day| *day <= last).flat_map(|day| {
            self.on(day.weekday()).iter().filter_map(move |stretch| {
                let (from, until) = (at(day, stretch.from, zone)?, at(day, stretch.until, zone)?);
                Interval::new(from.max(window.start()), until.min(window.end()))
            })
        });
        union(spans.collect())
    }
}

fn index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}

fn at(day: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let wall = day.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok()?;
    Some(wall.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, to: &str) -> Interval {
        Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    fn hours(day: Weekday, stretches: &[(u16, u16)]) -> Hours {
        let mut hours = Hours::default();
        let stretch = |&(from, until): &(u16, u16)| Stretch::new(from, until).unwrap();
        hours.set(day, stretches.iter().map(stretch).collect());
        hours
    }

    #[track_caller]
    fn check(hours: &Hours, window: Interval, expected: &[&str]) {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let told: Vec<String> =
            hours.within(window, &zone).iter().map(|one| format!("{}/{}", one.start(), one.end())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_stretch_is_part_of_one_day() {
        assert_eq!(Stretch::new(540, 540), None);
        assert_eq!(Stretch::new(600, 540), None);
        assert_eq!(Stretch::new(0, DAY + 1), None);
        assert!(Stretch::new(0, DAY).is_some());
    }

    #[test]
    fn the_hours_of_a_day_keep_its_wall_clock_on_both_sides_of_a_change_and_are_cut_to_the_window() {
        let saturdays = hours(Weekday::Saturday, &[(13 * 60, 18 * 60), (9 * 60, 12 * 60)]);
        let weeks = window("2026-10-31T15:00:00Z", "2026-11-07T23:59:00Z");
        check(
            &saturdays,
            weeks,
            &[
                "2026-10-31T15:00:00Z/2026-10-31T16:00:00Z",
                "2026-10-31T17:00:00Z/2026-10-31T22:00:00Z",
                "2026-11-07T14:00:00Z/2026-11-07T17:00:00Z",
                "2026-11-07T18:00:00Z/2026-11-07T23:00:00Z",
            ],
        );
    }

    #[test]
    fn a_night_that_the_clocks_change_in_is_as_long_as_it_is() {
        let nights = hours(Weekday::Sunday, &[(0, 6 * 60)]);
        let spring = window("2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z");
        check(&nights, spring, &["2026-03-08T05:00:00Z/2026-03-08T10:00:00Z"]);
        let autumn = window("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
        check(&nights, autumn, &["2026-11-01T04:00:00Z/2026-11-01T11:00:00Z"]);
        // 02:00 is not there on that day.
        let skipped = hours(Weekday::Sunday, &[(2 * 60, 3 * 60)]);
        check(&skipped, spring, &[]);
    }

    #[test]
    fn days_that_join_at_midnight_are_one_stretch() {
        let mut late = hours(Weekday::Friday, &[(20 * 60, DAY)]);
        late.set(Weekday::Saturday, vec![Stretch::new(0, 120).unwrap()]);
        let week = window("2026-11-20T12:00:00Z", "2026-11-22T12:00:00Z");
        check(&late, week, &["2026-11-21T01:00:00Z/2026-11-21T07:00:00Z"]);
    }
}
