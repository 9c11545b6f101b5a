//! Events in, occurrences out: recurrence, exceptions, overrides and clock changes as a vendor's calendar shows them.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use calendar::busy::{AllDayRule, BusyRules, Placed, Reason, place};
use calendar::event::{Answer, End, Event, ExtraDate, Kind, ShownAs, Status, Transparency, Uid, When};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn utc(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn window(from: &str, to: &str) -> Interval {
    Interval::new(utc(from), utc(to)).unwrap()
}

fn berlin(wall: &str) -> When {
    zoned(wall, "Europe/Berlin")
}

fn zoned(wall: &str, zone: &str) -> When {
    When::Zoned { wall: wall.parse().unwrap(), zone: Zone::named(zone) }
}

fn date(text: &str) -> When {
    When::Date(text.parse().unwrap())
}

fn event(start: When, end: End) -> Event {
    Event::new(Uid("e".to_owned()), start, end)
}

fn hour_at(start: When) -> Event {
    event(start, End::Lasting { days: 0, seconds: 3_600 })
}

fn series(start: When, rule: &str) -> Event {
    let mut event = hour_at(start);
    event.recurrence.rules.push(rule.to_owned());
    event
}

fn instead_of(original: When, start: When) -> Event {
    let mut event = hour_at(start);
    event.instance = Some(original);
    event
}

fn placed(events: &[Event], from: &str, to: &str) -> Placed {
    place(events, &BusyRules::default(), window(from, to), &TimeZone::get("Europe/Berlin").unwrap())
}

fn starts(placed: &Placed) -> Vec<String> {
    placed.occurrences.iter().map(|occurrence| occurrence.start.to_string()).collect()
}

/// Compares the starts in July 2026, seen from Berlin.
fn check(events: &[Event], expected: &[&str]) {
    assert_eq!(starts(&placed(events, "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z")), expected);
}

#[test]
fn a_daily_series_keeps_its_wall_time_over_a_clock_change() {
    let events = [series(berlin("2026-03-28T09:00"), "FREQ=DAILY;COUNT=2")];
    let placed = placed(&events, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
    assert_eq!(starts(&placed), ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"]);
}

#[test]
fn a_time_in_a_gap_moves_forward_and_a_time_that_occurs_twice_is_the_first() {
    let gap = [series(berlin("2026-03-28T02:30"), "FREQ=DAILY;COUNT=2")];
    let shown = placed(&gap, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(starts(&shown), ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"]);
    let fold = [hour_at(zoned("2026-11-01T01:30", "America/New_York"))];
    let shown = placed(&fold, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    assert_eq!(starts(&shown), ["2026-11-01T05:30:00Z"]);
}

#[test]
fn an_end_hands_every_instance_the_same_exact_duration_and_days_stay_civil_days() {
    let mut night = event(berlin("2026-03-27T22:00"), End::At(berlin("2026-03-28T06:00")));
    night.recurrence.rules.push("FREQ=DAILY;COUNT=2".to_owned());
    let shown = placed(&[night], "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(shown.occurrences[0].end, utc("2026-03-29T05:00:00Z"));
    let day = event(berlin("2026-03-28T12:00"), End::Lasting { days: 1, seconds: 0 });
    let shown = placed(&[day], "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(shown.occurrences[0].end, utc("2026-03-29T10:00:00Z"));
}

#[test]
fn an_all_day_event_fills_the_vendors_day() {
    let day = event(date("2026-03-29"), End::At(date("2026-03-30")));
    let shown = placed(&[day], "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z");
    let occurrence = &shown.occurrences[0];
    assert_eq!(
        (occurrence.start, occurrence.end),
        (utc("2026-03-28T23:00:00Z"), utc("2026-03-29T22:00:00Z"))
    );
    assert_eq!((occurrence.all_day, occurrence.reason), (true, Reason::AllDayBlocks));
    let same_end = event(date("2026-03-29"), End::At(date("2026-03-29")));
    assert_eq!(placed(&[same_end], "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z").busy(), shown.busy());
}

#[test]
fn until_means_what_its_form_says() {
    for until in ["20260703", "20260703T090000", "20260703T070000Z"] {
        check(
            &[series(berlin("2026-07-02T09:00"), &format!("FREQ=DAILY;UNTIL={until}"))],
            &["2026-07-02T07:00:00Z", "2026-07-03T07:00:00Z"],
        );
    }
    check(
        &[series(berlin("2026-07-02T09:00"), "FREQ=DAILY;UNTIL=20260703T065959Z")],
        &["2026-07-02T07:00:00Z"],
    );
    check(
        &[series(date("2026-07-02"), "FREQ=DAILY;UNTIL=20260702T220000Z")],
        &["2026-07-01T22:00:00Z", "2026-07-02T22:00:00Z"],
    );
}

#[test]
fn a_series_that_ended_before_it_began_is_gone() {
    check(&[series(berlin("2026-07-02T09:00"), "FREQ=DAILY;UNTIL=20260701")], &[]);
    check(&[series(berlin("2026-07-02T09:00"), "FREQ=DAILY;UNTIL=20260702T065959Z")], &[]);
}

#[test]
fn a_start_that_its_own_rule_does_not_name_is_an_instance_all_the_same() {
    check(
        &[series(berlin("2026-07-02T09:00"), "FREQ=WEEKLY;BYDAY=FR;COUNT=2")],
        &["2026-07-02T07:00:00Z", "2026-07-03T07:00:00Z", "2026-07-10T07:00:00Z"],
    );
}

#[test]
fn exceptions_of_every_form_take_an_instance_out() {
    for except in [
        berlin("2026-07-03T09:00"),
        When::Utc(utc("2026-07-03T07:00:00Z")),
        When::Floating("2026-07-03T09:00".parse().unwrap()),
        zoned("2026-07-03T03:00", "America/New_York"),
        zoned("2026-07-03T09:00", "Nowhere/Else"),
        date("2026-07-03"),
    ] {
        let mut daily = series(berlin("2026-07-02T09:00"), "FREQ=DAILY;COUNT=3");
        daily.recurrence.except_dates.push(except);
        check(&[daily], &["2026-07-02T07:00:00Z", "2026-07-04T07:00:00Z"]);
    }
}

#[test]
fn an_exception_rule_takes_out_what_it_names() {
    let mut daily = series(berlin("2026-07-02T09:00"), "FREQ=DAILY;COUNT=5");
    daily.recurrence.except_rules.push("FREQ=DAILY;INTERVAL=2".to_owned());
    check(&[daily], &["2026-07-03T07:00:00Z", "2026-07-05T07:00:00Z"]);
}

#[test]
fn extra_dates_add_instances_and_periods_bring_their_own_end() {
    let mut extra = hour_at(berlin("2026-07-02T09:00"));
    extra.recurrence.dates = vec![
        ExtraDate { start: berlin("2026-07-05T10:00"), end: End::Unstated },
        ExtraDate { start: berlin("2026-07-06T10:00"), end: End::At(berlin("2026-07-06T13:00")) },
        ExtraDate { start: berlin("2026-07-02T09:00"), end: End::Unstated },
    ];
    let shown = placed(&[extra], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(starts(&shown), ["2026-07-02T07:00:00Z", "2026-07-05T08:00:00Z", "2026-07-06T08:00:00Z"]);
    assert_eq!(shown.occurrences[2].end, utc("2026-07-06T11:00:00Z"));
}

#[test]
fn an_override_replaces_the_instance_it_names_however_it_names_it() {
    for original in [
        berlin("2026-07-03T09:00"),
        When::Utc(utc("2026-07-03T07:00:00Z")),
        When::Floating("2026-07-03T09:00".parse().unwrap()),
        date("2026-07-03"),
    ] {
        let daily = series(berlin("2026-07-02T09:00"), "FREQ=DAILY;COUNT=3");
        let moved = instead_of(original, berlin("2026-07-03T15:00"));
        let expected = ["2026-07-02T07:00:00Z", "2026-07-03T13:00:00Z", "2026-07-04T07:00:00Z"];
        check(&[daily.clone(), moved.clone()], &expected);
        check(&[moved, daily], &expected);
    }
}

#[test]
fn an_instance_moved_into_the_window_is_seen_and_one_moved_out_is_not() {
    let daily = series(berlin("2026-06-20T09:00"), "FREQ=YEARLY");
    let moved_in = instead_of(berlin("2026-06-20T09:00"), berlin("2026-07-10T09:00"));
    check(&[daily.clone(), moved_in], &["2026-07-10T07:00:00Z"]);
    let daily = series(berlin("2026-07-20T09:00"), "FREQ=YEARLY");
    let moved_out = instead_of(berlin("2026-07-20T09:00"), berlin("2026-09-10T09:00"));
    check(&[daily, moved_out], &[]);
}

#[test]
fn a_cancelled_override_frees_its_time() {
    let daily = series(berlin("2026-07-02T09:00"), "FREQ=DAILY;COUNT=2");
    let mut gone = instead_of(berlin("2026-07-03T09:00"), berlin("2026-07-03T09:00"));
    gone.status = Status::Cancelled;
    let shown = placed(&[daily, gone], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(shown.occurrences[1].reason, Reason::Cancelled);
    assert_eq!(shown.busy(), [window("2026-07-02T07:00:00Z", "2026-07-02T08:00:00Z")]);
}

#[test]
fn a_change_to_this_and_future_instances_shifts_the_later_ones() {
    let daily = series(berlin("2026-07-02T09:00"), "FREQ=DAILY;COUNT=4");
    let mut later = event(berlin("2026-07-03T11:00"), End::Lasting { days: 0, seconds: 7_200 });
    later.instance = Some(berlin("2026-07-03T09:00"));
    later.and_future = true;
    let single = instead_of(berlin("2026-07-04T09:00"), berlin("2026-07-04T20:00"));
    let shown = placed(&[daily, later, single], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(
        starts(&shown),
        ["2026-07-02T07:00:00Z", "2026-07-03T09:00:00Z", "2026-07-04T18:00:00Z", "2026-07-05T09:00:00Z"]
    );
    assert_eq!(shown.occurrences[3].end, utc("2026-07-05T11:00:00Z"));
    assert_eq!(shown.occurrences[3].recurrence_id, Some(utc("2026-07-05T07:00:00Z")));
}

#[test]
fn an_override_without_its_master_is_an_event_of_its_own() {
    check(&[instead_of(berlin("2026-07-03T09:00"), berlin("2026-07-03T15:00"))], &["2026-07-03T13:00:00Z"]);
}

#[test]
fn the_newest_version_stands_whatever_the_order() {
    let mut old = hour_at(berlin("2026-07-03T09:00"));
    old.sequence = 9;
    let mut new = hour_at(berlin("2026-07-03T15:00"));
    new.sequence = 10;
    check(&[new.clone(), old.clone()], &["2026-07-03T13:00:00Z"]);
    check(&[old.clone(), new.clone()], &["2026-07-03T13:00:00Z"]);
    (old.sequence, new.sequence) = (0, 0);
    (old.stamp, new.stamp) = (Some(utc("2026-01-02T00:00:00Z")), Some(utc("2026-01-01T00:00:00Z")));
    check(&[old.clone(), new.clone()], &["2026-07-03T07:00:00Z"]);
    (old.stamp, new.stamp) = (None, None);
    check(&[old, new], &["2026-07-03T07:00:00Z", "2026-07-03T13:00:00Z"]);
}

#[test]
fn an_override_left_behind_by_a_newer_master_no_longer_counts() {
    let mut master = series(date("2026-07-01"), "FREQ=WEEKLY;UNTIL=20260710");
    master.sequence = 2;
    let mut stale = instead_of(date("2026-07-15"), date("2026-07-15"));
    stale.recurrence.rules.push("FREQ=WEEKLY".to_owned());
    stale.sequence = 1;
    check(&[master.clone(), stale.clone()], &["2026-06-30T22:00:00Z", "2026-07-07T22:00:00Z"]);
    stale.sequence = 2;
    check(&[master, stale], &["2026-06-30T22:00:00Z", "2026-07-07T22:00:00Z", "2026-07-14T22:00:00Z"]);
}

#[test]
fn an_unknown_zone_blocks_wherever_on_earth_it_may_be_and_says_so() {
    let lost = hour_at(zoned("2026-07-03T09:00", "Nowhere/Else"));
    let shown = placed(&[lost], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(shown.busy(), [window("2026-07-02T19:00:00Z", "2026-07-03T22:00:00Z")]);
    assert_eq!(shown.occurrences[0].reason, Reason::Withheld);
    assert!(shown.withheld[0].reason.contains("Nowhere/Else"));
}

#[test]
fn a_rule_that_cannot_be_read_blocks_its_time_of_day_and_says_so() {
    let odd = series(berlin("2026-07-29T09:00"), "FREQ=YEARLY;RSCALE=CHINESE");
    let shown = placed(&[odd], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    let blocked: Vec<Reason> = shown.occurrences.iter().map(|occurrence| occurrence.reason).collect();
    assert_eq!(blocked, [Reason::Busy, Reason::Withheld, Reason::Withheld]);
    assert!(shown.withheld[0].reason.contains("RSCALE"));
}

#[test]
fn a_series_of_every_second_blocks_the_whole_stretch_and_says_so() {
    let hostile = series(berlin("2026-07-10T09:00"), "FREQ=SECONDLY");
    let shown = placed(&[hostile], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(shown.busy(), [window("2026-07-10T07:00:00Z", "2026-08-01T00:00:00Z")]);
    assert_eq!(shown.withheld.len(), 1);
}

#[test]
fn the_age_of_a_series_does_not_change_what_it_costs() {
    for rule in [
        "FREQ=DAILY",
        "FREQ=HOURLY;BYHOUR=9",
        "FREQ=SECONDLY;INTERVAL=86400;COUNT=99999999",
        "FREQ=DAILY;COUNT=99999",
    ] {
        let old = series(berlin("1990-01-01T09:00"), rule);
        let shown = placed(&[old], "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
        assert_eq!(starts(&shown), ["2026-01-01T08:00:00Z", "2026-01-02T08:00:00Z"], "{rule}");
        assert_eq!(shown.withheld, []);
    }
}

#[test]
fn an_event_that_ends_before_it_begins_blocks_what_lies_between_and_says_so() {
    let reversed = event(berlin("2026-07-03T09:00"), End::At(berlin("2026-07-03T08:00")));
    let shown = placed(&[reversed], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(shown.busy(), [window("2026-07-03T06:00:00Z", "2026-07-03T07:00:00Z")]);
    assert_eq!((shown.occurrences[0].reason, shown.withheld.len()), (Reason::Withheld, 1));
    let wrong = event(berlin("2026-07-03T09:00"), End::At(berlin("1997-07-03T08:00")));
    let shown = placed(&[wrong], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
    assert_eq!(shown.busy(), [window("2026-07-03T07:00:00Z", "2026-07-03T08:00:00Z")]);
}

#[test]
fn each_event_says_why_it_blocks_or_does_not() {
    let judged = |change: &dyn Fn(&mut Event)| {
        let mut event = hour_at(berlin("2026-07-03T09:00"));
        change(&mut event);
        let shown = placed(&[event], "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z");
        (shown.occurrences[0].busy, shown.occurrences[0].reason)
    };
    assert_eq!(judged(&|_| {}), (true, Reason::Busy));
    assert_eq!(judged(&|e| e.transparency = Transparency::Transparent), (false, Reason::Free));
    assert_eq!(judged(&|e| e.status = Status::Cancelled), (false, Reason::Cancelled));
    assert_eq!(judged(&|e| e.status = Status::Tentative), (true, Reason::Tentative));
    assert_eq!(judged(&|e| e.answer = Some(Answer::Declined)), (false, Reason::Declined));
    assert_eq!(judged(&|e| e.answer = Some(Answer::Tentative)), (true, Reason::Tentative));
    assert_eq!(judged(&|e| e.shown_as = Some(ShownAs::Free)), (false, Reason::Free));
    assert_eq!(judged(&|e| e.shown_as = Some(ShownAs::OutOfOffice)), (true, Reason::OutOfOffice));
    assert_eq!(judged(&|e| e.shown_as = Some(ShownAs::WorkingElsewhere)), (false, Reason::WorkingLocation));
    assert_eq!(judged(&|e| e.kind = Kind::OutOfOffice), (true, Reason::OutOfOffice));
    assert_eq!(judged(&|e| e.kind = Kind::FocusTime), (true, Reason::Busy));
    assert_eq!(judged(&|e| e.kind = Kind::WorkingLocation), (false, Reason::WorkingLocation));
    assert_eq!(judged(&|e| e.kind = Kind::Birthday), (false, Reason::Birthday));
    assert_eq!(judged(&|e| e.end = End::Unstated), (false, Reason::NoDuration));
}

#[test]
fn the_vendors_rules_decide_about_whole_days_and_tentative_events() {
    let judged = |rules: BusyRules, event: &Event| {
        let zone = TimeZone::UTC;
        let shown = place(
            std::slice::from_ref(event),
            &rules,
            window("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z"),
            &zone,
        );
        shown.occurrences[0].reason
    };
    let all_day = |all_day| BusyRules { all_day, ..BusyRules::default() };
    let mut day = event(date("2026-07-03"), End::Unstated);
    assert_eq!(judged(all_day(AllDayRule::BlockIfBusy), &day), Reason::AllDayBlocks);
    assert_eq!(judged(all_day(AllDayRule::Ignore), &day), Reason::AllDayIgnored);
    day.transparency = Transparency::Transparent;
    assert_eq!(judged(all_day(AllDayRule::BlockIfBusy), &day), Reason::AllDayFree);
    assert_eq!(judged(all_day(AllDayRule::AlwaysBlock), &day), Reason::AllDayBlocks);
    let mut maybe = hour_at(berlin("2026-07-03T09:00"));
    maybe.status = Status::Tentative;
    let ignoring = BusyRules { tentative_blocks: false, ..BusyRules::default() };
    assert_eq!(judged(ignoring, &maybe), Reason::TentativeIgnored);
}

#[test]
fn the_way_there_and_buffers_block_too_even_from_outside_the_window() {
    let rules = BusyRules { buffer_before_minutes: 10, buffer_after_minutes: 20, ..BusyRules::default() };
    let mut event = hour_at(When::Utc(utc("2026-07-03T09:00:00Z")));
    event.travel_seconds = 1_800;
    let blocked = |from: &str, to: &str| {
        place(std::slice::from_ref(&event), &rules, window(from, to), &TimeZone::UTC).busy()
    };
    let whole = [window("2026-07-03T08:20:00Z", "2026-07-03T10:20:00Z")];
    assert_eq!(blocked("2026-07-03T00:00:00Z", "2026-07-04T00:00:00Z"), whole);
    assert_eq!(blocked("2026-07-03T08:00:00Z", "2026-07-03T08:30:00Z"), whole);
    assert_eq!(blocked("2026-07-03T10:10:00Z", "2026-07-03T12:00:00Z"), whole);
    assert_eq!(blocked("2026-07-03T10:20:00Z", "2026-07-03T12:00:00Z"), []);
}

#[test]
fn a_changed_series_from_here_on_keeps_its_first_instance() {
    let mut changed = instead_of(berlin("2026-07-08T10:00"), berlin("2026-07-08T10:00"));
    changed.and_future = true;
    changed.recurrence.rules.push("FREQ=DAILY;COUNT=3".to_owned());
    let master = series(berlin("2026-07-06T10:00"), "FREQ=DAILY;COUNT=3");
    check(
        &[master, changed],
        &[
            "2026-07-06T08:00:00Z",
            "2026-07-07T08:00:00Z",
            "2026-07-08T08:00:00Z",
            "2026-07-09T08:00:00Z",
            "2026-07-10T08:00:00Z",
        ],
    );
}
