//! Calendar links as the engine meets them: a feed that turns into something else, comes in half, comes back, or whose
//! link cannot be had right now. The feed is the sandbox's, the rest of the world stands in memory.

use std::sync::Arc;

use connectors::http::Counters;
use connectors::ics::{self, FeedAddress, Fetcher, Limits, system_names};
use connectors::vault::{Memory, SecretName, Vault};
use jiff::{SignedDuration, Timestamp};
use sandbox::Running;
use serde_json::{Value, json};
use sync::error::Code;
use sync::ids::{CalendarId, ConnectionId, Service};
use sync::ports::CalendarEntry;
use sync::report::{ReadOutcome, Report};
use sync::world::{Connection, ConnectionState, LinkedCalendar, Role};
use tests::world::World;

/// A vendor with one calendar link, and its publisher.
struct Story {
    world: World,
    sandbox: Running,
    browser: reqwest::Client,
    vault: Arc<Memory>,
    connection: ConnectionId,
    calendar: CalendarId,
}

impl Story {
    async fn new(text: &str) -> Self {
        let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
        let sandbox = sandbox::serve(sandbox::Options::default()).await.expect("a sandbox");
        let link = format!("{}/feeds/club.ics", sandbox.base_url);
        let address = FeedAddress::parse(&link).expect("a link");
        let connection = ConnectionId::of(Service::Ics, &address.digest());
        let fetcher = Fetcher::new(Counters::default(), Limits::default(), system_names()).expect("a stack");
        let vault = Arc::new(Memory::default());
        let secret = SecretName::connection(&connection);
        vault.put(&secret, &address.secret().into()).await.expect("a vault");
        let account =
            ics::Account::new(fetcher, vault.clone(), secret, &address.host(), &["amelie@example.com"]);
        let now = world.at(0);
        let entry = CalendarEntry {
            remote: ics::REMOTE.into(),
            name: "Club".to_owned(),
            time_zone: None,
            writable: false,
            primary: true,
            ours: false,
        };
        let calendar = LinkedCalendar::new(&connection, &entry, Role::Busy, 5, now);
        let linked = Connection {
            id: connection.clone(),
            service: Service::Ics,
            account: address.host(),
            state: ConnectionState::Connected,
            created_at: now,
            error: None,
            backoff_until: None,
            error_count: 0,
        };
        world.mirror.put_connection(&linked).expect("a connection");
        world.mirror.put_calendar(&calendar).expect("a calendar");
        world.accounts.insert(connection.clone(), Box::new(account));
        let browser = reqwest::Client::builder().no_proxy().build().expect("a browser");
        let story = Self { world, sandbox, browser, vault, connection, calendar: calendar.id };
        story.publish(text).await;
        story
    }

    async fn publish(&self, text: &str) {
        let edit = json!({"as": "publisher", "do": "put_feed", "name": "club.ics", "text": text});
        self.control("edit", &edit).await;
    }

    async fn control(&self, what: &str, body: &Value) {
        let url = format!("{}/_sandbox/{what}", self.sandbox.base_url);
        let answer = self.browser.post(url).json(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{what} {body}");
    }

    fn row(&self) -> LinkedCalendar {
        self.world.mirror.world().expect("a world").calendars[&self.calendar].clone()
    }

    fn connection(&self) -> Connection {
        self.world.mirror.world().expect("a world").connections[&self.connection].clone()
    }

    fn outcome(&self, report: &Report) -> ReadOutcome {
        let source = report.busy.sources.iter().find(|source| source.id == self.calendar);
        source.expect("the feed is a source").outcome
    }
}

fn event(uid: &str, start: Timestamp, hours: i64) -> String {
    let start = start.strftime("%Y%m%dT%H%M%SZ");
    format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:{start}\r\nDURATION:PT{hours}H\r\nEND:VEVENT\r\n")
}

fn feed(events: &[String]) -> String {
    format!("BEGIN:VCALENDAR\r\nREFRESH-INTERVAL:PT6H\r\n{}END:VCALENDAR\r\n", events.concat())
}

fn noon() -> Timestamp {
    tests::world::NOON.parse().expect("a time")
}

fn at(hours: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn a_feed_that_turns_into_a_page_keeps_its_busy_time_and_takes_the_new_one_when_it_comes_back() {
    let mut story = Story::new(&feed(&[event("a", at(20), 2), event("b", at(40), 1)])).await;
    story.world.sync().await;
    let known = vec![(at(20), at(22)), (at(40), at(41))];
    assert_eq!(story.world.published_busy(), known);
    story.world.assert_settled().await;

    story.publish("<html>Welcome! Please sign in.</html>").await;
    let report = story.world.sync().await;
    assert_eq!(story.outcome(&report), ReadOutcome::Failed);
    assert_eq!(report.errors[0].code, Code::InvalidIcsFormat, "{report:#?}");
    assert_eq!(story.world.published_busy(), known);
    let failed = story.connection();
    assert_eq!((failed.state, failed.error_count), (ConnectionState::Connected, 1));
    assert!(story.row().last_sync_error.is_some());

    story.publish(&feed(&[event("b", at(40), 2)])).await;
    let report = story.world.sync().await;
    assert_eq!(story.outcome(&report), ReadOutcome::Snapshot);
    assert_eq!(story.world.published_busy(), vec![(at(40), at(42))]);
    assert_eq!((story.connection().error, story.row().last_sync_error), (None, None));
    story.world.assert_settled().await;
}

#[tokio::test]
async fn half_a_feed_closes_what_it_shows_and_reopens_nothing() {
    let mut story = Story::new(&feed(&[event("a", at(20), 2), event("b", at(40), 3)])).await;
    story.world.sync().await;
    let before = story.row().cursor;
    // The first moved, another is new, and the cut goes through a shorter version of the last.
    let longer = feed(&[event("a", at(30), 2), event("c", at(50), 1), event("b", at(40), 1)]);
    let cut = longer.rfind("END:VEVENT").expect("an event");
    story.publish(&longer[..cut]).await;
    let report = story.world.sync().await;
    assert_eq!(story.outcome(&report), ReadOutcome::Partial, "{report:#?}");
    assert_eq!(
        story.world.published_busy(),
        vec![(at(20), at(22)), (at(30), at(32)), (at(40), at(43)), (at(50), at(51))],
        "what was busy stays so until all of the feed has been read"
    );
    assert_eq!(story.row().cursor, before, "the next reading starts where the last whole one ended");
    story.publish(&longer).await;
    story.world.sync().await;
    assert_eq!(story.world.published_busy(), vec![(at(30), at(32)), (at(40), at(41)), (at(50), at(51))]);
    story.world.assert_settled().await;
}

#[tokio::test]
async fn the_next_reading_is_told_by_the_publisher_s_rhythm_and_after_a_failure_by_the_back_off() {
    let mut story = Story::new(&feed(&[])).await;
    story.world.sync().await;
    assert_eq!(story.row().next_sync_at, Some(at(6)));
    story.control("faults", &json!({"service": "feeds", "kind": "status:404"})).await;
    story.world.sync().await;
    let row = story.row();
    assert_eq!(row.next_sync_at, Some(noon() + SignedDuration::from_secs(60)), "{row:?}");
    assert_eq!(row.next_sync_at, story.connection().backoff_until);
}

#[tokio::test]
async fn a_keychain_that_is_locked_is_waited_for_and_signs_nobody_out() {
    let mut story = Story::new(&feed(&[event("a", at(20), 2)])).await;
    story.world.sync().await;
    story.vault.set_locked(true);
    let report = story.world.sync().await;
    assert_eq!(report.errors[0].code, Code::KeychainUnavailable, "{report:#?}");
    assert_eq!(story.connection().state, ConnectionState::Connected);
    assert_eq!(story.world.published_busy(), vec![(at(20), at(22))]);
    story.vault.set_locked(false);
    assert!(story.world.sync().await.errors.is_empty());
    story.world.assert_settled().await;
}

#[tokio::test]
async fn her_own_bookings_in_a_feed_of_her_calendar_block_nothing_and_what_she_declined_neither() {
    let declined = event("party", at(60), 5)
        .replace("END:VEVENT", "ATTENDEE;PARTSTAT=DECLINED:mailto:amelie@example.com\r\nEND:VEVENT");
    let mut story =
        Story::new(&feed(&[event("b-1@bookiji.com", at(20), 1), event("x", at(30), 1), declined])).await;
    story.world.customer_books("b-1", 20);
    story.world.sync().await;
    assert_eq!(story.world.published_busy(), vec![(at(30), at(31))]);
}
