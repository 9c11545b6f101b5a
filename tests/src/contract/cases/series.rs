//! Series: their occurrences, what she does to one of them, and what she does to all that follow.

use jiff::{SignedDuration, Timestamp};
use sync::ids::{Cursor, RemoteId};
use sync::ports::RemoteEvent;

use crate::contract::reading::{
    at, busy_starts, day, event, hers, hour, placed, read_all, read_on, series, utc, wall,
};
use crate::contract::room::{Done, Edit, Room};

crate::cases![
    a_weekly_series_blocks_every_week,
    a_series_ends_after_its_count,
    a_series_ends_at_its_until,
    every_second_week_is_every_second_week,
    the_last_friday_of_a_month_is_found,
    days_that_are_left_out_are_free,
    an_occurrence_she_moves_is_where_she_moved_it_and_nowhere_else,
    an_occurrence_she_cancels_is_free,
    an_occurrence_she_moves_is_told_by_a_cursor,
    an_occurrence_she_cancels_is_told_by_a_cursor,
    a_series_she_moves_is_moved_as_a_whole,
    a_series_she_ends_early_frees_what_followed,
    this_and_all_that_follow_are_at_the_new_time,
    a_series_she_deletes_leaves_no_occurrence,
    a_series_she_deletes_takes_its_moved_occurrence_along,
    a_series_of_whole_days_repeats_as_days,
    two_series_with_one_title_are_two,
];

/// Three Tuesdays at nine in Toronto.
fn tuesdays() -> calendar::event::Event {
    series("Yoga", "2026-11-24T09:00:00", "America/Toronto", "FREQ=WEEKLY;COUNT=3")
}

const FIRST: &str = "2026-11-24T14:00:00Z";
const SECOND: &str = "2026-12-01T14:00:00Z";
const THIRD: &str = "2026-12-08T14:00:00Z";

async fn busy(room: &dyn Room) -> Vec<Timestamp> {
    busy_starts(&read_all(hers(room).as_ref()).await.0)
}

async fn check(room: &dyn Room, event: &calendar::event::Event, expected: &[&str]) -> Done {
    room.she_creates(&room.hers(), event).await?;
    let expected: Vec<Timestamp> = expected.iter().map(|text| utc(text)).collect();
    assert_eq!(busy(room).await, expected);
    Ok(())
}

async fn a_weekly_series_blocks_every_week(room: &dyn Room) -> Done {
    let forever = series("Yoga", "2026-11-24T09:00:00", "America/Toronto", "FREQ=WEEKLY");
    room.she_creates(&room.hers(), &forever).await?;
    let starts = busy(room).await;
    assert!(starts.len() >= 8, "{starts:?}");
    assert_eq!(starts[..3], [utc(FIRST), utc(SECOND), utc(THIRD)]);
    Ok(())
}

async fn a_series_ends_after_its_count(room: &dyn Room) -> Done {
    check(room, &tuesdays(), &[FIRST, SECOND, THIRD]).await
}

async fn a_series_ends_at_its_until(room: &dyn Room) -> Done {
    let rule = "FREQ=WEEKLY;UNTIL=20261201T140000Z";
    check(room, &series("Yoga", "2026-11-24T09:00:00", "America/Toronto", rule), &[FIRST, SECOND]).await
}

async fn every_second_week_is_every_second_week(room: &dyn Room) -> Done {
    let rule = "FREQ=WEEKLY;INTERVAL=2;COUNT=2";
    check(room, &series("Yoga", "2026-11-24T09:00:00", "America/Toronto", rule), &[FIRST, THIRD]).await
}

async fn the_last_friday_of_a_month_is_found(room: &dyn Room) -> Done {
    let rule = "FREQ=MONTHLY;BYDAY=-1FR;COUNT=2";
    let inventory = series("Inventory", "2026-11-27T18:00:00", "America/Toronto", rule);
    check(room, &inventory, &["2026-11-27T23:00:00Z", "2026-12-25T23:00:00Z"]).await
}

async fn days_that_are_left_out_are_free(room: &dyn Room) -> Done {
    let mut event = tuesdays();
    event.recurrence.except_dates.push(wall("2026-12-01T09:00:00", "America/Toronto"));
    check(room, &event, &[FIRST, THIRD]).await
}

async fn an_occurrence_she_moves_is_where_she_moved_it_and_nowhere_else(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &tuesdays()).await?;
    let to = utc("2026-12-02T20:00:00Z");
    room.she_moves_occurrence(&room.hers(), &id, utc(SECOND), to).await?;
    assert_eq!(busy(room).await, [utc(FIRST), to, utc(THIRD)]);
    Ok(())
}

async fn an_occurrence_she_cancels_is_free(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &tuesdays()).await?;
    room.she_cancels_occurrence(&room.hers(), &id, utc(SECOND)).await?;
    assert_eq!(busy(room).await, [utc(FIRST), utc(THIRD)]);
    Ok(())
}

/// A series that was read, and from where to read on.
struct Known {
    series: RemoteId,
    items: Vec<RemoteEvent>,
    cursor: Cursor,
}

impl Known {
    async fn of(room: &dyn Room) -> Done<Self> {
        let series = room.she_creates(&room.hers(), &tuesdays()).await?;
        let (items, cursor) = read_all(hers(room).as_ref()).await;
        Ok(Self { series, items, cursor })
    }

    /// What blocks once the changes are known, too.
    async fn busy(self, room: &dyn Room) -> Vec<Timestamp> {
        let (changed, removed, _) = read_on(hers(room).as_ref(), &self.cursor).await;
        let mut known = self.items;
        known.retain(|old| !removed.contains(&old.id) && changed.iter().all(|new| new.id != old.id));
        known.extend(changed);
        busy_starts(&known)
    }
}

async fn an_occurrence_she_moves_is_told_by_a_cursor(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    let to = utc("2026-12-02T20:00:00Z");
    room.she_moves_occurrence(&room.hers(), &known.series, utc(SECOND), to).await?;
    assert_eq!(known.busy(room).await, [utc(FIRST), to, utc(THIRD)]);
    Ok(())
}

async fn an_occurrence_she_cancels_is_told_by_a_cursor(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    room.she_cancels_occurrence(&room.hers(), &known.series, utc(SECOND)).await?;
    assert_eq!(known.busy(room).await, [utc(FIRST), utc(THIRD)]);
    Ok(())
}

async fn a_series_she_moves_is_moved_as_a_whole(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    let time = Edit::Time {
        start: wall("2026-11-24T10:30:00", "America/Toronto"),
        end: wall("2026-11-24T11:30:00", "America/Toronto"),
    };
    room.she_edits(&room.hers(), &known.series, &time).await?;
    let later = |text: &str| utc(text) + SignedDuration::from_mins(90);
    assert_eq!(known.busy(room).await, [later(FIRST), later(SECOND), later(THIRD)]);
    Ok(())
}

/// The last day before the second Tuesday.
fn ends_early() -> Edit {
    Edit::Rule("FREQ=WEEKLY;UNTIL=20261130T235959Z".to_owned())
}

async fn a_series_she_ends_early_frees_what_followed(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    room.she_edits(&room.hers(), &known.series, &ends_early()).await?;
    assert_eq!(known.busy(room).await, [utc(FIRST)]);
    Ok(())
}

async fn this_and_all_that_follow_are_at_the_new_time(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    // As calendar apps do it: the old series ends, and a new one begins.
    room.she_edits(&room.hers(), &known.series, &ends_early()).await?;
    let rest = series("Yoga", "2026-12-01T11:00:00", "America/Toronto", "FREQ=WEEKLY;COUNT=2");
    room.she_creates(&room.hers(), &rest).await?;
    let expected = [FIRST, "2026-12-01T16:00:00Z", "2026-12-08T16:00:00Z"].map(utc);
    assert_eq!(known.busy(room).await, expected);
    Ok(())
}

async fn a_series_she_deletes_leaves_no_occurrence(room: &dyn Room) -> Done {
    let known = Known::of(room).await?;
    room.she_deletes(&room.hers(), &known.series).await?;
    assert_eq!(known.busy(room).await, []);
    assert_eq!(busy(room).await, []);
    Ok(())
}

async fn a_series_she_deletes_takes_its_moved_occurrence_along(room: &dyn Room) -> Done {
    let id = room.she_creates(&room.hers(), &tuesdays()).await?;
    room.she_moves_occurrence(&room.hers(), &id, utc(SECOND), utc("2026-12-02T20:00:00Z")).await?;
    room.she_creates(&room.hers(), &hour("stays", 20)).await?;
    room.she_deletes(&room.hers(), &id).await?;
    assert_eq!(busy(room).await, [at(20)]);
    Ok(())
}

async fn a_series_of_whole_days_repeats_as_days(room: &dyn Room) -> Done {
    let mut week_off = event("Closed", day("2026-11-30"), day("2026-12-01"));
    week_off.recurrence.rules.push("FREQ=DAILY;COUNT=3".to_owned());
    room.she_creates(&room.hers(), &week_off).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let days: Vec<_> = placed(&items).into_iter().map(|(start, end, _)| (start, end)).collect();
    let midnight = |day: &str| utc(&format!("{day}T05:00:00Z"));
    assert_eq!(
        days,
        [
            (midnight("2026-11-30"), midnight("2026-12-01")),
            (midnight("2026-12-01"), midnight("2026-12-02")),
            (midnight("2026-12-02"), midnight("2026-12-03"))
        ]
    );
    Ok(())
}

async fn two_series_with_one_title_are_two(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &tuesdays()).await?;
    let mut other = tuesdays();
    other.uid = calendar::event::Uid("another@elsewhere".to_owned());
    (other.start, other.end) = (
        wall("2026-11-24T12:00:00", "America/Toronto"),
        calendar::event::End::At(wall("2026-11-24T13:00:00", "America/Toronto")),
    );
    let id = room.she_creates(&room.hers(), &other).await?;
    assert_eq!(busy(room).await.len(), 6);
    room.she_deletes(&room.hers(), &id).await?;
    assert_eq!(busy(room).await, [utc(FIRST), utc(SECOND), utc(THIRD)]);
    Ok(())
}
