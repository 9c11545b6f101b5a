//! Sample data: a made-up vendor's life, served by the sandbox inside this process and kept in step by the ordinary app
//! in a throw-away profile. Signs in and connects exactly as a person would; keeps no secret on disk; leaving erases it.

use std::sync::Arc;

use companion::controller::{Controller, Handle, Options};
use companion::problem::Problem;
use companion::profile::Profile;
use companion::sign_in;
use companion::wiring::Wiring;
use connectors::vault::Memory;
use secrecy::SecretString;
use sync::error::Code;
use tempfile::TempDir;

/// Enough to come that her weeks look like a salon's.
const BOOKINGS: usize = 78;

/// A sample that runs until it is left. Dropping it erases it too, without waiting for a sync under way.
pub struct Sample {
    handle: Handle,
    sandbox: sandbox::Running,
    folder: TempDir,
    profile: Profile,
}

impl Sample {
    /// Starts the sandbox, signs its vendor in, connects her calendar and begins to sync.
    ///
    /// # Errors
    /// When no folder can be made, no port is free, or the sandbox refuses its own vendor.
    pub async fn open() -> Result<Self, Problem> {
        let folder = tempfile::Builder::new()
            .prefix("bookiji-sample-")
            .tempdir()
            .map_err(|error| failed(format!("A folder for the sample data cannot be made: {error}.")))?;
        let profile = Profile::at(Some(folder.path()))?;
        let sandbox = sandbox::serve(sandbox::Options {
            bookings: BOOKINGS,
            write_settings: Some(profile.settings_file()),
            ..sandbox::Options::default()
        })
        .await
        .map_err(|error| failed(format!("The sample data cannot be served: {error:#}.")))?;

        let wiring = Wiring::open_with(&profile, Arc::new(Memory::default())).await?;
        sign_in::login(&wiring, &sandbox.email, &SecretString::from(sandbox.password.as_str())).await?;
        let (vendor, pending) = sign_in::begin_google(&wiring, false).await?;
        let url = pending.url().clone();
        let (consented, connected) =
            tokio::join!(consent(url), sign_in::finish_google(&wiring, &vendor, pending));
        connected?;
        consented?;
        let handle = Controller::start(wiring, Options { sample: true, ..Options::default() });
        Ok(Self { handle, sandbox, folder, profile })
    }

    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Ends it and erases what it left on disk.
    pub async fn leave(self) {
        let Self { handle, sandbox, folder, .. } = self;
        handle.shutdown().await;
        sandbox.stop().await;
        if let Err(error) = folder.close() {
            tracing::warn!(%error, "the sample's folder is still there");
        }
    }
}

/// Does what her browser would: the sandbox consents at once and sends it on to the waiting app.
async fn consent(url: url::Url) -> Result<(), Problem> {
    let refused =
        |error: reqwest::Error| failed(format!("The sample calendar cannot be connected: {error}."));
    let browser = reqwest::Client::builder().no_proxy().build().map_err(refused)?;
    browser.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(refused)?;
    Ok(())
}

fn failed(message: String) -> Problem {
    Problem::new(Code::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sample_shows_a_week_by_itself_and_leaves_nothing_behind() {
        let sample = Sample::open().await.unwrap();
        let folder = sample.folder.path().to_owned();
        let mut overview = sample.handle().overview();
        let shown =
            overview.wait_for(|shown| shown.last_sync_at.is_some() && !shown.syncing).await.unwrap().clone();
        assert!(shown.sample && shown.vendor.is_some());
        assert!(!shown.schedule.bookings.is_empty() && !shown.schedule.busy.is_empty());
        assert_eq!(shown.problem, None);

        sample.leave().await;
        assert!(!folder.exists());
    }
}
