//! Which events block time, why, and when: occurrences and the rules a vendor chose in, busy intervals with their
//! sources out. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Uid};
use crate::interval::{self, Interval};
use crate::judge::judge;
use crate::series::{self, Instance};

/// How all-day events count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllDayRule {
    Ignore,
    /// Only those that are shown as busy.
    #[default]
    BlockIfBusy,
    AlwaysBlock,
}

/// What a vendor chose for one calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusyRules {
    pub all_day: AllDayRule,
    pub tentative_blocks: bool,
    pub buffer_before_minutes: u16,
    pub buffer_after_minutes: u16,
}

impl Default for BusyRules {
    fn default() -> Self {
        Self {
            all_day: AllDayRule::default(),
            tentative_blocks: true,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
        }
    }
}

/// Why an occurrence blocks time or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Busy,
    OutOfOffice,
    Tentative,
    TentativeIgnored,
    Free,
    Cancelled,
    Declined,
    WorkingLocation,
    Birthday,
    AllDayBlocks,
    AllDayIgnored,
    AllDayFree,
    NoDuration,
    /// Our own event for a Bookiji booking.
    OwnBooking,
    /// It could not be placed exactly, so it blocks where it may fall.
    Withheld,
}

/// One occurrence of one event, placed in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    pub uid: Uid,
    /// The original start of the instance where the event repeats or overrides one, as an instant.
    pub recurrence_id: Option<Timestamp>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub all_day: bool,
    pub busy: bool,
    pub reason: Reason,
    pub summary: String,
    /// What it blocks, buffers and travel included; nothing when it is free.
    pub blocks: Option<Interval>,
}

/// An event that could not be expanded in full. It still blocks what it may touch, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    pub uid: Uid,
    pub reason: String,
}

/// What a set of events comes to in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Every occurrence that overlaps the window, once, sorted by start then UID.
    pub occurrences: Vec<Occurrence>,
    pub withheld: Vec<Withheld>,
}

/// One stretch that is taken, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyInterval {
    #[serde(flatten)]
    pub interval: Interval,
    /// Who takes it up, each once.
    pub sources: BTreeSet<String>,
}

/// Places every event of one calendar in `window`, joining masters and overrides by [`Event::series_key`].
///
/// All-day and floating times are read in `zone`. Work and memory are bounded whatever the rules say. Copies of one
/// occurrence are told once.
#[must_use]
pub fn place(events: &[Event], rules: &BusyRules, window: Interval, zone: &TimeZone) -> Placed {
    let travel = events.iter().map(|event| event.travel_seconds.min(MAX_TRAVEL_SECONDS)).max().unwrap_or(0);
    let before = i64::from(rules.buffer_before_minutes) * 60 + i64::from(travel);
    let after = i64::from(rules.buffer_after_minutes) * 60;
    let reach =
        Interval::new(shifted(window.start(), -after), shifted(window.end(), before)).unwrap_or(window);
    let expanded = series::expand(events, reach, zone);
    let mut occurrences: Vec<Occurrence> = expanded
        .instances
        .into_iter()
        .map(|instance| occurrence(&instance, rules))
        .filter(|occurrence| touches(occurrence, &window))
        .collect();
    occurrences.sort_by(|a, b| {
        (a.start, &a.uid, a.end, a.recurrence_id, a.reason, &a.summary).cmp(&(
            b.start,
            &b.uid,
            b.end,
            b.recurrence_id,
            b.reason,
            &b.summary,
        ))
    });
    occurrences.dedup();
    let mut withheld = expanded.withheld;
    withheld.sort_by(|a, b| (&a.uid, &a.reason).cmp(&(&b.uid, &b.reason)));
    withheld.dedup();
    Placed { occurrences, withheld }
}

/// The union of what several sources block, with the sources of every stretch.
///
/// Touching stretches become one, as the platform merges them. The order of the sources does not matter.
#[must_use]
pub fn union_with_sources<'a>(blocks: impl IntoIterator<Item = (&'a str, Interval)>) -> Vec<BusyInterval> {
    let mut sorted: Vec<(Interval, &str)> =
        blocks.into_iter().map(|(source, block)| (block, source)).collect();
    sorted.sort_unstable();
    let mut merged: Vec<BusyInterval> = Vec::new();
    for (next, source) in sorted {
        if let Some(last) = merged.last_mut()
            && let Some(joined) = last.interval.joined(&next)
        {
            last.interval = joined;
            if !last.sources.contains(source) {
                last.sources.insert(source.to_owned());
            }
            continue;
        }
        merged.push(BusyInterval { interval: next, sources: BTreeSet::from([source.to_owned()]) });
    }
    merged
}

impl Placed {
    /// What this calendar blocks, merged.
    #[must_use]
    pub fn busy(&self) -> Vec<Interval> {
        interval::union(self.occurrences.iter().filter_map(|occurrence| occurrence.blocks).collect())
    }
}

/// The way to an appointment is at most this long.
const MAX_TRAVEL_SECONDS: u32 = 24 * 3_600;

fn occurrence(instance: &Instance<'_>, rules: &BusyRules) -> Occurrence {
    let event = instance.event;
    let (busy, reason) = judge(event, rules, instance.start < instance.end);
    let reason = if busy && !instance.certain { Reason::Withheld } else { reason };
    let all_day = event.is_all_day();
    let (before, after) = if all_day {
        (0, 0)
    } else {
        let travel = i64::from(event.travel_seconds.min(MAX_TRAVEL_SECONDS));
        (i64::from(rules.buffer_before_minutes) * 60 + travel, i64::from(rules.buffer_after_minutes) * 60)
    };
    let blocks = if busy {
        Interval::new(shifted(instance.start, -before), shifted(instance.end, after))
    } else {
        None
    };
    Occurrence {
        uid: event.uid.clone(),
        recurrence_id: instance.original,
        start: instance.start,
        end: instance.end,
        all_day,
        busy,
        reason,
        summary: event.summary.clone(),
        blocks,
    }
}

fn touches(occurrence: &Occurrence, window: &Interval) -> bool {
    let span = Interval::new(occurrence.start, occurrence.end);
    let itself = match span {
        Some(span) => span.overlaps(window),
        None => window.start() <= occurrence.start && occurrence.start < window.end(),
    };
    itself || occurrence.blocks.is_some_and(|blocks| blocks.overlaps(window))
}

fn shifted(instant: Timestamp, seconds: i64) -> Timestamp {
    let shifted = instant.as_second().saturating_add(seconds);
    Timestamp::from_second(shifted).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
