//! One content line taken apart: name, parameters, value (RFC 5545 §3.1). Decodes each part on its own, since files
//! mix encodings.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A property as written. Names are upper case.
#[derive(Debug)]
pub struct Property<'a> {
    pub name: Cow<'a, str>,
    /// What stands between name and value.
    header: &'a [u8],
    raw: &'a [u8],
}

/// Parameters of one property that are read.
const MAX_PARAMETERS: usize = 100;
/// Their values never hold a colon, so the last one in the line begins them.
const TIMES: [&str; 6] = ["DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE", "DUE"];

impl<'a> Property<'a> {
    /// Nothing when the line is no property.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let name_end = line.iter().position(|b| matches!(b, b':' | b';'))?;
        let name = name(&line[..name_end])?;
        let rest = &line[name_end..];
        let value = value_start(&name, rest)?;
        Some(Self { name, header: &rest[..value], raw: &rest[value + 1..] })
    }

    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut parameters = self.parameters();
        let (_, value) = parameters.find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(cleaned(decoded(value, None)))
    }

    fn parameters(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut header = self.header.strip_prefix(b";").unwrap_or_default();
        let each = std::iter::from_fn(move || {
            if header.is_empty() {
                return None;
            }
            let end = unquoted(header, b';').unwrap_or(header.len());
            let next = parameter(&header[..end]);
            header = header.get(end + 1..).unwrap_or_default();
            Some(next)
        });
        each.take(MAX_PARAMETERS)
    }

    /// The value without what surrounds it.
    pub fn value(&self) -> Cow<'a, str> {
        cleaned(decoded(self.raw, self.parameter("CHARSET").as_deref()))
    }

    /// The value as text: quoted-printable undone, escapes resolved.
    pub fn text(&self, most: usize) -> String {
        let encoding = self.parameter("ENCODING").unwrap_or_default();
        let printable = encoding.eq_ignore_ascii_case("QUOTED-PRINTABLE")
            || self
                .parameters()
                .any(|(name, value)| name.eq_ignore_ascii_case(b"QUOTED-PRINTABLE") && value.is_empty());
        let bytes =
            if printable { Cow::Owned(from_quoted_printable(self.raw)) } else { Cow::Borrowed(self.raw) };
        let mut text = unescaped(&decoded(&bytes, self.parameter("CHARSET").as_deref()));
        if text.len() > most {
            let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
        }
        text
    }
}

/// Groups, as vCard writes them, are no part of it: `item1.DTSTART`.
fn name(written: &[u8]) -> Option<Cow<'_, str>> {
    let name = written.trim_ascii().rsplit(|b| *b == b'.').next()?;
    if name.is_empty() || !name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    if name.bytes().any(|b| b.is_ascii_lowercase()) {
        return Some(Cow::Owned(name.to_ascii_uppercase()));
    }
    Some(Cow::Borrowed(name))
}

/// Where the colon before the value is, from the end of the name.
fn value_start(name: &str, rest: &[u8]) -> Option<usize> {
    let first = rest.iter().position(|b| *b == b':')?;
    if first == 0 {
        return Some(first);
    }
    if TIMES.contains(&name)
        && !rest.contains(&b'"')
        && rest.windows(6).any(|part| part.eq_ignore_ascii_case(b";TZID="))
    {
        return rest.iter().rposition(|b| *b == b':');
    }
    if !rest[..first].contains(&b'"') {
        return Some(first);
    }
    // A quote that never closes is a character like any other.
    unquoted(rest, b':').or(Some(first))
}

fn unquoted(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    bytes.iter().position(|b| {
        quoted ^= *b == b'"';
        *b == wanted && !quoted
    })
}

/// Name and value, without what surrounds them.
fn parameter(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (name, value) = match bytes.iter().position(|b| *b == b'=') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"\"").map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value));
    (name.trim_ascii(), value)
}

/// Without blanks around it and without characters that no line may hold: those could not be written again.
fn cleaned(text: Cow<'_, str>) -> Cow<'_, str> {
    if may_hold_control(&text) && text.chars().any(char::is_control) {
        return Cow::Owned(text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned());
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// False only where there is none: looks at bytes, which is fast, and so takes some letters for one.
fn may_hold_control(text: &str) -> bool {
    // Without an early end the compiler compares many bytes at once.
    text.bytes().fold(false, |found, b| found | (b < b' ') | (b == 0x7f) | (b == FIRST_OF_LATE_CONTROL))
}

/// U+0080 to U+009F begin with this byte, as half of Latin-1 does.
const FIRST_OF_LATE_CONTROL: u8 = 0xc2;

/// UTF-8, or else what Windows writes: every byte means something there.
fn decoded<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let named =
        charset.and_then(|label| Encoding::for_label(label.as_bytes())).filter(|named| *named != UTF_8);
    if let Some(encoding) = named {
        return encoding.decode_without_bom_handling(bytes).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn from_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'='
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high * 16 + low);
            rest = after;
        } else {
            out.push(*first);
        }
    }
    out
}

/// RFC 5545 §3.3.11.
fn unescaped(text: &str) -> String {
    if !text.bytes().fold(false, |found, b| found | (b == b'\\')) && !may_hold_control(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let is_special = |c: char| c == '\\' || (c.is_control() && !matches!(c, '\n' | '\t'));
    while let Some(at) = rest.find(is_special) {
        out.push_str(&rest[..at]);
        let mut special = rest[at..].chars();
        if special.next() == Some('\\') {
            match special.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            }
        }
        rest = special.as_str();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_protect_colons_and_semicolons() {
        let property =
            Property::parse(b"dtstart;TZID=\"(UTC+00:00) Dublin; Lisbon\":20260710T100000").unwrap();
        assert_eq!(property.name, "DTSTART");
        assert_eq!(property.parameter("TZID").unwrap(), "(UTC+00:00) Dublin; Lisbon");
        assert_eq!(property.value(), "20260710T100000");
    }

    #[test]
    fn an_unquoted_zone_with_a_colon_still_ends_at_the_time() {
        let property = Property::parse(b"DTSTART;TZID=tzone://Microsoft/Custom:20260710T100000").unwrap();
        assert_eq!(property.parameter("TZID").unwrap(), "tzone://Microsoft/Custom");
        assert_eq!(property.value(), "20260710T100000");
    }

    #[test]
    fn text_is_read_in_whatever_it_was_written() {
        let text = |line: &[u8]| Property::parse(line).unwrap().text(100);
        assert_eq!(text(b"SUMMARY:Caf\xc3\xa9\\, 1\\;2\\n3"), "Caf\u{e9}, 1;2\n3");
        assert_eq!(text(b"SUMMARY:Caf\xe9 \x96 10 \x80"), "Caf\u{e9} \u{2013} 10 \u{20ac}");
        assert_eq!(text(b"SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Caf=C3=A9=20x"), "Caf\u{e9} x");
        assert_eq!(text(b"SUMMARY;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Caf=E9"), "Caf\u{e9}");
    }

    #[test]
    fn what_is_no_property_is_none() {
        for line in [&b"just text"[..], b":value", b"two words:value", b"\xff\xfe:x"] {
            assert!(Property::parse(line).is_none(), "{line:?}");
        }
    }
}
