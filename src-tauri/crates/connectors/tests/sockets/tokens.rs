//! Access tokens: when they are renewed, and in which order what is stored.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use connectors::tokens::{Grant, Refresh, Tokens};
use connectors::vault::{Memory, SecretName, Vault};
use secrecy::{ExposeSecret, SecretString};
use sync::error::ServiceError;

/// A sign-in server that knows nobody.
pub struct Nobody;

#[async_trait]
impl Refresh for Nobody {
    fn service(&self) -> &'static str {
        "Nobody"
    }

    async fn refresh(&self, _: &SecretString) -> Result<Grant, ServiceError> {
        Err(expired())
    }
}

/// Answers as told and remembers with what it was asked.
struct Scripted {
    answers: Mutex<VecDeque<Result<Grant, ServiceError>>>,
    asked_with: Mutex<Vec<String>>,
    vault: Arc<Memory>,
    /// What the vault is to hold the moment the server has answered.
    lock_after: bool,
    peer_stores: Option<&'static str>,
}

#[async_trait]
impl Refresh for Scripted {
    fn service(&self) -> &'static str {
        "Scripted"
    }

    async fn refresh(&self, token: &SecretString) -> Result<Grant, ServiceError> {
        self.asked_with.lock().unwrap().push(token.expose_secret().to_owned());
        tokio::task::yield_now().await;
        if let Some(theirs) = self.peer_stores {
            self.vault.put(&SecretName::bookiji(), &theirs.into()).await.unwrap();
        }
        self.vault.set_locked(self.lock_after);
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

fn expired() -> ServiceError {
    ServiceError::SignInExpired { service: "Scripted".into(), reason: "invalid_grant".into() }
}

fn grant(access: &str, refresh: Option<&str>) -> Grant {
    Grant {
        access: access.into(),
        expires_in: Duration::from_secs(1000),
        refresh: refresh.map(SecretString::from),
    }
}

struct Desk {
    vault: Arc<Memory>,
    server: Arc<Scripted>,
    tokens: Tokens,
}

impl Desk {
    async fn new(answers: Vec<Result<Grant, ServiceError>>) -> Self {
        Self::shaped(answers, |_| ()).await
    }

    async fn shaped(answers: Vec<Result<Grant, ServiceError>>, shape: impl FnOnce(&mut Scripted)) -> Self {
        let vault = Arc::new(Memory::default());
        vault.put(&SecretName::bookiji(), &"r0".into()).await.unwrap();
        let mut server = Scripted {
            answers: Mutex::new(answers.into()),
            asked_with: Mutex::default(),
            vault: vault.clone(),
            lock_after: false,
            peer_stores: None,
        };
        shape(&mut server);
        let server = Arc::new(server);
        let tokens = Tokens::new(server.clone(), vault.clone(), SecretName::bookiji());
        Self { vault, server, tokens }
    }

    async fn access(&self) -> Result<String, ServiceError> {
        self.tokens.access().await.map(|token| token.expose_secret().to_owned())
    }

    async fn stored(&self) -> Option<String> {
        self.vault.get(&SecretName::bookiji()).await.unwrap().map(|s| s.expose_secret().to_owned())
    }

    fn asked_with(&self) -> Vec<String> {
        self.server.asked_with.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_at_four_fifths_of_its_life_and_not_before() {
    let desk = Desk::new(vec![Ok(grant("a1", Some("r1"))), Ok(grant("a2", Some("r2")))]).await;
    assert_eq!(desk.access().await.unwrap(), "a1");
    tokio::time::advance(Duration::from_secs(799)).await;
    assert_eq!(desk.access().await.unwrap(), "a1");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(desk.access().await.unwrap(), "a2");
    assert_eq!(desk.asked_with(), ["r0", "r1"]);
    assert_eq!(desk.stored().await.as_deref(), Some("r2"));
}

#[tokio::test]
async fn many_at_once_make_one_renewal() {
    let desk = Desk::new(vec![Ok(grant("a1", Some("r1")))]).await;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let tokens = desk.tokens.clone();
            tokio::spawn(async move { tokens.access().await.unwrap().expose_secret().to_owned() })
        })
        .collect();
    for one in waiting {
        assert_eq!(one.await.unwrap(), "a1");
    }
    assert_eq!(desk.asked_with().len(), 1);
}

#[tokio::test]
async fn a_rotated_token_is_stored_before_the_new_access_token_is_used() {
    let desk = Desk::shaped(vec![Ok(grant("a1", Some("r1")))], |server| server.lock_after = true).await;
    let error = desk.access().await.unwrap_err();
    assert!(matches!(error, ServiceError::VaultUnavailable { .. }), "{error}");
    // The server has forgotten r0 by now: r1 must survive until the vault opens.
    assert!(matches!(desk.access().await, Err(ServiceError::VaultUnavailable { .. })));
    desk.vault.set_locked(false);
    assert_eq!(desk.access().await.unwrap(), "a1");
    assert_eq!(desk.stored().await.as_deref(), Some("r1"));
    assert_eq!(desk.asked_with(), ["r0"]);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_rotated_token_with_it() {
    let desk = Desk::new(vec![Ok(grant("a1", Some("r1")))]).await;
    let tokens = desk.tokens.clone();
    let mut asking = Box::pin(async move { tokens.access().await });
    let mut context = Context::from_waker(Waker::noop());
    assert!(asking.as_mut().poll(&mut context).is_pending());
    drop(asking);
    assert_eq!(desk.access().await.unwrap(), "a1");
    assert_eq!(desk.stored().await.as_deref(), Some("r1"));
    assert_eq!(desk.asked_with(), ["r0"]);
}

#[tokio::test]
async fn a_locked_vault_is_not_a_sign_out() {
    let desk = Desk::new(vec![Ok(grant("a1", None))]).await;
    desk.vault.set_locked(true);
    assert!(matches!(desk.access().await, Err(ServiceError::VaultUnavailable { .. })));
    assert!(desk.asked_with().is_empty());
    desk.vault.set_locked(false);
    assert_eq!(desk.access().await.unwrap(), "a1");
    assert_eq!(desk.stored().await.as_deref(), Some("r0"), "a server that does not rotate changes nothing");
}

#[tokio::test]
async fn a_sign_in_that_expired_is_asked_about_once_until_somebody_signs_in_again() {
    let desk = Desk::new(vec![Err(expired()), Ok(grant("a1", None))]).await;
    assert_eq!(desk.access().await, Err(expired()));
    for _ in 0..3 {
        assert!(matches!(desk.access().await, Err(ServiceError::SignInExpired { .. })));
    }
    assert_eq!(desk.asked_with(), ["r0"], "the server is not asked again");

    // She signs in with another process of ours.
    desk.vault.put(&SecretName::bookiji(), &"r1".into()).await.unwrap();
    assert_eq!(desk.access().await.unwrap(), "a1");
    assert_eq!(desk.asked_with(), ["r0", "r1"]);

    desk.tokens.forget().await.unwrap();
    assert!(matches!(desk.access().await, Err(ServiceError::SignInExpired { .. })));
    assert_eq!(desk.asked_with().len(), 2);
}

#[tokio::test]
async fn a_token_that_another_process_rotated_is_taken_from_the_vault() {
    let answers = vec![Err(expired()), Ok(grant("a2", Some("r2")))];
    let desk = Desk::shaped(answers, |server| server.peer_stores = Some("theirs")).await;
    assert_eq!(desk.access().await.unwrap(), "a2");
    assert_eq!(desk.asked_with(), ["r0", "theirs"]);
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again_while_the_server_still_forgives_the_old_token() {
    let lost = ServiceError::Unreachable { service: "Scripted".into(), reason: "reset".into() };
    let desk = Desk::new(vec![Err(lost), Ok(grant("a1", Some("r1")))]).await;
    assert_eq!(desk.access().await.unwrap(), "a1");
    assert_eq!(desk.asked_with(), ["r0", "r0"]);
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_once_for_all_who_held_it() {
    let desk = Desk::new(vec![Ok(grant("a1", None)), Ok(grant("a2", None))]).await;
    let bad = desk.tokens.access().await.unwrap();
    let (one, two) = tokio::join!(desk.tokens.replace(&bad), desk.tokens.replace(&bad));
    assert_eq!(one.unwrap().expose_secret(), "a2");
    assert_eq!(two.unwrap().expose_secret(), "a2");
    assert_eq!(desk.asked_with().len(), 2);
}

#[tokio::test]
async fn a_new_sign_in_that_cannot_be_stored_is_not_used() {
    let desk = Desk::new(vec![Ok(grant("old", None))]).await;
    desk.vault.set_locked(true);
    let adopted = desk.tokens.adopt(grant("new", Some("r9"))).await;
    assert!(matches!(adopted, Err(ServiceError::VaultUnavailable { .. })));
    desk.vault.set_locked(false);
    assert_eq!(desk.access().await.unwrap(), "old");
    desk.tokens.adopt(grant("new", Some("r9"))).await.unwrap();
    assert_eq!(desk.access().await.unwrap(), "new");
    assert_eq!(desk.stored().await.as_deref(), Some("r9"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_claims_to_live_for_ever_is_renewed_within_a_day() {
    let eternal = Grant { expires_in: Duration::MAX, ..grant("a1", None) };
    let desk = Desk::new(vec![Ok(eternal), Ok(grant("a2", None))]).await;
    assert_eq!(desk.access().await.unwrap(), "a1");
    tokio::time::advance(Duration::from_hours(24)).await;
    assert_eq!(desk.access().await.unwrap(), "a2");
}
