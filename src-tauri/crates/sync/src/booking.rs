//! A booking as the platform tells it, and the one event it should be in the vendor's calendar.

use calendar::event::Uid;
use data_encoding::{BASE32HEX_NOPAD, HEXLOWER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{BookingId, RemoteCalendarId, RemoteId, Service, VendorId};
use crate::proposal::Proposal;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    Pending,
    Confirmed,
    Completed,
    Cancelled,
    NoShow,
    /// A word that a newer platform may use. Kept, and its event left as it is.
    #[serde(untagged)]
    Other(String),
}

impl BookingStatus {
    /// The platform's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
            Self::Other(word) => word,
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "pending" => Self::Pending,
            "confirmed" => Self::Confirmed,
            "completed" => Self::Completed,
            "cancelled" => Self::Cancelled,
            "no_show" => Self::NoShow,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A customer's address, as the platform tells it. It cannot be formatted, so that none gets into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailAddress(pub String);

impl std::fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailAddress")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    pub id: BookingId,
    pub vendor: VendorId,
    pub status: BookingStatus,
    pub start: Timestamp,
    pub end: Timestamp,
    pub service_name: Option<String>,
    pub customer_name: Option<String>,
    /// Where an invitation goes. It is in no event and in no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_email: Option<MailAddress>,
    pub notes: Option<String>,
    /// Another time that she has asked the customer for. In no event: see [`Draft::checksum`].
    #[serde(default)]
    pub proposal: Proposal,
    /// As the platform wrote it: microseconds matter and are not ours to round.
    pub updated_at: String,
}

/// The event that a booking should be, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub booking: BookingId,
    pub vendor: VendorId,
    /// Chosen by us, so that the same create can never make two events: see [`event_id`].
    pub id: RemoteId,
    pub uid: Uid,
    pub generation: u32,
    pub title: String,
    pub description: String,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Of everything above that a vendor can see: [`Draft::checksum`].
    pub checksum: String,
    /// Only start and end may be written: the vendor has edited the words, and they are hers now.
    pub times_only: bool,
    /// What to remember as written, where she had the event put back to something its booking does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remember: Option<String>,
}

impl Draft {
    /// Platform notes §3.6: the title comes from the service, there are no attendees, and notes are one line of at
    /// most 1,000 characters.
    #[must_use]
    pub fn of(booking: &Booking, service: Service, calendar: &RemoteCalendarId, generation: u32) -> Self {
        let uid = booking_uid(&booking.id, &booking.vendor, service);
        let title = format!("Booking: {}", booking.service_name.as_deref().unwrap_or("Appointment"));
        let mut description = format!("Booking ID: {}", booking.id);
        let notes =
            booking.notes.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        if !notes.is_empty() {
            description.push_str(" | Notes: ");
            description.extend(notes.chars().take(1000));
        }
        let checksum = Self::checksum(&uid, booking.start, booking.end, &title, &description, "");
        Self {
            booking: booking.id.clone(),
            vendor: booking.vendor.clone(),
            id: event_id(&booking.id, calendar, generation),
            uid,
            generation,
            title,
            description,
            start: booking.start,
            end: booking.end,
            checksum,
            times_only: false,
            remember: None,
        }
    }

    /// The platform's outbound checksum (platform notes §3.3): `uid|start|end|title|description|location`.
    #[must_use]
    pub fn checksum(
        uid: &Uid,
        start: Timestamp,
        end: Timestamp,
        title: &str,
        description: &str,
        location: &str,
    ) -> String {
        let text = format!("{}|{}|{}|{title}|{description}|{location}", uid.0, iso_ms(start), iso_ms(end));
        HEXLOWER.encode(&Sha256::digest(text))
    }
}

/// JavaScript's `toISOString`: always milliseconds, always `Z`.
#[must_use]
pub fn iso_ms(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// `bookiji-<24 hex>@bookiji.app` (platform notes §3.6).
#[must_use]
pub fn booking_uid(booking: &BookingId, vendor: &VendorId, service: Service) -> Uid {
    let digest = HEXLOWER.encode(&Sha256::digest(format!("{booking}|{vendor}|{}", service.platform_word())));
    Uid(format!("bookiji-{}@bookiji.app", &digest[..24]))
}

/// A Google event id: 5 to 1,024 characters of base32hex in lower case, the same for the same booking, calendar and
/// generation. A deleted id is burnt for ever, so a new event after a deletion takes the next generation.
#[must_use]
pub fn event_id(booking: &BookingId, calendar: &RemoteCalendarId, generation: u32) -> RemoteId {
    let digest = Sha256::digest(format!("{booking}|{calendar}|{generation}"));
    RemoteId(format!("bookiji{}", BASE32HEX_NOPAD.encode(&digest[..20]).to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_uid_is_the_one_the_platform_would_give() {
        let uid = |service| booking_uid(&"b1".into(), &"p1".into(), service).0;
        assert_eq!(uid(Service::Google), "bookiji-c5c3f956c64f2c4c5c058107@bookiji.app");
        assert_eq!(uid(Service::Outlook), "bookiji-d4622f5c1aea158d33a536b2@bookiji.app");
    }

    #[test]
    fn the_payload_checksum_is_the_one_the_platform_would_give() {
        let sum = Draft::checksum(
            &booking_uid(&"b-1".into(), &"p-1".into(), Service::Google),
            at("2026-01-20T10:00:00Z"),
            at("2026-01-20T11:00:00Z"),
            "Booking: Haircut",
            "Booking ID: b-1 | Notes: Please be on time",
            "123 Main St",
        );
        assert_eq!(sum, "2e05b251f66706ae2c35a0a876027d4fa532f3c9fca5618f3a1c41202b725a7c");
    }

    #[test]
    fn notes_are_one_line_behind_the_id_and_where_there_are_none_nothing_is_said_of_them() {
        let description = |notes: Option<&str>| {
            let booking = Booking {
                id: "b-1".into(),
                vendor: "p-1".into(),
                status: BookingStatus::Confirmed,
                start: at("2026-01-20T10:00:00Z"),
                end: at("2026-01-20T11:00:00Z"),
                service_name: None,
                customer_name: None,
                customer_email: None,
                notes: notes.map(str::to_owned),
                proposal: Proposal::NotOffered,
                updated_at: String::new(),
            };
            Draft::of(&booking, Service::Google, &"c".into(), 0).description
        };
        assert_eq!(description(None), "Booking ID: b-1");
        assert_eq!(description(Some(" \n ")), "Booking ID: b-1");
        assert_eq!(description(Some("ring\n twice ")), "Booking ID: b-1 | Notes: ring twice");
        assert_eq!(
            description(Some(&"x".repeat(1_001))),
            format!("Booking ID: b-1 | Notes: {}", "x".repeat(1_000))
        );
    }

    #[test]
    fn an_address_is_not_written_down_by_whoever_prints_a_booking() {
        assert_eq!(format!("{:?}", MailAddress("nadia@example.com".to_owned())), "MailAddress");
    }

    #[test]
    fn an_event_id_is_one_that_google_accepts() {
        let id = event_id(&"b".into(), &"c".into(), 0);
        assert!(
            id.0.len() >= 5 && id.0.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b)),
            "{id}"
        );
        assert_ne!(id, event_id(&"b".into(), &"c".into(), 1));
    }
}
