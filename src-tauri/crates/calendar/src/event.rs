//! What an event is, whoever wrote it: the model that Google's JSON and RFC 5545 text are both read into.
//! Decides nothing; `occurrence` places it in time and `busy` says whether it blocks.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// The UID of RFC 5545 §3.8.4.7: the same for a series and its overrides, and for every copy in every calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uid(pub String);

/// A moment as a calendar writes it (RFC 5545 §3.3.4 and §3.3.5).
///
/// A timed event keeps its wall time and zone, an all-day event its date: neither is an instant until it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// A whole civil day.
    Date(Date),
    /// An instant.
    Utc(Timestamp),
    /// Wall time in a zone.
    Zoned { wall: DateTime, zone: Zone },
    /// Wall time without a zone, read in the vendor's.
    Floating(DateTime),
}

impl When {
    /// The wall time as written: in UTC for an instant, midnight for a whole day.
    #[must_use]
    pub fn wall(&self) -> DateTime {
        match self {
            Self::Date(day) => day.to_datetime(Time::midnight()),
            Self::Utc(at) => TimeZone::UTC.to_datetime(*at),
            Self::Zoned { wall, .. } | Self::Floating(wall) => *wall,
        }
    }

    /// Nothing for a whole day or a floating time, and where nobody knows the zone.
    #[must_use]
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Utc(at) => Some(*at),
            Self::Zoned { wall, zone } => zone.time_zone()?.to_ambiguous_timestamp(*wall).compatible().ok(),
            Self::Date(_) | Self::Floating(_) => None,
        }
    }

    /// As [`When::instant`], with whole days and floating times read in `own`.
    #[must_use]
    pub fn instant_in(&self, own: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Utc(_) | Self::Zoned { .. } => self.instant(),
            Self::Date(_) | Self::Floating(_) => own.to_ambiguous_timestamp(self.wall()).compatible().ok(),
        }
    }
}

/// How an event says when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Exclusive, in both senses: the first instant, or the first day, that is free again.
    At(When),
    /// RFC 5545 §3.3.6. Days are civil days, seconds are exact.
    Lasting { days: i32, seconds: i64 },
    /// One day for an all-day event, no time at all for a timed one (§3.6.1).
    #[default]
    Unstated,
}

/// The rule lines of a series as they were written, to be read when the series is expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recurrence {
    /// RRULE values, without the property name.
    pub rules: Vec<String>,
    /// EXRULE values (RFC 2445).
    pub except_rules: Vec<String>,
    pub dates: Vec<ExtraDate>,
    pub except_dates: Vec<When>,
}

/// One RDATE value; a PERIOD also carries its own end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraDate {
    pub start: When,
    pub end: End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Confirmed,
    Tentative,
    Cancelled,
}

/// TRANSP: whether the event takes up time at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transparency {
    #[default]
    Opaque,
    Transparent,
}

/// Outlook's finer word for transparency (X-MICROSOFT-CDO-BUSYSTATUS, Graph `showAs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownAs {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
    WorkingElsewhere,
}

/// Her own answer to an invitation (PARTSTAT of the attendee who is the calendar's owner).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    NeedsAction,
    Accepted,
    Declined,
    Tentative,
}

/// What sort of entry it is, where the service says (Google `eventType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Ordinary,
    OutOfOffice,
    FocusTime,
    WorkingLocation,
    Birthday,
}

/// One VEVENT or one Google event: a single event, the master of a series, or an override of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub uid: Uid,
    /// What joins a master and its overrides, where that is not the UID: Google's `recurringEventId`, and on the
    /// master its own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// RECURRENCE-ID: the original start of the instance that this event replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<When>,
    /// RANGE=THISANDFUTURE.
    #[serde(default)]
    pub and_future: bool,
    pub start: When,
    #[serde(default)]
    pub end: End,
    #[serde(default)]
    pub recurrence: Recurrence,
    /// More was said about when it occurs than could be kept: from its start on, it may be at any time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub location: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub transparency: Transparency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_as: Option<ShownAs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    #[serde(default)]
    pub kind: Kind,
    /// X-APPLE-TRAVEL-DURATION, in seconds before the start.
    #[serde(default)]
    pub travel_seconds: u32,
    #[serde(default)]
    pub sequence: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Timestamp>,
}

impl Event {
    /// A confirmed, opaque, single event with nothing else said.
    #[must_use]
    pub fn new(uid: Uid, start: When, end: End) -> Self {
        Self {
            uid,
            series: None,
            instance: None,
            and_future: false,
            start,
            end,
            recurrence: Recurrence::default(),
            incomplete: false,
            summary: String::new(),
            description: String::new(),
            location: String::new(),
            status: Status::default(),
            transparency: Transparency::default(),
            shown_as: None,
            answer: None,
            kind: Kind::default(),
            travel_seconds: 0,
            sequence: 0,
            stamp: None,
        }
    }

    /// The key that a master and its overrides share within one calendar.
    #[must_use]
    pub fn series_key(&self) -> &str {
        self.series.as_deref().unwrap_or(&self.uid.0)
    }

    #[must_use]
    pub fn repeats(&self) -> bool {
        !self.recurrence.rules.is_empty() || !self.recurrence.dates.is_empty()
    }

    #[must_use]
    pub fn is_all_day(&self) -> bool {
        matches!(self.start, When::Date(_))
    }
}
