//! Kills a run at its n-th write to the mirror, and at its n-th request, for every n; then one clean sync must reach
//! the end state of a run that nothing disturbed.

use std::sync::Arc;

use sync::booking::BookingStatus;
use sync::decide::times;
use sync::ports::Mirror;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::Fault;
use tests::world::World;

/// A week with everything in it: bookings to create, move and cancel, and busy time that changes.
async fn settled_week(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    for n in 0..3 {
        world.customer_books(&format!("old{n}"), 20 + n * 2);
    }
    world.vendor_adds("goes", 60, 1);
    world.sync().await;
    world
}

fn disturb(world: &World) {
    let (start, end) = (world.at(70), world.at(71));
    world.platform_changes(&"old0".into(), |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&"old1".into(), |booking| booking.status = BookingStatus::Cancelled);
    world.customer_books("new0", 30);
    world.customer_books("new1", 32);
    world.vendor_adds("comes", 64, 1);
    world.vendor_deletes(&"personal".into(), &"goes".into());
}

/// What a person would see on both sides.
fn end_state(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut events: Vec<_> =
        world.booking_events().iter().map(|event| (times(event), event.event.summary.clone())).collect();
    events.sort();
    (events, world.published_busy())
}

#[tokio::test]
async fn a_run_killed_at_any_write_to_the_mirror_ends_as_if_it_had_not_been() {
    let mut undisturbed = settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
    disturb(&undisturbed);
    undisturbed.sync().await;
    let expected = end_state(&undisturbed);

    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world =
                settled_week(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment))).await;
            disturb(&world);
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
    let mut undisturbed = settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
    disturb(&undisturbed);
    undisturbed.services.state().requests.clear();
    undisturbed.sync().await;
    let expected = end_state(&undisturbed);
    let requests = undisturbed.services.state().requests.clone();
    assert!(requests.len() >= 8, "{requests:?}");

    for fault in
        [Fault::ReplyLost, Fault::Unreachable, Fault::RateLimited, Fault::Rejected, Fault::SignInExpired]
    {
        for nth in 0..requests.len() {
            // How often in a row: once is retried within the run, many times are left for the next.
            for times in [1, 9] {
                let mut world = settled_week(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
                disturb(&world);
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
