//! Copies that a calendar app made of our events: the same marker under another id. A copy is hers and takes up its time
//! until she lets that time be booked. It is never written to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::card::{About, Card, chosen, digest};
use crate::busy_set::{busy_set, vendor_zone, window};
use crate::decide::{Question, fingerprint, times};
use crate::ids::{CalendarId, RemoteId, Service};
use crate::policy::Policy;
use crate::ports::RemoteEvent;
use crate::provenance::{Identities, Provenance};
use crate::world::{Choice, LinkedCalendar, Role, World};

/// Asked of each copy that takes up time from now on.
pub(super) fn questions(
    world: &World,
    identities: &BTreeMap<&CalendarId, Identities>,
    now: Timestamp,
    policy: &Policy,
) -> Vec<Card> {
    let zone = vendor_zone(world.vendor.as_ref());
    let window = window(now, &zone, policy);
    let mut asked = Vec::new();
    for (calendar, event) in marked(world) {
        if identities[&calendar.id].provenance(event) != Provenance::Foreign {
            continue;
        }
        let Some(card) = card(world, calendar, event) else { continue };
        let events = std::slice::from_ref(&event.event);
        let (set, _) = busy_set(Service::Ics, &calendar.id, events, &calendar.rules, window, &zone, &[]);
        let lies_ahead = set.intervals.iter().any(|interval| interval.end() > now);
        if lies_ahead && chosen(world, &card).is_none() {
            asked.push(card);
        }
    }
    asked
}

/// Copies that she lets be booked over, while they stand as they did.
#[must_use]
pub fn unblocked(world: &World) -> BTreeSet<(CalendarId, RemoteId)> {
    if world.answers.values().all(|answer| answer.choice != Choice::Unblock) {
        return BTreeSet::new();
    }
    marked(world)
        .filter(|(calendar, event)| {
            card(world, calendar, event).is_some_and(|card| chosen(world, &card) == Some(Choice::Unblock))
        })
        .map(|(calendar, event)| (calendar.id.clone(), event.id.clone()))
        .collect()
}

fn marked(world: &World) -> impl Iterator<Item = (&LinkedCalendar, &RemoteEvent)> {
    let used = world.calendars.values().filter(|calendar| calendar.role != Role::Off && calendar.known);
    used.flat_map(|calendar| {
        let events = world.events.get(&calendar.id).into_iter().flat_map(BTreeMap::values);
        events.filter(|event| event.marker.is_some()).map(move |event| (calendar, event))
    })
}

/// Nothing where nobody knows the booking: then it is an event of hers like any other.
fn card(world: &World, calendar: &LinkedCalendar, event: &RemoteEvent) -> Option<Card> {
    let booking = world.bookings.get(&event.marker.as_ref()?.booking)?;
    Some(Card {
        question: Question::Duplicated,
        booking: Some(booking.id.clone()),
        calendar: calendar.id.clone(),
        about: About::Copy(event.id.clone()),
        booked: Some((booking.start, booking.end)),
        found: times(event),
        state: digest(&json!([calendar.id, event.id, fingerprint(event)])),
        choices: vec![Choice::Leave, Choice::Unblock],
    })
}
