//! What stands between the socket and every handler: naming the call, counting it, and letting faults at it.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, MatchedPath, RawPathParams, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::faults::{Kind, Refuse, Spoil};
use crate::google::refusal::Refusal;
use crate::socket::Cutter;
use crate::time::http_date;

/// The names that services have in `/_sandbox/requests` and in faults.
pub const SERVICES: [&str; 7] =
    ["google", "google_auth", "outlook", "microsoft", "bookiji", "bookiji_auth", "feeds"];

/// Of the tables behind the database's door, those that are the platform's business. Signing in reads the others.
const TABLES: [&str; 4] = [
    "/supabase/rest/v1/availability_slots",
    "/supabase/rest/v1/bookings",
    "/supabase/rest/v1/ops_events",
    "/supabase/rest/v1/rpc/reschedule_booking_atomically",
];

pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Which service and route a call is for.
#[derive(Clone, Debug)]
pub struct Route {
    /// Whose call it is: her address.
    pub vendor: String,
    pub service: &'static str,
    pub method: String,
    /// As the router knows it, the service's prefix left out.
    pub path: String,
}

impl Route {
    pub fn of(vendor: &str, method: &Method, path: &str, matched: Option<&str>) -> Option<Self> {
        let (service, prefix) = match path {
            _ if path.starts_with("/google/calendar/") || path.starts_with("/google/batch/") => {
                ("google", "/google")
            }
            _ if path.starts_with("/google/") => ("google_auth", "/google"),
            _ if path.starts_with("/graph/") => ("outlook", "/graph"),
            _ if path.starts_with("/microsoft/") => ("microsoft", "/microsoft"),
            _ if path.starts_with("/bookiji/") => ("bookiji", "/bookiji"),
            _ if TABLES.contains(&path) => ("bookiji", "/supabase"),
            _ if path.starts_with("/supabase/") => ("bookiji_auth", "/supabase"),
            _ if path.starts_with("/feeds/") => ("feeds", ""),
            _ => return None,
        };
        let path = matched.map_or("(no such route)", |route| route.strip_prefix(prefix).unwrap_or(route));
        let (vendor, method, path) = (vendor.to_owned(), method.to_string(), path.to_owned());
        Some(Self { vendor, service, method, path })
    }

    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        name == self.method || name == self.path || name == self.label()
    }
}

/// A call as its handler sees it.
pub struct Call {
    pub route: Route,
    /// As it was asked for.
    pub path: String,
    params: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// A path parameter; empty when the route has none of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The body as a JSON object; an empty body is an empty object.
    #[must_use]
    pub fn json(&self) -> Option<Map<String, Value>> {
        if self.body.is_empty() {
            return Some(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Some(map),
            Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_))
            | Err(_) => None,
        }
    }

    /// The body as form fields.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let params = request.extract_parts_with_state::<RawPathParams, S>(state).await;
        let params = params
            .map(|params| params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
            .unwrap_or_default();
        let (parts, body) = request.into_parts();
        let route = parts.extensions.get::<Route>().cloned().unwrap_or(Route {
            vendor: String::new(),
            service: "",
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
        });
        let query = parts.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let body = to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response())?;
        let path = parts.uri.path().to_owned();
        Ok(Self { route, path, params, query, headers: parts.headers, body })
    }
}

/// Every answer tells the sandbox's own time, as every server tells its own.
pub async fn dated(State(app): State<App>, mut response: Response) -> Response {
    if let Ok(date) = http_date(app.clock().now()).parse() {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Runs around every handler.
pub async fn gate(
    State(app): State<App>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let Some(route) = Route::of(app.vendor(), request.method(), request.uri().path(), matched) else {
        let response = next.run(request).await;
        app.touch();
        return response;
    };
    let body = std::mem::take(request.body_mut());
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response();
    };
    app.meter().begin(route.service, &route.label(), body.len());
    let _open = Open { app: &app, service: route.service };
    *request.body_mut() = Body::from(body);
    request.extensions_mut().insert(route.clone());
    let headers = request.headers().clone();
    let stamped = |response: Response| match route.service {
        "outlook" => crate::graph::refusal::stamp(&app, &headers, response),
        _ => response,
    };
    let _turn = match route.service {
        "outlook" => match crate::graph::limits::enter(&app) {
            Ok(turn) => Some(turn),
            Err(refusal) => return metered(&app, &route, stamped(refusal.into_response())).await,
        },
        _ => None,
    };

    let faults = app.faults().take(&route);
    for fault in &faults {
        match fault {
            Kind::Slow(wait_ms) => tokio::time::sleep(Duration::from_millis(*wait_ms)).await,
            Kind::TokenRevoked => end_sign_ins(&app, route.service),
            Kind::Refuse(Refuse::Reset) => cutter.cut(),
            Kind::Refuse(refuse) => {
                return metered(&app, &route, stamped(refusal(&app, &route, *refuse))).await;
            }
            Kind::Bend(_) | Kind::Spoil(_) | Kind::SlowReply(_) => {}
        }
    }
    if faults.contains(&Kind::Refuse(Refuse::Reset)) {
        return StatusCode::OK.into_response();
    }
    let response = metered(&app, &route, stamped(next.run(request).await)).await;
    app.touch();
    for fault in &faults {
        if let Kind::SlowReply(wait_ms) = fault {
            tokio::time::sleep(Duration::from_millis(*wait_ms)).await;
        }
    }
    if faults.contains(&Kind::Spoil(Spoil::ReplyLost)) {
        cutter.cut();
    }
    if faults.contains(&Kind::Spoil(Spoil::Truncated)) {
        return cut_in_half(response, cutter).await;
    }
    response
}

/// Keeps a request counted as open until its answer is made or its client is gone.
struct Open<'a> {
    app: &'a App,
    service: &'static str,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.app.meter().end(self.service);
    }
}

async fn metered(app: &App, route: &Route, response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
        // It has no end that one could wait for.
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    app.meter().sent(route.service, body.len());
    Response::from_parts(parts, Body::from(body))
}

/// Ends every sign-in of a service, as `token_revoked` asks.
pub fn end_sign_ins(app: &App, service: &str) {
    let mut world = app.world();
    match service {
        "google" | "google_auth" => world.google.grants.revoke_all(),
        "outlook" | "microsoft" => world.outlook.grants.revoke_all(),
        "bookiji" | "bookiji_auth" => world.sessions.end_all(),
        _ => {}
    }
}

/// What a fault answers in the handler's place, in the words of the service.
pub fn refusal(app: &App, route: &Route, refuse: Refuse) -> Response {
    match refuse {
        Refuse::Html => (
            [(CONTENT_TYPE, "text/html; charset=utf-8")],
            "<!doctype html><title>Sign in to the network</title><h1>Welcome to the café</h1><p>Accept the terms to go on.</p>",
        )
            .into_response(),
        Refuse::RateLimited => {
            let mut response = status(app, route, 429, None);
            response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("2"));
            response
        }
        Refuse::Status(code, reason) => status(app, route, code, reason),
        Refuse::Reset => StatusCode::OK.into_response(),
    }
}

/// A refusal in the words of the service.
fn status(app: &App, route: &Route, code: u16, reason: Option<&'static str>) -> Response {
    let http = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match route.service {
        _ if route.path.starts_with("/rest/v1/") => crate::postgrest::refusal::of_status(code),
        "google" => Refusal::of_status(code, reason).into_response(),
        "google_auth" => {
            (http, Json(json!({"error": "internal_failure", "error_description": "Injected fault."})))
                .into_response()
        }
        "outlook" => crate::graph::refusal::Refusal::of_status(code, reason).into_response(),
        "microsoft" => crate::microsoft::Refusal::of_status(code).answer(app),
        "bookiji" => crate::bookiji::problem::of_status(app, code, reason).into_response(),
        "bookiji_auth" => {
            (http, Json(json!({"code": code, "error_code": "unexpected_failure", "msg": "Injected fault."})))
                .into_response()
        }
        _ => http.into_response(),
    }
}

/// Promises the whole body, sends half of it, and closes.
async fn cut_in_half(response: Response, cutter: Cutter) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = body.slice(..body.len() / 2);
    let rest = stream::once(async move {
        // Long enough for the first half to leave: what follows ends the connection.
        tokio::time::sleep(Duration::from_millis(20)).await;
        cutter.cut();
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::from_parts(parts, Body::from_stream(stream::once(async move { Ok(half) }).chain(rest)))
}
