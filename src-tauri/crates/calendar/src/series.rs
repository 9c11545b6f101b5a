//! Joins masters and overrides into the instances that fall in a stretch of time. Knows recurrence and zones; whether
//! an instance blocks time is decided elsewhere.

mod clock;
mod frame;
mod master;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::busy::Withheld;
use crate::event::Event;
use crate::interval::Interval;
use crate::recurrence::Budget;
use frame::Zones;
pub use frame::wall;
use master::Master;

/// One instance, placed in time.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// Whose properties hold: the override's where there is one.
    pub event: &'a Event,
    /// The original start where the event repeats or overrides.
    pub original: Option<Timestamp>,
    pub start: Timestamp,
    /// Not before `start`, and equal to it for an event without duration.
    pub end: Timestamp,
    /// False where this is only the stretch it may fall in.
    pub certain: bool,
}

/// Every instance that touches the stretch asked for, and what could not be expanded in full.
#[derive(Debug, Default)]
pub struct Expanded<'a> {
    pub instances: Vec<Instance<'a>>,
    pub withheld: Vec<Withheld>,
}

impl Expanded<'_> {
    /// What is told beyond this is taken back anyway.
    fn is_too_full(&self) -> bool {
        self.instances.len() > MAX_INSTANCES
    }
}

/// Steps for one series: more than any real rule needs.
const STEPS_PER_SERIES: u64 = 1_000_000;
/// Steps for one calendar, so that a thousand hostile series cannot add up.
const STEPS_IN_ALL: u64 = 20_000_000;
/// What a series may always spend, however much the others spent: ample for a real one.
const STEPS_AT_LEAST: u64 = 20_000;
/// Instances that one calendar may have in a window.
const MAX_INSTANCES: usize = 250_000;
/// Every occurrence is told with its words; for repeating events they come to no more than this.
const MAX_TEXT_BYTES: usize = 48 * 1024 * 1024;

/// Expands `events` of one calendar within `reach`; all-day and floating times are read in `zone`.
#[must_use]
pub fn expand<'a>(events: &'a [Event], reach: Interval, zone: &TimeZone) -> Expanded<'a> {
    let mut work = Work {
        reach,
        zones: Zones::new(zone, reach),
        budget: Budget::new(STEPS_IN_ALL),
        text_bytes: 0,
        out: Expanded::default(),
    };
    let mut series: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let key = event.series_key();
        if key.is_empty() || (event.instance.is_none() && !event.repeats() && event.uid.0.is_empty()) {
            work.series(&[event]);
        } else {
            series.entry(key).or_default().push(event);
        }
    }
    for members in series.values() {
        work.series(members);
    }
    work.out
}

/// What expanding one calendar carries along.
struct Work<'a> {
    reach: Interval,
    zones: Zones<'a>,
    budget: Budget,
    /// What the words of the instances of series come to.
    text_bytes: usize,
    out: Expanded<'a>,
}

impl<'a> Work<'a> {
    fn series(&mut self, members: &[&'a Event]) {
        if let [event] = members
            && event.instance.is_none()
            && !event.repeats()
            && !event.incomplete
        {
            return self.single(event, None);
        }
        let masters = newest(members.iter().copied().filter(|event| event.instance.is_none()));
        let overrides: Vec<&Event> =
            members.iter().copied().filter(|event| event.instance.is_some()).collect();
        let mut budget = Budget::new(self.budget.left().clamp(STEPS_AT_LEAST, STEPS_PER_SERIES));
        let before = budget.left();
        let Some((first, others)) = masters.split_first() else {
            self.orphans(&overrides);
            return;
        };
        let told = self.out.instances.len();
        let master = Master::new(first, &overrides, &mut self.zones);
        master.expand(self.reach, &self.zones, &mut budget, &mut self.out);
        let replaced = master.replaced();
        for other in others {
            if self.out.is_too_full() {
                break;
            }
            // Two versions of one event, neither newer: both may be true, so both count.
            let other = Master::without_overrides(other, &replaced, &self.zones);
            other.expand(self.reach, &self.zones, &mut budget, &mut self.out);
        }
        // Once nothing is left, every series still has its least.
        let _ = self.budget.spend(before - budget.left());
        let words = |instance: &Instance<'_>| instance.event.uid.0.len() + instance.event.summary.len();
        let new = self.out.instances.get(told..).unwrap_or_default();
        let text_bytes = self.text_bytes + new.iter().map(words).sum::<usize>();
        if !self.out.is_too_full() && text_bytes <= MAX_TEXT_BYTES {
            self.text_bytes = text_bytes;
        } else {
            let from = new.iter().map(|instance| instance.start).min();
            self.out.instances.truncate(told);
            master.block_all(
                self.reach,
                "the calendar has more occurrences than can be shown",
                &mut self.out,
            );
            if let (Some(all), Some(from)) = (self.out.instances.get_mut(told), from) {
                all.start = all.start.min(from);
            }
        }
    }

    /// Overrides whose master is not in the file are events of their own.
    fn orphans(&mut self, overrides: &[&'a Event]) {
        let mut by_original: BTreeMap<Option<Timestamp>, Vec<&'a Event>> = BTreeMap::new();
        for event in overrides {
            let original = event.instance.as_ref().and_then(|when| self.zones.instant(when));
            by_original.entry(original).or_default().push(event);
        }
        for (original, versions) in by_original {
            for event in newest(versions.into_iter()) {
                self.single(event, original);
            }
        }
    }

    fn single(&mut self, event: &'a Event, original: Option<Timestamp>) {
        self.zones.know(event);
        master::single(event, original, self.reach, &self.zones, &mut self.out);
    }
}

/// The versions with the highest SEQUENCE, then DTSTAMP (RFC 5546 §2.1.5). Where neither of two is newer, both may be
/// true and both are kept, in an order that does not depend on the file's.
fn newest<'a>(versions: impl Iterator<Item = &'a Event>) -> Vec<&'a Event> {
    let mut kept: Vec<&Event> = Vec::new();
    for event in versions {
        let rank = (event.sequence, event.stamp);
        let best = kept.first().map(|kept| (kept.sequence, kept.stamp));
        if best.is_none_or(|best| rank > best) {
            kept.clear();
        }
        if best.is_none_or(|best| rank >= best) {
            kept.push(event);
        }
    }
    if kept.len() > 1 {
        kept.sort_by_cached_key(|event| (!event.repeats(), wall(&event.start), format!("{event:?}")));
        kept.dedup();
    }
    kept
}
