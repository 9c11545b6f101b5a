//! Recurring events placed in time, through the `calendar` crate: instances, busy blocks, ends of series.

use calendar::busy::{BusyRules, Occurrence, place};
use calendar::event::{Answer, End, Event, ExtraDate, Kind, Recurrence, Status, Transparency, Uid, When};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::event::Moment;
use super::world::{Calendar, Record};

/// The instances of `master` that overlap `window`, exceptions left out of account.
#[must_use]
pub fn instances(calendar: &Calendar, master: &Record, window: Interval) -> Vec<Occurrence> {
    let zone = calendar.zone();
    let Some(mut event) = read(&master.fields, &zone) else { return Vec::new() };
    // The question is where it falls, not whether it blocks.
    event.status = Status::Confirmed;
    place(&[event], &BusyRules::default(), window, &zone).occurrences
}

/// Whether `master` has an instance that starts at `original`.
#[must_use]
pub fn has_instance(calendar: &Calendar, master: &Record, original: Timestamp) -> bool {
    let day = jiff::SignedDuration::from_hours(24);
    let window = original
        .checked_sub(day)
        .ok()
        .zip(original.checked_add(day).ok())
        .and_then(|(from, to)| Interval::new(from, to));
    let Some(window) = window else { return false };
    instances(calendar, master, window).iter().any(|one| one.recurrence_id.unwrap_or(one.start) == original)
}

/// `{master}_{YYYYMMDDTHHMMSSZ}`, or `{master}_{YYYYMMDD}` for days.
#[must_use]
pub fn instance_id(master: &str, original: &Moment) -> String {
    match original {
        Moment::Day(date) => format!("{master}_{}", date.strftime("%Y%m%d")),
        Moment::At { at, .. } => format!("{master}_{}", at.strftime("%Y%m%dT%H%M%SZ")),
    }
}

/// Reads an instance id back.
#[must_use]
pub fn split_instance_id(id: &str) -> Option<(&str, Moment)> {
    let (master, stamp) = id.rsplit_once('_')?;
    if stamp.len() == 8 {
        return Some((master, Moment::Day(jiff::civil::Date::strptime("%Y%m%d", stamp).ok()?)));
    }
    let wall = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    let at = wall.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((master, Moment::At { at, zone: None }))
}

/// The master's fields as one instance of it, at its original time.
#[must_use]
pub fn instance_fields(
    calendar: &Calendar,
    master: &Record,
    original: &Moment,
) -> Option<Map<String, Value>> {
    let zone = calendar.zone();
    let start = Moment::stored(master.fields.get("start"))?;
    let end = Moment::stored(master.fields.get("end"))?;
    let (start, end) = match (original, &start, &end) {
        (Moment::Day(day), Moment::Day(from), Moment::Day(to)) => {
            (Moment::Day(*day), Moment::Day(day.checked_add(from.until(*to).ok()?).ok()?))
        }
        (
            Moment::At { at, .. },
            Moment::At { at: from, zone: start_zone },
            Moment::At { at: to, zone: end_zone },
        ) => (
            Moment::At { at: *at, zone: start_zone.clone() },
            Moment::At { at: at.checked_add(to.duration_since(*from)).ok()?, zone: end_zone.clone() },
        ),
        (_, _, _) => return None,
    };
    let mut fields = master.fields.clone();
    fields.remove("recurrence");
    fields.insert("id".to_owned(), json!(instance_id(master.text("id"), original)));
    fields.insert("recurringEventId".to_owned(), json!(master.text("id")));
    fields.insert("originalStartTime".to_owned(), start.as_json(&zone));
    fields.insert("start".to_owned(), start.as_json(&zone));
    fields.insert("end".to_owned(), end.as_json(&zone));
    Some(fields)
}

/// Everything of a calendar that takes up time in `window`, merged, as free/busy tells it.
#[must_use]
pub fn busy(calendar: &Calendar, window: Interval) -> Vec<Interval> {
    let zone = calendar.zone();
    let events: Vec<Event> = calendar
        .events
        .values()
        .filter(|record| record.series().is_some() || !record.is_cancelled())
        .filter_map(|record| read(&record.fields, &zone))
        .collect();
    let rules = BusyRules::default();
    let blocks = place(&events, &rules, window, &zone).occurrences.into_iter().filter_map(|one| one.blocks);
    calendar::interval::union(blocks.collect())
}

/// Google's JSON as the field's model; nothing when it has no time at all.
#[must_use]
pub fn read(fields: &Map<String, Value>, zone: &TimeZone) -> Option<Event> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let original = fields.get("originalStartTime");
    let start = when(fields.get("start").or(original)?, zone)?;
    let end = fields.get("end").and_then(|end| when(end, zone)).map_or(End::Unstated, End::At);
    let mut event = Event::new(Uid(text("iCalUID").to_owned()), start, end);
    event.series =
        Some(fields.get("recurringEventId").and_then(Value::as_str).unwrap_or(text("id")).to_owned());
    event.instance = original.and_then(|original| when(original, zone));
    text("summary").clone_into(&mut event.summary);
    event.status = match text("status") {
        "cancelled" => Status::Cancelled,
        "tentative" => Status::Tentative,
        _ => Status::Confirmed,
    };
    if text("transparency") == "transparent" {
        event.transparency = Transparency::Transparent;
    }
    event.kind = match text("eventType") {
        "outOfOffice" => Kind::OutOfOffice,
        "focusTime" => Kind::FocusTime,
        "workingLocation" => Kind::WorkingLocation,
        "birthday" => Kind::Birthday,
        _ => Kind::Ordinary,
    };
    event.answer = own_answer(fields);
    for line in fields.get("recurrence").and_then(Value::as_array).into_iter().flatten() {
        rule(line.as_str().unwrap_or_default(), &mut event.recurrence, zone);
    }
    Some(event)
}

fn own_answer(fields: &Map<String, Value>) -> Option<Answer> {
    let attendees = fields.get("attendees")?.as_array()?;
    let own = attendees.iter().find(|one| one.get("self") == Some(&Value::Bool(true)))?;
    Some(match own.get("responseStatus").and_then(Value::as_str)? {
        "declined" => Answer::Declined,
        "tentative" => Answer::Tentative,
        "accepted" => Answer::Accepted,
        _ => Answer::NeedsAction,
    })
}

fn when(value: &Value, calendar_zone: &TimeZone) -> Option<When> {
    match Moment::stored(Some(value))? {
        Moment::Day(date) => Some(When::Date(date)),
        Moment::At { at, zone } => {
            let name = zone.or_else(|| calendar_zone.iana_name().map(str::to_owned))?;
            let wall = at.in_tz(&name).ok()?.datetime();
            Some(When::Zoned { wall, zone: Zone::named(&name) })
        }
    }
}

fn rule(line: &str, recurrence: &mut Recurrence, calendar_zone: &TimeZone) {
    let Some((head, value)) = line.split_once(':') else { return };
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    let zone = parameters.split(';').find_map(|p| p.strip_prefix("TZID="));
    let dates = || value.split(',').filter_map(|date| written(date, zone, calendar_zone));
    match name {
        "RRULE" => recurrence.rules.push(value.to_owned()),
        "EXRULE" => recurrence.except_rules.push(value.to_owned()),
        "EXDATE" => recurrence.except_dates.extend(dates()),
        "RDATE" => {
            recurrence.dates.extend(dates().map(|start| ExtraDate { start, end: End::Unstated }));
        }
        _ => {}
    }
}

fn written(date: &str, zone: Option<&str>, calendar_zone: &TimeZone) -> Option<When> {
    if date.len() == 8 {
        return jiff::civil::Date::strptime("%Y%m%d", date).ok().map(When::Date);
    }
    if date.ends_with('Z') {
        let wall = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
        return wall.to_zoned(TimeZone::UTC).ok().map(|zoned| When::Utc(zoned.timestamp()));
    }
    let wall = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", date).ok()?;
    let name = zone.or(calendar_zone.iana_name())?;
    Some(When::Zoned { wall, zone: Zone::named(name) })
}
