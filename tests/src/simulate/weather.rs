//! What can go wrong in one run, and where: every fault of the sandbox (`POST /_sandbox/faults`) as it looks from behind
//! the ports, which is where the engine lives.
//!
//! | fault | here |
//! |---|---|
//! | `status:NNN` | [`Lie::Failing`] (5xx), [`Lie::Rejected`] (400), [`Lie::Forbidden`] (403), [`Lie::SwitchedOff`] (the platform's 403 and 503), [`Weather::gone`] (404) |
//! | `rate_limited` | [`Lie::RateLimited`] |
//! | `reply_lost` | [`Lie::ReplyLost`]; for a reading it is a failure |
//! | `reset` | [`Lie::Unreachable`] before the request is done, [`Lie::ReplyLost`] after |
//! | `slow` | [`Lie::Slow`]: the clock goes on by minutes. Deadlines belong to the connectors, and end as [`Lie::ReplyLost`] |
//! | `truncated` | [`Lie::HalfAReading`] for a list, [`Lie::Garbled`] for the answer to a write that was done |
//! | `html` | [`Lie::Html`]: not done, and no answer that makes sense |
//! | `cursor_lost` | [`Lie::CursorLost`] |
//! | `token_revoked` | [`Lie::SignInExpired`] |
//! | `short_page` | connectors join pages; one that never comes is [`Lie::HalfAReading`] |
//! | `duplicate_page` | [`Lie::Duplicates`] |
//! | `reordered` | [`Lie::Reordered`] |
//! | `ignores_precondition` | [`Lie::IgnoresPrecondition`] |
//! | `drops_marker` | [`Lie::DropsMarker`] |
//! | `calendar_gone` | [`Weather::gone`] |
//! | `empty_listing` | [`Weather::emptied`]: whole and empty, for bookings and for each calendar |
//!
//! Besides: [`Lie::Old`], a list that was true a moment ago; death at any call and any commit; and people who act while a
//! run is under way.

use std::borrow::Cow;

use sync::decide::Question;
use sync::ids::RemoteCalendarId;
use sync::world::Choice;

use super::dice::Dice;
use crate::crash::Moment;

/// How a service lies: every fault of the sandbox as the engine meets it behind the ports. [`super`] has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Done, and the answer is lost.
    ReplyLost,
    /// Done, and the answer makes no sense.
    Garbled,
    /// Not done, and the answer is a page for people.
    Html,
    /// Not done.
    Unreachable,
    RateLimited,
    /// An error on its side; the write was not done.
    Failing,
    SignInExpired,
    Rejected,
    Forbidden,
    SwitchedOff,
    /// Done, and minutes later.
    Slow,
    HalfAReading,
    CursorLost,
    /// Every item twice.
    Duplicates,
    Reordered,
    /// True a moment ago.
    Old,
    IgnoresPrecondition,
    DropsMarker,
}

impl Lie {
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ReplyLost => "the answer is lost",
            Self::Garbled => "the answer makes no sense",
            Self::Html => "not done; the answer is a page for people",
            Self::Unreachable => "not done; nobody is reached",
            Self::RateLimited => "not done; too many requests",
            Self::Failing => "not done; an error there",
            Self::SignInExpired => "not done; she must sign in again",
            Self::Rejected => "refused as wrong",
            Self::Forbidden => "refused as forbidden",
            Self::SwitchedOff => "refused; switched off",
            Self::Slow => "after minutes",
            Self::HalfAReading => "only half of it",
            Self::CursorLost => "the service forgot the cursor",
            Self::Duplicates => "everything twice",
            Self::Reordered => "in another order",
            Self::Old => "as it was a moment ago",
            Self::IgnoresPrecondition => "whatever version stood there",
            Self::DropsMarker => "without our marker",
        }
    }

    #[must_use]
    pub fn counted(self) -> Cow<'static, str> {
        Cow::Owned(format!("lie {self:?}"))
    }

    pub const ALL: [Self; 18] = [
        Self::ReplyLost,
        Self::Garbled,
        Self::Html,
        Self::Unreachable,
        Self::RateLimited,
        Self::Failing,
        Self::SignInExpired,
        Self::Rejected,
        Self::Forbidden,
        Self::SwitchedOff,
        Self::Slow,
        Self::HalfAReading,
        Self::CursorLost,
        Self::Duplicates,
        Self::Reordered,
        Self::Old,
        Self::IgnoresPrecondition,
        Self::DropsMarker,
    ];
}

/// What is asked of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Calendars,
    CreateCalendar,
    Read,
    Create,
    /// Several creates in one request.
    CreateAll,
    Update,
    Delete,
    Probe,
    Bookings,
    PutBusy,
    Slots,
    CreateSlots,
    MoveBooking,
    ProposeMove,
    WithdrawProposal,
    CancelBooking,
    RemoveSlot,
    /// Only today's platform is asked for it.
    SwitchSlots,
    Lease,
}

impl Call {
    pub const ALL: [Self; 18] = [
        Self::Calendars,
        Self::CreateCalendar,
        Self::Read,
        Self::Create,
        Self::CreateAll,
        Self::Update,
        Self::Delete,
        Self::Probe,
        Self::Bookings,
        Self::PutBusy,
        Self::Slots,
        Self::CreateSlots,
        Self::MoveBooking,
        Self::ProposeMove,
        Self::WithdrawProposal,
        Self::CancelBooking,
        Self::RemoveSlot,
        Self::Lease,
    ];

    /// What acts on an answer of hers.
    #[must_use]
    pub fn of(question: Question, choice: Choice) -> Option<Self> {
        match choice {
            Choice::Move => Some(Self::MoveBooking),
            Choice::Propose => Some(Self::ProposeMove),
            Choice::Cancel => Some(Self::CancelBooking),
            Choice::PutBack if question == Question::Proposed => Some(Self::WithdrawProposal),
            Choice::PutBack => Some(Self::Update),
            Choice::Remove => Some(Self::Delete),
            Choice::Unblock | Choice::Create | Choice::Switch | Choice::Leave => None,
        }
    }

    #[must_use]
    pub fn counted(self) -> Cow<'static, str> {
        Cow::Owned(format!("call {self:?}"))
    }

    /// Whether it is refused once another computer has had its turn.
    #[must_use]
    pub fn is_fenced(self) -> bool {
        matches!(
            self,
            Self::PutBusy
                | Self::MoveBooking
                | Self::ProposeMove
                | Self::WithdrawProposal
                | Self::CancelBooking
        )
    }

    #[must_use]
    pub fn changes_something(self) -> bool {
        matches!(self, Self::CreateCalendar | Self::SwitchSlots) || Self::WRITES.contains(&self)
    }

    /// Those that change something, and where it therefore matters most when a process dies.
    pub const WRITES: [Self; 11] = [
        Self::Create,
        Self::CreateAll,
        Self::Update,
        Self::Delete,
        Self::PutBusy,
        Self::CreateSlots,
        Self::MoveBooking,
        Self::ProposeMove,
        Self::WithdrawProposal,
        Self::CancelBooking,
        Self::RemoveSlot,
    ];

    pub fn lies(self) -> &'static [Lie] {
        use Lie::{
            CursorLost, DropsMarker, Duplicates, Failing, Forbidden, Garbled, HalfAReading, Html,
            IgnoresPrecondition, Old, RateLimited, Rejected, Reordered, ReplyLost, SignInExpired, Slow,
            SwitchedOff, Unreachable,
        };
        match self {
            Self::Read | Self::Bookings => &[
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Forbidden,
                SwitchedOff,
                Html,
                Slow,
                HalfAReading,
                HalfAReading,
                CursorLost,
                Duplicates,
                Reordered,
                Old,
            ],
            Self::Create | Self::CreateAll => &[
                ReplyLost,
                ReplyLost,
                Garbled,
                Html,
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Rejected,
                Forbidden,
                Slow,
                DropsMarker,
            ],
            Self::Update | Self::Delete => &[
                ReplyLost,
                ReplyLost,
                Garbled,
                Html,
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Rejected,
                Forbidden,
                Slow,
                IgnoresPrecondition,
            ],
            Self::CreateCalendar
            | Self::PutBusy
            | Self::CreateSlots
            | Self::RemoveSlot
            | Self::SwitchSlots
            | Self::MoveBooking
            | Self::ProposeMove
            | Self::WithdrawProposal
            | Self::CancelBooking => &[
                ReplyLost,
                ReplyLost,
                Garbled,
                Html,
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Rejected,
                Forbidden,
                SwitchedOff,
                Slow,
            ],
            Self::Calendars | Self::Probe | Self::Slots | Self::Lease => {
                &[Unreachable, RateLimited, Failing, SignInExpired, Forbidden, Html, Slow]
            }
        }
    }
}

/// Which of a run's calls something happens at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The n-th call to a service or write to the mirror.
    At(usize),
    /// The first of its kind.
    First(Call),
    /// The n-th that changes something.
    Write(usize),
    /// The n-th write to the mirror.
    Commit(usize),
}

/// A list that comes back empty, and says that it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptied {
    Bookings,
    Target,
    Personal,
}

/// What goes wrong during one run.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Out of a thousand calls.
    pub lies: u32,
    /// Before how many of a thousand calls somebody does something.
    pub edits: u32,
    /// The process dies there.
    pub death: Option<(Aim, Moment)>,
    /// From there on, so many calls fail alike.
    pub outage: Option<(Aim, usize, Lie)>,
    /// From this call on, the calendar is not to be found, and then it is there again.
    pub gone: Option<(usize, RemoteCalendarId)>,
    pub emptied: Option<Emptied>,
}

impl Weather {
    /// What one run meets. `target` is the calendar that bookings go to, if there is one.
    pub fn drawn(dice: &mut Dice, target: Option<RemoteCalendarId>) -> Self {
        let mut weather = Self::default();
        match dice.below(9) {
            0 | 1 => {}
            2 => weather.lies = 120,
            3 => weather.lies = 350,
            4 => weather.edits = 200,
            5 => weather.death = Some(death(dice, 40)),
            6 | 7 => {
                let lie = dice.one(&[
                    Lie::Unreachable,
                    Lie::ReplyLost,
                    Lie::ReplyLost,
                    Lie::Garbled,
                    Lie::RateLimited,
                    Lie::Failing,
                ]);
                weather.outage = Some((aim(dice, 20), 1 + dice.below(6), lie));
            }
            _ => {
                weather.lies = 150;
                weather.edits = 60;
                weather.death = Some(death(dice, 60));
            }
        }
        if dice.per_mille(50) {
            let lists = [Emptied::Bookings, Emptied::Bookings, Emptied::Target, Emptied::Personal];
            weather.emptied = Some(dice.one(&lists));
        }
        if dice.per_mille(40) {
            let personal = RemoteCalendarId("personal".to_owned());
            let which = target.filter(|_| dice.per_mille(600)).unwrap_or(personal);
            weather.gone = Some((1 + dice.below(20), which));
        }
        weather
    }
}

impl Weather {
    /// What goes wrong, if anything, just where it matters: at this call.
    pub fn at_the_call(dice: &mut Dice, call: Option<Call>) -> Self {
        let nothing_of_it = dice.one(&[Call::RemoveSlot, Call::PutBusy, Call::Create]);
        let at = Aim::First(call.unwrap_or(nothing_of_it));
        match dice.below(3) {
            0 => Self { death: Some((at, dice.one(&[Moment::Before, Moment::After]))), ..Self::default() },
            1 => {
                let lie = dice.one(&[Lie::ReplyLost, Lie::Garbled, Lie::Failing, Lie::Rejected]);
                Self { outage: Some((at, 1 + dice.below(4), lie)), ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

fn aim(dice: &mut Dice, most: usize) -> Aim {
    match dice.below(8) {
        0 | 1 => Aim::First(dice.one(&Call::WRITES)),
        2..=4 => Aim::Write(1 + dice.below(3)),
        5 => Aim::Commit(1 + dice.below(6)),
        _ => Aim::At(1 + dice.below(most)),
    }
}

fn death(dice: &mut Dice, most: usize) -> (Aim, Moment) {
    (aim(dice, most), dice.one(&[Moment::Before, Moment::After]))
}

/// How one call is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Honest,
    Lying(Lie),
    Dies(Moment),
    Dead,
}
