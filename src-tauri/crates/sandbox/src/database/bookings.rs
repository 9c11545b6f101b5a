//! The table of bookings: its constraints, and the triggers that keep slots in step with it.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::json;

use super::{note, slot_was_set};
use crate::bookiji::openings::{Openings, Overlap};
use crate::bookiji::platform::{Booking, Platform, Status};
use crate::postgrest::refusal::Refusal;

/// What an update sets. What it does not name stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Kept as a word: whether it is one of the known ones is a constraint's question.
    pub status: Option<String>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub notes: Option<Option<String>>,
    pub reason: Option<Option<String>>,
    /// No booking has another state than the one it was made with.
    pub state: Option<String>,
    pub payment: Option<Option<String>>,
    pub confirmed_at: Option<Option<Timestamp>>,
}

const STATES: [&str; 6] =
    ["quoted", "hold_placed", "provider_confirmed", "receipt_issued", "cancelled", "refunded"];
/// The state that every booking is made in.
const FIRST: &str = "quoted";

/// # Errors
/// When a constraint or a trigger is against it.
pub fn insert(platform: &mut Platform, booking: Booking, now: Timestamp) -> Result<(), Refusal> {
    may_be_confirmed(&booking, booking.status.as_str(), FIRST)?;
    constraints(platform, &booking)?;
    note(platform, "booking_created", json!({ "booking_id": booking.id }), now);
    platform.bookings.insert(booking.id.clone(), booking);
    Ok(())
}

/// # Errors
/// As [`insert`].
pub fn update(platform: &mut Platform, id: &str, change: &Change, now: Timestamp) -> Result<(), Refusal> {
    let Some(old) = platform.bookings.get(id).cloned() else { return Ok(()) };
    if let Some(state) = change.state.as_deref().filter(|state| !STATES.contains(state)) {
        let message = format!("invalid input value for enum booking_state: \"{state}\"");
        return Err(Refusal::new(400, "22P02", message));
    }
    let word = change.status.clone().unwrap_or_else(|| old.status.as_str().to_owned());
    let mut new = old.clone();
    new.start = change.start.unwrap_or(new.start);
    new.end = change.end.unwrap_or(new.end);
    new.notes = change.notes.clone().unwrap_or(new.notes);
    new.reason = change.reason.clone().unwrap_or(new.reason);
    new.payment = change.payment.clone().unwrap_or(new.payment);
    new.confirmed_at = change.confirmed_at.unwrap_or(new.confirmed_at);
    let state = change.state.as_deref().unwrap_or(FIRST);
    may_be_confirmed(&new, &word, state)?;
    // Only the word `updated_at` itself is kept by a trigger, and not what a client sends for it.
    new.updated_at = now;
    new.status = Status::parse(&word).ok_or_else(|| {
        let message = "new row for relation \"bookings\" violates check constraint \"bookings_status_check\"";
        Refusal::new(400, "23514", message)
    })?;
    platform.bookings.remove(id);
    constraints(platform, &new)?;
    platform.bookings.insert(id.to_owned(), new.clone());
    // What follows is done after the row, in the order of the triggers' names.
    if state != FIRST {
        // The trigger that is to keep a history of states asks for a column that does not exist.
        return Err(Refusal::new(400, "42703", "record \"new\" has no field \"updated_by_type\""));
    }
    if new.status == Status::Cancelled && old.status != Status::Cancelled {
        note(platform, "booking_cancelled", json!({ "booking_id": id }), now);
    }
    keep_slot_in_step(platform, &old, Some(&new), now)
}

/// # Errors
/// When an open slot lies over the booking's own.
pub fn delete(platform: &mut Platform, id: &str, now: Timestamp) -> Result<(), Refusal> {
    let Some(old) = platform.bookings.remove(id) else { return Ok(()) };
    keep_slot_in_step(platform, &old, None, now)
}

/// Nothing is confirmed that is not paid: for what a vendor made herself, that is never.
fn may_be_confirmed(booking: &Booking, status: &str, state: &str) -> Result<(), Refusal> {
    let asks = status == "confirmed" || state == "provider_confirmed";
    if asks && (booking.payment.is_none() || booking.confirmed_at.is_none()) {
        let message =
            format!("Cannot confirm booking without payment intent. State: {state}, Status: {status}");
        return Err(Refusal::new(400, "P0001", message));
    }
    Ok(())
}

fn constraints(platform: &Platform, booking: &Booking) -> Result<(), Refusal> {
    if booking.confirmed_at.is_some() && booking.payment.is_none() {
        let message = "new row for relation \"bookings\" violates check constraint \"bookings_confirmed_requires_payment\"";
        return Err(Refusal::new(400, "23514", message));
    }
    if !booking.holds_time() {
        return Ok(());
    }
    if booking.end < booking.start {
        let message = "range lower bound must be less than or equal to range upper bound";
        return Err(Refusal::new(400, "22000", message));
    }
    let over = |other: &Booking| {
        other.id != booking.id && other.holds_time() && other.start < booking.end && booking.start < other.end
    };
    if platform.bookings.values().any(over) {
        let message =
            "conflicting key value violates exclusion constraint \"bookings_no_overlap_provider_time\"";
        return Err(Refusal::new(409, Overlap::CODE, message));
    }
    Ok(())
}

/// Every change of a booking that stands opens its exact slot and closes it again; one that goes leaves it open, whatever
/// else is known about that time.
fn keep_slot_in_step(
    platform: &mut Platform,
    old: &Booking,
    new: Option<&Booking>,
    now: Timestamp,
) -> Result<(), Refusal> {
    set_exact(platform, old.start, old.end, true, now)?;
    match new.filter(|new| new.holds_time()) {
        Some(new) => set_exact(platform, new.start, new.end, false, now),
        None => Ok(()),
    }
}

/// # Errors
/// When it is to be opened under another open one.
pub(super) fn set_exact(
    platform: &mut Platform,
    start: Timestamp,
    end: Timestamp,
    available: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    let exact = platform.slots.values().find(|slot| slot.start == start && slot.end == end);
    let Some(id) = exact.map(|slot| slot.id.clone()) else { return Ok(()) };
    if available && let Some(span) = Interval::new(start, end) {
        let others = Openings::of(platform.slots.values().filter(|slot| slot.id != id));
        if others.overlapping(&span).is_some() {
            return Err(Refusal::new(409, Overlap::CODE, Overlap::MESSAGE));
        }
    }
    if let Some(slot) = platform.slots.get_mut(&id) {
        slot.is_available = available;
    }
    slot_was_set(platform, &id, available, now);
    Ok(())
}
