//! Why times can be booked or not, in a salon with two calendars.

use std::collections::BTreeMap;

use calendar::busy::BusyRules;
use calendar::event::{End, Event, Status, Transparency, Uid, When};
use sync::booking::{Booking, BookingStatus};
use sync::ids::{CalendarId, ConnectionId, ETag, RemoteCalendarId, Service};
use sync::ports::{CalendarEntry, RemoteEvent};
use sync::world::{Connection, ConnectionState, LinkedCalendar, Vendor};

use super::*;

const NOW: &str = "2026-11-17T10:40:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Two calendars that were read at 10:38.
fn salon(names: [&str; 2]) -> World {
    let connection = ConnectionId::of(Service::Google, "amelie@example.com");
    let mut world = World {
        vendor: Some(Vendor {
            id: "v1".into(),
            name: "Amélie".into(),
            email: "amelie@example.com".into(),
            time_zone: "Europe/Paris".into(),
        }),
        ..World::default()
    };
    world.connections.insert(
        connection.clone(),
        Connection {
            id: connection.clone(),
            service: Service::Google,
            account: "amelie@example.com".into(),
            state: ConnectionState::Connected,
            created_at: at(NOW),
            error: None,
            backoff_until: None,
            error_count: 0,
        },
    );
    for name in names {
        let entry = CalendarEntry {
            remote: RemoteCalendarId(name.to_owned()),
            name: name.to_owned(),
            time_zone: None,
            writable: true,
            primary: false,
            ours: false,
        };
        let calendar = LinkedCalendar::new(&connection, &entry, Role::Busy, 5, at(NOW));
        let read = LinkedCalendar { known: true, last_sync_at: Some(at("2026-11-17T10:38:00Z")), ..calendar };
        world.events.insert(read.id.clone(), BTreeMap::new());
        world.calendars.insert(read.id.clone(), read);
    }
    world
}

fn id(name: &str) -> CalendarId {
    CalendarId::of(
        &ConnectionId::of(Service::Google, "amelie@example.com"),
        &RemoteCalendarId(name.to_owned()),
    )
}

fn event(uid: &str, start: &str, end: &str) -> Event {
    let mut event = Event::new(Uid(uid.into()), When::Utc(at(start)), End::At(When::Utc(at(end))));
    event.summary = format!("About {uid}");
    event
}

fn put(world: &mut World, calendar: &str, event: Event) {
    let remote = RemoteEvent {
        id: event.uid.0.as_str().into(),
        etag: ETag::from("1"),
        event,
        marker: None,
        created_as: None,
    };
    world.events.get_mut(&id(calendar)).unwrap().insert(remote.id.clone(), remote);
}

fn ask(world: &World, time: &str) -> Answer {
    let zone = vendor_zone(world.vendor.as_ref());
    let time = Time::read(time, &zone).unwrap();
    explain(world, time, at(NOW), &Policy::default(), Some(at("2026-11-17T10:39:00Z")))
}

#[track_caller]
fn check(world: &World, time: &str, bookable: bool, kinds: &[&str]) -> Answer {
    let answer = ask(world, time);
    assert_eq!(
        answer.because.iter().map(|reason| reason.kind.as_str()).collect::<Vec<_>>(),
        kinds,
        "{answer:?}"
    );
    assert_eq!(answer.bookable, bookable, "{answer:?}");
    answer
}

#[test]
fn an_event_blocks_from_its_first_moment_to_just_before_its_end() {
    let mut world = salon(["Private", "School"]);
    put(&mut world, "Private", event("dentist", "2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z"));
    check(&world, "2026-11-18T08:59:59Z", true, &[]);
    let answer = check(&world, "2026-11-18T10:00", false, &["busy"]);
    assert_eq!(answer.time, at("2026-11-18T09:00:00Z"), "her own clock");
    let reason = &answer.because[0];
    assert_eq!((reason.source.as_str(), reason.summary.as_str()), ("Private", "About dentist"));
    assert_eq!(reason.start, Some(at("2026-11-18T09:00:00Z")));
    assert_eq!(reason.end, Some(at("2026-11-18T10:00:00Z")));
    assert_eq!(reason.checked_at, Some(at("2026-11-17T10:38:00Z")));
    check(&world, "2026-11-18T10:59:59.999+01:00", false, &["busy"]);
    check(&world, "2026-11-18T10:00:00Z", true, &[]);
    let day = check(&world, "2026-11-18", false, &["busy"]);
    assert_eq!(day.until, Some(at("2026-11-18T23:00:00Z")));
    check(&world, "2026-11-19", true, &[]);
}

#[test]
fn every_kind_of_event_says_what_it_is() {
    let mut world = salon(["Private", "School"]);
    let hour = ("2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z");
    let made = |uid: &str, change: fn(&mut Event)| {
        let mut event = event(uid, hour.0, hour.1);
        change(&mut event);
        event
    };
    put(&mut world, "Private", made("maybe", |event| event.status = Status::Tentative));
    put(&mut world, "Private", made("note", |event| event.transparency = Transparency::Transparent));
    put(&mut world, "School", made("away", |event| event.kind = calendar::event::Kind::OutOfOffice));
    put(
        &mut world,
        "School",
        made("trip", |event| {
            (event.start, event.end) = (When::Date(jiff::civil::date(2026, 11, 18)), End::Unstated);
        }),
    );
    put(
        &mut world,
        "School",
        made("lost", |event| {
            let zone = calendar::zone::Zone::Unknown("Nowhere".into());
            event.start = When::Zoned { wall: jiff::civil::date(2026, 11, 18).at(10, 0, 0, 0), zone };
            event.end = End::Lasting { days: 0, seconds: 3600 };
        }),
    );
    let answer = ask(&world, "2026-11-18T09:30:00Z");
    let mut kinds: Vec<&str> = answer.because.iter().map(|reason| reason.kind.as_str()).collect();
    assert_eq!(kinds.pop(), Some("free"), "what does not block comes last");
    kinds.sort_unstable();
    assert_eq!(kinds, ["all_day", "out_of_office", "tentative", "withheld"]);
    assert!(!answer.bookable);
}

#[test]
fn the_way_there_and_the_time_kept_around_it_are_told_apart() {
    let mut world = salon(["Private", "School"]);
    let mut visit = event("visit", "2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z");
    visit.travel_seconds = 1_800;
    put(&mut world, "Private", visit);
    world.calendars.get_mut(&id("Private")).unwrap().rules =
        BusyRules { buffer_before_minutes: 10, buffer_after_minutes: 15, ..BusyRules::default() };
    for (time, kinds) in [
        ("2026-11-18T08:19:59Z", &[][..]),
        ("2026-11-18T08:20:00Z", &["buffer"]),
        ("2026-11-18T08:30:00Z", &["travel"]),
        ("2026-11-18T08:59:59Z", &["travel"]),
        ("2026-11-18T09:00:00Z", &["busy"]),
        ("2026-11-18T10:14:59Z", &["buffer"]),
        ("2026-11-18T10:15:00Z", &[]),
    ] {
        check(&world, time, kinds.is_empty(), kinds);
    }
}

#[test]
fn one_event_in_two_calendars_is_one_reason_with_both_of_them() {
    let mut world = salon(["Private", "School"]);
    for calendar in ["Private", "School"] {
        put(&mut world, calendar, event("party", "2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z"));
    }
    let answer = check(&world, "2026-11-18T09:30:00Z", false, &["busy"]);
    let mut sources = answer.because[0].sources.clone();
    sources.sort();
    assert_eq!(sources, ["Private", "School"]);
    assert!(text(&answer, &TimeZone::UTC).contains("About party"));
}

#[test]
fn bookings_the_past_and_what_is_not_known_are_said() {
    let mut world = salon(["Private", "School"]);
    let booking = |id: &str, status| Booking {
        id: id.into(),
        vendor: "v1".into(),
        status,
        start: at("2026-11-18T09:00:00Z"),
        end: at("2026-11-18T10:00:00Z"),
        service_name: Some("Haircut".into()),
        customer_name: Some("Zoé Roy".into()),
        customer_email: None,
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    world.bookings.insert("gone".into(), booking("gone", BookingStatus::Cancelled));
    check(&world, "2026-11-18T09:30:00Z", true, &[]);
    world.bookings.insert("b1".into(), booking("b1", BookingStatus::Pending));
    let answer = check(&world, "2026-11-18T09:30:00Z", false, &["booking"]);
    assert_eq!(answer.because[0].summary, "Haircut, Zoé Roy");
    assert_eq!(answer.because[0].checked_at, Some(at("2026-11-17T10:39:00Z")));

    check(&world, "2026-11-17T10:39:00Z", false, &["past"]);
    check(&world, "2026-11-17", true, &[]);
    check(&world, "2027-11-18T09:30:00Z", true, &["beyond_horizon"]);
    world.calendars.get_mut(&id("School")).unwrap().known = false;
    check(&world, "2026-11-19T09:30:00Z", true, &["not_read"]);
    world.calendars.get_mut(&id("School")).unwrap().role = Role::Off;
    check(&world, "2026-11-19T09:30:00Z", true, &[]);
}

#[test]
fn a_time_her_clock_shows_never_or_twice_is_asked_for_again() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let read = |text: &str| Time::read(text, &paris);
    let gap = read("2026-03-29T02:30").unwrap_err();
    assert!(gap.message.contains("never"), "{gap}");
    let twice = read("2026-10-25T02:30").unwrap_err();
    assert!(twice.message.contains("twice"), "{twice}");
    let step = twice.next_step(crate::words::Language::English);
    let offered: Vec<Time> = step
        .split_whitespace()
        .filter(|word| word.starts_with("2026"))
        .map(|word| read(word.trim_end_matches('.')).unwrap())
        .collect();
    assert_eq!(offered, [Time::Moment(at("2026-10-25T00:30:00Z")), Time::Moment(at("2026-10-25T01:30:00Z"))]);
    for text in ["", "soon", "14:00", "2026-02-30", "2026-02-30T10:00", "20260301", "2026-03-29T25:00"] {
        assert!(read(text).unwrap_err().message.contains("is no time"), "{text}");
    }
    assert_eq!(read(" 2026-03-29 14:00 ").unwrap(), Time::Moment(at("2026-03-29T12:00:00Z")));
}

#[test]
fn what_she_unblocked_is_bookable_and_says_so_and_only_where_she_did() {
    let mut world = salon(["Private", "School"]);
    put(&mut world, "Private", event("course", "2026-11-18T09:00:00Z", "2026-11-18T12:00:00Z"));
    let answer = check(&world, "2026-11-18T10:00:00Z", false, &["busy"]);
    assert!(answer.can_unblock);
    assert!(text(&answer, &TimeZone::UTC).contains("companion unblock 2026-11-18T10:00"));

    let span = Interval::new(at("2026-11-18T10:00:00Z"), at("2026-11-18T11:00:00Z")).unwrap();
    world.unblocked.insert(unblocked::Unblocked { span, calendar: id("Private"), at: at(NOW) });
    let answer = check(&world, "2026-11-18T10:30:00Z", true, &["busy", "unblocked"]);
    assert!(!answer.can_unblock && !answer.because[0].blocks, "{answer:?}");
    assert_eq!((answer.because[1].start, answer.because[1].end), (Some(span.start()), Some(span.end())));
    assert_eq!(answer.because[1].sources, ["Private"]);
    check(&world, "2026-11-18T09:59:59Z", false, &["busy"]);
    check(&world, "2026-11-18T11:00:00Z", false, &["busy"]);

    put(&mut world, "School", event("trip", "2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z"));
    check(&world, "2026-11-18T10:30:00Z", false, &["busy", "busy", "unblocked"]);
    world.events.get_mut(&id("School")).unwrap().clear();
    put(&mut world, "School", event("course", "2026-11-18T09:00:00Z", "2026-11-18T12:00:00Z"));
    check(&world, "2026-11-18T10:30:00Z", false, &["busy", "unblocked"]);
}

#[test]
fn only_what_calendars_alone_block_can_be_unblocked() {
    let mut world = salon(["Private", "School"]);
    put(&mut world, "Private", event("dentist", "2026-11-18T09:00:00Z", "2026-11-18T10:00:00Z"));
    put(&mut world, "Private", event("earlier", "2026-11-17T09:00:00Z", "2026-11-17T10:00:00Z"));
    assert!(ask(&world, "2026-11-18T09:30:00Z").can_unblock);
    assert!(!ask(&world, "2026-11-17T09:30:00Z").can_unblock, "it is over");
    assert!(!ask(&world, "2026-11-18T10:30:00Z").can_unblock, "nothing blocks it");
    assert!(!ask(&world, "2026-11-18").can_unblock, "a whole day is more than once");
    let booking = Booking {
        id: "b1".into(),
        vendor: "v1".into(),
        status: BookingStatus::Confirmed,
        start: at("2026-11-18T09:00:00Z"),
        end: at("2026-11-18T10:00:00Z"),
        service_name: None,
        customer_name: None,
        customer_email: None,
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: String::new(),
    };
    world.bookings.insert("b1".into(), booking);
    assert!(!ask(&world, "2026-11-18T09:30:00Z").can_unblock, "a booking keeps its time");
}
