//! What one calendar makes unbookable: its foreign events, placed in the window, as the set the platform is sent.

use calendar::busy::{Withheld, checksum, place};
use calendar::event::Event;
use calendar::interval::{Interval, union, without};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};

use crate::ids::{CalendarId, Service};
use crate::policy::Policy;
use crate::ports::BusySet;
use crate::world::Vendor;

/// Her zone, or UTC where the platform names one that does not exist.
#[must_use]
pub fn vendor_zone(vendor: Option<&Vendor>) -> TimeZone {
    vendor.and_then(|vendor| TimeZone::get(&vendor.time_zone).ok()).unwrap_or(TimeZone::UTC)
}

/// From the start of her today to the end of the day `horizon_days` ahead. It moves once a day, so that passing time
/// alone does not change a busy set.
#[must_use]
pub fn window(now: Timestamp, zone: &TimeZone, policy: &Policy) -> Interval {
    let today = now.to_zoned(zone.clone()).date();
    let days = i64::from(policy.horizon_days.clamp(1, 366)) + 1;
    let start = midnight(today, zone);
    let end = midnight(today.saturating_add(days.days()), zone);
    Interval::new(start, end).expect("a day and more lies between the two")
}

fn midnight(date: civil::Date, zone: &TimeZone) -> Timestamp {
    // `compatible` puts a midnight that daylight saving skips at the first instant of the day.
    zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible().unwrap_or(if date.year() < 2000 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// The busy set of `events`, and what of them could not be placed exactly. What is `unblocked` is left out of it.
#[must_use]
pub fn busy_set(
    service: Service,
    source: &CalendarId,
    events: &[Event],
    rules: &calendar::busy::BusyRules,
    window: Interval,
    zone: &TimeZone,
    unblocked: &[Interval],
) -> (BusySet, Vec<Withheld>) {
    let placed = place(events, rules, window, zone);
    let blocks =
        placed.occurrences.iter().filter_map(|occurrence| clip(occurrence.blocks?, window)).collect();
    let blocks = without(blocks, unblocked);
    (BusySet::of(service, source.clone(), window, blocks), placed.withheld)
}

fn clip(interval: Interval, window: Interval) -> Option<Interval> {
    Interval::new(interval.start().max(window.start()), interval.end().min(window.end()))
}

impl BusySet {
    /// Merges `intervals` and signs them.
    #[must_use]
    pub fn of(service: Service, source: CalendarId, window: Interval, intervals: Vec<Interval>) -> Self {
        let intervals = union(intervals);
        let checksum = checksum(&intervals);
        Self { service, source, window, intervals, checksum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_window_begins_at_her_midnight_and_does_not_move_during_her_day() {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let policy = Policy::default();
        let morning = window("2026-11-22T12:00:00Z".parse().unwrap(), &zone, &policy);
        let night = window("2026-11-23T04:59:00Z".parse().unwrap(), &zone, &policy);
        assert_eq!(morning, night);
        assert_eq!(morning, span("2026-11-22T05:00:00Z", "2026-12-23T05:00:00Z"));
    }

    #[test]
    fn what_is_unblocked_is_left_out_and_nothing_beside_it() {
        use calendar::event::{End, Uid, When};
        let event = |uid: &str, start: &str, end: &str| {
            Event::new(
                Uid(uid.to_owned()),
                When::Utc(start.parse().unwrap()),
                End::At(When::Utc(end.parse().unwrap())),
            )
        };
        let events = [
            event("course", "2026-11-23T09:00:00Z", "2026-11-23T12:00:00Z"),
            event("tea", "2026-11-23T11:00:00Z", "2026-11-23T13:00:00Z"),
        ];
        let window = span("2026-11-22T00:00:00Z", "2026-12-23T00:00:00Z");
        let rules = calendar::busy::BusyRules::default();
        let set = |unblocked: &[Interval]| {
            busy_set(Service::Google, &"c".into(), &events, &rules, window, &TimeZone::UTC, unblocked).0
        };
        let whole = set(&[]);
        assert_eq!(whole.intervals, [span("2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z")]);
        let holed = set(&[span("2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z")]);
        assert_eq!(
            holed.intervals,
            [
                span("2026-11-23T09:00:00Z", "2026-11-23T10:30:00Z"),
                span("2026-11-23T11:30:00Z", "2026-11-23T13:00:00Z")
            ]
        );
        assert_ne!(holed.checksum, whole.checksum, "or nobody would be told");
        assert_eq!(set(&[span("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")]), whole);
    }

    #[test]
    fn a_midnight_before_or_after_all_time_is_the_first_or_the_last_moment_there_is() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        assert_eq!(midnight(civil::Date::MIN, &zone), Timestamp::MIN);
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        assert_eq!(midnight(civil::Date::MAX, &zone), Timestamp::MAX);
    }

    #[test]
    fn a_horizon_outside_its_bounds_is_brought_inside() {
        let policy = Policy { horizon_days: 5000, ..Policy::default() };
        let window = window("2026-11-22T12:00:00Z".parse().unwrap(), &TimeZone::UTC, &policy);
        assert_eq!(window.end(), "2027-11-24T00:00:00Z".parse().unwrap());
    }
}
