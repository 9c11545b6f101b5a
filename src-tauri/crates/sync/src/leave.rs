//! What goes when she leaves: which events of a calendar prove to be ours for this vendor, and which stay because nothing
//! proves it. Pure. A proof needs no row of the mirror, so that a rebuilt one leaves nothing behind, and it names the
//! vendor, so that another one's events in the same account are safe.

mod carry_out;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::{Draft, booking_uid, event_id};
use crate::decide::{fingerprint, says, stands};
use crate::ids::{BookingId, CalendarId, ConnectionId, RemoteId, Service};
use crate::ports::RemoteEvent;
use crate::world::{LinkedCalendar, Mapping, MappingState, Operation, World};

pub use carry_out::{leave, withdraw_everything};

/// How much is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Her busy time on the platform alone. Events of ours stay in her calendar.
    BusyTime,
    /// Everything we ever wrote for this account.
    Everything,
}

/// What becomes of one calendar's events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaving {
    pub ours: Vec<Ours>,
    /// Events that name one of her bookings, and nothing proves that we wrote them: a copy she made, an import of hers.
    pub named: Vec<RemoteEvent>,
    /// All others. They are hers.
    pub hers: usize,
}

/// An event that proves to be ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Ours {
    pub booking: BookingId,
    pub event: RemoteEvent,
    /// She moved or reworded it.
    pub changed: bool,
    /// The row that stands for it in the mirror, or should.
    pub mapping: Mapping,
}

impl Ours {
    #[must_use]
    pub fn removal(&self) -> Operation {
        Operation::RemoveEvent {
            calendar: self.mapping.calendar.clone(),
            booking: self.booking.clone(),
            event: self.event.id.clone(),
            base: self.event.etag.clone(),
            before: Box::new(self.event.clone()),
            remember: None,
        }
    }
}

/// Tells ours from hers among the events that stand in a calendar now. One that was `made_for_her` by us holds no other
/// vendor's.
#[must_use]
pub fn judge<'a>(
    world: &World,
    calendar: &LinkedCalendar,
    made_for_her: bool,
    events: impl IntoIterator<Item = &'a RemoteEvent>,
    now: Timestamp,
) -> Leaving {
    let mapped: BTreeMap<&RemoteId, &Mapping> = world
        .mappings
        .values()
        .filter(|mapping| mapping.calendar == calendar.id && stands(mapping))
        .map(|mapping| (&mapping.event, mapping))
        .collect();
    let service = world.connections.get(&calendar.connection).map(|connection| connection.service);
    let mut leaving = Leaving::default();
    for event in events {
        let mapping = mapped.get(&event.id).map(|mapping| (*mapping).clone());
        let mapping = mapping.or_else(|| proven(world, calendar, made_for_her, service, event, now));
        match mapping {
            Some(mapping) => leaving.ours.push(Ours {
                booking: mapping.booking.clone(),
                changed: is_changed(world, calendar, service, &mapping, event),
                event: event.clone(),
                // What is removed is what was just seen.
                mapping: Mapping { etag: Some(event.etag.clone()), ..mapping },
            }),
            None if names_a_booking(world, event) => leaving.named.push(event.clone()),
            None => leaving.hers += 1,
        }
    }
    leaving
}

/// The row of an event that the mirror knows nothing of and that proves to be ours: its marker names a booking, its key
/// is the one that only we would choose for it, and it was written for her, as the calendar, the booking or the UID says.
fn proven(
    world: &World,
    calendar: &LinkedCalendar,
    made_for_her: bool,
    service: Option<Service>,
    event: &RemoteEvent,
    now: Timestamp,
) -> Option<Mapping> {
    let marker = event.marker.as_ref()?;
    let vendor = &world.vendor.as_ref()?.id;
    let is_hers = || {
        made_for_her
            || world.bookings.get(&marker.booking).is_some_and(|booking| booking.vendor == *vendor)
            || service.is_some_and(|service| event.event.uid == booking_uid(&marker.booking, vendor, service))
    };
    let is_ours = *event.key() == event_id(&marker.booking, &calendar.remote, marker.generation) && is_hers();
    is_ours.then(|| Mapping {
        booking: marker.booking.clone(),
        calendar: calendar.id.clone(),
        vendor: vendor.clone(),
        event: event.id.clone(),
        generation: marker.generation,
        state: MappingState::Synced,
        etag: Some(event.etag.clone()),
        written: None,
        echo: Some(fingerprint(event)),
        error: None,
        last_synced_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// Against what we last wrote where that is known, and otherwise against its booking.
fn is_changed(
    world: &World,
    calendar: &LinkedCalendar,
    service: Option<Service>,
    mapping: &Mapping,
    event: &RemoteEvent,
) -> bool {
    let known = world.mappings.get(&(mapping.booking.clone(), calendar.id.clone()));
    match (known.filter(|known| known.event == event.id), world.bookings.get(&mapping.booking), service) {
        (Some(known), _, _) => known.echo.as_deref() != Some(fingerprint(event).as_str()),
        (None, Some(booking), Some(service)) => {
            !says(event, &Draft::of(booking, service, &calendar.remote, mapping.generation))
        }
        (None, _, _) => false,
    }
}

fn names_a_booking(world: &World, event: &RemoteEvent) -> bool {
    event.marker.is_some() || event.event.uid.0.ends_with("@bookiji.app") || {
        let uid = event.event.uid.0.as_str();
        let id = BookingId(uid.strip_suffix("@bookiji.com").unwrap_or(uid).to_owned());
        world.bookings.contains_key(&id)
    }
}

/// What became of everything that we wrote for one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveReport {
    pub connection: ConnectionId,
    /// Whether nothing remains. What does is in the report's errors.
    pub complete: bool,
    /// Events of ours that are gone from her calendars.
    pub removed: usize,
    /// Bookings among them whose event she had changed.
    pub changed: Vec<BookingId>,
    /// Events that name a booking and stay, since nothing proves that they are ours.
    pub kept: Vec<StayedEvent>,
    /// Calendars that we had made, and what became of each.
    pub calendars: Vec<MadeCalendar>,
    /// Sources whose busy time the platform was told to drop.
    pub withdrawn: usize,
    pub slots_removed: usize,
    /// Slots made of imported free times that are booked or closed by now, and stay.
    pub slots_kept: Vec<StayedSlot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayedEvent {
    pub calendar: CalendarId,
    pub event: RemoteId,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeCalendar {
    pub calendar: CalendarId,
    pub name: String,
    pub deleted: bool,
    /// Why it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayedSlot {
    pub start: Timestamp,
    pub end: Timestamp,
    pub reason: String,
}

impl LeaveReport {
    #[must_use]
    pub fn new(connection: &ConnectionId) -> Self {
        Self {
            connection: connection.clone(),
            complete: false,
            removed: 0,
            changed: Vec::new(),
            kept: Vec::new(),
            calendars: Vec::new(),
            withdrawn: 0,
            slots_removed: 0,
            slots_kept: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
