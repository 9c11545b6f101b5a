//! The invitation to one booking, or its withdrawal, as RFC 5546 wants them: which booking is meant, what its customer
//! is told, and under which sequence. Pure; what was sent before comes in as a value.

use calendar::event::{End, Event, Status, Uid};
use calendar::ics::{self, Calendar, Method, People, Person};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sync::booking::{Booking, BookingStatus};
use sync::busy_set::vendor_zone;
use sync::error::Code;
use sync::invite::{SentInvite, checksum, sequence};
use sync::world::{Vendor, World};

use crate::export::{placed, stamp};
use crate::links::Entry;
use crate::problem::Problem;

/// How many bookings are named where one was not named well enough.
const NAMED: usize = 5;

/// A file that is ready, and what it must be remembered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub text: String,
    pub method: Method,
    pub sequence: u32,
    pub checksum: String,
    pub title: String,
    pub details: String,
    /// Whether the customer is asked: without an address nobody can be.
    pub addressed: bool,
}

impl Invite {
    #[must_use]
    pub fn entry(&self, booking: &Booking) -> Entry<'_> {
        Entry { title: &self.title, details: &self.details, start: booking.start, end: booking.end }
    }
}

/// The booking with this id, or with the only id that begins so.
///
/// # Errors
/// In words, where there is none or more than one.
pub fn find<'a>(world: &'a World, wanted: &str) -> Result<&'a Booking, Problem> {
    let wanted = wanted.trim().to_ascii_lowercase();
    let begins = |booking: &&Booking| booking.id.as_str().to_ascii_lowercase().starts_with(&wanted);
    let found: Vec<&Booking> =
        world.bookings.values().filter(begins).filter(|_| !wanted.is_empty()).collect();
    let exact = found.iter().find(|booking| booking.id.as_str().eq_ignore_ascii_case(&wanted));
    match (exact, found.as_slice()) {
        (Some(booking), _) | (None, [booking]) => Ok(booking),
        (None, []) => Err(Problem::new(Code::InvalidInput, format!("No booking is called \"{wanted}\"."))
            .then("Look the id up on Bookiji, or in the description of the booking's event.")),
        (None, several) => {
            let zone = vendor_zone(world.vendor.as_ref());
            let names: Vec<String> =
                several.iter().take(NAMED).map(|booking| named(booking, &zone)).collect();
            let more = if several.len() > NAMED { " and others" } else { "" };
            Err(Problem::new(
                Code::InvalidInput,
                format!("{} bookings begin with \"{wanted}\": {}{more}.", several.len(), names.join(", ")),
            )
            .then("Write more of the id."))
        }
    }
}

fn named(booking: &Booking, zone: &TimeZone) -> String {
    let start = booking.start.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    format!("{} ({}, {start})", booking.id, booking.service_name.as_deref().unwrap_or("Appointment"))
}

/// Invites to `booking`, or takes the invitation back.
///
/// A customer without an address cannot be asked, and a request without an attendee is none (RFC 5546 §3.2.2): then the
/// file publishes the event for anyone who is handed it.
///
/// # Errors
/// In words, where there is nothing to invite to or nobody to invite.
pub fn compose(
    booking: &Booking,
    vendor: &Vendor,
    cancel: bool,
    last: Option<&SentInvite>,
) -> Result<Invite, Problem> {
    let status = status(booking, cancel)?;
    let span = Interval::new(booking.start, booking.end)
        .ok_or_else(|| Problem::new(Code::CalendarApiError, "The booking has no time to invite to."))?;
    let organizer = Person::new(&vendor.name, &vendor.email).ok_or_else(|| {
        Problem::new(Code::InvalidInput, "An invitation needs an address of yours, and Bookiji has none.")
            .then("Set your e-mail address on Bookiji, then sign in again with `companion login`.")
    })?;
    let customer = booking.customer_email.as_ref();
    let name = booking.customer_name.as_deref().unwrap_or_default();
    let attendee = customer.and_then(|address| Person::new(name, &address.0));
    let addressed = attendee.is_some();
    let method = match (cancel, addressed) {
        (true, _) => Method::Cancel,
        (false, true) => Method::Request,
        (false, false) => Method::Publish,
    };
    let title = format!("{}, {}", booking.service_name.as_deref().unwrap_or("Appointment"), vendor.name);
    // Notes are for her: what she wrote there is not for the customer to read.
    let details = format!("Booking ID: {}", booking.id);
    let people = People { organizer: Some(organizer), attendee };
    let says = says(method, status, span, &title, &details, vendor, &people);
    let sequence = sequence(last, &says, cancel);

    let zone = Zone::iana(&vendor.time_zone);
    let (start, end) = placed(span, zone.as_ref());
    let event = Event {
        summary: title.clone(),
        description: details.clone(),
        status,
        sequence,
        stamp: Some(stamp(&booking.updated_at).unwrap_or(Timestamp::UNIX_EPOCH)),
        ..Event::new(Uid(format!("{}@bookiji.com", booking.id)), start, End::At(end))
    };
    let calendar = Calendar { method: Some(method), events: vec![event], ..Calendar::default() };
    let text = ics::write_for(&calendar, &people, Timestamp::UNIX_EPOCH);
    Ok(Invite { text, method, sequence, checksum: says, title, details, addressed })
}

fn status(booking: &Booking, cancel: bool) -> Result<Status, Problem> {
    match &booking.status {
        _ if cancel => Ok(Status::Cancelled),
        BookingStatus::Pending => Ok(Status::Tentative),
        BookingStatus::Confirmed | BookingStatus::Completed => Ok(Status::Confirmed),
        BookingStatus::Cancelled | BookingStatus::NoShow => Err(Problem::new(
            Code::InvalidInput,
            format!("The booking {} does not stand any more ({}).", booking.id, booking.status.as_str()),
        )
        .then("Take its invitation back with `companion invite BOOKING --cancel`.")),
        BookingStatus::Other(word) => Err(Problem::new(
            Code::InvalidInput,
            format!("Bookiji calls the booking {} \"{word}\", which this version does not know.", booking.id),
        )
        .then("Update the app, then try again.")),
    }
}

/// Everything that makes it another invitation when it changes.
fn says(
    method: Method,
    status: Status,
    span: Interval,
    title: &str,
    details: &str,
    vendor: &Vendor,
    people: &People,
) -> String {
    let attendee = people.attendee.as_ref();
    checksum(&[
        &format!("{method:?} {status:?} {} {} {}", span.start(), span.end(), vendor.time_zone),
        title,
        details,
        &vendor.name,
        &vendor.email,
        attendee.map_or("", Person::name),
        attendee.map_or("", Person::address),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::booking::MailAddress;

    fn vendor() -> Vendor {
        Vendor {
            id: "ana".into(),
            name: "Studio Ana".into(),
            email: "ana@example.com".into(),
            time_zone: "Europe/Paris".into(),
        }
    }

    fn booking(id: &str, status: BookingStatus) -> Booking {
        Booking {
            id: id.into(),
            vendor: "ana".into(),
            status,
            start: "2026-07-01T08:00:00Z".parse().unwrap(),
            end: "2026-07-01T09:00:00Z".parse().unwrap(),
            service_name: Some("Colour".into()),
            customer_name: Some("Roy, Zoé".into()),
            customer_email: Some(MailAddress("zoe@example.com".into())),
            notes: Some("Talks a lot".into()),
            proposal: sync::proposal::Proposal::NotOffered,
            updated_at: "2026-03-01T08:00:00.123456+00:00".into(),
        }
    }

    fn has(text: &str, lines: &[&str]) {
        let unfolded = text.replace("\r\n ", "");
        for line in lines {
            assert!(unfolded.lines().any(|there| there == *line), "{line} is not in\n{unfolded}");
        }
    }

    #[test]
    fn a_request_has_what_rfc_5546_wants_of_one_and_none_of_her_notes() {
        let invite = compose(&booking("b1", BookingStatus::Confirmed), &vendor(), false, None).unwrap();
        has(
            &invite.text,
            &[
                "METHOD:REQUEST",
                "UID:b1@bookiji.com",
                "DTSTAMP:20260301T080000Z",
                "DTSTART;TZID=Europe/Paris:20260701T100000",
                "DTEND;TZID=Europe/Paris:20260701T110000",
                "TZID:Europe/Paris",
                "SUMMARY:Colour\\, Studio Ana",
                "ORGANIZER;CN=Studio Ana:mailto:ana@example.com",
                "ATTENDEE;CN=\"Roy, Zoé\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:zoe@example.com",
                "STATUS:CONFIRMED",
                "SEQUENCE:0",
            ],
        );
        assert!(!invite.text.contains("Talks"), "{}", invite.text);
        let (read, problems) = ics::read(invite.text.as_bytes()).unwrap();
        assert_eq!((read.method, read.events.len(), problems.len()), (Some(Method::Request), 1, 0));
    }

    #[test]
    fn the_sequence_follows_what_the_invitation_says() {
        let mut booking = booking("b1", BookingStatus::Confirmed);
        let mut last: Option<SentInvite> = None;
        let mut invite = |booking: &Booking, cancel: bool| {
            let made = compose(booking, &vendor(), cancel, last.as_ref()).unwrap();
            last = Some(SentInvite {
                sequence: made.sequence,
                checksum: made.checksum.clone(),
                written_at: Timestamp::UNIX_EPOCH,
            });
            made
        };
        let first = invite(&booking, false);
        assert_eq!(first, invite(&booking, false), "the same again");
        booking.start = "2026-07-01T07:30:00Z".parse().unwrap();
        assert_eq!(invite(&booking, false).sequence, 1);
        let cancel = invite(&booking, true);
        assert_eq!((cancel.sequence, cancel.method), (2, Method::Cancel));
        has(&cancel.text, &["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:2", "UID:b1@bookiji.com"]);
        assert!(cancel.text.contains("ATTENDEE") && !cancel.text.contains("RSVP"), "{}", cancel.text);
        booking.status = BookingStatus::Cancelled;
        assert_eq!(invite(&booking, true), cancel, "however the booking itself stands");
        booking.status = BookingStatus::Confirmed;
        assert_eq!(invite(&booking, false).sequence, 3);
    }

    #[test]
    fn without_an_address_the_event_is_published() {
        for address in [None, Some(MailAddress("none".into()))] {
            let mut booking = booking("b1", BookingStatus::Pending);
            booking.customer_email = address;
            let invite = compose(&booking, &vendor(), false, None).unwrap();
            assert!(!invite.addressed && !invite.text.contains("ATTENDEE"), "{}", invite.text);
            has(&invite.text, &["METHOD:PUBLISH", "STATUS:TENTATIVE"]);
            let cancel = compose(&booking, &vendor(), true, None).unwrap();
            has(&cancel.text, &["METHOD:CANCEL", "SEQUENCE:1"]);
        }
    }

    #[test]
    fn a_booking_that_does_not_stand_is_not_invited_to() {
        for status in [BookingStatus::Cancelled, BookingStatus::NoShow, BookingStatus::Other("x".into())] {
            let refused = compose(&booking("b1", status), &vendor(), false, None).unwrap_err();
            assert!(refused.message.contains("b1"), "{refused}");
        }
        let nobody = Vendor { email: String::new(), ..vendor() };
        let refused = compose(&booking("b1", BookingStatus::Confirmed), &nobody, false, None).unwrap_err();
        assert!(refused.message.contains("address of yours"), "{refused}");
    }

    #[test]
    fn a_booking_is_found_by_the_beginning_of_its_id_where_only_one_begins_so() {
        let bookings = ["b1", "b12", "b2"].map(|id| booking(id, BookingStatus::Confirmed));
        let bookings = bookings.into_iter().map(|booking| (booking.id.clone(), booking)).collect();
        let world = World { vendor: Some(vendor()), bookings, ..World::default() };
        let id = |wanted| find(&world, wanted).map(|booking| booking.id.as_str());
        assert_eq!(id("b1").unwrap(), "b1");
        assert_eq!(id(" B12 ").unwrap(), "b12");
        assert_eq!(id("b2").unwrap(), "b2");
        let several = id("b").unwrap_err();
        assert!(several.message.contains("3 bookings") && several.message.contains("b12"), "{several}");
        assert!(several.message.contains("2026-07-01 10:00"), "{several}");
        for unknown in ["c", "", "b123"] {
            assert!(id(unknown).unwrap_err().message.contains("No booking"), "{unknown}");
        }
    }
}
