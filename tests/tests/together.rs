//! Events that a service makes in one request: each keeps the promises of one that is made alone.

use sync::error::Code;
use sync::world::MappingState;
use tests::service::Fault;
use tests::world::World;

/// A vendor with so many bookings, whose service takes fifty creates at once.
fn busy_vendor(bookings: i64) -> World {
    let world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    world.services.state().creates_at_once = 50;
    for n in 0..bookings {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    world
}

fn asked(world: &World, name: &str) -> usize {
    world.services.state().requests.iter().filter(|&&request| request == name).count()
}

#[tokio::test]
async fn a_hundred_bookings_are_two_requests_and_the_next_run_makes_none() {
    let mut world = busy_vendor(100);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (100, 0));
    assert_eq!((asked(&world, "create_all"), asked(&world, "create"), asked(&world, "probe")), (2, 0, 0));
    world.assert_settled().await;
}

#[tokio::test]
async fn one_that_is_refused_keeps_none_of_the_others_and_is_made_later() {
    let mut world = busy_vendor(5);
    world.fail_next("create_one", Fault::Rejected);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (4, 1), "{report:#?}");
    let rows = world.mirror.world().expect("a world").mappings;
    assert_eq!(rows.values().filter(|mapping| mapping.state == MappingState::Error).count(), 1);
    assert_eq!(world.sync().await.bookings.created, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_about_event_by_event_before_anything_is_sent_again() {
    let mut world = busy_vendor(5);
    world.fail_next("create_all", Fault::ReplyLost);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (5, 0), "{report:#?}");
    assert_eq!((asked(&world, "probe"), asked(&world, "create")), (5, 0));
    assert_eq!(world.booking_events().len(), 5);
    world.assert_settled().await;
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_one_by_one() {
    let mut world = busy_vendor(5);
    world.fail_next("create_all", Fault::Unreachable);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, asked(&world, "create")), (5, 5), "{report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn a_service_that_refuses_everyone_is_told_of_once_and_asked_no_more() {
    let mut world = busy_vendor(5);
    world.fail_next("create_all", Fault::SignInExpired);
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 0);
    let codes: Vec<Code> = report.errors.iter().map(|error| error.code).collect();
    assert_eq!(codes, [Code::OauthTokenExpired], "{report:#?}");
    assert_eq!(asked(&world, "create"), 0);
    assert!(world.mirror.world().expect("a world").unsettled.is_empty(), "none of them was done");
    assert_eq!(world.sync().await.bookings.created, 5);
    world.assert_settled().await;
}
