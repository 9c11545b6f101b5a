//! What we write on events and calendars of ours: extended properties that calendar apps do not show.

use sync::booking::Draft;
use sync::ids::{BookingId, VendorId};
use sync::ports::Marker;

use super::wire;

/// On an event: its booking and which life of it. Braces and single spaces are part of the id.
pub(super) const BOOKING: &str = "String {6f1dc46e-9d6b-4f0e-a8a5-3d0c7a5b2e91} Name BookijiBooking";
/// On a calendar: whose bookings it is for.
pub(super) const VENDOR: &str = "String {6f1dc46e-9d6b-4f0e-a8a5-3d0c7a5b2e91} Name BookijiVendor";

pub(super) fn text(draft: &Draft) -> String {
    format!("{}/{}", draft.booking, draft.generation)
}

pub(super) fn on(event: &wire::Event) -> Option<Marker> {
    let (booking, generation) = property(&event.properties, BOOKING)?.rsplit_once('/')?;
    Some(Marker { booking: BookingId(booking.to_owned()), generation: generation.parse().ok()? })
}

pub(super) fn is_of(properties: &[(String, String)], vendor: &VendorId) -> bool {
    property(properties, VENDOR).is_some_and(|value| value == vendor.as_str())
}

/// Services differ in the case of the GUID.
fn property<'a>(properties: &'a [(String, String)], id: &str) -> Option<&'a str> {
    properties.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, value)| value.as_str())
}

/// `$expand` for one property: nothing else makes Graph tell it.
pub(super) fn expand(id: &str) -> String {
    format!("singleValueExtendedProperties($filter=id eq '{id}')")
}

/// `$filter` for what carries the property with this value.
pub(super) fn carries(id: &str, value: &str) -> String {
    let value = value.replace('\'', "''");
    format!("singleValueExtendedProperties/Any(ep: ep/id eq '{id}' and ep/value eq '{value}')")
}
