//! Times that she lets be booked just this once, whatever a calendar says: which they are, and what of its busy time is
//! left without them. Pure. Knows calendars alone: what a booking takes up stays taken.

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::CalendarId;
use crate::world::World;

/// The longest time that she can let be booked at once.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// One time, and one of the calendars that blocked it when she said so. It does not speak for any other: what comes into
/// another calendar later blocks as ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unblocked {
    pub span: Interval,
    pub calendar: CalendarId,
    /// When she said so.
    pub at: Timestamp,
}

/// The times at which this calendar does not count.
///
/// Those that are over are among them: they reach no other time, and a busy set must not change because time passes.
#[must_use]
pub fn of(world: &World, calendar: &CalendarId) -> Vec<Interval> {
    world.unblocked.iter().filter(|row| row.calendar == *calendar).map(|row| row.span).collect()
}

/// The times that can be booked just this once, from `now` on, each once, sorted.
#[must_use]
pub fn ahead(world: &World, now: Timestamp) -> Vec<Interval> {
    let mut spans: Vec<Interval> = world.unblocked.iter().map(|row| row.span).collect();
    spans.retain(|span| span.end() > now);
    spans.sort_unstable();
    spans.dedup();
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, span};

    #[test]
    fn what_can_be_booked_once_is_told_once_and_until_its_very_end() {
        let mut world = World::default();
        for (hour, calendar) in [(5, "a"), (3, "a"), (3, "b")] {
            world.unblocked.insert(Unblocked { span: span(hour), calendar: calendar.into(), at: at(0) });
        }
        assert_eq!(ahead(&world, at(3)), [span(3), span(5)]);
        assert_eq!(ahead(&world, at(4)), [span(5)]);
        assert_eq!(ahead(&world, at(6)), []);
    }
}
