//! The open slots of one vendor in order of time, and the database's rule that no two of them overlap.
//!
//! Because of that rule, only the neighbours of a time can overlap it.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::Timestamp;

use super::platform::Slot;

/// By start: the end and whose it is.
#[derive(Clone, Debug, Default)]
pub struct Openings(BTreeMap<Timestamp, (Timestamp, String)>);

/// The open slot that lies over a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Overlap {
    /// PostgreSQL's code of a refusal by an exclusion constraint.
    pub const CODE: &'static str = "23P01";
    pub const MESSAGE: &'static str =
        "conflicting key value violates exclusion constraint \"availability_slots_no_overlap\"";
}

impl Openings {
    /// Of those slots that are open.
    #[must_use]
    pub fn of<'a>(slots: impl IntoIterator<Item = &'a Slot>) -> Self {
        let mut openings = Self::default();
        slots.into_iter().filter(|slot| slot.is_available).for_each(|slot| openings.add(slot));
        openings
    }

    pub fn add(&mut self, slot: &Slot) {
        if slot.start < slot.end {
            self.0.insert(slot.start, (slot.end, slot.id.clone()));
        }
    }

    pub fn remove(&mut self, slot: &Slot) {
        if self.0.get(&slot.start).is_some_and(|(_, id)| *id == slot.id) {
            self.0.remove(&slot.start);
        }
    }

    /// Touching is not overlapping.
    #[must_use]
    pub fn overlapping(&self, span: &Interval) -> Option<Overlap> {
        let (start, (end, _)) = self.0.range(..span.end()).next_back()?;
        (*end > span.start()).then_some(Overlap { start: *start, end: *end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn slot(start: i64, end: i64) -> Slot {
        Slot::open(format!("{start}"), at(start), at(end), at(0))
    }

    #[test]
    fn an_open_slot_lies_over_what_it_shares_time_with() {
        let mut closed = slot(40, 50);
        closed.is_available = false;
        let mut openings = Openings::of([&slot(10, 20), &slot(20, 30), &closed]);
        let check = |openings: &Openings, start: i64, end: i64, expected: Option<(i64, i64)>| {
            let found = openings.overlapping(&Interval::new(at(start), at(end)).unwrap());
            let expected = expected.map(|(start, end)| Overlap { start: at(start), end: at(end) });
            assert_eq!(found, expected, "{start}-{end}");
        };
        check(&openings, 0, 10, None);
        check(&openings, 30, 60, None);
        check(&openings, 12, 13, Some((10, 20)));
        check(&openings, 0, 100, Some((20, 30)));
        check(&openings, 29, 31, Some((20, 30)));
        openings.remove(&slot(20, 30));
        check(&openings, 20, 31, None);
    }
}
