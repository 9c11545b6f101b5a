//! Turns an answer of hers into what is to be written or asked of the platform.

use calendar::interval::Interval;

use super::{About, Card, Plan};
use crate::booking::{Draft, event_id};
use crate::decide::{times, words_are_hers};
use crate::ids::RemoteCalendarId;
use crate::ports::RemoteEvent;
use crate::world::{Choice, Mapping, Operation};

impl Plan {
    /// Turns her answer into what is to be done.
    pub(super) fn carry_out(
        &mut self,
        card: &Card,
        choice: Choice,
        remote: &RemoteCalendarId,
        mapping: &Mapping,
        draft: Option<Draft>,
        event: Option<&RemoteEvent>,
    ) {
        let calendar = card.calendar.clone();
        let Some(booking) = card.booking.clone() else { return };
        let interval = |(start, end)| Interval::new(start, end);
        if let (Choice::PutBack, About::Proposal(proposal)) = (choice, &card.about) {
            let (proposal, key) = (proposal.clone(), card.id());
            let withdrawn = Operation::WithdrawProposal {
                calendar: calendar.clone(),
                booking: booking.clone(),
                proposal,
                key,
            };
            self.answers.push(withdrawn);
            // She has put the event back herself.
            if event.and_then(times) != card.found {
                return;
            }
        }
        match (choice, draft, event) {
            (Choice::Move, _, _) => {
                if let Some(to) = card.found.and_then(interval) {
                    self.answers.push(Operation::MoveBooking {
                        calendar,
                        booking,
                        to,
                        key: card.id(),
                        before: card.booked.and_then(interval),
                    });
                }
            }
            (Choice::Propose, _, _) => {
                if let Some(to) = card.found.and_then(interval) {
                    self.answers.push(Operation::ProposeMove { calendar, booking, to, key: card.id() });
                }
            }
            (Choice::Cancel, _, _) => {
                self.answers.push(Operation::CancelBooking { calendar, booking, key: card.id() })
            }
            (Choice::PutBack, Some(draft), Some(event)) => {
                let hers = words_are_hers(event, mapping);
                self.writes.push(Operation::UpdateEvent {
                    calendar,
                    event: event.id.clone(),
                    base: event.etag.clone(),
                    draft: Draft { times_only: hers, ..draft },
                    before: Box::new(event.clone()),
                });
            }
            (Choice::PutBack, Some(draft), None) => {
                // The id of an event that she deleted is burnt.
                let generation = mapping.generation + 1;
                let id = event_id(&draft.booking, remote, generation);
                let draft = Draft { id, generation, ..draft };
                self.writes.push(Operation::CreateEvent { calendar, draft });
            }
            (Choice::Remove, _, Some(event)) => self.writes.push(Operation::RemoveEvent {
                remember: None,
                calendar,
                booking,
                event: event.id.clone(),
                base: event.etag.clone(),
                before: Box::new(event.clone()),
            }),
            (
                Choice::PutBack
                | Choice::Remove
                | Choice::Unblock
                | Choice::Create
                | Choice::Switch
                | Choice::Leave,
                _,
                _,
            ) => {}
        }
    }
}
