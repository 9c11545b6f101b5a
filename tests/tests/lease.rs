//! Two computers of one vendor: one writes, the other reads and says so, and whichever of them dies, sleeps or is late,
//! nothing is double and nothing is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use calendar::event::{End, When};
use jiff::SignedDuration;
use sync::decide::times;
use sync::decisions::{Decided, answer};
use sync::error::Code;
use sync::ids::BookingId;
use sync::journal::EntryState;
use sync::lease::{Installation, TERM};
use sync::plan::plan;
use sync::ports::{Clock, Mirror};
use sync::report::{Report, UndoReport};
use sync::undo::Why;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, State};
use tests::world::World;

fn mirror() -> Box<dyn Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

/// Her studio's computer, which syncs first, and her laptop.
async fn two() -> (World, World) {
    let mut studio = World::new(mirror());
    studio.customer_books("first", 20);
    let report = studio.sync().await;
    assert_eq!((report.bookings.created, &report.standing_by), (1, &None), "{report:#?}");
    let laptop = studio.beside("laptop", mirror());
    (studio, laptop)
}

fn seconds(world: &World, number: i64) {
    world.clock.advance(SignedDuration::from_secs(number));
}

fn over() -> i64 {
    i64::try_from(TERM.as_secs()).expect("a number") + 1
}

fn writes(world: &World) -> usize {
    world.services.state().writes
}

fn holder(report: &Report) -> Option<&str> {
    report.standing_by.as_ref().map(|other| other.holder.as_str())
}

/// Every booking has exactly one event.
fn none_is_double(world: &World, expected: usize) {
    let mut events: BTreeMap<BookingId, usize> = BTreeMap::new();
    for event in world.booking_events() {
        *events.entry(event.marker.expect("a marker").booking).or_default() += 1;
    }
    assert!(events.len() == expected && events.values().all(|count| *count == 1), "{events:?}");
}

/// How each write of the last run to her calendar ended, of those that were begun.
fn event_writes(world: &World) -> Vec<EntryState> {
    let run = world.mirror.runs(1).expect("runs").remove(0).id;
    let entries = world.mirror.journal(&run).expect("a journal");
    entries.iter().filter(|entry| entry.operation.booking().is_some()).map(|entry| entry.state).collect()
}

/// Another computer asks, and is granted whatever is over.
fn passes_to(state: &mut State, computer: &str) {
    let other = Installation { id: computer.into(), name: computer.to_owned() };
    let now = state.time.as_ref().expect("a clock").now();
    state.lease.fencing += 1;
    state.lease.holder = Some((other, now.saturating_add(SignedDuration::from_secs(40)).expect("a time")));
}

#[tokio::test]
async fn of_two_computers_one_writes_and_the_other_reads_and_says_so() {
    let (mut studio, mut laptop) = two().await;
    laptop.customer_books("second", 30);
    laptop.vendor_adds("hers", 40, 1);
    let before = writes(&laptop);
    let report = laptop.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (Some("studio"), 0), "{report:#?}");
    assert_eq!(writes(&laptop), before, "it writes to nobody");
    let known = laptop.mirror.world().expect("a world");
    assert_eq!((known.bookings.len(), known.mappings.len()), (2, 1), "it keeps what it read: {known:#?}");
    assert_eq!(known.lease.standing_by, report.standing_by);

    let since = report.standing_by.expect("a holder").since;
    seconds(&laptop, 5);
    let again = laptop.sync().await;
    assert_eq!(again.standing_by.expect("a holder").since, since, "it is the same stand-by");

    let report = studio.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (1, None), "{report:#?}");
    none_is_double(&studio, 2);
    studio.assert_settled().await;
}

#[tokio::test]
async fn whoever_reads_that_another_has_written_asks_and_says_that_it_stands_by_with_nothing_to_write() {
    let (mut studio, mut laptop) = two().await;
    seconds(&studio, over());
    laptop.customer_books("second", 30);
    let report = laptop.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (1, None), "{report:#?}");

    let before = writes(&studio);
    // Only busy time is told anew where another has written, and this run tells none.
    let report = studio.try_sync(Direction::ToCalendar, false).await.expect("a report");
    assert_eq!(holder(&report), None, "nobody has told it yet: {report:#?}");
    assert_eq!(studio.keep_lease().await, None);
    assert_eq!(studio.writer.standing_by().expect("a holder").holder, "laptop");
    assert_eq!(holder(&studio.sync().await), Some("laptop"));
    assert_eq!(writes(&studio), before);
}

#[tokio::test]
async fn whoever_stands_by_is_told_nothing_by_a_platform_that_it_need_not_ask() {
    let (_studio, mut laptop) = two().await;
    // Twice it looks whether slots of theirs are left over from before its time.
    laptop.sync().await;
    laptop.sync().await;
    laptop.services.state().requests.clear();
    laptop.sync().await;
    let state = laptop.services.state();
    assert!(state.requests.iter().all(|name| ["read", "bookings"].contains(name)), "{:?}", state.requests);
}

#[tokio::test]
async fn the_other_writes_within_a_minute_of_the_writers_falling_asleep() {
    // Whatever the moment of the second in its rhythm at which it falls asleep.
    for nap in 0..45 {
        let (mut studio, mut laptop) = two().await;
        laptop.sync().await;
        // Both have been seen: from here on, who holds the lease keeps it.
        seconds(&studio, over());
        studio.customer_books("second", 30);
        assert_eq!(holder(&studio.sync().await), None);
        let mut slept = None;
        let mut moved = None;
        for second in 0..240 {
            let asleep = second >= 120 + nap;
            if asleep && slept.is_none() {
                slept = Some(second);
                studio.customer_books("late", 50);
            }
            if !asleep {
                studio.keep_lease().await;
            }
            if laptop.keep_lease().await.is_some() {
                moved = Some(second);
                break;
            }
            seconds(&studio, 1);
        }
        let waited = moved.expect("it takes over") - slept.expect("it sleeps");
        assert!(waited < 60, "{waited} s");
        none_is_double(&laptop, 3);

        // It wakes, finds another writing, and writes nothing.
        let before = writes(&studio);
        studio.customer_books("later", 60);
        let report = studio.sync().await;
        assert_eq!((holder(&report), writes(&studio)), (Some("laptop"), before), "{report:#?}");
    }
}

#[tokio::test]
async fn two_that_are_awake_ask_no_more_than_six_times_a_minute_and_one_alone_not_at_all() {
    let (mut studio, mut laptop) = two().await;
    let asks = |world: &World| world.asked("lease");
    let before = asks(&studio);
    for _ in 0..120 {
        assert_eq!(studio.keep_lease().await, None);
        seconds(&studio, 1);
    }
    assert_eq!(asks(&studio), before, "nobody contends");

    studio.customer_books("b", 60);
    laptop.sync().await;
    studio.sync().await;
    let before = asks(&studio);
    for _ in 0..600 {
        studio.keep_lease().await;
        laptop.keep_lease().await;
        seconds(&studio, 1);
    }
    let asked = asks(&studio) - before;
    assert!(asked <= 60, "{asked} in ten minutes");
}

#[tokio::test]
async fn a_lease_that_is_given_back_is_the_others_at_once() {
    let (studio, mut laptop) = two().await;
    studio.writer.release(&studio.services).await.expect("an answer");
    laptop.customer_books("second", 30);
    let report = laptop.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (1, None), "{report:#?}");
    none_is_double(&laptop, 2);
}

#[tokio::test]
async fn a_write_that_comes_late_is_refused_and_nothing_of_it_is_an_error() {
    let (mut studio, _laptop) = two().await;
    studio.vendor_adds("hers", 40, 1);
    let busy = studio.published_busy();
    // It holds the lease when it looks, and then hangs for a while.
    studio.before_next("put_busy", |state| passes_to(state, "laptop"));
    let report = studio.sync().await;
    assert_eq!(studio.services.state().lease.fenced, 1);
    assert_eq!((holder(&report), report.errors.len()), (Some("laptop"), 0), "{report:#?}");
    assert_eq!(studio.published_busy(), busy);

    seconds(&studio, over());
    let report = studio.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (None, 0), "{report:#?}");
    assert_ne!(studio.published_busy(), busy);
    studio.assert_settled().await;
}

#[tokio::test]
async fn a_lease_that_is_lost_between_two_writes_stops_the_second_and_the_rest_is_not_even_begun() {
    let (mut studio, mut laptop) = two().await;
    studio.customer_books("second", 30);
    studio.customer_books("third", 32);
    studio.customer_books("fourth", 34);
    let clock = studio.clock.clone();
    studio.before_next("create", move |state| {
        clock.advance(SignedDuration::from_secs(over()));
        passes_to(state, "laptop");
    });
    let report = studio.sync().await;
    // A calendar service takes the first from anybody: its key is what keeps it from being double.
    assert_eq!((report.bookings.created, holder(&report)), (1, Some("laptop")), "{report:#?}");
    assert!(report.errors.is_empty(), "{report:#?}");
    none_is_double(&studio, 2);
    assert_eq!(event_writes(&studio), [EntryState::Stored, EntryState::Failed]);

    let report = laptop.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (2, None), "{report:#?}");
    none_is_double(&laptop, 4);
    laptop.assert_settled().await;
    let report = studio.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (0, Some("laptop")), "{report:#?}");
}

#[tokio::test]
async fn a_write_that_comes_after_another_turn_is_said_to_be_left_where_nobody_writes_now() {
    let (mut studio, _laptop) = two().await;
    studio.vendor_adds("hers", 40, 1);
    // The laptop had its turn, and gave it back.
    studio.before_next("put_busy", |state| {
        passes_to(state, "laptop");
        state.lease.holder = None;
    });
    let report = studio.sync().await;
    assert_eq!(holder(&report), None, "{report:#?}");
    let told: Vec<_> = report.errors.iter().map(|error| (error.code, error.fenced)).collect();
    assert_eq!(told, [(Code::ConflictDetected, false)], "{report:#?}");
    let report = studio.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(studio.published_busy(), [(studio.at(40), studio.at(41))]);
}

#[tokio::test]
async fn a_question_without_a_run_is_asked_once_and_not_again_for_a_while() {
    let (studio, mut laptop) = two().await;
    laptop.sync().await;
    seconds(&studio, over());
    let asks = |world: &World| world.asked("lease");
    let before = asks(&laptop);
    laptop.fail_next("lease", Fault::Unreachable);
    assert_eq!(laptop.keep_lease().await, None);
    assert_eq!(asks(&laptop) - before, 1);
    assert!(laptop.writer.wait(&laptop.clock) > Some(Duration::ZERO));
}

#[tokio::test]
async fn one_computer_alone_looks_once_for_the_calendar_of_bookings_before_it_makes_it() {
    let mut studio = World::new(mirror());
    studio.sync().await;
    let looks = studio.asked("calendars");
    assert_eq!(looks, 1);
}

#[tokio::test]
async fn a_writer_that_dies_anywhere_is_followed_by_the_other_and_no_event_is_double() {
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let mut studio = World::new(mirror());
            let mut laptop = studio.beside("laptop", mirror());
            for n in 0..3 {
                studio.customer_books(&format!("b{n}"), 20 + n * 2);
            }
            studio.vendor_adds("hers", 40, 1);
            let inside: Arc<dyn Mirror> = Arc::from(std::mem::replace(&mut studio.mirror, mirror()));
            studio.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = studio.try_sync(Direction::Bidirectional, false).await.is_err();
            seconds(&laptop, over());
            let report = laptop.sync().await;
            assert!(report.errors.is_empty() && holder(&report).is_none(), "{fatal} {moment:?}: {report:#?}");
            none_is_double(&laptop, 3);
            laptop.assert_settled().await;

            studio.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            seconds(&studio, over());
            let report = studio.sync().await;
            assert!(report.errors.is_empty() && holder(&report).is_none(), "{fatal} {moment:?}: {report:#?}");
            none_is_double(&studio, 3);
            studio.assert_settled().await;
            if !died {
                assert!(fatal > 10, "too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_lost_reply_to_the_question_for_the_lease_costs_one_more_question() {
    let mut world = World::new(mirror());
    world.customer_books("b", 20);
    world.fail_next("lease", Fault::ReplyLost);
    let report = world.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 0), "{report:#?}");
    assert_eq!(world.services.state().lease.fencing, 1, "asking again gives the same lease");
    world.assert_settled().await;
}

#[tokio::test]
async fn where_nobody_can_say_who_writes_nothing_is_written_and_it_is_said() {
    let (mut studio, _laptop) = two().await;
    seconds(&studio, over());
    studio.customer_books("second", 30);
    studio.vendor_adds("hers", 40, 1);
    let before = writes(&studio);
    for _ in 0..9 {
        studio.fail_next("lease", Fault::Unreachable);
    }
    let report = studio.sync().await;
    assert_eq!((writes(&studio), holder(&report)), (before, None), "{report:#?}");
    let told: Vec<(Code, &str)> = report.errors.iter().map(|e| (e.code, e.at.as_str())).collect();
    assert_eq!(told, [(Code::NetworkError, "bookiji")], "once: {report:#?}");
    studio.heal();
    let report = studio.sync().await;
    assert_eq!((report.bookings.created, report.errors.len()), (1, 0), "{report:#?}");
    studio.assert_settled().await;
}

#[tokio::test]
async fn busy_time_that_another_computer_told_since_is_told_anew() {
    let (mut studio, mut laptop) = two().await;
    let busy = studio.published_busy();
    seconds(&studio, over());
    laptop.vendor_adds("hers", 40, 1);
    assert_eq!(holder(&laptop.sync().await), None);
    assert_ne!(laptop.published_busy(), busy);
    // As the studio's computer last told it, and nothing is new to it.
    laptop.vendor_deletes(&"personal".into(), &"hers".into());
    seconds(&studio, over());
    let report = studio.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (None, 0), "{report:#?}");
    assert_eq!(studio.published_busy(), busy);
    studio.assert_settled().await;
}

#[tokio::test]
async fn an_answer_on_the_computer_that_stands_by_waits_until_it_writes() {
    let (studio, mut laptop) = two().await;
    laptop.sync().await;
    let (start, end) = (laptop.at(25), laptop.at(26));
    laptop.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    let report = laptop.sync().await;
    assert_eq!((report.decisions.len(), holder(&report)), (1, Some("studio")), "{report:#?}");
    let known = laptop.mirror.world().expect("a world");
    let cards = plan(&known, laptop.clock.now(), &laptop.policy).cards;
    let decided = answer(&known, &cards, laptop.clock.now(), &cards[0].id(), "move").expect("an answer");
    let Decided::Bookings { answers, .. } = decided else { panic!("about a booking") };
    laptop.mirror.put_answers(&answers).expect("an answer");

    let report = laptop.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (Some("studio"), 0), "{report:#?}");
    assert_eq!(laptop.services.state().bookings[&"first".into()].1.start, laptop.at(20));
    seconds(&studio, over());
    let report = laptop.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (None, 0), "{report:#?}");
    assert_eq!(laptop.services.state().bookings[&"first".into()].1.start, start);
    assert_eq!(times(&laptop.booking_events()[0]), Some((start, end)));
    laptop.assert_settled().await;
}

#[tokio::test]
async fn an_answer_whose_request_is_fenced_is_not_forgotten() {
    for operation in ["create_slots", "move_booking"] {
        fenced_at(operation).await;
    }
}

async fn fenced_at(operation: &'static str) {
    let (mut studio, _laptop) = two().await;
    let (start, end) = (studio.at(25), studio.at(26));
    studio.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    studio.sync().await;
    let known = studio.mirror.world().expect("a world");
    let cards = plan(&known, studio.clock.now(), &studio.policy).cards;
    let decided = answer(&known, &cards, studio.clock.now(), &cards[0].id(), "move").expect("an answer");
    let Decided::Bookings { answers, .. } = decided else { panic!("about a booking") };
    studio.mirror.put_answers(&answers).expect("an answer");
    studio.before_next(operation, |state| passes_to(state, "laptop"));
    let report = studio.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (Some("laptop"), 0), "{report:#?}");
    assert_eq!(studio.mirror.world().expect("a world").answers.len(), 1);
    seconds(&studio, over());
    let report = studio.sync().await;
    assert!(report.errors.is_empty(), "{report:#?}");
    assert_eq!(studio.services.state().bookings[&"first".into()].1.start, start);
    studio.assert_settled().await;
}

#[tokio::test]
async fn a_run_is_not_taken_back_by_the_computer_that_stands_by() {
    let (mut studio, _laptop) = two().await;
    passes_to(&mut studio.services.state(), "laptop");
    studio.vendor_adds("hers", 40, 1);
    let before = writes(&studio);
    let undone = studio.undo(1).await;
    assert_eq!((undone.undone, writes(&studio)), (0, before), "{undone:#?}");
    assert_eq!(whys(&undone), [Why::AnotherWrites], "{undone:#?}");
    let run = studio.mirror.runs(1).expect("runs").remove(0).id;
    assert_eq!(studio.mirror.journal(&run).expect("a journal"), [], "nothing is even begun");
}

/// Why the writes to her calendar are kept. Busy time follows them anyway.
fn whys(undone: &UndoReport) -> Vec<Why> {
    let events = undone.kept.iter().filter(|kept| kept.operation.kind == "create_event");
    events.filter_map(|kept| kept.why).collect()
}

#[tokio::test]
async fn a_lease_that_is_lost_while_a_run_is_taken_back_keeps_the_rest_for_the_other() {
    let (mut studio, _laptop) = two().await;
    for (id, hours) in [("second", 30), ("third", 32), ("fourth", 34)] {
        studio.customer_books(id, hours);
    }
    studio.sync().await;
    let clock = studio.clock.clone();
    studio.before_next("delete", move |state| {
        clock.advance(SignedDuration::from_secs(over()));
        passes_to(state, "laptop");
    });
    let undone = studio.undo(2).await;
    assert_eq!((undone.undone, whys(&undone)), (1, vec![Why::AnotherWrites; 2]), "{undone:#?}");
    assert_eq!(event_writes(&studio), [EntryState::Removed, EntryState::Failed], "the last is not begun");
}

#[tokio::test]
async fn a_dry_run_asks_for_no_lease() {
    let mut world = World::new(mirror());
    world.customer_books("b", 20);
    world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert!(!world.services.state().requests.contains(&"lease"));
    assert_eq!(world.services.state().lease.fencing, 0);
}

#[tokio::test]
async fn on_a_platform_without_leases_keys_alone_keep_two_computers_from_doubling_anything() {
    let mut studio = World::new(mirror());
    studio.services.state().lease.missing = true;
    let mut laptop = studio.beside("laptop", mirror());
    for n in 0..3 {
        studio.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    // Each does what the other has just done and not heard the end of.
    studio.fail_next("create", Fault::ReplyLost);
    let report = studio.sync().await;
    assert_eq!((holder(&report), report.errors.len()), (None, 0), "{report:#?}");
    let report = laptop.sync().await;
    assert_eq!((report.bookings.created, holder(&report)), (0, None), "{report:#?}");
    none_is_double(&studio, 3);
    studio.customer_books("b3", 40);
    laptop.sync().await;
    studio.sync().await;
    none_is_double(&studio, 4);
    studio.assert_settled().await;
    laptop.assert_settled().await;
    let asked = studio.asked("lease");
    assert_eq!(asked, 0, "it is not asked again and again");
}

/// As the laptop makes one while the request of the studio's is in the air.
fn the_laptop_makes_a_calendar(state: &mut State) {
    state.another_makes("a calendar of the laptop's");
}

#[tokio::test]
async fn a_lease_that_ends_while_the_calendar_for_bookings_is_made_leads_both_to_the_same() {
    let mut studio = World::new(mirror());
    studio.customer_books("b", 20);
    let clock = studio.clock.clone();
    studio.before_next("create_calendar", move |state| {
        clock.advance(SignedDuration::from_secs(over()));
        the_laptop_makes_a_calendar(state);
    });
    studio.sync().await;
    assert_eq!(studio.target(), "a calendar of the laptop's".into());
    none_is_double(&studio, 1);
}

#[tokio::test]
async fn without_leases_two_that_make_the_calendar_for_bookings_at_once_use_the_same() {
    let mut studio = World::new(mirror());
    studio.services.state().lease.missing = true;
    studio.customer_books("b", 20);
    studio.before_next("create_calendar", the_laptop_makes_a_calendar);
    studio.sync().await;
    assert_eq!(studio.target(), "a calendar of the laptop's".into());
    let mut laptop = studio.beside("laptop", mirror());
    laptop.sync().await;
    assert_eq!(laptop.target(), studio.target());
    none_is_double(&studio, 1);
}

#[tokio::test]
async fn without_leases_a_calendar_that_comes_long_after_its_twin_is_given_up_for_the_one_in_use() {
    for has_bookings in [true, false] {
        let mut studio = World::new(mirror());
        studio.services.state().lease.missing = true;
        studio.sync().await;
        let first = studio.target();
        // The laptop's request was in the air all the while: it looked before there was any, and made its own after.
        let mut laptop = studio.beside("laptop", mirror());
        let hidden = studio.services.state().calendars.remove(&first).expect("the studio's");
        let again = first.clone();
        laptop.before_next("create_calendar", move |state| {
            state.calendars.insert(again, hidden);
        });
        if has_bookings {
            studio.customer_books("b", 20);
        }
        laptop.sync().await;
        studio.sync().await;
        laptop.sync().await;
        assert_eq!(laptop.target(), studio.target(), "{has_bookings}");
        studio.customer_books("c", 30);
        studio.sync().await;
        laptop.sync().await;
        none_is_double(&studio, 1 + usize::from(has_bookings));
    }
}
