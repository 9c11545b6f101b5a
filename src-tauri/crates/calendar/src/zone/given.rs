//! Turns the STANDARD and DAYLIGHT parts of a VTIMEZONE into rules that a wall time can be read by.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::{GivenZone, Observance, Zone};
use crate::recurrence::civil::{self, DAY};
use crate::recurrence::{Budget, MAX_FOUND, Rule, Until, between};

/// Clock changes are worked out for these years; outside them the nearest holds on.
const FIRST_YEAR: i64 = 1900;
const LAST_YEAR: i64 = 2200;
const STEPS: u64 = 100_000;

impl GivenZone {
    /// A zone that never changes.
    #[must_use]
    pub fn fixed(name: &str, offset: i32) -> Self {
        let start = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let always = Observance {
            start,
            offset_from: offset,
            offset_to: offset,
            rules: Vec::new(),
            dates: Vec::new(),
        };
        Self { name: name.to_owned(), observances: vec![always] }
    }

    /// Whether there is anything to read wall times by.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.time_zone().is_some()
    }

    /// Whether `other` ever shows the same offset. Where it never does, the file means something else by the name.
    #[must_use]
    pub fn agrees_with(&self, other: &Zone) -> bool {
        let Some(zone) = other.time_zone() else { return false };
        (1990..=2037).any(|year| {
            [(1, 1), (7, 1)].iter().any(|(month, day)| {
                let seconds = civil::day_number(year, *month, *day) * DAY;
                let offset = Timestamp::from_second(seconds).map(|instant| zone.to_offset(instant).seconds());
                offset.is_ok_and(|offset| self.observances.iter().any(|part| part.offset_to == offset))
            })
        })
    }

    /// The rules, unless none of the parts can be read.
    #[must_use]
    pub fn time_zone(&self) -> Option<TimeZone> {
        let first = self.observances.iter().min_by_key(|part| part.start)?;
        let mut budget = Budget::new(STEPS);
        let mut changes: Vec<(i64, i32)> = Vec::new();
        for part in &self.observances {
            changes.extend(part.onsets(&mut budget)?.into_iter().map(|onset| (onset, part.offset_to)));
        }
        changes.sort_unstable();
        // Where two parts begin at once, the later one in the file holds.
        changes.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
        if changes.iter().all(|(_, offset)| *offset == first.offset_from) {
            return Offset::from_seconds(first.offset_from).ok().map(TimeZone::fixed);
        }
        TimeZone::tzif(&self.name, &tzif(first.offset_from, &changes)?).ok()
    }
}

impl Observance {
    /// Every instant at which this part takes over. Nothing when its rule cannot be read.
    fn onsets(&self, budget: &mut Budget) -> Option<Vec<i64>> {
        let start = civil::of_datetime(self.start);
        let (from, to) =
            (civil::day_number(FIRST_YEAR, 1, 1) * DAY, civil::day_number(LAST_YEAR, 1, 1) * DAY);
        let mut walls = vec![start];
        walls.extend(self.dates.iter().map(|date| civil::of_datetime(*date)));
        for text in &self.rules {
            let rule = Rule::parse(text).ok()?;
            let offset = i64::from(self.offset_from);
            let last = match rule.until {
                None => to,
                Some(Until::Utc(until)) => until.as_second() + offset,
                Some(Until::Local(until)) => civil::of_datetime(until),
                Some(Until::Date(until)) => civil::of_date(until) * DAY + DAY - 1,
            };
            let found = between(&rule, start, from, to.min(last), budget).ok()?;
            if found.len() > MAX_FOUND {
                return None;
            }
            walls.extend(found);
        }
        Some(walls.into_iter().map(|wall| wall - i64::from(self.offset_from)).collect())
    }
}

/// The same as a compiled zone file, version 2 (RFC 9636), which is what `jiff` reads rules from.
fn tzif(before: i32, changes: &[(i64, i32)]) -> Option<Vec<u8>> {
    let mut offsets = vec![before];
    for (_, offset) in changes {
        if !offsets.contains(offset) {
            offsets.push(*offset);
        }
    }
    let count = |n: usize| u32::try_from(n).ok().map(u32::to_be_bytes);
    let header = |out: &mut Vec<u8>, changes: usize, offsets: usize| -> Option<()> {
        out.extend_from_slice(b"TZif2");
        out.extend_from_slice(&[0; 15 + 12]);
        out.extend_from_slice(&count(changes)?);
        out.extend_from_slice(&count(offsets)?);
        out.extend_from_slice(&count(4)?);
        Some(())
    };
    let kind = |out: &mut Vec<u8>, offset: i32| {
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    };
    let mut out = Vec::new();
    header(&mut out, 0, 1)?;
    kind(&mut out, before);
    out.extend_from_slice(b"LMT\0");
    header(&mut out, changes.len(), offsets.len())?;
    for (instant, _) in changes {
        out.extend_from_slice(&instant.to_be_bytes());
    }
    for (_, offset) in changes {
        out.push(u8::try_from(offsets.iter().position(|known| known == offset)?).ok()?);
    }
    for offset in &offsets {
        kind(&mut out, *offset);
    }
    out.extend_from_slice(b"LMT\0\n\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: &str, from: i32, to: i32, rule: &str) -> Observance {
        Observance {
            start: start.parse().unwrap(),
            offset_from: from * 3_600,
            offset_to: to * 3_600,
            rules: vec![rule.to_owned()],
            dates: Vec::new(),
        }
    }

    #[test]
    fn rules_from_1601_agree_with_the_zone_database_at_every_change() {
        let given = GivenZone {
            name: "Customized Time Zone".to_owned(),
            observances: vec![
                part("1601-10-28T03:00", 2, 1, "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
                part("1601-03-25T02:00", 1, 2, "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
            ],
        };
        let (given, berlin) = (given.time_zone().unwrap(), TimeZone::get("Europe/Berlin").unwrap());
        let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        for change in
            berlin.following(from).take_while(|change| change.timestamp().as_second() < 2_080_000_000)
        {
            for seconds in [-3_601, -3_600, -1, 0, 1, 3_599, 3_600] {
                let at = Timestamp::from_second(change.timestamp().as_second() + seconds).unwrap();
                assert_eq!(given.to_offset(at), berlin.to_offset(at), "{at}");
            }
        }
    }

    #[test]
    fn parts_without_a_readable_rule_or_without_any_part_are_no_zone() {
        let bad = GivenZone {
            name: "x".to_owned(),
            observances: vec![part("1970-01-01T00:00", 0, 1, "FREQ=NEVER")],
        };
        assert_eq!(bad.time_zone(), None);
        assert_eq!(GivenZone { name: "x".to_owned(), observances: vec![] }.time_zone(), None);
    }
}
