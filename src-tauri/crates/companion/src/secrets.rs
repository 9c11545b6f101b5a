//! Opens the vault that the settings name, and says in words why one does not open.

use std::io::IsTerminal;
use std::sync::Arc;

use connectors::vault::{Keychain, PassphraseFile, SecretName, Vault, VaultError};
use secrecy::SecretString;
use sync::error::{Code, ServiceError};
use sync::ids::ConnectionId;

use crate::problem::Problem;
use crate::profile::Profile;
use crate::settings::VaultKind;

/// The environment variable that holds the passphrase of the vault file.
pub const PASSPHRASE: &str = "COMPANION_PASSPHRASE";

/// Nothing is asked of the vault yet: a keychain that is locked says so with the first secret.
pub async fn open(profile: &Profile, kind: VaultKind) -> Result<Arc<dyn Vault>, Problem> {
    match kind {
        VaultKind::Keychain => Ok(Arc::new(Keychain::new(profile.root().display().to_string()))),
        VaultKind::PassphraseFile => {
            let passphrase = tokio::task::spawn_blocking(passphrase)
                .await
                .map_err(|_| Problem::new(Code::Internal, "The passphrase could not be read."))??;
            Ok(Arc::new(PassphraseFile::new(profile.vault_file(), passphrase)))
        }
    }
}

/// Erases every secret of a profile. What the vault holds need not be readable for that.
pub async fn erase(profile: &Profile, kind: VaultKind, known: &[ConnectionId]) -> Result<(), Problem> {
    match kind {
        VaultKind::Keychain => {
            let mut names: Vec<SecretName> = known.iter().map(SecretName::connection).collect();
            names.push(SecretName::bookiji());
            Keychain::new(profile.root().display().to_string()).clear(&names).await.map_err(problem)
        }
        // The file goes with the others.
        VaultKind::PassphraseFile => Ok(()),
    }
}

/// From the environment, or typed without being shown.
fn passphrase() -> Result<SecretString, Problem> {
    if let Some(given) = std::env::var(PASSPHRASE).ok().filter(|given| !given.is_empty()) {
        return Ok(SecretString::from(given));
    }
    let unanswered = || {
        Problem::new(Code::KeychainUnavailable, "The secrets of this profile are locked with a passphrase.")
            .then(format!("Run it in a terminal and type the passphrase, or set {PASSPHRASE}."))
    };
    if !std::io::stderr().is_terminal() {
        return Err(unanswered());
    }
    rpassword::prompt_password("Passphrase of this profile's secrets: ")
        .ok()
        .filter(|typed| !typed.is_empty())
        .map(SecretString::from)
        .ok_or_else(unanswered)
}

/// What a vault's refusal means to a person.
pub fn problem(error: VaultError) -> Problem {
    match error {
        VaultError::Unavailable { .. } => ServiceError::from(error).into(),
        VaultError::WrongPassphrase { .. } => {
            Problem::new(Code::KeychainUnavailable, "The passphrase does not open this profile's secrets.")
                .then(format!("Type it again, or correct {PASSPHRASE}."))
        }
        VaultError::Damaged { path, reason } => {
            Problem::new(Code::KeychainUnavailable, format!("The file {path} is damaged ({reason})."))
                .then("Move that file away, sign in again and connect the accounts again.")
        }
        VaultError::Lost => Problem::new(Code::OauthTokenExpired, "The sign-in that was stored is damaged."),
    }
}
