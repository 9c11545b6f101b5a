//! Edits of bookings on today's platform: they go through its database, with all that this means. A customer can book and
//! nothing else, since no route of hers that changes a booking works.
//!
//! Besides what the contract's platform lets a vendor do, `insert_booking {start, end, customer?}` makes a booking of hers
//! that claims no slot, as the site's own route would, and `purge_booking {booking}` deletes a row outright.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::booking::{customer, service, slot, told};
use super::{Impossible, Order, unknown};
use crate::bookiji::platform::{Booking, Status};
use crate::database::{self, Change};
use crate::world::World;

pub fn by_customer(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    match action {
        "book" => {
            let slot = slot(&world.platform, order, now)?;
            let id = book(world, order, &slot, now)?;
            told(world, &id)
        }
        "reschedule" => Err(Impossible("Booking not found".to_owned())),
        "cancel" => Err(Impossible("today's platform says yes and changes nothing".to_owned())),
        _ => Err(unknown(action)),
    }
}

pub fn by_vendor(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    if action == "insert_booking" {
        let id = insert(world, order, now)?;
        return told(world, &id);
    }
    let id = order.required("booking")?.to_owned();
    let status = |status: Status| Change { status: Some(status.as_str().to_owned()), ..Change::default() };
    let change = match action {
        "confirm_booking" => status(Status::Confirmed),
        "complete_booking" => status(Status::Completed),
        "no_show_booking" => status(Status::NoShow),
        "cancel_booking" => {
            Change { reason: Some(order.text("reason").map(str::to_owned)), ..status(Status::Cancelled) }
        }
        "edit_booking" => Change { notes: Some(order.text("notes").map(str::to_owned)), ..Change::default() },
        "reschedule_booking" => {
            let slot = slot(&world.platform, order, now)?;
            let moved = database::statement(&mut world.platform, |platform| {
                database::reschedule(platform, &id, &slot, now)
            })?;
            return match moved {
                None => told(world, &id),
                Some(why) => Err(Impossible(why.to_owned())),
            };
        }
        "purge_booking" => {
            database::statement(&mut world.platform, |platform| database::delete(platform, &id, now))?;
            return Ok(json!({"booking": {"id": id, "status": "deleted"}}));
        }
        _ => return Err(unknown(action)),
    };
    database::statement(&mut world.platform, |platform| database::update(platform, &id, &change, now))?;
    told(world, &id)
}

/// Claims the slot, writes down the payment, and is confirmed once that is through: three statements, as on the site.
fn book(world: &mut World, order: &Order, slot: &str, now: Timestamp) -> Result<String, Impossible> {
    let (start, end) = world
        .platform
        .slots
        .get(slot)
        .map(|slot| (slot.start, slot.end))
        .ok_or_else(|| Impossible("there is no such slot".to_owned()))?;
    let booking = drafted(world, order, start, end, false, now)?;
    let id = booking.id.clone();
    database::statement(&mut world.platform, |platform| database::claim(platform, slot, booking, now))?;
    let payment = format!("pi_{}", id.replace('-', ""));
    let paid = Change { payment: Some(Some(payment)), ..Change::default() };
    let confirmed =
        Change { status: Some("confirmed".to_owned()), confirmed_at: Some(Some(now)), ..Change::default() };
    for change in [paid, confirmed] {
        database::statement(&mut world.platform, |platform| database::update(platform, &id, &change, now))?;
    }
    Ok(id)
}

fn insert(world: &mut World, order: &Order, now: Timestamp) -> Result<String, Impossible> {
    let at = |name: &str| order.instant(name)?.ok_or_else(|| Impossible(format!("{name} is missing")));
    let booking = drafted(world, order, at("start")?, at("end")?, true, now)?;
    let id = booking.id.clone();
    database::statement(&mut world.platform, |platform| database::insert(platform, booking, now))?;
    Ok(id)
}

fn drafted(
    world: &mut World,
    order: &Order,
    start: Timestamp,
    end: Timestamp,
    vendor_created: bool,
    now: Timestamp,
) -> Result<Booking, Impossible> {
    let platform = &world.platform;
    let service = order.text("service").and_then(|word| service(platform, word));
    let customer = order.text("customer").and_then(|word| customer(platform, word));
    let service = service.or_else(|| platform.services.keys().next().cloned());
    let customer = customer.or_else(|| platform.customers.keys().next().cloned());
    let (Some(service), Some(customer)) = (service, customer) else {
        return Err(Impossible("there is no such service or customer".to_owned()));
    };
    Ok(Booking {
        id: world.names.uuid(),
        customer,
        service,
        start,
        end,
        status: Status::Pending,
        notes: order.text("notes").map(str::to_owned),
        reason: None,
        vendor_created,
        created_at: now,
        updated_at: now,
        sequence: 0,
        payment: None,
        confirmed_at: None,
        proposal: None,
    })
}
