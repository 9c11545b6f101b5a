//! Each case is one operation that a crash left open, and what stands when it is looked for.

use super::*;
use crate::ids::{BookingId, ProposalId, RemoteId};
use crate::made::{at, booked, calendar, draft, event, mapped, moved, span, titled, world};
use crate::ports::Marker;
use crate::proposal::{Ending, Proposal};

fn with_booking(change: impl FnOnce(&mut Booking)) -> World {
    booked(World::default(), change)
}

fn concluded(operation: &Operation, world: &World) -> Settled {
    conclude(operation, world, at(0)).expect("what can be told")
}

#[track_caller]
fn assert_open(operation: &Operation, world: &World) {
    assert_eq!(concluded(operation, world), interrupted());
}

#[test]
fn a_create_was_done_where_its_event_stands_under_its_key_and_proves_to_be_the_bookings() {
    let create = Operation::CreateEvent { calendar: calendar(), draft: draft(1) };
    let made = event(&draft(1), "1");
    let hers = moved(&titled(&made, "Nadia"), 5);
    for standing in [&made, &hers] {
        let Settled::Stored { mapping, event } = concluded(&create, &world(std::slice::from_ref(standing)))
        else {
            panic!("it stands: {standing:?}");
        };
        assert_eq!((*event, &mapping.event), (standing.clone(), &standing.id));
    }
    // Without its marker it is the event that says what was sent, and no other.
    let unmarked = RemoteEvent { marker: None, ..made.clone() };
    assert!(matches!(concluded(&create, &world(std::slice::from_ref(&unmarked))), Settled::Stored { .. }));
    assert_open(&create, &world(&[moved(&unmarked, 5)]));
    let of_another = Some(Marker { booking: "other".into(), generation: 0 });
    assert_open(&create, &world(&[moved(&RemoteEvent { marker: of_another, ..made.clone() }, 5)]));
    // Another event says nothing about this one.
    let elsewhere = RemoteEvent { id: RemoteId::from("another"), ..made };
    assert_open(&create, &world(&[elsewhere]));
    assert_open(&create, &World::default());
}

#[test]
fn a_change_was_done_where_the_event_is_another_than_before_and_says_or_stands_where_it_was_sent() {
    let before = event(&draft(1), "1");
    let update = |draft: Draft| Operation::UpdateEvent {
        calendar: calendar(),
        event: before.id.clone(),
        base: before.etag.clone(),
        draft,
        before: Box::new(before.clone()),
    };
    let is_done = |draft: Draft, standing: &RemoteEvent| {
        let world = mapped(world(std::slice::from_ref(standing)), &before);
        let settled = concluded(&update(draft), &world);
        if let Settled::Stored { mapping, .. } = &settled {
            assert_eq!(mapping.created_at, at(-100), "it is as old as it was");
            return true;
        }
        assert_eq!(settled, interrupted());
        false
    };
    let renamed = Draft { title: "Booking: Colour".to_owned(), ..draft(1) };
    assert!(is_done(draft(2), &event(&draft(2), "2")));
    assert!(is_done(draft(2), &titled(&event(&draft(2), "2"), "hers")), "she wrote on it since");
    assert!(is_done(renamed.clone(), &titled(&before, "Booking: Colour")));
    let elsewhere = moved(&titled(&before, "Booking: Colour"), 5);
    assert!(is_done(renamed.clone(), &elsewhere), "she moved it since, and the words are ours");
    let times_alone = Draft { times_only: true, ..renamed.clone() };
    assert!(!is_done(times_alone, &elsewhere), "words were not sent");
    assert!(!is_done(draft(2), &before), "it stands as before");
    assert!(!is_done(draft(2), &moved(&before, 3)), "she moved it");
    assert!(!is_done(renamed, &titled(&before, "hers")), "she named it, and it stood there before");
    // What was sent is what stood there already: nothing shows that it was done.
    assert!(!is_done(draft(1), &before));
    let unknown = world(&[event(&draft(2), "2")]);
    assert_open(&update(draft(2)), &unknown);
    assert_open(&update(draft(2)), &mapped(World::default(), &before));
}

#[test]
fn a_removal_was_done_where_nothing_stands_and_keeps_what_was_to_be_remembered() {
    let first = event(&draft(1), "1");
    let second = RemoteEvent { id: RemoteId::from("second"), ..first.clone() };
    let remove = |of: &RemoteEvent| Operation::RemoveEvent {
        calendar: calendar(),
        booking: "b".into(),
        event: of.id.clone(),
        base: of.etag.clone(),
        before: Box::new(of.clone()),
        remember: Some("held:gone".to_owned()),
    };
    let Settled::Removed { mapping } = concluded(&remove(&first), &mapped(World::default(), &first)) else {
        panic!("it is gone");
    };
    assert_eq!(mapping.written.as_deref(), Some("held:gone"));
    assert_eq!((mapping.echo.as_deref(), mapping.etag.as_ref()), (None, None));
    // One that the mirror does not point at leaves the row as it is.
    let gone = Settled::SecondRemoved { calendar: calendar(), event: second.id.clone() };
    assert_eq!(concluded(&remove(&second), &mapped(world(std::slice::from_ref(&first)), &first)), gone);
    assert_eq!(concluded(&remove(&second), &World::default()), gone);
    for of in [&first, &second] {
        assert_open(&remove(of), &mapped(world(std::slice::from_ref(of)), &first));
        assert_open(&remove(of), &world(std::slice::from_ref(of)));
    }
}

#[test]
fn what_she_decided_about_a_booking_was_done_where_the_booking_says_so() {
    let (calendar, id, key) = (calendar(), BookingId::from("b"), "key".to_owned());
    let move_to = Operation::MoveBooking {
        calendar: calendar.clone(),
        booking: id.clone(),
        to: span(5),
        key: key.clone(),
        before: None,
    };
    let propose = Operation::ProposeMove {
        calendar: calendar.clone(),
        booking: id.clone(),
        to: span(5),
        key: key.clone(),
    };
    let withdraw = Operation::WithdrawProposal {
        calendar: calendar.clone(),
        booking: id.clone(),
        proposal: "p1".into(),
        key: key.clone(),
    };
    let cancel = Operation::CancelBooking { calendar, booking: id, key };
    let there = with_booking(|row| (row.start, row.end) = (at(5), at(6)));
    let longer = with_booking(|row| (row.start, row.end) = (at(5), at(7)));
    let cancelled = with_booking(|row| row.status = BookingStatus::Cancelled);
    let waits = |id: &str, hour| {
        let (id, to) = (ProposalId::from(id), span(hour));
        with_booking(|row| row.proposal = Proposal::Waiting { id, to })
    };
    let declined = with_booking(|row| {
        row.proposal = Proposal::Over { id: "p1".into(), to: span(5), how: Ending::Declined };
    });
    let asked = with_booking(|_| {});
    for (operation, world, done) in [
        (&move_to, &there, true),
        (&move_to, &longer, false),
        (&move_to, &asked, false),
        (&move_to, &World::default(), false),
        (&propose, &there, true),
        (&propose, &waits("p1", 5), true),
        (&propose, &declined, true),
        (&propose, &waits("p1", 6), false),
        (&propose, &longer, false),
        (&propose, &asked, false),
        (&propose, &World::default(), false),
        (&withdraw, &waits("p1", 5), false),
        (&withdraw, &waits("p2", 5), true),
        (&withdraw, &declined, true),
        (&withdraw, &World::default(), true),
        (&cancel, &cancelled, true),
        (&cancel, &asked, false),
        (&cancel, &World::default(), false),
    ] {
        let expected = if done { Settled::BookingChanged } else { interrupted() };
        assert_eq!(concluded(operation, world), expected, "{operation:?} in {:?}", world.bookings);
    }
}
