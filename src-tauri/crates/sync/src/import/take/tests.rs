//! Entries of files by hand: which are news, which lie ahead, and what a cancellation takes along.

use calendar::event::{End, When};
use calendar::zone::Zone;
use jiff::civil::DateTime;

use super::*;
use crate::import::linked;
use crate::made::{at, copied, draft, event as booked};

fn files() -> CalendarId {
    linked("here", 5, at(0)).id
}

fn event(uid: &str, hour: i64) -> Event {
    Event::new(Uid(uid.to_owned()), When::Utc(at(hour)), End::At(When::Utc(at(hour + 1))))
}

/// The instance of `series` that was to be at `hour`, as version `sequence`.
fn instance(series: &str, hour: i64, sequence: u32) -> Event {
    Event { instance: Some(When::Utc(at(hour))), sequence, ..event(series, hour) }
}

fn repeating(uid: &str, hour: i64, rule: &str) -> Event {
    let mut event = event(uid, hour);
    event.recurrence.rules.push(rule.to_owned());
    event
}

fn cancelled(event: Event) -> Event {
    Event { status: Status::Cancelled, ..event }
}

fn file(events: &[Event]) -> Calendar {
    Calendar { events: events.to_vec(), ..Calendar::default() }
}

fn empty() -> Holdings {
    Holdings::of(&World::default(), &files())
}

/// What comes of these files, one after the other.
fn take_all(holdings: &mut Holdings, files: &[Vec<Event>]) -> Vec<Taken> {
    let own = Own::default();
    files.iter().map(|events| holdings.take(&file(events), &own, at(0), &TimeZone::UTC)).collect()
}

fn skipped(taken: &Taken) -> Vec<Skip> {
    taken.skipped.iter().map(|skipped| skipped.reason).collect()
}

/// Whether an instance stands, as far as the holdings know.
fn stands(holdings: &Holdings, event: &Event) -> bool {
    holdings.known[&Key::of(event)].iter().all(|row| row.event.status != Status::Cancelled)
}

#[test]
fn a_row_says_what_it_said_while_its_etag_is_a_digest_of_it_or_it_was_taken_back_for_good() {
    let mut holdings = empty();
    let taken = take_all(&mut holdings, &[vec![event("a", 5)], vec![cancelled(event("a", 5))]]);
    let row = &taken[0].intake.changed[0];
    let gone = &taken[1].intake.changed[0];
    assert!(says_what_it_said(row) && says_what_it_said(gone));
    let moved = RemoteEvent { event: event("a", 6), ..row.clone() };
    assert!(!says_what_it_said(&moved));
    let stands = RemoteEvent { event: event("a", 5), ..gone.clone() };
    assert!(!says_what_it_said(&stands), "it was taken back, and says that it stands");
    let of_another = RemoteEvent { etag: ETag::from("1"), ..gone.clone() };
    assert!(!says_what_it_said(&of_another));
}

/// Bare ids, which slots of hers are exported under and which other programs write too.
const BARE: [&str; 3] = [
    "00000000-0000-4000-8000-00000000000a",
    "00000000-0000-4000-8000-00000000000b",
    "00000000-0000-4000-8000-00000000000c",
];

#[test]
fn the_platform_is_asked_for_slots_a_day_around_all_that_may_be_slots_of_hers() {
    let asks = |events: &[Event]| {
        asks_about_slots(&[file(&events[..1]), file(&events[1..])], &empty(), &Own::default(), at(0))
    };
    let all = [event(BARE[0], 80), event(BARE[1], 50), event(BARE[2], 60)];
    assert_eq!(asks(&all), Interval::new(at(26), at(104)));
    let past = [event(BARE[0], -80), event(BARE[1], 50)];
    assert_eq!(asks(&past), Interval::new(at(-24), at(74)), "of what is past, no slot is asked for");
}

#[test]
fn the_platform_is_asked_for_no_slots_where_no_entry_can_be_one_that_is_not_known() {
    let own = |ids: &[&str]| Own { ids: ids.iter().map(|id| (*id).to_owned()).collect() };
    let asks = |event: Event, holdings: &Holdings, own: &Own| {
        asks_about_slots(&[file(&[event])], holdings, own, at(0)).is_some()
    };
    let mut holdings = empty();
    take_all(&mut holdings, &[vec![event(BARE[0], 5)]]);
    assert!(asks(event(BARE[1], 5), &holdings, &own(&[])));
    assert!(!asks(event("tea@elsewhere", 5), &holdings, &own(&[])), "no slot is named so");
    assert!(!asks(event(BARE[1], 5), &holdings, &own(&[BARE[1]])), "it is hers, as is known already");
    assert!(!asks(event(BARE[0], 5), &holdings, &own(&[])), "it was taken in as somebody else's");
}

#[test]
fn an_instance_is_older_than_a_newer_series_only_once_that_was_taken_back() {
    let series = |sequence| Event { sequence, ..repeating("s", 5, "FREQ=DAILY;COUNT=9") };
    let older = instance("s", 29, 2);
    let mut holdings = empty();
    let taken = take_all(&mut holdings, &[vec![series(3)], vec![older.clone()]]);
    assert_eq!((taken[1].counts.new, skipped(&taken[1])), (1, Vec::new()));
    let mut holdings = empty();
    let taken = take_all(&mut holdings, &[vec![series(3)], vec![cancelled(series(3))], vec![older]]);
    assert_eq!(skipped(&taken[2]), [Skip::Older]);
}

#[test]
fn a_choice_is_forgotten_with_the_times_that_it_was_made_for_and_with_nothing_less() {
    let mut holdings = empty();
    let renamed = Event { summary: "Hours".to_owned(), ..event("a", 5) };
    let moved = Event { summary: "Hours".to_owned(), ..event("a", 6) };
    let taken = take_all(&mut holdings, &[vec![event("a", 5)], vec![renamed], vec![moved]]);
    let choices: Vec<usize> = taken.iter().map(|taken| taken.intake.choices.len()).collect();
    assert_eq!(choices, [0, 0, 1]);
    assert_eq!(taken[2].intake.choices, [(Uid("a".to_owned()), None)]);
}

#[test]
fn a_series_that_is_taken_back_takes_its_instances_along_but_none_that_is_newer_or_stands_in_the_same_file() {
    let series = repeating("s", 5, "FREQ=DAILY;COUNT=9");
    let older = instance("s", 29, 1);
    let newer = instance("s", 53, 5);
    let beside = instance("s", 77, 1);
    let mut holdings = empty();
    take_all(&mut holdings, &[vec![series.clone(), older.clone(), newer.clone(), beside.clone()]]);
    let cancel = cancelled(Event { sequence: 2, ..series });
    let again = Event { sequence: 2, ..beside.clone() };
    let taken = take_all(&mut holdings, &[vec![cancel, again]]);
    assert!(!stands(&holdings, &older));
    assert!(stands(&holdings, &newer) && stands(&holdings, &beside));
    assert_eq!((taken[0].counts.cancelled, taken[0].counts.unchanged, taken[0].counts.updated), (1, 1, 0));
}

#[test]
fn an_instance_is_cancelled_once_and_only_where_it_or_its_series_stood() {
    let series = repeating("s", 5, "FREQ=DAILY;COUNT=9");
    let once = cancelled(instance("s", 29, 1));
    let mut holdings = empty();
    let taken = take_all(&mut holdings, &[vec![series], vec![once.clone()], vec![once.clone()]]);
    let counts: Vec<_> = taken.iter().map(|taken| (taken.counts.cancelled, taken.counts.unchanged)).collect();
    assert_eq!(counts, [(0, 0), (1, 0), (0, 1)]);
    let taken = take_all(&mut empty(), &[vec![once]]);
    assert_eq!((taken[0].counts.cancelled, skipped(&taken[0])), (0, vec![Skip::NotHere]));
}

#[test]
fn of_two_intakes_in_one_what_came_later_is_what_counts_for_each_event() {
    let row = |id: &str, etag: &str| copied(&booked(&draft(5), etag), id);
    let asked = |id: &str| Invitation {
        calendar: files(),
        event: RemoteId::from(id),
        asked: String::new(),
        answer: Given::Waiting,
    };
    let mut intake = Intake {
        changed: vec![row("goes", "1"), row("changes", "1"), row("stays", "1")],
        removed: vec![RemoteId::from("returns"), RemoteId::from("gone")],
        invitations: vec![asked("goes"), asked("stays")],
        choices: Vec::new(),
    };
    intake.join(Intake {
        changed: vec![row("changes", "2"), row("returns", "2")],
        removed: vec![RemoteId::from("goes")],
        ..Intake::default()
    });
    assert_eq!(intake.changed, [row("stays", "1"), row("changes", "2"), row("returns", "2")]);
    assert_eq!(intake.removed, [RemoteId::from("gone"), RemoteId::from("goes")]);
    assert_eq!(intake.invitations, [asked("stays")]);
}

fn lies_ahead(event: &Event) -> bool {
    !is_over(event, at(0), &TimeZone::UTC)
}

#[test]
fn an_event_is_over_from_its_end_on_however_far_away_it_was_or_wherever() {
    assert!(lies_ahead(&event("a", 24 * 50)) && lies_ahead(&event("a", 24 * 365 * 20)));
    assert!(lies_ahead(&event("a", 5)) && lies_ahead(&event("a", 0)));
    assert!(!lies_ahead(&event("a", -1)) && !lies_ahead(&event("a", -24 * 50)));
    // Where her today is already tomorrow, by the clock on the wall.
    let zone = Zone::named("Pacific/Kiritimati");
    let there = |hour: i64| -> DateTime { zone.time_zone().unwrap().to_datetime(at(hour)) };
    let zoned = |hour: i64| {
        let when = |hour| When::Zoned { wall: there(hour), zone: zone.clone() };
        Event::new(Uid("a".to_owned()), when(hour), End::At(when(hour + 1)))
    };
    assert!(!lies_ahead(&zoned(-2)) && lies_ahead(&zoned(2)));
}

#[test]
fn a_series_lies_ahead_while_any_day_of_it_does() {
    let day = 24;
    let of = |days: i64, rule: &str| lies_ahead(&repeating("s", days * day, rule));
    assert!(of(-10, "FREQ=DAILY;COUNT=12") && !of(-10, "FREQ=DAILY;COUNT=9"));
    let ended = at(-day).strftime("%Y%m%dT%H%M%SZ").to_string();
    assert!(!of(-10, &format!("FREQ=DAILY;UNTIL={ended}")));
    assert!(of(-300, "FREQ=YEARLY"), "it never ends");
    assert!(of(-300, "FREQ=YEARLY;COUNT=2"), "beyond the next month");
    assert!(of(-300, "FREQ=YEARLY;INTERVAL=20;COUNT=2"), "in twenty years");
}

#[test]
fn what_cannot_be_told_lies_ahead_even_where_it_stands_for_one_day_of_a_series() {
    let past = instance("s", -50, 1);
    assert!(!lies_ahead(&past));
    assert!(lies_ahead(&Event { incomplete: true, ..past.clone() }));
    assert!(lies_ahead(&Event { and_future: true, ..past }));
}
