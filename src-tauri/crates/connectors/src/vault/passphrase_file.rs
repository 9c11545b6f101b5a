//! Secrets in a file that a passphrase opens: argon2id, then XChaCha20-Poly1305. For computers without a keychain, and
//! only when she chose it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use async_trait::async_trait;
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex as Turn;
use zeroize::{Zeroize, Zeroizing};

use super::{SecretName, Vault, VaultError};

const FORMAT: u32 = 1;
/// A few tokens never make a file of this size.
const FILE_CAP: u64 = 1024 * 1024;

/// Keys are made one after the other: each takes 19 MB for a moment, and a front desk opens a hundred of these files.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// Room of this size goes back to the system when it is no longer needed. Smaller room is kept by the allocator, once
/// for each thread that ever made a key.
const GIVEN_BACK: usize = 40 * 1024 * 1024;

/// A file of secrets.
#[derive(Clone)]
pub struct PassphraseFile(Arc<Turn<Inner>>);

struct Inner {
    path: PathBuf,
    passphrase: SecretString,
    /// Deriving a key is meant to be slow, so it is done once for each salt.
    derived: Option<(Lock, Key)>,
}

type Key = Zeroizing<[u8; 32]>;
type Secrets = BTreeMap<String, String>;

/// How the key is made from the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    bookiji_companion_vault: u32,
    lock: Lock,
    nonce: String,
    secrets: String,
    /// Of all the above. Tells a damaged file from a wrong passphrase.
    sha256: String,
}

impl PassphraseFile {
    /// Nothing is read or written before the first secret is asked for or put in.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, passphrase: SecretString) -> Self {
        Self(Arc::new(Turn::new(Inner { path: path.into(), passphrase, derived: None })))
    }

    async fn work<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Inner) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let mut inner = self.0.clone().lock_owned().await;
        tokio::task::spawn_blocking(move || act(&mut inner))
            .await
            .unwrap_or_else(|_| Err(VaultError::unavailable("the passphrase file's work was interrupted")))
    }
}

#[async_trait]
impl Vault for PassphraseFile {
    async fn get(&self, name: &SecretName) -> Result<Option<SecretString>, VaultError> {
        let name = name.as_str().to_owned();
        self.work(move |inner| Ok(inner.read()?.remove(&name).map(SecretString::from))).await
    }

    async fn put(&self, name: &SecretName, secret: &SecretString) -> Result<(), VaultError> {
        let (name, secret) = (name.as_str().to_owned(), secret.clone());
        self.work(move |inner| {
            let mut secrets = inner.read()?;
            secrets.insert(name, secret.expose_secret().to_owned());
            inner.write(&secrets)
        })
        .await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), VaultError> {
        let name = name.as_str().to_owned();
        self.work(move |inner| {
            let mut secrets = inner.read()?;
            if secrets.remove(&name).is_some() { inner.write(&secrets) } else { Ok(()) }
        })
        .await
    }
}

impl Inner {
    /// No file is no secrets.
    fn read(&mut self) -> Result<Secrets, VaultError> {
        let Some(sealed) = self.load()? else { return Ok(Secrets::new()) };
        let path = || self.path.display().to_string();
        let damaged = |reason: &str| VaultError::Damaged { path: path(), reason: reason.to_owned() };
        if sealed.digest() != sealed.sha256 {
            return Err(damaged("its content has changed"));
        }
        let nonce = decode(&sealed.nonce).and_then(|bytes| XNonce::try_from(bytes.as_slice()).ok());
        let (nonce, secrets) =
            nonce.zip(decode(&sealed.secrets)).ok_or_else(|| damaged("it is not base64"))?;
        let wrong = VaultError::WrongPassphrase { path: path() };
        let key = self.key(&sealed.lock)?;
        let aad = sealed.lock.text();
        let opened = cipher(&key)
            .decrypt(&nonce, Payload { msg: &secrets, aad: aad.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| wrong)?;
        serde_json::from_slice(&opened).map_err(|_| VaultError::Damaged {
            path: self.path.display().to_string(),
            reason: "what it holds is no list of secrets".to_owned(),
        })
    }

    fn load(&self) -> Result<Option<Sealed>, VaultError> {
        let failed = |error: std::io::Error| {
            VaultError::unavailable(format!("{} cannot be read: {error}", self.path.display()))
        };
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = Vec::new();
        file.take(FILE_CAP).read_to_end(&mut text).map_err(failed)?;
        let damaged = |reason: &str| VaultError::Damaged {
            path: self.path.display().to_string(),
            reason: reason.to_owned(),
        };
        let sealed: Sealed = serde_json::from_slice(&text).map_err(|_| damaged("it is no vault"))?;
        if sealed.bookiji_companion_vault == FORMAT {
            Ok(Some(sealed))
        } else {
            Err(damaged("a newer version of the app wrote it"))
        }
    }

    fn write(&mut self, secrets: &Secrets) -> Result<(), VaultError> {
        let failed = |path: &Path, error: &dyn std::fmt::Display| {
            VaultError::unavailable(format!("{} cannot be written: {error}", path.display()))
        };
        let lock = match &self.derived {
            Some((lock, _)) => lock.clone(),
            None => Lock::new(),
        };
        let key = self.key(&lock)?;
        let plain =
            serde_json::to_vec(secrets).map(Zeroizing::new).map_err(|error| failed(&self.path, &error))?;
        let nonce = XNonce::generate();
        let aad = lock.text();
        let sealed = cipher(&key)
            .encrypt(&nonce, Payload { msg: &plain, aad: aad.as_bytes() })
            .map_err(|_| failed(&self.path, &"it cannot be sealed"))?;
        let mut file = Sealed {
            bookiji_companion_vault: FORMAT,
            lock,
            nonce: BASE64.encode(&nonce),
            secrets: BASE64.encode(&sealed),
            sha256: String::new(),
        };
        file.sha256 = file.digest();
        let text = serde_json::to_vec_pretty(&file).map_err(|error| failed(&self.path, &error))?;
        replace(&self.path, &text).map_err(|error| failed(&self.path, &error))
    }

    fn key(&mut self, lock: &Lock) -> Result<Key, VaultError> {
        if let Some((known, key)) = &self.derived
            && known == lock
        {
            return Ok(key.clone());
        }
        let key = lock.derive(&self.passphrase).ok_or_else(|| VaultError::Damaged {
            path: self.path.display().to_string(),
            reason: "it asks for a lock that nobody makes".to_owned(),
        })?;
        self.derived = Some((lock.clone(), key.clone()));
        Ok(key)
    }
}

impl Lock {
    fn new() -> Self {
        Self {
            kdf: "argon2id".to_owned(),
            memory_kib: Params::DEFAULT_M_COST,
            passes: Params::DEFAULT_T_COST,
            lanes: Params::DEFAULT_P_COST,
            salt: BASE64.encode(&XNonce::generate()),
        }
    }

    /// Nothing for a lock that would take for ever, or is no lock.
    fn derive(&self, passphrase: &SecretString) -> Option<Key> {
        let sane =
            self.kdf == "argon2id" && self.memory_kib <= 1 << 20 && self.passes <= 16 && self.lanes <= 16;
        let params = sane.then(|| Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok())??;
        let salt = decode(&self.salt)?;
        let mut key = Zeroizing::new([0; 32]);
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = params.block_count();
        let mut memory: Vec<Block> = Vec::with_capacity(blocks.max(GIVEN_BACK / Block::SIZE));
        memory.resize(blocks, Block::default());
        let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
            passphrase.expose_secret().as_bytes(),
            &salt,
            &mut *key,
            memory.as_mut_slice(),
        );
        memory.iter_mut().for_each(Zeroize::zeroize);
        made.ok()?;
        Some(key)
    }

    fn text(&self) -> String {
        let Self { kdf, memory_kib, passes, lanes, salt } = self;
        format!("{FORMAT}|{kdf}|{memory_kib}|{passes}|{lanes}|{salt}")
    }
}

impl Sealed {
    fn digest(&self) -> String {
        let text = format!("{}|{}|{}", self.lock.text(), self.nonce, self.secrets);
        HEXLOWER.encode(&Sha256::digest(text))
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**key).into())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

/// Writes all of it or nothing, for the owner's eyes alone: a temporary file is created 0600.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SecretName {
        SecretName::bookiji()
    }

    fn open(path: &Path, passphrase: &str) -> PassphraseFile {
        PassphraseFile::new(path, passphrase.into())
    }

    async fn shown(file: &PassphraseFile) -> Result<Option<String>, VaultError> {
        file.get(&name()).await.map(|secret| secret.map(|secret| secret.expose_secret().to_owned()))
    }

    #[tokio::test]
    async fn what_is_put_in_comes_out_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let file = open(&path, "pass");
        assert_eq!(shown(&file).await, Ok(None));
        file.put(&name(), &"s3cret".into()).await.unwrap();
        file.put(&SecretName::connection(&"google-1".into()), &"other".into()).await.unwrap();
        let again = open(&path, "pass");
        assert_eq!(shown(&again).await, Ok(Some("s3cret".into())));
        again.delete(&name()).await.unwrap();
        again.delete(&name()).await.unwrap();
        assert_eq!(shown(&open(&path, "pass")).await, Ok(None));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[tokio::test]
    async fn the_file_tells_nothing_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        open(&path, "pass").put(&name(), &"s3cret".into()).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("s3cret") && !text.contains("pass\"") && !text.contains("bookiji\""),
            "{text}"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn a_wrong_passphrase_is_told_apart_from_a_damaged_file_and_neither_overwrites_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        open(&path, "pass").put(&name(), &"s3cret".into()).await.unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();

        let wrong = open(&path, "Pass");
        assert!(matches!(shown(&wrong).await, Err(VaultError::WrongPassphrase { .. })));
        let put = wrong.put(&name(), &"new".into()).await;
        assert!(matches!(put, Err(VaultError::WrongPassphrase { .. })));

        let newer = whole.replace("\"bookiji_companion_vault\": 1", "\"bookiji_companion_vault\": 2");
        let endless = whole.replace("\"passes\": 2", "\"passes\": 4000000000");
        let changed = whole.replace("\"nonce\": \"", "\"nonce\": \"A");
        for bad in ["", "{}", &whole[..whole.len() / 2], &newer, &endless, &changed] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(shown(&open(&path, "pass")).await, Err(VaultError::Damaged { .. })), "{bad}");
            let put = open(&path, "pass").put(&name(), &"new".into()).await;
            assert!(matches!(put, Err(VaultError::Damaged { .. })), "{bad}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
        }
        std::fs::write(&path, whole).unwrap();
        assert_eq!(shown(&open(&path, "pass")).await, Ok(Some("s3cret".into())));
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_said_and_not_taken_for_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(&folder.path().join("no").join("vault"), "pass");
        let put = file.put(&name(), &"s3cret".into()).await;
        assert!(matches!(put, Err(VaultError::Unavailable { .. })), "{put:?}");
    }
}
