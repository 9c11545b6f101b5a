//! A vault for tests. It forgets with the process and can be locked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;

use super::{SecretName, Vault, VaultError};

/// Keeps secrets in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    locked: bool,
    secrets: BTreeMap<SecretName, SecretString>,
}

impl Memory {
    /// From now on nothing can be read or written, or everything again.
    pub fn set_locked(&self, locked: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).locked = locked;
    }

    fn open<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<SecretName, SecretString>) -> T,
    ) -> Result<T, VaultError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.locked { Err(VaultError::unavailable("it is locked")) } else { Ok(act(&mut state.secrets)) }
    }
}

#[async_trait]
impl Vault for Memory {
    async fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        self.open(|secrets| secrets.get(name).cloned())
    }

    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        self.open(|secrets| secrets.insert(name.clone(), secret.clone())).map(drop)
    }

    async fn delete(&self, name: &SecretName) -> Result<(), VaultError> {
        self.open(|secrets| secrets.remove(name)).map(drop)
    }
}
