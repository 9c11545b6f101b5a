//! One booking, as every calendar service is asked to take it.

use sync::booking::{Booking, BookingStatus, Draft};
use sync::ids::Service;

/// The event of a haircut on 20 January 2026, at ten in UTC.
pub fn draft(id: &str, service: Service, calendar: &str, generation: u32) -> Draft {
    let booking = Booking {
        id: id.into(),
        vendor: "v-1".into(),
        status: BookingStatus::Confirmed,
        start: "2026-01-20T10:00:00Z".parse().unwrap(),
        end: "2026-01-20T11:00:00Z".parse().unwrap(),
        service_name: Some("Haircut".into()),
        customer_name: None,
        customer_email: None,
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    Draft::of(&booking, service, &calendar.into(), generation)
}
