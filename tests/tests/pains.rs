//! Ways in which others' calendars were hurt and that no other scenario covers: see `tests/pains.md` for the whole list.

use calendar::event::{Answer, Transparency};
use sync::decide::times;
use sync::world::Role;
use tests::world::World;

fn world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

#[tokio::test]
async fn a_service_that_rewrites_what_it_is_given_is_written_to_once() {
    let mut world = world();
    world.services.state().rewrites = Some(|event| {
        event.summary = event.summary.to_uppercase();
        event.description = format!("{}\n-- \nSent by your calendar", event.description.trim());
    });
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.assert_settled().await;

    let (start, end) = (world.at(30), world.at(31));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    let report = world.sync().await;
    assert_eq!((report.bookings.updated, report.decisions.len()), (1, 0), "{report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_of_ours_that_she_marks_as_free_or_declined_is_found_all_the_same() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.vendor_changes_booking_event(|event| {
        event.transparency = Transparency::Transparent;
        event.answer = Some(Answer::Declined);
    });
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.bookings.updated), (0, 0), "{report:#?}");
    let (start, end) = (world.at(30), world.at(31));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    world.sync().await;
    assert_eq!(world.booking_events().iter().map(times).collect::<Vec<_>>(), [Some((start, end))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn the_same_change_told_again_and_again_leads_to_one_event_under_one_uid() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let uid = world.booking_events().remove(0).event.uid;
    let (start, end) = (world.at(30), world.at(31));
    for _ in 0..10 {
        world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
        world.sync().await;
    }
    let events = world.booking_events();
    assert_eq!(
        events.iter().map(|event| (&event.event.uid, times(event))).collect::<Vec<_>>(),
        [(&uid, Some((start, end)))]
    );
    world.assert_settled().await;
}

#[tokio::test]
async fn one_busy_time_in_two_calendars_closes_its_slot_and_opens_when_both_are_gone() {
    let mut world = world();
    let family = world.link("family", Role::Busy);
    world.vendor_adds("dentist", 24, 1);
    let (start, end) = (world.at(24), world.at(25));
    let family_remote = world.mirror.world().expect("a world").calendars[&family].remote.clone();
    world.services.state().put(&family_remote, tests::service::event("dentist too", start, end));
    let slot = world.vendor_opens("slot", 24, 1);
    world.sync().await;
    assert!(!world.services.state().slots[&slot.id].open);

    world.vendor_deletes(&"personal".into(), &"dentist".into());
    world.sync().await;
    assert!(!world.services.state().slots[&slot.id].open, "the other calendar still blocks it");
    world.vendor_deletes(&family_remote, &"dentist too".into());
    world.sync().await;
    assert!(world.services.state().slots[&slot.id].open);
    world.assert_settled().await;
}
