//! The token endpoint, revocation and userinfo.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::grants::ACCESS_SECONDS;
use super::request::Challenge;
use super::{CLIENT_ID, CLIENT_SECRET};
use crate::app::App;
use crate::google::refusal::Refusal;
use crate::gotrue::s256;
use crate::wire::Call;

pub async fn token(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    let get = |name: &str| {
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    };
    let basic = basic_credentials(&call);
    let (client, secret) = match &basic {
        Some((client, secret)) => (Some(client.as_str()), Some(secret.as_str())),
        None => (get("client_id"), get("client_secret")),
    };
    match (client, secret) {
        (None, _) => return refuse(400, "invalid_request", "Could not determine client ID from request."),
        (Some(CLIENT_ID), Some(CLIENT_SECRET)) => {}
        (Some(CLIENT_ID), None) => return refuse(400, "invalid_request", "client_secret is missing."),
        (Some(CLIENT_ID), Some(_)) => {
            return refuse(401, "invalid_client", "The provided client secret is invalid.");
        }
        (Some(_), _) => return refuse(401, "invalid_client", "The OAuth client was not found."),
    }
    match get("grant_type") {
        Some("authorization_code") => exchange(&app, get("code"), get("redirect_uri"), get("code_verifier")),
        Some("refresh_token") => match get("refresh_token") {
            Some(refresh) => answer(&app, refresh, false),
            None => refuse(400, "invalid_request", "Missing required parameter: refresh_token"),
        },
        Some(_) => refuse(400, "unsupported_grant_type", "Invalid grant_type"),
        None => refuse(400, "invalid_request", "Required parameter is missing: grant_type"),
    }
}

fn exchange(app: &App, code: Option<&str>, redirect: Option<&str>, verifier: Option<&str>) -> Response {
    let Some(code) = code else { return refuse(400, "invalid_request", "Missing required parameter: code") };
    let now = app.clock().now();
    let refresh = {
        let world = &mut *app.world();
        let Some(code) = world.google.grants.take_code(code, now) else {
            return refuse(400, "invalid_grant", "Malformed auth code.");
        };
        let same = redirect
            .and_then(|text| url::Url::parse(text).ok())
            .is_some_and(|url| url.as_str() == code.redirect);
        if !same {
            return refuse(400, "redirect_uri_mismatch", "Bad Request");
        }
        match (&code.challenge, verifier) {
            (None, None) => {}
            (Some(_), None) => return refuse(400, "invalid_grant", "Missing code verifier."),
            (Some(Challenge::S256(challenge)), Some(verifier)) if *challenge == s256(verifier) => {}
            (Some(Challenge::Plain(challenge)), Some(verifier)) if challenge == verifier => {}
            (_, Some(_)) => return refuse(400, "invalid_grant", "Invalid code verifier."),
        }
        world.google.grants.begin(&mut world.names, &code)
    };
    answer(app, &refresh, true)
}

/// A refresh answers without a refresh token: Google does not rotate them.
fn answer(app: &App, refresh: &str, first: bool) -> Response {
    let now = app.clock().now();
    let world = &mut *app.world();
    let Some((access, grant)) = world.google.grants.access_for(&mut world.names, refresh, now) else {
        return refuse(400, "invalid_grant", "Token has been expired or revoked.");
    };
    let mut body = json!({
        "access_token": access,
        "expires_in": ACCESS_SECONDS - 1,
        "scope": grant.scopes.join(" "),
        "token_type": "Bearer",
    });
    if first {
        body["refresh_token"] = json!(refresh);
    }
    if grant.scopes.iter().any(|scope| scope == "openid") {
        let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let head = part(json!({"alg": "RS256", "typ": "JWT", "kid": "sandbox"}));
        let claims = part(json!({"iss": "https://accounts.google.com", "aud": CLIENT_ID, "azp": CLIENT_ID,
            "sub": subject(&grant.account), "email": grant.account, "email_verified": true,
            "iat": now.as_second(), "exp": now.as_second() + ACCESS_SECONDS}));
        body["id_token"] = json!(format!("{head}.{claims}.{}", world.names.token("")));
    }
    ([("cache-control", "no-store")], Json(body)).into_response()
}

pub async fn revoke(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    let token = fields.iter().find(|(key, _)| key == "token").map(|(_, value)| value.as_str());
    match token.or_else(|| call.query("token")) {
        Some(token) if app.world().google.grants.revoke(token) => Json(json!({})).into_response(),
        Some(_) => refuse(400, "invalid_token", "Token expired or revoked"),
        None => refuse(400, "invalid_request", "Required parameter is missing: token"),
    }
}

pub async fn userinfo(State(app): State<App>, call: Call) -> Response {
    let now = app.clock().now();
    let world = app.world();
    let Some(access) = call.bearer().and_then(|token| world.google.grants.access(token, now)) else {
        return Refusal::sign_in().into_response();
    };
    let mut body = json!({"sub": subject(&access.account)});
    let has = |scopes: [&str; 2]| access.scopes.iter().any(|scope| scopes.contains(&scope.as_str()));
    if has(["email", "https://www.googleapis.com/auth/userinfo.email"]) {
        body["email"] = json!(access.account);
        body["email_verified"] = json!(true);
    }
    if has(["profile", "https://www.googleapis.com/auth/userinfo.profile"]) {
        body["name"] = json!(world.vendor.name);
    }
    Json(body).into_response()
}

fn subject(account: &str) -> String {
    format!("1{:020}", crate::names::pick(0, account, usize::MAX))
}

fn refuse(status: u16, error: &str, description: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [("cache-control", "no-store")], Json(json!({"error": error, "error_description": description})))
        .into_response()
}

fn basic_credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        url::form_urlencoded::parse(format!("v={part}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decode(client)?, decode(secret)?))
}
