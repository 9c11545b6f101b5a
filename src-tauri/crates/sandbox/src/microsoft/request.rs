//! Whether a sign-in may be asked for at all: client, redirect, scopes and challenge, as Microsoft reads them.

use url::{Host, Url};

use super::CLIENT_ID;
use super::refusal::Refusal;

/// Scopes that name the person or keep her signed in; the page shows no box for them.
pub const IDENTITY: [&str; 4] = ["openid", "profile", "email", "offline_access"];

const GRAPH: &str = "https://graph.microsoft.com/";

const PERMISSIONS: [&str; 10] = [
    "User.Read",
    "User.ReadBasic.All",
    "User.ReadWrite",
    "Calendars.Read",
    "Calendars.ReadBasic",
    "Calendars.ReadWrite",
    "Calendars.Read.Shared",
    "Calendars.ReadWrite.Shared",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
];

/// A sign-in that may be put before the person.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub redirect: Url,
    /// As asked, in the order asked.
    pub scopes: Vec<String>,
    pub state: Option<String>,
    pub challenge: String,
    pub nonce: Option<String>,
    pub login_hint: Option<String>,
    pub prompt: Option<String>,
    pub fragment: bool,
    pub form_post: bool,
}

/// Why not. Until the redirect is known to be right, the refusal is a page and goes nowhere.
#[derive(Clone, Debug)]
pub enum Refused {
    Page(Refusal),
    Redirect(Box<Url>, Option<String>, Refusal),
}

/// # Errors
/// When Microsoft would refuse it.
pub fn read(query: &[(String, String)]) -> Result<SignIn, Refused> {
    let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let page = |error, number, message: &str| Refused::Page(Refusal::new(error, number, message));
    match get("client_id") {
        None => {
            return Err(page(
                "invalid_request",
                900_144,
                "The request body must contain the following parameter: 'client_id'.",
            ));
        }
        Some(CLIENT_ID) => {}
        Some(_) => {
            return Err(page(
                "unauthorized_client",
                700_016,
                "Application was not found in the directory 'Microsoft Accounts'.",
            ));
        }
    }
    let redirect = redirect(get("redirect_uri").unwrap_or_default()).ok_or_else(|| {
        page("invalid_request", 50011, "The redirect URI specified in the request does not match the redirect URIs configured for the application.")
    })?;
    let state = get("state").map(str::to_owned);
    let refuse = |error, number, message: &str| {
        Refused::Redirect(Box::new(redirect.clone()), state.clone(), Refusal::new(error, number, message))
    };
    if get("response_type") != Some("code") {
        return Err(refuse(
            "unsupported_response_type",
            70005,
            "The response_type is not supported for the application.",
        ));
    }
    let (fragment, form_post) = match get("response_mode") {
        None | Some("query") => (false, false),
        Some("fragment") => (true, false),
        Some("form_post") => (false, true),
        Some(_) => return Err(refuse("invalid_request", 90023, "The response_mode is not supported.")),
    };
    let scopes: Vec<String> =
        get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(refuse(
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'scope'.",
        ));
    }
    if let Some(other) = scopes.iter().find(|scope| permission(scope).is_none()) {
        let message = format!(
            "The provided request must include a valid 'scope' input parameter. The scope {other} is not valid."
        );
        return Err(refuse("invalid_scope", 70011, &message));
    }
    let challenge = get("code_challenge").unwrap_or_default();
    if challenge.is_empty() {
        return Err(refuse(
            "invalid_request",
            9_002_325,
            "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
        ));
    }
    let well_formed =
        challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if get("code_challenge_method") != Some("S256") || !well_formed {
        return Err(refuse("invalid_request", 501_491, "Invalid size of Code_Challenge parameter."));
    }
    Ok(SignIn {
        redirect,
        scopes,
        state,
        challenge: challenge.to_owned(),
        nonce: get("nonce").map(str::to_owned),
        login_hint: get("login_hint").map(str::to_owned),
        prompt: get("prompt").map(str::to_owned),
        fragment,
        form_post,
    })
}

/// `http://localhost`, registered without a path: any port, no other path, no other spelling of loopback.
#[must_use]
pub fn redirect(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let fits = url.scheme() == "http"
        && matches!(url.host(), Some(Host::Domain("localhost")))
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    fits.then_some(url)
}

/// The permission that a scope names, with or without its resource, in Microsoft's own spelling.
#[must_use]
pub fn permission(scope: &str) -> Option<&'static str> {
    let short = scope.strip_prefix(GRAPH).unwrap_or(scope);
    PERMISSIONS.iter().chain(&IDENTITY).find(|known| known.eq_ignore_ascii_case(short)).copied()
}
