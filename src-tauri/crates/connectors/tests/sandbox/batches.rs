//! Events created together at a Google that answers each for itself.

use serde_json::json;
use sync::booking::{Booking, BookingStatus, Draft};
use sync::error::ServiceError;
use sync::ports::{Calendar, CalendarEntry, Probe, RemoteEvent};

use super::{World, draft, now, ours, snapshot};
use jiff::ToSpan;

const INSERT: &str = "POST /calendar/v3/calendars/{calendarId}/events";

fn drafts(entry: &CalendarEntry, count: i64) -> Vec<Draft> {
    let booking = |n: i64| Booking {
        id: format!("together-{n:04}").as_str().into(),
        vendor: "v-1".into(),
        status: BookingStatus::Confirmed,
        start: now() + (n + 1).hours(),
        end: now() + (n + 2).hours(),
        service_name: Some("Färbung & Schnitt".into()),
        customer_name: None,
        customer_email: None,
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    (0..count).map(|n| draft(&booking(n), entry, 0)).collect()
}

async fn calendar(world: &World) -> (Box<dyn Calendar>, CalendarEntry) {
    let (_, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    ours(&account, &vendor).await
}

fn names(answers: &[Result<RemoteEvent, ServiceError>]) -> Vec<String> {
    let name = |answer: &Result<RemoteEvent, ServiceError>| match answer {
        Ok(_) => "made".to_owned(),
        Err(error) => format!("{error:?}").split(' ').next().unwrap().to_owned(),
    };
    answers.iter().map(name).collect()
}

#[tokio::test]
async fn a_hundred_events_take_two_requests_and_each_is_answered_with_what_was_stored() {
    let world = World::new().await;
    let (calendar, entry) = calendar(&world).await;
    let drafts = drafts(&entry, 100);
    world.http.counters().reset();
    let answers = calendar.create_all(&drafts).await;
    assert_eq!(world.http.counters().snapshot(), [("google".to_owned(), 2)].into());
    assert_eq!(answers.len(), 100);
    let mut made: Vec<RemoteEvent> = answers.into_iter().map(Result::unwrap).collect();
    for (draft, made) in drafts.iter().zip(&made) {
        assert_eq!((&made.id, &made.event.summary), (&draft.id, &draft.title));
        assert_eq!(made.marker.as_ref().unwrap().booking, draft.booking);
    }
    let (mut read, _) = snapshot(calendar.read(None, now()).await);
    read.sort_by(|a, b| a.id.cmp(&b.id));
    made.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(read, made);
}

#[tokio::test]
async fn one_that_is_refused_or_lost_says_so_alone() {
    let world = World::new().await;
    let (calendar, entry) = calendar(&world).await;
    let drafts = drafts(&entry, 5);
    calendar.create(&drafts[2]).await.unwrap();
    let fault = |kind: &str| json!({"service": "google", "route": INSERT, "kind": kind, "times": 1});
    world.control("faults", fault("status:403:rateLimitExceeded")).await;
    let answers = calendar.create_all(&drafts).await;
    assert_eq!(names(&answers), ["RateLimited", "made", "Exists", "made", "made"]);
    world.control("faults", fault("reply_lost")).await;
    let (rest, more) = (self::drafts(&entry, 8)[5..].to_vec(), self::drafts(&entry, 9)[7..].to_vec());
    assert_eq!(names(&calendar.create_all(&rest).await), ["Garbled", "made", "made"]);
    assert!(matches!(calendar.probe(&rest[0].id).await, Ok(Probe::Live(_))), "done, and not confirmed");
    world.control("faults", fault("truncated")).await;
    let cut = calendar.create_all(&more).await;
    assert_eq!(names(&cut)[1], "made");
    world.control("faults", fault("html")).await;
    assert_eq!(names(&calendar.create_all(&self::drafts(&entry, 12)[10..]).await), ["Garbled", "made"]);
}

#[tokio::test]
async fn what_meets_the_whole_request_is_said_of_each() {
    let world = World::new().await;
    let (calendar, entry) = calendar(&world).await;
    let drafts = drafts(&entry, 3);
    for (kind, expected) in [
        ("status:503", "Failing"),
        ("rate_limited", "RateLimited"),
        ("html", "Garbled"),
        ("reset", "Unreachable"),
        ("status:403:quotaExceeded", "RateLimited"),
    ] {
        let route = "POST /batch/calendar/v3";
        world.control("faults", json!({"service": "google", "route": route, "kind": kind, "times": 1})).await;
        assert_eq!(names(&calendar.create_all(&drafts).await), [expected; 3], "{kind}");
        assert_eq!(calendar.probe(&drafts[1].id).await, Ok(Probe::Absent), "{kind}");
    }
    for kind in ["reply_lost", "truncated"] {
        world.fault("google", kind).await;
        let answers = calendar.create_all(&drafts).await;
        assert!(answers.iter().all(|one| one.as_ref().is_err_and(ServiceError::outcome_unknown)), "{kind}");
        assert!(matches!(calendar.probe(&drafts[1].id).await, Ok(Probe::Live(_))), "{kind}");
    }
}

#[tokio::test]
async fn a_sign_in_that_ran_out_is_renewed_for_the_calls_that_it_kept_out() {
    let world = World::new().await;
    let (calendar, entry) = calendar(&world).await;
    world.control("clock", json!({"advance_s": 3700})).await;
    world.http.counters().reset();
    let answers = calendar.create_all(&drafts(&entry, 3)).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let asked = world.http.counters().snapshot();
    assert_eq!(asked, [("google".to_owned(), 2), ("google_auth".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_calendar_that_the_app_may_not_write_to_is_forbidden_for_each() {
    let world = World::new().await;
    let (_, vendor) = world.platform().await;
    let account = world.google(&vendor).await;
    let entry = super::primary(&sync::ports::Account::calendars(&account).await.unwrap());
    let calendar = sync::ports::Account::calendar(&account, &entry.remote);
    assert_eq!(names(&calendar.create_all(&drafts(&entry, 2)).await), ["Forbidden", "Forbidden"]);
}
