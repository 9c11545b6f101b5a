//! Files that go out, judged by readers nobody here wrote: what they find is what was meant, in every zone there is.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what is not there fails the test, or is said")]

use std::path::Path;
use std::process::Command;

use calendar::event::{End, Event, Uid};
use calendar::ics::{self, Calendar, Method, People, Person};
use calendar::interval::Interval;
use calendar::zone::Zone;
use companion::export::{self, Options};
use companion::invite;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync::booking::{Booking, BookingStatus, MailAddress};
use sync::ports::Slot;
use sync::world::{Vendor, World};

const SUMMARY: &str = "Coupe, brushing; 50 % \\o/ \u{1f33b} \"x\": y";
const DESCRIPTION: &str = "première ligne\nseconde ligne, qui est assez longue pour être pliée en plusieurs morceaux d’octets: \
                           ééééééééééééééééééééééééééééééééééé\n\nfin";

/// What both readers find in these files, or nothing, with words, where a reader cannot be had.
fn judged(files: &[&str]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (number, text) in files.iter().enumerate() {
        for line in text.split("\r\n") {
            assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
        }
        paths.push(folder.path().join(format!("{number}.ics")));
        std::fs::write(paths.last().unwrap(), text).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("judges/readers.py");
    let output = match Command::new("python3").arg(script).args(&paths).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: python3 cannot be run: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        eprintln!("skipped: {said}");
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[track_caller]
fn both(found: &Value, file: usize, check: impl Fn(&str, &Value)) {
    for reader in ["icalendar", "ical.js"] {
        check(reader, &found[reader][file]);
    }
}

/// Every half year, and the seconds before and after every change of the clock.
fn moments(zone: &TimeZone) -> Vec<Timestamp> {
    let from: Timestamp = "2025-12-31T12:00:00Z".parse().unwrap();
    let to: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let mut moments: Vec<Timestamp> =
        (0..8).map(|n| from + SignedDuration::from_hours(24 * 182 * n)).collect();
    for change in zone.following(from).take_while(|change| change.timestamp() < to) {
        for seconds in [-5400, -1, 0, 5400] {
            moments.push(change.timestamp() + SignedDuration::from_secs(seconds));
        }
    }
    moments
}

#[test]
fn every_zone_is_read_as_it_was_meant_before_and_after_every_change() {
    let mut events = Vec::new();
    let mut expected = Vec::new();
    for name in jiff::tz::db().available() {
        let Ok(rules) = TimeZone::get(name.as_str()) else { continue };
        let Some(zone) = Zone::iana(name.as_str()) else { continue };
        for start in moments(&rules) {
            let end = start + SignedDuration::from_mins(45);
            let (start_at, end_at) = export::placed(Interval::new(start, end).unwrap(), Some(&zone));
            let uid = format!("{}@{}", start.as_second(), name.as_str());
            events.push(Event {
                summary: SUMMARY.to_owned(),
                description: DESCRIPTION.to_owned(),
                ..Event::new(Uid(uid.clone()), start_at, End::At(end_at))
            });
            expected.push(json!({ "uid": uid, "start": start.as_second(), "end": end.as_second() }));
        }
    }
    assert!(expected.len() > 8_000, "{}", expected.len());
    let people = People { organizer: Person::new("Zoé, \"Z\"", "zoe@example.com"), attendee: None };
    let calendar = Calendar { method: Some(Method::Publish), events, ..Calendar::default() };
    let text = ics::write_for(&calendar, &people, Timestamp::UNIX_EPOCH);
    let Some(found) = judged(&[&text]) else { return };
    both(&found, 0, |reader, file| {
        assert!(file["zones"].as_array().unwrap().len() > 400, "{reader}");
        let events = file["events"].as_array().unwrap();
        assert_eq!(events.len(), expected.len(), "{reader}");
        let mut wrong = Vec::new();
        for (event, expected) in events.iter().zip(&expected) {
            assert_eq!(
                (&event["summary"], &event["description"]),
                (&json!(SUMMARY), &json!(DESCRIPTION)),
                "{reader}"
            );
            let times = json!({ "uid": event["uid"], "start": event["start"], "end": event["end"] });
            if times != *expected {
                wrong.push(format!("{times} instead of {expected}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{reader}: {} of {} wrong: {:#?}",
            wrong.len(),
            events.len(),
            &wrong[..wrong.len().min(8)]
        );
    });
}

fn vendor() -> Vendor {
    Vendor {
        id: "ana".into(),
        name: "Studio; Ana".into(),
        email: "ana@example.com".into(),
        time_zone: "America/St_Johns".into(),
    }
}

fn booking(status: BookingStatus) -> Booking {
    Booking {
        id: "66666666-6666-6666-6666-666666666666".into(),
        vendor: "ana".into(),
        status,
        start: "2026-11-01T03:30:00Z".parse().unwrap(),
        end: "2026-11-01T05:00:00Z".parse().unwrap(),
        service_name: Some("Colour, cut".into()),
        customer_name: Some("Roy, Zoé".into()),
        customer_email: Some(MailAddress("zoe+book@example.com".into())),
        notes: Some("Keep the fringe\nlong".into()),
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: "2026-03-01T08:00:00.123456+00:00".into(),
    }
}

#[test]
fn a_schedule_and_an_invitation_say_to_others_what_they_say_to_us() {
    let booking = booking(BookingStatus::Pending);
    let world = World { bookings: [(booking.id.clone(), booking.clone())].into(), ..World::default() };
    let span = |start: &str, end: &str| Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap();
    let slot =
        Slot { span: span("2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z"), id: "s1".into(), open: true };
    let year = span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let schedule = export::file(&world, &vendor(), &[slot], year, Timestamp::UNIX_EPOCH, &Options::default());
    let request = invite::compose(&booking, &vendor(), false, None).unwrap();
    let cancel = invite::compose(&booking, &vendor(), true, None).unwrap();
    let nothing = export::file(
        &world,
        &vendor(),
        &[],
        span("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"),
        Timestamp::UNIX_EPOCH,
        &Options::default(),
    );
    let files = [schedule.text.as_str(), &request.text, &cancel.text, &nothing.text];
    let Some(found) = judged(&files) else { return };
    let address = |value: &Value| value["address"].as_str().unwrap().to_lowercase();
    both(&found, 0, |reader, file| {
        assert_eq!(
            (&file["method"], &file["zones"]),
            (&json!("PUBLISH"), &json!(["America/St_Johns"])),
            "{reader}"
        );
        let events = file["events"].as_array().unwrap();
        assert_eq!(events.len(), 2, "{reader}");
        assert_eq!(events[0]["start"], booking.start.as_second(), "{reader}");
        assert_eq!(events[0]["end"], booking.end.as_second(), "{reader}");
        assert_eq!(events[0]["status"], "TENTATIVE", "{reader}");
        assert_eq!(events[0]["summary"], "Booking: Colour, cut", "{reader}");
        assert!(
            events[0]["description"].as_str().unwrap().contains("Notes: Keep the fringe\nlong\n"),
            "{reader}"
        );
        assert_eq!(
            (&events[1]["summary"], &events[1]["transparency"]),
            (&json!("Available"), &json!("TRANSPARENT"))
        );
        assert_eq!(
            (events[0]["attendee"].is_null(), address(&events[0]["organizer"])),
            (true, "mailto:ana@example.com".into())
        );
    });
    for (file, method, status, sequence) in [(1, "REQUEST", "TENTATIVE", 0), (2, "CANCEL", "CANCELLED", 1)] {
        both(&found, file, |reader, read| {
            let event = &read["events"][0];
            assert_eq!((&read["method"], &event["status"]), (&json!(method), &json!(status)), "{reader}");
            assert_eq!(event["sequence"], sequence, "{reader}");
            assert_eq!(event["stamp"], 1_772_352_000, "{reader}");
            assert_eq!(event["uid"], "66666666-6666-6666-6666-666666666666@bookiji.com", "{reader}");
            assert_eq!(address(&event["attendee"]), "mailto:zoe+book@example.com", "{reader}");
            assert_eq!(event["attendee"]["parameters"]["CN"], "Roy, Zoé", "{reader}");
            assert_eq!(event["attendee"]["parameters"]["RSVP"] == "TRUE", method == "REQUEST", "{reader}");
            assert_eq!(event["organizer"]["parameters"]["CN"], "Studio; Ana", "{reader}");
            assert_eq!(event["start"], booking.start.as_second(), "{reader}");
        });
    }
    both(&found, 3, |reader, file| assert_eq!(file["events"], json!([]), "{reader}"));
}
