//! Her calendars over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::ids::EventId;
use super::options::{Options, PAGE};
use super::refusal::Refusal;
use super::scopes::{Action, admit};
use super::view::{context, next_link};
use super::world::{Calendar, change_key};
use crate::app::App;
use crate::faults::Quirk;
use crate::wire::Call;

const COLORS: [&str; 11] = [
    "auto",
    "lightBlue",
    "lightGreen",
    "lightOrange",
    "lightGray",
    "lightYellow",
    "lightTeal",
    "lightPink",
    "lightBrown",
    "lightRed",
    "maxColor",
];

pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    let options = Options::read(&call)?;
    let empty = app.misbehaves(&call, Quirk::EmptyListing);
    let short = app.misbehaves(&call, Quirk::ShortPage);
    let duplicate = options.skip > 0 && app.misbehaves(&call, Quirk::DuplicatePage);
    let reordered = app.misbehaves(&call, Quirk::Reordered);
    let world = app.world();
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let mut live: Vec<&Calendar> =
        mailbox.calendars.values().filter(|held| !held.deleted && !empty).collect();
    live.sort_by_key(|held| (!held.default, held.changed));
    let size = if short { 1 } else { options.top.or(caller.prefer.page_size).unwrap_or(PAGE) };
    let from = options.skip.min(live.len());
    let to = (from + size).min(live.len());
    let shown = &live[if duplicate { from.saturating_sub(1) } else { from }..to];
    let mut items: Vec<Value> = shown.iter().map(|held| Value::Object(shaped(held, &options))).collect();
    if reordered {
        items.reverse();
    }
    let mut body = json!({"@odata.context": context(&call, "users('me')/calendars"), "value": items});
    if to < live.len() {
        body["@odata.nextLink"] = json!(next_link(&call, "$skip", &to.to_string()));
    }
    Ok(Json(body).into_response())
}

pub async fn get(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    let options = Options::read(&call)?;
    let world = app.world();
    let calendar = world.outlook.mailbox(&caller.account)?.calendar(call.param("calendar"))?;
    Ok(one(&call, shaped(calendar, &options), StatusCode::OK))
}

/// The one that an event is in: <https://learn.microsoft.com/graph/api/calendar-get>.
pub async fn of_event(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    let options = Options::read(&call)?;
    let world = app.world();
    let (calendar, _) = world.outlook.mailbox(&caller.account)?.look(&EventId::read(call.param("event"))?)?;
    Ok(one(&call, shaped(calendar, &options), StatusCode::OK))
}

pub async fn create(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let name = body.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let name =
        name.ok_or_else(|| Refusal::new(400, "ErrorInvalidArgument", "The calendar's name is missing."))?;
    let color = color(&body)?.unwrap_or("auto");
    let properties = super::fields::properties(&body)?;
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    let id = desk.create_calendar(name, color)?;
    let id = desk.change_calendar(&id, |calendar| calendar.properties = properties)?;
    let told = tell(desk.mailbox.calendar(&id)?);
    Ok(one(&call, told, StatusCode::CREATED))
}

pub async fn change(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    gone(&app, &call)?;
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let color = color(&body)?;
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    let id = desk.change_calendar(call.param("calendar"), |calendar| {
        if let Some(name) = body.get("name").and_then(Value::as_str) {
            name.clone_into(&mut calendar.name);
        }
        if let Some(color) = color {
            color.clone_into(&mut calendar.color);
        }
    })?;
    let told = tell(desk.mailbox.calendar(&id)?);
    Ok(one(&call, told, StatusCode::OK))
}

pub async fn delete(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    gone(&app, &call)?;
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    if desk.mailbox.calendar(call.param("calendar"))?.default {
        return Err(Refusal::new(
            400,
            "ErrorDeleteDistinguishedFolder",
            "Distinguished folders cannot be deleted.",
        ));
    }
    desk.change_calendar(call.param("calendar"), |calendar| calendar.deleted = true)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub fn gone(app: &App, call: &Call) -> Result<(), Refusal> {
    if app.misbehaves(call, Quirk::CalendarGone) { Err(Refusal::not_found()) } else { Ok(()) }
}

fn one(call: &Call, mut told: Map<String, Value>, status: StatusCode) -> Response {
    told.insert("@odata.context".to_owned(), json!(context(call, "users('me')/calendars/$entity")));
    (status, Json(Value::Object(told))).into_response()
}

fn tell(calendar: &Calendar) -> Map<String, Value> {
    let told = json!({
        "id": calendar.id,
        "name": calendar.name,
        "color": calendar.color,
        "hexColor": "",
        "isDefaultCalendar": calendar.default,
        "changeKey": change_key(&calendar.id, calendar.changed),
        "canShare": calendar.can_edit,
        "canViewPrivateItems": true,
        "canEdit": calendar.can_edit,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.default,
        "isRemovable": !calendar.default,
        "owner": {"name": calendar.owner.0, "address": calendar.owner.1},
    });
    told.as_object().cloned().unwrap_or_default()
}

fn shaped(calendar: &Calendar, options: &Options) -> Map<String, Value> {
    let mut told = selected(tell(calendar), options);
    let shown = options.shown(&calendar.properties);
    if !shown.is_empty() {
        told.insert("singleValueExtendedProperties".to_owned(), Value::Array(shown));
    }
    told
}

fn selected(mut told: Map<String, Value>, options: &Options) -> Map<String, Value> {
    if let Some(select) = &options.select {
        told.retain(|name, _| name == "id" || select.iter().any(|wanted| wanted == name));
    }
    told
}

fn color(body: &Map<String, Value>) -> Result<Option<&str>, Refusal> {
    match body.get("color").and_then(Value::as_str) {
        Some(word) if !COLORS.contains(&word) => {
            Err(Refusal::body_read(format!("Requested value '{word}' was not found.")))
        }
        color => Ok(color),
    }
}
