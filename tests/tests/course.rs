//! The course of a run: what it asks for and what it leaves alone, how often it tries, and what it writes down of itself.

use jiff::SignedDuration;
use sync::booking::BookingStatus;
use sync::error::Code;
use sync::lease::Installation;
use sync::ports::Clock;
use sync::report::ReadOutcome;
use sync::world::{Direction, LinkedCalendar, Role, SyncOutcome};
use tests::service::{Fault, State};
use tests::world::World;

fn new_world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

fn clear(world: &World) {
    world.services.state().requests.clear();
}

fn personal(world: &World) -> LinkedCalendar {
    let known = world.mirror.world().expect("a world").calendars;
    known.into_values().find(|calendar| calendar.remote == "personal".into()).expect("a row")
}

async fn polls(world: &mut World) {
    world.try_sync(Direction::ToCalendar, false).await.expect("a report");
}

#[tokio::test]
async fn a_run_is_written_down_and_a_preview_is_not() {
    let mut world = new_world();
    world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!(world.mirror.runs(9).expect("runs"), []);
    world.sync().await;
    let runs = world.mirror.runs(9).expect("runs");
    assert_eq!((runs.len(), runs[0].outcome.is_some()), (1, true), "{runs:#?}");
}

#[tokio::test]
async fn a_preview_closes_no_slot() {
    let mut world = new_world();
    world.services.state().leaves_slots = true;
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!(world.services.state().writes, 0);
    assert_eq!(world.slots(), [(24, 25, true)]);
}

#[tokio::test]
async fn a_poll_looks_at_slots_only_if_a_booking_changed() {
    let mut world = new_world();
    world.services.state().leaves_slots = true;
    let booking = world.customer_books("b", 24);
    world.vendor_adds("tea", 40, 1);
    world.sync().await;
    clear(&world);
    polls(&mut world).await;
    assert_eq!((world.asked("slots"), world.asked("read")), (0, 0));

    // Today's platform opens the slot of a booking that is cancelled, whatever lies over it.
    world.vendor_opens("a", 40, 1);
    world.platform_changes(&booking, |booking| booking.status = BookingStatus::Cancelled);
    polls(&mut world).await;
    assert_eq!(world.slots(), [(40, 41, false)]);
}

#[tokio::test]
async fn bookings_whose_event_is_as_it_should_be_are_counted_also_where_they_were_only_noted() {
    let mut studio = new_world();
    for n in 0..3 {
        studio.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    assert_eq!(studio.sync().await.bookings.unchanged, 0);
    assert_eq!(studio.sync().await.bookings.unchanged, 3);
    // A computer that knows nothing of them finds them.
    let mut laptop = studio.beside("laptop", Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    assert_eq!(laptop.sync().await.bookings.unchanged, 3);
}

/// Before each update she writes something else on the event, as often as it is tried.
fn writes_on_it_meanwhile(state: &mut State) {
    let (calendar, mut event) = state.only_booking_event();
    event.event.location = format!("{} again", event.event.location);
    state.put(&calendar, event);
    state.before.push(("update", Box::new(writes_on_it_meanwhile)));
}

#[tokio::test]
async fn what_changes_under_its_hands_is_tried_three_times_and_left_for_the_next_run() {
    let mut world = new_world();
    let booking = world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&booking, |booking| (booking.start, booking.end) = (start, end));
    world.before_next("update", writes_on_it_meanwhile);
    clear(&world);
    world.sync().await;
    assert_eq!(world.asked("update"), 3);
    world.services.state().before.clear();
    assert_eq!(world.sync().await.bookings.updated, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn what_nobody_could_say_of_is_concluded_by_the_next_run() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.fail_next("create", Fault::ReplyLost);
    for _ in 0..world.policy.retry.tries {
        world.fail_next("probe", Fault::Unreachable);
    }
    world.sync().await;
    assert_eq!(world.mirror.world().expect("a world").unsettled.len(), 1);
    world.heal();
    world.clock.advance(SignedDuration::from_hours(1));
    world.sync().await;
    assert_eq!(world.mirror.world().expect("a world").unsettled, []);
    assert_eq!(world.booking_events().len(), 1);
}

#[tokio::test]
async fn once_another_computer_writes_no_more_busy_time_is_told() {
    let mut world = new_world();
    world.link("family", Role::Busy);
    world.sync().await;
    world.vendor_adds("tea", 24, 1);
    let family = tests::service::event("choir", world.at(30), world.at(31));
    world.services.state().put(&"family".into(), family);
    world.before_next("put_busy", |state| {
        let other = Installation { id: "laptop".into(), name: "laptop".to_owned() };
        let until = state.time.as_ref().expect("a clock").now() + SignedDuration::from_mins(1);
        state.lease.fencing += 1;
        state.lease.holder = Some((other, until));
    });
    clear(&world);
    let report = world.sync().await;
    assert_eq!(world.asked("put_busy"), 1, "{report:#?}");
}

#[tokio::test]
async fn a_calendar_keeps_when_and_how_it_was_last_read_and_when_it_is_due() {
    let mut world = new_world();
    world.clock.advance(SignedDuration::from_secs(7));
    world.sync().await;
    let (now, read) = (world.clock.now(), personal(&world));
    assert_eq!((read.last_sync_at, read.last_sync_status), (Some(now), Some(SyncOutcome::Success)));
    assert_eq!((read.next_sync_at, read.updated_at), (Some(now + SignedDuration::from_mins(5)), now));

    world.clock.advance(SignedDuration::from_mins(5));
    for _ in 0..world.policy.retry.tries {
        world.fail_next("read", Fault::RateLimited);
    }
    world.sync().await;
    let failed = personal(&world);
    let problem = failed.last_sync_error.expect("a reason");
    assert_eq!((failed.last_sync_at, failed.last_sync_status), (Some(now), Some(SyncOutcome::Error)));
    assert_eq!(problem.code, Code::RateLimitExceeded);
    let until = world.mirror.world().expect("a world").connections[&world.connection].backoff_until;
    assert!(until.is_some());
    assert_eq!(failed.next_sync_at, until, "not before its account may be asked");
}

#[tokio::test]
async fn each_calendar_of_an_account_that_refuses_says_so_itself_and_one_request_is_enough() {
    let mut world = new_world();
    let family = world.link("family", Role::Busy);
    world.sync().await;
    clear(&world);
    world.fail_next("read", Fault::SignInExpired);
    let report = world.sync().await;
    let said: Vec<_> = report
        .errors
        .iter()
        .filter(|error| error.code == Code::OauthTokenExpired)
        .filter_map(|error| Some((error.connection.clone()?, error.calendar.clone()?)))
        .collect();
    for calendar in [personal(&world).id, family] {
        assert!(said.contains(&(world.connection.clone(), calendar)), "{said:?}");
    }
    assert_eq!(world.asked("read"), 1);
}

#[tokio::test]
async fn a_reading_that_began_by_a_wrong_clock_is_made_again_once_it_is_right() {
    for (days, readings) in [(-9, 2), (0, 1), (9, 1)] {
        let mut world = new_world();
        let clock = world.clock.clone();
        world.before_next("read", move |_| clock.advance(SignedDuration::from_hours(24 * days)));
        world.try_sync(Direction::FromCalendar, false).await.expect("a report");
        assert_eq!(world.asked("read"), readings, "{days}");
    }
}

#[tokio::test]
async fn a_reading_says_whether_anything_came() {
    let mut world = new_world();
    world.sync().await;
    let came = |report: &sync::report::Report| {
        report.busy.sources.iter().map(|source| source.outcome).collect::<Vec<_>>()
    };
    let quiet = came(&world.sync().await);
    assert!(quiet.iter().all(|outcome| *outcome == ReadOutcome::Unchanged), "{quiet:?}");
    world.vendor_adds("tea", 24, 1);
    assert!(came(&world.sync().await).contains(&ReadOutcome::Delta));
    world.vendor_deletes(&"personal".into(), &"tea".into());
    assert!(came(&world.sync().await).contains(&ReadOutcome::Delta));
    // Something happened elsewhere: the cursor moves, and nothing came.
    world.services.state().clock += 1;
    let moved = came(&world.sync().await);
    assert!(moved.iter().all(|outcome| *outcome == ReadOutcome::Unchanged), "{moved:?}");
}

#[tokio::test]
async fn a_row_is_as_old_as_its_first_event_however_often_that_is_written() {
    let mut world = new_world();
    let booking = world.customer_books("b", 20);
    world.sync().await;
    let row = |world: &World| {
        let known = world.mirror.world().expect("a world").mappings;
        known.into_values().next().expect("a row")
    };
    let first = row(&world);
    world.clock.advance(SignedDuration::from_hours(1));
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&booking, |booking| (booking.start, booking.end) = (start, end));
    world.sync().await;
    let second = row(&world);
    assert_eq!((second.created_at, second.updated_at), (first.created_at, world.clock.now()));
    assert_ne!(second.updated_at, first.updated_at);
}

#[tokio::test]
async fn busy_time_that_is_refused_says_of_which_calendar() {
    let mut world = new_world();
    world.sync().await;
    world.vendor_adds("tea", 24, 1);
    world.fail_next("put_busy", Fault::Rejected);
    let report = world.sync().await;
    let named: Vec<_> = report.errors.iter().map(|error| error.calendar.clone()).collect();
    assert_eq!(named, [Some(personal(&world).id)]);
    assert_eq!(world.published_busy(), []);
    world.sync().await;
    assert_eq!(world.published_busy(), [(world.at(24), world.at(25))], "the next run tells it");
}
