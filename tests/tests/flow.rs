//! The main job as sentences: bookings become events, events close slots, and nothing happens twice.

use calendar::event::{End, When};
use jiff::SignedDuration;
use sync::booking::{BookingStatus, Draft};
use sync::decide::{says, times};
use sync::error::Code;
use sync::ids::Service;
use sync::ports::Clock;
use sync::reconcile::FullReading;
use sync::world::{ConnectionState, Direction, MappingState, Role, SyncOutcome};
use tests::service::{Fault, event};
use tests::world::World;

fn world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

#[tokio::test]
async fn every_booking_becomes_one_event_in_a_calendar_made_for_bookings() {
    let mut world = world();
    for n in 0..5 {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 5, "{report:#?}");
    let events = world.booking_events();
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event.event.summary == "Booking: Haircut"));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_that_moves_takes_its_event_along_and_one_that_is_cancelled_takes_it_away() {
    let mut world = world();
    let moved = world.customer_books("moved", 20);
    let cancelled = world.customer_books("cancelled", 30);
    world.sync().await;

    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Cancelled);
    let report = world.sync().await;

    assert_eq!((report.bookings.updated, report.bookings.removed), (1, 1), "{report:#?}");
    let events = world.booking_events();
    assert_eq!(events.len(), 1);
    assert_eq!(times(&events[0]), Some((start, end)));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_that_comes_back_gets_a_new_event_because_the_old_id_is_burnt() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let first = world.booking_events().remove(0).id;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Confirmed);
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    let events = world.booking_events();
    assert_eq!(events.len(), 1);
    assert_ne!(events[0].id, first);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_of_hers_closes_its_time_and_deleting_it_opens_it_again() {
    let mut world = world();
    world.vendor_adds("dentist", 20, 2);
    world.sync().await;
    assert_eq!(world.published_busy(), vec![(world.at(20), world.at(22))]);

    world.vendor_deletes(&"personal".into(), &"dentist".into());
    let report = world.sync().await;
    assert_eq!(world.published_busy(), vec![]);
    assert!(report.busy.sources.iter().any(|source| source.published));
    world.assert_settled().await;
}

#[tokio::test]
async fn our_own_events_never_close_a_slot() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    world.assert_settled().await;
    assert_eq!(world.published_busy(), vec![]);
}

#[tokio::test]
async fn what_she_puts_into_the_bookings_calendar_by_hand_blocks_too() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let lunch = event("lunch", world.at(30), world.at(31));
    let target = world.target();
    world.services.state().put(&target, lunch);
    world.sync().await;
    assert_eq!(world.published_busy(), vec![(world.at(30), world.at(31))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_copy_she_makes_of_our_event_is_hers_and_blocks() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let mut copy = world.booking_events().remove(0);
    copy.id = "a-copy".into();
    copy.event.start = When::Utc(world.at(40));
    copy.event.end = End::At(When::Utc(world.at(41)));
    let target = world.target();
    world.services.state().put(&target, copy);
    let report = world.sync().await;
    assert_eq!(world.booking_events().len(), 2, "{report:#?}");
    assert_eq!(world.published_busy(), vec![(world.at(40), world.at(41))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_she_moved_is_asked_about_and_both_times_stay_blocked() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });

    let report = world.sync().await;
    assert_eq!(report.bookings.held, 1);
    assert_eq!(report.decisions[0].kind, "moved");
    assert_eq!(
        report.decisions[0].summary,
        "Haircut for Nadia Roy is booked for Mon 23 Nov, 08:00, but its event was moved to Mon 23 Nov, 13:00."
    );
    assert_eq!(world.published_busy(), vec![(start, end)]);
    assert_eq!(times(&world.booking_events()[0]), Some((start, end)), "never put back");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_she_deleted_is_asked_about_and_not_made_again() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let (target, id) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &id);
    let report = world.sync().await;
    assert_eq!((report.bookings.held, report.bookings.created), (1, 0));
    assert_eq!(report.decisions[0].kind, "deleted");
    assert_eq!(world.booking_events().len(), 0);
    world.assert_settled().await;
}

#[tokio::test]
async fn her_words_survive_every_change_of_time() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.vendor_changes_booking_event(|event| event.summary = "Nadia, bring the blue dye".to_owned());
    for hours in [22, 24] {
        let (start, end) = (world.at(hours), world.at(hours + 1));
        world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
        let report = world.sync().await;
        assert_eq!(report.bookings.updated, 1, "{report:#?}");
        let event = world.booking_events().remove(0);
        assert_eq!(event.event.summary, "Nadia, bring the blue dye");
        assert_eq!(times(&event), Some((start, end)));
    }
    world.assert_settled().await;
}

#[tokio::test]
async fn a_reply_that_is_lost_never_makes_a_second_event() {
    let mut world = world();
    world.customer_books("b", 20);
    world.fail_next("create", Fault::ReplyLost);
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 1, "{report:#?}");
    assert!(report.errors.is_empty());
    assert_eq!(world.booking_events().len(), 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_update_whose_reply_is_lost_and_cannot_be_asked_about_is_not_taken_for_hers() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    world.fail_next("update", Fault::ReplyLost);
    for _ in 0..3 {
        world.fail_next("probe", Fault::Unreachable);
    }
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    let report = world.sync().await;
    assert!(report.decisions.is_empty() && report.errors.is_empty(), "{report:#?}");
    assert_eq!(times(&world.booking_events()[0]), Some((start, end)));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_newer_version_on_the_service_is_read_again_before_anything_is_written() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    // She moves it in the middle of the run, after the calendars were read.
    let (hers, until) = (world.at(40), world.at(41));
    world.before_next("update", move |state| {
        let (calendar, mut event) = state.only_booking_event();
        (event.event.start, event.event.end) = (When::Utc(hers), End::At(When::Utc(until)));
        state.put(&calendar, event);
    });
    let report = world.sync().await;
    assert_eq!(
        (report.bookings.updated, report.decisions[0].kind.as_str()),
        (0, "moved_both"),
        "{report:#?}"
    );
    assert_eq!(times(&world.booking_events()[0]), Some((hers, until)));
}

#[tokio::test]
async fn half_a_reading_reopens_nothing_and_removes_nothing() {
    let mut world = world();
    world.customer_books("b", 50);
    for n in 0..4 {
        world.vendor_adds(&format!("e{n}"), 20 + 3 * n, 1);
    }
    world.sync().await;
    let before = world.published_busy();
    assert_eq!(before.len(), 4);
    for _ in 0..12 {
        world.fail_next("read", Fault::HalfAReading);
    }
    let report = world.sync().await;
    assert_eq!(report.outcome(), SyncOutcome::Partial);
    assert_eq!(world.published_busy(), before);
    assert_eq!(world.booking_events().len(), 1);
    world.services.state().faults.clear();
    world.sync().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_keeps_its_busy_time() {
    let mut world = world();
    world.vendor_adds("dentist", 20, 2);
    world.sync().await;
    for _ in 0..12 {
        world.fail_next("read", Fault::Unreachable);
    }
    let report = world.sync().await;
    assert!(!report.errors.is_empty() && report.errors.iter().all(|error| error.code == Code::NetworkError));
    assert_eq!(world.published_busy().len(), 1);
}

#[tokio::test]
async fn a_cursor_that_is_lost_leads_to_a_full_reading_and_loses_nothing() {
    let mut world = world();
    world.customer_books("b", 20);
    world.vendor_adds("stays", 24, 1);
    world.vendor_adds("goes", 28, 1);
    world.sync().await;
    world.vendor_deletes(&"personal".into(), &"goes".into());
    world.vendor_adds("comes", 32, 1);
    for operation in ["read", "read", "bookings"] {
        world.fail_next(operation, Fault::CursorLost);
    }
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(world.published_busy(), vec![(world.at(24), world.at(25)), (world.at(32), world.at(33))]);
    assert_eq!(world.booking_events().len(), 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_revoked_consent_asks_her_to_sign_in_and_opens_no_slot() {
    let mut world = world();
    world.vendor_adds("dentist", 20, 2);
    world.sync().await;
    // One refusal: her other calendar is not asked, since it would be refused alike.
    world.fail_next("read", Fault::SignInExpired);
    let report = world.sync().await;
    assert!(report.errors.iter().all(|error| error.code == Code::OauthTokenExpired));
    let connection = world.mirror.world().expect("a world").connections[&world.connection].clone();
    assert_eq!(connection.state, ConnectionState::NeedsSignIn);
    assert_eq!(world.published_busy().len(), 1);
    let report = world.sync().await;
    assert!(report.errors.is_empty(), "she signed in again: {report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn bookings_that_cannot_be_read_write_nothing_into_her_calendar() {
    let mut world = world();
    world.customer_books("b", 20);
    for _ in 0..3 {
        world.fail_next("bookings", Fault::Unreachable);
    }
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 0);
    assert_eq!(world.booking_events().len(), 0);
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 1);
}

#[tokio::test]
async fn what_still_waits_to_be_written_waits_longer_while_bookings_cannot_be_read() {
    let mut world = world();
    world.customer_books("b", 20);
    world.fail_next("create", Fault::Rejected);
    assert_eq!(world.sync().await.bookings.created, 0);
    for _ in 0..3 {
        world.fail_next("bookings", Fault::Unreachable);
    }
    assert_eq!(world.sync().await.bookings.created, 0, "it may be cancelled by now");
    assert_eq!(world.sync().await.bookings.created, 1);
}

#[tokio::test]
async fn a_poll_for_bookings_reads_her_calendar_only_if_something_is_to_be_written() {
    let mut world = world();
    world.sync().await;
    let reads =
        |world: &World| world.services.state().requests.iter().filter(|&&name| name == "read").count();
    let before = reads(&world);
    world.try_sync(Direction::ToCalendar, false).await.expect("a report");
    assert_eq!(reads(&world), before);
    world.customer_books("b", 20);
    world.try_sync(Direction::ToCalendar, false).await.expect("a report");
    assert_eq!((world.booking_events().len(), reads(&world)), (1, before + 1));
}

#[tokio::test]
async fn a_run_for_some_accounts_asks_no_other() {
    let mut world = world();
    world.sync().await;
    world.services.state().requests.clear();
    world.sync_for(&[]).await;
    assert!(!world.services.state().requests.contains(&"read"), "nobody asked for it");
    let connection = world.connection.clone();
    world.sync_for(&[connection]).await;
    assert!(world.services.state().requests.contains(&"read"));
}

#[tokio::test]
async fn a_booking_that_cannot_be_read_stops_no_other() {
    let mut world = world();
    world.customer_books("a", 20);
    world.customer_books("b", 24);
    for _ in 0..3 {
        world.fail_next("bookings", Fault::HalfAReading);
    }
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 1), "{report:#?}");
    assert_eq!(world.sync().await.bookings.created, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_whose_event_was_refused_is_tried_again_and_stops_no_other() {
    let mut world = world();
    world.customer_books("a", 20);
    world.customer_books("b", 24);
    world.fail_next("create", Fault::Rejected);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 1), "{report:#?}");
    let refused = &report.errors[0];
    assert_eq!(refused.connection.as_ref(), Some(&world.connection), "whose it is can be told: {refused:?}");
    assert!(refused.calendar.is_some() && refused.booking.is_some(), "{refused:?}");
    let rows = world.mirror.world().expect("a world").mappings;
    assert_eq!(rows.values().filter(|mapping| mapping.state == MappingState::Error).count(), 1);
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_service_that_asks_to_slow_down_is_asked_again_and_then_answers() {
    let mut world = world();
    world.customer_books("a", 20);
    world.fail_next("create", Fault::RateLimited);
    world.fail_next("read", Fault::RateLimited);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 0), "{report:#?}");
}

#[tokio::test]
async fn a_dry_run_tells_the_very_plan_and_writes_nothing() {
    let mut world = world();
    world.customer_books("b", 20);
    world.vendor_adds("dentist", 24, 1);
    let dry = world.try_sync(Direction::Bidirectional, true).await.expect("a plan");
    assert_eq!(world.services.state().writes, 0);
    let wet = world.sync().await;
    let published =
        |report: &sync::report::Report| report.busy.sources.iter().filter(|s| s.published).count();
    assert_eq!((dry.bookings, published(&dry)), (wet.bookings, published(&wet)));
}

#[tokio::test]
async fn each_direction_does_its_half() {
    let mut world = world();
    world.customer_books("b", 20);
    world.vendor_adds("dentist", 24, 1);
    let from = world.try_sync(Direction::FromCalendar, false).await.expect("a report");
    assert_eq!((world.published_busy().len(), world.booking_events().len()), (1, 0), "{from:#?}");
    world.vendor_adds("second", 30, 1);
    let to = world.try_sync(Direction::ToCalendar, false).await.expect("a report");
    assert_eq!((world.published_busy().len(), world.booking_events().len()), (1, 1), "{to:#?}");
    world.sync().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_calendar_that_no_longer_blocks_gives_its_time_back() {
    let mut world = world();
    let id = world.link("family", Role::Busy);
    let trip = event("school trip", world.at(24), world.at(30));
    world.services.state().put(&"family".into(), trip);
    world.sync().await;
    assert_eq!(world.published_busy().len(), 1);
    let mut calendar = world.mirror.world().expect("a world").calendars[&id].clone();
    calendar.role = Role::Off;
    world.mirror.put_calendar(&calendar).expect("saved");
    world.sync().await;
    assert_eq!(world.published_busy(), vec![]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_rebuilt_mirror_finds_its_events_again_and_doubles_none() {
    let mut world = world();
    for n in 0..3 {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    world.sync().await;
    let mut rebuilt = World::around(world.services, Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    let report = rebuilt.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(rebuilt.booking_events().len(), 3);
    rebuilt.assert_settled().await;
}

#[tokio::test]
async fn a_rebuilt_mirror_asks_about_an_event_that_stands_elsewhere_than_its_booking() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    let mut rebuilt = World::around(world.services, Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    let report = rebuilt.sync().await;
    assert_eq!(report.decisions.len(), 1, "{report:#?}");
    assert_eq!(times(&rebuilt.booking_events()[0]), Some((start, end)));
}

#[tokio::test]
async fn an_event_that_sits_on_our_id_without_being_ours_is_left_alone() {
    let mut world = world();
    world.customer_books("first", 20);
    world.sync().await;
    let id = world.customer_books("second", 40);
    let booking = world.services.state().bookings[&id].1.clone();
    let target = world.target();
    let draft = Draft::of(&booking, Service::Google, &target, 0);
    let squatter = event(draft.id.as_str(), world.at(60), world.at(61));
    world.services.state().put(&target, squatter);
    let report = world.sync().await;
    assert_eq!((report.errors.len(), report.errors[0].code), (1, Code::ConflictDetected), "{report:#?}");
    let standing =
        world.booking_events().into_iter().find(|event| event.id == draft.id).expect("still there");
    assert!(!says(&standing, &draft));
}

#[tokio::test]
async fn the_window_rolls_forward_without_reading_anything_again() {
    let mut world = world();
    world.vendor_adds("far away", 24 * 33, 1);
    world.sync().await;
    assert_eq!(world.published_busy(), vec![], "beyond the horizon");
    world.clock.advance(SignedDuration::from_hours(24 * 5));
    // As if the full reading of this week had just been done.
    for side in world.mirror.world().expect("a world").full_readings.keys() {
        let read = FullReading { read_at: Some(world.clock.now()), tried_at: None };
        world.mirror.put_full_reading(side, &read).expect("written down");
    }
    world.services.state().requests.clear();
    let report = world.sync().await;
    assert_eq!(world.published_busy().len(), 1);
    let reads = world.asked("read");
    assert_eq!(reads, 2, "one per calendar: {report:#?}");
}

#[tokio::test]
async fn what_a_reading_does_not_reach_is_not_taken_for_deleted() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.clock.advance(SignedDuration::from_hours(24 * 3));
    world.fail_next("read", Fault::CursorLost);
    world.fail_next("read", Fault::CursorLost);
    world.sync().await;

    let (start, end) = (world.at(100), world.at(101));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    let report = world.sync().await;
    assert_eq!((report.bookings.updated, report.decisions.len()), (1, 0), "{report:#?}");
    assert_eq!(world.booking_events().iter().map(times).collect::<Vec<_>>(), [Some((start, end))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_lost_reply_while_making_the_calendar_makes_no_second_one() {
    let mut world = world();
    world.customer_books("b", 20);
    world.fail_next("create_calendar", Fault::ReplyLost);
    world.sync().await;
    world.sync().await;
    let state = world.services.state();
    let made =
        state.calendars.values().filter(|calendar| calendar.entry.as_ref().is_some_and(|entry| entry.ours));
    assert_eq!(made.count(), 1);
}

#[tokio::test]
async fn past_and_finished_bookings_are_left_as_they_are() {
    let mut world = world();
    world.customer_books("yesterday", -20);
    let done = world.customer_books("today", 2);
    world.sync().await;
    world.clock.advance(SignedDuration::from_hours(5));
    world.platform_changes(&done, |booking| booking.status = BookingStatus::Completed);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.bookings.removed), (0, 0));
    assert_eq!(world.booking_events().len(), 1);
    world.assert_settled().await;
}
