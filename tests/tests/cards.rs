//! What else she is asked, as sentences: an event she resized, renamed or copied, an event of hers over a booking, a
//! calendar that is gone, an account that was swapped. Silence changes nothing; an answer acts once.

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::event::{End, When};
use jiff::SignedDuration;
use sync::booking::{BookingStatus, event_id};
use sync::decide::times;
use sync::ids::{BookingId, ConnectionId, RemoteId, Service};
use sync::ports::{Account, Marker, Mirror, Slot};
use sync::report::Report;
use sync::world::{Connection, ConnectionState, Direction, Role};
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, Services};
use tests::world::World;

fn in_memory() -> Box<dyn Mirror> {
    Box::new(mirror::Sqlite::in_memory().expect("a mirror"))
}

/// One booking at hour 20, with its slot and its event.
async fn booked(mirror: Box<dyn Mirror>) -> World {
    let mut world = World::new(mirror);
    let slot = world.vendor_opens("its own", 20, 1);
    world.services.state().slots.insert(slot.id.clone(), Slot { open: false, ..slot });
    world.customer_books("b", 20);
    world.sync().await;
    assert_eq!(world.booking_events().len(), 1);
    world
}

fn id() -> BookingId {
    "b".into()
}

fn booking(world: &World) -> sync::booking::Booking {
    world.services.state().bookings[&id()].1.clone()
}

fn assert_well(report: &Report) {
    assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
}

async fn resized(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    let end = world.at(22);
    world.vendor_changes_booking_event(|event| event.end = End::At(When::Utc(end)));
    world
}

#[tokio::test]
async fn an_event_she_made_longer_is_asked_about_and_all_of_it_stays_blocked() {
    let mut world = resized(in_memory()).await;
    let card = world.the_question("resized").await;
    assert_eq!(card.options, ["move", "put_back", "leave"]);
    assert_eq!(
        card.summary,
        "Haircut for Nadia Roy is booked for Mon 23 Nov, 08:00–09:00, but its event now takes Mon 23 Nov, 08:00–10:00."
    );
    assert_eq!(
        card.outcomes,
        [
            "Make the appointment of Nadia Roy Mon 23 Nov, 08:00–10:00, and tell them.",
            "Make the event Mon 23 Nov, 08:00–09:00 again.",
            "Leave it; keep Mon 23 Nov, 08:00–09:00 and Mon 23 Nov, 08:00–10:00 blocked.",
        ]
    );
    assert_eq!(world.published_busy(), [(world.at(20), world.at(22))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_longer_event_makes_the_appointment_longer_or_goes_back_as_she_says() {
    for (option, hours) in [("move", 22), ("put_back", 21)] {
        let mut world = resized(in_memory()).await;
        world.asked_and_answered("resized", option).await;
        assert_well(&world.sync().await);
        assert_eq!((booking(&world).start, booking(&world).end), (world.at(20), world.at(hours)), "{option}");
        assert_eq!(times(&world.booking_events()[0]), Some((world.at(20), world.at(hours))), "{option}");
        assert_eq!(world.published_busy(), [], "{option}");
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn a_booking_whose_slot_would_lie_under_the_new_one_gives_its_own_slot_up_first() {
    let mut world = booked(in_memory()).await;
    let (start, end) =
        (world.at(20) + SignedDuration::from_mins(30), world.at(21) + SignedDuration::from_mins(30));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    world.asked_and_answered("moved", "move").await;
    assert_well(&world.sync().await);
    assert_eq!((booking(&world).start, booking(&world).end), (start, end));
    assert_eq!(world.services.state().slots.len(), 1, "one slot, and it is the booking's");
    world.assert_settled().await;
}

#[tokio::test]
async fn an_event_cannot_take_its_booking_into_the_past() {
    let mut world = booked(in_memory()).await;
    let (start, end) = (world.at(-30), world.at(-29));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    assert_eq!(world.the_question("moved").await.options, ["put_back", "leave"]);
}

async fn renamed(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    world.vendor_changes_booking_event(|event| event.summary = "Nadia, bring the blue dye".to_owned());
    world
}

fn words(world: &World) -> String {
    world.booking_events()[0].event.summary.clone()
}

#[tokio::test]
async fn her_words_are_asked_about_last_and_times_go_on_being_written() {
    let mut world = renamed(in_memory()).await;
    let card = world.the_question("renamed").await;
    assert_eq!(card.options, ["leave", "put_back"]);
    assert_eq!(card.outcomes, ["Keep your words.", "Write Bookiji's words again."]);
    assert!(!card.presses(), "nothing is lost by silence");
    for hours in [30, 34] {
        let (start, end) = (world.at(hours), world.at(hours + 1));
        world.platform_changes(&id(), |booking| (booking.start, booking.end) = (start, end));
        let report = world.sync().await;
        assert_eq!((report.bookings.updated, report.bookings.held), (1, 0), "{report:#?}");
        assert_eq!(times(&world.booking_events()[0]), Some((start, end)));
        assert_eq!(world.the_question("renamed").await.id, card.id, "it is the same question still");
    }
    world.customer_books("other", 50);
    world.vendor_adds("dentist", 50, 1);
    let report = world.sync().await;
    let kinds: Vec<&str> = report.decisions.iter().map(|card| card.kind.as_str()).collect();
    assert_eq!(kinds, ["overlap", "renamed"]);
    world.assert_settled().await;
}

#[tokio::test]
async fn her_words_stay_or_go_as_she_says_and_the_answer_holds_while_times_change() {
    for (option, expected) in [("leave", "Nadia, bring the blue dye"), ("put_back", "Booking: Haircut")] {
        let mut world = renamed(in_memory()).await;
        world.asked_and_answered("renamed", option).await;
        assert_well(&world.sync().await);
        assert_eq!(words(&world), expected);
        let (start, end) = (world.at(30), world.at(31));
        world.platform_changes(&id(), |booking| (booking.start, booking.end) = (start, end));
        assert_well(&world.sync().await);
        assert_eq!(words(&world), expected);
        assert_eq!(times(&world.booking_events()[0]), Some((start, end)));
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn words_that_were_put_back_are_asked_about_again_when_she_writes_the_same_again() {
    let mut world = renamed(in_memory()).await;
    world.asked_and_answered("renamed", "put_back").await;
    world.sync().await;
    world.vendor_changes_booking_event(|event| event.summary = "Nadia, bring the blue dye".to_owned());
    world.the_question("renamed").await;
    assert_eq!(words(&world), "Nadia, bring the blue dye", "the answer was for the first time");
}

/// A copy of the event, at hour 40.
async fn copied(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    put_copy(&world, 40);
    world
}

fn put_copy(world: &World, hours: i64) {
    let target = world.target();
    let mut copy = world.booking_events().remove(0);
    copy.id = RemoteId("copyofit".to_owned());
    copy.event.start = When::Utc(world.at(hours));
    copy.event.end = End::At(When::Utc(world.at(hours + 1)));
    world.services.state().put(&target, copy);
}

#[tokio::test]
async fn an_answer_about_her_words_is_carried_out_in_the_run_that_puts_their_event_back() {
    let mut world = renamed(in_memory()).await;
    let words = world.the_question("renamed").await;
    let (start, end) = (world.at(50), world.at(51));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    world.vendor_decides(&words.id, "put_back").expect("an answer");
    world.asked_and_answered("moved", "put_back").await;
    world.sync().await;
    let event = world.booking_events().remove(0);
    assert_eq!(times(&event), Some((world.at(20), world.at(21))));
    assert_eq!(event.event.summary, "Booking: Haircut");
    world.assert_settled().await;
}

#[tokio::test]
async fn a_copy_blocks_until_she_lets_its_time_be_booked_and_is_never_touched() {
    let mut world = copied(in_memory()).await;
    let card = world.the_question("duplicated").await;
    assert_eq!(card.options, ["leave", "unblock"]);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
    world.assert_settled().await;
    world.vendor_decides(&card.id, "unblock").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(world.published_busy(), []);
    assert_eq!(world.booking_events().len(), 2, "the copy is hers");
    world.assert_settled().await;
    put_copy(&world, 44);
    world.the_question("duplicated").await;
    assert_eq!(world.published_busy(), [(world.at(44), world.at(45))], "another time is another question");
}

#[tokio::test]
async fn a_copy_that_is_an_appointment_of_hers_stays_blocked_and_is_not_asked_about_again() {
    let mut world = copied(in_memory()).await;
    world.asked_and_answered("duplicated", "leave").await;
    assert_well(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
    world.assert_settled().await;
}

/// A dentist from hour 20 to 22, over the booking.
async fn overlapped(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    world.vendor_adds("Dentist", 20, 2);
    world
}

#[tokio::test]
async fn an_event_of_hers_over_a_booking_is_asked_about_once_however_many_there_are() {
    let mut world = overlapped(in_memory()).await;
    let card = world.the_question("overlap").await;
    assert_eq!(card.options, ["leave", "cancel"]);
    assert_eq!(
        card.summary,
        "Dentist, Mon 23 Nov, 08:00–10:00, lies over Haircut for Nadia Roy, Mon 23 Nov, 08:00–09:00."
    );
    assert_eq!(
        card.outcomes,
        ["Keep both.", "Cancel the appointment of Nadia Roy at Mon 23 Nov, 08:00, and tell them."]
    );
    for n in 0..3 {
        world.vendor_adds(&format!("another {n}"), 20, 1);
    }
    let more = world.the_question("overlap").await;
    assert_ne!(more.id, card.id, "what changed is another question");
    assert!(more.summary.contains("and 2 more lie over"), "{}", more.summary);
    assert_eq!(booking(&world).status, BookingStatus::Confirmed);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_overlap_is_kept_or_the_appointment_cancelled_as_she_says() {
    for (option, status) in [("leave", BookingStatus::Confirmed), ("cancel", BookingStatus::Cancelled)] {
        let mut world = overlapped(in_memory()).await;
        world.asked_and_answered("overlap", option).await;
        assert_well(&world.sync().await);
        assert_eq!(booking(&world).status, status);
        assert_eq!(world.booking_events().len(), usize::from(option == "leave"));
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn a_cancellation_for_an_event_that_is_gone_meanwhile_or_cannot_be_looked_at_is_not_carried_out() {
    let mut world = overlapped(in_memory()).await;
    world.asked_and_answered("overlap", "cancel").await;
    // The bookings, her calendar, and ours: only hers fails.
    let personal =
        world.mirror.world().expect("a world").calendars.into_values().find(|c| c.role == Role::Busy);
    let first = world.mirror.world().expect("a world").calendars.into_values().next();
    let pass = if first.map(|c| c.id) == personal.map(|c| c.id) { 1 } else { 2 };
    world.fail_from(pass, 3, Fault::Unreachable);
    world.sync().await;
    assert_eq!(booking(&world).status, BookingStatus::Confirmed);
    world.heal();
    world.vendor_deletes(&"personal".into(), &"Dentist".into());
    assert_well(&world.sync().await);
    assert_eq!(booking(&world).status, BookingStatus::Confirmed);
    world.assert_settled().await;
}

#[tokio::test]
async fn where_she_moved_a_booking_to_herself_nothing_is_asked_again() {
    let mut world = booked(in_memory()).await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    world.asked_and_answered("moved", "move").await;
    assert_well(&world.sync().await);
    assert_well(&world.sync().await);
}

#[tokio::test]
async fn what_ends_where_a_booking_starts_or_shows_her_as_free_lies_over_nothing() {
    let world = booked(in_memory()).await;
    world.vendor_adds("before", 19, 1);
    world.vendor_adds("after", 21, 1);
    let mut free = tests::service::event("free", world.at(20), world.at(21));
    free.event.transparency = calendar::event::Transparency::Transparent;
    world.services.state().put(&"personal".into(), free);
    let mut world = world;
    assert_well(&world.sync().await);
}

/// The calendar that bookings go to is deleted, with everything in it.
async fn target_gone(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    let target = world.target();
    world.services.state().calendars.remove(&target);
    world
}

#[tokio::test]
async fn a_calendar_that_is_gone_is_asked_about_and_nothing_is_made_or_concluded_meanwhile() {
    let mut world = target_gone(in_memory()).await;
    world.customer_books("new", 30);
    let card = world.the_question("target_gone").await;
    assert_eq!(card.options, ["create", "leave"]);
    assert_eq!(card.outcomes, ["Make a new calendar for 2 appointments.", "Wait; it may come back."]);
    let report = world.sync().await;
    assert_eq!((report.decisions.len(), report.bookings.created), (1, 0), "{report:#?}");
    assert_eq!(report.decisions[0].id, card.id);
    assert_eq!(world.booking_events().len(), 0);
    assert_eq!(booking(&world).status, BookingStatus::Confirmed);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_reached_is_not_taken_for_gone() {
    let mut world = booked(in_memory()).await;
    world.fail_from(0, 100, Fault::Unreachable);
    let report = world.sync().await;
    assert!(!report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
}

#[tokio::test]
async fn a_new_calendar_is_made_on_her_word_and_every_booking_gets_its_event_there_once() {
    let mut world = target_gone(in_memory()).await;
    world.customer_books("new", 30);
    world.asked_and_answered("target_gone", "create").await;
    let report = world.sync().await;
    assert_well(&report);
    assert_eq!(report.bookings.created, 2);
    assert_eq!(world.booking_events().len(), 2);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_calendar_that_comes_back_while_she_waits_goes_on_as_it_was() {
    let mut world = booked(in_memory()).await;
    let target = world.target();
    let kept = world.services.state().calendars.remove(&target).expect("the calendar");
    world.asked_and_answered("target_gone", "leave").await;
    assert!(world.sync().await.decisions.is_empty(), "she waits");
    world.services.state().calendars.insert(target, kept);
    assert_well(&world.sync().await);
    world.assert_settled().await;
}

/// She signs in with another account of the same service.
async fn another_account(mirror: Box<dyn Mirror>) -> (World, Services) {
    let mut world = booked(mirror).await;
    let other = Services::default();
    let id = ConnectionId::of(Service::Google, "b@example.com");
    let connection = Connection {
        id: id.clone(),
        service: Service::Google,
        account: "b@example.com".to_owned(),
        state: ConnectionState::Connected,
        created_at: world.at(1),
        error: None,
        backoff_until: None,
        error_count: 0,
    };
    world.mirror.put_connection(&connection).expect("a connection");
    world.accounts.insert(id, Box::new(other.clone()) as Box<dyn Account>);
    (world, other)
}

fn events_of(services: &Services) -> usize {
    let calendars: Vec<_> = services.state().calendars.keys().cloned().collect();
    calendars.iter().map(|calendar| services.state().live(calendar).len()).sum()
}

#[tokio::test]
async fn another_account_takes_the_bookings_only_on_her_word() {
    for option in ["leave", "switch"] {
        let (mut world, other) = another_account(in_memory()).await;
        let card = world.the_question("account_changed").await;
        assert_eq!(card.options, ["switch", "leave"]);
        assert_eq!(
            card.outcomes,
            [
                "Use b@example.com from now on: 1 appointment gets an event there; 1 event stays in the calendar of \
                 amelie@example.com.",
                "Keep amelie@example.com.",
            ]
        );
        assert_eq!(events_of(&other), 0, "silence changes nothing");
        world.vendor_decides(&card.id, option).expect("an answer");
        assert_well(&world.sync().await);
        assert_eq!(events_of(&other), usize::from(option == "switch"));
        assert_eq!(world.booking_events().len(), 1, "what stands in the first one stays");
        assert_eq!(world.published_busy(), [], "and is still known to be a booking's");
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn an_account_that_she_is_leaving_takes_no_bookings_over() {
    let (mut world, _) = another_account(in_memory()).await;
    world.the_question("account_changed").await;
    let known = world.mirror.world().expect("a world");
    for connection in known.connections.values() {
        let leaving = Connection { state: ConnectionState::Leaving, ..connection.clone() };
        world.mirror.put_connection(&leaving).expect("a connection");
        let after = world.mirror.world().expect("a world");
        let cards = sync::plan::plan(&after, world.at(2), &world.policy).cards;
        assert_eq!(cards, [], "{}", connection.account);
        world.mirror.put_connection(connection).expect("a connection");
    }
}

#[tokio::test]
async fn where_she_moved_the_event_of_a_booking_that_was_cancelled_stays_blocked() {
    let mut world = booked(in_memory()).await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    world.platform_changes(&id(), |booking| booking.status = BookingStatus::Cancelled);
    let card = world.the_question("moved_cancelled").await;
    assert_eq!(world.published_busy(), [(start, end)]);
    world.vendor_decides(&card.id, "leave").expect("an answer");
    assert_well(&world.sync().await);
    assert_eq!(world.published_busy(), [(start, end)], "it is hers now");
    world.assert_settled().await;
}

#[tokio::test]
async fn what_she_decided_about_a_booking_is_not_done_to_one_that_its_customer_changed_meanwhile() {
    for (kind, option) in [("overlap", "cancel"), ("resized", "move")] {
        let mut world =
            if kind == "overlap" { overlapped(in_memory()).await } else { resized(in_memory()).await };
        world.asked_and_answered(kind, option).await;
        let (start, end) = (world.at(40), world.at(41));
        world.before_next("read", move |state| {
            state.clock += 1;
            let (changed, booking) = state.bookings.get_mut(&id()).expect("a booking");
            (booking.start, booking.end) = (start, end);
            *changed = state.clock;
        });
        world.sync().await;
        let booking = booking(&world);
        assert_eq!((booking.start, booking.end), (start, end), "{kind}");
        assert_eq!(booking.status, BookingStatus::Confirmed, "{kind}");
    }
}

#[tokio::test]
async fn a_dry_run_shows_the_new_calendar_and_makes_nothing() {
    let mut world = target_gone(in_memory()).await;
    world.asked_and_answered("target_gone", "create").await;
    let report = world.try_sync(Direction::Bidirectional, true).await.expect("a report");
    assert_eq!(report.bookings.created, 1, "{report:#?}");
    assert_eq!(world.services.state().calendars.len(), 1);
    assert_eq!(world.booking_events().len(), 0);
}

/// A second event that proves to be the booking's, at hour 30.
async fn claimed_twice(mirror: Box<dyn Mirror>) -> World {
    let world = booked(mirror).await;
    let (target, mut second) = (world.target(), world.booking_events().remove(0));
    second.id = event_id(&id(), &target, 1);
    second.marker = Some(Marker { booking: id(), generation: 1 });
    second.event.start = When::Utc(world.at(30));
    second.event.end = End::At(When::Utc(world.at(31)));
    world.services.state().put(&target, second);
    world
}

/// Every answer there is, given and not yet carried out: the world, and what must hold once it is.
async fn answered(case: &str, mirror: Box<dyn Mirror>) -> World {
    let (kind, option) = case.split_once('=').expect("a case");
    let mut world = match case {
        "resized=move" | "resized=put_back" => resized(mirror).await,
        "renamed=put_back" => renamed(mirror).await,
        "duplicated=unblock" => copied(mirror).await,
        "duplicated=remove" => claimed_twice(mirror).await,
        "overlap=cancel" => overlapped(mirror).await,
        "target_gone=create" => target_gone(mirror).await,
        _ => another_account(mirror).await.0,
    };
    world.asked_and_answered(kind, option).await;
    world
}

const CASES: [&str; 8] = [
    "resized=move",
    "resized=put_back",
    "renamed=put_back",
    "duplicated=unblock",
    "duplicated=remove",
    "overlap=cancel",
    "target_gone=create",
    "account_changed=switch",
];

fn assert_done(case: &str, world: &World, when: &str) {
    let booking = booking(world);
    let end = if case == "resized=move" { 22 } else { 21 };
    assert_eq!((booking.start, booking.end), (world.at(20), world.at(end)), "{case} {when}");
    let cancelled = case == "overlap=cancel";
    assert_eq!(booking.status == BookingStatus::Cancelled, cancelled, "{case} {when}");
    let mut there: BTreeMap<RemoteId, _> =
        world.booking_events().into_iter().map(|event| (event.id.clone(), event)).collect();
    if case == "duplicated=unblock" {
        assert!(there.remove(&RemoteId("copyofit".to_owned())).is_some(), "{case} {when}: never touched");
        assert_eq!(world.published_busy(), [], "{case} {when}");
    }
    let there: Vec<_> = there.into_values().collect();
    assert_eq!(there.len(), usize::from(!cancelled), "{case} {when}");
    if let Some(event) = there.first() {
        assert_eq!(times(event), Some((world.at(20), world.at(end))), "{case} {when}");
        assert_eq!(event.event.summary, "Booking: Haircut", "{case} {when}");
    }
    let done = usize::from(cancelled || case == "resized=move");
    assert_eq!(world.services.state().done.len(), done, "{case} {when}: once");
}

#[tokio::test]
async fn every_answer_survives_a_kill_at_any_write_to_the_mirror() {
    for case in CASES {
        for moment in [Moment::Before, Moment::After] {
            for fatal in 1.. {
                let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
                let dying = DyingMirror::new(inside.clone(), usize::MAX, moment);
                let mut world = answered(case, Box::new(dying)).await;
                world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
                let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
                world.mirror = Box::new(DyingMirror::new(inside, usize::MAX, moment));
                let when = format!("write {fatal} {moment:?}");
                let report = world.sync().await;
                assert!(
                    report.errors.is_empty() && report.decisions.is_empty(),
                    "{case} {when}: {report:#?}"
                );
                assert_done(case, &world, &when);
                world.assert_settled().await;
                if !died {
                    assert!(fatal > 4, "{case} is too small to mean anything: {fatal} writes");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn every_answer_survives_the_loss_of_any_request_or_reply() {
    for case in CASES {
        for fault in [Fault::Unreachable, Fault::ReplyLost] {
            for pass in 0.. {
                let mut world = answered(case, in_memory()).await;
                world.services.state().requests.clear();
                // As often as it is tried, so that the run gives up.
                world.fail_from(pass, 3, fault);
                world.sync().await;
                let asked = world.services.state().requests.len();
                world.heal();
                let when = format!("request {pass} {fault:?}");
                let report = world.sync().await;
                assert!(
                    report.errors.is_empty() && report.decisions.is_empty(),
                    "{case} {when}: {report:#?}"
                );
                assert_done(case, &world, &when);
                world.assert_settled().await;
                if asked <= pass {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn one_booking_may_be_asked_about_twice_and_one_answer_leaves_the_other_question() {
    let mut world = overlapped(in_memory()).await;
    let (start, end) = (world.at(25), world.at(26));
    world.vendor_changes_booking_event(|event| {
        (event.start, event.end) = (When::Utc(start), End::At(When::Utc(end)));
    });
    let report = world.sync().await;
    assert_eq!(report.decisions.len(), 2, "{report:#?}");
    let overlap = world.the_question("overlap").await;
    world.vendor_decides(&overlap.id, "leave").expect("an answer");
    let moved = world.the_question("moved").await;
    world.vendor_decides(&moved.id, "leave").expect("an answer");
    assert_well(&world.sync().await);
    world.assert_settled().await;
}
