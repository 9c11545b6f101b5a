//! What the bytes behind a calendar link say: whether they are a calendar, whether they are all of it, and its events
//! under ids that stay the same from one reading to the next. Pure; asks nobody.

use std::collections::BTreeMap;

use calendar::event::Event;
use calendar::ics::{self, Calendar, NotACalendar};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sync::ids::{ETag, RemoteId};
use sync::ports::RemoteEvent;

/// An id longer than this is replaced by its digest.
const LONGEST_ID: usize = 200;

/// Reads a body as the calendar of the person with these addresses.
///
/// Of a body that was cut off, only what was closed before the cut counts: half an event must not stand for a whole one
/// that is known.
pub(super) fn read(bytes: &[u8], cut: bool, own: &[&str]) -> Result<Calendar, NotACalendar> {
    if is_markup(bytes) {
        return Err(NotACalendar::Html);
    }
    if cut && let Ok((calendar, _)) = ics::read_as(up_to_last_end(bytes), own) {
        return Ok(calendar);
    }
    let (calendar, _) = ics::read_as(bytes, own)?;
    Ok(if cut { Calendar { events: Vec::new(), ..calendar } } else { calendar })
}

/// A page that shows a calendar's text is no calendar.
fn is_markup(bytes: &[u8]) -> bool {
    let ignored =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    bytes.iter().find(|byte| !ignored(byte)) == Some(&b'<')
}

/// Whether the file goes on to its own end. What a stranger on the way appends after that does not matter.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    lines_from_the_end(bytes).find_map(|(_, line)| match line.as_str() {
        "END:VCALENDAR" => Some(true),
        _ if line.starts_with("BEGIN:") || line.starts_with("END:") => Some(false),
        _ => None,
    }) == Some(true)
}

fn up_to_last_end(bytes: &[u8]) -> &[u8] {
    let last = lines_from_the_end(bytes)
        .find(|(_, line)| matches!(line.as_str(), "END:VEVENT" | "END:VFREEBUSY" | "END:VCALENDAR"));
    last.map_or(&[], |(end, _)| &bytes[..end])
}

/// Each line with the place where it ends, in capitals and without the zero bytes of UTF-16.
fn lines_from_the_end(bytes: &[u8]) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut end = bytes.len();
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let this_end = end;
        let start = bytes[..end].iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        match start {
            Some(at) => end = at,
            None => done = true,
        }
        let from = start.map_or(0, |at| at + 1);
        let text: String = bytes[from..this_end]
            .iter()
            .filter(|byte| **byte != 0)
            .take(32)
            .map(|byte| char::from(byte.to_ascii_uppercase()))
            .collect();
        // Not at its start: a blank there continues the line before (RFC 5545 §3.1).
        Some((this_end, text.trim_end().to_owned()))
    })
}

/// The events, each under an id made of what RFC 5545 identifies it by; copies are told apart by their order.
pub(super) fn events(calendar: &Calendar) -> Vec<RemoteEvent> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    calendar
        .events
        .iter()
        .map(|event| {
            let id = id(event);
            let copy = seen.entry(id.clone()).or_default();
            *copy += 1;
            let id = if *copy == 1 { id } else { format!("{id}~{copy}") };
            RemoteEvent {
                id: RemoteId(id),
                etag: ETag(digest(event)),
                event: event.clone(),
                marker: None,
                created_as: None,
            }
        })
        .collect()
}

fn id(event: &Event) -> String {
    let uid =
        if event.uid.0.is_empty() { digest(&(&event.start, &event.summary)) } else { event.uid.0.clone() };
    let id = match (&event.instance, &event.series) {
        (None, None) => uid,
        (instance, series) => format!("{uid}#{}", digest(&(instance, series))),
    };
    if id.len() > LONGEST_ID { digest(&id) } else { id }
}

fn digest(value: &impl Serialize) -> String {
    let mut digest = HEXLOWER.encode(&Sha256::digest(serde_json::json!(value).to_string()));
    digest.truncate(24);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n\
                       END:VEVENT\r\nBEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261202T100000Z\r\nDTEND:20261202T110000Z\r\n\
                       END:VEVENT\r\nEND:VCALENDAR\r\n";

    fn ids(text: &str) -> Vec<String> {
        events(&read(text.as_bytes(), false, &[]).unwrap()).into_iter().map(|event| event.id.0).collect()
    }

    #[test]
    fn a_file_is_whole_when_its_last_component_is_the_calendar_s_own_end() {
        assert!(is_whole(TWO.as_bytes()));
        for whole in ["END:VCALENDAR", "x\nend:vcalendar \n\n\0", "END:VCALENDAR\r\n<!-- served by -->\r\n"] {
            assert!(is_whole(whole.as_bytes()), "{whole:?}");
        }
        let wide: Vec<u8> = TWO.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(is_whole(&wide));
        // What follows the last END that is there may be missing, but not that END itself.
        let end = TWO.trim_end().len();
        for cut in 0..end {
            assert!(!is_whole(&TWO.as_bytes()[..cut]), "{cut}");
        }
    }

    #[test]
    fn wherever_a_body_is_cut_no_event_of_it_is_half_an_event() {
        let whole = read(TWO.as_bytes(), false, &[]).unwrap().events;
        for cut in 0..TWO.len() {
            let found =
                read(&TWO.as_bytes()[..cut], true, &[]).map(|calendar| calendar.events).unwrap_or_default();
            assert_eq!(found, whole[..found.len()], "{cut}");
        }
    }

    #[test]
    fn a_page_is_no_calendar_even_if_it_shows_one() {
        for page in ["<html>", "\u{feff}\n <!doctype html><pre>\nBEGIN:VCALENDAR\nEND:VCALENDAR\n</pre>"] {
            assert_eq!(read(page.as_bytes(), false, &[]), Err(NotACalendar::Html), "{page:?}");
        }
        assert_eq!(read(b"", false, &[]), Err(NotACalendar::Empty));
        assert!(read(b"{\"error\":1}", false, &[]).is_err());
    }

    #[test]
    fn ids_stay_and_tell_instances_and_copies_apart() {
        let event = |more: &str| format!("BEGIN:VEVENT\nUID:a\nDTSTART:20261201T100000Z\n{more}END:VEVENT\n");
        let nameless = "BEGIN:VEVENT\nDTSTART:20261203T100000Z\nSUMMARY:x\nEND:VEVENT\n";
        let file = |events: &[&str]| format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.concat());
        let (one, override_of_it) = (event(""), event("RECURRENCE-ID:20261208T100000Z\n"));
        let found = ids(&file(&[&one, &override_of_it, &one, nameless]));
        assert_eq!((found[0].as_str(), found[2].as_str()), ("a", "a~2"));
        assert!(found[1].starts_with("a#"), "{found:?}");
        assert_eq!(ids(&file(&[nameless, &override_of_it])), [found[3].clone(), found[1].clone()]);
        assert_eq!(
            ids(&file(&[&format!("BEGIN:VEVENT\nUID:{}\nDTSTART:20261201\nEND:VEVENT\n", "u".repeat(3000))]))
                [0]
            .len(),
            24
        );
    }

    #[test]
    fn an_event_s_etag_changes_with_the_event_alone() {
        let of = |text: &str| events(&read(text.as_bytes(), false, &[]).unwrap());
        let (before, after) = (of(TWO), of(&TWO.replace("20261202T11", "20261202T12")));
        assert_eq!(before[0].etag, after[0].etag);
        assert_ne!(before[1].etag, after[1].etag);
    }
}
