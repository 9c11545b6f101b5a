//! iCalendar as the hand of a calendar app writes it: lines put in and taken out of what the server keeps. Uses none of our
//! connectors' reading or patching.

use calendar::event::{Answer, End, Event, ShownAs, Status, When};
use calendar::ics::{Calendar, write};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The lines of a series' rules, as Google takes them.
pub fn rule_lines(event: &Event) -> Vec<String> {
    let rules = event.recurrence.rules.iter().map(|rule| format!("RRULE:{rule}"));
    let left_out = event.recurrence.except_dates.iter().map(|when| property("EXDATE", when));
    rules.chain(left_out).collect()
}

/// A time as a property's line.
pub fn property(name: &str, when: &When) -> String {
    match when {
        When::Date(day) => format!("{name};VALUE=DATE:{}", day.strftime("%Y%m%d")),
        When::Utc(at) => format!("{name}:{}", at.strftime("%Y%m%dT%H%M%SZ")),
        When::Floating(wall) => format!("{name}:{}", wall.strftime("%Y%m%dT%H%M%S")),
        When::Zoned { wall, zone } => {
            let zone = zone.time_zone().and_then(|zone| zone.iana_name().map(str::to_owned));
            format!("{name};TZID={}:{}", zone.unwrap_or_default(), wall.strftime("%Y%m%dT%H%M%S"))
        }
    }
}

/// One file of a calendar, unfolded.
pub struct File(Vec<String>);

impl File {
    /// A new event of hers.
    pub fn of(event: &Event, uid: &str, address: &str, stamp: Timestamp) -> Self {
        let mut event = event.clone();
        uid.clone_into(&mut event.uid.0);
        let mut file =
            Self::read(&write(&Calendar { events: vec![event.clone()], ..Calendar::default() }, stamp));
        if let Some(answer) = event.answer {
            let word = match answer {
                Answer::NeedsAction => "NEEDS-ACTION",
                Answer::Accepted => "ACCEPTED",
                Answer::Declined => "DECLINED",
                Answer::Tentative => "TENTATIVE",
            };
            file.put("ORGANIZER", "ORGANIZER;SCHEDULE-AGENT=CLIENT:mailto:host@example.com".to_owned());
            file.put("ATTENDEE", format!("ATTENDEE;PARTSTAT={word}:mailto:{address}"));
        }
        if event.status == Status::Tentative {
            file.put("STATUS", "STATUS:TENTATIVE".to_owned());
        }
        if event.shown_as == Some(ShownAs::OutOfOffice) {
            file.put("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-BUSYSTATUS:OOF".to_owned());
        }
        file
    }

    pub fn read(text: &str) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for line in text.split("\r\n").flat_map(|line| line.split('\n')).filter(|line| !line.is_empty()) {
            match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
                (Some(more), Some(last)) => last.push_str(more),
                (_, _) => lines.push(line.to_owned()),
            }
        }
        Self(lines)
    }

    /// Folded by whole characters.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for line in &self.0 {
            let mut length = 0;
            for character in line.chars() {
                if length + character.len_utf8() > 74 {
                    out.push_str("\r\n ");
                    length = 1;
                }
                out.push(character);
                length += character.len_utf8();
            }
            out.push_str("\r\n");
        }
        out
    }

    /// The lines of the event itself, those of its exceptions left out.
    fn master(&self) -> std::ops::Range<usize> {
        let begins = self.0.iter().enumerate().filter(|(_, line)| *line == "BEGIN:VEVENT");
        for (begin, _) in begins {
            let end = begin + self.0[begin..].iter().position(|line| line == "END:VEVENT").expect("an end");
            if self.0[begin..end].iter().all(|line| named(line) != "RECURRENCE-ID") {
                return begin + 1..end;
            }
        }
        panic!("no event: {:?}", self.0)
    }

    /// The line of a property of the event itself.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.0[self.master()].iter().map(String::as_str).find(|line| named(line) == name)
    }

    pub fn has(&self, line: &str) -> bool {
        self.0.iter().any(|there| there == line)
    }

    /// Puts a property's line in place of what there was of it.
    pub fn put(&mut self, name: &str, line: String) {
        let master = self.master();
        self.take(name);
        self.0.insert(master.start, line);
    }

    /// Adds lines to the event itself.
    pub fn add(&mut self, lines: &[&str]) {
        let end = self.master().end;
        for line in lines.iter().rev() {
            self.0.insert(end, (*line).to_owned());
        }
    }

    pub fn take(&mut self, name: &str) {
        let master = self.master();
        for at in master.rev() {
            if named(&self.0[at]) == name {
                self.0.remove(at);
            }
        }
    }

    pub fn put_text(&mut self, name: &str, text: &str) {
        let escaped = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n");
        self.put(name, format!("{name}:{escaped}"));
    }

    pub fn put_times(&mut self, start: &When, end: &When) {
        self.take("DURATION");
        self.put("DTSTART", property("DTSTART", start));
        self.put("DTEND", property("DTEND", end));
    }

    /// An instant as this series counts its own times: in its zone.
    pub fn counted(&self, name: &str, at: Timestamp) -> String {
        let start = self.line("DTSTART").expect("a start");
        let zone = start
            .split_once(':')
            .and_then(|(head, _)| head.split(';').find_map(|one| one.strip_prefix("TZID=")));
        match zone {
            None => property(name, &When::Utc(at)),
            Some(zone) => {
                let zone = zone.trim_matches('"');
                let wall = TimeZone::get(zone).expect("a zone").to_datetime(at);
                format!("{name};TZID={zone}:{}", wall.strftime("%Y%m%dT%H%M%S"))
            }
        }
    }

    /// Adds the exception of one occurrence, an hour long.
    pub fn except(&mut self, original: Timestamp, start: Timestamp) {
        let end = start + jiff::SignedDuration::from_hours(1);
        let mut lines = vec!["BEGIN:VEVENT".to_owned()];
        for name in ["UID", "DTSTAMP", "SUMMARY"] {
            lines.extend(self.line(name).map(str::to_owned));
        }
        lines.extend([
            self.counted("RECURRENCE-ID", original),
            self.counted("DTSTART", start),
            self.counted("DTEND", end),
            "END:VEVENT".to_owned(),
        ]);
        let at = self.master().end + 1;
        self.0.splice(at..at, lines);
    }

    /// How long the event is, where its times are instants or lie in one zone.
    pub fn length(&self) -> jiff::SignedDuration {
        let wall = |name: &str| -> DateTime {
            let value = self.line(name).and_then(|line| line.rsplit_once(':')).expect("a time").1;
            DateTime::strptime("%Y%m%dT%H%M%S", value.trim_end_matches('Z')).expect("a time")
        };
        wall("DTEND").duration_since(wall("DTSTART"))
    }
}

/// The name of a line's property.
fn named(line: &str) -> &str {
    line.split([':', ';']).next().unwrap_or_default()
}

/// The end of an event that says one.
pub fn end(event: &Event) -> When {
    match &event.end {
        End::At(end) => end.clone(),
        End::Lasting { .. } | End::Unstated => event.start.clone(),
    }
}
