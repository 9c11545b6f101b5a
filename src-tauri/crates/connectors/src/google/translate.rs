//! Between Google's event and ours. An event that cannot be understood still comes out as one that blocks what it may.

use calendar::event::{Answer, End, Event, Kind, Status, Transparency, Uid, When};
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use serde_json::{Value, json};
use sync::booking::Draft;
use sync::ids::{BookingId, ETag, RemoteId};
use sync::ports::{Marker, RemoteEvent};

use super::recurrence::recurrence;
use super::wire;

const BOOKING: &str = "bookijiBooking";
const GENERATION: &str = "bookijiGeneration";

/// What one item of a list says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Live(Box<RemoteEvent>),
    /// Deleted. Only its id is sure to be known.
    Deleted(RemoteId),
    /// Not even an id: nothing to hold it by.
    Nameless,
}

/// Reads one item. `calendar_zone` is where series without a zone of their own live.
pub(super) fn item(value: Value, calendar_zone: Option<&str>) -> Item {
    let Some(id) = value["id"].as_str().map(RemoteId::from) else { return Item::Nameless };
    let event = match serde_json::from_value::<wire::Event>(value.clone()) {
        Ok(event) => event,
        Err(_) => {
            tracing::warn!(event = %id, "an event has another shape than promised; it blocks what it may");
            reduced(&value)
        }
    };
    // The cancelled instance of a living series frees its day, so it is kept; any other cancelled event is gone.
    if event.status == "cancelled" && event.recurring_event_id.is_none() {
        return Item::Deleted(id);
    }
    Item::Live(Box::new(remote(event, calendar_zone)))
}

/// What can be saved of an event whose JSON has a wrong type somewhere.
fn reduced(value: &Value) -> wire::Event {
    let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let moment = |name: &str| serde_json::from_value(value[name].clone()).ok();
    wire::Event {
        id: word("id"),
        etag: word("etag"),
        status: word("status"),
        ical_uid: value["iCalUID"].as_str().map(str::to_owned),
        recurring_event_id: value["recurringEventId"].as_str().map(str::to_owned),
        original_start_time: moment("originalStartTime"),
        start: moment("start"),
        end: moment("end"),
        recurrence: value["recurrence"].as_array().map_or_else(Vec::new, |lines| {
            lines.iter().map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned)).collect()
        }),
        summary: word("summary"),
        description: word("description"),
        location: word("location"),
        transparency: word("transparency"),
        event_type: word("eventType"),
        attendees: serde_json::from_value(value["attendees"].clone()).unwrap_or_default(),
        sequence: 0,
        updated: value["updated"].as_str().map(str::to_owned),
        extended_properties: serde_json::from_value(value["extendedProperties"].clone()).unwrap_or_default(),
    }
}

fn remote(wire: wire::Event, calendar_zone: Option<&str>) -> RemoteEvent {
    let series = !wire.recurrence.is_empty();
    let read = |moment: &Option<wire::Moment>| moment.as_ref().and_then(|at| when(at, series, calendar_zone));
    let instance = read(&wire.original_start_time);
    let start = read(&wire.start);
    let end = read(&wire.end);
    if wire.status != "cancelled" && (start.is_none() || end.is_none()) {
        tracing::warn!(event = %wire.id, "an event's time cannot be read; it blocks what it may");
    }
    let (start, end) = placed(start.or_else(|| instance.clone()), end);
    let uid = Uid(wire.ical_uid.unwrap_or_else(|| wire.id.clone()));
    let mut event = Event::new(uid, start, end);
    event.series = Some(wire.recurring_event_id.unwrap_or_else(|| wire.id.clone()));
    event.instance = instance;
    event.recurrence = recurrence(&wire.recurrence);
    event.summary = wire.summary;
    event.description = wire.description;
    event.location = wire.location;
    event.status = match wire.status.as_str() {
        "cancelled" => Status::Cancelled,
        "tentative" => Status::Tentative,
        _ => Status::Confirmed,
    };
    event.transparency = match wire.transparency.as_str() {
        "transparent" => Transparency::Transparent,
        _ => Transparency::Opaque,
    };
    event.kind = match wire.event_type.as_str() {
        "outOfOffice" => Kind::OutOfOffice,
        "focusTime" => Kind::FocusTime,
        "workingLocation" => Kind::WorkingLocation,
        "birthday" => Kind::Birthday,
        _ => Kind::Ordinary,
    };
    event.answer = wire.attendees.iter().find(|attendee| attendee.is_self).map(|her| {
        match her.response_status.as_str() {
            "declined" => Answer::Declined,
            "tentative" => Answer::Tentative,
            "accepted" => Answer::Accepted,
            _ => Answer::NeedsAction,
        }
    });
    event.sequence = wire.sequence;
    event.stamp = wire.updated.and_then(|text| text.parse().ok());
    let private = &wire.extended_properties.private;
    let marker = private.get(BOOKING).zip(private.get(GENERATION)).and_then(|(booking, generation)| {
        Some(Marker { booking: BookingId(booking.clone()), generation: generation.parse().ok()? })
    });
    RemoteEvent { id: RemoteId(wire.id), etag: ETag(wire.etag), event, marker, created_as: None }
}

/// A series keeps its wall time and zone, which is what its rules count in. Anything else is an instant, for which
/// Google's own offset is surer than any zone's name.
fn when(moment: &wire::Moment, series: bool, calendar_zone: Option<&str>) -> Option<When> {
    match (&moment.date, &moment.date_time) {
        (Some(date), None) => date.parse::<Date>().ok().map(When::Date),
        (None, Some(text)) => timed(text, moment.time_zone.as_deref().or(calendar_zone), series),
        _ => None,
    }
}

fn timed(text: &str, zone: Option<&str>, series: bool) -> Option<When> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let zone = zone.map(Zone::named);
    let instant: Option<Timestamp> = text.parse().ok();
    let rules = zone.as_ref().and_then(Zone::time_zone);
    match (instant, zone, rules) {
        (Some(instant), _, _) if !series => Some(When::Utc(instant)),
        (Some(instant), Some(zone), Some(rules)) => {
            Some(When::Zoned { wall: rules.to_datetime(instant), zone })
        }
        (Some(_), Some(zone), None) => Some(When::Zoned { wall: PARSER.parse_datetime(text).ok()?, zone }),
        (Some(instant), None, _) => Some(When::Utc(instant)),
        (None, Some(zone), _) => Some(When::Zoned { wall: text.parse::<DateTime>().ok()?, zone }),
        (None, None, _) => text.parse::<DateTime>().ok().map(When::Floating),
    }
}

/// Start and end that fit each other. Where one is missing or they are of two kinds, the zone is called unknown:
/// such an event blocks generously and is reported.
fn placed(start: Option<When>, end: Option<When>) -> (When, End) {
    let vague = |wall: DateTime| When::Zoned { wall, zone: Zone::Unknown("no readable time".to_owned()) };
    match (start, end) {
        (Some(start), Some(end)) if matches!(start, When::Date(_)) == matches!(end, When::Date(_)) => {
            (start, End::At(end))
        }
        (Some(When::Date(day)), _) => (When::Date(day), End::Unstated),
        (Some(start), _) => (vague(start.wall()), End::Lasting { days: 1, seconds: 0 }),
        (None, Some(end)) => {
            let wall = end.wall();
            (vague(wall.saturating_sub(jiff::Span::new().days(1))), End::Lasting { days: 1, seconds: 0 })
        }
        // No day to block, and blocking them all would close her calendar: it stands long past, and in the log.
        (None, None) => {
            (vague(When::Utc(Timestamp::UNIX_EPOCH).wall()), End::Lasting { days: 1, seconds: 0 })
        }
    }
}

/// The body of an insert. Attendees are never named: Google would write to them. Reminders are the calendar's.
pub(super) fn insert_body(draft: &Draft) -> Value {
    let moment = |at: Timestamp| json!({"dateTime": at.to_string(), "timeZone": "UTC"});
    let mut body = json!({"id": draft.id.as_str(), "start": moment(draft.start), "end": moment(draft.end)});
    describe(&mut body, draft);
    body
}

/// The body of a patch: what the draft speaks of, and nothing else.
pub(super) fn patch_body(draft: &Draft) -> Value {
    // A null takes away what an all-day event would otherwise keep.
    let moment = |at: Timestamp| json!({"dateTime": at.to_string(), "timeZone": "UTC", "date": null});
    let mut body = json!({"start": moment(draft.start), "end": moment(draft.end)});
    if !draft.times_only {
        describe(&mut body, draft);
    }
    body
}

fn describe(body: &mut Value, draft: &Draft) {
    body["summary"] = json!(draft.title);
    body["description"] = json!(draft.description);
    body["extendedProperties"] = json!({"private": {
        BOOKING: draft.booking.as_str(),
        GENERATION: draft.generation.to_string(),
    }});
}
