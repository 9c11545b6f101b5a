//! Newer versions of the app: looked for, fetched, and installed only on her word. Each is what its makers signed, for the
//! version that it says it is, or it is nothing.

use std::time::Duration;

use companion::problem::Problem;
use sync::error::Code;
use tauri::{AppHandle, Runtime};
use tauri_plugin_updater::{Error, Update, UpdaterExt};
use tokio::sync::Mutex;

/// A server that is slower than this is not there.
const PATIENCE: Duration = Duration::from_secs(30);

/// The newer version that was found last, until it is fetched.
#[derive(Default)]
pub struct Updates(Mutex<Option<Update>>);

/// A version that was fetched and is what was signed.
pub struct Ready {
    update: Update,
    bytes: Vec<u8>,
}

impl Updates {
    /// Asks whether there is a newer version, and remembers it.
    ///
    /// # Errors
    /// Where nobody can be asked, or the answer is none.
    pub async fn look<R: Runtime>(&self, app: &AppHandle<R>) -> Result<Option<Update>, Problem> {
        let updater = app.updater_builder().timeout(PATIENCE).build().map_err(|error| told(&error))?;
        let found = updater.check().await.map_err(|error| told(&error))?;
        self.0.lock().await.clone_from(&found);
        Ok(found)
    }

    /// Fetches what was found.
    ///
    /// # Errors
    /// Where nothing was found, it cannot be had, or it is not what was signed.
    pub async fn fetch(&self) -> Result<Ready, Problem> {
        let update = self.0.lock().await.clone();
        let mut update = update.ok_or_else(|| {
            Problem::new(Code::InvalidInput, "No newer version was found, so none was installed.")
        })?;
        // It is a large file, and she waits for it.
        update.timeout = None;
        let bytes = update.download(|_, _| {}, || {}).await.map_err(|error| told(&error))?;
        Ok(Ready { update, bytes })
    }
}

/// Puts it in the place of this version. On Linux her password is asked for first.
///
/// # Errors
/// Where she does not give it, or this app was not installed in a way that can be updated.
pub async fn install(ready: Ready) -> Result<(), Problem> {
    let Ready { update, bytes } = ready;
    let installed = tauri::async_runtime::spawn_blocking(move || update.install(bytes)).await;
    match installed {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(told(&error)),
        Err(_) => Err(Problem::new(Code::Internal, "The new version could not be installed.")),
    }
}

fn told(error: &Error) -> Problem {
    tracing::warn!(%error, "no update");
    if is_forged(error) {
        return Problem::new(
            Code::Internal,
            "The new version is not what its makers signed, so it was not installed.",
        );
    }
    if matches!(error, Error::EmptyEndpoints) {
        return Problem::new(Code::SettingsInvalid, "This build does not know where updates come from.");
    }
    if matches!(error, Error::Reqwest(_) | Error::Network(_) | Error::ReleaseNotFound) {
        return Problem::new(Code::NetworkError, "Nobody answers where updates come from.");
    }
    Problem::new(Code::Internal, "The new version could not be installed.")
}

fn is_forged(error: &Error) -> bool {
    matches!(
        error,
        Error::Minisign(_)
            | Error::Base64(_)
            | Error::SignatureUtf8(_)
            | Error::MissingSignedVersion
            | Error::SignedVersionMismatch { .. }
    )
}

#[cfg(test)]
mod tests;
