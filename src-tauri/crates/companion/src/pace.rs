//! Decides how often an account's calendars are read just now: more often while she looks and before somebody comes,
//! less often the longer nothing has changed. Pure: what it knows is handed in, and time is a value.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sync::booking::BookingStatus;
use sync::busy_set::vendor_zone;
use sync::ids::{CalendarId, ConnectionId};
use sync::report::{ReadOutcome, Report};
use sync::world::World;

/// What says how soon a look is worth its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    /// How often she wants her calendars read.
    pub own: Duration,
    /// She looks at the window.
    pub looks: bool,
    /// Until the next customer comes.
    pub next_comes_in: Option<SignedDuration>,
    /// Since something was last found changed.
    pub quiet_for: SignedDuration,
    /// By her own clock.
    pub night: bool,
    /// The day's share of her service's calls is used up.
    pub spent: bool,
}

/// A customer comes so soon that a time which is taken must be known.
const SOON: SignedDuration = SignedDuration::from_mins(20);

/// How often to read. Of several reasons the first counts.
#[must_use]
pub fn pace(signs: &Signs) -> Duration {
    let minutes = signs.quiet_for.as_mins();
    match signs {
        Signs { spent: true, .. } => signs.own * 12,
        Signs { looks: true, .. } => signs.own * 2 / 5,
        Signs { next_comes_in: Some(wait), .. } if *wait <= SOON => signs.own,
        Signs { night: true, .. } if minutes >= 60 => signs.own * 6,
        Signs { .. } if minutes >= 20 => signs.own * 4,
        Signs { .. } if minutes >= 5 => signs.own * 2,
        Signs { .. } => signs.own,
    }
}

/// What was seen of the accounts while this process lives.
#[derive(Clone, Debug, Default)]
pub struct Attention {
    pub looks: bool,
    pub spent: bool,
    changed: BTreeMap<ConnectionId, Timestamp>,
}

impl Attention {
    /// Takes note of what a run found changed.
    pub fn note(&mut self, report: &Report, world: &World, now: Timestamp) {
        let bookings = &report.bookings;
        let wrote = bookings.created + bookings.updated + bookings.removed > 0;
        let found = |calendar: &CalendarId| {
            report.busy.sources.iter().any(|source| {
                source.id == *calendar
                    && match source.outcome {
                        ReadOutcome::Snapshot | ReadOutcome::Delta | ReadOutcome::Partial => true,
                        ReadOutcome::Unchanged | ReadOutcome::Failed | ReadOutcome::NotRead => false,
                    }
            })
        };
        for id in world.connections.keys() {
            let mut calendars = world.calendars.values().filter(|calendar| calendar.connection == *id);
            if wrote || !self.changed.contains_key(id) || calendars.any(|calendar| found(&calendar.id)) {
                self.changed.insert(id.clone(), now);
            }
        }
    }

    /// How often the account is to be read just now.
    #[must_use]
    pub fn pace_of(&self, id: &ConnectionId, world: &World, own: Duration, now: Timestamp) -> Duration {
        // A change that lies ahead was seen by a clock that was wrong.
        let quiet_for = self.changed.get(id).map_or(SignedDuration::ZERO, |at| now.duration_since(*at).abs());
        let comes = |status: &BookingStatus| *status != BookingStatus::Cancelled;
        let next = world.bookings.values().filter(|booking| booking.start > now && comes(&booking.status));
        let hour = now.to_zoned(vendor_zone(world.vendor.as_ref())).hour();
        pace(&Signs {
            own,
            looks: self.looks,
            next_comes_in: next.map(|booking| booking.start).min().map(|start| start.duration_since(now)),
            quiet_for,
            night: !(6..22).contains(&hour),
            spent: self.spent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Signs = Signs {
        own: Duration::from_secs(300),
        looks: false,
        next_comes_in: None,
        quiet_for: SignedDuration::from_hours(3),
        night: false,
        spent: false,
    };

    fn comes_in(minutes: i64) -> Option<SignedDuration> {
        Some(SignedDuration::from_mins(minutes))
    }

    #[track_caller]
    fn check(signs: Signs, minutes: u64) {
        assert_eq!(pace(&signs), Duration::from_secs(minutes * 60), "{signs:?}");
    }

    #[test]
    fn an_idle_account_is_read_less_and_less_and_at_night_least() {
        for (quiet, by_day, by_night) in
            [(0, 5, 5), (4, 5, 5), (5, 10, 10), (19, 10, 10), (20, 20, 20), (60, 20, 30), (600, 20, 30)]
        {
            let signs = Signs { quiet_for: SignedDuration::from_mins(quiet), ..IDLE };
            check(signs, by_day);
            check(Signs { night: true, ..signs }, by_night);
        }
    }

    #[test]
    fn while_she_looks_and_before_somebody_comes_it_is_read_often_at_any_hour() {
        for night in [false, true] {
            check(Signs { looks: true, night, ..IDLE }, 2);
            check(Signs { next_comes_in: comes_in(20), night, ..IDLE }, 5);
            check(Signs { next_comes_in: comes_in(0), looks: true, night, ..IDLE }, 2);
        }
        check(Signs { next_comes_in: comes_in(21), ..IDLE }, 20);
    }

    #[test]
    fn once_the_days_share_is_used_up_it_is_read_hourly_whatever_else_is_true() {
        check(Signs { spent: true, looks: true, next_comes_in: comes_in(1), ..IDLE }, 60);
    }

    #[test]
    fn her_own_choice_scales_all_of_it() {
        let own = Duration::from_secs(60);
        check(Signs { own, ..IDLE }, 4);
        check(Signs { own, night: true, ..IDLE }, 6);
    }
}
