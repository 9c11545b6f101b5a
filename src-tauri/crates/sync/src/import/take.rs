//! What of a file is new here: each entry against the version that is known, by SEQUENCE and DTSTAMP. Pure; the same
//! file a second time changes nothing, in whatever order files come.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use calendar::event::{Answer, Event, ShownAs, Status, Transparency, Uid};
use calendar::ics::{Calendar, Method};
use calendar::identity::{OwnUid, own_uid};
use calendar::interval::Interval;
use calendar::series;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::key::{Key, Rank, content, named, times};
use super::{Given, Intake, Invitation};
use crate::ids::{CalendarId, ETag, RemoteId};
use crate::ports::{RemoteEvent, Slot};
use crate::world::World;

/// The etag of an entry that was taken back: whatever it says again is news.
const TAKEN_BACK: &str = "taken back";

/// Whether an imported row still says what was taken in: its etag is a digest of that.
#[must_use]
pub fn says_what_it_said(row: &RemoteEvent) -> bool {
    let taken_back = row.etag.as_str() == TAKEN_BACK && row.event.status == Status::Cancelled;
    taken_back || row.etag.as_str() == content(&row.event)
}

/// What of imported files is known, by what it is a version of.
#[derive(Clone, Debug)]
pub struct Holdings {
    calendar: CalendarId,
    known: BTreeMap<Key, Vec<RemoteEvent>>,
    invitations: BTreeMap<RemoteId, Invitation>,
}

/// The ids under which Bookiji writes bookings and slots of hers into calendar files.
#[derive(Clone, Debug, Default)]
pub struct Own {
    ids: BTreeSet<String>,
}

/// How many entries fared how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub new: usize,
    pub updated: usize,
    pub unchanged: usize,
    pub skipped: usize,
    pub cancelled: usize,
}

/// Why an entry is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// A booking or slot of hers that Bookiji wrote into the file itself.
    OwnBooking,
    Over,
    /// A newer version is here.
    Older,
    /// It takes back what was never here. Remembered, in case the older version comes after it.
    NotHere,
    /// An answer or a counter-proposal: somebody else's words about a time, and no time of hers.
    NoTime,
}

/// An entry that was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    pub uid: Uid,
    pub summary: String,
    pub reason: Skip,
}

/// What came of one VCALENDAR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub intake: Intake,
    pub counts: Counts,
    pub skipped: Vec<Skipped>,
    /// Of every entry that is here now.
    pub uids: BTreeSet<Uid>,
    /// Of those that say of themselves that they are free.
    pub free: BTreeSet<Uid>,
}

impl Own {
    /// Her bookings, the slots made of earlier files, and those that stand on the platform as far as it was asked.
    #[must_use]
    pub fn of(world: &World, standing: &[Slot]) -> Self {
        let bookings = world.bookings.keys().map(|id| id.0.to_ascii_lowercase());
        let made = world.imported_slots.values().flat_map(|row| &row.made);
        let slots = made.chain(standing).map(|slot| slot.id.0.to_ascii_lowercase());
        Self { ids: bookings.chain(slots).collect() }
    }

    fn holds(&self, uid: &Uid) -> bool {
        match own_uid(uid) {
            Some(OwnUid::Synced { .. } | OwnUid::Booking(_) | OwnUid::Slot(_)) => true,
            Some(OwnUid::Bare(id)) => self.ids.contains(&id),
            None => false,
        }
    }
}

/// The stretch of time in which the platform must be asked for its slots to know whether entries of this file are
/// slots of hers. Nothing where no entry may be one.
#[must_use]
pub fn asks_about_slots(
    file: &[Calendar],
    holdings: &Holdings,
    own: &Own,
    now: Timestamp,
) -> Option<Interval> {
    let day = SignedDuration::from_hours(24);
    let in_doubt = file.iter().flat_map(|part| &part.events).filter(|event| {
        matches!(own_uid(&event.uid), Some(OwnUid::Bare(_)))
            && !own.holds(&event.uid)
            && !holdings.known.contains_key(&Key::of(event))
    });
    let starts = in_doubt.filter_map(|event| Timestamp::from_second(series::wall(&event.start)).ok());
    let (first, last) = starts.fold(None, |found: Option<(Timestamp, Timestamp)>, at| {
        Some(found.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
    })?;
    let first = first.max(now).checked_sub(day).unwrap_or(Timestamp::MIN);
    Interval::new(first, last.checked_add(day).unwrap_or(Timestamp::MAX))
}

impl Holdings {
    /// What stands in the calendar of imported files, which must be there.
    #[must_use]
    pub fn of(world: &World, calendar: &CalendarId) -> Self {
        let mut known: BTreeMap<Key, Vec<RemoteEvent>> = BTreeMap::new();
        for row in world.events.get(calendar).into_iter().flat_map(BTreeMap::values) {
            known.entry(Key::of(&row.event)).or_default().push(row.clone());
        }
        let invitations = world.invitations.values().filter(|row| row.calendar == *calendar);
        let invitations = invitations.map(|row| (row.event.clone(), row.clone())).collect();
        Self { calendar: calendar.clone(), known, invitations }
    }

    /// Takes one VCALENDAR in, and answers with what that changes. Times without a zone are read in `zone`.
    #[must_use]
    pub fn take(&mut self, part: &Calendar, own: &Own, now: Timestamp, zone: &TimeZone) -> Taken {
        let mut taken = Taken::default();
        let carries = part.method.is_none_or(|method| method.carries_time() || method == Method::Cancel);
        let mut entries: BTreeMap<Key, Vec<Event>> = BTreeMap::new();
        for event in &part.events {
            if !carries {
                taken.skip(event, Skip::NoTime);
            } else if own.holds(&event.uid) {
                taken.skip(event, Skip::OwnBooking);
            } else {
                let event = named(event.clone(), part.method == Some(Method::Add));
                entries.entry(Key::of(&event)).or_default().push(event);
            }
        }
        let invites = part.method == Some(Method::Request);
        let named_here: BTreeSet<Key> = entries.keys().cloned().collect();
        let mut current = Vec::with_capacity(entries.len());
        for (key, versions) in entries {
            let versions = newest(versions, &mut taken);
            let Some(rank) = versions.iter().map(Rank::of).reduce(Rank::newer) else { continue };
            if self.is_older(&key, rank) {
                versions.iter().for_each(|event| taken.skip(event, Skip::Older));
            } else {
                current.push((key, versions, rank));
            }
        }
        let unknown = current.iter().filter(|(key, ..)| !self.known.contains_key(key));
        let over =
            over(unknown.flat_map(|(key, versions, _)| versions.iter().map(move |v| (key, v))), now, zone);
        for (key, versions, rank) in current {
            let is_over = over.contains(&key);
            // An earlier entry of this file may have taken the whole series back.
            if self.is_older(&key, rank) {
                versions.iter().for_each(|event| taken.skip(event, Skip::Older));
            } else if versions.iter().all(|event| event.status == Status::Cancelled) {
                self.take_back(&key, versions, rank, &named_here, &mut taken, is_over);
            } else {
                self.put(&key, versions, rank, invites, &mut taken, is_over);
            }
        }
        taken
    }

    /// A newer version is known, or the whole series was taken back after this.
    fn is_older(&self, key: &Key, rank: Rank) -> bool {
        let rank_of = |rows: &Vec<RemoteEvent>| {
            rows.iter().map(|row| Rank::of(&row.event)).reduce(Rank::newer).unwrap_or_default()
        };
        let newer = |known: Rank| known.order(rank) == Ordering::Greater;
        let itself = self.known.get(key).is_some_and(|rows| newer(rank_of(rows)));
        itself
            || self.known.get(&key.master()).is_some_and(|rows| {
                rows.iter().all(|row| row.event.status == Status::Cancelled) && newer(rank_of(rows))
            })
    }

    fn put(
        &mut self,
        key: &Key,
        versions: Vec<Event>,
        rank: Rank,
        invites: bool,
        taken: &mut Taken,
        is_over: bool,
    ) {
        let known = self.known.get(key).cloned().unwrap_or_default();
        if known.is_empty() && is_over {
            versions.iter().for_each(|event| taken.skip(event, Skip::Over));
            return;
        }
        let alone = versions.len() == 1;
        let rows: Vec<RemoteEvent> = versions
            .into_iter()
            .map(|event| RemoteEvent {
                id: key.id(&event, alone),
                etag: ETag(content(&event)),
                event,
                marker: None,
                created_as: None,
            })
            .collect();
        for row in &rows {
            taken.uids.insert(row.event.uid.clone());
            if says_free(&row.event) {
                taken.free.insert(row.event.uid.clone());
            }
        }
        let said = |rows: &[RemoteEvent]| -> BTreeSet<String> {
            rows.iter().map(|row| row.etag.0.clone()).collect()
        };
        if said(&known) == said(&rows) {
            taken.counts.unchanged += rows.len();
            self.restamp(key, known, rank, taken);
            return;
        }
        if known.is_empty() {
            taken.counts.new += rows.len();
        } else {
            taken.counts.updated += rows.len();
            let when = |rows: &[RemoteEvent]| -> BTreeSet<String> {
                rows.iter().map(|row| times(&row.event)).collect()
            };
            if when(&known) != when(&rows) {
                taken.intake.choices.push((Uid(key.uid.clone()), None));
            }
        }
        let kept: Vec<RemoteEvent> = rows.into_iter().map(|row| self.asked(row, invites, taken)).collect();
        let gone = known.iter().map(|row| &row.id).filter(|id| kept.iter().all(|row| row.id != **id));
        taken.intake.removed.extend(gone.cloned());
        taken.intake.changed.extend(kept.iter().cloned());
        self.known.insert(key.clone(), kept);
    }

    /// The same words under a newer stamp: the stamp is taken over, so that what lies between is older.
    fn restamp(&mut self, key: &Key, mut known: Vec<RemoteEvent>, rank: Rank, taken: &mut Taken) {
        let mut changed = false;
        for row in &mut known {
            let newer = rank.newer(Rank::of(&row.event));
            if newer != Rank::of(&row.event) {
                (row.event.sequence, row.event.stamp) = (newer.sequence, newer.stamp);
                changed = true;
            }
        }
        if changed {
            taken.intake.changed.extend(known.iter().cloned());
            self.known.insert(key.clone(), known);
        }
    }

    /// Works out whether she must be asked, and holds the time meanwhile.
    fn asked(&mut self, mut row: RemoteEvent, invites: bool, taken: &mut Taken) -> RemoteEvent {
        let before = self.invitations.get(&row.id);
        if !invites && before.is_none() {
            return row;
        }
        let asked = times(&row.event);
        let answered = matches!(row.event.answer, Some(Answer::Accepted | Answer::Declined));
        let answer = if !invites || answered || says_free(&row.event) {
            Given::NotAsked
        } else {
            match before.filter(|before| before.asked == asked).map(|before| before.answer) {
                Some(answer @ (Given::Accepted | Given::Declined)) => answer,
                Some(Given::Waiting | Given::NotAsked) | None => Given::Waiting,
            }
        };
        if let Some(hers) = hers(answer) {
            row.event.answer = Some(hers);
        }
        let invitation = Invitation { calendar: self.calendar.clone(), event: row.id.clone(), asked, answer };
        self.invitations.insert(row.id.clone(), invitation.clone());
        taken.intake.invitations.push(invitation);
        row
    }

    fn take_back(
        &mut self,
        key: &Key,
        versions: Vec<Event>,
        rank: Rank,
        named_here: &BTreeSet<Key>,
        taken: &mut Taken,
        is_over: bool,
    ) {
        let concerned: Vec<Key> = if key.is_master() {
            let all = self.known.range(key.clone()..).take_while(|(other, _)| other.uid == key.uid);
            all.map(|(other, _)| other.clone())
                .filter(|other| other == key || (!named_here.contains(other) && !self.is_older(other, rank)))
                .collect()
        } else {
            self.known.get_key_value(key).map(|(key, _)| key.clone()).into_iter().collect()
        };
        let stands = |rows: &[RemoteEvent]| rows.iter().any(|row| row.event.status != Status::Cancelled);
        let was_here = concerned.iter().any(|key| self.known.get(key).is_some_and(|rows| stands(rows)))
            || (!key.is_master()
                && !self.known.contains_key(key)
                && self.known.get(&key.master()).is_some_and(|rows| stands(rows)));
        for other in &concerned {
            let rows = self.known.get(other).cloned().unwrap_or_default();
            self.cancel(other, rows, rank, taken);
        }
        if was_here {
            taken.counts.cancelled += 1;
        } else if concerned.contains(key) {
            taken.counts.unchanged += 1;
        }
        let Some(event) = versions.into_iter().next().filter(|_| !concerned.contains(key)) else { return };
        taken.uids.insert(event.uid.clone());
        if !was_here {
            taken.skip(&event, if is_over { Skip::Over } else { Skip::NotHere });
            if is_over {
                return;
            }
        }
        let etag = ETag(TAKEN_BACK.to_owned());
        let row = RemoteEvent { id: key.id(&event, true), etag, event, marker: None, created_as: None };
        taken.intake.changed.push(row.clone());
        self.known.insert(key.clone(), vec![row]);
    }

    fn cancel(&mut self, key: &Key, mut rows: Vec<RemoteEvent>, rank: Rank, taken: &mut Taken) {
        let mut changed = false;
        for row in &mut rows {
            taken.uids.insert(row.event.uid.clone());
            let newer = rank.newer(Rank::of(&row.event));
            if row.event.status != Status::Cancelled || newer != Rank::of(&row.event) {
                row.event.status = Status::Cancelled;
                row.etag = ETag(TAKEN_BACK.to_owned());
                (row.event.sequence, row.event.stamp) = (newer.sequence, newer.stamp);
                changed = true;
            }
            if let Some(invitation) = self.invitations.get_mut(&row.id)
                && invitation.answer == Given::Waiting
            {
                invitation.answer = Given::NotAsked;
                taken.intake.invitations.push(invitation.clone());
            }
        }
        if changed {
            taken.intake.changed.extend(rows.iter().cloned());
            self.known.insert(key.clone(), rows);
        }
    }
}

impl Taken {
    fn skip(&mut self, event: &Event, reason: Skip) {
        self.counts.skipped += 1;
        self.skipped.push(Skipped { uid: event.uid.clone(), summary: event.summary.clone(), reason });
    }

    /// Joins what another VCALENDAR of the same file came to.
    pub fn join(&mut self, other: Self) {
        let (mine, more) = (&mut self.counts, other.counts);
        mine.new += more.new;
        mine.updated += more.updated;
        mine.unchanged += more.unchanged;
        mine.skipped += more.skipped;
        mine.cancelled += more.cancelled;
        self.skipped.extend(other.skipped);
        self.uids.extend(other.uids);
        self.free.extend(other.free);
        self.intake.join(other.intake);
    }
}

impl Intake {
    /// Adds what came after this. A later row of the same event is the one that counts.
    pub fn join(&mut self, later: Self) {
        let again: BTreeSet<&RemoteId> = later.changed.iter().map(|row| &row.id).collect();
        self.removed.retain(|id| !again.contains(id));
        let gone: BTreeSet<&RemoteId> = later.removed.iter().collect();
        self.changed.retain(|row| !gone.contains(&row.id) && !again.contains(&row.id));
        self.invitations.retain(|row| !gone.contains(&row.event));
        self.changed.extend(later.changed);
        self.removed.extend(later.removed);
        self.invitations.extend(later.invitations);
        self.choices.extend(later.choices);
    }
}

/// What she answers in the event itself, so that it counts wherever the event does. An open question is a maybe.
#[must_use]
pub fn hers(answer: Given) -> Option<Answer> {
    match answer {
        Given::Waiting => Some(Answer::Tentative),
        Given::Accepted => Some(Answer::Accepted),
        Given::Declined => Some(Answer::Declined),
        Given::NotAsked => None,
    }
}

/// The event says of itself that its time is free.
#[must_use]
pub fn says_free(event: &Event) -> bool {
    match event.shown_as {
        Some(ShownAs::Free) => true,
        Some(ShownAs::Busy | ShownAs::Tentative | ShownAs::OutOfOffice | ShownAs::WorkingElsewhere) => false,
        None => event.transparency == Transparency::Transparent,
    }
}

/// The newest of the versions that one file has of one entry. Where neither of two is newer, both may be true.
fn newest(versions: Vec<Event>, taken: &mut Taken) -> Vec<Event> {
    let Some(best) = versions.iter().map(Rank::of).reduce(Rank::newer) else { return versions };
    let mut kept: Vec<(String, Event)> = Vec::new();
    for event in versions {
        let said = content(&event);
        if Rank::of(&event).order(best) == Ordering::Less {
            taken.skip(&event, Skip::Older);
        } else if kept.iter().any(|(known, _)| *known == said) {
            taken.counts.unchanged += 1;
        } else {
            kept.push((said, event));
        }
    }
    kept.into_iter().map(|(_, event)| event).collect()
}

/// Whether nothing of it lies ahead. What cannot be told does.
#[must_use]
pub fn is_over(event: &Event, now: Timestamp, zone: &TimeZone) -> bool {
    let key = Key::of(event);
    over([(&key, event)].into_iter(), now, zone).contains(&key)
}

/// Those of which nothing lies ahead. All are placed at once, so that the work is bounded for a whole file.
fn over<'a>(
    events: impl Iterator<Item = (&'a Key, &'a Event)>,
    now: Timestamp,
    zone: &TimeZone,
) -> BTreeSet<Key> {
    let soon = now.as_second().saturating_add(PLAINLY_AHEAD);
    let is_plainly_ahead =
        |event: &Event| event.and_future || (!event.repeats() && series::wall(&event.start) > soon);
    let mut keys: BTreeSet<Key> = BTreeSet::new();
    let mut ahead: BTreeSet<Key> = BTreeSet::new();
    let mut open: Vec<(Key, Event)> = Vec::new();
    for (key, event) in events {
        keys.insert(key.clone());
        if is_plainly_ahead(event) {
            ahead.insert(key.clone());
        } else {
            open.push((key.clone(), event.clone()));
        }
    }
    for days in [A_MONTH, A_LIFETIME] {
        let placed = lying_ahead(&open, days, now, zone);
        ahead.extend(placed);
        open.retain(|(key, event)| {
            let endless = event.recurrence.rules.iter().any(|rule| {
                let rule = rule.to_ascii_uppercase();
                !rule.contains("UNTIL=") && !rule.contains("COUNT=")
            });
            if endless {
                ahead.insert(key.clone());
            }
            event.repeats() && !ahead.contains(key)
        });
    }
    keys.retain(|key| !ahead.contains(key));
    keys
}

/// Those with an occurrence in so many days, or of which nobody can say.
fn lying_ahead(events: &[(Key, Event)], days: i64, now: Timestamp, zone: &TimeZone) -> BTreeSet<Key> {
    let until = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX);
    let Some(reach) = Interval::new(now, until).filter(|_| !events.is_empty()) else {
        return BTreeSet::new();
    };
    // Each by itself: what replaces one instance of a series takes nothing from the series.
    let alone: Vec<Event> = events
        .iter()
        .enumerate()
        .map(|(index, (_, event))| Event { series: Some(index.to_string()), instance: None, ..event.clone() })
        .collect();
    let expanded = series::expand(&alone, reach, zone);
    let placed =
        expanded.instances.iter().filter_map(|instance| instance.event.series.as_ref()?.parse().ok());
    let placed: BTreeSet<usize> = placed.collect();
    let doubtful: BTreeSet<&Uid> = expanded.withheld.iter().map(|withheld| &withheld.uid).collect();
    let all = events.iter().enumerate();
    all.filter(|(index, (_, event))| placed.contains(index) || doubtful.contains(&event.uid))
        .map(|(_, (key, _))| key.clone())
        .collect()
}

/// Two days, in seconds: no clock on a wall is so far from UTC.
const PLAINLY_AHEAD: i64 = 172_800;
const A_MONTH: i64 = 40;
const A_LIFETIME: i64 = 80 * 366;

#[cfg(test)]
mod tests;
