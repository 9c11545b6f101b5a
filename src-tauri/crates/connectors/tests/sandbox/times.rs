//! A vendor who shows the app no more than when she is busy.

use calendar::busy::{BusyRules, place};
use calendar::interval::{Interval, union};
use connectors::google::{self, GoogleAccount};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::json;
use sync::error::ServiceError;
use sync::ports::{Account, Calendar, Coverage, Reading, RemoteEvent};

use super::{World, now, primary, snapshot};

async fn shy(world: &World) -> GoogleAccount {
    let granted = world.consent(google::SCOPES_FOR_TIMES_ONLY).await;
    world.google_with(granted.grant).await.days_ahead(90)
}

async fn her_own(account: &GoogleAccount) -> Box<dyn Calendar> {
    account.calendar(&primary(&account.calendars().await.unwrap()).remote)
}

fn blocked(events: &[RemoteEvent]) -> Vec<Interval> {
    let window = Interval::new(now(), now() + (24 * 91).hours()).unwrap();
    let events: Vec<_> = events.iter().map(|event| event.event.clone()).collect();
    let placed = place(&events, &BusyRules::default(), window, &TimeZone::get("America/Toronto").unwrap());
    union(
        placed
            .occurrences
            .iter()
            .filter(|one| one.busy)
            .filter_map(|one| Interval::new(one.start.max(window.start()), one.end.min(window.end())))
            .collect(),
    )
}

#[tokio::test]
async fn her_busy_times_are_read_without_her_events_and_are_the_same_times() {
    let world = World::new().await;
    let open = {
        let granted = world.consent(google::SCOPES).await;
        world.google_with(granted.grant).await
    };
    let (events, _) = snapshot(her_own(&open).await.read(None, now()).await);
    let account = shy(&world).await;
    let calendar = her_own(&account).await;
    let reading = calendar.read(None, now()).await;
    let Reading::Snapshot { items, coverage: Coverage::Overlapping(stretch), .. } = &reading else {
        panic!("{reading:?}")
    };
    assert_eq!((stretch.start(), stretch.end()), (now(), now() + (24 * 91).hours()));
    assert!(items.len() > 20, "{}", items.len());
    assert!(items.iter().all(|item| item.event.summary.is_empty() && item.marker.is_none()));
    assert_eq!(blocked(items), blocked(&events));
}

#[tokio::test]
async fn idle_it_costs_one_question_for_each_sixty_days_and_none_within_a_minute() {
    let world = World::new().await;
    let account = shy(&world).await;
    let calendar =
        account.clone().days_ahead(30).calendar(&primary(&account.calendars().await.unwrap()).remote);
    let (_, cursor) = snapshot(calendar.read(None, now()).await);
    world.http.counters().reset();
    let again = calendar.read(Some(&cursor), now()).await;
    assert_eq!(again, Reading::Delta { changed: vec![], removed: vec![], cursor: cursor.clone() });
    assert_eq!(world.http.counters().snapshot().get("google"), None, "it was asked less than a minute ago");
    // Another look at the account, as the next run has it, remembers nothing.
    let later =
        shy(&world).await.days_ahead(30).calendar(&primary(&account.calendars().await.unwrap()).remote);
    world.http.counters().reset();
    let again = later.read(Some(&cursor), now()).await;
    assert_eq!(again, Reading::Delta { changed: vec![], removed: vec![], cursor: cursor.clone() });
    assert_eq!(world.http.counters().snapshot()["google"], 1);
    world
        .vendor_does(
            "create_event",
            json!({"summary": "Dentist", "start": "2026-11-29T03:00:00Z",
            "end": "2026-11-29T04:00:00Z"}),
        )
        .await;
    let after =
        shy(&world).await.days_ahead(30).calendar(&primary(&account.calendars().await.unwrap()).remote);
    let (items, next) = snapshot(after.read(Some(&cursor), now()).await);
    assert!(items.iter().any(|item| item.id.as_str().starts_with("busy-")) && next != cursor);
    // The next day it is tried again whether more may be seen.
    world.http.counters().reset();
    assert!(matches!(after.read(Some(&next), now() + 24.hours()).await, Reading::Snapshot { .. }));
    assert_eq!(world.http.counters().snapshot()["google"], 2);
}

#[tokio::test]
async fn a_calendar_that_may_not_be_seen_at_all_is_refused_as_before() {
    let world = World::new().await;
    let granted = world.consent(google::SCOPES).await;
    let account = world.google_with(granted.grant).await;
    let nowhere = account.calendar(&"nobody@group.calendar.google.com".into());
    assert!(matches!(nowhere.read(None, now()).await, Reading::Failed(ServiceError::Gone { .. })));
    let nowhere = shy(&world).await.calendar(&"nobody@group.calendar.google.com".into());
    assert!(matches!(nowhere.read(None, now()).await, Reading::Failed(ServiceError::Gone { .. })));
}

#[tokio::test]
async fn busy_times_that_cannot_be_told_are_unknown() {
    let world = World::new().await;
    let account = shy(&world).await;
    let (calendar, route) = (her_own(&account).await, "POST /calendar/v3/freeBusy");
    for kind in ["status:500", "status:403:rateLimitExceeded", "html", "truncated", "reset"] {
        world.control("faults", json!({"service": "google", "route": route, "kind": kind, "times": 1})).await;
        let reading = calendar.read(None, now()).await;
        assert!(matches!(&reading, Reading::Failed(error) if error.may_pass()), "{kind} {reading:?}");
    }
    assert!(matches!(calendar.read(None, now()).await, Reading::Snapshot { .. }));
}
