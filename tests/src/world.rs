//! One vendor, her calendars, her bookings and the real mirror, with a clock that only tests move.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use calendar::interval::Interval;
use companion::import::ImportedFiles;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus};
use sync::error::MirrorError;
use sync::ids::{BookingId, CalendarId, ConnectionId, RemoteCalendarId, RemoteId, RunId, Service, SlotId};
use sync::import::{self, Holdings, OnConflict, Own, Taken};
use sync::lease::{Installation, LeaseRecord, Writer};
use sync::leave::{Extent, LeaveReport};
use sync::policy::Policy;
use sync::ports::{Account, CalendarEntry, Clock, Mirror, RemoteEvent, Slot};
use sync::progress::Progress;
use sync::reconcile::Side;
use sync::report::{Report, UndoReport};
use sync::run::{Parts, Request, run};
use sync::world::{Connection, ConnectionState, Direction, LinkedCalendar, Role, Vendor};

use crate::service::{Fault, Services, State, event};

/// Stands still until it is told to wait or moved. Its copies tell the same time.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn wait(&self, duration: Duration) {
        self.advance(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX));
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

impl TestClock {
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(*now);
    }
}

/// A computer as a new process on it knows itself.
#[must_use]
pub fn named(computer: &str) -> Writer {
    let me = Installation { id: computer.into(), name: computer.to_owned() };
    Writer::new(me, LeaseRecord::default())
}

/// The world of a scenario.
pub struct World {
    pub services: Services,
    pub mirror: Box<dyn Mirror>,
    pub clock: TestClock,
    pub accounts: BTreeMap<ConnectionId, Box<dyn Account>>,
    pub connection: ConnectionId,
    pub policy: Policy,
    /// Which computer this is.
    pub writer: Writer,
    pub progress: Progress,
    runs: u32,
}

/// Sunday noon in Toronto.
pub const NOON: &str = "2026-11-22T17:00:00Z";

impl World {
    /// A vendor with one personal calendar that blocks time. The target is made by the first sync.
    #[must_use]
    pub fn new(mirror: Box<dyn Mirror>) -> Self {
        Self::around(Services::default(), mirror)
    }

    /// The same vendor around services that have a past, with a mirror that knows nothing of it.
    ///
    /// # Panics
    /// When the mirror cannot be made: there is no scenario then.
    #[must_use]
    pub fn around(services: Services, mirror: Box<dyn Mirror>) -> Self {
        let clock = TestClock(Arc::new(Mutex::new(NOON.parse().expect("a time"))));
        Self::at_computer("studio", services, clock, mirror)
    }

    /// Another computer of hers, at the same moment.
    #[must_use]
    pub fn beside(&self, computer: &str, mirror: Box<dyn Mirror>) -> Self {
        Self::at_computer(computer, self.services.from_elsewhere(), self.clock.clone(), mirror)
    }

    fn at_computer(computer: &str, services: Services, clock: TestClock, mirror: Box<dyn Mirror>) -> Self {
        let now = clock.now();
        services.state().time = Some(clock.clone());
        let connection = ConnectionId::of(Service::Google, "amelie@example.com");
        mirror
            .set_vendor(&Vendor {
                id: "vendor-1".into(),
                name: "Amélie".to_owned(),
                email: "amelie@example.com".to_owned(),
                time_zone: "America/Toronto".to_owned(),
            })
            .expect("a vendor");
        mirror
            .put_connection(&Connection {
                id: connection.clone(),
                service: Service::Google,
                account: "amelie@example.com".to_owned(),
                state: ConnectionState::Connected,
                created_at: now,
                error: None,
                backoff_until: None,
                error_count: 0,
            })
            .expect("a connection");
        let accounts: BTreeMap<ConnectionId, Box<dyn Account>> =
            BTreeMap::from([(connection.clone(), Box::new(services.clone()) as Box<dyn Account>)]);
        let writer = named(computer);
        let world = Self {
            services,
            mirror,
            clock,
            accounts,
            connection,
            policy: Policy::default(),
            writer,
            progress: Progress::default(),
            runs: 0,
        };
        world.link("personal", Role::Busy);
        world
    }

    /// Adds a calendar to the account and links it.
    ///
    /// # Panics
    /// When the mirror refuses it.
    pub fn link(&self, remote: &str, role: Role) -> CalendarId {
        let remote = RemoteCalendarId(remote.to_owned());
        let entry = CalendarEntry {
            remote: remote.clone(),
            name: remote.0.clone(),
            time_zone: None,
            writable: true,
            primary: remote.0 == "personal",
            ours: false,
        };
        let calendar = LinkedCalendar::new(&self.connection, &entry, role, 5, self.clock.now());
        self.services.state().calendars.entry(remote).or_default().entry = Some(entry);
        self.mirror.put_calendar(&calendar).expect("a calendar");
        calendar.id
    }

    /// A customer books `hours` from now, for an hour.
    pub fn customer_books(&self, id: &str, hours: i64) -> BookingId {
        let start = self.at(hours);
        let booking = Booking {
            id: BookingId(id.to_owned()),
            vendor: "vendor-1".into(),
            status: BookingStatus::Confirmed,
            start,
            end: self.at(hours + 1),
            service_name: Some("Haircut".to_owned()),
            customer_name: Some("Nadia Roy".to_owned()),
            customer_email: None,
            notes: None,
            proposal: sync::proposal::Proposal::NotOffered,
            updated_at: start.to_string(),
        };
        self.change_booking(booking)
    }

    /// The platform changes a booking.
    ///
    /// # Panics
    /// When there is no such booking.
    pub fn platform_changes(&self, id: &BookingId, change: impl FnOnce(&mut Booking)) {
        let mut booking = self.services.state().bookings[id].1.clone();
        change(&mut booking);
        self.change_booking(booking);
    }

    fn change_booking(&self, booking: Booking) -> BookingId {
        let id = booking.id.clone();
        let mut state = self.services.state();
        state.clock += 1;
        let at = state.clock;
        state.bookings.insert(id.clone(), (at, booking));
        id
    }

    /// `hours` after the world's noon, whatever the clock says since.
    ///
    /// # Panics
    /// Never: the constant is a time.
    #[must_use]
    pub fn at(&self, hours: i64) -> Timestamp {
        let noon: Timestamp = NOON.parse().expect("a time");
        noon.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(noon)
    }

    /// She puts an event into her personal calendar.
    pub fn vendor_adds(&self, id: &str, hours: i64, length: i64) {
        let event = event(id, self.at(hours), self.at(hours + length));
        self.services.state().put(&"personal".into(), event);
    }

    pub fn vendor_deletes(&self, calendar: &RemoteCalendarId, id: &RemoteId) {
        self.services.state().delete(calendar, id);
    }

    /// She edits the one event that a booking has.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub fn vendor_changes_booking_event(&self, change: impl FnOnce(&mut calendar::event::Event)) {
        let mut state = self.services.state();
        let (calendar, mut event) = state.only_booking_event();
        change(&mut event.event);
        state.put(&calendar, event);
    }

    /// How often this request was made so far.
    #[must_use]
    pub fn asked(&self, request: &str) -> usize {
        self.services.state().requests.iter().filter(|name| **name == request).count()
    }

    /// Lets something happen behind the app's back just before `operation` is served.
    pub fn before_next(&self, operation: &'static str, happen: impl FnOnce(&mut State) + Send + 'static) {
        self.services.state().before.push((operation, Box::new(happen)));
    }

    pub fn fail_next(&self, operation: &'static str, fault: Fault) {
        self.services.state().faults.push_back((operation, fault));
    }

    /// Lets `pass` requests through and fails the next `times`.
    pub fn fail_from(&self, pass: usize, times: usize, fault: Fault) {
        self.services.state().outage = Some((pass, times, fault));
    }

    pub fn heal(&self) {
        let mut state = self.services.state();
        state.outage = None;
        state.faults.clear();
    }

    /// The remote id of the calendar that bookings go to.
    ///
    /// # Panics
    /// When no sync has made one yet.
    #[must_use]
    pub fn target(&self) -> RemoteCalendarId {
        let world = self.mirror.world().expect("a world");
        let target = world.calendars.values().find(|calendar| calendar.role == Role::Target);
        target.map(|calendar| calendar.remote.clone()).expect("a target")
    }

    /// The live events of the target calendar.
    #[must_use]
    pub fn booking_events(&self) -> Vec<RemoteEvent> {
        let targets: Vec<RemoteCalendarId> = {
            let state = self.services.state();
            state
                .calendars
                .iter()
                .filter(|(_, c)| c.entry.as_ref().is_some_and(|e| e.ours))
                .map(|(id, _)| id.clone())
                .collect()
        };
        targets.iter().flat_map(|target| self.services.state().live(target)).collect()
    }

    fn next_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(format!("run-{}", self.runs))
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            mirror: self.mirror.as_ref(),
            platform: &self.services,
            accounts: &self.accounts,
            clock: &self.clock,
            policy: self.policy,
            writer: &self.writer,
            progress: &self.progress,
        }
    }

    /// One sync in `direction`.
    ///
    /// # Errors
    /// When the mirror fails.
    pub async fn try_sync(&mut self, direction: Direction, dry_run: bool) -> Result<Report, MirrorError> {
        let request = Request { run: self.next_run(), direction, dry_run };
        let parts = self.parts();
        run(&parts, &request).await
    }

    /// One sync both ways of these accounts alone.
    ///
    /// # Panics
    /// When the mirror fails.
    pub async fn sync_for(&mut self, connections: &[ConnectionId]) -> Report {
        let run = self.next_run();
        let request = Request { run, direction: Direction::Bidirectional, dry_run: false };
        let parts = self.parts();
        sync::run::run_for(&parts, &request, &connections.iter().cloned().collect()).await.expect("a report")
    }

    /// What the schedule does between runs: asks for the lease if it is time to, and syncs if that made it the writer.
    ///
    /// # Panics
    /// When the mirror fails.
    pub async fn keep_lease(&mut self) -> Option<Report> {
        if self.writer.wait(&self.clock) != Some(Duration::ZERO) {
            return None;
        }
        let asked = self.writer.keep(&self.services, &self.clock, self.mirror.as_ref()).await;
        let answered = asked.expect("a mirror").is_ok();
        if answered && self.writer.has_gained() { Some(self.sync().await) } else { None }
    }

    /// One sync both ways.
    ///
    /// # Panics
    /// When the mirror fails.
    pub async fn sync(&mut self) -> Report {
        self.try_sync(Direction::Bidirectional, false).await.expect("a report")
    }

    /// Takes back what the run number `of` wrote.
    ///
    /// # Errors
    /// When the mirror fails.
    pub async fn try_undo(&mut self, of: u32) -> Result<UndoReport, MirrorError> {
        let run = self.next_run();
        let parts = self.parts();
        let report = sync::run::undo(&parts, &run, &RunId(format!("run-{of}"))).await?;
        Ok(report.undo.expect("what was taken back"))
    }

    /// As [`World::try_undo`], where the mirror works.
    ///
    /// # Panics
    /// When it does not.
    pub async fn undo(&mut self, of: u32) -> UndoReport {
        self.try_undo(of).await.expect("a report")
    }

    /// Takes back what was written for an account; the row stays.
    ///
    /// # Errors
    /// When the mirror fails.
    pub async fn try_leave(
        &mut self,
        connection: &ConnectionId,
        extent: Extent,
    ) -> Result<(LeaveReport, Report), MirrorError> {
        let run = self.next_run();
        let parts = self.parts();
        let report = sync::leave::leave(&parts, &run, connection, extent).await?;
        Ok((report.leave.clone().expect("what was taken back"), report))
    }

    /// The number of the last run.
    #[must_use]
    pub fn last_run(&self) -> u32 {
        self.runs
    }

    /// Syncs again and holds that nothing was left to do.
    ///
    /// # Panics
    /// When the second sync writes, or asks for more than its cursors need.
    pub async fn assert_settled(&mut self) {
        let readings = self.mirror.world().expect("a world").full_readings;
        // A database that is new to its calendar looks twice for room that it does not know.
        let looks = readings.get(&Side::Slots).is_none_or(|last| last.read_at.is_none());
        let allowed: &[&str] = if looks { &["read", "bookings", "slots"] } else { &["read", "bookings"] };
        let writes = {
            let mut state = self.services.state();
            state.requests.clear();
            state.writes
        };
        let report = self.sync().await;
        let state = self.services.state();
        let changed = report.bookings.created + report.bookings.updated + report.bookings.removed;
        assert_eq!((changed, state.writes), (0, writes), "the second sync wrote: {report:#?}");
        assert!(state.requests.iter().all(|name| allowed.contains(name)), "{:?}", state.requests);
    }

    /// Links the calendar of imported files, if it is not there yet.
    ///
    /// # Panics
    /// When the mirror fails.
    pub fn link_imports(&mut self) -> LinkedCalendar {
        let world = self.mirror.world().expect("a world");
        if let Some(calendar) = import::calendar(&world) {
            return calendar.clone();
        }
        let calendar = import::linked("here", 5, self.clock.now());
        self.mirror.put_connection(&import::connection(self.clock.now())).expect("a connection");
        self.mirror.put_calendar(&calendar).expect("a calendar");
        self.accounts.insert(import::connection_id(), Box::new(ImportedFiles));
        calendar
    }

    /// She gives the app a file. Nothing is told to the platform before the next sync.
    ///
    /// # Panics
    /// When it is no calendar, or the mirror fails.
    pub fn vendor_imports(&mut self, file: &str, choice: Option<OnConflict>) -> Taken {
        let calendar = self.link_imports();
        let world = self.mirror.world().expect("a world");
        let (parts, _) =
            calendar::ics::read_each_as(file.as_bytes(), &["amelie@example.com"]).expect("a calendar");
        let mut holdings = Holdings::of(&world, &calendar.id);
        let zone = sync::busy_set::vendor_zone(world.vendor.as_ref());
        let own = Own::of(&world, &[]);
        let mut taken = Taken::default();
        for part in &parts {
            taken.join(holdings.take(part, &own, self.clock.now(), &zone));
        }
        if let Some(choice) = choice {
            taken.intake.choices.extend(taken.free.iter().map(|uid| (uid.clone(), Some(choice))));
        }
        self.mirror.take_import(&calendar.id, &taken.intake).expect("an import");
        taken
    }

    /// A slot of hers, from `hours` on, of so many hours.
    pub fn vendor_opens(&self, id: &str, hours: i64, length: i64) -> Slot {
        let span = Interval::new(self.at(hours), self.at(hours + length)).expect("a time");
        let slot = Slot { span, id: SlotId(id.to_owned()), open: true };
        self.services.state().slots.insert(slot.id.clone(), slot.clone());
        slot
    }

    /// Every slot on the platform: when, in hours after noon, and whether it is open.
    #[must_use]
    pub fn slots(&self) -> Vec<(i64, i64, bool)> {
        let hours = |at: Timestamp| at.duration_since(self.at(0)).as_hours();
        let state = self.services.state();
        let mut slots: Vec<_> = state
            .slots
            .values()
            .map(|slot| (hours(slot.span.start()), hours(slot.span.end()), slot.open))
            .collect();
        slots.sort_unstable();
        slots
    }

    /// What the platform holds as busy, over all sources, merged.
    #[must_use]
    pub fn published_busy(&self) -> Vec<(Timestamp, Timestamp)> {
        let state = self.services.state();
        let all = state.busy.values().flat_map(|set| set.intervals.iter().copied()).collect();
        calendar::interval::union(all).into_iter().map(|i| (i.start(), i.end())).collect()
    }
}
