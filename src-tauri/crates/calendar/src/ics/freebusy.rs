//! One VFREEBUSY (RFC 5545 §3.6.4): every period becomes an event without words.

use super::lines::Line;
use super::problem::{Excerpt, ProblemKind};
use super::property::Property;
use super::reader::Problems;
use super::value;
use crate::event::{Event, ShownAs, Uid, When};
use crate::series::wall;
use jiff::Timestamp;

/// Periods kept of one VFREEBUSY.
const MAX_PERIODS: usize = 50_000;
const MAX_UID: usize = 1_024;

/// A VFREEBUSY being read.
#[derive(Default)]
pub struct Draft {
    line: usize,
    uid: Uid,
    stamp: Option<Timestamp>,
    periods: Vec<Event>,
    /// There were more.
    incomplete: bool,
}

/// Whether the event is a period of a VFREEBUSY: a stretch of time, and nothing that anybody entered.
#[must_use]
pub fn is_period(event: &Event) -> bool {
    let own = event.series.as_deref().and_then(|series| series.strip_prefix(&event.uid.0));
    own.is_some_and(|own| own.starts_with(PERIOD))
}

/// What follows the UID in a period's series key.
const PERIOD: &str = "#freebusy:";

impl Draft {
    pub fn new(line: usize) -> Self {
        Self { line, ..Self::default() }
    }

    pub fn property(&mut self, line: &Line<'_>, property: &Property<'_>, problems: &mut Problems) {
        match property.name.as_ref() {
            "UID" => self.uid = Uid(property.text(MAX_UID).trim().to_owned()),
            "DTSTAMP" => {
                if let Some(When::Utc(stamp)) = value::when(property) {
                    self.stamp = Some(stamp);
                }
            }
            "FREEBUSY" => {
                let kind =
                    property.parameter("FBTYPE").map_or("BUSY".to_owned(), |kind| kind.to_ascii_uppercase());
                let shown_as = match kind.as_str() {
                    "FREE" => ShownAs::Free,
                    "BUSY-UNAVAILABLE" => ShownAs::OutOfOffice,
                    "BUSY-TENTATIVE" => ShownAs::Tentative,
                    // A kind nobody knows is treated as busy (§3.2.9).
                    _ => ShownAs::Busy,
                };
                for item in property.value().split(',').map(str::trim).filter(|item| !item.is_empty()) {
                    if self.periods.len() >= MAX_PERIODS {
                        self.incomplete = true;
                        break;
                    }
                    match value::period(item, property) {
                        Some(period) => {
                            let mut event = Event::new(Uid::default(), period.start, period.end);
                            event.shown_as = Some(shown_as);
                            self.periods.push(event);
                        }
                        None => {
                            let text = Excerpt::value(item);
                            problems.add(line.number, ProblemKind::UnreadablePeriod { text });
                        }
                    }
                }
                self.incomplete |= line.cut;
                if self.incomplete {
                    problems.add(line.number, ProblemKind::ManyPeriods);
                }
            }
            _ => {}
        }
    }

    pub fn finish(mut self) -> impl Iterator<Item = Event> {
        if self.incomplete
            && let Some(first) = self.periods.iter_mut().min_by_key(|period| wall(&period.start))
        {
            first.incomplete = true;
            first.shown_as = Some(ShownAs::Busy);
        }
        let (line, uid, stamp) = (self.line, self.uid, self.stamp);
        self.periods.into_iter().enumerate().map(move |(index, mut event)| {
            event.uid = uid.clone();
            event.series = Some(format!("{}{PERIOD}{line}.{index}", uid.0));
            event.stamp = stamp;
            event
        })
    }
}
