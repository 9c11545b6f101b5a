//! A booking becomes an event: under its key, once, as it was written.

use calendar::busy::Reason;
use calendar::event::{Status, Transparency};
use jiff::SignedDuration;
use sync::booking::{Booking, Draft};
use sync::decide::{says, times};
use sync::error::ServiceError;
use sync::ports::{Probe, RemoteEvent};

use crate::contract::reading::{Target, at, booking, is_of, placed, placed_between, read_all, utc};
use crate::contract::room::{Done, Keepsake, Room};

crate::cases![
    a_booking_stands_under_its_key_at_its_time,
    the_same_create_again_makes_no_second_event,
    the_same_create_again_changes_nothing,
    what_was_created_is_read_as_it_was_answered,
    the_marker_names_booking_and_generation,
    what_a_create_led_to_is_found_by_its_draft,
    what_was_never_created_is_not_found,
    after_a_deletion_the_same_key_never_makes_two,
    after_a_deletion_the_next_life_of_a_booking_has_an_event,
    two_lives_of_one_booking_are_two_events,
    the_same_booking_in_two_calendars_is_two_events,
    a_new_event_is_confirmed_and_blocks,
    a_new_event_does_not_repeat,
    nobody_is_invited,
    words_of_every_script_are_stored,
    emoji_and_characters_of_four_bytes_are_stored,
    a_thousand_characters_of_notes_are_stored,
    a_bare_carriage_return_breaks_nothing,
    what_looks_like_markup_stays_text,
    an_event_without_a_description_has_none,
    a_booking_over_midnight_is_one_event,
    a_booking_over_the_end_of_summer_time_is_as_long_as_it_is,
    a_booking_of_five_minutes_and_one_of_twelve_hours_are_stored_to_the_minute,
    a_booking_that_is_over_can_be_written,
    ten_bookings_are_ten_events,
];

async fn a_booking_stands_under_its_key_at_its_time(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    assert_eq!(*stored.key(), draft.id);
    assert_eq!(stored.id == draft.id, room.traits().takes_our_ids);
    assert_eq!(times(&stored), Some((at(20), at(21))));
    assert!(says(&stored, &draft), "{stored:?}");
    assert!(!stored.etag.as_str().is_empty());
    Ok(())
}

async fn the_same_create_again_makes_no_second_event(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    for _ in 0..2 {
        match target.calendar.create(&draft).await {
            Err(ServiceError::Exists { .. }) => {}
            Ok(again) => assert_eq!(again.id, stored.id),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(read_all(target.calendar.as_ref()).await.0.len(), 1);
    Ok(())
}

async fn the_same_create_again_changes_nothing(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let other = Draft { title: "Another".to_owned(), ..draft };
    let _ = target.calendar.create(&other).await;
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!((&items[0].event, &items[0].etag), (&stored.event, &stored.etag));
    Ok(())
}

async fn what_was_created_is_read_as_it_was_answered(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert!(is_of(&items[0], &draft));
    let without_marker = |event: &RemoteEvent| RemoteEvent { marker: None, ..event.clone() };
    assert_eq!(without_marker(&items[0]), without_marker(&stored));
    Ok(())
}

async fn the_marker_names_booking_and_generation(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let draft = target.draft_again(room, &booking("a", 20), 3);
    let stored = target.calendar.create(&draft).await.expect("it is created");
    let marker = stored.marker.as_ref().expect("a marker");
    assert_eq!((&marker.booking, marker.generation), (&draft.booking, 3));
    let Ok(Probe::Live(found)) = target.calendar.find(&draft).await else { panic!("it is found") };
    assert_eq!(found.marker, stored.marker);
    Ok(())
}

async fn what_a_create_led_to_is_found_by_its_draft(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let Ok(Probe::Live(found)) = target.calendar.find(&draft).await else { panic!("it is found") };
    assert_eq!((&found.id, &found.etag, &found.event), (&stored.id, &stored.etag, &stored.event));
    Ok(())
}

async fn what_was_never_created_is_not_found(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    target.with_event(room, "a", 20).await;
    let draft = target.draft(room, &booking("b", 22));
    assert_eq!(target.calendar.find(&draft).await, Ok(Probe::Absent));
    Ok(())
}

async fn after_a_deletion_the_same_key_never_makes_two(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    let mut made = 0;
    for _ in 0..2 {
        made += usize::from(target.calendar.create(&draft).await.is_ok());
    }
    let standing = read_all(target.calendar.as_ref()).await.0.len();
    assert!(standing <= 1 && standing <= made, "{standing} stand, {made} were made");
    assert!(!room.traits().burns_ids || made == 0, "a burnt id was used");
    Ok(())
}

async fn after_a_deletion_the_next_life_of_a_booking_has_an_event(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    let next = target.draft_again(room, &booking("a", 20), 1);
    let again = target.calendar.create(&next).await.expect("it is created");
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&again.id]);
    assert!(is_of(&items[0], &next));
    Ok(())
}

async fn two_lives_of_one_booking_are_two_events(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, one) = target.with_event(room, "a", 20).await;
    let next = target.draft_again(room, &booking("a", 20), 1);
    let two = target.calendar.create(&next).await.expect("another key is another event");
    assert_ne!(one.id, two.id);
    assert_eq!(read_all(target.calendar.as_ref()).await.0.len(), 2);
    Ok(())
}

async fn the_same_booking_in_two_calendars_is_two_events(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let other = Target::made(room.account(), "Bookiji again").await;
    let (one, _) = target.with_event(room, "a", 20).await;
    let (two, _) = other.with_event(room, "a", 20).await;
    assert_ne!(one.id, two.id);
    for (calendar, draft) in [(&target, &one), (&other, &two)] {
        let (items, _) = read_all(calendar.calendar.as_ref()).await;
        assert_eq!(items.len(), 1);
        assert!(is_of(&items[0], draft));
    }
    Ok(())
}

async fn a_new_event_is_confirmed_and_blocks(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    assert_eq!((stored.event.status, stored.event.transparency), (Status::Confirmed, Transparency::Opaque));
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(placed(&items), [(at(20), at(21), Reason::Busy)]);
    Ok(())
}

async fn a_new_event_does_not_repeat(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    assert!(!stored.event.repeats() && stored.event.instance.is_none(), "{stored:?}");
    Ok(())
}

async fn nobody_is_invited(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    assert!(!room.she_sees(&target.remote, &stored.id, Keepsake::Guest).await?);
    assert_eq!(stored.event.answer, None);
    Ok(())
}

/// Writes the words, and holds that they come back as they are.
async fn stored_with(room: &dyn Room, title: &str, description: &str) -> RemoteEvent {
    let target = Target::of(room).await;
    let draft = target.draft(room, &booking("a", 20));
    let draft = Draft { title: title.to_owned(), description: description.to_owned(), ..draft };
    target.calendar.create(&draft).await.expect("it is created");
    let (mut items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(times(&items[0]), Some((at(20), at(21))), "the words change no time");
    items.remove(0)
}

async fn words_of_every_script_are_stored(room: &dyn Room) -> Done {
    let title = "Réservation : coupe – Ångström, Łódź, Ελλάδα, Привет, مرحبا, שלום, नमस्ते, 予約, 예약";
    let read = stored_with(room, title, "Größe: 3 ½ Fuß; naïve, façade\nzweite Zeile").await;
    assert_eq!(read.event.summary, title);
    assert_eq!(read.event.description.trim_end(), "Größe: 3 ½ Fuß; naïve, façade\nzweite Zeile");
    Ok(())
}

async fn emoji_and_characters_of_four_bytes_are_stored(room: &dyn Room) -> Done {
    let title = "💇‍♀️ Coupe 𝔸 𠮷野家 👩🏽‍🤝‍👩🏻";
    let read = stored_with(room, title, &"🧴".repeat(90)).await;
    assert_eq!(read.event.summary, title);
    assert_eq!(read.event.description.trim_end(), "🧴".repeat(90), "no fold goes through a character");
    Ok(())
}

async fn a_thousand_characters_of_notes_are_stored(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let long = Booking { notes: Some("Café crème, s’il vous plaît. ".repeat(60)), ..booking("a", 20) };
    let draft = target.draft(room, &long);
    assert!(draft.description.chars().count() > 1000);
    target.calendar.create(&draft).await.expect("it is created");
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items[0].event.description.trim_end(), draft.description.trim_end());
    Ok(())
}

async fn a_bare_carriage_return_breaks_nothing(room: &dyn Room) -> Done {
    let read = stored_with(room, "Before\rafter", "one\rtwo\r\nthree").await;
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(letters(&read.event.summary), "Beforeafter");
    assert_eq!(letters(&read.event.description), "onetwothree");
    Ok(())
}

async fn what_looks_like_markup_stays_text(room: &dyn Room) -> Done {
    let title = "<b>&amp;</b> \\n END:VEVENT; DTSTART:20300101T000000Z";
    let description =
        "x\nEND:VEVENT\nBEGIN:VEVENT\nUID:second\nDTSTART:20261201T000000Z\n]]> <!-- \"quoted\" 'too' ${x}";
    let read = stored_with(room, title, description).await;
    assert_eq!((read.event.summary.as_str(), read.event.description.trim_end()), (title, description));
    Ok(())
}

async fn an_event_without_a_description_has_none(room: &dyn Room) -> Done {
    let read = stored_with(room, "Booking", "").await;
    assert_eq!(read.event.description.trim(), "");
    Ok(())
}

/// Writes a booking of these times and reads when it is.
async fn stored_at(room: &dyn Room, start: &str, minutes: i64) -> Done {
    let target = Target::of(room).await;
    stored_in(room, &target, "a", start, minutes).await;
    Ok(())
}

async fn stored_in(room: &dyn Room, target: &Target, name: &str, start: &str, minutes: i64) {
    let start = utc(start);
    let end = start + SignedDuration::from_mins(minutes);
    let draft = target.draft(room, &Booking { start, end, ..booking(name, 20) });
    let stored = target.calendar.create(&draft).await.expect("it is created");
    assert_eq!(times(&stored), Some((start, end)));
    let (mut items, _) = read_all(target.calendar.as_ref()).await;
    items.retain(|item| item.id == stored.id);
    let around = SignedDuration::from_hours(30);
    assert_eq!(placed_between(&items, start - around, end + around), [(start, end, Reason::Busy)]);
}

async fn a_booking_over_midnight_is_one_event(room: &dyn Room) -> Done {
    stored_at(room, "2026-12-01T04:30:00Z", 60).await
}

async fn a_booking_over_the_end_of_summer_time_is_as_long_as_it_is(room: &dyn Room) -> Done {
    stored_at(room, "2027-11-07T05:30:00Z", 120).await
}

async fn a_booking_of_five_minutes_and_one_of_twelve_hours_are_stored_to_the_minute(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    for (name, start, minutes) in [("a", "2026-11-30T15:55:00Z", 5), ("b", "2026-11-29T15:55:00Z", 12 * 60)] {
        stored_in(room, &target, name, start, minutes).await;
    }
    Ok(())
}

async fn a_booking_that_is_over_can_be_written(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", -30).await;
    assert_eq!(times(&stored), Some((at(-30), at(-29))));
    let Ok(Probe::Live(found)) = target.calendar.find(&draft).await else { panic!("it is found") };
    assert_eq!(found.id, stored.id);
    Ok(())
}

async fn ten_bookings_are_ten_events(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let mut made = Vec::new();
    for n in 0..10 {
        made.push(target.with_event(room, &n.to_string(), 20 + n).await);
    }
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 10);
    for (draft, stored) in &made {
        let item = items.iter().find(|item| item.id == stored.id).expect("it is read");
        assert!(is_of(item, draft) && says(item, draft), "{item:?}");
    }
    Ok(())
}
