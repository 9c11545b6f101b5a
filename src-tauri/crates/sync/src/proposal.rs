//! Another time that the vendor asks a customer for, as the platform tells it with the booking: whether she may ask, and
//! what became of it. While it waits, both times are held; whoever accepts moves the booking, and whatever else changes
//! the booking's time ends it.

use calendar::interval::Interval;
use serde::{Deserialize, Serialize};

use crate::ids::ProposalId;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Proposal {
    /// The platform takes none, for this booking or at all.
    #[default]
    NotOffered,
    /// She may propose another time, and has not.
    Possible,
    /// The customer has not answered yet.
    Waiting { id: ProposalId, to: Interval },
    /// It came to nothing. Told until the booking's time changes or she proposes anew, so that what she decided before it
    /// does not count again.
    Over { id: ProposalId, to: Interval, how: Ending },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The customer cannot come then.
    Declined,
    /// The customer did not answer in time.
    Lapsed,
    /// She took it back.
    Withdrawn,
}

impl Ending {
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "declined" => Some(Self::Declined),
            "lapsed" => Some(Self::Lapsed),
            "withdrawn" => Some(Self::Withdrawn),
            _ => None,
        }
    }
}

impl Proposal {
    /// The one that waits for the customer, and where it would move the booking.
    #[must_use]
    pub fn waiting(&self) -> Option<(&ProposalId, Interval)> {
        if let Self::Waiting { id, to } = self { Some((id, *to)) } else { None }
    }

    /// The time that was asked for last, whatever became of it.
    #[must_use]
    pub fn asked(&self) -> Option<Interval> {
        match self {
            Self::Waiting { to, .. } | Self::Over { to, .. } => Some(*to),
            Self::NotOffered | Self::Possible => None,
        }
    }

    /// Whether asking for this time is of use: nobody is asked twice for a time that they cannot come at.
    #[must_use]
    pub fn may_be(&self, to: Interval) -> bool {
        match self {
            Self::NotOffered => false,
            Self::Possible | Self::Over { how: Ending::Withdrawn, .. } => true,
            Self::Waiting { to: asked, .. } | Self::Over { to: asked, .. } => *asked != to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64) -> Interval {
        let at = |hour: i64| jiff::Timestamp::from_second(hour * 3600).unwrap();
        Interval::new(at(from), at(from + 1)).unwrap()
    }

    #[test]
    fn an_ending_is_known_by_the_word_it_is_kept_under_and_by_no_other() {
        for ending in [Ending::Declined, Ending::Lapsed, Ending::Withdrawn] {
            let word = serde_json::to_value(ending).unwrap();
            assert_eq!(Ending::parse(word.as_str().unwrap()), Some(ending));
        }
        assert_eq!(Ending::parse("accepted"), None);
    }

    #[test]
    fn nobody_is_asked_twice_for_the_same_time_and_nobody_where_the_platform_cannot() {
        let over = |how| Proposal::Over { id: "p".into(), to: span(1), how };
        for (proposal, same, another) in [
            (Proposal::NotOffered, false, false),
            (Proposal::Possible, true, true),
            (Proposal::Waiting { id: "p".into(), to: span(1) }, false, true),
            (over(Ending::Declined), false, true),
            (over(Ending::Lapsed), false, true),
            (over(Ending::Withdrawn), true, true),
        ] {
            assert_eq!((proposal.may_be(span(1)), proposal.may_be(span(2))), (same, another), "{proposal:?}");
        }
    }
}
