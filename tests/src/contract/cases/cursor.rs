//! Cursors that the service has forgotten, or never gave.

use sync::ids::Cursor;
use sync::ports::Reading;

use crate::contract::reading::{Target, at, busy_starts, hers, hour, read_all, read_on, since, titles};
use crate::contract::room::{Done, Room};

crate::cases![
    a_forgotten_cursor_is_lost_and_a_new_reading_is_whole,
    a_forgotten_cursor_loses_no_event_of_ours,
    a_cursor_that_was_never_given_is_no_reading_of_nothing,
    an_old_cursor_tells_all_that_came_after_it,
];

async fn a_forgotten_cursor_is_lost_and_a_new_reading_is_whole(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("old", 20)).await?;
    let (_, cursor) = read_all(hers(room).as_ref()).await;
    room.she_creates(&room.hers(), &hour("new", 22)).await?;
    room.forgets_cursors().await?;
    assert_eq!(hers(room).read(Some(&cursor), since()).await, Reading::CursorLost);
    let (items, cursor) = read_all(hers(room).as_ref()).await;
    assert_eq!(titles(&items), ["new", "old"]);
    let (changed, removed, _) = read_on(hers(room).as_ref(), &cursor).await;
    assert!(changed.is_empty() && removed.is_empty(), "the new cursor counts");
    Ok(())
}

async fn a_forgotten_cursor_loses_no_event_of_ours(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, cursor) = read_all(target.calendar.as_ref()).await;
    target.with_event(room, "a", 20).await;
    room.forgets_cursors().await?;
    assert_eq!(target.calendar.read(Some(&cursor), since()).await, Reading::CursorLost);
    assert_eq!(busy_starts(&read_all(target.calendar.as_ref()).await.0), [at(20)]);
    Ok(())
}

async fn a_cursor_that_was_never_given_is_no_reading_of_nothing(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &hour("one", 20)).await?;
    for invented in ["", "nonsense", "https://elsewhere.example/sync/1", "a b&c=d\"<é>", "0;0"] {
        match hers(room).read(Some(&Cursor(invented.to_owned())), since()).await {
            Reading::CursorLost | Reading::Failed(_) => {}
            Reading::Snapshot { items, .. } => assert_eq!(titles(&items), ["one"], "{invented:?}"),
            other @ (Reading::Delta { .. } | Reading::Partial { .. }) => panic!("{invented:?}: {other:?}"),
        }
    }
    Ok(())
}

async fn an_old_cursor_tells_all_that_came_after_it(room: &dyn Room) -> Done {
    let (_, first) = read_all(hers(room).as_ref()).await;
    for n in 0..4 {
        room.she_creates(&room.hers(), &hour(&format!("event {n}"), 20 + n)).await?;
        read_all(hers(room).as_ref()).await;
    }
    let (changed, _, _) = read_on(hers(room).as_ref(), &first).await;
    assert_eq!(titles(&changed), ["event 0", "event 1", "event 2", "event 3"]);
    Ok(())
}
