//! One run of one computer, as the weather meets it: what it has sent so far, and what goes wrong with the next request.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use sync::ids::BookingId;
use sync::lease::Fencing;

use super::dice::Dice;
use super::weather::{Aim, Call, Lie, Weather};
use crate::crash::Moment;

#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    pub weather: Weather,
    /// Requests and writes to the mirror so far.
    pub calls: usize,
    /// Of them, those that change something on a service.
    pub sent: usize,
    pub commits: usize,
    pub dead: bool,
    /// Somebody or something interfered.
    pub disturbed: bool,
    /// Another run is being taken back.
    pub undoing: bool,
    /// Bookings that the platform would not change as she had decided.
    pub refused: BTreeSet<BookingId>,
    /// Events that were removed, and nobody let go.
    pub removed: usize,
    /// Events of ours that stood when it began.
    pub stood: usize,
    /// The booking whose event, or which itself, was last meant to be changed.
    pub last_written: Option<BookingId>,
    /// Of this computer since it was started; it outlives runs, and stands still while the computer sleeps.
    pub steady: SignedDuration,
    /// What it sends next, once it is its turn.
    pub about_to: Option<Call>,
    /// The number that writes go out under.
    pub carried: Option<Fencing>,
}

impl UnderWay {
    pub fn begin(&mut self, weather: Weather, undoing: bool, stood: usize) {
        *self = Self { weather, undoing, stood, steady: self.steady, ..Self::default() };
    }

    /// Whether the process dies at this very call or, without one, commit.
    pub fn strikes(&mut self, call: Option<Call>) -> Option<Moment> {
        self.calls += 1;
        self.commits += usize::from(call.is_none());
        self.sent += usize::from(call.is_some_and(|call| Call::WRITES.contains(&call)));
        let (aim, moment) = self.weather.death?;
        self.is_at(aim, call).then(|| {
            self.dead = true;
            self.disturbed = true;
            moment
        })
    }

    /// How the service lies about this call, if it does.
    pub fn lies(&mut self, call: Call, dice: &mut Dice) -> Option<Lie> {
        if let Some((aim, times, lie)) = self.weather.outage
            && times > 0
            && self.is_at(aim, Some(call))
        {
            self.weather.outage = Some((Aim::At(self.calls), times - 1, lie));
            self.disturbed = true;
            return Some(lie);
        }
        self.lies_within(call, dice)
    }

    /// As [`UnderWay::lies`], about one of several things that one call asks for.
    pub fn lies_within(&mut self, call: Call, dice: &mut Dice) -> Option<Lie> {
        if self.weather.lies > 0 && dice.per_mille(self.weather.lies) {
            self.disturbed = true;
            return Some(dice.one(call.lies()));
        }
        None
    }

    fn is_at(&self, aim: Aim, call: Option<Call>) -> bool {
        match aim {
            Aim::At(from) => self.calls >= from,
            Aim::First(kind) => call == Some(kind),
            Aim::Write(nth) => self.sent >= nth && call.is_some_and(|call| Call::WRITES.contains(&call)),
            Aim::Commit(nth) => self.commits >= nth && call.is_none(),
        }
    }
}
