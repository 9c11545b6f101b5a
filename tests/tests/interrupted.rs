//! Kills a run at its n-th write to the mirror, and at its n-th request, for every n; then one clean sync must reach
//! the end state of a run that nothing disturbed.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::import::OnConflict;
use sync::ports::{Clock, Mirror};
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, OVERDUE};
use tests::world::{NOON, World};

/// A file with free times, in hours after noon, each with its version.
fn offers(times: &[(&str, i64, u32, &str)]) -> String {
    let noon: Timestamp = NOON.parse().expect("a time");
    let at = |hours: i64| {
        let at = noon.saturating_add(SignedDuration::from_hours(hours)).expect("a time");
        at.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    let events: Vec<String> = times
        .iter()
        .map(|(uid, hour, version, more)| {
            format!(
                "BEGIN:VEVENT\nUID:{uid}\nDTSTART:{}\nDTEND:{}\nSEQUENCE:{version}\n\
                 TRANSP:TRANSPARENT\n{more}\nEND:VEVENT\n",
                at(*hour),
                at(hour + 2)
            )
        })
        .collect();
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.concat())
}

/// How events are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    /// One by one, under ids of ours.
    OneByOne,
    /// Two in one request at most, so that some go alone.
    Together,
    /// The service gives the ids.
    OtherIds,
}

/// A week with everything in it: bookings to create, move and cancel, busy time that changes, and slots from a file.
async fn settled_week(mirror: Box<dyn Mirror>, making: Making) -> World {
    let mut world = World::new(mirror);
    world.services.state().gives_ids = making == Making::OtherIds;
    world.services.state().creates_at_once = if making == Making::Together { 2 } else { 1 };
    for n in 0..3 {
        world.customer_books(&format!("old{n}"), 20 + n * 2);
    }
    world.vendor_adds("goes", 60, 1);
    let file = offers(&[("stays", 100, 0, ""), ("moves", 104, 0, ""), ("is cancelled", 108, 0, "")]);
    world.vendor_imports(&file, Some(OnConflict::Replace));
    world.vendor_opens("hers", 113, 1);
    world.sync().await;
    world
}

fn disturb(world: &mut World) {
    let (start, end) = (world.at(70), world.at(71));
    world.platform_changes(&"old0".into(), |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&"old1".into(), |booking| booking.status = BookingStatus::Cancelled);
    world.customer_books("new0", 30);
    world.customer_books("new1", 32);
    world.vendor_adds("comes", 64, 1);
    world.vendor_deletes(&"personal".into(), &"goes".into());
    let file = offers(&[
        ("moves", 105, 1, ""),
        ("is cancelled", 108, 1, "STATUS:CANCELLED"),
        ("is new", 110, 0, ""),
        ("meets hers", 112, 0, ""),
    ]);
    world.vendor_imports(&file, Some(OnConflict::Replace));
}

/// What a person would see on both sides.
fn end_state(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut events: Vec<_> =
        world.booking_events().iter().map(|event| (times(event), event.event.summary.clone())).collect();
    events.sort();
    (events, world.published_busy(), world.slots())
}

#[tokio::test]
async fn a_run_killed_at_any_write_to_the_mirror_ends_as_if_it_had_not_been() {
    killed_at_any_write(Making::OneByOne).await;
}

#[tokio::test]
async fn a_run_killed_at_any_write_doubles_nothing_where_the_service_gives_the_ids() {
    killed_at_any_write(Making::OtherIds).await;
}

#[tokio::test]
async fn a_run_killed_at_any_write_doubles_nothing_where_events_are_made_together() {
    killed_at_any_write(Making::Together).await;
}

async fn killed_at_any_write(making: Making) {
    let mut undisturbed =
        settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror")), making).await;
    disturb(&mut undisturbed);
    undisturbed.sync().await;
    let expected = end_state(&undisturbed);
    let offered = [(100, 102, true), (105, 107, true), (110, 112, true), (112, 114, true)];
    assert_eq!(undisturbed.slots(), offered);

    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world =
                settled_week(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment)), making).await;
            disturb(&mut world);
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
            world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            let report = world.sync().await;
            assert!(
                report.errors.is_empty() && report.decisions.is_empty(),
                "write {fatal} {moment:?}: {report:#?}"
            );
            assert_eq!(end_state(&world), expected, "write {fatal} {moment:?}");
            world.assert_settled().await;
            if !died {
                assert!(fatal > 12, "the scenario is too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_loses_any_request_or_its_answer_ends_as_if_it_had_not() {
    loses_any_request(Making::OneByOne).await;
}

#[tokio::test]
async fn a_run_that_loses_any_request_doubles_nothing_where_the_service_gives_the_ids() {
    loses_any_request(Making::OtherIds).await;
}

#[tokio::test]
async fn a_run_that_loses_any_request_doubles_nothing_where_events_are_made_together() {
    loses_any_request(Making::Together).await;
}

async fn loses_any_request(making: Making) {
    let mut undisturbed =
        settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror")), making).await;
    disturb(&mut undisturbed);
    undisturbed.services.state().requests.clear();
    undisturbed.sync().await;
    let expected = end_state(&undisturbed);
    let requests = undisturbed.services.state().requests.clone();
    assert!(requests.len() >= 8, "{requests:?}");

    for fault in [
        Fault::ReplyLost,
        Fault::Overdue,
        Fault::Unreachable,
        Fault::RateLimited,
        Fault::Rejected,
        Fault::SignInExpired,
    ] {
        for nth in 0..requests.len() {
            // How often in a row: once is retried within the run, many times are left for the next.
            for times in [1, 9] {
                let mut world =
                    settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror")), making).await;
                disturb(&mut world);
                world.fail_from(nth, times, fault);
                world.try_sync(Direction::Bidirectional, false).await.expect("a report");
                world.heal();
                let report = world.sync().await;
                assert!(
                    report.errors.is_empty() && report.decisions.is_empty(),
                    "{fault:?} at {nth}: {report:#?}"
                );
                assert_eq!(end_state(&world), expected, "{fault:?} at {nth} ({times} times)");
                world.assert_settled().await;
            }
        }
    }
}

#[tokio::test]
async fn a_gateway_that_says_when_to_come_again_is_left_alone_until_then_and_only_then_looked_at() {
    let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    world.customer_books("b", 20);
    let looked_at = Arc::new(Mutex::new(None));
    let (looked, clock) = (looked_at.clone(), world.clock.clone());
    world.before_next("probe", move |_| *looked.lock().expect("a moment") = Some(clock.now()));
    world.fail_next("create", Fault::Overdue);
    let began = world.clock.now();

    let report = world.sync().await;

    assert!(report.errors.is_empty() && report.bookings.created == 1, "{report:#?}");
    let looked_at = looked_at.lock().expect("a moment").expect("it was looked");
    let waited = looked_at.duration_since(began);
    assert!(waited >= SignedDuration::try_from(OVERDUE).expect("seconds"), "{waited:?}");
    assert!(waited < SignedDuration::from_secs(8), "and not twice: {waited:?}");
    assert_eq!(world.asked("create"), 1, "it was done, so nobody sends it again");
}

#[tokio::test]
async fn a_gateway_that_asks_for_longer_than_a_run_may_last_is_asked_nothing_more_in_it() {
    let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    world.policy.retry.longest_wait = OVERDUE / 2;
    world.customer_books("b", 20);
    world.customer_books("c", 30);
    world.fail_next("create", Fault::Overdue);

    let report = world.try_sync(Direction::Bidirectional, false).await.expect("a report");

    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!(report.errors[0].retry_after_s, Some(OVERDUE.as_secs()));
    assert_eq!((world.asked("create"), world.asked("probe")), (1, 0));

    let healed = world.sync().await;
    assert!(healed.errors.is_empty(), "{healed:#?}");
    assert_eq!(world.booking_events().len(), 2, "what was done is found, what was not is done");
    assert_eq!(world.asked("create"), 2);
    world.assert_settled().await;
}
