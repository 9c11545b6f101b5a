//! What must hold: after every step, and more once runs were left in peace.

use std::collections::BTreeSet;

use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::{Booking, BookingStatus, Draft};
use sync::decide::{self, times};
use sync::ids::{BookingId, CalendarId, Service};
use sync::import;
use sync::ports::{RemoteEvent, Slot};
use sync::report::Report;
use sync::world::Choice;

use super::stage::{DEVICES, Given, Stage, calendar_words, clock, connection, covers, spans};

/// Whatever happened: hers is as she left it, bookings are as customers left them, and none has two events of ours.
pub fn always(stage: &mut Stage) {
    let mut broken = Vec::new();
    for (place, hers) in &stage.hers {
        let there = stage.event(place);
        if !there.is_some_and(|event| event.event == hers.event.event && event.marker == hers.event.marker) {
            broken.push(format!("{} is hers, and is not as she left it", place.1));
        }
    }
    for (id, booking) in &stage.booked {
        if stage.world.bookings.get(id).is_none_or(|(_, there)| there != booking) {
            broken.push(format!("{id} is not as its customer left it"));
        }
        if stage.standing_for(id).len() > 1 {
            broken.push(format!("{id} has two events of ours"));
        }
    }
    broken.into_iter().for_each(|what| stage.breaks(what));
}

/// After a run that nothing and nobody disturbed. `alone` is whether no other device may have written since.
pub fn at_peace(stage: &mut Stage, report: &Report, alone: bool) {
    let mut broken = Vec::new();
    let lost_marks = stage.unmarked.clone();
    for error in &report.errors {
        let excused = |id: &BookingId| {
            lost_marks.contains(id) || stage.runs[stage.device].refused.contains(id) || is_taken(stage, id)
        };
        if error.booking.as_ref().is_none_or(|booking| !excused(booking)) {
            broken.push(format!("nothing is wrong, and it reports: {}", error.message));
        }
    }
    for card in &report.decisions {
        let Some(id) = &card.booking_id else { continue };
        if lost_marks.contains(id) {
            continue;
        }
        if stage.given.get(&(stage.device, card.id.clone())).is_some_and(|given| !given.is_settled)
            && !is_taken(stage, id)
        {
            broken.push(format!("it asks about {id} ({}) what she has answered", card.kind));
        }
        if let Some(why) = needless(stage, id, &card.kind) {
            broken.push(format!("it asks about {id} ({}), and {why}", card.kind));
        }
    }
    let waits = report.decisions.iter().filter(|card| holds_an_event(&card.kind));
    let asked: BTreeSet<&BookingId> = waits.filter_map(|card| card.booking_id.as_ref()).collect();
    for (id, booking) in &stage.booked {
        let excused = lost_marks.contains(id) || stage.runs[stage.device].refused.contains(id);
        if booking.end <= stage.now || asked.contains(id) || excused || is_left(stage, id, booking) {
            continue;
        }
        let standing = stage.standing_for(id);
        match booking.status {
            BookingStatus::Cancelled | BookingStatus::NoShow => {
                // What was over when the calendar was first read was never shown.
                let ahead = |event: &RemoteEvent| times(event).is_none_or(|(_, end)| end > stage.latest);
                if standing.into_iter().any(ahead) {
                    broken.push(format!("{id} is {}, and its event stands", booking.status.as_str()));
                }
            }
            BookingStatus::Pending | BookingStatus::Confirmed => {
                if standing.first().and_then(|event| times(event)) != Some((booking.start, booking.end)) {
                    broken.push(format!("{id} has no event at its time, and nobody is asked"));
                } else if let Some(words) = other_words(stage, id, booking) {
                    broken.push(format!("the event of {id} says \"{words}\", and nobody wrote that"));
                }
            }
            BookingStatus::Completed | BookingStatus::Other(_) => {}
        }
    }
    if alone {
        broken.extend(busy(stage, report));
        if stage.leaves_slots {
            broken.extend(left_slots(stage));
        }
        // What a computer that stands by was given to offer, it offers later.
        if !stage.lease.asked.iter().all(|asked| *asked) || !stage.lease.offered {
            broken.extend(slots(stage));
        }
    }
    broken.into_iter().for_each(|what| stage.breaks(what));
}

/// Whether the event of a booking waits for an answer. Where it is only that she renamed or copied it, or has something
/// else at that time, it is kept true to its booking meanwhile.
#[must_use]
pub fn holds_an_event(kind: &str) -> bool {
    !["renamed", "duplicated", "overlap"].contains(&kind)
}

/// Whether she decided that this booking and its event may differ, and neither was changed since: by an answer, or by
/// taking a run back.
fn is_left(stage: &Stage, id: &BookingId, booking: &Booking) -> bool {
    let same = |then: &Option<Booking>| asks_for(then.as_ref()) == asks_for(Some(booking));
    let times =
        |asked: Option<(Timestamp, Timestamp, Option<&str>)>| asked.map(|(start, end, _)| (start, end));
    // She was asked about times, so that is what her answer is for.
    let same_times =
        |then: &Option<Booking>| times(asks_for(then.as_ref())) == times(asks_for(Some(booking)));
    let left = |given: &Given| {
        let stands = stage.standing_for(id).first().and_then(|event| decide::times(event));
        // What she moved to before where lists begin, a computer that never saw it there asks about as deleted.
        let is_out_of_reach = stands.is_some_and(|(_, end)| end <= stage.window().start());
        let is_there = given.found == stands || (given.found.is_none() && is_out_of_reach);
        let is_same = is_there && same_times(&given.booked);
        given.booking == *id && given.choice == Choice::Leave && is_same
    };
    stage.past.undone.get(id).is_some_and(|then| then.iter().any(same)) || stage.given.values().any(left)
}

/// Whether she decided to move the booking to a time that another one has, or that is over by now: that cannot be, and
/// she is asked again.
fn is_taken(stage: &Stage, id: &BookingId) -> bool {
    let to_another_time = |choice| matches!(choice, Choice::Move | Choice::Propose);
    let moved = stage.given.values().filter(|given| given.booking == *id && to_another_time(given.choice));
    let mut to = moved.filter_map(|given| given.found.and_then(|(start, end)| Interval::new(start, end)));
    to.any(|to| {
        let is_over = to.start() <= stage.now;
        let others = stage.booked.values().filter(|other| other.id != *id && asks_for(Some(other)).is_some());
        let mut others = others.filter_map(|other| Interval::new(other.start, other.end));
        is_over || others.any(|other| other.overlaps(&to))
    })
}

/// What of a booking an event can show.
fn asks_for(booking: Option<&Booking>) -> Option<(Timestamp, Timestamp, Option<&str>)> {
    let booking = booking.filter(|booking| match booking.status {
        BookingStatus::Cancelled | BookingStatus::NoShow => false,
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => true,
    })?;
    Some((booking.start, booking.end, booking.service_name.as_deref()))
}

/// What the event of a booking says, if that is neither what the booking says nor what she wrote. A device that lost its
/// memory takes words it does not know for hers; so does one that wrote an event again as it was before a run, since
/// the journal does not say whose its words were.
fn other_words(stage: &Stage, id: &BookingId, booking: &Booking) -> Option<String> {
    if stage.forgetful || stage.past.undone.contains_key(id) {
        return None;
    }
    let (place, _, event) = stage.standing().find(|(_, of, _)| *of == id)?;
    let words = &event.event.summary;
    let title = Draft::of(booking, Service::Google, &place.0, 0).title;
    let known = *words == title || stage.reworded.get(place) == Some(words);
    (!known).then(|| words.clone())
}

/// Why a question need not be asked.
fn needless(stage: &Stage, id: &BookingId, kind: &str) -> Option<String> {
    let booking = stage.booked.get(id)?;
    let standing: Vec<(_, _)> =
        stage.standing_for(id).into_iter().filter_map(|event: &RemoteEvent| times(event)).collect();
    let about_her = ["moved", "moved_both", "moved_cancelled", "deleted"].contains(&kind);
    if about_her && !stage.forgetful && !stage.past.touched.contains(id) {
        return Some("she never touched its event".to_owned());
    }
    match (kind, standing.first()) {
        // What went while it lay before the list begins, nobody tells.
        (_, None) if was_before_the_list(stage, id) => None,
        ("proposed", _) if booking.proposal.waiting().is_none() => {
            Some("its customer is asked for no other time".to_owned())
        }
        ("held_deletion", None) => Some("it has no event".to_owned()),
        // One that she moved out of what a list shows cannot be seen by a computer that never knew it.
        ("deleted", Some((start, end))) if *end > stage.window().start() => {
            Some(format!("its event stands at {}", clock(*start)))
        }
        ("moved" | "resized" | "moved_both", Some(there)) if *there == (booking.start, booking.end) => {
            Some("its event is where it is booked".to_owned())
        }
        ("moved" | "resized" | "moved_both" | "moved_cancelled", None) => Some("it has no event".to_owned()),
        _ => None,
    }
}

/// Whether the event of a booking ever stood at a time that lists do not reach any more.
fn was_before_the_list(stage: &Stage, id: &BookingId) -> bool {
    let begins = stage.window().start();
    let times = stage.past.once.get(id).into_iter().chain(stage.past.moved_to.get(id)).flatten();
    let mut ends = times.map(|(_, end)| *end);
    ends.any(|end| end <= begins)
}

/// Published busy time contains what is hers, and nothing else but where she moved ours to.
fn busy(stage: &Stage, report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    for remote in stage.world.calendars.keys() {
        let source = CalendarId::of(&connection(), remote);
        let hers = || stage.hers.iter().filter(|(place, _)| place.0 == *remote);
        let true_busy = || hers().flat_map(|(_, hers)| hers.spans.iter().copied());
        let least = stage.clipped(stage.shown(stage.blocking(remote)));
        let most = stage.clipped(true_busy().chain(stage.elsewhere(remote)));
        broken.extend(between(calendar_words(remote), &stage.published(&source), &least, &most));
    }
    for (device, files) in &stage.files {
        let source = import::linked(DEVICES[*device], 5, stage.now).id;
        if report.busy.sources.iter().all(|told| told.id != source) || *device != stage.device {
            continue;
        }
        let filed = stage.clipped(files.values().filter(|filed| filed.busy).map(|filed| filed.span));
        broken.extend(between("her files", &stage.published(&source), &filed, &filed));
    }
    // Where she moved an event of ours, or its booking is gone, she is asked, and the time stays blocked.
    let everywhere: Vec<Interval> = stage.world.busy.values().flat_map(|set| set.intervals.clone()).collect();
    let everywhere = calendar::interval::union(everywhere);
    for card in report.decisions.iter().filter(|card| BLOCKING.contains(&card.kind.as_str())) {
        // Where its event lost its marker, another device can prove neither that it is ours nor that it is hers.
        let Some(id) = card.booking_id.as_ref().filter(|id| !stage.unmarked.contains(id)) else { continue };
        let found = stage.standing_for(id).into_iter().filter_map(times);
        let found = stage.clipped(found.filter_map(|(start, end)| Interval::new(start, end)));
        if !covers(&everywhere, &found) {
            broken.push(format!("she is asked about {id}, and {} is bookable", spans(&found)));
        }
    }
    broken
}

const BLOCKING: [&str; 5] = ["moved", "resized", "moved_both", "moved_cancelled", "held_deletion"];

fn between(whose: &str, published: &[Interval], least: &[Interval], most: &[Interval]) -> Vec<String> {
    let mut broken = Vec::new();
    if !covers(published, least) {
        broken.push(format!("{whose}: {} is published, and {} is busy", spans(published), spans(least)));
    }
    if !covers(most, published) {
        broken.push(format!("{whose}: {} is published, and only {} is busy", spans(published), spans(most)));
    }
    broken
}

/// What she offers is bookable where nothing is in the way, and what she took back is not.
fn slots(stage: &Stage) -> Vec<String> {
    let mut broken = Vec::new();
    let offers: Vec<Interval> =
        stage.files.values().flat_map(|files| files.values()).filter(|f| !f.busy).map(|f| f.span).collect();
    let bookings = stage.booked.values().filter(|booking| booking.status != BookingStatus::Cancelled);
    let bookings = bookings.filter_map(|booking| Interval::new(booking.start, booking.end));
    let busy = stage.world.busy.values().flat_map(|set| set.intervals.iter().copied());
    let taken: Vec<Interval> = bookings.chain(busy).collect();
    // A free time is forgotten once it has come; a clock that was wrong then leaves its slot to her.
    for slot in stage.world.slots.values().filter(|slot| slot.open && slot.span.start() > stage.latest) {
        let is_known = stage.past.undone_slots.contains(&slot.span) || stage.made_by_her.contains(&slot.id);
        if is_known {
            continue;
        }
        if !offers.iter().any(|o| o.start() <= slot.span.start() && slot.span.end() <= o.end()) {
            broken.push(format!("{} is bookable, and nobody offers it", spans(&[slot.span])));
        }
    }
    let horizon = stage.window().end();
    for offer in &offers {
        let alone = offers.iter().filter(|other| other.overlaps(offer)).count() == 1;
        let ahead = offer.start() > stage.now && offer.end() < horizon;
        let free = !taken.iter().any(|taken| taken.overlaps(offer));
        let bookable = stage.world.slots.values().any(|slot| slot.open && slot.span == *offer);
        // The platform does not say whether a slot is closed because somebody has it.
        let closed = stage.world.slots.values().any(|slot| !slot.open && slot.span.overlaps(offer));
        let undone = stage.past.undone_slots.iter().any(|span| span.overlaps(offer));
        let of_hers = |slot: &&Slot| stage.made_by_her.contains(&slot.id) && slot.span.overlaps(offer);
        let undone = undone || stage.world.slots.values().any(|slot| of_hers(&slot));
        if alone && ahead && free && !closed && !bookable && !undone {
            broken.push(format!("{} is free and offered, and not bookable", spans(&[*offer])));
        }
    }
    broken
}

/// Where it is left to us: nothing is bookable under busy time, and what we closed is open again after it.
fn left_slots(stage: &Stage) -> Vec<String> {
    let busy: Vec<Interval> = stage.world.busy.values().flat_map(|set| set.intervals.clone()).collect();
    let booked = stage.booked.values().filter(|booking| asks_for(Some(booking)).is_some());
    let booked: Vec<Interval> =
        booked.filter_map(|booking| Interval::new(booking.start, booking.end)).collect();
    let window = stage.window();
    let is_ahead = |slot: &&Slot| slot.span.start() > stage.latest && slot.span.end() <= window.end();
    let mut broken = Vec::new();
    for slot in stage.world.slots.values().filter(is_ahead) {
        let over = |spans: &[Interval]| spans.iter().any(|span| span.overlaps(&slot.span));
        if slot.open && over(&busy) {
            broken.push(format!("{} is bookable, and busy", spans(&[slot.span])));
        }
        let others = stage.world.slots.values().any(|other| other.open && other.span.overlaps(&slot.span));
        let ours = stage.closed_by_us.contains(&slot.id) && !stage.forgetful;
        if !slot.open && ours && !others && !over(&busy) && !over(&booked) {
            broken.push(format!("{} was closed by us, and stays closed", spans(&[slot.span])));
        }
    }
    broken
}
