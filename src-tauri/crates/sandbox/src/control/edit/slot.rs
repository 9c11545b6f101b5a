//! Edits of her slots: what she does on Bookiji's page, held to the same constraints.

use calendar::interval::Interval;
use serde_json::{Value, json};

use super::{Impossible, Order, unknown};
use crate::bookiji::platform::{Slot, SlotType};
use crate::postgrest::{Draft, Statement};
use crate::time::zulu;
use crate::world::World;
use jiff::Timestamp;

pub fn by_vendor(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let vendor = world.vendor.id.clone();
    let mut statement = Statement::begin(&world.platform, &vendor);
    let told = match action {
        "create_slot" => {
            let span = span(order)?;
            let mut slot = Slot::open(world.names.uuid(), span.start(), span.end(), now);
            slot.is_available = order.flag("open").unwrap_or(true);
            statement.insert(Draft::of(&slot, &vendor))?;
            told(&slot)
        }
        "delete_slot" => {
            let slot = match (order.text("slot"), order.instant("start")?) {
                (Some(id), _) => world.platform.slots.get(id),
                (None, Some(start)) => world.platform.slot_at(start),
                (None, None) => None,
            };
            let slot = slot.ok_or_else(|| Impossible("there is no such slot".to_owned()))?.clone();
            statement.remove(&slot.id);
            told(&slot)
        }
        "block_time" => {
            let span = span(order)?;
            let over = |slot: &&Slot| slot.start < span.end() && span.start() < slot.end;
            let lying: Vec<Slot> = world.platform.slots.values().filter(over).cloned().collect();
            for slot in lying.iter().filter(|slot| slot.is_available) {
                let closed = Slot { is_available: false, closed_by_busy: false, ..slot.clone() };
                statement.replace(&slot.id, Draft::of(&closed, &vendor))?;
            }
            let mut block = Slot::open(world.names.uuid(), span.start(), span.end(), now);
            block.is_available = false;
            block.slot_type = SlotType::Blocked;
            if !lying.iter().any(|slot| (slot.start, slot.end) == (block.start, block.end)) {
                statement.insert(Draft::of(&block, &vendor))?;
            }
            told(&block)
        }
        _ => return Err(unknown(action)),
    };
    statement.commit(&mut world.platform);
    Ok(told)
}

fn span(order: &Order) -> Result<Interval, Impossible> {
    let at = |name: &str| order.instant(name)?.ok_or_else(|| Impossible(format!("{name} is missing")));
    Interval::new(at("start")?, at("end")?).ok_or_else(|| Impossible("end is after start".to_owned()))
}

fn told(slot: &Slot) -> Value {
    json!({"slot": {"id": slot.id, "start": zulu(slot.start), "end": zulu(slot.end),
        "is_available": slot.is_available}})
}
