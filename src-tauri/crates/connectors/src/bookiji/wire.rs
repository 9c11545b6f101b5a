//! The platform's JSON, as far as it is used: PostgREST's rows in an envelope.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sync::booking::{BookingStatus, MailAddress};
use sync::ids::{BookingId, ProposalId, VendorId};
use sync::ports::BusyReceipt;
use sync::proposal::{Ending, Proposal};

#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    pub data: T,
}

#[derive(Deserialize)]
pub(super) struct Page {
    pub bookings: Vec<Value>,
    /// Deleted outright, where the platform remembers that.
    #[serde(default)]
    pub removed: Vec<BookingId>,
    pub next_cursor: Option<String>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Booking {
    id: BookingId,
    provider_id: VendorId,
    status: String,
    start_time: Timestamp,
    end_time: Timestamp,
    #[serde(default)]
    updated_at: String,
    notes: Option<String>,
    customers: Option<Customer>,
    services: Option<Service>,
    /// Missing where the platform takes no proposals, null where there is none.
    #[serde(default, deserialize_with = "whatever_is_told")]
    proposal: Option<Value>,
}

fn whatever_is_told<'de, D: Deserializer<'de>>(told: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(told).map(Some)
}

#[derive(Deserialize)]
struct Asked {
    id: ProposalId,
    start_time: Timestamp,
    end_time: Timestamp,
    state: String,
}

/// What cannot be read, or is in a state that a newer platform may know, is taken for none that may be answered with
/// another: nobody is asked twice because of it.
fn proposal(told: Option<&Value>) -> Proposal {
    let Some(told) = told else { return Proposal::NotOffered };
    if told.is_null() {
        return Proposal::Possible;
    }
    let Ok(Asked { id, start_time, end_time, state }) = Asked::deserialize(told) else {
        return Proposal::NotOffered;
    };
    let Some(to) = Interval::new(start_time, end_time) else { return Proposal::NotOffered };
    match (state.as_str(), Ending::parse(&state)) {
        ("waiting", _) => Proposal::Waiting { id, to },
        (_, Some(how)) => Proposal::Over { id, to, how },
        (_, None) => Proposal::NotOffered,
    }
}

#[derive(Deserialize)]
struct Customer {
    full_name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Service {
    name: Option<String>,
}

impl Booking {
    pub(super) fn into_booking(self) -> sync::booking::Booking {
        let (customer_name, customer_email) =
            self.customers.map_or((None, None), |customer| (customer.full_name, customer.email));
        sync::booking::Booking {
            id: self.id,
            vendor: self.provider_id,
            status: BookingStatus::parse(&self.status),
            start: self.start_time,
            end: self.end_time,
            service_name: self.services.and_then(|service| service.name),
            customer_name,
            customer_email: customer_email.filter(|address| !address.is_empty()).map(MailAddress),
            notes: self.notes,
            proposal: proposal(self.proposal.as_ref()),
            updated_at: self.updated_at,
        }
    }
}

/// A booking of which only the id could be read, under a status that nobody acts on: its event stays as it is, and the
/// bookings beside it go their way.
pub(super) fn unreadable(id: BookingId, value: &Value) -> sync::booking::Booking {
    let at = |name: &str| value[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let (start, end) = at("start_time").zip(at("end_time")).unwrap_or_default();
    sync::booking::Booking {
        id,
        vendor: VendorId(word("provider_id")),
        status: BookingStatus::Other("unreadable".to_owned()),
        start,
        end,
        service_name: None,
        customer_name: None,
        customer_email: None,
        notes: None,
        proposal: Proposal::NotOffered,
        updated_at: word("updated_at"),
    }
}

/// What the platform did. Only informative, so anything may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Receipt {
    slots_closed: Vec<Value>,
    slots_reopened: Vec<Value>,
    conflicts: Vec<Conflict>,
}

#[derive(Deserialize)]
struct Conflict {
    booking_id: BookingId,
}

impl Receipt {
    pub(super) fn into_receipt(self) -> BusyReceipt {
        BusyReceipt {
            slots_closed: self.slots_closed.len(),
            slots_reopened: self.slots_reopened.len(),
            conflicts: self.conflicts.into_iter().map(|conflict| conflict.booking_id).collect(),
        }
    }
}
