//! Keeps an access token fresh: when to refresh, in which order to store, and what a refusal means. Access tokens live
//! in memory only. Knows no server's wire format.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sync::error::ServiceError;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::http::{Answer, Gate, Http, Opened, Peer, Request, StatusCode};
use crate::vault::{SecretName, Vault, VaultError};

/// No access token is trusted for longer, whatever its server says.
const LONGEST: Duration = Duration::from_hours(24);

/// What a sign-in server handed out.
#[derive(Clone, Debug)]
pub struct Grant {
    pub access: SecretString,
    pub expires_in: Duration,
    /// The next refresh token, where the server rotates them or has just signed her in.
    pub refresh: Option<SecretString>,
}

/// A server that renews access tokens.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// The service's name for people.
    fn service(&self) -> &'static str;
    /// Exchanges a refresh token.
    ///
    /// # Errors
    /// [`ServiceError::SignInExpired`] when the refresh token no longer counts.
    async fn refresh(&self, refresh_token: &SecretString) -> Result<Grant, ServiceError>;
}

/// One sign-in's tokens. Cloning shares them: whoever asks while a refresh is under way waits for that one.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    server: Arc<dyn Refresh>,
    vault: Arc<dyn Vault>,
    name: SecretName,
    held: Arc<Mutex<Held>>,
    gate: Gate,
}

#[derive(Default)]
struct Held {
    access: Option<Access>,
    /// A grant whose refresh token the vault would not take yet. The server has already forgotten the one before it.
    unsaved: Option<Grant>,
    /// A refresh token of which the server has said that it counts no more. It is not asked again about the same one.
    dead: Option<SecretString>,
}

struct Access {
    token: SecretString,
    refresh_at: Instant,
}

impl Tokens {
    #[must_use]
    pub fn new(server: Arc<dyn Refresh>, vault: Arc<dyn Vault>, name: SecretName) -> Self {
        Self::paced(server, vault, name, Gate::default())
    }

    /// As [`Tokens::new`], for a service that says itself how fast it may be asked.
    #[must_use]
    pub fn paced(server: Arc<dyn Refresh>, vault: Arc<dyn Vault>, name: SecretName, gate: Gate) -> Self {
        Self(Arc::new(Inner { server, vault, name, held: Arc::default(), gate }))
    }

    /// How fast the account may be asked, by whoever holds these.
    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Takes over a fresh sign-in: into the vault first, then into use.
    ///
    /// # Errors
    /// [`ServiceError::VaultUnavailable`] when it cannot be stored; it is then not in use either.
    pub async fn adopt(&self, grant: Grant) -> Result<(), ServiceError> {
        let held = self.0.held.clone().lock_owned().await;
        self.unhurried(held, |inner, mut held| async move {
            *held = Held::default();
            inner.save(&mut held, grant).await.inspect_err(|_| held.unsaved = None)
        })
        .await
    }

    /// An access token that is good for a while.
    ///
    /// # Errors
    /// [`ServiceError::SignInExpired`] when she must sign in again, [`ServiceError::VaultUnavailable`] when the vault
    /// cannot be asked now, and whatever keeps the sign-in server from answering.
    pub async fn access(&self) -> Result<SecretString, ServiceError> {
        self.access_other_than(None).await
    }

    /// An access token in place of one that a service has just refused.
    ///
    /// # Errors
    /// As [`Tokens::access`].
    pub async fn replace(&self, refused: &SecretString) -> Result<SecretString, ServiceError> {
        self.access_other_than(Some(refused)).await
    }

    /// Forgets the sign-in on this computer.
    ///
    /// # Errors
    /// [`ServiceError::VaultUnavailable`] when it cannot be deleted now; it then still counts.
    pub async fn forget(&self) -> Result<(), ServiceError> {
        let held = self.0.held.clone().lock_owned().await;
        self.unhurried(held, |inner, mut held| async move {
            inner.vault.delete(&inner.name).await?;
            *held = Held::default();
            Ok(())
        })
        .await
    }

    async fn access_other_than(&self, refused: Option<&SecretString>) -> Result<SecretString, ServiceError> {
        let mut held = self.0.held.clone().lock_owned().await;
        if let Some(access) = &held.access {
            let known_bad = refused.is_some_and(|bad| bad.expose_secret() == access.token.expose_secret());
            if !known_bad && Instant::now() < access.refresh_at {
                return Ok(access.token.clone());
            }
            held.access = None;
        }
        self.unhurried(held, |inner, mut held| async move {
            let grant = match held.unsaved.take() {
                Some(grant) => grant,
                None => inner.renew(&mut held.dead).await?,
            };
            let access = grant.access.clone();
            inner.save(&mut held, grant).await?;
            Ok(access)
        })
        .await
    }

    /// Runs to its end even if the caller goes away: between the server's answer and the vault's lies the only copy of
    /// a rotated token.
    async fn unhurried<T, F>(
        &self,
        held: OwnedMutexGuard<Held>,
        work: impl FnOnce(Arc<Inner>, OwnedMutexGuard<Held>) -> F,
    ) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ServiceError>> + Send + 'static,
    {
        tokio::spawn(work(self.0.clone(), held).in_current_span()).await.unwrap_or_else(|_| {
            Err(ServiceError::Failing {
                service: self.0.server.service().to_owned(),
                reason: "the sign-in was interrupted".to_owned(),
                retry_after: None,
            })
        })
    }
}

impl Inner {
    async fn renew(&self, dead: &mut Option<SecretString>) -> Result<Grant, ServiceError> {
        let same = |one: &SecretString, other: &SecretString| one.expose_secret() == other.expose_secret();
        let stored = self.stored().await?;
        if dead.as_ref().is_some_and(|dead| same(dead, &stored)) {
            let reason = "it was refused before, and nobody has signed in since".to_owned();
            return Err(ServiceError::SignInExpired { service: self.server.service().to_owned(), reason });
        }
        match self.server.refresh(&stored).await {
            // The server may have rotated without our hearing of it. It forgives the old token for some seconds.
            Err(error) if error.outcome_unknown() => self.server.refresh(&stored).await,
            Err(ServiceError::SignInExpired { service, reason }) => {
                // Another process of ours may have rotated meanwhile.
                let again = self.stored().await?;
                if same(&again, &stored) {
                    *dead = Some(stored);
                    return Err(ServiceError::SignInExpired { service, reason });
                }
                self.server.refresh(&again).await
            }
            answer => answer,
        }
    }

    async fn stored(&self) -> Result<SecretString, ServiceError> {
        let reason = match self.vault.get(&self.name).await {
            Ok(Some(secret)) => return Ok(secret),
            Ok(None) => "no sign-in is stored on this computer".to_owned(),
            Err(error @ VaultError::Lost) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        Err(ServiceError::SignInExpired { service: self.server.service().to_owned(), reason })
    }

    async fn save(&self, held: &mut Held, grant: Grant) -> Result<(), ServiceError> {
        if let Some(refresh) = &grant.refresh
            && let Err(error) = self.vault.put(&self.name, refresh).await
        {
            held.unsaved = Some(grant);
            return Err(error.into());
        }
        let refresh_at = Instant::now() + grant.expires_in.min(LONGEST).mul_f64(0.8);
        held.access = Some(Access { token: grant.access, refresh_at });
        Ok(())
    }
}

/// The HTTP stack with somebody signed in.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) http: Http,
    pub(crate) tokens: Tokens,
}

impl Signed {
    /// Sends with the current access token, at the account's own pace; a refused token is replaced once.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        let token = self.tokens.access().await?;
        let answer = self.ask(request.clone().bearer(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.tokens.replace(&token).await?;
        self.ask(request.bearer(&token)).await
    }

    async fn ask(&self, request: Request) -> Result<Answer, ServiceError> {
        let (gate, peer) = (self.tokens.gate(), request.peer());
        let _inside = gate.enter(peer).await?;
        let answer = self.http.send(request).await?;
        // Bookiji counts the calls of each route, and those of its database not at all: nothing else has to wait.
        if peer != Peer::Bookiji {
            gate.heed(&answer);
        }
        Ok(answer)
    }

    /// As [`Signed::send`], for an answer that goes on.
    pub(crate) async fn open(&self, request: Request) -> Result<Opened, ServiceError> {
        let token = self.tokens.access().await?;
        match self.http.open(request.clone().bearer(&token)).await? {
            Opened::Refused(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                let token = self.tokens.replace(&token).await?;
                self.http.open(request.bearer(&token)).await
            }
            opened @ (Opened::Stream(_) | Opened::Refused(_)) => Ok(opened),
        }
    }
}
