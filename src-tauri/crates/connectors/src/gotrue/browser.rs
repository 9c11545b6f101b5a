//! Signing in to Bookiji in her browser: the sign-in server's own page, and the same listener as for calendar services.
//! The server echoes no `state`, so ours travels inside the address to which it sends her back (RFC 7636, RFC 8252).

use std::time::Duration;

use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier};
use serde_json::json;
use sync::error::ServiceError;
use url::Url;

use super::{GoTrue, Session, WireSession, refusal};
use crate::http::{Base, Peer, line, not_expired};
use crate::oauth::loopback::Loopback;
use crate::oauth::{ConnectError, PATIENCE, PastedLink, Redirect};

/// A sign-in that waits for her. Dropping it ends the wait and closes the listener.
pub struct Browsing {
    gotrue: GoTrue,
    loopback: Loopback,
    url: Url,
    verifier: PkceCodeVerifier,
}

impl GoTrue {
    /// Starts listening, and only then says where to send the browser. `page` is the sign-in page where it is not the
    /// server's own, and `provider` is who vouches for her there.
    ///
    /// # Errors
    /// [`ConnectError::CannotListen`] when no port can be had.
    pub async fn browse(&self, page: Option<&Base>, provider: &str) -> Result<Browsing, ConnectError> {
        let state = CsrfToken::new_random();
        let loopback = Loopback::bind(state.secret().clone(), Redirect::Address).await?;
        let back = format!("{}?state={}", loopback.address(), state.secret());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut url =
            page.map_or_else(|| self.base.at(&["auth", "v1", "authorize"]), |page| page.as_url().clone());
        url.query_pairs_mut()
            .append_pair("provider", provider)
            .append_pair("redirect_to", &back)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "s256");
        Ok(Browsing { gotrue: self.clone(), loopback, url, verifier })
    }

    async fn redeem(&self, code: &str, verifier: &PkceCodeVerifier) -> Result<Session, ServiceError> {
        let body = json!({"auth_code": code, "code_verifier": verifier.secret()});
        let answer = self.token("pkce", &body).await?;
        if answer.status.is_success() {
            return answer.json::<WireSession>()?.into_session("");
        }
        // A code that does not count is no sign-in that has expired.
        Err(not_expired(answer.sign_in_refused(&refusal(&answer))))
    }
}

impl Browsing {
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
    pub async fn wait(self) -> Result<Session, ConnectError> {
        self.wait_at_most(PATIENCE).await
    }

    /// As [`Browsing::wait`], with another patience.
    ///
    /// # Errors
    /// As [`Browsing::wait`].
    pub async fn wait_at_most(self, patience: Duration) -> Result<Session, ConnectError> {
        let Self { gotrue, loopback, verifier, .. } = self;
        let Ok((reply, answered)) = tokio::time::timeout(patience, loopback.answer()).await else {
            return Err(ConnectError::TimedOut);
        };
        let code = reply.map_err(|refusal| match refusal.word.as_str() {
            "access_denied" => ConnectError::Cancelled,
            word => {
                ConnectError::Refused { service: Peer::BookijiAuth.name().to_owned(), reason: line(word) }
            }
        })?;
        Ok(answered.during(gotrue.redeem(&code, &verifier)).await?)
    }
}
