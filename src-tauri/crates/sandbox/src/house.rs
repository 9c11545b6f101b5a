//! Several vendors behind one address: each has a world and handlers of her own, and the words that a call carries
//! (a token, a code, an address) decide whose call it is. A handler sees one world, so none can show another's rows.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use url::form_urlencoded;

use crate::app::App;
use crate::wire::BODY_LIMIT;
use crate::{Seat, router, settings};

/// Fields of queries, forms and JSON bodies that say whose call it is.
const TELLING: [&str; 9] = [
    "vendor",
    "login_hint",
    "account",
    "email",
    "refresh_token",
    "auth_code",
    "code",
    "token",
    "subject_token",
];

pub struct House(Vec<App>);

struct Doors(Vec<(App, Router)>);

impl House {
    #[must_use]
    pub fn of(first: App) -> Self {
        Self(vec![first])
    }

    pub fn add(&mut self, app: App) {
        self.0.push(app);
    }

    #[must_use]
    pub fn seats(&self, base_url: &str) -> Vec<Seat> {
        let several = self.0.len() > 1;
        self.0
            .iter()
            .map(|app| {
                let vendor = app.world().vendor.clone();
                let settings = settings::text(base_url, several.then_some(vendor.email.as_str()));
                Seat { email: vendor.email, password: vendor.password, settings }
            })
            .collect()
    }

    pub fn router(&self) -> Router {
        if let [only] = self.0.as_slice() {
            return router(only.clone());
        }
        let doors = self.0.iter().map(|app| (app.clone(), router(app.clone()))).collect();
        Router::new().fallback(lead).with_state(Arc::new(Doors(doors)))
    }
}

/// Leads a call to her whose it is. Nobody's call is the first one's to refuse.
async fn lead(State(doors): State<Arc<Doors>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response();
    };
    let bearer = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let words = words(bearer, parts.uri.query().unwrap_or_default(), &body);
    let hers = words.iter().find_map(|word| doors.0.iter().find(|(app, _)| app.world().knows(word)));
    let Some((_, router)) = hers.or_else(|| doors.0.first()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let request = Request::from_parts(parts, Body::from(body));
    router.clone().oneshot(request).await.into_response()
}

/// What may say whose call it is, the surest first.
fn words(authorization: Option<&str>, query: &str, body: &[u8]) -> Vec<String> {
    let bearer = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned());
    let told = |text: &[u8]| {
        let pairs = form_urlencoded::parse(text).into_owned();
        pairs.filter(|(name, _)| TELLING.contains(&name.as_str())).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let json: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(body).ok();
    let in_body = match &json {
        Some(fields) => {
            TELLING.iter().filter_map(|name| Some(fields.get(*name)?.as_str()?.to_owned())).collect()
        }
        None => told(body),
    };
    bearer.into_iter().chain(told(query.as_bytes())).chain(in_body).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_more_than_what_a_body_claims() {
        let words = words(Some("Bearer hers"), "vendor=b%40x&limit=1", br#"{"email":"c@x","notes":"d"}"#);
        assert_eq!(words, ["hers", "b@x", "c@x"]);
        assert_eq!(super::words(Some("Basic x"), "", b"code=4%2F0&grant_type=y"), ["4/0"]);
        assert!(super::words(None, "", b"\xff\xfe").is_empty());
    }
}
