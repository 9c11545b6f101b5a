//! What customers and the vendor do, at any moment, as the dice fall.

use calendar::event::{End, Uid, When};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus};
use sync::ids::{BookingId, RemoteCalendarId, RemoteId};

use super::stage::{Hers, Place, Stage, clock};
use crate::service::event;
use crate::world::NOON;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Book,
    Reschedule,
    Cancel,
    Return,
    Word,
    Add,
    AddSeries,
    MoveHers,
    DeleteHers,
    SkipOne,
    MoveOurs,
    DeleteOurs,
    RewordOurs,
    CopyOurs,
    PutBack,
}

const DEEDS: [(u32, Deed); 15] = [
    (6, Deed::Book),
    (5, Deed::Reschedule),
    (4, Deed::Cancel),
    (2, Deed::Return),
    (2, Deed::Word),
    (4, Deed::Add),
    (2, Deed::AddSeries),
    (3, Deed::MoveHers),
    (3, Deed::DeleteHers),
    (1, Deed::SkipOne),
    (3, Deed::MoveOurs),
    (2, Deed::DeleteOurs),
    (3, Deed::RewordOurs),
    (2, Deed::CopyOurs),
    (1, Deed::PutBack),
];

/// Somebody does something.
pub fn somebody(stage: &mut Stage) {
    match stage.dice.weighed(&DEEDS) {
        Deed::Book => book(stage),
        Deed::Reschedule => reschedule(stage),
        Deed::Cancel => set_status(stage, BookingStatus::Cancelled),
        Deed::Return => set_status(stage, BookingStatus::Confirmed),
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
        Deed::Add => add(stage, 1),
        Deed::AddSeries => add(stage, 3),
        Deed::MoveHers => move_hers(stage),
        Deed::DeleteHers => delete_hers(stage),
        Deed::SkipOne => skip_one(stage),
        Deed::MoveOurs => move_ours(stage),
        Deed::DeleteOurs => delete_ours(stage),
        Deed::RewordOurs => reword_ours(stage),
        Deed::CopyOurs => copy_ours(stage),
        Deed::PutBack => put_back(stage),
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

fn some_booking(stage: &mut Stage) -> Option<BookingId> {
    let all: Vec<&BookingId> = stage.booked.keys().collect();
    let at = stage.dice.below(all.len());
    stage.booked.keys().nth(at).cloned()
}

pub fn write_booking(stage: &mut Stage, booking: Booking) {
    stage.world.clock += 1;
    let at = stage.world.clock;
    stage.booked.insert(booking.id.clone(), booking.clone());
    stage.world.bookings.insert(booking.id.clone(), (at, booking));
}

fn book(stage: &mut Stage) {
    if stage.booked.len() >= 6 {
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

fn set_status(stage: &mut Stage, status: BookingStatus) {
    let Some(id) = some_booking(stage) else { return };
    stage.say(format!("{id} is {} now", status.as_str()));
    let booking = Booking { status, ..stage.booked[&id].clone() };
    write_booking(stage, booking);
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
    stage.say(format!("she adds {id} to {calendar}, {} for {length} h, {days} days", clock(start)));
    put_hers(stage, calendar, Hers { event: made, spans });
}

fn put_hers(stage: &mut Stage, calendar: RemoteCalendarId, hers: Hers) {
    stage.world.put(&calendar, hers.event.clone());
    stage.hers.insert((calendar, hers.event.id.clone()), hers);
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
    let Some((place, booking)) = some_of_ours(stage) else { return };
    let start = some_hour(stage);
    stage.say(format!("she moves the event of {booking} to {}", clock(start)));
    edit_ours(stage, &place, |event| {
        event.event.start = When::Utc(start);
        event.event.end = End::At(When::Utc(after(start, 1)));
    });
}

fn put_back(stage: &mut Stage) {
    let Some((place, booking)) = some_of_ours(stage) else { return };
    let Some((start, end)) = stage.booked.get(&booking).map(|booking| (booking.start, booking.end)) else {
        return;
    };
    stage.say(format!("she puts the event of {booking} where it is booked, {}", clock(start)));
    edit_ours(stage, &place, |event| {
        event.event.start = When::Utc(start);
        event.event.end = End::At(When::Utc(end));
    });
}

fn delete_ours(stage: &mut Stage) {
    let Some((place, booking)) = some_of_ours(stage) else { return };
    stage.say(format!("she deletes the event of {booking}"));
    stage.reworded.remove(&place);
    stage.world.delete(&place.0, &place.1);
}

fn reword_ours(stage: &mut Stage) {
    let Some((place, booking)) = some_of_ours(stage) else { return };
    let words = stage.name("her words ");
    stage.say(format!("she calls the event of {booking} \"{words}\""));
    stage.reworded.insert(place.clone(), words.clone());
    edit_ours(stage, &place, |event| event.event.summary = words);
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
