//! Signing in to a calendar service in her own browser: authorization code, PKCE, a listener on this computer (RFC 8252,
//! RFC 7636). Stores nothing and knows no service's API.

mod aadsts;
pub(crate) mod loopback;
mod page;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse,
    TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sync::error::{Code, ServiceError};
use url::Url;

use crate::http::{Base, Http, Method, Peer, Refusal, Request, garbled, line, not_expired};
use crate::tokens::{Grant, Refresh};
use aadsts::Meaning;
use loopback::Loopback;
pub use loopback::PastedLink;

/// How long she may take in the browser.
pub const PATIENCE: Duration = Duration::from_mins(10);
/// Of an access token that does not say.
const LIFE: Duration = Duration::from_mins(5);

/// Where and as whom to sign in.
#[derive(Clone, Debug)]
pub struct Config {
    pub peer: Peer,
    /// May carry a query of its own, which is kept.
    pub authorize: Base,
    pub token: Base,
    pub client_id: String,
    /// Of a desktop app: shipped with it, so it proves nothing, but some services insist.
    pub client_secret: Option<SecretString>,
    pub scopes: Vec<String>,
    /// More parameters of the sign-in page.
    pub extra: Vec<(String, String)>,
    pub redirect: Redirect,
}

/// The name by which the browser comes back to this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// `127.0.0.1`, which cannot mean anything else.
    Address,
    /// `localhost`, where a service registers no address. Browsers may take it for either protocol's.
    Localhost,
}

/// A service's sign-in server.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    config: Config,
}

/// A sign-in that waits for her. Dropping it ends the wait and closes the listener.
pub struct Pending {
    client: Client,
    loopback: Loopback,
    url: Url,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

/// What she allowed.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Unless she did not let us see it.
    pub account_email: Option<String>,
    pub scopes: BTreeSet<String>,
    /// Asked for and not given: each switches one feature off.
    pub missing: BTreeSet<String>,
    /// Never without a refresh token.
    pub grant: Grant,
}

/// Why nobody is connected now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("the sign-in page was not answered within ten minutes")]
    TimedOut,
    #[error("the sign-in was cancelled in the browser")]
    Cancelled,
    /// The sign-in page itself refused, in its own word.
    #[error("{service} did not allow the sign-in ({reason})")]
    Refused { service: String, reason: String },
    /// Her organisation lets nobody but an administrator allow this app.
    #[error("an administrator of this organisation has to allow the app at {service} first")]
    NeedsAdministrator { service: String },
    #[error("this computer does not let the app listen for the browser: {reason}")]
    CannotListen { reason: String },
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl ConnectError {
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TimedOut | Self::Cancelled => Code::SignInCancelled,
            Self::Refused { .. } | Self::NeedsAdministrator { .. } => Code::PermissionDenied,
            Self::CannotListen { .. } => Code::NetworkError,
            Self::Service(error) => error.code(),
        }
    }
}

impl Client {
    #[must_use]
    pub fn new(http: Http, config: Config) -> Self {
        Self { http, config }
    }

    /// Starts listening, and only then says where to send the browser.
    ///
    /// # Errors
    /// [`ConnectError::CannotListen`] when no port can be had.
    pub async fn begin(&self) -> Result<Pending, ConnectError> {
        let state = CsrfToken::new_random();
        let loopback = Loopback::bind(state.secret().clone(), self.config.redirect).await?;
        let redirect = RedirectUrl::new(loopback.address())
            .map_err(|error| ConnectError::CannotListen { reason: error.to_string() })?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let oauth = self.oauth(Some(redirect.clone()));
        let mut request = oauth
            .authorize_url(move || state)
            .add_scopes(self.config.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        for (name, value) in &self.config.extra {
            request = request.add_extra_param(name, value);
        }
        let (url, _) = request.url();
        Ok(Pending { client: self.clone(), loopback, url, verifier, redirect })
    }

    fn oauth(&self, redirect: Option<RedirectUrl>) -> OAuth {
        let mut client = oauth2::Client::new(ClientId::new(self.config.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.config.authorize.as_url().clone()))
            .set_token_uri(TokenUrl::from_url(self.config.token.as_url().clone()))
            .set_auth_type(AuthType::RequestBody);
        if let Some(secret) = &self.config.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        match redirect {
            Some(redirect) => client.set_redirect_uri(redirect),
            None => client,
        }
    }

    /// What the sign-in page means by its refusal.
    fn refused(&self, word: &str, description: &str) -> ConnectError {
        let service = self.config.peer.name().to_owned();
        match aadsts::meaning(description) {
            Some(Meaning::NeedsAdministrator | Meaning::NoConsent) => {
                ConnectError::NeedsAdministrator { service }
            }
            _ if words::is_the_administrators(word) => ConnectError::NeedsAdministrator { service },
            _ if word == "access_denied" => ConnectError::Cancelled,
            Some(Meaning::SignInAgain | Meaning::MayPass) | None => {
                let reason = match words::in_plain(word) {
                    Some(plain) => format!("{plain}: {word}"),
                    None => line(word),
                };
                ConnectError::Refused { service, reason }
            }
        }
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let (parts, body) = request.into_parts();
        let url = self.config.token.as_url().clone();
        let mut ours = Request::new(self.config.peer, Method::POST, "/token", url).bytes(body);
        for (name, value) in &parts.headers {
            if let Ok(value) = value.to_str() {
                ours = ours.header(name.clone(), value);
            }
        }
        let answer = self.http.send(ours).await?;
        // Only 200 and the protocol's own refusals are the protocol's to read.
        if answer.status != 200
            && (answer.value().is_none() || !matches!(answer.status.as_u16(), 400 | 401 | 403))
        {
            return Err(answer.sign_in_refused(&Refusal::default()));
        }
        let (status, headers, body) = answer.into_parts();
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn failed(&self, error: RequestTokenError<ServiceError, BasicErrorResponse>) -> ServiceError {
        let service = self.config.peer.name().to_owned();
        match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(refusal) => {
                let reason = refusal.error_description().map_or_else(
                    || refusal.error().to_string(),
                    |words| format!("{}: {}", refusal.error(), line(words)),
                );
                let meaning = refusal.error_description().and_then(|words| aadsts::meaning(words));
                match (refusal.error(), meaning) {
                    (_, Some(Meaning::MayPass)) => {
                        ServiceError::Failing { service, reason, retry_after: None }
                    }
                    (BasicErrorResponseType::InvalidGrant, _)
                    | (_, Some(Meaning::SignInAgain | Meaning::NoConsent | Meaning::NeedsAdministrator)) => {
                        ServiceError::SignInExpired { service, reason }
                    }
                    (BasicErrorResponseType::Extension(word), None) if wants_her(word) => {
                        ServiceError::SignInExpired { service, reason }
                    }
                    (BasicErrorResponseType::Extension(word), None) if word == "temporarily_unavailable" => {
                        ServiceError::Failing { service, reason, retry_after: None }
                    }
                    _ => ServiceError::Rejected { service, reason },
                }
            }
            // Both carry the answer, and the answer may carry a token.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                garbled(self.config.peer, "the sign-in server's answer has another shape than promised")
            }
        }
    }
}

impl Pending {
    /// The page to open in her browser.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Takes her answer where the browser cannot bring it.
    #[must_use]
    pub fn pasted_link(&self) -> PastedLink {
        self.loopback.pasted_link()
    }

    /// Waits for her answer and exchanges it. Nothing is stored: see [`crate::tokens::Tokens::adopt`].
    ///
    /// # Errors
    /// [`ConnectError::Cancelled`] and [`ConnectError::TimedOut`] when she did not go through with it.
    pub async fn wait(self) -> Result<Granted, ConnectError> {
        self.wait_at_most(PATIENCE).await
    }

    /// As [`Pending::wait`], with another patience.
    ///
    /// # Errors
    /// As [`Pending::wait`].
    pub async fn wait_at_most(self, patience: Duration) -> Result<Granted, ConnectError> {
        let Self { client, loopback, verifier, redirect, .. } = self;
        let Ok((reply, answered)) = tokio::time::timeout(patience, loopback.answer()).await else {
            return Err(ConnectError::TimedOut);
        };
        let code = reply.map_err(|refusal| client.refused(&refusal.word, &refusal.description))?;
        answered.during(client.redeem(code, verifier, redirect)).await
    }
}

impl Client {
    /// Makes a grant of what the browser brought.
    async fn redeem(
        &self,
        code: String,
        verifier: PkceCodeVerifier,
        redirect: RedirectUrl,
    ) -> Result<Granted, ConnectError> {
        let client = self;
        let oauth = client.oauth(Some(redirect));
        let send = |request| client.clone().exchange(request);
        let token = oauth
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(verifier)
            .request_async(&send)
            .await
            // A code that does not count is no sign-in that has expired.
            .map_err(|error| not_expired(client.failed(error)))?;
        let asked: BTreeSet<String> = client.config.scopes.iter().map(|scope| plain(scope)).collect();
        let scopes = token
            .scopes()
            .map_or_else(|| asked.clone(), |scopes| scopes.iter().map(|scope| plain(scope)).collect());
        let grant = grant(&token);
        if grant.refresh.is_none() {
            return Err(ConnectError::Service(ServiceError::Rejected {
                service: client.config.peer.name().to_owned(),
                reason: "it gave no lasting permission".to_owned(),
            }));
        }
        Ok(Granted {
            account_email: token.extra_fields().id_token.as_deref().and_then(email),
            missing: asked.difference(&scopes).cloned().collect(),
            scopes,
            grant,
        })
    }
}

#[async_trait]
impl Refresh for Client {
    fn service(&self) -> &'static str {
        self.config.peer.name()
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<Grant, ServiceError> {
        let oauth = self.oauth(None);
        let send = |request| self.clone().exchange(request);
        let stored = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let token = oauth
            .exchange_refresh_token(&stored)
            .request_async(&send)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(grant(&token))
    }
}

type Token = StandardTokenResponse<IdToken, BasicTokenType>;
type OAuth = oauth2::Client<
    BasicErrorResponse,
    Token,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

#[derive(Deserialize, Serialize)]
struct IdToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken")
    }
}

fn grant(token: &Token) -> Grant {
    Grant {
        access: SecretString::from(token.access_token().secret().as_str()),
        expires_in: token.expires_in().unwrap_or(LIFE),
        refresh: token.refresh_token().map(|refresh| SecretString::from(refresh.secret().as_str())),
    }
}

/// Words with which a server says that only she can go on (OpenID Connect Core §3.1.2.6), or her administrator, as the
/// next sign-in shows her.
fn wants_her(word: &str) -> bool {
    matches!(word, "interaction_required" | "login_required" | "consent_required")
        || words::is_the_administrators(word)
}

/// Google answers with another spelling of two scopes than it is asked with.
fn plain(scope: &str) -> String {
    match scope.strip_prefix("https://www.googleapis.com/auth/userinfo.") {
        Some(short @ ("email" | "profile")) => short.to_owned(),
        _ => scope.to_owned(),
    }
}

/// Whose account it is. The token came straight from the server that issued it, so its signature says nothing more
/// (OpenID Connect Core §3.1.3.7).
fn email(id_token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        email: String,
    }
    let claims = BASE64URL_NOPAD.decode(id_token.split('.').nth(1)?.as_bytes()).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_the_id_token_and_a_broken_one_names_nobody() {
        let token = |claims: &str| format!("e30.{}.c2ln", BASE64URL_NOPAD.encode(claims.as_bytes()));
        assert_eq!(email(&token(r#"{"sub":"1","email":"v@example.com"}"#)).as_deref(), Some("v@example.com"));
        assert_eq!(email(&token("{}")), None);
        assert_eq!(email("not-a-token"), None);
        assert_eq!(email("a.%%%.c"), None);
    }

    #[test]
    fn a_scope_is_known_by_both_its_spellings() {
        assert_eq!(plain("https://www.googleapis.com/auth/userinfo.email"), "email");
        assert_eq!(
            plain("https://www.googleapis.com/auth/calendar"),
            "https://www.googleapis.com/auth/calendar"
        );
    }
}
