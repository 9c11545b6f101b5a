//! Which entries of files are versions of one thing, which version is the newer one, and under which id it is kept.
//! An entry that says too little to be recognised is known by its content.

use std::cmp::Ordering;

use calendar::event::{Event, Uid, When};
use calendar::ics;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::ids::RemoteId;

/// What all versions of one event, or of one instance of a series, have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub uid: String,
    /// Nothing for an event or a series as a whole.
    pub instance: String,
}

impl Key {
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let instance = match (&event.instance, &event.series) {
            _ if ics::is_period(event) => PERIODS.to_owned(),
            // One of a series, and nobody knows which.
            (_, Some(series)) => series.strip_prefix(&event.uid.0).unwrap_or(series).to_owned(),
            (Some(when), None) => moment(when),
            (None, None) => String::new(),
        };
        Self { uid: event.uid.0.clone(), instance }
    }

    /// The series that this is an instance of, or itself.
    #[must_use]
    pub fn master(&self) -> Self {
        Self { uid: self.uid.clone(), instance: String::new() }
    }

    #[must_use]
    pub fn is_master(&self) -> bool {
        self.instance.is_empty()
    }

    /// The id of one entry under this key. Where there may be several, their times and words tell them apart.
    #[must_use]
    pub fn id(&self, event: &Event, alone: bool) -> RemoteId {
        let mut parts = vec![self.uid.clone(), self.instance.clone()];
        if !alone || self.instance == PERIODS {
            parts.push(content(event));
        }
        RemoteId(format!("file-{}", digest(&parts.join("\n"), 32)))
    }
}

/// All periods of one VFREEBUSY are one thing: a newer one replaces them all.
const PERIODS: &str = "#freebusy";

/// Gives an entry the names by which later files find it again, whatever line it stands on.
#[must_use]
pub fn named(mut event: Event, adds_instance: bool) -> Event {
    if ics::is_period(&event) {
        if event.uid.0.is_empty() {
            event.uid = Uid("vfreebusy".to_owned());
        }
        event.series = Some(format!("{}#freebusy:{}", event.uid.0, moment(&event.start)));
        return event;
    }
    if event.uid.0.is_empty() {
        event.series = None;
        event.uid = Uid(format!("no-uid-{}", digest(&content(&event), 24)));
    } else if event.series.is_some() {
        event.series = Some(format!("{}#some:{}", event.uid.0, digest(&content(&event), 24)));
    } else if adds_instance && event.instance.is_none() {
        event.series = Some(format!("{}#added:{}", event.uid.0, moment(&event.start)));
    }
    event
}

/// All that an entry says, but not which version of it this is.
#[must_use]
pub fn content(event: &Event) -> String {
    let plain = Event { sequence: 0, stamp: None, series: None, ..event.clone() };
    digest(&serde_json::to_string(&plain).unwrap_or_default(), 32)
}

/// When it is: what an invitation asks about.
#[must_use]
pub fn times(event: &Event) -> String {
    let times = serde_json::to_string(&(&event.start, &event.end, &event.recurrence));
    digest(&times.unwrap_or_default(), 16)
}

/// SEQUENCE, then DTSTAMP (RFC 5546 §2.1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rank {
    pub sequence: u32,
    pub stamp: Option<Timestamp>,
}

impl Rank {
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self { sequence: event.sequence, stamp: event.stamp }
    }

    /// A version without a stamp is as new as the day it came.
    #[must_use]
    pub fn order(self, other: Self) -> Ordering {
        let stamps = self.stamp.zip(other.stamp).map_or(Ordering::Equal, |(a, b)| a.cmp(&b));
        self.sequence.cmp(&other.sequence).then(stamps)
    }

    #[must_use]
    pub fn newer(self, other: Self) -> Self {
        match self.order(other) {
            Ordering::Less => other,
            Ordering::Equal if self.stamp.is_none() => other,
            Ordering::Equal | Ordering::Greater => self,
        }
    }
}

fn moment(when: &When) -> String {
    match when {
        When::Date(date) => date.to_string(),
        When::Utc(at) => at.to_string(),
        When::Floating(wall) => wall.to_string(),
        When::Zoned { wall, .. } => {
            when.instant().map_or_else(|| format!("{wall} somewhere"), |at| at.to_string())
        }
    }
}

fn digest(text: &str, hex: usize) -> String {
    let mut full = HEXLOWER.encode(&Sha256::digest(text));
    full.truncate(hex);
    full
}

#[cfg(test)]
mod tests {
    use calendar::event::End;

    use super::*;
    use crate::made::at;

    fn event(uid: &str, hour: i64) -> Event {
        Event::new(Uid(uid.to_owned()), When::Utc(at(hour)), End::At(When::Utc(at(hour + 1))))
    }

    #[test]
    fn the_versions_of_one_event_share_an_id_and_the_periods_of_one_list_do_not() {
        let id = |event: &Event, alone| Key::of(event).id(event, alone);
        assert_eq!(id(&event("a", 1), true), id(&event("a", 2), true));
        assert_ne!(id(&event("a", 1), false), id(&event("a", 2), false), "both may be true");
        assert_ne!(id(&event("a", 1), true), id(&event("b", 1), true));
        let period = |hour: i64| {
            let event = Event { series: Some("a#freebusy:3".to_owned()), ..event("a", hour) };
            named(event, false)
        };
        assert_eq!(Key::of(&period(1)), Key::of(&period(2)));
        assert_ne!(id(&period(1), true), id(&period(2), true));
    }

    #[test]
    fn an_entry_says_the_same_in_every_version_and_whatever_it_is_joined_by() {
        let said = event("a", 1);
        let again =
            Event { sequence: 3, stamp: Some(at(0)), series: Some("a#some:1".to_owned()), ..said.clone() };
        assert_eq!(content(&said), content(&again));
        assert_ne!(content(&said), content(&event("a", 2)));
    }

    #[test]
    fn of_two_versions_that_are_equally_new_the_one_with_a_stamp_says_how_new() {
        let rank = |sequence, stamp| Rank { sequence, stamp };
        let (bare, stamped) = (rank(1, None), rank(1, Some(at(5))));
        assert_eq!((bare.newer(stamped), stamped.newer(bare)), (stamped, stamped));
        let (next, later) = (rank(2, None), rank(1, Some(at(6))));
        assert_eq!((next.newer(later), later.newer(next)), (next, next));
        assert_eq!((stamped.newer(later), later.newer(stamped)), (later, later));
    }
}
