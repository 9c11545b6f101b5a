//! Bookiji as it is today: its rows by cursor, its slots one by one, and what it cannot do said in words.

use std::sync::Arc;
use std::time::Duration;

use calendar::interval::Interval;
use connectors::bookiji::rest::Rest;
use connectors::bookiji::{Bookiji, Interface, Site, Told};
use connectors::tokens::Tokens;
use connectors::vault::SecretName;
use jiff::{SignedDuration, Timestamp};
use sandbox::Options;
use serde_json::{Value, json};
use sync::booking::BookingStatus;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor};
use sync::lease::Installation;
use sync::ports::{Coverage, Platform, Reading, Slot};

use super::{Expected, World, delta, now, snapshot};

const BOOKINGS: &str = "/rest/v1/bookings";
const SLOTS: &str = "/rest/v1/availability_slots";
const MOVE: &str = "/rest/v1/rpc/reschedule_booking_atomically";

struct Today {
    world: World,
    rest: Rest,
    site: Site,
}

impl Today {
    async fn new() -> Self {
        Self::with(Options { faithful: true, ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let world = World::with(options).await;
        let gotrue = world.gotrue();
        let password = world.sandbox.password.as_str().into();
        let session = gotrue.sign_in(&world.sandbox.email, &password).await.unwrap();
        let vendor = gotrue.vendor(&session).await.unwrap();
        let database = gotrue.database(&vendor.id);
        let tokens = Tokens::new(Arc::new(gotrue), world.vault.clone(), SecretName::bookiji());
        tokens.adopt(session.grant).await.unwrap();
        let base = world.base("bookiji");
        let contract = Bookiji::new(world.http.clone(), base.clone(), tokens.clone());
        let rest = Rest::new(world.http.clone(), base, tokens, database.clone());
        let site = Site::new(contract.with_slots(database), rest.clone(), Told::default());
        world.http.counters().reset();
        Self { world, rest, site }
    }

    async fn fault_at(&self, route: &str, kind: &str) {
        let fault = json!({"service": "bookiji", "route": route, "kind": kind, "times": 1});
        self.world.control("faults", fault).await;
    }

    fn requests(&self) -> u64 {
        self.world.http.counters().reset().get("bookiji").copied().unwrap_or_default()
    }

    async fn state(&self) -> Value {
        let url = format!("{}/_sandbox/state", self.world.sandbox.base_url);
        self.world.browser.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn live(&self) -> (BookingId, Interval) {
        let state = self.state().await;
        let bookings = state["bookings"].as_array().unwrap().iter();
        let coming = |b: &&Value| b["status"] == "confirmed" && b["start"].as_str() > state["now"].as_str();
        let found = bookings.filter(coming).min_by_key(|b| b["start"].as_str().unwrap().to_owned()).unwrap();
        let at = |name: &str| found[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        (found["id"].as_str().unwrap().into(), Interval::new(at("start"), at("end")).unwrap())
    }

    async fn free(&self) -> Vec<Slot> {
        let window = Interval::new(now(), now() + SignedDuration::from_hours(24 * 21)).unwrap();
        let slots = self.rest.slots(window).await.unwrap();
        slots
            .into_iter()
            .filter(|slot| slot.open && slot.span.start() > now() + SignedDuration::from_hours(3))
            .collect()
    }
}

#[tokio::test]
async fn bookiji_is_asked_once_which_interface_it_has() {
    let today = Today::new().await;
    assert_eq!(today.site.interface().await, Ok(Interface::Rest));
    assert_eq!(today.site.closes_slots().await, Ok(false));
    assert_eq!(today.requests(), 1);
    let tomorrow = Today::with(Options::default()).await;
    assert_eq!(tomorrow.site.closes_slots().await, Ok(true));
    assert_eq!(tomorrow.site.interface().await, Ok(Interface::Contract));
    assert_eq!(tomorrow.requests(), 1);
    // A cursor of the one means nothing to the other.
    let strange = Cursor("rest1|2026-01-01T00:00:00+00:00|".to_owned());
    assert_eq!(tomorrow.site.bookings(Some(&strange)).await, Reading::CursorLost);
    assert_eq!(today.site.bookings(Some(&Cursor("eyJzIjo0fQ".to_owned()))).await, Reading::CursorLost);
    assert_eq!(tomorrow.requests(), 0);
}

#[tokio::test]
async fn while_nobody_answers_what_was_known_yesterday_counts_and_nothing_is_guessed() {
    let today = Today::new().await;
    for kind in ["status:500", "status:503", "html", "reset"] {
        today.world.fault("bookiji", kind).await;
        let asked = today.site.interface().await;
        assert!(asked.is_err(), "{kind}: {asked:?}");
    }
    let known = Told::before(Interface::Rest, "2020-01-01T00:00:00Z".parse().unwrap());
    let old = Site::new(contract_of(&today), today.rest.clone(), known);
    today.world.fault("bookiji", "status:503").await;
    assert_eq!(old.interface().await, Ok(Interface::Rest));
}

#[tokio::test]
async fn a_site_without_its_routes_for_a_while_is_not_taken_for_an_older_one() {
    #[expect(clippy::disallowed_methods, reason = "what is remembered counts by the computer's own clock")]
    let today = Timestamp::now();
    let tomorrow = Today::with(Options::default()).await;
    let asked = |hours: i64| Told::before(Interface::Contract, today - SignedDuration::from_hours(hours));
    for (hours, expected) in [(1, Interface::Contract), (30, Interface::Contract), (50, Interface::Rest)] {
        tomorrow
            .world
            .control("faults", json!({"service": "bookiji", "kind": "status:404", "times": 1}))
            .await;
        let site = Site::new(contract_of(&tomorrow), tomorrow.rest.clone(), asked(hours));
        assert_eq!(site.interface().await, Ok(expected), "{hours} h");
    }
    // One that was taken for an older one is asked again as soon as that does not know her.
    let site = Site::new(contract_of(&tomorrow), tomorrow.rest.clone(), Told::before(Interface::Rest, today));
    if let Reading::Failed(ServiceError::NotLinked { .. }) = site.bookings(None).await {
        assert_eq!(site.interface().await, Ok(Interface::Contract));
    }
}

fn contract_of(today: &Today) -> Bookiji {
    let tokens =
        Tokens::new(Arc::new(today.world.gotrue()), today.world.vault.clone(), SecretName::bookiji());
    Bookiji::new(today.world.http.clone(), today.world.base("bookiji"), tokens)
}

#[tokio::test]
async fn bookings_are_read_whole_once_and_then_by_what_changed_however_short_the_pages() {
    let today = Today::new().await;
    let reading = today.rest.bookings(None).await;
    let Reading::Snapshot { coverage: Coverage::EndingAfter(since), .. } = &reading else {
        panic!("{reading:?}")
    };
    assert!(now().duration_since(*since).abs() < SignedDuration::from_hours(25), "by its own clock: {since}");
    let (all, cursor) = snapshot(reading);
    assert!(
        all.len() >= 26 && all.iter().all(|booking| booking.end > now() - SignedDuration::from_hours(24))
    );
    assert!(
        all.iter()
            .any(|b| b.customer_name.is_some() && b.service_name.is_some() && b.customer_email.is_some())
    );
    assert_eq!(today.requests(), 3, "whether she is linked, what time it is, and one page");

    today
        .world
        .control("faults", json!({"service": "bookiji", "route": BOOKINGS, "kind": "short_page"}))
        .await;
    let (short, again) = snapshot(today.rest.bookings(None).await);
    assert_eq!(short, all);
    let part = |cursor: &Cursor| cursor.0.rsplit('|').next().unwrap().to_owned();
    assert_eq!(part(&again), part(&cursor));

    let (id, _) = today.live().await;
    for notes in ["one", "two", "three"] {
        today.world.vendor_does("edit_booking", json!({"booking": id, "notes": notes})).await;
    }
    for _ in 0..4 {
        today.world.control("edit", json!({"as": "customer", "do": "book"})).await;
    }
    let (changed, removed, next) = delta(today.rest.bookings(Some(&cursor)).await);
    assert!(removed.is_empty());
    assert_eq!(changed.iter().find(|one| one.id == id).unwrap().notes.as_deref(), Some("three"));
    assert!(changed.len() >= 5, "{}", changed.len());
    // Whatever was committed late is still seen: five minutes are asked for twice.
    let (again, _, same) = delta(today.rest.bookings(Some(&next)).await);
    assert!(again.iter().any(|one| one.id == id));
    assert_eq!(same, next);
    today.world.control("clock", json!({"advance_s": 600})).await;
    today.world.control("edit", json!({"as": "customer", "do": "book"})).await;
    let (late, _, _) =
        delta(today.rest.bookings(Some(&delta(today.rest.bookings(Some(&next)).await).2)).await);
    assert_eq!(late.len(), 1, "{late:?}");
}

#[tokio::test]
async fn every_fault_of_a_reading_is_named_and_the_next_one_is_whole() {
    let today = Today::new().await;
    let (all, _) = snapshot(today.rest.bookings(None).await);
    let check: [(&str, Expected); 8] = [
        ("status:500", |e| matches!(e, ServiceError::Failing { .. })),
        ("status:503", |e| matches!(e, ServiceError::Failing { .. } | ServiceError::RateLimited { .. })),
        ("rate_limited", |e| matches!(e, ServiceError::RateLimited { retry_after: Some(_), .. })),
        ("html", |e| matches!(e, ServiceError::Garbled { .. })),
        ("truncated", |e| matches!(e, ServiceError::Garbled { .. })),
        ("reset", |e| matches!(e, ServiceError::Unreachable { .. } | ServiceError::Garbled { .. })),
        ("status:403", |e| matches!(e, ServiceError::Forbidden { .. })),
        ("status:400", |e| matches!(e, ServiceError::Rejected { .. })),
    ];
    for (kind, is) in check {
        today.fault_at(BOOKINGS, kind).await;
        let reading = today.rest.bookings(None).await;
        assert!(matches!(&reading, Reading::Failed(error) if is(error)), "{kind}: {reading:?}");
        assert_eq!(snapshot(today.rest.bookings(None).await).0, all, "{kind}");
    }
    // Without its clock, everything is read: that costs more and says the same.
    today.fault_at("/api/system/time", "status:500").await;
    let reading = today.rest.bookings(None).await;
    assert!(matches!(reading, Reading::Snapshot { coverage: Coverage::Everything, .. }), "{reading:?}");
}

#[tokio::test]
async fn sixty_calls_a_minute_are_all_that_its_own_routes_take_and_its_database_takes_more() {
    let today = Today::new().await;
    let url = format!("{}/bookiji/api/system/time", today.world.sandbox.base_url);
    for _ in 0..60 {
        today.world.browser.get(&url).send().await.unwrap();
    }
    let refused = today.site.interface().await.unwrap_err();
    let ServiceError::RateLimited { retry_after: Some(wait), .. } = &refused else { panic!("{refused:?}") };
    assert!((50..=60).contains(&wait.as_secs()), "{wait:?}");
    let reading = today.rest.bookings(None).await;
    assert!(matches!(reading, Reading::Snapshot { coverage: Coverage::Everything, .. }), "{reading:?}");
}

#[tokio::test]
async fn a_profile_that_is_not_linked_reads_nothing_for_empty() {
    let today = Today::with(Options { faithful: true, unlinked: true, ..Options::default() }).await;
    let reading = today.rest.bookings(None).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::NotLinked { .. })), "{reading:?}");
}

#[tokio::test]
async fn a_booking_is_cancelled_once_whatever_becomes_of_the_reply() {
    let today = Today::new().await;
    let (id, span) = today.live().await;
    today.fault_at(BOOKINGS, "reply_lost").await;
    let lost = today.rest.cancel_booking(&id, "r", "k").await.unwrap_err();
    assert!(lost.outcome_unknown(), "{lost:?}");
    today.rest.cancel_booking(&id, "r", "k").await.unwrap();
    let (all, _) = snapshot(today.rest.bookings(None).await);
    let row = all.iter().find(|one| one.id == id).unwrap();
    assert_eq!(row.status, BookingStatus::Cancelled);
    let slots = today.rest.slots(span).await.unwrap();
    assert!(slots.iter().any(|slot| slot.span == span && slot.open), "its slot is open again");

    let (over, _) = today.live().await;
    today.world.vendor_does("complete_booking", json!({ "booking": over })).await;
    let refused = today.rest.cancel_booking(&over, "r", "k").await.unwrap_err();
    assert!(refused.to_string().contains("over and cannot be cancelled"), "{refused}");
    let nobody = BookingId::from("00000000-0000-4000-8000-000000000000");
    let gone = today.rest.cancel_booking(&nobody, "r", "k").await.unwrap_err();
    assert!(matches!(gone, ServiceError::Gone { .. }), "{gone:?}");
}

#[tokio::test]
async fn a_booking_is_moved_once_and_only_into_an_open_slot() {
    let today = Today::new().await;
    let (id, from) = today.live().await;
    let free = today.free().await;
    let to = free.iter().find(|slot| slot.span != from).unwrap().clone();
    let closed = today.rest.move_booking(&id, from, "k").await;
    assert_eq!(closed, Ok(()), "it is there already");
    today.fault_at(MOVE, "reply_lost").await;
    let lost = today.rest.move_booking(&id, to.span, "k").await.unwrap_err();
    assert!(lost.outcome_unknown(), "{lost:?}");
    today.rest.move_booking(&id, to.span, "k").await.unwrap();
    let (all, _) = snapshot(today.rest.bookings(None).await);
    let row = all.iter().find(|one| one.id == id).unwrap();
    assert_eq!((row.start, row.end), (to.span.start(), to.span.end()));

    let elsewhere = Interval::new(to.span.start(), to.span.end() + SignedDuration::from_mins(1)).unwrap();
    let refused = today.rest.move_booking(&id, elsewhere, "k").await.unwrap_err();
    assert!(refused.to_string().contains("no slot is open at exactly these times"), "{refused}");
    today.fault_at(SLOTS, "status:500").await;
    assert!(today.rest.move_booking(&id, from, "k").await.is_err());
}

#[tokio::test]
async fn slots_are_closed_and_opened_together_and_one_in_the_way_stops_one() {
    let today = Today::new().await;
    let slots: Vec<Slot> = today.free().await.into_iter().take(8).collect();
    let ids: Vec<_> = slots.iter().map(|slot| slot.id.clone()).collect();
    today.requests();
    assert_eq!(today.rest.switch_slots(&slots, false).await.unwrap(), ids);
    assert_eq!(today.rest.switch_slots(&slots, false).await.unwrap(), [], "none was open any more");
    assert_eq!(today.requests(), 2);

    // While the third is closed, another comes to lie over it.
    let span = slots[2].span;
    let half = span.start() + SignedDuration::from_mins(10);
    today
        .world
        .vendor_does("create_slot", json!({"start": span.start().to_string(), "end": half.to_string()}))
        .await;
    let opened = today.rest.switch_slots(&slots, true).await.unwrap();
    let mut expected = ids.clone();
    expected.remove(2);
    assert_eq!(opened, expected);
    let again = today.rest.switch_slots(&slots, true).await.unwrap();
    assert_eq!(again, [], "all the others stand open");
}

#[tokio::test]
async fn under_a_contract_that_nobody_here_knows_nothing_is_written_and_reading_goes_on_asking() {
    let tomorrow = Today::with(Options::default()).await;
    let keep = async |version: Option<&str>| {
        let order = json!({"as": "platform", "do": "keep_contract", "version": version});
        tomorrow.world.control("edit", order).await;
    };
    let is_strange = |error: &ServiceError| matches!(error, ServiceError::OtherContract { version, .. } if version == "2.0.0");
    let me = Installation { id: "installation".into(), name: "desk".to_owned() };
    let (booking, span) = tomorrow.live().await;
    snapshot(tomorrow.site.bookings(None).await);
    keep(Some("2.0.0")).await;
    tomorrow.requests();
    let reading = tomorrow.site.bookings(None).await;
    assert!(matches!(&reading, Reading::Failed(error) if is_strange(error)), "{reading:?}");
    assert_eq!(tomorrow.requests(), 1, "what was read told it");
    let refused = [
        tomorrow.site.cancel_booking(&booking, "r", "k").await.unwrap_err(),
        tomorrow.site.move_booking(&booking, span, "k").await.unwrap_err(),
        tomorrow.site.lease(&me, Duration::from_secs(40)).await.unwrap_err(),
        tomorrow.site.remove_slot(&tomorrow.free().await[0]).await.unwrap_err(),
    ];
    assert!(refused.iter().all(is_strange), "{refused:?}");
    assert_eq!(tomorrow.requests(), 1, "the slots that were looked at");
    // Another run of the same process knows it, too, and one that knows nothing asks first.
    let told = Told::default();
    let site = || Site::new(contract_of(&tomorrow), tomorrow.rest.clone(), told.clone());
    assert!(site().interface().await.is_err_and(|error| is_strange(&error)));
    tomorrow.requests();
    assert!(site().cancel_booking(&booking, "r", "k").await.is_err_and(|error| is_strange(&error)));
    assert_eq!(tomorrow.requests(), 1, "only whether it is so still");

    for version in [None, Some(""), Some("1.99.0"), Some("tomorrow")] {
        keep(Some("2.0.0")).await;
        assert!(matches!(tomorrow.site.bookings(None).await, Reading::Failed(error) if is_strange(&error)));
        keep(version).await;
        snapshot(tomorrow.site.bookings(None).await);
        let lease = tomorrow.site.lease(&me, Duration::from_secs(40)).await;
        assert!(lease.is_ok(), "{version:?}: {lease:?}");
    }
}
