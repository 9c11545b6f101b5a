//! `calendarView` and `instances`: everything in a window, expanded and whole. And how pages are told in general.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::calendars::gone;
use super::event::{escaped, tell};
use super::ids::EventId;
use super::moment::parameter;
use super::occurrence::{of_calendar, of_item};
use super::options::{Options, PAGE};
use super::prefer::Prefer;
use super::refusal::Refusal;
use super::scopes::{Action, Caller, admit};
use crate::app::App;
use crate::faults::Quirk;
use crate::wire::Call;

const LONGEST_DAYS: i64 = 1825;

pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    let options = Options::read(&call)?;
    let (from, to) = window(&call)?;
    let told = {
        let world = app.world();
        let mailbox = world.outlook.mailbox(&caller.account)?;
        let calendar = mailbox.calendar(call.param("calendar"))?;
        let zone = mailbox.zone();
        let placed = of_calendar(calendar, &zone, from, to);
        shaped(&placed, mailbox, &caller, &options)
    };
    paged(&app, &call, &caller, &options, told, "users('me')/calendarView")
}

pub async fn instances(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    let options = Options::read(&call)?;
    let (from, to) = window(&call)?;
    let told = {
        let world = app.world();
        let mailbox = world.outlook.mailbox(&caller.account)?;
        let id = EventId::read(call.param("event"))?;
        let (_, item) = mailbox.find(&id)?;
        if item.recurrence.is_none() || id.original.is_some() {
            return Err(Refusal::invalid_request("The event is not the master of a series."));
        }
        let placed = of_item(item, &mailbox.zone(), from, to);
        shaped(&placed, mailbox, &caller, &options)
    };
    paged(&app, &call, &caller, &options, told, "users('me')/events/instances")
}

fn shaped(
    placed: &[super::occurrence::Placed],
    mailbox: &super::world::Mailbox,
    caller: &Caller,
    options: &Options,
) -> Vec<Map<String, Value>> {
    let mut told = Vec::new();
    for one in placed {
        let mut event = tell(one, mailbox, &caller.account, &caller.prefer);
        if options.filter.as_ref().is_none_or(|filter| filter.takes(one.item, &event)) {
            options.shape(&mut event, one.item);
            told.push(event);
        }
    }
    options.sort(&mut told);
    told
}

/// # Errors
/// When a bound is missing or no time, or the window is empty or too long.
pub fn window(call: &Call) -> Result<(Timestamp, Timestamp), Refusal> {
    let bound = |name: &str| {
        let found = call.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let text = found.ok_or_else(|| {
            Refusal::new(400, "ErrorInvalidParameter", "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
        })?;
        parameter(text).ok_or_else(|| {
            Refusal::new(
                400,
                "ErrorInvalidParameter",
                format!("The value '{text}' of parameter '{name}' is invalid."),
            )
        })
    };
    let (from, to) = (bound("startDateTime")?, bound("endDateTime")?);
    if to <= from {
        return Err(Refusal::new(
            400,
            "ErrorInvalidParameter",
            "The EndDateTime must be after the StartDateTime.",
        ));
    }
    if to.duration_since(from) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
        return Err(Refusal::invalid_request(format!(
            "The specified time window is greater than the allowed range. Maximum number of days: {LONGEST_DAYS}"
        )));
    }
    Ok((from, to))
}

/// # Errors
/// Never; it is the last step of lists that may.
pub fn paged(
    app: &App,
    call: &Call,
    caller: &Caller,
    options: &Options,
    told: Vec<Map<String, Value>>,
    what: &str,
) -> Result<Response, Refusal> {
    let told = if app.misbehaves(call, Quirk::EmptyListing) { Vec::new() } else { told };
    let wanted = options.top.or(caller.prefer.page_size).unwrap_or(PAGE).min(super::options::LONGEST_PAGE);
    let size = if app.misbehaves(call, Quirk::ShortPage) { 2.min(wanted) } else { wanted };
    let from = options.skip.min(told.len());
    let to = (from + size).min(told.len());
    let first =
        if from > 0 && app.misbehaves(call, Quirk::DuplicatePage) { from.saturating_sub(2) } else { from };
    let mut items = told[first..to].to_vec();
    if app.misbehaves(call, Quirk::Reordered) {
        items.reverse();
    }
    let mut body = json!({"@odata.context": context(call, what), "value": items});
    if options.count {
        body["@odata.count"] = json!(told.len());
    }
    if to < told.len() {
        body["@odata.nextLink"] = json!(next_link(call, "$skip", &to.to_string()));
    }
    Ok(applied(Json(body).into_response(), &caller.prefer))
}

/// Where this sandbox's Graph begins.
#[must_use]
pub fn base(call: &Call) -> String {
    format!("http://{}/graph/v1.0", call.header("host").unwrap_or("localhost"))
}

#[must_use]
pub fn context(call: &Call, what: &str) -> String {
    format!("{}/$metadata#{what}", base(call))
}

/// The same question with one more, or another, parameter: complete, to be followed as it is.
#[must_use]
pub fn next_link(call: &Call, name: &str, value: &str) -> String {
    let mut pairs: Vec<(String, String)> =
        call.query.iter().filter(|(key, _)| key != name).cloned().collect();
    pairs.push((name.to_owned(), value.to_owned()));
    let query: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    format!("http://{}{}?{}", call.header("host").unwrap_or("localhost"), call.path, query.join("&"))
}

/// Says which wishes were granted.
#[must_use]
pub fn applied(mut response: Response, prefer: &Prefer) -> Response {
    if !prefer.applied.is_empty()
        && let Ok(value) = HeaderValue::from_str(&prefer.applied.join(", "))
    {
        response.headers_mut().insert("preference-applied", value);
    }
    response
}
