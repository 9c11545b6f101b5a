//! Events over HTTP: list, get, create, change, delete.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::calendars::gone;
use super::event::{escaped, tell};
use super::ids::EventId;
use super::occurrence::{Kind, Placed, whole};
use super::options::Options;
use super::refusal::Refusal;
use super::scopes::{Action, Caller, admit};
use super::view::{applied, base, context, paged};
use super::world::{Calendar, Mailbox, etag};
use super::write::Condition;
use crate::app::App;
use crate::faults::Quirk;
use crate::wire::Call;

/// Of the whole mailbox.
pub async fn list_all(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    listed(&app, &call, &caller, None)
}

/// Of one calendar.
pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    listed(&app, &call, &caller, Some(call.param("calendar")))
}

/// Single events and masters; occurrences are what views are for.
fn listed(app: &App, call: &Call, caller: &Caller, of: Option<&str>) -> Result<Response, Refusal> {
    let options = Options::read(call)?;
    let world = app.world();
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let calendars: Vec<&Calendar> = match of {
        Some(id) => vec![mailbox.calendar(id)?],
        None => mailbox.calendars.values().filter(|calendar| !calendar.deleted).collect(),
    };
    let items = calendars.iter().flat_map(|calendar| calendar.events.values()).filter(|item| !item.deleted);
    let mut placed: Vec<Placed> = items.map(whole).collect();
    placed.sort_by_key(|one| std::cmp::Reverse(one.item.made));
    let mut told = Vec::new();
    for one in &placed {
        let mut event = tell(one, mailbox, &caller.account, &caller.prefer);
        if options.filter.as_ref().is_none_or(|filter| filter.takes(one.item, &event)) {
            options.shape(&mut event, one.item);
            told.push(event);
        }
    }
    options.sort(&mut told);
    drop(world);
    paged(app, call, caller, &options, told, "users('me')/events")
}

pub async fn get(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    let options = Options::read(&call)?;
    let world = app.world();
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let id = EventId::read(call.param("event"))?;
    // Wherever it is: of the path's calendar Graph wants no more than that there is one.
    if !call.param("calendar").is_empty() {
        mailbox.calendar(call.param("calendar"))?;
    }
    let (_, placed) = mailbox.look(&id)?;
    Ok(answer(&call, &caller, mailbox, &placed, &options, StatusCode::OK))
}

pub async fn create(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    gone(&app, &call)?;
    let body = body(&app, &call)?;
    let options = Options::read(&call)?;
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    let id = desk.create(call.param("calendar"), &body, caller.prefer.immutable_ids)?;
    let (_, placed) = desk.mailbox.look(&id)?;
    let mut response = answer(&call, &caller, desk.mailbox, &placed, &options, StatusCode::CREATED);
    let location = format!("{}/me/events/{}", base(&call), escaped(&id.write()));
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert("location", location);
    }
    Ok(response)
}

pub async fn patch(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    gone(&app, &call)?;
    let body = body(&app, &call)?;
    let options = Options::read(&call)?;
    let id = EventId::read(call.param("event"))?;
    let condition = condition(&app, &call);
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    within(&call, desk.mailbox, desk.mailbox.look(&id)?.0)?;
    desk.patch(&id, &body, condition)?;
    let (_, placed) = desk.mailbox.look(&id)?;
    Ok(answer(&call, &caller, desk.mailbox, &placed, &options, StatusCode::OK))
}

pub async fn delete(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::WriteCalendars)?;
    gone(&app, &call)?;
    let id = EventId::read(call.param("event"))?;
    let condition = condition(&app, &call);
    let now = app.clock().now();
    let mut world = app.world();
    let mut desk = world.outlook.desk(&caller.account, now)?;
    within(&call, desk.mailbox, desk.mailbox.look(&id)?.0)?;
    desk.delete(&id, condition)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An event of another calendar than the path's is not there to be changed.
fn within(call: &Call, mailbox: &Mailbox, calendar: &Calendar) -> Result<(), Refusal> {
    let named = call.param("calendar");
    if named.is_empty() || mailbox.calendar(named)?.id == calendar.id {
        Ok(())
    } else {
        Err(Refusal::not_found())
    }
}

fn condition<'a>(app: &App, call: &'a Call) -> Condition<'a> {
    match call.header("if-match") {
        Some(tag) if !app.misbehaves(call, Quirk::IgnoresPrecondition) => Condition::IfMatch(tag),
        Some(_) | None => Condition::None,
    }
}

fn body(app: &App, call: &Call) -> Result<Map<String, Value>, Refusal> {
    let json_type = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let mut body = call.json().filter(|_| json_type).ok_or_else(Refusal::unreadable)?;
    if body.contains_key("singleValueExtendedProperties") && app.misbehaves(call, Quirk::DropsMarker) {
        body.remove("singleValueExtendedProperties");
    }
    Ok(body)
}

fn answer(
    call: &Call,
    caller: &Caller,
    mailbox: &Mailbox,
    placed: &Placed,
    options: &Options,
    status: StatusCode,
) -> Response {
    let mut told = tell(placed, mailbox, &caller.account, &caller.prefer);
    options.shape(&mut told, placed.item);
    series_extras(&mut told, placed, mailbox, caller, options);
    let tag = etag(&placed.change_key());
    told.insert("@odata.context".to_owned(), json!(context(call, "users('me')/events/$entity")));
    let mut response = (status, Json(Value::Object(told))).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert("etag", tag);
    }
    applied(response, &caller.prefer)
}

/// What a master tells of its occurrences, and only when asked by name.
fn series_extras(
    told: &mut Map<String, Value>,
    placed: &Placed,
    mailbox: &Mailbox,
    caller: &Caller,
    options: &Options,
) {
    let selected =
        |name: &str| options.select.as_ref().is_some_and(|select| select.iter().any(|one| one == name));
    if placed.kind != Kind::Master {
        return;
    }
    let id = placed.item.id(None, caller.prefer.immutable_ids);
    if selected("cancelledOccurrences") {
        let days =
            placed.item.cancelled.keys().filter_map(|second| jiff::Timestamp::from_second(*second).ok());
        let zone = if placed.item.all_day {
            jiff::tz::TimeZone::UTC
        } else {
            placed.start.graph_zone().zone().clone()
        };
        let told_days: Vec<String> =
            days.map(|at| format!("OID.{id}.{}", at.to_zoned(zone.clone()).date())).collect();
        told.insert("cancelledOccurrences".to_owned(), json!(told_days));
    }
    if options.exceptions && selected("exceptionOccurrences") {
        let seconds =
            placed.item.exceptions.keys().filter_map(|second| jiff::Timestamp::from_second(*second).ok());
        let exceptions: Vec<Value> = seconds
            .filter_map(|original| super::occurrence::at(placed.item, original))
            .map(|one| {
                let mut event = tell(&one, mailbox, &caller.account, &caller.prefer);
                options.shape(&mut event, one.item);
                Value::Object(event)
            })
            .collect();
        told.insert("exceptionOccurrences".to_owned(), Value::Array(exceptions));
    }
}
