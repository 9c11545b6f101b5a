//! Edits on the platform's side: what customers do, and what the vendor does on Bookiji's page.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Impossible, Order, unknown};
use crate::bookiji::platform::{BookingAsk, Platform, Slot, Status};
use crate::bookiji::proposals::State;
use crate::time::{after, zulu};
use crate::world::World;

pub fn by_customer(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let id = match action {
        "book" => {
            let slot = slot(&world.platform, order, now)?;
            let asked = BookingAsk {
                service: order.text("service").and_then(|word| service(&world.platform, word)),
                customer: order.text("customer").and_then(|word| customer(&world.platform, word)),
                notes: order.text("notes").map(str::to_owned),
                vendor_created: false,
            };
            world.platform.book(&mut world.names, &slot, &asked, now)?.id
        }
        "reschedule" => reschedule(world, order, now)?,
        "cancel" => cancel(world, order, now)?,
        "accept_move" => {
            let id = order.required("booking")?;
            world.platform.accept(&mut world.names, id, now)?.id
        }
        "decline_move" => world.platform.turn_down(order.required("booking")?, State::Declined, now)?.id,
        "forget_move" => world.platform.turn_down(order.required("booking")?, State::Lapsed, now)?.id,
        _ => return Err(unknown(action)),
    };
    told(world, &id)
}

pub fn by_vendor(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    if action == "set_time_zone" {
        let zone = order.required("time_zone")?;
        jiff::tz::TimeZone::get(zone).map_err(|_| Impossible(format!("no such zone: {zone}")))?;
        zone.clone_into(&mut world.platform.settings.time_zone);
        zone.clone_into(&mut world.vendor.time_zone);
        return Ok(json!({"time_zone": zone}));
    }
    let id = order.required("booking")?.to_owned();
    match action {
        "confirm_booking" => world.platform.set_status(&id, Status::Confirmed, now)?.id,
        "complete_booking" => world.platform.set_status(&id, Status::Completed, now)?.id,
        "no_show_booking" => world.platform.set_status(&id, Status::NoShow, now)?.id,
        "cancel_booking" => cancel(world, order, now)?,
        "reschedule_booking" => reschedule(world, order, now)?,
        "propose_move" => {
            let missing = |name: &str| Impossible(format!("{name} is missing"));
            let start = order.instant("start")?.ok_or_else(|| missing("start"))?;
            let end = order.instant("end")?.ok_or_else(|| missing("end"))?;
            world.platform.propose(&mut world.names, &id, (start, end), now)?.id
        }
        "edit_booking" => world.platform.set_notes(&id, order.text("notes"), now)?.id,
        _ => return Err(unknown(action)),
    };
    told(world, &id)
}

fn cancel(world: &mut World, order: &Order, now: Timestamp) -> Result<String, Impossible> {
    let id = order.required("booking")?;
    Ok(world.platform.cancel(id, order.text("reason"), now)?.id)
}

fn reschedule(world: &mut World, order: &Order, now: Timestamp) -> Result<String, Impossible> {
    let id = order.required("booking")?;
    let slot = slot(&world.platform, order, now)?;
    Ok(world.platform.reschedule(id, &slot, now)?.id)
}

/// The slot that was named, or the first free one, as long as a booking of the order is not already in it.
pub(super) fn slot(platform: &Platform, order: &Order, now: Timestamp) -> Result<String, Impossible> {
    if let Some(id) = order.text("slot") {
        return Ok(id.to_owned());
    }
    if let Some(start) = order.instant("start")? {
        let slot = platform.slot_at(start);
        return Ok(slot.ok_or_else(|| Impossible(format!("no slot starts at {start}")))?.id.clone());
    }
    let earliest = after(now, 3600);
    let free = |slot: &&Slot| slot.is_available && slot.start > earliest;
    let next = platform.slots.values().filter(free).min_by_key(|slot| slot.start);
    Ok(next.ok_or_else(|| Impossible("no slot is free".to_owned()))?.id.clone())
}

pub(super) fn service(platform: &Platform, word: &str) -> Option<String> {
    platform.services.values().find(|one| one.id == word || one.name == word).map(|one| one.id.clone())
}

pub(super) fn customer(platform: &Platform, word: &str) -> Option<String> {
    platform.customers.values().find(|one| one.id == word || one.full_name == word).map(|one| one.id.clone())
}

pub(super) fn told(world: &World, id: &str) -> Result<Value, Impossible> {
    let booking =
        world.platform.bookings.get(id).ok_or_else(|| Impossible(format!("no such booking: {id}")))?;
    Ok(json!({"booking": {"id": booking.id, "status": booking.status, "start": zulu(booking.start),
        "end": zulu(booking.end)}}))
}
