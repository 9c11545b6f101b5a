//! Her own words on a booking's event. They stay whatever she says, and times go on being written beside them; she may
//! have the booking's words back.

use serde_json::json;

use super::Plan;
use super::card::{About, Card, chosen, digest};
use crate::booking::Draft;
use crate::decide::{Question, Verdict, is_reworded, times};
use crate::ports::RemoteEvent;
use crate::world::{Choice, LinkedCalendar, Mapping, World};

impl Plan {
    /// What becomes of the event, now that its words are hers.
    pub(super) fn ask_about_words(
        &mut self,
        world: &World,
        calendar: &LinkedCalendar,
        mapping: &Mapping,
        draft: &Draft,
        event: &RemoteEvent,
        verdict: Verdict,
    ) -> Verdict {
        if !is_reworded(event, draft) {
            return verdict;
        }
        let said = &event.event;
        let card = Card {
            question: Question::Renamed,
            booking: Some(draft.booking.clone()),
            calendar: calendar.id.clone(),
            about: About::Words,
            booked: Some((draft.start, draft.end)),
            found: times(event),
            // Not the times, nor the version: those go on changing, and it stays the same question.
            state: digest(&json!([
                mapping.generation,
                [&said.summary, &said.description],
                [&draft.title, &draft.description]
            ])),
            choices: vec![Choice::Leave, Choice::PutBack],
        };
        match chosen(world, &card) {
            Some(Choice::PutBack) => Verdict::Update,
            Some(_) => verdict,
            None => {
                self.cards.push(card);
                verdict
            }
        }
    }
}
