//! Leaving an account: everything we ever wrote for it is taken back, nothing of hers is, and at whatever moment it is
//! cut off, the same again ends where an undisturbed one would.

use std::sync::Arc;

use calendar::event::{End, When};
use jiff::{SignedDuration, Timestamp};
use sync::booking::{BookingStatus, booking_uid};
use sync::error::Code;
use sync::ids::{CalendarId, RemoteCalendarId, RemoteId, Service};
use sync::import::{self, OnConflict};
use sync::journal::EntryState;
use sync::leave::{Extent, LeaveReport};
use sync::ports::{CalendarEntry, Marker, Mirror, RemoteEvent};
use sync::report::Report;
use sync::world::{ConnectionState, Role, SyncOutcome};
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
    assert_eq!(of("remove_calendar", EntryState::Removed), 1, "{entries:#?}");
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
    // It has a newer version that says nothing new by the time it is reached for.
    world.before_next("delete", move |state| {
        for event in state.live(&target) {
            state.put(&target, event);
        }
    });
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
    assert_eq!((told.removed, told.changed.len()), (3, 3), "she changed them: {told:#?}");
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

/// A file with free times of an hour each, in hours after noon.
fn free_times(world: &World, times: &[(&str, i64)]) -> String {
    let at = |hours| world.at(hours).strftime("%Y%m%dT%H%M%SZ").to_string();
    let event = |(uid, hour): &(&str, i64)| {
        let (start, end) = (at(*hour), at(hour + 1));
        format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART:{start}\nDTEND:{end}\nTRANSP:TRANSPARENT\nEND:VEVENT\n")
    };
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", times.iter().map(event).collect::<String>())
}

#[tokio::test]
async fn slots_of_imported_free_times_go_and_those_that_are_booked_stay_and_are_told() {
    let mut world = settled(memory()).await;
    let file = free_times(&world, &[("open", 100), ("booked", 104)]);
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
async fn leaving_is_a_run_of_its_own_and_turns_every_calendar_of_the_account_off() {
    let mut world = settled(memory()).await;
    world.clock.advance(SignedDuration::from_hours(1));
    leave(&mut world).await;
    let record = world.mirror.runs(1).expect("runs").remove(0);
    assert_eq!((record.ended_at, record.outcome), (Some(world.at(1)), Some(SyncOutcome::Success)));
    for calendar in world.mirror.world().expect("a world").calendars.values() {
        assert_eq!((calendar.role, calendar.updated_at), (Role::Off, world.at(1)), "{calendar:#?}");
    }
}

#[tokio::test]
async fn slots_of_imported_files_stay_where_another_account_is_left() {
    let mut world = settled(memory()).await;
    world.vendor_imports(&free_times(&world, &[("open", 100)]), Some(OnConflict::Replace));
    world.sync().await;
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "{report:#?}");
    assert_eq!((told.slots_removed, told.slots_kept.len()), (0, 0), "{told:#?}");
    assert_eq!(world.slots(), [(100, 101, true)]);
}

#[tokio::test]
async fn of_slots_that_stay_those_that_are_closed_and_not_known_to_be_booked_are_told_as_such() {
    let mut world = settled(memory()).await;
    world.vendor_imports(&free_times(&world, &[("shut", 100)]), Some(OnConflict::Replace));
    world.sync().await;
    world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
    // Somebody had it and cancelled, which is no booking any more.
    let cancelled = world.customer_books("cancelled", 100);
    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Cancelled);
    let (told, _) = world.try_leave(&import::connection_id(), Extent::Everything).await.expect("a report");
    let reasons: Vec<&str> = told.slots_kept.iter().map(|kept| kept.reason.as_str()).collect();
    assert_eq!(reasons, ["it is closed, and may be booked"]);
}

#[tokio::test]
async fn a_slot_that_begins_this_very_moment_is_over_and_not_told_of() {
    let mut world = settled(memory()).await;
    let file = free_times(&world, &[("now", 100), ("later", 104)]);
    world.vendor_imports(&file, Some(OnConflict::Replace));
    world.sync().await;
    world.clock.advance(SignedDuration::from_hours(100));
    // Where nobody says which slots stand, all stay that are not over.
    world.fail_next("slots", Fault::Rejected);
    let (told, report) =
        world.try_leave(&import::connection_id(), Extent::Everything).await.expect("a report");
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!(told.slots_kept.iter().map(|kept| kept.start).collect::<Vec<_>>(), [world.at(104)]);
}

/// Whether her calendar still can be written to.
fn writable(world: &World, calendar: &RemoteCalendarId, writable: bool) {
    let mut state = world.services.state();
    let entry = state.calendars.get_mut(calendar).and_then(|calendar| calendar.entry.as_mut());
    entry.expect("a calendar").writable = writable;
}

#[tokio::test]
async fn a_calendar_that_became_read_only_is_looked_into_where_something_of_ours_is_in_it_and_not_else() {
    let mut world = settled(memory()).await;
    world.link("holidays", Role::Busy);
    let mut named = event("named", world.at(90), world.at(91));
    named.event.uid = calendar::event::Uid("a@bookiji.app".to_owned());
    world.services.state().put(&"holidays".into(), named);
    world.sync().await;
    writable(&world, &"holidays".into(), false);
    writable(&world, &world.target(), false);
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.removed, told.kept.len()), (3, 0), "{report:#?}");
}

#[tokio::test]
async fn the_calendar_that_was_made_for_bookings_comes_last() {
    // Ids are digests: among so many, some would come after it.
    let mut world = settled(memory()).await;
    for n in 0..9 {
        let remote = format!("hers-{n}");
        world.link(&remote, Role::Off);
        let mut ours = ours_in_her_own_calendar(&world, "known", 90);
        ours.id = sync::booking::event_id(&"known".into(), &remote.as_str().into(), 0);
        world.services.state().put(&remote.as_str().into(), ours);
    }
    world.customer_books("known", 90);
    let (told, report) = leave(&mut world).await;
    assert!(told.complete && told.removed == 12, "{report:#?}");
    let run = world.mirror.runs(1).expect("runs").remove(0).id;
    let entries = world.mirror.journal(&run).expect("a journal");
    let removals = entries.iter().filter(|entry| entry.operation.kind() == "remove_event");
    let of_known: Vec<bool> =
        removals.map(|entry| entry.operation.booking() == Some(&"known".into())).collect();
    assert_eq!(of_known, [[true; 9].as_slice(), &[false; 3]].concat());
}

#[tokio::test]
async fn a_calendar_that_is_listed_and_cannot_be_found_is_not_taken_for_gone() {
    let mut world = settled(memory()).await;
    let target = world.target();
    world.before_next("read", |_| {});
    world.before_next("read", move |state| drop(state.calendars.remove(&target)));
    let (told, report) = leave(&mut world).await;
    assert!(!told.complete && report.errors.len() == 1, "{report:#?}");
    let (told, _) = leave(&mut world).await;
    assert!(told.complete, "its account lists it no more");
}

#[tokio::test]
async fn one_calendar_that_cannot_be_read_keeps_none_of_the_others_and_a_lost_sign_in_keeps_all() {
    let mut world = settled(memory()).await;
    world.fail_next("read", Fault::Rejected);
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.complete, told.removed), (false, 3), "{report:#?}");
    let error = &report.errors[0];
    let personal = CalendarId::of(&world.connection, &"personal".into());
    assert_eq!((&error.connection, &error.calendar), (&Some(world.connection.clone()), &Some(personal)));

    let mut world = settled(memory()).await;
    world.services.state().requests.clear();
    world.fail_next("read", Fault::SignInExpired);
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.complete, told.removed), (false, 0), "{report:#?}");
    let reads = world.asked("read");
    assert_eq!(reads, 1, "the account is asked no more");
}

/// Lets `pass` readings through, and ends the next one half-way as often as it is tried.
fn reads_by_halves_after(world: &World, pass: usize) {
    let tries = world.policy.retry.tries;
    for _ in 0..pass {
        world.before_next("read", |_| {});
    }
    world.before_next("read", move |state| {
        state.faults.extend((0..tries).map(|_| ("read", Fault::HalfAReading)));
    });
}

#[tokio::test]
async fn of_a_calendar_that_is_read_by_halves_what_is_known_goes_too_and_the_calendar_stays() {
    let mut world = settled(memory()).await;
    let target = world.target();
    reads_by_halves_after(&world, 1);
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.complete, told.removed, told.calendars.len()), (false, 3, 0), "{report:#?}");
    assert!(world.services.state().calendars.contains_key(&target));
    assert!(leave(&mut world).await.0.complete);
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn a_calendar_of_ours_is_not_deleted_unless_all_of_it_was_seen_to_be_empty() {
    let mut world = settled(memory()).await;
    let target = world.target();
    // The last look is the one that counts: she puts something in, and the half that is shown is empty.
    reads_by_halves_after(&world, 2);
    let own = event("hers", world.at(80), world.at(81));
    let calendar = target.clone();
    world.before_next("delete", move |state| drop(state.put(&calendar, own)));
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.complete, told.removed), (false, 3), "{report:#?}");
    let left: Vec<String> = world.services.state().live(&target).into_iter().map(|e| e.id.0).collect();
    assert_eq!(left, ["hers"]);
}

#[tokio::test]
async fn an_event_that_is_not_removed_is_known_as_it_was() {
    let mut world = settled(memory()).await;
    let target = world.target();
    let mut event = world.booking_events().remove(0);
    "Nadia, bring the blue dye".clone_into(&mut event.event.summary);
    world.services.state().put(&target, event);
    let before = world.mirror.world().expect("a world").mappings;
    for _ in 0..3 {
        world.fail_next("delete", Fault::Rejected);
    }
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.removed, report.errors.len()), (0, 3), "{report:#?}");
    assert_eq!(world.mirror.world().expect("a world").mappings, before);
}

#[tokio::test]
async fn occurrences_that_go_with_their_series_are_not_told_as_kept() {
    let mut world = settled(memory()).await;
    world.customer_books("known", 90);
    let series = ours_in_her_own_calendar(&world, "known", 90);
    let mut occurrence = series.clone();
    occurrence.id = RemoteId(format!("{}_20261127T110000Z", series.id));
    let gone = occurrence.id.clone();
    for event in [occurrence, series] {
        world.services.state().put(&"personal".into(), event);
    }
    world.before_next("delete", move |state| state.delete(&"personal".into(), &gone));
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "{report:#?}");
    assert_eq!((told.removed, told.kept.len()), (4, 0), "{told:#?}");
    assert_nothing_of_ours(&world);
}

/// A second calendar of ours, as another computer makes one at the same moment.
fn twin(world: &World) {
    let mut state = world.services.state();
    let made = state.calendars[&world.target()].entry.clone().expect("a calendar");
    let remote = RemoteCalendarId("made-for-vendor-1-as-well".to_owned());
    let entry = CalendarEntry { remote: remote.clone(), ..made };
    state.calendars.entry(remote).or_default().entry = Some(entry);
}

#[tokio::test]
async fn a_calendar_of_ours_that_may_not_be_deleted_stays_and_is_told_with_the_reason() {
    let mut world = settled(memory()).await;
    world.services.state().requests.clear();
    world.fail_next("delete_calendar", Fault::Rejected);
    let (told, report) = leave(&mut world).await;
    assert!(told.complete, "asking again would not help: {report:#?}");
    let made: Vec<_> = told.calendars.iter().map(|made| (made.deleted, made.reason.is_some())).collect();
    assert_eq!(made, [(false, true)]);
    let lists = world.asked("calendars");
    assert_eq!(lists, 1, "nobody need look what became of it");
}

#[tokio::test]
async fn whether_a_calendar_of_ours_was_deleted_is_looked_up_where_no_answer_says() {
    let mut world = settled(memory()).await;
    world.fail_next("delete_calendar", Fault::ReplyLost);
    for _ in 1..world.policy.retry.tries {
        world.fail_next("delete_calendar", Fault::Unreachable);
    }
    let (told, report) = leave(&mut world).await;
    assert!(told.complete && told.calendars[0].deleted, "{report:#?}");

    let mut world = settled(memory()).await;
    for _ in 0..world.policy.retry.tries {
        world.fail_next("delete_calendar", Fault::Unreachable);
    }
    let (told, report) = leave(&mut world).await;
    assert_eq!((told.complete, told.calendars.len(), report.errors.len()), (false, 0, 1), "{report:#?}");
    assert!(leave(&mut world).await.0.complete);
    assert_nothing_of_ours(&world);
}

#[tokio::test]
async fn of_two_calendars_of_ours_the_second_goes_unless_the_account_refused_everything_at_the_first() {
    for (operation, pass) in [("read", 2), ("delete_calendar", 0)] {
        for fault in [Fault::Rejected, Fault::SignInExpired] {
            let mut world = settled(memory()).await;
            twin(&world);
            for _ in 0..pass {
                world.before_next(operation, |_| {});
            }
            world.before_next(operation, move |state| state.faults.push_back((operation, fault)));
            let (told, report) = leave(&mut world).await;
            let deleted = told.calendars.iter().filter(|made| made.deleted).count();
            let refuses_all = fault == Fault::SignInExpired;
            assert_eq!(deleted, usize::from(!refuses_all), "{operation} {fault:?}: {report:#?}");
            if refuses_all {
                assert_eq!((told.complete, report.errors.len()), (false, 1), "{operation}: {report:#?}");
            }
            leave(&mut world).await;
            assert_nothing_of_ours(&world);
        }
    }
}

#[tokio::test]
async fn whatever_kills_it_no_sync_puts_in_again_what_was_taken_out() {
    for fatal in 1.. {
        let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
        let alive = || Box::new(DyingMirror::new(inside.clone(), usize::MAX, Moment::After));
        let mut world = settled(alive()).await;
        world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, Moment::After));
        let connection = world.connection.clone();
        let died = world.try_leave(&connection, Extent::Everything).await.is_err();
        world.mirror = alive();
        let left = all_events(&world);
        if left.len() < 4 {
            let state = world.mirror.world().expect("a world").connections[&connection].state;
            assert_eq!(state, ConnectionState::Leaving, "write {fatal}");
            world.sync().await;
            assert_eq!(all_events(&world), left, "write {fatal}");
        }
        if !died {
            break;
        }
    }
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
