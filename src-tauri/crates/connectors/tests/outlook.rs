//! Outlook's adapter against the sandbox's Graph, which behaves as Microsoft's does, traps included.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "the helpers of a test may fail it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::busy::{BusyRules, place};
use calendar::interval::Interval;
use connectors::http::{Base, Counters, Gate, Http, Timeouts};
use connectors::oauth::Client;
use connectors::outlook::{self, Authority, OutlookAccount, OutlookCalendar};
use connectors::tokens::Tokens;
use connectors::vault::{Memory, SecretName};
use jiff::{SignedDuration, Timestamp};
use sandbox::{Options, Running};
use serde_json::{Value, json};
use sync::booking::{Booking, BookingStatus, Draft};
use sync::decide::says;
use sync::error::ServiceError;
use sync::ids::{Cursor, RemoteId, Service};
use sync::ports::{Account, Calendar, Coverage, Probe, Reading, RemoteEvent};
use url::Url;

const NOW: &str = "2026-11-22T12:00:00Z";
const DELTA: &str = "GET /v1.0/me/calendars/{calendar}/calendarView/delta";

struct World {
    sandbox: Running,
    http: Http,
    browser: reqwest::Client,
    account: OutlookAccount,
}

impl World {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// Her account, connected through the browser.
    async fn with(options: Options) -> Self {
        let http = Http::new(Counters::default(), Timeouts::default()).unwrap();
        let sandbox = sandbox::serve(Options { now: Some(NOW.parse().unwrap()), ..options }).await.unwrap();
        let settings: BTreeMap<String, String> = sandbox
            .settings
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        let base = |name: &str| Base::new(settings[name].parse().unwrap()).unwrap();
        let authority =
            Authority { login: base("microsoft_login"), tenant: "common".into(), graph: base("graph") };
        let client =
            Client::new(http.clone(), outlook::sign_in(&authority, &settings["microsoft_client_id"]));
        let browser = reqwest::Client::new();
        let pending = client.begin().await.unwrap();
        let page = browser.get(pending.url().clone()).send();
        let (granted, page) = tokio::join!(pending.wait(), page);
        assert!(page.unwrap().status().is_success());
        let granted = granted.unwrap();
        assert_eq!(outlook::missing(&granted), Vec::<&str>::new());
        let address = outlook::address(&http, &base("graph"), &granted.grant.access).await.unwrap();
        assert_eq!(address, sandbox.email);
        let tokens = Tokens::paced(
            Arc::new(client),
            Arc::new(Memory::default()),
            SecretName::connection(&"outlook-1".into()),
            // Its pace is tried elsewhere.
            Gate::of(600_000, 4),
        );
        tokens.adopt(granted.grant).await.unwrap();
        let account = OutlookAccount::new(http.clone(), base("graph"), tokens);
        let account = account.for_vendor(&"v-1".into()).days_ahead(30);
        Self { sandbox, http, browser, account }
    }

    async fn own(&self) -> OutlookCalendar {
        let listed = self.account.calendars().await.unwrap();
        let own = listed.iter().find(|entry| entry.primary).unwrap();
        self.account.outlook_calendar(&own.remote)
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let url = Url::parse(&self.sandbox.base_url).unwrap().join(&format!("/_sandbox/{path}")).unwrap();
        let answer = self.browser.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let told = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{told}");
        told
    }

    async fn she(&self, action: &str, mut order: Value) -> Value {
        (order["as"], order["do"], order["service"]) = (json!("vendor"), json!(action), json!("outlook"));
        self.control("edit", order).await
    }

    async fn fault(&self, kind: &str, route: Option<&str>) {
        let mut fault = json!({"service": "outlook", "kind": kind, "times": 1});
        if let Some(route) = route {
            fault["route"] = json!(route);
        }
        self.control("faults", fault).await;
    }

    async fn heal(&self) {
        let url = format!("{}/_sandbox/faults", self.sandbox.base_url);
        assert!(self.browser.delete(url).send().await.unwrap().status().is_success());
    }

    /// Requests that were sent to Graph while `what` went on.
    async fn counted<T>(&self, what: impl Future<Output = T>) -> (T, u64) {
        let before = self.http.counters().snapshot().get("outlook").copied().unwrap_or_default();
        let done = what.await;
        (done, self.http.counters().snapshot()["outlook"] - before)
    }
}

fn since() -> Timestamp {
    "2026-11-22T05:00:00Z".parse().unwrap()
}

fn after(hours: i64) -> Timestamp {
    since().saturating_add(SignedDuration::from_hours(hours)).unwrap()
}

fn draft(calendar: &OutlookCalendar, id: &str, hours: i64) -> Draft {
    let booking = Booking {
        id: id.into(),
        vendor: "v-1".into(),
        status: BookingStatus::Confirmed,
        start: after(hours),
        end: after(hours + 1),
        service_name: Some("Haircut".into()),
        customer_name: None,
        customer_email: None,
        notes: Some("Please be on time".into()),
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    Draft::of(&booking, Service::Outlook, calendar.remote(), 0)
}

async fn snapshot(calendar: &OutlookCalendar) -> (Vec<RemoteEvent>, Cursor) {
    match calendar.read(None, since()).await {
        Reading::Snapshot { items, cursor: Some(cursor), coverage: Coverage::Overlapping(_) } => {
            (items, cursor)
        }
        other => panic!("{other:?}"),
    }
}

async fn delta(calendar: &OutlookCalendar, cursor: &Cursor) -> (Vec<RemoteEvent>, Vec<RemoteId>, Cursor) {
    match calendar.read(Some(cursor), since()).await {
        Reading::Delta { changed, removed, cursor } => (changed, removed, cursor),
        other => panic!("{other:?}"),
    }
}

/// What the mirror makes of a delta.
fn take(rows: &mut BTreeMap<RemoteId, RemoteEvent>, changed: Vec<RemoteEvent>, removed: &[RemoteId]) {
    for id in removed {
        rows.remove(id);
    }
    rows.extend(changed.into_iter().map(|event| (event.id.clone(), event)));
}

fn busy<'a>(events: impl IntoIterator<Item = &'a RemoteEvent>) -> Vec<Interval> {
    let events: Vec<_> = events.into_iter().map(|event| event.event.clone()).collect();
    let window = Interval::new(since(), after(24 * 31)).unwrap();
    place(&events, &BusyRules::default(), window, &jiff::tz::TimeZone::get("America/Toronto").unwrap()).busy()
}

#[tokio::test]
async fn a_booking_is_written_moved_and_deleted_and_each_answer_is_what_the_next_reading_tells() {
    let world = World::new().await;
    let made = world.account.create_calendar("Bookiji", "America/Toronto", &"v-1".into()).await.unwrap();
    let listed = world.account.calendars().await.unwrap();
    assert!(
        listed.iter().any(|entry| entry.remote == made.remote && entry.ours && entry.writable),
        "{listed:?}"
    );
    let calendar = world.account.outlook_calendar(&made.remote);
    let (items, cursor) = snapshot(&calendar).await;
    assert!(items.is_empty());

    let draft = draft(&calendar, "b-1", 30);
    let stored = calendar.create(&draft).await.unwrap();
    assert!(says(&stored, &draft), "{stored:?}");
    assert_eq!((stored.key(), stored.marker.as_ref().unwrap().booking.as_str()), (&draft.id, "b-1"));
    assert!(matches!(calendar.create(&draft).await, Err(ServiceError::Exists { .. })), "409 with its id");
    assert!(matches!(calendar.create(&draft).await, Err(ServiceError::Exists { .. })), "400 without");
    let Probe::Live(found) = calendar.find(&draft).await.unwrap() else { panic!("it is there") };
    assert_eq!(found, stored);
    let (changed, removed, cursor) = delta(&calendar, &cursor).await;
    assert_eq!((changed.len(), removed.len()), (1, 0));
    assert_eq!(RemoteEvent { marker: stored.marker.clone(), ..changed[0].clone() }, stored);

    let moved = Draft { start: after(40), end: after(41), ..draft.clone() };
    let now = calendar.update(&stored.id, &stored.etag, &moved).await.unwrap();
    assert!(says(&now, &moved) && now.etag != stored.etag);
    assert!(matches!(
        calendar.update(&stored.id, &stored.etag, &draft).await,
        Err(ServiceError::Stale { .. })
    ));
    assert!(matches!(calendar.delete(&stored.id, &stored.etag).await, Err(ServiceError::Stale { .. })));
    calendar.delete(&stored.id, &now.etag).await.unwrap();
    assert!(matches!(calendar.delete(&stored.id, &now.etag).await, Err(ServiceError::Gone { .. })));
    assert_eq!(calendar.probe(&stored.id).await.unwrap(), Probe::Burnt);
    let (changed, removed, _) = delta(&calendar, &cursor).await;
    assert_eq!((changed.len(), removed), (0, vec![stored.id]));
    world.account.delete_calendar(&made.remote).await.unwrap();
    assert_eq!(calendar.probe(&found.id).await.unwrap(), Probe::Absent);
}

#[tokio::test]
async fn the_counts_are_the_protocols_least() {
    let world = World::new().await;
    let calendar = world.own().await;
    let drafts: Vec<Draft> = (0..1000).map(|n| draft(&calendar, &format!("b-{n}"), 24 + n % 600)).collect();
    let (made, requests) = world.counted(calendar.create_many(&drafts[..100])).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(requests, 5, "a hundred bookings");
    let (made, requests) = world.counted(calendar.create_many(&drafts)).await;
    assert_eq!(requests, 50);
    let twice = made.iter().filter(|made| matches!(made, Err(ServiceError::Exists { .. }))).count();
    assert_eq!((twice, made.iter().filter(|made| made.is_ok()).count()), (100, 900), "none is made twice");
    let ((items, cursor), requests) = world.counted(snapshot(&calendar)).await;
    assert_eq!((items.len(), requests), (1000, 4), "a thousand events in pages of 250");
    let ((changed, removed, _), requests) = world.counted(delta(&calendar, &cursor)).await;
    assert_eq!((changed.len(), removed.len(), requests), (0, 0, 1), "nothing happened");
}

#[tokio::test]
async fn a_life_read_by_changes_blocks_what_a_life_read_anew_blocks() {
    let world = World::with(Options { outlook: true, ..Options::default() }).await;
    for entry in world.account.calendars().await.unwrap() {
        let calendar = world.account.outlook_calendar(&entry.remote);
        let (items, mut cursor) = snapshot(&calendar).await;
        let mut rows = BTreeMap::new();
        take(&mut rows, items, &[]);
        let series: Vec<RemoteId> =
            rows.values().filter(|row| row.event.repeats()).map(|row| row.id.clone()).collect();
        assert!(!entry.primary || (series.len() > 1 && rows.len() > 10), "{} {}", series.len(), rows.len());
        if !entry.writable {
            continue;
        }
        // Singles and whole series go, one after the other.
        for id in rows
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .into_iter()
            .filter(|id| !id.as_str().contains('#'))
            .take(12)
        {
            world.she("delete_event", json!({"event": id.as_str()})).await;
            let (changed, removed, next) = delta(&calendar, &cursor).await;
            take(&mut rows, changed, &removed);
            cursor = next;
            let (anew, _) = snapshot(&calendar).await;
            assert_eq!(busy(rows.values()), busy(&anew), "{id} of {}", entry.name);
        }
    }
}

#[tokio::test]
async fn an_event_outside_of_the_stretch_is_not_taken_for_deleted() {
    let world = World::new().await;
    let calendar = world.own().await;
    let (_, cursor) = snapshot(&calendar).await;
    let far = draft(&calendar, "far", 24 * 300);
    let stored = calendar.create(&far).await.unwrap();
    let (changed, removed, cursor) = delta(&calendar, &cursor).await;
    assert_eq!((changed.len(), removed.len()), (1, 0), "{changed:?} {removed:?}");
    assert_eq!(changed[0].id, stored.id);
    calendar.delete(&stored.id, &stored.etag).await.unwrap();
    let (changed, removed, _) = delta(&calendar, &cursor).await;
    assert_eq!((changed.len(), removed), (0, vec![stored.id]));
}

/// Graph answers for it under the old calendar as before.
#[tokio::test]
async fn an_event_that_she_moves_to_another_calendar_stands_in_that_one_alone() {
    let world = World::new().await;
    let calendar = world.own().await;
    let other = world.account.create_calendar("Other", "UTC", &"v-1".into()).await.unwrap();
    let other = world.account.outlook_calendar(&other.remote);
    let (_, cursor) = snapshot(&calendar).await;
    let (_, at_other) = snapshot(&other).await;
    let near = calendar.create(&draft(&calendar, "near", 30)).await.unwrap();
    let far = calendar.create(&draft(&calendar, "far", 24 * 300)).await.unwrap();
    let stays = calendar.create(&draft(&calendar, "stays", 24 * 301)).await.unwrap();
    let (_, _, cursor) = delta(&calendar, &cursor).await;
    for moved in [&near, &far] {
        let to = other.remote().as_str();
        world.she("move_to_calendar", json!({"event": moved.id.as_str(), "to": to})).await;
    }
    world.she("edit_event", json!({"event": stays.id.as_str(), "fields": {"subject": "Later"}})).await;
    let ((changed, mut removed, _), requests) = world.counted(delta(&calendar, &cursor)).await;
    removed.sort();
    let mut expected = vec![near.id.clone(), far.id.clone()];
    expected.sort();
    assert_eq!(removed, expected);
    assert_eq!(changed.iter().map(|event| &event.id).collect::<Vec<_>>(), [&stays.id], "far off, and here");
    assert_eq!(requests, 3, "the changes, a closer look, and what the calendar lists");
    assert_eq!(calendar.probe(&near.id).await.unwrap(), Probe::Burnt);
    assert!(matches!(other.probe(&near.id).await.unwrap(), Probe::Live(_)));
    let (changed, _, _) = delta(&other, &at_other).await;
    assert!(changed.iter().any(|event| event.id == near.id), "{changed:?}");
}

#[tokio::test]
async fn a_series_that_she_moves_to_another_calendar_blocks_no_time_in_the_old_one() {
    let world = World::with(Options { outlook: true, ..Options::default() }).await;
    let calendar = world.own().await;
    let other = world.account.create_calendar("Other", "UTC", &"v-1".into()).await.unwrap();
    let (items, mut cursor) = snapshot(&calendar).await;
    let mut rows = BTreeMap::new();
    take(&mut rows, items, &[]);
    let is_series = |row: &&RemoteEvent| row.event.repeats() && !row.id.as_str().contains('#');
    let series: Vec<RemoteId> = rows.values().filter(is_series).map(|row| row.id.clone()).collect();
    assert!(series.len() > 1, "{series:?}");
    for id in series {
        let to = other.remote.as_str();
        world.she("move_to_calendar", json!({"event": id.as_str(), "to": to})).await;
        let (changed, removed, next) = delta(&calendar, &cursor).await;
        assert!(removed.contains(&id), "{id}");
        take(&mut rows, changed, &removed);
        cursor = next;
        let (anew, _) = snapshot(&calendar).await;
        assert_eq!(busy(rows.values()), busy(&anew), "{id}");
    }
}

#[tokio::test]
async fn a_cursor_that_is_lost_is_told_in_every_spelling() {
    let world = World::new().await;
    let calendar = world.own().await;
    let (_, cursor) = snapshot(&calendar).await;
    for _ in 0..4 {
        world.fault("cursor_lost", None).await;
        assert_eq!(calendar.read(Some(&cursor), since()).await, Reading::CursorLost);
    }
    delta(&calendar, &cursor).await;
}

#[tokio::test]
async fn every_fault_of_a_reading_ends_it_honestly_and_the_next_heals() {
    let world = World::with(Options { outlook: true, ..Options::default() }).await;
    let calendar = world.own().await;
    let (whole, cursor) = snapshot(&calendar).await;
    for kind in [
        "status:401",
        "status:403",
        "status:404",
        "status:410",
        "status:500",
        "status:503",
        "status:504",
        "status:509",
        "rate_limited",
        "reply_lost",
        "reset",
        "truncated",
        "html",
        "slow:20",
    ] {
        for cursor in [None, Some(&cursor)] {
            world.fault(kind, Some(DELTA)).await;
            match calendar.read(cursor, since()).await {
                Reading::Failed(_) | Reading::Partial { .. } => {}
                Reading::CursorLost => assert!(cursor.is_some() && kind == "status:410", "{kind}"),
                // A refused token is renewed, and slow is not wrong.
                Reading::Snapshot { items, .. } => {
                    assert!(matches!(kind, "status:401" | "slow:20"), "{kind}");
                    assert_eq!(items, whole);
                }
                Reading::Delta { .. } => assert!(matches!(kind, "status:401" | "slow:20"), "{kind}"),
            }
            world.heal().await;
            let (healed, _) = snapshot(&calendar).await;
            assert_eq!(busy(&healed), busy(&whole), "after {kind}");
        }
    }
    for kind in ["short_page", "duplicate_page", "reordered"] {
        world.control("faults", json!({"service": "outlook", "kind": kind})).await;
        let (bent, _) = snapshot(&calendar).await;
        assert_eq!(busy(&bent), busy(&whole), "{kind}");
        world.heal().await;
    }
}

#[tokio::test]
async fn whatever_becomes_of_a_create_one_event_stands() {
    let world = World::new().await;
    let calendar = world.own().await;
    for (number, kind) in
        ["status:500", "status:503", "status:412", "rate_limited", "reply_lost", "reset", "truncated", "html"]
            .into_iter()
            .enumerate()
    {
        let draft = draft(&calendar, &format!("b-{kind}"), 30 + 2 * i64::try_from(number).unwrap());
        world.fault(kind, Some("POST /v1.0/me/calendars/{calendar}/events")).await;
        let error = calendar.create(&draft).await.unwrap_err();
        assert!(error.may_pass(), "{kind}: {error:?}");
        world.heal().await;
        let stands = match calendar.find(&draft).await.unwrap() {
            Probe::Live(event) => event,
            Probe::Absent | Probe::Burnt => calendar.create(&draft).await.unwrap(),
        };
        assert!(says(&stands, &draft));
        assert!(matches!(calendar.create(&draft).await, Err(ServiceError::Exists { .. })), "{kind}");
    }
    let (items, _) = snapshot(&calendar).await;
    assert_eq!(items.iter().filter(|event| event.created_as.is_some()).count(), 8);
}
