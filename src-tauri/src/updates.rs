//! Newer versions of the app: looked for, fetched, and installed only on her word. Each is what its makers signed, for the
//! version that it says it is, or it is nothing.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use companion::clock::SystemClock;
use companion::problem::Problem;
use companion::renewal::{self, Next, Seen};
use companion::settings::NetworkSettings;
use companion::wiring;
use sync::error::Code;
use sync::ports::Clock;
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_updater::{Error, Update, UpdaterExt};

use crate::commands::{self, OverviewChanged};
use crate::salon::Salon;

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
    /// Asks whether there is a newer version, by her way into the network, and remembers it.
    ///
    /// # Errors
    /// Where nobody can be asked, or the answer is none.
    pub async fn look<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        network: &NetworkSettings,
    ) -> Result<Option<Update>, Problem> {
        let network = wiring::network(network)?;
        let builder = app.updater_builder().timeout(PATIENCE);
        let builder = builder.configure_client(move |client| network.abroad(client));
        let updater = builder.build().map_err(|error| told(&error))?;
        let found = updater.check().await.map_err(|error| told(&error))?;
        self.keep(found.clone());
        Ok(found)
    }

    /// What was found last.
    #[must_use]
    pub fn known(&self) -> Option<Update> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, found: Option<Update>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Looks where it is time to, and nowhere else. Nobody waits for what comes of it: a failure is tried again when the
    /// next look is due. Answers how long to wait before asking again, or nothing after a look.
    pub async fn look_if_due<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        network: &NetworkSettings,
        seen: &Seen,
    ) -> Option<Duration> {
        match renewal::next(seen) {
            Next::Wait(length) => Some(length),
            Next::Look => {
                // What went wrong is in the log, and she did not ask.
                let _ = self.look(app, network).await;
                None
            }
        }
    }

    /// Fetches what was found.
    ///
    /// # Errors
    /// Where nothing was found, it cannot be had, or it is not what was signed.
    pub async fn fetch(&self) -> Result<Ready, Problem> {
        let mut update = self.known().ok_or_else(|| {
            Problem::new(Code::InvalidInput, "No newer version was found, so none was installed.")
        })?;
        // It is a large file, and she waits for it.
        update.timeout = None;
        let bytes = update.download(|_, _| {}, || {}).await.map_err(|error| told(&error))?;
        Ok(Ready { update, bytes })
    }
}

/// Whether this build knows where updates come from.
pub fn has_source<R: Runtime>(app: &AppHandle<R>) -> bool {
    let rules = app.config().plugins.0.get("updater");
    rules.and_then(|rules| rules["endpoints"].as_array()).is_some_and(|addresses| !addresses.is_empty())
}

/// Looks once a day, as long as the app runs.
pub async fn keep_looking(app: AppHandle) {
    if !has_source(&app) {
        return;
    }
    let (started, lot) = (SystemClock.now(), RandomState::new().hash_one(0));
    let mut looked = None;
    loop {
        let salon = app.state::<Salon>();
        let settings = salon.shown().settings();
        let wanted = settings.as_ref().is_ok_and(|settings| settings.updates.check);
        let network = settings.map(|settings| settings.network).unwrap_or_default();
        let now = SystemClock.now();
        let syncing = salon.all().iter().any(|(_, desk)| desk.overview().syncing);
        let seen = Seen { now, started, looked, wanted, syncing, lot };
        let updates = app.state::<Updates>();
        match updates.look_if_due(&app, &network, &seen).await {
            Some(length) => tokio::time::sleep(length).await,
            None => {
                looked = Some(now);
                if updates.known().is_some() {
                    commands::announce(&app, OverviewChanged);
                }
            }
        }
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
