//! The few sentences the engine itself must say about a card. English; the window has its own table of words.

use calendar::event::{Event, When};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::busy_set::vendor_zone;
use crate::decide::Question;
use crate::import::OnConflict;
use crate::import::{ConflictKind, ImportedSlot};
use crate::plan::Card;
use crate::world::{Choice, World};

/// One sentence: what happened to which booking, in her own time zone.
#[must_use]
pub fn card_summary(world: &World, card: &Card) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let booking = world.bookings.get(&card.booking);
    let what = booking.and_then(|booking| booking.service_name.as_deref()).unwrap_or("Booking");
    let who = booking
        .and_then(|booking| booking.customer_name.as_deref())
        .map_or_else(String::new, |name| format!(" for {name}"));
    let booked = card.booked.map_or_else(String::new, |(start, _)| clock(start, &zone));
    let found = card.found.map_or_else(|| "another time".to_owned(), |(start, _)| clock(start, &zone));
    match card.question {
        Question::Moved => format!("{what}{who} is booked for {booked}, but its event was moved to {found}."),
        Question::Deleted => format!("{what}{who} is booked for {booked}, but its event was deleted."),
        Question::MovedBoth => {
            format!("{what}{who} is now booked for {booked}, and its event was moved to {found} meanwhile.")
        }
        Question::MovedCancelled => {
            format!("{what}{who} was cancelled, but its event was moved to {found} and is still there.")
        }
        Question::Held if booking.is_some() => {
            format!("{what}{who} for {booked} was cancelled; its event is still there.")
        }
        Question::Held => {
            format!("A booking is gone from Bookiji; its event on {found} is still there.")
        }
    }
}

/// One sentence: what she is invited to, and that its time is held.
#[must_use]
pub fn invitation_summary(world: &World, event: &Event) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let what = if event.summary.is_empty() { "An event without a title" } else { &event.summary };
    let when = match &event.start {
        When::Utc(at) => clock(*at, &zone),
        When::Zoned { wall, zone: own } => own
            .time_zone()
            .and_then(|own| own.to_ambiguous_timestamp(*wall).compatible().ok())
            .map_or_else(|| wall.to_string(), |at| clock(at, &zone)),
        When::Floating(wall) => wall.strftime("%a %-d %b, %H:%M").to_string(),
        When::Date(date) => date.strftime("%a %-d %b").to_string(),
    };
    let repeats = if event.repeats() { ", and again" } else { "" };
    format!("{what} invites you on {when}{repeats}. The time is held until you answer.")
}

/// One sentence: which free time meets which slots.
#[must_use]
pub fn conflict_summary(world: &World, rows: &[&ImportedSlot]) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let Some(row) = rows.first() else { return String::new() };
    let what = if row.summary.is_empty() { "A free time" } else { &row.summary };
    let met = row.conflicts.first().map_or_else(String::new, |met| {
        let closed = if met.kind == ConflictKind::Closed { "a closed slot" } else { "a slot" };
        format!(" meets {closed} of yours at {}", clock(met.with.start, &zone))
    });
    let more = match rows.len() {
        1 => String::new(),
        more => format!(" (and {} more times)", more - 1),
    };
    format!("{what} on {}{met}{more}.", clock(row.span.start(), &zone))
}

/// What many removals at once would come to.
#[must_use]
pub fn held_summary(world: &World, held: &[&Card]) -> String {
    let standing = world.mappings.values().filter(|row| crate::decide::stands(row)).count();
    format!(
        "{} of {standing} booking events would be removed at once, because their bookings are cancelled or gone from \
         Bookiji. That is unusual, so they are kept until you decide.",
        held.len()
    )
}

#[must_use]
pub fn held_outcome(count: usize, choice: Choice) -> String {
    match choice {
        Choice::Remove => format!("Remove all {count} events."),
        Choice::Leave | Choice::Move | Choice::Cancel | Choice::PutBack => {
            format!("Keep all {count} events.")
        }
    }
}

/// What an answer comes to, with its times.
#[must_use]
pub fn card_outcome(world: &World, card: &Card, choice: Choice) -> String {
    let zone = vendor_zone(world.vendor.as_ref());
    let who = world.bookings.get(&card.booking).and_then(|booking| booking.customer_name.as_deref());
    let who = who.unwrap_or("the customer");
    let booked = card.booked.map_or_else(|| "its time".to_owned(), |(start, _)| clock(start, &zone));
    let found = card.found.map_or_else(|| "its new time".to_owned(), |(start, _)| clock(start, &zone));
    match choice {
        Choice::Move => format!("Move {who} to {found}, and tell them."),
        Choice::Cancel => format!("Cancel the booking of {who} at {booked}, and tell them."),
        Choice::PutBack if card.found.is_some() => format!("Put the event back to {booked}."),
        Choice::PutBack => format!("Put the event back, at {booked}."),
        Choice::Remove => format!("Remove the event at {found}."),
        Choice::Leave => match card.found {
            Some(_) => format!("Leave it; keep {booked} and {found} blocked."),
            None => format!("Leave it; the booking at {booked} stands without an event."),
        },
    }
}

pub const ACCEPT: &str = "Block this time.";
pub const DECLINE: &str = "Leave this time free.";

#[must_use]
pub fn conflict_outcome(choice: OnConflict) -> &'static str {
    match choice {
        OnConflict::Replace => "The file's times replace open slots that nobody booked.",
        OnConflict::Merge => "The file's times fill what no slot covers.",
        OnConflict::Skip => "Your slots stay as they are.",
    }
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b, %H:%M").to_string()
}
