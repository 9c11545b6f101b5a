//! What is planned for one booking and its event, in a world of a calendar or two.

use super::*;
use crate::booking::{Booking, BookingStatus, Draft, event_id};
use crate::decide::{Question, with_her_words};
use crate::ids::{ConnectionId, RemoteCalendarId, Service};
use crate::made::{
    at, booked, booking, calendar, copied, draft, event, life, linked, mapped, moved, row, signed_in, span,
    titled, world,
};
use crate::policy::Deletions;
use crate::ports::{BusySet, CalendarEntry, RemoteEvent};
use crate::world::{Answer, Choice, Connection, Given, LinkedCalendar, MappingState, OperationId};
use calendar::event::Transparency;

/// When it is planned, in hours: before every booking here.
const NOW: i64 = 0;

/// A world whose calendar for bookings is reached and was read.
fn reached(world: World) -> World {
    let mut world = signed_in(world);
    for calendar in world.calendars.values_mut() {
        calendar.known = true;
    }
    world
}

fn planned(world: &World) -> Plan {
    plan(world, at(NOW), &Policy::default())
}

fn questions(plan: &Plan) -> Vec<Question> {
    plan.cards.iter().map(|card| card.question).collect()
}

/// Another calendar of hers, whose events block time and whose name comes first.
fn beside(world: &mut World, events: Vec<RemoteEvent>) -> CalendarId {
    let entry = CalendarEntry {
        remote: RemoteCalendarId::from("private"),
        name: "Private".to_owned(),
        time_zone: None,
        writable: true,
        primary: true,
        ours: false,
    };
    let mut private = LinkedCalendar::new(&linked().connection, &entry, Role::Busy, 5, at(-200));
    (private.known, private.id) = (true, CalendarId::from("a-private"));
    let id = private.id.clone();
    world.events.insert(id.clone(), events.into_iter().map(|event| (event.id.clone(), event)).collect());
    world.calendars.insert(id.clone(), private);
    id
}

fn chosen(world: &mut World, card: &Card, choice: Choice) {
    let answer = Answer {
        booking: card.booking.clone(),
        calendar: card.calendar.clone(),
        topic: card.topic(),
        card: card.id(),
        choice,
        given: Given::ByHer,
        at: at(NOW),
    };
    world.answers.insert(card.id(), answer);
}

#[test]
fn an_event_that_is_as_it_should_be_is_counted_while_its_booking_is_to_come() {
    let ours = event(&draft(1), "1");
    let settled = mapped(booked(reached(world(std::slice::from_ref(&ours))), |_| {}), &ours);
    assert_eq!(planned(&settled).unchanged, 1);
    assert_eq!(plan(&settled, at(50), &Policy::default()).unchanged, 0);
}

#[test]
fn an_event_that_proves_to_be_ours_is_as_old_as_what_was_known_of_it() {
    // Its create was not confirmed.
    let ours = event(&draft(1), "1");
    let mut unconfirmed = booked(reached(world(std::slice::from_ref(&ours))), |_| {});
    let unsure = Mapping { echo: None, state: MappingState::Error, ..row(&ours) };
    unconfirmed.mappings.insert(("b".into(), calendar()), unsure);
    let notes = planned(&unconfirmed).notes;
    assert_eq!((notes.len(), notes[0].created_at, notes[0].updated_at), (1, at(-100), at(NOW)));

    // Another computer wrote it anew in its next life.
    let next = event(&life(1, 1), "9");
    let anew = mapped(booked(reached(world(&[next])), |_| {}), &ours);
    let notes = planned(&anew).notes;
    assert_eq!((notes.len(), notes[0].generation, notes[0].created_at), (1, 1, at(-100)));
}

#[test]
fn where_a_booking_came_to_the_event_that_she_had_moved_her_words_stay_hers() {
    let ours = event(&draft(1), "1");
    let hers = titled(&moved(&ours, 5), "Nadia, by the door");
    let met = mapped(booked(reached(world(&[hers])), |row| (row.start, row.end) = (at(5), at(6))), &ours);
    let notes = planned(&met).notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].written, Some(with_her_words(&draft(5).checksum)));
}

#[test]
fn an_event_whose_removal_was_held_is_in_step_again_once_its_booking_is_back() {
    let ours = event(&draft(1), "1");
    let mut back = booked(reached(world(std::slice::from_ref(&ours))), |_| {});
    let held = Mapping { state: MappingState::Pending, ..row(&ours) };
    back.mappings.insert(("b".into(), calendar()), held.clone());
    let synced = Mapping { state: MappingState::Synced, updated_at: at(NOW), ..held };
    assert_eq!(planned(&back).notes, [synced]);
}

#[test]
fn where_a_killed_run_put_an_event_is_not_taken_for_a_move_of_hers() {
    let ours = event(&draft(1), "1");
    let there = moved(&ours, 3);
    let mut killed = mapped(
        booked(reached(world(std::slice::from_ref(&there))), |row| {
            (row.start, row.end) = (at(5), at(6));
        }),
        &ours,
    );
    let update = |calendar: CalendarId, draft: Draft| Operation::UpdateEvent {
        calendar,
        event: ours.id.clone(),
        base: ours.etag.clone(),
        draft,
        before: Box::new(ours.clone()),
    };
    let mut plan_after = |open: Operation| {
        killed.unsettled = vec![(OperationId(1), open)];
        planned(&killed)
    };
    let plan = plan_after(update(calendar(), draft(3)));
    assert_eq!(questions(&plan), []);
    let [Operation::UpdateEvent { draft: written, base, .. }] = plan.writes.as_slice() else {
        panic!("{:?}", plan.writes)
    };
    assert_eq!((written.start, base), (at(5), &there.etag));

    // What was meant for another booking, or another calendar, says nothing of this event.
    let others = Draft { booking: "other".into(), ..draft(3) };
    for open in [update(calendar(), others), update("elsewhere".into(), draft(3))] {
        let plan = plan_after(open);
        assert_eq!((questions(&plan), plan.writes.len()), (vec![Question::MovedBoth], 0));
    }
}

#[test]
fn an_event_that_says_already_what_its_booking_came_to_say_is_not_written_again() {
    let ours = event(&draft(1), "1");
    let mut killed = mapped(
        booked(reached(world(&[event(&draft(5), "2")])), |row| {
            (row.start, row.end) = (at(5), at(6));
        }),
        &ours,
    );
    let update = Operation::UpdateEvent {
        calendar: calendar(),
        event: ours.id.clone(),
        base: ours.etag.clone(),
        draft: draft(5),
        before: Box::new(ours),
    };
    killed.unsettled = vec![(OperationId(1), update)];
    let plan = planned(&killed);
    assert_eq!((plan.writes.len(), plan.notes.len()), (0, 1), "{plan:#?}");
    assert_eq!(plan.notes[0].created_at, at(-100));
}

#[test]
fn how_many_may_go_at_once_is_counted_in_the_calendar_that_they_are_in() {
    let ours = event(&draft(1), "1");
    let mut gone = mapped(reached(world(std::slice::from_ref(&ours))), &ours);
    let policy = Policy { deletions: Deletions { at_most: 0, percent: 50 }, ..Policy::default() };
    // Twenty that stand elsewhere do not make one of one a small part.
    for other in 0..20 {
        let elsewhere = CalendarId::from("elsewhere");
        let name = crate::ids::BookingId(format!("other{other}"));
        let row = Mapping { calendar: elsewhere.clone(), booking: name.clone(), ..row(&ours) };
        gone.mappings.insert((name, elsewhere), row);
    }
    let plan_now = |world: &World| plan(world, at(NOW), &policy);
    let held = plan_now(&gone);
    assert_eq!((questions(&held), held.writes.len()), (vec![Question::Held], 0));
    let pending = Mapping { state: MappingState::Pending, updated_at: at(NOW), ..row(&ours) };
    assert_eq!(held.notes, std::slice::from_ref(&pending));

    gone.mappings.insert(("b".into(), calendar()), pending);
    let again = plan_now(&gone);
    assert_eq!((questions(&again), again.notes.len()), (vec![Question::Held], 0), "it is noted once");
}

#[test]
fn an_event_that_she_deleted_and_wants_back_begins_another_life() {
    let ours = event(&life(1, 1), "1");
    let mut deleted = booked(reached(world(&[])), |_| {});
    deleted.mappings.insert(("b".into(), calendar()), Mapping { generation: 1, ..row(&ours) });
    let asked = planned(&deleted);
    assert_eq!(questions(&asked), [Question::Deleted]);
    chosen(&mut deleted, &asked.cards[0], Choice::PutBack);
    let plan = planned(&deleted);
    let [Operation::CreateEvent { draft, .. }] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    assert_eq!((draft.generation, &draft.id), (2, &event_id(&"b".into(), &linked().remote, 2)));
}

#[test]
fn only_what_takes_up_time_itself_lies_over_a_booking() {
    let ours = event(&draft(1), "1");
    let hers = |id: &str, title: &str| {
        let mut event = copied(&titled(&ours, title), id);
        event.event.uid = calendar::event::Uid(id.to_owned());
        event
    };
    let mut free = hers("free", "Perhaps");
    free.event.transparency = Transparency::Transparent;
    let copy = RemoteEvent { marker: ours.marker.clone(), ..hers("copy", "Booking") };
    let mut others_copy = copy.clone();
    others_copy.id = "others".into();
    others_copy.marker.as_mut().unwrap().booking = "other".into();

    let mut both = mapped(booked(reached(world(std::slice::from_ref(&ours))), |_| {}), &ours);
    let private = beside(&mut both, vec![hers("dentist", "Dentist"), free, copy, others_copy]);
    let over = |world: &World| {
        let cards = planned(world).cards;
        let card = cards.into_iter().find(|card| card.question == Question::Overlap)?;
        let About::Overlap(over) = card.about else { panic!("{:?}", card.about) };
        Some((card.calendar, over.into_iter().map(|over| over.title).collect::<Vec<_>>()))
    };
    let expected = (calendar(), vec!["Booking".to_owned(), "Dentist".to_owned()]);
    assert_eq!(over(&both), Some(expected), "the other booking's copy and what is hers");

    // A copy that she lets be booked over is no clash either, nor one that we are told nothing of.
    let extra = Booking { id: "other".into(), status: BookingStatus::Cancelled, ..booking(1) };
    both.bookings.insert(extra.id.clone(), extra);
    let cards = planned(&both).cards;
    let copies = cards.iter().filter(|card| card.about == About::Copy("others".into()));
    for card in copies.cloned().collect::<Vec<_>>() {
        chosen(&mut both, &card, Choice::Unblock);
    }
    assert_eq!(over(&both), Some((calendar(), vec!["Dentist".to_owned()])));
    both.calendars.get_mut(&private).unwrap().role = Role::Off;
    assert_eq!(over(&both), None);
}

#[test]
fn a_copy_in_a_calendar_that_does_not_count_or_was_never_read_is_not_asked_about() {
    let ours = event(&draft(1), "1");
    let mut both = mapped(booked(reached(world(std::slice::from_ref(&ours))), |_| {}), &ours);
    let copy = RemoteEvent { marker: ours.marker.clone(), ..copied(&ours, "copy") };
    let private = beside(&mut both, vec![copy]);
    let asks = |world: &World| questions(&planned(world)).contains(&Question::Duplicated);
    assert!(asks(&both));
    let mut of_role = |role, known| {
        let row = both.calendars.get_mut(&private).unwrap();
        (row.role, row.known) = (role, known);
        asks(&both)
    };
    assert!(!of_role(Role::Off, true) && !of_role(Role::Busy, false) && !of_role(Role::Off, false));
}

#[test]
fn an_account_is_another_one_if_it_came_later_and_counts_what_stays_in_this_calendar() {
    let ours = event(&draft(1), "1");
    let mut two = mapped(booked(reached(world(std::slice::from_ref(&ours))), |_| {}), &ours);
    let elsewhere = CalendarId::from("elsewhere");
    let stranger = Mapping { calendar: elsewhere.clone(), booking: "x".into(), ..row(&ours) };
    two.mappings.insert(("x".into(), elsewhere), stranger);
    let burnt = Mapping { state: MappingState::Removed, booking: "y".into(), ..row(&ours) };
    two.mappings.insert(("y".into(), calendar()), burnt);
    let mut asked = |created| {
        let hers = two.connections[&linked().connection].clone();
        let id = ConnectionId::of(Service::Google, "zoe@example.com");
        let other = Connection { id, created_at: at(created), ..hers };
        two.connections.insert(other.id.clone(), other);
        planned(&two).cards.into_iter().find(|card| card.question == Question::AccountChanged)
    };
    assert_eq!(asked(-201), None);
    assert_eq!(asked(-200), None, "neither came later");
    let About::Account { bookings, stay, .. } = asked(-199).unwrap().about else { panic!("an account") };
    assert_eq!((bookings, stay), (1, 1));
}

#[test]
fn what_presses_is_asked_first() {
    // Its words are hers, and something of hers lies over it.
    let ours = event(&draft(1), "1");
    let mut both = mapped(booked(reached(world(&[titled(&ours, "Nadia")])), |_| {}), &ours);
    let mut dentist = copied(&titled(&ours, "Dentist"), "dentist");
    dentist.event.uid = calendar::event::Uid("dentist".to_owned());
    beside(&mut both, vec![dentist]);
    assert_eq!(questions(&planned(&both)), [Question::Overlap, Question::Renamed]);
}

#[test]
fn a_plan_that_does_anything_at_all_is_not_empty() {
    assert!(Plan::default().is_empty());
    let create = Operation::CreateEvent { calendar: calendar(), draft: draft(1) };
    let cancel =
        Operation::CancelBooking { calendar: calendar(), booking: "b".into(), key: "key".to_owned() };
    let set = BusySet::of(Service::Google, calendar(), span(0), Vec::new());
    for plan in [
        Plan { writes: vec![create], ..Plan::default() },
        Plan { notes: vec![row(&event(&draft(1), "1"))], ..Plan::default() },
        Plan { publish: vec![Operation::PublishBusy { set, before: None }], ..Plan::default() },
        Plan { answers: vec![cancel], ..Plan::default() },
    ] {
        assert!(!plan.is_empty(), "{plan:?}");
    }
}
