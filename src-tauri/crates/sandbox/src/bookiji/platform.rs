//! The salon as the platform holds it, and the rules that tie bookings, slots and busy time together.
//!
//! One rule decides what can be booked: a slot that is available. A booking closes its exact slot and opens it again
//! when it goes; busy time closes free slots and opens only those that it closed. A booked slot is never touched.
//!
//! Every change to a booking opens its exact slot for a moment, as the real database's trigger does. So an open slot
//! that overlaps a booked one keeps that booking from ever being changed, until the open slot is gone.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lease::Leases;
use super::openings::{Openings, Overlap};
use super::problem::Problem;
use super::proposals::Proposal;
use crate::database::OpsEvent;
use crate::names::Names;
use crate::time::postgres;

/// Change hints beyond this are forgotten, oldest first.
const CHANGES_KEPT: usize = 50_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Platform {
    pub services: BTreeMap<String, Service>,
    pub customers: BTreeMap<String, Customer>,
    pub bookings: BTreeMap<String, Booking>,
    /// Hers.
    pub slots: BTreeMap<String, Slot>,
    /// Another vendor's, in the same table: everybody may read them, and she may not write them.
    #[serde(default)]
    pub neighbour: Neighbour,
    /// By source: one calendar of one connection.
    pub busy: BTreeMap<String, BusySource>,
    pub connections: BTreeMap<String, Connection>,
    pub changes: Vec<Change>,
    pub answered: BTreeMap<String, Answered>,
    pub settings: Settings,
    #[serde(default)]
    pub leases: Leases,
    /// It behaves as today's platform does: see [`crate::database`].
    #[serde(default)]
    pub faithful: bool,
    /// The version of the contract that it says it keeps, where that is not the document's; empty for none.
    #[serde(default)]
    pub contract: Option<String>,
    #[serde(default)]
    pub ops: Vec<OpsEvent>,
    /// Counts every change to a booking; cursors come from it.
    pub sequence: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    pub time_zone: String,
    pub business_hours: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    pub id: String,
    pub name: String,
    pub category: String,
    pub price: f64,
    pub duration_minutes: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Customer {
    pub id: String,
    pub full_name: String,
    pub email: String,
    pub phone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Confirmed,
    Completed,
    Cancelled,
    NoShow,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Confirmed, Self::Completed, Self::Cancelled, Self::NoShow]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Booking {
    pub id: String,
    pub customer: String,
    pub service: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub status: Status,
    pub notes: Option<String>,
    pub reason: Option<String>,
    pub vendor_created: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sequence: u64,
    /// Who has paid the fee has one.
    #[serde(default)]
    pub payment: Option<String>,
    #[serde(default)]
    pub confirmed_at: Option<Timestamp>,
    /// The last time that its customer was asked for, as long as it is about where the booking is now.
    #[serde(default)]
    pub proposal: Option<Proposal>,
}

impl Booking {
    /// Whether nobody else can have its time.
    #[must_use]
    pub fn holds_time(&self) -> bool {
        !matches!(self.status, Status::Cancelled | Status::NoShow)
    }

    /// Whether it takes up the vendor's time.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Confirmed)
    }

    pub(super) fn holds(&self, start: Timestamp, end: Timestamp) -> bool {
        self.holds_time() && self.start < end && start < self.end
    }

    /// Whether its customer is asked to come then.
    pub(super) fn is_asked_for(&self, start: Timestamp, end: Timestamp) -> bool {
        self.is_live() && self.proposal.as_ref().is_some_and(|proposal| proposal.holds(start, end))
    }

    /// The time that nobody else can book because of it.
    fn held(&self) -> Option<Interval> {
        Interval::new(self.start, self.end).filter(|_| self.holds(self.start, self.end))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub id: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub is_available: bool,
    /// Closed by busy time, and to be opened again when that is over.
    pub closed_by_busy: bool,
    pub created_at: Timestamp,
    /// No trigger keeps it: only who writes it changes it.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Says nothing about whether it can be booked.
    #[serde(default)]
    pub slot_type: SlotType,
    #[serde(default = "first")]
    pub version: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotType {
    #[default]
    Regular,
    Blocked,
    Maintenance,
}

impl SlotType {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Blocked => "blocked",
            Self::Maintenance => "maintenance",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Regular, Self::Blocked, Self::Maintenance].into_iter().find(|kind| kind.as_str() == word)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Neighbour {
    /// Her profile.
    pub id: String,
    pub slots: BTreeMap<String, Slot>,
}

fn first() -> i64 {
    1
}

impl Slot {
    /// A slot as a vendor usually makes one.
    #[must_use]
    pub fn open(id: String, start: Timestamp, end: Timestamp, created_at: Timestamp) -> Self {
        Self {
            id,
            start,
            end,
            is_available: true,
            closed_by_busy: false,
            created_at,
            updated_at: None,
            slot_type: SlotType::Regular,
            version: first(),
        }
    }

    /// The row, as everybody reads it.
    #[must_use]
    pub fn row(&self, vendor: &str) -> Value {
        json!({"id": self.id, "provider_id": vendor, "start_time": postgres(self.start),
            "end_time": postgres(self.end), "is_available": self.is_available,
            "slot_type": self.slot_type.as_str(), "created_at": postgres(self.created_at),
            "updated_at": postgres(self.updated_at.unwrap_or(self.created_at)), "version": self.version,
            "recurring_rule_id": null})
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BusySource {
    pub provider: String,
    pub window: (Timestamp, Timestamp),
    pub checksum: String,
    pub intervals: Vec<BusyInterval>,
    pub received_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyInterval {
    pub external_id: String,
    pub start: Timestamp,
    pub end: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    pub provider: String,
    pub calendar: String,
    pub email: Option<String>,
    pub frequency_minutes: u64,
    pub last_synced_at: Option<String>,
    pub next_sync_at: Option<String>,
    pub status: Option<String>,
    pub last_error: Value,
    pub error_count: u64,
    pub sync_needed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    pub sequence: u64,
    pub kind: String,
    pub booking: Option<String>,
    pub slot: Option<String>,
    pub at: Timestamp,
}

/// An answer kept for its `Idempotency-Key`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answered {
    pub request: String,
    pub status: u16,
    pub body: Value,
    pub at: Timestamp,
}

impl Platform {
    /// A customer, or the vendor for one, takes a free slot.
    ///
    /// # Errors
    /// When there is no such slot or it is taken.
    pub fn book(
        &mut self,
        names: &mut Names,
        slot: &str,
        asked: &BookingAsk,
        now: Timestamp,
    ) -> Result<Booking, Problem> {
        let slot = self.slots.get(slot).cloned().ok_or_else(|| slot_missing("There is no such slot"))?;
        if slot.start <= now {
            return Err(Problem::unprocessable("Bookings start in the future"));
        }
        let taken =
            |other: &Booking| other.holds(slot.start, slot.end) || other.is_asked_for(slot.start, slot.end);
        if !slot.is_available || self.bookings.values().any(taken) {
            return Err(Problem::new(409, "BOOKING_CONFLICT", "This time is no longer available"));
        }
        let service = asked.service.clone().or_else(|| self.services.keys().next().cloned());
        let service = service.filter(|id| self.services.contains_key(id));
        let customer = asked.customer.clone().or_else(|| self.customers.keys().next().cloned());
        let customer = customer.filter(|id| self.customers.contains_key(id));
        let (Some(service), Some(customer)) = (service, customer) else {
            return Err(Problem::not_found("Service or customer"));
        };
        let booking = Booking {
            id: names.uuid(),
            customer,
            service,
            start: slot.start,
            end: slot.end,
            status: if asked.vendor_created { Status::Pending } else { Status::Confirmed },
            notes: asked.notes.clone(),
            reason: None,
            vendor_created: asked.vendor_created,
            created_at: now,
            updated_at: now,
            sequence: 0,
            payment: None,
            confirmed_at: None,
            proposal: None,
        };
        let id = booking.id.clone();
        self.bookings.insert(id.clone(), booking);
        self.close_slot(&slot.id, now);
        self.changed(&id, "booking_created", now);
        Ok(self.bookings[&id].clone())
    }

    /// # Errors
    /// When there is no such booking or it is over.
    pub fn cancel(&mut self, id: &str, reason: Option<&str>, now: Timestamp) -> Result<Booking, Problem> {
        let booking = self.bookings.get(id).ok_or_else(|| Problem::not_found("Booking"))?;
        match booking.status {
            Status::Cancelled => return Ok(booking.clone()),
            Status::Completed | Status::NoShow => {
                return Err(Problem::new(
                    409,
                    "BOOKING_NOT_ACTIVE",
                    "The booking is over and cannot be cancelled",
                ));
            }
            Status::Pending | Status::Confirmed => {}
        }
        let (start, end) = (booking.start, booking.end);
        self.can_open_exact(start, end)?;
        if let Some(booking) = self.bookings.get_mut(id) {
            booking.status = Status::Cancelled;
            booking.reason = reason.map(str::to_owned);
            booking.proposal = None;
        }
        self.open_exact(start, end, now);
        self.changed(id, "booking_cancelled", now);
        Ok(self.bookings[id].clone())
    }

    /// Moves a booking to a free slot; the booking keeps its id.
    ///
    /// # Errors
    /// When either is missing, over or taken.
    pub fn reschedule(&mut self, id: &str, slot: &str, now: Timestamp) -> Result<Booking, Problem> {
        let booking = self.bookings.get(id).ok_or_else(|| Problem::not_found("Booking"))?;
        if !booking.is_live() {
            return Err(Problem::new(409, "BOOKING_NOT_ACTIVE", "Booking is cancelled"));
        }
        let slot = self
            .slots
            .get(slot)
            .cloned()
            .ok_or_else(|| slot_missing("Target slot not found or new_slot_id missing"))?;
        let (old_start, old_end) = (booking.start, booking.end);
        let taken = self.bookings.values().any(|other| {
            other.id != id && (other.holds(slot.start, slot.end) || other.is_asked_for(slot.start, slot.end))
        });
        if !slot.is_available || taken {
            return Err(Problem::new(409, "BOOKING_CONFLICT", "New slot is not available"));
        }
        if slot.start <= now {
            return Err(Problem::unprocessable("Bookings start in the future"));
        }
        self.can_open_exact(old_start, old_end)?;
        if let Some(booking) = self.bookings.get_mut(id) {
            booking.start = slot.start;
            booking.end = slot.end;
            booking.proposal = None;
        }
        self.open_exact(old_start, old_end, now);
        self.close_slot(&slot.id, now);
        self.changed(id, "booking_rescheduled", now);
        Ok(self.bookings[id].clone())
    }

    /// # Errors
    /// When there is no such booking, or an open slot lies over its own.
    pub fn set_status(&mut self, id: &str, status: Status, now: Timestamp) -> Result<Booking, Problem> {
        self.edit(id, now, |booking| booking.status = status)
    }

    /// # Errors
    /// As [`Platform::set_status`].
    pub fn set_notes(&mut self, id: &str, notes: Option<&str>, now: Timestamp) -> Result<Booking, Problem> {
        self.edit(id, now, |booking| booking.notes = notes.map(str::to_owned))
    }

    fn edit(
        &mut self,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Booking),
    ) -> Result<Booking, Problem> {
        let mut booking = self.bookings.get(id).cloned().ok_or_else(|| Problem::not_found("Booking"))?;
        change(&mut booking);
        booking.proposal = booking.proposal.take().filter(|_| booking.is_live());
        let (start, end, gone) = (booking.start, booking.end, !booking.holds(booking.start, booking.end));
        self.can_open_exact(start, end)?;
        self.bookings.insert(id.to_owned(), booking);
        if gone {
            self.open_exact(start, end, now);
        }
        self.changed(id, "booking_updated", now);
        Ok(self.bookings[id].clone())
    }

    /// Puts a booking into the order of changes, as the trigger on `updated_at` does.
    pub fn changed(&mut self, id: &str, kind: &str, now: Timestamp) {
        self.sequence += 1;
        let sequence = self.sequence;
        if let Some(booking) = self.bookings.get_mut(id) {
            booking.updated_at = now;
            booking.sequence = sequence;
        }
        self.log(kind, Some(id.to_owned()), None, now);
    }

    /// The slot with exactly this start.
    #[must_use]
    pub fn slot_at(&self, start: Timestamp) -> Option<&Slot> {
        self.slots.values().find(|slot| slot.start == start)
    }

    /// Closes and opens what busy time covers and uncovers. Answers with the ids of both.
    ///
    /// A slot that an open one has come to lie over meanwhile stays closed until that one is gone.
    pub fn settle_slots(&mut self, now: Timestamp) -> (Vec<String>, Vec<String>) {
        let busy: Vec<Interval> = calendar::interval::union(
            self.busy
                .values()
                .flat_map(|source| &source.intervals)
                .filter_map(|one| Interval::new(one.start, one.end))
                .collect(),
        );
        let held: Vec<Interval> = calendar::interval::union(
            self.bookings.values().filter_map(Booking::held).filter(|held| held.end() > now).collect(),
        );
        let (mut closed, mut uncovered) = (Vec::new(), Vec::new());
        for slot in self.slots.values_mut().filter(|slot| slot.start > now) {
            let Some(span) = Interval::new(slot.start, slot.end) else { continue };
            let covered = covers(&busy, &span);
            let booked = covers(&held, &span);
            if covered && slot.is_available && !booked {
                slot.is_available = false;
                slot.closed_by_busy = true;
                closed.push(slot.id.clone());
            } else if !covered && slot.closed_by_busy {
                if booked {
                    slot.closed_by_busy = false;
                } else {
                    uncovered.push((span, slot.id.clone()));
                }
            }
        }
        uncovered.sort();
        let mut openings = Openings::of(self.slots.values());
        let mut opened = Vec::new();
        for (span, id) in uncovered {
            let Some(slot) = self.slots.get_mut(&id).filter(|_| openings.overlapping(&span).is_none()) else {
                continue;
            };
            slot.is_available = true;
            slot.closed_by_busy = false;
            openings.add(slot);
            opened.push(id);
        }
        for id in &closed {
            self.log("slot_claimed", None, Some(id.clone()), now);
        }
        for id in &opened {
            self.log("slot_released", None, Some(id.clone()), now);
        }
        (closed, opened)
    }

    fn close_slot(&mut self, id: &str, now: Timestamp) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.is_available = false;
            slot.closed_by_busy = false;
        }
        self.log("slot_claimed", None, Some(id.to_owned()), now);
    }

    /// Whether the constraint on open slots lets the exact slot of a booking be opened.
    fn can_open_exact(&self, start: Timestamp, end: Timestamp) -> Result<(), Problem> {
        let exact = |slot: &&Slot| slot.start == start && slot.end == end;
        let (Some(slot), Some(span)) = (self.slots.values().find(exact), Interval::new(start, end)) else {
            return Ok(());
        };
        let others = Openings::of(self.slots.values().filter(|other| other.id != slot.id));
        match others.overlapping(&span) {
            None => Ok(()),
            Some(_) => Err(Problem::new(409, Overlap::CODE, Overlap::MESSAGE)),
        }
    }

    /// Opens the slot that a booking held, unless busy time lies over it.
    fn open_exact(&mut self, start: Timestamp, end: Timestamp, now: Timestamp) {
        let found = self.slots.values_mut().find(|slot| slot.start == start && slot.end == end);
        let Some(slot) = found else { return };
        slot.is_available = true;
        slot.closed_by_busy = false;
        let id = slot.id.clone();
        self.log("slot_released", None, Some(id), now);
        self.settle_slots(now);
    }

    /// A hint that is about no booking and no slot.
    pub fn note(&mut self, kind: &str, now: Timestamp) {
        self.log(kind, None, None, now);
    }

    fn log(&mut self, kind: &str, booking: Option<String>, slot: Option<String>, at: Timestamp) {
        let sequence = self.changes.last().map_or(0, |change| change.sequence) + 1;
        if self.changes.len() >= CHANGES_KEPT {
            self.changes.drain(..CHANGES_KEPT / 2);
        }
        self.changes.push(Change { sequence, kind: kind.to_owned(), booking, slot, at });
    }

    /// The booking row with its joins, as the vendor reads it.
    #[must_use]
    pub fn row(&self, booking: &Booking, vendor: &str) -> Value {
        let customer = self.customers.get(&booking.customer);
        let service = self.services.get(&booking.service);
        let cancelled = booking.status == Status::Cancelled;
        json!({
            "id": booking.id,
            "customer_id": booking.customer,
            "provider_id": vendor,
            "service_id": booking.service,
            "start_time": postgres(booking.start),
            "end_time": postgres(booking.end),
            "status": booking.status.as_str(),
            "total_amount": service.map_or(0.0, |service| service.price),
            "notes": booking.notes,
            "cancellation_reason": booking.reason,
            "created_at": postgres(booking.created_at),
            "updated_at": postgres(booking.updated_at),
            "quote_id": null,
            "state": "quoted",
            "stripe_payment_intent_id": booking.payment,
            "idempotency_key": null,
            "confirmed_at": booking.confirmed_at.map(postgres),
            "cancelled_at": if cancelled { json!(postgres(booking.updated_at)) } else { Value::Null },
            "cancelled_reason": booking.reason,
            "refunded_at": null,
            "receipt_url": null,
            "price_cents": null,
            "hold_expires_at": null,
            "vendor_created": booking.vendor_created,
            "vendor_created_by": if booking.vendor_created { json!(vendor) } else { Value::Null },
            "customers": customer.map(|c| json!({"full_name": c.full_name, "email": c.email, "phone": c.phone})),
            "services": service.map(|s| json!({"name": s.name, "duration_minutes": s.duration_minutes})),
        })
    }
}

/// Whether one of these, sorted and apart, overlaps it.
fn covers(sorted: &[Interval], span: &Interval) -> bool {
    sorted[sorted.partition_point(|one| one.end() <= span.start())..]
        .first()
        .is_some_and(|one| one.overlaps(span))
}

/// What a new booking says besides its slot.
#[derive(Clone, Debug, Default)]
pub struct BookingAsk {
    pub service: Option<String>,
    pub customer: Option<String>,
    pub notes: Option<String>,
    pub vendor_created: bool,
}

fn slot_missing(message: &str) -> Problem {
    Problem::new(404, "SLOT_NOT_FOUND", message)
}
