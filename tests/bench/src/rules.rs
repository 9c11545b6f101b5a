//! Two hundred rules as people make them, with a start each: new ones that end after two years, so that a side that
//! cannot be asked for a window can take part, or old ones without an end.

use calendar::recurrence::{Budget, Rule, between, civil};
use jiff::ToSpan;
use jiff::civil::{DateTime, date};

use crate::chance::Chance;

/// The zone that all of them are in.
pub const ZONE: &str = "Europe/Bucharest";
pub const FROM: DateTime = DateTime::constant(2026, 1, 1, 0, 0, 0, 0);
pub const TO: DateTime = DateTime::constant(2028, 1, 1, 0, 0, 0, 0);

#[derive(Clone, Copy)]
pub enum Age {
    New,
    Old,
}

pub struct Line {
    pub start: DateTime,
    pub rule: String,
}

pub fn rules(age: Age) -> Vec<Line> {
    let mut chance = Chance::new(11);
    (0..200).map(|_| line(age, &mut chance)).collect()
}

fn line(age: Age, chance: &mut Chance) -> Line {
    let day = i64::try_from(chance.below(28)).unwrap_or(0);
    let hour = i8::try_from(chance.below(13) + 7).unwrap_or(9);
    let start = match age {
        Age::New => date(2026, 1, 1),
        Age::Old => date(1990, 1, 1),
    };
    let start = start.saturating_add(day.days()).at(hour, 0, 0, 0);
    let weekday = |chance: &mut Chance| *chance.one_of(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    let rule = match chance.below(9) {
        0 => "FREQ=DAILY".to_owned(),
        1 => format!("FREQ=DAILY;INTERVAL={}", chance.below(6) + 2),
        2 => "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR".to_owned(),
        3 => format!("FREQ=WEEKLY;BYDAY={}", weekday(chance)),
        4 => format!("FREQ=WEEKLY;INTERVAL=2;BYDAY={}", weekday(chance)),
        5 => format!("FREQ=MONTHLY;BYDAY={}{}", chance.below(4) + 1, weekday(chance)),
        6 => format!("FREQ=MONTHLY;BYMONTHDAY={}", chance.below(28) + 1),
        7 => "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1".to_owned(),
        _ => format!("FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}", chance.below(12) + 1, chance.below(28) + 1),
    };
    let start = first_named(&rule, start);
    let end = match age {
        Age::New => ";UNTIL=20271231T210000Z",
        Age::Old => "",
    };
    Line { start, rule: format!("{rule}{end}") }
}

/// Sides differ on a DTSTART that its rule does not name, so every series begins with a time that it does.
fn first_named(rule: &str, start: DateTime) -> DateTime {
    let from = civil::of_datetime(start);
    let named = Rule::parse(rule)
        .ok()
        .and_then(|rule| between(&rule, from, from, from + 400 * civil::DAY, &mut Budget::new(10_000)).ok());
    named.and_then(|walls| civil::to_datetime(*walls.first()?)).unwrap_or(start)
}
