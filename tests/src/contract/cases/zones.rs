//! Times: as walls say them, as days, in far zones, and over the nights on which clocks change.

use calendar::event::{Event, When};
use jiff::Timestamp;

use crate::contract::reading::{day, event, hers, placed_between, read_all, series, utc, wall};
use crate::contract::room::{Done, Room};

crate::cases![
    a_series_keeps_its_wall_time_when_summer_time_begins,
    a_series_keeps_its_wall_time_when_summer_time_ends,
    a_series_of_the_south_keeps_its_wall_time,
    a_zone_of_three_quarters_of_an_hour_is_understood,
    a_zone_a_day_ahead_is_understood,
    a_zone_whose_clocks_change_by_half_an_hour_is_understood,
    an_event_may_begin_in_one_zone_and_end_in_another,
    a_day_is_a_day_and_no_instant,
    days_end_before_the_day_that_is_named,
    an_event_over_the_night_of_the_change_is_as_long_as_it_is,
    an_instant_is_an_instant,
];

async fn check(room: &dyn Room, event: &Event, expected: &[(&str, &str)]) -> Done {
    room.she_creates(&room.hers(), event).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    let placed = placed_between(&items, utc("2026-11-22T05:00:00Z"), utc("2027-11-22T05:00:00Z"));
    let placed: Vec<(Timestamp, Timestamp)> =
        placed.into_iter().map(|(start, end, _)| (start, end)).collect();
    let expected: Vec<_> = expected.iter().map(|(start, end)| (utc(start), utc(end))).collect();
    assert_eq!(placed, expected);
    Ok(())
}

async fn a_series_keeps_its_wall_time_when_summer_time_begins(room: &dyn Room) -> Done {
    let weekly = series("Sunday", "2027-03-07T09:00:00", "America/Toronto", "FREQ=WEEKLY;COUNT=2");
    check(
        room,
        &weekly,
        &[("2027-03-07T14:00:00Z", "2027-03-07T15:00:00Z"), ("2027-03-14T13:00:00Z", "2027-03-14T14:00:00Z")],
    )
    .await
}

async fn a_series_keeps_its_wall_time_when_summer_time_ends(room: &dyn Room) -> Done {
    let weekly = series("Sunday", "2027-10-24T09:00:00", "Europe/Berlin", "FREQ=WEEKLY;COUNT=2");
    check(
        room,
        &weekly,
        &[("2027-10-24T07:00:00Z", "2027-10-24T08:00:00Z"), ("2027-10-31T08:00:00Z", "2027-10-31T09:00:00Z")],
    )
    .await
}

async fn a_series_of_the_south_keeps_its_wall_time(room: &dyn Room) -> Done {
    let weekly = series("Sunday", "2027-03-28T09:00:00", "Australia/Sydney", "FREQ=WEEKLY;COUNT=2");
    check(
        room,
        &weekly,
        &[("2027-03-27T22:00:00Z", "2027-03-27T23:00:00Z"), ("2027-04-03T23:00:00Z", "2027-04-04T00:00:00Z")],
    )
    .await
}

fn single(start: &str, end: &str, zone: &str) -> Event {
    event("Call", wall(start, zone), wall(end, zone))
}

async fn a_zone_of_three_quarters_of_an_hour_is_understood(room: &dyn Room) -> Done {
    let call = single("2026-12-01T10:00:00", "2026-12-01T11:00:00", "Asia/Kathmandu");
    check(room, &call, &[("2026-12-01T04:15:00Z", "2026-12-01T05:15:00Z")]).await
}

async fn a_zone_a_day_ahead_is_understood(room: &dyn Room) -> Done {
    let call = single("2026-12-02T08:00:00", "2026-12-02T09:00:00", "Pacific/Kiritimati");
    check(room, &call, &[("2026-12-01T18:00:00Z", "2026-12-01T19:00:00Z")]).await
}

async fn a_zone_whose_clocks_change_by_half_an_hour_is_understood(room: &dyn Room) -> Done {
    let weekly = series("Sunday", "2027-03-28T09:00:00", "Australia/Lord_Howe", "FREQ=WEEKLY;COUNT=2");
    check(
        room,
        &weekly,
        &[("2027-03-27T22:00:00Z", "2027-03-27T23:00:00Z"), ("2027-04-03T22:30:00Z", "2027-04-03T23:30:00Z")],
    )
    .await
}

async fn an_event_may_begin_in_one_zone_and_end_in_another(room: &dyn Room) -> Done {
    let flight = event(
        "Flight",
        wall("2026-12-01T18:00:00", "America/Toronto"),
        wall("2026-12-02T07:30:00", "Europe/Paris"),
    );
    check(room, &flight, &[("2026-12-01T23:00:00Z", "2026-12-02T06:30:00Z")]).await
}

async fn a_day_is_a_day_and_no_instant(room: &dyn Room) -> Done {
    room.she_creates(&room.hers(), &event("Holiday", day("2026-12-25"), day("2026-12-26"))).await?;
    let (items, _) = read_all(hers(room).as_ref()).await;
    assert_eq!(items[0].event.start, day("2026-12-25"));
    Ok(())
}

async fn days_end_before_the_day_that_is_named(room: &dyn Room) -> Done {
    let trip = event("Trip", day("2026-12-24"), day("2026-12-28"));
    check(room, &trip, &[("2026-12-24T05:00:00Z", "2026-12-28T05:00:00Z")]).await
}

async fn an_event_over_the_night_of_the_change_is_as_long_as_it_is(room: &dyn Room) -> Done {
    let night = single("2027-03-13T22:00:00", "2027-03-14T06:00:00", "America/Toronto");
    check(room, &night, &[("2027-03-14T03:00:00Z", "2027-03-14T10:00:00Z")]).await
}

async fn an_instant_is_an_instant(room: &dyn Room) -> Done {
    let start = utc("2026-12-31T23:59:00Z");
    let call = event("Call", When::Utc(start), When::Utc(utc("2027-01-01T00:01:00Z")));
    check(room, &call, &[("2026-12-31T23:59:00Z", "2027-01-01T00:01:00Z")]).await
}
