//! Two events that both prove to be one booking's, as sentences: neither is touched until she has decided.

use calendar::event::{End, When};
use sync::booking::{BookingStatus, event_id};
use sync::decide::times;
use sync::ids::{BookingId, RemoteId};
use sync::ports::{Marker, RemoteEvent};
use tests::world::World;

fn new_world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

/// An event of the booking `b` as a further generation would have it, at the given hours.
fn second(world: &World, generation: u32, hours: i64) -> RemoteEvent {
    let target = world.target();
    let mut event = world.booking_events().remove(0);
    event.id = event_id(&"b".into(), &target, generation);
    event.marker = Some(Marker { booking: "b".into(), generation });
    event.event.start = When::Utc(world.at(hours));
    event.event.end = End::At(When::Utc(world.at(hours + 1)));
    event
}

/// What Google's "this and following" leaves of an event that she lets repeat: the first series ends, and a new one
/// begins that was copied with everything we wrote on it.
#[tokio::test]
async fn a_series_that_she_splits_leaves_one_event_ours_and_a_copy_that_is_hers() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (target, ours) = (world.target(), world.booking_events().remove(0));
    let mut copy = ours.clone();
    copy.id = RemoteId(format!("{}_R20261130T130000", ours.id));
    copy.event.series = Some(copy.id.0.clone());
    copy.event.start = When::Utc(world.at(20 + 7 * 24));
    copy.event.end = End::At(When::Utc(world.at(21 + 7 * 24)));
    copy.event.recurrence.rules = vec!["FREQ=WEEKLY;COUNT=2".to_owned()];
    world.services.state().put(&target, copy.clone());
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    let copied = [7, 14].map(|days| (world.at(20 + days * 24), world.at(21 + days * 24)));
    assert_eq!(world.published_busy(), copied, "hers, whatever it carries");
    world.assert_settled().await;

    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    assert_eq!(world.sync().await.bookings.removed, 1);
    let left: Vec<RemoteId> = world.booking_events().into_iter().map(|event| event.id).collect();
    assert_eq!(left, [copy.id], "only what we wrote goes with the booking");
    assert_eq!(world.published_busy(), copied);
    world.assert_settled().await;
}

/// One booking at hour 20, its event, and a second one at hour 30.
async fn two_claimants() -> (World, BookingId) {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (target, event) = (world.target(), second(&world, 1, 30));
    world.services.state().put(&target, event);
    (world, id)
}

#[tokio::test]
async fn of_two_events_that_prove_to_be_one_bookings_neither_is_touched_and_both_times_stay_blocked() {
    let (mut world, id) = two_claimants().await;
    let card = world.the_question("duplicated").await;
    assert_eq!(card.options, ["leave", "remove"]);
    assert!(card.summary.contains("2 events"), "{}", card.summary);
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
    let before = world.booking_events();
    let (start, end) = (world.at(40), world.at(41));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    let report = world.sync().await;
    assert_eq!((report.bookings.updated, report.bookings.created, report.bookings.held), (0, 0, 1));
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, report.decisions.len()), (0, 1), "{report:#?}");
    assert_eq!(world.booking_events(), before);
    world.assert_settled().await;
}

#[tokio::test]
async fn the_event_that_the_mirror_does_not_point_at_goes_when_she_says_so_and_the_other_one_lives_on() {
    let (mut world, id) = two_claimants().await;
    let first = world.booking_events().into_iter().map(|event| event.id).collect::<Vec<RemoteId>>();
    world.asked_and_answered("duplicated", "remove").await;
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
    let left = world.booking_events();
    assert_eq!(left.len(), 1);
    assert!(first.contains(&left[0].id));
    assert_eq!(times(&left[0]), Some((world.at(20), world.at(21))), "the one that stood there first");
    world.assert_settled().await;
    let (start, end) = (world.at(22), world.at(23));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    assert_eq!(world.sync().await.bookings.updated, 1, "its own event follows again");
    world.assert_settled().await;
}

#[tokio::test]
async fn a_second_event_that_changed_after_she_answered_is_not_removed() {
    let (mut world, _) = two_claimants().await;
    world.asked_and_answered("duplicated", "remove").await;
    let (target, event) = (world.target(), second(&world, 1, 33));
    world.services.state().put(&target, event);
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, report.decisions.len()), (0, 1), "{report:#?}");
    assert_eq!(world.booking_events().len(), 2);
}

#[tokio::test]
async fn a_rebuilt_mirror_that_finds_two_takes_neither_and_makes_no_third() {
    let (world, _) = two_claimants().await;
    let mirror = Box::new(mirror::Sqlite::in_memory().expect("a mirror"));
    let mut world = World::around(world.services.clone(), mirror);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.bookings.removed), (0, 0));
    let card = world.the_question("duplicated").await;
    assert_eq!(world.booking_events().len(), 2);
    world.vendor_decides(&card.id, "remove").expect("an answer");
    world.sync().await;
    let left = world.booking_events();
    assert_eq!(left.len(), 1);
    assert_eq!(times(&left[0]), Some((world.at(20), world.at(21))), "the one that stands where it is booked");
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_that_she_restores_from_the_bin_beside_its_successor_is_asked_about() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.sync().await;
    let (target, first) = (world.target(), world.booking_events().remove(0));
    world.vendor_deletes(&target, &first.id);
    world.asked_and_answered("deleted", "put_back").await;
    world.sync().await;
    assert_eq!(world.booking_events().len(), 1);
    world.services.state().put(&target, first.clone());
    let card = world.the_question("duplicated").await;
    assert_eq!(world.published_busy(), [], "both stand where it is booked");
    world.vendor_decides(&card.id, "remove").expect("an answer");
    world.sync().await;
    let left = world.booking_events();
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].id, first.id, "the restored one goes");
    world.assert_settled().await;
}

#[tokio::test]
async fn two_events_that_she_keeps_are_asked_about_again_once_the_booking_moves() {
    let (mut world, id) = two_claimants().await;
    world.asked_and_answered("duplicated", "leave").await;
    let report = world.sync().await;
    assert!(report.decisions.is_empty(), "{report:#?}");
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
    world.assert_settled().await;
    let (start, end) = (world.at(40), world.at(41));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    world.the_question("duplicated").await;
    assert_eq!(world.booking_events().len(), 2);
}
