//! Bookiji's sign-in server, as GoTrue behaves: password, refresh with rotation, PKCE, user, logout.
//!
//! Two rules decide whether a client survives a lost answer: a refresh token may be used again within ten seconds, and
//! the parent of the token that is active now may be used at any time, and answers with that active token.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, extract::State};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::names::Names;
use crate::oauth::page::escape;
use crate::wire::Call;
use crate::world::{Vendor, World};

/// The publishable key that every call to the sign-in server carries.
pub const API_KEY: &str = "sb_publishable_sandbox";
const ACCESS_SECONDS: i64 = 3600;
const REUSE_SECONDS: i64 = 10;
const CODE_SECONDS: i64 = 300;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// By session id.
    live: BTreeMap<String, Timestamp>,
    refresh: BTreeMap<String, RefreshToken>,
    access: BTreeMap<String, AccessToken>,
    codes: BTreeMap<String, Code>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct RefreshToken {
    session: String,
    parent: Option<String>,
    revoked: bool,
    updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct AccessToken {
    session: String,
    expires_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Code {
    challenge: String,
    expires_at: Timestamp,
}

impl Sessions {
    /// Whether the platform accepts this bearer.
    #[must_use]
    pub fn accepts(&self, access_token: &str, now: Timestamp) -> bool {
        self.access
            .get(access_token)
            .is_some_and(|token| token.expires_at > now && self.live.contains_key(&token.session))
    }

    /// Whether this word was handed out here, whatever became of it.
    #[must_use]
    pub fn handed_out(&self, word: &str) -> bool {
        self.refresh.contains_key(word) || self.access.contains_key(word) || self.codes.contains_key(word)
    }

    pub fn end_all(&mut self) {
        self.live.clear();
        for token in self.refresh.values_mut() {
            token.revoked = true;
        }
    }

    fn end(&mut self, session: &str) {
        self.live.remove(session);
        for token in self.refresh.values_mut().filter(|token| token.session == session) {
            token.revoked = true;
        }
    }

    fn begin(&mut self, names: &mut Names, vendor: &Vendor, now: Timestamp) -> Value {
        let session = names.uuid();
        self.live.insert(session.clone(), now);
        let refresh = self.grant(names, &session, None, now);
        self.answer(names, vendor, &session, &refresh, now)
    }

    fn grant(&mut self, names: &mut Names, session: &str, parent: Option<String>, now: Timestamp) -> String {
        let token = names.token("")[..22].to_owned();
        let row = RefreshToken { session: session.to_owned(), parent, revoked: false, updated_at: now };
        self.refresh.insert(token.clone(), row);
        token
    }

    fn refresh(
        &mut self,
        names: &mut Names,
        vendor: &Vendor,
        token: &str,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let Some(row) = self.refresh.get(token).cloned() else {
            return Err(Refused::NOT_FOUND);
        };
        if !self.live.contains_key(&row.session) {
            return Err(Refused::SESSION_GONE);
        }
        let active = self
            .refresh
            .iter()
            .find(|(_, other)| other.session == row.session && !other.revoked)
            .map(|(name, other)| (name.clone(), other.parent.clone()));
        let issued = if row.revoked {
            match active {
                Some((active, parent)) if parent.as_deref() == Some(token) => active,
                other => {
                    if now.as_second() - row.updated_at.as_second() > REUSE_SECONDS {
                        self.end(&row.session);
                        return Err(Refused::ALREADY_USED);
                    }
                    if let Some((active, _)) = other {
                        self.retire(&active, now);
                    }
                    self.grant(names, &row.session, Some(token.to_owned()), now)
                }
            }
        } else {
            self.retire(token, now);
            self.grant(names, &row.session, Some(token.to_owned()), now)
        };
        Ok(self.answer(names, vendor, &row.session, &issued, now))
    }

    fn retire(&mut self, token: &str, now: Timestamp) {
        if let Some(row) = self.refresh.get_mut(token) {
            row.revoked = true;
            row.updated_at = now;
        }
    }

    fn answer(
        &mut self,
        names: &mut Names,
        vendor: &Vendor,
        session: &str,
        refresh: &str,
        now: Timestamp,
    ) -> Value {
        let expires_at = now.as_second() + ACCESS_SECONDS;
        let access = access_token(names, vendor, session, now.as_second(), expires_at);
        self.access.retain(|_, token| token.expires_at > now);
        self.access.insert(
            access.clone(),
            AccessToken {
                session: session.to_owned(),
                expires_at: Timestamp::from_second(expires_at).unwrap_or(now),
            },
        );
        json!({
            "access_token": access,
            "token_type": "bearer",
            "expires_in": ACCESS_SECONDS,
            "expires_at": expires_at,
            "refresh_token": refresh,
            "user": user(vendor, now),
        })
    }

    /// For `/_sandbox/state`: how many, and what they hash to, never what they are.
    #[must_use]
    pub fn hashed(&self) -> Value {
        let rows = self.refresh.iter().map(|(token, row)| {
            json!({"service": "bookiji", "kind": "refresh", "hash": crate::names::hashed(token),
                "revoked": row.revoked || !self.live.contains_key(&row.session)})
        });
        rows.collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Refused {
    status: u16,
    code: &'static str,
    message: &'static str,
}

impl Refused {
    const NOT_FOUND: Self = Self {
        status: 400,
        code: "refresh_token_not_found",
        message: "Invalid Refresh Token: Refresh Token Not Found",
    };
    const SESSION_GONE: Self =
        Self { status: 400, code: "session_not_found", message: "Invalid Refresh Token: Session Not Found" };
    const ALREADY_USED: Self = Self {
        status: 400,
        code: "refresh_token_already_used",
        message: "Invalid Refresh Token: Already Used",
    };
    const CREDENTIALS: Self =
        Self { status: 400, code: "invalid_credentials", message: "Invalid login credentials" };
    const BODY: Self =
        Self { status: 400, code: "bad_json", message: "Could not parse request body as JSON" };
    const GRANT: Self = Self { status: 400, code: "validation_failed", message: "unsupported_grant_type" };
    const FLOW: Self = Self {
        status: 404,
        code: "flow_state_not_found",
        message: "invalid flow state, no valid flow state found",
    };
    const VERIFIER: Self = Self {
        status: 400,
        code: "bad_code_verifier",
        message: "code challenge does not match previously saved code verifier",
    };
    const NO_AUTHORIZATION: Self = Self {
        status: 401,
        code: "no_authorization",
        message: "This endpoint requires a valid Bearer token",
    };
    const BAD_JWT: Self = Self {
        status: 403,
        code: "bad_jwt",
        message: "invalid JWT: unable to parse or verify signature, token is expired",
    };
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({"code": self.status, "error_code": self.code, "msg": self.message})))
            .into_response()
    }
}

pub fn routes() -> Router<App> {
    Router::new()
        .route("/supabase/auth/v1/token", post(token))
        .route("/supabase/auth/v1/authorize", get(authorize))
        .route("/supabase/auth/v1/sandbox-consent", post(consent))
        .route("/supabase/auth/v1/user", get(whoami))
        .route("/supabase/auth/v1/logout", post(logout))
        .route("/supabase/auth/v1/settings", get(settings))
        .route("/supabase/auth/v1/health", get(health))
}

async fn token(State(app): State<App>, call: Call) -> Response {
    if let Some(refused) = without_key(&call) {
        return refused;
    }
    let Some(body) = call.json() else { return Refused::BODY.into_response() };
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let now = app.clock().now();
    let world = &mut *app.world();
    let World { sessions, names, vendor, .. } = world;
    let answer = match call.query("grant_type") {
        Some("password") => {
            if !field("email").eq_ignore_ascii_case(&vendor.email) || field("password") != vendor.password {
                Err(Refused::CREDENTIALS)
            } else {
                Ok(sessions.begin(names, vendor, now))
            }
        }
        Some("refresh_token") => sessions.refresh(names, vendor, field("refresh_token"), now),
        Some("pkce") => match sessions.codes.remove(field("auth_code")) {
            Some(code) if code.expires_at > now => {
                if code.challenge == s256(field("code_verifier")) {
                    Ok(sessions.begin(names, vendor, now))
                } else {
                    Err(Refused::VERIFIER)
                }
            }
            Some(_) | None => Err(Refused::FLOW),
        },
        _ => Err(Refused::GRANT),
    };
    match answer {
        Ok(session) => Json(session).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// The browser's way in. With `sandbox_auto_consent=1` it skips the page, which is a provider's own in real life.
async fn authorize(State(app): State<App>, call: Call) -> Response {
    let asked = match Asked::read(&call.query) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    if call.query("sandbox_auto_consent") == Some("1") {
        return admit(&app, asked);
    }
    let hidden: String = call
        .query
        .iter()
        .map(|(key, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(key), escape(value))
        })
        .collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in - Sandbox Bookiji</title></head>\n\
         <body><h1>Sign in to Bookiji</h1>\n<p>This is the sandbox: no real account is touched.</p>\n\
         <form method=\"post\" action=\"/supabase/auth/v1/sandbox-consent\">\n{hidden}\
         <button name=\"decision\" value=\"allow\">Continue as {}</button>\
         <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form></body></html>\n",
        escape(&app.world().vendor.name)
    );
    ([(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

async fn consent(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    match Asked::read(&fields) {
        Err(refused) => refused.into_response(),
        Ok(asked) if fields.iter().any(|(name, value)| name == "decision" && value == "allow") => {
            admit(&app, asked)
        }
        Ok(Asked { mut redirect, .. }) => {
            redirect
                .query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user denied your request");
            back(&redirect)
        }
    }
}

/// What the browser came with.
struct Asked {
    redirect: url::Url,
    challenge: String,
}

impl Asked {
    fn read(query: &[(String, String)]) -> Result<Self, Refused> {
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let refused = |message| Err(Refused { status: 400, code: "validation_failed", message });
        if !matches!(get("provider"), Some("google" | "github")) {
            return refused("Unsupported provider: provider is not enabled");
        }
        let redirect = get("redirect_to").and_then(|target| url::Url::parse(target).ok());
        let Some(redirect) = redirect.filter(crate::oauth::request::is_loopback) else {
            return refused("redirect_to is not allowed");
        };
        let challenge = get("code_challenge").unwrap_or_default();
        let s256 = get("code_challenge_method").is_some_and(|method| method.eq_ignore_ascii_case("s256"));
        if challenge.len() != 43 || !s256 {
            return refused("code_challenge is not S256");
        }
        Ok(Self { redirect, challenge: challenge.to_owned() })
    }
}

fn admit(app: &App, asked: Asked) -> Response {
    let Asked { mut redirect, challenge } = asked;
    let now = app.clock().now();
    let mut world = app.world();
    let code = world.names.secret_uuid();
    let expires_at = crate::time::after(now, CODE_SECONDS);
    world.sessions.codes.retain(|_, code| code.expires_at > now);
    world.sessions.codes.insert(code.clone(), Code { challenge, expires_at });
    redirect.query_pairs_mut().append_pair("code", &code);
    back(&redirect)
}

fn back(target: &url::Url) -> Response {
    (StatusCode::FOUND, [(LOCATION, target.to_string()), (CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

async fn whoami(State(app): State<App>, call: Call) -> Response {
    if let Some(refused) = without_key(&call) {
        return refused;
    }
    let now = app.clock().now();
    let world = app.world();
    match call.bearer() {
        None => Refused::NO_AUTHORIZATION.into_response(),
        Some(token) if world.sessions.accepts(token, now) => Json(user(&world.vendor, now)).into_response(),
        Some(_) => Refused::BAD_JWT.into_response(),
    }
}

async fn logout(State(app): State<App>, call: Call) -> Response {
    if let Some(refused) = without_key(&call) {
        return refused;
    }
    let now = app.clock().now();
    let mut world = app.world();
    let Some(token) = call.bearer() else { return Refused::NO_AUTHORIZATION.into_response() };
    if !world.sessions.accepts(token, now) {
        return Refused::BAD_JWT.into_response();
    }
    let session = world.sessions.access.get(token).map(|token| token.session.clone()).unwrap_or_default();
    let everyone: Vec<String> = world.sessions.live.keys().cloned().collect();
    for other in everyone {
        let ends = match call.query("scope").unwrap_or("global") {
            "local" => other == session,
            "others" => other != session,
            _ => true,
        };
        if ends {
            world.sessions.end(&other);
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn settings(call: Call) -> Response {
    without_key(&call).unwrap_or_else(|| {
        Json(json!({"external": {"email": true, "google": true, "github": true}, "disable_signup": false,
            "mailer_autoconfirm": false, "phone_autoconfirm": false, "sms_provider": ""}))
        .into_response()
    })
}

async fn health(call: Call) -> Response {
    without_key(&call).unwrap_or_else(|| {
        Json(json!({"version": "sandbox", "name": "GoTrue",
            "description": "GoTrue is a user registration and authentication API"}))
        .into_response()
    })
}

/// The gateway before the sign-in server, which knows nothing but keys.
pub(crate) fn without_key(call: &Call) -> Option<Response> {
    let message = match call.header("apikey").or_else(|| call.query("apikey")) {
        Some(API_KEY) => return None,
        Some(_) => json!({"message": "Invalid API key"}),
        None => json!({"message": "No API key found in request",
            "hint": "No `apikey` request header or url param was found."}),
    };
    Some((StatusCode::UNAUTHORIZED, Json(message)).into_response())
}

fn access_token(
    names: &mut Names,
    vendor: &Vendor,
    session: &str,
    issued_at: i64,
    expires_at: i64,
) -> String {
    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"sub": vendor.auth_id, "aud": "authenticated", "role": "authenticated",
        "email": vendor.email, "session_id": session, "iat": issued_at, "exp": expires_at}));
    format!("{head}.{claims}.{}", names.token(""))
}

fn user(vendor: &Vendor, now: Timestamp) -> Value {
    let now = crate::time::zulu(now);
    json!({
        "id": vendor.auth_id, "aud": "authenticated", "role": "authenticated", "email": vendor.email,
        "email_confirmed_at": "2024-03-04T14:00:00Z", "phone": "", "last_sign_in_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {"full_name": vendor.name, "role": "vendor"},
        "identities": [], "created_at": "2024-03-04T14:00:00Z", "updated_at": now,
    })
}

/// RFC 7636 §4.2.
pub(crate) fn s256(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(verifier))
}
