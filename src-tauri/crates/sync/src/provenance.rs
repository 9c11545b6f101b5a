//! Whose an event is. Three answers, because a marker alone proves nothing: calendar apps copy it with the event. And
//! where two events prove to be one booking's, neither is known to be the one.

use std::collections::{BTreeMap, BTreeSet};

use crate::booking::{booking_uid, event_id};
use crate::decide::stands;
use crate::ids::{BookingId, RemoteId, Service};
use crate::ports::{Marker, RemoteEvent};
use crate::world::{LinkedCalendar, MappingState, World};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// We wrote it, for this booking.
    Ours(BookingId),
    /// It names one of her bookings, but nothing proves that we wrote it, or another event proves as much: not written
    /// to, not counted as busy.
    Indeterminate(BookingId),
    Foreign,
}

/// The identities of her bookings in one calendar, worked out once per plan.
pub struct Identities {
    mapped: BTreeMap<RemoteId, BookingId>,
    derived: BTreeMap<RemoteId, BookingId>,
    uids: BTreeMap<String, BookingId>,
    claimants: BTreeMap<BookingId, BTreeSet<RemoteId>>,
    /// Claimants of one booking that are not alone.
    contested: BTreeMap<RemoteId, BookingId>,
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
        let claimants = claimants(world, calendar);
        let contested = claimants
            .iter()
            .filter(|(_, claimants)| claimants.len() > 1)
            .flat_map(|(booking, claimants)| claimants.iter().map(|event| (event.clone(), booking.clone())))
            .collect();
        Self { mapped, derived, uids, claimants, contested }
    }

    /// The standing events of which each proves to be this booking's: its marker names it and its key is the one that only
    /// we would choose, or the mirror points at it.
    #[must_use]
    pub fn claimants(&self, booking: &BookingId) -> &BTreeSet<RemoteId> {
        static NONE: BTreeSet<RemoteId> = BTreeSet::new();
        self.claimants.get(booking).unwrap_or(&NONE)
    }

    #[must_use]
    pub fn provenance(&self, event: &RemoteEvent) -> Provenance {
        if let Some(booking) = self.contested.get(&event.id) {
            return Provenance::Indeterminate(booking.clone());
        }
        if let Some(booking) = self.mapped.get(&event.id) {
            return Provenance::Ours(booking.clone());
        }
        let derived = self.derived.get(event.key());
        let marked = event.marker.as_ref().map(|marker| &marker.booking);
        match (derived, marked) {
            (Some(derived), Some(marked)) if derived == marked => Provenance::Ours(derived.clone()),
            // The key is a hash nobody else would choose, but the marker is missing or speaks of another booking.
            (Some(derived), _) => Provenance::Indeterminate(derived.clone()),
            // A copy she made of our event: marker yes, key no. It is hers.
            (None, Some(_)) => Provenance::Foreign,
            (None, None) => match self.uids.get(&event.event.uid.0) {
                Some(booking) => Provenance::Indeterminate(booking.clone()),
                None => Provenance::Foreign,
            },
        }
    }
}

/// Writes on events what their service does not tell again: some show the key that an event was created under, and nothing
/// of what we wrote on it. A key is derived, so it says which booking it was for.
pub fn name(world: &World, calendar: &LinkedCalendar, events: &mut [RemoteEvent]) {
    let nameless = |event: &RemoteEvent| event.marker.is_none() && event.created_as.is_some();
    if !events.iter().any(nameless) {
        return;
    }
    let rows = world.events.get(&calendar.id);
    let keys = keys(world, calendar);
    for event in events.iter_mut().filter(|event| nameless(event)) {
        let row = rows.and_then(|rows| rows.get(&event.id)).filter(|row| row.created_as == event.created_as);
        event.marker = row.and_then(|row| row.marker.clone()).or_else(|| keys.get(event.key()).cloned());
    }
}

/// More lives than this no booking has in one calendar.
const LIVES: u32 = 8;

/// Every key that an event of ours may have been created under.
fn keys(world: &World, calendar: &LinkedCalendar) -> BTreeMap<RemoteId, Marker> {
    let mapped = world.mappings.keys().filter(|(_, id)| *id == calendar.id).map(|(booking, _)| booking);
    let bookings: BTreeSet<&BookingId> = world.bookings.keys().chain(mapped).collect();
    let key = |booking: &BookingId, generation| {
        let marker = Marker { booking: booking.clone(), generation };
        (event_id(booking, &calendar.remote, generation), marker)
    };
    let lived = |booking: &BookingId| {
        let mapping = world.mappings.get(&(booking.clone(), calendar.id.clone()));
        mapping.map_or(0, |mapping| mapping.generation).saturating_add(2).max(LIVES)
    };
    bookings.into_iter().flat_map(|booking| (0..lived(booking)).map(move |life| key(booking, life))).collect()
}

fn claimants(world: &World, calendar: &LinkedCalendar) -> BTreeMap<BookingId, BTreeSet<RemoteId>> {
    let mut claimants: BTreeMap<BookingId, BTreeSet<RemoteId>> = BTreeMap::new();
    let Some(events) = world.events.get(&calendar.id) else { return claimants };
    for event in events.values() {
        let Some(marker) = &event.marker else { continue };
        let mapping = world.mappings.get(&(marker.booking.clone(), calendar.id.clone()));
        let known = mapping.is_some() || world.bookings.contains_key(&marker.booking);
        if known && *event.key() == event_id(&marker.booking, &calendar.remote, marker.generation) {
            claimants.entry(marker.booking.clone()).or_default().insert(event.id.clone());
        }
    }
    for mapping in world.mappings.values().filter(|row| row.calendar == calendar.id && stands(row)) {
        // Alone, what the mirror points at is no claim against anybody.
        if events.contains_key(&mapping.event)
            && let Some(claimants) = claimants.get_mut(&mapping.booking)
        {
            claimants.insert(mapping.event.clone());
        }
    }
    claimants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{booked, copied, draft, event, life, linked, mapped, moved, row, world};
    use crate::world::Mapping;

    fn whose(world: &World, event: &RemoteEvent) -> Provenance {
        Identities::of(world, &linked()).provenance(event)
    }

    fn known(events: &[RemoteEvent]) -> World {
        booked(world(events), |_| {})
    }

    #[test]
    fn marker_and_key_together_prove_it_in_this_life_of_the_booking_and_the_next() {
        for generation in [0, 1] {
            let event = event(&life(1, generation), "1");
            assert_eq!(
                whose(&known(std::slice::from_ref(&event)), &event),
                Provenance::Ours("b".into()),
                "{generation}"
            );
        }
        let far = event(&life(1, 2), "1");
        assert_eq!(whose(&known(&[]), &far), Provenance::Foreign, "the mirror knows of no such life");
        let lived = mapped(known(&[]), &event(&draft(1), "1"));
        let mut lived = lived;
        lived.mappings.values_mut().for_each(|row| row.generation = 1);
        assert_eq!(whose(&lived, &far), Provenance::Ours("b".into()));
    }

    #[test]
    fn a_key_without_its_marker_or_with_anothers_proves_nothing() {
        let ours = event(&draft(1), "1");
        let unmarked = RemoteEvent { marker: None, ..ours.clone() };
        let of_another = Some(Marker { booking: "other".into(), generation: 0 });
        let mismarked = RemoteEvent { marker: of_another, ..ours.clone() };
        for event in [&unmarked, &mismarked] {
            assert_eq!(whose(&known(&[]), event), Provenance::Indeterminate("b".into()), "{event:?}");
        }
        let copy = RemoteEvent { id: "copy".into(), ..ours };
        assert_eq!(whose(&known(&[]), &copy), Provenance::Foreign);
    }

    #[test]
    fn only_a_row_of_this_calendar_whose_event_was_not_removed_proves_that_its_event_is_ours() {
        let mut event = copied(&event(&draft(1), "1"), "another-id");
        event.event.uid.0 = "elsewhere".to_owned();
        let proved = mapped(known(&[]), &event);
        assert_eq!(whose(&proved, &event), Provenance::Ours("b".into()));
        for change in [
            |row: &mut Mapping| row.calendar = "another".into(),
            |row: &mut Mapping| row.state = MappingState::Removed,
        ] {
            let mut world = proved.clone();
            world.mappings.values_mut().for_each(change);
            assert_eq!(whose(&world, &event), Provenance::Foreign);
        }
    }

    #[test]
    fn of_two_that_prove_to_be_one_bookings_neither_is_known_to_be_the_one() {
        let (first, second) = (event(&draft(1), "1"), moved(&event(&life(1, 1), "2"), 5));
        let world = known(&[first.clone(), second.clone()]);
        for event in [&first, &second] {
            assert_eq!(whose(&world, event), Provenance::Indeterminate("b".into()));
        }
        assert_eq!(Identities::of(&world, &linked()).claimants(&"b".into()).len(), 2);
        assert_eq!(Identities::of(&world, &linked()).claimants(&"other".into()).len(), 0);
    }

    #[test]
    fn what_the_mirror_points_at_is_a_claimant_beside_another_in_this_calendar_and_while_it_stands() {
        let (marked, pointed) = (event(&draft(1), "1"), copied(&event(&draft(1), "2"), "pointed-at"));
        let world = mapped(known(&[marked.clone(), pointed.clone()]), &pointed);
        let count = |world: &World| Identities::of(world, &linked()).claimants(&"b".into()).len();
        assert_eq!(count(&world), 2);
        let mut elsewhere = world.clone();
        let there = Mapping { calendar: "another".into(), ..row(&pointed) };
        elsewhere.mappings = [(("b".into(), "another".into()), there)].into();
        assert_eq!(count(&elsewhere), 1);
        let mut gone = world;
        gone.mappings.values_mut().for_each(|row| row.state = MappingState::Removed);
        assert_eq!(count(&gone), 1);
    }
}
