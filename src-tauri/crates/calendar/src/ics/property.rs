//! One content line taken apart: name, parameters, value (RFC 5545 §3.1). Decodes each part on its own, since files
//! mix encodings.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A property as written. Names are upper case.
#[derive(Debug)]
pub struct Property<'a> {
    pub name: String,
    pub parameters: Vec<(String, Cow<'a, str>)>,
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
        let name = std::str::from_utf8(&line[..name_end]).ok()?.trim();
        // Groups, as vCard writes them: `item1.DTSTART`.
        let name = name.rsplit('.').next().unwrap_or(name).to_ascii_uppercase();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return None;
        }
        let rest = &line[name_end..];
        let value = value_start(&name, rest)?;
        let mut parameters = Vec::new();
        let mut header = rest[..value].strip_prefix(b";").unwrap_or_default();
        while !header.is_empty() && parameters.len() < MAX_PARAMETERS {
            let end = unquoted(header, b';').unwrap_or(header.len());
            parameters.push(parameter(&header[..end]));
            header = header.get(end + 1..).unwrap_or_default();
        }
        Some(Self { name, parameters, raw: &rest[value + 1..] })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The value without what surrounds it.
    pub fn value(&self) -> Cow<'a, str> {
        cleaned(decoded(self.raw, self.parameter("CHARSET")))
    }

    /// The value as text: quoted-printable undone, escapes resolved.
    pub fn text(&self, most: usize) -> String {
        let encoding = self.parameter("ENCODING").unwrap_or_default();
        let printable = encoding.eq_ignore_ascii_case("QUOTED-PRINTABLE")
            || self.parameters.iter().any(|(name, value)| name == "QUOTED-PRINTABLE" && value.is_empty());
        let bytes =
            if printable { Cow::Owned(from_quoted_printable(self.raw)) } else { Cow::Borrowed(self.raw) };
        let mut text = unescaped(&decoded(&bytes, self.parameter("CHARSET")));
        if text.len() > most {
            let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
        }
        text
    }
}

/// Where the colon before the value is, from the end of the name.
fn value_start(name: &str, rest: &[u8]) -> Option<usize> {
    let quoted = rest.contains(&b'"');
    if TIMES.contains(&name) && !quoted && rest.windows(6).any(|part| part.eq_ignore_ascii_case(b";TZID=")) {
        return rest.iter().rposition(|b| *b == b':');
    }
    // A quote that never closes is a character like any other.
    unquoted(rest, b':').or_else(|| rest.iter().position(|b| *b == b':'))
}

fn unquoted(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    bytes.iter().position(|b| {
        quoted ^= *b == b'"';
        *b == wanted && !quoted
    })
}

fn parameter(bytes: &[u8]) -> (String, Cow<'_, str>) {
    let (name, value) = match bytes.iter().position(|b| *b == b'=') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"\"").map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value));
    (String::from_utf8_lossy(name).trim().to_ascii_uppercase(), cleaned(decoded(value, None)))
}

/// Without blanks around it and without characters that no line may hold: those could not be written again.
fn cleaned(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        return Cow::Owned(text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned());
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

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
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            },
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
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
        assert_eq!(property.parameter("TZID"), Some("(UTC+00:00) Dublin; Lisbon"));
        assert_eq!(property.value(), "20260710T100000");
    }

    #[test]
    fn an_unquoted_zone_with_a_colon_still_ends_at_the_time() {
        let property = Property::parse(b"DTSTART;TZID=tzone://Microsoft/Custom:20260710T100000").unwrap();
        assert_eq!(property.parameter("TZID"), Some("tzone://Microsoft/Custom"));
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
