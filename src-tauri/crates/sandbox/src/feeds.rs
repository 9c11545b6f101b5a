//! Calendar feeds: plain `.ics` files behind an address, with the validators that a polite reader uses.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::wire::Call;

pub fn routes() -> Router<App> {
    Router::new().route("/feeds/{name}", get(feed))
}

async fn feed(State(app): State<App>, call: Call) -> Response {
    let world = app.world();
    let Some(text) = world.feeds.get(call.param("name")) else {
        return (StatusCode::NOT_FOUND, "no such feed").into_response();
    };
    let etag = format!("\"{}\"", crate::names::hashed(text));
    if call.header("if-none-match") == Some(etag.as_str()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    ([(CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()), (ETAG, etag)], text.clone()).into_response()
}
