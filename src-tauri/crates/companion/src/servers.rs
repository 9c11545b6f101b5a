//! The sign-in servers of one profile, as its settings name them: where they are, and as whom they are asked. An open
//! profile is not needed for that.

use std::path::PathBuf;

use connectors::google;
use connectors::gotrue::GoTrue;
use connectors::http::Http;
use connectors::oauth::Client;
use connectors::outlook::{self, Authority};
use sync::error::Code;
use url::Url;

use crate::problem::Problem;
use crate::settings::Settings;
use crate::wiring::{self, base};

/// What it takes to reach them.
#[derive(Clone, Debug)]
pub struct Servers {
    pub settings: Settings,
    pub http: Http,
    /// Where the settings are, for whoever has to set something first.
    pub file: PathBuf,
}

impl Servers {
    /// Bookiji's.
    ///
    /// # Errors
    /// When its address is not set.
    pub fn gotrue(&self) -> Result<GoTrue, Problem> {
        wiring::gotrue(&self.settings, &self.http)
    }

    /// Google's, as this app. By default it asks only for a calendar of its own to write into.
    ///
    /// # Errors
    /// When no client id is set.
    pub fn google(&self, own_calendar: bool) -> Result<Client, Problem> {
        let oauth = &self.settings.oauth;
        let Some(client_id) = oauth.google_client_id.clone() else {
            return Err(Problem::new(
                Code::SettingsInvalid,
                "Google needs to know which app asks, and no client id is set.",
            )
            .then(format!(
                "Set google_client_id and google_client_secret of a Google \"Desktop app\" client under [oauth] in {}.",
                self.file.display()
            )));
        };
        let scopes = if own_calendar { google::SCOPES_FOR_HER_OWN_CALENDAR } else { google::SCOPES };
        let config = google::sign_in(
            base(&self.settings.endpoints.google_auth)?,
            base(&self.settings.endpoints.google_token)?,
            &client_id,
            oauth.google_client_secret.clone(),
            scopes,
        );
        Ok(Client::new(self.http.clone(), config))
    }

    /// Microsoft's, as this app.
    ///
    /// # Errors
    /// When no client id is set.
    pub fn outlook(&self) -> Result<Client, Problem> {
        let config = outlook::sign_in(&self.microsoft()?, &self.microsoft_client_id()?);
        Ok(Client::new(self.http.clone(), config))
    }

    /// Where an administrator allows this app for everybody in her organisation.
    ///
    /// # Errors
    /// As [`Servers::outlook`].
    pub fn outlook_admin_consent(&self) -> Result<Url, Problem> {
        Ok(self.microsoft()?.admin_consent(&self.microsoft_client_id()?))
    }

    fn microsoft(&self) -> Result<Authority, Problem> {
        let tenant = self.settings.oauth.microsoft_tenant.clone();
        Ok(Authority {
            login: base(&self.settings.endpoints.microsoft_login)?,
            tenant: tenant.unwrap_or_else(|| "common".to_owned()),
            graph: base(&self.settings.endpoints.graph)?,
        })
    }

    fn microsoft_client_id(&self) -> Result<String, Problem> {
        let missing = "Microsoft needs to know which app asks, and no client id is set.";
        self.settings.oauth.microsoft_client_id.clone().ok_or_else(|| {
            Problem::new(Code::SettingsInvalid, missing).then(format!(
                "Set microsoft_client_id of an app with the redirect address http://localhost, registered under \
                 \"Mobile and desktop applications\", under [oauth] in {}.",
                self.file.display()
            ))
        })
    }
}
