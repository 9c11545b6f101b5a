//! Edits in a calendar, made with the person's own hands: no permission, no precondition.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Impossible, Order, unknown};
use crate::control::state;
use crate::google::event::{Moment, property};
use crate::google::series::instance_id;
use crate::google::world::{Account, Calendar, Desk, Record, Role};
use crate::google::write::{Condition, find};
use crate::time::zulu;
use crate::world::World;

pub fn by_vendor(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let account = match order.text("account") {
        Some(email) => email.to_owned(),
        None => world.google.accounts.keys().next().cloned().unwrap_or_default(),
    };
    match action {
        "add_account" => return add_account(world, order),
        "create_calendar" => return create_calendar(world, &account, order),
        _ => {}
    }
    let calendar = match order.text("calendar") {
        Some(id) => id.to_owned(),
        None => holding(world, &account, order),
    };
    let mut desk = world.google.desk(&mut world.names, &account, &calendar, now)?;
    let record = match action {
        "create_event" => create(&mut desk, order)?,
        "move_event" => reschedule(&mut desk, order)?,
        "edit_event" => {
            let id = named(&desk, order)?;
            let fields = order.object("fields").ok_or_else(|| Impossible("fields is missing".to_owned()))?;
            desk.patch(&id, fields, &Condition::None)?
        }
        "delete_event" => {
            let id = named(&desk, order)?;
            desk.delete(&id, &Condition::None)?;
            find(desk.calendar, &id)?
        }
        "restore_event" => desk.restore(order.required("event")?)?,
        "copy_event" => copy(&mut desk, order)?,
        "move_occurrence" => {
            let id = occurrence(&desk, order)?;
            shift(&mut desk, &id, order)?
        }
        "cancel_occurrence" => {
            let id = occurrence(&desk, order)?;
            desk.delete(&id, &Condition::None)?;
            find(desk.calendar, &id)?
        }
        "rename_calendar" => {
            order.required("summary")?.clone_into(&mut desk.calendar.summary);
            return Ok(entry_changed(&mut desk));
        }
        "delete_calendar" => {
            desk.calendar.deleted = true;
            return Ok(entry_changed(&mut desk));
        }
        _ => return Err(unknown(action)),
    };
    Ok(json!({"calendar": desk.calendar.id, "event": state::event(desk.calendar, &record)}))
}

/// The calendar that holds what the order names; her own when none does.
fn holding(world: &World, account: &str, order: &Order) -> String {
    let calendars = world.google.accounts.get(account).map(|account| &account.calendars);
    calendars
        .into_iter()
        .flat_map(std::collections::BTreeMap::values)
        .filter(|calendar| !calendar.deleted)
        .find(|calendar| match (order.text("event"), order.text("booking")) {
            (Some(event), _) => calendar.events.contains_key(event),
            (None, Some(booking)) => of_booking(calendar, booking).is_some(),
            (None, None) => false,
        })
        .map_or_else(|| "primary".to_owned(), |calendar| calendar.id.clone())
}

fn of_booking(calendar: &Calendar, booking: &str) -> Option<String> {
    let marked = |record: &&Record| {
        !record.is_cancelled() && property(&record.fields, "private", "bookijiBooking") == Some(booking)
    };
    // A copy carries the marker too; the one that was made first is the one that is meant.
    let first = calendar.events.values().filter(marked).min_by_key(|record| record.made);
    first.map(|record| record.text("id").to_owned())
}

fn named(desk: &Desk, order: &Order) -> Result<String, Impossible> {
    if let Some(id) = order.text("event") {
        return Ok(id.to_owned());
    }
    let booking =
        order.required("booking").map_err(|_| Impossible("event or booking is missing".to_owned()))?;
    of_booking(desk.calendar, booking)
        .ok_or_else(|| Impossible(format!("no event is for the booking {booking}")))
}

fn create(desk: &mut Desk, order: &Order) -> Result<Record, Impossible> {
    let mut fields = order.object("fields").cloned().unwrap_or_default();
    if let Some(summary) = order.text("summary") {
        fields.insert("summary".to_owned(), json!(summary));
    }
    for name in ["start", "end"] {
        if let Some(text) = order.text(name) {
            fields.insert(name.to_owned(), time(text, &desk.calendar.time_zone));
        }
    }
    Ok(desk.insert(&fields)?)
}

fn reschedule(desk: &mut Desk, order: &Order) -> Result<Record, Impossible> {
    let id = named(desk, order)?;
    shift(desk, &id, order)
}

fn shift(desk: &mut Desk, id: &str, order: &Order) -> Result<Record, Impossible> {
    let record = find(desk.calendar, id)?;
    let (start, end) = span(desk, &record)?;
    let (new_start, new_end) = match (order.instant("start")?, order.number("by_minutes")) {
        (Some(to), _) => (to, order.instant("end")?.unwrap_or(to + end.duration_since(start))),
        (None, Some(minutes)) => {
            let by = SignedDuration::from_mins(minutes);
            (start + by, end + by)
        }
        (None, None) => return Err(Impossible("start or by_minutes is missing".to_owned())),
    };
    Ok(desk.patch(id, &times(new_start, new_end), &Condition::None)?)
}

fn copy(desk: &mut Desk, order: &Order) -> Result<Record, Impossible> {
    let record = find(desk.calendar, &named(desk, order)?)?;
    let (start, end) = span(desk, &record)?;
    let mut fields: Map<String, Value> = record.fields.clone();
    for name in ["id", "iCalUID", "status", "recurringEventId", "originalStartTime", "sequence"] {
        fields.remove(name);
    }
    let copied = desk.insert(&fields)?;
    match order.instant("start")? {
        None => Ok(copied),
        Some(to) => {
            let id = copied.text("id").to_owned();
            Ok(desk.patch(&id, &times(to, to + end.duration_since(start)), &Condition::None)?)
        }
    }
}

fn occurrence(desk: &Desk, order: &Order) -> Result<String, Impossible> {
    let master = order.required("event")?;
    let text = order.required("original")?;
    let original = match (text.parse::<jiff::civil::Date>(), text.parse::<Timestamp>()) {
        (_, Ok(at)) => Moment::At { at, zone: None },
        (Ok(day), Err(_)) => Moment::Day(day),
        (Err(_), Err(_)) => return Err(Impossible(format!("original is not a time: {text}"))),
    };
    let id = instance_id(master, &original);
    find(desk.calendar, &id)?;
    Ok(id)
}

fn span(desk: &Desk, record: &Record) -> Result<(Timestamp, Timestamp), Impossible> {
    let zone = desk.calendar.zone();
    let at = |name: &str| match Moment::stored(record.fields.get(name)) {
        Some(moment @ Moment::At { .. }) => Ok(moment.instant(&zone)),
        Some(Moment::Day(_)) | None => Err(Impossible("only timed events are moved this way".to_owned())),
    };
    Ok((at("start")?, at("end")?))
}

fn times(start: Timestamp, end: Timestamp) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("start".to_owned(), json!({"dateTime": zulu(start)}));
    fields.insert("end".to_owned(), json!({"dateTime": zulu(end)}));
    fields
}

fn time(text: &str, zone: &str) -> Value {
    if text.len() == 10 { json!({"date": text}) } else { json!({"dateTime": text, "timeZone": zone}) }
}

fn add_account(world: &mut World, order: &Order) -> Result<Value, Impossible> {
    let email = order.required("email")?.to_owned();
    let zone = world.vendor.time_zone.clone();
    let calendar = blank(&email, &email, &zone, true);
    let calendars = [(email.clone(), calendar)].into();
    world.google.accounts.entry(email.clone()).or_insert(Account { time_zone: zone, calendars });
    Ok(json!({"account": email}))
}

fn create_calendar(world: &mut World, account: &str, order: &Order) -> Result<Value, Impossible> {
    let summary = order.required("summary")?;
    world.google.changes += 1;
    let changed = world.google.changes;
    let id = format!("{}@group.calendar.google.com", world.names.hex());
    let held = world.google.accounts.get_mut(account);
    let held = held.ok_or_else(|| Impossible(format!("no such account: {account}")))?;
    let mut calendar = blank(&id, summary, &held.time_zone, false);
    calendar.changed = changed;
    held.calendars.insert(id.clone(), calendar);
    Ok(json!({"calendar": id}))
}

fn blank(id: &str, summary: &str, zone: &str, primary: bool) -> Calendar {
    Calendar {
        id: id.to_owned(),
        summary: summary.to_owned(),
        description: None,
        location: None,
        time_zone: zone.to_owned(),
        role: Role::Owner,
        primary,
        made_by_app: false,
        public: false,
        deleted: false,
        changed: 0,
        color: "#9a9cff".to_owned(),
        events: std::collections::BTreeMap::new(),
    }
}

fn entry_changed(desk: &mut Desk) -> Value {
    *desk.changes += 1;
    desk.calendar.changed = *desk.changes;
    json!({"calendar": desk.calendar.id})
}
