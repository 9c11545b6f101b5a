//! Ours and hers among the events of the calendar for bookings.

use super::*;
use crate::made::{
    at, booked, copied, draft, event, life, linked, mapped, moved, row, signed_in, titled, world,
};

/// What proves to be ours of this one event.
fn ours(world: &World, event: &RemoteEvent) -> Option<Ours> {
    let mut leaving = judge(world, &linked(), false, [event], at(0));
    assert!(leaving.ours.len() < 2, "{leaving:#?}");
    leaving.ours.pop()
}

#[test]
fn a_row_proves_an_event_to_be_ours_while_it_stands_and_in_its_own_calendar_alone() {
    // Nothing on the event itself proves anything.
    let bare = copied(&event(&draft(1), "1"), "given");
    let with = |change: fn(&mut Mapping)| {
        let mut world = signed_in(world(&[]));
        let mut row = row(&bare);
        change(&mut row);
        world.mappings.insert((row.booking.clone(), row.calendar.clone()), row);
        world
    };
    assert_eq!(ours(&with(|_| {}), &bare).map(|ours| ours.booking), Some("b".into()));
    assert_eq!(ours(&with(|row| row.calendar = "another".into()), &bare), None);
    assert_eq!(ours(&with(|row| row.state = MappingState::Removed), &bare), None);
}

#[test]
fn what_is_removed_is_what_was_just_seen() {
    let written = event(&draft(1), "1");
    let seen = RemoteEvent { etag: "2".into(), ..written.clone() };
    let ours = ours(&mapped(signed_in(world(&[])), &written), &seen).expect("it is ours");
    assert_eq!(ours.mapping.etag, Some("2".into()));
}

#[test]
fn an_event_is_changed_where_it_is_not_as_we_last_wrote_it_whatever_its_booking_says_since() {
    let written = event(&draft(1), "1");
    let asks_for_another_time = |booking: &mut crate::booking::Booking| booking.start = at(0);
    let world = booked(mapped(signed_in(world(&[])), &written), asks_for_another_time);
    let is_changed = |event| ours(&world, &event).expect("it is ours").changed;
    assert!(!is_changed(written.clone()));
    assert!(is_changed(titled(&written, "Nadia")));
    assert!(is_changed(moved(&written, 5)));
}

#[test]
fn an_event_of_ours_that_no_row_knows_is_changed_where_it_is_not_as_its_booking_says() {
    let first = titled(&event(&draft(1), "1"), "Nadia");
    // The row of the booking speaks of its other event.
    let world = booked(mapped(signed_in(world(&[])), &first), |_| {});
    let second = event(&life(1, 1), "2");
    let is_changed = |event| ours(&world, &event).expect("it is ours").changed;
    assert!(!is_changed(second.clone()));
    assert!(is_changed(titled(&second, "Nadia")));
}
