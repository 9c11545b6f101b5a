//! What must hold when a decision of hers is carried out: it is hers, for what stands there now, and done once.

use calendar::interval::Interval;
use sync::decide::times;
use sync::error::ServiceError;
use sync::ids::BookingId;
use sync::ports::RemoteEvent;
use sync::world::Choice;

use super::super::stage::{Given, Stage};
use super::super::weather::{Call, Lie};
use super::lie::refusal;

/// The question that an answer with this key was given to.
pub(super) fn card_of(key: &str) -> &str {
    key.split_once('-').map_or(key, |(_, card)| card)
}

/// She decided exactly this, and the platform does it under that decision's key.
pub(super) fn watch_answer(
    stage: &mut Stage,
    booking: &BookingId,
    choice: Choice,
    to: Option<Interval>,
    key: &str,
) {
    let given = stage
        .given
        .get(&(stage.device, key.to_owned()))
        .filter(|given| given.booking == *booking && given.choice == choice);
    let as_seen = given.is_some_and(|given| {
        let found = given.found.and_then(|(start, end)| Interval::new(start, end));
        to.is_none_or(|to| found == Some(to))
    });
    if !as_seen {
        stage.breaks(format!("{booking} is changed ({}), and she never decided that", choice.as_str()));
    }
}

/// Should the booking be as it was afterwards, somebody wanted that: she may be asked again.
pub(super) fn carried_out(stage: &mut Stage, key: &str) {
    if let Some(given) = stage.given.get_mut(&(stage.device, key.to_owned())) {
        given.is_settled = true;
    }
}

/// It cannot be done: she may be asked the same again.
pub(super) fn refuses(stage: &mut Stage, booking: &BookingId, key: &str) -> ServiceError {
    stage.run().refused.insert(booking.clone());
    carried_out(stage, key);
    refusal(Lie::Rejected)
}

/// Whether she decided so about the event as it stands.
pub(super) fn was_told(stage: &Stage, booking: &BookingId, choice: Choice, event: &RemoteEvent) -> bool {
    let said = |given: &&Given| given.booking == *booking && given.choice == choice;
    stage.given.values().filter(said).any(|given| given.found == times(event))
}

/// Whatever goes wrong on the way to a change of a booking may end with her being asked again.
pub(super) fn asks_again(stage: &mut Stage, call: Call) {
    if matches!(
        call,
        Call::MoveBooking
            | Call::ProposeMove
            | Call::WithdrawProposal
            | Call::CancelBooking
            | Call::Slots
            | Call::CreateSlots
            | Call::RemoveSlot
            | Call::Lease
    ) {
        stage.given.values_mut().for_each(|given| given.is_settled = true);
    }
}
