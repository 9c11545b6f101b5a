//! One series: joins what its rules and dates name with the overrides that replace instances of it.

mod dates;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;

use super::frame::{Frame, Length, Zones, wall};
use super::{Expanded, Instance, newest};
use crate::busy::Withheld;
use crate::event::{Event, Status, When};
use crate::interval::Interval;
use crate::recurrence::civil::DAY;
use crate::recurrence::{Budget, MAX_FOUND};

/// EXDATE and RDATE values that are read in one series.
const MAX_DATES: usize = 50_000;
const TOO_MANY: &str = "it has more occurrences than any real event";
/// Wall time and instants differ by less than this.
const SLACK: i64 = 2 * DAY;

/// A master and what is known about its instances. An instance is known by its original wall time in the master's
/// frame.
pub struct Master<'a> {
    event: &'a Event,
    frame: Frame,
    start: i64,
    length: Length,
    except: Except,
    overrides: BTreeMap<i64, Vec<&'a Event>>,
    /// RECURRENCE-ID as a date on a timed series: any instance of that day.
    day_overrides: BTreeMap<i64, Vec<&'a Event>>,
    /// Instances after this wall time that overrides outside of this version replace.
    replaced: Option<(i64, Rc<Except>)>,
    /// THISANDFUTURE, by the first instance it changes.
    futures: BTreeMap<i64, &'a Event>,
    /// Why not everything can be told, where that is so.
    doubts: Vec<String>,
}

#[derive(Default)]
pub struct Except {
    walls: BTreeSet<i64>,
    /// EXDATE as a date on a timed series.
    days: BTreeSet<i64>,
}

impl Except {
    fn names(&self, wall: i64) -> bool {
        self.walls.contains(&wall) || self.days.contains(&wall.div_euclid(DAY))
    }
}

/// One instance before overrides.
#[derive(Clone, Copy)]
struct Candidate {
    wall: i64,
    length: Option<Length>,
    certain: bool,
}

impl<'a> Master<'a> {
    pub fn new(event: &'a Event, overrides: &[&'a Event], zones: &mut Zones<'a>) -> Self {
        let mut master = Self::bare(event, zones);
        let mut by_original: BTreeMap<(bool, i64), Vec<&'a Event>> = BTreeMap::new();
        for event in overrides {
            zones.know(event);
            let Some(instance) = &event.instance else { continue };
            by_original.entry(master.key(instance, zones)).or_default().push(event);
        }
        for ((by_day, wall), versions) in by_original {
            let versions = newest(versions.into_iter());
            let first = if by_day { wall + master.start.rem_euclid(DAY) } else { wall };
            if let Some(future) = versions.iter().find(|event| event.and_future) {
                master.futures.insert(first, future);
            }
            let list = if by_day { &mut master.day_overrides } else { &mut master.overrides };
            list.insert(if by_day { wall.div_euclid(DAY) } else { wall }, versions);
        }
        master
    }

    /// A second version of `first`: the instances that `first` has overrides for are replaced here too, but not
    /// told twice.
    pub fn without_overrides(event: &'a Event, replaced: &Rc<Except>, zones: &Zones<'a>) -> Self {
        Self { replaced: Some((i64::MIN, Rc::clone(replaced))), ..Self::bare(event, zones) }
    }

    /// The instances that have overrides.
    pub fn replaced(&self) -> Rc<Except> {
        let walls = self.overrides.keys().copied().collect();
        Rc::new(Except { walls, days: self.day_overrides.keys().copied().collect() })
    }

    pub fn expand(&self, reach: Interval, zones: &Zones<'a>, budget: &mut Budget, out: &mut Expanded<'a>) {
        let shift = self.greatest_shift(zones);
        let longest =
            self.futures.values().map(|event| zones.length(event, &zones.frame(&event.start)).at_most());
        let longest = longest.fold(self.length.at_most(), i64::max).max(self.longest_period(zones));
        let from = reach.start().as_second() - longest - shift - SLACK;
        let back = if let Length::Reversed(_) = self.length { self.length.at_most() } else { 0 };
        let to = reach.end().as_second() + shift + back + SLACK;
        let mut doubts = self.doubts.clone();
        let candidates = self.candidates(from, to, zones, budget, &mut doubts);
        for candidate in &candidates {
            self.tell(*candidate, reach, zones, out);
        }
        let dates = self.event.recurrence.dates.len();
        if candidates.len() > MAX_FOUND || dates > MAX_DATES || self.event.incomplete {
            doubts.push(TOO_MANY.to_owned());
            out.instances.retain(|instance| !std::ptr::eq(instance.event, self.event));
            self.block_all(reach, "", out);
        }
        for versions in self.overrides.values().chain(self.day_overrides.values()) {
            for event in versions {
                if !self.is_stale(event, zones, budget) {
                    self.tell_override(event, reach, zones, out);
                }
            }
        }
        let replaced = self.replaced();
        for (from, event) in self.futures.iter().filter(|(_, event)| event.repeats()) {
            if out.is_too_full() {
                break;
            }
            let later = Self { replaced: Some((*from, Rc::clone(&replaced))), ..Self::bare(event, zones) };
            later.expand(reach, zones, budget, out);
        }
        doubts.dedup();
        out.withheld
            .extend(doubts.into_iter().map(|reason| Withheld { uid: self.event.uid.clone(), reason }));
    }

    /// Blocks the whole stretch from the first start on, because the instances cannot be told apart.
    pub fn block_all(&self, reach: Interval, reason: &str, out: &mut Expanded<'a>) {
        let start = self.frame.stretch(self.start, self.length).map_or(reach.start(), |(start, _)| start);
        let start = start.max(reach.start());
        if start < reach.end() {
            out.instances.push(Instance {
                event: self.event,
                original: None,
                start,
                end: reach.end(),
                certain: false,
            });
        }
        if !reason.is_empty() {
            out.withheld.push(Withheld { uid: self.event.uid.clone(), reason: reason.to_owned() });
        }
    }

    fn bare(event: &'a Event, zones: &Zones<'a>) -> Self {
        let frame = zones.frame(&event.start);
        let length = zones.length(event, &frame);
        let mut master = Self {
            event,
            start: wall(&event.start),
            length,
            except: Except::default(),
            overrides: BTreeMap::new(),
            day_overrides: BTreeMap::new(),
            replaced: None,
            futures: BTreeMap::new(),
            doubts: doubts(event, &frame, length),
            frame,
        };
        let except_dates = &event.recurrence.except_dates;
        if except_dates.len() > MAX_DATES {
            master.doubts.push("it has more exceptions than any real event, so none is honoured".to_owned());
            return master;
        }
        for date in except_dates {
            match master.key(date, zones) {
                (true, wall) => master.except.days.insert(wall.div_euclid(DAY)),
                (false, wall) => master.except.walls.insert(wall),
            };
        }
        master
    }

    /// How an EXDATE or RECURRENCE-ID names an instance: a whole day or not, and its wall time.
    fn key(&self, when: &When, zones: &Zones<'_>) -> (bool, i64) {
        let wall = zones.wall_in(&self.frame, when);
        match (&self.frame, when) {
            (Frame::Days(_), _) => (false, wall.div_euclid(DAY) * DAY),
            (Frame::Clock(_) | Frame::Anywhere, When::Date(_)) => (true, wall),
            (Frame::Clock(_) | Frame::Anywhere, _) => (false, self.regular(wall)),
        }
    }

    /// The wall time that the clocks really show: one in a gap and the one it moves to are the same instance.
    fn regular(&self, wall: i64) -> i64 {
        self.frame.regular(wall)
    }

    fn tell(&self, candidate: Candidate, reach: Interval, zones: &Zones<'a>, out: &mut Expanded<'a>) {
        let key = candidate.wall;
        if self.overrides.contains_key(&key) || self.day_overrides.contains_key(&key.div_euclid(DAY)) {
            return;
        }
        let original = self.original(key);
        let certain = candidate.certain && self.is_certain();
        match self.futures.range(..=key).next_back() {
            Some((_, future)) if future.repeats() => {}
            Some((from, future)) => {
                let frame = zones.frame(&future.start);
                let shift = zones.wall_in(&self.frame, &future.start) - from;
                let mut moved = key.saturating_add(shift);
                if let Frame::Days(_) = frame {
                    moved = moved.div_euclid(DAY) * DAY;
                }
                let clock = if let Frame::Days(_) = frame { &frame } else { &self.frame };
                let length = candidate.length.unwrap_or_else(|| zones.length(future, &frame));
                push(future, original, clock, moved, length, certain, reach, out);
            }
            None => {
                let length = candidate.length.unwrap_or(self.length);
                let told = out.instances.len();
                push(self.event, original, &self.frame, key, length, certain, reach, out);
                if let (false, Some(_), Some(stretch)) =
                    (candidate.certain, candidate.length, out.instances.get_mut(told))
                {
                    stretch.end = stretch.end.min(reach.end());
                }
            }
        }
    }

    fn tell_override(&self, event: &'a Event, reach: Interval, zones: &Zones<'a>, out: &mut Expanded<'a>) {
        let Some(instance) = &event.instance else { return };
        let wall = match self.key(instance, zones) {
            (true, day) => day + self.start.rem_euclid(DAY),
            (false, wall) => wall,
        };
        if !event.and_future || !event.repeats() {
            single(event, self.original(wall), reach, zones, out);
        }
    }

    /// An override with rules of its own was a series once; older than its master, and for an instance that the
    /// master does not have, it was left behind.
    fn is_stale(&self, event: &Event, zones: &Zones<'a>, budget: &mut Budget) -> bool {
        let older = event.repeats() && event.sequence < self.event.sequence;
        let Some(instance) = event.instance.as_ref().filter(|_| older) else { return false };
        let (from, to) = match self.key(instance, zones) {
            (true, day) => (day, day + DAY - 1),
            (false, wall) => (wall, wall),
        };
        let mut doubts = Vec::new();
        let known = self.candidates(from - SLACK, to + SLACK, zones, budget, &mut doubts);
        doubts.is_empty() && !known.iter().any(|candidate| (from..=to).contains(&candidate.wall))
    }

    /// An unknown zone still has an original start; it is told as if it were UTC.
    fn original(&self, wall: i64) -> Option<Timestamp> {
        self.frame.instant(wall).or_else(|| Timestamp::from_second(wall).ok())
    }

    fn is_certain(&self) -> bool {
        !matches!(self.frame, Frame::Anywhere) && !matches!(self.length, Length::Reversed(_))
    }

    fn greatest_shift(&self, zones: &Zones<'a>) -> i64 {
        self.futures
            .iter()
            .map(|(from, event)| {
                zones.wall_in(&self.frame, &event.start).saturating_sub(*from).saturating_abs()
            })
            .max()
            .unwrap_or(0)
            // A shift of years is no shift; the instances are lost to the window either way.
            .min(3_660 * DAY)
    }
}

/// Tells one event that stands alone, where it touches `reach`.
pub fn single<'a>(
    event: &'a Event,
    original: Option<Timestamp>,
    reach: Interval,
    zones: &Zones<'a>,
    out: &mut Expanded<'a>,
) {
    let frame = zones.frame(&event.start);
    let length = zones.length(event, &frame);
    let doubts = doubts(event, &frame, length);
    let told = out.instances.len();
    push(event, original, &frame, wall(&event.start), length, doubts.is_empty(), reach, out);
    if out.instances.len() > told {
        let told = doubts.into_iter().map(|reason| Withheld { uid: event.uid.clone(), reason });
        out.withheld.extend(told);
    }
}

fn doubts(event: &Event, frame: &Frame, length: Length) -> Vec<String> {
    let mut doubts = Vec::new();
    if event.status == Status::Cancelled {
        return doubts;
    }
    if let (Frame::Anywhere, When::Zoned { zone, .. }) = (frame, &event.start) {
        let name = match zone {
            crate::zone::Zone::Iana(name) | crate::zone::Zone::Unknown(name) => name.as_str(),
            crate::zone::Zone::Given(given) => given.name.as_str(),
        };
        doubts.push(format!("its time zone {name:?} is unknown, so it blocks wherever on earth it may be"));
    }
    if let Length::Reversed(_) = length {
        doubts.push("it ends before it begins, so the time between the two is blocked".to_owned());
    }
    doubts
}

#[expect(clippy::too_many_arguments, reason = "the parts of one instance, all different in kind")]
fn push<'a>(
    event: &'a Event,
    original: Option<Timestamp>,
    frame: &Frame,
    wall: i64,
    length: Length,
    certain: bool,
    reach: Interval,
    out: &mut Expanded<'a>,
) {
    let Some((start, end)) = frame.stretch(wall, length) else { return };
    let touches = start < reach.end() && (end > reach.start() || (start == end && start >= reach.start()));
    if touches {
        out.instances.push(Instance { event, original, start, end, certain });
    }
}
