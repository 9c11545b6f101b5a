//! What changed since a cursor, deletions by name included.

use std::collections::BTreeMap;

use calendar::event::When;
use sync::ids::RemoteId;

use crate::contract::reading::{
    Target, at, hers, hour, ids, is_of, moved, placed, read_all, read_on, series, titles,
};
use crate::contract::room::{Done, Edit, Room};

crate::cases![
    where_nothing_changed_nothing_is_told,
    a_new_event_is_told_alone,
    an_event_she_moved_is_told_with_its_new_time_and_another_etag,
    an_event_she_renamed_is_told,
    an_event_she_deleted_is_told_by_its_id,
    many_changes_of_one_event_are_told_as_it_stands_now,
    what_came_and_went_unseen_is_not_there,
    an_event_out_of_the_bin_is_told_again,
    the_same_cursor_tells_the_same_again,
    what_we_created_is_told_as_it_was_answered,
    what_we_changed_is_told_as_it_was_answered,
    what_we_deleted_is_told_by_its_id,
    changes_of_one_calendar_are_told_in_no_other,
    an_event_she_moves_into_the_past_does_not_stay_where_it_was,
    cursor_after_cursor_leads_to_what_a_new_reading_tells,
];

async fn where_nothing_changed_nothing_is_told(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("one", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    let (changed, removed, cursor) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty() && removed.is_empty(), "{changed:?} {removed:?}");
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty() && removed.is_empty(), "{changed:?} {removed:?}");
    Ok(())
}

async fn a_new_event_is_told_alone(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("old", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    let id = room.she_creates(&room.hers(), &hour("new", 22)).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!((ids(&changed), titles(&changed)), (vec![id], vec!["new"]));
    assert!(removed.is_empty(), "{removed:?}");
    Ok(())
}

async fn an_event_she_moved_is_told_with_its_new_time_and_another_etag(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("one", 20)).await?;
    let (before, cursor) = read_all(hers(room).as_ref()).await;
    let time = Edit::Time { start: When::Utc(at(30)), end: When::Utc(at(32)) };
    room.she_edits(&room.hers(), &id, &time).await?;
    let (changed, _, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].id, id);
    assert_ne!(changed[0].etag, before[0].etag);
    assert_eq!(placed(&changed).iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(), [(at(30), at(32))]);
    Ok(())
}

async fn an_event_she_renamed_is_told(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("one", 20)).await?;
    let (before, cursor) = read_all(hers(room).as_ref()).await;
    room.she_edits(&room.hers(), &id, &Edit::Title("une".to_owned())).await?;
    let (changed, _, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!((ids(&changed), titles(&changed)), (vec![id], vec!["une"]));
    assert_ne!(changed[0].etag, before[0].etag);
    Ok(())
}

async fn an_event_she_deleted_is_told_by_its_id(room: &dyn Room) -> Done {
    let gone = room.she_creates(&room.hers(), &hour("goes", 20)).await?;
    room.she_creates(&room.hers(), &hour("stays", 21)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    room.she_deletes(&room.hers(), &gone).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!((changed.len(), removed), (0, vec![gone]));
    Ok(())
}

async fn many_changes_of_one_event_are_told_as_it_stands_now(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("one", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    for n in 0..5 {
        room.she_edits(&room.hers(), &id, &Edit::Title(format!("title {n}"))).await?;
    }
    let (changed, _, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!(titles(&changed), ["title 4"]);
    Ok(())
}

async fn what_came_and_went_unseen_is_not_there(room: &dyn Room) -> Done {
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    let id = room.she_creates(&room.hers(), &hour("a mistake", 20)).await?;
    room.she_deletes(&room.hers(), &id).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty(), "{changed:?}");
    assert!(removed.iter().all(|one| *one == id), "{removed:?}");
    Ok(())
}

async fn an_event_out_of_the_bin_is_told_again(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("back", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    room.she_deletes(&room.hers(), &id).await?;
    let (_, removed, cursor) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!(removed, std::slice::from_ref(&id));
    room.she_restores(&room.hers(), &id).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!((titles(&changed), removed.len()), (vec!["back"], 0));
    Ok(())
}

async fn the_same_cursor_tells_the_same_again(room: &dyn Room) -> Done {
    let gone = room.she_creates(&room.hers(), &hour("goes", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    room.she_creates(&room.hers(), &hour("comes", 22)).await?;
    room.she_deletes(&room.hers(), &gone).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    let (again, removed_again, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert_eq!((titles(&changed), &removed), (vec!["comes"], &vec![gone]));
    assert_eq!((changed, removed), (again, removed_again));
    Ok(())
}

async fn what_we_created_is_told_as_it_was_answered(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, cursor) = read_all(target.calendar.as_ref()).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let (changed, _, _) = read_on(target.calendar.as_ref(), &cursor).await;
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((&changed[0].id, &changed[0].etag), (&stored.id, &stored.etag));
    assert_eq!(changed[0].event, stored.event);
    assert!(is_of(&changed[0], &draft), "{changed:?}");
    Ok(())
}

async fn what_we_changed_is_told_as_it_was_answered(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let (_, cursor) = read_all(target.calendar.as_ref()).await;
    let updated = target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 45)).await;
    let updated = updated.expect("it is changed");
    let (changed, _, _) = read_on(target.calendar.as_ref(), &cursor).await;
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((&changed[0].id, &changed[0].etag), (&updated.id, &updated.etag));
    assert_eq!(changed[0].event, updated.event);
    Ok(())
}

async fn what_we_deleted_is_told_by_its_id(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    let (_, cursor) = read_all(target.calendar.as_ref()).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    let (changed, removed, _) = read_on(target.calendar.as_ref(), &cursor).await;
    assert_eq!((changed.len(), removed), (0, vec![stored.id]));
    Ok(())
}

async fn changes_of_one_calendar_are_told_in_no_other(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    target.with_event(room, "a", 20).await;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty() && removed.is_empty(), "{changed:?}");
    Ok(())
}

async fn an_event_she_moves_into_the_past_does_not_stay_where_it_was(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("one", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    let time = Edit::Time { start: When::Utc(at(-400)), end: When::Utc(at(-399)) };
    room.she_edits(&room.hers(), &id, &time).await?;
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    let told = removed.contains(&id) || ids(&changed) == [id];
    assert!(told && placed(&changed).is_empty(), "{changed:?} {removed:?}");
    Ok(())
}

/// Twelve turns of coming, moving, going and repeating, each read on its own.
async fn cursor_after_cursor_leads_to_what_a_new_reading_tells(room: &dyn Room) -> Done {
    let calendar = hers(room);
    let (items, mut cursor) = read_all(calendar.as_ref()).await;
    let mut known: BTreeMap<RemoteId, _> = items.into_iter().map(|item| (item.id.clone(), item)).collect();
    let mut standing = Vec::new();
    for turn in 0..12 {
        match turn % 4 {
            0 | 1 => standing
                .push(room.she_creates(&room.hers(), &hour(&format!("turn {turn}"), 20 + turn)).await?),
            2 => {
                let weekly = series("weekly", "2026-11-25T15:00:00", "Europe/Berlin", "FREQ=WEEKLY;COUNT=5");
                standing.push(room.she_creates(&room.hers(), &weekly).await?);
                let first = standing.remove(0);
                room.she_deletes(&room.hers(), &first).await?;
            }
            _ => {
                let time = Edit::Time { start: When::Utc(at(100 + turn)), end: When::Utc(at(101 + turn)) };
                room.she_edits(&room.hers(), &standing[0], &time).await?;
            }
        }
        let (changed, removed, next) = read_on(calendar.as_ref(), &cursor).await;
        known.extend(changed.into_iter().map(|item| (item.id.clone(), item)));
        known.retain(|id, _| !removed.contains(id));
        cursor = next;
    }
    let (fresh, _) = read_all(calendar.as_ref()).await;
    let fresh: BTreeMap<RemoteId, _> = fresh.into_iter().map(|item| (item.id.clone(), item)).collect();
    assert!(!fresh.is_empty());
    assert_eq!(known, fresh);
    Ok(())
}
