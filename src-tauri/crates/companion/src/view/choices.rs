//! What each calendar is for and how its events count, for her to choose; with her own next all-day events, and what
//! each answer would make of them. Places events through `calendar::busy`, never by itself.

use std::collections::BTreeSet;

use calendar::busy::{AllDayRule, BusyRules, Occurrence, Reason, place};
use calendar::event::Event;
use calendar::hours::{Hours, Stretch};
use calendar::interval::Interval;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sync::busy_set::vendor_zone;
use sync::ids::Service;
use sync::world::{LinkedCalendar, Role, World};

use super::role_order;

/// How far ahead examples are looked for, and how many are shown.
const MONTHS_AHEAD: i64 = 12;
const EXAMPLES: usize = 10;

/// What she may choose, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ChoicesView {
    /// By account; those that are used first, then by name.
    pub calendars: Vec<ChoiceView>,
    /// Nothing where her calendars differ.
    pub all_day: Option<AllDay>,
    pub tentative_blocks: Option<bool>,
    /// Her next all-day events, soonest first.
    pub examples: Vec<ExampleView>,
    /// When she works on each weekday, from Monday on; nothing where Bookiji does not say so.
    pub hours: Option<Vec<Vec<StretchView>>>,
}

/// A stretch of a day, by the clocks of where she is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct StretchView {
    /// Minutes after midnight.
    pub from: u16,
    pub until: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ChoiceView {
    pub id: String,
    pub connection: String,
    pub service: Service,
    pub account: String,
    /// No account is behind it: its events came in files.
    pub files: bool,
    pub name: String,
    pub role: Role,
    /// Bookings could go there.
    pub writable: bool,
    pub buffer_before_minutes: u16,
    pub buffer_after_minutes: u16,
}

/// Which all-day events block time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum AllDay {
    Never,
    /// Those that are shown as busy.
    IfBusy,
    Always,
}

impl From<AllDayRule> for AllDay {
    fn from(rule: AllDayRule) -> Self {
        match rule {
            AllDayRule::Ignore => Self::Never,
            AllDayRule::BlockIfBusy => Self::IfBusy,
            AllDayRule::AlwaysBlock => Self::Always,
        }
    }
}

impl From<AllDay> for AllDayRule {
    fn from(chosen: AllDay) -> Self {
        match chosen {
            AllDay::Never => Self::Ignore,
            AllDay::IfBusy => Self::BlockIfBusy,
            AllDay::Always => Self::AlwaysBlock,
        }
    }
}

/// One of her all-day events, and whether it blocks under each answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ExampleView {
    /// For her eyes, on this computer.
    pub title: String,
    pub calendar: String,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    /// The first moment after it.
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
    pub shown: ShownAs,
    pub never: bool,
    pub if_busy: bool,
    pub always: bool,
}

/// What her calendar says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum ShownAs {
    Busy,
    Free,
    Tentative,
    Away,
    Elsewhere,
    Birthday,
    Declined,
}

/// Puts together what she may choose at `now`.
#[must_use]
pub fn choices(world: &World, now: Timestamp) -> ChoicesView {
    let mut linked: Vec<&LinkedCalendar> = world.calendars.values().collect();
    linked.sort_by_key(|calendar| {
        (calendar.connection.clone(), role_order(calendar.role), calendar.name.to_lowercase())
    });
    let used: Vec<&LinkedCalendar> =
        linked.iter().copied().filter(|calendar| calendar.role != Role::Off).collect();
    // Those that are left alone follow the others once they are used.
    let all_of = |calendars: &[&LinkedCalendar]| {
        let rules: BTreeSet<(bool, u8)> = calendars
            .iter()
            .map(|calendar| (calendar.rules.tentative_blocks, calendar.rules.all_day as u8))
            .collect();
        let first = calendars.first().map(|calendar| calendar.rules).unwrap_or_default();
        let same_tentative = rules.iter().all(|rule| rule.0 == first.tentative_blocks);
        let same_all_day = rules.iter().all(|rule| rule.1 == first.all_day as u8);
        (same_all_day.then_some(first.all_day.into()), same_tentative.then_some(first.tentative_blocks))
    };
    let (all_day, tentative_blocks) = all_of(if used.is_empty() { &linked } else { &used });
    let zone = vendor_zone(world.vendor.as_ref());
    let mut examples: Vec<ExampleView> =
        used.iter().flat_map(|calendar| examples(world, calendar, now, &zone)).collect();
    examples.sort_by(|a, b| (a.start, &a.title, &a.calendar).cmp(&(b.start, &b.title, &b.calendar)));
    examples.truncate(EXAMPLES);
    ChoicesView {
        calendars: linked.into_iter().filter_map(|calendar| choice(world, calendar)).collect(),
        all_day,
        tentative_blocks,
        examples,
        hours: world.hours.as_ref().map(week),
    }
}

fn week(hours: &Hours) -> Vec<Vec<StretchView>> {
    let stretch = |one: &Stretch| StretchView { from: one.from, until: one.until };
    hours.days().map(|day| day.iter().map(stretch).collect()).collect()
}

fn choice(world: &World, calendar: &LinkedCalendar) -> Option<ChoiceView> {
    let connection = world.connections.get(&calendar.connection)?;
    Some(ChoiceView {
        id: calendar.id.to_string(),
        connection: connection.id.to_string(),
        service: connection.service,
        account: connection.account.clone(),
        files: connection.id == sync::import::connection_id(),
        name: calendar.name.clone(),
        role: calendar.role,
        writable: calendar.writable,
        buffer_before_minutes: calendar.rules.buffer_before_minutes,
        buffer_after_minutes: calendar.rules.buffer_after_minutes,
    })
}

fn examples(world: &World, calendar: &LinkedCalendar, now: Timestamp, zone: &TimeZone) -> Vec<ExampleView> {
    let Some(events) = world.events.get(&calendar.id) else { return Vec::new() };
    let until = now.to_zoned(zone.clone()).checked_add(MONTHS_AHEAD.months()).ok();
    let Some(window) = until.and_then(|until| Interval::new(now, until.timestamp())) else {
        return Vec::new();
    };
    // A day that was moved to an hour is no all-day event any more, and says so only beside its series.
    let all_day: BTreeSet<&str> = events
        .values()
        .filter(|event| event.event.is_all_day() && event.marker.is_none())
        .map(|event| event.event.series_key())
        .collect();
    let asked: Vec<Event> = events
        .values()
        .filter(|event| all_day.contains(event.event.series_key()))
        .map(|event| event.event.clone())
        .collect();
    let placed = |rule| {
        let rules = BusyRules { all_day: rule, ..calendar.rules };
        place(&asked, &rules, window, zone).occurrences
    };
    let by_rule = [AllDayRule::Ignore, AllDayRule::BlockIfBusy, AllDayRule::AlwaysBlock].map(placed);
    let under = |rule: usize, of: &Occurrence| {
        by_rule[rule].iter().any(|other| {
            other.busy
                && (&other.uid, other.start, other.recurrence_id) == (&of.uid, of.start, of.recurrence_id)
        })
    };
    by_rule[1]
        .iter()
        .filter(|occurrence| occurrence.all_day)
        .filter_map(|occurrence| {
            Some(ExampleView {
                title: occurrence.summary.clone(),
                calendar: calendar.id.to_string(),
                start: occurrence.start,
                end: occurrence.end,
                shown: shown(occurrence.reason)?,
                never: under(0, occurrence),
                if_busy: occurrence.busy,
                always: under(2, occurrence),
            })
        })
        .take(EXAMPLES)
        .collect()
}

/// What an event says of itself, by why it blocks or does not. Nothing where it says nothing that could be an example.
fn shown(reason: Reason) -> Option<ShownAs> {
    match reason {
        Reason::Busy | Reason::AllDayBlocks | Reason::AllDayIgnored | Reason::Withheld => Some(ShownAs::Busy),
        Reason::Free | Reason::AllDayFree => Some(ShownAs::Free),
        Reason::Tentative | Reason::TentativeIgnored => Some(ShownAs::Tentative),
        Reason::OutOfOffice => Some(ShownAs::Away),
        Reason::WorkingLocation => Some(ShownAs::Elsewhere),
        Reason::Birthday => Some(ShownAs::Birthday),
        Reason::Declined => Some(ShownAs::Declined),
        Reason::Cancelled | Reason::NoDuration | Reason::OwnBooking => None,
    }
}
