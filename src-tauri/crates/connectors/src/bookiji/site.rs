//! Bookiji, whichever of its two interfaces it has: asked once, remembered, and asked again once a day. Decides only whom
//! to ask.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::Booking;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor, ProposalId, SlotId};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{BusyReceipt, BusySet, Platform, Reading, Slot, SlotMade};

use super::rest::{self, Rest};
use super::version::Strange;
use super::{Bookiji, Hints, refusal, version, wire};
use crate::http::{Method, Peer, Request, StatusCode, now};

/// What is known counts for so long.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The one that its contract describes.
    Contract,
    /// Today's.
    Rest,
}

impl Interface {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Rest => "rest",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Contract, Self::Rest].into_iter().find(|interface| interface.as_str() == word)
    }
}

/// What the platform told when it was asked. Cloning shares it, so that it outlives a run.
#[derive(Clone, Debug, Default)]
pub struct Told {
    interface: Arc<Mutex<Option<(Interface, Timestamp)>>>,
    strange: Strange,
}

impl Told {
    /// As it was remembered.
    #[must_use]
    pub fn before(interface: Interface, asked_at: Timestamp) -> Self {
        let interface = Arc::new(Mutex::new(Some((interface, asked_at))));
        Self { interface, strange: Strange::default() }
    }

    #[must_use]
    pub fn get(&self) -> Option<(Interface, Timestamp)> {
        *self.interface.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, told: Option<(Interface, Timestamp)>) {
        *self.interface.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// Whether it was the one of the contract when that was last asked, and that is no longer ago than a day more than the
/// answer counts.
fn was_lately((interface, asked_at): (Interface, Timestamp), at: Timestamp) -> bool {
    interface == Interface::Contract && at.duration_since(asked_at) < GOOD_FOR * 2
}

/// Today's platform answers any unknown route so, by a page or in JSON.
fn is_unknown(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 501)
}

/// Bookiji with a vendor signed in.
#[derive(Clone)]
pub struct Site {
    pub(super) contract: Bookiji,
    rest: Rest,
    told: Told,
}

impl Site {
    #[must_use]
    pub fn new(contract: Bookiji, rest: Rest, told: Told) -> Self {
        Self { contract: Bookiji { strange: told.strange.clone(), ..contract }, rest, told }
    }

    /// Which interface it has. An answer of yesterday still counts while nobody answers today.
    ///
    /// # Errors
    /// Why nobody could say.
    pub async fn interface(&self) -> Result<Interface, ServiceError> {
        let known = self.told.get();
        if let Some((interface, asked_at)) = known
            && (-GOOD_FOR..GOOD_FOR).contains(&now().duration_since(asked_at))
        {
            return Ok(interface);
        }
        match self.ask().await {
            // A site that is being worked on has no routes either. It is believed to have become an older one only where
            // that stays so for a day.
            Ok((Interface::Rest, at)) if known.is_some_and(|known| was_lately(known, at)) => {
                Ok(Interface::Contract)
            }
            Ok(told) => {
                self.told.set(Some(told));
                tracing::info!(interface = told.0.as_str(), "Bookiji was asked which interface it has");
                Ok(told.0)
            }
            Err(error @ ServiceError::OtherContract { .. }) => Err(error),
            Err(error) => known.map(|(interface, _)| interface).ok_or(error),
        }
    }

    /// An ear for what changes there.
    ///
    /// # Errors
    /// As [`Site::interface`].
    pub async fn hints(&self) -> Result<Hints, ServiceError> {
        Ok(Hints::new(self.contract.clone(), self.rest.clone(), self.interface().await?))
    }

    async fn ask(&self) -> Result<(Interface, Timestamp), ServiceError> {
        let url = self.contract.base.at(&["api", "vendor", "bookings"]);
        let request =
            Request::new(Peer::Bookiji, Method::GET, "/api/vendor/bookings", url).query("limit", "1");
        let answer = self.contract.send(request).await?;
        if is_unknown(answer.status) {
            self.told.strange.believe(&answer);
        }
        version::check(&answer)?;
        let told = match answer.status.as_u16() {
            _ if is_unknown(answer.status) => Interface::Rest,
            // A page is somebody's between here and there.
            _ if answer.status.is_success() => {
                answer.json::<wire::Envelope<wire::Page>>()?;
                Interface::Contract
            }
            // Refused for another reason, it is there all the same; what the reason is, the real call is told.
            400 | 403 | 409 | 422 if answer.value().is_some() => Interface::Contract,
            _ => return Err(refusal::error(&answer)),
        };
        if told == Interface::Contract && !version::is_told(&answer) {
            self.told.strange.heed_health(&self.contract.signed.http, &self.contract.base).await?;
        }
        Ok((told, answer.received_at()))
    }

    async fn platform(&self) -> Result<&dyn Platform, ServiceError> {
        Ok(match self.interface().await? {
            Interface::Contract => &self.contract,
            Interface::Rest => &self.rest,
        })
    }
}

#[async_trait]
impl Platform for Site {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        // The same rows, by either.
        self.contract.slots(window).await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.contract.create_slots(slots).await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.contract.remove_slot(slot).await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let interface = match self.interface().await {
            Ok(interface) => interface,
            Err(error) => return Reading::Failed(error),
        };
        let is_its_own = |cursor: &Cursor| rest::is_ours(cursor) == (interface == Interface::Rest);
        if cursor.is_some_and(|cursor| !is_its_own(cursor)) {
            return Reading::CursorLost;
        }
        let reading = match interface {
            Interface::Contract => self.contract.bookings(cursor).await,
            Interface::Rest => self.rest.bookings(cursor).await,
        };
        if interface == Interface::Rest && matches!(reading, Reading::Failed(ServiceError::NotLinked { .. }))
        {
            // Perhaps it is not today's: the next call asks what there is now.
            self.told.set(None);
        }
        reading
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.platform().await?.move_booking(booking, to, key).await
    }

    async fn propose_move(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.platform().await?.propose_move(booking, to, key).await
    }

    async fn withdraw_proposal(
        &self,
        booking: &BookingId,
        proposal: &ProposalId,
        key: &str,
    ) -> Result<(), ServiceError> {
        self.platform().await?.withdraw_proposal(booking, proposal, key).await
    }

    async fn cancel_booking(&self, booking: &BookingId, reason: &str, key: &str) -> Result<(), ServiceError> {
        self.platform().await?.cancel_booking(booking, reason, key).await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        self.platform().await?.put_busy(set).await
    }

    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        self.platform().await?.closes_slots().await
    }

    /// The same rows, by either: what was closed before the platform did it by itself is opened like this, too.
    async fn switch_slots(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        self.told.strange.check()?;
        self.rest.switch_slots(slots, open).await
    }

    async fn lease(&self, me: &Installation, term: Duration) -> Result<Lease, ServiceError> {
        self.platform().await?.lease(me, term).await
    }

    async fn release_lease(&self, me: &Installation, fencing: Fencing) -> Result<(), ServiceError> {
        self.platform().await?.release_lease(me, fencing).await
    }

    fn fence(&self, fencing: Option<Fencing>) {
        self.contract.fence(fencing);
    }

    fn fencing_seen(&self) -> Option<Fencing> {
        self.contract.fencing_seen()
    }
}
