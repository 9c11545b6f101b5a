//! Which calendars there are, and which one is ours.

use sync::error::ServiceError;
use sync::ports::{CalendarEntry, Reading};

use crate::contract::reading::{Target, now, read_all, since, titles, vendor};
use crate::contract::room::{Done, Room, VENDOR};

crate::cases![
    a_calendar_of_hers_is_listed_once_under_its_name,
    a_calendar_she_makes_is_listed_and_is_not_ours,
    a_calendar_she_renames_keeps_its_id,
    a_calendar_she_deletes_is_listed_no_more,
    a_calendar_of_ours_is_listed_as_ours_and_can_be_written_to,
    a_calendar_of_ours_stays_ours_under_a_name_that_she_gives_it,
    a_calendar_of_ours_is_ours_to_no_other_vendor,
    a_calendar_of_ours_is_told_with_its_zone,
    a_calendar_of_ours_is_deleted_with_what_is_in_it,
    a_calendar_that_is_not_there_cannot_be_deleted,
    a_calendar_that_is_gone_says_so_and_is_not_empty,
    a_calendar_that_never_was_says_so_and_is_not_empty,
    two_lists_say_the_same,
];

async fn listed(room: &dyn Room) -> Vec<CalendarEntry> {
    room.account().calendars().await.expect("a list")
}

async fn a_calendar_of_hers_is_listed_once_under_its_name(room: &dyn Room) -> Done {
    let entries = listed(room).await;
    let found: Vec<_> = entries.iter().filter(|entry| entry.remote == room.hers()).collect();
    assert_eq!(found.len(), 1, "{entries:?}");
    assert!(!found[0].ours && !found[0].name.is_empty(), "{found:?}");
    Ok(())
}

async fn a_calendar_she_makes_is_listed_and_is_not_ours(room: &dyn Room) -> Done {
    let before = listed(room).await.len();
    let made = room.she_makes_a_calendar("Jardin & forêt").await?;
    let entries = listed(room).await;
    assert_eq!(entries.len(), before + 1);
    let entry = entries.iter().find(|entry| entry.remote == made).expect("it is listed");
    assert_eq!((entry.name.as_str(), entry.ours), ("Jardin & forêt", false));
    Ok(())
}

async fn a_calendar_she_renames_keeps_its_id(room: &dyn Room) -> Done {
    room.she_renames_a_calendar(&room.hers(), "Alles <neu>").await?;
    let entries = listed(room).await;
    let entry = entries.iter().find(|entry| entry.remote == room.hers()).expect("it is listed");
    assert_eq!(entry.name, "Alles <neu>");
    Ok(())
}

async fn a_calendar_she_deletes_is_listed_no_more(room: &dyn Room) -> Done {
    room.she_deletes_a_calendar(&room.hers()).await?;
    assert!(listed(room).await.iter().all(|entry| entry.remote != room.hers()));
    Ok(())
}

async fn a_calendar_of_ours_is_listed_as_ours_and_can_be_written_to(room: &dyn Room) -> Done {
    assert!(listed(room).await.iter().all(|entry| !entry.ours));
    let target = Target::of(room).await;
    assert!(target.entry.ours && target.entry.writable);
    let ours: Vec<_> = listed(room).await.into_iter().filter(|entry| entry.ours).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0].remote, target.remote);
    assert!(ours[0].writable);
    Ok(())
}

async fn a_calendar_of_ours_stays_ours_under_a_name_that_she_gives_it(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    room.she_renames_a_calendar(&target.remote, "Termine").await?;
    let entries = listed(room).await;
    let entry = entries.iter().find(|entry| entry.remote == target.remote).expect("it is listed");
    assert_eq!((entry.name.as_str(), entry.ours), ("Termine", true));
    Ok(())
}

async fn a_calendar_of_ours_is_ours_to_no_other_vendor(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    let other = room.account_for(&vendor("vendor-2"))?;
    let entries = other.calendars().await.expect("a list");
    let entry = entries.iter().find(|entry| entry.remote == target.remote).expect("it is listed");
    assert!(!entry.ours, "{entry:?}");
    Ok(())
}

async fn a_calendar_of_ours_is_told_with_its_zone(room: &dyn Room) -> Done {
    let made =
        room.account().create_calendar("Fern", "Pacific/Auckland", &VENDOR.into()).await.expect("it is made");
    let entries = listed(room).await;
    let entry = entries.iter().find(|entry| entry.remote == made.remote).expect("it is listed");
    assert_eq!(entry.time_zone.as_deref(), Some("Pacific/Auckland"));
    Ok(())
}

async fn a_calendar_of_ours_is_deleted_with_what_is_in_it(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    target.with_event(room, "a", 20).await;
    room.account().delete_calendar(&target.remote).await.expect("it is deleted");
    assert!(listed(room).await.iter().all(|entry| entry.remote != target.remote));
    Ok(())
}

async fn a_calendar_that_is_not_there_cannot_be_deleted(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    room.account().delete_calendar(&target.remote).await.expect("it is deleted");
    let again = room.account().delete_calendar(&target.remote).await;
    assert!(matches!(again, Err(ServiceError::Gone { .. })), "{again:?}");
    Ok(())
}

async fn a_calendar_that_is_gone_says_so_and_is_not_empty(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    target.with_event(room, "a", 20).await;
    let (_, cursor) = read_all(target.calendar.as_ref()).await;
    room.she_deletes_a_calendar(&target.remote).await?;
    for cursor in [None, Some(&cursor)] {
        let reading = target.calendar.read(cursor, since()).await;
        let gone = matches!(reading, Reading::Failed(ServiceError::Gone { .. }));
        assert!(gone || cursor.is_some() && reading == Reading::CursorLost, "{reading:?}");
    }
    Ok(())
}

async fn a_calendar_that_never_was_says_so_and_is_not_empty(room: &dyn Room) -> Done {
    let target = Target::of(room).await;
    room.account().delete_calendar(&target.remote).await.expect("it is deleted");
    let reading = room.account().calendar(&target.remote).read(None, now()).await;
    assert!(matches!(reading, Reading::Failed(ServiceError::Gone { .. })), "{reading:?}");
    Ok(())
}

async fn two_lists_say_the_same(room: &dyn Room) -> Done {
    Target::of(room).await;
    let names = |entries: Vec<CalendarEntry>| {
        let mut all: Vec<_> =
            entries.into_iter().map(|entry| (entry.remote, entry.name, entry.ours)).collect();
        all.sort();
        all
    };
    assert_eq!(names(listed(room).await), names(listed(room).await));
    assert!(titles(&read_all(crate::contract::reading::hers(room).as_ref()).await.0).is_empty());
    Ok(())
}
