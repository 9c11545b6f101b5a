//! What of a run can be taken back: for each write its inverse, if the world still stands as the run left it, or why it
//! is kept. Pure. A booking's event that is put back to what the booking does not ask for is held so: the next sync
//! leaves it alone until the booking changes, since undoing what is done again at once would be a lie.

mod carry_out;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::Draft;
use crate::decide::{Wish, fingerprint, hold, says, stands, times, wish, with_her_words};
use crate::ids::{BookingId, CalendarId, RemoteId};
use crate::journal::{EntryState, JournalEntry};
use crate::plan::next_generation;
use crate::ports::{BusySet, RemoteEvent, Slot};
use crate::slots::Taken;
use crate::world::{LinkedCalendar, Mapping, Operation, OperationId, World};

pub use carry_out::carry_out;

/// What is to be done, newest write first, and what is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undo {
    pub steps: Vec<Step>,
    pub kept: Vec<Kept>,
}

/// One write that takes back `of`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub of: OperationId,
    pub taken_back: Operation,
    pub write: Operation,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub of: OperationId,
    pub operation: Operation,
    pub why: Why,
}

/// Why something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
// In TypeScript too there is another why.
#[serde(rename = "WhyKept", rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Why {
    Touched,
    WrittenAgain,
    HadHerChanges,
    DeletedByHer,
    HasAnEvent,
    NotAsItWas,
    Forgotten,
    Unread,
    Unlinked,
    Refused,
    Unknown,
    FollowsHerCalendars,
    CustomerWasTold,
    CalendarStays,
    SlotIsClosed,
    TimeIsTaken,
    Over,
    AnotherWrites,
}

impl Why {
    /// As she is told.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Touched => "it was changed in the calendar since",
            Self::WrittenAgain => "a later run wrote it again; take that one back first",
            Self::HadHerChanges => "it held changes of yours when the sync found it",
            Self::DeletedByHer => "its event was deleted in the calendar since",
            Self::HasAnEvent => "its booking has an event again",
            Self::NotAsItWas => "the event that was there cannot be written back as it was",
            Self::Forgotten => "it must first be found again by a sync; take it back after that",
            Self::Unread => "its calendar or its booking could not be read just now; try again later",
            Self::Unlinked => "its calendar is not linked any more",
            Self::Refused => "its account refused the write before it; try again later",
            Self::Unknown => "whether it was done is not known yet; the next sync finds out",
            Self::FollowsHerCalendars => {
                "busy time follows your calendars, and the next sync would send it again; \
                 change the events, or what the calendar is for"
            }
            Self::CustomerWasTold => {
                "you decided this about the booking, and the customer was told; change the booking itself"
            }
            Self::CalendarStays => "a calendar is made once and stays; disconnect its account to remove it",
            Self::SlotIsClosed => "the slot is closed or elsewhere by now, and may be booked",
            Self::TimeIsTaken => "a booking, busy time or another slot has its time now",
            Self::Over => "its time is over",
            Self::AnotherWrites => "another computer writes for this vendor now",
        }
    }
}

/// The world as it was just observed.
pub struct Seen<'a> {
    pub world: &'a World,
    /// The slots that stand on the platform, if they could be read.
    pub slots: Option<&'a [Slot]>,
    pub taken: &'a Taken<'a>,
    /// Whether both the calendar and the booking were read to the present.
    pub is_current: &'a (dyn Fn(&CalendarId, &BookingId) -> bool + Sync),
    pub now: Timestamp,
}

/// Plans to take back what a run wrote. What is not there any more, and what was taken back already, is neither a step
/// nor kept.
#[must_use]
pub fn plan(entries: &[JournalEntry], seen: &Seen<'_>) -> Undo {
    let mut undo = Undo::default();
    let mut events: BTreeMap<(&CalendarId, RemoteId), Vec<&JournalEntry>> = BTreeMap::new();
    for entry in entries {
        if let Some(key) = event_key(entry) {
            events.entry(key).or_default().push(entry);
        }
    }
    let mut slots: Vec<Slot> = seen.slots.unwrap_or_default().to_vec();
    for entry in entries.iter().rev() {
        let mut keep = |why| {
            undo.kept.push(Kept { of: entry.id, operation: entry.operation.clone(), why });
        };
        match entry.state {
            EntryState::Intended | EntryState::Attempted => keep(Why::Unknown),
            EntryState::Failed | EntryState::Abandoned => {}
            EntryState::Stored
            | EntryState::Removed
            | EntryState::Published
            | EntryState::Withdrawn
            | EntryState::Changed => {
                match &entry.operation {
                    Operation::CreateEvent { .. }
                    | Operation::UpdateEvent { .. }
                    | Operation::RemoveEvent { .. } => {
                        // One answer for all that the run did to this event, where it did the last of it.
                        let writes = event_key(entry).and_then(|key| events.remove(&key));
                        match writes.map_or(Ok(None), |writes| event(&writes, seen)) {
                            Ok(Some(write)) => undo.steps.push(step(entry, write)),
                            Ok(None) => {}
                            Err(why) => keep(why),
                        }
                    }
                    Operation::MoveBooking { .. }
                    | Operation::ProposeMove { .. }
                    | Operation::WithdrawProposal { .. }
                    | Operation::CancelBooking { .. } => {
                        keep(Why::CustomerWasTold);
                    }
                    Operation::PublishBusy { set, before } => {
                        let stands = seen.world.published.get(&set.source);
                        let said = |set: &BusySet| !set.intervals.is_empty();
                        let changed = said(set) || before.as_ref().is_some_and(said);
                        if changed
                            && stands.map_or(set.intervals.is_empty(), |p| p.set.checksum == set.checksum)
                        {
                            keep(Why::FollowsHerCalendars);
                        }
                    }
                    Operation::MakeSlots { .. } | Operation::RemoveSlot { .. } if seen.slots.is_none() => {
                        keep(Why::Unread);
                    }
                    Operation::MakeSlots { source, slots: made } => {
                        for slot in made {
                            let Some(at) = slots.iter().position(|there| there.id == slot.id) else {
                                continue;
                            };
                            if slots[at].open && slots[at].span == slot.span {
                                let slot = slots.remove(at);
                                let write = Operation::RemoveSlot { source: source.clone(), slot };
                                undo.steps.push(step(entry, write));
                            } else {
                                undo.kept.push(Kept {
                                    of: entry.id,
                                    operation: entry.operation.clone(),
                                    why: Why::SlotIsClosed,
                                });
                            }
                        }
                    }
                    Operation::SwitchSlots { .. } => keep(Why::FollowsHerCalendars),
                    Operation::MakeCalendar { .. } | Operation::RemoveCalendar { .. } => {
                        keep(Why::CalendarStays)
                    }
                    Operation::RemoveSlot { source, slot } => match room_for(slot, &slots, seen) {
                        Room::ItStands => {}
                        Room::None(why) => keep(why),
                        Room::Free => {
                            let slot = Slot { open: true, ..slot.clone() };
                            slots.push(slot.clone());
                            let write = Operation::MakeSlots { source: source.clone(), slots: vec![slot] };
                            undo.steps.push(step(entry, write));
                        }
                    },
                }
            }
        }
    }
    undo
}

fn step(entry: &JournalEntry, write: Operation) -> Step {
    Step { of: entry.id, taken_back: entry.operation.clone(), write }
}

/// Which event a write of ours left or took away.
fn event_key(entry: &JournalEntry) -> Option<(&CalendarId, RemoteId)> {
    match (&entry.operation, entry.state) {
        (
            Operation::CreateEvent { calendar, .. } | Operation::UpdateEvent { calendar, .. },
            EntryState::Stored,
        ) => Some((calendar, echo(entry)?.id)),
        (Operation::RemoveEvent { calendar, event, .. }, EntryState::Removed) => {
            Some((calendar, event.clone()))
        }
        (
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::MoveBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::CancelBooking { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. },
            _,
        ) => None,
    }
}

fn echo(entry: &JournalEntry) -> Option<RemoteEvent> {
    serde_json::from_value(entry.echo.clone()?).ok()
}

/// The write that leaves this event as it was before all of `writes`, or nothing if that is how it stands.
fn event(writes: &[&JournalEntry], seen: &Seen<'_>) -> Result<Option<Operation>, Why> {
    let (Some(first), Some(last)) = (writes.first(), writes.last()) else { return Ok(None) };
    let (Some(calendar), Some(booking)) = (last.operation.calendar(), last.operation.booking()) else {
        return Ok(None);
    };
    let linked = seen.world.calendars.get(calendar).ok_or(Why::Unlinked)?;
    if !(seen.is_current)(calendar, booking) {
        return Err(Why::Unread);
    }
    let event = EventNow::of(seen, linked, booking);
    let before = match &first.operation {
        Operation::UpdateEvent { before, .. } | Operation::RemoveEvent { before, .. } => Some(before),
        Operation::CreateEvent { .. }
        | Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::PublishBusy { .. }
        | Operation::MakeSlots { .. }
        | Operation::RemoveSlot { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. } => None,
    };
    match (before, last.state) {
        (None, EntryState::Removed) => Ok(None),
        (None, _) => {
            let left = echo(last).ok_or(Why::Unknown)?;
            let Some(there) = event.standing(&left.id) else { return Ok(None) };
            event.untouched(there, &left)?;
            event.known(there)?;
            let written = match (&first.operation, echo(first)) {
                (Operation::CreateEvent { draft, .. }, Some(made)) => says(&made, draft),
                (_, _) => true,
            };
            if written { Ok(Some(event.remove(there))) } else { Err(Why::HadHerChanges) }
        }
        (Some(before), EntryState::Removed) => {
            let standing = event.mapping.filter(|mapping| stands(mapping));
            match standing.map(|mapping| event.standing(&mapping.event)) {
                None => event.create_again(before, &linked.id).map(Some),
                Some(Some(there)) if fingerprint(there) == fingerprint(before) => Ok(None),
                Some(Some(_)) => Err(Why::HasAnEvent),
                Some(None) => Err(Why::DeletedByHer),
            }
        }
        (Some(before), _) => {
            let left = echo(last).ok_or(Why::Unknown)?;
            let there = event.standing(&left.id).ok_or(Why::DeletedByHer)?;
            if there.etag != left.etag && fingerprint(there) == fingerprint(before) {
                return Ok(None);
            }
            event.untouched(there, &left)?;
            let (Operation::UpdateEvent { draft, .. } | Operation::CreateEvent { draft, .. }) =
                &last.operation
            else {
                return Ok(None);
            };
            // A run that died was found to have written it, by one that found her words on it already.
            if !says(&left, draft) {
                return Err(Why::HadHerChanges);
            }
            let hers = draft.times_only;
            // Nothing but times would be written, and they are what they were: her words stay out of it.
            if hers && times(there) == times(before) {
                return Ok(None);
            }
            event.write_back(event.known(there)?, there, before, hers).map(Some)
        }
    }
}

/// One booking's event, and what the booking asks for now.
struct EventNow<'a> {
    linked: &'a LinkedCalendar,
    events: Option<&'a BTreeMap<RemoteId, RemoteEvent>>,
    booking: &'a BookingId,
    mapping: Option<&'a Mapping>,
    wish: Wish,
    draft: Option<Draft>,
}

impl<'a> EventNow<'a> {
    fn of(seen: &Seen<'a>, linked: &'a LinkedCalendar, booking: &'a BookingId) -> Self {
        let world = seen.world;
        let row = world.bookings.get(booking);
        let mapping = world.mappings.get(&(booking.clone(), linked.id.clone()));
        let generation = next_generation(mapping);
        let draft = row.and_then(|row| {
            let connection = world.connections.get(&linked.connection)?;
            Some(Draft::of(row, connection.service, &linked.remote, generation))
        });
        let wish = wish(row, seen.now);
        Self { linked, events: world.events.get(&linked.id), booking, mapping, wish, draft }
    }

    fn standing(&self, id: &RemoteId) -> Option<&'a RemoteEvent> {
        self.events?.get(id)
    }

    fn untouched(&self, there: &RemoteEvent, left: &RemoteEvent) -> Result<(), Why> {
        if there.etag == left.etag {
            Ok(())
        } else if self.mapping.and_then(|mapping| mapping.etag.as_ref()) == Some(&there.etag) {
            Err(Why::WrittenAgain)
        } else {
            Err(Why::Touched)
        }
    }

    /// The row that says that this event stands for the booking. Without it nothing could be held.
    fn known(&self, there: &RemoteEvent) -> Result<&'a Mapping, Why> {
        self.mapping.filter(|mapping| stands(mapping) && mapping.event == there.id).ok_or(Why::Forgotten)
    }

    fn remove(&self, there: &RemoteEvent) -> Operation {
        let would_come_back = self.wish == Wish::Event;
        Operation::RemoveEvent {
            calendar: self.linked.id.clone(),
            booking: self.booking.clone(),
            event: there.id.clone(),
            base: there.etag.clone(),
            before: Box::new(there.clone()),
            remember: would_come_back.then(|| hold(self.wish, self.draft.as_ref())),
        }
    }

    fn write_back(
        &self,
        mapping: &Mapping,
        there: &RemoteEvent,
        before: &RemoteEvent,
        hers: bool,
    ) -> Result<Operation, Why> {
        let mut draft = self.as_it_was(before, mapping, hers)?;
        draft.id = there.id.clone();
        draft.generation = mapping.generation;
        draft.times_only = hers;
        Ok(Operation::UpdateEvent {
            calendar: self.linked.id.clone(),
            event: there.id.clone(),
            base: there.etag.clone(),
            draft,
            before: Box::new(there.clone()),
        })
    }

    fn create_again(&self, before: &RemoteEvent, calendar: &CalendarId) -> Result<Operation, Why> {
        let mapping = self.mapping.ok_or(Why::Forgotten)?;
        // Whose the words were is not in the journal. Taken for hers, they survive.
        let hers = self.draft.as_ref().is_none_or(|draft| {
            before.event.summary != draft.title || before.event.description != draft.description
        });
        Ok(Operation::CreateEvent {
            calendar: calendar.clone(),
            draft: self.as_it_was(before, mapping, hers)?,
        })
    }

    /// The event as a draft of ours, held where it is not what the booking asks for.
    fn as_it_was(&self, before: &RemoteEvent, mapping: &Mapping, hers: bool) -> Result<Draft, Why> {
        let (start, end) = times(before).filter(|_| !before.event.repeats()).ok_or(Why::NotAsItWas)?;
        let (uid, event) = (before.event.uid.clone(), &before.event);
        let generation = next_generation(Some(mapping));
        let checksum = Draft::checksum(&uid, start, end, &event.summary, &event.description, "");
        let asked = self.draft.as_ref().filter(|draft| {
            let draft = Draft { times_only: hers, ..(*draft).clone() };
            self.wish == Wish::Event && says(before, &draft)
        });
        let written =
            asked.map_or_else(|| hold(self.wish, self.draft.as_ref()), |draft| draft.checksum.clone());
        Ok(Draft {
            booking: self.booking.clone(),
            vendor: mapping.vendor.clone(),
            id: crate::booking::event_id(self.booking, &self.linked.remote, generation),
            uid,
            generation,
            title: event.summary.clone(),
            description: event.description.clone(),
            start,
            end,
            checksum,
            times_only: false,
            remember: Some(if hers { with_her_words(&written) } else { written }),
        })
    }
}

enum Room {
    ItStands,
    Free,
    None(Why),
}

fn room_for(slot: &Slot, standing: &[Slot], seen: &Seen<'_>) -> Room {
    if standing.iter().any(|there| there.id == slot.id) {
        Room::ItStands
    } else if slot.span.start() <= seen.now {
        Room::None(Why::Over)
    } else if seen.taken.is_over(slot.span)
        || standing
            .iter()
            .any(|there| there.span == slot.span || there.open && there.span.overlaps(&slot.span))
    {
        Room::None(Why::TimeIsTaken)
    } else {
        Room::Free
    }
}

#[cfg(test)]
mod tests;
