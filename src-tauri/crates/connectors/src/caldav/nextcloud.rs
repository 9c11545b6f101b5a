//! Nextcloud's Login Flow v2: she signs in with her browser, and the app gets a password of its own that she can take
//! back. Bounded in time; nothing but the server she named is asked or opened.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sync::error::ServiceError;
use url::Url;

use super::account::SignIn;
use super::address::Entry;
use super::dav::{not_there, rejected};
use crate::http::{Http, Method, Peer, Refusal, Request, garbled};

/// How long she may take. Nextcloud itself forgets the flow after twenty minutes.
const PATIENCE: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_secs(2);

/// A sign-in that waits for her browser.
pub struct Pending {
    http: Http,
    entry: Entry,
    login: Url,
    endpoint: Url,
    token: SecretString,
    pause: Duration,
}

#[derive(Deserialize)]
struct Begun {
    poll: Poll,
    login: Url,
}

#[derive(Deserialize)]
struct Poll {
    token: SecretString,
    endpoint: Url,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    server: Url,
    login_name: String,
    app_password: SecretString,
}

/// Begins a sign-in at the Nextcloud under `entry`.
///
/// # Errors
/// When it is no Nextcloud, or one that points elsewhere.
pub async fn begin(http: &Http, entry: &Entry) -> Result<Pending, ServiceError> {
    let url = under(entry.url(), &["index.php", "login", "v2"]);
    let request = Request::new(Peer::Caldav, Method::POST, "/index.php/login/v2", url);
    let answer = http.send(request).await?;
    if matches!(answer.status.as_u16(), 404 | 405) {
        return Err(rejected("there is no Nextcloud at this address"));
    }
    if !answer.status.is_success() {
        return Err(answer.refused(&Refusal::default()));
    }
    let Begun { poll, login } = answer.json()?;
    for address in [&login, &poll.endpoint] {
        entry.admits(address, entry.url()).map_err(|error| not_there(&error))?;
    }
    let (http, entry) = (http.clone(), entry.clone());
    Ok(Pending { http, entry, login, endpoint: poll.endpoint, token: poll.token, pause: PAUSE })
}

impl Pending {
    /// Where she signs in.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.login
    }

    /// Asks at this pace.
    #[must_use]
    pub fn asking_every(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Waits until she has signed in, or ten minutes.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when she takes longer.
    pub async fn wait(self) -> Result<SignIn, ServiceError> {
        let too_long = || rejected("nobody signed in within ten minutes");
        self.wait_at_most(PATIENCE).await?.ok_or_else(too_long)
    }

    /// Waits until she has signed in, or this long: then there is nothing.
    ///
    /// # Errors
    /// Whatever the server says that is not "not yet".
    pub async fn wait_at_most(self, patience: Duration) -> Result<Option<SignIn>, ServiceError> {
        tokio::time::timeout(patience, self.granted()).await.ok().transpose()
    }

    async fn granted(&self) -> Result<SignIn, ServiceError> {
        loop {
            let body: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("token", self.token.expose_secret())
                .finish();
            let request = Request::new(Peer::Caldav, Method::POST, "/login/v2/poll", self.endpoint.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .bytes(body.into_bytes());
            let answer = match self.http.send(request).await {
                Ok(answer) => answer,
                Err(error) if error.may_pass() => {
                    tokio::time::sleep(self.pause).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match answer.status.as_u16() {
                // Not yet.
                404 | 429 | 500..=599 => {
                    tokio::time::sleep(answer.retry_after().unwrap_or_default().max(self.pause)).await;
                }
                200 => return self.sign_in(answer.json()?),
                _ => return Err(answer.sign_in_refused(&Refusal::default())),
            }
        }
    }

    fn sign_in(&self, granted: Granted) -> Result<SignIn, ServiceError> {
        let Granted { server, login_name, app_password } = granted;
        self.entry.admits(&server, self.entry.url()).map_err(|error| not_there(&error))?;
        if login_name.is_empty() || app_password.expose_secret().is_empty() {
            return Err(garbled(Peer::Caldav, "it grants a sign-in without a name or a password"));
        }
        let entry = self.entry.at(under(&server, &["remote.php", "dav", ""]));
        Ok(SignIn { entry, username: login_name, password: app_password })
    }
}

fn under(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}
