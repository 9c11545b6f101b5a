//! Turns what is known into a sorted list of actions, and cards for what only the vendor may decide. Pure: the same
//! world at the same time gives the same plan, and the plan of a settled world is empty.

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::Withheld;
use calendar::event::Event;
use calendar::interval::Interval;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::booking::{Booking, Draft};
use crate::busy_set::{busy_set, vendor_zone, window};
use crate::decide::{
    Question, Seen, Verdict, Wish, asked, decide, fingerprint, fingerprint_of_draft, is_held, seen, stands,
    wish, written,
};
use crate::ids::{BookingId, CalendarId, RemoteId, Service};
use crate::policy::Policy;
use crate::ports::{BusySet, RemoteEvent};
use crate::provenance::{Identities, Provenance};
use crate::world::{LinkedCalendar, Mapping, MappingState, Operation, PublishedBusy, Role, World};

/// What is to be done, in the order it is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Writes to the vendor's calendar, by booking.
    pub writes: Vec<Operation>,
    /// Rows of the mirror that are out of date although nothing is to be written.
    pub notes: Vec<Mapping>,
    /// Busy sets whose checksum differs from what the platform has.
    pub publish: Vec<Operation>,
    pub cards: Vec<Card>,
    /// Bookings whose event is as it should be.
    pub unchanged: usize,
    /// Every busy source, whether or not it is to be published.
    pub sources: Vec<SourceBusy>,
}

impl Plan {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.notes.is_empty() && self.publish.is_empty()
    }
}

/// One question for the vendor. Until she answers, nothing changes and both times stay blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub question: Question,
    pub booking: BookingId,
    pub calendar: CalendarId,
    pub booked: Option<(Timestamp, Timestamp)>,
    /// Where she put the event, if it still stands.
    pub found: Option<(Timestamp, Timestamp)>,
}

impl Card {
    /// The same question about the same booking in the same place is the same card.
    #[must_use]
    pub fn id(&self) -> String {
        let found = self.found.map_or_else(String::new, |(start, _)| format!("-{}", start.as_second()));
        format!("{}-{}{found}", self.question.as_str(), self.booking)
    }
}

impl Question {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::MovedBoth => "moved_both",
            Self::MovedCancelled => "moved_cancelled",
        }
    }
}

/// What one calendar blocks, and whether that may be told to the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceBusy {
    pub calendar: CalendarId,
    /// Nothing while the calendar was never read in full: unread is not empty.
    pub set: Option<BusySet>,
    pub withheld: Vec<Withheld>,
}

/// Plans both flows.
#[must_use]
pub fn plan(world: &World, now: Timestamp, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    let identities: BTreeMap<&CalendarId, Identities> =
        world.calendars.iter().map(|(id, calendar)| (id, Identities::of(world, calendar))).collect();
    let mut elsewhere = BTreeSet::new();
    for calendar in world.calendars.values().filter(|calendar| calendar.role == Role::Target) {
        plan_bookings(world, calendar, &identities[&calendar.id], now, &mut plan, &mut elsewhere);
    }
    plan_busy(world, &identities, now, policy, &elsewhere, &mut plan);
    plan
}

fn plan_bookings(
    world: &World,
    calendar: &LinkedCalendar,
    identities: &Identities,
    now: Timestamp,
    plan: &mut Plan,
    elsewhere: &mut BTreeSet<(CalendarId, RemoteId)>,
) {
    let Some(service) = world.connections.get(&calendar.connection).map(|connection| connection.service)
    else {
        return;
    };
    let nothing = BTreeMap::new();
    let events = world.events.get(&calendar.id).unwrap_or(&nothing);
    let mut bookings: BTreeSet<&BookingId> = world.bookings.keys().collect();
    bookings.extend(world.mappings.keys().filter(|(_, c)| *c == calendar.id).map(|(booking, _)| booking));

    for id in bookings {
        let booking = world.bookings.get(id);
        let mapping = world.mappings.get(&(id.clone(), calendar.id.clone()));
        let wish = wish(booking, now);
        let Some(mapping) = mapping.filter(|mapping| stands(mapping)) else {
            plan.notes.extend(mapping.filter(|mapping| hold_ends(mapping, wish)).map(|m| removed(m, now)));
            let (Wish::Event, Some(booking)) = (wish, booking) else { continue };
            let draft = Draft::of(booking, service, &calendar.remote, next_generation(mapping));
            if mapping.is_some_and(|mapping| is_held(mapping, wish, Some(&draft))) {
                continue;
            }
            plan.first_event(calendar, draft, mapping, events, identities, now);
            continue;
        };
        let event = events.get(&mapping.event);
        let draft = booking.map(|booking| Draft::of(booking, service, &calendar.remote, mapping.generation));
        let intended = intended_drafts(world, &calendar.id, id);
        let what = seen(event, mapping, &intended);
        let ask = draft.as_ref().map_or(crate::decide::Asked::Same, |draft| asked(mapping, draft));
        let live = booking.filter(|booking| still_stands(booking));
        if what == Seen::Moved && live.is_some() {
            elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
        }
        if matches!(what, Seen::Same | Seen::Reworded) && is_held(mapping, wish, draft.as_ref()) {
            // She had it put back to where it stands: it takes that time as an event of hers would.
            if event.and_then(crate::decide::times) != live.map(|booking| (booking.start, booking.end)) {
                elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
            }
            continue;
        }
        match (decide(wish, ask, what), draft, event) {
            (Verdict::Nothing, _, _) => plan.unchanged += usize::from(wish == Wish::Event),
            (Verdict::Update | Verdict::UpdateTimes, Some(draft), Some(event))
                if crate::decide::says(event, &draft) =>
            {
                plan.notes.push(adopted(mapping, event, &draft, now));
            }
            (verdict @ (Verdict::Update | Verdict::UpdateTimes), Some(mut draft), Some(event)) => {
                draft.times_only = verdict == Verdict::UpdateTimes;
                plan.writes.push(Operation::UpdateEvent {
                    calendar: calendar.id.clone(),
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    draft,
                    before: Box::new(event.clone()),
                });
            }
            (Verdict::Remove, _, Some(event)) => plan.writes.push(Operation::RemoveEvent {
                calendar: calendar.id.clone(),
                booking: id.clone(),
                event: event.id.clone(),
                base: event.etag.clone(),
                before: Box::new(event.clone()),
                remember: None,
            }),
            (Verdict::Ask(question), _, event) => plan.cards.push(Card {
                question,
                booking: id.clone(),
                calendar: calendar.id.clone(),
                booked: booking.map(|booking| (booking.start, booking.end)),
                found: event.and_then(crate::decide::times),
            }),
            (Verdict::Forget, _, _) => plan.notes.push(removed(mapping, now)),
            (Verdict::Update | Verdict::UpdateTimes | Verdict::Remove, _, _) => {}
        }
    }
}

impl Plan {
    /// A booking without a standing event: adopt the one that proves to be ours, else create it.
    fn first_event(
        &mut self,
        calendar: &LinkedCalendar,
        draft: Draft,
        mapping: Option<&Mapping>,
        events: &BTreeMap<RemoteId, RemoteEvent>,
        identities: &Identities,
        now: Timestamp,
    ) {
        let ours = events
            .get(&draft.id)
            .filter(|event| identities.provenance(event) == Provenance::Ours(draft.booking.clone()));
        match ours {
            Some(event) => self.notes.push(Mapping {
                created_at: mapping.map_or(now, |mapping| mapping.created_at),
                ..found(calendar.id.clone(), &draft, event, now)
            }),
            None => self.writes.push(Operation::CreateEvent { calendar: calendar.id.clone(), draft }),
        }
    }
}

/// An event that she took out stays out while its booking stands as it did. One that was cancelled since and comes
/// back is another matter.
fn hold_ends(mapping: &Mapping, wish: Wish) -> bool {
    wish == Wish::Nothing && mapping.state == MappingState::Removed && mapping.written.is_some()
}

/// A mapping that we removed leaves a burnt id behind; one whose create failed does not.
#[must_use]
pub fn next_generation(mapping: Option<&Mapping>) -> u32 {
    mapping.map_or(0, |mapping| mapping.generation + u32::from(mapping.state == MappingState::Removed))
}

fn intended_drafts<'a>(world: &'a World, calendar: &CalendarId, booking: &BookingId) -> Vec<&'a Draft> {
    world
        .unsettled
        .iter()
        .filter_map(|(_, operation)| match operation {
            Operation::UpdateEvent { calendar: c, draft, .. }
            | Operation::CreateEvent { calendar: c, draft } => {
                (c == calendar && draft.booking == *booking).then_some(draft)
            }
            Operation::RemoveEvent { .. }
            | Operation::PublishBusy { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. } => None,
        })
        .collect()
}

/// The mapping that follows from an event of ours standing as `event`.
#[must_use]
pub fn stored(calendar: CalendarId, draft: &Draft, event: &RemoteEvent, now: Timestamp) -> Mapping {
    Mapping {
        booking: draft.booking.clone(),
        calendar,
        vendor: draft.vendor.clone(),
        event: event.id.clone(),
        generation: draft.generation,
        state: MappingState::Synced,
        etag: Some(event.etag.clone()),
        written: Some(written(draft)),
        echo: Some(fingerprint(event)),
        error: None,
        last_synced_at: Some(now),
        created_at: now,
        updated_at: now,
    }
}

/// The mapping of an event that proves to be ours although the mirror knew nothing of it.
///
/// What we once wrote there is not known. Where it differs from the booking, we act as if we had written the booking:
/// the difference is then hers, and asked about, never overwritten.
#[must_use]
pub fn found(calendar: CalendarId, draft: &Draft, event: &RemoteEvent, now: Timestamp) -> Mapping {
    let echo =
        if crate::decide::says(event, draft) { fingerprint(event) } else { fingerprint_of_draft(draft) };
    Mapping { echo: Some(echo), ..stored(calendar, draft, event, now) }
}

fn adopted(mapping: &Mapping, event: &RemoteEvent, draft: &Draft, now: Timestamp) -> Mapping {
    Mapping { created_at: mapping.created_at, ..stored(mapping.calendar.clone(), draft, event, now) }
}

/// The mapping of a booking whose event is gone with it. It stays, so that the burnt id is known.
#[must_use]
pub fn removed(mapping: &Mapping, now: Timestamp) -> Mapping {
    Mapping {
        state: MappingState::Removed,
        etag: None,
        written: None,
        echo: None,
        error: None,
        last_synced_at: Some(now),
        updated_at: now,
        ..mapping.clone()
    }
}

fn plan_busy(
    world: &World,
    identities: &BTreeMap<&CalendarId, Identities>,
    now: Timestamp,
    policy: &Policy,
    elsewhere: &BTreeSet<(CalendarId, RemoteId)>,
    plan: &mut Plan,
) {
    let zone = vendor_zone(world.vendor.as_ref());
    let window = window(now, &zone, policy);
    let in_doubt = in_doubt(world);
    for calendar in world.calendars.values().filter(|calendar| calendar.role != Role::Off) {
        let Some(service) = world.connections.get(&calendar.connection).map(|connection| connection.service)
        else {
            continue;
        };
        if !calendar.known {
            plan.sources.push(SourceBusy { calendar: calendar.id.clone(), set: None, withheld: Vec::new() });
            continue;
        }
        let (set, withheld) =
            source_busy(world, calendar, service, &identities[&calendar.id], elsewhere, window, &zone);
        let before = world.published.get(&calendar.id);
        if in_doubt.contains_key(&calendar.id) || needs_publishing(before, &set) {
            let before = before.map(|published| published.set.clone());
            plan.publish.push(Operation::PublishBusy { set: set.clone(), before });
        }
        plan.sources.push(SourceBusy { calendar: calendar.id.clone(), set: Some(set), withheld });
    }
    let told = world.published.iter().map(|(id, published)| (id, &published.set));
    let maybe_told = in_doubt.iter().map(|(id, set)| (*id, *set));
    let unwanted: BTreeMap<&CalendarId, &BusySet> = maybe_told
        .chain(told)
        .filter(|(id, _)| world.calendars.get(*id).is_none_or(|calendar| calendar.role == Role::Off))
        .collect();
    for (id, before) in unwanted {
        let set = BusySet::of(before.service, id.clone(), window, Vec::new());
        plan.publish.push(Operation::PublishBusy { set, before: Some(before.clone()) });
    }
}

/// Sources whose last `PUT` was never confirmed: what the platform has for them is not known until the next one is.
fn in_doubt(world: &World) -> BTreeMap<&CalendarId, &BusySet> {
    world
        .unsettled
        .iter()
        .filter_map(|(_, operation)| match operation {
            Operation::PublishBusy { set, .. } => Some((&set.source, set)),
            Operation::CreateEvent { .. }
            | Operation::UpdateEvent { .. }
            | Operation::RemoveEvent { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. } => None,
        })
        .collect()
}

/// A source that was never published and blocks nothing needs no request.
fn needs_publishing(before: Option<&PublishedBusy>, set: &BusySet) -> bool {
    match before {
        Some(published) => published.set.checksum != set.checksum,
        None => !set.intervals.is_empty(),
    }
}

fn source_busy(
    world: &World,
    calendar: &LinkedCalendar,
    service: Service,
    identities: &Identities,
    elsewhere: &BTreeSet<(CalendarId, RemoteId)>,
    window: Interval,
    zone: &TimeZone,
) -> (BusySet, Vec<Withheld>) {
    let nothing = BTreeMap::new();
    let events: Vec<Event> = world
        .events
        .get(&calendar.id)
        .unwrap_or(&nothing)
        .values()
        .filter(|event| match identities.provenance(event) {
            Provenance::Foreign => true,
            // Where she moved it, it blocks too, until she has decided.
            Provenance::Ours(_) => elsewhere.contains(&(calendar.id.clone(), event.id.clone())),
            Provenance::Indeterminate(_) => false,
        })
        .map(|event| event.event.clone())
        .collect();
    busy_set(service, &calendar.id, &events, &calendar.rules, window, zone)
}

fn still_stands(booking: &Booking) -> bool {
    use crate::booking::BookingStatus::{Cancelled, Completed, Confirmed, NoShow, Other, Pending};
    match booking.status {
        Pending | Confirmed | Other(_) => true,
        Completed | Cancelled | NoShow => false,
    }
}
