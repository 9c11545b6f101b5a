//! `freeBusy.query`: merged blocks per calendar, and an error per calendar inside a 200.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::scopes::{Action, admit};
use super::series;
use crate::app::App;
use crate::wire::Call;

const LONGEST_DAYS: i64 = 92;
const MOST_CALENDARS: usize = 50;

pub async fn query(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::FreeBusy)?;
    let body = call.json().ok_or_else(Refusal::parse_error)?;
    let from = instant(&body, "timeMin")?;
    let to = instant(&body, "timeMax")?;
    let window = Interval::new(from, to).ok_or_else(Refusal::time_range_empty)?;
    if to.duration_since(from) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
        return Err(Refusal::bad_request("The requested time range is too long."));
    }
    let items = body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let limit = body.get("calendarExpansionMax").and_then(Value::as_u64).unwrap_or(50);
    let limit = usize::try_from(limit).unwrap_or(MOST_CALENDARS);
    if limit > MOST_CALENDARS {
        return Err(Refusal::invalid("calendarExpansionMax is at most 50."));
    }
    let world = app.world();
    let mut calendars = Map::new();
    for item in &items {
        let id = item.get("id").and_then(Value::as_str).ok_or_else(|| Refusal::required("Required"))?;
        let found = world.google.calendar(&caller.account, id);
        let told = match found {
            _ if items.len() > limit => {
                json!({"errors": [{"domain": "global", "reason": "tooManyCalendarsRequested"}], "busy": []})
            }
            Ok(calendar) => json!({"busy": blocks(series::busy(calendar, window), window)}),
            Err(_) => json!({"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}),
        };
        calendars.insert(id.to_owned(), told);
    }
    Ok(Json(json!({"kind": "calendar#freeBusy", "timeMin": crate::time::zulu_ms(from),
        "timeMax": crate::time::zulu_ms(to), "calendars": calendars}))
    .into_response())
}

fn blocks(busy: Vec<Interval>, window: Interval) -> Vec<Value> {
    busy.into_iter()
        .filter_map(|one| Interval::new(one.start().max(window.start()), one.end().min(window.end())))
        .map(|one| json!({"start": crate::time::zulu(one.start()), "end": crate::time::zulu(one.end())}))
        .collect()
}

fn instant(body: &Map<String, Value>, name: &str) -> Result<Timestamp, Refusal> {
    let text = body.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| Refusal::required("Required"))?;
    text.parse().map_err(|_| Refusal::bad_request("Bad Request"))
}
