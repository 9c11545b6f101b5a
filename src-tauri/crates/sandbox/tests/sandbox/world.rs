//! A sandbox and a client for one test.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header::HeaderMap};
use sandbox::{Options, Running};
use serde_json::{Value, json};

pub const NOW: &str = "2026-11-22T15:00:00Z";
pub const CLIENT: (&str, &str) =
    ("000000000000-sandbox.apps.googleusercontent.com", "GOCSPX-sandbox-not-a-secret");
pub const REDIRECT: &str = "http://127.0.0.1:49152/callback";
pub const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-0123";

pub struct World {
    pub sandbox: Running,
    client: reqwest::Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.body
    }

    /// Google's refusal with this status and reason.
    #[track_caller]
    pub fn refused(self, status: u16, reason: &str) {
        let told = &self.body["error"]["errors"][0];
        assert_eq!((self.status, told["reason"].as_str()), (status, Some(reason)), "{}", self.text);
        assert_eq!(self.body["error"]["code"], status);
        assert!(told["domain"].is_string() && told["message"].is_string(), "{}", self.text);
    }

    /// The platform's refusal with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.body["ok"], false);
        assert_eq!(self.body["error"], self.body["message"]);
        assert!(self.body["correlation_id"].is_string());
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Options { bookings: 10, events: 8, ..Options::default() }).await
    }

    pub async fn with(options: Options) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let now = options.now.or_else(|| NOW.parse().ok());
        let sandbox = sandbox::serve(Options { now, ..options }).await.unwrap();
        let redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(redirects).build().unwrap();
        Self { sandbox, client }
    }

    pub async fn try_call(&self, method: Method, path: &str, call: Call<'_>) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.sandbox.base_url));
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(bearer) = call.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = call.body {
            request = request.json(&body);
        }
        if let Some(text) = call.text {
            request = request.body(text);
        }
        if let Some(form) = call.form {
            request = request.form(&form);
        }
        let answer = request.send().await?;
        let (status, headers): (StatusCode, HeaderMap) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status: status.as_u16(), headers, text, body })
    }

    pub async fn call(&self, method: Method, path: &str, call: Call<'_>) -> Answer {
        self.try_call(method, path, call).await.unwrap()
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.call(Method::GET, path, Call::by(bearer)).await
    }

    pub async fn post(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Call::by(bearer).body(body)).await
    }

    pub async fn state(&self) -> Value {
        self.call(Method::GET, "/_sandbox/state", Call::default()).await.ok()
    }

    pub async fn edit(&self, order: Value) -> Value {
        self.call(Method::POST, "/_sandbox/edit", Call::default().body(order)).await.ok()
    }

    pub async fn fault(&self, fault: Value) {
        self.call(Method::POST, "/_sandbox/faults", Call::default().body(fault)).await.ok();
    }

    pub async fn advance(&self, seconds: i64) {
        let call = Call::default().body(json!({"advance_s": seconds}));
        self.call(Method::POST, "/_sandbox/clock", call).await.ok();
    }

    pub async fn requests(&self) -> Value {
        self.call(Method::GET, "/_sandbox/requests", Call::default()).await.ok()
    }

    /// A vendor's access token for the platform.
    pub async fn bookiji(&self) -> String {
        let session = self.password(&self.sandbox.password).await.ok();
        session["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn password(&self, password: &str) -> Answer {
        let body = json!({"email": self.sandbox.email, "password": password});
        self.gotrue("/token?grant_type=password", body).await
    }

    pub async fn gotrue(&self, path: &str, body: Value) -> Answer {
        let call = Call::default().header("apikey", "sb_publishable_sandbox").body(body);
        self.call(Method::POST, &format!("/supabase/auth/v1{path}"), call).await
    }

    /// A Google access token with these scopes, named without their prefix.
    pub async fn google(&self, scopes: &[&str]) -> String {
        let tokens = self.google_tokens(scopes).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn google_tokens(&self, scopes: &[&str]) -> Value {
        let code = self.code(&[("scope", &full(scopes))]).await;
        self.exchange(&code, &[]).await.ok()
    }

    /// Asks for a code with auto consent; `more` replaces or adds parameters.
    pub async fn authorize(&self, more: &[(&str, &str)]) -> Answer {
        let mut query = BTreeMap::from([
            ("client_id", CLIENT.0),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("state", "the-state"),
            ("code_challenge_method", "plain"),
            ("code_challenge", VERIFIER),
            ("sandbox_auto_consent", "1"),
        ]);
        query.extend(more.iter().copied());
        query.retain(|_, value| !value.is_empty());
        let query = url_encoded(&query);
        self.call(Method::GET, &format!("/google/o/oauth2/v2/auth?{query}"), Call::default()).await
    }

    pub async fn code(&self, more: &[(&str, &str)]) -> String {
        let answer = self.authorize(more).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        parameter(&answer, "code").unwrap()
    }

    pub async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)];
        if !more.iter().any(|(name, _)| *name == "code_verifier") {
            form.push(("code_verifier", VERIFIER));
        }
        form.extend_from_slice(more);
        self.token(&form).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let mut fields = BTreeMap::from([("client_id", CLIENT.0), ("client_secret", CLIENT.1)]);
        fields.extend(form.iter().copied());
        fields.retain(|_, value| !value.is_empty());
        self.call(Method::POST, "/google/token", Call::default().form(fields)).await
    }
}

#[derive(Default)]
pub struct Call<'a> {
    bearer: Option<&'a str>,
    headers: Vec<(&'a str, String)>,
    body: Option<Value>,
    form: Option<BTreeMap<&'a str, &'a str>>,
    text: Option<String>,
}

impl<'a> Call<'a> {
    pub fn by(bearer: &'a str) -> Self {
        Self { bearer: Some(bearer), ..Self::default() }
    }

    pub fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    pub fn form(mut self, form: BTreeMap<&'a str, &'a str>) -> Self {
        self.form = Some(form);
        self
    }
}

pub fn full(scopes: &[&str]) -> String {
    let long = |scope: &&str| match *scope {
        "openid" | "email" => (*scope).to_owned(),
        short => format!("https://www.googleapis.com/auth/{short}"),
    };
    scopes.iter().map(long).collect::<Vec<_>>().join(" ")
}

/// A query parameter of the address that the answer sends the browser to.
pub fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let target: reqwest::Url = answer.headers.get("location")?.to_str().ok()?.parse().ok()?;
    target.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

pub fn url_encoded(query: &BTreeMap<&str, &str>) -> String {
    let mut url: reqwest::Url = "http://x/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(query);
    url.query().unwrap_or_default().to_owned()
}
