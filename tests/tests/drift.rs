//! What no cursor ever tells is found within a week, and healed by the ordinary plan.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mirror::Sqlite;
use sync::booking::BookingStatus;
use sync::ids::RemoteId;
use sync::ports::{Clock, RemoteEvent};
use sync::reconcile::Side;
use sync::report::Report;
use sync::world::Role;
use tests::service::event;
use tests::world::World;

/// Changes an event behind every cursor: the service will not tell.
fn silently(world: &World, id: &str, change: impl FnOnce(Option<RemoteEvent>) -> Option<RemoteEvent>) {
    let mut state = world.services.state();
    let calendar = state.calendars.get_mut(&"personal".into()).unwrap();
    let before = calendar.events.get(&RemoteId::from(id)).and_then(|(_, event)| event.clone());
    calendar.events.insert(RemoteId::from(id), (0, change(before)));
}

/// Syncs every six hours until something is reported as drift, for at most so many days.
async fn drift_within(world: &mut World, days: i64) -> Option<Report> {
    for _ in 0..days * 4 {
        world.clock.advance(SignedDuration::from_hours(6));
        let report = world.sync().await;
        assert!(report.errors.is_empty(), "{report:#?}");
        if !report.drift.is_empty() {
            return Some(report);
        }
    }
    None
}

#[tokio::test]
async fn an_event_that_its_service_never_told_of_is_found_within_a_week_and_blocks() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("dentist", 24, 1);
    world.sync().await;
    world.assert_settled().await;
    let (start, end) = (world.at(20 * 24), world.at(20 * 24 + 2));
    silently(&world, "hidden", |_| Some(event("hidden", start, end)));

    let report = drift_within(&mut world, 7).await.expect("it is found");
    assert_eq!(report.drift.iter().map(|drift| drift.differences).sum::<usize>(), 1, "{report:#?}");
    assert!(world.published_busy().contains(&(start, end)));
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_that_went_silently_is_found_within_a_week_and_blocks_no_more() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("kept", 20 * 24, 1);
    world.vendor_adds("gone", 21 * 24, 1);
    world.sync().await;
    let gone = (world.at(21 * 24), world.at(21 * 24 + 1));
    assert!(world.published_busy().contains(&gone));
    silently(&world, "gone", |_| None);

    drift_within(&mut world, 7).await.expect("it is found");
    assert!(!world.published_busy().contains(&gone));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_that_changed_silently_is_found_within_a_week_and_its_event_follows() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    let booking = world.customer_books("b1", 20 * 24);
    world.sync().await;
    {
        let mut state = world.services.state();
        let (_, row) = state.bookings[&booking].clone();
        let later = SignedDuration::from_hours(3);
        let moved = sync::booking::Booking { start: row.start + later, end: row.end + later, ..row };
        state.bookings.insert(booking.clone(), (0, moved));
    }
    let report = drift_within(&mut world, 7).await.expect("it is found");
    assert_eq!(report.drift[0].side, "bookings");
    assert_eq!(world.booking_events().len(), 1);
    world.assert_settled().await;
    let row = world.services.state().bookings[&booking].1.clone();
    let stands = world.booking_events().remove(0).event;
    assert_eq!(stands.start, calendar::event::When::Utc(row.start));
}

#[tokio::test]
async fn what_was_told_is_no_drift() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("dentist", 24, 1);
    world.customer_books("b1", 40);
    world.sync().await;
    for day in 1..14 {
        world.clock.advance(SignedDuration::from_hours(24));
        world.vendor_adds(&format!("day {day}"), day * 24 + 30, 1);
        world.customer_books(&format!("b-day {day}"), day * 24 + 40);
        let report = world.sync().await;
        assert!(report.drift.is_empty(), "{report:#?}");
    }
    let mut read = world.mirror.world().unwrap().full_readings;
    assert!(read.remove(&Side::Slots).is_some(), "looked through once, and never again");
    assert_eq!(read.len(), 3, "bookings and two calendars: {read:?}");
    assert!(read.values().all(|side| side.read_at > Some(world.at(24))), "{read:?}");
}

#[tokio::test]
async fn a_full_reading_that_fails_changes_nothing_and_is_made_good_the_next_day() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("dentist", 20 * 24, 1);
    world.sync().await;
    let before = world.mirror.world().unwrap();
    let hidden = event("hidden", world.at(19 * 24), world.at(19 * 24 + 1));
    silently(&world, "hidden", |_| Some(hidden));
    // Every reading from no cursor fails for the next eight days.
    world.clock.advance(SignedDuration::from_hours(8 * 24));
    world.services.state().refuses_full_readings = true;
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.drift.is_empty(), "{report:#?}");
    let after = world.mirror.world().unwrap();
    assert_eq!(after.events, before.events);
    assert!(after.calendars.values().all(|calendar| calendar.cursor.is_some() && calendar.known));
    let asked = world.services.state().requests.len();
    world.clock.advance(SignedDuration::from_hours(1));
    world.sync().await;
    assert_eq!(world.services.state().requests.len() - asked, 3, "it is not tried again at once");

    world.services.state().refuses_full_readings = false;
    world.clock.advance(SignedDuration::from_hours(24));
    let report = world.sync().await;
    assert!(!report.drift.is_empty(), "{report:#?}");
}

#[tokio::test]
async fn a_service_that_suddenly_shows_nothing_at_all_is_not_believed() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("dentist", 20 * 24, 1);
    world.customer_books("b1", 20 * 24 + 5);
    world.sync().await;
    let busy = world.published_busy();
    for day in 0..9 {
        world.clock.advance(SignedDuration::from_hours(24));
        world.services.state().shows_nothing_in_full = true;
        let report = world.sync().await;
        assert!(report.drift.is_empty() && report.bookings.removed == 0, "day {day}: {report:#?}");
    }
    assert_eq!(world.booking_events().len(), 1);
    let still: BTreeSet<_> = world.published_busy().into_iter().collect();
    assert!(busy.iter().all(|blocked| still.contains(blocked)), "{busy:?} {still:?}");
}

#[tokio::test]
async fn a_week_without_any_run_leads_to_one_full_reading_a_side() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.vendor_adds("dentist", 24, 1);
    world.sync().await;
    world.clock.advance(SignedDuration::from_hours(24 * 400));
    world.services.state().requests.clear();
    world.sync().await;
    let first = world.services.state().requests.len();
    world.services.state().requests.clear();
    world.sync().await;
    let second = world.services.state().requests.len();
    assert!(first > second, "{first} {second}");
    assert_eq!(second, 3, "bookings and two calendars, each from its cursor");
}

#[tokio::test]
async fn an_event_of_ours_that_the_weekly_reading_does_not_list_is_looked_for_before_it_counts_as_deleted() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.customer_books("b1", 20 * 24);
    world.customer_books("b2", 21 * 24);
    world.sync().await;
    let event = world.booking_events()[0].id.clone();
    world.services.state().unlisted.insert(event);
    for _ in 0..8 * 4 {
        world.clock.advance(SignedDuration::from_hours(6));
        let report = world.sync().await;
        assert!(report.decisions.is_empty() && report.drift.is_empty(), "{report:#?}");
    }
    assert_eq!(world.booking_events().len(), 2);
}

#[tokio::test]
async fn an_event_of_ours_that_a_reading_does_not_list_goes_with_its_booking_all_the_same() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    let booking = world.customer_books("b1", 20 * 24);
    world.sync().await;
    let event = world.booking_events()[0].id.clone();
    world.services.state().unlisted.insert(event);
    let known = world.mirror.world().unwrap();
    let target = known.calendars.values().find(|calendar| calendar.role == Role::Target).unwrap();
    world.mirror.forget_cursor(Some(&target.id)).unwrap();
    world.platform_changes(&booking, |booking| booking.status = BookingStatus::Cancelled);
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, world.booking_events().len()), (1, 0), "{report:#?}");
}

#[tokio::test]
async fn a_side_that_holds_nothing_is_read_in_full_once_a_week_like_any_other() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.sync().await;
    world.clock.advance(SignedDuration::from_hours(8 * 24));
    let now = world.clock.now();
    world.sync().await;
    let mut read = world.mirror.world().unwrap().full_readings;
    assert!(read.remove(&Side::Slots).is_some(), "looked through once, and never again");
    assert_eq!(read.len(), 3, "bookings and two calendars: {read:?}");
    assert!(read.values().all(|side| side.read_at >= Some(now)), "{read:?}");
}

#[tokio::test]
async fn only_what_stands_for_a_booking_in_this_very_calendar_is_looked_for_by_its_id() {
    let mut world = World::new(Box::new(Sqlite::in_memory().unwrap()));
    world.customer_books("b1", 20 * 24);
    world.sync().await;
    // She has a copy of the event elsewhere, under the same id, until it silently goes.
    let copy = world.booking_events().remove(0);
    world.services.state().put(&"personal".into(), copy.clone());
    world.sync().await;
    let known = world.mirror.world().unwrap();
    let personal = known.calendars.values().find(|calendar| calendar.name == "personal").unwrap();
    let holds = |world: &World| {
        let known = world.mirror.world().unwrap();
        known.events.get(&personal.id).is_some_and(|events| events.contains_key(&copy.id))
    };
    assert!(holds(&world));
    silently(&world, &copy.id.0, |_| None);
    world.mirror.forget_cursor(Some(&personal.id)).unwrap();
    world.services.state().requests.clear();
    world.sync().await;
    assert!(!world.services.state().requests.contains(&"probe"));
    assert!(!holds(&world));
}
