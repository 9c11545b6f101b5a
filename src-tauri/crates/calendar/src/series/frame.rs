//! Where the wall times of one event lie: whole days, the clocks of a zone, or a zone that nobody knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clock::Clock;
use crate::event::{End, Event, When};
use crate::interval::Interval;
use crate::recurrence::civil::{self, DAY};
use crate::zone::Zone;

/// The zones that the events of one calendar name, each looked up once.
pub struct Zones<'a> {
    /// The vendor's, for all-day and floating times.
    own: Clock,
    utc: Clock,
    known: BTreeMap<&'a Zone, Option<Clock>>,
    /// The stretch of time that is asked about.
    reach: Interval,
}

/// What an event's wall times are measured in. Wall times are seconds since the civil epoch.
#[derive(Clone, Debug)]
pub enum Frame {
    /// Whole days of the vendor's.
    Days(Clock),
    Clock(Clock),
    /// The zone is unknown: any offset on earth.
    Anywhere,
}

/// How long an event lasts, as RFC 5545 §3.8.5.3 hands it to every instance.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    Days(i64),
    Exact(i64),
    /// DURATION: civil days, then exact seconds.
    Nominal {
        days: i64,
        seconds: i64,
    },
    /// It ends this many seconds before it begins: most likely the two were swapped.
    Reversed(i64),
}

/// Clocks on earth run from 12 hours behind UTC to 14 ahead.
const FURTHEST_EAST: i64 = 14 * 3_600;
const FURTHEST_WEST: i64 = 12 * 3_600;
const HOUR: i64 = 3_600;
/// An end further back than this was not swapped with the start but is wrong: an hour is blocked.
const MOST_REVERSED: i64 = 7 * DAY;

impl<'a> Zones<'a> {
    pub fn new(own: &TimeZone, reach: Interval) -> Self {
        let clock = |zone| Clock::new(zone, reach);
        Self { own: clock(own.clone()), utc: clock(TimeZone::UTC), known: BTreeMap::new(), reach }
    }

    /// Looks up every zone that `event` names.
    pub fn know(&mut self, event: &'a Event) {
        self.add(&event.start);
        if let End::At(end) = &event.end {
            self.add(end);
        }
        if let Some(instance) = &event.instance {
            self.add(instance);
        }
        for date in &event.recurrence.dates {
            self.add(&date.start);
            if let End::At(end) = &date.end {
                self.add(end);
            }
        }
        for date in &event.recurrence.except_dates {
            self.add(date);
        }
    }

    fn add(&mut self, when: &'a When) {
        if let When::Zoned { zone, .. } = when
            && !self.known.contains_key(zone)
        {
            self.known.insert(zone, self.look_up(zone));
        }
    }

    fn rules(&self, zone: &Zone) -> Option<Clock> {
        match self.known.get(zone) {
            Some(rules) => rules.clone(),
            None => self.look_up(zone),
        }
    }

    fn look_up(&self, zone: &Zone) -> Option<Clock> {
        Some(Clock::new(zone.time_zone()?, self.reach))
    }

    pub fn frame(&self, start: &When) -> Frame {
        match start {
            When::Date(_) => Frame::Days(self.own.clone()),
            When::Utc(_) => Frame::Clock(self.utc.clone()),
            When::Floating(_) => Frame::Clock(self.own.clone()),
            When::Zoned { zone, .. } => self.rules(zone).map_or(Frame::Anywhere, Frame::Clock),
        }
    }

    /// The instant of a moment that stands alone; nothing when its zone is unknown.
    pub fn instant(&self, when: &When) -> Option<Timestamp> {
        self.frame(when).instant(wall(when))
    }

    /// The wall time of `when` as `frame` shows it. A zone nobody knows is taken to be the frame's own.
    pub fn wall_in(&self, frame: &Frame, when: &When) -> i64 {
        let instant = match when {
            When::Date(_) | When::Floating(_) => return wall(when),
            When::Utc(instant) => *instant,
            When::Zoned { zone, .. } => match (frame, self.rules(zone)) {
                (Frame::Days(_) | Frame::Anywhere, _) | (_, None) => return wall(when),
                (Frame::Clock(clock), Some(rules)) if *clock == rules => return wall(when),
                (Frame::Clock(_), Some(rules)) => match rules.instant(wall(when)) {
                    Some(instant) => instant,
                    None => return wall(when),
                },
            },
        };
        match frame {
            Frame::Clock(clock) => clock.wall(instant),
            // Midnight UTC is how a date is written by those who cannot write dates.
            Frame::Days(own) if instant.as_second().rem_euclid(DAY) != 0 => own.wall(instant),
            Frame::Days(_) | Frame::Anywhere => instant.as_second(),
        }
    }

    pub fn length(&self, event: &Event, frame: &Frame) -> Length {
        self.length_between(&event.start, &event.end, frame)
    }

    pub fn length_between(&self, start: &When, end: &End, frame: &Frame) -> Length {
        if let Frame::Days(_) = frame {
            return Length::Days(self.whole_days(start, end, frame).max(1));
        }
        match end {
            End::Unstated => Length::Exact(0),
            End::Lasting { days, seconds } => {
                let whole = i64::from(*days) * DAY + seconds;
                if whole < 0 {
                    return Length::Reversed(whole.saturating_abs());
                }
                Length::Nominal { days: i64::from(*days), seconds: *seconds }
            }
            End::At(end) => self.exact(start, end, frame),
        }
    }

    fn whole_days(&self, start: &When, end: &End, frame: &Frame) -> i64 {
        let first = wall(start).div_euclid(DAY);
        match end {
            End::Unstated => 1,
            End::Lasting { days, seconds } => i64::from(*days).saturating_add(ceiling_days(*seconds)),
            End::At(end) => ceiling_days(self.wall_in(frame, end)) - first,
        }
    }

    fn exact(&self, start: &When, end: &When, frame: &Frame) -> Length {
        // An end without a zone is read in that of the start.
        let ends = match end {
            When::Floating(_) | When::Date(_) => frame.instant(wall(end)),
            When::Utc(_) | When::Zoned { .. } => self.instant(end),
        };
        let (begins, mut ends) = match (self.instant(start), ends) {
            (Some(begins), Some(ends)) => (begins.as_second(), ends.as_second()),
            _ => (wall(start), self.wall_in(frame, end)),
        };
        if let When::Date(_) = end
            && ends <= begins
        {
            ends += DAY;
        }
        if ends < begins { Length::Reversed(begins - ends) } else { Length::Exact(ends - begins) }
    }
}

impl Frame {
    /// The instant at which the clocks show `wall`; nothing when nobody knows them.
    pub fn instant(&self, wall: i64) -> Option<Timestamp> {
        match self {
            Self::Days(own) => own.instant(wall.div_euclid(DAY) * DAY),
            Self::Clock(clock) => clock.instant(wall),
            Self::Anywhere => None,
        }
    }

    /// The wall time that the clocks really show: one in a gap is moved out of it.
    pub fn regular(&self, wall: i64) -> i64 {
        if let Self::Clock(clock) = self { clock.regular(wall) } else { wall }
    }

    /// The first and the first free instant of what begins at `wall`; the widest stretch when the zone is unknown.
    pub fn stretch(&self, wall: i64, length: Length) -> Option<(Timestamp, Timestamp)> {
        let Some(start) = self.instant(wall) else {
            if !matches!(self, Self::Anywhere) {
                return None;
            }
            let start = wall.checked_sub(FURTHEST_EAST)?;
            let end = wall.checked_add(length.at_most())?.checked_add(FURTHEST_WEST)?;
            return Some((Timestamp::from_second(start).ok()?, Timestamp::from_second(end).ok()?));
        };
        let end = match length {
            Length::Days(days) => self.instant(wall.checked_add(days.checked_mul(DAY)?)?)?,
            Length::Exact(seconds) => later(start, seconds)?,
            Length::Nominal { days: 0, seconds } => later(start, seconds)?,
            Length::Nominal { days, seconds } => {
                later(self.instant(wall.checked_add(days.checked_mul(DAY)?)?)?, seconds)?
            }
            Length::Reversed(back) if back <= MOST_REVERSED => return Some((later(start, -back)?, start)),
            Length::Reversed(_) => later(start, HOUR)?,
        };
        Some((start, end.max(start)))
    }
}

impl Length {
    /// Seconds that it cannot exceed, whatever the clocks do.
    pub fn at_most(self) -> i64 {
        match self {
            Self::Days(days) => days.saturating_mul(DAY),
            Self::Exact(seconds) => seconds,
            Self::Nominal { days, seconds } => days.saturating_mul(DAY).saturating_add(seconds),
            Self::Reversed(_) => HOUR.max(MOST_REVERSED),
        }
    }
}

/// The wall time as written.
pub fn wall(when: &When) -> i64 {
    match when {
        When::Date(date) => civil::of_date(*date) * DAY,
        When::Utc(instant) => instant.as_second(),
        When::Zoned { wall, .. } | When::Floating(wall) => civil::of_datetime(*wall),
    }
}

fn later(instant: Timestamp, seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(instant.as_second().checked_add(seconds)?).ok()
}

fn ceiling_days(seconds: i64) -> i64 {
    seconds.div_euclid(DAY) + i64::from(seconds.rem_euclid(DAY) != 0)
}
