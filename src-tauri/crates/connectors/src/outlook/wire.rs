//! Graph's event as far as it is used, read without a way to fail: what has another type than promised is not there.

use serde_json::Value;

/// One item of a list, or one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    pub id: String,
    pub etag: String,
    pub kind: Kind,
    pub series: Option<String>,
    pub ical_uid: Option<String>,
    pub transaction: Option<String>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub location: Option<String>,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
    pub original_zone: Option<String>,
    pub is_all_day: bool,
    pub is_cancelled: bool,
    pub show_as: Option<String>,
    pub response: Option<String>,
    pub is_private: bool,
    pub modified: Option<String>,
    /// Single-value extended properties, by id.
    pub properties: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Single,
    Occurrence,
    Exception,
    Master,
}

/// A wall time without an offset, in the zone that stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub date_time: String,
    pub zone: Option<String>,
}

/// What one item of a list of changes says.
pub(super) enum Item {
    Stands(Box<Event>),
    /// Deleted, or outside the window.
    Removed(String),
    Nameless,
}

pub(super) fn item(value: &Value) -> Item {
    match event(value) {
        None => Item::Nameless,
        Some(event) if value["@removed"].is_object() => Item::Removed(event.id),
        Some(event) => Item::Stands(Box::new(event)),
    }
}

/// Nothing without an id.
pub(super) fn event(value: &Value) -> Option<Event> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let etag = text("@odata.etag").or_else(|| text("changeKey").map(|key| format!("W/\"{key}\"")));
    let properties = value["singleValueExtendedProperties"].as_array().into_iter().flatten();
    Some(Event {
        id: text("id").filter(|id| !id.is_empty())?,
        etag: etag.unwrap_or_default(),
        kind: match value["type"].as_str() {
            Some("occurrence") => Kind::Occurrence,
            Some("exception") => Kind::Exception,
            Some("seriesMaster") => Kind::Master,
            _ => Kind::Single,
        },
        series: text("seriesMasterId"),
        ical_uid: text("iCalUId"),
        transaction: text("transactionId"),
        subject: text("subject"),
        body: words(value),
        location: value["location"]["displayName"].as_str().map(str::to_owned),
        start: moment(&value["start"]),
        end: moment(&value["end"]),
        original_zone: text("originalStartTimeZone"),
        is_all_day: value["isAllDay"] == true,
        is_cancelled: value["isCancelled"] == true,
        show_as: text("showAs"),
        response: value["responseStatus"]["response"].as_str().map(str::to_owned),
        is_private: matches!(value["sensitivity"].as_str(), Some("private" | "confidential")),
        modified: text("lastModifiedDateTime"),
        properties: properties
            .filter_map(|property| {
                Some((property["id"].as_str()?.to_owned(), property["value"].as_str()?.to_owned()))
            })
            .collect(),
    })
}

/// Its text as plain text. Pages are asked to send it so; one that sends a web page all the same is read by its preview.
fn words(value: &Value) -> Option<String> {
    let body = &value["body"];
    let plain = body["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("text"));
    let text = if plain { &body["content"] } else { &value["bodyPreview"] };
    text.as_str().map(str::to_owned)
}

fn moment(value: &Value) -> Option<Moment> {
    Some(Moment {
        date_time: value["dateTime"].as_str()?.to_owned(),
        zone: value["timeZone"].as_str().map(str::to_owned),
    })
}
