//! What a calendar shows of its events from a cursor on, and what readings know of lies: pages that come twice, in another
//! order, half or not at all.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::Timestamp;
use sync::decide::times;
use sync::ids::{Cursor, RemoteCalendarId, RemoteId};
use sync::ports::{Coverage, Reading, RemoteEvent};

use super::super::stage::{Place, Stage};
use super::super::weather::{Emptied, Lie};
use super::lie::{gone, refusal};

fn ends_after(stage: &Stage, place: &Place, event: &RemoteEvent, since: Timestamp) -> bool {
    match stage.hers.get(place) {
        Some(hers) => hers.spans.iter().any(|span| span.end() > since),
        None => times(event).is_none_or(|(_, end)| end > since),
    }
}

pub(super) fn read_events(
    stage: &mut Stage,
    remote: &RemoteCalendarId,
    cursor: Option<&Cursor>,
    since: Timestamp,
    lie: Option<Lie>,
) -> Reading<RemoteEvent, RemoteId> {
    if lie == Some(Lie::CursorLost) && cursor.is_some() {
        return Reading::CursorLost;
    }
    let list = if stage.target().as_ref() == Some(remote) { Emptied::Target } else { Emptied::Personal };
    if stage.is_emptied(list) {
        stage.counts(format!("{list:?} comes back empty"));
        if cursor.is_some() {
            return Reading::CursorLost;
        }
        stage.told().hers.insert(remote.clone(), BTreeMap::new());
        // What was known of events that are whole and gone is settled by that.
        stage.forgetful = true;
        let (items, coverage) = (Vec::new(), Coverage::EndingAfter(since));
        return Reading::Snapshot { items, coverage, cursor: None };
    }
    let Some(calendar) = stage.world.calendars.get(remote).cloned() else { return Reading::Failed(gone()) };
    let (after, upto) = reach(stage, cursor, lie);
    let mut changed = Vec::new();
    let mut removed = Vec::new();
    for (id, (at, event)) in &calendar.events {
        match (event, after) {
            (_, Some(after)) if *at <= after || *at > upto => {}
            (Some(event), Some(_)) => changed.push(event.clone()),
            (None, Some(_)) => removed.push(id.clone()),
            (Some(event), None) if ends_after(stage, &(remote.clone(), id.clone()), event, since) => {
                changed.push(event.clone());
            }
            (_, None) => {}
        }
    }
    let half = lie == Some(Lie::HalfAReading);
    if half {
        changed.truncate(changed.len() / 2);
    }
    for event in &changed {
        seen(stage, event);
    }
    let hers = |stage: &Stage| -> BTreeMap<RemoteId, Vec<Interval>> {
        let there = stage.hers.iter().filter(|(place, _)| place.0 == *remote);
        there.map(|(place, hers)| (place.1.clone(), hers.spans.clone())).collect()
    };
    if half {
        return Reading::Partial { items: changed, reason: refusal(Lie::HalfAReading) };
    }
    let known = hers(stage);
    if upto == stage.world.clock {
        stage.told().hers.insert(remote.clone(), known);
    } else {
        stage.told().hers.remove(remote);
        // A write of ours whose answer was lost is settled by what is shown, as if it had not been done.
        stage.forgetful = true;
    }
    let next = Cursor(upto.to_string());
    match after {
        Some(_) => Reading::Delta { changed, removed, cursor: next },
        None => {
            Reading::Snapshot { items: changed, coverage: Coverage::EndingAfter(since), cursor: Some(next) }
        }
    }
}

pub(super) fn seen(stage: &mut Stage, event: &RemoteEvent) -> RemoteEvent {
    stage.told().versions.insert(event.etag.clone());
    event.clone()
}

/// Pages that come twice, or in another order.
pub(super) fn warp<I: Clone, K: Clone>(
    stage: &mut Stage,
    reading: Reading<I, K>,
    lie: Option<Lie>,
) -> Reading<I, K> {
    let mut change = |items: Vec<I>| {
        if lie == Some(Lie::Duplicates) {
            items.iter().chain(&items).cloned().collect()
        } else if lie == Some(Lie::Reordered) {
            let mut items = items;
            stage.dice.shuffle(&mut items);
            items
        } else {
            items
        }
    };
    match reading {
        Reading::Snapshot { items, coverage, cursor } => {
            Reading::Snapshot { items: change(items), coverage, cursor }
        }
        Reading::Delta { changed, removed, cursor } => {
            Reading::Delta { changed: change(changed), removed, cursor }
        }
        Reading::Partial { .. } | Reading::CursorLost | Reading::Failed(_) => reading,
    }
}

/// Which changes a reading reports: those after its cursor, up to now or, where it is old, up to a moment ago.
pub(super) fn reach(stage: &mut Stage, cursor: Option<&Cursor>, lie: Option<Lie>) -> (Option<u64>, u64) {
    let now = stage.world.clock;
    let since = cursor.and_then(|cursor| cursor.0.parse::<u64>().ok());
    match (since, lie) {
        (Some(since), Some(Lie::Old)) => {
            let ago = stage.dice.between(0, i64::try_from(now - since).unwrap_or(0));
            (Some(since), now - u64::try_from(ago).unwrap_or(0))
        }
        (since, _) => (since, now),
    }
}
