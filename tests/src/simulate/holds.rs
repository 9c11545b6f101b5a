//! What must hold: after every step, and more once runs were left in peace.

use std::collections::BTreeSet;

use calendar::interval::Interval;
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::ids::{BookingId, CalendarId};
use sync::import;
use sync::ports::RemoteEvent;
use sync::report::Report;

use super::stage::{DEVICES, Stage, clock, connection, covers, spans};

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
        if error.booking.as_ref().is_none_or(|booking| !lost_marks.contains(booking)) {
            broken.push(format!("nothing is wrong, and it reports: {}", error.message));
        }
    }
    for card in &report.decisions {
        let Some(id) = &card.booking_id else { continue };
        if lost_marks.contains(id) {
            continue;
        }
        if let Some(why) = needless(stage, id, &card.kind) {
            broken.push(format!("it asks about {id} ({}), and {why}", card.kind));
        }
    }
    let waits = report.decisions.iter().filter(|card| holds_an_event(&card.kind));
    let asked: BTreeSet<&BookingId> = waits.filter_map(|card| card.booking_id.as_ref()).collect();
    for (id, booking) in &stage.booked {
        if booking.end <= stage.now || asked.contains(id) || lost_marks.contains(id) {
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
                }
            }
            BookingStatus::Completed | BookingStatus::Other(_) => {}
        }
    }
    if alone {
        broken.extend(busy(stage, report));
        broken.extend(slots(stage));
    }
    broken.into_iter().for_each(|what| stage.breaks(what));
}

/// Whether the event of a booking waits for an answer. Where it is only that she renamed or copied it, or has something
/// else at that time, it is kept true to its booking meanwhile.
#[must_use]
pub fn holds_an_event(kind: &str) -> bool {
    !["renamed", "duplicated", "overlap"].contains(&kind)
}

/// Why a question need not be asked.
fn needless(stage: &Stage, id: &BookingId, kind: &str) -> Option<String> {
    let booking = stage.booked.get(id)?;
    let standing: Vec<(_, _)> =
        stage.standing_for(id).into_iter().filter_map(|event: &RemoteEvent| times(event)).collect();
    match (kind, standing.first()) {
        ("deleted", Some((start, _))) => Some(format!("its event stands at {}", clock(*start))),
        ("moved" | "resized" | "moved_both", Some(there)) if *there == (booking.start, booking.end) => {
            Some("its event is where it is booked".to_owned())
        }
        ("moved" | "resized" | "moved_both" | "moved_cancelled", None) => Some("it has no event".to_owned()),
        _ => None,
    }
}

/// Published busy time contains what is hers, and nothing else but where she moved ours to.
fn busy(stage: &Stage, report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    for remote in stage.world.calendars.keys() {
        let source = CalendarId::of(&connection(), remote);
        let hers = || stage.hers.iter().filter(|(place, _)| place.0 == *remote);
        let true_busy = || hers().flat_map(|(_, hers)| hers.spans.iter().copied());
        let least = stage.clipped(true_busy());
        let most = stage.clipped(true_busy().chain(stage.elsewhere(remote)));
        broken.extend(between(remote.as_str(), &stage.published(&source), &least, &most));
    }
    for (device, files) in &stage.files {
        let source = import::linked(DEVICES[*device], 5, stage.now).id;
        if report.busy.sources.iter().all(|told| told.id != source) {
            continue;
        }
        let filed = stage.clipped(files.values().filter(|filed| filed.busy).map(|filed| filed.span));
        broken.extend(between("her files", &stage.published(&source), &filed, &filed));
    }
    // Where she moved an event of ours, she is asked, and the time stays blocked.
    let everywhere: Vec<Interval> = stage.world.busy.values().flat_map(|set| set.intervals.clone()).collect();
    let everywhere = calendar::interval::union(everywhere);
    for card in report
        .decisions
        .iter()
        .filter(|card| ["moved", "resized", "moved_both"].contains(&card.kind.as_str()))
    {
        let Some(id) = &card.booking_id else { continue };
        let found = stage.standing_for(id).into_iter().filter_map(times);
        let found = stage.clipped(found.filter_map(|(start, end)| Interval::new(start, end)));
        if !covers(&everywhere, &found) {
            broken.push(format!("she is asked about {id}, and {} is bookable", spans(&found)));
        }
    }
    broken
}

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
        if alone && ahead && free && !bookable {
            broken.push(format!("{} is free and offered, and not bookable", spans(&[*offer])));
        }
    }
    broken
}
