//! Answers that she gave once for all questions of a kind: which kinds may have one, and what it says to the questions
//! that wait now. Pure.

use jiff::Timestamp;

use crate::decide::{Question, stands};
use crate::plan::{About, Card};
use crate::policy::Policy;
use crate::world::{Answer, Choice, Given, World};

/// Why no answer may stand for a kind of question, or nothing if one may.
#[must_use]
pub fn refusal(question: Question) -> Option<&'static str> {
    match question {
        Question::Held => Some(
            "Removals are held when there are unusually many at once, which is how a fault looks: each time is \
             another case.",
        ),
        Question::TargetGone => Some(
            "A calendar that goes missing is no routine: it may have been deleted by mistake, or come back.",
        ),
        Question::Proposed => Some("The customer has been asked, and answers."),
        Question::AccountChanged => {
            Some("Where your appointments go is decided once for each account, never in advance.")
        }
        Question::Moved
        | Question::Resized
        | Question::Deleted
        | Question::MovedBoth
        | Question::MovedCancelled
        | Question::Renamed
        | Question::Duplicated
        | Question::Overlap => None,
    }
}

/// What her standing answers say to these questions. One that offers no such option stays a question.
///
/// Where they would change more bookings or remove more events at once than a run does by itself, each of those is hers
/// to decide, now and later: a calendar that was emptied by a fault must not cancel a month of appointments.
#[must_use]
pub fn answers(world: &World, cards: &[Card], policy: &Policy, now: Timestamp) -> Vec<Answer> {
    let mut given: Vec<Answer> = cards.iter().filter_map(|card| answer(world, card, now)).collect();
    let acts = |answer: &Answer| match answer.choice {
        Choice::Move | Choice::Propose | Choice::Cancel | Choice::Remove => true,
        Choice::PutBack | Choice::Unblock | Choice::Create | Choice::Switch | Choice::Leave => false,
    };
    let standing = world.mappings.values().filter(|mapping| stands(mapping)).count();
    if !policy.deletions.allows(given.iter().filter(|answer| acts(answer)).count(), standing) {
        for answer in given.iter_mut().filter(|answer| acts(answer)) {
            answer.given = Given::TakenBack;
        }
    }
    given
}

fn answer(world: &World, card: &Card, now: Timestamp) -> Option<Answer> {
    let choice = *world.standing.get(&card.question)?;
    let is_decided = world.answers.contains_key(&card.id());
    let may = refusal(card.question).is_none() && card.choices.contains(&choice) && !is_decided;
    may.then(|| Answer { given: Given::Standing, ..card.answered(choice, now) })
}

impl Card {
    /// Her answer to it.
    #[must_use]
    pub fn answered(&self, choice: Choice, at: Timestamp) -> Answer {
        Answer {
            booking: self.booking.clone(),
            calendar: self.calendar.clone(),
            topic: self.topic(),
            card: self.id(),
            choice,
            given: Given::ByHer,
            at,
        }
    }

    /// The accounts that must be asked to act on it.
    #[must_use]
    pub fn concerns(&self, world: &World) -> std::collections::BTreeSet<crate::ids::ConnectionId> {
        let of = |id| world.calendars.get(id).map(|calendar| calendar.connection.clone());
        match &self.about {
            About::Account { connection, .. } => std::iter::once(connection.clone()).collect(),
            About::Overlap(over) => {
                let calendars = over.iter().map(|over| &over.calendar).chain([&self.calendar]);
                calendars.filter_map(of).collect()
            }
            About::Event
            | About::Words
            | About::Proposal(_)
            | About::Copy(_)
            | About::Seconds(_)
            | About::Target { .. } => of(&self.calendar).into_iter().collect(),
        }
    }
}
