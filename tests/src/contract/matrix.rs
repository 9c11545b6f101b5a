//! Everything that can go wrong, on every route of a service, under a whole run of the engine: the run ends, says what went
//! wrong by its right code, and the next one without trouble leaves everything as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus};
use sync::decide::times;
use sync::error::Code;
use sync::ids::{BookingId, CalendarId, ConnectionId, RemoteId, RunId};
use sync::policy::Policy;
use sync::ports::{Account, Mirror, Reading};
use sync::progress::Progress;
use sync::report::Report;
use sync::run::{Parts, Request, run};
use sync::world::{Connection, ConnectionState, Direction, LinkedCalendar, Role, Vendor};

use super::reading::{at, booking, hour, now, since};
use super::room::{Room, VENDOR, ZONE};
use crate::service::Services;
use crate::world::{TestClock, named};

/// A run that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// What can go wrong, and the codes by which a run may say so. Without codes it is nothing that anybody need know of.
///
/// Google says 403 of a budget that is used up, too, and hides by 404 that one may not write; a part of a batch cannot be
/// cut off, and is refused as failed in place of that.
const TROUBLES: &[(&str, &[Code])] = &[
    ("status:401", &[Code::OauthTokenExpired]),
    ("status:403", &[Code::PermissionDenied, Code::RateLimitExceeded]),
    ("status:404", &[Code::CalendarApiError, Code::PermissionDenied]),
    ("status:410", &[Code::CalendarApiError, Code::PermissionDenied]),
    ("status:412", &[Code::ConflictDetected, Code::CalendarApiError]),
    ("status:500", &[Code::CalendarApiError]),
    ("status:503", &[Code::CalendarApiError]),
    ("rate_limited", &[Code::RateLimitExceeded]),
    ("html", &[Code::CalendarApiError]),
    ("truncated", &[Code::CalendarApiError]),
    ("reset", &[Code::NetworkError, Code::CalendarApiError]),
    ("reply_lost", &[Code::NetworkError, Code::CalendarApiError]),
    ("token_revoked", &[Code::OauthTokenExpired]),
    ("calendar_gone", &[Code::CalendarApiError, Code::PermissionDenied]),
    ("slow:30", &[]),
    ("cursor_lost", &[]),
    ("short_page", &[]),
    ("duplicate_page", &[]),
    ("reordered", &[]),
    ("ignores_precondition", &[]),
    ("drops_marker", &[]),
    (EMPTY, &[]),
];

/// The one lie that no news ever sets right: it needs the reading of everything that comes once a week.
const EMPTY: &str = "empty_listing";

/// Her computer, with the platform in memory and one account of a service behind sockets.
struct Street {
    room: Box<dyn Room>,
    platform: Services,
    mirror: Box<dyn Mirror>,
    clock: TestClock,
    accounts: BTreeMap<ConnectionId, Box<dyn Account>>,
    hers: CalendarId,
    runs: u32,
    turns: i64,
    /// What she has in her calendar.
    her_event: Option<(RemoteId, Interval)>,
}

impl Street {
    async fn of(room: Box<dyn Room>) -> Self {
        let mirror: Box<dyn Mirror> = Box::new(mirror::Sqlite::in_memory().expect("a mirror"));
        let (clock, service) = (TestClock::at(now()), room.service());
        let account = "amelie@example.com".to_owned();
        let connection = ConnectionId::of(service, &account);
        let vendor = Vendor {
            id: VENDOR.into(),
            name: "Amélie".to_owned(),
            email: account.clone(),
            time_zone: ZONE.to_owned(),
        };
        mirror.set_vendor(&vendor).expect("a vendor");
        let row = Connection {
            id: connection.clone(),
            service,
            account,
            state: ConnectionState::Connected,
            created_at: now(),
            error: None,
            backoff_until: None,
            error_count: 0,
        };
        mirror.put_connection(&row).expect("a connection");
        let listed = room.account().calendars().await.expect("a list");
        let entry = listed.iter().find(|entry| entry.remote == room.hers()).expect("her calendar");
        let hers = LinkedCalendar::new(&connection, entry, Role::Busy, 5, now());
        mirror.put_calendar(&hers).expect("a calendar");
        let platform = Services::default();
        platform.state().time = Some(clock.clone());
        let reached = room.account_for(&VENDOR.into()).expect("an account");
        let accounts = BTreeMap::from([(connection, reached)]);
        let hers = hers.id;
        Self { room, platform, mirror, clock, accounts, hers, runs: 0, turns: 0, her_event: None }
    }

    fn book(&self, booking: Booking) {
        let mut state = self.platform.state();
        state.clock += 1;
        let at = state.clock;
        state.bookings.insert(booking.id.clone(), (at, booking));
    }

    /// Of every kind of news one: a booking is new, one is moved, one cancelled; an event of hers comes, and one goes.
    async fn turn(&mut self) {
        self.turns += 1;
        let turn = self.turns;
        let named = |turn: i64| booking(&turn.to_string(), 30 + 3 * turn);
        self.book(named(turn));
        let later = |booking: Booking| Booking {
            start: booking.start + SignedDuration::from_mins(30),
            end: booking.end + SignedDuration::from_mins(30),
            ..booking
        };
        if turn > 1 {
            self.book(later(named(turn - 1)));
        }
        if turn > 2 {
            self.book(Booking { status: BookingStatus::Cancelled, ..later(named(turn - 2)) });
        }
        let hours = 31 + 3 * turn;
        let new = self.room.she_creates(&self.room.hers(), &hour("hers", hours)).await.expect("an event");
        let span = Interval::new(at(hours), at(hours + 1)).expect("an hour");
        if let Some((old, _)) = self.her_event.replace((new, span)) {
            self.room.she_deletes(&self.room.hers(), &old).await.expect("it is deleted");
        }
    }

    async fn run(&mut self, what: &str) -> Report {
        self.runs += 1;
        let request = Request {
            run: RunId(format!("run-{}", self.runs)),
            direction: Direction::Bidirectional,
            dry_run: false,
        };
        let writer = named("studio");
        let parts = Parts {
            mirror: self.mirror.as_ref(),
            platform: &self.platform,
            accounts: &self.accounts,
            clock: &self.clock,
            policy: Policy::default(),
            writer: &writer,
            progress: &Progress::default(),
        };
        let done = tokio::time::timeout(PATIENCE, run(&parts, &request)).await;
        done.unwrap_or_else(|_| panic!("{what}: the run does not end")).expect("a mirror")
    }

    /// What is not as it should be after a run that nothing troubled.
    async fn wrongs(&mut self, what: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let report = self.run(what).await;
        if !report.errors.is_empty() || !report.decisions.is_empty() {
            wrong.push(format!("{what}: the clean run says {:?} {:?}", report.errors, report.decisions));
        }
        let world = self.mirror.world().expect("a world");
        let targets: Vec<_> =
            world.calendars.values().filter(|calendar| calendar.role == Role::Target).collect();
        let [target] = targets[..] else { return vec![format!("{what}: {} targets", targets.len())] };
        let calendar = self.room.account().calendar(&target.remote);
        let Reading::Snapshot { items, .. } = calendar.read(None, since()).await else {
            return vec![format!("{what}: the target cannot be read")];
        };
        let mut standing: Vec<_> = items.iter().map(times).collect();
        standing.sort();
        let mut expected: Vec<Option<(Timestamp, Timestamp)>> =
            self.booked().into_values().map(Some).collect();
        expected.sort();
        if standing != expected {
            wrong.push(format!("{what}: there stand {standing:?} in place of {expected:?}"));
        }
        let told = self.platform.state().busy.get(&self.hers).map(|set| set.intervals.clone());
        let busy: Vec<Interval> = self.her_event.iter().map(|(_, span)| *span).collect();
        if told.as_ref() != Some(&busy) {
            wrong.push(format!("{what}: the platform was told {told:?} in place of {busy:?}"));
        }
        let again = self.run(what).await.bookings;
        if again.created + again.updated + again.removed > 0 {
            wrong.push(format!("{what}: there was still something to do: {again:?}"));
        }
        wrong
    }

    /// When the bookings are that stand.
    fn booked(&self) -> BTreeMap<BookingId, (Timestamp, Timestamp)> {
        let state = self.platform.state();
        let live = state.bookings.values().filter(|(_, booking)| booking.status == BookingStatus::Confirmed);
        live.map(|(_, booking)| (booking.id.clone(), (booking.start, booking.end))).collect()
    }

    /// Lets this go wrong for one run, and holds that the next one heals.
    async fn troubled(&mut self, route: &str, kind: &str, codes: &[Code]) -> Vec<String> {
        let what = format!("{kind} on {route}");
        self.room.goes_wrong(Some(route), kind).await.expect("it can go wrong");
        let report = self.run(&what).await;
        let met = self.room.met().await;
        self.room.heals().await;
        let mut wrong = Vec::new();
        let said: BTreeSet<Code> = report.errors.iter().map(|error| error.code).collect();
        if met > 0 && said.iter().any(|code| !codes.contains(code)) {
            wrong.push(format!("{what}: {:?}", report.errors));
        }
        if met == 0 && !said.is_empty() {
            wrong.push(format!("{what}: nobody met it, and yet {:?}", report.errors));
        }
        if kind == EMPTY {
            let world = self.mirror.world().expect("a world");
            for calendar in world.calendars.keys() {
                self.mirror.forget_cursor(Some(calendar)).expect("a mirror");
            }
        }
        wrong.extend(self.wrongs(&what).await);
        wrong
    }
}

/// Of so many troubles one is tried, each day other ones: all of them take minutes. Every kind comes up on some routes, and
/// every route meets some kinds.
const ONE_OF: usize = 5;

fn of_today() -> usize {
    let days = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() / (24 * 3600);
    usize::try_from(days).unwrap_or_default() % ONE_OF
}

/// Holds for every route that is taken, and everything that can go wrong there: a part of it, all of it with `MATRIX=all`,
/// or what contains a text with `MATRIX=html`.
///
/// # Panics
/// When a run does not end, says something else, or what it left is not healed by the next.
pub async fn heals<F, R>(service: &str, open: impl Fn() -> F)
where
    F: Future<Output = R>,
    R: Room + 'static,
{
    let asked = std::env::var("MATRIX").ok();
    let mut wrong = Vec::new();
    let (mut met, mut tried, today) = (0, 0, of_today());
    let mut is_tried = |what: &str| {
        met += 1;
        match asked.as_deref() {
            Some("all") => true,
            Some(part) => what.contains(part),
            None => met % ONE_OF == today,
        }
    };
    let mut street = Street::of(Box::new(open().await)).await;
    street.turn().await;
    wrong.extend(street.wrongs("before anything").await);
    let first = street.room.routes().await;
    for _ in 0..2 {
        street.turn().await;
        wrong.extend(street.wrongs("before anything").await);
    }
    let all = street.room.routes().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for route in &all {
        for (kind, codes) in TROUBLES {
            if !is_tried(&format!("{kind} on {route}")) {
                continue;
            }
            street.turn().await;
            let found = street.troubled(route, kind, codes).await;
            tried += 1;
            if !found.is_empty() {
                // What comes after is to begin from where nothing is wrong.
                street = Street::of(Box::new(open().await)).await;
                street.turn().await;
                street.wrongs("anew").await;
            }
            wrong.extend(found);
        }
    }
    drop(street);
    // What a first run alone does: looks for its calendar and makes it.
    for route in &first {
        for (kind, codes) in TROUBLES {
            if !is_tried(&format!("first {kind} on {route}")) {
                continue;
            }
            let mut street = Street::of(Box::new(open().await)).await;
            street.turn().await;
            wrong.extend(
                street.troubled(route, kind, codes).await.iter().map(|one| format!("first run: {one}")),
            );
            tried += 1;
        }
    }
    let wrong: Vec<String> = wrong.iter().map(|one| one.chars().take(700).collect()).collect();
    assert!(wrong.is_empty(), "{service}, {} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{service}: {tried} troubles on {} routes", all.len());
}
