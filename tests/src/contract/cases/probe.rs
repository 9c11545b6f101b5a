//! What stands under an id right now: it, nothing, or what is left of it.

use sync::ports::Probe;

use crate::contract::reading::{Target, hers, hour, moved, read_all};
use crate::contract::room::{Done, Edit, Room};

crate::cases![
    a_probe_finds_what_stands_as_a_reading_tells_it,
    a_probe_finds_events_of_hers_too,
    a_probe_of_what_never_was_finds_nothing,
    a_probe_sees_her_last_change_at_once,
    a_probe_sees_our_last_change_at_once,
    a_probe_of_what_we_deleted_finds_no_event,
    a_probe_of_what_she_deleted_finds_no_event,
    a_probe_changes_nothing,
];

fn found(probe: Result<Probe, sync::error::ServiceError>) -> sync::ports::RemoteEvent {
    match probe {
        Ok(Probe::Live(event)) => event,
        other => panic!("{other:?}"),
    }
}

async fn a_probe_finds_what_stands_as_a_reading_tells_it(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    let probed = found(target.calendar.probe(&stored.id).await);
    let (items, _) = read_all(target.calendar.as_ref()).await;
    assert_eq!((&probed.id, &probed.etag, &probed.event), (&items[0].id, &items[0].etag, &items[0].event));
    Ok(())
}

async fn a_probe_finds_events_of_hers_too(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &hour("hers", 20)).await?;
    let probed = found(hers(room).probe(&id).await);
    assert_eq!((probed.event.summary.as_str(), probed.marker), ("hers", None));
    Ok(())
}

async fn a_probe_of_what_never_was_finds_nothing(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    assert_eq!(target.calendar.probe(&room.unknown(&stored.id)).await, Ok(Probe::Absent));
    Ok(())
}

async fn a_probe_sees_her_last_change_at_once(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    room.she_edits(&target.remote, &stored.id, &Edit::Title("Mrs Roy".to_owned())).await?;
    let probed = found(target.calendar.probe(&stored.id).await);
    assert_eq!(probed.event.summary, "Mrs Roy");
    assert_ne!(probed.etag, stored.etag);
    Ok(())
}

async fn a_probe_sees_our_last_change_at_once(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    let updated =
        target.calendar.update(&stored.id, &stored.etag, &moved(&draft, 30)).await.expect("changed");
    let probed = found(target.calendar.probe(&stored.id).await);
    assert_eq!((probed.etag, probed.event), (updated.etag, updated.event));
    Ok(())
}

fn is_gone(room: &dyn Room, probe: &Result<Probe, sync::error::ServiceError>) {
    let expected = if room.traits().tells_of_deleted { Probe::Burnt } else { Probe::Absent };
    assert_eq!(*probe, Ok(expected));
}

async fn a_probe_of_what_we_deleted_finds_no_event(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    target.calendar.delete(&stored.id, &stored.etag).await.expect("it is deleted");
    is_gone(room, &target.calendar.probe(&stored.id).await);
    Ok(())
}

async fn a_probe_of_what_she_deleted_finds_no_event(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (_, stored) = target.with_event(room, "a", 20).await;
    room.she_deletes(&target.remote, &stored.id).await?;
    is_gone(room, &target.calendar.probe(&stored.id).await);
    Ok(())
}

async fn a_probe_changes_nothing(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let (draft, stored) = target.with_event(room, "a", 20).await;
    for _ in 0..3 {
        found(target.calendar.probe(&stored.id).await);
        found(target.calendar.find(&draft).await);
    }
    assert_eq!(read_all(target.calendar.as_ref()).await.0[0].etag, stored.etag);
    Ok(())
}
