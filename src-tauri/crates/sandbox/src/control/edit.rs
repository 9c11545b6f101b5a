//! `POST /_sandbox/edit {as, do, …}`: what a person does in her calendar page, on Bookiji's page, or as a customer.
//!
//! As `"vendor"`, in a calendar (`calendar`: an id, default `"primary"`; `account`: an e-mail, default the first):
//! an event is named by `event` (its id) or `booking` (the booking whose id its own id's record carries as marker).
//! - `create_event {summary?, start, end, …}`: `start` and `end` are RFC 3339 instants, or dates for all-day ones; every
//!   other field of Google's event resource may be given in `fields`.
//! - `move_event {event|booking, start, end?}` or `{event|booking, by_minutes}`; without `end` the length stays.
//! - `edit_event {event|booking, fields}`: a patch as Google's API takes it.
//! - `delete_event {event|booking}` · `restore_event {event}` (from the bin).
//! - `copy_event {event|booking, start?}`: the copy carries the private properties too, as Google's own copies do.
//! - `move_occurrence {event, original, start, end?}` · `cancel_occurrence {event, original}` of a series.
//! - `create_calendar {summary}` · `rename_calendar {calendar, summary}` · `delete_calendar {calendar}`.
//! - `add_account {email}`: a second Google account, with an empty calendar of its own.
//!
//! The same with `service: "outlook"`, in Outlook (`calendar`: an id, default the default one), where an event's id is taken
//! in either kind and `fields` are Graph's; besides `move_to_calendar {event|booking, to}`, `create_calendar {summary, can_edit?}`
//! and `add_account {email, personal?}`. As `"administrator"`: `require_approval {account?}`, `approve`.
//!
//! As `"platform"`: `keep_contract {version?}`, after which Bookiji says that it keeps this version of its contract (empty:
//! says none; left out: that of the document again).
//!
//! As `"vendor"`, on Bookiji: `confirm_booking`, `complete_booking`, `no_show_booking`, `cancel_booking {booking, reason?}`,
//! `reschedule_booking {booking, slot|start}`, `propose_move {booking, start, end}`, `edit_booking {booking, notes}`, `set_time_zone {time_zone}`,
//! `create_slot {start, end, open?}` (open unless `open` is false), `delete_slot {slot|start}`, and `block_time {start, end}`,
//! which closes every open slot that it touches and leaves a closed one of type `blocked` over the time.
//!
//! As `"customer"`: `book {slot|start?, service?, customer?, notes?}` (service and customer by id or name; without a time
//! the first free slot), `reschedule {booking, slot|start?}` (without a time the next free slot), `cancel {booking, reason?}`,
//! `accept_move {booking}`, `decline_move {booking}`, and `forget_move {booking}`, where a proposal is not answered in time.
//!
//! As `"vendor"` or `"publisher"`: `put_feed {name, text}` · `delete_feed {name}`: what `/feeds/NAME` serves, whatever
//! the text is.
//!
//! Answers `{"event": …}`, `{"booking": …}`, `{"slot": …}`, `{"calendar": id}`, `{"feed": name}` or 4xx
//! `{"error": sentence}`.

mod booking;
mod event;
mod feed;
mod outlook;
mod slot;
mod today;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::bookiji::problem::Problem;
use crate::google::refusal::Refusal;
use crate::wire::Call;

/// Why an edit was not made.
#[derive(Debug)]
pub struct Impossible(String);

impl From<Problem> for Impossible {
    fn from(problem: Problem) -> Self {
        Self(problem.parts().1["message"].as_str().unwrap_or_default().to_owned())
    }
}

impl From<crate::postgrest::refusal::Refusal> for Impossible {
    fn from(refusal: crate::postgrest::refusal::Refusal) -> Self {
        Self(refusal.message().to_owned())
    }
}

impl From<crate::graph::refusal::Refusal> for Impossible {
    fn from(refusal: crate::graph::refusal::Refusal) -> Self {
        Self(format!("the calendar answers {} {}", refusal.status, refusal.code))
    }
}

impl From<Refusal> for Impossible {
    fn from(refusal: Refusal) -> Self {
        Self(format!("the calendar answers {} {}", refusal.code, refusal.reason))
    }
}

pub async fn edit(State(app): State<App>, call: Call) -> Response {
    let Some(order) = call.json() else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "not a JSON object"}))).into_response();
    };
    let order = Order(order);
    let now = app.clock().now();
    let world = &mut *app.world();
    let done = match (order.text("as"), order.text("do")) {
        (Some("customer"), Some(action)) if world.platform.faithful => {
            today::by_customer(world, action, &order, now)
        }
        (Some("customer"), Some(action)) => booking::by_customer(world, action, &order, now),
        (Some("vendor" | "publisher"), Some(action)) if action.ends_with("_feed") => {
            feed::by_publisher(world, action, &order, now)
        }
        (Some("vendor"), Some(action)) if action.ends_with("_booking") && world.platform.faithful => {
            today::by_vendor(world, action, &order, now)
        }
        (Some("vendor"), Some(action)) if action.ends_with("_booking") || action == "set_time_zone" => {
            booking::by_vendor(world, action, &order, now)
        }
        (Some("vendor"), Some(action)) if action.ends_with("_slot") || action == "block_time" => {
            slot::by_vendor(world, action, &order, now)
        }
        (Some("platform"), Some("keep_contract")) => {
            world.platform.contract = order.text("version").map(str::to_owned);
            Ok(json!({"contract": world.platform.contract}))
        }
        (Some("administrator"), Some(action)) => outlook::by_administrator(world, action, &order),
        (Some("vendor"), Some(action)) if order.text("service") == Some("outlook") => {
            outlook::by_vendor(world, action, &order, now)
        }
        (Some("vendor"), Some(action)) => event::by_vendor(world, action, &order, now),
        (_, _) => Err(Impossible(
            "as is \"vendor\", \"customer\", \"publisher\", \"platform\" or \"administrator\", and do says what is done"
                .to_owned(),
        )),
    };
    match done {
        Ok(told) => Json(told).into_response(),
        Err(Impossible(message)) => (StatusCode::CONFLICT, Json(json!({"error": message}))).into_response(),
    }
}

/// An edit as it was asked for.
pub struct Order(Map<String, Value>);

impl Order {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name).and_then(Value::as_object)
    }

    /// # Errors
    /// When it is missing.
    pub fn required(&self, name: &str) -> Result<&str, Impossible> {
        self.text(name).ok_or_else(|| Impossible(format!("{name} is missing")))
    }

    /// # Errors
    /// When it is there and no instant.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, Impossible> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Impossible(format!("{name} is not an instant: {text}")))
    }
}

fn unknown(action: &str) -> Impossible {
    Impossible(format!("nobody knows how to {action}"))
}
