//! A time that she lets be booked just this once, whatever a calendar says: that time alone, that calendar alone, and no
//! longer than it lasts.

use std::collections::BTreeSet;

use calendar::event::{End, When};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use mirror::Sqlite;
use sync::ids::CalendarId;
use sync::ports::Clock;
use sync::unblocked::{Unblocked, ahead};
use sync::world::Role;
use tests::service::event;
use tests::world::World;

fn world() -> World {
    World::new(Box::new(Sqlite::in_memory().expect("a mirror")))
}

fn personal(world: &World) -> CalendarId {
    let known = world.mirror.world().expect("a world");
    known.calendars.values().find(|calendar| calendar.name == "personal").expect("her calendar").id.clone()
}

fn unblock(world: &World, calendar: CalendarId, from: i64, until: i64) -> Interval {
    let span = Interval::new(world.at(from), world.at(until)).expect("a span");
    world.mirror.put_unblocked(&[Unblocked { span, calendar, at: world.clock.now() }]).expect("a mirror");
    span
}

/// What the platform holds as busy, in hours after noon.
fn busy(world: &World) -> Vec<(i64, i64)> {
    let hours = |at: Timestamp| at.duration_since(world.at(0)).as_hours();
    world.published_busy().into_iter().map(|(from, until)| (hours(from), hours(until))).collect()
}

#[tokio::test]
async fn a_time_she_unblocks_is_left_out_and_taking_it_back_blocks_it_again() {
    let mut world = world();
    world.vendor_adds("course", 20, 4);
    world.sync().await;
    assert_eq!(busy(&world), [(20, 24)]);

    let span = unblock(&world, personal(&world), 21, 22);
    let report = world.sync().await;
    assert_eq!(busy(&world), [(20, 21), (22, 24)], "{report:#?}");
    world.assert_settled().await;

    world.mirror.take_back_unblocked(span).unwrap();
    world.sync().await;
    assert_eq!(busy(&world), [(20, 24)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn what_comes_into_another_calendar_at_that_time_blocks_as_ever() {
    let mut world = world();
    world.vendor_adds("maybe", 20, 2);
    world.link("school", Role::Busy);
    world.sync().await;
    unblock(&world, personal(&world), 20, 22);
    world.sync().await;
    assert_eq!(busy(&world), []);

    let pickup = event("pickup", world.at(20), world.at(21));
    world.services.state().put(&"school".into(), pickup);
    world.sync().await;
    assert_eq!(busy(&world), [(20, 21)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_that_comes_every_day_is_left_out_on_that_day_alone() {
    let mut world = world();
    let mut yoga = event("yoga", world.at(20), world.at(21));
    yoga.event.recurrence.rules = vec!["FREQ=DAILY;COUNT=3".to_owned()];
    world.services.state().put(&"personal".into(), yoga);
    unblock(&world, personal(&world), 44, 45);
    world.sync().await;
    assert_eq!(busy(&world), [(20, 21), (68, 69)]);
}

#[tokio::test]
async fn where_she_moved_a_bookings_event_it_stays_blocked_until_she_has_decided() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    let known = world.mirror.world().unwrap();
    let target = known.calendars.values().find(|calendar| calendar.role == Role::Target).unwrap().id.clone();
    unblock(&world, target.clone(), 25, 26);
    world.sync().await;
    assert_eq!(busy(&world), [(25, 26)], "a booking's time is no calendar's to give");

    let target_remote = world.target();
    let lunch = event("lunch", world.at(30), world.at(31));
    world.services.state().put(&target_remote, lunch);
    unblock(&world, target, 30, 31);
    world.sync().await;
    assert_eq!(busy(&world), [(25, 26)], "an event of hers beside it is");
}

#[tokio::test]
async fn a_booking_that_takes_the_time_is_no_double_booking() {
    let mut world = world();
    world.vendor_adds("maybe", 20, 2);
    world.sync().await;
    unblock(&world, personal(&world), 20, 21);
    world.sync().await;
    world.customer_books("b", 20);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.decisions.len()), (1, 0), "{report:#?}");

    world.customer_books("longer", 21);
    let report = world.sync().await;
    assert_eq!(report.decisions.len(), 1, "the second hour was not let go: {report:#?}");
}

#[tokio::test]
async fn it_is_over_with_its_time_and_passing_time_alone_changes_nothing() {
    let mut world = world();
    world.vendor_adds("today", 2, 2);
    world.vendor_adds("later", 26, 2);
    unblock(&world, personal(&world), 2, 3);
    world.sync().await;
    let told = busy(&world);
    assert_eq!(told, [(3, 4), (26, 28)]);

    world.clock.advance(SignedDuration::from_hours(6));
    assert_eq!(ahead(&world.mirror.world().unwrap(), world.clock.now()), []);
    world.assert_settled().await;
    assert_eq!(busy(&world), told, "the same set until her day is over");

    world.clock.advance(SignedDuration::from_hours(20));
    world.sync().await;
    assert_eq!(busy(&world), [(26, 28)], "and no other day's time was let go");
    world.clock.advance(SignedDuration::from_hours(24 * 4));
    world.sync().await;
    assert_eq!(world.mirror.world().unwrap().unblocked, BTreeSet::new());
}

#[tokio::test]
async fn a_rebuilt_mirror_blocks_the_time_again() {
    let mut world = world();
    world.vendor_adds("maybe", 20, 2);
    unblock(&world, personal(&world), 20, 22);
    world.sync().await;
    assert_eq!(busy(&world), []);

    let mut rebuilt = World::around(world.services.clone(), Box::new(Sqlite::in_memory().expect("a mirror")));
    rebuilt.sync().await;
    assert_eq!(busy(&rebuilt), [(20, 22)], "what nobody remembers is not opened");
}
