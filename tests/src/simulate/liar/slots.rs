//! The platform's slots: what its constraints let in, and what busy time closes and opens again.

use calendar::interval::Interval;
use sync::booking::BookingStatus;
use sync::ports::{Slot, SlotMade};

use super::super::people::is_over;
use super::super::stage::Stage;

/// As the platform's constraints have it: one slot per exact time, and open ones never overlap.
pub(super) fn make_slot(stage: &mut Stage, slot: &Slot) -> SlotMade {
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
pub(super) fn close_under_busy(stage: &mut Stage) {
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

/// As today's platform does, which closes and opens none by itself: only as it was seen, and no open ones overlap.
pub(super) fn switch(stage: &mut Stage, slot: &Slot, open: bool) -> bool {
    if stage.world.slots.get(&slot.id) != Some(slot) || slot.open == open {
        return false;
    }
    let told = stage.told().bookings.values().filter(|booking| !is_over(&booking.status));
    let told: Vec<Interval> = told.filter_map(|booking| Interval::new(booking.start, booking.end)).collect();
    if open {
        if told.iter().any(|booked| booked.overlaps(&slot.span)) {
            stage.breaks("a slot is opened under a booking");
        }
        if !stage.once_closed_by_us.contains(&slot.id) {
            stage.breaks("a slot is opened that we did not close");
        }
        let others = stage.world.slots.values();
        if others.into_iter().any(|other| other.open && other.span.overlaps(&slot.span)) {
            return false;
        }
        stage.closed_by_us.remove(&slot.id);
        stage.counts("a slot is opened");
    } else {
        if told.contains(&slot.span) {
            stage.breaks("the slot of a booking is closed");
        }
        stage.closed_by_us.insert(slot.id.clone());
        stage.once_closed_by_us.insert(slot.id.clone());
        stage.counts("a slot is closed");
    }
    stage.world.slots.insert(slot.id.clone(), Slot { open, ..slot.clone() });
    true
}
