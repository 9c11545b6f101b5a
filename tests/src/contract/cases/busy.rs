//! What blocks her time, and what does not, as she said it on the service.

use calendar::busy::Reason;
use calendar::event::{Answer, Event, Kind, Status, Transparency};

use crate::contract::reading::{at, day, event, hers, hour, placed, read_all};
use crate::contract::room::{Done, Room};

crate::cases![
    an_event_blocks,
    an_event_she_shows_as_free_does_not_block,
    a_tentative_event_is_known_as_tentative,
    a_cancelled_event_frees_its_time,
    an_invitation_she_declined_does_not_block,
    an_invitation_she_accepted_blocks,
    an_invitation_she_has_not_answered_blocks,
    an_invitation_she_may_follow_is_known_as_tentative,
    time_out_of_office_blocks,
    a_busy_day_blocks,
    a_free_day_does_not_block,
];

async fn check(room: &dyn Room, event: &Event, expected: &[Reason]) -> Done {
    room.she_creates(&room.hers(), event).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let reasons: Vec<Reason> = placed(&items).into_iter().map(|(_, _, reason)| reason).collect();
    assert_eq!(reasons, expected, "{items:?}");
    Ok(())
}

async fn an_event_blocks(room: &dyn Room) -> Done {
    check(room, &hour("Dentist", 20), &[Reason::Busy]).await?;
    assert_eq!(placed(&read_all(hers(room).as_ref()).await.0), [(at(20), at(21), Reason::Busy)]);
    Ok(())
}

async fn an_event_she_shows_as_free_does_not_block(room: &dyn Room) -> Done {
    let free = Event { transparency: Transparency::Transparent, ..hour("Birthday of Ada", 20) };
    check(room, &free, &[Reason::Free]).await
}

async fn a_tentative_event_is_known_as_tentative(room: &dyn Room) -> Done {
    check(room, &Event { status: Status::Tentative, ..hour("Perhaps", 20) }, &[Reason::Tentative]).await
}

async fn a_cancelled_event_frees_its_time(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &Event { status: Status::Cancelled, ..hour("Off", 20) }).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert!(placed(&items).iter().all(|one| one.2 == Reason::Cancelled), "{items:?}");
    Ok(())
}

async fn invited(room: &dyn Room, answer: Answer, expected: Reason) -> Done {
    check(room, &Event { answer: Some(answer), ..hour("Meeting", 20) }, &[expected]).await
}

async fn an_invitation_she_declined_does_not_block(room: &dyn Room) -> Done {
    invited(room, Answer::Declined, Reason::Declined).await
}

async fn an_invitation_she_accepted_blocks(room: &dyn Room) -> Done {
    invited(room, Answer::Accepted, Reason::Busy).await
}

async fn an_invitation_she_has_not_answered_blocks(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &Event { answer: Some(Answer::NeedsAction), ..hour("Meeting", 20) })
        .await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let blocks = placed(&items).iter().all(|one| matches!(one.2, Reason::Busy | Reason::Tentative));
    assert!(blocks && items.len() == 1, "{items:?}");
    Ok(())
}

async fn an_invitation_she_may_follow_is_known_as_tentative(room: &dyn Room) -> Done {
    invited(room, Answer::Tentative, Reason::Tentative).await
}

async fn time_out_of_office_blocks(room: &dyn Room) -> Done {
    check(room, &Event { kind: Kind::OutOfOffice, ..hour("Away", 20) }, &[Reason::OutOfOffice]).await
}

async fn a_busy_day_blocks(room: &dyn Room) -> Done {
    check(room, &event("Closed", day("2026-11-30"), day("2026-12-01")), &[Reason::AllDayBlocks]).await
}

async fn a_free_day_does_not_block(room: &dyn Room) -> Done {
    let day = event("Name day", day("2026-11-30"), day("2026-12-01"));
    let free = Event { transparency: Transparency::Transparent, ..day };
    check(room, &free, &[Reason::AllDayFree]).await
}
