//! One week as values: what the platform has, what the calendars show, what the mirror believes, and how a plan's actions
//! change them. Everything the planner promises can be judged here without a service, a database or a clock.

use std::collections::{BTreeMap, BTreeSet};

use calendar::event::{End, When};
use calendar::interval::{Interval, union};
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus, Draft, event_id};
use sync::busy_set::{vendor_zone, window};
use sync::decide::{says, times};
use sync::ids::{BookingId, CalendarId, ConnectionId, ETag, ProposalId, RemoteCalendarId, RemoteId, Service};
use sync::plan::{Plan, found, plan, removed, stored};
use sync::policy::Policy;
use sync::ports::{BusySet, CalendarEntry, RemoteEvent};
use sync::proposal::{Ending, Proposal};
use sync::world::{
    Connection, ConnectionState, LinkedCalendar, Mapping, Operation, PublishedBusy, Role, Vendor, World,
};

use crate::service::event_of;
use crate::world::NOON;

const ACCOUNT: &str = "amelie@example.com";

/// What is true, and what the mirror believes.
#[derive(Clone)]
pub struct Week {
    pub now: Timestamp,
    pub bookings: BTreeMap<BookingId, Booking>,
    pub events: BTreeMap<CalendarId, BTreeMap<RemoteId, RemoteEvent>>,
    pub busy: BTreeMap<CalendarId, BusySet>,
    pub burnt: BTreeSet<RemoteId>,
    /// Ids of events that the planner had written.
    pub ours: BTreeSet<RemoteId>,
    pub believed: World,
    /// What an action did that it must not do.
    pub broken: Vec<String>,
}

/// A version that depends on what is written and not on when.
fn etag(event: &RemoteEvent) -> ETag {
    ETag(format!("{:?} {:?} {}", times(event), event.event.recurrence.rules.len(), event.event.summary))
}

impl Week {
    #[must_use]
    pub fn new() -> Self {
        let now: Timestamp = NOON.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let connection = Connection {
            id: ConnectionId::of(Service::Google, ACCOUNT),
            service: Service::Google,
            account: ACCOUNT.to_owned(),
            state: ConnectionState::Connected,
            created_at: now,
            error: None,
            backoff_until: None,
            error_count: 0,
        };
        let vendor = Vendor {
            id: "vendor-1".into(),
            name: "Amélie".to_owned(),
            email: ACCOUNT.to_owned(),
            time_zone: "America/Toronto".to_owned(),
        };
        let linked = |name: &str, role| {
            let entry = CalendarEntry {
                remote: RemoteCalendarId(name.to_owned()),
                name: name.to_owned(),
                time_zone: None,
                writable: true,
                primary: role == Role::Busy,
                ours: role == Role::Target,
            };
            let made = LinkedCalendar::new(&connection.id, &entry, role, 5, now);
            let calendar = LinkedCalendar { known: true, ..made };
            (calendar.id.clone(), calendar)
        };
        let calendars = BTreeMap::from([linked("personal", Role::Busy), linked("bookings", Role::Target)]);
        let events: BTreeMap<_, _> = calendars.keys().map(|id| (id.clone(), BTreeMap::new())).collect();
        let believed = World {
            vendor: Some(vendor),
            connections: BTreeMap::from([(connection.id.clone(), connection)]),
            calendars,
            events: events.clone(),
            ..World::default()
        };
        Self {
            now,
            bookings: BTreeMap::new(),
            events,
            busy: BTreeMap::new(),
            burnt: BTreeSet::new(),
            ours: BTreeSet::new(),
            believed,
            broken: Vec::new(),
        }
    }

    #[must_use]
    pub fn at(&self, hours: i64) -> Timestamp {
        self.now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(self.now)
    }

    #[must_use]
    pub fn with_role(&self, role: Role) -> CalendarId {
        let found = self.believed.calendars.values().find(|calendar| calendar.role == role);
        found.map_or_else(|| CalendarId(String::new()), |calendar| calendar.id.clone())
    }

    pub fn put(&mut self, calendar: &CalendarId, mut event: RemoteEvent) {
        event.etag = etag(&event);
        self.events.entry(calendar.clone()).or_default().insert(event.id.clone(), event);
    }

    /// She deletes an event: its id is burnt.
    pub fn delete(&mut self, calendar: &CalendarId, id: &RemoteId) {
        if self.events.entry(calendar.clone()).or_default().remove(id).is_some() {
            self.burnt.insert(id.clone());
        }
    }

    /// Events of ours that stand, in a stable order.
    #[must_use]
    pub fn standing_ours(&self) -> Vec<RemoteEvent> {
        let target = self.with_role(Role::Target);
        self.events[&target].values().filter(|event| self.ours.contains(&event.id)).cloned().collect()
    }

    /// Everything of hers, with the calendar it is in.
    #[must_use]
    pub fn hers(&self) -> Vec<(CalendarId, RemoteEvent)> {
        let all = self.events.iter().flat_map(|(id, events)| events.values().map(move |event| (id, event)));
        all.filter(|(_, event)| !self.ours.contains(&event.id))
            .map(|(id, event)| (id.clone(), event.clone()))
            .collect()
    }

    #[must_use]
    pub fn plan(&self) -> Plan {
        plan(&self.believed, self.now, &Policy::default())
    }

    /// Reads both sides. What `sees` does not let through is not read: then nothing is concluded from its absence.
    pub fn read(&mut self, mut sees: impl FnMut() -> bool) -> bool {
        let mut whole = true;
        for (calendar, events) in &self.events {
            let seen: BTreeMap<_, _> =
                events.iter().filter(|_| sees()).map(|(id, event)| (id.clone(), event.clone())).collect();
            let rows = self.believed.events.entry(calendar.clone()).or_default();
            if seen.len() == events.len() {
                *rows = seen;
            } else {
                whole = false;
                rows.extend(seen);
            }
        }
        let seen: BTreeMap<_, _> = self
            .bookings
            .iter()
            .filter(|_| sees())
            .map(|(id, booking)| (id.clone(), booking.clone()))
            .collect();
        if seen.len() == self.bookings.len() {
            self.believed.bookings = seen;
        } else {
            whole = false;
            self.believed.bookings.extend(seen);
        }
        whole
    }

    /// Does what the plan says, in the order that `shuffled` gives it.
    pub fn apply(&mut self, plan: &Plan, shuffled: impl FnOnce(&mut Vec<Operation>)) {
        for note in &plan.notes {
            self.remember(note.clone());
        }
        let mut actions: Vec<Operation> =
            plan.writes.iter().chain(&plan.publish).chain(&plan.answers).cloned().collect();
        shuffled(&mut actions);
        for action in &actions {
            self.act(action);
        }
    }

    fn remember(&mut self, mapping: Mapping) {
        self.believed.mappings.insert((mapping.booking.clone(), mapping.calendar.clone()), mapping);
    }

    fn store(&mut self, calendar: &CalendarId, mapping: Mapping, event: RemoteEvent) {
        self.remember(mapping);
        self.believed.events.entry(calendar.clone()).or_default().insert(event.id.clone(), event);
    }

    fn standing(&self, calendar: &CalendarId, id: &RemoteId) -> Option<RemoteEvent> {
        self.events.get(calendar)?.get(id).cloned()
    }

    fn act(&mut self, action: &Operation) {
        match action {
            Operation::CreateEvent { calendar, draft } => self.create(calendar, draft),
            Operation::UpdateEvent { calendar, event, base, draft, .. } => {
                self.only_ours(event, "written");
                match self.standing(calendar, event) {
                    Some(there) if there.etag == *base => self.update(calendar, draft, there),
                    there => self.look_again(calendar, event, there),
                }
            }
            Operation::RemoveEvent { calendar, booking, event, base, .. } => {
                self.only_ours(event, "removed");
                match self.standing(calendar, event) {
                    Some(there) if there.etag == *base => {
                        self.delete(calendar, event);
                        self.believed.events.entry(calendar.clone()).or_default().remove(event);
                        let key = (booking.clone(), calendar.clone());
                        if let Some(mapping) = self.believed.mappings.get(&key).cloned() {
                            self.remember(removed(&mapping, self.now));
                        }
                    }
                    there => self.look_again(calendar, event, there),
                }
            }
            Operation::PublishBusy { set, .. } => {
                self.busy.insert(set.source.clone(), set.clone());
                let told = PublishedBusy { set: set.clone(), at: self.now };
                self.believed.published.insert(set.source.clone(), told);
            }
            Operation::MoveBooking { booking, to, .. } => {
                if let Some(row) = self.bookings.get_mut(booking) {
                    (row.start, row.end) = (to.start(), to.end());
                    self.believed.bookings.insert(booking.clone(), row.clone());
                }
            }
            Operation::ProposeMove { booking, to, key, .. } => {
                if let Some(row) = self.bookings.get_mut(booking) {
                    row.proposal = Proposal::Waiting { id: ProposalId(key.clone()), to: *to };
                    self.believed.bookings.insert(booking.clone(), row.clone());
                }
            }
            Operation::WithdrawProposal { booking, proposal, .. } => {
                if let Some(row) = self.bookings.get_mut(booking)
                    && let Some((id, to)) = row.proposal.waiting()
                    && id == proposal
                {
                    row.proposal = Proposal::Over { id: id.clone(), to, how: Ending::Withdrawn };
                    self.believed.bookings.insert(booking.clone(), row.clone());
                }
            }
            Operation::CancelBooking { booking, .. } => {
                if let Some(row) = self.bookings.get_mut(booking) {
                    row.status = BookingStatus::Cancelled;
                    self.believed.bookings.insert(booking.clone(), row.clone());
                }
            }
            Operation::MakeSlots { .. }
            | Operation::RemoveSlot { .. }
            | Operation::SwitchSlots { .. }
            | Operation::MakeCalendar { .. }
            | Operation::RemoveCalendar { .. } => {
                self.broken.push("the planner wrote to slots or calendars".to_owned());
            }
        }
    }

    fn only_ours(&mut self, event: &RemoteId, done: &str) {
        if !self.ours.contains(event) {
            self.broken.push(format!("{event} is hers, and is {done}"));
        }
    }

    fn look_again(&mut self, calendar: &CalendarId, id: &RemoteId, there: Option<RemoteEvent>) {
        let rows = self.believed.events.entry(calendar.clone()).or_default();
        match there {
            Some(event) => rows.insert(id.clone(), event),
            None => rows.remove(id),
        };
    }

    /// As the calendar does it: one event under one id, and a deleted id never again.
    fn create(&mut self, calendar: &CalendarId, draft: &Draft) {
        let mut draft = draft.clone();
        while self.burnt.contains(&draft.id) {
            draft.generation += 1;
            let remote = self.believed.calendars[calendar].remote.clone();
            draft.id = event_id(&draft.booking, &remote, draft.generation);
        }
        if let Some(there) = self.standing(calendar, &draft.id) {
            self.store(calendar, found(calendar.clone(), &draft, &there, self.now), there);
            return;
        }
        self.ours.insert(draft.id.clone());
        self.put(calendar, event_of(&draft));
        if let Some(event) = self.standing(calendar, &draft.id) {
            self.store(calendar, stored(calendar.clone(), &draft, &event, self.now), event);
        }
    }

    fn update(&mut self, calendar: &CalendarId, draft: &Draft, mut there: RemoteEvent) {
        there.event.start = When::Utc(draft.start);
        there.event.end = End::At(When::Utc(draft.end));
        if !draft.times_only {
            there.event.summary.clone_from(&draft.title);
            there.event.description.clone_from(&draft.description);
        }
        let id = there.id.clone();
        self.put(calendar, there);
        if let Some(event) = self.standing(calendar, &id) {
            self.store(calendar, stored(calendar.clone(), draft, &event, self.now), event);
        }
    }

    /// The drafts that bookings ask for now, at the generation that stands for them.
    #[must_use]
    pub fn says(&self, booking: &Booking, event: &RemoteEvent) -> bool {
        let remote = &self.believed.calendars[&self.with_role(Role::Target)].remote;
        let draft = Draft::of(booking, Service::Google, remote, 0);
        says(event, &Draft { times_only: true, ..draft })
    }

    /// What these events block inside the window that is published.
    #[must_use]
    pub fn blocked(&self, events: impl Iterator<Item = RemoteEvent>) -> Vec<Interval> {
        let zone = vendor_zone(self.believed.vendor.as_ref());
        let window = window(self.now, &zone, &Policy::default());
        let spans = events.filter_map(|event| times(&event));
        let spans = spans.filter_map(|(start, end)| Interval::new(start, end));
        let clipped = spans
            .filter_map(|span| Interval::new(span.start().max(window.start()), span.end().min(window.end())));
        union(clipped.collect())
    }
}

impl Default for Week {
    fn default() -> Self {
        Self::new()
    }
}
