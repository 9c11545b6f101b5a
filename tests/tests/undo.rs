//! Taking back what a run wrote: where nobody touched it since, without the next sync doing it again, and at any moment
//! of a crash.

use std::sync::Arc;

use calendar::event::{End, Uid, When};
use jiff::{SignedDuration, Timestamp};
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::ids::BookingId;
use sync::import::{Intake, OnConflict, SlotState};
use sync::journal::EntryState;
use sync::ports::{Mirror, Slot};
use sync::report::{Report, UndoReport};
use sync::undo::Why;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::mutate::Chance;
use tests::service::Fault;
use tests::world::{NOON, World};

fn world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

/// What was kept, kind by kind, and why; but for the calendar that the first run made, which always is.
fn kept(report: &UndoReport) -> Vec<(&str, &str)> {
    let kept = report.kept.iter().filter(|kept| kept.operation.kind != "make_calendar");
    kept.map(|kept| (kept.operation.kind.as_str(), kept.reason.as_str())).collect()
}

/// Nothing was taken back, and nothing is left to take back.
#[track_caller]
fn assert_nothing_left(report: &UndoReport) {
    assert_eq!((report.undone, kept(report)), (0, Vec::new()));
}

fn spans(world: &World) -> Vec<(Timestamp, Timestamp)> {
    let mut spans: Vec<_> = world.booking_events().iter().filter_map(times).collect();
    spans.sort_unstable();
    spans
}

#[tokio::test]
async fn created_events_are_taken_back_and_not_created_again_until_their_booking_changes() {
    let mut world = world();
    let first = world.customer_books("first", 20);
    world.customer_books("second", 30);
    world.sync().await;

    let report = world.undo(1).await;
    assert_eq!((report.undone, kept(&report)), (2, Vec::new()));
    assert_eq!(report.held.len(), 2);
    let calendar = report.kept.iter().find(|kept| kept.operation.kind == "make_calendar");
    assert_eq!(calendar.and_then(|kept| kept.why), Some(Why::CalendarStays), "and that is said");
    assert_eq!(world.booking_events().len(), 0);
    world.assert_settled().await;
    let again = world.sync().await;
    assert_eq!((again.bookings.created, again.decisions.len()), (0, 0), "{again:#?}");

    let (start, end) = (world.at(22), world.at(23));
    world.platform_changes(&first, |booking| (booking.start, booking.end) = (start, end));
    let report = world.sync().await;
    assert_eq!(report.bookings.created, 1, "{report:#?}");
    assert_eq!(spans(&world), [(start, end)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_that_is_cancelled_and_comes_back_is_not_held_any_more() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.undo(1).await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Confirmed);
    assert_eq!(world.sync().await.bookings.created, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn taking_back_twice_says_that_nothing_is_left() {
    let mut world = world();
    let moved = world.customer_books("moved", 20);
    let cancelled = world.customer_books("cancelled", 30);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Cancelled);
    world.customer_books("new", 40);
    world.sync().await;
    assert_eq!(world.undo(2).await.undone, 3);
    assert_nothing_left(&world.undo(2).await);
    world.assert_settled().await;
}

#[tokio::test]
async fn what_she_touched_since_is_kept_and_said_and_the_rest_is_taken_back() {
    let mut world = world();
    for (id, hours) in [("moves", 20), ("deletes", 30), ("leaves", 40)] {
        world.customer_books(id, hours);
    }
    world.sync().await;
    let target = world.target();
    let at = |world: &World, hours| {
        world
            .booking_events()
            .into_iter()
            .find(|event| times(event).is_some_and(|(start, _)| start == world.at(hours)))
    };
    let mut moved = at(&world, 20).expect("an event");
    (moved.event.start, moved.event.end) = (When::Utc(world.at(22)), End::At(When::Utc(world.at(23))));
    let deleted = at(&world, 30).expect("an event").id;
    world.services.state().put(&target, moved);
    world.vendor_deletes(&target, &deleted);

    let report = world.undo(1).await;
    assert_eq!(report.undone, 1, "{report:#?}");
    assert_eq!(kept(&report), [("create_event", Why::Touched.words())]);
    assert_eq!(report.kept[0].operation.booking_id, Some("moves".into()));
    assert_eq!(spans(&world), [(world.at(22), world.at(23))], "hers stays where she put it");
}

#[tokio::test]
async fn what_she_changes_while_it_is_taken_back_is_kept() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let target = world.target();
    let mut event = world.booking_events().remove(0);
    "Hair, and a talk".clone_into(&mut event.event.summary);
    world.before_next("delete", move |state| {
        state.put(&target, event);
    });
    let report = world.undo(1).await;
    assert_eq!((report.undone, kept(&report)), (0, vec![("create_event", Why::Touched.words())]));
    assert_eq!(world.booking_events()[0].event.summary, "Hair, and a talk");
    let tried = world.mirror.journal(&"run-2".into()).expect("a journal");
    assert_eq!(tried.iter().map(|entry| entry.state).collect::<Vec<_>>(), [EntryState::Failed]);
    world.assert_settled().await;
}

#[tokio::test]
async fn words_that_she_wrote_twice_while_it_was_changed_are_not_touched_by_taking_that_back() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.platform_changes(&id, |booking| booking.service_name = Some("Colour".to_owned()));
    let target = world.target();
    for words in ["hers", "hers again"] {
        let target = target.clone();
        world.before_next("update", move |state| {
            let calendar = state.calendars.get(&target).expect("the calendar");
            let mut event = calendar.events.values().find_map(|(_, event)| event.clone()).expect("the event");
            words.clone_into(&mut event.event.summary);
            state.put(&target, event);
        });
    }
    world.sync().await;
    let tried = world.asked("update");
    let report = world.undo(2).await;
    assert_eq!((world.asked("update"), kept(&report)), (tried, Vec::new()), "nothing of ours is on it");
    assert_eq!(world.booking_events()[0].event.summary, "hers again");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_that_a_later_run_wrote_again_is_kept() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    world.sync().await;
    let report = world.undo(1).await;
    assert_eq!(kept(&report), [("create_event", Why::WrittenAgain.words())]);
    assert_eq!(world.undo(2).await.undone, 1);
    assert_eq!(spans(&world), [(world.at(20), world.at(21))]);
}

#[tokio::test]
async fn an_event_put_back_to_its_old_time_blocks_there_until_its_booking_changes() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    world.sync().await;

    let report = world.undo(2).await;
    assert_eq!((report.undone, report.held), (1, vec![id.clone()]));
    assert_eq!(spans(&world), [(world.at(20), world.at(21))]);
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21))], "told by the same run");
    world.assert_settled().await;

    let (start, end) = (world.at(27), world.at(28));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    assert_eq!(world.sync().await.bookings.updated, 1);
    assert_eq!((spans(&world), world.published_busy()), (vec![(start, end)], vec![]));
    world.assert_settled().await;
}

#[tokio::test]
async fn her_words_survive_taking_back_and_what_comes_after() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.vendor_changes_booking_event(|event| "Hair, back door".clone_into(&mut event.summary));
    for hours in [25, 27] {
        let (start, end) = (world.at(hours), world.at(hours + 1));
        world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
        world.sync().await;
        assert_eq!(world.booking_events()[0].event.summary, "Hair, back door");
        if hours == 25 {
            assert_eq!(world.undo(2).await.undone, 1);
            assert_eq!(world.booking_events()[0].event.summary, "Hair, back door");
        }
    }
    world.assert_settled().await;
}

#[tokio::test]
async fn a_removed_event_comes_back_under_a_new_id_blocks_and_stays() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let old = world.booking_events().remove(0);
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;

    let report = world.undo(2).await;
    assert_eq!((report.undone, kept(&report)), (1, Vec::new()));
    let new = world.booking_events().remove(0);
    assert_ne!(new.id, old.id, "a deleted id is burnt");
    assert_eq!((&new.event.summary, times(&new)), (&old.event.summary, times(&old)));
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21))]);
    world.assert_settled().await;

    world.platform_changes(&id, |booking| booking.status = BookingStatus::Confirmed);
    world.sync().await;
    assert_eq!((world.booking_events().len(), world.published_busy()), (1, vec![]));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_removed_event_whose_booking_has_one_again_is_kept_as_it_is() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| {
        (booking.status, booking.start, booking.end) = (BookingStatus::Confirmed, start, end);
    });
    world.sync().await;
    let report = world.undo(2).await;
    assert_eq!((report.undone, kept(&report)), (0, vec![("remove_event", Why::HasAnEvent.words())]));
    assert_eq!(spans(&world), [(start, end)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn taking_back_is_a_run_that_can_be_taken_back_and_then_nothing_is_held() {
    let mut world = world();
    let moved = world.customer_books("moved", 20);
    world.customer_books("new", 30);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    world.sync().await;
    let before = spans(&world);
    world.undo(2).await;
    let record = world.mirror.runs(1).expect("runs").remove(0);
    assert_eq!(record.undoes, Some("run-2".into()));
    assert!(record.ended_at.is_some());

    let report = world.undo(world.last_run()).await;
    assert_eq!((report.undone, report.held.len()), (1, 0), "{report:#?}");
    assert_eq!((spans(&world), world.published_busy()), (before, vec![]));
    let (start, end) = (world.at(27), world.at(28));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    assert_eq!(world.sync().await.bookings.updated, 1);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_taken_out_and_back_in_again_follows_its_booking_as_before() {
    let mut world = world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.undo(1).await;
    let report = world.undo(2).await;
    assert_eq!((report.undone, report.held.len()), (1, 0), "{report:#?}");
    assert_eq!(spans(&world), [(world.at(20), world.at(21))]);
    world.assert_settled().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    assert_eq!(world.sync().await.bookings.removed, 1);
}

#[tokio::test]
async fn busy_time_follows_her_calendars_and_that_is_said() {
    let mut world = world();
    world.vendor_adds("dentist", 20, 2);
    world.sync().await;
    let report = world.undo(1).await;
    assert_eq!((report.undone, kept(&report)), (0, vec![("publish_busy", Why::FollowsHerCalendars.words())]));
    assert_eq!(
        world.published_busy(),
        [(world.at(20), world.at(22))],
        "never reopened under an event of hers"
    );
    world.vendor_deletes(&"personal".into(), &"dentist".into());
    world.sync().await;
    assert_nothing_left(&world.undo(1).await);
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_and_nothing_is_sent() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let writes = world.services.state().writes;
    world.fail_from(0, 99, Fault::Unreachable);
    let report = world.undo(1).await;
    assert_eq!(kept(&report), [("create_event", Why::Unread.words())]);
    world.heal();
    assert_eq!(world.services.state().writes, writes);
    assert_eq!(world.undo(1).await.undone, 1, "and another time it is taken back");
}

#[tokio::test]
async fn an_event_is_kept_where_its_calendar_or_its_booking_alone_could_not_be_read() {
    for unread in ["read", "bookings"] {
        let mut world = world();
        world.customer_books("b", 20);
        world.sync().await;
        for _ in 0..9 {
            world.fail_next(unread, Fault::Unreachable);
        }
        assert_eq!(kept(&world.undo(1).await), [("create_event", Why::Unread.words())], "{unread}");
    }
}

/// What the last run told.
fn last_report(world: &World) -> Report {
    let record = world.mirror.runs(1).expect("runs").remove(0);
    serde_json::from_value(record.report.expect("a report")).expect("a report")
}

#[tokio::test]
async fn what_a_calendar_refuses_is_kept_and_said_of_its_booking_and_the_rest_is_taken_back() {
    let mut world = world();
    world.customer_books("first", 20);
    world.customer_books("second", 30);
    world.sync().await;
    world.fail_next("delete", Fault::Rejected);
    let report = world.undo(1).await;
    let refused = report.kept.iter().find(|kept| kept.why == Some(Why::Refused)).expect("it is told");
    assert_eq!((report.undone, kept(&report).len()), (1, 1));
    let refused = &refused.operation;
    let told = last_report(&world);
    let [error] = told.errors.as_slice() else { panic!("{told:#?}") };
    assert_eq!((error.at.as_str(), error.calendar.as_ref()), ("google", refused.calendar.as_ref()));
    assert!(error.booking.is_some() && error.booking == refused.booking_id, "{error:?}");
}

#[tokio::test]
async fn what_the_platform_refuses_is_kept_and_said_of_the_files() {
    let mut world = world();
    world.vendor_imports(&offers(&[("free", 100)]), None);
    world.sync().await;
    let files = world.link_imports().id;
    world.fail_next("remove_slot", Fault::Rejected);
    let report = world.undo(1).await;
    assert_eq!(kept(&report).len(), 1);
    assert!(report.kept.iter().any(|kept| kept.why == Some(Why::Refused)), "{report:#?}");
    let told = last_report(&world);
    let [error] = told.errors.as_slice() else { panic!("{told:#?}") };
    assert_eq!((error.at.as_str(), &error.calendar, &error.booking), ("bookiji", &Some(files), &None));
}

#[tokio::test]
async fn what_an_account_that_was_unlinked_wrote_is_taken_back_once_it_is_found_again() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    let before = world.mirror.world().expect("a world");
    world.mirror.remove_connection(&world.connection).expect("an unlinking");
    assert_eq!(kept(&world.undo(1).await), [("create_event", Why::Unlinked.words())]);

    world.mirror.put_connection(&before.connections[&world.connection]).expect("a connection");
    for calendar in before.calendars.values() {
        world.mirror.put_calendar(calendar).expect("a calendar");
    }
    assert_eq!(kept(&world.undo(1).await), [("create_event", Why::Forgotten.words())]);
    world.sync().await;
    assert_eq!((world.undo(1).await.undone, world.booking_events().len()), (1, 0));
    world.assert_settled().await;
}

/// Bookings that come, move, go and come back, with syncs and takings-back in between, some of which lose requests or
/// die. She touches nothing, so nothing may ever be asked of her.
async fn any_days(seed: u64) {
    let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
    let alive = || Box::new(DyingMirror::new(inside.clone(), usize::MAX, Moment::Before));
    let mut world = World::new(alive());
    let mut chance = Chance::new(seed);
    let mut booked: Vec<BookingId> = Vec::new();
    for _ in 0..30 {
        let hour = 20 + i64::try_from(chance.below(300)).expect("an hour");
        let (start, end) = (world.at(hour), world.at(hour + 1));
        let any = (!booked.is_empty()).then(|| booked[chance.below(booked.len())].clone());
        match (chance.below(10), any) {
            (0 | 1, _) if booked.len() < 5 => {
                booked.push(world.customer_books(&format!("b{}", booked.len()), hour));
            }
            (2 | 3, Some(id)) => {
                world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
            }
            (4, Some(id)) => world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled),
            (5, Some(id)) => world.platform_changes(&id, |booking| booking.status = BookingStatus::Confirmed),
            (what, _) => {
                match chance.below(4) {
                    0 => world.fail_from(chance.below(9), 1 + chance.below(9), Fault::ReplyLost),
                    1 => world.fail_from(chance.below(9), 1 + chance.below(9), Fault::Unreachable),
                    2 => {
                        let writes = 1 + chance.below(25);
                        world.mirror = Box::new(DyingMirror::new(inside.clone(), writes, Moment::After));
                    }
                    _ => {}
                }
                if what < 8 {
                    let _ = world.try_sync(Direction::Bidirectional, false).await;
                } else {
                    let of = 1 + u32::try_from(chance.below(world.last_run() as usize + 1)).expect("a run");
                    let _ = world.try_undo(of).await;
                }
                world.mirror = alive();
                world.heal();
            }
        }
    }
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "seed {seed}: {report:#?}");
    world.assert_settled().await;

    // Once every booking has changed, nothing is held any more.
    let mut expected = Vec::new();
    for (n, id) in (0_i64..).zip(&booked) {
        let (start, end) = (world.at(400 + 2 * n), world.at(401 + 2 * n));
        world.platform_changes(id, |booking| {
            (booking.status, booking.start, booking.end) = (BookingStatus::Confirmed, start, end);
        });
        expected.push((start, end));
    }
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "seed {seed}: {report:#?}");
    assert_eq!((spans(&world), world.published_busy()), (expected, vec![]), "seed {seed}");
    world.assert_settled().await;
}

#[tokio::test]
async fn whatever_was_taken_back_every_booking_that_changes_afterwards_has_its_one_event() {
    for seed in 0..100 {
        any_days(seed).await;
    }
}

/// A file with free times, in hours after noon.
fn offers(times: &[(&str, i64)]) -> String {
    let noon: Timestamp = NOON.parse().expect("a time");
    let at = |hours: i64| {
        let at = noon.saturating_add(SignedDuration::from_hours(hours)).expect("a time");
        at.strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    let event = |(uid, hour): &(&str, i64)| {
        let (start, end) = (at(*hour), at(hour + 2));
        format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART:{start}\nDTEND:{end}\nTRANSP:TRANSPARENT\nEND:VEVENT\n")
    };
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", times.iter().map(event).collect::<String>())
}

#[tokio::test]
async fn slots_that_were_made_are_taken_back_unless_somebody_has_them_and_are_not_made_again() {
    let mut world = world();
    world.vendor_opens("hers", 113, 1);
    world.vendor_imports(
        &offers(&[("open", 100), ("booked", 104), ("over hers", 112)]),
        Some(OnConflict::Replace),
    );
    world.sync().await;
    assert_eq!(world.slots(), [(100, 102, true), (104, 106, true), (112, 114, true)]);
    let booked = |slot: &&mut Slot| slot.span.start() == world.at(104);
    world.services.state().slots.values_mut().find(booked).expect("a slot").open = false;

    let report = world.undo(1).await;
    assert_eq!(report.undone, 3, "two are gone and hers is back: {report:#?}");
    assert_eq!(kept(&report), [("make_slots", Why::SlotIsClosed.words())]);
    let left = [(104, 106, false), (113, 114, true)];
    assert_eq!(world.slots(), left);
    world.assert_settled().await;
    assert_eq!(world.slots(), left);

    let report = world.undo(2).await;
    assert_eq!(report.undone, 3, "{report:#?}");
    assert_eq!(world.slots(), [(100, 102, true), (104, 106, false), (112, 114, true)]);
    world.assert_settled().await;
}

/// How each imported free time stands, with the hours that its slots begin at.
fn free_times(world: &World) -> Vec<(SlotState, Vec<i64>)> {
    let hour = |slot: &Slot| slot.span.start().duration_since(world.at(0)).as_hours();
    let rows = world.mirror.world().expect("a world").imported_slots;
    rows.values().map(|row| (row.state, row.made.iter().map(hour).collect())).collect()
}

#[tokio::test]
async fn each_free_time_is_left_without_its_slot_and_has_its_own_again_once_that_is_taken_back() {
    let mut world = world();
    world.vendor_imports(&offers(&[("a", 100), ("b", 104), ("c", 108)]), None);
    world.sync().await;
    let made = [100, 104, 108].map(|hour| (SlotState::Made, vec![hour]));
    assert_eq!(free_times(&world), made);

    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(world.undo(1).await.undone, 3);
    assert_eq!(free_times(&world), [100, 104, 108].map(|_| (SlotState::Left, vec![])));
    let rows = world.mirror.world().expect("a world").imported_slots;
    assert!(rows.values().all(|row| row.decided_at == world.at(1)), "{rows:#?}");

    assert_eq!(world.undo(2).await.undone, 3);
    assert_eq!(free_times(&world), made);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_that_is_taken_back_stays_away_although_she_chose_something_since_it_was_made() {
    let mut world = world();
    world.vendor_imports(&offers(&[("free", 100)]), None);
    world.sync().await;
    let choices = vec![(Uid("free".to_owned()), Some(OnConflict::Replace))];
    let files = world.link_imports().id;
    world.mirror.take_import(&files, &Intake { choices, ..Intake::default() }).expect("a choice");
    assert_eq!(world.undo(1).await.undone, 1);
    world.assert_settled().await;
    assert_eq!(world.slots(), []);
}

#[tokio::test]
async fn a_slot_of_hers_that_comes_back_is_not_taken_for_that_of_a_free_time_around_it() {
    let mut world = world();
    world.customer_books("b", 20);
    world.vendor_opens("hers", 25, 1);
    world.vendor_imports(&offers(&[("free", 24)]), Some(OnConflict::Skip));
    world.sync().await;
    assert_eq!(free_times(&world), [(SlotState::Left, vec![])]);
    let moves = |world: &World, minutes: i64| {
        let at = |minutes| world.at(0).saturating_add(SignedDuration::from_mins(minutes)).expect("a time");
        world.vendor_changes_booking_event(|event| {
            (event.start, event.end) = (When::Utc(at(minutes)), End::At(When::Utc(at(minutes + 60))));
        });
    };
    moves(&world, 24 * 60 + 30);
    world.asked_and_answered("moved", "move").await;
    // Hers gives way, and then the move comes to nothing.
    world.fail_next("create_slots", Fault::Rejected);
    world.sync().await;
    assert_eq!(world.slots(), []);
    moves(&world, 20 * 60);
    world.undo(world.last_run()).await;
    assert_eq!((world.slots(), free_times(&world)), (vec![(25, 26, true)], vec![(SlotState::Left, vec![])]));
}

#[tokio::test]
async fn no_slot_is_made_again_over_a_booking() {
    let mut world = world();
    world.vendor_opens("hers", 113, 1);
    world.vendor_imports(&offers(&[("over hers", 112)]), Some(OnConflict::Replace));
    world.sync().await;
    world.undo(1).await;
    // Hers stands again; the undoing is taken back after somebody booked.
    let hers = world.services.state().slots.remove(&"hers".into());
    assert!(hers.is_some());
    world.customer_books("b", 112);
    let report = world.undo(2).await;
    assert!(kept(&report).contains(&("remove_slot", Why::TimeIsTaken.words())), "{report:#?}");
    assert_eq!(world.slots(), []);
}

/// A run with everything in it, to be taken back.
async fn written(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    let moved = world.customer_books("moved", 20);
    let cancelled = world.customer_books("cancelled", 30);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&moved, |booking| (booking.start, booking.end) = (start, end));
    world.platform_changes(&cancelled, |booking| booking.status = BookingStatus::Cancelled);
    world.customer_books("new", 40);
    world.vendor_imports(&offers(&[("free", 100)]), None);
    world.sync().await;
    assert_eq!(world.slots(), [(100, 102, true)]);
    world
}

fn end_state(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (spans(world), world.published_busy(), world.slots())
}

#[tokio::test]
async fn taking_back_that_is_killed_at_any_write_to_the_mirror_is_healed_and_can_be_asked_for_again() {
    let mut undisturbed = written(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
    assert_eq!(undisturbed.undo(2).await.undone, 4);
    let expected = end_state(&undisturbed);

    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world = written(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment))).await;
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = world.try_undo(2).await.is_err();
            world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            let report = world.sync().await;
            assert!(
                report.errors.is_empty() && report.decisions.is_empty(),
                "write {fatal} {moment:?}: {report:#?}"
            );
            assert_eq!(world.mirror.world().expect("a world").unsettled, [], "write {fatal} {moment:?}");
            world.assert_settled().await;
            let report = world.undo(2).await;
            assert_eq!(kept(&report), [], "write {fatal} {moment:?}: {report:#?}");
            assert_eq!(end_state(&world), expected, "write {fatal} {moment:?}");
            world.assert_settled().await;
            if !died {
                assert!(fatal > 12, "the scenario is too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn taking_back_that_loses_any_request_or_its_answer_can_be_asked_for_again() {
    let mut undisturbed = written(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
    undisturbed.services.state().requests.clear();
    undisturbed.undo(2).await;
    let expected = end_state(&undisturbed);
    let requests = undisturbed.services.state().requests.clone();
    assert!(requests.len() >= 8, "{requests:?}");

    for fault in [Fault::ReplyLost, Fault::Unreachable, Fault::Rejected, Fault::SignInExpired] {
        for nth in 0..requests.len() {
            for times in [1, 9] {
                let mut world = written(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
                world.fail_from(nth, times, fault);
                world.undo(2).await;
                world.heal();
                let report = world.sync().await;
                assert!(report.decisions.is_empty(), "{fault:?} at {nth} ({times} times): {report:#?}");
                world.assert_settled().await;
                let report = world.undo(2).await;
                assert_eq!(kept(&report), [], "{fault:?} at {nth} ({times} times)");
                assert_eq!(end_state(&world), expected, "{fault:?} at {nth} ({times} times)");
                world.assert_settled().await;
            }
        }
    }
}

#[tokio::test]
async fn what_a_run_took_back_stands_in_the_journal_like_any_write() {
    let mut world = world();
    world.customer_books("b", 20);
    world.sync().await;
    world.undo(1).await;
    let entries = world.mirror.journal(&"run-2".into()).expect("a journal");
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.operation.kind(), entry.state, entry.attempts)).collect();
    assert_eq!(told, [("remove_event", EntryState::Removed, 1)]);
}
