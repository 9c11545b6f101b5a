//! Leaving an account: everything we ever wrote for it is taken back, nothing of hers is, and at whatever moment it is
//! cut off, the same again ends where an undisturbed one would.

use std::sync::Arc;

use calendar::event::{End, When};
use jiff::Timestamp;
use sync::booking::booking_uid;
use sync::error::Code;
use sync::ids::{RemoteId, Service};
use sync::import::{self, OnConflict};
use sync::journal::EntryState;
use sync::leave::{Extent, LeaveReport};
use sync::ports::{Marker, Mirror, RemoteEvent};
use sync::report::Report;
use sync::world::{ConnectionState, Role};
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, event};
use tests::world::World;

fn memory() -> Box<dyn Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

/// Three bookings in her calendar, and a busy time of hers.
async fn settled(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    for (id, hours) in [("first", 20), ("second", 30), ("third", 40)] {
        world.customer_books(id, hours);
    }
    world.vendor_adds("dentist", 60, 1);
    world.sync().await;
    assert_eq!(world.booking_events().len(), 3);
    world
}

async fn leave(world: &mut World) -> (LeaveReport, Report) {
    let connection = world.connection.clone();
    world.try_leave(&connection, Extent::Everything).await.expect("a report")
}

/// Every live event there is, by calendar and id.
fn all_events(world: &World) -> Vec<(String, String)> {
    let state = world.services.state();
    let calendars: Vec<_> = state.calendars.keys().cloned().collect();
    let live = |id: &_| state.live(id).into_iter().map(|event| event.id.0).collect::<Vec<_>>();
    calendars.iter().flat_map(|id| live(id).into_iter().map(|event| (id.0.clone(), event))).collect()
}

#[track_caller]
fn assert_nothing_of_ours(world: &World) {
    let state = world.services.state();
    assert!(state.calendars.values().all(|calendar| calendar.entry.as_ref().is_none_or(|entry| !entry.ours)));
    assert!(state.busy.values().all(|set| set.intervals.is_empty()), "{:?}", state.busy);
    drop(state);
    assert_eq!(all_events(world), [("personal".to_owned(), "dentist".to_owned())]);
}

#[tokio::test]
async fn everything_we_wrote_goes_and_the_journal_says_so() {
    let mut world = settled(memory()).await;
    let (told, report) = leave(&mut world).await;
    assert!(told.complete && report.errors.is_empty(), "{report:#?}");
    assert_eq!((told.removed, told.changed.len(), told.kept.len()), (3, 0, 0), "{told:#?}");
    assert!(told.calendars.iter().all(|made| made.deleted) && told.calendars.len() == 1, "{told:#?}");
    assert_nothing_of_ours(&world);

    let run = world.mirror.runs(1).expect("runs").remove(0).id;
    let entries = world.mirror.journal(&run).expect("a journal");
    let of = |kind: &str, state| {
        entries.iter().filter(|e| e.operation.kind() == kind && e.state == state && e.attempts > 0).count()
    };
    assert_eq!(of("remove_event", EntryState::Removed), 3, "{entries:#?}");
    let dropped = entries.iter().filter(|entry| entry.state == EntryState::Withdrawn).count();
    assert_eq!(dropped, told.withdrawn);
    assert!(world.mirror.world().expect("a world").published.is_empty());
}

#[tokio::test]
async fn an_event_that_she_moved_or_reworded_goes_and_she_is_told() {
    let mut world = settled(memory()).await;
    let target = world.target();
    let mut events = world.booking_events();
    events[0].event.start = When::Utc(world.at(70));
    events[0].event.end = End::At(When::Utc(world.at(71)));
    events[1].event.summary = "Nadia, bring the blue dye".to_owned();
    let mut changed: Vec<_> = events[..2].iter().map(|e| e.marker.clone().expect("ours").booking).collect();
    for event in events.drain(..2) {
        world.services.state().put(&target, event);
    }
    let (mut told, _) = leave(&mut world).await;
    changed.sort();
    told.changed.sort();
    assert_eq!((told.removed, told.changed), (3, changed));
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn a_copy_of_hers_and_what_she_put_into_our_calendar_stay_and_the_calendar_with_them() {
    let mut world = settled(memory()).await;
    let target = world.target();
    let copy = RemoteEvent { id: RemoteId("copied".to_owned()), ..world.booking_events().remove(0) };
    world.services.state().put(&target, copy);
    let own = event("hers", world.at(80), world.at(81));
    world.services.state().put(&target, own);
    let (told, _) = leave(&mut world).await;
    assert!(told.complete, "{told:#?}");
    assert_eq!(told.removed, 3);
    assert_eq!(told.kept.iter().map(|kept| kept.event.as_str()).collect::<Vec<_>>(), ["copied"]);
    assert_eq!(told.calendars.len(), 1);
    assert!(!told.calendars[0].deleted);
    assert!(told.calendars[0].reason.as_deref().is_some_and(|why| why.contains("2 events")), "{told:#?}");
    let left: Vec<String> = world.services.state().live(&target).into_iter().map(|e| e.id.0).collect();
    assert_eq!(left, ["copied", "hers"]);
}

#[tokio::test]
async fn a_rebuilt_mirror_leaves_nothing_behind() {
    let before = settled(memory()).await;
    // Bookings that the platform has forgotten have events all the same.
    before.services.state().bookings.clear();
    let mut world = World::around(before.services.clone(), memory());
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "{report:#?}");
    assert_eq!(told.removed, 3);
    assert_nothing_of_ours(&world);
}

/// An event as we would write it for a booking of hers into a calendar of her own.
fn ours_in_her_own_calendar(world: &World, booking: &str, hours: i64) -> RemoteEvent {
    let mut event = event("x", world.at(hours), world.at(hours + 1));
    event.id = sync::booking::event_id(&booking.into(), &"personal".into(), 0);
    event.marker = Some(Marker { booking: booking.into(), generation: 0 });
    event
}

#[tokio::test]
async fn in_a_calendar_of_her_own_the_booking_or_the_uid_alone_proves_an_event_to_be_ours() {
    let before = settled(memory()).await;
    let mut known = ours_in_her_own_calendar(&before, "known", 90);
    known.event.uid = calendar::event::Uid("made-anew-by-the-service".to_owned());
    let mut forgotten = ours_in_her_own_calendar(&before, "forgotten", 92);
    forgotten.event.uid = booking_uid(&"forgotten".into(), &"vendor-1".into(), Service::Google);
    for event in [known, forgotten] {
        before.services.state().put(&"personal".into(), event);
    }
    before.customer_books("known", 90);
    let mut world = World::around(before.services.clone(), memory());
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "{report:#?}");
    assert_eq!((told.removed, told.kept.len()), (5, 0), "{told:#?}");
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn a_rebuilt_mirror_tells_what_she_moved_by_the_booking() {
    let before = settled(memory()).await;
    let mut moved = before.booking_events().remove(0);
    let booking = moved.marker.clone().expect("ours").booking;
    moved.event.start = When::Utc(before.at(70));
    moved.event.end = End::At(When::Utc(before.at(71)));
    let target = before.target();
    before.services.state().put(&target, moved);
    let mut world = World::around(before.services.clone(), memory());
    let (told, _) = leave(&mut world).await;
    assert_eq!((told.removed, told.changed), (3, vec![booking]));
}

#[tokio::test]
async fn whatever_names_a_booking_and_is_not_proven_stays_and_is_told() {
    let mut world = settled(memory()).await;
    let booking = world.booking_events().remove(0).marker.expect("ours").booking;
    let named = |id: &str, uid: &str| {
        let mut named = event(id, world.at(90), world.at(91));
        named.event.uid = calendar::event::Uid(uid.to_owned());
        named
    };
    let mut marked = named("marked", "somebody's");
    marked.marker = Some(Marker { booking: booking.clone(), generation: 0 });
    let events = [
        marked,
        named("app", "a@bookiji.app"),
        named("web", &format!("{booking}@bookiji.com")),
        named("none", "b@c"),
    ];
    for event in events {
        world.services.state().put(&"personal".into(), event);
    }
    let (told, _) = leave(&mut world).await;
    let mut kept: Vec<&str> = told.kept.iter().map(|kept| kept.event.as_str()).collect();
    kept.sort_unstable();
    assert_eq!(kept, ["app", "marked", "web"]);
}

#[tokio::test]
async fn another_vendors_events_in_the_same_account_are_not_touched() {
    let mut world = settled(memory()).await;
    let target = world.target();
    let uid = booking_uid(&"theirs".into(), &"vendor-2".into(), Service::Google);
    let mut theirs = event("x", world.at(90), world.at(91));
    theirs.id = sync::booking::event_id(&"theirs".into(), &"personal".into(), 0);
    theirs.event.uid = uid;
    theirs.marker = Some(Marker { booking: "theirs".into(), generation: 0 });
    let id = theirs.id.clone();
    world.services.state().put(&"personal".into(), theirs);
    let (told, _) = leave(&mut world).await;
    assert_eq!((told.complete, told.removed, told.kept.len()), (true, 3, 1), "{told:#?}");
    assert!(all_events(&world).contains(&("personal".to_owned(), id.0)));
    assert!(!world.services.state().calendars.contains_key(&target));
}

#[tokio::test]
async fn an_event_that_changes_as_it_is_removed_is_looked_at_again_and_goes_if_it_still_is_ours() {
    let mut world = settled(memory()).await;
    let target = world.target();
    let end = world.at(73);
    world.before_next("delete", move |state| {
        for mut event in state.live(&target) {
            event.event.end = End::At(When::Utc(end));
            state.put(&target, event);
        }
    });
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "{report:#?}");
    assert_eq!(told.removed, 3);
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn what_cannot_be_removed_is_said_and_no_sync_in_between_puts_anything_back() {
    let mut world = settled(memory()).await;
    world.fail_from(2, 99, Fault::Unreachable);
    let (told, report) = leave(&mut world).await;
    assert!(!told.complete);
    assert!(report.errors.iter().all(|error| error.code == Code::NetworkError), "{report:#?}");
    let connection = world.mirror.world().expect("a world").connections[&world.connection].clone();
    assert_eq!(connection.state, ConnectionState::Leaving);
    assert_eq!(connection.error.expect("a reason").code, Code::NetworkError);

    world.heal();
    let standing = all_events(&world);
    world.customer_books("new", 50);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (0, 0), "{report:#?}");
    assert_eq!(all_events(&world), standing, "nothing is written for an account that is being left");

    let (told, _) = leave(&mut world).await;
    assert!(told.complete);
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn half_a_reading_removes_what_it_saw_and_what_is_known_and_says_that_the_rest_is_open() {
    let mut world = settled(memory()).await;
    for _ in 0..world.policy.retry.tries {
        world.fail_next("read", Fault::HalfAReading);
    }
    // The first calendar is read by halves, and the second in full.
    let (told, report) = leave(&mut world).await;
    assert!(!told.complete && told.removed == 3, "{report:#?}");
    let (told, _) = leave(&mut world).await;
    assert!(told.complete);
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn busy_time_alone_can_be_taken_back_and_our_events_stay() {
    let mut world = settled(memory()).await;
    let connection = world.connection.clone();
    let (told, _) = world.try_leave(&connection, Extent::BusyTime).await.expect("a report");
    assert!(told.complete && told.removed == 0 && told.withdrawn > 0, "{told:#?}");
    assert_eq!((world.booking_events().len(), world.published_busy()), (3, Vec::new()));
}

#[tokio::test]
async fn slots_of_imported_free_times_go_and_those_that_are_booked_stay_and_are_told() {
    let mut world = settled(memory()).await;
    let at = |hours| world.at(hours).strftime("%Y%m%dT%H%M%SZ").to_string();
    let free = |uid: &str, hours| {
        format!(
            "BEGIN:VEVENT\nUID:{uid}\nDTSTART:{}\nDTEND:{}\nTRANSP:TRANSPARENT\nEND:VEVENT\n",
            at(hours),
            at(hours + 1)
        )
    };
    let file = format!("BEGIN:VCALENDAR\n{}{}END:VCALENDAR\n", free("open", 100), free("booked", 104));
    world.vendor_imports(&file, Some(OnConflict::Replace));
    world.sync().await;
    assert_eq!(world.slots(), [(100, 101, true), (104, 105, true)]);
    world.customer_books("b", 104);
    for slot in world.services.state().slots.values_mut().filter(|slot| slot.span.start() == world.at(104)) {
        slot.open = false;
    }
    let (told, report) =
        world.try_leave(&import::connection_id(), Extent::Everything).await.expect("a report");
    assert!(told.complete, "{report:#?}");
    assert_eq!((told.slots_removed, told.slots_kept.len()), (1, 1), "{told:#?}");
    assert_eq!(told.slots_kept[0].reason, "it is booked");
    assert_eq!(world.slots(), [(104, 105, false)]);
}

/// What a person would see on both sides, and how many calendars are still in use.
type EndState = (Vec<(String, String)>, Vec<(Timestamp, Timestamp)>, usize);

fn end_state(world: &World) -> EndState {
    let rows = world.mirror.world().expect("a world");
    let used = rows.calendars.values().filter(|calendar| calendar.role != Role::Off).count();
    (all_events(world), world.published_busy(), used)
}

#[tokio::test]
async fn leaving_that_is_killed_at_any_write_to_the_mirror_ends_as_if_it_had_not_been() {
    let mut undisturbed = settled(memory()).await;
    leave(&mut undisturbed).await;
    let expected = end_state(&undisturbed);
    assert_eq!(expected.2, 0);
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world = settled(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment))).await;
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let connection = world.connection.clone();
            let died = world.try_leave(&connection, Extent::Everything).await.is_err();
            world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            let (told, report) = leave(&mut world).await;
            assert!(told.complete, "write {fatal} {moment:?}: {report:#?}");
            assert_eq!(end_state(&world), expected, "write {fatal} {moment:?}");
            assert_nothing_of_ours(&world);
            if !died {
                assert!(fatal > 12, "the scenario is too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn leaving_that_loses_any_request_or_its_answer_ends_as_if_it_had_not() {
    let mut undisturbed = settled(memory()).await;
    undisturbed.services.state().requests.clear();
    leave(&mut undisturbed).await;
    let expected = end_state(&undisturbed);
    let requests = undisturbed.services.state().requests.clone();
    assert!(requests.len() >= 8, "{requests:?}");
    for fault in
        [Fault::ReplyLost, Fault::Unreachable, Fault::RateLimited, Fault::Rejected, Fault::SignInExpired]
    {
        for nth in 0..requests.len() {
            for times in [1, 9] {
                let mut world = settled(memory()).await;
                world.fail_from(nth, times, fault);
                leave(&mut world).await;
                world.heal();
                let (told, report) = leave(&mut world).await;
                assert!(told.complete, "{fault:?} at {nth} ({times} times): {report:#?}");
                assert_eq!(end_state(&world), expected, "{fault:?} at {nth} ({times} times)");
                assert_nothing_of_ours(&world);
            }
        }
    }
}
