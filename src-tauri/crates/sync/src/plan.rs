//! Turns what is known into a sorted list of actions, and cards for what only the vendor may decide. Pure: the same
//! world at the same time gives the same plan, and the plan of a settled world is empty.

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::Withheld;
use calendar::event::Event;
use calendar::interval::Interval;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::booking::{Booking, Draft, event_id};
use crate::busy_set::{busy_set, vendor_zone, window};
use crate::decide::{
    Question, Seen, Verdict, Wish, asked, decide, fingerprint, fingerprint_of_draft, is_held, seen, stands,
    times, wish, written,
};
use crate::ids::{BookingId, CalendarId, RemoteCalendarId, RemoteId, Service};
use crate::policy::Policy;
use crate::ports::{BusySet, RemoteEvent};
use crate::provenance::{Identities, Provenance};
use crate::world::{Choice, LinkedCalendar, Mapping, MappingState, Operation, PublishedBusy, Role, World};

/// What is to be done, in the order it is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Writes to the vendor's calendar, by booking.
    pub writes: Vec<Operation>,
    /// Rows of the mirror that are out of date although nothing is to be written.
    pub notes: Vec<Mapping>,
    /// Busy sets whose checksum differs from what the platform has.
    pub publish: Vec<Operation>,
    /// What she decided about bookings, to be carried out on the platform.
    pub answers: Vec<Operation>,
    pub cards: Vec<Card>,
    /// Bookings whose event is as it should be.
    pub unchanged: usize,
    /// Every busy source, whether or not it is to be published.
    pub sources: Vec<SourceBusy>,
}

impl Plan {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.notes.is_empty() && self.publish.is_empty() && self.answers.is_empty()
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
    /// A digest of everything the question is about: once that changes, it is another question.
    pub state: String,
}

impl Card {
    /// The same question about the same booking in the same state is the same card.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.question.as_str(), self.booking, self.state)
    }

    /// What she may decide, the likeliest first.
    #[must_use]
    pub fn choices(&self) -> &'static [Choice] {
        match self.question {
            Question::Moved | Question::MovedBoth if self.found.is_some() => {
                &[Choice::Move, Choice::PutBack, Choice::Leave]
            }
            Question::Moved | Question::MovedBoth => &[Choice::PutBack, Choice::Leave],
            Question::Deleted => &[Choice::Cancel, Choice::PutBack, Choice::Leave],
            Question::MovedCancelled | Question::Held => &[Choice::Remove, Choice::Leave],
        }
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
            Self::Held => "held_deletion",
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
        let removals = plan_bookings(world, calendar, now, &mut plan, &mut elsewhere);
        plan.remove_or_hold(world, calendar, removals, policy, now);
    }
    plan_busy(world, &identities, now, policy, &elsewhere, &mut plan);
    plan
}

fn plan_bookings(
    world: &World,
    calendar: &LinkedCalendar,
    now: Timestamp,
    plan: &mut Plan,
    elsewhere: &mut BTreeSet<(CalendarId, RemoteId)>,
) -> Vec<Removal> {
    let mut removals = Vec::new();
    let Some(service) = world.connections.get(&calendar.connection).map(|connection| connection.service)
    else {
        return removals;
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
            let Some(booking) = booking else { continue };
            let draft = |generation| Draft::of(booking, service, &calendar.remote, generation);
            match (wish, proven(events, booking, &calendar.remote)) {
                // Written by another computer, or before the mirror was lost: known first, then judged like any other.
                (Wish::Event | Wish::Nothing, Some((event, generation))) => {
                    plan.notes.push(Mapping {
                        created_at: mapping.map_or(now, |mapping| mapping.created_at),
                        ..found(calendar.id.clone(), &draft(generation), event, now)
                    });
                }
                (Wish::Event, None)
                    if mapping
                        .is_some_and(|row| is_held(row, wish, Some(&draft(next_generation(mapping))))) => {}
                (Wish::Event, None) => plan.writes.push(Operation::CreateEvent {
                    calendar: calendar.id.clone(),
                    draft: draft(next_generation(mapping)),
                }),
                (Wish::Nothing | Wish::AsItIs, None) | (Wish::AsItIs, Some(_)) => {}
            }
            continue;
        };
        let event = events.get(&mapping.event);
        let draft = booking.map(|booking| Draft::of(booking, service, &calendar.remote, mapping.generation));
        let intended = intended_drafts(world, &calendar.id, id);
        let what = seen(event, mapping, &intended);
        let ask = draft.as_ref().map_or(crate::decide::Asked::Same, |draft| asked(mapping, draft));
        let live = booking.filter(|booking| still_stands(booking));
        let verdict = decide(wish, ask, what);
        if what == Seen::Absent
            && let Some(booking) = booking
            && let Some((event, generation)) = proven(events, booking, &calendar.remote)
        {
            // Another computer, which did not know of it, wrote it anew.
            let draft = Draft::of(booking, service, &calendar.remote, generation);
            let mapping =
                Mapping { created_at: mapping.created_at, ..found(calendar.id.clone(), &draft, event, now) };
            plan.notes.push(mapping);
            continue;
        }
        if what == Seen::Moved
            && let (Some(event), Some(draft)) = (event, &draft)
            && is_where_it_is_booked(event, draft)
        {
            // The booking has come to where she put its event, or another computer moved both: nothing is left to ask.
            let times_only = !crate::decide::says(event, draft);
            plan.notes.push(adopted(mapping, event, &Draft { times_only, ..draft.clone() }, now));
            continue;
        }
        if matches!(what, Seen::Same | Seen::Reworded) && is_held(mapping, wish, draft.as_ref()) {
            // She had it put back to where it stands: it takes that time as an event of hers would.
            if event.and_then(times) != live.map(|booking| (booking.start, booking.end)) {
                elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
            }
            continue;
        }
        let card = if let Verdict::Ask(question) = verdict {
            Some(card(question, id, calendar, booking, mapping, event))
        } else {
            None
        };
        let choice = card.as_ref().and_then(|card| chosen(world, card));
        // Until she has decided, both times are blocked, and where she leaves it so. Otherwise the event's time is not hers
        // any more: the booking must be let in there, or nothing of it stays.
        if what == Seen::Moved && live.is_some() && matches!(choice, None | Some(Choice::Leave)) {
            elsewhere.insert((calendar.id.clone(), mapping.event.clone()));
        }
        if let (Some(card), Some(choice)) = (&card, choice) {
            plan.carry_out(card, choice, &calendar.remote, mapping, draft, event);
            continue;
        }
        match (verdict, draft, event) {
            (Verdict::Nothing, _, _) => {
                plan.unchanged += usize::from(wish == Wish::Event);
                if wish == Wish::Event && mapping.state == MappingState::Pending {
                    // Its removal was held, and the booking is there after all.
                    plan.notes.push(Mapping {
                        state: MappingState::Synced,
                        updated_at: now,
                        ..mapping.clone()
                    });
                }
            }
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
            (Verdict::Remove, _, Some(event)) => removals.push(Removal {
                card: self::card(Question::Held, id, calendar, booking, mapping, Some(event)),
                mapping: mapping.clone(),
                operation: Operation::RemoveEvent {
                    calendar: calendar.id.clone(),
                    booking: id.clone(),
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    before: Box::new(event.clone()),
                    remember: None,
                },
            }),
            (Verdict::Ask(_), _, _) => plan.cards.extend(card),
            (Verdict::Forget, _, _) => plan.notes.push(removed(mapping, now)),
            (Verdict::Update | Verdict::UpdateTimes | Verdict::Remove, _, _) => {}
        }
    }
    removals
}

/// An event whose booking is over or gone, and the question it becomes if there are too many of them.
struct Removal {
    card: Card,
    mapping: Mapping,
    operation: Operation,
}

fn card(
    question: Question,
    booking: &BookingId,
    calendar: &LinkedCalendar,
    row: Option<&Booking>,
    mapping: &Mapping,
    event: Option<&RemoteEvent>,
) -> Card {
    let booked = row.map(|booking| (booking.start, booking.end));
    // With every write of ours it is another question, even if she does the same again.
    let state = json!([booked, event.map(fingerprint), mapping.generation, mapping.etag]);
    Card {
        question,
        booking: booking.clone(),
        calendar: calendar.id.clone(),
        booked,
        found: event.and_then(times),
        state: HEXLOWER.encode(&Sha256::digest(state.to_string())[..6]),
    }
}

/// Her answer to exactly this question.
fn chosen(world: &World, card: &Card) -> Option<Choice> {
    let answer = world.answers.get(&(card.booking.clone(), card.calendar.clone()))?;
    (answer.card == card.id() && card.choices().contains(&answer.choice)).then_some(answer.choice)
}

impl Plan {
    /// Removes what a run may remove by itself. Above that, all of it is held until she has decided about each: what was
    /// held once is not let go because fewer are left.
    fn remove_or_hold(
        &mut self,
        world: &World,
        calendar: &LinkedCalendar,
        removals: Vec<Removal>,
        policy: &Policy,
        now: Timestamp,
    ) {
        let standing =
            world.mappings.values().filter(|row| row.calendar == calendar.id && stands(row)).count();
        let too_many = !policy.deletions.allows(removals.len(), standing);
        for removal in removals {
            let was_held = removal.mapping.state == MappingState::Pending;
            match chosen(world, &removal.card) {
                Some(Choice::Leave) => {}
                None if too_many || was_held => {
                    if !was_held {
                        let state = MappingState::Pending;
                        self.notes.push(Mapping { state, updated_at: now, ..removal.mapping });
                    }
                    self.cards.push(removal.card);
                }
                None | Some(Choice::Remove | Choice::Move | Choice::Cancel | Choice::PutBack) => {
                    self.writes.push(removal.operation);
                }
            }
        }
    }

    /// Turns her answer into what is to be done.
    fn carry_out(
        &mut self,
        card: &Card,
        choice: Choice,
        remote: &RemoteCalendarId,
        mapping: &Mapping,
        draft: Option<Draft>,
        event: Option<&RemoteEvent>,
    ) {
        let calendar = card.calendar.clone();
        let interval = |(start, end)| Interval::new(start, end);
        match (choice, draft, event) {
            (Choice::Move, _, _) => {
                if let Some(to) = card.found.and_then(interval) {
                    self.answers.push(Operation::MoveBooking {
                        calendar,
                        booking: card.booking.clone(),
                        to,
                        key: card.id(),
                        before: card.booked.and_then(interval),
                    });
                }
            }
            (Choice::Cancel, _, _) => self.answers.push(Operation::CancelBooking {
                calendar,
                booking: card.booking.clone(),
                key: card.id(),
            }),
            (Choice::PutBack, Some(draft), Some(event)) => {
                let words = |print: &str| print.split_once('/').map(|(_, words)| words.to_owned());
                let hers = words(&fingerprint(event)) != mapping.echo.as_deref().and_then(words);
                self.writes.push(Operation::UpdateEvent {
                    calendar,
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    draft: Draft { times_only: hers, ..draft },
                    before: Box::new(event.clone()),
                });
            }
            (Choice::PutBack, Some(draft), None) => {
                // The id of an event that she deleted is burnt.
                let generation = mapping.generation + 1;
                let id = event_id(&draft.booking, remote, generation);
                let draft = Draft { id, generation, ..draft };
                self.writes.push(Operation::CreateEvent { calendar, draft });
            }
            (Choice::Remove, _, Some(event)) => self.writes.push(Operation::RemoveEvent {
                remember: None,
                calendar,
                booking: card.booking.clone(),
                event: event.id.clone(),
                base: event.etag.clone(),
                before: Box::new(event.clone()),
            }),
            (Choice::PutBack | Choice::Remove | Choice::Leave, _, _) => {}
        }
    }
}

/// The event that proves to be this booking's: its marker names it, and its id is the one that only we would choose.
fn proven<'a>(
    events: &'a BTreeMap<RemoteId, RemoteEvent>,
    booking: &Booking,
    calendar: &RemoteCalendarId,
) -> Option<(&'a RemoteEvent, u32)> {
    events.values().find_map(|event| {
        let marker = event.marker.as_ref().filter(|marker| marker.booking == booking.id)?;
        let derived = event_id(&booking.id, calendar, marker.generation);
        (event.id == derived).then_some((event, marker.generation))
    })
}

fn is_where_it_is_booked(event: &RemoteEvent, draft: &Draft) -> bool {
    !event.event.repeats() && times(event) == Some((draft.start, draft.end))
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
            | Operation::MoveBooking { .. }
            | Operation::CancelBooking { .. }
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
            | Operation::MoveBooking { .. }
            | Operation::CancelBooking { .. }
            | Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. } => None,
        })
        .collect()
}

/// What was never published from here may have been published before the mirror was lost, or by another computer.
fn needs_publishing(before: Option<&PublishedBusy>, set: &BusySet) -> bool {
    before.is_none_or(|published| published.set.checksum != set.checksum)
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
