//! Which events block time, why, and when: occurrences and the rules a vendor chose in, busy intervals with their
//! sources out. Pure.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// The platform's checksum of an interval set: SHA-256 over `startMs-endMs`, sorted and joined by `|`.
#[must_use]
pub fn checksum(intervals: &[Interval]) -> String {
    let mut sorted = intervals.to_vec();
    sorted.sort_unstable();
    let parts: Vec<String> = sorted
        .iter()
        .map(|interval| format!("{}-{}", interval.start().as_millisecond(), interval.end().as_millisecond()))
        .collect();
    let text = if parts.is_empty() { "empty".to_owned() } else { parts.join("|") };
    HEXLOWER.encode(&Sha256::digest(text))
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
    let shifted = instant.checked_add(SignedDuration::from_secs(seconds));
    shifted.unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: i64, to: i64) -> Interval {
        let at = |hour: i64| Timestamp::from_second(1_768_867_200 + hour * 3_600).unwrap();
        Interval::new(at(from), at(to)).unwrap()
    }

    #[test]
    fn the_platforms_checksums_come_out() {
        let two = "c389d6297f608e50c2d416ce53bd0272c516856ded9a7033e6abca335711fbc2";
        assert_eq!(checksum(&[hours(10, 11), hours(12, 13)]), two);
        assert_eq!(checksum(&[hours(12, 13), hours(10, 11)]), two);
        assert_eq!(checksum(&[]), "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d");
    }

    #[test]
    fn a_union_knows_who_takes_up_each_stretch() {
        let of = |blocks: &[(&'static str, Interval)]| union_with_sources(blocks.iter().copied());
        let merged =
            of(&[("b", hours(11, 12)), ("a", hours(10, 11)), ("a", hours(10, 12)), ("c", hours(14, 15))]);
        let sources = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            merged,
            [
                BusyInterval { interval: hours(10, 12), sources: sources(&["a", "b"]) },
                BusyInterval { interval: hours(14, 15), sources: sources(&["c"]) },
            ]
        );
    }
}
