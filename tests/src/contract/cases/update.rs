//! A booking's event is changed at the version that was seen, and nothing of it that is hers.

use calendar::event::When;
use sync::booking::Draft;
use sync::decide::{says, times};
use sync::error::ServiceError;
use sync::ids::ETag;
use sync::ports::{Probe, RemoteEvent};

use crate::contract::reading::{Target, at, day, hour, moved, read_all};
use crate::contract::room::{Done, Edit, Keepsake, Room};

crate::cases![
    an_event_is_changed_at_the_version_that_was_seen,
    a_change_at_an_older_version_is_refused_and_changes_nothing,
    of_two_changes_at_one_version_the_first_is_done,
    a_change_without_a_version_is_refused,
    a_change_of_what_is_gone_says_so,
    a_change_of_what_never_was_says_so,
    a_change_of_words_changes_no_time,
    only_the_times_are_changed_where_the_words_are_hers,
    the_marker_survives_every_change,
    the_key_survives_every_change,
    a_change_back_to_what_it_was_leads_there,
    an_event_she_made_all_day_is_put_back_to_its_hours,
    her_colour_survives,
    her_reminder_survives,
    her_guest_survives,
    her_place_survives,
    her_privacy_survives,
    a_change_touches_no_other_event,
];

fn stale<T: std::fmt::Debug>(answer: &Result<T, ServiceError>) {
    assert!(matches!(answer, Err(ServiceError::Stale { .. })), "{answer:?}");
}

fn gone<T: std::fmt::Debug>(answer: &Result<T, ServiceError>) {
    assert!(matches!(answer, Err(ServiceError::Gone { .. })), "{answer:?}");
}

async fn standing(target: &Target, draft: &Draft) -> RemoteEvent {
    match target.calendar.find(draft).await {
        Ok(Probe::Live(event)) => event,
        other => panic!("{other:?}"),
    }
}

async fn an_event_is_changed_at_the_version_that_was_seen(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let draft = Draft { title: "Booking: Colour".to_owned(), ..moved(&draft, 90) };
    let updated = target.calendar.update(&stored.id, &stored.etag, &draft).await.expect("it is changed");
    assert_eq!(updated.id, stored.id);
    assert_ne!(updated.etag, stored.etag);
    assert!(says(&updated, &draft), "{updated:?}");
    assert_eq!(standing(&target, &draft).await.event, updated.event);
    Ok(())
}

async fn a_change_at_an_older_version_is_refused_and_changes_nothing(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    room.she_edits(&target.remote, &stored.id, &Edit::Title("Mrs Roy".to_owned())).await?;
    stale(&target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 90)).await);
    let now = standing(&target, &draft).await;
    assert_eq!((now.event.summary.as_str(), times(&now)), ("Mrs Roy", Some((at(20), at(21)))));
    Ok(())
}

async fn of_two_changes_at_one_version_the_first_is_done(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 30)).await.expect("the first is done");
    stale(&target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 60)).await);
    assert!(says(&standing(&target, &draft).await, &moved(&draft, 30)));
    Ok(())
}

async fn a_change_without_a_version_is_refused(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    for etag in ["", "*", "\"no such version\""] {
        let answer = target.calendar.update(&stored.id, &ETag(etag.to_owned()), &moved(&draft, 60)).await;
        assert!(answer.is_err(), "{etag:?}: {answer:?}");
    }
    assert!(says(&standing(&target, &draft).await, &draft));
    Ok(())
}

async fn a_change_of_what_is_gone_says_so(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    room.she_deletes(&target.remote, &stored.id).await?;
    let answer = target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 60)).await;
    // Some services see first that the version is another; the next look says that it is gone.
    assert!(matches!(answer, Err(ServiceError::Gone { .. } | ServiceError::Stale { .. })), "{answer:?}");
    assert!(read_all(target.calendar.as_ref()).await.0.is_empty(), "it did not come back");
    Ok(())
}

async fn a_change_of_what_never_was_says_so(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let other = room.unknown(&stored.id);
    gone(&target.calendar.update(&other, &stored.etag, &moved(&draft, 60)).await);
    assert_eq!(read_all(target.calendar.as_ref()).await.0.len(), 1);
    Ok(())
}

async fn a_change_of_words_changes_no_time(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let draft = Draft { description: "Booking ID: a | Notes: two".to_owned(), ..draft };
    let updated = target.calendar.update(&stored.id, &stored.etag, &draft).await.expect("it is changed");
    assert_eq!(times(&updated), times(&stored));
    assert_eq!(updated.event.description.trim_end(), draft.description);
    Ok(())
}

async fn only_the_times_are_changed_where_the_words_are_hers(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    room.she_edits(&target.remote, &stored.id, &Edit::Title("Mrs Roy".to_owned())).await?;
    room.she_edits(&target.remote, &stored.id, &Edit::Notes("bring the dye".to_owned())).await?;
    let hers = standing(&target, &draft).await;
    let draft = Draft { times_only: true, ..moved(&draft, 90) };
    let updated = target.calendar.update(&stored.id, &hers.etag, &draft).await.expect("it is changed");
    assert_eq!(times(&updated), Some((draft.start, draft.end)));
    let words = (updated.event.summary.as_str(), updated.event.description.trim_end());
    assert_eq!(words, ("Mrs Roy", "bring the dye"));
    assert_eq!(standing(&target, &draft).await.event, updated.event);
    Ok(())
}

/// Changes the event three times, and in between she does.
async fn changed_often(room: &dyn Room, target: &Target) -> Done<(Draft, RemoteEvent)> {
    let (mut draft, mut event) = target.with_event(room, "a", 20).await;
    for turn in 1..=3 {
        draft = Draft { times_only: turn == 2, ..moved(&draft, 15) };
        event = target.calendar.update(&event.id, &event.etag, &draft).await.expect("it is changed");
        room.she_edits(&target.remote, &event.id, &Edit::Title(format!("hers {turn}"))).await?;
        event = standing(target, &draft).await;
    }
    Ok((draft, event))
}

async fn the_marker_survives_every_change(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, event) = changed_often(room, &target).await?;
    let marker = event.marker.expect("a marker");
    assert_eq!((marker.booking, marker.generation), (draft.booking, 0));
    Ok(())
}

async fn the_key_survives_every_change(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, event) = changed_often(room, &target).await?;
    assert_eq!(*event.key(), draft.id);
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.iter().map(RemoteEvent::key).collect::<Vec<_>>(), [&draft.id]);
    Ok(())
}

async fn a_change_back_to_what_it_was_leads_there(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let there = target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 30)).await.expect("changed");
    let back = target.calendar.update(&stored.id, &there.etag, &draft).await.expect("changed back");
    assert!(says(&back, &draft), "{back:?}");
    assert_ne!(back.etag, there.etag);
    Ok(())
}

async fn an_event_she_made_all_day_is_put_back_to_its_hours(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let days = Edit::Time { start: day("2026-12-01"), end: day("2026-12-02") };
    room.she_edits(&target.remote, &stored.id, &days).await?;
    let hers = standing(&target, &draft).await;
    assert!(hers.event.is_all_day(), "{hers:?}");
    let updated = target.calendar.update(&stored.id, &hers.etag, &draft).await.expect("it is changed");
    assert!(says(&updated, &draft), "{updated:?}");
    assert_eq!(times(&standing(&target, &draft).await), Some((at(20), at(21))));
    Ok(())
}

async fn survives(room: &dyn Room, what: Keepsake) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    room.she_adds(&target.remote, &stored.id, what).await?;
    assert!(room.she_sees(&target.remote, &stored.id, what).await?, "the room's own doing is seen");
    let mut draft = Draft { title: "Booking: Colour".to_owned(), ..moved(&draft, 90) };
    for times_only in [false, true] {
        let hers = standing(&target, &draft).await;
        draft = Draft { times_only, ..moved(&draft, 15) };
        target.calendar.update(&stored.id, &hers.etag, &draft).await.expect("it is changed");
        assert!(room.she_sees(&target.remote, &stored.id, what).await?, "{what:?}, times only: {times_only}");
    }
    Ok(())
}

async fn her_colour_survives(room: &dyn Room) -> Done {
    survives(room, Keepsake::Colour).await
}

async fn her_reminder_survives(room: &dyn Room) -> Done {
    survives(room, Keepsake::Reminder).await
}

async fn her_guest_survives(room: &dyn Room) -> Done {
    survives(room, Keepsake::Guest).await
}

async fn her_place_survives(room: &dyn Room) -> Done {
    survives(room, Keepsake::Place).await
}

async fn her_privacy_survives(room: &dyn Room) -> Done {
    survives(room, Keepsake::Privacy).await
}

async fn a_change_touches_no_other_event(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    room.she_creates(&target.remote, &hour("hers", 20)).await?;
    let (_, other) = target.with_event(room, "b", 20).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let (before, _) = read_all(target.calendar.as_ref()).await;
    target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 30)).await.expect("it is changed");
    let (after, _) = read_all(target.calendar.as_ref()).await;
    let untouched = |all: &[RemoteEvent]| {
        let mut rest: Vec<_> = all.iter().filter(|event| event.id != stored.id).cloned().collect();
        rest.sort_by(|a, b| a.id.cmp(&b.id));
        rest
    };
    assert_eq!(untouched(&before), untouched(&after));
    assert!(after.iter().any(|event| event.id == other.id && event.event.start == When::Utc(at(20))));
    Ok(())
}
