//! Opens the vault that the settings name, and says in words why one does not open.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use connectors::vault::{Keychain, PassphraseFile, SecretName, Vault, VaultError};
use secrecy::SecretString;
use sync::error::{Code, ServiceError};
use sync::ids::ConnectionId;
use tokio::sync::OnceCell;

use crate::problem::Problem;
use crate::profile::Profile;
use crate::settings::VaultKind;

/// The environment variable that holds the passphrase of the vault file.
pub const PASSPHRASE: &str = "COMPANION_PASSPHRASE";

/// The passphrase of all profiles that a process opens: asked for once, with the first that needs it.
#[derive(Default)]
pub struct Passphrase(OnceCell<SecretString>);

impl Passphrase {
    async fn get(&self) -> Result<SecretString, Problem> {
        let unreadable = |_| Problem::new(Code::Internal, "The passphrase could not be read.");
        let asked = || async { tokio::task::spawn_blocking(passphrase).await.map_err(unreadable)? };
        self.0.get_or_try_init(asked).await.cloned()
    }
}

/// Nothing is asked of the vault yet: a keychain that is locked says so with the first secret.
pub async fn open(
    profile: &Profile,
    kind: VaultKind,
    passphrase: &Passphrase,
) -> Result<Arc<dyn Vault>, Problem> {
    match kind {
        VaultKind::Keychain => Ok(Arc::new(Keychain::new(shelf(profile.root())))),
        VaultKind::PassphraseFile => {
            Ok(Arc::new(PassphraseFile::new(profile.vault_file(), passphrase.get().await?)))
        }
    }
}

/// Erases every secret of a profile. What the vault holds need not be readable for that.
pub async fn erase(profile: &Profile, kind: VaultKind, known: &[ConnectionId]) -> Result<(), Problem> {
    match kind {
        VaultKind::Keychain => {
            let mut names: Vec<SecretName> = known.iter().map(SecretName::connection).collect();
            names.push(SecretName::bookiji());
            Keychain::new(shelf(profile.root())).clear(&names).await.map_err(problem)
        }
        // The file goes with the others.
        VaultKind::PassphraseFile => Ok(()),
    }
}

/// What a profile's secrets stand under in the keychain: its path, in a form that no other path has.
fn shelf(root: &Path) -> String {
    match root.to_str() {
        Some(path) => path.to_owned(),
        // Shown as text, two such paths may look alike. No path that is text begins like this.
        None => format!(
            "bytes:{}",
            root.as_os_str().as_encoded_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>()
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn two_folders_never_share_a_shelf_of_the_keychain() {
        use std::os::unix::ffi::OsStrExt;
        let path = |bytes: &[u8]| std::path::PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
        let shelves = [path(b"/a\xff"), path(b"/a\xfe"), path(b"/a"), path(b"/a/b")].map(|root| shelf(&root));
        for (at, one) in shelves.iter().enumerate() {
            assert!(!shelves[..at].contains(one), "{one}");
        }
    }

    #[test]
    fn however_a_folder_is_written_its_shelf_is_the_same() {
        let at = |path: &str| shelf(Profile::at(Some(Path::new(path))).unwrap().root());
        assert_eq!(at("/salon/anna/"), at("/salon/anna"));
        assert_eq!(at("/salon/./anna"), at("/salon/anna"));
    }
}
