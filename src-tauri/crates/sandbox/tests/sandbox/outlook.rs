//! Outlook's side of a test: signing in to Microsoft, and asking Graph.

use std::collections::BTreeMap;

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World, parameter, url_encoded};

pub const CLIENT_ID: &str = "5a4db0c1-0000-4000-8000-0000b0012011";
pub const REDIRECT: &str = "http://localhost:49152/";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const SCOPE: &str = "offline_access openid profile User.Read Calendars.ReadWrite";
pub const MARK: &str = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name bookijiBooking";
pub const V1: &str = "/graph/v1.0";

/// One signed-in caller.
pub struct Graph {
    pub world: World,
    pub token: String,
}

impl Graph {
    pub async fn new() -> Self {
        Self::with(Options { bookings: 3, events: 2, ..Options::default() }).await
    }

    /// With a life in the calendar.
    pub async fn lived_in() -> Self {
        Self::with(Options { bookings: 3, events: 25, outlook: true, ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Self {
        let world = World::with(options).await;
        let token = world.microsoft(SCOPE).await;
        Self { world, token }
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut call = Call::by(&self.token);
        for (name, value) in headers {
            call = call.header(name, *value);
        }
        if let Some(body) = body {
            call = call.body(body);
        }
        // Links come complete.
        let path = path
            .strip_prefix(&self.world.sandbox.base_url)
            .map_or_else(|| format!("{V1}{path}"), str::to_owned);
        self.world.call(method, &path, call).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    pub async fn patch(&self, id: &str, body: Value) -> Answer {
        self.call(Method::PATCH, &event_path(id), &[], Some(body)).await
    }

    pub async fn delete(&self, id: &str) -> Answer {
        self.call(Method::DELETE, &event_path(id), &[], None).await
    }

    pub async fn make(&self, body: Value) -> Value {
        let made = self.post("/me/events", body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body
    }

    /// Follows a delta to its end: everything that was told, and the link for the next round.
    pub async fn round(&self, path: &str, headers: &[(&str, &str)]) -> (Vec<Value>, String) {
        let (mut told, mut path) = (Vec::new(), path.to_owned());
        loop {
            let page = self.call(Method::GET, &path, headers, None).await.ok();
            told.extend(page["value"].as_array().unwrap().iter().cloned());
            match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
                (Some(next), None) => path = next.to_owned(),
                (None, Some(link)) => return (told, link.to_owned()),
                (_, _) => panic!("a page has one link: {page}"),
            }
        }
    }

    pub async fn edit(&self, mut order: Value) -> Value {
        order["service"] = json!("outlook");
        order["as"] = json!("vendor");
        self.world.edit(order).await
    }
}

impl Answer {
    /// Graph's refusal with this status and code.
    #[track_caller]
    pub fn denied(self, status: u16, code: &str) {
        let error = &self.body["error"];
        assert_eq!((self.status, error["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert!(
            error["message"].is_string() && error["innerError"]["request-id"].is_string(),
            "{}",
            self.text
        );
        assert_eq!(error["innerError"]["request-id"], self.headers["request-id"].to_str().unwrap());
    }
}

impl World {
    pub async fn microsoft(&self, scope: &str) -> String {
        let tokens = self.microsoft_tokens(scope).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn microsoft_tokens(&self, scope: &str) -> Value {
        let answer = self.ask_microsoft(&[("scope", scope)]).await;
        let code = parameter(&answer, "code").unwrap_or_else(|| panic!("{} {}", answer.status, answer.text));
        self.redeem(&[("code", &code)]).await.ok()
    }

    /// Asks for a code with auto consent; `more` replaces, adds or, with nothing, takes away parameters.
    pub async fn ask_microsoft(&self, more: &[(&str, &str)]) -> Answer {
        self.ask_tenant("common", more).await
    }

    pub async fn ask_tenant(&self, tenant: &str, more: &[(&str, &str)]) -> Answer {
        let mut query = BTreeMap::from([
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("scope", SCOPE),
            ("state", "the-state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("sandbox_auto_consent", "1"),
        ]);
        query.extend(more.iter().copied());
        query.retain(|_, value| !value.is_empty());
        let path = format!("/microsoft/{tenant}/oauth2/v2.0/authorize?{}", url_encoded(&query));
        self.call(Method::GET, &path, Call::default()).await
    }

    /// The token endpoint; a code exchange unless `more` says otherwise.
    pub async fn redeem(&self, more: &[(&str, &str)]) -> Answer {
        let mut form = BTreeMap::from([
            ("client_id", CLIENT_ID),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(more.iter().copied());
        form.retain(|_, value| !value.is_empty());
        self.call(Method::POST, "/microsoft/common/oauth2/v2.0/token", Call::default().form(form)).await
    }
}

/// Ids are full of characters that mean something in a path.
pub fn event_path(id: &str) -> String {
    format!("/me/events/{}", escaped(id))
}

pub fn escaped(id: &str) -> String {
    id.replace('%', "%25").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

pub fn wall(text: &str) -> Value {
    json!({"dateTime": text, "timeZone": "UTC"})
}

/// An hour on 1 December, with more.
pub fn hour(more: Value) -> Value {
    let mut event = json!({"subject": "Booking: Haircut", "start": wall("2026-12-01T10:00:00"), "end": wall("2026-12-01T11:00:00")});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

pub fn marked(booking: &str) -> Value {
    hour(json!({"singleValueExtendedProperties": [{"id": MARK, "value": booking}]}))
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

pub fn query(pairs: &[(&str, &str)]) -> String {
    url_encoded(&pairs.iter().copied().collect())
}
