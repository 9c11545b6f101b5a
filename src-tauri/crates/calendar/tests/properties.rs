//! What holds for every calendar: where a window is cut, the order of events and a trip through a file change nothing.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use calendar::busy::{BusyRules, Occurrence, place, union_with_sources};
use calendar::event::{End, Event, ExtraDate, ShownAs, Status, Transparency, Uid, When};
use calendar::ics::{self, Calendar, Method};
use calendar::interval::{Interval, union};
use calendar::zone::{GivenZone, Zone};
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
    "Pacific/Apia",
];

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn walls() -> impl Strategy<Value = DateTime> {
    // Around the clock changes of 2026 as often as anywhere.
    let days = prop_oneof![0_i64..900, 86_i64..89, 296_i64..300, 304_i64..306];
    (days, 0_i64..96).prop_map(|(day, quarter)| {
        date(2026, 1, 1).at(0, 0, 0, 0) + jiff::SignedDuration::from_secs(day * 86_400 + quarter * 900)
    })
}

fn zones() -> impl Strategy<Value = Zone> {
    prop_oneof![
        8 => prop::sample::select(&ZONES[..]).prop_map(|name| Zone::Iana(name.to_owned())),
        1 => Just(Zone::Given(Box::new(GivenZone::fixed("My, own: zone", 12_600)))),
        1 => Just(Zone::Unknown("Nowhere".to_owned())),
    ]
}

fn whens() -> impl Strategy<Value = When> {
    prop_oneof![
        (walls(), zones()).prop_map(|(wall, zone)| When::Zoned { wall, zone }),
        walls().prop_map(|wall| When::Date(wall.date())),
        walls().prop_map(|wall| When::Utc(TimeZone::UTC.to_timestamp(wall).unwrap())),
        walls().prop_map(When::Floating),
    ]
}

fn rules() -> impl Strategy<Value = String> {
    let part = |parts: &'static [&'static str]| prop::option::of(prop::sample::select(parts));
    (
        prop::sample::select(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"][..]),
        1_u8..5,
        part(&["BYMONTH=3,10", "BYMONTH=7"]),
        part(&["BYDAY=MO,TH", "BYDAY=SU", "BYDAY=SA,SU,WE"]),
        part(&["BYMONTHDAY=1,-1,15", "BYMONTHDAY=31"]),
        part(&["BYHOUR=2,14", "BYHOUR=9"]),
        part(&["BYSETPOS=1", "BYSETPOS=-1,2"]),
        part(&["COUNT=7", "COUNT=40", "UNTIL=20260901", "UNTIL=20270601T120000Z"]),
    )
        .prop_map(|(frequency, interval, month, day, month_day, hour, position, end)| {
            let mut rule = format!("FREQ={frequency};INTERVAL={interval}");
            // A position needs something to count, and a rule by hours on every hour is no calendar.
            let position = position.filter(|_| day.is_some() || month_day.is_some());
            let hour =
                hour.filter(|_| frequency != "HOURLY").or((frequency == "HOURLY").then_some("BYHOUR=9,10"));
            for part in [month, day, month_day, hour, position, end].into_iter().flatten() {
                rule.push(';');
                rule.push_str(part);
            }
            rule
        })
}

fn ends(start: &When) -> BoxedStrategy<End> {
    match start {
        When::Date(start) => {
            let start = *start;
            (1_i64..4)
                .prop_map(move |days| {
                    End::At(When::Date(start + jiff::SignedDuration::from_hours(24 * days)))
                })
                .boxed()
        }
        When::Utc(_) | When::Zoned { .. } | When::Floating(_) => {
            (0_i32..2, 0_i64..40_000).prop_map(|(days, seconds)| End::Lasting { days, seconds }).boxed()
        }
    }
}

/// One event, often a series, as a file could hold it.
fn single_events() -> impl Strategy<Value = Event> {
    whens().prop_flat_map(|start| {
        (
            ends(&start),
            Just(start),
            prop::option::weighted(0.7, rules()),
            prop::collection::vec(whens(), 0..3),
            prop::collection::vec(whens(), 0..2),
            "[a-zA-Z0-9 ,;:\\\\\n\u{e9}\u{4e16}\"]{0,90}",
            (0_u8..3, any::<bool>(), prop::option::of(0_u8..5), 0_u32..4, 0_u32..3),
        )
            .prop_map(
                |(end, start, rule, except, extra, text, (status, free, shown, sequence, travel))| {
                    let mut event = Event::new(Uid::default(), start, end);
                    event.recurrence.rules.extend(rule);
                    event.recurrence.except_dates = except;
                    event.recurrence.dates =
                        extra.into_iter().map(|start| ExtraDate { start, end: End::Unstated }).collect();
                    event.summary = text.trim().to_owned();
                    event.status =
                        [Status::Confirmed, Status::Tentative, Status::Cancelled][usize::from(status)];
                    event.transparency = if free { Transparency::Transparent } else { Transparency::Opaque };
                    event.shown_as = shown.map(|shown| {
                        [
                            ShownAs::Free,
                            ShownAs::Tentative,
                            ShownAs::Busy,
                            ShownAs::OutOfOffice,
                            ShownAs::WorkingElsewhere,
                        ][usize::from(shown)]
                    });
                    event.sequence = sequence;
                    event.travel_seconds = travel * 600;
                    event.stamp = Some(Timestamp::UNIX_EPOCH);
                    event
                },
            )
    })
}

/// A few events under a few UIDs, overrides among them.
fn calendars() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(
        (single_events(), 0_u8..4, prop::option::weighted(0.3, (whens(), any::<bool>()))),
        1..6,
    )
    .prop_map(|events| {
        events
            .into_iter()
            .map(|(mut event, uid, instance)| {
                event.uid = Uid(format!("uid-{uid}@example.org"));
                if let Some((instance, and_future)) = instance {
                    event.recurrence = calendar::event::Recurrence::default();
                    event.instance = Some(instance);
                    event.and_future = and_future;
                }
                event
            })
            .collect()
    })
}

fn hours(from: i64, to: i64) -> Interval {
    let at = |hour: i64| Timestamp::from_second(1_767_225_600 + hour * 3_600).unwrap();
    Interval::new(at(from), at(to)).unwrap()
}

fn occurrences(events: &[Event], window: Interval) -> Vec<Occurrence> {
    place(events, &BusyRules::default(), window, &berlin()).occurrences
}

fn touches(occurrence: &Occurrence, window: Interval) -> bool {
    let itself = Interval::new(occurrence.start, occurrence.end)
        .map_or(window.start() <= occurrence.start && occurrence.start < window.end(), |span| {
            span.overlaps(&window)
        });
    itself || occurrence.blocks.is_some_and(|blocks| blocks.overlaps(&window))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_a_window_is_cut_changes_nothing(events in calendars(), from in 0_i64..9_000, length in 2_i64..2_000, cut in 1_i64..1_999) {
        let cut = from + cut.min(length - 1);
        let whole = occurrences(&events, hours(from, from + length));
        for part in [hours(from, cut), hours(cut, from + length)] {
            let expected: Vec<&Occurrence> = whole.iter().filter(|occurrence| touches(occurrence, part)).collect();
            let found = occurrences(&events, part);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn the_order_of_events_changes_nothing(events in calendars(), turn in 0_usize..6) {
        let window = hours(0, 3_000);
        let mut turned = events.clone();
        turned.rotate_left(turn % events.len());
        turned.reverse();
        let blocks = |events: &[Event]| place(events, &BusyRules::default(), window, &berlin()).busy();
        prop_assert_eq!(blocks(&turned), blocks(&events));
    }

    #[test]
    fn one_more_event_never_frees_time(events in calendars(), mut more in single_events()) {
        more.uid = Uid("another@example.org".to_owned());
        let window = hours(0, 3_000);
        let blocks = |events: &[Event]| place(events, &BusyRules::default(), window, &berlin()).busy();
        let before = blocks(&events);
        let mut with = events;
        with.push(more);
        let after = blocks(&with);
        prop_assert_eq!(union([before, after.clone()].concat()), after);
    }

    #[test]
    fn a_union_is_its_own_union_and_loses_no_source(spans in prop::collection::vec((0_i64..500, 1_i64..20, 0_usize..3), 0..40)) {
        let names = ["a", "b", "c"];
        let blocks: Vec<(&str, Interval)> =
            spans.iter().map(|(start, length, source)| (names[*source], hours(*start, start + length))).collect();
        let merged = union_with_sources(blocks.iter().copied());
        let intervals: Vec<Interval> = merged.iter().map(|busy| busy.interval).collect();
        prop_assert_eq!(&union(intervals.clone()), &intervals);
        prop_assert_eq!(&union(blocks.iter().map(|(_, block)| *block).collect()), &intervals);
        for (source, block) in blocks {
            let home = merged.iter().find(|busy| busy.interval.overlaps(&block)).unwrap();
            prop_assert!(home.sources.contains(source));
        }
    }

    #[test]
    fn what_is_written_reads_back_as_it_was(mut events in calendars(), name in prop::option::of("[a-z,;\u{e9}]{1,40}")) {
        for event in &mut events {
            // A zone that is known by its rules alone comes back with the file; an unknown one is reported anew.
            if event.repeats() && event.recurrence.dates.is_empty() && event.instance.is_some() {
                event.recurrence = calendar::event::Recurrence::default();
            }
        }
        let calendar = Calendar { method: Some(Method::Publish), name, zone: None, refresh_seconds: Some(3_600), events, ..Calendar::default() };
        let text = ics::write(&calendar, Timestamp::UNIX_EPOCH);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])));
        let (read, _) = ics::read(text.as_bytes()).unwrap();
        prop_assert_eq!(read, calendar);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = ics::read(&bytes);
        let inside = [b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T000000Z\n".as_slice(), &bytes].concat();
        let (calendar, _) = ics::read(&inside).unwrap();
        occurrences(&calendar.events, hours(0, 720));
    }

    #[test]
    fn no_rule_is_too_strange(rule in "(FREQ=(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY))(;(INTERVAL=[0-9]{1,10}|COUNT=[0-9]{1,9}|BYDAY=-?[0-9]{0,2}(MO|SU)|BYMONTHDAY=-?[0-9]{1,2}|BYYEARDAY=-?[0-9]{1,3}|BYWEEKNO=-?[0-9]{1,2}|BYSETPOS=-?[0-9]{1,3}|BYHOUR=[0-9]{1,2}|BYSECOND=[0-9]{1,2}|UNTIL=[0-9]{8})){0,5}", start in whens()) {
        let mut event = Event::new(Uid("e".to_owned()), start, End::Unstated);
        event.recurrence.rules.push(rule);
        occurrences(&[event], hours(0, 720));
    }
}
