//! Calendar files as programs really write them, and what each comes to.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use calendar::busy::{BusyRules, Placed, Reason, place};
use calendar::event::{Answer, ShownAs, Status, When};
use calendar::ics::{Calendar, Method, NotACalendar, Problem, read, read_as};
use calendar::interval::Interval;
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Wraps what stands between BEGIN and END of one calendar.
fn file(body: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{body}\nEND:VCALENDAR\n")
}

fn event(lines: &str) -> String {
    file(&format!("BEGIN:VEVENT\nUID:e\n{lines}\nEND:VEVENT"))
}

fn clean(text: &str) -> Calendar {
    let (calendar, problems) = read(text.as_bytes()).unwrap();
    assert_eq!(problems, []);
    calendar
}

fn messy(text: &str) -> (Calendar, Vec<Problem>) {
    let (calendar, problems) = read(text.as_bytes()).unwrap();
    assert!(!problems.is_empty());
    (calendar, problems)
}

fn in_2026(calendar: &Calendar) -> Placed {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let window = Interval::new(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap();
    place(&calendar.events, &BusyRules::default(), window, &TimeZone::get("Europe/Berlin").unwrap())
}

/// Compares `start/end` of every occurrence in 2026, seen from Berlin.
#[track_caller]
fn check(calendar: &Calendar, expected: &[&str]) {
    let shown: Vec<String> =
        in_2026(calendar).occurrences.iter().map(|o| format!("{}/{}", o.start, o.end)).collect();
    assert_eq!(shown, expected);
}

const HOUR: &str = "2026-07-10T08:00:00Z/2026-07-10T09:00:00Z";

#[test]
fn what_is_no_calendar_is_told_apart() {
    let judged = |bytes: &[u8]| read(bytes).unwrap_err();
    assert_eq!(judged(b""), NotACalendar::Empty);
    assert_eq!(judged(b"\r\n \0\0"), NotACalendar::Empty);
    assert_eq!(judged(b"\n<!DOCTYPE html><html><p>BEGIN:your day</p></html>"), NotACalendar::Html);
    assert_eq!(judged(b"PK\x03\x04calendar.ics"), NotACalendar::Zip);
    assert_eq!(judged(b"MZ\x90\0"), NotACalendar::Executable);
    assert_eq!(judged(b"\x7fELF"), NotACalendar::Executable);
    assert_eq!(judged(b"%PDF-1.7"), NotACalendar::Pdf);
    assert_eq!(judged(b"BEGIN:VCARD\nFN:x\nEND:VCARD"), NotACalendar::Contacts);
    assert_eq!(judged(b"Lunch on Friday?"), NotACalendar::NoCalendar);
    assert_eq!(judged(&[0xff; 4_000]), NotACalendar::NoCalendar);
}

#[test]
fn what_is_no_calendar_is_called_what_it_is() {
    let said = NotACalendar::ALL.map(|what| what.to_string());
    assert_eq!(
        said,
        [
            "the file is empty",
            "this is a web page, not a calendar; the address may ask for a sign-in",
            "this is a ZIP archive; unpack it and choose the .ics file inside",
            "this is a program, not a calendar",
            "this is a compressed file, not a calendar",
            "this is a PDF file, not a calendar",
            "this is a JSON file, not a calendar",
            "this is a XML file, not a calendar",
            "this is a contacts file, not a calendar",
            "there is no calendar in this file: it has no BEGIN:VCALENDAR",
            "the file is larger than 67108864 bytes, more than any calendar this app reads",
        ]
    );
}

#[test]
fn an_empty_calendar_is_a_calendar() {
    assert_eq!(clean(&file("")).events, []);
}

#[test]
fn a_plain_event_is_read_whole() {
    let calendar = clean(&event(
        "DTSTAMP:20260101T000000Z\nSEQUENCE:3\nSUMMARY:Tea\\, at four\nDESCRIPTION:a\\nb\nLOCATION:Here\n\
         STATUS:TENTATIVE\nDTSTART;TZID=Europe/Berlin:20260710T100000\nDTEND;TZID=Europe/Berlin:20260710T110000",
    ));
    let event = &calendar.events[0];
    assert_eq!((event.summary.as_str(), event.description.as_str()), ("Tea, at four", "a\nb"));
    assert_eq!((event.sequence, event.status), (3, Status::Tentative));
    assert_eq!(event.stamp, Some("2026-01-01T00:00:00Z".parse().unwrap()));
    check(&calendar, &[HOUR]);
}

#[test]
fn what_belongs_to_an_alarm_is_not_the_events() {
    let calendar = clean(&event(
        "DTSTART:20260710T080000Z\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5H\nSUMMARY:no\nEND:VALARM\nDURATION:PT1H",
    ));
    assert_eq!(calendar.events[0].summary, "");
    check(&calendar, &[HOUR]);
}

#[test]
fn the_calendar_itself_is_described() {
    let calendar = clean(&file(
        "METHOD:PUBLISH\nX-WR-CALNAME:Old\nNAME:Mine\nX-WR-TIMEZONE:Europe/Berlin\nREFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ));
    assert_eq!((calendar.method, calendar.name.as_deref()), (Some(Method::Publish), Some("Mine")));
    assert_eq!(calendar.zone, Some(Zone::Iana("Europe/Berlin".to_owned())));
    assert_eq!(calendar.refresh_seconds, Some(21_600));
}

#[test]
fn one_broken_event_does_not_lose_the_file() {
    let (calendar, problems) = messy(&file(
        "BEGIN:VEVENT\nUID:a\nDTSTART:whenever\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20260710T080000Z\nDTEND:20260710T090000Z\nEND:VEVENT",
    ));
    assert_eq!((problems[0].line, calendar.events.len()), (5, 1));
    check(&calendar, &[HOUR]);
}

#[test]
fn missing_ends_are_supplied() {
    let (calendar, _) = messy(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260710T080000Z\nDURATION:PT1H\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20260711T080000Z\nDURATION:PT1H\nBEGIN:VALARM\nTRIGGER:-PT5M\n\
         BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:c\nDTSTART:20260712T080000Z\nDURATION:PT1H",
    );
    assert_eq!(calendar.events.iter().map(|event| event.uid.0.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn an_end_that_cannot_be_read_still_takes_up_time() {
    let (calendar, _) = messy(&event("DTSTART:20260710T080000Z\nDTEND:late"));
    check(&calendar, &[HOUR]);
}

#[test]
fn lower_case_and_missing_properties_are_no_matter() {
    check(
        &clean(
            "begin:vcalendar\nbegin:vevent\ndtstart:20260710T080000Z\nduration:pt1h\nend:vevent\nend:vcalendar",
        ),
        &[HOUR],
    );
    check(&clean("BEGIN:VEVENT\nDTSTART:20260710T080000Z\nDURATION:PT1H\nEND:VEVENT"), &[HOUR]);
}

#[test]
fn events_without_a_uid_are_each_their_own() {
    let twice = "BEGIN:VEVENT\nDTSTART:20260710T080000Z\nDURATION:PT1H\nEND:VEVENT\n\
                 BEGIN:VEVENT\nDTSTART:20260711T080000Z\nDURATION:PT1H\nEND:VEVENT";
    assert_eq!(in_2026(&clean(&file(twice))).occurrences.len(), 2);
}

#[test]
fn whole_days_are_whole_days_however_they_are_marked() {
    let day = ["2026-07-09T22:00:00Z/2026-07-10T22:00:00Z"];
    check(&clean(&event("DTSTART;VALUE=DATE:20260710\nDTEND;VALUE=DATE:20260711")), &day);
    check(&clean(&event("DTSTART;VALUE=DATE:20260710\nDTEND;VALUE=DATE:20260710")), &day);
    check(&clean(&event("DTSTART:20260710")), &day);
    let outlook = "DTSTART;TZID=America/New_York:20260710T000000\nDTEND;TZID=America/New_York:20260711T000000\n\
                   X-MICROSOFT-CDO-ALLDAYEVENT:TRUE";
    check(&clean(&event(outlook)), &day);
}

#[test]
fn zones_are_placed_by_name_then_alias_then_the_files_own_rules() {
    let at_ten = |zone: &str| event(&format!("DTSTART;TZID={zone}:20260710T100000\nDURATION:PT1H"));
    for zone in
        ["Europe/Berlin", "W. Europe Standard Time", "/example.org/tz_1/Europe/Berlin", "europe/berlin"]
    {
        check(&clean(&at_ten(zone)), &[HOUR]);
    }
    check(
        &clean(&at_ten("\"(UTC+00:00) Dublin, Edinburgh, Lisbon, London\"")),
        &["2026-07-10T09:00:00Z/2026-07-10T10:00:00Z"],
    );
}

/// What Outlook writes for a zone without a name, under three names it has used.
#[test]
fn a_zone_without_a_name_follows_the_files_own_rules() {
    for name in ["Customized Time Zone", "tzone://Microsoft/Custom", "Mine\\, here"] {
        let parameter = name.replace('\\', "");
        let quoted = format!("\"{parameter}\"");
        for written in [quoted.as_str(), parameter.as_str()] {
            if parameter.contains(',') && written == parameter {
                continue;
            }
            let text = file(&format!(
                "BEGIN:VEVENT\nUID:e\nDTSTART;TZID={written}:20260710T100000\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;INTERVAL=5;COUNT=2\nEND:VEVENT\n\
                 BEGIN:VTIMEZONE\nTZID:{name}\n\
                 BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
                 BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n\
                 END:VTIMEZONE"
            ));
            check(&clean(&text), &[HOUR, "2026-12-10T09:00:00Z/2026-12-10T10:00:00Z"]);
        }
    }
}

#[test]
fn each_calendar_of_a_file_defines_its_own_zones() {
    let zone = |offset: &str| {
        file(&format!(
            "BEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\n\
             TZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n\
             BEGIN:VEVENT\nUID:e{offset}\nDTSTART;TZID=Here:20260710T100000\nDURATION:PT1H\nEND:VEVENT"
        ))
    };
    check(
        &clean(&format!("{}{}", zone("+0200"), zone("-0500"))),
        &[HOUR, "2026-07-10T15:00:00Z/2026-07-10T16:00:00Z"],
    );
}

#[test]
fn a_known_alias_given_quite_other_rules_follows_the_file_and_says_so() {
    let text = |offset: &str| {
        file(&format!(
            "BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
             TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n\
             BEGIN:VEVENT\nUID:e\nDTSTART;TZID=W. Europe Standard Time:20260710T100000\nDURATION:PT1H\nEND:VEVENT"
        ))
    };
    let (calendar, _) = messy(&text("+0500"));
    check(&calendar, &["2026-07-10T05:00:00Z/2026-07-10T06:00:00Z"]);
    // A stub with the right winter offset is only incomplete: the name knows better.
    check(&clean(&text("+0100")), &[HOUR]);
}

#[test]
fn an_unknown_zone_falls_back_to_the_calendars_own_and_else_blocks() {
    let unknown = "BEGIN:VEVENT\nUID:e\nDTSTART;TZID=Nowhere:20260710T100000\nDURATION:PT1H\nEND:VEVENT";
    let (calendar, _) = messy(&file(&format!("X-WR-TIMEZONE:Europe/Berlin\n{unknown}")));
    check(&calendar, &[HOUR]);
    let (calendar, problems) = messy(&file(unknown));
    assert!(problems[0].message().contains("Nowhere"));
    check(&calendar, &["2026-07-09T20:00:00Z/2026-07-10T23:00:00Z"]);
    assert_eq!(in_2026(&calendar).occurrences[0].reason, Reason::Withheld);
}

#[test]
fn floating_times_are_the_vendors_and_utc_stays_utc_over_a_clock_change() {
    check(&clean(&event("DTSTART:20260710T100000\nDURATION:PT1H")), &[HOUR]);
    let body = "BEGIN:VEVENT\nUID:e\nDTSTART:20260710T040000\nDTEND:20260710T050000\nEND:VEVENT";
    check(&clean(&file(&format!("X-WR-TIMEZONE:America/New_York\n{body}"))), &[HOUR]);
    check(
        &clean(&event("DTSTART:20260328T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2")),
        &["2026-03-28T08:00:00Z/2026-03-28T09:00:00Z", "2026-03-29T08:00:00Z/2026-03-29T09:00:00Z"],
    );
}

#[test]
fn a_zone_said_once_holds_for_start_and_end() {
    for times in [
        "DTSTART;TZID=America/New_York:20260710T040000\nDTEND:20260710T050000",
        "DTSTART:20260710T040000\nDTEND;TZID=America/New_York:20260710T050000",
    ] {
        check(&clean(&event(times)), &[HOUR]);
    }
}

#[test]
fn series_with_overrides_in_any_order_are_joined() {
    let text = file(
        "BEGIN:VEVENT\nUID:e\nRECURRENCE-ID:20260711T080000Z\nDTSTART;TZID=Europe/Berlin:20260711T150000\nDURATION:PT1H\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:e\nRECURRENCE-ID;TZID=Europe/Berlin:20260712T100000\nSTATUS:CANCELLED\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:e\nDTSTART;TZID=Europe/Berlin:20260710T100000\nDTEND;TZID=Europe/Berlin:20260710T110000\n\
         RRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20260713T100000\nEND:VEVENT",
    );
    let busy: Vec<String> = in_2026(&clean(&text)).busy().iter().map(|i| i.start().to_string()).collect();
    assert_eq!(busy, ["2026-07-10T08:00:00Z", "2026-07-11T13:00:00Z", "2026-07-14T08:00:00Z"]);
}

#[test]
fn busy_periods_of_a_freebusy_component_block() {
    let text = file(
        "BEGIN:VFREEBUSY\nUID:f\nFREEBUSY:20260710T080000Z/PT1H,20260711T080000Z/20260711T090000Z\n\
         FREEBUSY;FBTYPE=FREE:20260712T080000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260713T080000Z/PT1H\n\
         FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260714T080000Z/PT1H\nEND:VFREEBUSY",
    );
    let reasons: Vec<Reason> = in_2026(&clean(&text)).occurrences.iter().map(|o| o.reason).collect();
    assert_eq!(reasons, [Reason::Busy, Reason::Busy, Reason::Free, Reason::Tentative, Reason::OutOfOffice]);
}

#[test]
fn the_old_vcalendar_is_read() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Caf=C3=A9 =\r\nat ten\r\n\
                DTSTART:20260710T080000Z\r\nDTEND:20260710T090000Z\r\nRRULE:D1 #3\r\nEXDATE:20260711T080000Z;20260711T090000Z\r\nTRANSP:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let calendar = clean(text);
    assert_eq!(calendar.events[0].summary, "Caf\u{e9} at ten");
    check(&calendar, &[HOUR, "2026-07-12T08:00:00Z/2026-07-12T09:00:00Z"]);
}

#[test]
fn the_method_decides_whether_times_count() {
    let with = |method: &str| {
        clean(&file(&format!(
            "METHOD:{method}\nBEGIN:VEVENT\nUID:e\nDTSTART:20260710T080000Z\nDURATION:PT1H\nEND:VEVENT"
        )))
    };
    for (method, reason) in [
        ("REQUEST", Reason::Busy),
        ("CANCEL", Reason::Cancelled),
        ("REPLY", Reason::Free),
        ("COUNTER", Reason::Free),
    ] {
        assert_eq!(in_2026(&with(method)).occurrences[0].reason, reason, "{method}");
    }
}

#[test]
fn calendars_of_one_file_each_keep_their_method() {
    let with = |method: &str, uid: &str| {
        file(&format!(
            "METHOD:{method}\nBEGIN:VEVENT\nUID:{uid}\nDTSTART:20260710T080000Z\nDURATION:PT1H\nEND:VEVENT"
        ))
    };
    let calendar = clean(&format!("{}{}", with("CANCEL", "a"), with("REQUEST", "b")));
    let reasons: Vec<Reason> = in_2026(&calendar).occurrences.iter().map(|o| o.reason).collect();
    assert_eq!((calendar.method, reasons), (None, vec![Reason::Cancelled, Reason::Busy]));
    assert_eq!(clean(&format!("{}{}", with("ADD", "a"), with("ADD", "b"))).method, Some(Method::Add));
}

#[test]
fn outlooks_words_and_her_own_answer_are_read() {
    let calendar = clean(&event("DTSTART:20260710T080000Z\nDURATION:PT1H\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"));
    assert_eq!(calendar.events[0].shown_as, Some(ShownAs::OutOfOffice));
    let invitation = event(
        "DTSTART:20260710T080000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=ACCEPTED:mailto:other@example.org\n\
         ATTENDEE;CN=\"Roy; Ada\";PARTSTAT=DECLINED:MAILTO:Ada@Example.org",
    );
    let (calendar, _) = read_as(invitation.as_bytes(), &["ada@example.org"]).unwrap();
    assert_eq!(calendar.events[0].answer, Some(Answer::Declined));
    assert_eq!(clean(&invitation).events[0].answer, None);
}

#[test]
fn the_way_there_is_read() {
    let calendar = clean(&event(
        "DTSTART:20260710T080000Z\nDURATION:PT1H\nX-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M",
    ));
    assert_eq!(calendar.events[0].travel_seconds, 1_800);
}

#[test]
fn hostile_files_are_bounded() {
    let mut deep = "BEGIN:VCALENDAR\n".to_owned();
    deep.push_str(&"BEGIN:X\n".repeat(100_000));
    deep.push_str(&"END:X\n".repeat(100_000));
    deep.push_str("BEGIN:VEVENT\nDTSTART:20260710T080000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR");
    let (deep, problems) = messy(&deep);
    assert_eq!(problems.len(), 1, "{problems:?}");
    check(&deep, &[HOUR]);
    let many = "DTSTART:20260710T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n".to_owned()
        + &"EXDATE:20260711T080000Z,20260711T080000Z\n".repeat(40_000);
    let placed = in_2026(&clean(&event(&many)));
    assert_eq!((placed.occurrences.len(), placed.withheld.len()), (2, 1));
    let junk = format!("BEGIN:VCALENDAR\n{}", "no property\n".repeat(50_000));
    assert!(messy(&junk).1.len() <= 1_000);
    let long =
        event(&format!("DESCRIPTION:{}\nDTSTART:20260710T080000Z\nDURATION:PT1H", "x".repeat(3_000_000)));
    check(&messy(&long).0, &[HOUR]);
}

#[test]
fn a_rule_with_no_meaning_is_withheld_and_the_first_instance_stands() {
    let calendar = clean(&event("DTSTART:20261230T080000Z\nDURATION:PT1H\nRRULE:FREQ=SOMETIMES"));
    let placed = in_2026(&calendar);
    assert_eq!(placed.occurrences[0].reason, Reason::Busy);
    assert_eq!(placed.occurrences[1].reason, Reason::Withheld);
    assert!(matches!(calendar.events[0].start, When::Utc(_)));
}

#[test]
fn an_event_without_a_time_is_told_as_one_that_cannot_be_placed() {
    let file = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:lost\r\nDTSTART:tomorrow\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:over\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:kept\r\nDTSTART:20260710T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (calendar, problems) = read(file).unwrap();
    assert_eq!(calendar.events.len(), 1);
    let uids: Vec<&str> = calendar.unplaced.iter().map(|withheld| withheld.uid.0.as_str()).collect();
    assert_eq!(uids, ["lost"], "{:?}", calendar.unplaced);
    assert!(problems.iter().any(|problem| problem.line == 4), "{problems:?}");
}
