//! Rows and cursor of a reading, and what may be concluded from it.

use calendar::interval::Interval;
use sync::decide::times;
use sync::error::MirrorError;
use sync::ids::{CalendarId, RemoteId};
use sync::news::News;
use sync::ports::{Coverage, Mirror, RemoteEvent};
use sync::world::{LinkedCalendar, MappingState};

use super::rows::anas;
use super::scene::*;
use crate::Sqlite;

fn ids(mirror: &Sqlite) -> Vec<String> {
    let world = mirror.world().unwrap();
    world.events.get(&private().id).into_iter().flatten().map(|(id, _)| id.0.clone()).collect()
}

fn row(mirror: &Sqlite) -> LinkedCalendar {
    mirror.world().unwrap().calendars.remove(&private().id).unwrap()
}

#[test]
fn a_complete_reading_replaces_the_rows_and_makes_the_calendar_known() {
    let mirror = anas();
    assert!(!row(&mirror).known);
    mirror
        .take_events(&private().id, &everything(&[event("e1", 0), event("e2", 5)], Some(&cursor("1"))))
        .unwrap();
    mirror
        .take_events(&private().id, &everything(&[event("e2", 9), event("e3", 5)], Some(&cursor("2"))))
        .unwrap();

    let world = mirror.world().unwrap();
    assert_eq!(ids(&mirror), ["e2", "e3"]);
    assert_eq!(world.events[&private().id][&remote_id("e2")], event("e2", 9));
    assert_eq!((row(&mirror).known, row(&mirror).cursor), (true, Some(cursor("2"))));
}

#[test]
fn a_complete_reading_that_is_empty_is_an_empty_calendar() {
    let mirror = anas();
    mirror.take_events(&private().id, &everything(&[event("e1", 0)], Some(&cursor("1")))).unwrap();
    mirror.take_events(&private().id, &everything(&[], None)).unwrap();
    assert!(ids(&mirror).is_empty());
    assert_eq!((row(&mirror).known, row(&mirror).cursor), (true, None));
}

#[test]
fn a_reading_says_nothing_about_events_of_bookings_that_lie_before_it() {
    let mirror = anas();
    let ours = |id: &str, minutes| stored(&draft(&booking(id, minutes)), "1");
    let (before, inside) = (ours("b1", 0), ours("b2", 600));
    for (id, minutes) in [("b1", 0), ("b2", 600)] {
        let mapping = mapping(&draft(&booking(id, minutes)), "1", MappingState::Synced, 1);
        mirror.put_mapping(&mapping).unwrap();
    }
    let items = [before.clone(), inside, event("hers", 0)];
    mirror.take_events(&target().id, &everything(&items, Some(&cursor("1")))).unwrap();
    let coverage = Coverage::EndingAfter(at(300));
    let news = News::Whole { items: &[], coverage, cursor: Some(&cursor("2")) };
    mirror.take_events(&target().id, &news).unwrap();
    let left = mirror.world().unwrap().events.remove(&target().id).unwrap_or_default();
    assert_eq!(left.into_values().collect::<Vec<_>>(), [before]);
}

#[test]
fn a_reading_of_a_stretch_says_nothing_about_events_of_bookings_before_or_after_it() {
    let mirror = anas();
    let ours = |id: &str, minutes| RemoteEvent {
        created_as: Some(RemoteId(format!("key of {id}"))),
        ..stored(&draft(&booking(id, minutes)), "1")
    };
    let all = [("b1", 0), ("b2", 600), ("b3", 1200)];
    let items = all.map(|(id, minutes)| ours(id, minutes));
    for (id, minutes) in all {
        let mapping = mapping(&draft(&booking(id, minutes)), "1", MappingState::Synced, 1);
        mirror.put_mapping(&mapping).unwrap();
    }
    mirror.take_events(&target().id, &everything(&items, Some(&cursor("1")))).unwrap();
    let coverage = Coverage::Overlapping(Interval::new(at(300), at(1000)).unwrap());
    let news = News::Whole { items: &[], coverage, cursor: Some(&cursor("2")) };
    mirror.take_events(&target().id, &news).unwrap();
    let mut left: Vec<_> =
        mirror.world().unwrap().events.remove(&target().id).unwrap_or_default().into_values().collect();
    left.sort_by_key(times);
    assert_eq!(left, [ours("b1", 0), ours("b3", 1200)]);
}

#[test]
fn a_complete_reading_never_touches_mappings() {
    let mirror = anas();
    let ours = mapping(&draft(&booking("b1", 0)), "1", MappingState::Synced, 1);
    mirror.put_mapping(&ours).unwrap();
    mirror.take_events(&target().id, &everything(&[], Some(&cursor("1")))).unwrap();
    mirror.take_bookings(&everything(&[], Some(&cursor("1")))).unwrap();
    assert_eq!(mirror.world().unwrap().mappings.into_values().collect::<Vec<_>>(), [ours]);
}

#[test]
fn a_delta_changes_what_it_names_and_nothing_else() {
    let mirror = anas();
    let before = [event("e1", 0), event("e2", 5), event("e3", 7)];
    mirror.take_events(&private().id, &everything(&before, Some(&cursor("1")))).unwrap();
    mirror
        .take_events(
            &private().id,
            &News::Changes {
                changed: &[event("e1", 9), event("e4", 9)],
                removed: &[remote_id("e2"), remote_id("never seen")],
                cursor: &cursor("2"),
            },
        )
        .unwrap();

    let events = mirror.world().unwrap().events.remove(&private().id).unwrap();
    assert_eq!(ids(&mirror), ["e1", "e3", "e4"]);
    assert_eq!(events[&remote_id("e1")], event("e1", 9));
    assert_eq!(row(&mirror).cursor, Some(cursor("2")));
}

#[test]
fn a_partial_reading_leaves_the_cursor_and_proves_nothing() {
    let mirror = anas();
    mirror.take_events(&private().id, &News::Half { items: &[event("e1", 0)] }).unwrap();
    assert_eq!((row(&mirror).known, row(&mirror).cursor), (false, None));

    mirror.take_events(&private().id, &everything(&[event("e1", 0)], Some(&cursor("1")))).unwrap();
    mirror.take_events(&private().id, &News::Half { items: &[event("e2", 0)] }).unwrap();
    assert_eq!(ids(&mirror), ["e1", "e2"]);
    assert_eq!((row(&mirror).known, row(&mirror).cursor), (true, Some(cursor("1"))));
}

#[test]
fn an_event_both_changed_and_removed_stays() {
    let mirror = anas();
    mirror
        .take_events(
            &private().id,
            &News::Changes { changed: &[event("e1", 0)], removed: &[remote_id("e1")], cursor: &cursor("1") },
        )
        .unwrap();
    assert_eq!(ids(&mirror), ["e1"]);
}

#[test]
fn a_forgotten_cursor_leaves_the_rows_and_what_is_known() {
    let mirror = anas();
    mirror.take_events(&private().id, &everything(&[event("e1", 0)], Some(&cursor("1")))).unwrap();
    mirror.take_events(&target().id, &everything(&[], Some(&cursor("other")))).unwrap();
    mirror.take_bookings(&everything(&[booking("b1", 0)], Some(&cursor("b")))).unwrap();
    mirror.forget_cursor(Some(&private().id)).unwrap();

    let world = mirror.world().unwrap();
    assert_eq!(ids(&mirror), ["e1"]);
    assert_eq!((row(&mirror).known, row(&mirror).cursor), (true, None));
    assert_eq!(world.calendars[&target().id].cursor, Some(cursor("other")));
    assert_eq!(world.bookings_cursor, Some(cursor("b")));

    mirror.forget_cursor(None).unwrap();
    let world = mirror.world().unwrap();
    assert_eq!((world.bookings.len(), world.bookings_cursor), (1, None));
}

#[test]
fn a_reading_of_a_calendar_that_is_gone_is_refused_whole() {
    let mirror = anas();
    let gone = CalendarId::from("cal-gone");
    let error = mirror.take_events(&gone, &everything(&[event("e1", 0)], Some(&cursor("1")))).unwrap_err();
    assert!(matches!(&error, MirrorError::Failed { reason } if reason.contains("cal-gone")), "{error}");
    assert!(mirror.world().unwrap().events.is_empty());
}

#[test]
fn bookings_are_read_like_events() {
    let mirror = anas();
    let ids = || mirror.world().unwrap().bookings.into_keys().map(|id| id.0).collect::<Vec<_>>();
    let at_cursor = || mirror.world().unwrap().bookings_cursor;

    mirror.take_bookings(&everything(&[booking("b1", 0), booking("b2", 9)], Some(&cursor("1")))).unwrap();
    assert_eq!((ids(), at_cursor()), (vec!["b1".into(), "b2".into()], Some(cursor("1"))));

    mirror
        .take_bookings(&News::Changes {
            changed: &[booking("b3", 0)],
            removed: &[booking_id("b1")],
            cursor: &cursor("2"),
        })
        .unwrap();
    assert_eq!((ids(), at_cursor()), (vec!["b2".into(), "b3".into()], Some(cursor("2"))));

    mirror.take_bookings(&News::Half { items: &[booking("b4", 0)] }).unwrap();
    assert_eq!((ids(), at_cursor()), (vec!["b2".into(), "b3".into(), "b4".into()], Some(cursor("2"))));

    mirror.take_bookings(&everything(&[booking("b4", 30)], None)).unwrap();
    assert_eq!((ids(), at_cursor()), (vec!["b4".into()], None));
    assert_eq!(mirror.world().unwrap().bookings[&booking_id("b4")], booking("b4", 30));

    mirror
        .take_bookings(&News::Found { standing: &[booking("b4", 0)], deleted: &[booking_id("b4")] })
        .unwrap();
    assert_eq!(ids(), ["b4"], "what is both changed and removed stays");
}
