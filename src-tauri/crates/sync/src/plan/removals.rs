//! Lets go of events whose bookings are over or gone: a few by themselves, many only on her word.

use jiff::Timestamp;

use super::Plan;
use super::card::{Card, chosen};
use crate::decide::stands;
use crate::policy::Policy;
use crate::world::{Choice, LinkedCalendar, Mapping, MappingState, Operation, World};

/// An event whose booking is over or gone, and the question it becomes if there are too many of them.
pub(super) struct Removal {
    pub(super) card: Card,
    pub(super) mapping: Mapping,
    pub(super) operation: Operation,
}

impl Plan {
    /// Removes what a run may remove by itself. Above that, all of it is held until she has decided about each: what was
    /// held once is not let go because fewer are left.
    pub(super) fn remove_or_hold(
        &mut self,
        world: &World,
        calendar: &LinkedCalendar,
        removals: Vec<Removal>,
        policy: &Policy,
        now: Timestamp,
    ) {
        let standing =
            world.mappings.values().filter(|row| row.calendar == calendar.id && stands(row)).count();
        let too_many = !policy.allows_removing(removals.len(), standing);
        for removal in removals {
            let was_held = removal.mapping.state == MappingState::Pending;
            let place = (removal.mapping.calendar.clone(), removal.mapping.event.clone());
            match chosen(world, &removal.card) {
                // It is hers now, with its time.
                Some(Choice::Leave) => {
                    self.elsewhere.insert(place);
                }
                None if too_many || was_held => {
                    // Nobody is to book what she may want back.
                    self.elsewhere.insert(place);
                    if !was_held {
                        let state = MappingState::Pending;
                        self.notes.push(Mapping { state, updated_at: now, ..removal.mapping });
                    }
                    self.cards.push(removal.card);
                }
                // One that is not offered counts as no answer: see [`chosen`].
                None
                | Some(
                    Choice::Remove
                    | Choice::Move
                    | Choice::Propose
                    | Choice::Cancel
                    | Choice::PutBack
                    | Choice::Unblock
                    | Choice::Create
                    | Choice::Switch,
                ) => self.writes.push(removal.operation),
            }
        }
    }
}
