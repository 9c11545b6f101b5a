//! Where refresh tokens rest. Three answers: the secret, none, or "cannot be asked now"; the last is never taken for
//! the second, or a locked keychain would look like a sign-out.

mod keychain;
#[cfg(target_os = "linux")]
mod locked;
#[cfg(feature = "testing")]
mod memory;
mod passphrase_file;
mod slots;
mod turn;

use async_trait::async_trait;
use secrecy::SecretString;
use sync::error::ServiceError;
use sync::ids::ConnectionId;

pub use keychain::{Keychain, SERVICE};
#[cfg(feature = "testing")]
pub use memory::Memory;
pub use passphrase_file::PassphraseFile;

/// Keeps secrets by name.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The secret, or nothing if there is provably none.
    async fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError>;
    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError>;
    /// Deleting what is not there succeeds.
    async fn delete(&self, name: &SecretName) -> Result<(), VaultError>;
    /// Deletes all there is: the `known` ones, and those that nobody knows of any more.
    async fn clear(&self, known: &[SecretName]) -> Result<(), VaultError> {
        for name in known {
            self.delete(name).await?;
        }
        Ok(())
    }
}

/// Whose secret it is: one for each sign-in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName(String);

impl SecretName {
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

/// Why a vault gives no answer. None of these says that she has signed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Locked, not running, or its prompt is not answered. Waiting may help.
    #[error("{reason}")]
    Unavailable { reason: String },
    #[error("the passphrase does not open {path}")]
    WrongPassphrase { path: String },
    /// The whole vault is damaged.
    #[error("{path} is damaged ({reason}); move it away and sign in again")]
    Damaged { path: String, reason: String },
    /// This one secret is damaged. The next sign-in replaces it.
    #[error("the stored sign-in is damaged")]
    Lost,
}

impl VaultError {
    fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }
}

impl From<VaultError> for ServiceError {
    fn from(error: VaultError) -> Self {
        Self::VaultUnavailable { reason: error.to_string() }
    }
}
