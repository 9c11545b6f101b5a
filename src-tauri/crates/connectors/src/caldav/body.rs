//! Between the text of one calendar file and the model's events: what it holds, the file that a booking should be, and a
//! stored file with a booking's words and times in place of its own. Everything else in it stays.

use calendar::event::{End, Event, Uid, When};
use calendar::ics::{self, Calendar};
use calendar::zone::Zone;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sync::booking::Draft;
use sync::ids::{BookingId, ETag, RemoteId};
use sync::ports::{Marker, RemoteEvent};
use sync::unreadable;

use super::href;
use super::lines::{self, Line};

const BOOKING: &str = "X-BOOKIJI-BOOKING";
const GENERATION: &str = "X-BOOKIJI-GENERATION";

/// The events of one file: a series under the file's own name, each exception under a name of its own beside it. A file
/// without events has none; one that cannot be read still stands for itself.
pub(super) fn events(file: &str, etag: &ETag, text: &str, own: &[&str]) -> Vec<RemoteEvent> {
    readable(file, etag, text, own).unwrap_or_else(|| {
        tracing::warn!("an event's file cannot be read; it blocks what was known of it");
        named(file, etag, &lines::read(text), vec![unreadable::event()])
    })
}

/// As [`events`], and nothing where what the file says cannot be told.
pub(super) fn readable(file: &str, etag: &ETag, text: &str, own: &[&str]) -> Option<Vec<RemoteEvent>> {
    let lines = lines::read(text);
    let (calendar, _) = ics::read_as(text.as_bytes(), own).ok()?;
    let is_told = !calendar.events.is_empty() || lines::events(&lines).is_empty();
    is_told.then(|| named(file, etag, &lines, calendar.events))
}

fn named(file: &str, etag: &ETag, lines: &[Line], found: Vec<Event>) -> Vec<RemoteEvent> {
    let marker = marker(lines);
    let mut taken: Vec<String> = Vec::new();
    found
        .into_iter()
        .map(|mut event| {
            let which = event.instance.as_ref().map(digest).unwrap_or_default();
            let copies = taken.iter().filter(|known| **known == which).count();
            taken.push(which.clone());
            let which = if copies == 0 { which } else { format!("{which}~{copies}") };
            event.series = Some(file.to_owned());
            RemoteEvent {
                id: RemoteId(href::part(file, &which)),
                etag: etag.clone(),
                // What an app copies into an exception says nothing: the file's own name is the series'.
                marker: if which.is_empty() { marker.clone() } else { None },
                event,
                created_as: None,
            }
        })
        .collect()
}

fn digest(instance: &When) -> String {
    let text = serde_json::json!(instance).to_string();
    HEXLOWER.encode(&Sha256::digest(text)[..8])
}

/// Whether this event of the file is the series, or the only event, and no exception.
fn main_event(lines: &[Line]) -> Option<Vec<usize>> {
    let is_exception = |own: &Vec<usize>| own.iter().any(|&at| lines[at].name == "RECURRENCE-ID");
    lines::events(lines).into_iter().find(|own| !is_exception(own))
}

fn marker(lines: &[Line]) -> Option<Marker> {
    let own = main_event(lines)?;
    let said = |name: &str| own.iter().map(|&at| &lines[at]).find(|line| line.name == name).map(Line::value);
    Some(Marker { booking: BookingId(plain(&said(BOOKING)?)), generation: said(GENERATION)?.parse().ok()? })
}

/// The file of a new event. Nobody is named as coming: a server would write to them.
pub(super) fn fresh(draft: &Draft, uid: &str, now: Timestamp) -> String {
    let mut event = Event::new(Uid(uid.to_owned()), When::Utc(draft.start), End::At(When::Utc(draft.end)));
    event.summary.clone_from(&draft.title);
    event.description.clone_from(&draft.description);
    let calendar = Calendar { events: vec![event], ..Calendar::default() };
    let mut lines = lines::read(&ics::write(&calendar, now));
    if let Some(end) = main_event(&lines).and_then(|own| own.last().copied()) {
        lines.splice(end..end, marks(draft));
    }
    lines::written(&lines)
}

/// A zone as a file of its own (RFC 4791 §5.2.2), with the rules that hold from now on; nothing where it is not known.
pub(super) fn zone_file(name: &str, now: Timestamp) -> Option<String> {
    let zone = Zone::iana(name)?;
    let wall = zone.time_zone()?.to_datetime(now);
    let event = Event::new(Uid::default(), When::Zoned { wall, zone }, End::Unstated);
    let text = ics::write(&Calendar { events: vec![event], ..Calendar::default() }, now);
    let (head, rest) = text.split_once("BEGIN:VEVENT")?;
    let tail = rest.split_once("END:VEVENT\r\n")?.1;
    let file = format!("{head}{tail}");
    file.contains("BEGIN:VTIMEZONE").then_some(file)
}

/// The UID of an event whose own is taken: by what lies in the server's bin, or in another calendar of hers.
pub(super) fn other_uid(draft: &Draft) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(format!("{}|{}", draft.uid.0, draft.id.as_str())));
    format!("bookiji-{}@bookiji.app", &digest[..24])
}

fn marks(draft: &Draft) -> [Line; 2] {
    [
        Line::new(BOOKING, &escaped(draft.booking.as_str())),
        Line::new(GENERATION, &draft.generation.to_string()),
    ]
}

/// The stored file with the draft's times, and its words where they are ours to write. Nothing if there is no event in it.
pub(super) fn patched(stored: &str, draft: &Draft, now: Timestamp) -> Option<String> {
    let mut lines = lines::read(stored);
    let own = main_event(&lines)?;
    let new = lines::read(&fresh(draft, "", now));
    let sequence: u32 = own
        .iter()
        .map(|&at| &lines[at])
        .find(|line| line.name == "SEQUENCE")
        .and_then(|line| line.value().parse().ok())
        .unwrap_or(0);
    // A day's event of Outlook's says so twice; a page of rich text is what apps show instead of the description.
    let mut written: Vec<&str> =
        vec!["DTSTAMP", "DTSTART", "DTEND", "DURATION", "SEQUENCE", "X-MICROSOFT-CDO-ALLDAYEVENT"];
    if !draft.times_only {
        written.extend(["SUMMARY", "DESCRIPTION", "X-ALT-DESC", BOOKING, GENERATION]);
    }
    if own.iter().any(|&at| lines[at].name == "LAST-MODIFIED") {
        written.push("LAST-MODIFIED");
    }
    let is_ours = |line: &Line| written.contains(&line.name.as_str()) && line.name != "SEQUENCE";
    let mut replacement: Vec<Line> = main_event(&new)?
        .into_iter()
        .map(|at| new[at].clone())
        .filter(is_ours)
        .chain([Line::new("SEQUENCE", &sequence.saturating_add(1).to_string())])
        .collect();
    if written.contains(&"LAST-MODIFIED") {
        replacement.push(Line::new("LAST-MODIFIED", &now.strftime("%Y%m%dT%H%M%SZ").to_string()));
    }
    let first = *own.first()?;
    let dropped: Vec<usize> =
        own.into_iter().filter(|&at| written.contains(&lines[at].name.as_str())).collect();
    for at in dropped.into_iter().rev() {
        lines.remove(at);
    }
    lines.splice(first + 1..first + 1, replacement);
    Some(lines::written(&lines))
}

/// RFC 5545 §3.3.11.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::booking::{Booking, BookingStatus};
    use sync::decide::says;
    use sync::ids::Service;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn draft() -> Draft {
        let booking = Booking {
            id: "b,1;x".into(),
            vendor: "p1".into(),
            status: BookingStatus::Confirmed,
            start: at("2026-12-01T10:00:00Z"),
            end: at("2026-12-01T11:00:00Z"),
            service_name: Some("Coupe, brushing".into()),
            customer_name: None,
            customer_email: None,
            notes: Some("été".into()),
            proposal: sync::proposal::Proposal::NotOffered,
            updated_at: String::new(),
        };
        Draft::of(&booking, Service::Caldav, &"/cal/".into(), 3)
    }

    fn read(text: &str) -> Vec<RemoteEvent> {
        events("f", &ETag("\"1\"".into()), text, &[])
    }

    const NOW: &str = "2026-11-26T12:00:00Z";

    /// An event of ours after an evening in her calendar app.
    const LIVED_IN: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//App//EN\r\nX-WR-CALNAME:Mine\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n\
        BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nCREATED:20261101T000000Z\r\nLAST-MODIFIED:20261102T000000Z\r\nUID:u\r\nSEQUENCE:4\r\n\
        DTSTART;TZID=Europe/Paris:20261203T090000\r\nDURATION:PT45M\r\nSUMMARY:My own wo\r\n rds\r\nLOCATION:Salon\\, back\r\n\
        DESCRIPTION;ALTREP=\"x:y\":mine\r\nX-ALT-DESC:<b>mine</b>\r\nX-BOOKIJI-BOOKING:b\\,1\\;x\r\nX-BOOKIJI-GENERATION:3\r\nCOLOR:red\r\n\
        BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn a_zone_is_a_file_of_its_own_and_an_unknown_one_is_none() {
        let file = zone_file("Pacific/Auckland", at(NOW)).unwrap();
        assert_eq!(file.matches("BEGIN:VTIMEZONE").count(), 1);
        assert!(file.contains("TZID:Pacific/Auckland\r\n") && !file.contains("VEVENT"), "{file}");
        assert!(file.starts_with("BEGIN:VCALENDAR\r\n") && file.ends_with("END:VCALENDAR\r\n"), "{file}");
        for name in ["Nowhere/Land", ""] {
            assert_eq!(zone_file(name, at(NOW)), None, "{name}");
        }
    }

    #[test]
    fn a_new_file_says_what_the_booking_says_and_whose_it_is() {
        let draft = draft();
        let text = fresh(&draft, &draft.uid.0, at(NOW));
        let found = read(&text);
        assert_eq!(found.len(), 1);
        assert!(says(&found[0], &draft), "{text}");
        assert_eq!(found[0].event.uid, draft.uid);
        assert_eq!(found[0].marker, Some(Marker { booking: "b,1;x".into(), generation: 3 }));
        assert!(
            !text.contains("ATTENDEE") && !text.contains("ORGANIZER") && !text.contains("METHOD"),
            "{text}"
        );
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
    }

    #[test]
    fn a_change_replaces_what_the_draft_speaks_of_and_leaves_everything_else() {
        let draft = draft();
        let text = patched(LIVED_IN, &draft, at(NOW)).unwrap();
        assert!(says(&read(&text)[0], &draft), "{text}");
        for kept in [
            "PRODID:-//App//EN",
            "X-WR-CALNAME:Mine",
            "TZID:Europe/Paris",
            "CREATED:20261101T000000Z",
            "UID:u",
            "LOCATION:Salon\\, back",
            "COLOR:red",
            "TRIGGER:-PT15M",
            "DESCRIPTION:Alarm",
        ] {
            assert!(text.contains(&format!("{kept}\r\n")), "{kept}: {text}");
        }
        assert!(
            text.contains("SEQUENCE:5\r\n") && text.contains("LAST-MODIFIED:20261126T120000Z\r\n"),
            "{text}"
        );
        for gone in ["DURATION", "X-ALT-DESC", "ALTREP", "My own", "SEQUENCE:4", "20261203"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert_eq!(text.matches("X-BOOKIJI-BOOKING").count(), 1);
        let again = patched(&text, &draft, at(NOW)).unwrap();
        assert_eq!(read(&again)[0].event, Event { sequence: 6, ..read(&text)[0].event.clone() });
    }

    #[test]
    fn her_words_stay_where_only_the_times_are_written() {
        let draft = Draft { times_only: true, ..draft() };
        let text = patched(LIVED_IN, &draft, at(NOW)).unwrap();
        let event = &read(&text)[0];
        assert!(says(event, &draft));
        assert_eq!(
            (event.event.summary.as_str(), event.event.description.as_str()),
            ("My own words", "mine")
        );
        assert!(
            text.contains("SUMMARY:My own wo\r\n rds\r\n") && text.contains("X-ALT-DESC:<b>mine</b>"),
            "{text}"
        );
    }

    #[test]
    fn a_day_s_event_becomes_a_timed_one() {
        let text = LIVED_IN.replace(
            "DTSTART;TZID=Europe/Paris:20261203T090000\r\nDURATION:PT45M",
            "DTSTART;VALUE=DATE:20261203\r\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        );
        let draft = draft();
        assert!(says(&read(&patched(&text, &draft, at(NOW)).unwrap())[0], &draft));
    }

    const SERIES: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261208T100000Z\nDTSTART:20261208T120000Z\nDTEND:20261208T130000Z\n\
        X-BOOKIJI-BOOKING:b\nX-BOOKIJI-GENERATION:0\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z\n\
        RRULE:FREQ=WEEKLY\nX-BOOKIJI-BOOKING:b\nX-BOOKIJI-GENERATION:0\nEND:VEVENT\nEND:VCALENDAR\n";

    #[test]
    fn a_series_has_the_file_s_name_and_its_exceptions_names_beside_it() {
        let found = read(SERIES);
        assert_eq!(found[1].id.as_str(), "f");
        assert!(found[0].id.as_str().starts_with("f#") && found[0].marker.is_none(), "{:?}", found[0].id);
        assert!(found[1].marker.is_some(), "the series is the one that was marked");
        assert!(found.iter().all(|one| one.event.series_key() == "f" && one.etag.as_str() == "\"1\""));
        assert_eq!(read(&SERIES.replace("120000Z", "140000Z"))[0].id, found[0].id, "wherever it moves");
    }

    #[test]
    fn a_file_of_something_else_holds_no_event_and_a_broken_one_still_stands_for_itself() {
        assert!(read("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:t\nEND:VTODO\nEND:VCALENDAR\n").is_empty());
        for broken in
            ["BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:soon\nEND:VEVENT\nEND:VCALENDAR\n", "<html>"]
        {
            let found = read(broken);
            assert_eq!((found.len(), found[0].id.as_str()), (1, "f"), "{broken}");
        }
    }
}
