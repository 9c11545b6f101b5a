//! `POST /batch/calendar/v3`: several calls in one request, each answered for itself and in no promised order.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tower::ServiceExt;

use super::refusal::Refusal;
use crate::app::App;
use crate::faults::{Kind, Refuse, Spoil};
use crate::wire::{self, Call, Route};

/// Google's pages say a thousand now and said fifty before: whoever keeps to fifty is right by both.
const MOST: usize = 50;

pub async fn post(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let boundary = call.header("content-type").and_then(boundary);
    let boundary = boundary.ok_or_else(|| Refusal::bad_request("The batch is not multipart/mixed."))?;
    let parts = parts(&call.body, &boundary)?;
    if parts.len() > MOST {
        return Err(Refusal::bad_request("The batch request contains too many calls."));
    }
    let router = super::calls().layer(from_fn_with_state(app.clone(), inside)).with_state(app);
    let mut told = Vec::new();
    for part in parts {
        if let Some(part) = answer(&router, part, call.headers.get(AUTHORIZATION)).await {
            told.push(part);
        }
    }
    // The order says nothing, and whoever relies on it is to notice.
    told.reverse();
    let boundary = format!("batch_{}", &HEXLOWER.encode(&Sha256::digest(told.concat()))[..24]);
    let mut body = Vec::new();
    for part in &told {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(([(CONTENT_TYPE, format!("multipart/mixed; boundary={boundary}"))], body).into_response())
}

fn boundary(kind: &str) -> Option<String> {
    let mut words = kind.split(';').map(str::trim);
    if !words.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = words.find_map(|word| word.strip_prefix("boundary="))?.trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

struct Part {
    id: Option<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

fn parts(body: &Bytes, boundary: &str) -> Result<Vec<Part>, Refusal> {
    let broken = || Refusal::bad_request("Failed to parse batch request.");
    // Lines may end either way; what they hold is JSON, in which neither stands bare.
    let text = std::str::from_utf8(body).map_err(|_| broken())?.replace("\r\n", "\n");
    let text = format!("\n{text}");
    let line = format!("\n--{boundary}");
    let mut pieces = text.split(line.as_str());
    pieces.next();
    let mut parts = Vec::new();
    for piece in pieces {
        if piece.starts_with("--") {
            return Ok(parts);
        }
        parts.push(part(piece).ok_or_else(broken)?);
    }
    Err(broken())
}

fn part(text: &str) -> Option<Part> {
    let (about, call) = text.trim_start_matches('\n').split_once("\n\n")?;
    let about = headers(about)?;
    if about.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim() != "application/http" {
        return None;
    }
    let id = about.get("content-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let (head, body) = call.trim_start_matches('\n').split_once("\n\n").unwrap_or((call, ""));
    let (first, fields) = head.split_once('\n').unwrap_or((head, ""));
    let [method, target, "HTTP/1.1"] = first.trim_end().split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    if !target.starts_with('/') {
        return None;
    }
    Some(Part {
        id,
        method: method.parse().ok()?,
        uri: target.parse().ok()?,
        headers: headers(fields)?,
        body: Bytes::from(body.trim_end().to_owned()),
    })
}

fn headers(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.append(name.trim().parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(headers)
}

/// What the call comes to, as a part of the answer; nothing where the part is lost.
async fn answer(router: &Router, part: Part, outer: Option<&HeaderValue>) -> Option<Vec<u8>> {
    let mut request = Request::new(Body::from(part.body));
    (*request.method_mut(), *request.uri_mut()) = (part.method, part.uri);
    *request.headers_mut() = part.headers;
    if let (false, Some(outer)) = (request.headers().contains_key(AUTHORIZATION), outer) {
        request.headers_mut().insert(AUTHORIZATION, outer.clone());
    }
    let response = router.clone().oneshot(request).await.into_response();
    if response.extensions().get::<Lost>().is_some() {
        return None;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut told = b"Content-Type: application/http\r\n".to_vec();
    if let Some(id) = part.id {
        let id = id.trim_start_matches('<').trim_end_matches('>');
        told.extend_from_slice(format!("Content-ID: <response-{id}>\r\n").as_bytes());
    }
    let reason = parts.status.canonical_reason().unwrap_or("Unknown");
    told.extend_from_slice(format!("\r\nHTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).as_bytes());
    for (name, value) in &parts.headers {
        told.extend_from_slice(name.as_str().as_bytes());
        told.extend_from_slice(b": ");
        told.extend_from_slice(value.as_bytes());
        told.extend_from_slice(b"\r\n");
    }
    told.extend_from_slice(b"\r\n");
    told.extend_from_slice(&body);
    Some(told)
}

/// The part of the answer is left out.
#[derive(Clone, Copy)]
struct Lost;

/// Runs around every call of a batch: names it and lets faults at it. It is counted with its batch.
async fn inside(
    State(app): State<App>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let Some(route) = Route::of(app.vendor(), request.method(), request.uri().path(), matched) else {
        return Refusal::not_found().into_response();
    };
    request.extensions_mut().insert(route.clone());
    let faults = app.faults().take(&route);
    for fault in &faults {
        match fault {
            Kind::Slow(wait_ms) | Kind::SlowReply(wait_ms) => {
                tokio::time::sleep(Duration::from_millis(*wait_ms)).await;
            }
            Kind::TokenRevoked => wire::end_sign_ins(&app, route.service),
            Kind::Refuse(Refuse::Reset) => return lost(),
            Kind::Refuse(refuse) => return wire::refusal(&app, &route, *refuse),
            Kind::Bend(_) | Kind::Spoil(_) => {}
        }
    }
    let response = next.run(request).await;
    if faults.contains(&Kind::Spoil(Spoil::ReplyLost)) {
        return lost();
    }
    if faults.contains(&Kind::Spoil(Spoil::Truncated)) {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        return Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)));
    }
    response
}

fn lost() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Lost);
    response
}
