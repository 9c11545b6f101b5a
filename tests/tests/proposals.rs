//! Another time that she asks a customer for, as sentences: asked once, answered by the customer, and taken back when she
//! says so.

use calendar::event::{End, When};
use calendar::interval::Interval;
use sync::booking::{Booking, BookingStatus};
use sync::decide::times;
use sync::decisions::{Decided, Refused, answer};
use sync::ids::BookingId;
use sync::plan::{Refusal, plan};
use sync::ports::Clock;
use sync::proposal::{Ending, Proposal};
use sync::report::Report;
use tests::service::Fault;
use tests::world::World;

/// One booking at hour 20 whose event she moved to hours 25 to 26, on a platform that asks customers.
async fn moved() -> (World, BookingId) {
    let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    let id = world.customer_books("b", 20);
    world.platform_changes(&id, |booking| booking.proposal = Proposal::Possible);
    world.sync().await;
    moves(&world, 25);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].options, ["move", "propose", "put_back", "leave"]);
    (world, id)
}

fn moves(world: &World, hours: i64) {
    let (start, end) = (world.at(hours), world.at(hours + 1));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
}

/// Answers the only question there is.
fn decide(world: &World, option: &str) -> Result<(), Refused> {
    let known = world.mirror.world().expect("a world");
    let cards = plan(&known, world.clock.now(), &world.policy).cards;
    let id = cards.first().map_or_else(String::new, sync::plan::Card::id);
    match answer(&known, &cards, world.clock.now(), &id, option)? {
        Decided::Bookings { answers, .. } => world.mirror.put_answers(&answers).expect("they are kept"),
        Decided::Import { .. } => panic!("no question about a file"),
    }
    Ok(())
}

/// Moved, proposed, and waiting.
async fn proposed() -> (World, BookingId) {
    let (mut world, id) = moved().await;
    decide(&world, "propose").expect("an answer");
    let report = world.sync().await;
    assert_eq!(kinds(&report), ["proposed"], "{report:#?}");
    assert_eq!(report.errors, []);
    (world, id)
}

fn kinds(report: &Report) -> Vec<&str> {
    report.decisions.iter().map(|card| card.kind.as_str()).collect()
}

fn row(world: &World, id: &BookingId) -> Booking {
    world.services.state().bookings[id].1.clone()
}

fn asks(world: &World) -> usize {
    world.asked("propose_move")
}

fn ends(world: &World, id: &BookingId, how: Ending) {
    world.platform_changes(id, |booking| {
        let (waiting, to) = booking.proposal.waiting().expect("it waits");
        booking.proposal = Proposal::Over { id: waiting.clone(), to, how };
    });
}

fn span(world: &World, hours: i64) -> Interval {
    Interval::new(world.at(hours), world.at(hours + 1)).expect("an hour")
}

#[tokio::test]
async fn the_customer_is_asked_once_and_both_times_stay_blocked_while_the_booking_stands() {
    let (mut world, id) = proposed().await;
    let booking = row(&world, &id);
    assert_eq!(
        (booking.start, booking.proposal.waiting().map(|(_, to)| to)),
        (world.at(20), Some(span(&world, 25)))
    );
    assert!(world.published_busy().contains(&(world.at(25), world.at(26))), "{:?}", world.published_busy());
    for _ in 0..3 {
        let report = world.sync().await;
        assert_eq!((kinds(&report), report.bookings.updated), (vec!["proposed"], 0));
        assert_eq!(report.bookings.held, 0, "nothing of hers is kept waiting");
    }
    assert_eq!(asks(&world), 1);
    let known = world.mirror.world().expect("a world");
    let cards = plan(&known, world.clock.now(), &world.policy).cards;
    assert!(cards.iter().all(|card| !card.question.presses()), "it is the customer's to answer");
}

#[tokio::test]
async fn the_same_question_that_comes_again_can_be_answered_otherwise_than_before() {
    let (mut world, id) = proposed().await;
    // As the platform has it, a proposal is over with its booking; then the booking stands again as it did.
    for status in [BookingStatus::Cancelled, BookingStatus::Confirmed] {
        world.platform_changes(&id, |booking| {
            (booking.status, booking.proposal) = (status, Proposal::Possible);
        });
    }
    // What she said before is done, and does not count again.
    assert_eq!(kinds(&world.sync().await), ["moved"]);
    decide(&world, "move").expect("an answer");
    world.sync().await;
    let booking = row(&world, &id);
    assert_eq!((booking.start, booking.end), (world.at(25), world.at(26)));
    assert_eq!(world.slots(), [(25, 26, false)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_customer_who_accepts_moves_the_booking_to_where_its_event_stands_and_nothing_is_left_to_ask() {
    let (mut world, id) = proposed().await;
    let to = span(&world, 25);
    world.platform_changes(&id, |booking| {
        (booking.start, booking.end, booking.proposal) = (to.start(), to.end(), Proposal::Possible);
    });
    let report = world.sync().await;
    assert_eq!((kinds(&report), report.bookings.updated), (vec![], 0), "{report:#?}");
    assert_eq!(times(&world.booking_events()[0]), Some((to.start(), to.end())));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_customer_who_declines_or_says_nothing_brings_the_question_back_and_is_not_asked_for_that_time_again()
 {
    for (how, refusal) in [(Ending::Declined, Refusal::Declined), (Ending::Lapsed, Refusal::Lapsed)] {
        let (mut world, id) = proposed().await;
        ends(&world, &id, how);
        let report = world.sync().await;
        assert_eq!(kinds(&report), ["moved"], "{report:#?}");
        assert_eq!(report.decisions[0].options, ["move", "put_back", "leave"]);
        let known = world.mirror.world().expect("a world");
        let cards = plan(&known, world.clock.now(), &world.policy).cards;
        assert_eq!(cards[0].refused(&known), Some(refusal));
        assert_eq!(asks(&world), 1, "what she had answered before does not count for it");

        // She tries another time.
        moves(&world, 27);
        let report = world.sync().await;
        assert_eq!(report.decisions[0].options, ["move", "propose", "put_back", "leave"]);
        decide(&world, "propose").expect("an answer");
        world.sync().await;
        assert_eq!(row(&world, &id).proposal.waiting().map(|(_, to)| to), Some(span(&world, 27)));
        assert_eq!(asks(&world), 2);
    }
}

#[tokio::test]
async fn taking_the_question_back_puts_the_event_back_and_tells_the_platform() {
    let (mut world, id) = proposed().await;
    decide(&world, "put_back").expect("an answer");
    let report = world.sync().await;
    assert_eq!((kinds(&report), report.bookings.updated), (vec![], 1), "{report:#?}");
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(20), world.at(21))));
    assert!(matches!(row(&world, &id).proposal, Proposal::Over { how: Ending::Withdrawn, .. }));
    world.assert_settled().await;
}

#[tokio::test]
async fn a_step_that_is_lost_while_a_question_is_taken_back_is_taken_the_next_time() {
    for operation in ["update", "withdraw_proposal"] {
        for fault in [Fault::Unreachable, Fault::ReplyLost] {
            let (mut world, id) = proposed().await;
            decide(&world, "put_back").expect("an answer");
            for _ in 0..4 {
                world.fail_next(operation, fault);
            }
            world.sync().await;
            world.heal();
            world.clock.advance(jiff::SignedDuration::from_hours(1));
            world.sync().await;
            let report = world.sync().await;
            assert_eq!(kinds(&report), Vec::<&str>::new(), "{operation} {fault:?}: {report:#?}");
            assert_eq!(
                times(&world.booking_events()[0]),
                Some((world.at(20), world.at(21))),
                "{operation} {fault:?}"
            );
            assert!(row(&world, &id).proposal.waiting().is_none(), "{operation} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_proposal_whose_reply_is_lost_is_made_once_and_never_again_by_the_same_answer() {
    let (mut world, id) = moved().await;
    decide(&world, "propose").expect("an answer");
    for _ in 0..4 {
        world.fail_next("propose_move", Fault::ReplyLost);
    }
    world.sync().await;
    world.heal();
    world.clock.advance(jiff::SignedDuration::from_hours(1));
    let report = world.sync().await;
    assert_eq!(kinds(&report), ["proposed"], "{report:#?}");
    let before = world.services.state().writes;

    // Taken back on the website: her event is where it was, and so is all that she was first asked about.
    ends(&world, &id, Ending::Withdrawn);
    let report = world.sync().await;
    assert_eq!(kinds(&report), ["moved"], "{report:#?}");
    assert_eq!(world.services.state().writes, before);
}

#[tokio::test]
async fn whoever_moves_without_waiting_or_drags_the_event_back_is_asked_what_follows() {
    // The room is there, and the booking goes.
    let (mut world, id) = proposed().await;
    decide(&world, "move").expect("an answer");
    let report = world.sync().await;
    assert_eq!(report.errors, []);
    assert_eq!(row(&world, &id).start, world.at(25));

    // The event is where it is booked again, and the customer is still asked.
    let (mut world, id) = proposed().await;
    moves(&world, 20);
    let report = world.sync().await;
    assert_eq!(kinds(&report), ["proposed"], "{report:#?}");
    decide(&world, "put_back").expect("an answer");
    let report = world.sync().await;
    assert_eq!((kinds(&report), report.bookings.updated), (vec![], 0), "{report:#?}");
    assert!(row(&world, &id).proposal.waiting().is_none());
}

#[tokio::test]
async fn nobody_is_asked_to_come_when_another_has_the_time_or_where_the_platform_cannot_ask() {
    let (mut world, id) = moved().await;
    world.customer_books("other", 25);
    decide(&world, "propose").expect("an answer");
    let report = world.sync().await;
    assert!(report.errors.iter().any(|error| error.booking == Some(id.clone())), "{report:#?}");
    assert_eq!((asks(&world), row(&world, &id).proposal), (0, Proposal::Possible));
    assert!(kinds(&report).contains(&"moved"), "she is asked again: {report:#?}");

    let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    world.customer_books("b", 20);
    world.sync().await;
    moves(&world, 25);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].options, ["move", "put_back", "leave"]);
}

#[tokio::test]
async fn a_question_is_taken_back_in_the_run_that_makes_its_event_anew() {
    let (mut world, id) = proposed().await;
    decide(&world, "put_back").expect("an answer");
    for _ in 0..3 {
        world.fail_next("withdraw_proposal", Fault::Unreachable);
    }
    world.sync().await;
    // A list that shows nothing takes the event away, and the next one tells that its booking stands.
    for shows_nothing in [true, false] {
        world.services.state().shows_nothing_in_full = shows_nothing;
        world.fail_next("bookings", Fault::CursorLost);
        world.sync().await;
        assert_eq!(world.booking_events().is_empty(), shows_nothing);
    }
    assert!(matches!(row(&world, &id).proposal, Proposal::Over { how: Ending::Withdrawn, .. }));
    world.assert_settled().await;
}
