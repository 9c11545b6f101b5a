//! Reads calendar files as the world writes them: bytes in, a calendar and the problems met out. One broken event
//! never loses the file, and nothing that is not a calendar passes for an empty one.

mod event;
mod freebusy;
mod lines;
mod people;
mod problem;
mod property;
mod reader;
mod value;
mod vcalendar1;
mod write;
mod zones;

pub use freebusy::is_period;
pub use people::{People, Person};
pub use problem::{Excerpt, Part, Problem, ProblemKind};
pub use write::{write, write_for};

use serde::{Deserialize, Serialize};

use crate::busy::Withheld;
use crate::event::Event;
use crate::zone::Zone;

/// What one file says, its VCALENDARs joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Nothing where the VCALENDARs of the file disagree; what a method does to times is already done to the events.
    pub method: Option<Method>,
    pub name: Option<String>,
    /// X-WR-TIMEZONE, as far as it could be placed.
    pub zone: Option<Zone>,
    /// How often the publisher asks to be read again (RFC 7986, or X-PUBLISHED-TTL).
    pub refresh_seconds: Option<u64>,
    pub events: Vec<Event>,
    /// Events that say no time anybody could read. They block nothing, since nobody knows what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Withheld>,
}

/// METHOD (RFC 5546 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Publish,
    Request,
    Reply,
    Add,
    Cancel,
    Refresh,
    Counter,
    DeclineCounter,
}

impl Method {
    /// Whether the times in such a file are times of the vendor's: a reply or a counter-proposal carries none.
    #[must_use]
    pub fn carries_time(self) -> bool {
        match self {
            Self::Publish | Self::Request | Self::Add => true,
            Self::Reply | Self::Cancel | Self::Refresh | Self::Counter | Self::DeclineCounter => false,
        }
    }
}

/// The input is no calendar at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum NotACalendar {
    #[error("the file is empty")]
    Empty,
    #[error("this is a web page, not a calendar; the address may ask for a sign-in")]
    Html,
    #[error("this is a ZIP archive; unpack it and choose the .ics file inside")]
    Zip,
    #[error("this is a program, not a calendar")]
    Executable,
    #[error("this is a compressed file, not a calendar")]
    Compressed,
    #[error("this is a PDF file, not a calendar")]
    Pdf,
    #[error("this is a JSON file, not a calendar")]
    Json,
    #[error("this is a XML file, not a calendar")]
    Xml,
    #[error("this is a contacts file, not a calendar")]
    Contacts,
    #[error("there is no calendar in this file: it has no BEGIN:VCALENDAR")]
    NoCalendar,
    #[error("the file is larger than {MAX_BYTES} bytes, more than any calendar this app reads")]
    TooLarge,
}

impl NotACalendar {
    pub const ALL: [Self; 11] = [
        Self::Empty,
        Self::Html,
        Self::Zip,
        Self::Executable,
        Self::Compressed,
        Self::Pdf,
        Self::Json,
        Self::Xml,
        Self::Contacts,
        Self::NoCalendar,
        Self::TooLarge,
    ];
}

/// The largest input that is read at all.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Reads a calendar file.
///
/// # Errors
/// [`NotACalendar`] when there is nothing to read in it.
pub fn read(bytes: &[u8]) -> Result<(Calendar, Vec<Problem>), NotACalendar> {
    read_as(bytes, &[])
}

/// Reads a calendar file of the person with these mail addresses: an invitation that she declined says so.
///
/// # Errors
/// [`NotACalendar`] when there is nothing to read in it.
pub fn read_as(bytes: &[u8], own_addresses: &[&str]) -> Result<(Calendar, Vec<Problem>), NotACalendar> {
    let (calendar, _, problems) = parse(bytes, own_addresses)?;
    Ok((calendar, problems))
}

/// As [`read_as`], each VCALENDAR of the file by itself, so that each keeps its own METHOD.
///
/// # Errors
/// [`NotACalendar`] when there is nothing to read in it.
pub fn read_each_as(
    bytes: &[u8],
    own_addresses: &[&str],
) -> Result<(Vec<Calendar>, Vec<Problem>), NotACalendar> {
    let (mut whole, parts, problems) = parse(bytes, own_addresses)?;
    let mut calendars: Vec<Calendar> = Vec::with_capacity(parts.len());
    for (start, method) in parts.into_iter().rev() {
        let events = whole.events.split_off(start.min(whole.events.len()));
        calendars.push(Calendar {
            method,
            name: whole.name.clone(),
            zone: whole.zone.clone(),
            events,
            refresh_seconds: whole.refresh_seconds,
            unplaced: Vec::new(),
        });
    }
    calendars.reverse();
    if let Some(first) = calendars.first_mut() {
        first.unplaced = whole.unplaced;
    }
    Ok((calendars, problems))
}

type Parsed = (Calendar, Vec<(usize, Option<Method>)>, Vec<Problem>);

fn parse(bytes: &[u8], own_addresses: &[&str]) -> Result<Parsed, NotACalendar> {
    if bytes.len() > MAX_BYTES {
        return Err(NotACalendar::TooLarge);
    }
    let decoded = lines::without_marks(bytes);
    if let Some(kind) = by_first_bytes(&decoded) {
        return Err(kind);
    }
    let mut reader = reader::Reader::new(own_addresses);
    lines::each(&decoded, |line| reader.line(&line));
    reader.finish().ok_or_else(|| what_it_is(&decoded))
}

/// Whether these are plainly the bytes of something else. Reads only the beginning.
///
/// # Errors
/// [`NotACalendar`] with what they are.
pub fn glance(bytes: &[u8]) -> Result<(), NotACalendar> {
    let head = &bytes[..bytes.len().min(1_024)];
    if head.iter().all(|b| b.is_ascii_whitespace() || *b == 0) && head.len() == bytes.len() {
        return Err(NotACalendar::Empty);
    }
    by_first_bytes(&lines::without_marks(head)).map_or(Ok(()), Err)
}

/// What begins like this is no calendar, whatever it holds further on.
fn by_first_bytes(bytes: &[u8]) -> Option<NotACalendar> {
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace() && *b != 0)?;
    let head: Vec<u8> = bytes[start..].iter().take(16).map(u8::to_ascii_lowercase).collect();
    match head.as_slice() {
        [b'p', b'k', 3 | 5, 4 | 6, ..] => Some(NotACalendar::Zip),
        [b'm', b'z', ..] | [0x7f, b'e', b'l', b'f', ..] | [b'#', b'!', ..] => Some(NotACalendar::Executable),
        [0xcf, 0xfa, 0xed, 0xfe, ..] => Some(NotACalendar::Executable),
        [0x1f, 0x8b, ..] => Some(NotACalendar::Compressed),
        [b'%', b'p', b'd', b'f', ..] => Some(NotACalendar::Pdf),
        _ if head.starts_with(b"<html") || head.starts_with(b"<!doctype html") => Some(NotACalendar::Html),
        _ => None,
    }
}

fn what_it_is(bytes: &[u8]) -> NotACalendar {
    let blank = |b: &u8| b.is_ascii_whitespace() || *b == 0;
    let Some(start) = bytes.iter().position(|b| !blank(b)) else { return NotACalendar::Empty };
    let head: Vec<u8> = bytes[start..].iter().take(1_024).map(u8::to_ascii_lowercase).collect();
    let has = |needle: &[u8]| head.windows(needle.len()).any(|part| part == needle);
    match head.as_slice() {
        [b'{' | b'[', ..] => NotACalendar::Json,
        _ if has(b"<html") || has(b"<!doctype") || has(b"<head") || has(b"<body") => NotACalendar::Html,
        [b'<', ..] => NotACalendar::Xml,
        _ if has(b"begin:vcard") => NotACalendar::Contacts,
        _ => NotACalendar::NoCalendar,
    }
}
