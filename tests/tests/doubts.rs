//! What the simulation found, as sentences: answers that were lost before a refusal, lists that do not show what stands,
//! and decisions that would have done more than she decided.

use std::sync::Arc;

use calendar::event::{End, When};
use jiff::SignedDuration;
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::ids::{BookingId, InstallationId};
use sync::policy::{Deletions, Policy};
use sync::ports::Mirror;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::Fault;
use tests::world::World;

fn moves(world: &World, hours: i64) {
    let (start, end) = (world.at(hours), world.at(hours + 1));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
}

fn moves_to(world: &World, id: &BookingId, hours: i64) {
    let (start, end) = (world.at(hours), world.at(hours + 1));
    world.platform_changes(id, |booking| (booking.start, booking.end) = (start, end));
}

fn new_world() -> World {
    World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")))
}

/// A world whose process can be killed, and what it leaves behind then.
fn mortal(moment: Moment) -> (Arc<dyn Mirror>, World) {
    let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
    let world = World::new(Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment)));
    (inside, world)
}

/// Syncs, and is killed at that write to the mirror if there are so many. What comes after is another process.
async fn is_killed(world: &mut World, inside: &Arc<dyn Mirror>, fatal: usize, moment: Moment) -> bool {
    world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
    let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
    world.mirror = Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment));
    died
}

/// Tells a story that is killed at the first write to the mirror, at the second, and so on; `story` answers whether it was.
async fn killed_at_each_write(mut story: impl AsyncFnMut(usize, Moment) -> bool) {
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            if !story(fatal, moment).await {
                break;
            }
        }
    }
}

/// A booking whose event she moved, and her answer that the booking is to follow.
async fn move_that_she_decided() -> (World, BookingId) {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    moves(&world, 25);
    let card = world.the_question("moved").await;
    world.vendor_decides(&card.id, "move").expect("an answer");
    (world, id)
}

async fn nobody_knows_whether_it_moves(world: &mut World) {
    for _ in 0..3 {
        world.fail_next("move_booking", Fault::Unreachable);
    }
    world.sync().await;
}

#[tokio::test]
async fn busy_time_whose_answer_was_lost_before_a_refusal_stays_in_doubt() {
    let mut world = new_world();
    world.sync().await;
    world.vendor_adds("dentist", 20, 1);
    world.fail_next("put_busy", Fault::ReplyLost);
    world.fail_next("put_busy", Fault::Rejected);
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21))], "it was done all the same");

    world.vendor_deletes(&"personal".into(), &"dentist".into());
    world.sync().await;
    assert_eq!(world.published_busy(), [], "what the platform may have is sent again");
    world.assert_settled().await;
}

/// The write is done and its answer lost, and what stands there is not shown until it has been refused as well.
async fn is_done_out_of_sight(world: &mut World, write: &'static str) {
    world.fail_next(write, Fault::ReplyLost);
    world.fail_next("probe", Fault::OutOfSight);
    world.fail_next(write, Fault::OutOfSight);
    world.fail_next("probe", Fault::OutOfSight);
    let report = world.sync().await;
    assert_eq!(report.errors.len(), 1, "{report:#?}");
}

#[tokio::test]
async fn an_event_that_is_out_of_sight_after_a_lost_answer_leaves_its_change_in_doubt() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    moves_to(&world, &id, 25);
    is_done_out_of_sight(&mut world, "update").await;
    assert_eq!(
        world.mirror.world().expect("a world").unsettled.len(),
        1,
        "a refusal proves nothing about it"
    );

    world.vendor_changes_booking_event(|event| event.summary = "hers".to_owned());
    moves_to(&world, &id, 30);
    let report = world.sync().await;
    assert!(report.decisions.iter().all(|card| card.kind != "moved_both"), "she moved nothing: {report:#?}");
    assert!(world.mirror.world().expect("a world").unsettled.is_empty());
}

#[tokio::test]
async fn an_event_whose_making_nobody_saw_is_no_move_of_hers_once_it_shows() {
    let mut world = new_world();
    world.sync().await;
    let id = world.customer_books("b", 20);
    is_done_out_of_sight(&mut world, "create").await;

    moves_to(&world, &id, 25);
    let report = world.sync().await;
    assert_eq!(report.decisions, [], "she moved nothing: {report:#?}");
    let events = world.booking_events();
    assert_eq!(events.iter().filter_map(times).collect::<Vec<_>>(), [(world.at(25), world.at(26))]);
}

#[tokio::test]
async fn what_half_a_reading_told_still_holds_where_the_next_try_is_answered_by_a_copy_that_lags() {
    let mut world = new_world();
    let (one, _) = (world.customer_books("a", 20), world.customer_books("b", 22));
    world.sync().await;
    moves_to(&world, &one, 30);
    world.fail_next("bookings", Fault::HalfAReading);
    world.fail_next("bookings", Fault::Lagging);
    let report = world.sync().await;
    assert_eq!((report.bookings.updated, report.errors.len()), (1, 0), "{report:#?}");
}

#[tokio::test]
async fn a_change_that_was_not_done_is_over_once_its_event_is_seen_as_it_was() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    moves_to(&world, &id, 25);
    world.fail_next("update", Fault::Unreachable);
    world.fail_next("probe", Fault::OutOfSight);
    world.fail_next("update", Fault::Unreachable);
    world.fail_next("update", Fault::Rejected);
    world.sync().await;
    assert!(world.mirror.world().expect("a world").unsettled.is_empty(), "seen after the second try");
    world.sync().await;
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(25), world.at(26))));
}

#[tokio::test]
async fn a_calendar_that_lists_nothing_is_not_believed_about_events_that_stand() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.customer_books("c", 30);
    world.sync().await;
    world.fail_next("read", Fault::CursorLost);
    world.fail_next("read", Fault::EmptyList);
    let report = world.sync().await;
    assert_eq!(report.decisions, [], "she deleted nothing");
    assert_eq!(world.booking_events().len(), 2);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_list_that_lacks_our_events_says_nothing_where_they_cannot_be_looked_for() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.sync().await;
    world.fail_next("read", Fault::CursorLost);
    world.fail_next("read", Fault::EmptyList);
    world.fail_next("probe", Fault::SignInExpired);
    let report = world.sync().await;
    assert!(report.decisions.is_empty() && !report.errors.is_empty(), "{report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_answer_is_spent_once_it_was_carried_out() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    let card = world.the_question("deleted").await;
    world.vendor_decides(&card.id, "cancel").expect("an answer");
    // The customer wants it after all, before anybody looks.
    let again = id.clone();
    world.before_next("bookings", |_| {});
    world.before_next("bookings", |_| {});
    world.before_next("bookings", move |state| {
        state.clock += 1;
        let at = state.clock;
        if let Some((changed, booking)) = state.bookings.get_mut(&again) {
            (*changed, booking.status) = (at, BookingStatus::Confirmed);
        }
    });
    world.sync().await;
    let cancelled = |world: &World| world.asked("cancel_booking");
    assert_eq!(cancelled(&world), 1);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].kind, "deleted", "she is asked again");
    assert_eq!(cancelled(&world), 1, "and nothing more is cancelled in her name");
}

#[tokio::test]
async fn a_run_that_plans_anew_counts_what_it_has_removed() {
    let mut world = new_world();
    world.policy = Policy { deletions: Deletions { at_most: 2, percent: 10 }, ..world.policy };
    let mut bookings = vec![world.customer_books("b1", 20), world.customer_books("b2", 22)];
    world.sync().await;
    // Another computer of hers writes two more, which this one finds while it removes its own.
    let theirs = mirror::Sqlite::in_memory().expect("another mirror");
    let mut other = World::around(world.services.clone(), Box::new(theirs));
    bookings.extend([world.customer_books("b3", 24), world.customer_books("b4", 26)]);
    other.try_sync(Direction::Bidirectional, false).await.expect("a sync");
    assert_eq!(world.booking_events().len(), 4);
    for id in &bookings {
        world.platform_changes(id, |booking| booking.status = BookingStatus::Cancelled);
    }
    let report = world.sync().await;
    assert_eq!((report.bookings.removed, world.booking_events().len()), (2, 2), "{report:#?}");
    assert_eq!(report.decisions[0].kind, "held_deletions", "the others are hers to let go");
}

#[tokio::test]
async fn room_that_was_made_for_a_move_which_never_came_to_be_is_taken_back() {
    let (mut world, id) = move_that_she_decided().await;
    nobody_knows_whether_it_moves(&mut world).await;
    assert_eq!(world.slots(), [(25, 26, true)], "whether it was moved, nobody knows");

    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;
    assert_eq!(world.slots(), [], "nobody may book what was only made for the move");
}

/// As today's platform does for whoever cancels or moves a booking: its slot can be booked by anybody again.
fn opens(world: &World, hours: i64) {
    let start = world.at(hours);
    let mut services = world.services.state();
    services.slots.values_mut().find(|slot| slot.span.start() == start).expect("a slot").open = true;
}

/// The slot of `hours` is as the customer left it: nobody offered that time.
async fn is_taken_back(world: &mut World) {
    let report = world.sync().await;
    assert_eq!(report.slots.blocked, 0, "it is none of a file's free times: {report:#?}");
    assert_eq!(world.slots(), [], "she never offered that time: only her own move made it");
    world.assert_settled().await;
}

#[tokio::test]
async fn room_that_a_booking_moved_to_is_taken_back_once_it_is_cancelled_or_moves_on() {
    for cancels in [true, false] {
        let (mut world, id) = move_that_she_decided().await;
        let report = world.sync().await;
        assert_eq!((world.slots(), report.slots.blocked), (vec![(25, 26, false)], 0), "the booking is there");
        world.platform_changes(&id, |booking| {
            if cancels {
                booking.status = BookingStatus::Cancelled;
            } else {
                booking.start += SignedDuration::from_hours(4);
                booking.end += SignedDuration::from_hours(4);
            }
        });
        opens(&world, 25);
        is_taken_back(&mut world).await;
    }
}

#[tokio::test]
async fn room_that_busy_time_closes_as_soon_as_it_is_free_is_taken_back_when_that_goes() {
    let (mut world, id) = move_that_she_decided().await;
    world.services.state().leaves_slots = true;
    world.sync().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    opens(&world, 25);
    world.vendor_adds("tea", 25, 1);
    world.sync().await;
    assert_eq!(world.slots(), [(25, 26, false)], "closed by us, like any other");
    world.vendor_deletes(&"personal".into(), &"tea".into());
    is_taken_back(&mut world).await;
}

#[tokio::test]
async fn room_that_is_out_of_sight_for_a_while_is_taken_back_all_the_same() {
    let (mut world, id) = move_that_she_decided().await;
    world.services.state().leaves_slots = true;
    world.sync().await;
    let hidden = std::mem::take(&mut world.services.state().slots);
    world.vendor_adds("tea", 25, 1);
    world.sync().await;
    world.services.state().slots = hidden;

    world.vendor_deletes(&"personal".into(), &"tea".into());
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    opens(&world, 25);
    is_taken_back(&mut world).await;
}

/// Room was made for a move of which nobody knows anything any more: the booking is cancelled, its event and the database
/// are gone.
async fn that_forgot_its_room() -> World {
    let (mut world, id) = move_that_she_decided().await;
    nobody_knows_whether_it_moves(&mut world).await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    assert_eq!(world.slots(), [(25, 26, true)]);
    that_forgot(&world)
}

/// Her computer with a database that knows nothing: it was lost, or the computer is new.
fn that_forgot(world: &World) -> World {
    let mirror = Box::new(mirror::Sqlite::in_memory().expect("a mirror"));
    World::around(world.services.clone(), mirror)
}

#[tokio::test]
async fn room_that_a_database_which_was_lost_had_made_is_known_by_its_id() {
    let mut world = that_forgot_its_room().await;
    world.vendor_opens("hers", 40, 1);
    world.sync().await;
    world.sync().await;
    assert_eq!(world.slots(), [(40, 41, true)], "what is hers stays, and she never offered the other");
    let asked = world.asked("slots");
    world.sync().await;
    assert_eq!(world.asked("slots"), asked, "it is looked for no more");
    world.assert_settled().await;
}

#[tokio::test]
async fn room_that_a_booking_has_is_known_to_a_database_that_is_new_until_it_is_cancelled() {
    let (mut world, id) = move_that_she_decided().await;
    world.sync().await;
    let mut world = that_forgot(&world);
    world.sync().await;
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    opens(&world, 25);
    is_taken_back(&mut world).await;
}

#[tokio::test]
async fn room_that_is_out_of_sight_when_a_new_database_first_looks_is_found_by_its_second_look() {
    let mut world = that_forgot_its_room().await;
    let hidden = std::mem::take(&mut world.services.state().slots);
    world.sync().await;
    world.services.state().slots = hidden;
    is_taken_back(&mut world).await;
}

#[tokio::test]
async fn what_a_new_database_cannot_see_of_the_slots_is_no_trouble_and_is_looked_at_again() {
    let mut world = that_forgot_its_room().await;
    world.fail_next("slots", Fault::Rejected);
    let report = world.sync().await;
    assert_eq!(report.errors, [], "nothing waits for it");
    world.sync().await;
    assert_eq!(world.slots(), [], "she never offered that time: only her own move made it");
}

#[tokio::test]
async fn room_is_taken_back_after_a_cancellation_wherever_the_move_was_killed() {
    killed_at_each_write(async |fatal, moment| {
        let (inside, mut world) = mortal(moment);
        let id = world.customer_books("b", 20);
        world.sync().await;
        moves(&world, 25);
        let card = world.the_question("moved").await;
        world.vendor_decides(&card.id, "move").expect("an answer");
        let died = is_killed(&mut world, &inside, fatal, moment).await;
        world.sync().await;
        world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
        opens(&world, 25);
        is_taken_back(&mut world).await;
        died
    })
    .await;
}

#[tokio::test]
async fn words_of_ours_that_a_booking_outgrew_are_written_when_it_follows_its_event() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    moves(&world, 25);
    world.platform_changes(&id, |booking| booking.service_name = Some("Colour".to_owned()));
    let card = world.the_question("moved_both").await;
    world.vendor_decides(&card.id, "move").expect("an answer");
    world.sync().await;
    assert_eq!(world.booking_events()[0].event.summary, "Booking: Colour");
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(25), world.at(26))));
    world.assert_settled().await;
}

#[tokio::test]
async fn her_words_survive_putting_back_however_long_ago_she_wrote_them() {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    world.vendor_changes_booking_event(|event| "Nadia, bring the scissors".clone_into(&mut event.summary));
    world.platform_changes(&id, |booking| {
        booking.start += SignedDuration::from_hours(1);
        booking.end += SignedDuration::from_hours(1);
    });
    world.sync().await;
    moves(&world, 25);
    let card = world.the_question("moved").await;
    world.vendor_decides(&card.id, "put_back").expect("an answer");
    world.sync().await;
    assert_eq!(times(&world.booking_events()[0]), Some((world.at(21), world.at(22))));
    assert_eq!(world.booking_events()[0].event.summary, "Nadia, bring the scissors");
}

#[tokio::test]
async fn room_that_could_not_be_taken_back_at_once_is_taken_back_by_the_next_run() {
    for leaves_slots in [false, true] {
        let (mut world, _) = move_that_she_decided().await;
        world.services.state().leaves_slots = leaves_slots;
        world.fail_next("move_booking", Fault::Rejected);
        world.fail_next("remove_slot", Fault::Rejected);
        world.sync().await;
        assert_eq!(world.slots(), [(25, 26, false)], "closed under the event that she is asked about again");
        world.sync().await;

        // With that busy time gone it opens again, and may not stay so for anybody.
        moves(&world, 20);
        world.sync().await;
        assert_eq!(world.slots(), [], "nobody may book what was only made for the move: {leaves_slots}");
    }
}

#[tokio::test]
async fn room_that_an_earlier_try_made_is_taken_back_when_the_move_is_refused() {
    let (mut world, _) = move_that_she_decided().await;
    nobody_knows_whether_it_moves(&mut world).await;
    assert_eq!(world.slots(), [(25, 26, true)], "whether it was moved, nobody knows");

    world.fail_next("move_booking", Fault::Rejected);
    world.sync().await;
    assert_eq!(world.slots(), [], "nobody may book what was only made for the move");
    assert!(world.mirror.world().expect("a world").unsettled.is_empty());
}

#[tokio::test]
async fn room_that_an_earlier_try_made_is_remembered_where_nobody_says_what_stands() {
    let (mut world, id) = move_that_she_decided().await;
    nobody_knows_whether_it_moves(&mut world).await;
    world.fail_next("slots", Fault::Rejected);
    world.sync().await;
    assert_eq!(world.slots().len(), 1, "it could not be looked at");

    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.sync().await;
    assert_eq!(world.slots(), [(25, 26, false)], "closed under the event that she is asked about");
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    world.sync().await;
    assert_eq!(world.slots(), [], "nobody may book what was only made for the move");
    world.assert_settled().await;
}

#[tokio::test]
async fn room_is_taken_back_wherever_the_process_that_made_it_was_killed() {
    let mut left_open = 0;
    killed_at_each_write(async |fatal, moment| {
        let (inside, mut world) = mortal(moment);
        let id = world.customer_books("b", 20);
        world.sync().await;
        moves(&world, 25);
        let card = world.the_question("moved").await;
        world.vendor_decides(&card.id, "move").expect("an answer");
        let died = is_killed(&mut world, &inside, fatal, moment).await;
        left_open += usize::from(world.slots() == [(25, 26, true)]);

        world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
        world.sync().await;
        let open = world.slots().into_iter().any(|(_, _, open)| open);
        assert!(!open, "write {fatal} {moment:?}: {:?}", world.slots());
        died
    })
    .await;
    assert!(left_open > 1, "the scenario is too small to mean anything: {left_open}");
}

#[tokio::test]
async fn room_that_somebody_has_by_now_is_left_and_looked_for_no_more() {
    let (mut world, id) = move_that_she_decided().await;
    world.fail_next("move_booking", Fault::Rejected);
    world.fail_next("remove_slot", Fault::Rejected);
    world.sync().await;
    assert_eq!(world.slots(), [(25, 26, false)]);
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    world.customer_books("other", 25);
    world.sync().await;
    assert_eq!(world.slots(), [(25, 26, false)], "it is the other's");
    assert!(world.mirror.world().expect("a world").unsettled.is_empty());
}

#[tokio::test]
async fn a_computer_that_waited_for_its_turn_looks_again_before_it_makes_a_calendar() {
    let mut world = new_world();
    world.customer_books("b", 20);
    // The other one has had its turn between this one's look and its lease.
    let other = InstallationId("the other".to_owned());
    world.before_next("lease", move |state| {
        state.lease.fencing += 1;
        state.lease.asked.insert(other);
        state.another_makes("the other's");
    });
    world.sync().await;
    assert_eq!(world.target(), "the other's".into());
    let made = world.asked("create_calendar");
    assert_eq!(made, 0, "none is made beside it");
}

#[tokio::test]
async fn an_event_that_went_where_it_was_sent_was_not_moved_by_her_whatever_she_wrote_on_it() {
    let mut sent_and_not_confirmed = 0;
    killed_at_each_write(async |fatal, moment| {
        let (inside, mut world) = mortal(moment);
        let id = world.customer_books("b", 20);
        world.sync().await;
        moves_to(&world, &id, 25);
        let died = is_killed(&mut world, &inside, fatal, moment).await;
        let known = world.mirror.world().expect("a world");
        let is_sent = times(&world.booking_events()[0]).map(|(start, _)| start) == Some(world.at(25));
        sent_and_not_confirmed += usize::from(died && is_sent && !known.unsettled.is_empty());

        world.vendor_changes_booking_event(|event| event.summary = "hers".to_owned());
        moves_to(&world, &id, 30);
        world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
        let report = world.sync().await;
        assert_eq!(report.decisions, [], "write {fatal} {moment:?}: she moved nothing");
        assert_eq!(world.booking_events().len(), 0, "write {fatal} {moment:?}");
        died
    })
    .await;
    assert!(sent_and_not_confirmed > 0, "the scenario is too small to mean anything");
}

#[tokio::test]
async fn an_event_that_went_from_where_no_list_reaches_is_missed_all_the_same() {
    let mut world = new_world();
    world.customer_books("b", 40);
    world.sync().await;
    moves(&world, -40);
    assert_eq!(world.sync().await.decisions[0].kind, "moved");
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    // What told of it is lost, and yesterday is in no list.
    world.fail_next("read", Fault::CursorLost);
    let report = world.sync().await;
    assert_eq!(report.decisions[0].kind, "deleted", "{report:#?}");

    world.fail_next("read", Fault::CursorLost);
    let probes = |world: &World| world.asked("probe");
    let before = probes(&world);
    world.sync().await;
    assert_eq!(probes(&world), before, "and it is not looked for again");
}

#[tokio::test]
async fn an_event_that_she_deleted_while_nobody_knew_that_its_booking_is_back_is_asked_about_and_not_made_anew()
 {
    let mut world = new_world();
    let id = world.customer_books("b", 20);
    world.sync().await;
    // Cancelled, and its event could not be removed yet.
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Cancelled);
    for _ in 0..4 {
        world.fail_next("delete", Fault::Unreachable);
    }
    world.sync().await;
    world.heal();
    assert_eq!(world.booking_events().len(), 1);

    // The booking is back before she deletes the event, and only her calendar is read.
    world.platform_changes(&id, |booking| booking.status = BookingStatus::Confirmed);
    let (target, event) = (world.target(), world.booking_events()[0].id.clone());
    world.vendor_deletes(&target, &event);
    world.clock.advance(SignedDuration::from_hours(1));
    world.try_sync(Direction::FromCalendar, false).await.expect("a report");

    let report = world.sync().await;
    assert_eq!(report.bookings.created, 0, "{report:#?}");
    assert_eq!(report.decisions.iter().map(|card| card.kind.as_str()).collect::<Vec<_>>(), ["deleted"]);
}

#[tokio::test]
async fn words_that_a_killed_run_wrote_are_not_taken_for_hers_wherever_she_puts_the_event_since() {
    let mut sent_and_not_confirmed = 0;
    killed_at_each_write(async |fatal, moment| {
        let (inside, mut world) = mortal(moment);
        let id = world.customer_books("b", 20);
        world.sync().await;
        let is_for = |world: &World, service: &str| {
            world.platform_changes(&id, |booking| booking.service_name = Some(service.to_owned()));
        };
        is_for(&world, "Colour");
        let died = is_killed(&mut world, &inside, fatal, moment).await;
        let known = world.mirror.world().expect("a world");
        let is_sent = world.booking_events()[0].event.summary == "Booking: Colour";
        sent_and_not_confirmed += usize::from(died && is_sent && !known.unsettled.is_empty());

        moves(&world, 25);
        world.sync().await;
        is_for(&world, "Haircut");
        let card = world.sync().await.decisions.remove(0);
        world.vendor_decides(&card.id, "put_back").expect("an answer");
        world.sync().await;
        let event = world.booking_events().remove(0);
        assert_eq!(event.event.summary, "Booking: Haircut", "write {fatal} {moment:?}");
        assert_eq!(times(&event), Some((world.at(20), world.at(21))), "write {fatal} {moment:?}");
        died
    })
    .await;
    assert!(sent_and_not_confirmed > 0, "the scenario is too small to mean anything");
}
