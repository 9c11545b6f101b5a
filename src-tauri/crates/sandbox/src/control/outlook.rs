//! Outlook's part of the state: calendars and events in the same short words as Google's.

use serde_json::{Value, json};

use crate::graph::occurrence::whole;
use crate::graph::world::{Calendar, Item, Mailbox, etag};
use crate::time::zulu;
use crate::world::World;

pub fn calendars(world: &World) -> Vec<Value> {
    let boxes = world.outlook.accounts.iter();
    boxes
        .flat_map(|(account, mailbox)| {
            mailbox.calendars.values().map(move |one| calendar(world, account, mailbox, one))
        })
        .collect()
}

fn calendar(world: &World, account: &str, mailbox: &Mailbox, calendar: &Calendar) -> Value {
    json!({"service": "outlook", "account": account, "id": calendar.id, "name": calendar.name,
        "time_zone": mailbox.time_zone, "primary": calendar.default,
        "role": if calendar.can_edit { "owner" } else { "reader" }, "deleted": calendar.deleted,
        "events": calendar.events.values().map(|item| event(world, item)).collect::<Vec<_>>()})
}

/// An event in short, also used as the answer to an edit. Changed occurrences come inside of their series.
pub fn event(world: &World, item: &Item) -> Value {
    let time = |moment: &crate::graph::moment::Moment| {
        if item.all_day { json!(moment.wall.date().to_string()) } else { json!(zulu(moment.instant())) }
    };
    let mut event = json!({
        "id": item.id(None, true),
        "regular_id": item.id(None, false),
        "uid": item.uid,
        "status": if item.deleted { "cancelled" } else { "confirmed" },
        "start": time(&item.start),
        "end": time(&item.end),
        "all_day": item.all_day,
        "summary": item.text("subject"),
        "etag": etag(&whole(item).change_key()),
    });
    if let Some(show_as) = item.fields.get("showAs") {
        event["show_as"] = show_as.clone();
    }
    if let Some(content) = item.fields.get("body").and_then(|body| body.get("content")) {
        event["description"] = content.clone();
    }
    if let Some(recurrence) = &item.recurrence {
        event["recurrence"] = recurrence.as_json();
        event["exceptions"] = item.exceptions.values().map(|one| self::event(world, one)).collect();
        event["cancelled_occurrences"] = json!(item.cancelled.len());
    }
    if let Some(transaction) = &item.transaction {
        event["transaction_id"] = json!(transaction);
    }
    if !item.properties.is_empty() {
        event["extended_properties"] = json!(item.properties);
    }
    if let Some(booking) = booking(world, item) {
        event["booking_id"] = json!(booking);
    }
    event
}

/// The booking that one of its hidden properties names.
#[must_use]
pub fn booking<'a>(world: &'a World, item: &Item) -> Option<&'a str> {
    let named = |value: &String| world.platform.bookings.keys().find(|id| value.contains(id.as_str()));
    item.properties.values().find_map(named).map(String::as_str)
}
