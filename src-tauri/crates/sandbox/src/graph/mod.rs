//! Outlook's calendar as Microsoft Graph v1.0 shows it, with Graph's strictness and its traps: what Graph refuses is
//! refused here, and what surprises people there surprises them here.
//!
//! Without asking for it: occurrences in a delta carry times and no more; series masters are not in it; a change to one
//! occurrence sends the whole series again; an item may come twice over pages; ids change when an event is moved to
//! another calendar, unless immutable ones are asked for; all-day events are at midnight in whatever zone is asked for;
//! times are in UTC unless `Prefer: outlook.timezone` says otherwise; a repeated `transactionId` is refused as 409 with
//! the event's id and as 400 without it, by turns; an expired delta token is refused in four spellings, by turns.

pub mod batch;
pub mod calendars;
pub mod delta;
pub mod event;
pub mod events;
pub mod fields;
pub mod filter;
pub mod ids;
pub mod limits;
pub mod me;
pub mod moment;
pub mod occurrence;
pub mod options;
pub mod prefer;
pub mod recurrence;
pub mod refusal;
pub mod schedule;
pub mod scopes;
pub mod view;
pub mod world;
pub mod write;

use axum::Router;
use axum::routing::{any, get, post};

use crate::app::App;

const V1: &str = "/graph/v1.0";

pub fn routes() -> Router<App> {
    resources().route(&format!("{V1}/$batch"), post(batch::batch))
}

/// What a batch may ask for: everything but another batch.
pub fn resources() -> Router<App> {
    let at = |path: &str| format!("{V1}{path}");
    let mut router = Router::new()
        .route(&at("/me"), get(me::me))
        .route(&at("/me/mailboxSettings"), get(me::settings))
        .route(&at("/me/mailboxSettings/timeZone"), get(me::time_zone))
        .route(&at("/me/outlook/supportedTimeZones"), get(me::supported_zones))
        .route(&at("/me/outlook/supportedTimeZones()"), get(me::supported_zones))
        .route(&at("/me/translateExchangeIds"), post(me::translate))
        .route(&at("/me/calendars"), get(calendars::list).post(calendars::create))
        .route(&at("/me/events"), get(events::list_all).post(events::create))
        .route(&at("/me/events/delta"), get(delta::unsupported))
        .route(&at("/me/events/delta()"), get(delta::unsupported))
        .route(&at("/me/events/{event}"), get(events::get).patch(events::patch).delete(events::delete))
        .route(&at("/me/events/{event}/calendar"), get(calendars::of_event))
        .route(&at("/me/events/{event}/instances"), get(view::instances));
    // Her default calendar under two names, and any calendar under its own.
    for calendar in ["/me/calendar", "/me/calendars/{calendar}"] {
        router = router
            .route(&at(calendar), get(calendars::get).patch(calendars::change).delete(calendars::delete))
            .route(&at(&format!("{calendar}/events")), get(events::list).post(events::create))
            .route(&at(&format!("{calendar}/events/delta")), get(delta::unsupported))
            .route(&at(&format!("{calendar}/events/delta()")), get(delta::unsupported))
            .route(
                &at(&format!("{calendar}/events/{{event}}")),
                get(events::get).patch(events::patch).delete(events::delete),
            )
            .route(&at(&format!("{calendar}/events/{{event}}/instances")), get(view::instances))
            .route(&at(&format!("{calendar}/getSchedule")), post(schedule::get_schedule));
    }
    for calendar in ["/me", "/me/calendar", "/me/calendars/{calendar}"] {
        router = router
            .route(&at(&format!("{calendar}/calendarView")), get(view::list))
            .route(&at(&format!("{calendar}/calendarView/delta")), get(delta::round))
            .route(&at(&format!("{calendar}/calendarView/delta()")), get(delta::round));
    }
    router.route("/graph/{*rest}", any(me::nowhere))
}
