//! When the app looks by itself for a newer version: once a day, a while after its start, a different while on every
//! computer, and never during a sync. Pure; it asks nobody and installs nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// After one look, the next.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The first looks of many computers that start in one morning are spread over so long.
const FIRST_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// The start has better things to do.
const FIRST_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// While a sync runs, and it is soon over.
const A_MOMENT: SignedDuration = SignedDuration::from_mins(1);

/// Asking again at least this often notices that the computer slept, and that she changed her mind.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// What there is to know before looking.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub now: Timestamp,
    pub started: Timestamp,
    /// The last look since the start, whatever came of it.
    pub looked: Option<Timestamp>,
    /// She has not switched it off.
    pub wanted: bool,
    pub syncing: bool,
    /// Different on every computer.
    pub lot: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Look,
    /// Ask again then.
    Wait(Duration),
}

#[must_use]
pub fn next(seen: &Seen) -> Next {
    if !seen.wanted {
        return wait(LONGEST_WAIT);
    }
    let due = match seen.looked {
        Some(looked) => looked.checked_add(A_DAY),
        None => seen.started.checked_add(first(seen.lot)),
    };
    let left = due.unwrap_or(Timestamp::MAX).duration_since(seen.now);
    // A clock that was set back would otherwise wait for what it showed before.
    let over = left <= SignedDuration::ZERO || left > A_DAY;
    match (over, seen.syncing) {
        (true, false) => Next::Look,
        (true, true) => wait(A_MOMENT),
        (false, _) => wait(left.min(LONGEST_WAIT)),
    }
}

fn first(lot: u64) -> SignedDuration {
    let spread = lot % FIRST_WITHIN.as_secs().unsigned_abs();
    FIRST_AFTER.saturating_add(SignedDuration::from_secs(i64::try_from(spread).unwrap_or(0)))
}

fn wait(length: SignedDuration) -> Next {
    Next::Wait(length.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn morning() -> Seen {
        let started = at("2026-11-17T08:00:00Z");
        Seen { now: started, started, looked: None, wanted: true, syncing: false, lot: 0 }
    }

    fn waits(seen: &Seen) -> Duration {
        match next(seen) {
            Next::Wait(length) => length,
            Next::Look => panic!("it looks at once: {seen:?}"),
        }
    }

    #[test]
    fn the_first_look_comes_a_while_after_the_start_and_not_everywhere_at_once() {
        assert_eq!(waits(&morning()), Duration::from_secs(120));
        assert_eq!(waits(&Seen { lot: 61, ..morning() }), Duration::from_secs(181));
        assert!(waits(&Seen { lot: u64::MAX, ..morning() }) < Duration::from_secs(32 * 60));
        assert_eq!(next(&Seen { now: at("2026-11-17T08:02:00Z"), ..morning() }), Next::Look);
    }

    #[test]
    fn after_a_look_there_is_none_for_a_day() {
        let looked = Some(at("2026-11-17T08:02:00Z"));
        let after = |now: &str| Seen { now: at(now), looked, ..morning() };
        assert_eq!(waits(&after("2026-11-17T08:02:00Z")), Duration::from_secs(3600));
        assert_eq!(waits(&after("2026-11-18T07:50:00Z")), Duration::from_secs(12 * 60));
        assert_eq!(next(&after("2026-11-18T08:02:00Z")), Next::Look);
        assert_eq!(next(&after("2026-11-25T08:00:00Z")), Next::Look, "it slept for a week");
    }

    #[test]
    fn a_sync_is_not_disturbed() {
        let due = Seen { now: at("2026-11-17T09:00:00Z"), syncing: true, ..morning() };
        assert_eq!(waits(&due), Duration::from_secs(60));
        assert_eq!(next(&Seen { syncing: false, ..due }), Next::Look);
    }

    #[test]
    fn switched_off_it_never_looks_and_notices_when_that_changes() {
        let off = Seen { now: at("2026-12-17T09:00:00Z"), wanted: false, ..morning() };
        assert_eq!(waits(&off), Duration::from_secs(3600));
        assert_eq!(next(&Seen { wanted: true, ..off }), Next::Look);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_it_for_years() {
        let looked = Some(at("2031-01-01T00:00:00Z"));
        assert_eq!(next(&Seen { looked, ..morning() }), Next::Look);
        let before_its_start = Seen { now: at("2021-11-17T08:00:00Z"), ..morning() };
        assert_eq!(next(&before_its_start), Next::Look);
    }
}
