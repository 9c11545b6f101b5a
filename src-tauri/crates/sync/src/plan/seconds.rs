//! Two events that both prove to be one booking's: a deleted one that she restored, or another computer's. Which of them
//! it is to be is hers to say; until then neither is touched, and where either stands stays blocked.

use calendar::interval::Interval;
use serde_json::json;

use super::card::{About, Card, chosen, digest};
use super::{Plan, bookings::still_stands};
use crate::booking::Booking;
use crate::decide::{Question, Wish, fingerprint, stands, times};
use crate::ids::BookingId;
use crate::ports::RemoteEvent;
use crate::world::{Choice, LinkedCalendar, Mapping, Operation, World};

impl Plan {
    pub(super) fn ask_which(
        &mut self,
        world: &World,
        calendar: &LinkedCalendar,
        (id, booking): (&BookingId, Option<&Booking>),
        mapping: Option<&Mapping>,
        wish: Wish,
        standing: Vec<&RemoteEvent>,
    ) {
        let booked = booking.map(|booking| (booking.start, booking.end));
        let held = booking.filter(|booking| still_stands(booking)).and(booked);
        for event in standing.iter().filter(|event| times(event) != held) {
            self.elsewhere.insert((calendar.id.clone(), event.id.clone()));
        }
        if wish == Wish::AsItIs {
            return;
        }
        let seconds = seconds(standing.clone(), mapping, booked);
        let all: Vec<_> = standing.iter().map(|event| (&event.id, fingerprint(event))).collect();
        let card = Card {
            question: Question::Duplicated,
            booking: Some(id.clone()),
            calendar: calendar.id.clone(),
            about: About::Seconds(seconds.iter().map(|event| event.id.clone()).collect()),
            booked,
            found: seconds.first().and_then(|event| times(event)),
            state: digest(&json!([booked, all])),
            choices: vec![Choice::Leave, Choice::Remove],
        };
        match chosen(world, &card) {
            Some(Choice::Remove) => {
                self.writes.extend(seconds.into_iter().map(|event| Operation::RemoveEvent {
                    calendar: calendar.id.clone(),
                    booking: id.clone(),
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    before: Box::new(event.clone()),
                    remember: None,
                }));
            }
            Some(_) => {}
            None => self.cards.push(card),
        }
    }
}

/// All but the one that the mirror points at, or else the one that stands where it is booked, or else the youngest.
fn seconds<'a>(
    mut standing: Vec<&'a RemoteEvent>,
    mapping: Option<&Mapping>,
    booked: Option<(jiff::Timestamp, jiff::Timestamp)>,
) -> Vec<&'a RemoteEvent> {
    let known = mapping.filter(|mapping| stands(mapping)).map(|mapping| &mapping.event);
    let generation = |event: &RemoteEvent| event.marker.as_ref().map(|marker| marker.generation);
    standing.sort_by_key(|event| {
        let is_booked = times(event).and_then(|(start, end)| Interval::new(start, end)).is_some()
            && times(event) == booked;
        (Some(&event.id) != known, !is_booked, std::cmp::Reverse(generation(event)), &event.id)
    });
    standing.into_iter().skip(1).collect()
}
