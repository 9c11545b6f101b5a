//! Edits in an Outlook calendar, made with the person's own hands, and what her administrator decides.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Impossible, Order, unknown};
use crate::control::outlook as told;
use crate::graph::ids::EventId;
use crate::graph::moment::written;
use crate::graph::write::{Condition, Desk, moment};
use crate::world::World;

pub fn by_administrator(world: &mut World, action: &str, order: &Order) -> Result<Value, Impossible> {
    match action {
        "require_approval" => {
            let only = order.text("account");
            let mailboxes =
                world.outlook.accounts.iter_mut().filter(|(email, _)| only.is_none_or(|only| only == *email));
            let asked: Vec<&String> = mailboxes
                .map(|(email, mailbox)| {
                    mailbox.needs_approval = true;
                    email
                })
                .collect();
            Ok(json!({"needs_approval": asked}))
        }
        "approve" => {
            world.outlook.approve();
            Ok(json!({"needs_approval": []}))
        }
        _ => Err(unknown(action)),
    }
}

pub fn by_vendor(
    world: &mut World,
    action: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let account = match order.text("account") {
        Some(email) => email.to_owned(),
        None => world.outlook.accounts.keys().next().cloned().unwrap_or_default(),
    };
    match action {
        "add_account" => {
            let email = order.required("email")?;
            let zone = world.outlook.accounts.values().next().map(|mailbox| mailbox.time_zone.clone());
            let personal = order.flag("personal").unwrap_or(false);
            let name = world.vendor.name.clone();
            world.outlook.open_mailbox(email, &name, &zone.unwrap_or_else(|| "UTC".to_owned()), personal);
            return Ok(json!({"account": email}));
        }
        "create_calendar" | "rename_calendar" | "delete_calendar" => {
            return calendar(world, action, &account, order, now);
        }
        _ => {}
    }
    let named = match (action, order.text("event")) {
        ("create_event", _) => None,
        (_, Some(id)) => Some(EventId::read(id)?),
        (_, None) => Some(of_booking(world, &account, order)?),
    };
    let mut desk = world.outlook.desk(&account, now)?;
    desk.own_hands = true;
    let id = match (action, named) {
        ("create_event", _) => {
            let zone = desk.mailbox.time_zone.clone();
            let mut fields = order.object("fields").cloned().unwrap_or_default();
            if let Some(summary) = order.text("summary") {
                fields.insert("subject".to_owned(), json!(summary));
            }
            for name in ["start", "end"] {
                match order.text(name) {
                    Some(day) if day.len() == 10 => {
                        fields.insert(
                            name.to_owned(),
                            json!({"dateTime": format!("{day}T00:00:00"), "timeZone": zone}),
                        );
                        fields.insert("isAllDay".to_owned(), json!(true));
                    }
                    Some(_) => {
                        let at = order.instant(name)?.unwrap_or(now);
                        fields.insert(name.to_owned(), at_wall(at, &zone));
                    }
                    None => {}
                }
            }
            let id = desk.create(order.text("calendar").unwrap_or_default(), &fields, true)?;
            if let Some(invitation) = order.object("invitation") {
                invited(&mut desk, &id, invitation);
            }
            id
        }
        ("move_event" | "move_occurrence", Some(id)) => {
            let id = occurrence(id, action, order)?;
            let (_, placed) = desk.mailbox.look(&id)?;
            if placed.item.all_day {
                return Err(Impossible("only timed events are moved this way".to_owned()));
            }
            let (start, end) = (placed.start.instant(), placed.end.instant());
            let zone = placed.start.zone.clone();
            let (new_start, new_end) = match (order.instant("start")?, order.number("by_minutes")) {
                (Some(to), _) => (to, order.instant("end")?.unwrap_or(to + end.duration_since(start))),
                (None, Some(minutes)) => {
                    let by = SignedDuration::from_mins(minutes);
                    (start + by, end + by)
                }
                (None, None) => return Err(Impossible("start or by_minutes is missing".to_owned())),
            };
            let mut fields = Map::new();
            fields.insert("start".to_owned(), at_wall(new_start, &zone));
            fields.insert("end".to_owned(), at_wall(new_end, &zone));
            desk.patch(&id, &fields, Condition::None)?;
            id
        }
        ("edit_event", Some(id)) => {
            let id = occurrence(id, action, order)?;
            let fields = order.object("fields").ok_or_else(|| Impossible("fields is missing".to_owned()))?;
            desk.patch(&id, fields, Condition::None)?;
            id
        }
        ("delete_event" | "cancel_occurrence", Some(id)) => {
            let id = occurrence(id, action, order)?;
            desk.delete(&id, Condition::None)?;
            id
        }
        ("restore_event", Some(id)) => {
            desk.restore(&id)?;
            id
        }
        ("copy_event", Some(id)) => {
            let copy = desk.copy(&id)?;
            if let Some(to) = order.instant("start")? {
                let (_, placed) = desk.mailbox.look(&copy)?;
                let length = placed.end.instant().duration_since(placed.start.instant());
                let zone = placed.start.zone.clone();
                let mut fields = Map::new();
                fields.insert("start".to_owned(), at_wall(to, &zone));
                fields.insert("end".to_owned(), at_wall(to + length, &zone));
                desk.patch(&copy, &fields, Condition::None)?;
            }
            copy
        }
        ("move_to_calendar", Some(id)) => desk.move_to(&id, order.required("to")?)?,
        (_, _) => return Err(unknown(action)),
    };
    let mailbox = world.outlook.mailbox(&account)?;
    let held =
        mailbox.calendars.values().filter_map(|calendar| Some((calendar, calendar.events.get(&id.item)?)));
    // Where it is now, rather than where it was moved from.
    let found = held.min_by_key(|(_, item)| item.deleted);
    let (calendar, item) = found.ok_or_else(|| Impossible("the event is gone".to_owned()))?;
    Ok(json!({"calendar": calendar.id, "event": told::event(world, item)}))
}

/// Makes the new event somebody else's, to which she was invited: `response` is her answer, `cancelled` says that who
/// invited her took it back.
fn invited(desk: &mut Desk<'_>, id: &EventId, invitation: &Map<String, Value>) {
    let response = invitation.get("response").and_then(Value::as_str).unwrap_or("notResponded");
    let host = json!({"emailAddress": {"name": "Host", "address": "host@example.com"}});
    let own = [
        ("isOrganizer", json!(false)),
        ("organizer", host),
        ("responseStatus", json!({"response": response, "time": "0001-01-01T00:00:00Z"})),
        ("isCancelled", json!(invitation.get("cancelled").and_then(Value::as_bool).unwrap_or(false))),
    ];
    let mut calendars = desk.mailbox.calendars.values_mut();
    if let Some(item) = calendars.find_map(|calendar| calendar.events.get_mut(&id.item)) {
        item.fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
    }
}

fn calendar(
    world: &mut World,
    action: &str,
    account: &str,
    order: &Order,
    now: Timestamp,
) -> Result<Value, Impossible> {
    let mut desk = world.outlook.desk(account, now)?;
    desk.own_hands = true;
    let id = match action {
        "create_calendar" => {
            let id = desk.create_calendar(order.required("summary")?, "auto")?;
            let can_edit = order.flag("can_edit").unwrap_or(true);
            desk.change_calendar(&id, |calendar| calendar.can_edit = can_edit)?
        }
        "rename_calendar" => {
            let name = order.required("summary")?;
            desk.change_calendar(order.required("calendar")?, |calendar| name.clone_into(&mut calendar.name))?
        }
        _ => desk.change_calendar(order.required("calendar")?, |calendar| calendar.deleted = true)?,
    };
    Ok(json!({"calendar": id}))
}

/// The occurrence of a series that the order names by its original start; the event itself when it names none.
fn occurrence(id: EventId, action: &str, order: &Order) -> Result<EventId, Impossible> {
    let original = match order.text("original") {
        None if action.ends_with("_occurrence") && id.original.is_none() => {
            return Err(Impossible("original is missing".to_owned()));
        }
        None => id.original,
        Some(day) if day.len() == 10 => Some(
            format!("{day}T00:00:00Z")
                .parse()
                .map_err(|_| Impossible(format!("original is not a time: {day}")))?,
        ),
        Some(_) => order.instant("original")?,
    };
    Ok(EventId { original, ..id })
}

fn of_booking(world: &World, account: &str, order: &Order) -> Result<EventId, Impossible> {
    let wanted =
        order.required("booking").map_err(|_| Impossible("event or booking is missing".to_owned()))?;
    let events = world.outlook.mailbox(account)?.calendars.values().filter(|calendar| !calendar.deleted);
    let live = events.flat_map(|calendar| calendar.events.values()).filter(|item| !item.deleted);
    // A copy carries the marker too; the one that was made first is the one that is meant.
    let marked = live.filter(|item| item.properties.values().any(|value| value.contains(wanted)));
    let first = marked.min_by_key(|item| item.made);
    let first = first.ok_or_else(|| Impossible(format!("no event is for the booking {wanted}")))?;
    Ok(EventId { item: first.key.clone(), moves: None, original: None })
}

fn at_wall(at: Timestamp, zone: &str) -> Value {
    let moment = moment(at, zone);
    json!({"dateTime": written(moment.wall), "timeZone": moment.zone})
}
