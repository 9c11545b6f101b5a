//! What must hold at the moment of a write to one of her calendars, or of busy time: it is ours, as it was seen, and says
//! what this device was told.

use sync::booking::{Booking, BookingStatus, Draft};
use sync::decide::times;
use sync::error::ServiceError;
use sync::ids::{BookingId, CalendarId, ETag, RemoteCalendarId};
use sync::plan::WORDS;
use sync::ports::{BusySet, RemoteEvent};
use sync::world::Choice;

use super::super::device::DELETIONS;
use super::super::people::is_over;
use super::super::stage::{Place, Stage, clipped, connection, covers, spans};
use super::super::weather::Lie;
use super::lie::gone;
use super::watch_answers::was_told;

/// The event that a write is about, if its precondition holds.
pub(super) fn standing(
    stage: &mut Stage,
    place: &Place,
    base: &ETag,
    lie: Option<Lie>,
) -> Result<RemoteEvent, ServiceError> {
    if stage.is_gone(&place.0) {
        return Err(gone());
    }
    if !stage.ours.contains_key(place) {
        stage.breaks(format!("{} is not ours, and a write to it is sent", place.1));
    }
    let Some(event) = stage.event(place).cloned() else { return Err(gone()) };
    if lie == Some(Lie::IgnoresPrecondition) {
        return Ok(event);
    }
    if base.0 != ANY && event.etag != *base {
        return Err(ServiceError::Stale { service: "fake".to_owned() });
    }
    if !stage.told().versions.contains(&event.etag) {
        let what = stage.called(place);
        stage.breaks(format!("a version of {what} that this computer never saw is written over"));
    }
    if stage.is_undoing() && !stage.past.by_us.contains(&event.etag) && is_hers_now(stage, place, &event) {
        let what = stage.called(place);
        stage.breaks(format!("{what} was touched since, and is taken back over it"));
    }
    Ok(event)
}

/// Whether an event of ours says what she wrote, and we never did.
fn is_hers_now(stage: &Stage, place: &Place, event: &RemoteEvent) -> bool {
    let once = stage.ours.get(place).and_then(|booking| stage.past.once.get(booking));
    let moved = times(event).is_none_or(|there| !once.is_some_and(|once| once.contains(&there)));
    moved || stage.reworded.get(place) == Some(&event.event.summary)
}

/// The precondition that every version meets.
pub const ANY: &str = "*";

/// A write of ours was done.
pub(super) fn wrote(stage: &mut Stage, place: &Place, booking: &BookingId, event: &RemoteEvent) {
    stage.world.writes += 1;
    stage.past.leaving.remove(booking);
    stage.past.by_us.insert(event.etag.clone());
    if let Some(times) = times(event) {
        stage.past.wrote.insert(place.clone(), times);
        stage.past.once.entry(booking.clone()).or_default().insert(times);
    }
}

/// Whether she moved the event since we last wrote it, to where its booking never was.
fn moved_by_her(stage: &Stage, place: &Place, booking: &BookingId, event: &RemoteEvent) -> bool {
    let Some(there) = times(event) else { return true };
    stage.past.wrote.get(place).is_some_and(|wrote| *wrote != there)
        && !stage.past.had.get(booking).is_some_and(|had| had.contains(&there))
}

pub(super) fn watch_create(stage: &mut Stage, draft: &Draft) {
    let id = &draft.booking;
    let put_back = stage.given.values().any(|given| given.booking == *id && given.choice == Choice::PutBack);
    let sure = !stage.forgetful && !stage.is_undoing() && !stage.unmarked.contains(id);
    if sure && stage.past.deleted_by_her.contains(id) && !put_back {
        stage.breaks(format!("she deleted the event of {id}, and it is made anew"));
    }
    stage.past.deleted_by_her.remove(id);
}

pub(super) fn watch_update(stage: &mut Stage, place: &Place, event: &RemoteEvent, draft: &Draft) {
    let id = &draft.booking;
    if let Some(words) = stage.reworded.get(place)
        && event.event.summary == *words
        && !draft.times_only
        && !stage.is_undoing()
        && !wants_our_words(stage, id)
    {
        stage.breaks(format!("her words on the event of {id} are written over"));
    }
    let moved = !stage.is_undoing() && moved_by_her(stage, place, id, event);
    if moved && !was_told(stage, id, Choice::PutBack, event) {
        stage.breaks(format!("she moved the event of {id}, and it is written over"));
    }
}

/// Whether she decided so about the words that are there.
fn wants_our_words(stage: &Stage, booking: &BookingId) -> bool {
    stage
        .given
        .values()
        .any(|given| given.booking == *booking && given.topic == WORDS && given.choice == Choice::PutBack)
}

pub(super) fn watch_delete(stage: &mut Stage, place: &Place, event: &RemoteEvent, lie: Option<Lie>) {
    let Some(id) = stage.ours.get(place).cloned() else { return };
    if stage.is_undoing() {
        return;
    }
    let told = stage.told().bookings.get(&id).cloned();
    let is_over = told.is_none_or(|booking| is_over(&booking.status));
    if !is_over {
        stage.breaks(format!("the event of {id} is deleted, and nobody cancelled it"));
    }
    let let_go = stage.given.values().any(|given| given.booking == id && given.choice == Choice::Remove);
    if lie.is_none() && moved_by_her(stage, place, &id, event) && !was_told(stage, &id, Choice::Remove, event)
    {
        stage.breaks(format!("she moved the event of {id}, and it is deleted"));
    }
    if let_go {
        return;
    }
    let run = stage.run();
    run.removed += 1;
    let (removed, stood) = (run.removed, run.stood);
    if !DELETIONS.allows(removed, stood) {
        stage.breaks(format!("{removed} events of {stood} are removed in one run"));
    }
}

/// What is written is what this device was told of the booking, or what stood there before.
pub(super) fn watch_draft(stage: &mut Stage, draft: &Draft) {
    if stage.is_undoing() {
        let once = stage.past.once.get(&draft.booking);
        let had = stage.past.had.get(&draft.booking);
        let moved_to = stage.past.moved_to.get(&draft.booking);
        let there = (draft.start, draft.end);
        if ![once, had, moved_to].into_iter().flatten().any(|times| times.contains(&there)) {
            stage.breaks(format!("{} is put back to where it never was", draft.booking));
        }
        return;
    }
    match stage.told().bookings.get(&draft.booking).cloned() {
        Some(told) if (told.start, told.end) != (draft.start, draft.end) => {
            stage.breaks(format!("{} is written to a time it was never told", draft.booking));
        }
        Some(Booking { status: BookingStatus::Pending | BookingStatus::Confirmed, .. }) => {}
        Some(told) => {
            stage.breaks(format!("{} is written though it is {}", draft.booking, told.status.as_str()));
        }
        None => stage.breaks(format!("{} is written and was never read", draft.booking)),
    }
}

/// What is sent blocks all that this device was told of the calendar.
pub(super) fn watch_busy(stage: &mut Stage, set: &BusySet) {
    let remotes: Vec<RemoteCalendarId> = stage.world.calendars.keys().cloned().collect();
    for remote in remotes {
        if CalendarId::of(&connection(), &remote) != set.source {
            continue;
        }
        let Some(told) = stage.told().hers.get(&remote).cloned() else { continue };
        let told = told.into_iter().filter(|(id, _)| !stage.is_unblocked(id));
        let least = clipped(set.window, stage.shown(told.flat_map(|(_, spans)| spans)));
        if !covers(&set.intervals, &least) {
            stage.breaks(format!(
                "{} is published, and {} is known to be busy",
                spans(&set.intervals),
                spans(&least)
            ));
        }
    }
}
