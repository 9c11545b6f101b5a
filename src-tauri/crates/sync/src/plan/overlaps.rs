//! Events of hers that lie over bookings which are still to come: one question a booking, however many they are.

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::{Reason, place};
use calendar::event::Event;
use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::json;

use super::card::{About, Card, Over, chosen, digest};
use super::{Plan, unblocked};
use crate::booking::Booking;
use crate::busy_set::vendor_zone;
use crate::decide::{Question, Wish, wish};
use crate::ids::{BookingId, CalendarId, RemoteId};
use crate::provenance::{Identities, Provenance};
use crate::world::{Choice, LinkedCalendar, Operation, Role, World};

/// Looks only where busy time and a booking meet, as far ahead as busy time is told.
pub(super) fn plan_overlaps(
    world: &World,
    identities: &BTreeMap<&CalendarId, Identities>,
    now: Timestamp,
    plan: &mut Plan,
) {
    let Some(target) = world.calendars.values().find(|calendar| calendar.role == Role::Target) else {
        return;
    };
    let unblocked = unblocked(world);
    for booking in world.bookings.values().filter(|booking| wish(Some(booking), now) == Wish::Event) {
        let Some(booked) = Interval::new(booking.start, booking.end) else { continue };
        let met = plan.sources.iter().filter(|source| {
            let intervals = source.set.iter().flat_map(|set| &set.intervals);
            intervals.clone().any(|busy| busy.overlaps(&booked))
        });
        let met = met.filter_map(|source| world.calendars.get(&source.calendar));
        let mut over: Vec<Over> = met
            .flat_map(|calendar| {
                events_over(world, calendar, &identities[&calendar.id], &unblocked, booking, booked)
            })
            .collect();
        over.sort();
        over.dedup();
        if !over.is_empty() {
            plan.ask_about_overlap(world, target, booking, over);
        }
    }
}

impl Plan {
    fn ask_about_overlap(
        &mut self,
        world: &World,
        target: &LinkedCalendar,
        booking: &Booking,
        over: Vec<Over>,
    ) {
        let calendars: BTreeSet<CalendarId> = over.iter().map(|over| over.calendar.clone()).collect();
        let booked = (booking.start, booking.end);
        let spans: Vec<_> = over.iter().map(|over| (over.span, &over.calendar)).collect();
        let card = Card {
            question: Question::Overlap,
            booking: Some(booking.id.clone()),
            calendar: target.id.clone(),
            booked: Some(booked),
            found: over.first().map(|over| (over.span.start(), over.span.end())),
            state: digest(&json!([booked, spans])),
            about: About::Overlap(over),
            choices: vec![Choice::Leave, Choice::Cancel],
        };
        match chosen(world, &card) {
            Some(Choice::Cancel) => {
                self.relies_on.insert(card.id(), calendars);
                self.answers.push(Operation::CancelBooking {
                    calendar: target.id.clone(),
                    booking: booking.id.clone(),
                    key: card.id(),
                });
            }
            Some(_) => {}
            None => self.cards.push(card),
        }
    }
}

/// The occurrences that lie over the booking themselves: what is kept free around them is no clash.
fn events_over(
    world: &World,
    calendar: &LinkedCalendar,
    identities: &Identities,
    unblocked: &BTreeSet<(CalendarId, RemoteId)>,
    booking: &Booking,
    booked: Interval,
) -> Vec<Over> {
    let rows = world.events.get(&calendar.id).into_iter().flat_map(BTreeMap::values);
    // A copy of the booking's own event is asked about as such.
    let is_copy = |of: &BookingId| *of == booking.id;
    let hers: Vec<Event> = rows
        .filter(|row| identities.provenance(row) == Provenance::Foreign)
        .filter(|row| row.marker.as_ref().is_none_or(|marker| !is_copy(&marker.booking)))
        .filter(|row| !unblocked.contains(&(calendar.id.clone(), row.id.clone())))
        .map(|row| row.event.clone())
        .collect();
    let placed = place(&hers, &calendar.rules, booked, &vendor_zone(world.vendor.as_ref()));
    placed
        .occurrences
        .into_iter()
        // Where an event may be anywhere, nobody can say that it lies over this.
        .filter(|occurrence| occurrence.blocks.is_some() && occurrence.reason != Reason::Withheld)
        .filter_map(|occurrence| {
            let span = Interval::new(occurrence.start, occurrence.end)?;
            let (calendar, title) = (calendar.id.clone(), occurrence.summary);
            Some(Over { span, calendar, title, all_day: occurrence.all_day })
        })
        .filter(|over| over.span.overlaps(&booked))
        .collect()
}
