//! Room that was made for moves, and of which no row speaks: the database is new, or was lost. Every such slot is known by
//! its id, which nobody else would give it.

use jiff::Timestamp;

use super::{is_remembered, left_over, slot_id};
use crate::error::MirrorError;
use crate::import::{self, ImportedSlot};
use crate::ports::Slot;
use crate::reconcile::{FullReading, Side};
use crate::run::Parts;
use crate::world::{Connection, World};

/// Whether the slots are still to be looked through: what is out of sight in one look may be seen by the next, so two are
/// believed, once in the life of a database. Not every week: what she had made again since is hers.
pub(super) fn are_to_be_looked_for(world: &World) -> bool {
    let holds_bookings = |one: &Connection| one.service.holds_bookings();
    world.connections.values().any(holds_bookings)
        && world.full_readings.get(&Side::Slots).is_none_or(|last| last.read_at.is_none())
}

/// Remembers them as any other that was left over, so that each is taken back as soon as it is open.
///
/// # Errors
/// When the mirror cannot be written.
pub(super) fn remember(
    parts: &Parts<'_>,
    world: &World,
    standing: &[Slot],
    now: Timestamp,
) -> Result<(), MirrorError> {
    parts.mirror.put_imported_slots(&unknown(world, standing, now), &[])?;
    let before = world.full_readings.get(&Side::Slots).and_then(|last| last.tried_at);
    let seen = FullReading { read_at: before.map(|_| now), ..FullReading::done(now) };
    parts.mirror.put_full_reading(&Side::Slots, &seen)
}

/// For a calendar that is new nothing was moved yet, so no slots are asked for to find that out.
///
/// # Errors
/// When the mirror cannot be written.
pub(crate) fn no_room_was_made(parts: &Parts<'_>) -> Result<(), MirrorError> {
    parts.mirror.put_full_reading(&Side::Slots, &FullReading::done(parts.clock.now()))
}

fn unknown(world: &World, standing: &[Slot], now: Timestamp) -> Vec<ImportedSlot> {
    let Some(vendor) = world.vendor.as_ref().map(|vendor| &vendor.id) else { return Vec::new() };
    // Her files are read again, and find their slots by themselves.
    let hers = || world.calendars.values().filter(|one| one.connection != import::connection_id());
    let made_for = |slot: &Slot| hers().find(|one| slot_id(vendor, &one.id, slot.span) == slot.id);
    let ahead = standing.iter().filter(|slot| slot.span.start() > now && !is_remembered(world, slot));
    ahead.filter_map(|slot| Some(left_over(&made_for(slot)?.id, slot, now))).collect()
}
