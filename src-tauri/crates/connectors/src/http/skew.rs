//! How far this computer's clock is from those of the services, by the `Date` of their answers. Robust against one that
//! lies; decides nothing about what to do then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AGE, DATE, HeaderMap};

use super::counters::Peer;
use super::retry_after::http_date;

/// `Date` has whole seconds, and may have been written at the beginning of an answer.
const GRAIN: SignedDuration = SignedDuration::from_secs(1);
/// A server that is further away than this says nothing about our clock.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366 * 100);

/// The last word of every service. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Skew(Arc<Mutex<BTreeMap<Peer, SignedDuration>>>);

impl Skew {
    /// What must be added to this computer's time to get that of the services: nothing before the first answer.
    ///
    /// The middle one of all; of two, the one that corrects less. One server that lies moves nothing then.
    #[must_use]
    pub fn estimate(&self) -> Option<SignedDuration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut offsets: Vec<SignedDuration> = known.values().copied().collect();
        offsets.sort_unstable();
        let upper = offsets.get(offsets.len() / 2)?;
        let lower = offsets.get((offsets.len() - 1) / 2)?;
        Some(if lower.abs() <= upper.abs() { *lower } else { *upper })
    }

    /// Believes a difference as if a service had told it.
    #[cfg(any(test, feature = "testing"))]
    pub fn assume(&self, off: SignedDuration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Peer::Bookiji, off);
    }

    /// Takes in the time that an answer tells, for a request that was under way between the two moments. An answer out of
    /// a cache tells an older one.
    pub(super) fn hear(&self, peer: Peer, headers: &HeaderMap, sent: Timestamp, received: Timestamp) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        if peer == Peer::Feeds || text(AGE).is_some_and(|age| age != "0") {
            return;
        }
        let Some(told) = text(DATE).and_then(http_date) else { return };
        if let Some(offset) = offset(told, sent, received) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, offset);
        }
    }
}

fn offset(told: Timestamp, sent: Timestamp, received: Timestamp) -> Option<SignedDuration> {
    // The clock was set while the request was under way.
    if received < sent {
        return None;
    }
    let (early, late) = (told.duration_since(sent), told.duration_since(received));
    let offset = if early < -GRAIN {
        early
    } else if late > GRAIN {
        late
    } else {
        SignedDuration::ZERO
    };
    (offset.abs() <= FURTHEST).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn heard(offsets: &[(Peer, i64)]) -> Skew {
        let skew = Skew::default();
        for (peer, offset) in offsets {
            let told = at(*offset).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let headers = [(DATE, told.parse().unwrap())].into_iter().collect();
            skew.hear(*peer, &headers, at(0), at(1));
        }
        skew
    }

    #[test]
    fn a_time_within_the_request_is_no_difference_and_one_outside_is_measured_to_its_nearer_end() {
        for (told, expected) in [(0, 0), (1, 0), (-1, 0), (2, 0), (3, 2), (-2, -2), (600, 599), (-600, -600)]
        {
            let skew = heard(&[(Peer::Google, told)]).estimate();
            assert_eq!(skew, Some(SignedDuration::from_secs(expected)), "{told}");
        }
        assert_eq!(Skew::default().estimate(), None);
    }

    #[test]
    fn one_server_that_lies_moves_nothing() {
        use Peer::{Bookiji, BookijiAuth, Google};
        let seconds = |offsets: &[(Peer, i64)]| heard(offsets).estimate().unwrap().as_secs();
        assert_eq!(seconds(&[(Google, 999_999), (Bookiji, 0)]), 0);
        assert_eq!(seconds(&[(Google, -999_999), (Bookiji, 0), (BookijiAuth, 1)]), 0);
        assert_eq!(seconds(&[(Google, 4001), (Bookiji, 4001), (BookijiAuth, -999_999)]), 4000);
        assert_eq!(seconds(&[(Google, 0), (Google, 4001)]), 4000, "the last word of each");
    }

    #[test]
    fn what_is_no_time_or_comes_out_of_a_cache_is_not_heard() {
        let skew = Skew::default();
        let date = || "Sun, 22 Nov 2026 10:00:00 GMT".parse().unwrap();
        for headers in [
            HeaderMap::new(),
            [(DATE, "yesterday".parse().unwrap())].into_iter().collect(),
            [(DATE, "Sun, 22 Nov 9999 10:00:00 GMT".parse().unwrap())].into_iter().collect(),
            [(DATE, date()), (AGE, "3600".parse().unwrap())].into_iter().collect(),
        ] {
            skew.hear(Peer::Google, &headers, at(0), at(1));
            assert_eq!(skew.estimate(), None, "{headers:?}");
        }
        let headers = [(DATE, date())].into_iter().collect();
        skew.hear(Peer::Feeds, &headers, at(0), at(1));
        assert_eq!(skew.estimate(), None, "anybody may publish a calendar");
        skew.hear(Peer::Google, &headers, at(1), at(0));
        assert_eq!(skew.estimate(), None, "the clock was set meanwhile");
    }
}
