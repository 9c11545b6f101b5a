//! Calendar files come in: what is new in them, what blocks, what becomes bookable, and what she is asked.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mirror::Sqlite;
use sync::booking::BookingStatus;
use sync::decisions::{Decided, answer};
use sync::ids::RunId;
use sync::import::{
    ConflictKind, Counts, Given, Holdings, ImportedSlot, OnConflict, Own, Resolution, SlotState, Taken,
};
use sync::lease::TERM;
use sync::plan::plan;
use sync::ports::{Clock, Mirror};
use sync::report::{DecisionReport, Report};
use sync::world::{Direction, Operation, Role};
use tests::crash::{DyingMirror, Moment};
use tests::service::Fault;
use tests::world::{NOON, World};

fn new_world() -> World {
    World::new(Box::new(Sqlite::in_memory().expect("a mirror")))
}

/// A VEVENT from `from` to `to`, in hours after noon, with whatever else it says.
fn event(uid: &str, from: i64, to: i64, more: &str) -> String {
    let at = |hours: i64| {
        let noon: Timestamp = NOON.parse().expect("a time");
        noon.saturating_add(SignedDuration::from_hours(hours))
            .expect("a time")
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string()
    };
    let uid = if uid.is_empty() { String::new() } else { format!("UID:{uid}\n") };
    format!(
        "BEGIN:VEVENT\n{uid}DTSTART:{}\nDTEND:{}\nSUMMARY:{}\n{more}\nEND:VEVENT\n",
        at(from),
        at(to),
        "Something"
    )
}

fn free(uid: &str, from: i64, to: i64) -> String {
    event(uid, from, to, "TRANSP:TRANSPARENT")
}

fn file(method: &str, events: &[String]) -> String {
    let method = if method.is_empty() { String::new() } else { format!("METHOD:{method}\n") };
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Elsewhere//EN\n{method}{}END:VCALENDAR\n",
        events.concat()
    )
}

fn plain(events: &[String]) -> String {
    file("", events)
}

#[track_caller]
fn counts(counts: Counts, [new, updated, unchanged, skipped, cancelled]: [usize; 5]) {
    assert_eq!(counts, Counts { new, updated, unchanged, skipped, cancelled });
}

fn rows(world: &World) -> Vec<ImportedSlot> {
    world.mirror.world().expect("a world").imported_slots.into_values().collect()
}

fn only_row(world: &World) -> ImportedSlot {
    let mut rows = rows(world);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows.remove(0)
}

#[track_caller]
fn fine(report: &Report) {
    assert!(report.errors.is_empty(), "{report:#?}");
}

/// Answers a question as `companion decide` does.
fn decide(world: &World, card: &DecisionReport, option: &str) {
    let known = world.mirror.world().expect("a world");
    let now = world.clock.now();
    let cards = plan(&known, now, &world.policy).cards;
    let decided = answer(&known, &cards, now, &card.id, option).expect("an answer");
    let Decided::Import { calendar, intake } = decided else { panic!("{decided:?}") };
    world.mirror.take_import(&calendar, &intake).expect("an import");
}

#[tokio::test]
async fn busy_events_block_free_ones_become_slots_and_the_same_file_again_changes_nothing() {
    let mut world = new_world();
    let text = plain(&[event("meeting", 20, 21, ""), free("open", 30, 32)]);
    counts(world.vendor_imports(&text, None).counts, [2, 0, 0, 0, 0]);
    let report = world.sync().await;
    fine(&report);
    assert_eq!((report.slots.created, report.slots.standing), (1, 1));
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21))]);
    assert_eq!(world.slots(), [(30, 32, true)]);
    world.assert_settled().await;

    let again = world.vendor_imports(&text, None);
    counts(again.counts, [0, 0, 2, 0, 0]);
    assert!(again.intake.is_empty(), "{again:#?}");
    world.assert_settled().await;
    assert_eq!(world.slots(), [(30, 32, true)]);
}

#[tokio::test]
async fn a_dry_run_counts_the_slots_that_it_would_make_and_take_back() {
    let mut world = new_world();
    let three = plain(&[free("a", 20, 21), free("b", 30, 32), free("c", 40, 41)]);
    world.vendor_imports(&three, None);
    let dry = world.try_sync(Direction::Bidirectional, true).await.expect("a plan");
    assert_eq!((dry.slots.created, dry.slots.removed), (3, 0));
    assert_eq!(world.slots(), []);
    assert_eq!(world.sync().await.slots.created, 3);

    let cancelled = file("CANCEL", &[free("a", 20, 21), free("c", 40, 41)]);
    world.vendor_imports(&cancelled, None);
    let dry = world.try_sync(Direction::Bidirectional, true).await.expect("a plan");
    assert_eq!((dry.slots.created, dry.slots.removed), (0, 2));
    assert_eq!(world.sync().await.slots.removed, 2);
    assert_eq!(world.slots(), [(30, 32, true)]);
}

#[tokio::test]
async fn a_dry_run_counts_the_slots_that_would_give_way() {
    let mut world = new_world();
    world.vendor_opens("hers", 21, 2);
    world.vendor_imports(&plain(&[free("f", 20, 22)]), Some(OnConflict::Replace));
    let dry = world.try_sync(Direction::Bidirectional, true).await.expect("a plan");
    assert_eq!((dry.slots.created, dry.slots.removed), (1, 1));
    assert_eq!(world.slots(), [(21, 23, true)]);
    let report = world.sync().await;
    assert_eq!((report.slots.created, report.slots.removed), (1, 1));
    assert_eq!(world.slots(), [(20, 22, true)]);
}

#[tokio::test]
async fn a_free_time_that_is_past_is_forgotten_and_not_by_a_dry_run() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21)]), None);
    fine(&world.sync().await);
    world.clock.advance(SignedDuration::from_hours(22));
    world.try_sync(Direction::Bidirectional, true).await.expect("a plan");
    assert_eq!(rows(&world).len(), 1);
    fine(&world.sync().await);
    assert_eq!(rows(&world), []);
}

#[tokio::test]
async fn a_newer_version_updates_and_an_older_one_that_comes_late_is_ignored() {
    let mut world = new_world();
    let version = |hours: i64, more: &str| plain(&[event("m", hours, hours + 1, more)]);
    counts(world.vendor_imports(&version(20, "SEQUENCE:1"), None).counts, [1, 0, 0, 0, 0]);
    counts(world.vendor_imports(&version(25, "SEQUENCE:2"), None).counts, [0, 1, 0, 0, 0]);
    counts(world.vendor_imports(&version(20, "SEQUENCE:1"), None).counts, [0, 0, 0, 1, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(25), world.at(26))]);

    // The same words under a newer stamp are nothing new, but what lies between is older then.
    let stamped = |hours: i64, stamp: &str| version(hours, &format!("SEQUENCE:2\nDTSTAMP:{stamp}"));
    counts(world.vendor_imports(&stamped(25, "20261120T000000Z"), None).counts, [0, 0, 1, 0, 0]);
    counts(world.vendor_imports(&stamped(25, "20261122T000000Z"), None).counts, [0, 0, 1, 0, 0]);
    counts(world.vendor_imports(&stamped(40, "20261121T000000Z"), None).counts, [0, 0, 0, 1, 0]);
    counts(world.vendor_imports(&stamped(40, "20261123T000000Z"), None).counts, [0, 1, 0, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
}

#[tokio::test]
async fn a_cancellation_frees_the_time_and_an_older_request_after_it_does_not_bring_it_back() {
    let mut world = new_world();
    let text = plain(&[event("m", 20, 21, "SEQUENCE:1"), event("other", 30, 31, "")]);
    world.vendor_imports(&text, None);
    fine(&world.sync().await);
    let cancel = file("CANCEL", &[event("m", 20, 21, "SEQUENCE:2")]);
    counts(world.vendor_imports(&cancel, None).counts, [0, 0, 0, 0, 1]);
    counts(world.vendor_imports(&cancel, None).counts, [0, 0, 1, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
    counts(world.vendor_imports(&text, None).counts, [0, 0, 1, 1, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
    // A newer version stands again.
    let again = plain(&[event("m", 20, 21, "SEQUENCE:3")]);
    counts(world.vendor_imports(&again, None).counts, [0, 1, 0, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21)), (world.at(30), world.at(31))]);
}

#[tokio::test]
async fn a_cancellation_that_comes_first_is_remembered() {
    let mut world = new_world();
    let cancel = file("CANCEL", &[event("m", 20, 21, "SEQUENCE:5")]);
    counts(world.vendor_imports(&cancel, None).counts, [0, 0, 0, 1, 0]);
    counts(world.vendor_imports(&cancel, None).counts, [0, 0, 1, 0, 0]);
    counts(world.vendor_imports(&plain(&[event("m", 20, 21, "SEQUENCE:4")]), None).counts, [0, 0, 0, 1, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), []);
}

#[tokio::test]
async fn cancelling_one_instance_leaves_the_others_and_cancelling_the_series_takes_all() {
    let mut world = new_world();
    let daily = event("s", 20, 21, "RRULE:FREQ=DAILY;COUNT=3\nSEQUENCE:1");
    let moved = event("s", 70, 71, "RECURRENCE-ID:20261125T130000Z\nSEQUENCE:1");
    counts(world.vendor_imports(&plain(&[daily, moved]), None).counts, [2, 0, 0, 0, 0]);
    fine(&world.sync().await);
    let days: Vec<_> = (0..3).map(|n| (world.at(20 + n * 24), world.at(21 + n * 24))).collect();
    assert_eq!(world.published_busy(), [days[0], days[1], (world.at(70), world.at(71))]);

    let one = event("s", 44, 45, "RECURRENCE-ID:20261124T130000Z\nSEQUENCE:2");
    counts(world.vendor_imports(&file("CANCEL", &[one]), None).counts, [0, 0, 0, 0, 1]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [days[0], (world.at(70), world.at(71))]);

    let all = event("s", 20, 21, "SEQUENCE:3");
    counts(world.vendor_imports(&file("CANCEL", &[all]), None).counts, [0, 0, 0, 0, 1]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn an_invitation_holds_its_time_and_asks_and_her_answer_counts_for_these_times_only() {
    let mut world = new_world();
    let guest = "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:amelie@example.com\nORGANIZER:mailto:boss@example.com";
    let request = |hours: i64, sequence: u32| {
        file("REQUEST", &[event("i", hours, hours + 1, &format!("SEQUENCE:{sequence}\n{guest}"))])
    };
    counts(world.vendor_imports(&request(20, 0), None).counts, [1, 0, 0, 0, 0]);
    let report = world.sync().await;
    fine(&report);
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21))]);
    let [card] = report.decisions.as_slice() else { panic!("{report:#?}") };
    assert_eq!((card.kind.as_str(), card.options.join(" ").as_str()), ("invitation", "accept decline"));
    counts(world.vendor_imports(&request(20, 0), None).counts, [0, 0, 1, 0, 0]);
    assert_eq!(world.sync().await.decisions, std::slice::from_ref(card), "asking twice is one question");

    decide(&world, card, "decline");
    let report = world.sync().await;
    assert_eq!((world.published_busy(), report.decisions.len()), (Vec::new(), 0));
    counts(world.vendor_imports(&request(20, 1), None).counts, [0, 0, 1, 0, 0]);
    assert_eq!(world.sync().await.decisions, [], "a new version with the same times needs no new answer");

    counts(world.vendor_imports(&request(40, 2), None).counts, [0, 1, 0, 0, 0]);
    let report = world.sync().await;
    let [again] = report.decisions.as_slice() else { panic!("{report:#?}") };
    assert_ne!(again.id, card.id);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
    decide(&world, again, "accept");
    assert_eq!(world.sync().await.decisions, []);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
    let known = world.mirror.world().expect("a world");
    assert!(known.invitations.values().all(|invitation| invitation.answer == Given::Accepted));
    world.assert_settled().await;
}

#[tokio::test]
async fn what_she_answered_already_or_organises_herself_is_not_asked() {
    let mut world = new_world();
    let answered = |uid: &str, hours: i64, answer: &str| {
        event(uid, hours, hours + 1, &format!("ATTENDEE;PARTSTAT={answer}:mailto:amelie@example.com"))
    };
    let own = "ORGANIZER:mailto:Amelie@example.com\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:guest@example.com";
    let text = file(
        "REQUEST",
        &[answered("yes", 20, "ACCEPTED"), answered("no", 25, "DECLINED"), event("own", 30, 31, own)],
    );
    counts(world.vendor_imports(&text, None).counts, [3, 0, 0, 0, 0]);
    let report = world.sync().await;
    assert_eq!(report.decisions, []);
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21)), (world.at(30), world.at(31))]);
}

#[tokio::test]
async fn an_invitation_that_is_free_or_taken_back_asks_nothing_and_is_no_slot() {
    let mut world = new_world();
    world.vendor_imports(&file("REQUEST", &[free("fyi", 20, 21), event("i", 30, 31, "SEQUENCE:1")]), None);
    assert_eq!(world.sync().await.decisions.len(), 1);
    assert_eq!(world.slots(), []);
    world.vendor_imports(&file("CANCEL", &[event("i", 30, 31, "SEQUENCE:2")]), None);
    assert_eq!(world.sync().await.decisions, []);
    assert_eq!(world.published_busy(), []);
}

#[tokio::test]
async fn an_invitation_to_yesterday_is_asked_no_more() {
    let mut world = new_world();
    world.vendor_imports(&file("REQUEST", &[event("i", 20, 21, "")]), None);
    assert_eq!(world.sync().await.decisions.len(), 1);
    world.clock.advance(SignedDuration::from_hours(22));
    assert_eq!(world.sync().await.decisions, []);
}

#[tokio::test]
async fn replies_and_counter_proposals_carry_no_time_even_beside_a_calendar_that_does() {
    let mut world = new_world();
    for method in ["REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH"] {
        let text = file(method, &[event(method, 20, 21, ""), free("free", 30, 31)]);
        counts(world.vendor_imports(&text, None).counts, [0, 0, 0, 2, 0]);
    }
    let both = plain(&[event("m", 40, 41, "")]) + &file("REPLY", &[event("r", 50, 51, "")]);
    counts(world.vendor_imports(&both, None).counts, [1, 0, 0, 1, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
    assert_eq!(world.slots(), []);
}

#[tokio::test]
async fn what_is_over_and_what_bookiji_wrote_itself_is_left_out() {
    let mut world = new_world();
    world.customer_books("0b6f7d1e-4a51-4f0e-9a53-0f6f5b1f2a11", 20);
    fine(&world.sync().await);
    let text = plain(&[
        event("past", -5, -4, ""),
        event("old series", -500, -499, "RRULE:FREQ=DAILY;COUNT=5"),
        event("series", -500, -499, "RRULE:FREQ=DAILY;COUNT=100"),
        event("0b6f7d1e-4a51-4f0e-9a53-0f6f5b1f2a11", 20, 21, ""),
        event("0b6f7d1e-4a51-4f0e-9a53-0f6f5b1f2a11@bookiji.com", 20, 21, ""),
        event("bookiji-c5c3f956c64f2c4c5c058107@bookiji.app", 20, 21, ""),
        event("11111111-2222-4333-8444-555555555555", 30, 31, ""),
    ]);
    let taken = world.vendor_imports(&text, None);
    counts(taken.counts, [2, 0, 0, 5, 0]);
    fine(&world.sync().await);
    assert!(!world.published_busy().contains(&(world.at(20), world.at(21))));
    assert!(world.published_busy().contains(&(world.at(30), world.at(31))), "an id of another program's");
}

#[tokio::test]
async fn events_without_a_uid_are_known_by_what_they_say() {
    let mut world = new_world();
    let text = plain(&[event("", 20, 21, ""), event("", 30, 31, ""), event("", 20, 21, "")]);
    counts(world.vendor_imports(&text, None).counts, [2, 0, 1, 0, 0]);
    counts(world.vendor_imports(&text, None).counts, [0, 0, 3, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy().len(), 2);
}

#[tokio::test]
async fn two_events_under_one_uid_both_block() {
    let mut world = new_world();
    let text = plain(&[event("1", 20, 21, ""), event("1", 30, 31, "")]);
    counts(world.vendor_imports(&text, None).counts, [2, 0, 0, 0, 0]);
    counts(world.vendor_imports(&text, None).counts, [0, 0, 2, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(20), world.at(21)), (world.at(30), world.at(31))]);
    counts(world.vendor_imports(&plain(&[event("1", 40, 41, "SEQUENCE:1")]), None).counts, [0, 1, 0, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(40), world.at(41))]);
}

#[tokio::test]
async fn a_newer_free_busy_list_replaces_the_former_one() {
    let mut world = new_world();
    let list = |stamp: &str, periods: &str| {
        format!(
            "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nUID:fb\nDTSTAMP:{stamp}\nFREEBUSY:{periods}\n\
             FREEBUSY;FBTYPE=FREE:20261126T120000Z/PT1H\nEND:VFREEBUSY\nEND:VCALENDAR\n"
        )
    };
    let first = list("20261120T000000Z", "20261123T130000Z/PT1H,20261124T130000Z/PT1H");
    counts(world.vendor_imports(&first, None).counts, [3, 0, 0, 0, 0]);
    counts(world.vendor_imports(&format!("\n{first}"), None).counts, [0, 0, 3, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy().len(), 2);
    counts(
        world.vendor_imports(&list("20261121T000000Z", "20261123T140000Z/PT1H"), None).counts,
        [0, 2, 0, 0, 0],
    );
    counts(world.vendor_imports(&first, None).counts, [0, 0, 0, 3, 0]);
    fine(&world.sync().await);
    assert_eq!(world.published_busy(), [(world.at(21), world.at(22))]);
    assert_eq!(world.slots(), [], "a free period is no offer");
}

#[tokio::test]
async fn a_free_event_that_moves_moves_its_slot_and_one_that_is_cancelled_takes_it_along() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21)]), None);
    fine(&world.sync().await);
    world.vendor_imports(&plain(&[event("f", 20, 22, "TRANSP:TRANSPARENT\nSEQUENCE:1")]), None);
    let report = world.sync().await;
    fine(&report);
    assert_eq!((report.slots.created, report.slots.removed), (1, 1));
    assert_eq!(world.slots(), [(20, 22, true)]);
    world.assert_settled().await;
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 22, "SEQUENCE:2")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), []);
    assert_eq!(rows(&world), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_that_was_booked_is_the_customers_until_she_cancels() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21)]), None);
    fine(&world.sync().await);
    world.customer_books("b", 20);
    world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 21, "SEQUENCE:2")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, false)]);
    world.assert_settled().await;
    world.platform_changes(&"b".into(), |booking| booking.status = BookingStatus::Cancelled);
    world.services.state().slots.values_mut().for_each(|slot| slot.open = true);
    fine(&world.sync().await);
    assert_eq!(world.slots(), []);
    assert_eq!(rows(&world), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_that_is_booked_while_it_is_taken_back_stays_and_nothing_is_made_over_it() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    fine(&world.sync().await);
    world.vendor_imports(&plain(&[event("f", 21, 23, "TRANSP:TRANSPARENT\nSEQUENCE:1")]), None);
    world.before_next("remove_slot", |state| state.slots.values_mut().for_each(|slot| slot.open = false));
    world.customer_books("b", 20);
    world.platform_changes(&"b".into(), |_| {});
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, false)]);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, false)], "the booked slot lies over it");
}

#[tokio::test]
async fn free_time_over_a_booking_is_never_bookable_and_merging_takes_the_rest() {
    for (choice, slots) in [
        (None, vec![(20, 21, false)]),
        (Some(OnConflict::Replace), vec![(20, 21, false)]),
        (Some(OnConflict::Skip), vec![(20, 21, false)]),
        (Some(OnConflict::Merge), vec![(19, 20, true), (20, 21, false), (21, 22, true)]),
    ] {
        let mut world = new_world();
        world.customer_books("b", 20);
        world.vendor_opens("booked", 20, 1);
        world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
        world.vendor_imports(&plain(&[free("f", 19, 22)]), choice);
        let report = world.sync().await;
        fine(&report);
        assert_eq!(world.slots(), slots, "{choice:?}");
        assert_eq!(report.decisions, [], "there is nothing to decide");
        let row = only_row(&world);
        assert_eq!(row.conflicts.len(), 1, "{row:#?}");
        assert_eq!(row.conflicts[0].kind, ConflictKind::Booking);
        assert_eq!(row.conflicts[0].with.id.as_deref(), Some("b"));
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn an_open_slot_in_the_way_is_asked_about_and_each_choice_does_what_it_says() {
    for (option, slots) in [
        ("replace", vec![(20, 23, true)]),
        ("merge", vec![(20, 21, true), (21, 22, true), (22, 23, true)]),
        ("skip", vec![(21, 22, true)]),
    ] {
        let mut world = new_world();
        world.vendor_opens("hers", 21, 1);
        world.vendor_imports(&plain(&[free("f", 20, 23)]), None);
        let report = world.sync().await;
        fine(&report);
        assert_eq!(world.slots(), [(21, 22, true)], "nothing happens before she chooses");
        assert_eq!(only_row(&world).state, SlotState::Waiting);
        let [card] = report.decisions.as_slice() else { panic!("{report:#?}") };
        assert_eq!(
            (card.kind.as_str(), card.options.join(" ").as_str()),
            ("import_conflict", "replace merge skip")
        );
        assert!(card.summary.contains("meets a slot of yours"), "{card:?}");
        world.assert_settled().await;

        decide(&world, card, option);
        let report = world.sync().await;
        fine(&report);
        assert_eq!(report.decisions, []);
        assert_eq!(world.slots(), slots, "{option}");
        let known = world.mirror.world().expect("a world");
        assert!(answer(&known, &[], world.clock.now(), &card.id, option).is_err(), "once is enough");
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn the_same_file_again_with_a_choice_acts_on_what_waits() {
    let mut world = new_world();
    world.vendor_opens("hers", 21, 1);
    let text = plain(&[free("f", 20, 23)]);
    world.vendor_imports(&text, None);
    assert_eq!(world.sync().await.decisions.len(), 1);
    let again = world.vendor_imports(&text, Some(OnConflict::Merge));
    counts(again.counts, [0, 0, 1, 0, 0]);
    assert_eq!(world.sync().await.decisions, []);
    assert_eq!(world.slots().len(), 3);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_of_exactly_these_times_is_left_as_it_is() {
    let mut world = new_world();
    world.vendor_opens("hers", 20, 2);
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    let report = world.sync().await;
    assert_eq!((report.decisions.len(), report.slots.created), (0, 0));
    assert_eq!(only_row(&world).state, SlotState::Stands);
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 22, "SEQUENCE:1")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, true)], "it was hers before");
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_she_closed_opens_only_for_replace_and_never_where_it_is_the_same() {
    for (choice, from, open) in [
        (None, 20, false),
        (Some(OnConflict::Merge), 20, true),
        (Some(OnConflict::Replace), 20, true),
        (Some(OnConflict::Replace), 21, false),
    ] {
        let mut world = new_world();
        world.vendor_opens("closed", 21, 1);
        world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
        world.vendor_imports(&plain(&[free("f", from, 22)]), choice);
        fine(&world.sync().await);
        assert_eq!(world.slots().iter().any(|slot| slot.2), open, "{choice:?} from {from}");
        assert_eq!(only_row(&world).conflicts[0].kind, ConflictKind::Closed);
        let covers = world.slots().contains(&(20, 22, true));
        assert_eq!(covers, choice == Some(OnConflict::Replace) && from == 20);
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn free_time_under_busy_time_waits_until_that_is_over() {
    let mut world = new_world();
    world.vendor_adds("dentist", 20, 1);
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    let report = world.sync().await;
    assert_eq!((report.decisions.len(), report.slots.blocked), (0, 1));
    assert_eq!(world.slots(), []);
    assert_eq!(only_row(&world).conflicts[0].resolution, Resolution::Later);
    world.assert_settled().await;
    world.vendor_deletes(&"personal".into(), &"dentist".into());
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, true)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn merging_around_busy_time_takes_the_rest_once_it_is_free() {
    let mut world = new_world();
    world.vendor_adds("dentist", 21, 1);
    world.vendor_imports(&plain(&[free("f", 20, 23)]), Some(OnConflict::Merge));
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true), (22, 23, true)]);
    world.assert_settled().await;
    world.vendor_deletes(&"personal".into(), &"dentist".into());
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true), (21, 22, true), (22, 23, true)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn busy_time_that_comes_over_a_made_slot_closes_it_and_its_end_opens_it_again() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    fine(&world.sync().await);
    world.vendor_adds("dentist", 20, 1);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, false)]);
    world.assert_settled().await;
    // While it is closed its event goes: it is taken back when it opens.
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 22, "SEQUENCE:1")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, false)]);
    world.assert_settled().await;
    world.vendor_deletes(&"personal".into(), &"dentist".into());
    fine(&world.sync().await);
    assert_eq!(world.slots(), []);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_she_takes_away_herself_stays_away() {
    let mut world = new_world();
    let text = plain(&[free("f", 20, 22), free("g", 30, 31)]);
    world.vendor_imports(&text, None);
    fine(&world.sync().await);
    world.services.state().slots.retain(|_, slot| slot.span.start() != world.at(20));
    world.vendor_imports(&text, None);
    world.vendor_imports(&plain(&[free("h", 40, 41)]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(30, 31, true), (40, 41, true)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn recurring_free_time_rolls_on_with_the_horizon() {
    let mut world = new_world();
    world.policy.horizon_days = 2;
    world.vendor_imports(&plain(&[event("f", 20, 21, "TRANSP:TRANSPARENT\nRRULE:FREQ=DAILY")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true), (44, 45, true)]);
    world.assert_settled().await;
    world.clock.advance(SignedDuration::from_hours(24));
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true), (44, 45, true), (68, 69, true)]);
    assert_eq!(rows(&world).len(), 2, "what is over is forgotten");
    world.assert_settled().await;
}

#[tokio::test]
async fn free_times_that_overlap_each_other_share_the_time_without_a_question() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("a", 20, 22), free("b", 21, 24), free("c", 20, 22)]), None);
    let report = world.sync().await;
    assert_eq!(report.decisions, []);
    assert_eq!(world.slots(), [(20, 22, true), (22, 24, true)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn free_days_and_free_times_in_an_unknown_zone_are_no_slots() {
    let mut world = new_world();
    let day = "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20261124\nTRANSP:TRANSPARENT\nEND:VEVENT\n".to_owned();
    let lost = "BEGIN:VEVENT\nUID:z\nDTSTART;TZID=Nowhere at all:20261124T100000\nDURATION:PT1H\n\
                TRANSP:TRANSPARENT\nEND:VEVENT\n"
        .to_owned();
    counts(world.vendor_imports(&plain(&[day, lost]), None).counts, [2, 0, 0, 0, 0]);
    fine(&world.sync().await);
    assert_eq!(world.slots(), []);
    assert_eq!(world.published_busy(), []);
}

#[tokio::test]
async fn outlooks_word_for_free_makes_a_slot_and_its_word_for_busy_none() {
    let mut world = new_world();
    let text = plain(&[
        event("free", 20, 21, "X-MICROSOFT-CDO-BUSYSTATUS:FREE"),
        event("busy", 30, 31, "TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY"),
    ]);
    world.vendor_imports(&text, None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true)]);
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
}

#[tokio::test]
async fn unlinking_the_files_takes_back_open_slots_and_busy_time() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21), free("g", 22, 23), event("m", 30, 31, "")]), None);
    fine(&world.sync().await);
    world.customer_books("b", 22);
    world
        .services
        .state()
        .slots
        .values_mut()
        .filter(|s| s.span.start() == world.at(22))
        .for_each(|s| s.open = false);
    world.mirror.remove_connection(&sync::import::connection_id()).expect("a mirror");
    world.accounts.remove(&sync::import::connection_id());
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(22, 23, false)]);
    assert_eq!(world.published_busy(), []);
    world.assert_settled().await;
    world.clock.advance(SignedDuration::from_hours(23));
    fine(&world.sync().await);
    assert_eq!(rows(&world), [], "its time has come");
}

#[tokio::test]
async fn leaving_the_files_alone_for_a_while_loses_none_of_them() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21), event("m", 30, 31, "")]), None);
    fine(&world.sync().await);
    let calendar = world.link_imports();
    let with = |role| sync::world::LinkedCalendar { role, ..calendar.clone() };
    world.mirror.put_calendar(&with(Role::Off)).expect("a mirror");
    fine(&world.sync().await);
    assert_eq!((world.slots(), world.published_busy()), (Vec::new(), Vec::new()));
    world.mirror.put_calendar(&with(Role::Busy)).expect("a mirror");
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true)]);
    assert_eq!(world.published_busy(), [(world.at(30), world.at(31))]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_that_the_platform_refuses_stops_no_other_and_is_tried_again() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 21), free("g", 30, 31)]), None);
    // Somebody is faster than our look.
    let (start, end) = (world.at(20), world.at(22));
    world.before_next("create_slots", move |state| {
        let span = calendar::interval::Interval::new(start, end).expect("a time");
        let slot = sync::ports::Slot { span, id: "faster".into(), open: true };
        state.slots.insert(slot.id.clone(), slot);
    });
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, true), (30, 31, true)]);
    let report = world.sync().await;
    assert_eq!(report.decisions.len(), 1, "the next look sees what is in the way: {report:#?}");
    world.assert_settled().await;
}

#[tokio::test]
async fn of_a_free_time_around_a_slot_the_part_that_could_be_made_is_ours_and_goes_with_it() {
    let mut world = new_world();
    world.vendor_opens("between", 22, 1);
    world.vendor_imports(&plain(&[free("f", 20, 26)]), Some(OnConflict::Merge));
    let faster = world.vendor_opens("faster", 24, 3);
    world.services.state().slots.remove(&faster.id);
    world.before_next("create_slots", |state| {
        state.slots.insert(faster.id.clone(), faster);
    });
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, true), (22, 23, true), (24, 27, true)]);
    let row = only_row(&world);
    let made: Vec<_> = row.made.iter().map(|slot| slot.span.start()).collect();
    assert_eq!((row.state, made), (SlotState::Blocked, vec![world.at(20)]));
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 26, "SEQUENCE:1")]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(22, 23, true), (24, 27, true)]);
}

#[tokio::test]
async fn a_request_for_slots_that_is_refused_leaves_nothing_in_doubt_and_one_without_an_answer_does() {
    for (fault, in_doubt) in [(Fault::Rejected, 0), (Fault::ReplyLost, 1)] {
        let mut world = new_world();
        world.vendor_imports(&plain(&[free("f", 20, 21)]), None);
        for _ in 0..3 {
            world.fail_next("create_slots", fault);
        }
        let report = world.sync().await;
        assert_eq!(report.errors.len(), 1, "{report:#?}");
        let open = |world: &World| world.mirror.world().expect("a world").unsettled.len();
        assert_eq!(open(&world), in_doubt, "{fault:?}");
        world.heal();
        fine(&world.sync().await);
        assert_eq!((world.slots(), open(&world)), (vec![(20, 21, true)], 0), "{fault:?}");
        world.assert_settled().await;
    }
}

#[tokio::test]
async fn slots_are_made_a_hundred_with_one_request() {
    let mut world = new_world();
    let hourly = event("f", 20, 21, "RRULE:FREQ=HOURLY;COUNT=150\nTRANSP:TRANSPARENT");
    world.vendor_imports(&plain(&[hourly]), None);
    let report = world.sync().await;
    fine(&report);
    assert_eq!((report.slots.created, world.slots().len()), (150, 150));
    let state = world.services.state();
    assert_eq!(state.requests.iter().filter(|request| **request == "create_slots").count(), 2);
}

#[tokio::test]
async fn the_computer_that_stands_by_asks_for_no_slot_and_still_notes_what_it_decided() {
    let mut studio = new_world();
    studio.customer_books("b", 20);
    fine(&studio.sync().await);
    let mut laptop = studio.beside("laptop", Box::new(Sqlite::in_memory().expect("a mirror")));
    laptop.vendor_imports(&plain(&[free("under", 20, 21)]), None);
    assert!(laptop.sync().await.standing_by.is_some());
    assert_eq!(only_row(&laptop).state, SlotState::Blocked);
    laptop.vendor_imports(&plain(&[free("open", 30, 31)]), None);
    assert!(laptop.sync().await.standing_by.is_some());
    let run = RunId(format!("run-{}", laptop.last_run()));
    assert_eq!(laptop.mirror.journal(&run).expect("a journal"), []);
    assert_eq!((laptop.slots(), rows(&laptop).len()), (Vec::new(), 1));
}

#[tokio::test]
async fn slots_are_looked_at_again_where_another_computer_wrote_before_the_turn_came() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[event("meeting", 20, 21, "")]), None);
    fine(&world.sync().await);
    world.clock.advance(SignedDuration::try_from(TERM).expect("a term") + SignedDuration::from_secs(1));
    world.vendor_imports(&plain(&[free("open", 30, 31)]), None);
    world.before_next("lease", |state| state.lease.fencing += 1);
    let report = world.sync().await;
    fine(&report);
    assert_eq!((world.asked("slots"), world.asked("create_slots")), (2, 1));
    assert_eq!(world.slots(), [(30, 31, true)]);
}

#[tokio::test]
async fn slots_wait_for_bookings_that_could_not_be_read() {
    let mut world = new_world();
    fine(&world.sync().await);
    world.vendor_imports(&plain(&[free("f", 20, 21)]), None);
    for fault in [Fault::SignInExpired, Fault::HalfAReading] {
        world.before_next("slots", move |state| state.faults.extend([("bookings", fault); 3]));
        let report = world.sync().await;
        assert!(!report.errors.is_empty());
        assert_eq!(world.slots(), []);
        world.heal();
    }
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 21, true)]);
}

#[tokio::test]
async fn a_cancelled_booking_gives_its_time_back_to_the_free_time_around_it() {
    let mut world = new_world();
    world.customer_books("b", 20);
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    fine(&world.sync().await);
    assert_eq!(world.slots(), []);
    world.platform_changes(&"b".into(), |booking| booking.status = BookingStatus::Cancelled);
    fine(&world.sync().await);
    assert_eq!(world.slots(), [(20, 22, true)]);
    world.assert_settled().await;
}

#[tokio::test]
async fn a_slot_made_just_before_a_crash_is_taken_back_if_nobody_wants_it_any_more() {
    let offer = plain(&[free("f", 20, 22), free("g", 30, 31)]);
    let gone = file("CANCEL", &[event("f", 20, 22, "SEQUENCE:1")]);
    let mut orphans = 0;
    for moment in [Moment::Before, Moment::After] {
        for fatal in 1.. {
            let inside: Arc<dyn Mirror> = Arc::new(Sqlite::in_memory().expect("a mirror"));
            let alive = || Box::new(DyingMirror::new(inside.clone(), usize::MAX, moment));
            let mut world = World::new(alive());
            fine(&world.sync().await);
            world.vendor_imports(&offer, None);
            world.mirror = Box::new(DyingMirror::new(inside.clone(), fatal, moment));
            let died = world.try_sync(Direction::Bidirectional, false).await.is_err();
            world.mirror = alive();
            orphans += usize::from(died && !world.slots().is_empty() && rows(&world).is_empty());
            world.vendor_imports(&gone, None);
            fine(&world.sync().await);
            assert_eq!(world.slots(), [(30, 31, true)], "write {fatal} {moment:?}");
            assert_eq!(rows(&world).len(), 1);
            world.assert_settled().await;
            if !died {
                break;
            }
        }
    }
    assert!(orphans > 0, "no crash left a slot that the mirror did not know");
}

#[tokio::test]
async fn a_slot_that_the_mirror_knows_keeps_its_row_whatever_was_left_in_doubt() {
    let mut world = new_world();
    world.vendor_imports(&plain(&[free("f", 20, 22)]), None);
    fine(&world.sync().await);
    let row = only_row(&world);
    let make = Operation::MakeSlots { source: row.calendar.clone(), slots: row.made.clone() };
    let id = world.mirror.intend(&RunId::from("run-1"), &make, world.clock.now()).expect("a mirror");
    world.mirror.attempted(id, world.clock.now()).expect("a mirror");
    // Closed, so that it stays although nobody wants it any more.
    world.services.state().slots.values_mut().for_each(|slot| slot.open = false);
    world.vendor_imports(&file("CANCEL", &[event("f", 20, 22, "SEQUENCE:1")]), None);
    fine(&world.sync().await);
    let after = only_row(&world);
    assert_eq!((after.state, after.uid, after.made), (SlotState::Blocked, row.uid, row.made));
}

#[test]
fn the_mirror_and_the_world_take_an_import_in_alike() {
    let mut world = new_world();
    let texts = [
        plain(&[
            event("m", 20, 21, "SEQUENCE:1"),
            free("f", 30, 31),
            event("1", 40, 41, ""),
            event("1", 42, 43, ""),
        ]),
        file("REQUEST", &[event("i", 50, 51, ""), event("m", 22, 23, "SEQUENCE:2")]),
        plain(&[free("f", 32, 33), event("1", 44, 45, "SEQUENCE:1")]),
        file("CANCEL", &[event("i", 50, 51, "SEQUENCE:1"), event("unknown", 50, 51, "SEQUENCE:1")]),
    ];
    for text in texts {
        let calendar = world.link_imports();
        let mut expected = world.mirror.world().expect("a world");
        let taken = world.vendor_imports(&text, Some(OnConflict::Merge));
        expected.take_import(&calendar.id, &taken.intake);
        assert_eq!(world.mirror.world().expect("a world"), expected);
    }
}

/// Files that fuzzing begins with, and fixtures, each torn into two halves that belong to it as well.
#[test]
fn any_file_taken_in_again_changes_nothing() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = |folder: &str| std::fs::read_dir(here.join(folder)).expect("seeds");
    let mut read = 0;
    for seed in ["fuzz/seeds/reader", "fuzz/seeds/import", "fixtures/ics"].into_iter().flat_map(seeds) {
        let bytes = std::fs::read(seed.expect("a seed").path()).expect("a seed");
        let (front, back) = bytes.split_at(bytes.len() / 2);
        for bytes in [bytes.as_slice(), front, back, &[back, front].concat()] {
            let Ok((parts, _)) = calendar::ics::read_each_as(bytes, &["her@salon.example"]) else { continue };
            read += 1;
            let mut holdings = Holdings::of(&sync::world::World::default(), &"files".into());
            let noon: Timestamp = NOON.parse().expect("a time");
            let mut take = || {
                let mut all = Taken::default();
                for part in &parts {
                    all.join(holdings.take(part, &Own::default(), noon, &jiff::tz::TimeZone::UTC));
                }
                all
            };
            let first = take();
            let again = take();
            let said = String::from_utf8_lossy(bytes);
            assert!(again.intake.is_empty(), "{said}\n{:#?}\nafter {:#?}", again.intake, first.intake);
            let counts = again.counts;
            assert_eq!((counts.new, counts.updated, counts.cancelled), (0, 0, 0), "{said}");
        }
    }
    assert!(read > 20, "{read} files");
}
