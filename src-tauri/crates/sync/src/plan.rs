//! Turns what is known into a sorted list of actions, and cards for what only the vendor may decide. Pure: the same
//! world at the same time gives the same plan, and the plan of a settled world is empty.

mod answered;
mod bookings;
mod busy;
mod card;
mod copies;
mod home;
mod mapping;
mod overlaps;
mod removals;
mod seconds;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use self::busy::SourceBusy;
pub use self::card::{About, Card, Over, Refusal, WORDS};
pub use self::copies::unblocked;
pub use self::home::{Home, decided_home};
pub use self::mapping::{found, next_generation, removed, stored};
use crate::ids::{CalendarId, RemoteId};
use crate::policy::Policy;
use crate::provenance::Identities;
use crate::world::{Mapping, Operation, Role, World};

/// What is to be done, in the order it is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Writes to the vendor's calendar, by booking.
    pub writes: Vec<Operation>,
    /// Rows of the mirror that are out of date although nothing is to be written.
    pub notes: Vec<Mapping>,
    /// Busy sets whose checksum differs from what the platform has.
    pub publish: Vec<Operation>,
    /// What she decided about bookings, to be carried out on the platform.
    pub answers: Vec<Operation>,
    pub cards: Vec<Card>,
    /// Calendars that were looked at for an answer, by its key: it is carried out only if they were read to the present.
    pub relies_on: BTreeMap<String, BTreeSet<CalendarId>>,
    /// Bookings whose event is as it should be.
    pub unchanged: usize,
    /// Every busy source, whether or not it is to be published.
    pub sources: Vec<SourceBusy>,
    /// Events of bookings that block their time as events of hers would: no booking holds it.
    pub elsewhere: BTreeSet<(CalendarId, RemoteId)>,
}

impl Plan {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.notes.is_empty() && self.publish.is_empty() && self.answers.is_empty()
    }
}

/// Plans both flows.
#[must_use]
pub fn plan(world: &World, now: Timestamp, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    let identities: BTreeMap<&CalendarId, Identities> =
        world.calendars.iter().map(|(id, calendar)| (id, Identities::of(world, calendar))).collect();
    plan.cards.extend(home::questions(world, now));
    for calendar in world.calendars.values().filter(|calendar| calendar.role == Role::Target) {
        let removals = bookings::plan_bookings(world, calendar, &identities[&calendar.id], now, &mut plan);
        plan.remove_or_hold(world, calendar, removals, policy, now);
    }
    plan.cards.extend(copies::questions(world, &identities, now, policy));
    busy::plan_busy(world, &identities, now, policy, &mut plan);
    overlaps::plan_overlaps(world, &identities, now, &mut plan);
    // What presses comes first.
    plan.cards.sort_by_key(|card| !card.question.presses());
    plan
}

#[cfg(test)]
mod tests;
