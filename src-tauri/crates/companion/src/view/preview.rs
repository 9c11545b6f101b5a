//! What the first sync would do, before she lets it: counted from the report of a dry run, which is the very plan.

use jiff::Timestamp;
use serde::Serialize;
use sync::report::Report;
use sync::world::{Role, World};

use super::{Problem, count};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct PreviewView {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub at: Timestamp,
    /// Stretches of her busy time that Bookiji would close.
    pub busy_times: u32,
    /// Calendars that they come from.
    pub calendars: u32,
    /// Events that would be made, changed and removed, all of them ours.
    pub created: u32,
    pub updated: u32,
    pub removed: u32,
    /// Questions that she would be asked.
    pub decisions: u32,
    /// The calendar that bookings would go to; nothing if it would be made.
    pub into: Option<String>,
    /// What could not be read, so that the preview does not show it.
    pub problem: Option<Problem>,
}

impl PreviewView {
    #[must_use]
    pub fn of(report: &Report, world: &World, at: Timestamp) -> Self {
        let told = report.busy.sources.iter().filter(|source| source.published);
        let intervals = |source: &sync::report::SourceReport| source.intervals.unwrap_or_default();
        let target = world.calendars.values().find(|calendar| calendar.role == Role::Target);
        Self {
            at,
            busy_times: count(told.clone().map(intervals).sum()),
            calendars: count(told.filter(|source| intervals(source) > 0).count()),
            created: count(report.bookings.created),
            updated: count(report.bookings.updated),
            removed: count(report.bookings.removed),
            decisions: count(report.decisions.len()),
            into: target.map(|calendar| calendar.name.clone()),
            problem: report.errors.first().map(|error| Problem::from(&error.problem())),
        }
    }
}
