//! Decides when a file of a watched folder may be taken, when to look at one again, and when to read the whole folder,
//! from what was seen and heard. A state machine over values: it touches no disk and reads no clock.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::names::Takes;

/// Files that are followed at once. What lies there beyond them has its turn when these are done.
const FOLLOWED: usize = 10_000;
/// Files that are looked at in one go.
const LOOKS: usize = 256;
/// Files that are handed on in one go.
const TAKEN: usize = 16;
/// A file that is written in many small pieces is heard of a thousand times a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
const BETWEEN_SCANS: Duration = Duration::from_millis(500);

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a file has to stand still before it is taken.
    pub still: Duration,
    /// The same for one that was seen to change.
    pub still_after_change: Duration,
    /// The same for an empty one: somebody made it to write into it.
    pub still_when_empty: Duration,
    /// The same for a calendar without its end.
    pub still_when_unfinished: Duration,
    /// The whole folder is read this often, whatever is heard of it.
    pub scan: Duration,
    /// The same where nothing can be heard.
    pub scan_when_deaf: Duration,
    /// After a failure, doubling with each one.
    pub retry: Duration,
    pub longest_retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            still: Duration::from_secs(1),
            still_after_change: Duration::from_secs(3),
            still_when_empty: Duration::from_secs(10),
            still_when_unfinished: Duration::from_secs(30),
            scan: Duration::from_secs(30),
            scan_when_deaf: Duration::from_secs(2),
            retry: Duration::from_secs(5),
            longest_retry: Duration::from_mins(10),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a device, a socket.
    Other,
}

/// What a glance from outside tells of a file. Two equal ones mean that nobody wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub kind: Kind,
    pub len: u64,
    pub modified_ns: i128,
    /// Device and number, where the system has them: a file that takes another's place has its own.
    pub id: Option<(u64, u64)>,
}

/// A file that stood still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub name: OsString,
    pub stamp: Stamp,
    /// It stood still so long that even a calendar without its end has to be taken for whole.
    pub for_good: bool,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Take these in, and say with [`Plan::settle`] what came of each. Until then no others are handed out.
    Take(Vec<Standing>),
    /// Look at these, and tell with [`Plan::see`].
    Look(Vec<OsString>),
    /// Read the whole folder: [`Plan::begin_scan`], [`Plan::see`] for each file, [`Plan::end_scan`].
    Scan,
    /// Nothing is due before then; ask again then.
    WaitUntil(Timestamp),
}

/// What came of a file that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is no longer there.
    Gone,
    /// It is not what was handed out.
    Changed,
    /// It is a calendar without its end.
    Unfinished,
    /// This file could not be dealt with for now.
    Failed,
    /// Nothing was done with it, for no reason of its own.
    Untouched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Watched,
    Ready,
    Taken,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Nothing before the first look.
    stamp: Option<Stamp>,
    since: Timestamp,
    /// It was seen to change, so it is given more time.
    restless: bool,
    unfinished: bool,
    phase: Phase,
    failures: u32,
    /// It failed: when it may be tried again.
    held_until: Option<Timestamp>,
    looked_at: Timestamp,
    look_at: Option<Timestamp>,
    /// The scan in which it was last known to be there.
    scan: u64,
}

/// One watched folder.
#[derive(Clone, Debug)]
pub struct Plan {
    pace: Pace,
    takes: Takes,
    hears: bool,
    entries: BTreeMap<OsString, Entry>,
    scan: u64,
    scanning: bool,
    scan_at: Timestamp,
    scan_ended_at: Timestamp,
    /// Something came up during a scan that may have missed it.
    scan_again: bool,
    /// There is more in the folder than is followed.
    crowded: bool,
    /// Nothing is handed out before then: what takes files in cannot just now.
    rests_until: Option<Timestamp>,
    rests: u32,
    /// When it was last asked what to do.
    asked_at: Timestamp,
}

impl Plan {
    /// A folder of which nothing is known: the first thing is to read it.
    #[must_use]
    pub fn new(pace: Pace, takes: Takes) -> Self {
        Self {
            pace,
            takes,
            hears: false,
            entries: BTreeMap::new(),
            scan: 0,
            scanning: false,
            scan_at: Timestamp::MIN,
            scan_ended_at: Timestamp::MIN,
            scan_again: false,
            crowded: false,
            rests_until: None,
            rests: 0,
            asked_at: Timestamp::MIN,
        }
    }

    /// Whether changes are told by the system. While they are not, the folder is read more often.
    pub fn set_hears(&mut self, hears: bool) {
        self.hears = hears;
        self.scan_at = self.scan_at.min(later(self.scan_ended_at, self.scan_pause()));
    }

    /// How many files wait to be taken in, as far as they are known.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.entries.values().filter(|entry| entry.stamp.is_some()).count()
    }

    /// How often in a row this file could not be dealt with.
    #[must_use]
    pub fn failures(&self, name: &OsStr) -> u32 {
        self.entries.get(name).map_or(0, |entry| entry.failures)
    }

    /// Something happened to this file.
    pub fn hear(&mut self, name: &OsStr, now: Timestamp) {
        if !self.takes.takes(name) {
            return;
        }
        let (scan, full) = (self.scan, self.entries.len() >= FOLLOWED);
        match self.entries.get_mut(name) {
            Some(entry) => {
                let soon = now.max(later(entry.looked_at, BETWEEN_LOOKS));
                entry.look_at = Some(entry.look_at.map_or(soon, |at| at.min(soon)));
            }
            None if full => self.crowded = true,
            None => {
                self.entries.insert(name.to_owned(), Entry::heard(now, scan));
            }
        }
    }

    /// Something may have happened to any file.
    pub fn hear_of_all(&mut self, now: Timestamp) {
        if self.scanning {
            self.scan_again = true;
        }
        self.scan_at = self.scan_at.min(now.max(later(self.scan_ended_at, BETWEEN_SCANS)));
    }

    /// A look at this file found this, or found nothing.
    pub fn see(&mut self, name: &OsStr, stamp: Option<Stamp>, now: Timestamp) {
        let stamp = stamp.filter(|stamp| stamp.kind != Kind::Folder && self.takes.takes(name));
        let Some(stamp) = stamp else {
            match self.entries.get_mut(name) {
                // Whoever has it finds that out, at the end.
                Some(entry) if entry.phase == Phase::Taken => entry.look_at = None,
                Some(_) | None => drop(self.entries.remove(name)),
            }
            return;
        };
        if !self.entries.contains_key(name) {
            if self.entries.len() >= FOLLOWED {
                self.crowded = true;
                return;
            }
            self.entries.insert(name.to_owned(), Entry::heard(now, self.scan));
        }
        if let Some(entry) = self.entries.get_mut(name) {
            entry.scan = self.scan;
            entry.see(stamp, now, &self.pace);
        }
    }

    pub fn begin_scan(&mut self) {
        self.scan += 1;
        self.scanning = true;
        self.scan_again = false;
        self.crowded = false;
    }

    /// The folder was read to its end: what was not seen is not there.
    pub fn end_scan(&mut self, now: Timestamp) {
        let scan = self.scan;
        self.entries.retain(|_, entry| entry.scan == scan || entry.phase == Phase::Taken);
        self.stop_scan(now);
        if self.scan_again {
            self.scan_at = later(now, BETWEEN_SCANS);
        }
    }

    /// The folder could not be read to its end, which says nothing about any file.
    pub fn stop_scan(&mut self, now: Timestamp) {
        self.scanning = false;
        self.scan_ended_at = now;
        self.scan_at = later(now, self.scan_pause());
    }

    /// What came of a file that was handed out.
    pub fn settle(&mut self, name: &OsStr, after: After, now: Timestamp) {
        let retry = |failures: u32| {
            self.pace
                .retry
                .saturating_mul(2_u32.saturating_pow(failures.min(16)))
                .min(self.pace.longest_retry)
        };
        let Some(entry) = self.entries.get_mut(name) else { return };
        match after {
            // Another file may have its name already.
            After::Gone => *entry = Entry { scan: entry.scan, ..Entry::heard(now, entry.scan) },
            After::Changed => {
                *entry = Entry { restless: true, ..Entry::heard(now, entry.scan) };
            }
            After::Unfinished => {
                entry.unfinished = true;
                entry.phase = Phase::Watched;
                entry.look_at = Some(later(entry.since, entry.patience(&self.pace)));
            }
            After::Failed => {
                let until = later(now, retry(entry.failures));
                entry.phase = Phase::Watched;
                entry.held_until = Some(until);
                entry.look_at = Some(until);
                entry.failures = entry.failures.saturating_add(1);
            }
            After::Untouched => {
                entry.phase = Phase::Watched;
                entry.look_at = Some(now);
            }
        }
    }

    /// Files cannot be taken in just now; none is handed out for a while, longer each time.
    pub fn rest(&mut self, wait: impl FnOnce(u32) -> Duration, now: Timestamp) {
        self.rests = self.rests.saturating_add(1);
        self.rests_until = Some(later(now, wait(self.rests)));
    }

    /// Files can be taken in.
    pub fn wake(&mut self) {
        self.rests = 0;
        self.rests_until = None;
    }

    /// Somebody wants everything tried again at once.
    pub fn try_again(&mut self, now: Timestamp) {
        self.wake();
        for entry in self.entries.values_mut().filter(|entry| entry.held_until.is_some()) {
            entry.held_until = None;
            entry.look_at = Some(now);
        }
        self.hear_of_all(now);
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&mut self, now: Timestamp) -> Next {
        self.notice_a_clock_set_back(now);
        let due: Vec<OsString> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.look_at.is_some_and(|at| at <= now))
            .map(|(name, _)| name.clone())
            .take(LOOKS)
            .collect();
        if !due.is_empty() {
            return Next::Look(due);
        }
        if self.may_take(now) {
            let taken = self.ready();
            if !taken.is_empty() {
                return Next::Take(taken);
            }
        }
        let room = self.crowded && self.entries.len() < FOLLOWED / 2;
        if !self.scanning && (self.scan_at <= now || room) {
            return Next::Scan;
        }
        Next::WaitUntil(self.next_time())
    }

    fn may_take(&self, now: Timestamp) -> bool {
        self.rests_until.is_none_or(|until| until <= now)
            && !self.entries.values().any(|entry| entry.phase == Phase::Taken)
    }

    /// Those that are ready, the oldest first: of two versions of a file, the older one is to come first.
    fn ready(&mut self) -> Vec<Standing> {
        let pace = self.pace;
        let mut ready: Vec<(i128, OsString)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Ready)
            .filter_map(|(name, entry)| Some((entry.stamp?.modified_ns, name.clone())))
            .collect();
        ready.sort();
        ready.truncate(TAKEN);
        let mut taken = Vec::new();
        for (_, name) in ready {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            let Some(stamp) = entry.stamp else { continue };
            entry.phase = Phase::Taken;
            let still = entry.looked_at.duration_since(entry.since);
            let for_good = still >= SignedDuration::try_from(pace.still_when_unfinished).unwrap_or_default();
            taken.push(Standing { name, stamp, for_good });
        }
        taken
    }

    fn next_time(&self) -> Timestamp {
        let looks = self.entries.values().filter_map(|entry| entry.look_at);
        let scan = (!self.scanning).then_some(self.scan_at);
        let ready = self.entries.values().any(|entry| entry.phase == Phase::Ready);
        let rest = self.rests_until.filter(|_| ready);
        looks.chain(scan).chain(rest).min().unwrap_or(Timestamp::MAX)
    }

    fn scan_pause(&self) -> Duration {
        if self.hears { self.pace.scan } else { self.pace.scan_when_deaf }
    }

    /// What was to happen at a time that is far away by the new clock happens now.
    fn notice_a_clock_set_back(&mut self, now: Timestamp) {
        if now < self.asked_at {
            self.scan_ended_at = self.scan_ended_at.min(now);
            self.scan_at = self.scan_at.min(now);
            self.rests_until = self.rests_until.map(|until| until.min(now));
            for entry in self.entries.values_mut() {
                entry.since = entry.since.min(now);
                entry.looked_at = entry.looked_at.min(now);
                entry.held_until = entry.held_until.map(|until| until.min(now));
                entry.look_at = entry.look_at.map(|at| at.min(now));
            }
        }
        self.asked_at = now;
    }
}

impl Entry {
    fn heard(now: Timestamp, scan: u64) -> Self {
        Self {
            stamp: None,
            since: now,
            restless: false,
            unfinished: false,
            phase: Phase::Watched,
            failures: 0,
            held_until: None,
            looked_at: Timestamp::MIN,
            look_at: Some(now),
            scan,
        }
    }

    fn see(&mut self, stamp: Stamp, now: Timestamp, pace: &Pace) {
        self.looked_at = now;
        if self.phase == Phase::Taken {
            // Whoever has it compares for itself, at the end.
            self.look_at = None;
            return;
        }
        if self.stamp != Some(stamp) {
            self.restless |= self.stamp.is_some();
            self.stamp = Some(stamp);
            self.since = now;
            self.unfinished = false;
            self.failures = 0;
            self.held_until = None;
        }
        self.since = self.since.min(now);
        let ripe_at = later(self.since, self.patience(pace)).max(self.held_until.unwrap_or(Timestamp::MIN));
        if ripe_at <= now {
            self.phase = Phase::Ready;
            self.look_at = None;
        } else {
            self.phase = Phase::Watched;
            self.look_at = Some(ripe_at);
        }
    }

    fn patience(&self, pace: &Pace) -> Duration {
        let mut patience = if self.restless { pace.still_after_change } else { pace.still };
        if self.stamp.is_some_and(|stamp| stamp.kind == Kind::File && stamp.len == 0) {
            patience = patience.max(pace.still_when_empty);
        }
        if self.unfinished {
            patience = patience.max(pace.still_when_unfinished);
        }
        patience
    }
}

fn later(time: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| time.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
