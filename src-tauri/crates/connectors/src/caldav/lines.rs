//! The text of one calendar file as lines that can be replaced while all others stay as they are. Knows where an event
//! begins and ends, and nothing of what its lines mean.

/// One content line with its folds, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// In capitals, without parameters.
    pub name: String,
    folded: String,
}

impl Line {
    /// A line of ours, folded as RFC 5545 §3.1 wants it.
    pub fn new(name: &str, value: &str) -> Self {
        let mut folded = String::new();
        let mut room = 75;
        for c in format!("{name}:{value}").chars() {
            if c.len_utf8() > room {
                folded.push_str("\r\n ");
                room = 74;
            }
            folded.push(c);
            room -= c.len_utf8();
        }
        Self { name: name.to_owned(), folded }
    }

    fn read(folded: String) -> Self {
        let start: String = unfolded(&folded).chars().take(80).collect();
        let end = start.find([':', ';']).unwrap_or(start.len());
        Self { name: start[..end].trim().to_ascii_uppercase(), folded }
    }

    pub fn value(&self) -> String {
        let line = unfolded(&self.folded);
        let mut quoted = false;
        let colon = line.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == ':' && !quoted
        });
        colon.map(|(at, _)| line[at + 1..].trim().to_owned()).unwrap_or_default()
    }
}

fn unfolded(folded: &str) -> String {
    folded.replace("\r\n ", "").replace("\r\n\t", "")
}

/// The lines of `text`, whatever ends them.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut lines: Vec<String> = Vec::new();
    for physical in text.split('\n') {
        let physical = physical.strip_suffix('\r').unwrap_or(physical);
        match lines.last_mut() {
            Some(open) if physical.starts_with([' ', '\t']) => {
                open.push_str("\r\n");
                open.push_str(physical);
            }
            _ if physical.is_empty() => {}
            _ => lines.push(physical.to_owned()),
        }
    }
    lines.into_iter().map(Line::read).collect()
}

pub(super) fn written(lines: &[Line]) -> String {
    lines.iter().flat_map(|line| [line.folded.as_str(), "\r\n"]).collect()
}

/// Where the events' own lines stand, the lines of what lies in them (alarms) left out. The first is `BEGIN:VEVENT`, the
/// last its end.
pub(super) fn events(lines: &[Line]) -> Vec<Vec<usize>> {
    let mut events = Vec::new();
    let mut own: Option<Vec<usize>> = None;
    let mut depth = 0_usize;
    for (at, line) in lines.iter().enumerate() {
        let what = || line.value().to_ascii_uppercase();
        match (line.name.as_str(), &mut own) {
            ("BEGIN", None) if what() == "VEVENT" => own = Some(vec![at]),
            ("BEGIN", Some(_)) => depth += 1,
            ("END", Some(_)) if depth > 0 => depth -= 1,
            ("END", Some(inside)) => {
                inside.push(at);
                events.extend(own.take());
            }
            (_, Some(inside)) if depth == 0 => inside.push(at),
            (_, Some(_) | None) => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY;LANGUAGE=\"x:y\":long\r\n er\r\nBEGIN:VALARM\r\n\
                        SUMMARY:not mine\r\nEND:VALARM\r\nsummary:second\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn a_file_comes_out_as_it_went_in() {
        assert_eq!(written(&read(FILE)), FILE);
        assert_eq!(written(&read(&FILE.replace("\r\n", "\n"))), FILE);
        assert_eq!(written(&read(&format!("{FILE}\r\n\r\n"))), FILE);
    }

    #[test]
    fn an_event_s_own_lines_are_told_from_those_of_its_alarms() {
        let lines = read(FILE);
        let own: Vec<(&str, String)> =
            events(&lines)[0].iter().map(|&at| (lines[at].name.as_str(), lines[at].value())).collect();
        let expected = [
            ("BEGIN", "VEVENT"),
            ("UID", "a"),
            ("SUMMARY", "longer"),
            ("SUMMARY", "second"),
            ("END", "VEVENT"),
        ];
        assert_eq!(own, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn a_long_line_is_folded_inside_no_character() {
        let line = Line::new("X-LONG", &"é".repeat(100));
        assert!(line.folded.split("\r\n").all(|piece| piece.len() <= 75), "{line:?}");
        assert_eq!(line.value(), "é".repeat(100));
        assert_eq!(read(&written(std::slice::from_ref(&line))), [line]);
    }
}
