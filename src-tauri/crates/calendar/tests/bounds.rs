//! What a file may cost at most: memory is counted by the allocator and work by the steps of a budget, so that no slow
//! machine fails these. Whatever cannot be told in full says so and blocks its time all the same.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of a test, which may fail it and speak"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use calendar::busy::{BusyRules, Placed, place};
use calendar::ics::{self, Calendar, NotACalendar, Problem};
use calendar::interval::Interval;
use calendar::recurrence::{Budget, Rule, between, civil};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MB: usize = 1024 * 1024;
/// Beside the file itself.
const MOST: usize = 200 * MB;

/// What a file came to, and what it took to get there.
struct Taken {
    calendar: Calendar,
    problems: Vec<Problem>,
    placed: Placed,
}

impl Taken {
    fn events(&self) -> usize {
        self.calendar.events.len()
    }

    /// Whether all of the window from `from` on is blocked.
    fn blocks_from(&self, from: &str) -> bool {
        let rest = Interval::new(from.parse().unwrap(), window().end()).unwrap();
        self.placed.busy().iter().any(|busy| busy.start() <= rest.start() && rest.end() <= busy.end())
    }

    fn is_withheld(&self) -> bool {
        !self.placed.withheld.is_empty()
    }
}

/// Reads and places a file and checks that it took less than `most` bytes.
#[track_caller]
fn take(name: &str, file: &[u8], most: usize) -> Taken {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (calendar, problems) = ics::read(file).unwrap();
    let read = MEMORY.peak_usage().saturating_sub(before);
    let placed = place(&calendar.events, &BusyRules::default(), window(), &berlin());
    let peak = MEMORY.peak_usage().saturating_sub(before);
    let sizes = (file.len() as f64 / 1e6, read as f64 / 1e6, peak as f64 / 1e6);
    println!(
        "{name}: {:.1} MB file, {:.1} MB to read, {:.1} MB to read and place",
        sizes.0, sizes.1, sizes.2
    );
    assert!(peak < most, "{name} took {} MB", peak / MB);
    Taken { calendar, problems, placed }
}

/// What another test allocates at the same time would be counted too.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn window() -> Interval {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    Interval::new(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn file(body: &str) -> Vec<u8> {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}\r\nEND:VCALENDAR\r\n").into_bytes()
}

fn event(lines: &str) -> Vec<u8> {
    file(&format!("BEGIN:VEVENT\r\nUID:e\r\n{lines}\r\nEND:VEVENT"))
}

fn hour(lines: &str) -> Vec<u8> {
    event(&format!("DTSTART:20260301T090000Z\r\nDTEND:20260301T100000Z\r\n{lines}"))
}

/// What two years of a rule cost, and how many times they are.
fn steps(rule: &str, start: Date) -> (u64, usize) {
    let from = civil::of_date(date(2026, 1, 1)) * civil::DAY;
    let mut budget = Budget::new(1_000_000);
    let start = civil::of_date(start) * civil::DAY + 9 * 3_600;
    let found = between(&Rule::parse(rule).unwrap(), start, from, from + 730 * civil::DAY, &mut budget);
    (1_000_000 - budget.left(), found.map_or(usize::MAX, |found| found.len()))
}

#[test]
fn a_series_from_1990_costs_what_one_from_today_costs() {
    let _alone = alone();
    for rule in [
        "FREQ=DAILY",
        "FREQ=DAILY;COUNT=100000",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=100000",
        "FREQ=MONTHLY;BYDAY=2TU",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYWEEKNO=10",
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=MINUTELY;INTERVAL=61",
        "FREQ=SECONDLY;INTERVAL=86399",
    ] {
        // Thursdays both, so that weeks are cut alike.
        let (old, found) = steps(rule, date(1990, 1, 4));
        let (new, _) = steps(rule, date(2026, 1, 1));
        println!("{rule}: {old} steps since 1990, {new} since today");
        assert!(found > 0 && found < usize::MAX, "{rule}: {found}");
        assert!(old <= new + new / 50 + 40, "{rule}: {old} steps since 1990, {new} since today");
    }
}

#[test]
fn a_rule_that_never_matches_costs_no_more_than_its_window() {
    let _alone = alone();
    for frequency in ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"] {
        let rule = format!("FREQ={frequency};BYMONTH=2;BYMONTHDAY=30");
        let (steps, found) = steps(&rule, date(1990, 1, 1));
        println!("{rule}: {steps} steps");
        assert_eq!(found, 0, "{rule}");
        assert!(steps < 3_000, "{rule}: {steps} steps");
    }
}

#[test]
fn a_rule_that_is_looked_for_in_vain_every_second_is_given_up_and_blocks() {
    let _alone = alone();
    let taken = take("never, by the second", &hour("RRULE:FREQ=SECONDLY;INTERVAL=2;BYSECOND=1"), 2 * MB);
    assert!(taken.is_withheld() && taken.blocks_from("2026-03-02T00:00:00Z"), "{:?}", taken.placed.withheld);
}

#[test]
fn endless_seconds_and_minutes_block_from_their_start_and_say_so() {
    let _alone = alone();
    for rule in
        ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;COUNT=999999999", "FREQ=MINUTELY;INTERVAL=2"]
    {
        let taken = take(rule, &hour(&format!("RRULE:{rule}")), 8 * MB);
        assert!(taken.is_withheld() && taken.blocks_from("2026-03-01T09:00:00Z"), "{rule}");
    }
}

#[test]
fn a_million_exceptions_are_not_honoured_and_nothing_is_freed() {
    let _alone = alone();
    let dates: Vec<String> = (0..1_000_000).map(|_| "20260302T090000Z".to_owned()).collect();
    let rule = "RRULE:FREQ=DAILY;COUNT=10\r\n";
    let one_line = hour(&format!("{rule}EXDATE:{}", dates.join(",")));
    let many_lines = hour(&format!("{rule}EXDATE:{}", dates.join("\r\nEXDATE:")));
    drop(dates);
    for (name, file) in [("10^6 EXDATE, one line", one_line), ("10^6 EXDATE, a line each", many_lines)] {
        let taken = take(name, &file, 32 * MB);
        assert!(taken.is_withheld(), "{name}");
        assert_eq!(taken.placed.busy().len(), 10, "{name}");
    }
}

#[test]
fn an_exception_cut_in_half_frees_no_whole_day() {
    let _alone = alone();
    // The line is cut after the date of its last value.
    let mut line = "EXDATE:".to_owned();
    while line.len() + 24 < 1024 * 1024 {
        line.push_str("20260901T090000.000Z,");
    }
    let pad = 1024 * 1024 - line.len() - 9;
    line.push_str(&format!("{},20260302T090000Z", "0".repeat(pad)));
    let taken = take("a cut EXDATE", &hour(&format!("RRULE:FREQ=HOURLY;COUNT=48\r\n{line}")), 64 * MB);
    assert_eq!(taken.placed.busy().len(), 1);
    assert!(
        taken.problems.iter().any(|problem| problem.message().contains("too long")),
        "{:?}",
        taken.problems
    );
}

#[test]
fn a_million_extra_dates_block_everything_from_the_start_on() {
    let _alone = alone();
    let dates: Vec<String> = (0..1_000_000).map(|_| "20260901T090000Z/PT1H".to_owned()).collect();
    let one_line = hour(&format!("RDATE;VALUE=PERIOD:{}", dates.join(",")));
    let many_lines = hour(&format!("RDATE;VALUE=PERIOD:{}", dates.join("\r\nRDATE;VALUE=PERIOD:")));
    drop(dates);
    for (name, file) in [("10^6 RDATE, one line", one_line), ("10^6 RDATE, a line each", many_lines)] {
        let taken = take(name, &file, 32 * MB);
        assert!(taken.is_withheld() && taken.blocks_from("2026-03-01T09:00:00Z"), "{name}");
    }
}

#[test]
fn dates_are_bounded_over_all_events_together() {
    let _alone = alone();
    let line = format!("RDATE:{}", vec!["20260101"; 40_000].join(","));
    let events = (0..60).map(|number| {
        format!("BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART;VALUE=DATE:20260301\r\n{line}\r\nEND:VEVENT\r\n")
    });
    let taken = take("60 events of 40,000 RDATE", &file(&events.collect::<String>()), 100 * MB);
    assert_eq!(taken.events(), 60);
    assert!(taken.is_withheld() && taken.blocks_from("2026-03-02T00:00:00Z"));
}

#[test]
fn ten_thousand_overrides_each_hold() {
    let _alone = alone();
    let mut body = "BEGIN:VEVENT\r\nUID:e\r\nDTSTART:20260101T090000Z\r\nDURATION:PT30M\r\n\
        RRULE:FREQ=HOURLY;COUNT=10000\r\nEND:VEVENT\r\n"
        .to_owned();
    let start: Timestamp = "2026-01-01T09:00:00Z".parse().unwrap();
    for number in 0..10_000 {
        let at = Timestamp::from_second(start.as_second() + number * 3_600).unwrap();
        let (original, moved) = (at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%dT%H3000Z"));
        body.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:e\r\nRECURRENCE-ID:{original}\r\nDTSTART:{moved}\r\nDURATION:PT10M\r\nEND:VEVENT\r\n"
        ));
    }
    let taken = take("10,000 overrides", &file(&body), 32 * MB);
    assert_eq!(taken.placed.busy().len(), 8_751);
    assert!(!taken.is_withheld());
}

#[test]
fn hostile_overrides_cost_no_more_than_plain_ones() {
    let _alone = alone();
    let rule = "RRULE:FREQ=DAILY;COUNT=3000\r\n";
    let dates = format!("RDATE:{}\r\n", vec!["20260101T090000Z"; 20_000].join(","));
    for (name, range, sequence) in [("stale", "", 0), ("to the end", ";RANGE=THISANDFUTURE", 9)] {
        let mut body = format!(
            "BEGIN:VEVENT\r\nUID:e\r\nSEQUENCE:5\r\nDTSTART:20240101T090000Z\r\nDURATION:PT1H\r\n{rule}{dates}END:VEVENT\r\n"
        );
        for number in 0..10_000 {
            let at =
                Timestamp::from_second(1_767_225_600 + number * 3_600).unwrap().strftime("%Y%m%dT%H%M%SZ");
            body.push_str(&format!(
                "BEGIN:VEVENT\r\nUID:e\r\nSEQUENCE:{sequence}\r\nRECURRENCE-ID{range}:{at}\r\nDTSTART:{at}\r\n\
                 DURATION:PT1H\r\n{rule}END:VEVENT\r\n"
            ));
        }
        let taken = take(&format!("10,000 series as overrides, {name}"), &file(&body), MOST);
        assert!(!taken.placed.busy().is_empty(), "{name}");
    }
}

#[test]
fn ten_thousand_copies_of_one_uid_all_count() {
    let _alone = alone();
    let copies = |lines: &str| -> String {
        let copy = |number: i64| {
            let at =
                Timestamp::from_second(1_767_225_600 + number * 1_800).unwrap().strftime("%Y%m%dT%H%M%SZ");
            format!("BEGIN:VEVENT\r\nUID:0\r\nDTSTART:{at}\r\nDURATION:PT10M\r\n{lines}END:VEVENT\r\n")
        };
        (0..10_000).map(copy).collect()
    };
    let single = take("10,000 copies of one UID", &file(&copies("")), 64 * MB);
    assert_eq!(single.placed.busy().len(), 10_000);
    let series = take("10,000 series of one UID", &file(&copies("RRULE:FREQ=DAILY\r\n")), MOST);
    assert!(series.is_withheld() && series.blocks_from("2026-12-01T00:00:00Z"));
}

#[test]
fn a_hundred_thousand_events_are_all_read() {
    let _alone = alone();
    let event = |number: i64| {
        let at = Timestamp::from_second(1_767_225_600 + number * 300).unwrap().strftime("%Y%m%dT%H%M%SZ");
        format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:{at}\r\nDURATION:PT1M\r\nSUMMARY:Cut\r\nEND:VEVENT\r\n"
        )
    };
    let taken = take("100,000 events", &file(&(0..100_000).map(event).collect::<String>()), MOST);
    assert_eq!((taken.events(), taken.placed.busy().len()), (100_000, 100_000));
}

#[test]
fn events_beyond_all_measure_block_from_the_first_of_them_on() {
    let _alone = alone();
    let early = "BEGIN:VEVENT\nDTSTART:20251001\nEND:VEVENT\n";
    let late = "BEGIN:VEVENT\nDTSTART:20260501\nEND:VEVENT\n".repeat(10);
    let taken = take("131,010 events", &file(&(early.repeat(131_000) + &late)), MOST);
    assert!(taken.is_withheld() && taken.blocks_from("2026-05-02T00:00:00Z"));
    assert!(!taken.blocks_from("2026-04-30T00:00:00Z"));
    assert_eq!(taken.problems.len(), 1, "{:?}", taken.problems);
}

#[test]
fn busy_periods_beyond_all_measure_block_from_the_first_of_them_on() {
    let _alone = alone();
    let periods = vec!["20260301T090000Z/PT1H"; 200_000];
    let one_line = format!("FREEBUSY:{}", periods.join(","));
    let many_lines = format!("FREEBUSY:{}", periods.join("\r\nFREEBUSY:"));
    for (name, lines) in [("200,000 busy periods, one line", one_line), ("200,000 busy periods", many_lines)]
    {
        let body = format!("BEGIN:VFREEBUSY\r\nUID:f\r\n{lines}\r\nEND:VFREEBUSY");
        let taken = take(name, &file(&body), MOST);
        assert!(taken.is_withheld() && taken.blocks_from("2026-03-01T09:00:00Z"), "{name}");
    }
}

#[test]
fn the_largest_file_is_read_and_a_larger_one_is_refused() {
    let _alone = alone();
    let event = "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260301T090000Z\r\nDURATION:PT1H\r\nSUMMARY:A cut and a colour, \
        with words enough to fill a line\r\nDESCRIPTION:and more words\r\nEND:VEVENT\r\n";
    let mut largest = file(&event.repeat(ics::MAX_BYTES / event.len() - 1));
    largest.resize(ics::MAX_BYTES, b'\n');
    let taken = take("64 MB of events", &largest, MOST);
    assert!(taken.blocks_from("2026-03-01T09:00:00Z"));
    largest.push(b'\n');
    assert_eq!(ics::read(&largest).unwrap_err(), NotACalendar::TooLarge);
}

#[test]
fn words_of_64_megabytes_are_kept_once() {
    let _alone = alone();
    let event = format!(
        "BEGIN:VEVENT\r\nDTSTART:20260301T090000Z\r\nSUMMARY:{}\r\nEND:VEVENT\r\n",
        "x".repeat(4_000)
    );
    let taken = take("64 MB of words", &file(&event.repeat(ics::MAX_BYTES / event.len() - 1)), MOST);
    assert!(taken.events() > 16_000);
}

#[test]
fn a_line_of_60_megabytes_is_cut_and_keeps_nothing_else_from_being_read() {
    let _alone = alone();
    for name in ["DESCRIPTION", "SUMMARY", "X-NOTE", "no property at all "] {
        let long = format!("{name}:{}\r\n", "x".repeat(60 * MB));
        let taken = take(&format!("one line of 60 MB, {name}"), &hour(&long), 8 * MB);
        assert!(taken.blocks_from("2026-12-31T00:00:00Z") || taken.placed.busy().len() == 1, "{name}");
        assert_eq!(taken.problems.len(), 1, "{name}: {:?}", taken.problems);
    }
    let folded = format!("DESCRIPTION:{}\r\n", "x\r\n ".repeat(15 * MB));
    assert_eq!(take("15 million folds", &hour(&folded), 8 * MB).placed.busy().len(), 1);
}

#[test]
fn attachments_are_passed_over_without_being_held() {
    let _alone = alone();
    let plain = format!("ATTACH;ENCODING=BASE64;VALUE=BINARY:{}", "QUJD".repeat(50 * MB / 4));
    let folded = format!("ATTACH;ENCODING=BASE64;VALUE=BINARY:{}", "QUJDQUJD\r\n ".repeat(50 * MB / 11));
    for (name, lines) in [("one line", plain), ("folded", folded)] {
        let taken = take(&format!("an attachment of 50 MB, {name}"), &hour(&lines), MB);
        assert_eq!((taken.placed.busy().len(), taken.problems.len()), (1, 0), "{name}");
    }
}

#[test]
fn components_in_components_and_parameters_without_end_cost_nothing() {
    let _alone = alone();
    let deep = "BEGIN:VEVENT\r\nBEGIN:X\r\n".repeat(500_000);
    let taken = take("10^6 BEGIN", &file(&deep), 64 * MB);
    assert!(taken.problems.len() <= 1_000);
    let parameters = format!("SUMMARY{}:Cut", ";X=\"1\"".repeat(100_000));
    let taken = take("10^5 parameters", &hour(&parameters), 2 * MB);
    assert_eq!((taken.calendar.events[0].summary.as_str(), taken.placed.busy().len()), ("Cut", 1));
}

#[test]
fn a_zone_that_cannot_be_worked_out_blocks_wherever_on_earth_it_may_be() {
    let _alone = alone();
    let part = |rule: &str| {
        format!(
            "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n{rule}END:STANDARD\r\n"
        )
    };
    let dates = format!("RDATE:{}\r\n", vec!["20260101T000000"; 5_000].join(","));
    for (name, parts) in [
        ("5,000 parts", part("").repeat(5_000)),
        ("a change every second", part("RRULE:FREQ=SECONDLY\r\n")),
        ("a change every minute of some days", part("RRULE:FREQ=MINUTELY;BYMONTHDAY=1\r\n")),
        ("10,000 changes one by one", part(&dates.repeat(2))),
        ("100 rules in a part", part(&"RRULE:FREQ=YEARLY\r\n".repeat(100))),
    ] {
        let body = format!(
            "BEGIN:VTIMEZONE\r\nTZID:Own\r\n{parts}END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:z\r\n\
             DTSTART;TZID=Own:20260710T120000\r\nDTEND;TZID=Own:20260710T130000\r\nEND:VEVENT"
        );
        let taken = take(&format!("a zone of {name}"), &file(&body), 16 * MB);
        let [busy] = taken.placed.busy()[..] else { panic!("{name}: {:?}", taken.placed) };
        assert!(taken.is_withheld(), "{name}");
        assert_eq!(busy.start().to_string(), "2026-07-09T22:00:00Z", "{name}");
        assert_eq!(busy.end().to_string(), "2026-07-11T01:00:00Z", "{name}");
    }
}

#[test]
fn the_rules_of_a_large_zone_are_not_copied_without_end() {
    let _alone = alone();
    let part = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\n";
    let event = "BEGIN:VEVENT\r\nDTSTART;TZID=Own:20260710T120000\r\nDTEND;TZID=Own:20260710T130000\r\nEND:VEVENT\r\n";
    let body = format!(
        "BEGIN:VTIMEZONE\r\nTZID:Own\r\n{}END:VTIMEZONE\r\n{}",
        part.repeat(500),
        event.repeat(100_000)
    );
    let taken = take("100,000 events in a zone of 500 parts", &file(&body), MOST);
    assert_eq!(taken.events(), 100_000);
    assert!(taken.is_withheld());
}

#[test]
fn a_thousand_zones_are_worked_out_in_bounded_steps() {
    let _alone = alone();
    let zone = |number: usize| {
        let rule = "RRULE:FREQ=DAILY;INTERVAL=7\r\n";
        let part = format!(
            "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETTO:+0200\r\n{rule}END:STANDARD\r\n"
        );
        format!(
            "BEGIN:VTIMEZONE\r\nTZID:Own {number}\r\n{}END:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
             DTSTART;TZID=Own {number}:20260710T120000\r\nDURATION:PT1H\r\nEND:VEVENT\r\n",
            part.repeat(10)
        )
    };
    let taken = take("1,000 zones", &file(&(0..1_000).map(zone).collect::<String>()), 64 * MB);
    assert_eq!(taken.events(), 1_000);
    assert!(!taken.placed.busy().is_empty());
}

#[test]
fn long_words_are_not_repeated_without_end() {
    let _alone = alone();
    let series = |number: usize| {
        format!(
            "BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:20260101T000000Z\r\nDURATION:PT1M\r\nRRULE:FREQ=HOURLY\r\n\
             SUMMARY:{}\r\nEND:VEVENT\r\n",
            "x".repeat(4_000)
        )
    };
    let taken =
        take("100 hourly series with long words", &file(&(0..100).map(series).collect::<String>()), MOST);
    assert!(taken.is_withheld() && taken.blocks_from("2026-01-01T00:00:00Z"));
}

#[test]
fn numbers_and_years_at_the_end_of_their_range_overflow_nowhere() {
    let _alone = alone();
    for rule in [
        "FREQ=DAILY;INTERVAL=4294967295",
        "FREQ=YEARLY;INTERVAL=4294967295;BYMONTH=3",
        "FREQ=SECONDLY;INTERVAL=4294967295",
        "FREQ=DAILY;COUNT=9223372036854775807",
        "FREQ=WEEKLY;INTERVAL=4294967295;COUNT=9223372036854775807",
        "FREQ=MONTHLY;BYSETPOS=1000000",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
    ] {
        for start in ["20260301T090000Z", "00010101T000000", "99991231T235959", "99991231T235959Z"] {
            let taken =
                take(rule, &event(&format!("DTSTART:{start}\r\nDURATION:PT1H\r\nRRULE:{rule}")), 4 * MB);
            // The last day of time is no instant any more; what cannot be read is said.
            assert!(taken.events() == 1 || !taken.problems.is_empty(), "{rule} {start}");
            let is_seen =
                start.starts_with("2026") || (start.starts_with('0') && rule.starts_with("FREQ=DAILY;COUNT"));
            assert!(!is_seen || !taken.placed.busy().is_empty(), "{rule} {start}");
        }
    }
    for duration in
        ["P99999999999999999999D", "PT9223372036854775807S", "-P36525D", "P36525DT9999H", "P2147483647W"]
    {
        let taken = take(duration, &event(&format!("DTSTART:20260301T090000Z\r\nDURATION:{duration}")), MB);
        assert!(!taken.placed.busy().is_empty(), "{duration}");
    }
}

#[test]
fn names_of_zones_without_end_are_not_all_looked_up() {
    let _alone = alone();
    let event = |number: usize| {
        format!(
            "BEGIN:VEVENT\r\nDTSTART;TZID=Own {number}:20260710T120000\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
        )
    };
    let taken = take("100,000 names of zones", &file(&(0..100_000).map(event).collect::<String>()), MOST);
    assert_eq!((taken.events(), taken.placed.withheld.len() > 2_000), (100_000, true));
    assert_eq!(taken.placed.busy().len(), 1);
}
