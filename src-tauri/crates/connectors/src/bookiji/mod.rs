//! The platform as its own contract describes it (platform notes §6.2): bookings by cursor, busy time as a whole set, and
//! slots as rows of its database. What it is until then, [`rest`] speaks to; [`Site`] knows which of the two it is.

mod dashboard;
mod database;
mod events;
mod found;
mod hints;
mod hours;
mod lease;
mod make_slots;
mod profile;
mod refusal;
pub mod rest;
mod site;
mod slots;
mod version;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use calendar::interval::Interval;
use reqwest::header::HeaderName;
use serde_json::json;
use sync::booking::{Booking, iso_ms};
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, ProposalId};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{BusyReceipt, BusySet, Platform, Reading, Slot, SlotMade};

pub use self::dashboard::{Heartbeat, Registration};
pub use self::database::Database;
use self::found::Found;
pub use self::hints::{Hint, Hints};
use self::lease::Fence;
pub use self::site::{Interface, Site, Told};
use self::slots::Slots;
use self::version::Strange;
pub use self::version::contract_version;
use crate::http::{Answer, Base, Http, Method, Peer, Request, garbled};
use crate::tokens::{Signed, Tokens};

/// More pages than this are no list but a loop: forty thousand bookings.
const PAGES: usize = 200;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The platform with a vendor signed in.
#[derive(Clone)]
pub struct Bookiji {
    signed: Signed,
    base: Base,
    database: Option<Database>,
    fence: Fence,
    strange: Strange,
}

impl Bookiji {
    /// `base` is the platform's address without `/api`.
    #[must_use]
    pub fn new(http: Http, base: Base, tokens: Tokens) -> Self {
        let (fence, strange) = (Fence::default(), Strange::default());
        Self { signed: Signed { http, tokens }, base, database: None, fence, strange }
    }

    /// Says where slots stand. Without it, whatever is asked about slots is refused.
    #[must_use]
    pub fn with_slots(self, database: Database) -> Self {
        Self { database: Some(database), ..self }
    }

    fn rows(&self) -> Result<Slots<'_>, ServiceError> {
        let database = self.database.as_ref().ok_or_else(|| ServiceError::Rejected {
            service: Peer::Bookiji.name().to_owned(),
            reason:
                "where its database is, and whose slots are meant, is not known; sign in, with supabase and \
                     supabase_key set under [endpoints] in settings.toml"
                    .to_owned(),
        })?;
        Ok(Slots { signed: &self.signed, database, fence: &self.fence })
    }

    /// Asks the platform. Where it keeps a contract that nobody here knows, it is only asked what stands there.
    async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        if *request.method() != Method::GET {
            self.strange.check()?;
        }
        let answer = self.signed.send(request).await?;
        self.strange.heed(&answer);
        Ok(answer)
    }

    /// A change of one booking, of which only the outcome matters: its new state is read with the others.
    async fn change(&self, request: Request) -> Result<(), ServiceError> {
        let answer = self.send(self.fence.on(request)).await?;
        if answer.status.is_success() { answer.is_no_page() } else { Err(refusal::error(&answer)) }
    }

    async fn page(&self, cursor: Option<&str>) -> Result<wire::Page, Stop> {
        let url = self.base.at(&["api", "vendor", "bookings"]);
        let mut request =
            Request::new(Peer::Bookiji, Method::GET, "/api/vendor/bookings", url).query("limit", "200");
        if let Some(cursor) = cursor {
            request = request.query("cursor", cursor);
        }
        let answer = self.send(request).await.map_err(Stop::Failed)?;
        version::check(&answer).map_err(Stop::Failed)?;
        self.fence.note(&answer);
        if cursor.is_some() && refusal::is_about_the_cursor(&answer) {
            return Err(Stop::CursorLost);
        }
        if !answer.status.is_success() {
            return Err(Stop::Failed(refusal::error(&answer)));
        }
        let page = answer.json::<wire::Envelope<wire::Page>>().map_err(Stop::Failed)?.data;
        self.strange.believe(&answer);
        Ok(page)
    }
}

/// Why a page is not there.
enum Stop {
    CursorLost,
    Failed(ServiceError),
}

#[async_trait]
impl Platform for Bookiji {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.rows()?.overlapping(window).await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.strange.check()?;
        self.rows()?.create(slots).await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.strange.check()?;
        self.rows()?.remove(slot).await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let mut found = Found::default();
        let mut at: Option<String> = cursor.map(|cursor| cursor.0.clone());
        let mut seen: BTreeSet<String> = at.iter().cloned().collect();
        for page_number in 0..PAGES {
            let page = match self.page(at.as_deref()).await {
                Ok(page) => page,
                Err(Stop::CursorLost) => return Reading::CursorLost,
                Err(Stop::Failed(reason)) if page_number == 0 => return Reading::Failed(reason),
                Err(Stop::Failed(reason)) => return found.partial(reason),
            };
            found.take(page.bookings, page.removed);
            match (page.has_more, page.next_cursor) {
                (false, next) => return found.whole(cursor, next.or(at).map(Cursor)),
                (true, Some(next)) if seen.insert(next.clone()) => at = Some(next),
                (true, _) => {
                    return found.partial(garbled(Peer::Bookiji, "its pages go round in circles"));
                }
            }
        }
        found.partial(garbled(Peer::Bookiji, "its pages do not end"))
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        let url = self.base.at(&["api", "bookings", "reschedule"]);
        let body = json!({
            "bookingId": booking,
            "newSlotStart": iso_ms(to.start()),
            "newSlotEnd": iso_ms(to.end()),
        });
        let request = Request::new(Peer::Bookiji, Method::POST, "/api/bookings/reschedule", url);
        self.change(request.header(IDEMPOTENCY_KEY, key).json(&body)).await
    }

    async fn propose_move(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        let url = self.base.at(&["api", "vendor", "bookings", booking.as_str(), "proposals"]);
        let body = json!({"start": iso_ms(to.start()), "end": iso_ms(to.end())});
        let request = Request::new(Peer::Bookiji, Method::POST, "/api/vendor/bookings/{id}/proposals", url);
        self.change(request.header(IDEMPOTENCY_KEY, key).json(&body)).await
    }

    async fn withdraw_proposal(
        &self,
        booking: &BookingId,
        proposal: &ProposalId,
        key: &str,
    ) -> Result<(), ServiceError> {
        let path = ["api", "vendor", "bookings", booking.as_str(), "proposals", proposal.as_str()];
        let route = "/api/vendor/bookings/{id}/proposals/{proposal}";
        let request = Request::new(Peer::Bookiji, Method::DELETE, route, self.base.at(&path));
        self.change(request.header(IDEMPOTENCY_KEY, key)).await
    }

    async fn cancel_booking(&self, booking: &BookingId, reason: &str, key: &str) -> Result<(), ServiceError> {
        let url = self.base.at(&["api", "vendor", "bookings", booking.as_str(), "cancel"]);
        let request = Request::new(Peer::Bookiji, Method::POST, "/api/vendor/bookings/{id}/cancel", url);
        self.change(request.header(IDEMPOTENCY_KEY, key).json(&json!({ "reason": reason }))).await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        let source = set.source.as_str();
        let intervals: Vec<_> = set
            .intervals
            .iter()
            .map(|interval| {
                let (start, end) = (interval.start(), interval.end());
                json!({
                    "external_id":
                        format!("{source}-{}-{}", start.as_millisecond(), end.as_millisecond()),
                    "start": iso_ms(start),
                    "end": iso_ms(end),
                })
            })
            .collect();
        let body = json!({
            "provider": set.service.platform_word(),
            "connection_id": source,
            "window": {"start": iso_ms(set.window.start()), "end": iso_ms(set.window.end())},
            "checksum": set.checksum,
            "intervals": intervals,
        });
        let url = self.base.at(&["api", "vendor", "calendar", "busy"]);
        let request = Request::new(Peer::Bookiji, Method::PUT, "/api/vendor/calendar/busy", url)
            .header(IDEMPOTENCY_KEY, &uuid::Uuid::new_v4().to_string())
            .json(&body);
        let answer = self.send(self.fence.on(request)).await?;
        if !answer.status.is_success() {
            return Err(refusal::error(&answer));
        }
        Ok(answer.json::<wire::Envelope<wire::Receipt>>()?.data.into_receipt())
    }

    async fn lease(&self, me: &Installation, term: Duration) -> Result<Lease, ServiceError> {
        lease::ask(self, me, term).await
    }

    async fn release_lease(&self, me: &Installation, fencing: Fencing) -> Result<(), ServiceError> {
        lease::release(self, me, fencing).await
    }

    fn fence(&self, fencing: Option<Fencing>) {
        self.fence.carry(fencing);
    }

    fn fencing_seen(&self) -> Option<Fencing> {
        self.fence.seen()
    }
}
