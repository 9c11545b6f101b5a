//! Her answers about events she moved or deleted, as sentences: each acts on both sides, once, and only for what she was
//! asked.

use std::sync::Arc;

use calendar::event::{End, When};
use jiff::Timestamp;
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::decisions::{Decided, Refused, answer};
use sync::error::Code;
use sync::ids::{BookingId, CalendarId};
use sync::journal::{EntryState, JournalEntry};
use sync::plan::plan;
use sync::ports::{Clock, Mirror};
use sync::report::Report;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::Fault;
use tests::world::World;

fn new_world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

/// One booking at hour 20 whose event she moved to hours 25 to 26.
async fn moved() -> (World, BookingId) {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    moves(&world, 25);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].options, ["move", "put_back", "leave"]);
    (world, id)
}

fn moves(world: &World, hours: i64) {
    let (start, end) = (world.at(hours), world.at(hours + 1));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
}

async fn deleted() -> (World, BookingId) {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].options, ["cancel", "put_back", "leave"]);
    (world, id)
}

/// Answers the only question there is.
fn decide(world: &World, option: &str) -> Result<(), Refused> {
    let known = world.mirror.world().expect("a world");
    let cards = plan(&known, world.clock.now(), &world.policy).cards;
    let id = cards.first().map_or_else(String::new, sync::plan::Card::id);
    decide_about(world, &id, option)
}

fn decide_about(world: &World, id: &str, option: &str) -> Result<(), Refused> {
    let known = world.mirror.world().expect("a world");
    let cards = plan(&known, world.clock.now(), &world.policy).cards;
    match answer(&known, &cards, world.clock.now(), id, option)? {
        Decided::Bookings { answers, .. } => world.mirror.put_answers(&answers).expect("they are kept"),
        Decided::Import { .. } => panic!("no question about a file"),
    }
    Ok(())
}

fn booked(world: &World, id: &BookingId) -> (Timestamp, Timestamp, BookingStatus) {
    let state = world.services.state();
    let (_, booking) = &state.bookings[id];
    (booking.start, booking.end, booking.status.clone())
}

fn assert_well(report: &Report) {
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
}

#[tokio::test]
async fn moving_the_booking_takes_it_to_where_its_event_stands() {
    let (mut world, id) = moved().await;
    decide(&world, "move").expect("an answer");
    let report = world.sync().await;
    assert_well(&report);
    assert_eq!(booked(&world, &id), (world.at(25), world.at(26), BookingStatus::Confirmed));
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(25), world.at(26))));
    assert_eq!(world.published_busy(), [], "the time is the booking's now");
    let entries = journal(&world);
    let at = |entry: &JournalEntry| (entry.intended_at, entry.settled_at);
    let now = world.clock.now();
    assert!(entries.iter().all(|entry| at(entry) == (now, Some(now))), "{entries:#?}");
    world.assert_settled().await;
}

/// What the last run intended.
fn journal(world: &World) -> Vec<JournalEntry> {
    let run = world.mirror.runs(1).expect("runs").remove(0).id;
    world.mirror.journal(&run).expect("a journal")
}

#[tokio::test]
async fn a_move_that_waits_to_be_asked_for_again_keeps_the_room_that_was_made_for_it() {
    let (mut world, id) = moved().await;
    decide(&world, "move").expect("an answer");
    for _ in 0..3 {
        world.fail_next("move_booking", Fault::Unreachable);
    }
    world.sync().await;
    world.services.state().requests.clear();
    assert_well(&world.sync().await);
    assert_eq!(booked(&world, &id).0, world.at(25));
    let asked = world.services.state().requests.clone();
    assert!(!asked.contains(&"remove_slot") && !asked.contains(&"create_slots"), "{asked:?}");
}

#[tokio::test]
async fn her_own_slot_stays_where_a_move_to_it_is_not_asked_for_any_more() {
    let (mut world, id) = moved().await;
    world.vendor_opens("hers", 25, 1);
    decide(&world, "move").expect("an answer");
    for _ in 0..3 {
        world.fail_next("move_booking", Fault::Unreachable);
    }
    world.sync().await;
    moves(&world, 20);
    assert_well(&world.sync().await);
    assert_eq!((booked(&world, &id).0, world.slots()), (world.at(20), vec![(25, 26, true)]));
    assert_eq!(world.mirror.world().expect("a world").unsettled, [], "nothing is in doubt");
}

#[tokio::test]
async fn a_slot_that_was_opened_for_a_move_is_removed_once_the_move_is_refused() {
    let (mut world, id) = moved().await;
    world.services.state().leaves_slots = true;
    world.vendor_adds("tea", 25, 1);
    decide(&world, "move").expect("an answer");
    for _ in 0..3 {
        world.fail_next("move_booking", Fault::Unreachable);
    }
    world.sync().await;
    assert_eq!(world.slots(), [(25, 26, false)], "an event of hers lies over what was made for it");
    world.fail_next("move_booking", Fault::Rejected);
    world.sync().await;
    assert_eq!((booked(&world, &id).0, world.slots()), (world.at(20), vec![]));
}

#[tokio::test]
async fn a_slot_that_she_closed_herself_is_not_opened_for_a_move() {
    let (mut world, id) = moved().await;
    world.services.state().leaves_slots = true;
    world.vendor_opens("shut", 25, 1);
    world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
    decide(&world, "move").expect("an answer");
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!((booked(&world, &id).0, world.slots()), (world.at(20), vec![(25, 26, false)]));
}

#[tokio::test]
async fn an_answer_that_bookiji_asks_to_wait_with_is_carried_out_by_the_next_run() {
    for operation in ["create_slots", "move_booking"] {
        let (mut world, id) = moved().await;
        decide(&world, "move").expect("an answer");
        for _ in 0..3 {
            world.fail_next(operation, Fault::RateLimited);
        }
        let report = world.sync().await;
        assert_eq!((report.errors.len(), report.decisions.len()), (1, 0), "{operation}: {report:#?}");
        assert_well(&world.sync().await);
        assert_eq!(booked(&world, &id).0, world.at(25), "{operation}");
    }
}

#[tokio::test]
async fn what_became_of_room_that_could_not_be_made_is_looked_at_again_where_no_answer_says() {
    for (operation, kind) in [("create_slots", "make_slots"), ("remove_slot", "remove_slot")] {
        for (fault, code) in [(Fault::Rejected, Code::CalendarApiError), (Fault::Unreachable, Code::Internal)]
        {
            let (mut world, _) = moved().await;
            world.vendor_opens("across", 24, 2);
            decide(&world, "move").expect("an answer");
            for _ in 0..3 {
                world.fail_next(operation, fault);
            }
            world.sync().await;
            let entries = journal(&world);
            let entry = entries.iter().find(|entry| entry.operation.kind() == kind).expect("an entry");
            let problem = entry.problem.as_ref().expect("a problem");
            assert_eq!((entry.state, problem.code), (EntryState::Failed, code), "{operation} {fault:?}");
        }
    }
}

#[tokio::test]
async fn an_open_slot_across_the_new_time_gives_way_to_the_booking() {
    let (mut world, id) = moved().await;
    world.vendor_opens("across", 24, 2);
    decide(&world, "move").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(booked(&world, &id).0, world.at(25));
    assert_eq!(world.slots(), [(25, 26, false)], "one slot, and it is booked");
    world.assert_settled().await;
}

#[tokio::test]
async fn a_move_that_bookiji_refuses_is_asked_again_and_leaves_no_slot_behind() {
    let (mut world, id) = moved().await;
    decide(&world, "move").expect("an answer");
    world.fail_next("move_booking", Fault::Rejected);
    let report = world.sync().await;
    let [error] = report.errors.as_slice() else { panic!("{report:#?}") };
    let target = CalendarId::of(&world.connection, &world.target());
    assert_eq!((&error.calendar, &error.booking), (&Some(target), &Some(id.clone())));
    assert_eq!(booked(&world, &id).0, world.at(20));
    assert_eq!(world.slots(), [], "nobody may book what was made for the move");
    let asked = world.sync().await;
    assert_eq!(asked.decisions[0].kind, "moved");
    assert_eq!(world.published_busy(), [(world.at(25), world.at(26))], "both times are blocked again");
}

#[tokio::test]
async fn a_booking_is_not_moved_over_another_and_no_room_is_made_there() {
    let (mut world, id) = moved().await;
    world.customer_books("other", 25);
    decide(&world, "move").expect("an answer");
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!(booked(&world, &id).0, world.at(20));
    let asked: Vec<&str> = world.services.state().requests.clone();
    assert!(!asked.contains(&"create_slots") && !asked.contains(&"move_booking"), "{asked:?}");
    assert_eq!(world.mirror.world().expect("a world").unsettled, [], "nothing of it is in doubt");
    assert_eq!(world.sync().await.decisions[0].kind, "moved", "she is asked again");
}

#[tokio::test]
async fn an_answer_whose_reply_is_lost_is_carried_out_once() {
    for (option, operation) in [("move", "move_booking"), ("cancel", "cancel_booking")] {
        let (mut world, id) = if option == "move" { moved().await } else { deleted().await };
        decide(&world, option).expect("an answer");
        for _ in 0..3 {
            world.fail_next(operation, Fault::ReplyLost);
        }
        world.sync().await;
        assert_well(&world.sync().await);
        assert_eq!(world.services.state().done.len(), 1, "{option}");
        let (start, _, status) = booked(&world, &id);
        match option {
            "move" => assert_eq!(start, world.at(25)),
            _ => assert_eq!(status, BookingStatus::Cancelled),
        }
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn putting_the_event_back_leaves_the_booking_alone_and_her_words_as_they_are() {
    let (mut world, id) = moved().await;
    world.vendor_changes_booking_event(|event| event.summary = "Nadia, bring the blue dye".to_owned());
    world.sync().await;
    decide(&world, "put_back").expect("an answer");
    let report = world.sync().await;
    let asked: Vec<&str> = report.decisions.iter().map(|card| card.kind.as_str()).collect();
    assert_eq!((asked, &report.errors), (vec!["renamed"], &vec![]), "what is left to ask is asked at once");
    assert_eq!(booked(&world, &id).0, world.at(20));
    let event = &world.booking_events()[0];
    assert_eq!(times(event), Some((world.at(20), world.at(21))));
    assert_eq!(event.event.summary, "Nadia, bring the blue dye");
    assert_eq!(world.published_busy(), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_answer_does_not_count_for_the_same_move_made_again() {
    let (mut world, _) = moved().await;
    decide(&world, "put_back").expect("an answer");
    world.sync().await;
    moves(&world, 25);
    let report = world.sync().await;
    assert_eq!(report.decisions.len(), 1, "she is asked again");
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(25), world.at(26))));
}

#[tokio::test]
async fn an_answer_does_not_count_for_what_she_had_not_seen() {
    let (mut world, id) = moved().await;
    let card = world.sync().await.decisions[0].id.clone();
    moves(&world, 30);
    world.sync().await;
    assert_eq!(decide_about(&world, &card, "move"), Err(Refused::NotWaiting));
    decide(&world, "move").expect("the new question has an answer");
    let (start, end) = (world.at(40), world.at(41));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    let report = world.sync().await;
    assert_eq!(report.decisions[0].kind, "moved_both", "{report:#?}");
    assert_eq!(booked(&world, &id).0, start, "the customer's own change stands");
}

#[tokio::test]
async fn what_she_leaves_is_not_asked_again_and_stays_blocked() {
    let (mut world, id) = moved().await;
    decide(&world, "leave").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(booked(&world, &id).0, world.at(20));
    assert_eq!(world.published_busy(), [(world.at(25), world.at(26))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn cancelling_with_the_event_cancels_the_booking_and_makes_no_event() {
    let (mut world, id) = deleted().await;
    decide(&world, "cancel").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(booked(&world, &id).2, BookingStatus::Cancelled);
    assert_eq!(world.booking_events().len(), 0);
    world.assert_settled().await;
}

#[tokio::test]
async fn putting_a_deleted_event_back_makes_one_under_a_new_id() {
    let (mut world, id) = deleted().await;
    decide(&world, "put_back").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(booked(&world, &id).2, BookingStatus::Confirmed);
    let events = world.booking_events();
    assert_eq!(events.len(), 1);
    assert_eq!(times(&events[0]), Some((world.at(20), world.at(21))));
    world.assert_settled().await;
}

#[tokio::test]
async fn the_moved_event_of_a_cancelled_booking_goes_when_she_says_so() {
    let (mut world, id) = moved().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].options, ["remove", "leave"]);
    decide(&world, "remove").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(world.booking_events().len(), 0);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_booking_that_a_customer_moves_to_where_its_event_stands_leaves_nothing_to_ask() {
    let (mut world, id) = moved().await;
    let (start, end) = (world.at(25), world.at(26));
    world.platform_changes(&id, |booking| (booking.start, booking.end) = (start, end));
    assert_well(&world.sync().await);
    assert_eq!(world.published_busy(), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_option_that_is_not_offered_is_refused_with_those_that_are() {
    let (world, _) = deleted().await;
    let refused = decide(&world, "move").expect_err("refused");
    let Refused::NoSuchOption { options } = refused else { panic!("{refused:?}") };
    assert_eq!(options, ["cancel", "put_back", "leave"]);
}

/// One booking whose event she moved, one whose event she deleted, both answered.
async fn two_answers(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    world.customer_books("moved", 20);
    world.sync().await;
    moves(&world, 25);
    let deleted = world.customer_books("deleted", 40);
    world.sync().await;
    let target = world.target();
    let event = world
        .booking_events()
        .into_iter()
        .find(|event| event.marker.as_ref().is_some_and(|marker| marker.booking == deleted))
        .expect("its event");
    world.vendor_deletes(&target, &event.id);
    let report = world.sync().await;
    for card in &report.decisions {
        let option = if card.kind == "moved" { "move" } else { "cancel" };
        decide_about(&world, &card.id, option).expect("an answer");
    }
    world
}

fn assert_both_done(world: &World, when: &str) {
    let (start, _, status) = booked(world, &"moved".into());
    assert_eq!((start, status), (world.at(25), BookingStatus::Confirmed), "{when}");
    assert_eq!(booked(world, &"deleted".into()).2, BookingStatus::Cancelled, "{when}");
    let events: Vec<_> = world.booking_events().iter().map(times).collect();
    assert_eq!(events, [Some((world.at(25), world.at(26)))], "{when}");
    assert_eq!(world.services.state().done.len(), 2, "{when}: each once");
}

#[tokio::test]
async fn an_answer_survives_a_kill_at_any_write_to_the_mirror() {
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world = two_answers(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment))).await;
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
            world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
            let when = format!("write {fatal} {moment:?}");
            let report = world.sync().await;
            assert!(report.errors.is_empty() && report.decisions.is_empty(), "{when}: {report:#?}");
            assert_both_done(&world, &when);
            world.assert_settled().await;
            if !died {
                assert!(fatal > 8, "the scenario is too small to mean anything: {fatal} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_answer_survives_the_loss_of_any_request_or_reply() {
    for fault in [Fault::Unreachable, Fault::ReplyLost] {
        for pass in 0.. {
            let inside = Box::new(mirror::Sqlite::in_memory().expect("a mirror"));
            let mut world = two_answers(inside).await;
            world.services.state().requests.clear();
            // As often as it is tried, so that the run gives up.
            world.fail_from(pass, 3, fault);
            world.sync().await;
            let asked = world.services.state().requests.len();
            world.heal();
            let when = format!("request {pass} {fault:?}");
            let report = world.sync().await;
            assert!(report.errors.is_empty() && report.decisions.is_empty(), "{when}: {report:#?}");
            assert_both_done(&world, &when);
            world.assert_settled().await;
            if asked <= pass {
                assert!(pass > 6, "the scenario is too small to mean anything: {pass} requests");
                break;
            }
        }
    }
}

/// As many bookings as that, each with its event.
async fn week_of(count: i64) -> World {
    let mut world = new_world();
    for n in 0..count {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    world.sync().await;
    assert_eq!(world.booking_events().len(), usize::try_from(count).expect("a count"));
    world
}

#[tokio::test]
async fn a_platform_that_lost_its_bookings_empties_no_calendar_while_new_bookings_still_arrive() {
    let mut world = week_of(12).await;
    world.services.state().bookings.clear();
    world.customer_books("new", 60);
    world.fail_next("bookings", Fault::CursorLost);
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, report.bookings.created, report.bookings.held), (0, 1, 12));
    assert_eq!(world.booking_events().len(), 13);
    let all = &report.decisions[0];
    assert_eq!((all.kind.as_str(), all.options.join("|")), ("held_deletions", "remove|leave".to_owned()));
    assert!(all.summary.starts_with("12 of 13 booking events"), "{}", all.summary);
    assert_eq!(all.outcomes, ["Remove all 12 events.", "Keep all 12 events."]);
    world.assert_settled().await;
}

#[tokio::test]
async fn the_time_of_an_event_that_is_held_stays_blocked_and_of_one_that_she_keeps_too() {
    let mut world = week_of(8).await;
    assert_eq!(world.published_busy(), []);
    for n in 0..7 {
        world.platform_changes(&format!("b{n}").as_str().into(), |booking| {
            booking.status = BookingStatus::Cancelled;
        });
    }
    let report = world.sync().await;
    let hours = |world: &World, which: &[i64]| -> Vec<_> {
        which.iter().map(|n| (world.at(20 + n * 2), world.at(21 + n * 2))).collect()
    };
    assert_eq!(world.published_busy(), hours(&world, &[0, 1, 2, 3, 4, 5, 6]));
    let one = |booking: &str| report.decisions.iter().find(|card| card.booking_id == Some(booking.into()));
    let kept = one("b1").expect("a question");
    assert!(kept.outcomes.iter().any(|words| words.starts_with("Leave it; keep ")), "{kept:#?}");
    decide_about(&world, &one("b0").expect("a question").id, "remove").expect("an answer");
    decide_about(&world, &kept.id, "leave").expect("an answer");
    world.sync().await;
    assert_eq!(world.published_busy(), hours(&world, &[1, 2, 3, 4, 5, 6]));
    world.assert_settled().await;
}

#[tokio::test]
async fn held_removals_are_let_go_one_by_one_or_all_at_once_and_no_other_way() {
    let mut world = week_of(8).await;
    for n in 0..7 {
        world.platform_changes(&format!("b{n}").as_str().into(), |booking| {
            booking.status = BookingStatus::Cancelled;
        });
    }
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, report.bookings.held), (0, 7));
    let one = |booking: &str| report.decisions.iter().find(|card| card.booking_id == Some(booking.into()));
    decide_about(&world, &one("b0").expect("a question").id, "remove").expect("an answer");
    decide_about(&world, &one("b1").expect("a question").id, "leave").expect("an answer");
    let report = world.sync().await;
    // Five are left, which a run would have removed by itself: silence still changes nothing.
    assert_eq!((report.bookings.removed, report.bookings.held), (1, 5), "{report:#?}");
    world.assert_settled().await;
    let rest = world.sync().await.decisions[0].id.clone();
    decide_about(&world, &rest, "remove").expect("an answer");
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, report.bookings.held), (5, 0), "{report:#?}");
    assert_eq!(world.booking_events().len(), 2, "hers that she kept, and the one whose booking stands");
    world.assert_settled().await;
}

#[tokio::test]
async fn bookings_that_come_back_need_no_answer_and_a_few_cancellations_raise_no_question() {
    let mut world = week_of(8).await;
    let gone = std::mem::take(&mut world.services.state().bookings);
    world.fail_next("bookings", Fault::CursorLost);
    assert_eq!(world.sync().await.bookings.held, 8);
    {
        let mut state = world.services.state();
        state.clock += 1;
        let clock = state.clock;
        state.bookings = gone.into_iter().map(|(id, (_, booking))| (id, (clock, booking))).collect();
    }
    assert_well(&world.sync().await);
    assert_eq!(world.booking_events().len(), 8);
    world.assert_settled().await;
    for n in 0..5 {
        world.platform_changes(&format!("b{n}").as_str().into(), |booking| {
            booking.status = BookingStatus::Cancelled;
        });
    }
    assert_eq!(world.sync().await.bookings.removed, 5);
    world.assert_settled().await;
}
