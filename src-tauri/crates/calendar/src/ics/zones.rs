//! The zones of one VCALENDAR: collects its VTIMEZONEs and places every name its events use, on the ladder IANA name,
//! known alias, the file's own rules, X-WR-TIMEZONE, unknown.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::problem::{Excerpt, ProblemKind};
use super::property::Property;
use super::reader::Problems;
use super::value;
use crate::event::{End, Event, When};
use crate::zone::{GivenZone, Observance, Zone};

/// What one VCALENDAR says about zones.
#[derive(Default)]
pub struct Scope {
    given: BTreeMap<String, Given>,
    /// X-WR-TIMEZONE as written.
    pub default: Option<String>,
    placed: BTreeMap<String, Zone>,
    /// What the copies of rules come to so far.
    rule_bytes: usize,
}

struct Given {
    zone: GivenZone,
    /// X-LIC-LOCATION: the IANA name, where a writer adds it.
    location: Option<String>,
}

/// A VTIMEZONE being read.
#[derive(Default)]
pub struct Draft {
    name: String,
    location: Option<String>,
    observances: Vec<Observance>,
    part: Option<Part>,
    /// Half a zone's rules are worse than none.
    cut: bool,
}

/// A STANDARD or DAYLIGHT being read.
#[derive(Default)]
struct Part {
    start: Option<DateTime>,
    from: Option<i32>,
    to: Option<i32>,
    rules: Vec<String>,
    dates: Vec<DateTime>,
}

const MAX_ZONES: usize = 200;
const MAX_PARTS: usize = 500;
const MAX_RULES: usize = 10;
const MAX_DATES: usize = 2_000;
/// Names that are placed for one VCALENDAR.
const MAX_NAMES: usize = 2_000;
/// Every time in a zone carries the zone's rules; of those, no more than so many bytes are kept for one VCALENDAR.
const MAX_RULE_BYTES: usize = 32 * 1024 * 1024;

impl Draft {
    pub fn property(&mut self, property: &Property<'_>) {
        match property.name.as_ref() {
            "TZID" => self.name = property.text(256),
            "X-LIC-LOCATION" => self.location = Some(property.text(256)),
            _ => {}
        }
    }

    pub fn begin_part(&mut self) {
        self.end_part();
        self.part = Some(Part::default());
    }

    pub fn part_property(&mut self, property: &Property<'_>) {
        let Some(part) = &mut self.part else { return };
        match property.name.as_ref() {
            "DTSTART" => part.start = value::when(property).as_ref().map(as_written),
            "TZOFFSETFROM" => part.from = value::offset(&property.value()),
            "TZOFFSETTO" => part.to = value::offset(&property.value()),
            "RRULE" if part.rules.len() < MAX_RULES => part.rules.push(property.value().into_owned()),
            "RDATE" if part.dates.len() < MAX_DATES => {
                let (dates, _) = value::extra_dates(property, MAX_DATES);
                part.dates.extend(dates.iter().map(|date| as_written(&date.start)));
            }
            "RRULE" | "RDATE" => self.cut = true,
            _ => {}
        }
    }

    pub fn end_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        let Some(to) = part.to.or(part.from) else { return };
        if self.observances.len() >= MAX_PARTS {
            self.cut = true;
            return;
        }
        self.observances.push(Observance {
            start: part.start.unwrap_or_else(|| DateTime::constant(1970, 1, 1, 0, 0, 0, 0)),
            offset_from: part.from.unwrap_or(to),
            offset_to: to,
            rules: part.rules,
            dates: part.dates,
        });
    }
}

impl Scope {
    pub fn add(&mut self, mut draft: Draft) {
        draft.end_part();
        if draft.cut {
            draft.observances.clear();
        }
        if self.given.len() < MAX_ZONES {
            let zone = GivenZone { name: draft.name.clone(), observances: draft.observances };
            self.given.insert(folded(&draft.name), Given { zone, location: draft.location });
        }
    }

    /// Replaces every zone name in `events` by what it means here. Who writes X-WR-TIMEZONE and times without a zone
    /// means that zone.
    pub fn place(&mut self, events: &mut [Event], line: usize, problems: &mut Problems) {
        let default = self.default_zone();
        for event in events {
            if let (When::Floating(wall), Some(zone)) = (&event.start, &default) {
                event.start = When::Zoned { wall: *wall, zone: zone.clone() };
            }
            self.settle(&mut event.start, line, problems);
            self.settle_end(&mut event.end, line, problems);
            if let Some(instance) = &mut event.instance {
                self.settle(instance, line, problems);
            }
            for date in &mut event.recurrence.dates {
                self.settle(&mut date.start, line, problems);
                self.settle_end(&mut date.end, line, problems);
            }
            for date in &mut event.recurrence.except_dates {
                self.settle(date, line, problems);
            }
        }
    }

    pub fn default_zone(&self) -> Option<Zone> {
        self.default.as_deref().map(Zone::named).filter(|zone| !matches!(zone, Zone::Unknown(_)))
    }

    fn settle_end(&mut self, end: &mut End, line: usize, problems: &mut Problems) {
        if let End::At(when) = end {
            self.settle(when, line, problems);
        }
    }

    fn settle(&mut self, when: &mut When, line: usize, problems: &mut Problems) {
        let When::Zoned { zone, .. } = when else { return };
        let Zone::Unknown(name) = zone else { return utc_as_instant(when) };
        if !self.placed.contains_key(name.as_str()) {
            if self.placed.len() >= MAX_NAMES {
                problems.add(line, ProblemKind::ManyZones { zone: Excerpt::name(name) });
                return;
            }
            let placed = self.ladder(name, line, problems);
            self.placed.insert(name.clone(), placed);
        }
        let Some(placed) = self.placed.get(name.as_str()) else { return };
        let rule_bytes = self.rule_bytes + weight(placed);
        if rule_bytes > MAX_RULE_BYTES {
            problems.add(line, ProblemKind::LargeZone { zone: Excerpt::name(name) });
            return;
        }
        self.rule_bytes = rule_bytes;
        *zone = match placed {
            // Most names are what they say.
            Zone::Iana(iana) if iana == name => Zone::Iana(std::mem::take(name)),
            Zone::Iana(_) | Zone::Given(_) | Zone::Unknown(_) => placed.clone(),
        };
        utc_as_instant(when);
    }

    fn ladder(&self, name: &str, line: usize, problems: &mut Problems) -> Zone {
        let iana = Zone::iana(name);
        if let Some(zone) = iana {
            return zone;
        }
        let given = self.given.get(&folded(name)).filter(|given| given.zone.is_usable());
        let alias = Zone::alias(name)
            .or_else(|| given.and_then(|given| given.location.as_deref()).and_then(Zone::iana));
        match (alias, given) {
            (Some(alias), Some(given)) if !given.zone.agrees_with(&alias) => {
                problems.add(line, ProblemKind::OwnZone { zone: Excerpt::name(name) });
                Zone::Given(Box::new(given.zone.clone()))
            }
            (Some(alias), _) => alias,
            (None, Some(given)) => Zone::Given(Box::new(given.zone.clone())),
            (None, None) => match (Zone::fixed(name), self.default_zone()) {
                (Some(fixed), _) => fixed,
                (None, Some(default)) => {
                    problems.add(line, ProblemKind::ReplacedZone { zone: Excerpt::name(name) });
                    default
                }
                (None, None) => {
                    problems.add(line, ProblemKind::UnknownZone { zone: Excerpt::name(name) });
                    Zone::Unknown(name.to_owned())
                }
            },
        }
    }
}

/// What one more copy of a zone takes beyond its name.
fn weight(zone: &Zone) -> usize {
    let Zone::Given(given) = zone else { return 0 };
    let texts = |part: &Observance| part.rules.iter().map(String::len).sum::<usize>();
    let part = |part: &Observance| size_of::<Observance>() + texts(part) + size_of_val(part.dates.as_slice());
    given.observances.iter().map(part).sum()
}

/// A time in the zone UTC is an instant.
fn utc_as_instant(when: &mut When) {
    if let When::Zoned { zone: Zone::Iana(name), wall } = when
        && name == "UTC"
        && let Ok(instant) = jiff::tz::TimeZone::UTC.to_timestamp(*wall)
    {
        *when = When::Utc(instant);
    }
}

/// A name as it is compared: parameter and property quote it differently.
fn folded(name: &str) -> String {
    name.replace('\\', "").trim().trim_matches('"').to_lowercase()
}

fn as_written(when: &When) -> DateTime {
    crate::recurrence::civil::to_datetime(crate::series::wall(when)).unwrap_or(DateTime::MIN)
}
