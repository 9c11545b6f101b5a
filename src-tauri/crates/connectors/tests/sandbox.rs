//! The adapters against the sandbox, which behaves as Google and Bookiji do, and misbehaves when told to.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "the helpers of a test may fail it")]

#[path = "sandbox/batches.rs"]
mod batches;
#[path = "sandbox/lease.rs"]
mod lease;
#[path = "sandbox/rest.rs"]
mod rest;
#[path = "sandbox/slots.rs"]
mod slots;
#[path = "sandbox/times.rs"]
mod times;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use calendar::interval::Interval;
use connectors::bookiji::Bookiji;
use connectors::google::{self, GoogleAccount};
use connectors::gotrue::{GoTrue, SignInError};
use connectors::http::{Base, Counters, Http, Timeouts};
use connectors::oauth::{self, Granted};
use connectors::tokens::{Grant, Tokens};
use connectors::vault::{Memory, SecretName};
use jiff::{Timestamp, ToSpan};
use sandbox::{Options, Running};
use serde_json::{Value, json};
use sync::booking::{Booking, Draft};
use sync::error::ServiceError;
use sync::ids::{Cursor, RemoteId, Service};
use sync::ports::{Account, BusySet, Calendar, CalendarEntry, Platform, Probe, Reading, RemoteEvent};
use sync::world::Vendor;
use url::Url;

type Expected = fn(&ServiceError) -> bool;

const NOW: &str = "2026-11-22T12:00:00Z";

struct World {
    sandbox: Running,
    settings: BTreeMap<String, String>,
    http: Http,
    browser: reqwest::Client,
    vault: Arc<Memory>,
}

impl World {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let http = Http::new(Counters::default(), Timeouts::default()).unwrap();
        let sandbox = sandbox::serve(Options { now: Some(now()), ..options }).await.unwrap();
        let settings = sandbox
            .settings
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        Self { sandbox, settings, http, browser: reqwest::Client::new(), vault: Arc::default() }
    }

    fn base(&self, name: &str) -> Base {
        Base::new(self.settings[name].parse().unwrap()).unwrap()
    }

    fn gotrue(&self) -> GoTrue {
        GoTrue::new(self.http.clone(), self.base("supabase"), &self.settings["supabase_key"])
    }

    fn oauth(&self, scopes: &[&str]) -> oauth::Client {
        let secret = self.settings["google_client_secret"].as_str().into();
        let config = google::sign_in(
            self.base("google_auth"),
            self.base("google_token"),
            &self.settings["google_client_id"],
            Some(secret),
            scopes,
        );
        oauth::Client::new(self.http.clone(), config)
    }

    async fn consent(&self, scopes: &[&str]) -> Granted {
        let pending = self.oauth(scopes).begin().await.unwrap();
        let page = self.browser.get(pending.url().clone()).send();
        let (granted, page) = tokio::join!(pending.wait(), page);
        assert!(page.unwrap().text().await.unwrap().contains("Bookiji Companion takes it from here"));
        granted.unwrap()
    }

    async fn platform(&self) -> (Bookiji, Vendor) {
        let gotrue = self.gotrue();
        let password = self.sandbox.password.as_str().into();
        let session = gotrue.sign_in(&self.sandbox.email, &password).await.unwrap();
        let vendor = gotrue.vendor(&session).await.unwrap();
        let database = gotrue.database(&vendor.id);
        let tokens = Tokens::new(Arc::new(gotrue), self.vault.clone(), SecretName::bookiji());
        tokens.adopt(session.grant).await.unwrap();
        let platform = Bookiji::new(self.http.clone(), self.base("bookiji"), tokens);
        (platform.with_slots(database), vendor)
    }

    async fn google(&self, vendor: &Vendor) -> GoogleAccount {
        let granted = self.consent(google::SCOPES).await;
        self.google_with(granted.grant).await.for_vendor(&vendor.id)
    }

    async fn google_with(&self, grant: Grant) -> GoogleAccount {
        let owner = SecretName::connection(&"google-1".into());
        let tokens = Tokens::new(Arc::new(self.oauth(google::SCOPES)), self.vault.clone(), owner);
        tokens.adopt(grant).await.unwrap();
        GoogleAccount::new(self.http.clone(), self.base("google_api"), tokens)
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let url = Url::parse(&self.sandbox.base_url).unwrap().join(&format!("/_sandbox/{path}")).unwrap();
        let answer = self.browser.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let told = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{told}");
        told
    }

    async fn vendor_does(&self, action: &str, mut order: Value) -> Value {
        order["as"] = json!("vendor");
        order["do"] = json!(action);
        self.control("edit", order).await
    }

    async fn fault(&self, service: &str, kind: &str) {
        self.control("faults", json!({"service": service, "kind": kind, "times": 1})).await;
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn snapshot<Item, Key>(reading: Reading<Item, Key>) -> (Vec<Item>, Cursor)
where
    Reading<Item, Key>: std::fmt::Debug,
{
    match reading {
        Reading::Snapshot { items, cursor: Some(cursor), .. } => (items, cursor),
        other => panic!("{other:?}"),
    }
}

fn delta<Item, Key>(reading: Reading<Item, Key>) -> (Vec<Item>, Vec<Key>, Cursor)
where
    Reading<Item, Key>: std::fmt::Debug,
{
    match reading {
        Reading::Delta { changed, removed, cursor } => (changed, removed, cursor),
        other => panic!("{other:?}"),
    }
}

fn primary(calendars: &[CalendarEntry]) -> CalendarEntry {
    calendars.iter().find(|calendar| calendar.primary).unwrap().clone()
}

async fn ours(account: &GoogleAccount, vendor: &Vendor) -> (Box<dyn Calendar>, CalendarEntry) {
    let made = account.create_calendar("Bookiji", &vendor.time_zone, &vendor.id).await.unwrap();
    (account.calendar(&made.remote), made)
}

fn draft(booking: &Booking, calendar: &CalendarEntry, generation: u32) -> Draft {
    Draft::of(booking, Service::Google, &calendar.remote, generation)
}

#[tokio::test]
async fn a_vendor_signs_in_and_her_bookings_come_by_cursor() {
    let world = World::with(Options { bookings: 450, ..Options::default() }).await;
    let (platform, vendor) = world.platform().await;
    assert_eq!(vendor.time_zone, world.sandbox.vendor_zone);
    assert_eq!(vendor.email, world.sandbox.email);

    let (bookings, cursor) = snapshot(platform.bookings(None).await);
    assert!(bookings.len() >= 450, "{}", bookings.len());
    assert!(bookings.iter().all(|booking| booking.vendor == vendor.id && booking.start < booking.end));
    assert!(bookings.iter().any(|booking| booking.service_name.is_some()));

    world.http.counters().reset();
    let (changed, removed, cursor) = delta(platform.bookings(Some(&cursor)).await);
    assert!(changed.is_empty() && removed.is_empty());
    assert_eq!(world.http.counters().snapshot(), [("bookiji".to_owned(), 1)].into(), "idle is one request");

    let booked = world.control("edit", json!({"as": "customer", "do": "book"})).await;
    let (changed, _, _) = delta(platform.bookings(Some(&cursor)).await);
    assert_eq!(changed[0].id.as_str(), booked["booking"]["id"].as_str().unwrap());

    world.fault("bookiji", "cursor_lost").await;
    assert_eq!(platform.bookings(Some(&cursor)).await, Reading::CursorLost);
}

#[tokio::test]
async fn a_wrong_password_signs_nobody_in() {
    let world = World::new().await;
    let error = world.gotrue().sign_in(&world.sandbox.email, &"wrong".into()).await.unwrap_err();
    assert_eq!(error, SignInError::WrongPassword);
}

#[tokio::test]
async fn busy_time_is_published_and_the_same_again_changes_nothing() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    let at = |hours: i64| now() + hours.hours();
    let window = Interval::new(now(), at(24 * 30)).unwrap();
    let set = |intervals| BusySet::of(Service::Google, "cal-1".into(), window, intervals);
    let all_week = set(vec![Interval::new(at(1), at(24 * 7)).unwrap()]);
    let receipt = platform.put_busy(&all_week).await.unwrap();
    assert!(receipt.slots_closed > 0, "{receipt:?}");
    let again = platform.put_busy(&all_week).await.unwrap();
    assert_eq!((again.slots_closed, again.slots_reopened), (0, 0));
    let receipt = platform.put_busy(&set(vec![])).await.unwrap();
    assert!(receipt.slots_reopened > 0, "{receipt:?}");
}

#[tokio::test]
async fn her_calendar_is_read_once_and_then_by_what_changed() {
    let world = World::with(Options { events: 300, ..Options::default() }).await;
    let (_, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    let calendars = account.calendars().await.unwrap();
    let calendar = account.calendar(&primary(&calendars).remote);
    world.http.counters().reset();

    let (events, cursor) = snapshot(calendar.read(None, now()).await);
    assert!(events.len() > 100, "{}", events.len());
    assert!(events.iter().any(|event| event.event.repeats()), "series come as masters");
    assert!(events.iter().any(|event| event.event.instance.is_some()), "exceptions come beside them");
    let (changed, removed, cursor) = delta(calendar.read(Some(&cursor), now()).await);
    assert!(changed.is_empty() && removed.is_empty());
    assert_eq!(world.http.counters().snapshot(), [("google".to_owned(), 2)].into());

    let made = world
        .vendor_does(
            "create_event",
            json!({"summary": "Dentist", "start": "2026-11-25T10:00:00Z",
            "end": "2026-11-25T11:00:00Z"}),
        )
        .await;
    let id = made["event"]["id"].as_str().unwrap().to_owned();
    let (changed, _, cursor) = delta(calendar.read(Some(&cursor), now()).await);
    assert_eq!((changed[0].id.as_str(), changed[0].event.summary.as_str()), (id.as_str(), "Dentist"));
    world.vendor_does("delete_event", json!({"event": id})).await;
    let (changed, removed, cursor) = delta(calendar.read(Some(&cursor), now()).await);
    assert_eq!((changed.len(), removed), (0, vec![RemoteId::from(id.as_str())]));

    world.fault("google", "cursor_lost").await;
    assert_eq!(calendar.read(Some(&cursor), now()).await, Reading::CursorLost);
}

#[tokio::test]
async fn a_booking_becomes_an_event_and_lives_and_dies_with_its_preconditions() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let (bookings, _) = snapshot(platform.bookings(None).await);
    let booking = bookings.iter().find(|booking| booking.start > now()).unwrap();
    let account = world.google(&vendor).await;
    let (calendar, entry) = ours(&account, &vendor).await;
    let listed = account.calendars().await.unwrap();
    assert_eq!(listed.iter().find(|calendar| calendar.ours), Some(&entry));

    let mut draft = draft(booking, &entry, 0);
    assert_eq!(calendar.probe(&draft.id).await, Ok(Probe::Absent));
    let stored = calendar.create(&draft).await.unwrap();
    assert_eq!((&stored.id, &stored.event.summary), (&draft.id, &draft.title));
    assert_eq!(stored.marker.as_ref().unwrap().booking, booking.id);
    assert!(matches!(calendar.create(&draft).await, Err(ServiceError::Exists { .. })));
    assert_eq!(calendar.probe(&draft.id).await, Ok(Probe::Live(stored.clone())));

    draft.title = "Booking: Other".into();
    draft.start += 15.minutes();
    draft.end += 15.minutes();
    let updated = calendar.update(&stored.id, &stored.etag, &draft).await.unwrap();
    assert_eq!(updated.event.summary, "Booking: Other");
    assert_ne!(updated.etag, stored.etag);
    let stale = calendar.update(&stored.id, &stored.etag, &draft).await;
    assert!(matches!(stale, Err(ServiceError::Stale { .. })));
    assert!(matches!(calendar.delete(&stored.id, &stored.etag).await, Err(ServiceError::Stale { .. })));

    // She makes it all-day and gives it her own words; we move it and touch nothing else.
    let her = json!({"calendar": entry.remote.as_str(), "event": stored.id.as_str(), "fields": {
        "summary": "Mrs Roy", "colorId": "4", "start": {"date": "2026-12-01", "dateTime": null, "timeZone": null},
        "end": {"date": "2026-12-02", "dateTime": null, "timeZone": null}}});
    world.vendor_does("edit_event", her).await;
    let Ok(Probe::Live(hers)) = calendar.probe(&stored.id).await else { panic!("it is there") };
    assert!(hers.event.is_all_day());
    draft.times_only = true;
    let moved = calendar.update(&stored.id, &hers.etag, &draft).await.unwrap();
    assert_eq!(moved.event.summary, "Mrs Roy");
    assert_eq!(moved.event.start, calendar::event::When::Utc(draft.start));
    assert_eq!(moved.marker, hers.marker);

    calendar.delete(&stored.id, &moved.etag).await.unwrap();
    assert!(matches!(calendar.delete(&stored.id, &moved.etag).await, Err(ServiceError::Gone { .. })));
    assert_eq!(calendar.probe(&stored.id).await, Ok(Probe::Burnt));
    draft.times_only = false;
    assert!(matches!(calendar.create(&draft).await, Err(ServiceError::Exists { .. })), "the id is burnt");
    let next = self::draft(booking, &entry, 1);
    assert!(calendar.create(&next).await.is_ok());
}

#[tokio::test]
async fn what_we_wrote_reads_back_as_it_was_echoed() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let (bookings, _) = snapshot(platform.bookings(None).await);
    let account = world.google(&vendor).await;
    let (calendar, entry) = ours(&account, &vendor).await;
    let mut echoed: Vec<RemoteEvent> = Vec::new();
    for booking in bookings.iter().filter(|booking| booking.start > now()).take(5) {
        echoed.push(calendar.create(&draft(booking, &entry, 0)).await.unwrap());
    }
    let (mut read, _) = snapshot(calendar.read(None, now()).await);
    read.sort_by(|a, b| a.id.cmp(&b.id));
    echoed.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(read, echoed);
}

#[tokio::test]
async fn every_fault_of_a_listing_is_named_and_the_next_reading_is_whole() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    let calendar = account.calendar(&primary(&account.calendars().await.unwrap()).remote);
    let (events, _) = snapshot(calendar.read(None, now()).await);
    let (bookings, _) = snapshot(platform.bookings(None).await);
    let faults: [(&str, Expected); 7] = [
        ("status:500", |error| matches!(error, ServiceError::Failing { .. })),
        // Bookiji's 503 says when to come back, Google's does not.
        ("status:503", |error| {
            matches!(error, ServiceError::Failing { .. } | ServiceError::RateLimited { .. })
        }),
        (
            "rate_limited",
            |error| matches!(error, ServiceError::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 2),
        ),
        ("html", |error| matches!(error, ServiceError::Garbled { .. })),
        ("truncated", |error| matches!(error, ServiceError::Garbled { .. })),
        ("reset", |error| matches!(error, ServiceError::Unreachable { .. })),
        ("reply_lost", |error| matches!(error, ServiceError::Unreachable { .. })),
    ];
    for (kind, expected) in faults {
        world.fault("google", kind).await;
        let reading = calendar.read(None, now()).await;
        assert!(matches!(&reading, Reading::Failed(error) if expected(error)), "google {kind} {reading:?}");
        world.fault("bookiji", kind).await;
        let reading = platform.bookings(None).await;
        assert!(matches!(&reading, Reading::Failed(error) if expected(error)), "bookiji {kind} {reading:?}");
        assert_eq!(snapshot(calendar.read(None, now()).await).0, events, "{kind}");
        assert_eq!(snapshot(platform.bookings(None).await).0, bookings, "{kind}");
    }
    for kind in ["short_page", "duplicate_page", "reordered"] {
        world.fault("google", kind).await;
        world.fault("bookiji", kind).await;
        assert_eq!(snapshot(calendar.read(None, now()).await).0, events, "{kind}");
        assert_eq!(snapshot(platform.bookings(None).await).0, bookings, "{kind}");
    }
    world.fault("google", "calendar_gone").await;
    let reading = calendar.read(None, now()).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Gone { .. })), "{reading:?}");
}

#[tokio::test]
async fn a_create_whose_reply_was_lost_is_found_under_its_id() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let (bookings, _) = snapshot(platform.bookings(None).await);
    let account = world.google(&vendor).await;
    let (calendar, entry) = ours(&account, &vendor).await;
    let draft = draft(&bookings[0], &entry, 0);
    world.fault("google", "reply_lost").await;
    let error = calendar.create(&draft).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    assert!(matches!(calendar.probe(&draft.id).await, Ok(Probe::Live(event)) if event.marker.is_some()));
}

#[tokio::test]
async fn a_sign_in_that_was_revoked_says_so_and_is_not_asked_again() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    world.fault("google", "token_revoked").await;
    let error = account.calendars().await.unwrap_err();
    assert!(matches!(error, ServiceError::SignInExpired { .. }), "{error}");
    world.fault("bookiji", "token_revoked").await;
    let reading = platform.bookings(None).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::SignInExpired { .. })), "{reading:?}");
}

#[tokio::test]
async fn a_session_goes_on_over_many_rotations() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    for _ in 0..4 {
        world.control("clock", json!({"advance_s": 3700})).await;
        assert!(matches!(platform.bookings(None).await, Reading::Snapshot { .. }));
        assert!(!account.calendars().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_refresh_whose_reply_was_lost_does_not_sign_her_out() {
    let world = World::new().await;
    let (platform, _) = world.platform().await;
    world.control("clock", json!({"advance_s": 3700})).await;
    world.fault("bookiji_auth", "reply_lost").await;
    let reading = platform.bookings(None).await;
    assert!(matches!(reading, Reading::Snapshot { .. }), "{reading:?}");
}

#[tokio::test]
async fn her_consent_names_the_account_and_what_she_left_out() {
    let world = World::new().await;
    let granted = world.consent(google::SCOPES).await;
    assert!(granted.missing.is_empty(), "{:?}", granted.missing);
    assert!(granted.account_email.unwrap().contains('@'));
    let granted = world.consent(google::SCOPES_FOR_HER_OWN_CALENDAR).await;
    assert!(granted.missing.is_empty(), "{:?}", granted.missing);
}

#[tokio::test]
async fn the_default_grant_cannot_write_into_her_own_calendar() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let (bookings, _) = snapshot(platform.bookings(None).await);
    let account = world.google(&vendor).await;
    let own = primary(&account.calendars().await.unwrap());
    let refused = account.calendar(&own.remote).create(&draft(&bookings[0], &own, 0)).await;
    // With this grant Google does not see a calendar that the app did not make.
    assert!(
        matches!(refused, Err(ServiceError::Forbidden { .. } | ServiceError::Gone { .. })),
        "{refused:?}"
    );
    let granted = world.consent(google::SCOPES_FOR_HER_OWN_CALENDAR).await;
    let account = world.google_with(granted.grant).await;
    let calendar = account.calendar(&own.remote);
    assert!(calendar.create(&draft(&bookings[0], &own, 0)).await.is_ok());
}

#[tokio::test]
async fn a_sandbox_that_is_down_is_unreachable_and_nothing_is_forgotten() {
    let world = World::new().await;
    let (platform, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    let World { sandbox, .. } = world;
    sandbox.stop().await;
    let reading = platform.bookings(None).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Unreachable { .. })), "{reading:?}");
    let started = std::time::Instant::now();
    assert!(matches!(account.calendars().await, Err(ServiceError::Unreachable { .. })));
    assert!(started.elapsed() < Duration::from_secs(5));
}
