//! `getSchedule`: free and busy of default calendars, one answer per address, an error per address inside a 200.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::moment::Moment;
use super::occurrence::of_calendar;
use super::refusal::Refusal;
use super::scopes::{Action, admit};
use super::view::context;
use crate::app::App;
use crate::wire::Call;

const LONGEST_DAYS: i64 = 62;

pub async fn get_schedule(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::FreeBusy)?;
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    // An action's parameters are known in any case; Microsoft's own clients begin them with a capital.
    let given =
        |name: &str| body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let schedules = given("schedules").and_then(Value::as_array).filter(|all| !all.is_empty());
    let schedules =
        schedules.ok_or_else(|| Refusal::new(400, "ErrorInvalidParameter", "The schedules are missing."))?;
    let bound = |name: &str| Moment::read(given(name).unwrap_or(&Value::Null)).map(|moment| moment.instant());
    let (from, to) = (bound("startTime")?, bound("endTime")?);
    if to <= from || to.duration_since(from) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
        return Err(Refusal::new(
            400,
            "ErrorInvalidParameter",
            "The time window is empty or greater than 62 days.",
        ));
    }
    let interval = given("availabilityViewInterval").map_or(Some(30), Value::as_i64);
    let interval = interval.filter(|minutes| (5..=1440).contains(minutes)).ok_or_else(|| {
        Refusal::new(400, "ErrorInvalidParameter", "The availabilityViewInterval is from 5 to 1440 minutes.")
    })?;
    let world = app.world();
    if world.outlook.mailbox(&caller.account)?.personal {
        return Err(Refusal::new(
            400,
            "ErrorInvalidRequest",
            "The operation is not supported for personal Microsoft accounts.",
        ));
    }
    let told: Vec<Value> = schedules
        .iter()
        .map(|address| {
            let address = address.as_str().unwrap_or_default();
            let Some(mailbox) = world.outlook.accounts.get(address) else {
                return json!({"scheduleId": address, "availabilityView": "", "scheduleItems": [],
                    "error": {"message": format!("The mailbox {address} could not be resolved."), "responseCode": "ErrorMailRecipientNotFound"}});
            };
            let zone = mailbox.zone();
            let placed = mailbox.calendar("").map(|calendar| of_calendar(calendar, &zone, from, to)).unwrap_or_default();
            let blocks: Vec<(Timestamp, Timestamp, u8)> = placed
                .iter()
                .map(|one| {
                    let (start, end) = one.span(&zone);
                    let status = one.item.fields.get("showAs").and_then(Value::as_str).unwrap_or("busy");
                    (start, end, digit(status))
                })
                .collect();
            let items: Vec<Value> = placed
                .iter()
                .map(|one| {
                    let status = one.item.fields.get("showAs").and_then(Value::as_str).unwrap_or("busy");
                    json!({"isPrivate": one.item.text("sensitivity") == "private", "status": status,
                        "start": one.start.told(one.item.all_day, &caller.prefer.zone),
                        "end": one.end.told(one.item.all_day, &caller.prefer.zone)})
                })
                .collect();
            json!({"scheduleId": address, "availabilityView": availability(from, to, interval, &blocks), "scheduleItems": items})
        })
        .collect();
    Ok(Json(json!({"@odata.context": context(&call, "Collection(microsoft.graph.scheduleInformation)"), "value": told})).into_response())
}

/// One digit for each interval, the strongest that touches it.
fn availability(
    from: Timestamp,
    to: Timestamp,
    minutes: i64,
    blocks: &[(Timestamp, Timestamp, u8)],
) -> String {
    let step = SignedDuration::from_mins(minutes);
    let mut view = String::new();
    let mut at = from;
    while at < to {
        let next = at.saturating_add(step).unwrap_or(to);
        let touching = blocks.iter().filter(|(start, end, _)| *start < next && *end > at);
        let digit = touching.map(|(_, _, digit)| *digit).max().unwrap_or(0);
        view.push(char::from(b'0' + digit));
        at = next;
    }
    view
}

fn digit(status: &str) -> u8 {
    match status {
        "tentative" => 1,
        "busy" => 2,
        "oof" => 3,
        // Working elsewhere is as good as free.
        _ => 0,
    }
}
