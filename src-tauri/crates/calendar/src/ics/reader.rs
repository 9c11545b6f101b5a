//! Follows BEGIN and END through the file and hands each property to the component it belongs to. A component that
//! is never closed ends where the next of its kind begins, or with the file.

use super::lines::Line;
use super::problem::{Excerpt, Problem, ProblemKind};
use super::property::Property;
use super::{Calendar, Method, event, freebusy, value, zones};
use crate::event::{End, Event, ShownAs, Status, Uid};
use crate::series::wall;

/// Reads line by line; [`Reader::finish`] has the calendar.
pub struct Reader<'a> {
    own: &'a [&'a str],
    calendar: Calendar,
    problems: Problems,
    open: Vec<Open>,
    /// Components nested deeper than anything real, which are passed over.
    too_deep: usize,
    scope: zones::Scope,
    /// The METHOD of the VCALENDAR being read.
    method: Option<Method>,
    /// Where the events of the VCALENDAR being read begin.
    scope_start: usize,
    scope_line: usize,
    /// EXDATE and RDATE values that may still be kept, of all events together.
    room: usize,
    /// Stands for the events that were one too many, at the earliest of their starts.
    left_out: Option<Event>,
    seen: bool,
    in_calendar: bool,
    /// VCALENDARs read to their end.
    calendars: usize,
    /// Where the events of each VCALENDAR begin, and its METHOD.
    parts: Vec<(usize, Option<Method>)>,
}

/// What was met and could not be read, up to a bound.
#[derive(Default)]
pub struct Problems {
    list: Vec<Problem>,
}

/// A component that has begun.
enum Open {
    Calendar,
    Event(Box<event::Draft>),
    FreeBusy(freebusy::Draft),
    Zone(zones::Draft),
    ZonePart(String),
    Other(String),
}

const MAX_PROBLEMS: usize = 1_000;
const MAX_DEPTH: usize = 32;
const MAX_EVENTS: u32 = 131_000;
/// EXDATE and RDATE values that are kept of one file.
const MAX_DATES: usize = 300_000;

impl Problems {
    pub fn add(&mut self, line: usize, kind: ProblemKind) {
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { line, kind });
        }
    }
}

impl<'a> Reader<'a> {
    pub fn new(own: &'a [&'a str]) -> Self {
        Self {
            own,
            calendar: Calendar::default(),
            problems: Problems::default(),
            open: Vec::new(),
            too_deep: 0,
            scope: zones::Scope::default(),
            method: None,
            scope_start: 0,
            scope_line: 1,
            room: MAX_DATES,
            left_out: None,
            seen: false,
            in_calendar: false,
            calendars: 0,
            parts: Vec::new(),
        }
    }

    pub fn line(&mut self, line: &Line<'_>) {
        let Some(property) = Property::parse(line.bytes) else {
            if self.seen {
                self.problems.add(line.number, ProblemKind::NoProperty);
            }
            return;
        };
        if line.cut {
            let property = Excerpt::name(&property.name);
            self.problems.add(line.number, ProblemKind::LongLine { property });
        }
        match property.name.as_ref() {
            "BEGIN" => self.begin(&property.value().to_ascii_uppercase(), line.number),
            "END" => self.end(&property.value().to_ascii_uppercase(), line.number),
            _ => self.property(&property, line),
        }
    }

    /// Nothing when no calendar was seen.
    pub fn finish(mut self) -> Option<super::Parsed> {
        if !self.open.is_empty() {
            self.problems.add(self.scope_line, ProblemKind::EndsEarly);
        }
        self.end_calendar();
        self.seen.then_some((self.calendar, self.parts, self.problems.list))
    }

    fn begin(&mut self, name: &str, line: usize) {
        if self.too_deep > 0 || self.open.len() >= MAX_DEPTH {
            if self.too_deep == 0 {
                self.problems.add(line, ProblemKind::TooDeep);
            }
            self.too_deep += 1;
            return;
        }
        match name {
            "VCALENDAR" => {
                if !self.open.is_empty() {
                    self.problems.add(line, ProblemKind::CalendarInCalendar);
                }
                self.end_calendar();
                self.seen = true;
                self.scope_line = line;
                self.in_calendar = true;
                self.open.push(Open::Calendar);
            }
            "VEVENT" => {
                self.seen = true;
                self.close_open_events(line);
                self.open.push(Open::Event(Box::new(event::Draft::new(line))));
            }
            "VFREEBUSY" => {
                self.seen = true;
                self.close_open_events(line);
                self.open.push(Open::FreeBusy(freebusy::Draft::new(line)));
            }
            "VTIMEZONE" => {
                self.close_open_events(line);
                self.open.push(Open::Zone(zones::Draft::default()));
            }
            "STANDARD" | "DAYLIGHT" => {
                if let Some(Open::ZonePart(_)) = self.open.last() {
                    self.close_top();
                }
                if let Some(Open::Zone(zone)) = self.open.last_mut() {
                    zone.begin_part();
                    self.open.push(Open::ZonePart(name.to_owned()));
                } else {
                    self.open.push(Open::Other(name.to_owned()));
                }
            }
            _ => self.open.push(Open::Other(name.to_owned())),
        }
    }

    fn end(&mut self, name: &str, line: usize) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        if name == "VCALENDAR" {
            self.end_calendar();
            return;
        }
        let Some(depth) = self.open.iter().rposition(|open| open.is_called(name)) else {
            self.problems.add(line, ProblemKind::NeverBegan { component: Excerpt::name(name) });
            return;
        };
        while self.open.len() > depth {
            self.close_top();
        }
    }

    fn property(&mut self, property: &Property<'_>, line: &Line<'_>) {
        if self.too_deep > 0 {
            return;
        }
        let depth = self.open.len();
        match self.open.last_mut() {
            None | Some(Open::Calendar) => self.calendar_property(property),
            Some(Open::Event(draft)) => {
                draft.property(line, property, self.own, &mut self.room, &mut self.problems);
            }
            Some(Open::FreeBusy(draft)) => draft.property(line, property, &mut self.problems),
            Some(Open::Zone(draft)) => draft.property(property),
            Some(Open::ZonePart(_)) => {
                if let Some(Open::Zone(draft)) = depth.checked_sub(2).and_then(|at| self.open.get_mut(at)) {
                    draft.part_property(property);
                }
            }
            Some(Open::Other(_)) => {}
        }
    }

    fn calendar_property(&mut self, property: &Property<'_>) {
        let calendar = &mut self.calendar;
        match property.name.as_ref() {
            "METHOD" => self.method = method(&property.value()),
            "X-WR-TIMEZONE" => self.scope.default = Some(property.text(256)),
            "NAME" => calendar.name = Some(property.text(1_024)),
            "X-WR-CALNAME" if calendar.name.is_none() => calendar.name = Some(property.text(1_024)),
            "REFRESH-INTERVAL" | "X-PUBLISHED-TTL" => {
                if let Some((days, seconds)) = value::duration(&property.value()) {
                    calendar.refresh_seconds = u64::try_from(i64::from(days) * 86_400 + seconds).ok();
                }
            }
            _ => {}
        }
    }

    /// An event inside an event is one whose END is missing.
    fn close_open_events(&mut self, line: usize) {
        let Some(depth) = self.open.iter().position(|open| !matches!(open, Open::Calendar | Open::Other(_)))
        else {
            return;
        };
        self.problems.add(line, ProblemKind::NoEnd);
        while self.open.len() > depth {
            self.close_top();
        }
    }

    fn close_top(&mut self) {
        match self.open.pop() {
            Some(Open::Event(draft)) => match draft.finish(&mut self.problems) {
                Ok(event) => self.keep(event),
                Err(unplaced) if self.calendar.unplaced.len() < MAX_PROBLEMS => {
                    self.calendar.unplaced.extend(unplaced);
                }
                Err(_) => {}
            },
            Some(Open::FreeBusy(draft)) => {
                for event in draft.finish() {
                    self.keep(event);
                }
            }
            Some(Open::Zone(draft)) => self.scope.add(draft),
            Some(Open::ZonePart(_)) => {
                if let Some(Open::Zone(draft)) = self.open.last_mut() {
                    draft.end_part();
                }
            }
            Some(Open::Calendar | Open::Other(_)) | None => {}
        }
    }

    fn keep(&mut self, event: Event) {
        if self.calendar.events.len() < MAX_EVENTS as usize {
            self.calendar.events.push(event);
            return;
        }
        let earliest = self.left_out.as_ref().map(|known| wall(&known.start));
        if earliest.is_none() {
            self.problems.add(self.scope_line, ProblemKind::ManyEvents { most: MAX_EVENTS });
        }
        if earliest.is_none_or(|earliest| wall(&event.start) < earliest) {
            let mut stands_in = Event::new(Uid::default(), event.start, End::Unstated);
            stands_in.incomplete = true;
            self.left_out = Some(stands_in);
        }
    }

    /// Closes what is open and reads the events of this VCALENDAR in its zones and under its method.
    fn end_calendar(&mut self) {
        while !self.open.is_empty() {
            self.close_top();
        }
        self.too_deep = 0;
        self.calendar.events.extend(self.left_out.take());
        let mut scope = std::mem::take(&mut self.scope);
        let events = &mut self.calendar.events[self.scope_start..];
        scope.place(events, self.scope_line, &mut self.problems);
        match self.method {
            Some(Method::Cancel) => events.iter_mut().for_each(|event| event.status = Status::Cancelled),
            Some(method) if !method.carries_time() => {
                events.iter_mut().for_each(|event| event.shown_as = Some(ShownAs::Free));
            }
            Some(_) | None => {}
        }
        if self.in_calendar || self.scope_start < self.calendar.events.len() {
            self.parts.push((self.scope_start, self.method));
        }
        self.scope_start = self.calendar.events.len();
        if self.in_calendar {
            let method = self.method.take();
            self.calendar.method = match self.calendars {
                0 => method,
                _ => self.calendar.method.filter(|known| Some(*known) == method),
            };
            self.calendars += 1;
            self.in_calendar = false;
        }
        if self.calendar.zone.is_none() {
            self.calendar.zone = scope.default_zone();
        }
    }
}

impl Open {
    fn is_called(&self, name: &str) -> bool {
        match self {
            Self::Calendar => name == "VCALENDAR",
            Self::Event(_) => name == "VEVENT",
            Self::FreeBusy(_) => name == "VFREEBUSY",
            Self::Zone(_) => name == "VTIMEZONE",
            Self::ZonePart(own) | Self::Other(own) => own == name,
        }
    }
}

fn method(text: &str) -> Option<Method> {
    match text.to_ascii_uppercase().as_str() {
        "PUBLISH" => Some(Method::Publish),
        "REQUEST" => Some(Method::Request),
        "REPLY" => Some(Method::Reply),
        "ADD" => Some(Method::Add),
        "CANCEL" => Some(Method::Cancel),
        "REFRESH" => Some(Method::Refresh),
        "COUNTER" => Some(Method::Counter),
        "DECLINECOUNTER" => Some(Method::DeclineCounter),
        _ => None,
    }
}
