//! Where refresh tokens rest. Three answers: the secret, none, or "cannot be asked now"; the last is never taken for
//! the second, or a locked keychain would look like a sign-out.

#[cfg(feature = "testing")]
mod memory;

use async_trait::async_trait;
use secrecy::SecretString;
use sync::error::ServiceError;
use sync::ids::ConnectionId;

#[cfg(feature = "testing")]
pub use memory::Memory;

/// Keeps secrets by account.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The secret, or nothing if there is provably none.
    async fn get(&self, account: &Account) -> Result<Option<SecretString>, VaultError>;
    async fn put(&self, account: &Account, secret: &SecretString) -> Result<(), VaultError>;
    /// Deleting what is not there succeeds.
    async fn delete(&self, account: &Account) -> Result<(), VaultError>;
}

/// Whose secret it is: one for each sign-in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account(String);

impl Account {
    #[must_use]
    pub fn bookiji() -> Self {
        Self("bookiji".to_owned())
    }

    #[must_use]
    pub fn connection(id: &ConnectionId) -> Self {
        Self(id.0.clone())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a vault gives no answer. None of these says that there is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Locked, not running, or its prompt is not answered. Waiting may help.
    #[error("{reason}")]
    Unavailable { reason: String },
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// What is stored is not what was put there.
    #[error("{reason}")]
    Broken { reason: String },
}

impl VaultError {
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }

    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken { reason: reason.into() }
    }
}

impl From<VaultError> for ServiceError {
    fn from(error: VaultError) -> Self {
        Self::VaultUnavailable { reason: error.to_string() }
    }
}
