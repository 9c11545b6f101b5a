//! Half-open stretches of time, the only kind there is, and the one `overlaps`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `start <= t < end`. Never empty and never reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// Nothing when `end` is not after `start`: no time is taken up.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Touching is not overlapping.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Both as one, where nothing lies between them.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Option<Self> {
        (self.start <= other.end && other.start <= self.end)
            .then(|| Self { start: self.start.min(other.start), end: self.end.max(other.end) })
    }
}

/// The union as the fewest intervals, sorted. Touching intervals become one, as the platform merges them.
#[must_use]
pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => merged.push(next),
        }
    }
    merged
}

/// What of `intervals` lies outside all of `holes`, as the fewest intervals, sorted.
#[must_use]
pub fn without(intervals: Vec<Interval>, holes: &[Interval]) -> Vec<Interval> {
    let holes = union(holes.to_vec());
    let mut left = Vec::with_capacity(intervals.len());
    for interval in union(intervals) {
        let mut start = interval.start;
        for hole in holes.iter().filter(|hole| hole.overlaps(&interval)) {
            left.extend(Interval::new(start, hole.start));
            start = start.max(hole.end);
        }
        left.extend(Interval::new(start, interval.end));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: i64, end: i64) -> Interval {
        Interval::new(Timestamp::from_second(start).unwrap(), Timestamp::from_second(end).unwrap()).unwrap()
    }

    #[test]
    fn touching_intervals_do_not_overlap_but_unite() {
        assert!(!at(0, 10).overlaps(&at(10, 20)));
        assert_eq!(union(vec![at(10, 20), at(0, 10)]), vec![at(0, 20)]);
    }

    #[test]
    fn a_reversed_or_empty_stretch_is_no_interval() {
        assert_eq!(Interval::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn an_interval_inside_another_vanishes_in_the_union() {
        assert_eq!(union(vec![at(0, 100), at(20, 30), at(101, 102)]), vec![at(0, 100), at(101, 102)]);
    }

    #[test]
    fn a_hole_takes_out_its_own_time_and_not_a_moment_more() {
        let (day, night) = (at(0, 100), at(200, 300));
        let check =
            |holes: &[Interval], left: &[Interval]| assert_eq!(without(vec![night, day], holes), left);
        check(&[], &[day, night]);
        check(&[at(40, 60)], &[at(0, 40), at(60, 100), night]);
        check(&[at(50, 60), at(40, 55)], &[at(0, 40), at(60, 100), night]);
        check(&[at(0, 10), at(90, 210)], &[at(10, 90), at(210, 300)]);
        check(&[at(100, 200), at(300, 400)], &[day, night]);
        check(&[at(-10, 400)], &[]);
    }
}
