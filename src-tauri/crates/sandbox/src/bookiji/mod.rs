//! The booking platform as a vendor's desktop client needs it: the contract that `openapi/bookiji.json` describes.

pub mod availability;
pub mod bookings;
pub mod busy;
pub mod connections;
pub mod lease;
pub mod openings;
pub mod platform;
pub mod problem;
pub mod proposals;
pub mod request;
mod stream;
pub mod vendor;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};

use crate::app::App;
use problem::Problem;

pub fn routes() -> Router<App> {
    let router = Router::new()
        .route("/bookiji/openapi.json", get(vendor::openapi))
        .route("/bookiji/api/auth/capabilities", get(vendor::capabilities))
        .route("/bookiji/api/system/time", get(vendor::time))
        .route("/bookiji/api/health", get(vendor::health))
        .route("/bookiji/api/vendor/settings", get(vendor::settings).post(vendor::change_settings))
        .route("/bookiji/api/vendor/services", get(vendor::services))
        .route("/bookiji/api/vendor/bookings", get(bookings::list))
        .route("/bookiji/api/vendor/bookings/create", post(bookings::create))
        .route("/bookiji/api/vendor/bookings/{id}", get(bookings::get))
        .route("/bookiji/api/vendor/bookings/{id}/cancel", post(bookings::cancel))
        .route("/bookiji/api/vendor/bookings/{id}/proposals", post(proposals::post))
        .route("/bookiji/api/vendor/bookings/{id}/proposals/{proposal}", delete(proposals::delete))
        .route("/bookiji/api/bookings/reschedule", post(bookings::reschedule))
        .route("/bookiji/api/vendor/changes", get(bookings::changes))
        .route("/bookiji/api/vendor/changes/stream", get(stream::changes))
        .route("/bookiji/api/vendor/availability/slots", get(availability::slots).post(availability::create))
        .route("/bookiji/api/vendor/availability/conflicts", get(availability::conflicts))
        .route("/bookiji/api/vendor/calendar/busy", put(busy::put))
        .route("/bookiji/api/vendor/calendar/lease", put(lease::put).delete(lease::delete))
        .route("/bookiji/api/vendor/calendar/connections/{provider}", put(connections::put))
        .route("/bookiji/api/vendor/calendar/status", get(connections::list))
        .route(
            "/bookiji/api/vendor/calendar/sync-status",
            get(connections::list).post(connections::heartbeat),
        )
        .route("/bookiji/api/vendor/calendar/sync", post(connections::request_sync))
        .route(
            "/bookiji/api/vendor/calendar/disconnect",
            post(connections::disconnect).delete(connections::disconnect),
        );
    router.route("/bookiji/{*rest}", axum::routing::any(unknown))
}

async fn unknown(State(app): State<App>) -> Response {
    Problem::not_found("Route").logged(&app).into_response()
}
