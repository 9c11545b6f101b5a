//! From bytes to logical lines: unfolds before anything is decoded, so that a character split by a fold survives.
//! Knows which properties matter only to skip the folds of those that do not.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE};
use memchr::memchr2;

/// One unfolded line, still bytes.
pub struct Line<'a> {
    /// Where it begins in the file, counted from 1.
    pub number: usize,
    pub bytes: &'a [u8],
    /// It was longer than is kept.
    pub cut: bool,
}

/// What is kept of one line. Real lines are shorter; lists beyond it are longer than is honoured anyway.
const MAX_LINE: usize = 1024 * 1024;

/// Strips a byte order mark and turns UTF-16, which no line can be found in, into UTF-8.
pub fn without_marks(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |encoding: &'static encoding_rs::Encoding, bytes: &[u8]| {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        Cow::Owned(text.into_owned().into_bytes())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => wide(UTF_16LE, rest),
        [0xfe, 0xff, rest @ ..] => wide(UTF_16BE, rest),
        [b'B' | b'b', 0, b'E' | b'e', 0, ..] => wide(UTF_16LE, bytes),
        [0, b'B' | b'b', 0, b'E' | b'e', ..] => wide(UTF_16BE, bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// Calls `tell` with every logical line that is not blank.
pub fn each(bytes: &[u8], mut tell: impl FnMut(Line<'_>)) {
    let mut physical = Physical { rest: bytes, number: 0 };
    let mut folded: Vec<u8> = Vec::new();
    let mut next = physical.next();
    while let Some((number, first)) = next {
        next = physical.next();
        if first.is_empty() {
            continue;
        }
        let keep = is_wanted(first);
        let mut printable = None;
        let (mut is_folded, mut cut) = (false, first.len() > MAX_LINE);
        loop {
            let so_far: &[u8] = if is_folded { &folded } else { first };
            let soft_break =
                so_far.last() == Some(&b'=') && *printable.get_or_insert_with(|| is_quoted_printable(first));
            let more = match next {
                Some((_, [])) if !soft_break && is_fold_after_blank(&physical) => &[][..],
                Some((_, [b' ' | b'\t', more @ ..])) => more,
                Some((_, line)) if soft_break => line,
                Some(_) | None => break,
            };
            next = physical.next();
            if !keep {
                continue;
            }
            if !is_folded {
                folded.clear();
                folded.extend_from_slice(first);
                is_folded = true;
            }
            if soft_break {
                folded.pop();
            }
            if folded.len() + more.len() > MAX_LINE {
                cut = true;
                continue;
            }
            folded.extend_from_slice(more);
        }
        let bytes: &[u8] = if is_folded { &folded } else { &first[..first.len().min(MAX_LINE)] };
        if keep {
            tell(Line { number, bytes, cut });
        }
    }
}

/// The lines as they stand between CRLF, LF or CR.
struct Physical<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Physical<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        let ending = match &self.rest[end..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            [..] => 1,
        };
        self.rest = &self.rest[end + ending..];
        self.number += 1;
        Some((self.number, trimmed(line)))
    }
}

/// Some writers pad with NUL, some leave a blank line inside a fold.
fn trimmed(line: &[u8]) -> &[u8] {
    let from = line.iter().position(|b| *b != 0).unwrap_or(line.len());
    let to = line.iter().rposition(|b| *b != 0).map_or(from, |last| last + 1);
    let line = &line[from..to];
    if line.iter().all(u8::is_ascii_whitespace) && line.len() < 2 { &[] } else { line }
}

fn is_fold_after_blank(physical: &Physical<'_>) -> bool {
    matches!(physical.rest, [b' ' | b'\t', ..])
}

fn is_quoted_printable(first: &[u8]) -> bool {
    let header = first.iter().position(|b| *b == b':').map_or(first, |end| &first[..end]);
    header.windows(16).any(|part| part.eq_ignore_ascii_case(b"QUOTED-PRINTABLE"))
}

/// Attachments and rich text are left where they are. A name that is itself folded may be any.
fn is_wanted(first: &[u8]) -> bool {
    // The names below begin with one of these, and most lines do not.
    if !matches!(first.first(), Some(b'A' | b'a' | b'I' | b'i' | b'P' | b'p' | b'S' | b's' | b'X' | b'x')) {
        return true;
    }
    let Some(end) = first.iter().position(|b| matches!(b, b':' | b';')) else { return true };
    let name = &first[..end];
    ![
        "ATTACH",
        "X-ALT-DESC",
        "IMAGE",
        "PHOTO",
        "STRUCTURED-DATA",
        "STYLED-DESCRIPTION",
        "X-APPLE-STRUCTURED-LOCATION",
    ]
    .iter()
    .any(|skipped| name.eq_ignore_ascii_case(skipped.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut lines = Vec::new();
        each(&without_marks(input), |line| lines.push(String::from_utf8_lossy(line.bytes).into_owned()));
        assert_eq!(lines, expected, "{:?}", String::from_utf8_lossy(input));
    }

    #[test]
    fn every_line_ending_ends_a_line_and_every_fold_is_undone() {
        for ending in ["\r\n", "\n", "\r", "\r\r\n"] {
            check(format!("A:1{ending} 2{ending}\t3{ending}B:4{ending}").as_bytes(), &["A:123", "B:4"]);
        }
        check(b"A:1\n\n 2\n\nB:4\0\0\n\0", &["A:12", "B:4"]);
    }

    #[test]
    fn a_character_split_by_a_fold_survives() {
        check(b"A:Caf\xc3\r\n \xa9\r\n", &["A:Caf\u{e9}"]);
    }

    #[test]
    fn a_name_may_be_folded() {
        check(b"DTST\r\n ART:1\r\n", &["DTSTART:1"]);
    }

    #[test]
    fn marks_and_wide_characters_are_read() {
        check(b"\xef\xbb\xbfA:1", &["A:1"]);
        let wide: Vec<u8> = "BEGIN:\u{fc}\r\nB:2".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&wide, &["BEGIN:\u{fc}", "B:2"]);
        check(&[&[0xff, 0xfe], wide.as_slice()].concat(), &["BEGIN:\u{fc}", "B:2"]);
    }

    #[test]
    fn a_soft_line_break_joins_only_quoted_printable_lines() {
        check(
            b"A;ENCODING=QUOTED-PRINTABLE:x=\ny=\n z\nB:4=\nC:5",
            &["A;ENCODING=QUOTED-PRINTABLE:xyz", "B:4=", "C:5"],
        );
    }

    #[test]
    fn an_attachment_is_skipped_with_its_folds() {
        check(b"ATTACH;ENCODING=BASE64:AAAA\n BBBB\nB:4", &["B:4"]);
    }
}
