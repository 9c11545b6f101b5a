//! Whose an event is. Three answers, because a marker alone proves nothing: calendar apps copy it with the event.

use std::collections::BTreeMap;

use crate::booking::{booking_uid, event_id};
use crate::ids::{BookingId, RemoteId, Service};
use crate::ports::RemoteEvent;
use crate::world::{LinkedCalendar, MappingState, World};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// We wrote it, for this booking.
    Ours(BookingId),
    /// It names one of her bookings, but nothing proves that we wrote it: not written to, not counted as busy.
    Indeterminate(BookingId),
    Foreign,
}

/// The identities of her bookings in one calendar, worked out once per plan.
pub struct Identities {
    mapped: BTreeMap<RemoteId, BookingId>,
    derived: BTreeMap<RemoteId, BookingId>,
    uids: BTreeMap<String, BookingId>,
}

impl Identities {
    #[must_use]
    pub fn of(world: &World, calendar: &LinkedCalendar) -> Self {
        let mapped = world
            .mappings
            .values()
            .filter(|mapping| mapping.calendar == calendar.id && mapping.state != MappingState::Removed)
            .map(|mapping| (mapping.event.clone(), mapping.booking.clone()))
            .collect();
        let mut derived = BTreeMap::new();
        let mut uids = BTreeMap::new();
        for (booking, row) in &world.bookings {
            let mapping = world.mappings.get(&(booking.clone(), calendar.id.clone()));
            let generation = mapping.map_or(0, |m| m.generation);
            for generation in [generation, generation + 1] {
                derived.insert(event_id(booking, &calendar.remote, generation), booking.clone());
            }
            for service in Service::ALL {
                uids.insert(booking_uid(booking, &row.vendor, service).0, booking.clone());
            }
            // The platform's own exports name a booking in three further ways (platform notes §3.6); a bare slot id
            // is the fourth and names no booking.
            uids.insert(booking.0.clone(), booking.clone());
            uids.insert(format!("{booking}@bookiji.com"), booking.clone());
        }
        Self { mapped, derived, uids }
    }

    #[must_use]
    pub fn provenance(&self, event: &RemoteEvent) -> Provenance {
        if let Some(booking) = self.mapped.get(&event.id) {
            return Provenance::Ours(booking.clone());
        }
        let derived = self.derived.get(&event.id);
        let marked = event.marker.as_ref().map(|marker| &marker.booking);
        match (derived, marked) {
            (Some(derived), Some(marked)) if derived == marked => Provenance::Ours(derived.clone()),
            // The id is a hash nobody else would choose, but the marker is missing or speaks of another booking.
            (Some(derived), _) => Provenance::Indeterminate(derived.clone()),
            // A copy she made of our event: marker yes, id no. It is hers.
            (None, Some(_)) => Provenance::Foreign,
            (None, None) => match self.uids.get(&event.event.uid.0) {
                Some(booking) => Provenance::Indeterminate(booking.clone()),
                None => Provenance::Foreign,
            },
        }
    }
}
