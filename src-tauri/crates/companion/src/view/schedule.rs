//! Her weeks: which bookings stand, what blocks time and where the two lie over one another. Places events in time
//! through `calendar::busy`, never by itself.

use calendar::busy;
use calendar::event::Event;
use calendar::interval::Interval;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use sync::booking::{Booking, BookingStatus, event_id};
use sync::busy_set::vendor_zone;
use sync::ports::RemoteEvent;
use sync::unblocked;
use sync::world::{LinkedCalendar, MappingState, Role, World};

use crate::import;

/// Whole weeks before and after the current one that the window can turn to.
const WEEKS_BACK: i64 = 2;
const WEEKS_AHEAD: i64 = 8;

/// Bookings and busy time from a Monday to a Monday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct Schedule {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub from: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub to: Timestamp,
    /// Sorted by start.
    pub bookings: Vec<BookingView>,
    /// Sorted by start.
    pub busy: Vec<BusyView>,
    pub clashes: Vec<ClashView>,
    /// Times that can be booked just this once, whatever her calendars say. Sorted by start.
    pub unblocked: Vec<UnblockedView>,
    /// When she works, sorted by start; nothing where Bookiji does not say so.
    pub working: Option<Vec<WorkingView>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct WorkingView {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
}

/// A time that she lets be booked just this once. It is over with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct UnblockedView {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct BookingView {
    pub id: String,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
    pub service: Option<String>,
    pub customer: Option<String>,
    /// She has not confirmed it yet.
    pub pending: bool,
    pub placement: Placement,
}

/// Where a booking's event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Placement {
    /// It is in her calendar.
    Synced,
    /// It will be, or waits for her.
    Pending,
    Error,
    /// Nobody asked for it to be in a calendar.
    Nowhere,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct BusyView {
    pub calendar: String,
    /// For her eyes, on this computer.
    pub title: String,
    pub all_day: bool,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
    /// What it blocks: the same with buffers and travel around it.
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub blocks_from: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub blocks_to: Timestamp,
    /// What takes it back, where she blocked the time herself.
    pub block: Option<String>,
}

/// Minutes that a booking and something else both claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ClashView {
    pub booking: String,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
}

/// The weeks around `now`, in the vendor's zone.
pub(super) fn of(world: &World, now: Timestamp) -> Schedule {
    let zone = vendor_zone(world.vendor.as_ref());
    let Some(window) = window(now, &zone) else {
        return Schedule {
            from: now,
            to: now,
            bookings: Vec::new(),
            busy: Vec::new(),
            clashes: Vec::new(),
            unblocked: Vec::new(),
            working: None,
        };
    };
    let mut bookings: Vec<BookingView> = world
        .bookings
        .values()
        .filter(|booking| stands(&booking.status))
        .filter(|booking| {
            Interval::new(booking.start, booking.end).is_some_and(|span| span.overlaps(&window))
        })
        .map(|booking| booking_view(world, booking))
        .collect();
    bookings.sort_by(|a, b| (a.start, a.end, &a.id).cmp(&(b.start, b.end, &b.id)));

    let mut busy: Vec<BusyView> = world
        .calendars
        .values()
        .filter(|calendar| calendar.role != Role::Off)
        .flat_map(|calendar| busy_of(world, calendar, window, &zone))
        .collect();
    busy.sort_by(|a, b| (a.start, a.end, &a.calendar).cmp(&(b.start, b.end, &b.calendar)));

    let open = unblocked::ahead(world, now);
    Schedule {
        from: window.start(),
        to: window.end(),
        clashes: clashes(&bookings, &busy, &open),
        bookings,
        busy,
        unblocked: open.iter().map(|s| UnblockedView { start: s.start(), end: s.end() }).collect(),
        working: world.hours.as_ref().map(|hours| {
            let spans = hours.within(window, &zone).into_iter();
            spans.map(|span| WorkingView { start: span.start(), end: span.end() }).collect()
        }),
    }
}

/// Monday to Monday, as many weeks as the window can turn to. Nothing at the very ends of time.
fn window(now: Timestamp, zone: &TimeZone) -> Option<Interval> {
    let today = now.to_zoned(zone.clone()).date();
    let back = today.weekday().since(Weekday::Monday);
    let monday = today.checked_sub(back.days()).ok()?;
    let first = monday.checked_sub(WEEKS_BACK.weeks()).ok()?;
    let last = monday.checked_add((WEEKS_AHEAD + 1).weeks()).ok()?;
    let start = first.to_zoned(zone.clone()).ok()?.timestamp();
    let end = last.to_zoned(zone.clone()).ok()?.timestamp();
    Interval::new(start, end)
}

/// Whether a booking with this status still takes up her time. A word that is not known yet does.
fn stands(status: &BookingStatus) -> bool {
    match status {
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => true,
        BookingStatus::Cancelled | BookingStatus::NoShow => false,
    }
}

fn booking_view(world: &World, booking: &Booking) -> BookingView {
    let states = || {
        world.mappings.values().filter(|mapping| mapping.booking == booking.id).map(|mapping| mapping.state)
    };
    let placement = if states().any(|state| state == MappingState::Error) {
        Placement::Error
    } else if states().any(|state| state == MappingState::Pending) {
        Placement::Pending
    } else if states().any(|state| state == MappingState::Synced) {
        Placement::Synced
    } else {
        Placement::Nowhere
    };
    BookingView {
        id: booking.id.to_string(),
        start: booking.start,
        end: booking.end,
        service: booking.service_name.clone(),
        customer: booking.customer_name.clone(),
        pending: booking.status == BookingStatus::Pending,
        placement,
    }
}

pub(super) fn busy_of(
    world: &World,
    calendar: &LinkedCalendar,
    window: Interval,
    zone: &TimeZone,
) -> Vec<BusyView> {
    let events: Vec<Event> = world
        .events
        .get(&calendar.id)
        .into_iter()
        .flat_map(|events| events.values())
        .filter(|event| !is_ours(world, calendar, event))
        .map(|event| event.event.clone())
        .collect();
    busy::place(&events, &calendar.rules, window, zone)
        .occurrences
        .into_iter()
        .filter_map(|occurrence| {
            let blocks = occurrence.blocks?;
            Some(BusyView {
                calendar: calendar.id.to_string(),
                block: import::block_of(calendar, &occurrence.uid),
                title: occurrence.summary,
                all_day: occurrence.all_day,
                start: occurrence.start,
                end: occurrence.end,
                blocks_from: blocks.start(),
                blocks_to: blocks.end(),
            })
        })
        .collect()
}

/// Whether an event stands for a booking: it is drawn as the booking, not as busy time beside it.
fn is_ours(world: &World, calendar: &LinkedCalendar, event: &RemoteEvent) -> bool {
    event.marker.as_ref().is_some_and(|marker| {
        let mapped = world
            .mappings
            .get(&(marker.booking.clone(), calendar.id.clone()))
            .is_some_and(|mapping| mapping.event == event.id);
        mapped || event_id(&marker.booking, &calendar.remote, marker.generation) == *event.key()
    })
}

/// Both lists are sorted by start. What she let be booked is no clash once it is.
fn clashes(bookings: &[BookingView], busy: &[BusyView], unblocked: &[Interval]) -> Vec<ClashView> {
    let mut clashes = Vec::new();
    for booking in bookings {
        let Some(span) = Interval::new(booking.start, booking.end) else { continue };
        let shared = busy
            .iter()
            .take_while(|other| other.start < booking.end)
            .filter_map(|other| Interval::new(other.start, other.end))
            .filter(|other| other.overlaps(&span))
            .filter_map(|other| Interval::new(other.start().max(span.start()), other.end().min(span.end())))
            .collect();
        clashes.extend(calendar::interval::without(shared, unblocked).into_iter().map(|both| ClashView {
            booking: booking.id.clone(),
            start: both.start(),
            end: both.end(),
        }));
    }
    clashes
}
