//! Each case is a row: what is ours, busy, booked and standing, and in one line what is to be done about it.

use super::*;
use crate::ids::Service;
use crate::ports::BusySet;
use crate::world::PublishedBusy;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

fn span(start: i64, end: i64) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

fn slot(id: &str, start: i64, end: i64, open: bool) -> Slot {
    Slot { span: span(start, end), id: id.into(), open }
}

fn ours(id: &str, start: i64, end: i64, state: ClosedState) -> ClosedSlot {
    ClosedSlot { id: id.into(), span: span(start, end), state, at: at(0) }
}

fn booking(start: i64, end: i64, status: BookingStatus) -> Booking {
    Booking {
        id: format!("{start}").as_str().into(),
        vendor: "v".into(),
        status,
        start: at(start),
        end: at(end),
        service_name: None,
        customer_name: None,
        customer_email: None,
        notes: None,
        proposal: crate::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    }
}

struct Case<'a> {
    ours: &'a [ClosedSlot],
    busy: &'a [Interval],
    bookings: &'a [Booking],
    standing: &'a [Slot],
    closes: bool,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self { ours: &[], busy: &[], bookings: &[], standing: &[], closes: true }
    }
}

/// Says in one line what is to be done: `-` closes, `+` opens, `=` is known, `x` is forgotten.
#[track_caller]
fn check(case: &Case<'_>, expected: &str) {
    let rows = case.ours.iter().map(|row| (row.id.clone(), row.clone())).collect();
    let booked = Booked::of(case.bookings, at(0));
    let closing = plan(&rows, case.busy, &booked, case.standing, span(0, 10_000), at(0), case.closes);
    let mut told: Vec<String> = closing.close.iter().map(|slot| format!("-{}", slot.id)).collect();
    told.extend(closing.open.iter().map(|slot| format!("+{}", slot.id)));
    told.extend(closing.known.iter().map(|row| format!("={}", row.id)));
    told.extend(closing.forgotten.iter().map(|id| format!("x{id}")));
    assert_eq!(told.join(" "), expected);
}

#[test]
fn a_free_slot_that_busy_time_touches_in_the_least_is_closed_and_its_neighbours_are_not() {
    let standing =
        [slot("a", 10, 20, true), slot("b", 20, 30, true), slot("c", 30, 40, true), slot("d", 40, 50, false)];
    check(&Case { busy: &[span(20, 31)], standing: &standing, ..Case::default() }, "-b -c");
    check(&Case { busy: &[span(40, 50)], standing: &standing, ..Case::default() }, "");
    check(&Case { busy: &[span(20, 31)], standing: &standing, closes: false, ..Case::default() }, "");
}

#[test]
fn only_what_we_closed_is_opened_and_only_once_nothing_lies_over_it() {
    let rows = [ours("a", 10, 20, ClosedState::Closed)];
    let standing = [slot("a", 10, 20, false), slot("hers", 30, 40, false)];
    check(&Case { ours: &rows, standing: &standing, ..Case::default() }, "+a");
    check(&Case { ours: &rows, standing: &standing, closes: false, ..Case::default() }, "+a");
    check(&Case { ours: &rows, standing: &standing, busy: &[span(19, 25)], ..Case::default() }, "");
    let over = [booking(15, 25, BookingStatus::Confirmed)];
    check(&Case { ours: &rows, standing: &standing, bookings: &over, ..Case::default() }, "");
    let over = [booking(15, 25, BookingStatus::Completed)];
    check(&Case { ours: &rows, standing: &standing, bookings: &over, ..Case::default() }, "");
    let over = [booking(15, 25, BookingStatus::Cancelled)];
    check(&Case { ours: &rows, standing: &standing, bookings: &over, ..Case::default() }, "+a");
    let between = [slot("a", 10, 20, false), slot("new", 15, 25, true)];
    check(&Case { ours: &rows, standing: &between, ..Case::default() }, "");
}

#[test]
fn a_booked_slot_is_never_touched_and_no_longer_ours() {
    let rows = [ours("a", 10, 20, ClosedState::Closed)];
    let booked = [booking(10, 20, BookingStatus::Pending)];
    let busy = [span(10, 20)];
    for open in [true, false] {
        let standing = [slot("a", 10, 20, open)];
        check(&Case { standing: &standing, bookings: &booked, busy: &busy, ..Case::default() }, "");
        let case =
            Case { ours: &rows, standing: &standing, bookings: &booked, busy: &busy, ..Case::default() };
        check(&case, "xa");
    }
}

#[test]
fn a_slot_that_a_cancellation_opened_is_closed_again() {
    let cancelled = [booking(10, 20, BookingStatus::Cancelled)];
    let standing = [slot("a", 10, 20, true)];
    let busy = [span(12, 14)];
    check(&Case { standing: &standing, bookings: &cancelled, busy: &busy, ..Case::default() }, "-a");
}

#[test]
fn what_was_opened_or_removed_by_others_or_is_past_is_forgotten() {
    let rows = [
        ours("open", 10, 20, ClosedState::Closed),
        ours("gone", 30, 40, ClosedState::Closed),
        ours("past", -20, -10, ClosedState::Closed),
        ours("far", 20_000, 20_010, ClosedState::Closed),
    ];
    check(
        &Case { ours: &rows, standing: &[slot("open", 10, 20, true)], ..Case::default() },
        "xopen xgone xpast",
    );
}

#[test]
fn what_nobody_confirmed_is_read_off_what_stands() {
    let rows = [ours("a", 10, 20, ClosedState::Closing), ours("b", 30, 40, ClosedState::Opening)];
    let busy = [span(0, 100)];
    let closed = [slot("a", 10, 20, false), slot("b", 30, 40, false)];
    check(&Case { ours: &rows, standing: &closed, busy: &busy, ..Case::default() }, "=a =b");
    check(&Case { ours: &rows, standing: &closed, ..Case::default() }, "+a +b");
    let open = [slot("a", 10, 20, true), slot("b", 30, 40, true)];
    check(&Case { ours: &rows, standing: &open, busy: &busy, ..Case::default() }, "-a -b");
    check(&Case { ours: &rows, standing: &open, ..Case::default() }, "xa xb");
}

#[test]
fn of_two_that_exclude_each_other_the_first_is_opened() {
    let rows = [ours("a", 10, 20, ClosedState::Closed), ours("b", 15, 25, ClosedState::Closed)];
    let standing = [slot("a", 10, 20, false), slot("b", 15, 25, false)];
    check(&Case { ours: &rows, standing: &standing, ..Case::default() }, "+a");
}

#[test]
fn one_that_was_opened_excludes_the_next_however_many_are_open_after_both() {
    let rows = [ours("a", 10, 20, ClosedState::Closed), ours("b", 15, 25, ClosedState::Closed)];
    let standing = [
        slot("a", 10, 20, false),
        slot("b", 15, 25, false),
        slot("c", 100, 110, true),
        slot("d", 200, 210, true),
        slot("e", 300, 310, true),
    ];
    check(&Case { ours: &rows, standing: &standing, ..Case::default() }, "+a");
}

#[test]
fn what_begins_this_very_moment_is_past() {
    let rows = [ours("a", 0, 10, ClosedState::Closed)];
    check(&Case { ours: &rows, standing: &[slot("a", 0, 10, false)], ..Case::default() }, "xa");
    let busy = [span(0, 100)];
    check(&Case { standing: &[slot("b", 0, 10, true)], busy: &busy, ..Case::default() }, "");
}

#[test]
fn a_row_is_known_anew_as_it_stands() {
    let rows: BTreeMap<SlotId, ClosedSlot> =
        [ours("a", 10, 20, ClosedState::Opening)].map(|row| (row.id.clone(), row)).into();
    let standing = [slot("a", 40, 50, false)];
    let booked = Booked::of(&[], at(0));
    let closing = plan(&rows, &[span(0, 100)], &booked, &standing, span(0, 10_000), at(0), true);
    assert_eq!(closing.known, [ours("a", 40, 50, ClosedState::Closed)]);
}

#[test]
fn what_the_platform_was_told_is_all_of_her_calendars_together() {
    let mut world = World::default();
    for (calendar, busy) in [("a", [span(10, 20), span(50, 60)]), ("b", [span(15, 30), span(70, 80)])] {
        let set = BusySet::of(Service::Google, calendar.into(), span(0, 10_000), busy.to_vec());
        world.published.insert(calendar.into(), PublishedBusy { set, at: at(0) });
    }
    assert_eq!(told(&world), [span(10, 30), span(50, 60), span(70, 80)]);
}

#[test]
fn carrying_it_out_leaves_nothing_to_do() {
    let mut standing: Vec<Slot> =
        (0..40).map(|n| slot(&format!("{n:02}"), 10 + n * 10, 20 + n * 10, true)).collect();
    let bookings = [booking(50, 60, BookingStatus::Confirmed), booking(100, 110, BookingStatus::Confirmed)];
    for slot in &mut standing {
        slot.open = bookings.iter().all(|one| one.start != slot.span.start());
    }
    let mut rows: BTreeMap<SlotId, ClosedSlot> = BTreeMap::new();
    for busy in [vec![span(40, 75), span(95, 140)], vec![span(60, 101), span(200, 390)], vec![]] {
        let booked = Booked::of(&bookings, at(0));
        let step = plan(&rows, &busy, &booked, &standing, span(0, 10_000), at(0), true);
        assert!(!step.is_empty());
        for one in step.close.iter().chain(&step.open) {
            let slot = standing.iter_mut().find(|slot| slot.id == one.id).unwrap();
            slot.open = !one.open;
            rows.remove(&one.id);
        }
        for slot in step.close {
            let row =
                ClosedSlot { id: slot.id.clone(), span: slot.span, state: ClosedState::Closed, at: at(0) };
            rows.insert(slot.id, row);
        }
        let again = plan(&rows, &busy, &booked, &standing, span(0, 10_000), at(0), true);
        assert_eq!(again, Closing::default());
        assert!(again.is_empty());
        for slot in &standing {
            let is_booked = bookings.iter().any(|one| one.start == slot.span.start());
            assert_eq!(slot.open, !is_booked && !lies_over(&busy, slot.span), "{slot:?}");
        }
    }
    assert!(rows.is_empty(), "all that was closed is open again");
}

#[test]
fn a_booking_lies_over_its_time_until_it_ends() {
    let booked = |now: i64| Booked::of(&[booking(10, 20, BookingStatus::Confirmed)], at(now));
    assert!(booked(0).lies_over(span(15, 25)) && booked(19).lies_over(span(15, 25)));
    assert!(!booked(20).lies_over(span(15, 25)));
}
