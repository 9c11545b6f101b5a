//! Engines that are wrong on purpose. Each differs from the real one by one rule that is broken between it and a port,
//! so that the production code needs no switch for it; the simulation must notice every one.

mod account;
mod mirror;
mod platform;

use sync::policy::{Deletions, Policy};
use sync::ports::{Account, Mirror, Platform};

use self::account::MutantAccount;
use self::mirror::MutantMirror;
use self::platform::MutantPlatform;
use super::liar::Liar;
use super::watched::Watched;

#[must_use]
pub fn mirror(inside: Watched, mutant: Option<Mutant>) -> Box<dyn Mirror> {
    match mutant {
        Some(mutant) => Box::new(MutantMirror { inside, mutant }),
        None => Box::new(inside),
    }
}

#[must_use]
pub fn platform(inside: Liar, mutant: Option<Mutant>) -> Box<dyn Platform> {
    match mutant {
        Some(mutant) => Box::new(MutantPlatform { inside, mutant }),
        None => Box::new(inside),
    }
}

#[must_use]
pub fn account(inside: Liar, mutant: Option<Mutant>) -> Box<dyn Account> {
    match mutant {
        Some(mutant) => Box::new(MutantAccount { inside, mutant }),
        None => Box::new(inside),
    }
}

/// One rule, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Updates go out with whatever version stands there.
    SkipsPreconditionOfUpdates,
    SkipsPreconditionOfDeletes,
    /// Half a reading of a calendar counts as all of it.
    TakesHalfACalendarForAll,
    /// Half a reading of the bookings counts as all of them.
    TakesHalfTheBookingsForAll,
    /// A calendar that cannot be read counts as empty.
    TakesUnreadForEmpty,
    /// Bookings that cannot be read count as none.
    TakesUnreadBookingsForNone,
    /// A calendar's cursor is committed before its rows.
    CommitsCursorEarly,
    BookingsCursorEarly,
    IgnoresTombstones,
    /// After a change, what the service echoed is not written down: the echo before it stays.
    KeepsTheOldEcho,
    /// Busy time is sent without writing the intent down first.
    ForgetsIntentToPublish,
    /// A write is sent without writing the intent down first.
    ForgetsIntentToWrite,
    /// After a lost answer nobody looks.
    RetriesWithoutProbe,
    /// A lost answer counts as done.
    BelievesLostReplies,
    BelievesLostPublications,
    /// Every try takes an id of its own.
    InventsIds,
    /// A deleted id is tried again and again.
    KeepsTheGeneration,
    /// A marker alone counts as proof: her copies are taken for ours.
    TrustsMarkers,
    /// Busy time that ended stays.
    NeverReopens,
    /// The journal is never closed.
    NeverSettlesPublications,
    /// Words are written along with times.
    WritesOverHerWords,
    /// A lost cursor empties the mirror's calendar and counts as read.
    TakesALostCursorForNothing,
    /// An event that she moved counts as one that we wrote there.
    TakesHerMovesForOurs,
    /// What she deleted is made anew.
    ForgetsWhatSheDeleted,
    /// Her answer counts for whatever is asked about the same booking now.
    AnswersWhatWasNotAsked,
    /// Every try to carry out an answer has a key of its own.
    AnswersUnderNewKeys,
    /// What she decided is not kept.
    ForgetsAnswers,
    /// However many removals there are, none is held.
    IgnoresTheDeletionBudget,
    /// A run is taken back over what she touched since.
    TakesBackWhatSheTouched,
    /// That another computer writes keeps this one from nothing.
    IgnoresTheLease,
    /// Writes go out without the lease's number.
    WritesWithoutItsNumber,
    /// Where it is left to it to close slots, it closes none.
    LeavesSlotsBookable,
    /// It does not write down which slots it closed.
    ForgetsWhatItClosed,
}

impl Mutant {
    pub const ALL: [Self; 33] = [
        Self::SkipsPreconditionOfUpdates,
        Self::SkipsPreconditionOfDeletes,
        Self::TakesHalfACalendarForAll,
        Self::TakesHalfTheBookingsForAll,
        Self::TakesUnreadForEmpty,
        Self::TakesUnreadBookingsForNone,
        Self::CommitsCursorEarly,
        Self::BookingsCursorEarly,
        Self::IgnoresTombstones,
        Self::KeepsTheOldEcho,
        Self::ForgetsIntentToPublish,
        Self::ForgetsIntentToWrite,
        Self::RetriesWithoutProbe,
        Self::BelievesLostReplies,
        Self::BelievesLostPublications,
        Self::InventsIds,
        Self::KeepsTheGeneration,
        Self::TrustsMarkers,
        Self::NeverReopens,
        Self::NeverSettlesPublications,
        Self::WritesOverHerWords,
        Self::TakesALostCursorForNothing,
        Self::TakesHerMovesForOurs,
        Self::ForgetsWhatSheDeleted,
        Self::AnswersWhatWasNotAsked,
        Self::AnswersUnderNewKeys,
        Self::ForgetsAnswers,
        Self::IgnoresTheDeletionBudget,
        Self::TakesBackWhatSheTouched,
        Self::IgnoresTheLease,
        Self::WritesWithoutItsNumber,
        Self::LeavesSlotsBookable,
        Self::ForgetsWhatItClosed,
    ];

    /// The policy of an engine that is wrong like this.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Policy {
        if self == Self::IgnoresTheDeletionBudget {
            Policy { deletions: Deletions { at_most: u16::MAX, percent: 100 }, ..policy }
        } else {
            policy
        }
    }
}
