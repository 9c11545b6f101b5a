//! Values by hand for the tests beside the code: hours after some moment, a booking at one of them, and its event.

use calendar::event::{End, Event, When};
use calendar::interval::Interval;
use jiff::Timestamp;

use crate::booking::{Booking, BookingStatus, Draft};
use crate::ids::{CalendarId, ConnectionId, ETag, RemoteCalendarId, RemoteId, Service};
use crate::plan::stored;
use crate::ports::{CalendarEntry, Marker, RemoteEvent};
use crate::proposal::Proposal;
use crate::world::{Connection, ConnectionState, LinkedCalendar, Mapping, Role, Vendor, World};

pub fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
}

pub fn span(hour: i64) -> Interval {
    Interval::new(at(hour), at(hour + 1)).unwrap()
}

/// The booking `b`, from `hour` on for an hour.
pub fn booking(hour: i64) -> Booking {
    Booking {
        id: "b".into(),
        vendor: "v".into(),
        status: BookingStatus::Confirmed,
        start: at(hour),
        end: at(hour + 1),
        service_name: Some("Haircut".to_owned()),
        customer_name: Some("Nadia".to_owned()),
        customer_email: None,
        notes: None,
        proposal: Proposal::Possible,
        updated_at: String::new(),
    }
}

/// The calendar that bookings go to.
pub fn linked() -> LinkedCalendar {
    let entry = CalendarEntry {
        remote: RemoteCalendarId::from("remote"),
        name: "Bookings".to_owned(),
        time_zone: None,
        writable: true,
        primary: false,
        ours: true,
    };
    let connection = ConnectionId::of(Service::Google, "amelie@example.com");
    LinkedCalendar::new(&connection, &entry, Role::Target, 5, at(-200))
}

pub fn calendar() -> CalendarId {
    linked().id
}

pub fn draft(hour: i64) -> Draft {
    life(hour, 0)
}

/// The draft of the booking's `generation`.
pub fn life(hour: i64, generation: u32) -> Draft {
    Draft::of(&booking(hour), Service::Google, &linked().remote, generation)
}

/// The event of a draft, as version `etag` of it.
pub fn event(draft: &Draft, etag: &str) -> RemoteEvent {
    let mut event = Event::new(draft.uid.clone(), When::Utc(draft.start), End::At(When::Utc(draft.end)));
    event.summary.clone_from(&draft.title);
    event.description.clone_from(&draft.description);
    let marker = Some(Marker { booking: draft.booking.clone(), generation: draft.generation });
    RemoteEvent { id: draft.id.clone(), etag: ETag::from(etag), event, marker, created_as: None }
}

pub fn moved(event: &RemoteEvent, hour: i64) -> RemoteEvent {
    let mut event = event.clone();
    (event.event.start, event.event.end) = (When::Utc(at(hour)), End::At(When::Utc(at(hour + 1))));
    event
}

pub fn titled(event: &RemoteEvent, title: &str) -> RemoteEvent {
    let mut event = event.clone();
    title.clone_into(&mut event.event.summary);
    event
}

/// The same event under another id, without anything of ours on it.
pub fn copied(event: &RemoteEvent, id: &str) -> RemoteEvent {
    RemoteEvent { id: RemoteId::from(id), marker: None, ..event.clone() }
}

/// The row that says that this event stood for the booking; older than it was last written.
pub fn row(event: &RemoteEvent) -> Mapping {
    Mapping { created_at: at(-100), ..stored(calendar(), &draft(1), event, at(-50)) }
}

/// The calendar for bookings with these events.
pub fn world(events: &[RemoteEvent]) -> World {
    let rows = events.iter().map(|event| (event.id.clone(), event.clone())).collect();
    World {
        calendars: [(calendar(), linked())].into(),
        events: [(calendar(), rows)].into(),
        ..World::default()
    }
}

/// The same, where the mirror knows the booking.
pub fn booked(mut world: World, change: impl FnOnce(&mut Booking)) -> World {
    let mut row = booking(1);
    change(&mut row);
    world.bookings.insert(row.id.clone(), row);
    world
}

/// The same, where the mirror knows that this event stood for the booking.
pub fn mapped(mut world: World, event: &RemoteEvent) -> World {
    world.mappings.insert(("b".into(), calendar()), row(event));
    world
}

/// The same, where she is signed in and the account of the calendar is linked.
pub fn signed_in(mut world: World) -> World {
    let connection = Connection {
        id: linked().connection,
        service: Service::Google,
        account: "amelie@example.com".to_owned(),
        state: ConnectionState::Connected,
        created_at: at(-200),
        error: None,
        backoff_until: None,
        error_count: 0,
    };
    world.connections.insert(connection.id.clone(), connection);
    world.vendor = Some(Vendor {
        id: "v".into(),
        name: "Amélie".to_owned(),
        email: "amelie@example.com".to_owned(),
        time_zone: "America/Toronto".to_owned(),
    });
    world
}
