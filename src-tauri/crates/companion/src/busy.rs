//! Which times calendars or files block, and why, over any window: what `companion busy` says. Pure; the placing itself
//! is `calendar::busy`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use calendar::busy::{BusyRules, Occurrence, Placed, Reason, place, union_with_sources};
use calendar::event::Event;
use calendar::ics::{Calendar, Method};
use calendar::identity::{OwnUid, own_uid};
use calendar::interval::{Interval, without};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde_json::{Value, json};
use sync::error::Code;
use sync::provenance::{Identities, Provenance};
use sync::world::{Role, World};

use crate::problem::Problem;

/// The default window: as far as busy time is published by default.
const DAYS: i64 = 30;

/// One file or calendar, placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub placed: Placed,
    /// Times at which it does not count: she lets them be booked just this once.
    pub unblocked: Vec<Interval>,
}

/// What was asked for: a window, and the zone of all-day and floating times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub window: Interval,
    pub zone: TimeZone,
}

impl Asked {
    /// Reads the words of the command line.
    pub fn read(
        from: Option<&str>,
        to: Option<&str>,
        zone: TimeZone,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let from = from.map_or(Ok(now), |text| moment("--from", text, &zone))?;
        let to = match to {
            Some(text) => moment("--to", text, &zone)?,
            None => from.checked_add(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MAX),
        };
        let window = Interval::new(from, to).ok_or_else(|| {
            Problem::new(Code::InvalidInput, format!("--to ({to}) is not after --from ({from})."))
        })?;
        Ok(Self { window, zone })
    }
}

/// A zone by its IANA name.
pub fn zone(name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| {
        Problem::new(Code::InvalidInput, format!("\"{name}\" is not a time zone."))
            .then("Write it as the IANA database does, for example Europe/Paris.")
    })
}

/// An RFC 3339 instant, or the start of a day in `zone`.
fn moment(option: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let text = text.trim();
    let day = || (text.len() == 10).then(|| text.parse::<civil::Date>().ok()).flatten();
    let instant = text.parse::<Timestamp>().ok();
    instant.or_else(|| day()?.to_zoned(zone.clone()).ok().map(|start| start.timestamp())).ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("{option} cannot be read: \"{text}\"."))
            .then("Write a day (2026-03-29) or an RFC 3339 instant (2026-03-29T09:00:00Z).")
    })
}

/// A file, under the rules that a new calendar has. A file that answers or takes back an invitation blocks nothing, and
/// neither do events that Bookiji or this app wrote.
#[must_use]
pub fn of_file(name: String, file: &Calendar, asked: &Asked) -> Source {
    let place = |events: &[Event]| place(events, &BusyRules::default(), asked.window, &asked.zone);
    let (ours, foreign): (Vec<Event>, Vec<Event>) = file.events.iter().cloned().partition(is_ours);
    let mut placed = place(&foreign);
    placed.occurrences.extend(freed(place(&ours).occurrences, Reason::OwnBooking));
    if let Some(method) = file.method.filter(|method| !method.carries_time()) {
        let reason = if method == Method::Cancel { Reason::Cancelled } else { Reason::Free };
        placed.occurrences = freed(placed.occurrences, reason);
    } else {
        placed.withheld.extend(file.unplaced.iter().cloned());
    }
    Source { name, placed, unblocked: Vec::new() }
}

/// By its UID alone: here are no bookings to know a bare id by.
fn is_ours(event: &Event) -> bool {
    match own_uid(&event.uid) {
        Some(OwnUid::Synced { .. } | OwnUid::Booking(_) | OwnUid::Slot(_)) => true,
        Some(OwnUid::Bare(_)) | None => false,
    }
}

/// The same occurrences, told and blocking nothing.
fn freed(occurrences: Vec<Occurrence>, reason: Reason) -> Vec<Occurrence> {
    let free = |occurrence| Occurrence { busy: false, reason, blocks: None, ..occurrence };
    occurrences.into_iter().map(free).collect()
}

/// The profile's calendars, as they were last read. Our own events are told, and block nothing; neither do copies of
/// them that she lets be booked over.
#[must_use]
pub fn of_world(world: &World, asked: &Asked) -> Vec<Source> {
    let unblocked = sync::plan::unblocked(world);
    let used = world.calendars.values().filter(|calendar| calendar.role != Role::Off);
    used.map(|calendar| {
        let identities = Identities::of(world, calendar);
        let events = world.events.get(&calendar.id).into_iter().flat_map(|events| events.values());
        let (foreign, ours): (Vec<_>, Vec<_>) =
            events.partition(|event| identities.provenance(event) == Provenance::Foreign);
        let (unblocked, foreign): (Vec<_>, Vec<_>) = foreign
            .into_iter()
            .partition(|event| unblocked.contains(&(calendar.id.clone(), event.id.clone())));
        let events = |rows: Vec<&sync::ports::RemoteEvent>| -> Vec<Event> {
            rows.into_iter().map(|row| row.event.clone()).collect()
        };
        let place = |events: &[Event]| place(events, &calendar.rules, asked.window, &asked.zone);
        let mut placed = place(&events(foreign));
        placed.occurrences.extend(freed(place(&events(ours)).occurrences, Reason::OwnBooking));
        placed.occurrences.extend(freed(place(&events(unblocked)).occurrences, Reason::Free));
        let unblocked = sync::unblocked::of(world, &calendar.id);
        Source { name: calendar.id.to_string(), placed, unblocked }
    })
    .collect()
}

/// One occurrence as it is told: once, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    pub occurrence: &'a Occurrence,
    /// Where one copy is busy, so is the occurrence: either may be true, so both count.
    pub busy: bool,
    pub reason: Reason,
    /// All that its copies block.
    pub blocks: Option<Interval>,
    /// Each once, in order.
    pub sources: Vec<&'a str>,
}

/// Every occurrence once, sorted by start: copies in several sources have the same UID, instance and times. Without a
/// UID nothing says that two are one.
#[must_use]
pub fn told(sources: &[Source]) -> Vec<Told<'_>> {
    let mut told: BTreeMap<_, Told<'_>> = BTreeMap::new();
    for (place, source) in sources.iter().enumerate() {
        for (number, occurrence) in source.placed.occurrences.iter().enumerate() {
            let alone = occurrence.uid.0.is_empty().then_some((place, number));
            let key = (
                (occurrence.start, &occurrence.uid, occurrence.end),
                (occurrence.recurrence_id, occurrence.all_day, alone),
            );
            let copy = Told {
                occurrence,
                busy: occurrence.busy,
                reason: occurrence.reason,
                blocks: occurrence.blocks,
                sources: vec![source.name.as_str()],
            };
            match told.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(copy);
                }
                Entry::Occupied(mut entry) => entry.get_mut().add(copy),
            }
        }
    }
    told.into_values().collect()
}

impl<'a> Told<'a> {
    fn add(&mut self, copy: Told<'a>) {
        self.sources.extend(copy.sources);
        self.sources.sort_unstable();
        self.sources.dedup();
        self.blocks = match (self.blocks, copy.blocks) {
            (Some(one), Some(other)) => one.joined(&other),
            (one, other) => one.or(other),
        };
        // A private copy has no words; the busy one knows best why.
        let wordless = self.occurrence.summary.is_empty();
        if (copy.busy, !copy.occurrence.summary.is_empty()) > (self.busy, !wordless) {
            self.occurrence = copy.occurrence;
        }
        if (!copy.busy, copy.reason) < (!self.busy, self.reason) {
            (self.busy, self.reason) = (copy.busy, copy.reason);
        }
    }
}

/// The `busy --json` document.
#[must_use]
pub fn document(sources: &[Source], window: Interval) -> Value {
    let blocks = sources.iter().flat_map(|source| {
        let blocks = source.placed.occurrences.iter().filter_map(|occurrence| occurrence.blocks);
        let blocks = blocks.filter_map(|block| clip(block, window)).collect();
        without(blocks, &source.unblocked).into_iter().map(|block| (source.name.as_str(), block))
    });
    let intervals = union_with_sources(blocks);
    let events: Vec<Value> = told(sources)
        .into_iter()
        .map(|told| {
            let occurrence = told.occurrence;
            json!({
                "uid": occurrence.uid,
                "recurrence_id": occurrence.recurrence_id,
                "start": occurrence.start,
                "end": occurrence.end,
                "all_day": occurrence.all_day,
                "busy": told.busy,
                "summary": occurrence.summary,
                "reason": told.reason,
                "source": told.sources.first(),
                "sources": told.sources,
            })
        })
        .collect();
    let withheld: Vec<Value> = sources
        .iter()
        .flat_map(|source| {
            source.placed.withheld.iter().map(
                |withheld| json!({ "uid": withheld.uid, "reason": withheld.reason, "source": source.name }),
            )
        })
        .collect();
    json!({ "intervals": intervals, "events": events, "withheld": withheld })
}

/// One line for each interval, in the zone that was asked for.
#[must_use]
pub fn text(document: &Value, asked: &Asked) -> String {
    let local = |value: &Value| {
        value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map_or_else(String::new, |at| {
            at.to_zoned(asked.zone.clone()).strftime("%a %Y-%m-%d %H:%M").to_string()
        })
    };
    let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    let mut lines: Vec<String> = list("intervals")
        .iter()
        .map(|interval| format!("{} – {}", local(&interval["start"]), local(&interval["end"])))
        .collect();
    lines.push(format!("{} busy intervals from {} events.", lines.len(), list("events").len()));
    lines.extend(list("withheld").iter().map(|withheld| {
        let word = |key: &str| withheld[key].as_str().unwrap_or_default().to_owned();
        format!("Not placed exactly: {} ({})", word("uid"), word("reason"))
    }));
    lines.join("\n")
}

fn clip(block: Interval, window: Interval) -> Option<Interval> {
    Interval::new(block.start().max(window.start()), block.end().min(window.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::event::{End, Uid, When};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn paris() -> TimeZone {
        zone("Europe/Paris").unwrap()
    }

    #[track_caller]
    fn reads(text: &str, expected: &str) {
        assert_eq!(moment("--from", text, &paris()).unwrap(), at(expected));
    }

    #[test]
    fn a_day_begins_at_its_midnight_in_the_zone_and_an_instant_is_taken_as_it_is() {
        reads("2026-03-29", "2026-03-28T23:00:00Z");
        reads("2026-03-29T09:00:00+02:00", "2026-03-29T07:00:00Z");
        reads("2026-03-29T09:00:00Z", "2026-03-29T09:00:00Z");
    }

    #[test]
    fn what_is_no_moment_is_refused_in_words() {
        for text in ["tomorrow", "2026-02-30", "2026-03-29T09:00", "29/03/2026", ""] {
            let problem = moment("--to", text, &paris()).unwrap_err();
            assert_eq!(problem.code, Code::InvalidInput, "{text}");
            assert!(problem.message.contains("--to"), "{problem}");
        }
        assert!(zone("Mars/Olympus").unwrap_err().message.contains("Mars/Olympus"));
        let backwards =
            Asked::read(Some("2026-03-02"), Some("2026-03-01"), paris(), at("2026-01-01T00:00:00Z"));
        assert!(backwards.unwrap_err().message.contains("not after"));
    }

    #[test]
    fn without_a_window_the_next_thirty_days_are_meant() {
        let asked = Asked::read(None, None, paris(), at("2026-01-01T12:00:00Z")).unwrap();
        assert_eq!(
            asked.window,
            Interval::new(at("2026-01-01T12:00:00Z"), at("2026-01-31T12:00:00Z")).unwrap()
        );
    }

    #[test]
    fn intervals_are_merged_across_files_and_clipped_to_the_window() {
        let file = |uid: &str, start: &str, end: &str| Calendar {
            events: vec![Event::new(Uid(uid.to_owned()), When::Utc(at(start)), End::At(When::Utc(at(end))))],
            ..Calendar::default()
        };
        let asked = Asked::read(
            Some("2026-01-10T10:00:00Z"),
            Some("2026-01-10T12:00:00Z"),
            paris(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let sources = [
            of_file("a.ics".to_owned(), &file("1", "2026-01-10T09:00:00Z", "2026-01-10T11:00:00Z"), &asked),
            of_file("b.ics".to_owned(), &file("2", "2026-01-10T11:00:00Z", "2026-01-10T13:00:00Z"), &asked),
        ];
        let document = document(&sources, asked.window);
        assert_eq!(
            document["intervals"],
            json!([{ "start": "2026-01-10T10:00:00Z", "end": "2026-01-10T12:00:00Z", "sources": ["a.ics", "b.ics"] }])
        );
        assert_eq!(document["events"].as_array().unwrap().len(), 2);
        assert_eq!(document["events"][0]["start"], "2026-01-10T09:00:00Z");
        assert!(text(&document, &asked).starts_with("Sat 2026-01-10 11:00 – Sat 2026-01-10 13:00"));
    }

    fn meeting(sequence: u32, start: &str, end: &str) -> Event {
        let mut event = Event::new(Uid("m1".to_owned()), When::Utc(at(start)), End::At(When::Utc(at(end))));
        event.sequence = sequence;
        event
    }

    fn files(events: &[(&str, Event)]) -> Value {
        let asked =
            Asked::read(Some("2026-01-10"), Some("2026-01-11"), paris(), Timestamp::UNIX_EPOCH).unwrap();
        let sources: Vec<Source> = events
            .iter()
            .map(|(name, event)| {
                let file = Calendar { events: vec![event.clone()], ..Calendar::default() };
                of_file((*name).to_owned(), &file, &asked)
            })
            .collect();
        document(&sources, asked.window)
    }

    #[test]
    fn one_event_in_several_calendars_is_told_once_with_all_of_them() {
        let event = meeting(0, "2026-01-10T09:00:00Z", "2026-01-10T10:00:00Z");
        let mut named = event.clone();
        named.summary = "Meeting".to_owned();
        let mut free = event.clone();
        free.transparency = calendar::event::Transparency::Transparent;
        let document = files(&[("a", event), ("b", free), ("c", named)]);
        let events = document["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{document}");
        assert_eq!(events[0]["sources"], json!(["a", "b", "c"]));
        assert_eq!(events[0]["source"], "a");
        assert_eq!(events[0]["summary"], "Meeting");
        assert_eq!((&events[0]["busy"], &events[0]["reason"]), (&json!(true), &json!("busy")));
        assert_eq!(document["intervals"][0]["sources"], json!(["a", "c"]));
    }

    #[test]
    fn two_versions_of_one_event_both_count_and_two_events_without_a_uid_are_two() {
        let old = meeting(0, "2026-01-10T09:00:00Z", "2026-01-10T10:00:00Z");
        let new = meeting(1, "2026-01-10T14:00:00Z", "2026-01-10T15:00:00Z");
        let document = files(&[("a", old.clone()), ("b", new)]);
        assert_eq!(document["events"].as_array().unwrap().len(), 2);
        assert_eq!(document["intervals"].as_array().unwrap().len(), 2);
        let nameless = Event { uid: Uid::default(), ..old };
        let document = files(&[("a", nameless.clone()), ("b", nameless)]);
        assert_eq!(document["events"].as_array().unwrap().len(), 2);
        assert_eq!(document["intervals"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_bookiji_wrote_into_a_file_is_told_and_blocks_nothing() {
        for (uid, reason) in [
            ("bookiji-c5c3f956c64f2c4c5c058107@bookiji.app", "own_booking"),
            ("b1@bookiji.com", "own_booking"),
            ("slot-s1@bookiji.app", "own_booking"),
            ("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "busy"),
            ("bookiji-c5c3@bookiji.app", "busy"),
        ] {
            let event = Event {
                uid: Uid(uid.to_owned()),
                ..meeting(0, "2026-01-10T09:00:00Z", "2026-01-10T10:00:00Z")
            };
            let document = files(&[("a", event)]);
            assert_eq!(document["events"][0]["reason"], reason, "{uid}");
            let blocked = document["intervals"].as_array().unwrap().len();
            assert_eq!(blocked, usize::from(reason == "busy"), "{uid}");
        }
    }
}
