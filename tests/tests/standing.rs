//! Answers that she gave once for all questions of a kind, as sentences.

use calendar::event::{End, When};
use sync::booking::BookingStatus;
use sync::decide::{Question, times};
use sync::decisions::{Refused, for_all, may_stand};
use sync::ids::BookingId;
use sync::plan::plan;
use sync::ports::Clock;
use sync::world::{Choice, Direction};
use tests::service::Fault;
use tests::world::World;

fn new_world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

fn stands(world: &World, question: Question, choice: Choice) {
    world.mirror.set_standing(question, Some(choice)).expect("it is kept");
}

/// So many bookings, an hour each, two hours apart.
async fn booked(count: i64) -> World {
    let mut world = new_world();
    for n in 0..count {
        world.customer_books(&format!("b{n}"), 20 + n * 2);
    }
    world.sync().await;
    world
}

fn moves(world: &World, hours: i64) {
    let (start, end) = (world.at(hours), world.at(hours + 1));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
}

fn status(world: &World, id: &str) -> BookingStatus {
    world.services.state().bookings[&BookingId(id.to_owned())].1.status.clone()
}

#[tokio::test]
async fn what_stands_is_given_at_once_and_told_once_in_the_report_and_in_history() {
    let mut world = booked(1).await;
    stands(&world, Question::Moved, Choice::PutBack);
    moves(&world, 25);
    let planned = world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!((planned.standing.len(), planned.bookings.updated), (1, 1), "a dry run shows it");
    let report = world.sync().await;
    assert!(report.decisions.is_empty() && report.errors.is_empty(), "{report:#?}");
    let [told] = report.standing.as_slice() else { panic!("{report:#?}") };
    assert_eq!((told.kind.as_str(), told.option.as_str()), ("moved", "put_back"));
    assert_eq!(told.outcome, "Put the event back to Mon 23 Nov, 08:00.");
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(20), world.at(21))));
    let runs = world.mirror.runs(1).expect("runs");
    assert_eq!(runs[0].report.as_ref().expect("a report")["standing"][0]["kind"], "moved");
    assert!(world.sync().await.standing.is_empty(), "told once");
    world.assert_settled().await;
}

#[tokio::test]
async fn what_stands_acts_each_time_until_she_wants_to_be_asked_again() {
    let mut world = booked(1).await;
    stands(&world, Question::Moved, Choice::PutBack);
    for hours in [25, 25, 27] {
        moves(&world, hours);
        assert_eq!(world.sync().await.standing.len(), 1);
        assert_eq!(times(&world.booking_events()[0]), Some((world.at(20), world.at(21))));
    }
    world.mirror.set_standing(Question::Moved, None).expect("it ends");
    moves(&world, 25);
    world.the_question("moved").await;
}

#[tokio::test]
async fn an_option_that_a_question_does_not_have_leaves_it_a_question() {
    let mut world = booked(1).await;
    stands(&world, Question::Moved, Choice::Move);
    moves(&world, -30);
    let report = world.sync().await;
    assert!(report.standing.is_empty(), "{report:#?}");
    assert_eq!(report.decisions[0].options, ["put_back", "leave"]);
}

#[tokio::test]
async fn what_bookiji_refuses_is_asked_and_not_tried_again_by_itself() {
    let mut world = booked(1).await;
    stands(&world, Question::Moved, Choice::Move);
    moves(&world, 25);
    world.fail_next("move_booking", Fault::Rejected);
    world.sync().await;
    for _ in 0..2 {
        let report = world.sync().await;
        assert!(report.standing.is_empty() && report.errors.is_empty(), "{report:#?}");
        assert_eq!(report.decisions[0].kind, "moved");
    }
    let card = world.asked_and_answered("moved", "move").await;
    let report = world.sync().await;
    assert!(report.decisions.is_empty(), "{}: her own answer counts: {report:#?}", card.id);
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(25), world.at(26))));
}

#[tokio::test]
async fn a_calendar_that_was_emptied_cancels_no_week_of_appointments() {
    let mut world = booked(8).await;
    stands(&world, Question::Deleted, Choice::Cancel);
    let target = world.target();
    for event in world.booking_events() {
        world.vendor_deletes(&target, &event.id);
    }
    for _ in 0..2 {
        let report = world.sync().await;
        assert_eq!((report.decisions.len(), report.standing.len()), (8, 0), "{report:#?}");
    }
    assert_eq!(status(&world, "b0"), BookingStatus::Confirmed);
    // Six answered by her: two are left, and stay hers to decide.
    let cards = world.sync().await.decisions;
    for card in &cards[..6] {
        world.vendor_decides(&card.id, "put_back").expect("an answer");
    }
    assert_eq!(world.sync().await.decisions.len(), 2);
}

#[tokio::test]
async fn a_single_deleted_event_takes_its_booking_along_where_she_wants_that_always() {
    let mut world = booked(3).await;
    stands(&world, Question::Deleted, Choice::Cancel);
    let target = world.target();
    let event = world.booking_events().remove(0);
    let booking = event.marker.expect("a marker").booking;
    world.vendor_deletes(&target, &event.id);
    let report = world.sync().await;
    assert_eq!((report.standing.len(), report.decisions.len()), (1, 0), "{report:#?}");
    assert_eq!(status(&world, booking.as_str()), BookingStatus::Cancelled);
    world.assert_settled().await;
}

#[tokio::test]
async fn nothing_stands_for_what_is_no_routine_and_the_refusal_says_why() {
    for kind in ["held_deletion", "held_deletions", "target_gone", "account_changed", "invitation"] {
        let refused = may_stand(kind, "leave").expect_err(kind);
        let Refused::NotForAll { why } = refused else { panic!("{kind}: {refused:?}") };
        assert!(why.ends_with('.'), "{kind}");
    }
    let unknown = may_stand("moved", "cancel").expect_err("no such option");
    assert_eq!(
        unknown,
        Refused::NoSuchOption {
            options: ["move", "propose", "put_back", "leave"].map(str::to_owned).to_vec()
        }
    );
    assert!(may_stand("nonsense", "leave").is_err());
    assert_eq!(may_stand("overlap", "leave"), Ok((Question::Overlap, Choice::Leave)));
}

#[tokio::test]
async fn one_answer_for_all_is_refused_for_held_removals_alone_and_together() {
    let mut world = booked(8).await;
    for n in 0..7 {
        world.platform_changes(&format!("b{n}").as_str().into(), |booking| {
            booking.status = BookingStatus::Cancelled;
        });
    }
    let report = world.sync().await;
    let cards = plan(&world.mirror.world().expect("a world"), world.clock.now(), &world.policy).cards;
    for card in [&report.decisions[0], &report.decisions[1]] {
        assert!(
            matches!(for_all(&cards, &card.id, "remove"), Err(Refused::NotForAll { .. })),
            "{}",
            card.kind
        );
    }
}

#[tokio::test]
async fn what_stands_for_her_words_is_done_in_the_run_that_puts_their_event_back() {
    let mut world = booked(1).await;
    moves(&world, 25);
    world.vendor_changes_booking_event(|event| event.summary = "hers".to_owned());
    stands(&world, Question::Renamed, Choice::PutBack);
    world.asked_and_answered("moved", "put_back").await;
    world.sync().await;
    let event = world.booking_events().remove(0);
    assert_eq!(event.event.summary, "Booking: Haircut");
    assert_eq!(times(&event), Some((world.at(20), world.at(21))));
    world.assert_settled().await;
}
