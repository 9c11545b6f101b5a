//! The operating system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! A keychain may show a prompt and block until it is answered, so it is asked on a thread of its own, one question at
//! a time and with a deadline. It may start later than we do, so it is looked for again each time it was not there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::slots::{self, Bytes, Slots};
use super::turn::Turns;
use super::{SecretName, Vault, VaultError};
use crate::http::line;

/// The name under which the keychain shows our entries.
pub const SERVICE: &str = "app.bookiji.companion";

/// Long enough for her to type the keychain's password.
const DEADLINE: Duration = Duration::from_mins(1);

pub(super) type Store = Arc<Mutex<Option<Arc<CredentialStore>>>>;

/// The system's keychain, as one profile sees it.
#[derive(Clone)]
pub struct Keychain {
    profile: String,
    deadline: Duration,
    turns: Turns,
}

impl Keychain {
    /// Two profiles of one computer user do not see each other's secrets.
    #[must_use]
    pub fn new(profile: impl Into<String>) -> Self {
        Self { profile: profile.into(), deadline: DEADLINE, turns: Turns::default() }
    }

    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Entries) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let asking = async {
            let (turn, held) = self.turns.next().await;
            let (answer, answered) = oneshot::channel();
            let asked = turn.clone();
            // Not the runtime's pool: a runtime waits for its pool at the end, and a prompt may never be answered.
            std::thread::Builder::new()
                .name("keychain".to_owned())
                .spawn(move || {
                    let _held = held;
                    asked.asks();
                    let _ = answer.send(Entries::open(&asked.store).and_then(|entries| {
                        question(&entries).inspect_err(|error| {
                            if matches!(error, VaultError::Unavailable { .. }) {
                                *lock(&asked.store) = None;
                            }
                        })
                    }));
                })
                .map_err(|error| VaultError::unavailable(format!("it cannot be asked: {error}")))?;
            tokio::select! {
                answer = answered => answer.unwrap_or_else(|_| Err(VaultError::unavailable("it gave no answer"))),
                () = turn.is_orphaned() => {
                    self.turns.give_up(&turn);
                    Err(VaultError::unavailable("it ended before it answered"))
                }
            }
        };
        tokio::time::timeout(self.deadline, asking).await.unwrap_or_else(|_| {
            Err(VaultError::unavailable("it gave no answer; is its password prompt open?"))
        })
    }

    fn entry(&self, name: &SecretName) -> String {
        format!("{}/{}", self.profile, name.as_str())
    }
}

#[async_trait]
impl Vault for Keychain {
    async fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        let entry = self.entry(name);
        let found = self.ask(move |entries| slots::get(entries, &entry)).await?;
        found
            .map(|bytes| std::str::from_utf8(&bytes).map(SecretString::from).map_err(|_| VaultError::Lost))
            .transpose()
    }

    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        let (entry, secret) = (self.entry(name), secret.clone());
        self.ask(move |entries| slots::put(entries, &entry, secret.expose_secret().as_bytes())).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), VaultError> {
        let entry = self.entry(name);
        self.ask(move |entries| slots::delete(entries, &entry)).await
    }

    async fn clear(&self, known: &[SecretName]) -> Result<(), VaultError> {
        let known: Vec<String> = known.iter().map(|name| self.entry(name)).collect();
        let profile = format!("{}/", self.profile);
        self.ask(move |entries| {
            known.iter().try_for_each(|entry| slots::delete(entries, entry))?;
            entries.remove_all(&profile)
        })
        .await
    }
}

/// The keychain, open to questions. Blocks.
struct Entries(Arc<CredentialStore>);

impl Entries {
    fn open(store: &Store) -> Result<Self, VaultError> {
        let mut store = lock(store);
        if store.is_none() {
            *store = Some(system_store().map_err(|error| refused(&error))?);
        }
        store.clone().map(Self).ok_or_else(|| VaultError::unavailable("there is none"))
    }

    /// Removes every entry of ours whose name begins so, pieces of broken writes included.
    fn remove_all(&self, prefix: &str) -> Result<(), VaultError> {
        // One knows no pattern but its own, and the others no pattern at all.
        let wanted = [("service", SERVICE)].into_iter().filter(|_| !cfg!(windows)).collect();
        let found = match self.0.search(&wanted) {
            Err(Error::NotSupportedByStore(_) | Error::NoEntry) => return Ok(()),
            found => found.map_err(|error| refused(&error))?,
        };
        for entry in found {
            let Some((service, name)) = entry.get_specifiers() else { continue };
            // No secret's own name has a slash in it: with one, it is of a profile in a folder below.
            let is_ours = name.strip_prefix(prefix).is_some_and(|own| !own.contains('/'));
            if service == SERVICE && is_ours {
                match entry.delete_credential() {
                    Ok(()) | Err(Error::NoEntry) => {}
                    Err(error) => return Err(refused(&error)),
                }
            }
        }
        Ok(())
    }

    fn at(&self, name: &str) -> Result<Entry, VaultError> {
        self.0.build(SERVICE, name, None).map_err(|error| refused(&error))
    }
}

impl Slots for Entries {
    fn read(&self, name: &str) -> Result<Option<Bytes>, VaultError> {
        match self.at(name)?.get_secret() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => provably_absent().map(|()| None),
            Err(error) => Err(refused(&error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let entry = self.at(name)?;
        match entry.set_secret(bytes) {
            Err(Error::Ambiguous(doubles)) => {
                for double in doubles {
                    double.delete_credential().map_err(|error| refused(&error))?;
                }
                entry.set_secret(bytes).map_err(|error| refused(&error))
            }
            done => done.map_err(|error| refused(&error)),
        }
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        match self.at(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(Error::Ambiguous(doubles)) => doubles
                .iter()
                .try_for_each(|double| double.delete_credential().map_err(|error| refused(&error))),
            Err(error) => Err(refused(&error)),
        }
    }
}

fn refused(error: &Error) -> VaultError {
    if matches!(error, Error::NoStorageAccess(_)) {
        return VaultError::unavailable("it is locked");
    }
    let unreadable = matches!(
        error,
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) | Error::Ambiguous(_)
    );
    if unreadable { VaultError::Lost } else { VaultError::unavailable(line(&error.to_string())) }
}

#[cfg(target_os = "linux")]
fn provably_absent() -> Result<(), VaultError> {
    match super::locked::default_collection_is_locked() {
        Ok(false) => Ok(()),
        Ok(true) => Err(VaultError::unavailable("it is locked")),
        Err(error) => Err(VaultError::unavailable(line(&error.to_string()))),
    }
}

/// Elsewhere a locked keychain says that it is locked.
#[cfg(not(target_os = "linux"))]
fn provably_absent() -> Result<(), VaultError> {
    Ok(())
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}
