//! Copies that her app makes of our events: they may carry our marker, and are hers.

use crate::contract::reading::{Target, at, busy_starts, is_of, read_all};
use crate::contract::room::{Done, Edit, Room};

crate::cases![
    a_copy_is_another_event_with_another_key,
    a_copy_leaves_the_original_as_it_was,
    a_copy_outlives_its_original,
    a_copy_is_deleted_without_its_original,
    an_event_she_renamed_is_still_known_by_its_key,
];

async fn a_copy_is_another_event_with_another_key(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let copy = room.she_copies(&target.remote, &stored.id, at(30)).await?;
    assert_ne!(copy, stored.id);
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 2, "{items:?}");
    assert_eq!(
        items.iter().filter(|item| is_of(item, &draft)).count(),
        1,
        "only one of them proves to be ours"
    );
    let copied = items.iter().find(|item| item.id == copy).expect("the copy is read");
    assert_eq!(copied.marker.is_some(), room.traits().copies_marker, "{copied:?}");
    Ok(())
}

async fn a_copy_leaves_the_original_as_it_was(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    room.she_copies(&target.remote, &stored.id, at(30)).await?;
    let (items, _) = read_all(target.calendar.as_ref()).await;
    let original = items.iter().find(|item| item.id == stored.id).expect("it stands");
    assert_eq!((&original.event, &original.etag), (&stored.event, &stored.etag));
    assert_eq!(busy_starts(&items), [at(20), at(30)]);
    Ok(())
}

async fn a_copy_outlives_its_original(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    room.she_copies(&target.remote, &stored.id, at(30)).await?;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    assert_eq!(busy_starts(&read_all(target.calendar.as_ref()).await.0), [at(30)]);
    Ok(())
}

async fn a_copy_is_deleted_without_its_original(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    let copy = room.she_copies(&target.remote, &stored.id, at(30)).await?;
    room.she_deletes(&target.remote, &copy).await?;
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&stored.id]);
    Ok(())
}

async fn an_event_she_renamed_is_still_known_by_its_key(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    room.she_edits(&target.remote, &stored.id, &Edit::Title("Mrs Roy".to_owned())).await?;
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert!(is_of(&items[0], &draft), "{items:?}");
    Ok(())
}
