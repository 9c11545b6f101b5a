//! calendarList, calendars and settings over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::params;
use super::refusal::Refusal;
use super::scopes::{Action, admit};
use super::token::{PageToken, SyncToken, fingerprint, open, seal};
use super::world::{Calendar, Role, etag};
use crate::app::App;
use crate::faults::Quirk;
use crate::wire::Call;

pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ListCalendars)?;
    let limit = params::count(&call, "maxResults", 250)?.unwrap_or(100);
    let show_deleted = params::flag(&call, "showDeleted")?.unwrap_or(false);
    params::flag(&call, "showHidden")?;
    params::flag(&call, "showOwnOrganizationOnly")?;
    let least = match call.query("minAccessRole") {
        None | Some("freeBusyReader") => Role::FreeBusyReader,
        Some("reader") => Role::Reader,
        Some("writer" | "writerWithoutPrivateAccess") => Role::Writer,
        Some("owner") => Role::Owner,
        Some(other) => {
            return Err(Refusal::parameter("minAccessRole", format!("Invalid string value: '{other}'.")));
        }
    };
    let now = app.clock().now();
    let question = fingerprint(&["calendarList", &caller.account]);
    let lost = call.query("syncToken").is_some() && app.misbehaves(&call, Quirk::CursorLost);
    let empty = app.misbehaves(&call, Quirk::EmptyListing);
    let short = app.misbehaves(&call, Quirk::ShortPage);
    let world = app.world();
    let changes = world.google.changes;
    let since = match call.query("syncToken") {
        None => None,
        Some(word) => {
            if call.query("minAccessRole").is_some() || call.query("showOwnOrganizationOnly").is_some() {
                return Err(Refusal::bad_request("Sync token cannot be used together with minAccessRole."));
            }
            let token: SyncToken = open(word)
                .ok_or_else(|| Refusal::invalid_parameter_value("syncToken", "Invalid sync token value."))?;
            if lost || token.question != question || token.seen > changes {
                return Err(Refusal::full_sync_required());
            }
            Some(token.seen)
        }
    };
    let page = match call.query("pageToken") {
        None => None,
        Some(word) => Some(
            open::<PageToken>(word)
                .filter(|token| token.question == question)
                .ok_or_else(|| Refusal::invalid_parameter_value("pageToken", "Invalid page token value."))?,
        ),
    };
    let account = world.google.accounts.get(&caller.account).ok_or_else(Refusal::not_found)?;
    let matching: Vec<&Calendar> = account
        .calendars
        .values()
        .filter(|c| !empty && c.role >= least && (!c.deleted || show_deleted || since.is_some()))
        .filter(|c| since.is_none_or(|seen| c.changed > seen))
        .filter(|c| page.as_ref().is_none_or(|page| c.id > page.after))
        .collect();
    let limit = if short { 1 } else { limit };
    let shown = &matching[..limit.min(matching.len())];
    let mut body = json!({"kind": "calendar#calendarList", "etag": etag(changes),
        "items": shown.iter().map(|c| entry(c, &caller.account)).collect::<Vec<_>>()});
    let as_of = page.map_or(changes, |page| page.as_of);
    match shown.last() {
        Some(last) if shown.len() < matching.len() => {
            body["nextPageToken"] = json!(seal(&PageToken { question, after: last.id.clone(), as_of }));
        }
        Some(_) | None => {
            body["nextSyncToken"] =
                json!(seal(&SyncToken { question, seen: as_of, issued_s: now.as_second() }));
        }
    }
    Ok(Json(body).into_response())
}

pub async fn get_listed(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::GetListedCalendar)?;
    let world = app.world();
    let calendar = world.google.calendar(&caller.account, call.param("calendarId"))?;
    caller.reach(calendar)?;
    Ok(Json(entry(calendar, &caller.account)).into_response())
}

pub async fn get(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::GetCalendar)?;
    if app.misbehaves(&call, Quirk::CalendarGone) {
        return Err(Refusal::not_found());
    }
    let world = app.world();
    let calendar = world.google.calendar(&caller.account, call.param("calendarId"))?;
    caller.reach(calendar)?;
    Ok(Json(resource(calendar, &caller.account)).into_response())
}

pub async fn insert(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ChangeCalendar)?;
    let body = call.json().ok_or_else(Refusal::parse_error)?;
    let summary = text(&body, "summary")?.ok_or_else(|| Refusal::required("Missing summary."))?;
    let zone = zone(&body)?;
    let world = &mut *app.world();
    world.google.changes += 1;
    let changed = world.google.changes;
    let account = world.google.accounts.get_mut(&caller.account).ok_or_else(Refusal::not_found)?;
    let calendar = Calendar {
        id: format!("{}@group.calendar.google.com", world.names.hex()),
        summary,
        description: text(&body, "description")?,
        location: text(&body, "location")?,
        time_zone: zone.unwrap_or_else(|| account.time_zone.clone()),
        role: Role::Owner,
        primary: false,
        made_by_app: true,
        public: false,
        deleted: false,
        changed,
        color: "#7986cb".to_owned(),
        events: std::collections::BTreeMap::new(),
    };
    let told = resource(&calendar, &caller.account);
    account.calendars.insert(calendar.id.clone(), calendar);
    Ok(Json(told).into_response())
}

/// `calendars.patch` and `calendars.update`: with `PUT`, what is not named falls away.
pub async fn change(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ChangeCalendar)?;
    let body = call.json().ok_or_else(Refusal::parse_error)?;
    let replaces = call.route.method == "PUT";
    let now = app.clock().now();
    let world = &mut *app.world();
    caller.reach(world.google.calendar(&caller.account, call.param("calendarId"))?)?;
    let desk = world.google.desk(&mut world.names, &caller.account, call.param("calendarId"), now)?;
    if desk.calendar.role < Role::Owner {
        return Err(Refusal::forbidden());
    }
    match text(&body, "summary")? {
        Some(summary) => desk.calendar.summary = summary,
        None if replaces => return Err(Refusal::required("Missing summary.")),
        None => {}
    }
    if replaces || body.contains_key("description") {
        desk.calendar.description = text(&body, "description")?;
    }
    if replaces || body.contains_key("location") {
        desk.calendar.location = text(&body, "location")?;
    }
    if let Some(zone) = zone(&body)? {
        desk.calendar.time_zone = zone;
    }
    *desk.changes += 1;
    desk.calendar.changed = *desk.changes;
    Ok(Json(resource(desk.calendar, &caller.account)).into_response())
}

pub async fn delete(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ChangeCalendar)?;
    let now = app.clock().now();
    let world = &mut *app.world();
    caller.reach(world.google.calendar(&caller.account, call.param("calendarId"))?)?;
    let desk = world.google.desk(&mut world.names, &caller.account, call.param("calendarId"), now)?;
    if desk.calendar.primary {
        return Err(Refusal::invalid("Cannot delete a primary calendar."));
    }
    if desk.calendar.role < Role::Owner {
        return Err(Refusal::forbidden());
    }
    *desk.changes += 1;
    desk.calendar.changed = *desk.changes;
    desk.calendar.deleted = true;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn setting(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::Settings)?;
    let world = app.world();
    let account = world.google.accounts.get(&caller.account).ok_or_else(Refusal::not_found)?;
    if call.param("setting") != "timezone" {
        return Err(Refusal::not_found());
    }
    Ok(Json(
        json!({"kind": "calendar#setting", "etag": etag(1), "id": "timezone", "value": account.time_zone}),
    )
    .into_response())
}

fn entry(calendar: &Calendar, account: &str) -> Value {
    if calendar.deleted {
        return json!({"kind": "calendar#calendarListEntry", "etag": etag(calendar.changed), "id": calendar.id,
            "deleted": true, "accessRole": calendar.role.as_str()});
    }
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": etag(calendar.changed),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": "17",
        "backgroundColor": calendar.color,
        "foregroundColor": "#000000",
        "selected": true,
        "accessRole": calendar.role.as_str(),
        "defaultReminders": [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    });
    if let Some(description) = &calendar.description {
        entry["description"] = json!(description);
    }
    if calendar.primary {
        entry["primary"] = json!(true);
    }
    if calendar.role == Role::Owner {
        entry["dataOwner"] = json!(account);
    }
    entry
}

fn resource(calendar: &Calendar, account: &str) -> Value {
    let mut resource = json!({"kind": "calendar#calendar", "etag": etag(calendar.changed), "id": calendar.id,
        "summary": calendar.summary, "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}});
    if let Some(description) = &calendar.description {
        resource["description"] = json!(description);
    }
    if let Some(location) = &calendar.location {
        resource["location"] = json!(location);
    }
    if calendar.role == Role::Owner {
        resource["dataOwner"] = json!(account);
    }
    resource
}

fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::invalid(format!("Invalid value for: {name}")))
        }
    }
}

fn zone(body: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let zone = text(body, "timeZone")?;
    match zone {
        Some(name) if TimeZone::get(&name).is_err() => Err(Refusal::invalid("Invalid time zone.")),
        zone => Ok(zone),
    }
}
