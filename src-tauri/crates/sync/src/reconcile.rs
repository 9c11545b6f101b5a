//! When a side is read in full although its cursor still works, and what such a reading found that no delta had told.
//! Pure; knows no services.

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::{BusyRules, place};
use calendar::interval::Interval;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::booking::Booking;
use crate::ids::{BookingId, CalendarId, RemoteId};
use crate::ports::RemoteEvent;

/// How long a service may say nothing of a change before somebody looks.
const WEEK: i64 = 7 * 24 * 3600;
/// After a full reading that failed.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What is read from a cursor; and the slots, which are looked through for what a new database does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Side {
    Bookings,
    Slots,
    Calendar(CalendarId),
}

impl Side {
    const BOOKINGS: &str = "bookings";
    const SLOTS: &str = "slots";

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bookings => Self::BOOKINGS,
            Self::Slots => Self::SLOTS,
            Self::Calendar(id) => id.as_str(),
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            Self::BOOKINGS => Self::Bookings,
            Self::SLOTS => Self::Slots,
            calendar => Self::Calendar(CalendarId::from(calendar)),
        }
    }
}

/// When a side was last read in full, and when that was last tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullReading {
    pub read_at: Option<Timestamp>,
    pub tried_at: Option<Timestamp>,
}

impl FullReading {
    /// It was tried, and came to its end.
    #[must_use]
    pub fn done(at: Timestamp) -> Self {
        Self { read_at: Some(at), tried_at: Some(at) }
    }
}

/// Whether a side is to be read in full now. Each has its own moment of the week, so that not all of them come at once;
/// a clock that jumped either way leads to one reading and not to many.
#[must_use]
pub fn is_due(side: &Side, last: Option<&FullReading>, now: Timestamp) -> bool {
    let Some(FullReading { read_at: Some(read), tried_at }) = last.copied() else {
        return last.is_none_or(|last| may_try(last.tried_at, now));
    };
    week(side, read) != week(side, now) && may_try(tried_at, now)
}

fn may_try(tried: Option<Timestamp>, now: Timestamp) -> bool {
    tried.is_none_or(|tried| tried > now || now.duration_since(tried) >= AGAIN)
}

fn week(side: &Side, at: Timestamp) -> i64 {
    let digest = Sha256::digest(side.as_str());
    let offset = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    (at.as_second() + i64::from(offset) % WEEK).div_euclid(WEEK)
}

/// How many events the service holds otherwise than the mirror, which had heard of every change. What ended before
/// `window` is no difference: nobody asks for it any more.
#[must_use]
pub fn event_drift(
    known: &BTreeMap<RemoteId, RemoteEvent>,
    read: &[RemoteEvent],
    window: Interval,
    zone: &TimeZone,
) -> usize {
    let there: BTreeSet<&RemoteId> = read.iter().map(|event| &event.id).collect();
    let changed = read.iter().filter(|event| known.get(&event.id).is_none_or(|row| row != *event));
    let absent = known.values().filter(|row| !there.contains(&row.id)).filter(|row| {
        let placed = place(std::slice::from_ref(&row.event), &BusyRules::default(), window, zone);
        !placed.occurrences.is_empty() || !placed.withheld.is_empty()
    });
    changed.count() + absent.count()
}

/// The same of bookings.
#[must_use]
pub fn booking_drift(known: &BTreeMap<BookingId, Booking>, read: &[Booking]) -> usize {
    let there: BTreeSet<&BookingId> = read.iter().map(|booking| &booking.id).collect();
    let changed = read.iter().filter(|booking| known.get(&booking.id) != Some(*booking)).count();
    changed + known.keys().filter(|id| !there.contains(id)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn read(hours: i64) -> FullReading {
        FullReading::done(at(hours))
    }

    fn side(n: usize) -> Side {
        Side::Calendar(CalendarId(format!("cal-{n}")))
    }

    #[test]
    fn within_a_week_every_side_is_read_in_full_once_and_not_all_at_one_time() {
        let mut moments = BTreeSet::new();
        for n in 0..20 {
            let mut last = read(0);
            let mut readings = Vec::new();
            for hour in 1..=14 * 24 {
                if is_due(&side(n), Some(&last), at(hour)) {
                    readings.push(hour);
                    last = read(hour);
                }
            }
            assert_eq!(readings.len(), 2, "{n}: {readings:?}");
            let apart = [readings[0], readings[1] - readings[0], 14 * 24 - readings[1]];
            assert!(apart.iter().all(|hours| *hours <= 7 * 24), "{n}: {readings:?}");
            assert!(readings[0] >= 24, "{n}: not on the day after a reading that was whole");
            moments.insert(readings[0]);
        }
        assert!(moments.len() > 10, "{moments:?}");
    }

    #[test]
    fn a_full_reading_that_failed_is_tried_again_the_next_day() {
        let last = FullReading { read_at: Some(at(0)), tried_at: Some(at(240)) };
        let due: Vec<i64> = (240..300).filter(|hour| is_due(&side(0), Some(&last), at(*hour))).collect();
        assert_eq!(due.first(), Some(&264));
    }

    #[test]
    fn a_clock_that_jumps_leads_to_one_reading_and_never_to_a_stall() {
        let last = read(24 * 365);
        assert!(is_due(&side(0), Some(&last), at(0)), "the last one lies in the future");
        let last = read(0);
        assert!(!is_due(&side(0), Some(&last), at(1)));
    }
}
