//! `$batch`: up to twenty requests in one, each with an answer of its own, while the whole is always well received.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::refusal::{Refusal, stamp};
use super::scopes::{Action, admit};
use crate::app::App;
use crate::faults::{Kind, Refuse, Spoil};
use crate::wire::{BODY_LIMIT, Call, Route, end_sign_ins};

const MOST: usize = 20;

pub async fn batch(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    // The batch itself needs no permission; a token it needs like everything else.
    match admit(&app, &call, Action::ReadUser) {
        Err(refusal) if refusal.status == 401 => return Err(refusal),
        Ok(_) | Err(_) => {}
    }
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let asked = body
        .get("requests")
        .and_then(Value::as_array)
        .ok_or_else(|| invalid("The batch has no requests."))?;
    if asked.len() > MOST {
        return Err(Refusal::new(
            400,
            "BadRequest",
            format!("Number of batch request steps exceeds the maximum value of {MOST}."),
        ));
    }
    let items: Vec<Item> = asked.iter().map(Item::read).collect::<Result<_, _>>()?;
    for (place, item) in items.iter().enumerate() {
        if items[..place].iter().any(|other| other.id == item.id) {
            return Err(invalid("The ids of the requests are not unique."));
        }
        if item.after.iter().any(|id| !items.iter().any(|other| other.id == *id)) {
            return Err(invalid("A request depends on one that is not in the batch."));
        }
    }
    let router = super::resources().layer(from_fn_with_state(app.clone(), item_gate)).with_state(app.clone());
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut waiting: Vec<&Item> = items.iter().collect();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|item| item.after.iter().all(|id| statuses.contains_key(id)));
        let Some(ready) = ready else {
            return Err(invalid("The requests depend on each other in a circle."));
        };
        let item = waiting.remove(ready);
        let failed = item.after.iter().any(|id| statuses.get(id).is_some_and(|status| *status >= 400));
        let (status, answer) = if failed { dependency_failed(item) } else { item.run(&router, &call).await };
        statuses.insert(item.id.clone(), status);
        answers.push(answer);
    }
    Ok(Json(json!({"responses": answers})).into_response())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "BadRequest", message)
}

struct Item {
    id: String,
    method: Method,
    url: String,
    headers: Map<String, Value>,
    body: Option<Value>,
    after: Vec<String>,
}

impl Item {
    fn read(value: &Value) -> Result<Self, Refusal> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let id = text("id").filter(|id| !id.is_empty()).ok_or_else(|| invalid("A request has no id."))?;
        let method = text("method").and_then(|method| method.to_uppercase().parse().ok());
        let method = method.ok_or_else(|| invalid("A request has no method."))?;
        let url = text("url").ok_or_else(|| invalid("A request has no url."))?;
        // Relative to the version, with or without the first slash.
        if url.contains("://") {
            return Err(invalid("The url of a request is relative."));
        }
        let headers = value.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
        let body = value.get("body").filter(|body| !body.is_null()).cloned();
        let typed = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !typed {
            return Err(invalid("Content-Type header is required for requests with a body."));
        }
        let after = value.get("dependsOn").and_then(Value::as_array).cloned().unwrap_or_default();
        let after = after.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self {
            id: id.to_owned(),
            method,
            url: format!("/{}", url.trim_start_matches('/')),
            headers,
            body,
            after,
        })
    }

    async fn run(&self, router: &Router, outer: &Call) -> (u16, Value) {
        let mut request =
            Request::builder().method(self.method.clone()).uri(format!("/graph/v1.0{}", self.url));
        for name in ["host", "authorization"] {
            if let Some(value) = outer.headers.get(name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let body = self.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = match request.body(body) {
            Ok(request) => router.clone().oneshot(request).await.into_response(),
            Err(_) => invalid("The request could not be read.").into_response(),
        };
        told(&self.id, response).await
    }
}

async fn told(id: &str, response: Response) -> (u16, Value) {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let text = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let mut answer = json!({"id": id, "status": status, "headers": headers(&parts.headers)});
    if let Ok(body) = serde_json::from_slice::<Value>(&text) {
        answer["body"] = body;
    }
    (status, answer)
}

fn headers(headers: &HeaderMap) -> Value {
    const TOLD: [(&str, &str); 7] = [
        ("content-type", "Content-Type"),
        ("etag", "ETag"),
        ("location", "Location"),
        ("preference-applied", "Preference-Applied"),
        ("request-id", "request-id"),
        ("retry-after", "Retry-After"),
        ("client-request-id", "client-request-id"),
    ];
    let told = TOLD
        .iter()
        .filter_map(|(name, shown)| Some(((*shown).to_owned(), json!(headers.get(*name)?.to_str().ok()?))));
    Value::Object(told.collect())
}

fn dependency_failed(item: &Item) -> (u16, Value) {
    let error =
        json!({"code": "FailedDependency", "message": "A request that this one depends on has failed."});
    (424, json!({"id": item.id, "status": 424, "headers": {}, "body": {"error": error}}))
}

/// As the gate, for one request of a batch: counted apart, met by faults that name its route or all routes.
async fn item_gate(
    State(app): State<App>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let headers = request.headers().clone();
    let Some(route) = Route::of(app.vendor(), request.method(), request.uri().path(), matched) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    app.meter().batched(route.service, &route.label());
    request.extensions_mut().insert(route.clone());
    let faults = app.faults().take_named(&route);
    let mut refused = None;
    for fault in &faults {
        match fault {
            Kind::Slow(wait_ms) => tokio::time::sleep(Duration::from_millis(*wait_ms)).await,
            Kind::TokenRevoked => end_sign_ins(&app, route.service),
            Kind::Refuse(Refuse::RateLimited) => refused = Some(Refusal::of_status(429, None)),
            Kind::Refuse(Refuse::Status(code, reason)) => refused = Some(Refusal::of_status(*code, *reason)),
            // What ends a connection outside ends a call between Microsoft's own machines here.
            Kind::Refuse(Refuse::Reset | Refuse::Html) => refused = Some(Refusal::of_status(502, None)),
            Kind::Bend(_) | Kind::Spoil(_) | Kind::SlowReply(_) => {}
        }
    }
    let mut response = match refused {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    let spoiled = |fault: &Kind| matches!(fault, Kind::Spoil(Spoil::ReplyLost | Spoil::Truncated));
    if faults.iter().any(spoiled) {
        response = Refusal::of_status(504, None).into_response();
    }
    stamp(&app, &headers, response)
}
