//! What Google accepts as an event, and how it stores what it accepted: types, times, recurrence, extended properties.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

enum Shape {
    Text,
    Flag,
    Number,
    List,
    Object,
    OneOf(&'static [&'static str]),
}

/// The fields a client may write. What is not here is ignored, as Google ignores it.
const WRITABLE: [(&str, Shape); 28] = [
    ("anyoneCanAddSelf", Shape::Flag),
    ("attachments", Shape::List),
    ("attendees", Shape::List),
    ("attendeesOmitted", Shape::Flag),
    ("birthdayProperties", Shape::Object),
    ("colorId", Shape::Text),
    ("conferenceData", Shape::Object),
    ("description", Shape::Text),
    ("end", Shape::Object),
    (
        "eventType",
        Shape::OneOf(&["default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"]),
    ),
    ("extendedProperties", Shape::Object),
    ("focusTimeProperties", Shape::Object),
    ("gadget", Shape::Object),
    ("guestsCanInviteOthers", Shape::Flag),
    ("guestsCanModify", Shape::Flag),
    ("guestsCanSeeOtherGuests", Shape::Flag),
    ("location", Shape::Text),
    ("outOfOfficeProperties", Shape::Object),
    ("recurrence", Shape::List),
    ("reminders", Shape::Object),
    ("sequence", Shape::Number),
    ("source", Shape::Object),
    ("start", Shape::Object),
    ("status", Shape::OneOf(&["confirmed", "tentative", "cancelled"])),
    ("summary", Shape::Text),
    ("transparency", Shape::OneOf(&["opaque", "transparent"])),
    ("visibility", Shape::OneOf(&["default", "public", "private", "confidential"])),
    ("workingLocationProperties", Shape::Object),
];

/// Takes the writable fields out of a body. `null` stays, for a patch to delete with.
///
/// # Errors
/// When a field has the wrong type or word.
pub fn writable(body: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut fields = Map::new();
    for (name, shape) in &WRITABLE {
        let Some(value) = body.get(*name) else { continue };
        let fits = match (shape, value) {
            (_, Value::Null) | (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => true,
            (Shape::Number, Value::Number(number)) => number.as_i64().is_some(),
            (Shape::List, Value::Array(_)) | (Shape::Object, Value::Object(_)) => true,
            (Shape::OneOf(words), Value::String(word)) => words.contains(&word.as_str()),
            (
                Shape::Text | Shape::Flag | Shape::Number | Shape::List | Shape::Object | Shape::OneOf(_),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
            ) => false,
        };
        if !fits {
            return Err(Refusal::invalid(format!("Invalid value for: {name}")));
        }
        fields.insert((*name).to_owned(), value.clone());
    }
    Ok(fields)
}

/// 5 to 1,024 characters of base32hex in lower case.
#[must_use]
pub fn is_valid_id(id: &str) -> bool {
    (5..=1024).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b))
}

/// JSON merge, as PATCH means it: objects merge, `null` deletes, all else replaces.
pub fn merge(into: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (into.get_mut(name), value) {
            (_, Value::Null) => {
                into.remove(name);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, new) => {
                let mut new = new.clone();
                drop_nulls(&mut new);
                into.insert(name.clone(), new);
            }
        }
    }
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, inner| !inner.is_null());
        map.values_mut().for_each(drop_nulls);
    }
}

/// Checks what must hold between fields, and rewrites times and properties as Google stores them.
///
/// # Errors
/// As Google refuses.
pub fn settle(fields: &mut Map<String, Value>, calendar_zone: &TimeZone) -> Result<(), Refusal> {
    let mut value = Value::Object(std::mem::take(fields));
    drop_nulls(&mut value);
    if let Value::Object(map) = value {
        *fields = map;
    }
    let repeats = recurrence(fields)?;
    let end = moment(fields.get("end"), "end", repeats)?;
    let start = moment(fields.get("start"), "start", repeats)?;
    match (&start, &end) {
        (Moment::Day(from), Moment::Day(to)) => {
            if to <= from {
                return Err(Refusal::empty_event());
            }
        }
        (Moment::At { at: from, .. }, Moment::At { at: to, .. }) => {
            if to < from {
                return Err(Refusal::empty_event());
            }
        }
        (Moment::Day(_), Moment::At { .. }) | (Moment::At { .. }, Moment::Day(_)) => {
            return Err(Refusal::invalid(
                "Start and end times must either both be date or both be dateTime.",
            ));
        }
    }
    fields.insert("start".to_owned(), start.as_json(calendar_zone));
    fields.insert("end".to_owned(), end.as_json(calendar_zone));
    extended_properties(fields);
    Ok(())
}

/// `start`, `end` or `originalStartTime`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    Day(Date),
    At { at: Timestamp, zone: Option<String> },
}

impl Moment {
    #[must_use]
    pub fn as_json(&self, calendar_zone: &TimeZone) -> Value {
        match self {
            Self::Day(date) => json!({"date": date.to_string()}),
            Self::At { at, zone } => {
                let shown = offset(&at.to_zoned(calendar_zone.clone()));
                let zone = zone.as_deref().or(calendar_zone.iana_name()).unwrap_or("UTC");
                json!({"dateTime": shown, "timeZone": zone})
            }
        }
    }

    /// As an instant; a day begins at midnight in the calendar's zone.
    #[must_use]
    pub fn instant(&self, calendar_zone: &TimeZone) -> Timestamp {
        match self {
            Self::At { at, .. } => *at,
            Self::Day(date) => date
                .to_zoned(calendar_zone.clone())
                .map_or(Timestamp::UNIX_EPOCH, |midnight| midnight.timestamp()),
        }
    }

    /// Reads a stored time.
    #[must_use]
    pub fn stored(value: Option<&Value>) -> Option<Self> {
        let value = value?;
        if let Some(date) = value.get("date").and_then(Value::as_str) {
            return date.parse().ok().map(Self::Day);
        }
        let at = value.get("dateTime")?.as_str()?.parse().ok()?;
        Some(Self::At { at, zone: value.get("timeZone").and_then(Value::as_str).map(str::to_owned) })
    }
}

/// `2026-01-02T10:00:00-05:00`, with `Z` for no offset at all.
fn offset(zoned: &Zoned) -> String {
    if zoned.offset().is_zero() {
        zoned.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

fn moment(value: Option<&Value>, which: &str, repeats: bool) -> Result<Moment, Refusal> {
    let Some(value) = value else { return Err(Refusal::required(format!("Missing {which} time."))) };
    let invalid = || Refusal::invalid(format!("Invalid {which} time."));
    let zone = match value.get("timeZone") {
        None => None,
        Some(Value::String(name)) if TimeZone::get(name).is_ok() => Some(name.clone()),
        Some(Value::String(_)) => {
            return Err(Refusal::invalid(format!("Invalid time zone definition for {which} time.")));
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(invalid());
        }
    };
    match (value.get("date"), value.get("dateTime")) {
        (None, None) => Err(Refusal::required(format!("Missing {which} time."))),
        (Some(Value::String(date)), None) => {
            if date.len() != 10 {
                return Err(invalid());
            }
            Ok(Moment::Day(date.parse().map_err(|_| invalid())?))
        }
        (None, Some(Value::String(text))) => {
            let missing_zone =
                || Refusal::required(format!("Missing time zone definition for {which} time."));
            let at = match text.parse::<Timestamp>() {
                Ok(at) => at,
                Err(_) => {
                    let wall: DateTime = text.parse().map_err(|_| invalid())?;
                    let name = zone.as_deref().ok_or_else(missing_zone)?;
                    wall.in_tz(name).map_err(|_| invalid())?.timestamp()
                }
            };
            if repeats && zone.is_none() {
                return Err(missing_zone());
            }
            Ok(Moment::At { at, zone })
        }
        (_, _) => Err(invalid()),
    }
}

fn recurrence(fields: &Map<String, Value>) -> Result<bool, Refusal> {
    let Some(Value::Array(lines)) = fields.get("recurrence") else { return Ok(false) };
    for line in lines {
        let line = line.as_str().unwrap_or_default();
        let fine = match line.split_once([':', ';']) {
            Some(("RRULE", rule)) | Some(("EXRULE", rule)) => is_rule(rule),
            Some(("RDATE" | "EXDATE", dates)) => !dates.is_empty(),
            _ => false,
        };
        if !fine {
            return Err(Refusal::invalid("Invalid recurrence rule."));
        }
    }
    Ok(!lines.is_empty())
}

fn is_rule(rule: &str) -> bool {
    const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
    const PARTS: [&str; 14] = [
        "FREQ",
        "UNTIL",
        "COUNT",
        "INTERVAL",
        "BYSECOND",
        "BYMINUTE",
        "BYHOUR",
        "BYDAY",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYMONTH",
        "BYSETPOS",
        "WKST",
    ];
    let mut frequency = false;
    for part in rule.split(';') {
        let Some((name, value)) = part.split_once('=') else { return false };
        if !PARTS.contains(&name) || value.is_empty() {
            return false;
        }
        frequency |= name == "FREQ" && FREQUENCIES.contains(&value);
    }
    frequency && !(rule.contains("UNTIL=") && rule.contains("COUNT="))
}

/// Over-long keys and values are dropped without a word.
fn extended_properties(fields: &mut Map<String, Value>) {
    let Some(Value::Object(kinds)) = fields.get_mut("extendedProperties") else { return };
    kinds.retain(|kind, _| kind == "private" || kind == "shared");
    for properties in kinds.values_mut() {
        if let Value::Object(map) = properties {
            map.retain(|key, value| {
                key.chars().count() <= 44 && value.as_str().is_some_and(|text| text.chars().count() <= 1024)
            });
        }
    }
    kinds.retain(|_, properties| properties.as_object().is_some_and(|map| !map.is_empty()));
    if kinds.is_empty() {
        fields.remove("extendedProperties");
    }
}

/// The value of one extended property.
#[must_use]
pub fn property<'a>(fields: &'a Map<String, Value>, kind: &str, key: &str) -> Option<&'a str> {
    fields.get("extendedProperties")?.get(kind)?.get(key)?.as_str()
}
