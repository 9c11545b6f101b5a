//! Another time that the vendor asks a customer for: the platform holds it until they answer.

use axum::extract;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bookings::told;
use super::lease::Door;
use super::platform::{Booking, Platform, Slot};
use super::problem::Problem;
use super::request::{instant, text, write};
use crate::app::App;
use crate::names::Names;
use crate::time::postgres;
use crate::wire::Call;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub state: State,
    pub proposed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    Declined,
    Lapsed,
    Withdrawn,
}

impl Proposal {
    /// Whether nobody else can have this time while the customer is asked for it.
    #[must_use]
    pub fn holds(&self, start: Timestamp, end: Timestamp) -> bool {
        self.state == State::Waiting && self.start < end && start < self.end
    }

    /// As it is told with its booking.
    #[must_use]
    pub fn row(&self) -> Value {
        json!({"id": self.id, "start_time": postgres(self.start), "end_time": postgres(self.end),
            "state": self.state, "proposed_at": postgres(self.proposed_at)})
    }
}

impl Platform {
    /// Asks the customer of a booking to come at another time, in place of what they were asked before.
    ///
    /// # Errors
    /// When there is no such booking, it is over, or the time is over, reversed or taken.
    pub fn propose(
        &mut self,
        names: &mut Names,
        id: &str,
        (start, end): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Booking, Problem> {
        let booking = self.bookings.get(id).ok_or_else(|| Problem::not_found("Booking"))?;
        if !booking.is_live() {
            return Err(not_active());
        }
        if start <= now || end <= start {
            return Err(Problem::unprocessable("A proposal is for a time to come, and ends after it starts"));
        }
        if (start, end) == (booking.start, booking.end) {
            return Err(Problem::unprocessable("The booking is at this time already"));
        }
        self.is_free_for(id, start, end)?;
        let proposal = Proposal { id: names.uuid(), start, end, state: State::Waiting, proposed_at: now };
        self.set_proposal(id, proposal, now)
    }

    /// The vendor takes it back. Taking back what is over changes nothing.
    ///
    /// # Errors
    /// When there is no such proposal, or the customer has accepted it.
    pub fn withdraw(&mut self, id: &str, proposal: &str, now: Timestamp) -> Result<Booking, Problem> {
        let booking = self.bookings.get(id).ok_or_else(|| Problem::not_found("Booking"))?;
        match booking.proposal.clone().filter(|last| last.id == proposal) {
            Some(last) if last.state == State::Waiting => {
                self.set_proposal(id, Proposal { state: State::Withdrawn, ..last }, now)
            }
            Some(_) => Ok(booking.clone()),
            None => Err(Problem::new(409, "PROPOSAL_ANSWERED", "This proposal does not wait any more")),
        }
    }

    /// The customer comes then: the booking goes there, and what stands across that time gives way.
    ///
    /// # Errors
    /// When no proposal waits, or the time is over or taken by now.
    pub fn accept(&mut self, names: &mut Names, id: &str, now: Timestamp) -> Result<Booking, Problem> {
        let Proposal { start, end, .. } = self.waiting(id)?;
        if start <= now {
            return Err(Problem::unprocessable("Bookings start in the future"));
        }
        self.is_free_for(id, start, end)?;
        let exact = |slot: &&Slot| slot.start == start && slot.end == end;
        let slot = match self.slots.values().find(exact) {
            Some(slot) => slot.id.clone(),
            None => {
                self.slots.retain(|_, slot| slot.end <= start || end <= slot.start);
                let slot = Slot::open(names.uuid(), start, end, now);
                let id = slot.id.clone();
                self.slots.insert(id.clone(), slot);
                id
            }
        };
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.is_available = true;
        }
        if let Some(booking) = self.bookings.get_mut(id) {
            booking.proposal = None;
        }
        self.reschedule(id, &slot, now)
    }

    /// The customer does not come then, or did not say in time.
    ///
    /// # Errors
    /// When no proposal waits.
    pub fn turn_down(&mut self, id: &str, state: State, now: Timestamp) -> Result<Booking, Problem> {
        let last = self.waiting(id)?;
        self.set_proposal(id, Proposal { state, ..last }, now)
    }

    fn waiting(&self, id: &str) -> Result<Proposal, Problem> {
        let booking = self.bookings.get(id).ok_or_else(|| Problem::not_found("Booking"))?;
        let waits = booking.proposal.clone().filter(|last| last.state == State::Waiting);
        waits.ok_or_else(|| Problem::not_found("Proposal"))
    }

    /// Whether no other booking is there, and no other customer is asked to come.
    fn is_free_for(&self, id: &str, start: Timestamp, end: Timestamp) -> Result<(), Problem> {
        let mut others = self.bookings.values().filter(|other| other.id != id);
        if others.any(|other| other.holds(start, end) || other.is_asked_for(start, end)) {
            return Err(Problem::new(409, "BOOKING_CONFLICT", "This time is no longer available"));
        }
        Ok(())
    }

    fn set_proposal(&mut self, id: &str, proposal: Proposal, now: Timestamp) -> Result<Booking, Problem> {
        let booking = self.bookings.get_mut(id).ok_or_else(|| Problem::not_found("Booking"))?;
        booking.proposal = Some(proposal);
        self.changed(id, "booking_updated", now);
        Ok(self.bookings[id].clone())
    }
}

fn not_active() -> Problem {
    Problem::new(409, "BOOKING_NOT_ACTIVE", "The booking is over and cannot be moved")
}

pub async fn post(extract::State(app): extract::State<App>, call: Call) -> Response {
    write(&app, &call, |world, body, now| {
        let start = instant(text(body, "start")?, "start")?;
        let end = instant(text(body, "end")?, "end")?;
        world.platform.leases.admit(&call, Door::Website, now)?;
        let booking = world.platform.propose(&mut world.names, call.param("id"), (start, end), now)?;
        Ok(told(world, &booking))
    })
}

pub async fn delete(extract::State(app): extract::State<App>, call: Call) -> Response {
    write(&app, &call, |world, _, now| {
        world.platform.leases.admit(&call, Door::Website, now)?;
        let booking = world.platform.withdraw(call.param("id"), call.param("proposal"), now)?;
        Ok(told(world, &booking))
    })
}
