//! More than fits on a page.

use std::collections::BTreeSet;

use calendar::event::{Event, When};
use jiff::SignedDuration;

use crate::contract::reading::{at, event, hers, ids, read_all, read_on};
use crate::contract::room::{Done, Room};

crate::cases![a_thousand_events_are_read_once_each, hundreds_of_changes_and_deletions_are_told_once_each,];

fn many(count: i64) -> Vec<Event> {
    let half_an_hour = |n: i64| at(20) + SignedDuration::from_mins(30 * n);
    (0..count)
        .map(|n| event(&format!("event {n}"), When::Utc(half_an_hour(n)), When::Utc(half_an_hour(n + 1))))
        .collect()
}

async fn a_thousand_events_are_read_once_each(room: &dyn Room) -> Done {
    let put: BTreeSet<_> = room.she_creates_all(&room.hers(), &many(1000)).await?.into_iter().collect();
    let (items, cursor) = read_all(hers(room).as_ref()).await;
    assert_eq!((items.len(), put.len()), (1000, 1000));
    assert_eq!(ids(&items).into_iter().collect::<BTreeSet<_>>(), put);
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty() && removed.is_empty(), "{}", changed.len());
    Ok(())
}

async fn hundreds_of_changes_and_deletions_are_told_once_each(room: &dyn Room) -> Done {
    let first = room.she_creates_all(&room.hers(), &many(150)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    let mut new = room.she_creates_all(&room.hers(), &many(350)).await?;
    for id in &first {
        room.she_deletes(&room.hers(), id).await?;
    }
    let (changed, mut removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    let mut first = first;
    first.sort();
    removed.sort();
    new.sort();
    assert_eq!((ids(&changed), removed), (new, first));
    Ok(())
}
