//! The clocks of one zone, with their changes over the stretch asked for looked up once: between two changes, a wall
//! time becomes an instant by subtraction. Elsewhere the zone database is asked each time.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::interval::Interval;
use crate::recurrence::civil::{self, DAY};

#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    steady: Rc<[Steady]>,
}

/// Wall times from `from` up to `to` that occur once each, and all at this offset.
#[derive(Clone, Copy, Debug)]
struct Steady {
    from: i64,
    to: i64,
    offset: i64,
}

/// Series reach a little beyond the stretch asked for.
const MARGIN: i64 = 7 * DAY;
/// No change of the clocks skips or repeats as much.
const MOST_CHANGED: i64 = 3 * DAY;
/// Changes that are looked up: those of three decades.
const MOST_CHANGES: usize = 64;

impl Clock {
    pub fn new(zone: TimeZone, reach: Interval) -> Self {
        let steady = steady(&zone, reach);
        Self { zone, steady }
    }

    /// RFC 5545 §3.3.5: a time that occurs twice is the first, one that never occurs keeps the offset before the gap.
    pub fn instant(&self, wall: i64) -> Option<Timestamp> {
        if let Some(steady) = self.steady(wall) {
            return Timestamp::from_second(wall - steady.offset).ok();
        }
        self.zone.to_ambiguous_timestamp(civil::to_datetime(wall)?).compatible().ok()
    }

    /// The wall time that is really shown: one in a gap is moved out of it.
    pub fn regular(&self, wall: i64) -> i64 {
        if self.steady(wall).is_some() {
            return wall;
        }
        let offset = civil::to_datetime(wall).map(|wall| self.zone.to_ambiguous_timestamp(wall).offset());
        match offset {
            Some(AmbiguousOffset::Gap { before, after }) => {
                wall + i64::from(after.seconds() - before.seconds())
            }
            Some(AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. }) | None => wall,
        }
    }

    /// What is shown at `instant`.
    pub fn wall(&self, instant: Timestamp) -> i64 {
        civil::of_datetime(self.zone.to_datetime(instant))
    }

    fn steady(&self, wall: i64) -> Option<&Steady> {
        let at = self.steady.partition_point(|steady| steady.to <= wall);
        self.steady.get(at).filter(|steady| steady.from <= wall)
    }
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone
    }
}

fn steady(zone: &TimeZone, reach: Interval) -> Rc<[Steady]> {
    let second = |instant: Timestamp| instant.as_second();
    let (first, last) = (second(reach.start()) - MARGIN - MOST_CHANGED, second(reach.end()) + MARGIN);
    let Ok(start) = Timestamp::from_second(first) else { return Rc::new([]) };
    let mut offset = i64::from(zone.to_offset(start).seconds());
    let mut from = first + offset + MOST_CHANGED;
    let mut list = Vec::new();
    for change in zone.following(start).take(MOST_CHANGES) {
        let (at, next) = (second(change.timestamp()), i64::from(change.offset().seconds()));
        if at > last + MOST_CHANGED {
            break;
        }
        list.push(Steady { from, to: at + offset.min(next), offset });
        from = at + offset.max(next);
        offset = next;
    }
    if list.len() < MOST_CHANGES {
        list.push(Steady { from, to: last + offset, offset });
    }
    list.retain(|steady| steady.from < steady.to);
    list.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_shows_the_same_time_as_the_database_around_every_change() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let reach = Interval::new(at("2024-01-01T00:00:00Z"), at("2029-01-01T00:00:00Z")).unwrap();
        let mut compared = 0;
        for name in jiff::tz::db().available() {
            let Ok(zone) = TimeZone::get(name.as_str()) else { continue };
            let clock = Clock::new(zone.clone(), reach);
            let asked = Clock { zone: zone.clone(), steady: Rc::new([]) };
            let from = reach.start().as_second() - 30 * DAY;
            let to = reach.end().as_second() + 30 * DAY;
            let changes =
                zone.following(at("2023-12-01T00:00:00Z")).map(|change| change.timestamp().as_second());
            let changes: Vec<i64> = changes.take_while(|change| *change < to).collect();
            let around = changes.iter().flat_map(|change| {
                let offset = i64::from(zone.to_offset(Timestamp::from_second(*change).unwrap()).seconds());
                [-7_201, -7_200, -3_601, -3_600, -1, 0, 1, 1_800, 3_599, 3_600, 7_200]
                    .map(|near| change + offset + near)
            });
            for wall in around.chain((from..to).step_by(11 * 86_400 + 3_601)) {
                assert_eq!(clock.instant(wall), asked.instant(wall), "{name} {wall}");
                assert_eq!(clock.regular(wall), asked.regular(wall), "{name} {wall}");
                compared += 1;
            }
        }
        assert!(compared > 50_000, "only {compared} times were compared");
    }
}
