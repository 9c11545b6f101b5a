//! The events methods over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::listing::{Bent, Question, with_etag};
use super::refusal::Refusal;
use super::scopes::{Action, Caller, admit};
use super::world::Record;
use super::write::{Condition, find};
use crate::app::App;
use crate::faults::Quirk;
use crate::wire::Call;

pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadEvents)?;
    gone(&app, &call)?;
    let cursor_lost = call.query("syncToken").is_some() && app.misbehaves(&call, Quirk::CursorLost);
    let bent = Bent {
        short: app.misbehaves(&call, Quirk::ShortPage),
        duplicate: call.query("pageToken").is_some() && app.misbehaves(&call, Quirk::DuplicatePage),
        reordered: app.misbehaves(&call, Quirk::Reordered),
        empty: app.misbehaves(&call, Quirk::EmptyListing),
    };
    let now = app.clock().now();
    let world = app.world();
    let calendar = world.google.calendar(&caller.account, call.param("calendarId"))?;
    caller.reach(calendar)?;
    let changes = world.google.changes;
    let question = Question::read(&call, calendar, changes, now, cursor_lost)?;
    let page = question.answer(calendar, changes, now, bent);
    let veiled = caller.sees_times_only(calendar);
    let items: Vec<_> =
        page.items.into_iter().filter_map(|item| if veiled { veil(item) } else { Some(item) }).collect();
    let mut body = json!({
        "kind": "calendar#events",
        "etag": super::world::etag(changes),
        "summary": calendar.summary,
        "description": calendar.description.as_deref().unwrap_or_default(),
        "updated": crate::time::zulu_ms(now),
        "timeZone": calendar.time_zone,
        "accessRole": calendar.role.as_str(),
        "defaultReminders": [],
        "items": items,
    });
    if let Some(token) = page.next_page {
        body["nextPageToken"] = json!(token);
    }
    if let Some(token) = page.next_sync {
        body["nextSyncToken"] = json!(token);
    }
    Ok(Json(body).into_response())
}

pub async fn get(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadEvents)?;
    gone(&app, &call)?;
    let world = app.world();
    let calendar = world.google.calendar(&caller.account, call.param("calendarId"))?;
    caller.reach(calendar)?;
    let record = find(calendar, call.param("eventId"))?;
    if call.header("if-none-match").is_some_and(|etag| etag == record.etag()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    if caller.sees_times_only(calendar) {
        let fields = veil(with_etag(record.fields.clone(), &record)).ok_or_else(Refusal::not_found)?;
        return Ok(Json(fields).into_response());
    }
    Ok(told(&record))
}

pub async fn insert(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    write_options(&call)?;
    write(&app, &call, |desk, _| {
        let body = body(&app, &call)?;
        desk.insert(&body).map(|record| told(&record))
    })
}

pub async fn update(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    write_options(&call)?;
    write(&app, &call, |desk, condition| {
        let body = body(&app, &call)?;
        desk.update(call.param("eventId"), &body, condition).map(|record| told(&record))
    })
}

pub async fn patch(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    write_options(&call)?;
    write(&app, &call, |desk, condition| {
        let body = body(&app, &call)?;
        desk.patch(call.param("eventId"), &body, condition).map(|record| told(&record))
    })
}

pub async fn delete(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    write_options(&call)?;
    write(&app, &call, |desk, condition| {
        desk.delete(call.param("eventId"), condition)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

/// The exceptions and expanded instances of one series.
pub async fn instances(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadEvents)?;
    let now = app.clock().now();
    let world = app.world();
    let calendar = world.google.calendar(&caller.account, call.param("calendarId"))?;
    caller.reach(calendar)?;
    let id = call.param("eventId");
    let master = calendar.events.get(id).filter(|m| !m.is_cancelled()).ok_or_else(Refusal::not_found)?;
    if !master.repeats() {
        return Err(Refusal::invalid("The event is not recurring."));
    }
    // The series alone, listed as single events.
    let mut alone = calendar.clone();
    alone.events.retain(|other, record| other == id || record.series() == Some(id));
    let mut asked = call;
    asked.query.push(("singleEvents".to_owned(), "true".to_owned()));
    let question = Question::read(&asked, &alone, world.google.changes, now, false)?;
    let page = question.answer(&alone, world.google.changes, now, Bent::default());
    let mut body = json!({"kind": "calendar#events", "etag": super::world::etag(world.google.changes),
        "summary": calendar.summary, "timeZone": calendar.time_zone, "updated": crate::time::zulu_ms(now),
        "accessRole": calendar.role.as_str(), "defaultReminders": [], "items": page.items});
    if let Some(token) = page.next_page {
        body["nextPageToken"] = json!(token);
    }
    Ok(Json(body).into_response())
}

fn write(
    app: &App,
    call: &Call,
    action: impl FnOnce(&mut super::world::Desk, &Condition) -> Result<Response, Refusal>,
) -> Result<Response, Refusal> {
    let caller: Caller = admit(app, call, Action::WriteEvents)?;
    gone(app, call)?;
    let asked = call.header("if-match");
    let condition = match asked {
        Some(etag) if !app.misbehaves(call, Quirk::IgnoresPrecondition) => Condition::IfMatch(etag),
        Some(_) | None => Condition::None,
    };
    let now = app.clock().now();
    let world = &mut *app.world();
    let id = call.param("calendarId");
    caller.reach(world.google.calendar(&caller.account, id)?)?;
    let mut desk = world.google.desk(&mut world.names, &caller.account, id, now)?;
    action(&mut desk, &condition)
}

fn body(app: &App, call: &Call) -> Result<Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    let json_type = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if !json_type {
        return Err(Refusal::bad_request("Media type is not supported."));
    }
    let mut body = call.json().ok_or_else(Refusal::parse_error)?;
    if body.contains_key("extendedProperties") && app.misbehaves(call, Quirk::DropsMarker) {
        body.remove("extendedProperties");
    }
    Ok(body)
}

fn write_options(call: &Call) -> Result<(), Refusal> {
    match call.query("sendUpdates") {
        None | Some("all" | "externalOnly" | "none") => {}
        Some(other) => {
            let message =
                format!("Invalid string value: '{other}'. Allowed values: [all, externalOnly, none]");
            return Err(Refusal::parameter("sendUpdates", message));
        }
    }
    for name in ["sendNotifications", "supportsAttachments", "alwaysIncludeEmail"] {
        super::params::flag(call, name)?;
    }
    for name in ["maxAttendees", "conferenceDataVersion"] {
        if call.query(name).is_some_and(|text| text.parse::<u32>().is_err()) {
            return Err(Refusal::parameter(name, "Invalid integer value."));
        }
    }
    Ok(())
}

fn gone(app: &App, call: &Call) -> Result<(), Refusal> {
    if app.misbehaves(call, Quirk::CalendarGone) { Err(Refusal::not_found()) } else { Ok(()) }
}

fn told(record: &Record) -> Response {
    let mut response = Json(with_etag(record.fields.clone(), record)).into_response();
    if let Ok(etag) = HeaderValue::from_str(&record.etag()) {
        response.headers_mut().insert("etag", etag);
    }
    response
}

/// What free/busy permission shows of an event: that something is there, or nothing at all.
fn veil(item: Map<String, Value>) -> Option<Map<String, Value>> {
    if item.get("transparency").and_then(Value::as_str) == Some("transparent") {
        return None;
    }
    const TOLD: [&str; 13] = [
        "kind",
        "etag",
        "id",
        "status",
        "start",
        "end",
        "recurrence",
        "recurringEventId",
        "originalStartTime",
        "iCalUID",
        "eventType",
        "updated",
        "sequence",
    ];
    let mut item: Map<String, Value> =
        item.into_iter().filter(|(name, _)| TOLD.contains(&name.as_str())).collect();
    item.insert("visibility".to_owned(), json!("private"));
    Some(item)
}
