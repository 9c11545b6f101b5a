//! Questions of every kind, each made by hand: what waits, in which order, and what an answer takes.

use super::*;
use crate::ids::{BookingId, ETag, RemoteCalendarId, RemoteId, Service};
use crate::import::{Conflict, ConflictKind, Met, Resolution};
use crate::plan::About;
use crate::ports::CalendarEntry;
use crate::world::{LinkedCalendar, Role};
use calendar::event::{End, Event, When};
use calendar::interval::Interval;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
}

fn span(start: i64) -> Interval {
    Interval::new(at(start), at(start + 1)).unwrap()
}

fn card(question: Question, booking: &str) -> Card {
    Card {
        question,
        booking: Some(BookingId::from(booking)),
        calendar: "bookings".into(),
        about: About::Event,
        booked: Some((at(1), at(2))),
        found: Some((at(3), at(4))),
        state: "state".to_owned(),
        choices: question.options().to_vec(),
    }
}

/// A world in which an invitation and the free times of another event wait for her.
fn world() -> World {
    let mut world = World::default();
    let connection = ConnectionId::of(Service::Google, "amelie@example.com");
    let entry = CalendarEntry {
        remote: RemoteCalendarId::from("files"),
        name: "files".to_owned(),
        time_zone: None,
        writable: false,
        primary: false,
        ours: false,
    };
    let linked = LinkedCalendar::new(&connection, &entry, Role::Busy, 5, at(0));
    let files = linked.id.clone();
    world.calendars.insert(files.clone(), linked);
    let event = Event::new(uid("dinner"), When::Utc(at(5)), End::At(When::Utc(at(6))));
    let row = RemoteEvent {
        id: RemoteId::from("dinner"),
        etag: ETag::from("1"),
        event,
        marker: None,
        created_as: None,
    };
    let invitation = Invitation {
        calendar: files.clone(),
        event: row.id.clone(),
        asked: "once".to_owned(),
        answer: Given::Waiting,
    };
    world.invitations.insert((files.clone(), row.id.clone()), invitation);
    world.events.entry(files.clone()).or_default().insert(row.id.clone(), row);
    for hour in [8, 9] {
        let row = free(&files, hour);
        world.imported_slots.insert(row.key(), row);
    }
    world
}

fn uid(name: &str) -> Uid {
    Uid(name.to_owned())
}

/// A free time that meets a slot of hers.
fn free(calendar: &CalendarId, hour: i64) -> ImportedSlot {
    let met = Met { id: None, summary: None, start: at(hour), end: at(hour + 1) };
    let conflict = Conflict {
        kind: ConflictKind::Slot,
        uid: uid("hours"),
        summary: "hours".to_owned(),
        start: at(hour),
        end: at(hour + 1),
        with: met,
        resolution: Resolution::Waiting,
    };
    ImportedSlot {
        calendar: calendar.clone(),
        span: span(hour),
        part: None,
        uid: uid("hours"),
        summary: "hours".to_owned(),
        state: SlotState::Waiting,
        made: Vec::new(),
        choice: None,
        under: String::new(),
        conflicts: vec![conflict],
        decided_at: at(0),
    }
}

fn kinds(world: &World, cards: &[Card]) -> Vec<&'static str> {
    open(world, cards, at(0)).iter().map(Open::kind).collect()
}

#[test]
fn what_presses_comes_before_what_does_not_wherever_it_is_from() {
    let cards = [card(Question::Moved, "a"), card(Question::Renamed, "b")];
    assert_eq!(kinds(&world(), &cards), ["moved", "invitation", "import_conflict", "renamed"]);
    let presses: Vec<bool> = open(&world(), &cards, at(0)).iter().map(Open::presses).collect();
    assert_eq!(presses, [true, true, true, false]);
}

#[test]
fn only_what_may_be_answered_in_advance_is_offered_so() {
    let cards = [card(Question::Held, "a"), card(Question::Held, "b"), card(Question::Moved, "c")];
    let world = world();
    let open = open(&world, &cards, at(0));
    let may: Vec<_> = open.iter().map(|open| (open.kind(), open.may_stand())).collect();
    assert_eq!(
        may,
        [
            ("held_deletions", false),
            ("held_deletion", false),
            ("held_deletion", false),
            ("moved", true),
            ("invitation", false),
            ("import_conflict", false)
        ]
    );
}

#[test]
fn one_removal_that_is_held_is_one_question_and_two_are_three() {
    let cards = [card(Question::Held, "a"), card(Question::Held, "b")];
    assert_eq!(kinds(&World::default(), &cards[..1]), ["held_deletion"]);
    assert_eq!(kinds(&World::default(), &cards), ["held_deletions", "held_deletion", "held_deletion"]);
    let alone = held_id(&[&cards[0]]);
    let refused = answer(&World::default(), &cards[..1], at(0), &alone, "remove");
    assert_eq!(refused, Err(Refused::NotWaiting), "of one there is no question about all");
}

#[test]
fn a_question_about_all_that_is_held_is_another_once_one_more_is() {
    let cards = [card(Question::Held, "a"), card(Question::Held, "b"), card(Question::Held, "c")];
    let id = |cards: &[Card]| open(&World::default(), cards, at(0))[0].id();
    assert!(id(&cards).starts_with("held_deletions-"));
    assert_ne!(id(&cards), id(&cards[..2]));
    let late = answer(&World::default(), &cards, at(0), &id(&cards[..2]), "remove");
    assert_eq!(late, Err(Refused::NotWaiting), "she had not seen the third");
    let Ok(Decided::Bookings { answers, .. }) =
        answer(&World::default(), &cards, at(0), &id(&cards), "remove")
    else {
        panic!("all of them wait");
    };
    assert_eq!(answers.len(), 3);
}

#[test]
fn nothing_stands_for_removals_that_are_held_nor_for_what_files_bring() {
    let cards = [card(Question::Moved, "m"), card(Question::Held, "a"), card(Question::Held, "b")];
    let why = refusal(Question::Held).unwrap();
    let all = held_id(&[&cards[1], &cards[2]]);
    for id in [&all, &cards[1].id()] {
        assert_eq!(for_all(&cards, id, "remove"), Err(Refused::NotForAll { why }));
    }
    // With one there is no question about all, whatever its id would be.
    let alone = held_id(&[&cards[1]]);
    assert_eq!(for_all(&cards[..2], &alone, "remove"), Err(Refused::NotForAll { why: ANOTHER_WAY }));
    assert_eq!(for_all(&cards, &cards[0].id(), "leave"), Ok((Question::Moved, Choice::Leave)));
    assert_eq!(for_all(&cards, "import_conflict-1", "skip"), Err(Refused::NotForAll { why: ANOTHER_WAY }));
}

#[test]
fn a_question_about_free_times_is_another_once_they_or_what_they_meet_are() {
    let before = world();
    let conflict = |world: &World| open(world, &[], at(0)).last().map(Open::id).unwrap();
    assert!(conflict(&before).starts_with("import_conflict-"));
    let mut after = before.clone();
    let key = after.imported_slots.keys().next().unwrap().clone();
    after.imported_slots.get_mut(&key).unwrap().conflicts.clear();
    assert_ne!(conflict(&before), conflict(&after));
    assert_eq!(answer(&after, &[], at(0), &conflict(&before), "skip"), Err(Refused::NotWaiting));
    assert!(answer(&after, &[], at(0), &conflict(&after), "skip").is_ok());
}

#[test]
fn what_a_file_asks_is_counted_by_question_and_only_where_it_is_about_these_events() {
    let world = world();
    let count = |names: &[&str]| {
        let uids = names.iter().copied().map(uid).collect();
        concerning(&world, &world.imported_slots, &uids, at(0))
    };
    assert_eq!(count(&[]), 0);
    assert_eq!(count(&["dinner"]), 1);
    assert_eq!(count(&["hours"]), 1, "two free times of one event are one question");
    assert_eq!(count(&["dinner", "hours", "other"]), 2);
}

#[test]
fn an_answer_about_a_file_concerns_the_account_of_its_calendar() {
    let world = world();
    let id = open(&world, &[], at(0))[0].id();
    let decided = answer(&world, &[], at(0), &id, ACCEPT).unwrap();
    let account = ConnectionId::of(Service::Google, "amelie@example.com");
    assert_eq!(decided.connections(&world), BTreeSet::from([account]));
    assert_eq!(
        decided.connections(&World::default()),
        BTreeSet::new(),
        "its calendar is not linked any more"
    );
}
