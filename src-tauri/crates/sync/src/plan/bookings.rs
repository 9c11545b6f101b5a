//! Decides for each booking in one calendar what becomes of its event, by [`crate::decide`] and what she answered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Plan;
use super::card::{asking, chosen, waiting_for};
use super::mapping::{adopted, found, next_generation, removed};
use super::removals::Removal;
use crate::booking::{Booking, Draft};
use crate::decide::{
    Question, Seen, Verdict, Wish, asked, decide, is_held, seen, stands, stands_where, times, wish,
    words_are_hers,
};
use crate::ids::{BookingId, CalendarId};
use crate::ports::RemoteEvent;
use crate::provenance::Identities;
use crate::world::{Choice, LinkedCalendar, Mapping, MappingState, Operation, World};

pub(super) fn plan_bookings(
    world: &World,
    calendar: &LinkedCalendar,
    identities: &Identities,
    now: Timestamp,
    plan: &mut Plan,
) -> Vec<Removal> {
    let mut removals = Vec::new();
    let Some(service) = world.connections.get(&calendar.connection).map(|connection| connection.service)
    else {
        return removals;
    };
    let nothing = BTreeMap::new();
    let events = world.events.get(&calendar.id).unwrap_or(&nothing);
    let mut bookings: BTreeSet<&BookingId> = world.bookings.keys().collect();
    bookings.extend(world.mappings.keys().filter(|(_, c)| *c == calendar.id).map(|(booking, _)| booking));

    for id in bookings {
        let booking = world.bookings.get(id);
        let mapping = world.mappings.get(&(id.clone(), calendar.id.clone()));
        let wish = wish(booking, now);
        let claimants = identities.claimants(id);
        if claimants.len() > 1 {
            let standing = claimants.iter().filter_map(|claimant| events.get(claimant)).collect();
            plan.ask_which(world, calendar, (id, booking), mapping, wish, standing);
            continue;
        }
        let proven = claimants.first().and_then(|claimant| proven(events.get(claimant)?));
        let Some(mapping) = mapping.filter(|mapping| stands(mapping)) else {
            plan.notes.extend(mapping.filter(|mapping| hold_ends(mapping, wish)).map(|m| removed(m, now)));
            let Some(booking) = booking else { continue };
            let draft = |generation| Draft::of(booking, service, &calendar.remote, generation);
            match (wish, proven) {
                // Written by another computer, or before the mirror was lost: known first, then judged like any other.
                (Wish::Event | Wish::Nothing, Some((event, generation))) => {
                    plan.notes.push(Mapping {
                        created_at: mapping.map_or(now, |mapping| mapping.created_at),
                        ..found(calendar.id.clone(), &draft(generation), event, now)
                    });
                }
                (Wish::Event, None)
                    if mapping
                        .is_some_and(|row| is_held(row, wish, Some(&draft(next_generation(mapping))))) => {}
                (Wish::Event, None) => plan.writes.push(Operation::CreateEvent {
                    calendar: calendar.id.clone(),
                    draft: draft(next_generation(mapping)),
                }),
                (Wish::Nothing | Wish::AsItIs, None) | (Wish::AsItIs, Some(_)) => {}
            }
            continue;
        };
        let event = events.get(&mapping.event);
        let draft = booking.map(|booking| Draft::of(booking, service, &calendar.remote, mapping.generation));
        let intended = intended_drafts(world, &calendar.id, id);
        let what = seen(event, mapping, &intended);
        let ask = draft.as_ref().map_or(crate::decide::Asked::Same, |draft| asked(mapping, draft));
        let live = booking.filter(|booking| still_stands(booking));
        let verdict = decide(wish, ask, what);
        if what == Seen::Absent
            && let Some(booking) = booking
            && let Some((event, generation)) = proven
        {
            // Another computer, which did not know of it, wrote it anew.
            let draft = Draft::of(booking, service, &calendar.remote, generation);
            let mapping =
                Mapping { created_at: mapping.created_at, ..found(calendar.id.clone(), &draft, event, now) };
            plan.notes.push(mapping);
            continue;
        }
        if what == Seen::Moved
            && let (Some(event), Some(draft)) = (event, &draft)
            && stands_where(event, draft)
        {
            // The booking has come to where she put its event, or another computer moved both: nothing is left to ask.
            let says_it = crate::decide::says(event, draft);
            let times_only = !says_it && words_are_hers(event, mapping);
            let row = adopted(mapping, event, &Draft { times_only, ..draft.clone() }, now);
            // Words of ours that the booking has outgrown are written next.
            let written = if says_it || times_only { row.written.clone() } else { mapping.written.clone() };
            plan.notes.push(Mapping { written, ..row });
            continue;
        }
        if matches!(what, Seen::Same | Seen::Reworded) && is_held(mapping, wish, draft.as_ref()) {
            // She had it put back to where it stands: it takes that time as an event of hers would.
            if event.and_then(times) != live.map(|booking| (booking.start, booking.end)) {
                plan.elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
            }
            continue;
        }
        let proposed = booking.filter(|_| wish == Wish::Event).and_then(|booking| {
            let waiting = booking.proposal.waiting()?;
            Some(waiting_for(waiting, booking, calendar, now))
        });
        let card = match verdict {
            // Where she waits for the customer, there is nothing to ask about the event that stands there.
            Verdict::Ask(Question::Moved | Question::MovedBoth)
                if proposed.as_ref().is_some_and(|card| card.found == event.and_then(times)) =>
            {
                proposed
            }
            Verdict::Ask(question) => Some(asking(question, id, calendar, booking, mapping, event, now)),
            Verdict::Nothing | Verdict::Update | Verdict::UpdateTimes | Verdict::Remove | Verdict::Forget => {
                if let Some(card) = proposed {
                    match chosen(world, &card) {
                        Some(choice) => {
                            plan.carry_out(&card, choice, &calendar.remote, mapping, draft.clone(), event);
                        }
                        None => plan.cards.push(card),
                    }
                }
                None
            }
        };
        let choice = card.as_ref().and_then(|card| chosen(world, card));
        // Until she has decided, both times are blocked, and where she leaves it so. Otherwise the event's time is not hers
        // any more: the booking must be let in there, or nothing of it stays.
        if what == Seen::Moved && matches!(choice, None | Some(Choice::Leave | Choice::Propose)) {
            plan.elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
        }
        if let (Some(card), Some(choice)) = (&card, choice) {
            plan.carry_out(card, choice, &calendar.remote, mapping, draft, event);
            continue;
        }
        let verdict = match (&draft, event) {
            (Some(draft), Some(event)) if wish == Wish::Event && what == Seen::Reworded => {
                plan.ask_about_words(world, calendar, mapping, draft, event, verdict)
            }
            (_, _) => verdict,
        };
        match (verdict, draft, event) {
            (Verdict::Nothing, _, _) => {
                plan.unchanged += usize::from(wish == Wish::Event);
                if wish == Wish::Event && mapping.state == MappingState::Pending {
                    // Its removal was held, and the booking is there after all.
                    plan.notes.push(Mapping {
                        state: MappingState::Synced,
                        updated_at: now,
                        ..mapping.clone()
                    });
                }
            }
            (Verdict::Update | Verdict::UpdateTimes, Some(draft), Some(event))
                if crate::decide::says(event, &draft) =>
            {
                plan.notes.push(adopted(mapping, event, &draft, now));
            }
            (verdict @ (Verdict::Update | Verdict::UpdateTimes), Some(mut draft), Some(event)) => {
                draft.times_only = verdict == Verdict::UpdateTimes;
                plan.writes.push(Operation::UpdateEvent {
                    calendar: calendar.id.clone(),
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    draft,
                    before: Box::new(event.clone()),
                });
            }
            (Verdict::Remove, _, Some(event)) => removals.push(Removal {
                card: asking(Question::Held, id, calendar, booking, mapping, Some(event), now),
                mapping: mapping.clone(),
                operation: Operation::RemoveEvent {
                    calendar: calendar.id.clone(),
                    booking: id.clone(),
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    before: Box::new(event.clone()),
                    remember: None,
                },
            }),
            (Verdict::Ask(_), _, _) => plan.cards.extend(card),
            (Verdict::Forget, _, _) => plan.notes.push(removed(mapping, now)),
            (Verdict::Update | Verdict::UpdateTimes | Verdict::Remove, _, _) => {}
        }
    }
    removals
}

/// With the generation that its marker tells.
fn proven(event: &RemoteEvent) -> Option<(&RemoteEvent, u32)> {
    event.marker.as_ref().map(|marker| (event, marker.generation))
}

/// An event that she took out stays out while its booking stands as it did. One that was cancelled since and comes
/// back is another matter.
fn hold_ends(mapping: &Mapping, wish: Wish) -> bool {
    wish == Wish::Nothing && mapping.state == MappingState::Removed && mapping.written.is_some()
}

fn intended_drafts<'a>(world: &'a World, calendar: &CalendarId, booking: &BookingId) -> Vec<&'a Draft> {
    world
        .unsettled
        .iter()
        .filter_map(|(_, operation)| match operation {
            Operation::UpdateEvent { calendar: c, draft, .. }
            | Operation::CreateEvent { calendar: c, draft } => {
                (c == calendar && draft.booking == *booking).then_some(draft)
            }
            Operation::RemoveEvent { .. }
            | Operation::MoveBooking { .. }
            | Operation::CancelBooking { .. }
            | Operation::ProposeMove { .. }
            | Operation::WithdrawProposal { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => None,
        })
        .collect()
}

pub(super) fn still_stands(booking: &Booking) -> bool {
    use crate::booking::BookingStatus::{Cancelled, Completed, Confirmed, NoShow, Other, Pending};
    match booking.status {
        Pending | Confirmed | Other(_) => true,
        Completed | Cancelled | NoShow => false,
    }
}
