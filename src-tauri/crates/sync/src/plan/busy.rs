//! What each calendar blocks, and whether the platform is to be told. Knows whose an event is; not when it occurs.

use std::collections::BTreeMap;

use calendar::busy::Withheld;
use calendar::event::Event;
use calendar::interval::Interval;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Plan, unblocked};
use crate::busy_set::{busy_set, vendor_zone, window};
use crate::ids::{CalendarId, Service};
use crate::policy::Policy;
use crate::ports::{BusySet, RemoteEvent};
use crate::provenance::{Identities, Provenance};
use crate::unblocked as once;
use crate::world::{LinkedCalendar, Operation, PublishedBusy, Role, World};

/// What one calendar blocks, and whether that may be told to the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceBusy {
    pub calendar: CalendarId,
    /// Nothing while the calendar was never read in full: unread is not empty.
    pub set: Option<BusySet>,
    pub withheld: Vec<Withheld>,
}

pub(super) fn plan_busy(
    world: &World,
    identities: &BTreeMap<&CalendarId, Identities>,
    now: Timestamp,
    policy: &Policy,
    plan: &mut Plan,
) {
    let zone = vendor_zone(world.vendor.as_ref());
    let window = window(now, &zone, policy);
    let in_doubt = in_doubt(world);
    let unblocked = unblocked(world);
    for calendar in world.calendars.values().filter(|calendar| calendar.role != Role::Off) {
        let Some(service) = world.connections.get(&calendar.connection).map(|connection| connection.service)
        else {
            continue;
        };
        if !calendar.known {
            plan.sources.push(SourceBusy { calendar: calendar.id.clone(), set: None, withheld: Vec::new() });
            continue;
        }
        let identities = &identities[&calendar.id];
        let blocks = |event: &RemoteEvent| {
            let place = (calendar.id.clone(), event.id.clone());
            match identities.provenance(event) {
                Provenance::Foreign => (!unblocked.contains(&place)).then_some(Whose::Hers),
                // Where she moved it, it blocks too, until she has decided.
                Provenance::Ours(_) | Provenance::Indeterminate(_) => {
                    plan.elsewhere.contains(&place).then_some(Whose::Bookings)
                }
            }
        };
        let (set, withheld) = source_busy(world, calendar, service, blocks, window, &zone);
        let before = world.published.get(&calendar.id);
        if in_doubt.contains_key(&calendar.id) || needs_publishing(before, &set) {
            let before = before.map(|published| published.set.clone());
            plan.publish.push(Operation::PublishBusy { set: set.clone(), before });
        }
        plan.sources.push(SourceBusy { calendar: calendar.id.clone(), set: Some(set), withheld });
    }
    let told = world.published.iter().map(|(id, published)| (id, &published.set));
    let maybe_told = in_doubt.iter().map(|(id, set)| (*id, *set));
    let unwanted: BTreeMap<&CalendarId, &BusySet> = maybe_told
        .chain(told)
        .filter(|(id, _)| world.calendars.get(*id).is_none_or(|calendar| calendar.role == Role::Off))
        .collect();
    for (id, before) in unwanted {
        let set = BusySet::of(before.service, id.clone(), window, Vec::new());
        plan.publish.push(Operation::PublishBusy { set, before: Some(before.clone()) });
    }
}

/// Sources whose last `PUT` was never confirmed: what the platform has for them is not known until the next one is.
fn in_doubt(world: &World) -> BTreeMap<&CalendarId, &BusySet> {
    world
        .unsettled
        .iter()
        .filter_map(|(_, operation)| match operation {
            Operation::PublishBusy { set, .. } => Some((&set.source, set)),
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::MoveBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::CancelBooking { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => None,
        })
        .collect()
}

/// What was never published from here may have been published before the mirror was lost, or by another computer.
fn needs_publishing(before: Option<&PublishedBusy>, set: &BusySet) -> bool {
    before.is_none_or(|published| published.set.checksum != set.checksum)
}

/// What stands behind an event that blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Hers,
    Bookings,
}

fn source_busy(
    world: &World,
    calendar: &LinkedCalendar,
    service: Service,
    blocks: impl Fn(&RemoteEvent) -> Option<Whose>,
    window: Interval,
    zone: &TimeZone,
) -> (BusySet, Vec<Withheld>) {
    let nothing = BTreeMap::new();
    let rows = world.events.get(&calendar.id).unwrap_or(&nothing);
    let set_of = |whose: Whose, unblocked: &[Interval]| {
        let events = rows.values().filter(|event| blocks(event) == Some(whose));
        let events: Vec<Event> = events.map(|event| event.event.clone()).collect();
        busy_set(service, &calendar.id, &events, &calendar.rules, window, zone, unblocked)
    };
    let (hers, mut withheld) = set_of(Whose::Hers, &once::of(world, &calendar.id));
    let (bookings, more) = set_of(Whose::Bookings, &[]);
    if bookings.intervals.is_empty() && more.is_empty() {
        return (hers, withheld);
    }
    withheld.extend(more);
    let intervals = [hers.intervals, bookings.intervals].concat();
    (BusySet::of(service, calendar.id.clone(), window, intervals), withheld)
}
