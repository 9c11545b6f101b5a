//! The services as a device meets them: they keep the contract, lie when the weather says so, and watch what is asked
//! of them. A promise that is broken by a request is seen here, at the moment of it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use calendar::event::{End, When};
use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::{Booking, BookingStatus, Draft};
use sync::decide::times;
use sync::error::ServiceError;
use sync::ids::{BookingId, CalendarId, Cursor, ETag, RemoteCalendarId, RemoteId, VendorId};
use sync::ports::{
    Account, BusyReceipt, BusySet, Calendar, CalendarEntry, Coverage, Platform, Probe, Reading, RemoteEvent,
    Slot, SlotMade,
};

use super::people::write_booking;
use super::stage::{Call, Lie, Place, Shared, Stage, Turn, clock, connection, covers, on, spans};
use crate::crash::Moment;
use crate::service::event_of;

#[derive(Clone)]
pub struct Liar(pub Shared);

/// What a process that was killed waits for.
async fn killed<T>() -> T {
    std::future::pending().await
}

fn refusal(lie: Lie) -> ServiceError {
    let service = "fake".to_owned();
    match lie {
        Lie::RateLimited => ServiceError::RateLimited { service, retry_after: Some(Duration::from_secs(2)) },
        Lie::SignInExpired => ServiceError::SignInExpired { service, reason: "invalid_grant".to_owned() },
        Lie::Rejected => ServiceError::Rejected { service, reason: "not to its taste".to_owned() },
        Lie::Failing => ServiceError::Failing { service, reason: "503".to_owned() },
        Lie::ReplyLost
        | Lie::Unreachable
        | Lie::HalfAReading
        | Lie::CursorLost
        | Lie::Duplicates
        | Lie::Reordered
        | Lie::Old
        | Lie::IgnoresPrecondition
        | Lie::DropsMarker => ServiceError::Unreachable { service, reason: format!("{lie:?}") },
    }
}

fn gone() -> ServiceError {
    ServiceError::Gone { service: "fake".to_owned() }
}

/// A lie that keeps the request from being done, or its answer from being whole.
fn refuses(lie: Lie) -> bool {
    match lie {
        Lie::Unreachable | Lie::RateLimited | Lie::Failing | Lie::SignInExpired | Lie::Rejected => true,
        Lie::ReplyLost
        | Lie::HalfAReading
        | Lie::CursorLost
        | Lie::Duplicates
        | Lie::Reordered
        | Lie::Old
        | Lie::IgnoresPrecondition
        | Lie::DropsMarker => false,
    }
}

impl Liar {
    /// Serves one request, or lies, or never answers because the process that asked is no more.
    async fn serve<T>(
        &self,
        call: Call,
        about: String,
        done: impl FnOnce(&mut Stage, Option<Lie>) -> Result<T, ServiceError> + Send,
    ) -> Result<T, ServiceError> {
        let answer = {
            let mut stage = on(&self.0);
            match stage.arrive(call) {
                Turn::Dead => None,
                Turn::Dies(Moment::Before) => {
                    stage.say(format!("    {call:?} {about}: the process dies before it is sent"));
                    None
                }
                Turn::Dies(Moment::After) => {
                    let _ = done(&mut stage, None);
                    stage.say(format!("    {call:?} {about}: done, and the process dies"));
                    None
                }
                Turn::Lying(lie) if refuses(lie) => {
                    stage.say(format!("    {call:?} {about}: {lie:?}"));
                    Some(Err(refusal(lie)))
                }
                Turn::Lying(lie @ Lie::ReplyLost) => {
                    let told = done(&mut stage, None);
                    stage.say(format!("    {call:?} {about}: {}, {lie:?}", outcome(&told)));
                    Some(Err(refusal(lie)))
                }
                Turn::Lying(lie) => {
                    let told = done(&mut stage, Some(lie));
                    stage.say(format!("    {call:?} {about}: {}, {lie:?}", outcome(&told)));
                    Some(told)
                }
                Turn::Honest => {
                    let told = done(&mut stage, None);
                    stage.say(format!("    {call:?} {about}: {}", outcome(&told)));
                    Some(told)
                }
            }
        };
        match answer {
            Some(answer) => answer,
            None => killed().await,
        }
    }

    /// A reading, with the lies that only readings know.
    async fn read<I: Clone, K: Clone>(
        &self,
        call: Call,
        about: String,
        read: impl FnOnce(&mut Stage, Option<Lie>) -> Reading<I, K> + Send,
    ) -> Reading<I, K> {
        let answer = {
            let mut stage = on(&self.0);
            match stage.arrive(call) {
                Turn::Dead => None,
                Turn::Dies(moment) => {
                    stage.say(format!("    {call:?} {about}: the process dies ({moment:?})"));
                    None
                }
                Turn::Lying(lie) if refuses(lie) || lie == Lie::ReplyLost => {
                    stage.say(format!("    {call:?} {about}: {lie:?}"));
                    Some(Reading::Failed(refusal(lie)))
                }
                Turn::Lying(lie) => {
                    let reading = read(&mut stage, Some(lie));
                    let reading = warp(&mut stage, reading, lie);
                    stage.say(format!("    {call:?} {about}: {}, {lie:?}", extent(&reading)));
                    Some(reading)
                }
                Turn::Honest => {
                    let reading = read(&mut stage, None);
                    stage.say(format!("    {call:?} {about}: {}", extent(&reading)));
                    Some(reading)
                }
            }
        };
        match answer {
            Some(answer) => answer,
            None => killed().await,
        }
    }
}

fn outcome<T>(told: &Result<T, ServiceError>) -> String {
    match told {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("{error}"),
    }
}

fn extent<I, K>(reading: &Reading<I, K>) -> String {
    match reading {
        Reading::Snapshot { items, .. } => format!("all {}", items.len()),
        Reading::Delta { changed, removed, .. } => {
            format!("{} changed, {} gone", changed.len(), removed.len())
        }
        Reading::Partial { items, .. } => format!("{} and then no more", items.len()),
        Reading::CursorLost => "cursor lost".to_owned(),
        Reading::Failed(error) => error.to_string(),
    }
}

/// Pages that come twice, or in another order.
fn warp<I: Clone, K: Clone>(stage: &mut Stage, reading: Reading<I, K>, lie: Lie) -> Reading<I, K> {
    let mut change = |items: Vec<I>| match lie {
        Lie::Duplicates => items.iter().chain(&items).cloned().collect(),
        Lie::Reordered => {
            let mut items = items;
            stage.dice.shuffle(&mut items);
            items
        }
        Lie::ReplyLost
        | Lie::Unreachable
        | Lie::RateLimited
        | Lie::Failing
        | Lie::SignInExpired
        | Lie::Rejected
        | Lie::HalfAReading
        | Lie::CursorLost
        | Lie::Old
        | Lie::IgnoresPrecondition
        | Lie::DropsMarker => items,
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
fn reach(stage: &mut Stage, cursor: Option<&Cursor>, lie: Option<Lie>) -> (Option<u64>, u64) {
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

#[async_trait]
impl Account for Liar {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        self.serve(Call::Calendars, String::new(), |stage, _| {
            Ok(stage.world.calendars.values().filter_map(|calendar| calendar.entry.clone()).collect())
        })
        .await
    }

    async fn create_calendar(
        &self,
        name: &str,
        zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        self.serve(Call::CreateCalendar, name.to_owned(), |stage, _| {
            if stage.target().is_some() {
                stage.breaks("a second calendar for bookings is made");
            }
            stage.world.clock += 1;
            let remote = RemoteCalendarId(format!("made-for-{vendor}-{}", stage.world.clock));
            let entry = CalendarEntry {
                remote: remote.clone(),
                name: name.to_owned(),
                time_zone: Some(zone.to_owned()),
                writable: true,
                primary: false,
                ours: true,
            };
            stage.world.writes += 1;
            stage.world.calendars.entry(remote).or_default().entry = Some(entry.clone());
            Ok(entry)
        })
        .await
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(OneCalendar { liar: self.clone(), remote: remote.clone() })
    }
}

struct OneCalendar {
    liar: Liar,
    remote: RemoteCalendarId,
}

impl OneCalendar {
    fn place(&self, id: &RemoteId) -> Place {
        (self.remote.clone(), id.clone())
    }
}

#[async_trait]
impl Calendar for OneCalendar {
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        let from = cursor.map_or_else(|| "from the start".to_owned(), |cursor| format!("from {cursor}"));
        self.liar
            .read(Call::Read, format!("{} {from}", self.remote), |stage, lie| {
                if stage.is_gone(&self.remote) {
                    return Reading::Failed(gone());
                }
                read_events(stage, &self.remote, cursor, since, lie)
            })
            .await
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.liar
            .serve(Call::Create, format!("{} at {}", draft.booking, clock(draft.start)), |stage, lie| {
                if stage.is_gone(&self.remote) {
                    return Err(gone());
                }
                watch_draft(stage, draft);
                let place = self.place(&draft.id);
                if stage.world.calendars.get(&self.remote).is_some_and(|c| c.events.contains_key(&draft.id)) {
                    return Err(ServiceError::Exists { service: "fake".to_owned() });
                }
                let mut event = event_of(draft);
                if lie == Some(Lie::DropsMarker) {
                    event.marker = None;
                    stage.unmarked.insert(draft.booking.clone());
                }
                event.etag = stage.world.put(&self.remote, event.clone());
                stage.ours.insert(place, draft.booking.clone());
                stage.world.writes += 1;
                if stage.standing_for(&draft.booking).len() > 1 {
                    stage.breaks(format!("two events of ours stand for {}", draft.booking));
                }
                Ok(seen(stage, &event))
            })
            .await
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.liar
            .serve(Call::Update, format!("{} to {}", draft.booking, clock(draft.start)), |stage, lie| {
                let place = self.place(id);
                let mut event = standing(stage, &place, base, lie)?;
                watch_draft(stage, draft);
                if let Some(words) = stage.reworded.get(&place)
                    && event.event.summary == *words
                    && !draft.times_only
                    && lie != Some(Lie::IgnoresPrecondition)
                {
                    stage.breaks(format!("her words on the event of {} are written over", draft.booking));
                }
                event.event.start = When::Utc(draft.start);
                event.event.end = End::At(When::Utc(draft.end));
                if !draft.times_only {
                    event.event.summary.clone_from(&draft.title);
                    event.event.description.clone_from(&draft.description);
                }
                event.etag = stage.world.put(&self.remote, event.clone());
                stage.world.writes += 1;
                Ok(seen(stage, &event))
            })
            .await
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        self.liar
            .serve(Call::Delete, id.to_string(), |stage, lie| {
                let place = self.place(id);
                standing(stage, &place, base, lie)?;
                let booking = stage.ours.get(&place).cloned();
                let told = booking.as_ref().and_then(|id| stage.told().bookings.get(id).cloned());
                let may_go = told.is_some_and(|booking| match booking.status {
                    BookingStatus::Cancelled | BookingStatus::NoShow => true,
                    BookingStatus::Pending
                    | BookingStatus::Confirmed
                    | BookingStatus::Completed
                    | BookingStatus::Other(_) => false,
                });
                if !may_go {
                    stage.breaks(format!("the event of {booking:?} is deleted, and nobody cancelled it"));
                }
                stage.reworded.remove(&place);
                stage.world.delete(&self.remote, id);
                stage.world.writes += 1;
                Ok(())
            })
            .await
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        self.liar
            .serve(Call::Probe, id.to_string(), |stage, _| {
                // As the real ones do: an event of a calendar that is not to be found is not found either.
                if stage.is_gone(&self.remote) {
                    return Ok(Probe::Absent);
                }
                let found = stage.world.calendars.get(&self.remote).and_then(|c| c.events.get(id)).cloned();
                Ok(match found {
                    Some((_, Some(event))) => Probe::Live(seen(stage, &event)),
                    Some((_, None)) => Probe::Burnt,
                    None => Probe::Absent,
                })
            })
            .await
    }
}

fn seen(stage: &mut Stage, event: &RemoteEvent) -> RemoteEvent {
    stage.told().versions.insert(event.etag.clone());
    event.clone()
}

/// The event that a write is about, if its precondition holds.
fn standing(
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
    if event.etag != *base {
        return Err(ServiceError::Stale { service: "fake".to_owned() });
    }
    if !stage.told().versions.contains(&event.etag) {
        stage.breaks(format!("a version of {} that this device never saw is written over", place.1));
    }
    Ok(event)
}

/// What is written is what this device was told of the booking.
fn watch_draft(stage: &mut Stage, draft: &Draft) {
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

fn ends_after(stage: &Stage, place: &Place, event: &RemoteEvent, since: Timestamp) -> bool {
    match stage.hers.get(place) {
        Some(hers) => hers.spans.iter().any(|span| span.end() > since),
        None => times(event).is_none_or(|(_, end)| end > since),
    }
}

fn read_events(
    stage: &mut Stage,
    remote: &RemoteCalendarId,
    cursor: Option<&Cursor>,
    since: Timestamp,
    lie: Option<Lie>,
) -> Reading<RemoteEvent, RemoteId> {
    if lie == Some(Lie::CursorLost) && cursor.is_some() {
        return Reading::CursorLost;
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
    }
    let next = Cursor(upto.to_string());
    match after {
        Some(_) => Reading::Delta { changed, removed, cursor: next },
        None => {
            Reading::Snapshot { items: changed, coverage: Coverage::EndingAfter(since), cursor: Some(next) }
        }
    }
}

#[async_trait]
impl Platform for Liar {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.serve(Call::Slots, String::new(), |stage, _| {
            Ok(stage.world.slots.values().filter(|slot| slot.span.overlaps(&window)).cloned().collect())
        })
        .await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        let times: Vec<Interval> = slots.iter().map(|slot| slot.span).collect();
        self.serve(Call::CreateSlots, spans(&times), |stage, _| {
            stage.world.writes += 1;
            Ok(slots.iter().map(|slot| make_slot(stage, slot)).collect())
        })
        .await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.serve(Call::RemoveSlot, spans(&[slot.span]), |stage, _| {
            match stage.world.slots.get(&slot.id) {
                None => return Err(gone()),
                Some(there) if there.open != slot.open || there.span != slot.span => {
                    return Err(ServiceError::Stale { service: "fake".to_owned() });
                }
                Some(_) => {}
            }
            stage.world.writes += 1;
            stage.world.slots.remove(&slot.id);
            Ok(())
        })
        .await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let from = cursor.map_or_else(|| "from the start".to_owned(), |cursor| format!("from {cursor}"));
        self.read(Call::Bookings, from, |stage, lie| {
            if lie == Some(Lie::CursorLost) && cursor.is_some() {
                return Reading::CursorLost;
            }
            let (after, upto) = reach(stage, cursor, lie);
            let mut items: Vec<Booking> = stage
                .world
                .bookings
                .values()
                .filter(|(at, _)| after.is_none_or(|after| *at > after && *at <= upto))
                .map(|(_, booking)| booking.clone())
                .collect();
            let half = lie == Some(Lie::HalfAReading);
            if half {
                items.truncate(items.len() / 2);
            }
            for booking in &items {
                stage.told().bookings.insert(booking.id.clone(), booking.clone());
            }
            let next = Cursor(upto.to_string());
            match after {
                _ if half => Reading::Partial { items, reason: refusal(Lie::HalfAReading) },
                Some(_) => Reading::Delta { changed: items, removed: Vec::new(), cursor: next },
                None => Reading::Snapshot { items, coverage: Coverage::Everything, cursor: Some(next) },
            }
        })
        .await
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.serve(Call::MoveBooking, format!("{booking} {}", spans(&[to])), |stage, _| {
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let slot = stage.world.slots.values_mut().find(|slot| slot.open && slot.span == to);
            let (Some(slot), Some(row)) = (slot, stage.booked.get(booking).cloned()) else {
                stage.keys.remove(key);
                return Err(refusal(Lie::Rejected));
            };
            slot.open = false;
            stage.world.writes += 1;
            write_booking(stage, Booking { start: to.start(), end: to.end(), ..row });
            Ok(())
        })
        .await
    }

    async fn cancel_booking(&self, booking: &BookingId, _: &str, key: &str) -> Result<(), ServiceError> {
        self.serve(Call::CancelBooking, booking.to_string(), |stage, _| {
            if !stage.keys.insert(key.to_owned()) {
                return Ok(());
            }
            let Some(row) = stage.booked.get(booking).cloned() else {
                return Err(refusal(Lie::Rejected));
            };
            stage.world.writes += 1;
            write_booking(stage, Booking { status: BookingStatus::Cancelled, ..row });
            Ok(())
        })
        .await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        self.serve(Call::PutBusy, format!("{} {}", set.source, spans(&set.intervals)), |stage, _| {
            watch_busy(stage, set);
            stage.world.writes += 1;
            stage.world.busy.insert(set.source.clone(), set.clone());
            close_under_busy(stage);
            Ok(BusyReceipt::default())
        })
        .await
    }
}

/// What is sent blocks all that this device was told of the calendar.
fn watch_busy(stage: &mut Stage, set: &BusySet) {
    let remotes: Vec<RemoteCalendarId> = stage.world.calendars.keys().cloned().collect();
    for remote in remotes {
        if CalendarId::of(&connection(), &remote) != set.source {
            continue;
        }
        let Some(told) = stage.told().hers.get(&remote).cloned() else { continue };
        let least = stage.clipped(told.into_values().flatten());
        if !covers(&set.intervals, &least) {
            stage.breaks(format!(
                "{} is published, and {} is known to be busy",
                spans(&set.intervals),
                spans(&least)
            ));
        }
    }
}

/// As the platform's constraints have it: one slot per exact time, and open ones never overlap.
fn make_slot(stage: &mut Stage, slot: &Slot) -> SlotMade {
    let slots = &stage.world.slots;
    if slots.contains_key(&slot.id) {
        return SlotMade::Stands;
    }
    if slots.values().any(|other| other.span == slot.span) {
        return SlotMade::Taken;
    }
    if slots.values().any(|other| other.open && other.span.overlaps(&slot.span)) {
        return SlotMade::Overlaps;
    }
    let over = stage.told().bookings.values().find(|booking| {
        let takes = match booking.status {
            BookingStatus::Pending | BookingStatus::Confirmed | BookingStatus::Other(_) => true,
            BookingStatus::Completed | BookingStatus::Cancelled | BookingStatus::NoShow => false,
        };
        takes && Interval::new(booking.start, booking.end).is_some_and(|b| b.overlaps(&slot.span))
    });
    if let Some(id) = over.map(|booking| booking.id.clone()) {
        stage.breaks(format!("a slot is made over {id}"));
    }
    stage.world.slots.insert(slot.id.clone(), slot.clone());
    SlotMade::Stands
}

/// As the platform does with every busy set: open slots under busy time close, and open again after it.
fn close_under_busy(stage: &mut Stage) {
    let busy: Vec<Interval> =
        stage.world.busy.values().flat_map(|set| set.intervals.iter().copied()).collect();
    let booked: Vec<Interval> = stage
        .booked
        .values()
        .filter(|booking| booking.status != BookingStatus::Cancelled)
        .filter_map(|booking| Interval::new(booking.start, booking.end))
        .collect();
    let ids: Vec<_> = stage.world.slots.keys().cloned().collect();
    for id in ids {
        let Some(slot) = stage.world.slots.get(&id).cloned() else { continue };
        let under = busy.iter().any(|busy| busy.overlaps(&slot.span));
        let others = stage.world.slots.values().any(|o| o.open && o.id != id && o.span.overlaps(&slot.span));
        let open = if slot.open && under {
            stage.world.closed_by_busy.insert(id.clone());
            false
        } else if !under && !others && stage.world.closed_by_busy.remove(&id) && !booked.contains(&slot.span)
        {
            true
        } else {
            slot.open
        };
        stage.world.slots.insert(id, Slot { open, ..slot });
    }
}
