//! What writes do to a mailbox: create, change, delete, move and copy, for clients and for the person herself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::fields::{Draft, same_property};
use super::ids::EventId;
use super::moment::{GraphZone, Moment};
use super::occurrence::{at, originals};
use super::recurrence::Recurrence;
use super::refusal::Refusal;
use super::world::{Calendar, Item, Mailbox, Outlook, etag, no_mailbox};
use crate::names::Names;

/// How far from now a change of a series is compared with what it was.
const COMPARED_DAYS: i64 = 3 * 366;

/// What an `If-Match` header asks.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    None,
    IfMatch(&'a str),
}

impl Condition<'_> {
    fn check(&self, change_key: &str) -> Result<(), Refusal> {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        match self {
            Self::None => Ok(()),
            Self::IfMatch(tag) if *tag == "*" || weak(tag) == weak(&etag(change_key)) => Ok(()),
            Self::IfMatch(_) => Err(Refusal::conflict()),
        }
    }
}

/// One mailbox, ready to be changed.
pub struct Desk<'a> {
    pub mailbox: &'a mut Mailbox,
    changes: &'a mut u64,
    duplicates: &'a mut u64,
    names: &'a mut Names,
    pub now: Timestamp,
    /// A person's own hands are not held back by permissions.
    pub own_hands: bool,
}

impl Outlook {
    /// # Errors
    /// When the account has no mailbox.
    pub fn desk(&mut self, account: &str, now: Timestamp) -> Result<Desk<'_>, Refusal> {
        let mailbox = self.accounts.get_mut(account).ok_or_else(no_mailbox)?;
        let (changes, duplicates, names) = (&mut self.changes, &mut self.duplicates, &mut self.names);
        Ok(Desk { mailbox, changes, duplicates, names, now, own_hands: false })
    }
}

impl Desk<'_> {
    fn next(&mut self) -> u64 {
        *self.changes += 1;
        *self.changes
    }

    /// The key of a calendar that may be written to.
    fn writable(&self, calendar: &str) -> Result<String, Refusal> {
        let key = self.mailbox.calendar_key(calendar)?;
        let can_edit = self.own_hands || self.mailbox.calendars.get(&key).is_some_and(|held| held.can_edit);
        if can_edit { Ok(key) } else { Err(Refusal::access_denied()) }
    }

    /// # Errors
    /// As Graph refuses; a `transactionId` that was used before in one of two forms.
    pub fn create(
        &mut self,
        calendar: &str,
        body: &Map<String, Value>,
        immutable: bool,
    ) -> Result<EventId, Refusal> {
        let calendar = self.writable(calendar)?;
        let draft = Draft::read(body)?;
        if let Some(transaction) = &draft.transaction {
            let events = self.mailbox.calendars.values().flat_map(|calendar| calendar.events.values());
            let mut live = events.filter(|item| !item.deleted);
            if let Some(first) = live.find(|item| item.transaction.as_ref() == Some(transaction)) {
                let id = first.id(None, immutable);
                return Err(self.duplicate(id));
            }
        }
        let (Some(start), Some(end)) = (draft.start.clone(), draft.end.clone()) else {
            return Err(Refusal::validation());
        };
        let key = self.names.uuid();
        let uid = format!("040000008200E00074C5B7101A82E00800000000{}", key.replace('-', "").to_uppercase());
        let mut item = Item {
            key: key.clone(),
            moves: 0,
            uid,
            made: 0,
            changed: 0,
            created: self.now,
            modified: self.now,
            deleted: false,
            all_day: draft.all_day.unwrap_or(false),
            start,
            end,
            fields: Map::new(),
            properties: BTreeMap::new(),
            transaction: draft.transaction.clone(),
            recurrence: None,
            exceptions: BTreeMap::new(),
            cancelled: BTreeMap::new(),
            vanished: BTreeMap::new(),
        };
        apply(&mut item, &draft)?;
        let changed = self.next();
        (item.made, item.changed) = (changed, changed);
        let id = EventId { item: key.clone(), moves: (!immutable).then_some(0), original: None };
        self.held(&calendar)?.events.insert(key, item);
        Ok(id)
    }

    fn duplicate(&mut self, id: String) -> Refusal {
        *self.duplicates += 1;
        let message = "Your request can't be completed. The TransactionId specified in the request has already been used to create a different event.";
        if *self.duplicates % 2 == 1 {
            Refusal::new(409, "ErrorDuplicateTransactionId", message).annotated("@event.existingEventId", id)
        } else {
            Refusal::new(400, "ErrorDuplicateTransactionId", message)
        }
    }

    /// # Errors
    /// As Graph refuses.
    pub fn patch(
        &mut self,
        id: &EventId,
        body: &Map<String, Value>,
        if_match: Condition,
    ) -> Result<(), Refusal> {
        let draft = Draft::read(body)?;
        let (calendar, key) = self.for_change(id, if_match)?;
        let now = self.now;
        let changed = self.next();
        let zone = self.mailbox.zone();
        let item = self.held(&calendar)?.events.get_mut(&key).ok_or_else(Refusal::not_found)?;
        if let Some(original) = id.original {
            let exception = changed_occurrence(item, original, &draft, changed, now, &zone)?;
            item.exceptions.insert(original.as_second(), exception);
        } else {
            let mut next = item.clone();
            apply(&mut next, &draft)?;
            let moved =
                (&next.start, &next.end, &next.recurrence) != (&item.start, &item.end, &item.recurrence);
            if moved && (item.recurrence.is_some() || next.recurrence.is_some()) {
                reshaped(item, &mut next, changed, now);
            }
            *item = next;
        }
        (item.changed, item.modified) = (changed, now);
        Ok(())
    }

    /// # Errors
    /// As Graph refuses.
    pub fn delete(&mut self, id: &EventId, if_match: Condition) -> Result<(), Refusal> {
        let (calendar, key) = self.for_change(id, if_match)?;
        let now = self.now;
        let changed = self.next();
        let item = self.held(&calendar)?.events.get_mut(&key).ok_or_else(Refusal::not_found)?;
        match id.original {
            Some(original) => {
                item.exceptions.remove(&original.as_second());
                item.cancelled.insert(original.as_second(), changed);
            }
            None => item.deleted = true,
        }
        (item.changed, item.modified) = (changed, now);
        Ok(())
    }

    /// To another calendar: the regular id becomes another, the immutable one stays.
    ///
    /// # Errors
    /// When either is not there.
    pub fn move_to(&mut self, id: &EventId, target: &str) -> Result<EventId, Refusal> {
        let (calendar, key) = self.for_change(id, Condition::None)?;
        let target = self.writable(target)?;
        let now = self.now;
        let changed = self.next();
        let left = self.held(&calendar)?.events.get_mut(&key).ok_or_else(Refusal::not_found)?;
        let mut item = left.clone();
        (left.deleted, left.changed) = (true, changed);
        item.moves = item.moves.wrapping_add(1);
        (item.changed, item.modified) = (changed, now);
        let moved = EventId { item: key.clone(), moves: id.moves.map(|_| item.moves), original: None };
        self.held(&target)?.events.insert(key, item);
        Ok(moved)
    }

    /// A copy has everything but the identity: whoever copies in Outlook copies the hidden properties too.
    ///
    /// # Errors
    /// When it is not there.
    pub fn copy(&mut self, id: &EventId) -> Result<EventId, Refusal> {
        let (calendar, key) = self.for_change(id, Condition::None)?;
        let copy = self.names.uuid();
        let changed = self.next();
        let now = self.now;
        let held = self.held(&calendar)?;
        let mut item = held.events.get(&key).cloned().ok_or_else(Refusal::not_found)?;
        item.key.clone_from(&copy);
        item.uid =
            format!("040000008200E00074C5B7101A82E00800000000{}", copy.replace('-', "").to_uppercase());
        (item.transaction, item.moves) = (None, 0);
        (item.made, item.changed, item.created, item.modified) = (changed, changed, now, now);
        held.events.insert(copy.clone(), item);
        Ok(EventId { item: copy, moves: None, original: None })
    }

    /// Brings a deleted event back, as the bin does: under a new regular id.
    ///
    /// # Errors
    /// When there is none, or it is not deleted.
    pub fn restore(&mut self, id: &EventId) -> Result<(), Refusal> {
        let changed = self.next();
        let mut events =
            self.mailbox.calendars.values_mut().flat_map(|calendar| calendar.events.get_mut(&id.item));
        let item = events.find(|item| item.deleted).ok_or_else(Refusal::not_found)?;
        item.deleted = false;
        item.moves = item.moves.wrapping_add(1);
        item.changed = changed;
        Ok(())
    }

    fn for_change(&self, id: &EventId, if_match: Condition) -> Result<(String, String), Refusal> {
        let (calendar, placed) = self.mailbox.look(id)?;
        if !self.own_hands && !calendar.can_edit {
            return Err(Refusal::access_denied());
        }
        if_match.check(&placed.change_key())?;
        Ok((calendar.id.clone(), id.item.clone()))
    }

    fn held(&mut self, calendar: &str) -> Result<&mut Calendar, Refusal> {
        self.mailbox.calendars.get_mut(calendar).ok_or_else(Refusal::not_found)
    }

    /// # Errors
    /// When the name is taken.
    pub fn create_calendar(&mut self, name: &str, color: &str) -> Result<String, Refusal> {
        let taken =
            self.mailbox.calendars.values().any(|held| !held.deleted && held.name.eq_ignore_ascii_case(name));
        if taken {
            return Err(Refusal::new(
                409,
                "ErrorFolderExists",
                "A folder with the specified name already exists.",
            ));
        }
        let id = super::ids::calendar(&self.names.uuid());
        let owner = self.mailbox.calendars.values().find(|held| held.default).map(|held| held.owner.clone());
        let calendar = Calendar {
            id: id.clone(),
            name: name.to_owned(),
            default: false,
            can_edit: true,
            owner: owner.unwrap_or_default(),
            color: color.to_owned(),
            deleted: false,
            changed: self.next(),
            properties: BTreeMap::new(),
            events: BTreeMap::new(),
        };
        self.mailbox.calendars.insert(id.clone(), calendar);
        Ok(id)
    }

    /// # Errors
    /// When it is not there or may not be changed.
    pub fn change_calendar(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Calendar),
    ) -> Result<String, Refusal> {
        let key = self.writable(id)?;
        let changed = self.next();
        let calendar = self.held(&key)?;
        change(calendar);
        calendar.changed = changed;
        Ok(key)
    }
}

/// Writes a draft into an item, and checks what must hold between its parts.
fn apply(item: &mut Item, draft: &Draft) -> Result<(), Refusal> {
    for (name, value) in &draft.fields {
        if value.is_null() {
            item.fields.remove(name);
        } else {
            item.fields.insert(name.clone(), value.clone());
        }
    }
    if let Some(location) = draft.fields.get("location").filter(|_| !draft.fields.contains_key("locations")) {
        let named = location.get("displayName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        let locations = if named { vec![location.clone()] } else { Vec::new() };
        item.fields.insert("locations".to_owned(), Value::Array(locations));
    }
    for (id, value) in &draft.properties {
        item.properties.retain(|known, _| !same_property(known, id));
        item.properties.insert(id.clone(), value.clone());
    }
    if let Some(start) = &draft.start {
        item.start = start.clone();
    }
    if let Some(end) = &draft.end {
        item.end = end.clone();
    }
    if let Some(all_day) = draft.all_day {
        item.all_day = all_day;
    }
    if item.all_day {
        let midnight = |moment: &Moment| moment.wall.time() == jiff::civil::Time::midnight();
        let whole = midnight(&item.start) && midnight(&item.end) && item.start.zone == item.end.zone;
        if !whole || item.end.wall <= item.start.wall {
            return Err(Refusal::validation());
        }
    } else if item.end.instant() < item.start.instant() {
        return Err(Refusal::validation());
    }
    match &draft.recurrence {
        None => {}
        Some(Value::Null) => item.recurrence = None,
        Some(value) => {
            let recurrence = Recurrence::read(value, &item.start)?;
            let first = recurrence.first_day().ok_or_else(Refusal::validation)?;
            let later = i64::from(item.start.wall.date().until(first).map_or(0, |span| span.get_days()));
            (item.start, item.end) = (item.start.days_later(later), item.end.days_later(later));
            item.recurrence = Some(recurrence);
        }
    }
    Ok(())
}

/// One occurrence with times of its own, which must stay between its neighbours.
fn changed_occurrence(
    master: &Item,
    original: Timestamp,
    draft: &Draft,
    changed: u64,
    now: Timestamp,
    zone: &jiff::tz::TimeZone,
) -> Result<Item, Refusal> {
    if draft.recurrence.as_ref().is_some_and(|value| !value.is_null()) {
        return Err(Refusal::validation());
    }
    let placed = at(master, original).ok_or_else(Refusal::not_found)?;
    let mut item = placed.item.clone();
    (item.start, item.end) = (placed.start.clone(), placed.end.clone());
    item.exceptions.clear();
    item.cancelled.clear();
    item.vanished.clear();
    item.recurrence = None;
    apply(&mut item, draft)?;
    if draft.start.is_some() {
        let zone = if master.all_day { jiff::tz::TimeZone::UTC } else { zone.clone() };
        let day = |moment: Timestamp| moment.to_zoned(zone.clone()).date();
        let far = SignedDuration::from_hours(24 * 800);
        let (from, to) = (original.saturating_sub(far), original.saturating_add(far));
        let all = originals(master, from.unwrap_or(original), to.unwrap_or(original));
        let of = |one: Timestamp| {
            let placed = at(master, one).map(|placed| {
                if master.all_day { placed.start.wall.date() } else { day(placed.start.instant()) }
            });
            placed.unwrap_or_else(|| day(one))
        };
        let new = if item.all_day { item.start.wall.date() } else { day(item.start.instant()) };
        let before = all.iter().rev().find(|one| **one < original).copied().map(of);
        let after = all.iter().find(|one| **one > original).copied().map(of);
        if before.is_some_and(|day| new <= day) || after.is_some_and(|day| new >= day) {
            return Err(Refusal::new(
                400,
                "ErrorOccurrenceCrossingBoundary",
                "Modified occurrence is crossing or overlapping adjacent occurrence.",
            ));
        }
    }
    (item.changed, item.modified) = (changed, now);
    Ok(item)
}

/// A series with another pattern or other times starts anew: no exception of the old one is left.
fn reshaped(old: &Item, new: &mut Item, changed: u64, now: Timestamp) {
    let far = SignedDuration::from_hours(24 * COMPARED_DAYS);
    let (from, to) = (now.saturating_sub(far).unwrap_or(now), now.saturating_add(far).unwrap_or(now));
    let fresh = originals(new, from, to);
    for original in originals(old, from, to) {
        if fresh.binary_search(&original).is_err() {
            new.vanished.insert(original.as_second(), changed);
        }
    }
    new.exceptions.clear();
    new.cancelled.clear();
}

/// Wall time for an edit that was given an instant.
#[must_use]
pub fn moment(at: Timestamp, zone: &str) -> Moment {
    Moment::at(at, &GraphZone::named(zone).unwrap_or_else(GraphZone::utc))
}
