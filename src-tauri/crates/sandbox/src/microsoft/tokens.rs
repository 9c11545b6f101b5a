//! The token endpoint: codes and refresh tokens in, tokens out, a new refresh token every time.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::grants::{ACCESS_SECONDS, Spent};
use super::page::accounts;
use super::refusal::Refusal;
use super::request::{IDENTITY, permission};
use super::{CLIENT_ID, CONSUMERS, WORK};
use crate::app::App;
use crate::gotrue::s256;
use crate::wire::Call;
use crate::world::World;

pub async fn token(State(app): State<App>, call: Call) -> Response {
    match redeem(&app, &call) {
        Ok(body) => ([("cache-control", "no-store"), ("pragma", "no-cache")], Json(body)).into_response(),
        Err(refusal) => refusal.answer(&app),
    }
}

fn redeem(app: &App, call: &Call) -> Result<Value, Refusal> {
    let form_type = "application/x-www-form-urlencoded";
    let fields = match call.header("content-type") {
        Some(kind) if kind.starts_with(form_type) => call.form(),
        Some(_) | None => Vec::new(),
    };
    let get = |name: &str| {
        fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    };
    let need = |name: &str| {
        get(name).ok_or_else(|| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            Refusal::new("invalid_request", 900_144, message)
        })
    };
    let allowed = accounts(app, call.param("tenant"))?;
    let client = need("client_id")?;
    if client != CLIENT_ID {
        let message = format!("Application with identifier '{client}' was not found in the directory.");
        return Err(Refusal::new("unauthorized_client", 700_016, message));
    }
    if get("client_secret").is_some() || get("client_assertion").is_some() {
        return Err(Refusal::new(
            "invalid_client",
            700_025,
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        )
        .status(401));
    }
    let client_info = get("client_info") == Some("1");
    let now = app.clock().now();
    let world = &mut *app.world();
    match need("grant_type")? {
        "authorization_code" => {
            let (code, redirect) = (need("code")?, need("redirect_uri")?);
            let code = world.outlook.grants.take_code(code, now).map_err(|spent| match spent {
                Some(Spent::Redeemed) => Refusal::new("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."),
                Some(Spent::Expired | Spent::Revoked) => Refusal::new("invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."),
                None => Refusal::new("invalid_grant", 9_002_313, "Invalid request. Request is malformed or invalid."),
            })?;
            let same = url::Url::parse(redirect).is_ok_and(|url| url.as_str() == code.redirect);
            if !same {
                return Err(Refusal::new(
                    "invalid_grant",
                    500_112,
                    "The reply address does not match the reply address provided when requesting Authorization code.",
                ));
            }
            let verifier = need("code_verifier")?;
            if s256(verifier) != code.challenge {
                return Err(Refusal::new(
                    "invalid_grant",
                    501_481,
                    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
                ));
            }
            if !allowed.contains(&code.account) {
                return Err(Refusal::new(
                    "invalid_grant",
                    50020,
                    "User account does not exist in tenant and cannot access the application in that tenant.",
                ));
            }
            let scopes = asked(get("scope"), &code.scopes)?;
            Ok(answer(world, &code.account, &code.scopes, &scopes, code.nonce.as_deref(), client_info, now))
        }
        "refresh_token" => {
            let grant = world.outlook.grants.refresh(need("refresh_token")?, now).map_err(|spent| match spent {
                Some(Spent::Revoked) => Refusal::new("invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.").sub("bad_token"),
                Some(Spent::Expired | Spent::Redeemed) => Refusal::new("invalid_grant", 700_082, "The refresh token has expired due to inactivity.").sub("bad_token"),
                None => Refusal::new("invalid_grant", 9_002_313, "Invalid request. Request is malformed or invalid."),
            })?;
            if world.outlook.waits_for_approval(&grant.account) {
                return Err(Refusal::consent_required());
            }
            let scopes = asked(get("scope"), &grant.scopes)?;
            Ok(answer(world, &grant.account, &grant.scopes, &scopes, None, client_info, now))
        }
        other => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            Err(Refusal::new("unsupported_grant_type", 70003, message))
        }
    }
}

/// What the access token is for: what is asked now, which must be part of what was granted.
fn asked(scope: Option<&str>, granted: &[String]) -> Result<Vec<String>, Refusal> {
    let Some(scope) = scope else { return Ok(granted.to_vec()) };
    let asked: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
    for one in &asked {
        let wanted = permission(one).ok_or_else(|| {
            Refusal::new("invalid_scope", 70011, format!("The provided value for the input parameter 'scope' is not valid. The scope {one} is not valid."))
        })?;
        let has = granted.iter().any(|scope| permission(scope) == Some(wanted));
        // Who names the person or keeps her signed in is not asked twice.
        if !has && !IDENTITY.contains(&wanted) {
            return Err(Refusal::consent_required());
        }
    }
    Ok(asked)
}

fn answer(
    world: &mut World,
    account: &str,
    granted: &[String],
    scopes: &[String],
    nonce: Option<&str>,
    client_info: bool,
    now: Timestamp,
) -> Value {
    let name = world.vendor.name.clone();
    let outlook = &mut world.outlook;
    let known: Vec<String> = scopes.iter().filter_map(|scope| permission(scope)).map(str::to_owned).collect();
    let access = outlook.grants.access_for(&mut outlook.names, account, known, now);
    // Microsoft leaves out that it keeps her signed in.
    let told: Vec<&str> =
        scopes.iter().map(String::as_str).filter(|scope| *scope != "offline_access").collect();
    let mut body = json!({
        "token_type": "Bearer",
        "scope": told.join(" "),
        "expires_in": ACCESS_SECONDS - 1,
        "ext_expires_in": ACCESS_SECONDS - 1,
        "access_token": access,
    });
    if granted.iter().any(|scope| scope == "offline_access") {
        body["refresh_token"] =
            json!(outlook.grants.begin(&mut outlook.names, account, granted.to_vec(), now));
    }
    let tenant =
        outlook.accounts.get(account).map_or(WORK, |held| if held.personal { CONSUMERS } else { WORK });
    let oid = crate::graph::me::object_id(account);
    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    if granted.iter().any(|scope| scope == "openid") {
        let head = part(json!({"typ": "JWT", "alg": "RS256", "kid": "sandbox"}));
        let mut claims = json!({"aud": CLIENT_ID, "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + ACCESS_SECONDS,
            "sub": oid, "oid": oid, "tid": tenant, "ver": "2.0", "preferred_username": account, "name": name});
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        if granted.iter().any(|scope| scope == "email") {
            claims["email"] = json!(account);
        }
        body["id_token"] = json!(format!("{head}.{}.{}", part(claims), outlook.names.token("")));
    }
    if client_info {
        body["client_info"] = json!(part(json!({"uid": oid, "utid": tenant})));
    }
    body
}

/// Where the endpoints are, for clients that look it up.
pub async fn discovery(State(app): State<App>, call: Call) -> Response {
    let tenant = call.param("tenant");
    if let Err(refusal) = accounts(&app, tenant) {
        return refusal.answer(&app);
    }
    let base = format!("http://{}/microsoft/{tenant}", call.header("host").unwrap_or_default());
    Json(json!({
        "issuer": format!("https://login.microsoftonline.com/{}/v2.0", if tenant == "common" { "{tenantid}" } else { tenant }),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }))
    .into_response()
}
