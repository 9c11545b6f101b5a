//! An in-memory calendar service and platform: they keep the contract, and break it only where a test says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use calendar::event::{End, Event, Uid, When};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus, Draft};
use sync::decide::times;
use sync::error::ServiceError;
use sync::ids::{
    BookingId, CalendarId, Cursor, ETag, InstallationId, ProposalId, RemoteCalendarId, RemoteId, SlotId,
    VendorId,
};
use sync::lease::{Fencing, Installation, Lease};
use sync::ports::{
    Account, BusyReceipt, BusySet, Calendar, CalendarEntry, Clock, Coverage, EVER, Marker, Platform, Probe,
    Reading, RemoteEvent, Slot, SlotMade,
};
use sync::proposal::{Ending, Proposal};

use crate::world::TestClock;

/// What goes wrong with the next request that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Done, and the answer is lost.
    ReplyLost,
    /// Done, and a gateway that waited for the answer in vain says when to come again: in [`OVERDUE`].
    Overdue,
    /// Not done.
    Unreachable,
    RateLimited,
    SignInExpired,
    CursorLost,
    /// Half of the items, then no more.
    HalfAReading,
    /// Nothing, as if that were all; with a cursor it is lost.
    EmptyList,
    /// The write is refused as wrong.
    Rejected,
    /// The platform has switched syncing off.
    SwitchedOff,
    /// What stands there is out of the service's sight.
    OutOfSight,
    /// Nothing has changed since the cursor, says a copy that lags behind.
    Lagging,
}

/// How long [`Fault::Overdue`] asks to be left alone.
pub const OVERDUE: Duration = Duration::from_secs(5);

impl Fault {
    /// Whether the write was done.
    fn is_done(self) -> bool {
        matches!(self, Self::ReplyLost | Self::Overdue)
    }
}

/// Everything both services hold, behind one lock so that a test sees one moment.
#[derive(Default)]
pub struct State {
    pub calendars: BTreeMap<RemoteCalendarId, FakeCalendar>,
    pub bookings: BTreeMap<BookingId, (u64, Booking)>,
    pub busy: BTreeMap<CalendarId, BusySet>,
    pub slots: BTreeMap<SlotId, Slot>,
    /// Keys of changes of bookings that were done.
    pub done: BTreeSet<String>,
    /// Closed slots that were removed: the bookings over them may be moved under a slot that overlaps them.
    pub given_up: Vec<Interval>,
    /// It leaves it to us to close slots under busy time, as today's platform does.
    pub leaves_slots: bool,
    /// Those that busy time closed, and that open again with it.
    pub closed_by_busy: BTreeSet<SlotId>,
    pub clock: u64,
    /// What the platform's clock says, for leases.
    pub time: Option<TestClock>,
    pub lease: FakeLease,
    /// `(operation, fault)`, taken in order by the first request whose name matches.
    pub faults: VecDeque<(&'static str, Fault)>,
    /// `(requests to let pass, requests to fail, fault)`.
    pub outage: Option<(usize, usize, Fault)>,
    /// What happens on the service's side just before it serves the named request.
    pub before: Vec<(&'static str, Before)>,
    pub requests: Vec<&'static str>,
    pub writes: usize,
    /// What the calendar service makes of every event that is written to it.
    pub rewrites: Option<fn(&mut Event)>,
    /// Every reading that starts from no cursor fails.
    pub refuses_full_readings: bool,
    /// A reading that starts from no cursor shows nothing, and says that this is all.
    pub shows_nothing_in_full: bool,
    /// What no reading that starts from no cursor shows, although it stands.
    pub unlisted: BTreeSet<RemoteId>,
    /// How many creates the calendar service takes in one request; nothing says one.
    pub creates_at_once: usize,
    /// What happens to the next single events of such a request, whatever becomes of the request.
    pub item_faults: VecDeque<Option<Fault>>,
    /// The calendar service gives events ids of its own. It remembers every key that a create came with, and tells it
    /// in readings in place of what was written on the event.
    pub gives_ids: bool,
}

/// As the platform keeps it: one holder at most, and numbers that only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakeLease {
    /// Today's platform has none.
    pub missing: bool,
    pub fencing: u64,
    pub holder: Option<(Installation, Timestamp)>,
    pub asked: BTreeSet<InstallationId>,
    /// Writes that were refused because another computer's turn had come.
    pub fenced: usize,
}

impl State {
    fn now(&self) -> Timestamp {
        self.time.as_ref().map_or(Timestamp::UNIX_EPOCH, Clock::now)
    }

    fn holder(&self) -> Option<&Installation> {
        let now = self.now();
        self.lease.holder.as_ref().filter(|(_, until)| now < *until).map(|(holder, _)| holder)
    }

    fn give(&mut self, me: &Installation, term: Duration) -> Lease {
        if self.lease.missing {
            return Lease::NotOffered;
        }
        let now = self.now();
        self.lease.asked.insert(me.id.clone());
        let others = self.lease.asked.len() > 1;
        let holder = self.holder().cloned();
        if let Some(other) = holder.as_ref().filter(|holder| holder.id != me.id) {
            let until = self.lease.holder.as_ref().map_or(now, |(_, until)| *until);
            return Lease::HeldByOther {
                name: other.name.clone(),
                fencing: Fencing(self.lease.fencing),
                ends_in: until.duration_since(now).try_into().unwrap_or_default(),
            };
        }
        if holder.is_none() {
            self.lease.fencing += 1;
        }
        let until = now.saturating_add(SignedDuration::try_from(term).expect("a term")).expect("a time");
        self.lease.holder = Some((me.clone(), until));
        Lease::Held { fencing: Fencing(self.lease.fencing), lives: term, others }
    }

    /// Refuses a write whose number is not the last.
    fn admit(&mut self, carried: u64) -> Result<(), ServiceError> {
        let may = match carried {
            0 => self.lease.missing || self.holder().is_none(),
            number => number == self.lease.fencing,
        };
        if may {
            return Ok(());
        }
        self.lease.fenced += 1;
        Err(ServiceError::Fenced { service: "fake".to_owned() })
    }
}

/// Something that happens behind the app's back.
pub type Before = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Clone, Debug, Default)]
pub struct FakeCalendar {
    pub entry: Option<CalendarEntry>,
    /// Live or deleted, with the number of the change that made it so.
    pub events: BTreeMap<RemoteId, (u64, Option<RemoteEvent>)>,
    /// Where the service gives the ids: which one a key has led to.
    pub created: BTreeMap<RemoteId, RemoteId>,
}

impl State {
    /// The id of a new event, unless its key has been used.
    fn id_for(&mut self, calendar: &RemoteCalendarId, key: &RemoteId) -> Result<RemoteId, ServiceError> {
        let number = self.clock;
        let there = self.calendars.entry(calendar.clone()).or_default();
        if there.events.contains_key(key) || there.created.contains_key(key) {
            return Err(ServiceError::Exists { service: "fake".to_owned() });
        }
        if !self.gives_ids {
            return Ok(key.clone());
        }
        let id = RemoteId(format!("AAMkAD{number}="));
        there.created.insert(key.clone(), id.clone());
        Ok(id)
    }

    /// The event of a draft, unless its key has been used.
    fn make(&mut self, calendar: &RemoteCalendarId, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let id = self.id_for(calendar, &draft.id)?;
        let mut event = event_of(draft);
        event.created_as = (id != draft.id).then(|| draft.id.clone());
        event.id = id;
        self.rewrite(&mut event);
        event.etag = self.put(calendar, event.clone());
        Ok(event)
    }

    /// An event as a list shows it; one of everything looks closer.
    fn shown(&self, mut event: RemoteEvent, from: Timestamp) -> RemoteEvent {
        if event.created_as.is_some() && from > EVER {
            event.marker = None;
        }
        event
    }

    fn rewrite(&self, event: &mut RemoteEvent) {
        if let Some(rewrite) = self.rewrites {
            rewrite(&mut event.event);
        }
    }

    /// Serves the next request of this name: whole, not at all, or without an answer.
    fn serve<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let fault = self.fault(name);
        if let Some(fault) = fault.filter(|fault| !fault.is_done()) {
            return Err(error(fault));
        }
        let answer = work(self)?;
        match fault {
            Some(fault) => Err(error(fault)),
            None => Ok(answer),
        }
    }

    /// A change of a booking: done once for each key.
    fn change(
        &mut self,
        name: &'static str,
        key: &str,
        carried: u64,
        change: impl FnOnce(&mut Self) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        self.serve(name, |state| {
            if !state.done.contains(key) {
                state.admit(carried)?;
                change(state)?;
                state.writes += 1;
                state.done.insert(key.to_owned());
            }
            Ok(())
        })
    }

    /// As the platform's constraints have it: one slot per exact time, and open ones never overlap.
    fn make_slot(&mut self, slot: &Slot) -> SlotMade {
        if self.slots.contains_key(&slot.id) {
            return SlotMade::Stands;
        }
        if self.slots.values().any(|other| other.span == slot.span) {
            return SlotMade::Taken;
        }
        if self.slots.values().any(|other| other.open && other.span.overlaps(&slot.span)) {
            return SlotMade::Overlaps;
        }
        let over = |booking: &Booking| {
            Interval::new(booking.start, booking.end)
                .is_some_and(|booked| booked.overlaps(&slot.span) && !self.given_up.contains(&booked))
                && booking.status != BookingStatus::Cancelled
        };
        // The platform lets it happen, and the booking can never be changed again.
        assert!(!self.bookings.values().any(|(_, booking)| over(booking)), "{slot:?} lies over a booking");
        self.slots.insert(slot.id.clone(), slot.clone());
        SlotMade::Stands
    }

    /// As the platform does with every busy set: open slots under busy time close, and open again after it.
    fn close_under_busy(&mut self) {
        let live = |booking: &&Booking| booking.status != BookingStatus::Cancelled;
        let booked: Vec<Interval> = self
            .bookings
            .values()
            .map(|(_, booking)| booking)
            .filter(live)
            .filter_map(|booking| Interval::new(booking.start, booking.end))
            .collect();
        let busy: Vec<Interval> = self.busy.values().flat_map(|set| set.intervals.iter().copied()).collect();
        let mut opened = Vec::new();
        for (id, slot) in &mut self.slots {
            let under = busy.iter().any(|busy| busy.overlaps(&slot.span));
            if slot.open && under {
                slot.open = false;
                self.closed_by_busy.insert(id.clone());
            } else if !under && self.closed_by_busy.remove(id) && !booked.contains(&slot.span) {
                slot.open = true;
                opened.push(slot.clone());
            }
        }
        for slot in opened {
            let others = self.slots.values().filter(|other| other.open && other.id != slot.id);
            assert!(
                others.clone().all(|other| !other.span.overlaps(&slot.span)),
                "{slot:?} opens again and an open slot lies over it"
            );
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn fault(&mut self, operation: &'static str) -> Option<Fault> {
        self.requests.push(operation);
        if let Some(at) = self.before.iter().position(|(name, _)| *name == operation) {
            let (_, happen) = self.before.remove(at);
            happen(self);
        }
        match &mut self.outage {
            Some((0, 0, _)) | None => {}
            Some((0, left, fault)) => {
                *left -= 1;
                return Some(*fault);
            }
            Some((pass, _, _)) => *pass -= 1,
        }
        let at = self.faults.iter().position(|(name, _)| *name == operation || *name == "any")?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    /// Puts an event there as a person would, and answers with its etag.
    pub fn put(&mut self, calendar: &RemoteCalendarId, mut event: RemoteEvent) -> ETag {
        let now = self.tick();
        event.etag = ETag(format!("\"{now}\""));
        let etag = event.etag.clone();
        self.calendars
            .entry(calendar.clone())
            .or_default()
            .events
            .insert(event.id.clone(), (now, Some(event)));
        etag
    }

    pub fn delete(&mut self, calendar: &RemoteCalendarId, id: &RemoteId) {
        let now = self.tick();
        self.calendars.entry(calendar.clone()).or_default().events.insert(id.clone(), (now, None));
    }

    /// The one event of the calendar that bookings go to.
    ///
    /// # Panics
    /// When there is not exactly one.
    #[must_use]
    pub fn only_booking_event(&self) -> (RemoteCalendarId, RemoteEvent) {
        let ours = |calendar: &&FakeCalendar| calendar.entry.as_ref().is_some_and(|entry| entry.ours);
        let target = self.calendars.values().find(ours).and_then(|calendar| calendar.entry.clone());
        let target = target.expect("a calendar for bookings").remote;
        let mut events = self.live(&target);
        assert_eq!(events.len(), 1, "{events:#?}");
        (target, events.remove(0))
    }

    /// A calendar for bookings appears in her account, as another computer of hers makes it.
    pub fn another_makes(&mut self, remote: &str) {
        let entry = CalendarEntry {
            remote: remote.into(),
            name: "Bookiji".to_owned(),
            time_zone: None,
            writable: true,
            primary: false,
            ours: true,
        };
        self.calendars.entry(remote.into()).or_default().entry = Some(entry);
    }

    #[must_use]
    pub fn live(&self, calendar: &RemoteCalendarId) -> Vec<RemoteEvent> {
        self.calendars
            .get(calendar)
            .map(|calendar| calendar.events.values().filter_map(|(_, event)| event.clone()).collect())
            .unwrap_or_default()
    }
}

/// Both services over one [`State`], as one computer reaches them.
#[derive(Clone, Default)]
pub struct Services {
    state: Arc<Mutex<State>>,
    /// The number that goes with its writes, and the last it was told. Nothing is 0.
    carried: Arc<AtomicU64>,
    seen: Arc<AtomicU64>,
}

impl Services {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same services, from another computer.
    #[must_use]
    pub fn from_elsewhere(&self) -> Self {
        Self { state: self.state.clone(), ..Self::default() }
    }

    fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }
}

fn error(fault: Fault) -> ServiceError {
    let service = "fake".to_owned();
    match fault {
        Fault::ReplyLost
        | Fault::Unreachable
        | Fault::HalfAReading
        | Fault::EmptyList
        | Fault::Lagging
        | Fault::CursorLost => ServiceError::Unreachable { service, reason: format!("{fault:?}") },
        Fault::Overdue => {
            ServiceError::Failing { service, reason: "HTTP 504".to_owned(), retry_after: Some(OVERDUE) }
        }
        Fault::RateLimited => ServiceError::RateLimited { service, retry_after: None },
        Fault::SignInExpired => ServiceError::SignInExpired { service, reason: "invalid_grant".to_owned() },
        Fault::Rejected => {
            ServiceError::Rejected { service, reason: "the title is not to its taste".to_owned() }
        }
        Fault::SwitchedOff => ServiceError::SwitchedOff { service, reason: "SCHEDULING_DISABLED".to_owned() },
        Fault::OutOfSight => ServiceError::Gone { service },
    }
}

#[async_trait]
impl Account for Services {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        let mut state = self.state();
        if let Some(fault) = state.fault("calendars") {
            return Err(error(fault));
        }
        Ok(state.calendars.values().filter_map(|calendar| calendar.entry.clone()).collect())
    }

    async fn create_calendar(
        &self,
        name: &str,
        zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        self.state().serve("create_calendar", |state| {
            let remote = RemoteCalendarId(format!("made-for-{vendor}-{}", state.tick()));
            let entry = CalendarEntry {
                remote: remote.clone(),
                name: name.to_owned(),
                time_zone: Some(zone.to_owned()),
                writable: true,
                primary: false,
                ours: true,
            };
            state.writes += 1;
            state.calendars.entry(remote).or_default().entry = Some(entry.clone());
            Ok(entry)
        })
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(OneCalendar { services: self.clone(), remote: remote.clone() })
    }

    async fn delete_calendar(&self, remote: &RemoteCalendarId) -> Result<(), ServiceError> {
        let calendar = OneCalendar { services: self.clone(), remote: remote.clone() };
        calendar.write("delete_calendar", |state, remote| {
            let gone = ServiceError::Gone { service: "fake".to_owned() };
            state.calendars.remove(remote).map(drop).ok_or(gone)
        })
    }
}

struct OneCalendar {
    services: Services,
    remote: RemoteCalendarId,
}

impl OneCalendar {
    fn write<T>(
        &self,
        operation: &'static str,
        done: impl FnOnce(&mut State, &RemoteCalendarId) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        self.services.state().serve(operation, |state| {
            let answer = done(state, &self.remote)?;
            state.writes += 1;
            Ok(answer)
        })
    }
}

/// A draft as the service would store it.
#[must_use]
pub fn event_of(draft: &Draft) -> RemoteEvent {
    let mut event = Event::new(draft.uid.clone(), When::Utc(draft.start), End::At(When::Utc(draft.end)));
    event.summary.clone_from(&draft.title);
    event.description.clone_from(&draft.description);
    let marker = Some(Marker { booking: draft.booking.clone(), generation: draft.generation });
    RemoteEvent { id: draft.id.clone(), etag: ETag(String::new()), event, marker, created_as: None }
}

/// An event of her own.
#[must_use]
pub fn event(id: &str, start: Timestamp, end: Timestamp) -> RemoteEvent {
    let mut event = Event::new(Uid(format!("{id}@elsewhere")), When::Utc(start), End::At(When::Utc(end)));
    id.clone_into(&mut event.summary);
    RemoteEvent {
        id: RemoteId(id.to_owned()),
        etag: ETag(String::new()),
        event,
        marker: None,
        created_as: None,
    }
}

#[async_trait]
impl Calendar for OneCalendar {
    async fn read(&self, cursor: Option<&Cursor>, from: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        let mut state = self.services.state();
        let fault = state.fault("read");
        match fault {
            Some(Fault::CursorLost | Fault::EmptyList) if cursor.is_some() => return Reading::CursorLost,
            Some(Fault::EmptyList) => {
                return Reading::Snapshot { items: Vec::new(), coverage: Coverage::Everything, cursor: None };
            }
            Some(Fault::HalfAReading) => {
                let mut items = state.live(&self.remote);
                items.truncate(items.len() / 2);
                let items = items.into_iter().map(|event| state.shown(event, from)).collect();
                return Reading::Partial { items, reason: error(Fault::HalfAReading) };
            }
            Some(fault) => return Reading::Failed(error(fault)),
            None if cursor.is_none() && state.refuses_full_readings => {
                return Reading::Failed(error(Fault::Unreachable));
            }
            None => {}
        }
        let now = state.clock;
        let Some(calendar) = state.calendars.get(&self.remote) else {
            return Reading::Failed(ServiceError::Gone { service: "fake".to_owned() });
        };
        let next = Cursor(now.to_string());
        let Some(since) = cursor.and_then(|cursor| cursor.0.parse::<u64>().ok()) else {
            let mut items = if state.shows_nothing_in_full { Vec::new() } else { state.live(&self.remote) };
            items.retain(|row| !state.unlisted.contains(&row.id));
            items.retain(|row| row.event.repeats() || times(row).is_none_or(|(_, end)| end > from));
            let items = items.into_iter().map(|event| state.shown(event, from)).collect();
            return Reading::Snapshot { items, coverage: Coverage::EndingAfter(from), cursor: Some(next) };
        };
        let mut changed = Vec::new();
        let mut removed = Vec::new();
        for (id, (at, event)) in &calendar.events {
            match event {
                _ if *at <= since => {}
                Some(event) => changed.push(state.shown(event.clone(), from)),
                None => removed.push(id.clone()),
            }
        }
        Reading::Delta { changed, removed, cursor: next }
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.write("create", |state, remote| state.make(remote, draft))
    }

    fn creates_at_once(&self) -> usize {
        self.services.state().creates_at_once.max(1)
    }

    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let made = self.write("create_all", |state, remote| {
            assert!(drafts.len() <= state.creates_at_once, "{} events at once", drafts.len());
            let one =
                |draft| match state.item_faults.pop_front().flatten().or_else(|| state.fault("create_one")) {
                    Some(fault) if fault.is_done() => {
                        let _ = state.make(remote, draft);
                        Err(error(fault))
                    }
                    Some(fault) => Err(error(fault)),
                    None => state.make(remote, draft),
                };
            Ok(drafts.iter().map(one).collect::<Vec<_>>())
        });
        made.unwrap_or_else(|error| vec![Err(error); drafts.len()])
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        self.write("update", |state, remote| {
            let mut event = standing(state, remote, id, base)?;
            event.event.start = When::Utc(draft.start);
            event.event.end = End::At(When::Utc(draft.end));
            if !draft.times_only {
                event.event.summary.clone_from(&draft.title);
                event.event.description.clone_from(&draft.description);
            }
            state.rewrite(&mut event);
            event.etag = state.put(remote, event.clone());
            Ok(event)
        })
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        self.write("delete", |state, remote| {
            standing(state, remote, id, base)?;
            state.delete(remote, id);
            Ok(())
        })
    }

    /// As services do it that give ids themselves: of what was deleted, nothing says that it was there.
    async fn find(&self, draft: &Draft) -> Result<Probe, ServiceError> {
        let (gives_ids, made) = {
            let state = self.services.state();
            let made =
                state.calendars.get(&self.remote).and_then(|there| there.created.get(&draft.id).cloned());
            (state.gives_ids, made)
        };
        let probe = self.probe(&made.unwrap_or_else(|| draft.id.clone())).await?;
        Ok(if gives_ids && probe == Probe::Burnt { Probe::Absent } else { probe })
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        let mut state = self.services.state();
        match state.fault("probe") {
            Some(Fault::OutOfSight) => return Ok(Probe::Absent),
            Some(fault) => return Err(error(fault)),
            None => {}
        }
        Ok(match state.calendars.get(&self.remote).and_then(|calendar| calendar.events.get(id)) {
            Some((_, Some(event))) => Probe::Live(event.clone()),
            Some((_, None)) => Probe::Burnt,
            None => Probe::Absent,
        })
    }
}

fn standing(
    state: &State,
    remote: &RemoteCalendarId,
    id: &RemoteId,
    base: &ETag,
) -> Result<RemoteEvent, ServiceError> {
    let service = "fake".to_owned();
    match state.calendars.get(remote).and_then(|calendar| calendar.events.get(id)) {
        Some((_, Some(event))) if event.etag == *base => Ok(event.clone()),
        Some((_, Some(_))) => Err(ServiceError::Stale { service }),
        Some((_, None)) | None => Err(ServiceError::Gone { service }),
    }
}

#[async_trait]
impl Platform for Services {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        let mut state = self.state();
        if let Some(fault) = state.fault("slots") {
            return Err(error(fault));
        }
        Ok(state.slots.values().filter(|slot| slot.span.overlaps(&window)).cloned().collect())
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.state().serve("create_slots", |state| {
            state.admit(self.carried())?;
            state.writes += 1;
            Ok(slots.iter().map(|slot| state.make_slot(slot)).collect())
        })
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.state().serve("remove_slot", |state| {
            state.admit(self.carried())?;
            let service = "bookiji".to_owned();
            match state.slots.get(&slot.id) {
                None => return Err(ServiceError::Gone { service }),
                Some(there) if there.open != slot.open || there.span != slot.span => {
                    return Err(ServiceError::Stale { service });
                }
                Some(_) => {}
            }
            state.writes += 1;
            state.slots.remove(&slot.id);
            state.given_up.extend((!slot.open).then_some(slot.span));
            Ok(())
        })
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let mut state = self.state();
        match state.fault("bookings") {
            Some(Fault::CursorLost) if cursor.is_some() => return Reading::CursorLost,
            Some(Fault::HalfAReading) => {
                let half = state.bookings.len() / 2;
                let items = state.bookings.values().take(half).map(|(_, booking)| booking.clone()).collect();
                return Reading::Partial { items, reason: error(Fault::HalfAReading) };
            }
            Some(Fault::Lagging) if let Some(cursor) = cursor => {
                return Reading::Delta { changed: Vec::new(), removed: Vec::new(), cursor: cursor.clone() };
            }
            Some(fault) => return Reading::Failed(error(fault)),
            None if cursor.is_none() && state.refuses_full_readings => {
                return Reading::Failed(error(Fault::Unreachable));
            }
            None => {}
        }
        self.seen.fetch_max(state.lease.fencing, Ordering::SeqCst);
        let next = Cursor(state.clock.to_string());
        let since = cursor.and_then(|cursor| cursor.0.parse::<u64>().ok());
        let items = state.bookings.values().filter(|(at, _)| since.is_none_or(|since| *at > since));
        let hides = since.is_none() && state.shows_nothing_in_full;
        let items = items.filter(|_| !hides).map(|(_, booking)| booking.clone()).collect();
        match since {
            Some(_) => Reading::Delta { changed: items, removed: Vec::new(), cursor: next },
            None => Reading::Snapshot { items, coverage: Coverage::Everything, cursor: Some(next) },
        }
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.state().change("move_booking", key, self.carried(), |state| {
            let free = |slot: &&mut Slot| slot.open && slot.span == to;
            let slot = state.slots.values_mut().find(free).ok_or_else(|| error(Fault::Rejected))?;
            slot.open = false;
            state.clock += 1;
            let (at, row) = state.bookings.get_mut(booking).ok_or_else(|| error(Fault::Rejected))?;
            (*at, row.start, row.end) = (state.clock, to.start(), to.end());
            Ok(())
        })
    }

    async fn propose_move(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.state().change("propose_move", key, self.carried(), |state| {
            state.clock += 1;
            let id = ProposalId(format!("proposal-{}", state.clock));
            let (at, row) = state.bookings.get_mut(booking).ok_or_else(|| error(Fault::Rejected))?;
            (*at, row.proposal) = (state.clock, Proposal::Waiting { id, to });
            Ok(())
        })
    }

    async fn withdraw_proposal(
        &self,
        booking: &BookingId,
        proposal: &ProposalId,
        key: &str,
    ) -> Result<(), ServiceError> {
        self.state().change("withdraw_proposal", key, self.carried(), |state| {
            state.clock += 1;
            let (at, row) = state.bookings.get_mut(booking).ok_or_else(|| error(Fault::Rejected))?;
            let waiting = row.proposal.waiting().filter(|(id, _)| *id == proposal);
            let (_, to) = waiting.ok_or_else(|| error(Fault::Rejected))?;
            let over = Proposal::Over { id: proposal.clone(), to, how: Ending::Withdrawn };
            (*at, row.proposal) = (state.clock, over);
            Ok(())
        })
    }

    async fn cancel_booking(&self, booking: &BookingId, _: &str, key: &str) -> Result<(), ServiceError> {
        self.state().change("cancel_booking", key, self.carried(), |state| {
            state.clock += 1;
            let (at, row) = state.bookings.get_mut(booking).ok_or_else(|| error(Fault::Rejected))?;
            *at = state.clock;
            row.status = BookingStatus::Cancelled;
            Ok(())
        })
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        self.state().serve("put_busy", |state| {
            state.admit(self.carried())?;
            state.writes += 1;
            state.busy.insert(set.source.clone(), set.clone());
            if !state.leaves_slots {
                state.close_under_busy();
            }
            Ok(BusyReceipt::default())
        })
    }

    /// Where it closes them itself, nobody notices that it was asked.
    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        let mut state = self.state();
        if !state.leaves_slots {
            return Ok(true);
        }
        match state.fault("closes_slots") {
            Some(fault) => Err(error(fault)),
            None => Ok(false),
        }
    }

    async fn switch_slots(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        self.state().serve("switch_slots", |state| {
            state.admit(self.carried())?;
            state.writes += 1;
            let mut switched = Vec::new();
            for slot in slots {
                if state.slots.get(&slot.id).is_some_and(|there| there == slot && there.open != open) {
                    state.slots.insert(slot.id.clone(), Slot { open, ..slot.clone() });
                    switched.push(slot.id.clone());
                }
            }
            Ok(switched)
        })
    }

    async fn lease(&self, me: &Installation, term: Duration) -> Result<Lease, ServiceError> {
        self.state().serve("lease", |state| Ok(state.give(me, term)))
    }

    async fn release_lease(&self, me: &Installation, fencing: Fencing) -> Result<(), ServiceError> {
        let mut state = self.state();
        if state.lease.fencing == fencing.0 && state.holder().is_some_and(|holder| holder.id == me.id) {
            state.lease.holder = None;
        }
        Ok(())
    }

    fn fence(&self, fencing: Option<Fencing>) {
        self.carried.store(fencing.map_or(0, |fencing| fencing.0), Ordering::SeqCst);
    }

    fn fencing_seen(&self) -> Option<Fencing> {
        Some(self.seen.load(Ordering::SeqCst)).filter(|number| *number > 0).map(Fencing)
    }
}
