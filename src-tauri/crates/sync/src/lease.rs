//! Which of a vendor's computers may write: what the platform's lease says, how long that can be relied on, and when to
//! ask again. Sends nothing itself; [`writer::Writer`] asks.
//!
//! The platform refuses a write that carries an older number than the last it gave out, so there a computer that
//! slept through the end of its lease does no harm. Calendar services know no such number: what keeps two computers
//! from doing harm there is derived ids, etags and probes, with or without a lease. The lease only makes it rare that
//! both write at once.

pub mod writer;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::writer::Writer;
use crate::ids::InstallationId;
use crate::ports::Clock;

/// How long a lease is asked for. When its holder falls asleep, the next computer waits no longer than this, so that
/// with what asking and syncing take it writes within a minute.
pub const TERM: Duration = Duration::from_secs(40);

/// A write is not begun with less than this left.
pub const MARGIN: Duration = Duration::from_secs(5);

/// Nobody is waited for longer than this, whatever the platform says, before it is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The other's lease is over for certain: its computer and ours need not count seconds alike.
const AFTER_THE_END: Duration = Duration::from_millis(500);

/// How soon a question that nobody answered is asked again.
const AGAIN: Duration = Duration::from_secs(10);

/// How long a platform without leases is believed to have none.
const UNOFFERED: Duration = Duration::from_secs(3600);

/// How far two clocks of one computer may drift apart within one lease before something must have happened to it.
const DRIFT: Duration = Duration::from_secs(2);

/// One profile on one computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub id: InstallationId,
    /// What its computer is called. Only shown.
    pub name: String,
}

/// The number of a lease: greater than that of every lease before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fencing(pub u64);

/// What the platform says when it is asked for the lease. Times are told as what is left of them when the platform
/// answered, since its clock and ours need not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    Held {
        fencing: Fencing,
        lives: Duration,
        /// Whether another computer of hers has asked for it lately, too.
        others: bool,
    },
    HeldByOther {
        /// What the other computer is called.
        name: String,
        fencing: Fencing,
        ends_in: Duration,
    },
    /// This platform has no leases: keys and etags are all there is.
    NotOffered,
}

/// Another computer writes, and this one does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingBy {
    /// What the other computer is called.
    pub holder: String,
    pub since: Timestamp,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseRecord {
    /// The greatest number there was when the mirror last knew for certain what the platform holds.
    pub last: Option<Fencing>,
    pub standing_by: Option<StandingBy>,
}

/// A moment by both clocks of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    wall: Timestamp,
    steady: Duration,
}

impl Moment {
    #[must_use]
    pub fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), steady: clock.steady() }
    }

    /// How much time has passed until `now`; nothing if that cannot be said. The steady clock may stand still while
    /// the computer sleeps, and the wall clock may be set: only where both say the same is it believed.
    #[must_use]
    pub fn age(self, now: Self) -> Option<Duration> {
        let steady = now.steady.checked_sub(self.steady)?;
        let wall = now.wall.duration_since(self.wall);
        let apart = (wall - SignedDuration::try_from(steady).ok()?).unsigned_abs();
        (apart <= DRIFT).then(|| steady.max(wall.unsigned_abs()))
    }
}

/// What was last heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    #[default]
    Unknown,
    Held {
        fencing: Fencing,
        /// When the request was sent: the lease may have begun right then.
        asked: Moment,
        lives: Duration,
        others: bool,
    },
    Other {
        name: String,
        heard: Moment,
        ends_in: Duration,
    },
    NotOffered {
        heard: Moment,
    },
}

/// What may be done at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Under this number, if there is one.
    Write(Option<Fencing>),
    Ask,
    StandBy,
}

impl Standing {
    pub(crate) fn heard(lease: Lease, asked: Moment, now: Moment) -> Self {
        match lease {
            Lease::Held { fencing, lives, others } => {
                Self::Held { fencing, asked, lives: lives.min(TERM), others }
            }
            Lease::HeldByOther { name, ends_in, .. } => {
                Self::Other { name, heard: now, ends_in: ends_in.min(LONGEST_WAIT) + AFTER_THE_END }
            }
            Lease::NotOffered => Self::NotOffered { heard: now },
        }
    }

    pub(crate) fn right(&self, now: Moment) -> Right {
        match self {
            Self::Unknown => Right::Ask,
            Self::Held { fencing, asked, lives, .. } => match asked.age(now) {
                Some(age) if age + MARGIN <= *lives => Right::Write(Some(*fencing)),
                Some(_) | None => Right::Ask,
            },
            Self::Other { heard, ends_in, .. } => match heard.age(now) {
                Some(age) if age < *ends_in => Right::StandBy,
                Some(_) | None => Right::Ask,
            },
            Self::NotOffered { heard } => match heard.age(now) {
                Some(age) if age < UNOFFERED => Right::Write(None),
                Some(_) | None => Right::Ask,
            },
        }
    }

    /// As [`Standing::right`], for a run that has all its writes before it: with less than half of it left, a lease is
    /// asked for anew.
    pub(crate) fn right_to_begin(&self, now: Moment) -> Right {
        match self {
            Self::Held { asked, lives, .. } if asked.age(now).is_none_or(|age| age > *lives / 2) => {
                Right::Ask
            }
            Self::Unknown | Self::Held { .. } | Self::Other { .. } | Self::NotOffered { .. } => {
                self.right(now)
            }
        }
    }

    /// How long until somebody should ask although nothing is to be written; nothing while nobody need.
    ///
    /// A computer that nobody contends with lets its lease end, and asks again when it has something to write: it
    /// costs one request for each run that writes. Where two have been seen, the one that writes renews every 20 s
    /// (three requests a minute) and the other asks when the lease it was told of would end (at most three): 6 of the
    /// 30 requests a minute that this address may make, and some 5 kB.
    pub(crate) fn wait(&self, now: Moment) -> Option<Duration> {
        let left = |from: &Moment, whole: Duration| {
            from.age(now).map_or(Duration::ZERO, |age| whole.saturating_sub(age))
        };
        match self {
            Self::Held { asked, lives, others: true, .. } => Some(left(asked, *lives / 2)),
            Self::Other { heard, ends_in, .. } => Some(left(heard, *ends_in)),
            Self::Unknown | Self::Held { others: false, .. } | Self::NotOffered { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clocks at so many seconds.
    fn at(wall: i64, steady: u64) -> Moment {
        Moment {
            wall: Timestamp::from_second(1_800_000_000 + wall).unwrap(),
            steady: Duration::from_secs(steady),
        }
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn time_is_believed_only_where_both_clocks_say_the_same() {
        for (wall, steady, expected) in [
            (30, 30, Some(30)),
            (31, 30, Some(31)),
            // It slept for an hour.
            (3630, 30, None),
            // Its clock was set, either way.
            (-3570, 30, None),
            (30, 3630, None),
        ] {
            assert_eq!(at(0, 100).age(at(wall, 100 + steady)), expected.map(seconds), "{wall} {steady}");
        }
        assert_eq!(at(0, 100).age(at(0, 90)), None, "time does not go back");
    }

    fn held(others: bool) -> Standing {
        let lease = Lease::Held { fencing: Fencing(7), lives: TERM, others };
        Standing::heard(lease, at(0, 0), at(3, 3))
    }

    fn other(ends_in: u64) -> Standing {
        let lease =
            Lease::HeldByOther { name: "desk".to_owned(), fencing: Fencing(7), ends_in: seconds(ends_in) };
        Standing::heard(lease, at(0, 0), at(3, 3))
    }

    #[test]
    fn what_is_heard_counts_for_so_long_and_then_is_asked_again() {
        let mine = Right::Write(Some(Fencing(7)));
        let unoffered = Standing::heard(Lease::NotOffered, at(0, 0), at(0, 0));
        for (standing, second, expected, to_begin) in [
            (Standing::Unknown, 0, Right::Ask, Right::Ask),
            (held(true), 20, mine, mine),
            (held(true), 21, mine, Right::Ask),
            (held(true), 35, mine, Right::Ask),
            (held(true), 36, Right::Ask, Right::Ask),
            (other(30), 33, Right::StandBy, Right::StandBy),
            (other(30), 34, Right::Ask, Right::Ask),
            (other(1_000_000), 200, Right::Ask, Right::Ask),
            (unoffered.clone(), 3599, Right::Write(None), Right::Write(None)),
            (unoffered, 3600, Right::Ask, Right::Ask),
        ] {
            let now = at(second, second.unsigned_abs());
            let found = (standing.right(now), standing.right_to_begin(now));
            assert_eq!(found, (expected, to_begin), "{standing:?} at {second}");
        }
    }

    #[test]
    fn at_its_very_end_the_others_lease_is_over() {
        let standing = Standing::Other { name: "desk".to_owned(), heard: at(0, 0), ends_in: seconds(30) };
        assert_eq!(standing.right(at(29, 29)), Right::StandBy);
        assert_eq!(standing.right(at(30, 30)), Right::Ask);
    }

    #[test]
    fn after_a_sleep_nothing_is_written_before_asking() {
        assert_eq!(held(true).right(at(3605, 5)), Right::Ask);
        assert_eq!(other(30).right(at(3605, 5)), Right::Ask);
    }

    #[test]
    fn a_lease_that_the_platform_calls_long_is_not_believed_to_be_longer_than_was_asked() {
        let lease = Lease::Held { fencing: Fencing(1), lives: seconds(9999), others: true };
        assert_eq!(Standing::heard(lease, at(0, 0), at(0, 0)).right(at(36, 36)), Right::Ask);
    }

    #[test]
    fn a_lone_computer_asks_only_to_write_and_of_two_each_asks_in_its_time() {
        let ms = Duration::from_millis;
        for (standing, second, expected) in [
            (Standing::Unknown, 0, None),
            (held(false), 10, None),
            (held(true), 5, Some(ms(15_000))),
            (held(true), 25, Some(ms(0))),
            (other(30), 13, Some(ms(20_500))),
            (other(30), 40, Some(ms(0))),
        ] {
            assert_eq!(
                standing.wait(at(second, second.unsigned_abs())),
                expected,
                "{standing:?} at {second}"
            );
        }
    }
}
