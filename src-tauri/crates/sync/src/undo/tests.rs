//! What of a run can be taken back, write by write.

use std::collections::BTreeSet;

use super::*;
use crate::made::{at, booked, calendar, draft, event, mapped, signed_in, span, titled, world};
use crate::world::MappingState;

#[test]
fn each_reason_to_keep_something_has_words_of_its_own() {
    let all = [
        Why::Touched,
        Why::WrittenAgain,
        Why::HadHerChanges,
        Why::DeletedByHer,
        Why::HasAnEvent,
        Why::NotAsItWas,
        Why::Forgotten,
        Why::Unread,
        Why::Unlinked,
        Why::Refused,
        Why::Unknown,
        Why::FollowsHerCalendars,
        Why::CustomerWasTold,
        Why::SlotIsClosed,
        Why::TimeIsTaken,
        Why::Over,
        Why::AnotherWrites,
    ];
    let words: BTreeSet<&str> = all.into_iter().map(Why::words).collect();
    assert_eq!(words.len(), all.len());
    assert!(words.iter().all(|words| words.contains(' ')), "{words:?}");
}

fn slot(id: &str, hour: i64, open: bool) -> Slot {
    Slot { span: span(hour), id: id.into(), open }
}

/// What keeps the slot `mine` at hour 5 from being made again, if anything does.
fn kept(standing: &[Slot], now: i64) -> Result<bool, Why> {
    let world = World::default();
    let taken = Taken::of(&world, &[], at(now));
    let seen =
        Seen { world: &world, slots: Some(standing), taken: &taken, is_current: &|_, _| true, now: at(now) };
    match room_for(&slot("mine", 5, true), standing, &seen) {
        Room::ItStands => Ok(false),
        Room::Free => Ok(true),
        Room::None(why) => Err(why),
    }
}

#[test]
fn a_slot_has_room_again_where_nothing_stands_at_its_very_time_or_open_across_it() {
    let half = |open| {
        let later = jiff::SignedDuration::from_mins(30);
        let span = span(5);
        let shift = |at: Timestamp| at.checked_add(later).unwrap();
        let span = calendar::interval::Interval::new(shift(span.start()), shift(span.end())).unwrap();
        Slot { span, id: "other".into(), open }
    };
    assert_eq!(kept(&[], 0), Ok(true));
    assert_eq!(kept(&[slot("mine", 5, false)], 0), Ok(false), "it is there");
    assert_eq!(kept(&[slot("other", 5, false)], 0), Err(Why::TimeIsTaken));
    assert_eq!(kept(&[half(true)], 0), Err(Why::TimeIsTaken));
    assert_eq!(kept(&[half(false)], 0), Ok(true));
    assert_eq!(kept(&[slot("other", 6, true)], 0), Ok(true));
    assert_eq!(kept(&[], 4), Ok(true));
    assert_eq!(kept(&[], 5), Err(Why::Over));
}

/// A write of the run, and the event that it left.
fn wrote(operation: Operation, state: EntryState, left: Option<&RemoteEvent>) -> JournalEntry {
    JournalEntry {
        id: OperationId(1),
        run: "run".into(),
        operation,
        state,
        attempts: 1,
        echo: left.map(|event| serde_json::to_value(event).unwrap()),
        problem: None,
        intended_at: at(-1),
        attempted_at: Some(at(-1)),
        settled_at: Some(at(-1)),
    }
}

/// The writes that take it back, and why anything of it is kept.
fn taken_back(entry: JournalEntry, world: &World, slots: Option<&[Slot]>) -> (Vec<Operation>, Vec<Why>) {
    let taken = Taken::of(world, &[], at(0));
    let seen = Seen { world, slots, taken: &taken, is_current: &|_, _| true, now: at(0) };
    let undo = plan(&[entry], &seen);
    let writes = undo.steps.into_iter().map(|step| step.write).collect();
    (writes, undo.kept.into_iter().map(|kept| kept.why).collect())
}

#[test]
fn where_slots_could_not_be_read_those_that_were_made_and_removed_are_kept() {
    let made = Operation::MakeSlots { source: calendar(), slots: vec![slot("mine", 5, true)] };
    let removed = Operation::RemoveSlot { source: calendar(), slot: slot("hers", 7, true) };
    for operation in [made, removed] {
        let entry = wrote(operation, EntryState::Stored, None);
        let kept = taken_back(entry.clone(), &World::default(), None);
        assert_eq!(kept, (Vec::new(), vec![Why::Unread]), "{entry:?}");
    }
}

#[test]
fn a_slot_that_was_closed_when_it_was_removed_comes_back_open() {
    let removed = Operation::RemoveSlot { source: calendar(), slot: slot("hers", 7, false) };
    let (writes, _) = taken_back(wrote(removed, EntryState::Removed, None), &World::default(), Some(&[]));
    let made = Operation::MakeSlots { source: calendar(), slots: vec![slot("hers", 7, true)] };
    assert_eq!(writes, [made]);
}

#[test]
fn a_changed_event_that_she_touched_since_is_kept_unless_it_says_again_what_it_said_before() {
    let (before, left) = (event(&draft(1), "1"), event(&draft(2), "2"));
    let changed = Operation::UpdateEvent {
        calendar: calendar(),
        event: left.id.clone(),
        base: before.etag.clone(),
        draft: draft(2),
        before: Box::new(before.clone()),
    };
    let since = |there: RemoteEvent| {
        let world = mapped(world(&[there]), &left);
        taken_back(wrote(changed.clone(), EntryState::Stored, Some(&left)), &world, None)
    };
    let (writes, kept) = since(left.clone());
    assert!(matches!(writes.as_slice(), [Operation::UpdateEvent { .. }]) && kept.is_empty(), "{writes:?}");
    let touched = RemoteEvent { etag: "3".into(), ..titled(&left, "Nadia") };
    assert_eq!(since(touched), (Vec::new(), vec![Why::Touched]));
    let put_back = RemoteEvent { etag: "3".into(), ..before.clone() };
    assert_eq!(since(put_back), (Vec::new(), Vec::new()));
}

#[test]
fn an_event_that_no_standing_row_knows_must_first_be_found_again() {
    let left = event(&draft(1), "1");
    let made = Operation::CreateEvent { calendar: calendar(), draft: draft(1) };
    let known_by = |change: fn(&mut Mapping)| {
        let mut world = mapped(world(std::slice::from_ref(&left)), &left);
        world.mappings.values_mut().for_each(change);
        taken_back(wrote(made.clone(), EntryState::Stored, Some(&left)), &world, None)
    };
    let (writes, kept) = known_by(|_| {});
    assert!(matches!(writes.as_slice(), [Operation::RemoveEvent { .. }]) && kept.is_empty(), "{writes:?}");
    assert_eq!(known_by(|row| row.event = "another".into()), (Vec::new(), vec![Why::Forgotten]));
    assert_eq!(known_by(|row| row.state = MappingState::Removed), (Vec::new(), vec![Why::Forgotten]));
}

#[test]
fn an_event_comes_back_as_the_bookings_and_words_that_are_not_the_bookings_as_hers() {
    let as_booked = event(&draft(1), "1");
    let mut described = as_booked.clone();
    "bring the dryer".clone_into(&mut described.event.description);
    let remembered = |before: &RemoteEvent| {
        let removed = Operation::RemoveEvent {
            calendar: calendar(),
            booking: "b".into(),
            event: before.id.clone(),
            base: before.etag.clone(),
            before: Box::new(before.clone()),
            remember: None,
        };
        let mut world = booked(mapped(signed_in(world(&[])), before), |_| {});
        world.mappings.values_mut().for_each(|row| row.state = MappingState::Removed);
        let (writes, kept) = taken_back(wrote(removed, EntryState::Removed, None), &world, None);
        let [Operation::CreateEvent { draft, .. }] = writes.as_slice() else { panic!("{writes:?} {kept:?}") };
        draft.remember.clone()
    };
    let written = draft(1).checksum;
    assert_eq!(remembered(&as_booked), Some(written.clone()));
    // It says when the booking is, so nothing is held: it follows the booking, and only its words are hers.
    for hers in [titled(&as_booked, "Nadia"), described] {
        assert_eq!(remembered(&hers), Some(with_her_words(&written)), "{hers:?}");
    }
}
