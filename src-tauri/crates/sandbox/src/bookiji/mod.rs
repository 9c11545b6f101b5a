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
mod version;

use axum::Router;
use axum::extract::State;
use axum::handler::Handler;
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};

use crate::app::App;
use problem::Problem;

pub fn routes(app: &App) -> Router<App> {
    let served = table().into_iter();
    served
        .fold(Router::new(), |router, one| router.route(&format!("/bookiji{}", one.path), one.by))
        .route("/bookiji/{*rest}", routing::any(unknown))
        .layer(map_response_with_state(app.clone(), version::told))
}

/// What can be asked, under the words of the document.
struct Served {
    #[cfg_attr(not(test), expect(dead_code, reason = "the document is held against it"))]
    method: &'static str,
    path: &'static str,
    by: MethodRouter<App>,
}

/// Everything that is served: what is not in the document is in no place here, and the other way round.
fn table() -> Vec<Served> {
    vec![
        get("/openapi.json", vendor::openapi),
        get("/api/auth/capabilities", vendor::capabilities),
        get("/api/system/time", vendor::time),
        get("/api/health", vendor::health),
        get("/api/vendor/settings", vendor::settings),
        post("/api/vendor/settings", vendor::change_settings),
        get("/api/vendor/services", vendor::services),
        get("/api/vendor/bookings", bookings::list),
        post("/api/vendor/bookings/create", bookings::create),
        get("/api/vendor/bookings/{id}", bookings::get),
        post("/api/vendor/bookings/{id}/cancel", bookings::cancel),
        post("/api/vendor/bookings/{id}/proposals", proposals::post),
        delete("/api/vendor/bookings/{id}/proposals/{proposal}", proposals::delete),
        post("/api/bookings/reschedule", bookings::reschedule),
        get("/api/vendor/changes", bookings::changes),
        get("/api/vendor/changes/stream", stream::changes),
        get("/api/vendor/availability/slots", availability::slots),
        post("/api/vendor/availability/slots", availability::create),
        get("/api/vendor/availability/conflicts", availability::conflicts),
        put("/api/vendor/calendar/busy", busy::put),
        put("/api/vendor/calendar/lease", lease::put),
        delete("/api/vendor/calendar/lease", lease::delete),
        put("/api/vendor/calendar/connections/{provider}", connections::put),
        get("/api/vendor/calendar/status", connections::list),
        get("/api/vendor/calendar/sync-status", connections::list),
        post("/api/vendor/calendar/sync-status", connections::heartbeat),
        post("/api/vendor/calendar/sync", connections::request_sync),
        post("/api/vendor/calendar/disconnect", connections::disconnect),
        delete("/api/vendor/calendar/disconnect", connections::disconnect),
    ]
}

fn get<T: 'static>(path: &'static str, handler: impl Handler<T, App>) -> Served {
    Served { method: "get", path, by: routing::get(handler) }
}

fn post<T: 'static>(path: &'static str, handler: impl Handler<T, App>) -> Served {
    Served { method: "post", path, by: routing::post(handler) }
}

fn put<T: 'static>(path: &'static str, handler: impl Handler<T, App>) -> Served {
    Served { method: "put", path, by: routing::put(handler) }
}

fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, App>) -> Served {
    Served { method: "delete", path, by: routing::delete(handler) }
}

async fn unknown(State(app): State<App>) -> Response {
    Problem::not_found("Route").logged(&app).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Methods and paths as a document of OpenAPI tells them.
    fn documented(document: &Value) -> BTreeSet<(String, String)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let methods = |(path, item): (&String, &Value)| {
            let words = item.as_object().unwrap().keys();
            let methods = words.filter(|word| *word != "parameters" && *word != "summary");
            methods.map(|method| (method.clone(), path.clone())).collect::<Vec<_>>()
        };
        paths.flat_map(methods).collect()
    }

    #[test]
    fn what_is_served_is_what_the_document_tells_and_nothing_else() {
        let served = table();
        let told: BTreeSet<(String, String)> =
            served.iter().map(|one| (one.method.to_owned(), one.path.to_owned())).collect();
        assert_eq!(told.len(), served.len(), "each once");
        let documented = documented(&serde_json::from_str(vendor::OPENAPI).unwrap());
        let only = |these: &BTreeSet<_>, those: &BTreeSet<_>| {
            these.difference(those).cloned().collect::<Vec<(String, String)>>()
        };
        assert_eq!(only(&told, &documented), [], "served, and in no document");
        assert_eq!(only(&documented, &told), [], "documented, and not served");
    }
}
