//! The consent page, the page that says that an administrator has to agree, and the administrator's own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::grants::{Code, Grants};
use super::refusal::Refusal;
use super::request::{IDENTITY, Refused, SignIn, permission, read, redirect};
use super::{CLIENT_ID, CONSUMERS, WORK};
use crate::app::App;
use crate::graph::world::Mailbox;
use crate::wire::Call;

pub async fn ask(State(app): State<App>, call: Call) -> Response {
    let sign_in = match read(&call.query) {
        Ok(sign_in) => sign_in,
        Err(refused) => return refuse(&app, refused),
    };
    let accounts = match accounts(&app, call.param("tenant")) {
        Ok(accounts) => accounts,
        Err(refusal) => return refuse(&app, Refused::Page(refusal)),
    };
    if sign_in.prompt.as_deref() == Some("none") {
        let refusal = Refusal::new(
            "interaction_required",
            65001,
            "The user or administrator has not consented to use the application.",
        );
        return send_back(&app, &sign_in, Err(refusal));
    }
    if call.query("sandbox_auto_consent") == Some("1") {
        let unticked: Vec<&str> = call.query_all("sandbox_untick").collect();
        let hint = sign_in.login_hint.as_deref();
        let Some(account) = chosen(&accounts, hint) else { return nobody(&app) };
        if app.world().outlook.waits_for_approval(&account) {
            return send_back(&app, &sign_in, Err(Refusal::needs_approval()));
        }
        return allow(&app, &sign_in, &account, |scope| !unticked.contains(&scope));
    }
    show(consent(call.param("tenant"), &call.query, &sign_in, &accounts))
}

pub async fn answer(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    let sign_in = match read(&fields) {
        Ok(sign_in) => sign_in,
        Err(refused) => return refuse(&app, refused),
    };
    let accounts = match accounts(&app, call.param("tenant")) {
        Ok(accounts) => accounts,
        Err(refusal) => return refuse(&app, Refused::Page(refusal)),
    };
    let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match get("decision") {
        Some("allow") => {}
        Some("return") => return send_back(&app, &sign_in, Err(Refusal::needs_approval())),
        Some(_) | None => {
            let refusal = Refusal::new("access_denied", 65004, "User declined to consent to access the app.");
            return send_back(&app, &sign_in, Err(refusal));
        }
    }
    let Some(account) = chosen(&accounts, get("account").or(sign_in.login_hint.as_deref())) else {
        return nobody(&app);
    };
    if app.world().outlook.waits_for_approval(&account) {
        return show(wall(call.param("tenant"), &fields));
    }
    allow(&app, &sign_in, &account, |_| true)
}

/// The link that an administrator follows to let everyone in her organisation use the app.
pub async fn ask_administrator(State(app): State<App>, call: Call) -> Response {
    match administrator_redirect(&call.query) {
        Err(refusal) => refuse(&app, Refused::Page(refusal)),
        Ok(_) if call.query("sandbox_auto_consent") == Some("1") => approve(&app, &call.query),
        Ok(_) => show(administrators(call.param("tenant"), &call.query)),
    }
}

pub async fn administrator(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    let accepted = fields.iter().any(|(name, value)| name == "decision" && value == "allow");
    match administrator_redirect(&fields) {
        Err(refusal) => refuse(&app, Refused::Page(refusal)),
        Ok(_) if accepted => approve(&app, &fields),
        Ok(mut target) => {
            target
                .query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "AADSTS65004: User declined to consent to access the app.");
            to(&target)
        }
    }
}

fn administrator_redirect(fields: &[(String, String)]) -> Result<Url, Refusal> {
    let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if get("client_id") != Some(CLIENT_ID) {
        return Err(Refusal::new(
            "unauthorized_client",
            700_016,
            "Application was not found in the directory.",
        ));
    }
    redirect(get("redirect_uri").unwrap_or_default()).ok_or_else(|| {
        Refusal::new("invalid_request", 50011, "The redirect URI specified in the request does not match the redirect URIs configured for the application.")
    })
}

fn approve(app: &App, fields: &[(String, String)]) -> Response {
    app.world().outlook.approve();
    let Ok(mut target) = administrator_redirect(fields) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut pairs = target.query_pairs_mut();
    pairs.append_pair("admin_consent", "True").append_pair("tenant", WORK);
    if let Some((_, state)) = fields.iter().find(|(name, _)| name == "state") {
        pairs.append_pair("state", state);
    }
    drop(pairs);
    to(&target)
}

/// The accounts that may sign in through this tenant.
pub fn accounts(app: &App, tenant: &str) -> Result<Vec<String>, Refusal> {
    let fits: fn(&Mailbox) -> bool = match tenant {
        "common" => |_| true,
        "organizations" | WORK => |mailbox| !mailbox.personal,
        "consumers" | CONSUMERS => |mailbox| mailbox.personal,
        other => {
            let message = format!(
                "Tenant '{other}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            );
            return Err(Refusal::new("invalid_request", 90002, message));
        }
    };
    let world = app.world();
    Ok(world
        .outlook
        .accounts
        .iter()
        .filter(|(_, mailbox)| fits(mailbox))
        .map(|(email, _)| email.clone())
        .collect())
}

fn chosen(accounts: &[String], wanted: Option<&str>) -> Option<String> {
    let named = wanted.and_then(|wanted| accounts.iter().find(|email| email.eq_ignore_ascii_case(wanted)));
    named.or_else(|| accounts.first()).cloned()
}

fn allow(app: &App, sign_in: &SignIn, account: &str, ticked: impl Fn(&str) -> bool) -> Response {
    let now = app.clock().now();
    let code = {
        let outlook = &mut app.world().outlook;
        let scopes =
            sign_in.scopes.iter().filter(|scope| IDENTITY.contains(&scope.as_str()) || ticked(scope));
        let code = Code {
            account: account.to_owned(),
            scopes: scopes.cloned().collect(),
            redirect: sign_in.redirect.to_string(),
            challenge: sign_in.challenge.clone(),
            nonce: sign_in.nonce.clone(),
            expires_at: Grants::code_expiry(now),
        };
        outlook.grants.code(&mut outlook.names, code)
    };
    send_back(app, sign_in, Ok(code))
}

/// With the outcome, in the way that was asked for.
fn send_back(app: &App, sign_in: &SignIn, outcome: Result<String, Refusal>) -> Response {
    let mut pairs = match &outcome {
        Ok(code) => vec![("code", code.clone())],
        Err(refusal) => {
            vec![("error", refusal.error.to_owned()), ("error_description", refusal.description())]
        }
    };
    if let Some(state) = &sign_in.state {
        pairs.push(("state", state.clone()));
    }
    match &outcome {
        Ok(_) => pairs.push(("session_state", app.world().outlook.names.uuid())),
        Err(refusal) if refusal.number == 65004 => pairs.push(("error_subcode", "cancel".to_owned())),
        Err(_) => {}
    }
    if sign_in.form_post {
        let fields: String = pairs
            .iter()
            .map(|(name, value)| {
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
            })
            .collect();
        let page = format!(
            "<!doctype html><title>Working...</title><form method=\"post\" action=\"{}\">{fields}</form><script>document.forms[0].submit()</script>",
            escape(sign_in.redirect.as_str())
        );
        return show(page);
    }
    let mut target = sign_in.redirect.clone();
    if sign_in.fragment {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        target.set_fragment(Some(&text));
    } else {
        target.query_pairs_mut().extend_pairs(&pairs);
    }
    to(&target)
}

fn refuse(app: &App, refused: Refused) -> Response {
    match refused {
        Refused::Page(refusal) => {
            let page = format!(
                "<!doctype html><title>Sign in to your account</title><h1>Sorry, but we're having trouble signing you in.</h1><p>{}</p>",
                escape(&refusal.description())
            );
            (StatusCode::BAD_REQUEST, [(CACHE_CONTROL, "no-store")], Html(page)).into_response()
        }
        Refused::Redirect(target, state, refusal) => {
            let sign_in = SignIn {
                redirect: *target,
                scopes: Vec::new(),
                state,
                challenge: String::new(),
                nonce: None,
                login_hint: None,
                prompt: None,
                fragment: false,
                form_post: false,
            };
            send_back(app, &sign_in, Err(refusal))
        }
    }
}

fn nobody(app: &App) -> Response {
    let refusal = Refusal::new(
        "invalid_request",
        50020,
        "User account from identity provider does not exist in tenant and cannot access the application.",
    );
    refuse(app, Refused::Page(refusal))
}

fn to(target: &Url) -> Response {
    (StatusCode::FOUND, [(LOCATION, target.to_string()), (CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

fn show(page: String) -> Response {
    ([(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

const HEAD: &str = "<meta charset=\"utf-8\"><title>Sign in to your account - Sandbox</title>\n\
    <style>body{font:16px/1.5 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}\
    label{display:block;padding:.25rem 0}button{font:inherit;padding:.5rem 1.5rem;margin:1rem .5rem 0 0}</style>";

fn hidden(fields: &[(String, String)]) -> String {
    const OWN: [&str; 2] = ["account", "decision"];
    fields
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value))
        })
        .collect()
}

fn consent(tenant: &str, query: &[(String, String)], sign_in: &SignIn, accounts: &[String]) -> String {
    let hinted = chosen(accounts, sign_in.login_hint.as_deref());
    let accounts: String = accounts
        .iter()
        .map(|email| {
            let mark = if Some(email) == hinted.as_ref() { " checked" } else { "" };
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{0}\"{mark}> {0}</label>\n",
                escape(email)
            )
        })
        .collect();
    // All or nothing: Microsoft's page has no boxes to untick.
    let asked: String = sign_in
        .scopes
        .iter()
        .filter(|scope| !IDENTITY.contains(&scope.as_str()))
        .filter_map(|scope| permission(scope))
        .map(|scope| format!("<li>{scope}</li>"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{HEAD}</head><body>\n<h1>Permissions requested</h1>\n\
         <p>Bookiji Companion (unverified) would like to:</p><ul>{asked}</ul>\n\
         <p>This is the sandbox: no real account is touched.</p>\n\
         <form method=\"post\" action=\"/microsoft/{tenant}/oauth2/v2.0/consent\">\n{}\
         <fieldset><legend>Account</legend>{accounts}</fieldset>\n\
         <button name=\"decision\" value=\"allow\">Accept</button>\
         <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form></body></html>\n",
        hidden(query)
    )
}

fn wall(tenant: &str, fields: &[(String, String)]) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{HEAD}</head><body>\n<h1>Need admin approval</h1>\n\
         <p>Bookiji Companion needs permission to access resources in your organization that only an admin can grant. \
         Please ask an admin to grant permission to this app before you can use it.</p>\n\
         <form method=\"post\" action=\"/microsoft/{tenant}/oauth2/v2.0/consent\">\n{}\
         <button name=\"decision\" value=\"return\">Return to the application without granting consent</button>\n\
         </form></body></html>\n",
        hidden(fields)
    )
}

fn administrators(tenant: &str, query: &[(String, String)]) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{HEAD}</head><body>\n<h1>Permissions requested</h1>\n\
         <p>Review for your organization: Bookiji Companion.</p>\n\
         <form method=\"post\" action=\"/microsoft/{tenant}/v2.0/adminconsent\">\n{}\
         <button name=\"decision\" value=\"allow\">Accept</button>\
         <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form></body></html>\n",
        hidden(query)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
