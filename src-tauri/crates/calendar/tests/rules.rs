//! Rules in, dates out: what RFC 5545 says, and what it leaves open where programs disagree.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use calendar::recurrence::{Budget, Rule, between, civil};
use jiff::civil::Date;

/// Compares the first dates that a rule names from 09:00 of `start` on.
#[track_caller]
fn check(rule: &str, start: &str, expected: &[&str]) {
    let from = civil::of_date(start.parse().unwrap()) * civil::DAY + 9 * 3_600;
    let to = from + 12 * 366 * civil::DAY;
    let walls = between(&Rule::parse(rule).unwrap(), from, from, to, &mut Budget::new(1_000_000)).unwrap();
    let dates =
        walls.iter().take(expected.len()).map(|wall| civil::to_date(wall.div_euclid(civil::DAY)).unwrap());
    let expected: Vec<Date> = expected.iter().map(|date| date.parse().unwrap()).collect();
    assert_eq!(dates.collect::<Vec<_>>(), expected, "{rule}");
}

#[test]
fn days_that_do_not_exist_are_left_out() {
    check("FREQ=YEARLY", "2024-02-29", &["2024-02-29", "2028-02-29"]);
    check("FREQ=MONTHLY", "2026-01-31", &["2026-01-31", "2026-03-31", "2026-05-31"]);
    check("FREQ=YEARLY;BYYEARDAY=-366", "2024-01-01", &["2024-01-01", "2028-01-01"]);
    check("FREQ=MONTHLY;BYMONTHDAY=-1,31", "2026-01-31", &["2026-01-31", "2026-02-28", "2026-03-31"]);
}

#[test]
fn ordinals_and_plain_weekdays_may_stand_together() {
    check(
        "FREQ=MONTHLY;BYDAY=3MO,WE",
        "2026-07-01",
        &["2026-07-01", "2026-07-08", "2026-07-15", "2026-07-20"],
    );
    check("FREQ=MONTHLY;BYDAY=-5TH", "2026-07-02", &["2026-07-02", "2026-10-01"]);
    check("FREQ=YEARLY;BYDAY=20MO", "2026-05-18", &["2026-05-18", "2027-05-17"]);
}

#[test]
fn positions_count_in_the_whole_period_also_where_the_series_begins_within_it() {
    check(
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,3",
        "2026-07-08",
        &["2026-07-08", "2026-07-13", "2026-07-15"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2026-07-31",
        &["2026-07-31", "2026-08-31", "2026-09-30"],
    );
}

#[test]
fn the_first_day_of_the_week_decides_which_weeks_are_every_other() {
    check(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
        "1997-08-05",
        &["1997-08-05", "1997-08-10", "1997-08-19"],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
        "1997-08-05",
        &["1997-08-05", "1997-08-17", "1997-08-19"],
    );
}

/// Some programs read all seven days into a week number, some skip a week that reaches into the next year.
#[test]
fn a_week_number_alone_keeps_the_weekday_and_weeks_may_reach_into_the_next_year() {
    check("FREQ=YEARLY;BYWEEKNO=20", "2026-05-14", &["2026-05-14", "2027-05-20"]);
    check("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2024-12-30", &["2024-12-30", "2025-12-29", "2027-01-04"]);
    check("FREQ=YEARLY;BYWEEKNO=-52;BYDAY=FR;WKST=FR", "2004-12-31", &["2004-12-31"]);
}

/// BYMONTHDAY expands a year (RFC 5545 §3.3.10), although some programs keep to the month of the start.
#[test]
fn a_day_of_the_month_without_a_month_falls_in_every_month() {
    check("FREQ=YEARLY;BYMONTHDAY=-1", "2026-04-30", &["2026-04-30", "2026-05-31", "2026-06-30"]);
}

#[test]
fn a_count_is_the_same_however_late_the_window_begins() {
    for text in [
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=100",
        "FREQ=DAILY;BYMONTH=7;COUNT=40",
        "FREQ=HOURLY;INTERVAL=7;COUNT=90",
    ] {
        let rule = Rule::parse(text).unwrap();
        let start = civil::day_number(2026, 7, 1) * civil::DAY + 9 * 3_600;
        let all = between(&rule, start, start, i64::MAX, &mut Budget::new(1_000_000)).unwrap();
        assert_eq!(Some(all.len() as u64), rule.count);
        for cut in (0..all.len()).step_by(7) {
            let late = between(&rule, start, all[cut], i64::MAX, &mut Budget::new(1_000_000)).unwrap();
            assert_eq!(late, all[cut..], "{text} from {cut}");
        }
    }
}

#[test]
fn the_first_week_of_a_year_may_begin_in_december_and_is_the_last_but_51_or_52() {
    // 2020 has 53 weeks, and the first of them begins on 30 December 2019.
    check("FREQ=YEARLY;BYMONTH=12;BYWEEKNO=-53;BYDAY=MO", "2019-12-30", &["2019-12-30"]);
    // 1997 has 52, and the first of them begins on 30 December 1996; 1998 has 53.
    check("FREQ=YEARLY;BYWEEKNO=-52;BYDAY=TU", "1996-12-31", &["1996-12-31", "1998-01-06"]);
    // 2021 has 52 too: 1 January 2022 lies in the last of them, and in no 53rd.
    check("FREQ=YEARLY;BYWEEKNO=19,53;BYDAY=SA,SU", "2022-05-14", &["2022-05-14", "2022-05-15"]);
}

#[test]
fn positions_count_in_order_of_time_however_weeks_begin_and_days_are_counted() {
    check(
        "FREQ=YEARLY;BYWEEKNO=1,36;BYDAY=TU,WE,MO;BYSETPOS=-3;INTERVAL=3;WKST=TU",
        "1976-08-31",
        &["1976-08-31"],
    );
    check("FREQ=MONTHLY;BYDAY=SU,TH,TU;BYSETPOS=1;WKST=FR", "1969-12-02", &["1969-12-02", "1970-01-01"]);
    check(
        "FREQ=YEARLY;BYMONTH=2,7,10,11;BYMONTHDAY=-19,13,21;BYSETPOS=-4;INTERVAL=26",
        "1969-10-21",
        &["1969-10-21"],
    );
}

#[test]
fn months_that_are_left_out_count_for_the_interval_and_not_for_the_count() {
    check(
        "FREQ=MONTHLY;BYMONTH=2,7,8;BYDAY=-1FR,3TH,-2MO;WKST=SU;COUNT=5",
        "2019-07-18",
        &["2019-07-18", "2019-07-22", "2019-07-26", "2019-08-15", "2019-08-19"],
    );
    check(
        "FREQ=MONTHLY;BYMONTH=6,11;COUNT=4",
        "2004-11-07",
        &["2004-11-07", "2005-06-07", "2005-11-07", "2006-06-07"],
    );
}
