//! Where the platform leaves it to us to close slots under busy time: what is closed, what is opened again, and what a
//! lost answer leaves behind.

use std::sync::Arc;

use calendar::event::{End, When};
use calendar::interval::Interval;
use jiff::SignedDuration;
use sync::decisions::{Decided, answer};
use sync::error::Code;
use sync::journal::EntryState;
use sync::lease::TERM;
use sync::plan::plan;
use sync::ports::{Clock, Mirror, Slot};
use sync::slots::slot_id;
use sync::undo::Why;
use sync::world::{Direction, Role};
use tests::crash::{DyingMirror, Moment};
use tests::service::Fault;
use tests::world::World;

fn new_world() -> World {
    let world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    world.services.state().leaves_slots = true;
    world
}

/// Her slots at hours 24, 26 and 28, of which she closed the last, and an event of hers over the first and the last.
async fn closed() -> World {
    closed_in(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await
}

async fn closed_in(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    world.services.state().leaves_slots = true;
    for (id, hour) in [("a", 24), ("b", 26), ("hers", 28)] {
        world.vendor_opens(id, hour, 1);
    }
    world.services.state().slots.get_mut(&"hers".into()).expect("a slot").open = false;
    world.vendor_adds("tea", 24, 1);
    world.vendor_adds("supper", 28, 1);
    world.sync().await;
    world
}

fn is_free_again(world: &World) {
    for event in ["tea", "supper"] {
        world.vendor_deletes(&"personal".into(), &event.into());
    }
}

fn ours(world: &World) -> usize {
    world.mirror.world().expect("a world").closed_slots.len()
}

const CLOSED: [(i64, i64, bool); 3] = [(24, 25, false), (26, 27, true), (28, 29, false)];
const OPEN: [(i64, i64, bool); 3] = [(24, 25, true), (26, 27, true), (28, 29, false)];

#[tokio::test]
async fn slots_under_busy_time_are_closed_and_only_those_are_opened_again() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    let report = world.sync().await;
    assert_eq!((report.busy.slots_closed, report.busy.slots_reopened), (1, 0), "{report:#?}");
    let mut world = closed().await;
    assert_eq!((world.slots(), ours(&world)), (CLOSED.to_vec(), 1));
    is_free_again(&world);
    let report = world.sync().await;
    assert_eq!((report.busy.slots_closed, report.busy.slots_reopened), (0, 1), "{report:#?}");
    assert_eq!((world.slots(), ours(&world)), (OPEN.to_vec(), 0));
    let writes = world.services.state().writes;
    world.sync().await;
    assert_eq!(world.services.state().writes, writes, "nothing is left to do");
}

#[tokio::test]
async fn a_preview_counts_the_slots_that_it_would_close_and_open_and_switches_none() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    let planned = world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!((planned.busy.slots_closed, planned.busy.slots_reopened), (1, 0), "{planned:#?}");
    assert_eq!((world.slots(), world.asked("switch_slots")), (vec![(24, 25, true)], 0));
    let mut world = closed().await;
    is_free_again(&world);
    let planned = world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!((planned.busy.slots_closed, planned.busy.slots_reopened), (0, 1), "{planned:#?}");
    let done = world.sync().await;
    assert_eq!((done.busy.slots_closed, done.busy.slots_reopened), (0, 1), "{done:#?}");
}

/// Slots to close and slots to open, both in one run, which dies at its n-th write to the mirror or loses its n-th answer.
#[tokio::test]
async fn killed_at_any_moment_it_leaves_no_slot_that_the_next_sync_does_not_set_right() {
    for moment in [Moment::Before, Moment::After] {
        for n in 1.. {
            let kept: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let alive = || Box::new(DyingMirror::new(kept.clone(), usize::MAX, moment));
            let mut world = half_closed(alive()).await;
            world.mirror = Box::new(DyingMirror::new(kept.clone(), n, moment));
            let was_killed = world.try_sync(Direction::Bidirectional, false).await.is_err();
            world.mirror = alive();
            assert_set_right(&mut world, &format!("killed {moment:?} write {n}")).await;
            if !was_killed {
                assert!(n > 5, "it writes more than {n} times");
                break;
            }
        }
    }
    for fault in [Fault::ReplyLost, Fault::Unreachable] {
        for n in 0..40 {
            let mut world = half_closed(Box::new(mirror::Sqlite::in_memory().expect("a mirror"))).await;
            world.fail_from(n, 3, fault);
            world.sync().await;
            world.heal();
            assert_set_right(&mut world, &format!("{fault:?} from request {n}")).await;
        }
    }
}

async fn half_closed(mirror: Box<dyn Mirror>) -> World {
    let world = closed_in(mirror).await;
    assert_eq!(world.slots(), CLOSED);
    world.vendor_deletes(&"personal".into(), &"tea".into());
    world.vendor_adds("lunch", 26, 1);
    world
}

async fn assert_set_right(world: &mut World, when: &str) {
    world.sync().await;
    assert_eq!(world.slots(), [(24, 25, true), (26, 27, false), (28, 29, false)], "{when}");
    assert_eq!(ours(world), 1, "{when}");
    world.vendor_deletes(&"personal".into(), &"lunch".into());
    world.vendor_deletes(&"personal".into(), &"supper".into());
    world.sync().await;
    assert_eq!((world.slots(), ours(world)), (OPEN.to_vec(), 0), "{when}: and what she closed stays hers");
}

#[tokio::test]
async fn where_nothing_is_busy_and_nothing_was_closed_nobody_is_asked_about_slots() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.sync().await;
    let asked = |name| world.asked(name);
    assert_eq!((asked("closes_slots"), asked("slots")), (0, 0));
}

#[tokio::test]
async fn a_slot_whose_closing_got_no_answer_is_opened_again_all_the_same() {
    for lost in 1..=3 {
        let mut world = new_world();
        world.vendor_opens("a", 24, 1);
        world.vendor_adds("tea", 24, 1);
        for _ in 0..lost {
            world.fail_next("switch_slots", Fault::ReplyLost);
        }
        world.sync().await;
        assert_eq!(world.slots(), [(24, 25, false)]);
        world.vendor_deletes(&"personal".into(), &"tea".into());
        world.sync().await;
        assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, true)], 0), "after {lost} lost answers");
    }
}

#[tokio::test]
async fn a_slot_whose_opening_got_no_answer_is_open_and_no_longer_ours() {
    for lost in 1..=3 {
        let mut world = closed().await;
        is_free_again(&world);
        for _ in 0..lost {
            world.fail_next("switch_slots", Fault::ReplyLost);
        }
        world.sync().await;
        world.sync().await;
        assert_eq!((world.slots(), ours(&world)), (OPEN.to_vec(), 0), "after {lost} lost answers");
    }
}

/// What the journal says of slots that were switched, in the order in which they were.
fn switched(world: &World) -> Vec<(&'static str, EntryState)> {
    let runs = world.mirror.runs(10).expect("runs");
    let entries = runs.iter().rev().flat_map(|run| world.mirror.journal(&run.id).expect("a journal"));
    let entries = entries.map(|entry| (entry.operation.kind(), entry.state));
    entries.filter(|(kind, _)| kind.ends_with("_slots")).collect()
}

#[tokio::test]
async fn the_journal_knows_every_slot_that_was_closed_and_opened_and_undo_says_that_they_follow_busy_time() {
    let mut world = closed().await;
    is_free_again(&world);
    world.sync().await;
    assert_eq!(
        switched(&world),
        [("close_slots", EntryState::Changed), ("open_slots", EntryState::Changed)],
        "each is intended, tried and confirmed"
    );
    let undone = world.undo(1).await;
    let kept = undone.kept.iter().find(|kept| kept.operation.kind == "close_slots").expect("it is told");
    assert_eq!(kept.why, Some(Why::FollowsHerCalendars));
}

#[tokio::test]
async fn a_switch_without_an_answer_stays_open_in_the_journal_until_its_slots_are_seen() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    for _ in 0..3 {
        world.fail_next("switch_slots", Fault::ReplyLost);
    }
    world.sync().await;
    assert_eq!(switched(&world), [("close_slots", EntryState::Attempted)]);
    world.sync().await;
    assert_eq!(switched(&world), [("close_slots", EntryState::Changed)], "it stands as it should");
    assert_eq!(world.slots(), [(24, 25, false)]);
    assert!(world.mirror.world().expect("a world").unsettled.is_empty());
}

#[tokio::test]
async fn what_she_closed_herself_meanwhile_is_not_ours_to_open() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    world.before_next("switch_slots", |state| {
        state.slots.get_mut(&"a".into()).expect("a slot").open = false;
    });
    world.sync().await;
    assert_eq!(ours(&world), 0);
    world.vendor_deletes(&"personal".into(), &"tea".into());
    world.sync().await;
    assert_eq!(world.slots(), [(24, 25, false)]);
}

#[tokio::test]
async fn what_is_refused_is_told_and_is_as_it_was_and_the_next_sync_heals_it() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    world.fail_next("switch_slots", Fault::Rejected);
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, true)], 0));
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, false)], 1));
    world.vendor_deletes(&"personal".into(), &"tea".into());
    world.fail_next("switch_slots", Fault::Rejected);
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, false)], 1), "it is still ours to open");
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, true)], 0));
}

#[tokio::test]
async fn nothing_is_opened_before_bookings_were_read_and_nothing_that_was_booked_by_then() {
    let mut world = closed().await;
    is_free_again(&world);
    // Read at the beginning of the run, and not again before anything is opened.
    world.before_next("slots", |state| state.faults.extend([("bookings", Fault::SignInExpired)]));
    let report = world.sync().await;
    assert!(report.errors.iter().any(|error| error.code == Code::OauthTokenExpired), "{report:#?}");
    assert_eq!((world.slots(), ours(&world)), (CLOSED.to_vec(), 1));
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (OPEN.to_vec(), 0));
}

#[tokio::test]
async fn what_is_to_be_closed_is_closed_even_where_bookings_cannot_be_read() {
    let mut world = closed().await;
    is_free_again(&world);
    world.vendor_adds("late", 26, 1);
    world.before_next("slots", |state| state.faults.extend([("bookings", Fault::SignInExpired)]));
    world.sync().await;
    assert_eq!(world.slots(), [(24, 25, false), (26, 27, false), (28, 29, false)]);
    assert_eq!(ours(&world), 2);
}

#[tokio::test]
async fn a_slot_that_was_booked_while_its_closing_was_in_doubt_is_the_bookings_and_not_ours() {
    let mut world = new_world();
    world.vendor_opens("a", 24, 1);
    world.vendor_adds("tea", 24, 1);
    for _ in 0..3 {
        world.fail_next("switch_slots", Fault::ReplyLost);
    }
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, false)], 1));
    let id = world.customer_books("b", 24);
    let (_, booking) = world.services.state().bookings.remove(&id).expect("a booking");
    // After the bookings of this run were read, and before its look at the slots.
    world.before_next("slots", |state| {
        state.clock += 1;
        state.bookings.insert(id, (state.clock, booking));
    });
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(24, 25, false)], 0));
}

#[tokio::test]
async fn bookings_are_read_once_where_nothing_is_to_be_opened_or_in_doubt() {
    let mut world = closed().await;
    world.services.state().requests.clear();
    world.sync().await;
    let state = world.services.state();
    let read = state.requests.iter().filter(|request| **request == "bookings").count();
    assert_eq!((read, state.requests.contains(&"slots")), (1, true));
}

#[tokio::test]
async fn what_we_closed_we_open_even_where_the_platform_closes_slots_itself_by_then() {
    let mut world = closed().await;
    world.services.state().leaves_slots = false;
    is_free_again(&world);
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (OPEN.to_vec(), 0));
}

#[tokio::test]
async fn the_computer_that_stands_by_opens_nothing_and_forgets_what_is_not_its_to_open() {
    let mut studio = closed().await;
    let mut laptop = studio.beside("laptop", Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    studio.clock.advance(SignedDuration::try_from(TERM).expect("a term") + SignedDuration::from_secs(1));
    assert_eq!(laptop.sync().await.standing_by, None);
    is_free_again(&studio);
    assert!(studio.sync().await.standing_by.is_some());
    assert_eq!((studio.slots(), ours(&studio)), (CLOSED.to_vec(), 1));
    studio.services.state().slots.remove(&"a".into());
    assert!(studio.sync().await.standing_by.is_some());
    assert_eq!(ours(&studio), 0);
}

#[tokio::test]
async fn slots_are_looked_at_again_where_another_computer_wrote_before_the_turn_came() {
    let mut world = closed().await;
    world.clock.advance(SignedDuration::try_from(TERM).expect("a term") + SignedDuration::from_secs(1));
    let late = world.vendor_opens("late", 24, 1);
    world.before_next("lease", move |state| {
        state.lease.fencing += 1;
        state.slots.remove(&late.id);
    });
    let (looked, switched) = (world.asked("slots"), world.asked("switch_slots"));
    let report = world.sync().await;
    assert_eq!((report.errors.len(), &report.standing_by), (0, &None), "{report:#?}");
    assert_eq!((world.asked("slots") - looked, world.asked("switch_slots") - switched), (2, 0));
    assert_eq!((world.slots(), ours(&world)), (CLOSED.to_vec(), 1));
}

#[tokio::test]
async fn a_slot_of_ours_that_was_opened_for_a_move_in_vain_is_taken_away_again() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    // Made for this very move once, and left behind.
    let known = world.mirror.world().expect("a world");
    let bookings = known.calendars.values().find(|calendar| calendar.role == Role::Target).expect("a target");
    let span = Interval::new(start, end).expect("a time");
    let slot = Slot { id: slot_id(&"vendor-1".into(), &bookings.id, span), span, open: true };
    world.services.state().slots.insert(slot.id.clone(), slot);
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(25, 26, false)], 1));
    moves(&world);
    world.fail_next("move_booking", Fault::Rejected);
    world.sync().await;
    assert_eq!(world.slots(), []);
}

#[tokio::test]
async fn a_booking_is_moved_into_the_slot_that_its_own_event_closed() {
    let mut world = new_world();
    world.vendor_opens("at", 25, 1);
    world.customer_books("b", 20);
    world.sync().await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(25, 26, false)], 1), "both times are blocked");
    moves(&world);
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
    let booked = world.services.state().bookings[&"b".into()].1.clone();
    assert_eq!((booked.start, booked.end), (start, end));
    assert_eq!(world.slots(), [(25, 26, false)], "it is the booking's now");
    world.sync().await;
    assert_eq!(ours(&world), 0);
}

#[tokio::test]
async fn a_booking_that_is_made_longer_gives_up_its_own_slot_for_the_one_across_it() {
    let mut world = new_world();
    world.vendor_opens("own", 20, 1);
    world.vendor_opens("long", 20, 2);
    for slot in ["own", "long"] {
        world.services.state().slots.get_mut(&slot.into()).expect("a slot").open = slot == "long";
    }
    world.customer_books("b", 20);
    world.sync().await;
    let end = world.at(22);
    world.vendor_changes_booking_event(|event| event.end = End::At(When::Utc(end)));
    world.sync().await;
    assert_eq!((world.slots(), ours(&world)), (vec![(20, 21, false), (20, 22, false)], 1));
    moves(&world);
    let report = world.sync().await;
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
    assert_eq!(world.slots(), [(20, 22, false)]);
}

/// She has the booking go where its event stands.
fn moves(world: &World) {
    let known = world.mirror.world().expect("a world");
    let cards = plan(&known, world.clock.now(), &world.policy).cards;
    let decided = answer(&known, &cards, world.clock.now(), &cards[0].id(), "move").expect("an answer");
    let Decided::Bookings { answers, .. } = decided else { panic!("it is about a booking") };
    world.mirror.put_answers(&answers).expect("they are kept");
}
