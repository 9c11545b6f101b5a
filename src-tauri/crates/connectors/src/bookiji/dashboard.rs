//! What the platform's own page shows of her calendars: which there are, and how their last syncs went. Never a token, and
//! never a link, which may be one.

use jiff::Timestamp;
use serde_json::json;
use sync::error::ServiceError;
use sync::ids::{CalendarId, Service};
use sync::world::{SyncOutcome, SyncProblem};

use super::{IDEMPOTENCY_KEY, Interface, Site, refusal};
use crate::http::{Method, Peer, Request};

/// A calendar that this computer looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub id: CalendarId,
    pub service: Service,
    /// As the service names it; our own name where that could be a secret.
    pub remote: String,
    pub account: Option<String>,
    pub every_minutes: u32,
}

/// How its last sync went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub id: CalendarId,
    pub at: Timestamp,
    pub next: Option<Timestamp>,
    pub outcome: SyncOutcome,
    pub error: Option<SyncProblem>,
}

impl Site {
    /// Registers a calendar. Today's platform has no place for it.
    ///
    /// # Errors
    /// What kept the platform from taking it.
    pub async fn register(&self, calendar: &Registration) -> Result<(), ServiceError> {
        let word = calendar.service.platform_word();
        let url = self.contract.base.at(&["api", "vendor", "calendar", "connections", word]);
        let route = "/api/vendor/calendar/connections/{provider}";
        let body = json!({
            "connection_id": calendar.id,
            "provider_calendar_id": calendar.remote,
            "provider_email": calendar.account,
            "sync_frequency_minutes": calendar.every_minutes.clamp(1, 1440),
            "managed_by": "desktop",
        });
        self.tell(Request::new(Peer::Bookiji, Method::PUT, route, url).json(&body)).await
    }

    /// Says how the last sync of a registered calendar went.
    ///
    /// # Errors
    /// [`ServiceError::Gone`] when it is not registered.
    pub async fn beat(&self, beat: &Heartbeat) -> Result<(), ServiceError> {
        let url = self.contract.base.at(&["api", "vendor", "calendar", "sync-status"]);
        let status = match beat.outcome {
            SyncOutcome::Success => "success",
            SyncOutcome::Partial => "partial",
            SyncOutcome::Error => "error",
        };
        let mut body = json!({"connection_id": beat.id, "last_synced_at": whole(beat.at), "status": status});
        if let Some(next) = beat.next {
            body["next_sync_at"] = json!(whole(next));
        }
        if let Some(problem) = &beat.error {
            // The words may name what is hers alone; the code says enough for a page.
            body["error"] = json!({"code": problem.code.as_str()});
        }
        let request = Request::new(Peer::Bookiji, Method::POST, "/api/vendor/calendar/sync-status", url);
        self.tell(request.json(&body)).await
    }

    async fn tell(&self, request: Request) -> Result<(), ServiceError> {
        if self.interface().await? == Interface::Rest {
            return Ok(());
        }
        let request = request.header(IDEMPOTENCY_KEY, &uuid::Uuid::new_v4().to_string());
        let answer = self.contract.send(request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(refusal::error(&answer)) }
    }
}

fn whole(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
