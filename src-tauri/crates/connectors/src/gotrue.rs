//! Bookiji's sign-in server (GoTrue): a password or her browser's word in, rotating refresh tokens out.

mod browser;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sync::error::{Code, ServiceError};

use crate::http::{Answer, Base, Http, Method, Peer, Refusal, Request};
use crate::tokens::{Grant, Refresh};

pub use browser::Browsing;

/// The header that every Supabase request carries.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("apikey");

/// The codes of a refresh token that will never count again. Anything else may be a bad day.
const DEAD: &[&str] = &[
    "invalid_grant",
    "refresh_token_already_used",
    "refresh_token_not_found",
    "session_expired",
    "session_not_found",
    "user_banned",
    "user_not_found",
];

/// The sign-in server at `base`, which is Supabase's address: `/auth/v1` is added here.
#[derive(Clone, Debug)]
pub struct GoTrue {
    pub(crate) http: Http,
    pub(crate) base: Base,
    /// Supabase's publishable key; not a secret.
    pub(crate) api_key: String,
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct Session {
    pub user_id: String,
    pub email: String,
    pub grant: Grant,
}

/// Why nobody is signed in now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error("this e-mail address and password do not belong together")]
    WrongPassword,
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl SignInError {
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::WrongPassword => Code::InvalidCredentials,
            Self::Service(error) => error.code(),
        }
    }
}

impl GoTrue {
    #[must_use]
    pub fn new(http: Http, base: Base, api_key: impl Into<String>) -> Self {
        Self { http, base, api_key: api_key.into() }
    }

    /// Signs in with e-mail and password. Nothing is stored: see [`crate::tokens::Tokens::adopt`].
    ///
    /// # Errors
    /// [`SignInError::WrongPassword`], or what keeps the server from answering.
    pub async fn sign_in(&self, email: &str, password: &SecretString) -> Result<Session, SignInError> {
        let body = json!({"email": email, "password": password.expose_secret()});
        let answer = self.token("password", &body).await?;
        if answer.status.is_success() {
            return Ok(answer.json::<WireSession>()?.into_session(email)?);
        }
        let refusal = refusal(&answer);
        if answer.status.is_client_error() && is(&refusal, &["invalid_credentials", "invalid_grant"]) {
            return Err(SignInError::WrongPassword);
        }
        Err(answer.sign_in_refused(&refusal).into())
    }

    /// Ends this computer's session on the server. The vault is the caller's to clear.
    ///
    /// # Errors
    /// What keeps the server from answering. A session that is no longer known is signed out already.
    pub async fn sign_out(&self, access: &SecretString) -> Result<(), ServiceError> {
        let url = self.base.at(&["auth", "v1", "logout"]);
        let request = Request::new(Peer::BookijiAuth, Method::POST, "/auth/v1/logout", url)
            .query("scope", "local")
            .header(API_KEY, &self.api_key)
            .bearer(access);
        let answer = self.http.send(request).await?;
        match answer.status.as_u16() {
            200..=299 | 401 | 403 | 404 => Ok(()),
            _ => Err(answer.refused(&refusal(&answer))),
        }
    }

    async fn token(&self, grant_type: &str, body: &Value) -> Result<Answer, ServiceError> {
        let url = self.base.at(&["auth", "v1", "token"]);
        let request = Request::new(Peer::BookijiAuth, Method::POST, "/auth/v1/token", url)
            .query("grant_type", grant_type)
            .header(API_KEY, &self.api_key)
            .json(body);
        self.http.send(request).await
    }
}

#[async_trait]
impl Refresh for GoTrue {
    fn service(&self) -> &'static str {
        Peer::BookijiAuth.name()
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<Grant, ServiceError> {
        let answer =
            self.token("refresh_token", &json!({"refresh_token": refresh_token.expose_secret()})).await?;
        if answer.status.is_success() {
            return Ok(answer.json::<WireSession>()?.into_session("")?.grant);
        }
        let refusal = refusal(&answer);
        let about_the_token = is(&refusal, DEAD)
            || (refusal.code.is_none()
                && refusal.message.as_deref().is_some_and(|m| m.contains("Refresh Token")));
        Err(if about_the_token {
            ServiceError::SignInExpired {
                service: Peer::BookijiAuth.name().to_owned(),
                reason: refusal.code.or(refusal.message).unwrap_or_default(),
            }
        } else {
            answer.sign_in_refused(&refusal)
        })
    }
}

#[derive(Deserialize)]
struct WireSession {
    access_token: SecretString,
    expires_in: u64,
    refresh_token: SecretString,
    user: Option<WireUser>,
}

#[derive(Deserialize)]
struct WireUser {
    id: String,
    email: Option<String>,
}

impl WireSession {
    fn into_session(self, typed_email: &str) -> Result<Session, ServiceError> {
        let user = self
            .user
            .ok_or_else(|| crate::http::garbled(Peer::BookijiAuth, "the session says not whose it is"))?;
        Ok(Session {
            user_id: user.id,
            email: user.email.unwrap_or_else(|| typed_email.to_owned()),
            grant: Grant {
                access: self.access_token,
                expires_in: Duration::from_secs(self.expires_in),
                refresh: Some(self.refresh_token),
            },
        })
    }
}

/// Reads GoTrue's two envelopes.
fn refusal(answer: &Answer) -> Refusal {
    let body = answer.value().unwrap_or_default();
    let word = |name: &str| body[name].as_str().map(str::to_owned);
    Refusal {
        code: word("error_code").or_else(|| word("error")),
        message: word("msg").or_else(|| word("error_description")),
    }
}

fn is(refusal: &Refusal, codes: &[&str]) -> bool {
    refusal.code.as_deref().is_some_and(|code| codes.contains(&code))
}
