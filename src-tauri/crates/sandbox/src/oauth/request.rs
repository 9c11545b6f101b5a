//! Whether a sign-in may be asked for at all: client, redirect, scopes and challenge.

use url::{Host, Url};

use super::CLIENT_ID;

pub const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";

/// Scopes that name the person; the page shows them, but there is nothing to tick.
pub const IDENTITY: [&str; 5] = [
    "openid",
    "email",
    "profile",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
];

const CALENDAR: [&str; 17] = [
    "calendar",
    "calendar.readonly",
    "calendar.acls",
    "calendar.acls.readonly",
    "calendar.app.created",
    "calendar.calendarlist",
    "calendar.calendarlist.readonly",
    "calendar.calendars",
    "calendar.calendars.readonly",
    "calendar.events",
    "calendar.events.readonly",
    "calendar.events.owned",
    "calendar.events.owned.readonly",
    "calendar.events.freebusy",
    "calendar.events.public.readonly",
    "calendar.freebusy",
    "calendar.settings.readonly",
];

/// A sign-in that may be put before the person.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub redirect: Url,
    pub scopes: Vec<String>,
    pub state: Option<String>,
    pub challenge: Option<Challenge>,
    pub login_hint: Option<String>,
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub enum Challenge {
    Plain(String),
    S256(String),
}

/// Why not. Until the redirect is known to be right, the refusal is a page and goes nowhere.
#[derive(Clone, Debug)]
pub enum Refused {
    Page(&'static str, &'static str),
    Redirect(Box<Url>, Option<String>, &'static str),
}

/// # Errors
/// When Google would refuse it.
pub fn read(query: &[(String, String)]) -> Result<SignIn, Refused> {
    let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match get("client_id") {
        None => return Err(Refused::Page("invalid_request", "Missing required parameter: client_id")),
        Some(CLIENT_ID) => {}
        Some(_) => return Err(Refused::Page("invalid_client", "The OAuth client was not found.")),
    }
    let redirect = get("redirect_uri")
        .ok_or(Refused::Page("invalid_request", "Missing required parameter: redirect_uri"))?;
    let redirect = Url::parse(redirect)
        .ok()
        .filter(is_loopback)
        .ok_or(Refused::Page("redirect_uri_mismatch", "The redirect URI is not a loopback address."))?;
    let state = get("state").map(str::to_owned);
    let refuse = |code| Refused::Redirect(Box::new(redirect.clone()), state.clone(), code);
    if get("response_type") != Some("code") {
        return Err(refuse("unsupported_response_type"));
    }
    let scopes: Vec<String> =
        get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() || !scopes.iter().all(|scope| is_known(scope)) {
        return Err(refuse("invalid_scope"));
    }
    let challenge = match (get("code_challenge"), get("code_challenge_method")) {
        (None, _) => None,
        (Some(text), method) => {
            let method = method.unwrap_or("plain");
            if !(43..=128).contains(&text.len()) || !text.bytes().all(is_unreserved) {
                return Err(refuse("invalid_request"));
            }
            match method {
                "S256" => Some(Challenge::S256(text.to_owned())),
                "plain" => Some(Challenge::Plain(text.to_owned())),
                _ => return Err(refuse("invalid_request")),
            }
        }
    };
    Ok(SignIn { redirect, scopes, state, challenge, login_hint: get("login_hint").map(str::to_owned) })
}

/// `http://127.0.0.1`, `http://[::1]` or `http://localhost`, any port.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    host && url.scheme() == "http" && url.fragment().is_none()
}

fn is_known(scope: &str) -> bool {
    IDENTITY.contains(&scope)
        || scope.strip_prefix(SCOPE_PREFIX).is_some_and(|short| CALENDAR.contains(&short))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
