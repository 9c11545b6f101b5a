//! Server-sent events: from bytes as they come to events, as the HTML standard has it. Knows nothing of what they say.

/// A line longer than this is none of ours, and neither is an event.
const LONGEST: usize = 64 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Where to go on after it.
    pub id: Option<String>,
    pub name: String,
    pub data: String,
}

/// What has come and is no whole event yet.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no second line.
    after_return: bool,
    has_begun: bool,
    event: Event,
    has_data: bool,
}

/// Somebody sends what fits into no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Reader {
    /// Takes the next bytes, and answers with the events that end in them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&line));
                }
                _ if self.line.len() + self.event.data.len() >= LONGEST => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, line: &[u8]) -> Option<Event> {
        let text = String::from_utf8_lossy(line);
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let text = if is_first { text.strip_prefix('\u{feff}').unwrap_or(&text) } else { &text };
        if text.is_empty() {
            let event = std::mem::take(&mut self.event);
            // An event without data is none; where to go on it may still say.
            return (std::mem::take(&mut self.has_data) || event.id.is_some()).then_some(event);
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, when to ask again, or a word of the future.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event { id: id.map(str::to_owned), name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut_and_whatever_ends_a_line() {
        let text = "\u{feff}id: 7\nevent: change\ndata: {\"a\":1}\n\n: still here\n\ndata\ndata:two\ndata:  three\nid:8\n\nretry: 5\n\ndata: cut";
        let expected = [event(Some("7"), "change", "{\"a\":1}"), event(Some("8"), "", "\ntwo\n three")];
        for ending in ["\n", "\r", "\r\n"] {
            let bytes = text.replace('\n', ending);
            for size in [1, 2, 3, 7, bytes.len()] {
                let mut reader = Reader::default();
                let pieces = bytes.as_bytes().chunks(size);
                let events: Vec<Event> = pieces.flat_map(|piece| reader.take(piece).unwrap()).collect();
                assert_eq!(events, expected, "{ending:?} {size}");
            }
        }
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut reader = Reader::default();
        assert_eq!(reader.take(&vec![b'x'; LONGEST + 1]), Err(TooLong));
        let mut reader = Reader::default();
        let line = format!("data: {}\n", "x".repeat(1000));
        assert!((0..LONGEST).any(|_| reader.take(line.as_bytes()).is_err()));
    }
}
