//! A booking's event is deleted at the version that was seen, and nothing else with it.

use sync::error::ServiceError;
use sync::ids::ETag;

use crate::contract::reading::{Target, at, busy_starts, hour, read_all, titles};
use crate::contract::room::{Done, Edit, Room};

crate::cases![
    an_event_is_deleted_at_the_version_that_was_seen,
    a_deletion_at_an_older_version_is_refused_and_deletes_nothing,
    a_deletion_without_a_version_is_refused,
    a_deletion_of_what_is_gone_says_so,
    a_deletion_of_what_never_was_says_so,
    a_deletion_takes_only_what_it_names,
    a_deletion_leaves_an_event_of_hers_at_the_same_time,
];

async fn an_event_is_deleted_at_the_version_that_was_seen(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    assert!(read_all(target.calendar.as_ref()).await.0.is_empty());
    Ok(())
}

async fn a_deletion_at_an_older_version_is_refused_and_deletes_nothing(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    room.she_edits(&target.remote, &stored.id, &Edit::Notes("keep".to_owned())).await?;
    let answer = target.calendar.delete(&stored.id, &stored.etag).await;
    assert!(matches!(answer, Err(ServiceError::Stale { .. })), "{answer:?}");
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.len(), 1);
    target.calendar.delete(&stored.id, &items[0].etag).await.expect("at the new version it is deleted");
    Ok(())
}

async fn a_deletion_without_a_version_is_refused(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    for etag in ["", "*", "\"no such version\""] {
        let answer = target.calendar.delete(&stored.id, &ETag(etag.to_owned())).await;
        assert!(answer.is_err(), "{etag:?}");
    }
    assert_eq!(busy_starts(&read_all(target.calendar.as_ref()).await.0), [at(20)]);
    Ok(())
}

async fn a_deletion_of_what_is_gone_says_so(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    let again = target.calendar.delete(&stored.id, &stored.etag).await;
    assert!(matches!(again, Err(ServiceError::Gone { .. } | ServiceError::Stale { .. })), "{again:?}");
    Ok(())
}

async fn a_deletion_of_what_never_was_says_so(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    let answer = target.calendar.delete(&room.unknown(&stored.id), &stored.etag).await;
    assert!(matches!(answer, Err(ServiceError::Gone { .. })), "{answer:?}");
    assert_eq!(read_all(target.calendar.as_ref()).await.0.len(), 1);
    Ok(())
}

async fn a_deletion_takes_only_what_it_names(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, one) = target.with_event(room, "a", 20).await;
    let (_, two) = target.with_event(room, "b", 22).await;
    target.calendar.delete(&one.id, &one.etag).await.expect("it is deleted");
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!(items.iter().map(|item| (&item.id, &item.etag)).collect::<Vec<_>>(), [(&two.id, &two.etag)]);
    Ok(())
}

async fn a_deletion_leaves_an_event_of_hers_at_the_same_time(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    room.she_creates(&target.remote, &hour("hers", 20)).await?;
    let (_, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    assert_eq!(titles(&read_all(target.calendar.as_ref()).await.0), ["hers"]);
    Ok(())
}
