//! What customers and the vendor do, at any moment, as the dice fall.

use calendar::event::{End, Uid, When};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus};
use sync::ids::{BookingId, RemoteCalendarId, RemoteId, SlotId};
use sync::plan::WORDS;
use sync::ports::Slot;
use sync::proposal::{Ending, Proposal};

use super::stage::{Hers, Place, Stage, calendar_words, clock};
use crate::service::event;
use crate::world::NOON;

#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Book,
    Reschedule,
    Cancel,
    CancelMany,
    Return,
    Word,
    Rename,
    Add,
    AddSeries,
    /// Over a booking. Only in a scene.
    AddOver,
    MoveHers,
    DeleteHers,
    SkipOne,
    MoveOurs,
    DeleteOurs,
    RewordOurs,
    CopyOurs,
    PutBack,
    TakeBack,
    Answer,
}

pub const DEEDS: [(u32, Deed); 19] = [
    (9, Deed::Book),
    (5, Deed::Reschedule),
    (4, Deed::Cancel),
    (3, Deed::CancelMany),
    (3, Deed::Return),
    (2, Deed::Word),
    (2, Deed::Rename),
    (4, Deed::Add),
    (2, Deed::AddSeries),
    (3, Deed::MoveHers),
    (3, Deed::DeleteHers),
    (1, Deed::SkipOne),
    (4, Deed::MoveOurs),
    (3, Deed::DeleteOurs),
    (3, Deed::RewordOurs),
    (2, Deed::CopyOurs),
    (1, Deed::PutBack),
    (2, Deed::TakeBack),
    (4, Deed::Answer),
];

/// Somebody does something.
pub fn somebody(stage: &mut Stage) {
    let deed = stage.dice.weighed(&DEEDS);
    does(stage, deed);
}

pub fn does(stage: &mut Stage, deed: Deed) {
    stage.counts(format!("deed {deed:?}"));
    match deed {
        Deed::Book => book(stage),
        Deed::Reschedule => reschedule(stage),
        Deed::Cancel => set_status(stage, BookingStatus::Cancelled),
        Deed::CancelMany => cancel_many(stage),
        Deed::Return => come_back(stage),
        Deed::Word => {
            let word = stage.dice.below(4);
            let status = match word {
                0 => BookingStatus::Pending,
                1 => BookingStatus::Completed,
                2 => BookingStatus::NoShow,
                _ => BookingStatus::Other("on_hold".to_owned()),
            };
            set_status(stage, status);
        }
        Deed::Rename => rename(stage),
        Deed::Add => add(stage, 1),
        Deed::AddSeries => add(stage, 3),
        Deed::AddOver => add_over(stage),
        Deed::MoveHers => move_hers(stage),
        Deed::DeleteHers => delete_hers(stage),
        Deed::SkipOne => skip_one(stage),
        Deed::MoveOurs => move_ours(stage),
        Deed::DeleteOurs => delete_ours(stage),
        Deed::RewordOurs => reword_ours(stage),
        Deed::CopyOurs => copy_ours(stage),
        Deed::PutBack => put_back(stage),
        Deed::TakeBack => take_back(stage),
        Deed::Answer => answer(stage),
    }
}

/// She lays her hand on the very event that is being written.
pub fn touch(stage: &mut Stage, place: &Place) {
    let Some(booking) = stage.ours.get(place).cloned().filter(|_| stage.event(place).is_some()) else {
        return;
    };
    match stage.dice.below(4) {
        0 | 1 => move_this(stage, place, &booking),
        2 => reword_this(stage, place, &booking),
        _ => delete_this(stage, place, &booking),
    }
}

/// A full hour within three weeks of the first noon, so that times meet.
pub fn some_hour(stage: &mut Stage) -> Timestamp {
    let hours = stage.dice.between(6, 400);
    let noon: Timestamp = NOON.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    noon.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(noon)
}

#[must_use]
pub fn after(at: Timestamp, hours: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(at)
}

/// One hour in every seven is hers to be booked.
pub fn offers_hours(stage: &mut Stage) {
    let first = stage.now;
    let hours = (0..56).map(|n| after(first, 10 + 7 * n));
    for span in hours.filter_map(|start| Interval::new(start, after(start, 1))) {
        let id = SlotId(stage.name("slot"));
        stage.made_by_her.insert(id.clone());
        stage.world.slots.insert(id.clone(), Slot { id, span, open: true });
    }
}

fn some_booking(stage: &mut Stage) -> Option<BookingId> {
    let all: Vec<&BookingId> = stage.booked.keys().collect();
    let at = stage.dice.below(all.len());
    stage.booked.keys().nth(at).cloned()
}

pub fn write_booking(stage: &mut Stage, booking: Booking) {
    stage.world.clock += 1;
    let at = stage.world.clock;
    let booking = Booking { proposal: stands_on(stage, &booking), ..booking };
    stage.past.had.entry(booking.id.clone()).or_default().insert((booking.start, booking.end));
    takes_its_slot(stage, &booking);
    if is_over(&booking.status) {
        stage.past.deleted_by_her.remove(&booking.id);
    }
    stage.past.last_booking = stage.booked.insert(booking.id.clone(), booking.clone());
    stage.world.bookings.insert(booking.id.clone(), (at, booking));
}

/// As today's platform has it: the slot of exactly its time is the booking's, and open again once it is cancelled or moved.
fn takes_its_slot(stage: &mut Stage, booking: &Booking) {
    if !stage.leaves_slots {
        return;
    }
    let before = stage.booked.get(&booking.id).map(|before| (before.start, before.end));
    let now = Some((booking.start, booking.end));
    if let Some(before) = before.filter(|_| before != now) {
        switch_at(stage, before, true);
    }
    switch_at(stage, (booking.start, booking.end), is_over(&booking.status));
}

fn switch_at(stage: &mut Stage, (start, end): (Timestamp, Timestamp), open: bool) {
    let slots = &stage.world.slots;
    let span = Interval::new(start, end);
    let Some(slot) = slots.values().find(|slot| Some(slot.span) == span).cloned() else { return };
    let is_over_it = |other: &Slot| other.open && other.id != slot.id && other.span.overlaps(&slot.span);
    let open = open && !slots.values().any(is_over_it);
    stage.closed_by_us.remove(&slot.id);
    stage.world.slots.insert(slot.id.clone(), Slot { open, ..slot });
}

/// As the platform has it: a proposal is over with the time that it was made for, and with the booking.
fn stands_on(stage: &Stage, booking: &Booking) -> Proposal {
    let same = |before: &Booking| (before.start, before.end) == (booking.start, booking.end);
    let before = stage.booked.get(&booking.id);
    let stands = is_live(booking) && before.is_some_and(|before| same(before) && is_live(before));
    if stands { booking.proposal.clone() } else { Proposal::Possible }
}

#[must_use]
pub fn is_live(booking: &Booking) -> bool {
    matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed)
}

/// A customer who was asked for another time comes then, does not, or says nothing for too long.
fn answer(stage: &mut Stage) {
    let asked: Vec<Booking> =
        stage.booked.values().filter(|booking| booking.proposal.waiting().is_some()).cloned().collect();
    let at = stage.dice.below(asked.len());
    let Some(booking) = asked.into_iter().nth(at) else { return };
    let Some((id, to)) = booking.proposal.waiting() else { return };
    let how = match stage.dice.below(4) {
        0 | 1 => {
            stage.say(format!("the customer of {} comes {} as she asked", booking.id, clock(to.start())));
            // As with every booking, the slot of exactly that time is taken.
            for slot in stage.world.slots.values_mut().filter(|slot| slot.span == to) {
                slot.open = false;
            }
            return write_booking(stage, Booking { start: to.start(), end: to.end(), ..booking });
        }
        2 => Ending::Declined,
        _ => Ending::Lapsed,
    };
    stage.say(format!("the customer of {} does not come {}: {how:?}", booking.id, clock(to.start())));
    let over = Proposal::Over { id: id.clone(), to, how };
    write_booking(stage, Booking { proposal: over, ..booking });
}

#[must_use]
pub fn is_over(status: &BookingStatus) -> bool {
    match status {
        BookingStatus::Cancelled | BookingStatus::NoShow => true,
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => false,
    }
}

fn book(stage: &mut Stage) {
    if stage.booked.len() >= 7 {
        return reschedule(stage);
    }
    let id = BookingId(stage.name("b"));
    let start = some_hour(stage);
    let status = if stage.dice.per_mille(300) { BookingStatus::Pending } else { BookingStatus::Confirmed };
    stage.say(format!("a customer books {id}, {}", clock(start)));
    let booking = Booking {
        id,
        vendor: "vendor-1".into(),
        status,
        start,
        end: after(start, 1),
        service_name: Some("Haircut".to_owned()),
        customer_name: Some("Nadia Roy".to_owned()),
        customer_email: None,
        notes: None,
        proposal: Proposal::Possible,
        updated_at: start.to_string(),
    };
    write_booking(stage, booking);
}

fn reschedule(stage: &mut Stage) {
    let Some(id) = some_booking(stage) else { return };
    let start = some_hour(stage);
    stage.say(format!("the customer of {id} takes {} instead", clock(start)));
    let booking = Booking { start, end: after(start, 1), ..stage.booked[&id].clone() };
    write_booking(stage, booking);
}

/// The customer whose booking was just being written changes it once more.
pub fn thinks_better(stage: &mut Stage, id: &BookingId) {
    let Some(booking) = stage.booked.get(id).cloned() else { return };
    let start = some_hour(stage);
    stage.say(format!("the customer of {id} takes {} after all", clock(start)));
    let status = if is_over(&booking.status) { BookingStatus::Confirmed } else { booking.status };
    write_booking(stage, Booking { start, end: after(start, 1), status, ..booking });
}

fn set_status(stage: &mut Stage, status: BookingStatus) {
    let Some(id) = some_booking(stage) else { return };
    stage.say(format!("{id} is {} now", status.as_str()));
    let booking = Booking { status, ..stage.booked[&id].clone() };
    write_booking(stage, booking);
}

/// A bad day: most that is booked is cancelled at once.
fn cancel_many(stage: &mut Stage) {
    let standing = stage.booked.values().filter(|booking| booking.status != BookingStatus::Cancelled);
    let all: Vec<Booking> = standing.cloned().collect();
    stage.say(format!("{} bookings are cancelled at once", all.len()));
    for booking in all {
        write_booking(stage, Booking { status: BookingStatus::Cancelled, ..booking });
    }
}

/// Somebody who had cancelled is back.
fn come_back(stage: &mut Stage) {
    let cancelled = |booking: &&Booking| booking.status == BookingStatus::Cancelled;
    let all: Vec<Booking> = stage.booked.values().filter(cancelled).cloned().collect();
    let at = stage.dice.below(all.len());
    let Some(booking) = all.into_iter().nth(at) else { return };
    stage.say(format!("{} is confirmed again", booking.id));
    write_booking(stage, Booking { status: BookingStatus::Confirmed, ..booking });
}

/// The booking is for another service now, so its event has another title.
fn rename(stage: &mut Stage) {
    let Some(id) = some_booking(stage) else { return };
    let service = stage.name("Colour ");
    stage.say(format!("{id} is for \"{service}\" now"));
    let booking = Booking { service_name: Some(service), ..stage.booked[&id].clone() };
    write_booking(stage, booking);
}

/// Whoever did something last takes it back at once.
fn take_back(stage: &mut Stage) {
    if let Some((place, before)) = stage.past.last_hers.take() {
        stage.say(format!("she takes back what she did to {}", place.1));
        match before {
            Some(hers) => put_hers(stage, place.0, hers),
            None if stage.hers.remove(&place).is_some() => stage.world.delete(&place.0, &place.1),
            None => {}
        }
        stage.past.last_hers = None;
    } else if let Some(before) =
        stage.past.last_booking.take().filter(|before| before.proposal == Proposal::Possible)
    {
        stage.say(format!("{} is as it was before, {}", before.id, clock(before.start)));
        write_booking(stage, before);
    }
}

fn some_calendar(stage: &mut Stage) -> RemoteCalendarId {
    let target = stage.target().filter(|_| stage.dice.per_mille(250));
    target.unwrap_or_else(|| RemoteCalendarId("personal".to_owned()))
}

/// So many days in a row, one of them if it is 1.
fn add(stage: &mut Stage, days: i64) {
    if stage.hers.len() >= 8 {
        return delete_hers(stage);
    }
    let calendar = some_calendar(stage);
    let id = stage.name("hers");
    let start = some_hour(stage);
    let length = stage.dice.between(1, 3);
    let mut made = event(&id, start, after(start, length));
    if days > 1 {
        made.event.recurrence.rules.push(format!("FREQ=DAILY;COUNT={days}"));
    }
    let spans =
        (0..days).filter_map(|day| Interval::new(after(start, day * 24), after(start, day * 24 + length)));
    let spans = spans.collect();
    let (place, at) = (calendar_words(&calendar), clock(start));
    stage.say(format!("she adds {id} to {place}, {at} for {length} h, {days} days"));
    put_hers(stage, calendar, Hers { event: made, spans });
}

/// Something of hers comes up where a customer is to come.
fn add_over(stage: &mut Stage) {
    let calendar = some_calendar(stage);
    let Some(booking) = some_booking(stage).map(|id| stage.booked[&id].clone()) else { return };
    let Some(span) = Interval::new(booking.start, booking.end) else { return };
    let id = stage.name("hers");
    stage.say(format!("she adds {id} to {} over {}", calendar_words(&calendar), booking.id));
    let made = event(&id, booking.start, booking.end);
    put_hers(stage, calendar, Hers { event: made, spans: vec![span] });
}

fn put_hers(stage: &mut Stage, calendar: RemoteCalendarId, hers: Hers) {
    stage.world.put(&calendar, hers.event.clone());
    let place = (calendar, hers.event.id.clone());
    let before = stage.hers.insert(place.clone(), hers);
    stage.past.last_hers = Some((place, before));
}

fn some_of_hers(stage: &mut Stage) -> Option<(Place, Hers)> {
    let at = stage.dice.below(stage.hers.len());
    stage.hers.iter().nth(at).map(|(place, hers)| (place.clone(), hers.clone()))
}

fn move_hers(stage: &mut Stage) {
    let Some((place, mut hers)) = some_of_hers(stage) else { return };
    if !hers.event.event.recurrence.rules.is_empty() {
        return;
    }
    let start = some_hour(stage);
    let end = after(start, 2);
    hers.event.event.start = When::Utc(start);
    hers.event.event.end = End::At(When::Utc(end));
    hers.spans = Interval::new(start, end).into_iter().collect();
    stage.say(format!("she moves {} to {}", place.1, clock(start)));
    put_hers(stage, place.0, hers);
}

fn delete_hers(stage: &mut Stage) {
    let Some((place, _)) = some_of_hers(stage) else { return };
    stage.say(format!("she deletes {}", place.1));
    stage.hers.remove(&place);
    // An id that was deleted is burnt: only what stands can be taken back.
    stage.past.last_hers = None;
    stage.world.delete(&place.0, &place.1);
}

/// One day of a series of hers is left out.
fn skip_one(stage: &mut Stage) {
    let Some((place, mut hers)) = some_of_hers(stage) else { return };
    if hers.spans.len() < 2 || hers.event.event.recurrence.rules.is_empty() {
        return;
    }
    let skipped = hers.spans.remove(1);
    hers.event.event.recurrence.except_dates.push(When::Utc(skipped.start()));
    stage.say(format!("she leaves out {} of {}", clock(skipped.start()), place.1));
    put_hers(stage, place.0, hers);
}

fn some_of_ours(stage: &mut Stage) -> Option<(Place, BookingId)> {
    let all: Vec<(Place, BookingId)> =
        stage.standing().map(|(place, booking, _)| (place.clone(), booking.clone())).collect();
    let at = stage.dice.below(all.len());
    all.get(at).cloned()
}

fn edit_ours(stage: &mut Stage, place: &Place, change: impl FnOnce(&mut sync::ports::RemoteEvent)) {
    if let Some(mut event) = stage.event(place).cloned() {
        change(&mut event);
        stage.world.put(&place.0, event);
    }
}

fn move_ours(stage: &mut Stage) {
    if let Some((place, booking)) = some_of_ours(stage) {
        move_this(stage, &place, &booking);
    }
}

fn move_this(stage: &mut Stage, place: &Place, booking: &BookingId) {
    let start = some_hour(stage);
    stage.say(format!("she moves the event of {booking} to {}", clock(start)));
    stage.past.touched.insert(booking.clone());
    stage.past.moved_to.entry(booking.clone()).or_default().insert((start, after(start, 1)));
    edit_ours(stage, place, |event| {
        event.event.start = When::Utc(start);
        event.event.end = End::At(When::Utc(after(start, 1)));
    });
}

fn put_back(stage: &mut Stage) {
    let Some((place, booking)) = some_of_ours(stage) else { return };
    let Some((start, end)) = stage.booked.get(&booking).map(|booking| (booking.start, booking.end)) else {
        return;
    };
    stage.past.touched.insert(booking.clone());
    stage.say(format!("she puts the event of {booking} where it is booked, {}", clock(start)));
    edit_ours(stage, &place, |event| {
        event.event.start = When::Utc(start);
        event.event.end = End::At(When::Utc(end));
    });
    // A run that was disturbed while it did the same may have left it so: nobody can tell whose doing this is.
    let was_doing_so =
        stage.runs.iter().any(|run| run.disturbed && run.last_written.as_ref() == Some(&booking));
    let version = stage.event(&place).map(|event| event.etag.clone());
    stage.past.by_us.extend(version.filter(|_| was_doing_so));
}

fn delete_ours(stage: &mut Stage) {
    if let Some((place, booking)) = some_of_ours(stage) {
        delete_this(stage, &place, &booking);
    }
}

fn delete_this(stage: &mut Stage, place: &Place, booking: &BookingId) {
    stage.say(format!("she deletes the event of {booking}"));
    stage.past.touched.insert(booking.clone());
    let stands = stage.booked.get(booking).is_some_and(|row| !is_over(&row.status));
    // Where a computer still takes the booking for over, its event is gone as it should be.
    let taken_for_over = stage.told.values().filter_map(|told| told.bookings.get(booking));
    let stands = stands && taken_for_over.map(|row| is_over(&row.status)).all(|over| !over);
    // One that no device wrote down was never there for any.
    let known = stage.past.remembered.contains(&place.1);
    if stands && known && !stage.past.leaving.contains(booking) {
        stage.past.deleted_by_her.insert(booking.clone());
    }
    stage.reworded.remove(place);
    stage.world.delete(&place.0, &place.1);
}

fn reword_ours(stage: &mut Stage) {
    if let Some((place, booking)) = some_of_ours(stage) {
        reword_this(stage, &place, &booking);
    }
}

fn reword_this(stage: &mut Stage, place: &Place, booking: &BookingId) {
    let words = stage.name("her words ");
    stage.say(format!("she calls the event of {booking} \"{words}\""));
    stage.reworded.insert(place.clone(), words.clone());
    // What she decided was about other words.
    stage.given.retain(|_, given| given.booking != *booking || given.topic != WORDS);
    edit_ours(stage, place, |event| event.event.summary = words);
}

fn copy_ours(stage: &mut Stage) {
    let Some((place, booking)) = some_of_ours(stage) else { return };
    if stage.hers.len() >= 8 {
        return;
    }
    let Some(mut copy) = stage.event(&place).cloned() else { return };
    let start = some_hour(stage);
    let end = after(start, 1);
    copy.id = RemoteId(stage.name("copy"));
    if copy.marker.is_none() {
        // Under our UID it would be neither hers nor ours, and block nothing.
        copy.event.uid = Uid(format!("{}@elsewhere", copy.id));
    }
    copy.event.start = When::Utc(start);
    copy.event.end = End::At(When::Utc(end));
    stage.say(format!("she copies the event of {booking} as {} to {}", copy.id, clock(start)));
    let spans = Interval::new(start, end).into_iter().collect();
    put_hers(stage, place.0, Hers { event: copy, spans });
}
