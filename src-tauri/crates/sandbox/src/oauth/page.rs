//! The consent page: a real form, one tick box per calendar permission, Allow and Cancel.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use url::Url;

use super::request::{IDENTITY, Refused, SCOPE_PREFIX, SignIn, read};
use crate::app::App;
use crate::wire::Call;

pub async fn ask(State(app): State<App>, call: Call) -> Response {
    let sign_in = match read(&call.query) {
        Ok(sign_in) => sign_in,
        Err(refused) => return refuse(refused),
    };
    if call.query("sandbox_auto_consent") == Some("1") {
        let unticked: Vec<&str> = call.query_all("sandbox_untick").collect();
        let granted = |scope: &str| !unticked.contains(&scope);
        let account = sign_in.login_hint.clone();
        return allow(&app, &sign_in, account.as_deref(), granted);
    }
    let accounts: Vec<String> = app.world().google.accounts.keys().cloned().collect();
    ([(CACHE_CONTROL, "no-store")], Html(form(&call.query, &sign_in, &accounts))).into_response()
}

pub async fn answer(State(app): State<App>, call: Call) -> Response {
    let fields = call.form();
    let sign_in = match read(&fields) {
        Ok(sign_in) => sign_in,
        Err(refused) => return refuse(refused),
    };
    let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if get("decision") != Some("allow") {
        return refuse(Refused::Redirect(Box::new(sign_in.redirect), sign_in.state, "access_denied"));
    }
    let ticked: Vec<&str> =
        fields.iter().filter(|(key, _)| key == "grant").map(|(_, value)| value.as_str()).collect();
    allow(&app, &sign_in, get("account"), |scope| ticked.contains(&scope))
}

fn allow(app: &App, sign_in: &SignIn, account: Option<&str>, ticked: impl Fn(&str) -> bool) -> Response {
    let now = app.clock().now();
    let world = &mut *app.world();
    let account = account
        .filter(|email| world.google.accounts.contains_key(*email))
        .or_else(|| world.google.accounts.keys().next().map(String::as_str))
        .unwrap_or_default()
        .to_owned();
    let scopes: Vec<String> = sign_in
        .scopes
        .iter()
        .filter(|scope| IDENTITY.contains(&scope.as_str()) || ticked(scope))
        .cloned()
        .collect();
    if scopes.is_empty() {
        return refuse(Refused::Redirect(
            Box::new(sign_in.redirect.clone()),
            sign_in.state.clone(),
            "access_denied",
        ));
    }
    let granted = scopes.join(" ");
    let code = world.google.grants.code(
        &mut world.names,
        &account,
        scopes,
        sign_in.redirect.as_str(),
        sign_in.challenge.clone(),
        now,
    );
    let mut target = sign_in.redirect.clone();
    let mut pairs = target.query_pairs_mut();
    if let Some(state) = &sign_in.state {
        pairs.append_pair("state", state);
    }
    pairs.append_pair("code", &code).append_pair("scope", &granted);
    drop(pairs);
    redirect(&target)
}

fn refuse(refused: Refused) -> Response {
    match refused {
        Refused::Page(code, message) => {
            let page = format!(
                "<!doctype html><title>Access blocked</title><h1>Error 400: {code}</h1><p>{}</p>",
                escape(message)
            );
            (StatusCode::BAD_REQUEST, Html(page)).into_response()
        }
        Refused::Redirect(mut target, state, code) => {
            target.query_pairs_mut().append_pair("error", code);
            if let Some(state) = state {
                target.query_pairs_mut().append_pair("state", &state);
            }
            redirect(&target)
        }
    }
}

fn redirect(target: &Url) -> Response {
    (StatusCode::FOUND, [(LOCATION, target.to_string()), (CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

fn form(query: &[(String, String)], sign_in: &SignIn, accounts: &[String]) -> String {
    let hidden: String = query
        .iter()
        .map(|(key, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(key), escape(value))
        })
        .collect();
    let hinted = sign_in.login_hint.as_deref();
    let accounts: String = accounts
        .iter()
        .enumerate()
        .map(|(place, email)| {
            let chosen = hinted.map_or(place == 0, |hint| hint == email);
            format!(
                "<label><input type=\"radio\" name=\"account\" value=\"{0}\"{1}> {0}</label>\n",
                escape(email),
                if chosen { " checked" } else { "" }
            )
        })
        .collect();
    let boxes: String = sign_in
        .scopes
        .iter()
        .filter(|scope| !IDENTITY.contains(&scope.as_str()))
        .map(|scope| {
            format!(
                "<label><input type=\"checkbox\" name=\"grant\" value=\"{0}\" checked> {1}</label>\n",
                escape(scope),
                escape(scope.strip_prefix(SCOPE_PREFIX).unwrap_or(scope))
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in - Sandbox accounts</title>\n\
         <style>body{{font:16px/1.5 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}\
         label{{display:block;padding:.25rem 0}}button{{font:inherit;padding:.5rem 1.5rem;margin:1rem .5rem 0 0}}</style>\n\
         </head><body>\n<h1>Bookiji Companion wants access to your account</h1>\n\
         <p>This is the sandbox: no real account is touched.</p>\n\
         <form method=\"post\" action=\"/google/o/oauth2/v2/consent\">\n{hidden}\
         <fieldset><legend>Account</legend>{accounts}</fieldset>\n\
         <fieldset><legend>Select what Bookiji Companion can access</legend>{boxes}</fieldset>\n\
         <button name=\"decision\" value=\"allow\">Continue</button>\
         <button name=\"decision\" value=\"cancel\">Cancel</button>\n</form></body></html>\n"
    )
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
