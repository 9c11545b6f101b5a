//! A service that gives events ids of its own: bookings become events there as elsewhere, and nothing happens twice.

use calendar::event::{End, When};
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::error::Code;
use sync::ids::RemoteId;
use sync::leave::Extent;
use sync::ports::RemoteEvent;
use tests::service::Fault;
use tests::world::World;

fn memory() -> Box<dyn sync::ports::Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

fn world() -> World {
    let world = World::new(memory());
    world.services.state().gives_ids = true;
    world
}

#[tokio::test]
async fn a_bookings_event_is_known_by_the_id_that_the_service_gave_and_follows_its_booking() {
    let mut world = world();
    let moved = world.customer_books("moved", 20);
    let cancelled = world.customer_books("cancelled", 30);
    world.sync().await;
    let events = world.booking_events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.id.as_str().starts_with("AAMk")), "{events:#?}");
    let known = world.mirror.world().expect("a world");
    for event in &events {
        let marker = event.marker.as_ref().expect("a marker");
        let row = known.mappings.values().find(|row| row.booking == marker.booking).expect("a mapping");
        assert_eq!(row.event, event.id, "the mapping points where the event is");
    }
    world.assert_settled().await;

    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Cancelled);
    let report = world.sync().await;
    assert_eq!((report.bookings.updated, report.bookings.removed), (1, 1), "{report:#?}");
    assert_eq!(world.booking_events().iter().map(times).collect::<Vec<_>>(), [Some((start, end))]);
    world.assert_settled().await;

    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Confirmed);
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "a key is used once, and the booking has another life: {report:#?}");
    assert_eq!(world.booking_events().len(), 2);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_by_its_key_and_never_makes_a_second_event() {
    for lost in 1..=9 {
        let mut world = world();
        world.customer_books("b", 20);
        world.sync().await;
        world.customer_books("c", 30);
        for _ in 0..lost {
            world.fail_next("create", Fault::ReplyLost);
        }
        world.sync().await;
        world.heal();
        let report = world.sync().await;
        assert!(report.errors.is_empty(), "{report:#?}");
        assert_eq!(world.booking_events().len(), 2, "lost {lost} times");
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_either_is_known_again_by_the_key_in_the_next_reading() {
    let mut world = world();
    world.customer_books("b", 20);
    world.fail_next("create", Fault::ReplyLost);
    for _ in 0..20 {
        world.fail_next("probe", Fault::Unreachable);
    }
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    world.heal();
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.bookings.created == 0, "{report:#?}");
    assert_eq!(world.booking_events().len(), 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_rebuilt_mirror_and_another_computer_know_the_events_by_their_keys() {
    let mut world = world();
    for n in 0..3 {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    world.sync().await;
    let mut other = world.beside("at home", memory());
    other.sync().await;
    let mut rebuilt = World::around(world.services.clone(), memory());
    let report = rebuilt.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
    assert_eq!((report.bookings.created, rebuilt.booking_events().len()), (0, 3));
    assert_eq!(rebuilt.published_busy(), vec![], "none of them is taken for an event of hers");
    rebuilt.assert_settled().await;
}

#[tokio::test]
async fn of_a_booking_that_the_platform_knows_no_more_the_mapping_still_names_its_event() {
    let mut world = world();
    let booking = world.customer_books("b", 20);
    world.sync().await;
    let (target, event) = world.services.state().only_booking_event();
    let mut known = world.mirror.world().expect("a world");
    known.bookings.clear();
    known.events.clear();
    let calendar =
        known.calendars.values().find(|calendar| calendar.remote == target).expect("its calendar").clone();
    // As a service tells it that shows the key, and nothing of what we wrote.
    let mut told = [RemoteEvent { marker: None, ..event }];
    sync::provenance::name(&known, &calendar, &mut told);
    assert_eq!(told[0].marker.as_ref().map(|marker| &marker.booking), Some(&booking));

    known.mappings.clear();
    told[0].marker = None;
    sync::provenance::name(&known, &calendar, &mut told);
    assert_eq!(told[0].marker, None, "nothing is known of it");
}

#[tokio::test]
async fn a_copy_has_another_key_and_is_hers_and_blocks() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let (target, event) = world.services.state().only_booking_event();
    let (start, end) = (world.at(40), world.at(41));
    let mut copy = RemoteEvent { id: RemoteId("AAMkCopy=".to_owned()), created_as: None, ..event };
    (copy.event.start, copy.event.end) = (When::Utc(start), End::At(When::Utc(end)));
    world.services.state().put(&target, copy);
    let report = world.sync().await;
    assert_eq!(report.decisions.len(), 1, "she is asked about the copy: {report:#?}");
    assert_eq!(world.published_busy(), vec![(start, end)]);
    assert_eq!(world.booking_events().len(), 2, "and it stays");
}

#[tokio::test]
async fn an_event_deleted_before_we_heard_of_it_takes_a_new_key_once_the_old_one_is_surely_spent() {
    let mut world = world();
    let booking = world.customer_books("b", 20);
    world.fail_next("create", Fault::ReplyLost);
    for _ in 0..20 {
        world.fail_next("probe", Fault::Unreachable);
    }
    world.sync().await;
    world.heal();
    let (target, event) = world.services.state().only_booking_event();
    world.services.state().delete(&target, &event.id);

    let report = world.sync().await;
    assert_eq!(report.errors.iter().map(|error| error.code).collect::<Vec<_>>(), [Code::ConflictDetected]);
    assert_eq!(world.booking_events().len(), 0, "what was just made may not be shown yet");
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    let events = world.booking_events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].marker.as_ref().map(|marker| (&marker.booking, marker.generation)),
        Some((&booking, 1))
    );
    world.assert_settled().await;
}

#[tokio::test]
async fn what_was_written_is_taken_back_and_leaving_takes_all_of_it_even_from_a_rebuilt_mirror() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    world.customer_books("c", 30);
    world.sync().await;
    let undone = world.undo(world.last_run()).await;
    assert_eq!((undone.undone, undone.kept.len()), (1, 0), "{undone:#?}");
    assert_eq!(world.booking_events().len(), 1);

    let mut rebuilt = World::around(world.services.clone(), memory());
    rebuilt.services.state().bookings.clear();
    let connection = rebuilt.connection.clone();
    let (told, report) = rebuilt.try_leave(&connection, Extent::Everything).await.expect("a report");
    assert!(told.complete, "{report:#?}");
    assert_eq!(told.removed, 1);
    assert!(rebuilt.booking_events().is_empty());
}
