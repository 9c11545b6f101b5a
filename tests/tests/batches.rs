//! Creations that go out together keep every promise that each makes alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::error::Code;
use sync::ports::{Clock, Mirror};
use sync::report::Report;
use sync::world::{Direction, Operation};
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, OVERDUE};
use tests::world::World;

/// A vendor whose calendar takes `at_once` events with one request, whose target is made already, and who has just got
/// `bookings`.
async fn booked(mirror: Box<dyn Mirror>, at_once: usize, bookings: usize) -> World {
    let mut world = World::new(mirror);
    world.services.state().creates_at_once = at_once;
    world.sync().await;
    for n in 0..bookings {
        world.customer_books(&format!("b{n:03}"), 20 + i64::try_from(n).expect("few") * 2);
    }
    world.services.state().requests.clear();
    world
}

fn memory() -> Box<dyn Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

fn asked(world: &World) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for name in &world.services.state().requests {
        *counts.entry(*name).or_default() += 1;
    }
    counts
}

/// Exactly one event for each booking, where its booking is.
#[track_caller]
fn assert_one_each(world: &World, bookings: usize) {
    let events = world.booking_events();
    let mut starts: Vec<_> = events.iter().map(|event| times(event).expect("a time").0).collect();
    starts.sort();
    starts.dedup();
    assert_eq!((events.len(), starts.len()), (bookings, bookings), "{events:#?}");
}

#[tokio::test]
async fn a_hundred_bookings_go_out_in_two_requests_and_come_back_as_a_hundred_events() {
    let mut world = booked(memory(), 50, 100).await;
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (100, 0), "{report:#?}");
    let asked = asked(&world);
    assert_eq!((asked.get("create_all"), asked.get("create"), asked.get("probe")), (Some(&2), None, None));
    assert_one_each(&world, 100);
    world.assert_settled().await;
}

#[tokio::test]
async fn each_of_them_is_in_the_journal_before_any_is_sent() {
    let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
    let mut world =
        booked(Box::new(DyingMirror::new(inside.clone(), usize::MAX, Moment::After)), 50, 7).await;
    let (seen, journal) = (Arc::new(std::sync::Mutex::new(0)), inside.clone());
    let noted = seen.clone();
    world.before_next("create_all", move |_| {
        *noted.lock().expect("alone") = journal.world().expect("a world").unsettled.len();
    });
    world.sync().await;
    assert_eq!(*seen.lock().expect("alone"), 7);
    assert!(inside.world().expect("a world").unsettled.is_empty());
}

#[tokio::test]
async fn what_a_service_asks_for_in_many_answers_at_once_is_waited_for_once() {
    let mut world = booked(memory(), 20, 20).await;
    world.services.state().item_faults = std::iter::repeat_n(Some(Fault::Overdue), 20).collect();
    let began = world.clock.now();
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (20, 0), "{report:#?}");
    let waited = world.clock.now().duration_since(began);
    let pause = SignedDuration::try_from(OVERDUE).expect("seconds");
    assert!(waited >= pause && waited < pause * 2, "{waited:?}");
    assert_one_each(&world, 20);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_asked_about_event_by_event_and_sent_no_second_time() {
    let mut world = booked(memory(), 50, 12).await;
    world.fail_next("create_all", Fault::ReplyLost);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (12, 0), "{report:#?}");
    let asked = asked(&world);
    assert_eq!((asked.get("create_all"), asked.get("probe")), (Some(&1), Some(&12)));
    assert_one_each(&world, 12);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_request_that_was_never_heard_is_asked_about_and_sent_again_one_by_one() {
    let mut world = booked(memory(), 50, 12).await;
    world.fail_next("create_all", Fault::Unreachable);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (12, 0), "{report:#?}");
    let asked = asked(&world);
    assert_eq!((asked.get("create_all"), asked.get("probe")), (Some(&1), Some(&12)), "{asked:?}");
    assert_one_each(&world, 12);
    world.assert_settled().await;
}

#[tokio::test]
async fn each_is_settled_by_its_own_answer() {
    let mut world = booked(memory(), 50, 6).await;
    world.services.state().item_faults = [
        None,
        // Told to slow down: not done, and sent again without the others.
        Some(Fault::RateLimited),
        // Done, and its part of the answer is missing.
        Some(Fault::ReplyLost),
        // Not done, and its part of the answer is missing.
        Some(Fault::Unreachable),
        Some(Fault::Rejected),
        None,
    ]
    .into();
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 5, "{report:#?}");
    assert_eq!(report.errors.len(), 1);
    assert_eq!(report.errors[0].booking, Some("b004".into()), "the one that was refused, and no other");
    let asked = asked(&world);
    assert_eq!((asked.get("create_all"), asked.get("probe")), (Some(&1), Some(&2)), "{asked:?}");
    assert_one_each(&world, 5);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 0), "{report:#?}");
    assert_one_each(&world, 6);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_id_that_was_used_up_takes_its_next_life_beside_the_others() {
    let mut world = booked(memory(), 50, 4).await;
    world.sync().await;
    for n in [0, 2] {
        world.platform_changes(&format!("b{n:03}").as_str().into(), |one| {
            one.status = BookingStatus::Cancelled
        });
    }
    world.sync().await;
    // A new computer, whose mirror knows nothing of the ids that were used.
    let mut world = World::around(world.services.clone(), memory());
    for n in [0, 2] {
        world.platform_changes(&format!("b{n:03}").as_str().into(), |one| {
            one.status = BookingStatus::Confirmed
        });
    }
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (2, 0), "{report:#?}");
    assert_one_each(&world, 4);
    let generations: Vec<u32> = world
        .booking_events()
        .iter()
        .map(|event| event.marker.as_ref().expect("a marker").generation)
        .collect();
    assert_eq!(generations.iter().filter(|generation| **generation > 0).count(), 2, "{generations:?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_account_that_refuses_all_of_them_is_told_of_once_and_asked_no_more() {
    let mut world = booked(memory(), 3, 9).await;
    world.services.state().faults.extend([("create_all", Fault::SignInExpired)]);
    let report = world.sync().await;
    let told = |report: &Report| report.errors.iter().map(|error| error.code).collect::<Vec<_>>();
    assert_eq!(told(&report), [Code::OauthTokenExpired]);
    assert_eq!(asked(&world).get("create_all"), Some(&1));
    world.sync().await;
    assert_one_each(&world, 9);
    world.assert_settled().await;
}

#[tokio::test]
async fn answers_that_came_with_the_refusal_of_an_account_are_kept_for_what_they_are() {
    let mut world = booked(memory(), 50, 4).await;
    world.services.state().item_faults =
        [Some(Fault::SignInExpired), Some(Fault::Rejected), Some(Fault::ReplyLost), None].into();
    let report = world.sync().await;
    assert_eq!(report.errors.iter().map(|error| error.code).collect::<Vec<_>>(), [Code::OauthTokenExpired]);
    let open = world.mirror.world().expect("a world").unsettled;
    let [(_, Operation::CreateEvent { draft, .. })] = open.as_slice() else { panic!("{open:#?}") };
    assert_eq!(draft.booking, "b002".into(), "of that alone nobody can say whether it was done");
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (2, 0), "{report:#?}");
    assert_one_each(&world, 4);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_batch_killed_at_any_write_to_the_mirror_ends_as_if_it_had_not_been() {
    killed_at_any_write(false).await;
}

#[tokio::test]
async fn a_batch_killed_at_any_write_doubles_nothing_where_the_service_gives_the_ids() {
    killed_at_any_write(true).await;
}

async fn killed_at_any_write(gives_ids: bool) {
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world =
                booked(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment)), 3, 5).await;
            world.services.state().gives_ids = gives_ids;
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
            world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            let report = world.sync().await;
            assert!(
                report.errors.is_empty() && report.decisions.is_empty(),
                "{fatal} {moment:?}: {report:#?}"
            );
            assert_one_each(&world, 5);
            world.assert_settled().await;
            if !died {
                assert!(fatal > 15, "the scenario is too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_batch_that_loses_any_request_or_its_answer_ends_as_if_it_had_not() {
    loses_any_request(false).await;
}

#[tokio::test]
async fn a_batch_that_loses_any_request_doubles_nothing_where_the_service_gives_the_ids() {
    loses_any_request(true).await;
}

async fn loses_any_request(gives_ids: bool) {
    let mut undisturbed = booked(memory(), 3, 5).await;
    undisturbed.sync().await;
    let requests = undisturbed.services.state().requests.len();
    for fault in
        [Fault::ReplyLost, Fault::Unreachable, Fault::RateLimited, Fault::Rejected, Fault::SignInExpired]
    {
        for nth in 0..requests {
            for times in [1, 2, 9] {
                let mut world = booked(memory(), 3, 5).await;
                world.services.state().gives_ids = gives_ids;
                world.fail_from(nth, times, fault);
                world.try_sync(Direction::Bidirectional, false).await.expect("a report");
                world.heal();
                let report = world.sync().await;
                let well = report.errors.is_empty() && report.decisions.is_empty();
                assert!(well, "{fault:?} at {nth} ({times} times): {report:#?}");
                assert_one_each(&world, 5);
                world.assert_settled().await;
            }
        }
    }
}
