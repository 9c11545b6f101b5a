//! Who has signed in: the vendor's profile, read beside the sign-in server.

use reqwest::header::ACCEPT;
use serde::Deserialize;
use sync::error::ServiceError;
use sync::ids::VendorId;
use sync::world::Vendor;

use super::refusal;
use crate::gotrue::{API_KEY, GoTrue, Session};
use crate::http::{Method, Peer, Request};

#[derive(Deserialize)]
struct Profile {
    id: VendorId,
    full_name: Option<String>,
    email: Option<String>,
    role: Option<String>,
    timezone: Option<String>,
}

impl GoTrue {
    /// Looks up the vendor behind a fresh sign-in.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when the account belongs to no vendor.
    pub async fn vendor(&self, session: &Session) -> Result<Vendor, ServiceError> {
        let url = self.base.at(&["rest", "v1", "profiles"]);
        let request = Request::new(Peer::BookijiAuth, Method::GET, "/rest/v1/profiles", url)
            .query("auth_user_id", &format!("eq.{}", session.user_id))
            .query("select", "id,full_name,email,role,timezone")
            .header(ACCEPT, "application/json")
            .header(API_KEY, &self.api_key)
            .bearer(&session.grant.access);
        let answer = self.http.send(request).await?;
        if !answer.status.is_success() {
            return Err(refusal::error(&answer));
        }
        let profile = answer.json::<Vec<Profile>>()?.into_iter().next();
        let Some(profile) = profile.filter(|profile| profile.role.as_deref() != Some("customer")) else {
            return Err(ServiceError::Forbidden {
                service: Peer::Bookiji.name().to_owned(),
                reason: "this account belongs to no vendor".to_owned(),
            });
        };
        Ok(Vendor {
            id: profile.id,
            name: profile.full_name.unwrap_or_default(),
            email: profile.email.unwrap_or_else(|| session.email.clone()),
            time_zone: profile.timezone.unwrap_or_else(|| "UTC".to_owned()),
        })
    }
}
