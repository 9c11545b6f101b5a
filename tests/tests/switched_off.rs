//! The platform has switched syncing off, which shows with the first busy time that it is sent.

use mirror::Sqlite;
use tests::service::Fault;
use tests::world::World;

#[tokio::test]
async fn while_the_platform_takes_no_busy_time_nothing_is_written_to_her_calendar() {
    let mut world = World::new(Box::new(Sqlite::in_memory().expect("a mirror")));
    world.sync().await;
    world.vendor_adds("tea", 24, 1);
    world.fail_next("put_busy", Fault::SwitchedOff);
    assert!(world.sync().await.is_switched_off());

    world.customer_books("b", 30);
    world.fail_next("put_busy", Fault::SwitchedOff);
    let report = world.sync().await;
    assert!(report.is_switched_off(), "{report:#?}");
    assert_eq!((report.bookings.created, world.booking_events().len()), (0, 0));

    let report = world.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(world.booking_events().len(), 1, "it is on again");
    assert_eq!(world.published_busy(), [(world.at(24), world.at(25))]);
}
