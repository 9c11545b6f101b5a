//! Calendar feeds: plain `.ics` files behind an address, with the validators and the packing that a polite reader uses,
//! and a second address, under `moved/`, that only points to the first.

use std::io::Write;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION, VARY};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::wire::Call;

/// One feed. Whatever its text is, it is served as a calendar: publishers make mistakes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Feed {
    pub text: String,
    pub changed_at: Timestamp,
}

pub fn routes() -> Router<App> {
    Router::new().route("/feeds/{name}", get(feed)).route("/feeds/moved/{name}", get(moved))
}

async fn feed(State(app): State<App>, call: Call) -> Response {
    let world = app.world();
    let Some(feed) = world.feeds.get(call.param("name")) else {
        return (StatusCode::NOT_FOUND, "no such feed").into_response();
    };
    let etag = format!("\"{}\"", crate::names::hashed(&feed.text));
    let changed = feed.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let validators = [(ETAG, etag.clone()), (LAST_MODIFIED, changed), (VARY, "accept-encoding".to_owned())];
    if is_known(&call, &etag, feed.changed_at) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    let kind = [(CONTENT_TYPE, "text/calendar; charset=utf-8")];
    let packed = call.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
    match packed.then(|| packed_text(&feed.text)).transpose() {
        Ok(Some(body)) => (validators, kind, [(CONTENT_ENCODING, "gzip")], body).into_response(),
        Ok(None) | Err(_) => (validators, kind, feed.text.clone()).into_response(),
    }
}

/// As RFC 9110 §13.2.2 has it: the date counts only for who sends no tag.
fn is_known(call: &Call, etag: &str, changed_at: Timestamp) -> bool {
    if let Some(tags) = call.header("if-none-match") {
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        return tags.split(',').any(|tag| strong(tag) == etag);
    }
    let since = call.header("if-modified-since").and_then(|text| rfc2822::parse(text).ok());
    since.is_some_and(|since| changed_at.as_second() <= since.timestamp().as_second())
}

fn packed_text(text: &str) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes())?;
    packer.finish()
}

async fn moved(call: Call) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, format!("/feeds/{}", call.param("name")))]).into_response()
}
