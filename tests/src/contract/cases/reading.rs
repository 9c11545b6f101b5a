//! The first reading of a calendar, and how far it reaches.

use calendar::event::When;
use sync::ports::{Coverage, Reading};

use crate::contract::reading::{
    at, busy_starts, event, hers, hour, ids, placed, read_all, series, since, titles, utc,
};
use crate::contract::room::{Done, Room};

crate::cases![
    an_empty_calendar_is_read_as_empty_and_whole,
    every_event_is_read_once_under_its_id,
    every_event_has_an_etag,
    two_readings_of_the_same_say_the_same,
    what_she_wrote_is_read_as_she_wrote_it,
    what_is_over_is_read_or_outside_of_what_the_reading_covers,
    what_lasts_beyond_the_beginning_is_read,
    what_lies_far_ahead_is_read_or_outside_of_what_the_reading_covers,
    a_series_that_began_years_ago_is_read,
    an_event_without_a_title_is_read,
    events_at_the_same_time_are_all_read,
    an_event_without_length_is_read_and_blocks_nothing,
    what_one_calendar_holds_is_in_no_other,
];

async fn an_empty_calendar_is_read_as_empty_and_whole(room: &dyn Room) -> Done {
    let reading = hers(room).read(None, since()).await;
    let Reading::Snapshot { items, coverage, .. } = reading else { panic!("{reading:?}") };
    assert!(items.is_empty(), "{items:?}");
    assert!(coverage.reaches(at(20), at(21)));
    Ok(())
}

async fn every_event_is_read_once_under_its_id(room: &dyn Room) -> Done {
    let mut put = Vec::new();
    for n in 0..7 {
        put.push(room.she_creates(&room.hers(), &hour(&format!("event {n}"), 20 + n)).await?);
    }
    put.sort();
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(ids(&items), put);
    Ok(())
}

async fn every_event_has_an_etag(room: &dyn Room) -> Done {
    for n in 0..3 {
        room.she_creates(&room.hers(), &hour(&format!("event {n}"), 20 + n)).await?;
    }
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|item| !item.etag.as_str().is_empty()), "{items:?}");
    Ok(())
}

async fn two_readings_of_the_same_say_the_same(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("one", 20)).await?;
    room.she_creates(
        &room.hers(),
        &series("two", "2026-11-24T09:00:00", "Europe/Paris", "FREQ=DAILY;COUNT=4"),
    )
    .await?;
    let (mut one, _) = read_all(hers(room).as_ref()).await;
    let (mut two, _) = read_all(hers(room).as_ref()).await;
    one.sort_by(|a, b| a.id.cmp(&b.id));
    two.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(!one.is_empty());
    assert_eq!(one, two);
    Ok(())
}

async fn what_she_wrote_is_read_as_she_wrote_it(room: &dyn Room) -> Done {
    let mut event = hour("Zahnärztin; Frau \"Đặng\", 2 \\ 3", 20);
    event.description = "Zeile eins\nzwei, mit Komma; und Strich\n\nDatei: C:\\neu".to_owned();
    event.location = "Rue de l’Église 5, 1er étage".to_owned();
    room.she_creates(&room.hers(), &event).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let read = &items[0].event;
    assert_eq!((&read.summary, &read.location), (&event.summary, &event.location));
    assert_eq!(read.description.trim_end(), event.description);
    Ok(())
}

async fn what_is_over_is_read_or_outside_of_what_the_reading_covers(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("long ago", -24 * 40)).await?;
    room.she_creates(&room.hers(), &hour("to come", 20)).await?;
    let reading = hers(room).read(None, since()).await;
    let Reading::Snapshot { items, coverage, .. } = reading else { panic!("{reading:?}") };
    assert!(titles(&items).contains(&"to come"));
    let (start, end) = (at(-24 * 40), at(-24 * 40 + 1));
    assert_eq!(titles(&items).contains(&"long ago"), coverage.reaches(start, end), "{coverage:?}");
    Ok(())
}

async fn what_lasts_beyond_the_beginning_is_read(room: &dyn Room) -> Done {
    let long = event("a retreat", When::Utc(at(-70)), When::Utc(at(30)));
    room.she_creates(&room.hers(), &long).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(titles(&items), ["a retreat"]);
    Ok(())
}

async fn what_lies_far_ahead_is_read_or_outside_of_what_the_reading_covers(room: &dyn Room) -> Done {
    let (start, end) = (utc("2031-05-05T09:00:00Z"), utc("2031-05-05T10:00:00Z"));
    room.she_creates(&room.hers(), &event("far ahead", When::Utc(start), When::Utc(end))).await?;
    let reading = hers(room).read(None, since()).await;
    let Reading::Snapshot { items, coverage, .. } = reading else { panic!("{reading:?}") };
    assert_eq!(!items.is_empty(), coverage.reaches(start, end), "{coverage:?}");
    assert!(
        matches!(coverage, Coverage::Everything) || coverage.reaches(at(24 * 29), at(24 * 30)),
        "the month that is published is covered: {coverage:?}"
    );
    Ok(())
}

async fn a_series_that_began_years_ago_is_read(room: &dyn Room) -> Done {
    let old = series("Yoga", "2019-01-08T18:00:00", "America/Toronto", "FREQ=WEEKLY;BYDAY=TU");
    room.she_creates(&room.hers(), &old).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let starts = busy_starts(&items);
    assert_eq!(starts.first(), Some(&utc("2026-11-24T23:00:00Z")), "{starts:?}");
    assert!(starts.len() >= 8, "{starts:?}");
    Ok(())
}

async fn an_event_without_a_title_is_read(room: &dyn Room) -> Done {
    let mut nameless = hour("x", 20);
    nameless.summary = String::new();
    room.she_creates(&room.hers(), &nameless).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(busy_starts(&items), [at(20)]);
    Ok(())
}

async fn events_at_the_same_time_are_all_read(room: &dyn Room) -> Done {
    for n in 0..3 {
        room.she_creates(&room.hers(), &hour(&format!("same {n}"), 20)).await?;
    }
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(titles(&items), ["same 0", "same 1", "same 2"]);
    Ok(())
}

async fn an_event_without_length_is_read_and_blocks_nothing(room: &dyn Room) -> Done {
    let moment = event("a reminder", When::Utc(at(20)), When::Utc(at(20)));
    room.she_creates(&room.hers(), &moment).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(titles(&items), ["a reminder"]);
    assert!(busy_starts(&items).is_empty(), "{:?}", placed(&items));
    Ok(())
}

async fn what_one_calendar_holds_is_in_no_other(room: &dyn Room) -> Done {
    let other = room.she_makes_a_calendar("Other").await?;
    room.she_creates(&other, &hour("elsewhere", 20)).await?;
    room.she_creates(&room.hers(), &hour("here", 20)).await?;
    let (here, _) = read_all(hers(room).as_ref()).await;
    let (there, _) = read_all(room.account().calendar(&other).as_ref()).await;
    assert_eq!((titles(&here), titles(&there)), (vec!["here"], vec!["elsewhere"]));
    Ok(())
}
