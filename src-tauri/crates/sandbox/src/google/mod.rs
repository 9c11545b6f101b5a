//! Google Calendar v3 as far as a sync needs it, with Google's strictness: what Google refuses is refused here.

pub mod batch;
pub mod calendars;
pub mod event;
pub mod events;
pub mod freebusy;
pub mod listing;
pub mod params;
pub mod refusal;
pub mod scopes;
pub mod series;
pub mod token;
pub mod world;
pub mod write;

use axum::Router;
use axum::routing::{any, get, post};

use crate::app::App;

const V3: &str = "/google/calendar/v3";

pub fn routes() -> Router<App> {
    calls().route("/google/batch/calendar/v3", post(batch::post))
}

/// What a batch may hold.
fn calls() -> Router<App> {
    let at = |path: &str| format!("{V3}{path}");
    Router::new()
        .route(&at("/users/me/calendarList"), get(calendars::list))
        .route(&at("/users/me/calendarList/{calendarId}"), get(calendars::get_listed))
        .route(&at("/users/me/settings/{setting}"), get(calendars::setting))
        .route(&at("/calendars"), post(calendars::insert))
        .route(
            &at("/calendars/{calendarId}"),
            get(calendars::get).patch(calendars::change).put(calendars::change).delete(calendars::delete),
        )
        .route(&at("/calendars/{calendarId}/events"), get(events::list).post(events::insert))
        .route(
            &at("/calendars/{calendarId}/events/{eventId}"),
            get(events::get).put(events::update).patch(events::patch).delete(events::delete),
        )
        .route(&at("/calendars/{calendarId}/events/{eventId}/instances"), get(events::instances))
        .route(&at("/freeBusy"), post(freebusy::query))
        .route("/google/calendar/{*rest}", any(nowhere))
}

async fn nowhere() -> refusal::Refusal {
    refusal::Refusal::not_found()
}
