//! Where bookings go: which calendar is taken for it where there are several of ours, and what is said where none can be
//! had.

use jiff::SignedDuration;
use sync::error::Code;
use sync::journal::EntryState;
use sync::ports::{Clock, Marker, Mirror, RemoteEvent};
use sync::world::{Direction, LinkedCalendar, Role};
use tests::service::{Fault, event};
use tests::world::World;

fn mirror() -> Box<dyn Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

/// With the event of a booking that this computer knows nothing of.
fn holds_a_booking(world: &World, remote: &str) {
    let marker = Some(Marker { booking: "old".into(), generation: 0 });
    let event = RemoteEvent { marker, ..event("old", world.at(40), world.at(41)) };
    world.services.state().put(&remote.into(), event);
}

fn row(world: &World, remote: &str) -> LinkedCalendar {
    let known = world.mirror.world().expect("a world").calendars;
    known.into_values().find(|calendar| calendar.remote == remote.into()).expect("a row")
}

/// A computer that may not be alone, with a new calendar of its own: `target` is its name.
async fn perhaps_two() -> World {
    let mut world = World::new(mirror());
    world.services.state().lease.missing = true;
    world.sync().await;
    world.clock.advance(SignedDuration::from_mins(10));
    world
}

#[tokio::test]
async fn a_preview_changes_nothing_about_where_bookings_go() {
    let mut world = perhaps_two().await;
    let own = world.target();
    world.services.state().another_makes("a twin");
    let before = world.mirror.world().expect("a world").calendars;
    world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!(world.mirror.world().expect("a world").calendars, before);

    world.sync().await;
    let given_up = row(&world, &own.0);
    assert_eq!((world.target(), given_up.role), ("a twin".into(), Role::Off));
    assert_eq!(given_up.updated_at, world.clock.now());
    assert_eq!(row(&world, "a twin").updated_at, world.clock.now());
}

#[tokio::test]
async fn a_twin_is_looked_for_while_there_may_be_one_and_not_beyond() {
    for (seconds, looks) in [(3599, true), (3600, false), (7200, false)] {
        let mut world = World::new(mirror());
        world.services.state().lease.missing = true;
        world.sync().await;
        let made = row(&world, &world.target().0).created_at;
        let age = world.clock.now().duration_since(made);
        world.clock.advance(SignedDuration::from_secs(seconds) - age);
        world.services.state().requests.clear();
        world.sync().await;
        let asked = world.services.state().requests.contains(&"calendars");
        assert_eq!(asked, looks, "{seconds} s after it was made");
    }
}

#[tokio::test]
async fn a_calendar_that_bookings_are_in_is_not_given_up_for_another() {
    let mut world = World::new(mirror());
    world.services.state().lease.missing = true;
    world.customer_books("b", 20);
    world.sync().await;
    let own = world.target();
    world.services.state().another_makes("a twin");
    holds_a_booking(&world, "a twin");
    world.sync().await;
    assert_eq!(world.target(), own);
}

#[tokio::test]
async fn of_several_calendars_the_one_with_bookings_in_it_is_taken_and_else_the_first() {
    let mut world = World::new(mirror());
    for name in ["a", "b", "c"] {
        world.services.state().another_makes(name);
    }
    world.services.state().put(&"a".into(), event("hers", world.at(30), world.at(31)));
    holds_a_booking(&world, "b");
    world.sync().await;
    assert_eq!(world.target(), "b".into());

    let mut empty = World::new(mirror());
    for name in ["c", "b"] {
        empty.services.state().another_makes(name);
    }
    empty.sync().await;
    assert_eq!(empty.target(), "b".into());
}

#[tokio::test]
async fn half_of_a_calendar_proves_that_bookings_are_in_it_and_never_that_none_are() {
    for (proven, target) in [(true, Some("a")), (false, None)] {
        let mut world = World::new(mirror());
        for name in ["a", "b"] {
            world.services.state().another_makes(name);
        }
        // Half of two is the first of them.
        let far = event("z", world.at(60), world.at(61));
        world.services.state().put(&"a".into(), far);
        if proven {
            holds_a_booking(&world, "a");
        } else {
            world.services.state().put(&"a".into(), event("hers", world.at(40), world.at(41)));
        }
        for _ in 0..world.policy.retry.tries {
            world.fail_next("read", Fault::HalfAReading);
        }
        let report = world.sync().await;
        let known = world.mirror.world().expect("a world").calendars;
        let found = known.values().find(|row| row.role == Role::Target).map(|row| row.remote.0.as_str());
        assert_eq!(found, target, "{report:#?}");
    }
}

#[tokio::test]
async fn one_that_was_made_and_not_confirmed_is_found_in_the_same_run() {
    let mut world = World::new(mirror());
    world.customer_books("b", 20);
    world.fail_next("create_calendar", Fault::ReplyLost);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 0), "{report:#?}");
    assert_eq!(made(&world), [EntryState::Stored]);
}

/// How each try to make a calendar ended, by the journal.
fn made(world: &World) -> Vec<EntryState> {
    let runs = world.mirror.runs(10).expect("runs");
    let entries = runs.iter().rev().flat_map(|run| world.mirror.journal(&run.id).expect("a journal"));
    entries.filter(|entry| entry.operation.kind() == "make_calendar").map(|entry| entry.state).collect()
}

#[tokio::test]
async fn the_making_of_a_calendar_stays_open_in_the_journal_until_somebody_knows_how_it_ended() {
    for fault in [Fault::ReplyLost, Fault::Unreachable] {
        let mut world = World::new(mirror());
        world.customer_books("b", 20);
        world.fail_next("create_calendar", fault);
        // Nobody can say what came of it, after the first look.
        world.services.state().before.push((
            "create_calendar",
            Box::new(|state| {
                state.faults.extend([("calendars", Fault::Unreachable); 3]);
            }),
        ));
        world.sync().await;
        assert_eq!(made(&world), [EntryState::Attempted], "{fault:?}");
        assert_eq!(world.sync().await.bookings.created, 1);
        let failed = (fault == Fault::Unreachable).then_some(EntryState::Failed);
        let ends: Vec<EntryState> = failed.into_iter().chain([EntryState::Stored]).collect();
        assert_eq!(made(&world), ends, "{fault:?}");
        assert!(world.mirror.world().expect("a world").unsettled.is_empty());
    }
}

#[tokio::test]
async fn where_none_can_be_had_it_is_said_of_which_account() {
    for (request, fault, code) in [
        ("calendars", Fault::SignInExpired, Code::OauthTokenExpired),
        ("create_calendar", Fault::Rejected, Code::CalendarApiError),
    ] {
        let mut world = World::new(mirror());
        world.customer_books("b", 20);
        world.fail_next(request, fault);
        let report = world.sync().await;
        let said = report.errors.iter().find(|error| error.code == code).expect("it is said");
        assert_eq!((said.connection.as_ref(), report.bookings.created), (Some(&world.connection), 0));
        assert_eq!(world.asked("calendars"), 1, "{request} leaves no doubt that a second look would end");
        assert_eq!(world.sync().await.bookings.created, 1, "the next run makes it");
    }
}
