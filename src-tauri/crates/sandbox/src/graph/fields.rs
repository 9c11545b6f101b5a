//! What Graph accepts as an event: names, types, words, and what it makes of a body.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::moment::Moment;
use super::refusal::Refusal;

enum Shape {
    Text,
    Flag,
    Number,
    List,
    Object,
    OneOf(&'static [&'static str]),
}

/// What is stored as it is written.
const WRITABLE: [(&str, Shape); 17] = [
    ("allowNewTimeProposals", Shape::Flag),
    ("attendees", Shape::List),
    ("body", Shape::Object),
    ("categories", Shape::List),
    ("hideAttendees", Shape::Flag),
    ("importance", Shape::OneOf(&["low", "normal", "high"])),
    ("isOnlineMeeting", Shape::Flag),
    ("isReminderOn", Shape::Flag),
    ("location", Shape::Object),
    ("locations", Shape::List),
    (
        "onlineMeetingProvider",
        Shape::OneOf(&["unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"]),
    ),
    ("reminderMinutesBeforeStart", Shape::Number),
    ("responseRequested", Shape::Flag),
    ("sensitivity", Shape::OneOf(&["normal", "personal", "private", "confidential"])),
    ("showAs", Shape::OneOf(&["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"])),
    ("subject", Shape::Text),
    ("isCancelled", Shape::Flag),
];

/// What has a place of its own, or what a client may send back although it decides nothing.
const OTHER: [&str; 35] = [
    "start",
    "end",
    "isAllDay",
    "recurrence",
    "transactionId",
    "singleValueExtendedProperties",
    "multiValueExtendedProperties",
    "extensions",
    "attachments",
    "id",
    "changeKey",
    "createdDateTime",
    "lastModifiedDateTime",
    "iCalUId",
    "uid",
    "bodyPreview",
    "hasAttachments",
    "isDraft",
    "isOrganizer",
    "onlineMeeting",
    "onlineMeetingUrl",
    "organizer",
    "originalStart",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "responseStatus",
    "seriesMasterId",
    "type",
    "webLink",
    "occurrenceId",
    "cancelledOccurrences",
    "exceptionOccurrences",
    "instances",
    "calendar",
    "reminder",
];

/// A body that was understood.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `null` stays, for a patch to take away with.
    pub fields: Map<String, Value>,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
    pub all_day: Option<bool>,
    /// `null` ends a series.
    pub recurrence: Option<Value>,
    pub properties: BTreeMap<String, String>,
    pub transaction: Option<String>,
}

impl Draft {
    /// # Errors
    /// As Graph refuses: an unknown name, a value of the wrong type, a word that is none.
    pub fn read(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let known = |name: &str| {
            name.contains('@') || OTHER.contains(&name) || WRITABLE.iter().any(|(known, _)| *known == name)
        };
        if let Some(name) = body.keys().find(|name| !known(name)) {
            return Err(Refusal::body_read(format!(
                "The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property names that are defined by the type or mark the type as open type."
            )));
        }
        let mut draft = Self::default();
        for (name, shape) in &WRITABLE {
            // Who is invited may be told off; a sandbox's own events cannot cancel themselves.
            if let Some(value) = body.get(*name).filter(|_| *name != "isCancelled") {
                draft.fields.insert((*name).to_owned(), shaped(name, shape, value)?);
            }
        }
        let moment = |name: &str| match body.get(name) {
            None => Ok(None),
            Some(value) => Moment::read(value).map(Some),
        };
        draft.start = moment("start")?;
        draft.end = moment("end")?;
        draft.all_day = match body.get("isAllDay") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => return Err(literal("Edm.Boolean")),
        };
        draft.recurrence = body.get("recurrence").cloned();
        draft.transaction = match body.get("transactionId") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => return Err(literal("Edm.String")),
        };
        draft.properties = properties(body)?;
        Ok(draft)
    }
}

/// Single-value extended properties, as events and calendars carry them.
///
/// # Errors
/// As Graph refuses.
pub fn properties(body: &Map<String, Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut properties = BTreeMap::new();
    for property in body.get("singleValueExtendedProperties").and_then(Value::as_array).into_iter().flatten()
    {
        let part = |name: &str| property.get(name).and_then(Value::as_str);
        let id = part("id").filter(|id| is_property_id(id)).ok_or_else(|| {
            Refusal::new(400, "ErrorInvalidExtendedProperty", "The extended property id is invalid.")
        })?;
        let value = part("value").ok_or_else(|| literal("Edm.String"))?;
        properties.insert(id.to_owned(), value.to_owned());
    }
    Ok(properties)
}

fn shaped(name: &str, shape: &Shape, value: &Value) -> Result<Value, Refusal> {
    match (shape, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => Ok(value.clone()),
        (Shape::Number, Value::Number(number)) if number.as_i64().is_some() => Ok(value.clone()),
        (Shape::OneOf(words), Value::String(word)) => {
            if words.contains(&word.as_str()) {
                Ok(value.clone())
            } else {
                Err(Refusal::body_read(format!("Requested value '{word}' was not found.")))
            }
        }
        (Shape::Object, Value::Object(object)) if name == "body" => body(object),
        (Shape::Object, Value::Object(object)) => Ok(Value::Object(location(object))),
        (Shape::List, Value::Array(list)) => match name {
            "attendees" => list.iter().map(attendee).collect(),
            "locations" => {
                Ok(list.iter().filter_map(Value::as_object).map(location).map(Value::Object).collect())
            }
            _ if list.iter().all(Value::is_string) => Ok(value.clone()),
            _ => Err(literal("Edm.String")),
        },
        (Shape::Flag, _) => Err(literal("Edm.Boolean")),
        (Shape::Number, _) => Err(literal("Edm.Int32")),
        (Shape::Text | Shape::OneOf(_), _) => Err(literal("Edm.String")),
        (Shape::List | Shape::Object, _) => {
            Err(Refusal::body_read(format!("An unexpected value was found for the property '{name}'.")))
        }
    }
}

fn body(object: &Map<String, Value>) -> Result<Value, Refusal> {
    let kind = match object.get("contentType").and_then(Value::as_str).unwrap_or("text") {
        kind if kind.eq_ignore_ascii_case("text") => "text",
        kind if kind.eq_ignore_ascii_case("html") => "html",
        other => return Err(Refusal::body_read(format!("Requested value '{other}' was not found."))),
    };
    Ok(
        json!({"contentType": kind, "content": object.get("content").and_then(Value::as_str).unwrap_or_default()}),
    )
}

fn location(object: &Map<String, Value>) -> Map<String, Value> {
    let mut location = object.clone();
    for (name, value) in
        [("displayName", json!("")), ("locationType", json!("default")), ("uniqueIdType", json!("unknown"))]
    {
        location.entry(name).or_insert(value);
    }
    location
}

fn attendee(value: &Value) -> Result<Value, Refusal> {
    let address = value.get("emailAddress").and_then(|one| one.get("address")).and_then(Value::as_str);
    let address = address.ok_or_else(Refusal::validation)?;
    let name = value["emailAddress"].get("name").and_then(Value::as_str).unwrap_or(address);
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("required");
    let status =
        value.get("status").cloned().unwrap_or(json!({"response": "none", "time": "0001-01-01T00:00:00Z"}));
    Ok(json!({"type": kind, "status": status, "emailAddress": {"name": name, "address": address}}))
}

fn literal(kind: &str) -> Refusal {
    Refusal::body_read(format!("Cannot convert the literal to the expected type '{kind}'."))
}

/// `String {GUID} Name word`, `Integer 0x…`: braces and single spaces are part of it.
#[must_use]
pub fn is_property_id(id: &str) -> bool {
    const TYPES: [&str; 9] =
        ["Binary", "Boolean", "Currency", "Double", "Float", "Integer", "Short", "String", "SystemTime"];
    let Some((kind, rest)) = id.split_once(' ') else { return false };
    if !TYPES.contains(&kind) {
        return false;
    }
    if let Some(tag) = rest.strip_prefix("0x") {
        return !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let Some((guid, rest)) = rest.strip_prefix('{').and_then(|rest| rest.split_once("} ")) else {
        return false;
    };
    let named = rest.strip_prefix("Name ").or_else(|| rest.strip_prefix("Id "));
    uuid::Uuid::parse_str(guid).is_ok()
        && guid.len() == 36
        && named.is_some_and(|name| !name.is_empty() && !name.starts_with(' '))
}

/// The same property: the GUID in any case, the name in its own.
#[must_use]
pub fn same_property(one: &str, other: &str) -> bool {
    let parts =
        |id: &str| id.split_once("} ").map(|(head, name)| (head.to_ascii_lowercase(), name.to_owned()));
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_named_by_type_set_and_name() {
        let guid = "66f5a359-4659-4830-9070-00047ec6ac6e";
        for good in [
            format!("String {{{guid}}} Name bookijiBooking"),
            "Integer 0x8005".to_owned(),
            format!("Integer {{{guid}}} Id 0x8233"),
        ] {
            assert!(is_property_id(&good), "{good}");
        }
        for bad in [
            format!("String {guid} Name x"),
            format!("String {{{guid}}}  Name x"),
            format!("String {{{guid}}} name x"),
            format!("Text {{{guid}}} Name x"),
            "String {nonsense} Name x".to_owned(),
            String::new(),
        ] {
            assert!(!is_property_id(&bad), "{bad}");
        }
        let upper = guid.to_uppercase();
        assert!(same_property(&format!("String {{{guid}}} Name a"), &format!("String {{{upper}}} Name a")));
        assert!(!same_property(&format!("String {{{guid}}} Name a"), &format!("String {{{guid}}} Name A")));
    }

    #[test]
    fn what_the_type_does_not_have_is_refused_by_name() {
        let read = |body: Value| Draft::read(body.as_object().unwrap());
        assert!(
            read(json!({"subject": "x", "showAs": "busy", "@odata.type": "#microsoft.graph.event"})).is_ok()
        );
        for body in [
            json!({"summary": "x"}),
            json!({"showAs": "occupied"}),
            json!({"subject": 1}),
            json!({"isAllDay": "yes"}),
            json!({"body": "text"}),
            json!({"start": "2026-01-01"}),
            json!({"singleValueExtendedProperties": [{"id": "x", "value": "y"}]}),
        ] {
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }
}
