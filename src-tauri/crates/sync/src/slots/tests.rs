//! Free times by hand: what of them is wanted, what is in their way, and what is to be done about each.

use std::slice::from_ref;

use calendar::event::{End, Transparency, When};

use super::*;
use crate::import::SlotState;
use crate::made::{at, booked, copied, draft, linked, span, world};
use crate::ports::RemoteEvent;
use crate::world::Vendor;

#[test]
fn a_slot_of_ours_has_a_uuid_of_the_version_for_hashes_and_the_same_each_time() {
    let id = slot_id(&"vendor-1".into(), &"calendar-1".into(), span(0));
    assert_eq!(id, slot_id(&"vendor-1".into(), &"calendar-1".into(), span(0)));
    let mut met = (BTreeSet::new(), BTreeSet::new());
    for hour in 0..400 {
        let id = slot_id(&"vendor-1".into(), &"calendar-1".into(), span(hour)).0;
        let parts: Vec<&str> = id.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert!(parts[2].starts_with('8'), "{id}");
        assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        met.0.insert(parts[2][1..2].to_owned());
        met.1.insert(parts[3][..2].to_owned());
    }
    assert_eq!((met.0.len(), met.1.len()), (16, 64), "the other bits are the hash's");
}

fn free(hour: i64) -> ImportedSlot {
    ImportedSlot {
        calendar: linked().id,
        span: span(hour),
        part: None,
        uid: Uid("hours".to_owned()),
        summary: String::new(),
        state: SlotState::Made,
        made: Vec::new(),
        choice: None,
        under: String::new(),
        conflicts: Vec::new(),
        decided_at: at(0),
    }
}

#[test]
fn a_plan_leads_to_what_it_decides_and_to_no_row_that_it_forgets_or_takes_back() {
    let rows: BTreeMap<SlotKey, ImportedSlot> = (1..=4).map(|n| (free(n).key(), free(n))).collect();
    let slot = Slot { span: span(2), id: SlotId::from("s"), open: true };
    let decided = ImportedSlot { state: SlotState::Left, ..free(3) };
    let plan = SlotPlan {
        forgotten: vec![free(1).key()],
        take_back: vec![(free(2).key(), slot)],
        decided: vec![Decided { row: decided.clone(), remove: Vec::new(), make: Vec::new() }],
    };
    let after = plan.applied_to(&rows);
    assert_eq!(after.values().cloned().collect::<Vec<_>>(), [decided, free(4)]);
}

#[test]
fn beyond_the_horizon_only_what_a_calendar_in_use_brought_is_left_alone() {
    let mut world = world(&[]);
    let window = Interval::new(at(0), at(10)).unwrap();
    assert!(is_within(&world, &free(9), window) && !is_within(&world, &free(10), window));
    world.calendars.values_mut().for_each(|calendar| calendar.role = Role::Off);
    assert!(is_within(&world, &free(10), window));
    world.calendars.clear();
    assert!(is_within(&world, &free(10), window));
}

#[test]
fn what_was_decided_before_her_today_is_of_another_day() {
    let policy = Policy::default();
    let begins = window(at(0), &vendor_zone(None), &policy).start();
    let second = SignedDuration::from_secs(1);
    let decided = |decided_at| ImportedSlot { decided_at, ..free(1) };
    let is_another = |row: &ImportedSlot| is_another_day(&World::default(), row, at(0), &policy);
    assert!(is_another(&decided(begins.checked_sub(second).unwrap())));
    assert!(!is_another(&decided(begins)) && !is_another(&decided(at(0))));
}

#[test]
fn only_slots_that_were_to_be_made_or_removed_leave_a_doubt_about_slots() {
    let slot = Slot { span: span(2), id: SlotId::from("s"), open: true };
    let source = linked().id;
    let (booking, key) = ("b".into(), "key".to_owned());
    let cancel = Operation::CancelBooking { calendar: source.clone(), booking, key };
    assert!(is_about_slots(&Operation::MakeSlots { source: source.clone(), slots: vec![slot.clone()] }));
    assert!(is_about_slots(&Operation::RemoveSlot { source, slot }));
    assert!(!is_about_slots(&cancel));
}

const VENDOR: &str = "vendor-1";

fn files() -> CalendarId {
    import::linked("here", 5, at(0)).id
}

fn hours(from: i64, to: i64) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

/// A slot that was there before.
fn hers(id: &str, from: i64, to: i64, open: bool) -> Slot {
    Slot { span: hours(from, to), id: SlotId::from(id), open }
}

/// A slot that only we would have made.
fn mine(from: i64, to: i64, open: bool) -> Slot {
    let span = hours(from, to);
    Slot { span, id: slot_id(&VENDOR.into(), &files(), span), open }
}

fn free_time(from: i64, to: i64) -> Wanted {
    Wanted {
        calendar: files(),
        span: hours(from, to),
        part: Some(hours(from, to)),
        uid: Uid("hours".to_owned()),
        summary: String::new(),
    }
}

/// What became of that free time an hour ago.
fn known(from: i64, to: i64, state: SlotState, made: &[Slot]) -> ImportedSlot {
    ImportedSlot {
        calendar: files(),
        span: hours(from, to),
        part: Some(hours(from, to)),
        made: made.to_vec(),
        state,
        decided_at: at(-1),
        ..free(from)
    }
}

/// Her files, and what became of the free times in them.
fn world_with(rows: &[ImportedSlot]) -> World {
    World {
        vendor: Some(Vendor {
            id: VENDOR.into(),
            name: String::new(),
            email: String::new(),
            time_zone: "UTC".to_owned(),
        }),
        calendars: [(files(), import::linked("here", 5, at(0)))].into(),
        imported_slots: rows.iter().map(|row| (row.key(), row.clone())).collect(),
        ..World::default()
    }
}

fn chosen(mut world: World, choice: OnConflict) -> World {
    world.choices.insert((files(), Uid("hours".to_owned())), choice);
    world
}

fn busy(spans: &[Interval]) -> Taken<'static> {
    Taken { bookings: Vec::new(), busy: spans.to_vec() }
}

fn looks(world: &World, taken: &Taken<'_>, wanted: &[Wanted]) -> bool {
    needs_look(world, taken, wanted, at(0), &Policy::default())
}

fn planned(world: &World, taken: &Taken<'_>, wanted: &[Wanted], standing: &[Slot]) -> SlotPlan {
    plan(world, taken, wanted, standing, at(0), &Policy::default())
}

/// The one free time that is decided about.
fn only(plan: SlotPlan) -> Decided {
    assert_eq!(plan.decided.len(), 1, "{plan:#?}");
    plan.decided.into_iter().next().unwrap()
}

/// Her files with these events.
fn imported(events: &[Event]) -> World {
    let mut world = world_with(&[]);
    let row = crate::made::event(&draft(1), "1");
    let rows = events.iter().enumerate().map(|(index, event)| {
        let row = RemoteEvent { event: event.clone(), ..copied(&row, &index.to_string()) };
        (row.id.clone(), row)
    });
    world.events.insert(files(), rows.collect());
    world
}

fn event(uid: &str, from: i64, to: i64) -> Event {
    Event::new(Uid(uid.to_owned()), When::Utc(at(from)), End::At(When::Utc(at(to))))
}

fn free_event(uid: &str, from: i64, to: i64) -> Event {
    Event { transparency: Transparency::Transparent, ..event(uid, from, to) }
}

fn all_wanted(events: &[Event]) -> Vec<(Interval, Option<Interval>, String)> {
    let wanted = wanted(&imported(events), at(0), &Policy::default());
    wanted.into_iter().map(|wanted| (wanted.span, wanted.part, wanted.uid.0)).collect()
}

#[test]
fn free_times_that_have_not_begun_are_wanted_and_one_that_has_still_covers_the_next() {
    let begun = free_event("a", 0, 3);
    let next = free_event("b", 2, 4);
    let same = free_event("c", 2, 4);
    let wanted = all_wanted(&[same, next, begun]);
    assert_eq!(wanted, [(hours(2, 4), Some(hours(3, 4)), "b".to_owned())]);
}

#[test]
fn a_busy_day_of_a_free_series_and_a_free_time_of_more_than_a_day_are_no_free_times() {
    let mut series = free_event("s", 2, 3);
    series.recurrence.rules.push("FREQ=DAILY;COUNT=3".to_owned());
    let busy = Event { instance: Some(When::Utc(at(26))), ..event("s", 26, 27) };
    let wanted = all_wanted(&[series, busy, free_event("day", 100, 124), free_event("season", 200, 225)]);
    let spans: Vec<Interval> = wanted.into_iter().map(|(span, ..)| span).collect();
    assert_eq!(spans, [hours(2, 3), hours(50, 51), hours(100, 124)]);
}

#[test]
fn what_ends_as_a_free_time_begins_or_begins_as_it_ends_is_not_over_it() {
    let taken = busy(&[hours(0, 2), hours(4, 6)]);
    assert!(!taken.is_over(hours(2, 4)));
    assert!(taken.is_over(hours(1, 3)) && taken.is_over(hours(3, 5)));
}

#[test]
fn a_booking_takes_its_time_until_it_ends() {
    let world = booked(world_with(&[]), |booking| {
        (booking.start, booking.end) = (at(5), at(6));
    });
    let is_over = |now: i64| Taken::of(&world, &[], at(now)).is_over(hours(5, 6));
    assert!(is_over(0) && is_over(5));
    assert!(!is_over(6), "it ends this very moment");
}

#[test]
fn what_waits_is_looked_at_once_a_day_and_whenever_something_else_lies_over_it() {
    let begins = window(at(0), &vendor_zone(None), &Policy::default()).start();
    let before = begins.checked_sub(SignedDuration::from_secs(1)).unwrap();
    let waits =
        |decided_at| world_with(&[ImportedSlot { decided_at, ..known(2, 4, SlotState::Waiting, &[]) }]);
    let wanted = [free_time(2, 4)];
    assert!(!looks(&waits(begins), &busy(&[]), &wanted) && !looks(&waits(at(-1)), &busy(&[]), &wanted));
    assert!(looks(&waits(before), &busy(&[]), &wanted));
    assert!(looks(&waits(at(-1)), &busy(&[hours(3, 5)]), &wanted));
    assert!(looks(&chosen(waits(at(-1)), OnConflict::Skip), &busy(&[]), &wanted));
}

#[test]
fn a_slot_that_nobody_wants_any_more_is_looked_for_until_its_time_has_come() {
    let looks = |from: i64| {
        let row = known(from, from + 2, SlotState::Made, &[mine(from, from + 2, true)]);
        looks(&world_with(&[row]), &busy(&[]), &[])
    };
    assert!(looks(1));
    assert!(!looks(0) && !looks(-1));
}

#[test]
fn what_is_settled_is_decided_anew_only_with_other_times_or_another_choice() {
    let made = known(2, 4, SlotState::Made, &[mine(2, 4, true)]);
    // She took the slot away.
    assert_eq!(planned(&world_with(&[made]), &busy(&[]), &[free_time(2, 4)], &[]), SlotPlan::default());
    let left = known(2, 4, SlotState::Left, &[]);
    let skip = ImportedSlot { choice: Some(OnConflict::Skip), ..left };
    let world = world_with(&[skip]);
    let same = chosen(world.clone(), OnConflict::Skip);
    assert_eq!(planned(&same, &busy(&[]), &[free_time(2, 4)], &[]), SlotPlan::default());
    let other = only(planned(&chosen(world, OnConflict::Merge), &busy(&[]), &[free_time(2, 4)], &[]));
    assert_eq!(other.make, [mine(2, 4, true)]);
}

#[test]
fn a_question_that_is_still_the_same_is_written_down_once_a_day() {
    let standing = [hers("h", 3, 5, true)];
    let wanted = [free_time(2, 4)];
    let first = only(planned(&world_with(&[]), &busy(&[]), &wanted, &standing)).row;
    assert_eq!((first.state, first.conflicts.len()), (SlotState::Waiting, 1));
    let decided = |decided_at| {
        let row = ImportedSlot { decided_at, ..first.clone() };
        planned(&world_with(&[row]), &busy(&[]), &wanted, &standing).decided.len()
    };
    assert_eq!((decided(at(-1)), decided(at(-24))), (0, 1));
}

#[test]
fn the_slot_of_a_free_time_that_is_cut_otherwise_now_gives_way_to_one_of_the_new_times() {
    let row = known(2, 6, SlotState::Made, &[mine(2, 6, true)]);
    let cut = Wanted { part: Some(hours(4, 6)), ..free_time(2, 6) };
    let plan = planned(&world_with(from_ref(&row)), &busy(&[]), &[cut], &[mine(2, 6, true)]);
    assert_eq!(plan.take_back, [(row.key(), mine(2, 6, true))]);
    let decided = only(plan);
    assert_eq!((decided.make, decided.row.made), (vec![mine(4, 6, true)], vec![mine(4, 6, true)]));
}

#[test]
fn of_what_nobody_wants_open_slots_go_closed_ones_stay_ours_and_the_rest_is_forgotten() {
    let conflict = only(planned(&world_with(&[]), &busy(&[]), &[free_time(2, 4)], &[hers("h", 3, 5, true)]))
        .row
        .conflicts;
    let goes = known(2, 4, SlotState::Made, &[mine(2, 4, true)]);
    let stays = ImportedSlot {
        conflicts: conflict,
        ..known(10, 14, SlotState::Made, &[mine(10, 11, true), mine(12, 13, true)])
    };
    let gone = known(20, 22, SlotState::Made, &[mine(20, 22, true)]);
    let world = world_with(&[goes.clone(), stays.clone(), gone.clone()]);
    let taken = busy(&[hours(12, 13)]);
    let plan = planned(&world, &taken, &[], &[mine(2, 4, true), mine(12, 13, false)]);
    assert_eq!(plan.take_back, [(goes.key(), mine(2, 4, true))]);
    assert_eq!(plan.forgotten, [gone.key()]);
    let expected = ImportedSlot {
        state: SlotState::Blocked,
        made: vec![mine(12, 13, true)],
        under: taken.digest(hours(10, 14)),
        conflicts: Vec::new(),
        decided_at: at(0),
        ..stays
    };
    assert_eq!(only(plan).row, expected);
}

#[test]
fn a_slot_that_an_earlier_run_made_is_found_again_and_one_that_reaches_further_is_in_the_way() {
    let decided =
        |standing: &[Slot]| only(planned(&world_with(&[]), &busy(&[]), &[free_time(2, 4)], standing));
    for open in [true, false] {
        let found = decided(&[mine(2, 4, open)]);
        assert_eq!((found.row.state, found.row.made), (SlotState::Made, vec![mine(2, 4, true)]));
        assert_eq!(found.make, []);
    }
    let longer = decided(&[mine(2, 5, true)]);
    assert_eq!((longer.row.state, longer.make), (SlotState::Waiting, Vec::new()));
    assert_eq!(decided(&[hers("h", 2, 4, true)]).row.state, SlotState::Stands);
}

#[test]
fn what_is_merged_is_made_as_far_as_there_is_room_and_decided_again_only_if_some_of_it_passes_by_itself() {
    let world = chosen(world_with(&[]), OnConflict::Merge);
    let merged = |spans: &[Interval], standing: &[Slot]| {
        let decided = only(planned(&world, &busy(spans), &[free_time(2, 6)], standing));
        (decided.row.state, decided.make)
    };
    let beside = hers("h", 4, 6, true);
    assert_eq!(merged(&[], from_ref(&beside)), (SlotState::Made, vec![mine(2, 4, true)]));
    let all = [hers("g", 2, 4, true), beside.clone()];
    assert_eq!(merged(&[], &all), (SlotState::Left, Vec::new()));
    assert_eq!(merged(&[hours(2, 3)], &[beside]), (SlotState::Blocked, vec![mine(3, 4, true)]));
}

#[test]
fn only_a_slot_that_busy_time_closed_gets_out_of_the_way_by_itself() {
    // The busy time lies beside the free time, and over the slot that meets it.
    let state = |slot: Slot, spans: &[Interval]| {
        only(planned(&world_with(&[]), &busy(spans), &[free_time(2, 4)], &[slot])).row.state
    };
    assert_eq!(state(hers("h", 3, 6, false), &[hours(5, 6)]), SlotState::Blocked);
    assert_eq!(state(hers("h", 3, 6, false), &[]), SlotState::Waiting);
    assert_eq!(state(hers("h", 3, 6, true), &[hours(5, 6)]), SlotState::Waiting);
}

#[test]
fn busy_time_of_a_file_is_told_where_it_lies_over_a_booking_while_the_files_are_in_use() {
    let mut world = booked(
        imported(&[event("over", 0, 3), event("beside", 4, 5), free_event("free", 1, 3)]),
        |booking| (booking.start, booking.end) = (at(2), at(4)),
    );
    let uids = |names: &[&str]| names.iter().map(|name| Uid((*name).to_owned())).collect();
    let all = uids(&["over", "beside", "free"]);
    let policy = Policy::default();
    let told = |world: &World, uids: &BTreeSet<Uid>| -> Vec<(String, Option<String>)> {
        let taken = Taken::of(world, &[], at(0));
        let over = over_bookings(world, &taken, uids, at(0), &policy);
        over.into_iter().map(|conflict| (conflict.uid.0, conflict.with.id)).collect()
    };
    let blocked = |world: &World, uids: &BTreeSet<Uid>| -> Vec<String> {
        blocking(world, uids, at(0), &policy).into_iter().map(|one| one.uid.0).collect()
    };
    assert_eq!(told(&world, &all), [("over".to_owned(), Some("b".to_owned()))]);
    assert_eq!(blocked(&world, &all), ["over", "beside"]);
    assert_eq!(blocked(&world, &uids(&["beside"])), ["beside"]);
    world.calendars.values_mut().for_each(|calendar| calendar.role = Role::Off);
    assert_eq!((told(&world, &all), blocked(&world, &all)), (Vec::new(), Vec::new()));
}
