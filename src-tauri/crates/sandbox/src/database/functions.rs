//! The two functions that tie a booking to a slot.

use jiff::Timestamp;
use serde_json::json;

use super::bookings::set_exact;
use super::{Change, insert, note, slot_was_set, update};
use crate::bookiji::platform::{Booking, Platform, Status};
use crate::postgrest::refusal::Refusal;
use crate::time::postgres;

/// `claim_slot_and_create_booking`: closes the slot and makes the booking, and knows nothing of any other reason why the
/// time may not be free.
///
/// # Errors
/// When the slot is not open, or a constraint is against the booking.
pub fn claim(platform: &mut Platform, slot: &str, booking: Booking, now: Timestamp) -> Result<(), Refusal> {
    let open = platform.slots.get(slot).is_some_and(|slot| slot.is_available);
    if !open {
        return Err(Refusal::new(400, "P0001", "Slot is not available"));
    }
    if let Some(slot) = platform.slots.get_mut(slot) {
        slot.is_available = false;
    }
    slot_was_set(platform, slot, false, now);
    insert(platform, booking, now)
}

/// `reschedule_booking_atomically`, as the vendor calls it: answers why it did nothing, if it did nothing.
///
/// # Errors
/// When a constraint is against it: nothing is done then either.
pub fn reschedule(
    platform: &mut Platform,
    booking: &str,
    slot: &str,
    now: Timestamp,
) -> Result<Option<&'static str>, Refusal> {
    let Some(old) = platform.bookings.get(booking).cloned() else { return Ok(Some("Booking not found")) };
    if old.status == Status::Cancelled {
        return Ok(Some("Booking is cancelled"));
    }
    if platform.neighbour.slots.get(slot).is_some_and(|slot| slot.is_available) {
        return Ok(Some("Slot provider mismatch"));
    }
    let Some(target) = platform.slots.get(slot).filter(|slot| slot.is_available).cloned() else {
        return Ok(Some("New slot is not available"));
    };
    set_exact(platform, old.start, old.end, true, now)?;
    if let Some(slot) = platform.slots.get_mut(slot) {
        slot.is_available = false;
    }
    slot_was_set(platform, slot, false, now);
    let change = Change { start: Some(target.start), end: Some(target.end), ..Change::default() };
    update(platform, booking, &change, now)?;
    let payload =
        json!({"booking_id": booking, "old_start": postgres(old.start), "new_start": postgres(target.start)});
    note(platform, "booking_rescheduled", payload, now);
    Ok(None)
}
