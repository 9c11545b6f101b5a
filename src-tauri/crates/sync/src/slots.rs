//! What becomes of the free times of imported files: which slots are to be made, which are to be taken back, and what
//! is in the way. Pure. A slot never lies over a booking, over busy time or over another slot that is open.

mod rooms;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::{Occurrence, Placed, Reason, place};
use calendar::event::{Event, Status, Uid};
use calendar::ics::is_period;
use calendar::interval::{Interval, union};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::booking::{Booking, BookingStatus};
use crate::busy_set::{vendor_zone, window};
use crate::ids::{CalendarId, SlotId, VendorId};
use crate::import::{
    self, Conflict, ConflictKind, ImportedSlot, Met, OnConflict, Resolution, SlotKey, SlotState, says_free,
};
use crate::plan::SourceBusy;
use crate::policy::Policy;
use crate::ports::Slot;
use crate::world::{Operation, Role, World};

pub(crate) use rooms::no_room_was_made;
pub use settle::settle;
pub(crate) use settle::{fail, is_remembered, left_over, make, remove, without as without_slot};

/// No digest: whatever lies over it now, it is looked at again.
const AGAIN: &str = "again";

/// No digest: the last look did not find it.
const MISSING: &str = "missing";

/// A longer free time is a season, not an appointment.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// A free time of an imported event that lies ahead, within the horizon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub calendar: CalendarId,
    pub span: Interval,
    /// What earlier free times leave of it. They are her own words twice, and no question.
    pub part: Option<Interval>,
    pub uid: Uid,
    pub summary: String,
}

/// What is to be done about imported free times, and how the mirror is to remember them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotPlan {
    /// Slots of ours that nobody wants any more, with the row that speaks of each.
    pub take_back: Vec<(SlotKey, Slot)>,
    pub decided: Vec<Decided>,
    /// Rows whose time has come, or whose slot is gone.
    pub forgotten: Vec<SlotKey>,
}

/// What is to be done about one free time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The row as it is once everything below is done.
    pub row: ImportedSlot,
    /// Open slots of hers that give way.
    pub remove: Vec<Slot>,
    pub make: Vec<Slot>,
}

impl SlotPlan {
    /// The rows that this plan leads to, if all of it is done.
    #[must_use]
    pub fn applied_to(&self, rows: &BTreeMap<SlotKey, ImportedSlot>) -> BTreeMap<SlotKey, ImportedSlot> {
        let mut rows = rows.clone();
        rows.retain(|key, _| !self.forgotten.contains(key) && self.take_back.iter().all(|(k, _)| k != key));
        rows.extend(self.decided.iter().map(|decided| (decided.row.key(), decided.row.clone())));
        rows
    }
}

/// The same times have the same slot, so that making it again makes no second.
#[must_use]
pub fn slot_id(vendor: &VendorId, calendar: &CalendarId, span: Interval) -> SlotId {
    let (start, end) = (span.start().as_millisecond(), span.end().as_millisecond());
    let digest = Sha256::digest(format!("{vendor}|{calendar}|{start}|{end}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    // A name-based UUID, of the version for hashes of one's own (RFC 9562 §5.8).
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    SlotId(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// The free times of imported events, each span once, the first by UID.
#[must_use]
pub fn wanted(world: &World, now: Timestamp, policy: &Policy) -> Vec<Wanted> {
    let Some(calendar) = import::calendar(world).filter(|calendar| calendar.role != Role::Off) else {
        return Vec::new();
    };
    let rows = || world.events.get(&calendar.id).into_iter().flat_map(BTreeMap::values);
    let counts = |event: &Event| event.status != Status::Cancelled && !is_period(event);
    let free: BTreeSet<&str> = rows()
        .filter(|row| counts(&row.event) && says_free(&row.event))
        .filter(|row| !world.invitations.contains_key(&(calendar.id.clone(), row.id.clone())))
        .map(|row| row.event.uid.0.as_str())
        .collect();
    if free.is_empty() {
        return Vec::new();
    }
    let zone = vendor_zone(world.vendor.as_ref());
    let Some(reach) = Interval::new(now, window(now, &zone, policy).end()) else { return Vec::new() };
    let events: Vec<Event> =
        rows().filter(|row| free.contains(row.event.uid.0.as_str())).map(|row| row.event.clone()).collect();
    let Placed { occurrences, withheld } = place(&events, &calendar.rules, reach, &zone);
    let uncertain: BTreeSet<&Uid> = withheld.iter().map(|withheld| &withheld.uid).collect();
    let mut found: BTreeMap<Interval, &Occurrence> = BTreeMap::new();
    for occurrence in &occurrences {
        let fits = occurrence.reason == Reason::Free
            && !occurrence.all_day
            && occurrence.end.duration_since(occurrence.start) <= LONGEST
            && !uncertain.contains(&occurrence.uid);
        if let Some(span) = Interval::new(occurrence.start, occurrence.end).filter(|_| fits) {
            // They come by start, then UID: the first of each span stays.
            found.entry(span).or_insert(occurrence);
        }
    }
    let mut covered_until = Timestamp::MIN;
    let mut wanted = Vec::with_capacity(found.len());
    for (span, occurrence) in found {
        // They are sorted, so what earlier ones cover of this one is its beginning. One that has begun still covers.
        let part = Interval::new(span.start().max(covered_until), span.end());
        covered_until = covered_until.max(span.end());
        if span.start() > now {
            wanted.push(Wanted {
                calendar: calendar.id.clone(),
                span,
                part,
                uid: occurrence.uid.clone(),
                summary: occurrence.summary.clone(),
            });
        }
    }
    wanted
}

/// Everything of hers that an imported free time may meet, as far as the mirror knows it.
pub struct Taken<'a> {
    bookings: Vec<(Interval, &'a Booking)>,
    busy: Vec<Interval>,
}

impl<'a> Taken<'a> {
    #[must_use]
    pub fn of(world: &'a World, sources: &[SourceBusy], now: Timestamp) -> Self {
        let live = world.bookings.values().filter(|booking| booking.end > now && takes_time(&booking.status));
        let mut bookings: Vec<_> =
            live.filter_map(|booking| Some((Interval::new(booking.start, booking.end)?, booking))).collect();
        bookings.sort_by_key(|(span, _)| *span);
        let sets = sources.iter().filter_map(|source| source.set.as_ref());
        let busy = union(sets.flat_map(|set| set.intervals.iter().copied()).collect());
        Self { bookings, busy }
    }

    fn bookings_over(&self, span: Interval) -> impl Iterator<Item = &(Interval, &'a Booking)> {
        self.bookings.iter().filter(move |(booked, _)| booked.overlaps(&span))
    }

    fn busy_over(&self, span: Interval) -> impl Iterator<Item = Interval> {
        let first = self.busy.partition_point(|busy| busy.end() <= span.start());
        self.busy[first..].iter().copied().take_while(move |busy| busy.start() < span.end())
    }

    /// Whether a booking or busy time lies over `span`.
    pub(crate) fn is_over(&self, span: Interval) -> bool {
        self.bookings_over(span).next().is_some() || self.busy_over(span).next().is_some()
    }

    /// A digest of what lies over `span`.
    fn digest(&self, span: Interval) -> String {
        let booked = self.bookings_over(span).map(|(booked, _)| *booked);
        let text: Vec<String> = booked
            .chain(self.busy_over(span))
            .map(|over| format!("{}-{}", over.start().as_millisecond(), over.end().as_millisecond()))
            .collect();
        if text.is_empty() {
            return String::new();
        }
        HEXLOWER.encode(&Sha256::digest(text.join("|"))[..8])
    }
}

fn takes_time(status: &BookingStatus) -> bool {
    match status {
        BookingStatus::Pending | BookingStatus::Confirmed | BookingStatus::Other(_) => true,
        BookingStatus::Completed | BookingStatus::Cancelled | BookingStatus::NoShow => false,
    }
}

/// Whether the platform must be asked for its slots, because something about imported free times changed here. Where
/// nothing did, a sync costs no request for them.
#[must_use]
pub fn needs_look(
    world: &World,
    taken: &Taken<'_>,
    wanted: &[Wanted],
    now: Timestamp,
    policy: &Policy,
) -> bool {
    let zone = vendor_zone(world.vendor.as_ref());
    let today = window(now, &zone, policy);
    let in_doubt = world.unsettled.iter().any(|(_, operation)| is_about_slots(operation));
    let spans: BTreeSet<(&CalendarId, Interval)> = wanted.iter().map(|w| (&w.calendar, w.span)).collect();
    let is_stale = |row: &ImportedSlot| row.decided_at < today.start() || row.under != taken.digest(row.span);
    let unsettled = |wanted: &Wanted| {
        let Some(row) = world.imported_slots.get(&(wanted.calendar.clone(), wanted.span)) else {
            return true;
        };
        let chosen = choice(world, wanted) != row.choice;
        if row.part != wanted.part {
            return true;
        }
        match row.state {
            SlotState::Made | SlotState::Stands => false,
            SlotState::Left => chosen,
            SlotState::Waiting => chosen || is_stale(row),
            SlotState::Blocked => chosen || row.under != taken.digest(row.span),
        }
    };
    let closed_by_us = |slot: &Slot| world.closed_slots.contains_key(&slot.id);
    let unwanted = |row: &ImportedSlot| {
        !spans.contains(&(&row.calendar, row.span))
            && !row.made.is_empty()
            && row.span.start() > now
            && is_within(world, row, today)
            && (row.state != SlotState::Blocked || is_stale(row) || row.made.iter().any(closed_by_us))
    };
    in_doubt || wanted.iter().any(unsettled) || world.imported_slots.values().any(unwanted)
}

/// Everything that planning may meet: from today to the end of the last free time.
#[must_use]
pub fn reach(world: &World, now: Timestamp, policy: &Policy) -> Interval {
    let window = window(now, &vendor_zone(world.vendor.as_ref()), policy);
    let last = world.imported_slots.values().map(|row| row.span.end()).max().unwrap_or(window.end());
    let end = window.end().checked_add(LONGEST).unwrap_or(Timestamp::MAX).max(last);
    Interval::new(window.start(), end).unwrap_or(window)
}

/// Beyond the horizon nothing is known to be unwanted, unless its calendar is gone.
fn is_within(world: &World, row: &ImportedSlot, window: Interval) -> bool {
    let used = world.calendars.get(&row.calendar).is_some_and(|calendar| calendar.role != Role::Off);
    !used || row.span.start() < window.end()
}

fn is_about_slots(operation: &Operation) -> bool {
    match operation {
        Operation::MakeSlots { .. } | Operation::RemoveSlot { .. } => true,
        Operation::CreateEvent { .. }
        | Operation::UpdateEvent { .. }
        | Operation::RemoveEvent { .. }
        | Operation::MoveBooking { .. }
        | Operation::ProposeMove { .. }
        | Operation::WithdrawProposal { .. }
        | Operation::CancelBooking { .. }
        | Operation::SwitchSlots { .. }
        | Operation::MakeCalendar { .. }
        | Operation::RemoveCalendar { .. }
        | Operation::PublishBusy { .. } => false,
    }
}

fn choice(world: &World, wanted: &Wanted) -> Option<OnConflict> {
    world.choices.get(&(wanted.calendar.clone(), wanted.uid.clone())).copied()
}

/// Rows that need no slots to be looked at: over, or about nothing.
#[must_use]
pub fn passed(world: &World, wanted: &[Wanted], now: Timestamp) -> Vec<SlotKey> {
    let spans: BTreeSet<(&CalendarId, Interval)> = wanted.iter().map(|w| (&w.calendar, w.span)).collect();
    let rows = world.imported_slots.values();
    rows.filter(|row| !spans.contains(&(&row.calendar, row.span)))
        .filter(|row| row.span.start() <= now || row.made.is_empty())
        .map(ImportedSlot::key)
        .collect()
}

/// Decides about every imported free time, against the slots that stand on the platform.
#[must_use]
pub fn plan(
    world: &World,
    taken: &Taken<'_>,
    wanted: &[Wanted],
    standing: &[Slot],
    now: Timestamp,
    policy: &Policy,
) -> SlotPlan {
    let Some(vendor) = world.vendor.as_ref().map(|vendor| &vendor.id) else { return SlotPlan::default() };
    let mut plan = SlotPlan { forgotten: passed(world, wanted, now), ..SlotPlan::default() };
    let mut stands = Standing::of(standing);
    take_back(world, taken, wanted, now, policy, &mut stands, &mut plan);
    let rows = |wanted: &Wanted| world.imported_slots.get(&(wanted.calendar.clone(), wanted.span));
    let mut loose = take_loose(wanted, &rows, &mut stands);
    for wanted in wanted {
        let before = rows(wanted);
        let choice = choice(world, wanted);
        let settled = before.filter(|row| row.part == wanted.part).is_some_and(|row| match row.state {
            SlotState::Made | SlotState::Stands => true,
            SlotState::Left => row.choice == choice,
            SlotState::Waiting | SlotState::Blocked => false,
        });
        if settled {
            continue;
        }
        let mut decided = decide(vendor, wanted, choice, taken, &stands, now);
        // What is about to be made or removed is there, or gone, for the free times that follow.
        for slot in &decided.remove {
            stands.by_span.remove(slot);
        }
        stands.by_span.extend(decided.make.iter().cloned());
        decided.make.retain(|slot| loose.remove(&slot.id).is_none());
        let as_it_was =
            before.is_some_and(|row| ImportedSlot { decided_at: now, ..row.clone() } == decided.row);
        if !as_it_was || before.is_some_and(|row| is_another_day(world, row, now, policy)) {
            plan.decided.push(decided);
        }
    }
    plan.take_back.extend(loose.into_values());
    plan
}

/// Open slots of ours whose free time is cut otherwise now, because another one came or went. They are gone for all
/// decisions; one that is decided to be made again just stays.
fn take_loose<'a>(
    wanted: &[Wanted],
    rows: &dyn Fn(&Wanted) -> Option<&'a ImportedSlot>,
    stands: &mut Standing,
) -> BTreeMap<SlotId, (SlotKey, Slot)> {
    let mut loose = BTreeMap::new();
    for (wanted, row) in wanted.iter().filter_map(|wanted| Some((wanted, rows(wanted)?))) {
        for slot in row.made.iter().filter(|_| row.part != wanted.part) {
            if let Some(there) = stands.with_id(&slot.id, slot.span).filter(|there| there.open).cloned() {
                stands.by_span.remove(&there);
                loose.insert(there.id.clone(), (row.key(), there));
            }
        }
    }
    loose
}

fn is_another_day(world: &World, row: &ImportedSlot, now: Timestamp, policy: &Policy) -> bool {
    row.decided_at < window(now, &vendor_zone(world.vendor.as_ref()), policy).start()
}

/// The platform's slots, by time.
struct Standing {
    by_span: BTreeSet<Slot>,
    longest: SignedDuration,
}

impl Standing {
    fn of(slots: &[Slot]) -> Self {
        let length = |slot: &Slot| slot.span.end().duration_since(slot.span.start());
        let longest = slots.iter().map(length).max().unwrap_or_default().max(LONGEST);
        Self { by_span: slots.iter().cloned().collect(), longest }
    }

    fn over(&self, span: Interval) -> impl Iterator<Item = &Slot> {
        let first = span.start().checked_sub(self.longest).unwrap_or(Timestamp::MIN);
        let from = Interval::new(first, span.start()).unwrap_or(span);
        let from = Slot { span: from, id: SlotId(String::new()), open: false };
        self.by_span
            .range(from..)
            .take_while(move |slot| slot.span.start() < span.end())
            .filter(move |slot| slot.span.overlaps(&span))
    }

    fn with_id(&self, id: &SlotId, span: Interval) -> Option<&Slot> {
        self.over(span).find(|slot| slot.id == *id)
    }
}

/// Slots of ours that nobody wants any more. One that is closed stays for now: booked, it is the customer's, and should
/// she cancel, or the busy time that closed it end, it opens again and is taken back then. So does one that a booking may
/// be on its way to.
fn take_back(
    world: &World,
    taken: &Taken<'_>,
    wanted: &[Wanted],
    now: Timestamp,
    policy: &Policy,
    stands: &mut Standing,
    plan: &mut SlotPlan,
) {
    let zone = vendor_zone(world.vendor.as_ref());
    let today = window(now, &zone, policy);
    let spans: BTreeSet<(&CalendarId, Interval)> = wanted.iter().map(|w| (&w.calendar, w.span)).collect();
    let awaits = |slot: &Slot| world.unsettled.iter().any(|(_, open)| open.moves_to() == Some(slot.span));
    for row in world.imported_slots.values() {
        let key = row.key();
        if spans.contains(&(&row.calendar, row.span))
            || plan.forgotten.contains(&key)
            || !is_within(world, row, today)
        {
            continue;
        }
        let mut left = Vec::new();
        let mut under = taken.digest(row.span);
        for slot in &row.made {
            match stands.with_id(&slot.id, slot.span).cloned() {
                Some(there) if there.open && !awaits(&there) => {
                    stands.by_span.remove(&there);
                    plan.take_back.push((key.clone(), there));
                }
                Some(there) => {
                    // Whatever closed it is not known here, so nothing else would tell when that is gone.
                    if !there.open && under.is_empty() {
                        AGAIN.clone_into(&mut under);
                    }
                    left.push(Slot { open: true, ..there });
                }
                // Nothing but this row would know of it, should it only be out of sight: two looks are believed.
                None if !row.is_of_a_file() && row.under != MISSING => {
                    MISSING.clone_into(&mut under);
                    left.push(slot.clone());
                }
                None => {}
            }
        }
        if !left.is_empty() {
            let row = ImportedSlot {
                state: SlotState::Blocked,
                made: left,
                under,
                conflicts: Vec::new(),
                decided_at: now,
                ..row.clone()
            };
            plan.decided.push(Decided { row, remove: Vec::new(), make: Vec::new() });
        } else if plan.take_back.last().is_none_or(|(last, _)| *last != key) {
            plan.forgotten.push(key);
        }
    }
}

/// Decides about the part of a free time that no other imported one covers.
fn decide(
    vendor: &VendorId,
    wanted: &Wanted,
    choice: Option<OnConflict>,
    taken: &Taken<'_>,
    stands: &Standing,
    now: Timestamp,
) -> Decided {
    let slot = |span: Interval| Slot { id: slot_id(vendor, &wanted.calendar, span), span, open: true };
    // Made for this very time: one that reaches further was made for another, and is in the way as any other is.
    let is_ours = |there: &Slot| {
        wanted.span.start() <= there.span.start()
            && there.span.end() <= wanted.span.end()
            && there.id == slot_id(vendor, &wanted.calendar, there.span)
    };
    let mut decided = Decided {
        row: ImportedSlot {
            calendar: wanted.calendar.clone(),
            span: wanted.span,
            part: wanted.part,
            uid: wanted.uid.clone(),
            summary: wanted.summary.clone(),
            state: SlotState::Left,
            made: Vec::new(),
            choice,
            under: taken.digest(wanted.span),
            conflicts: Vec::new(),
            decided_at: now,
        },
        remove: Vec::new(),
        make: Vec::new(),
    };
    let Some(part) = wanted.part else { return decided };
    let over = || stands.over(part);
    if over().any(|there| there.span == part && there.open && !is_ours(there)) {
        decided.row.state = SlotState::Stands;
        return decided;
    }
    let ours = over().filter(|there| is_ours(there));
    let ours: Vec<Slot> = ours.map(|there| Slot { open: true, ..there.clone() }).collect();
    // An earlier run made it and did not live to say so.
    if ours.iter().any(|ours| ours.span == part) {
        decided.row.state = SlotState::Made;
        decided.row.made = ours;
        return decided;
    }
    let met = meetings(wanted, part, taken, stands, &is_ours);
    let passes = met.iter().any(|meeting| meeting.passes_by_itself);
    let asks = met.iter().any(|meeting| !meeting.passes_by_itself);
    let is_exact = |meeting: &Meeting| meeting.slot.as_ref().is_some_and(|slot| slot.span == part);
    let (resolution, free) = match (choice, asks, passes) {
        (_, false, false) => (Resolution::Kept, vec![part]),
        (Some(OnConflict::Merge), _, _) => {
            (Resolution::Merged, without(part, &union(met.iter().map(|meeting| meeting.span).collect())))
        }
        (Some(OnConflict::Skip), true, _) => (Resolution::Skipped, Vec::new()),
        (_, _, true) => (Resolution::Later, Vec::new()),
        (None, true, false) => (Resolution::Waiting, Vec::new()),
        // She closed exactly this time, and only she can open it: an exactly equal open one was met above.
        (Some(OnConflict::Replace), true, false) if met.iter().any(is_exact) => {
            (Resolution::Kept, Vec::new())
        }
        (Some(OnConflict::Replace), true, false) => (Resolution::Replaced, vec![part]),
    };
    let already = union(ours.iter().map(|ours| ours.span).collect());
    decided.make = free.iter().flat_map(|free| without(*free, &already)).map(slot).collect();
    decided.row.made = ours.into_iter().chain(decided.make.iter().cloned()).collect();
    decided.row.made.sort();
    decided.row.state = match resolution {
        Resolution::Waiting => SlotState::Waiting,
        Resolution::Skipped => SlotState::Left,
        Resolution::Later => SlotState::Blocked,
        Resolution::Merged if passes => SlotState::Blocked,
        Resolution::Kept | Resolution::Merged | Resolution::Replaced if decided.row.made.is_empty() => {
            SlotState::Left
        }
        Resolution::Kept | Resolution::Merged | Resolution::Replaced => SlotState::Made,
    };
    if resolution == Resolution::Replaced {
        decided.remove =
            met.iter().filter_map(|meeting| meeting.slot.clone()).filter(|slot| slot.open).collect();
    }
    decided.row.conflicts =
        met.into_iter().map(|meeting| Conflict { resolution, ..meeting.conflict }).collect();
    decided
}

/// One thing in the way of a free time.
struct Meeting {
    conflict: Conflict,
    /// What it takes up.
    span: Interval,
    slot: Option<Slot>,
    /// Nothing can be made here until it is gone, and nobody needs to decide.
    passes_by_itself: bool,
}

fn meetings(
    wanted: &Wanted,
    part: Interval,
    taken: &Taken<'_>,
    stands: &Standing,
    is_ours: &dyn Fn(&Slot) -> bool,
) -> Vec<Meeting> {
    let conflict =
        |kind: ConflictKind, over: Interval, id: Option<String>, summary: Option<String>| Conflict {
            kind,
            uid: wanted.uid.clone(),
            summary: wanted.summary.clone(),
            start: wanted.span.start(),
            end: wanted.span.end(),
            with: Met { id, summary, start: over.start(), end: over.end() },
            resolution: Resolution::Waiting,
        };
    let mut met: Vec<Meeting> = taken
        .bookings_over(part)
        .map(|(span, booking)| Meeting {
            conflict: conflict(
                ConflictKind::Booking,
                *span,
                Some(booking.id.0.clone()),
                booking.service_name.clone(),
            ),
            span: *span,
            slot: None,
            passes_by_itself: true,
        })
        .collect();
    met.extend(taken.busy_over(part).map(|span| Meeting {
        conflict: conflict(ConflictKind::Busy, span, None, None),
        span,
        slot: None,
        passes_by_itself: true,
    }));
    for there in stands.over(part).filter(|there| !is_ours(there)) {
        // The slot of a booking is told as the booking.
        if !there.open && taken.bookings_over(there.span).next().is_some() {
            let told = taken.bookings_over(part).next().is_some();
            let booking = taken.bookings_over(there.span).next();
            if let (false, Some((_, booking))) = (told, booking) {
                met.push(Meeting {
                    conflict: conflict(
                        ConflictKind::Booking,
                        there.span,
                        Some(booking.id.0.clone()),
                        booking.service_name.clone(),
                    ),
                    span: there.span,
                    slot: None,
                    passes_by_itself: true,
                });
            }
            continue;
        }
        let kind = if there.open { ConflictKind::Slot } else { ConflictKind::Closed };
        met.push(Meeting {
            conflict: conflict(kind, there.span, Some(there.id.0.clone()), None),
            span: there.span,
            slot: Some(there.clone()),
            // Busy time closed it, and opens it again when it is over: an open slot over it would be in the way.
            passes_by_itself: !there.open && taken.busy_over(there.span).next().is_some(),
        });
    }
    met
}

/// Imported busy time that lies over bookings: both stay, and she is told.
#[must_use]
pub fn over_bookings(
    world: &World,
    taken: &Taken<'_>,
    uids: &BTreeSet<Uid>,
    now: Timestamp,
    policy: &Policy,
) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for occurrence in blocking(world, uids, now, policy) {
        let Some(blocks) = occurrence.blocks else { continue };
        conflicts.extend(taken.bookings_over(blocks).map(|(span, booking)| Conflict {
            kind: ConflictKind::Booking,
            uid: occurrence.uid.clone(),
            summary: occurrence.summary.clone(),
            start: occurrence.start,
            end: occurrence.end,
            with: Met {
                id: Some(booking.id.0.clone()),
                summary: booking.service_name.clone(),
                start: span.start(),
                end: span.end(),
            },
            resolution: Resolution::Kept,
        }));
    }
    conflicts
}

/// What imported events block from now to the horizon.
#[must_use]
pub fn blocking(world: &World, uids: &BTreeSet<Uid>, now: Timestamp, policy: &Policy) -> Vec<Occurrence> {
    let Some(calendar) = import::calendar(world).filter(|calendar| calendar.role != Role::Off) else {
        return Vec::new();
    };
    let zone = vendor_zone(world.vendor.as_ref());
    let Some(reach) = Interval::new(now, window(now, &zone, policy).end()) else { return Vec::new() };
    let rows = world.events.get(&calendar.id).into_iter().flat_map(BTreeMap::values);
    let events: Vec<Event> =
        rows.filter(|row| uids.contains(&row.event.uid)).map(|row| row.event.clone()).collect();
    let mut occurrences = place(&events, &calendar.rules, reach, &zone).occurrences;
    occurrences.retain(|occurrence| occurrence.blocks.is_some());
    occurrences
}

/// What is left of `span` once `taken`, which is sorted and merged, is cut out of it.
fn without(span: Interval, taken: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    let mut from = span.start();
    for cut in taken.iter().filter(|cut| cut.overlaps(&span)) {
        left.extend(Interval::new(from, cut.start()));
        from = from.max(cut.end());
    }
    left.extend(Interval::new(from, span.end()));
    left
}

#[cfg(test)]
mod tests;
