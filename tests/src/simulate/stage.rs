//! Everything that is true in a story: both services, the clock, the dice, whose every event is, and what each device
//! was told. The engine never sees this; it sees what [`super::liar`] answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar::interval::{Interval, union};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sync::booking::{Booking, BookingStatus};
use sync::busy_set::window;
use sync::decide::times;
use sync::ids::{BookingId, CalendarId, ConnectionId, ETag, RemoteCalendarId, RemoteId, Service};
use sync::policy::Policy;
use sync::ports::RemoteEvent;

use super::dice::Dice;
use super::people;
use super::trace::Trace;
use crate::crash::Moment;
use crate::service::State;

/// An event that is hers, with every time it takes: worked out where it is made, not by what is tested.
#[derive(Clone, Debug)]
pub struct Hers {
    pub event: RemoteEvent,
    pub spans: Vec<Interval>,
}

pub type Place = (RemoteCalendarId, RemoteId);

/// How a service lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Done, and the answer is lost.
    ReplyLost,
    /// Not done.
    Unreachable,
    RateLimited,
    /// An error on its side; the write was not done.
    Failing,
    SignInExpired,
    Rejected,
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

/// What is asked of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Calendars,
    CreateCalendar,
    Read,
    Create,
    Update,
    Delete,
    Probe,
    Bookings,
    PutBusy,
    Slots,
    CreateSlots,
    MoveBooking,
    CancelBooking,
    RemoveSlot,
}

impl Call {
    fn lies(self) -> &'static [Lie] {
        use Lie::{
            CursorLost, DropsMarker, Duplicates, Failing, HalfAReading, IgnoresPrecondition, Old,
            RateLimited, Rejected, Reordered, ReplyLost, SignInExpired, Unreachable,
        };
        match self {
            Self::Read | Self::Bookings => &[
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                HalfAReading,
                HalfAReading,
                CursorLost,
                Duplicates,
                Reordered,
                Old,
            ],
            Self::Create => &[
                ReplyLost,
                ReplyLost,
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Rejected,
                DropsMarker,
            ],
            Self::Update | Self::Delete => &[
                ReplyLost,
                ReplyLost,
                Unreachable,
                RateLimited,
                Failing,
                SignInExpired,
                Rejected,
                IgnoresPrecondition,
            ],
            Self::CreateCalendar
            | Self::PutBusy
            | Self::CreateSlots
            | Self::RemoveSlot
            | Self::MoveBooking
            | Self::CancelBooking => {
                &[ReplyLost, ReplyLost, Unreachable, RateLimited, Failing, SignInExpired, Rejected]
            }
            Self::Calendars | Self::Probe | Self::Slots => {
                &[Unreachable, RateLimited, Failing, SignInExpired]
            }
        }
    }
}

/// What goes wrong during one run.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Out of a thousand calls.
    pub lies: u32,
    /// Before how many of a thousand calls somebody does something.
    pub edits: u32,
    /// The process dies at this call to a service or write to the mirror.
    pub death: Option<(usize, Moment)>,
    /// From this call on, so many calls fail alike.
    pub outage: Option<(usize, usize, Lie)>,
    /// From this call on, the calendar is not to be found, and then it is there again.
    pub gone: Option<(usize, RemoteCalendarId)>,
}

/// How one call is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Honest,
    Lying(Lie),
    Dies(Moment),
    Dead,
}

/// What one device was told so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub bookings: BTreeMap<BookingId, Booking>,
    /// Her events of a calendar as of the last reading to the present; absent where nobody can say what the device
    /// made of it.
    pub hers: BTreeMap<RemoteCalendarId, BTreeMap<RemoteId, Vec<Interval>>>,
    pub versions: BTreeSet<ETag>,
}

pub struct Stage {
    pub dice: Dice,
    pub now: Timestamp,
    /// The furthest that the clock ever stood.
    pub latest: Timestamp,
    pub trace: Trace,
    pub world: State,
    /// The bookings as customers left them.
    pub booked: BTreeMap<BookingId, Booking>,
    /// Every event that the app made, live or not.
    pub ours: BTreeMap<Place, BookingId>,
    pub hers: BTreeMap<Place, Hers>,
    /// Her words on events of ours.
    pub reworded: BTreeMap<Place, String>,
    /// Bookings whose event lost its marker: with the mirror gone too, nobody can prove whose it is.
    pub unmarked: BTreeSet<BookingId>,
    /// What files say, per device: taking up time, or offering it.
    pub files: BTreeMap<usize, BTreeMap<u32, Filed>>,
    pub told: BTreeMap<usize, Told>,
    pub broken: Option<String>,
    pub device: usize,
    pub weather: Weather,
    pub calls: usize,
    pub dead: bool,
    /// Somebody or something interfered with the run.
    pub disturbed: bool,
    pub names: usize,
    /// Of answers that the platform has carried out.
    pub keys: BTreeSet<String>,
}

/// One event of her files.
#[derive(Clone, Copy, Debug)]
pub struct Filed {
    pub span: Interval,
    pub busy: bool,
}

pub type Shared = Arc<Mutex<Stage>>;

pub fn on(stage: &Shared) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

pub const ACCOUNT: &str = "amelie@example.com";
pub const ZONE: &str = "America/Toronto";
pub const DEVICES: [&str; 2] = ["laptop", "desktop"];

#[must_use]
pub fn connection() -> ConnectionId {
    ConnectionId::of(Service::Google, ACCOUNT)
}

/// A moment as stories tell it.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    at.strftime("%d %b %H:%M").to_string()
}

impl Stage {
    #[must_use]
    pub fn of(seed: u64, now: Timestamp) -> Self {
        Self {
            dice: Dice::of(seed),
            now,
            latest: now,
            trace: Trace::default(),
            world: State::default(),
            booked: BTreeMap::new(),
            ours: BTreeMap::new(),
            hers: BTreeMap::new(),
            reworded: BTreeMap::new(),
            unmarked: BTreeSet::new(),
            files: BTreeMap::new(),
            told: BTreeMap::new(),
            broken: None,
            device: 0,
            weather: Weather::default(),
            calls: 0,
            dead: false,
            disturbed: false,
            names: 0,
            keys: BTreeSet::new(),
        }
    }

    pub fn say(&mut self, line: impl Into<String>) {
        self.trace.say(line.into());
    }

    /// Remembers the first promise that was broken.
    pub fn breaks(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.say(format!("!! {what}"));
        self.broken.get_or_insert(what);
    }

    pub fn name(&mut self, of: &str) -> String {
        self.names += 1;
        format!("{of}{}", self.names)
    }

    pub fn told(&mut self) -> &mut Told {
        self.told.entry(self.device).or_default()
    }

    /// A call arrives at a service: time for others to act, and for the weather.
    pub fn arrive(&mut self, call: Call) -> Turn {
        if self.dead {
            return Turn::Dead;
        }
        if let Some(moment) = self.strikes() {
            return Turn::Dies(moment);
        }
        let racing = matches!(call, Call::CreateSlots | Call::RemoveSlot);
        if !racing && self.weather.edits > 0 && self.dice.per_mille(self.weather.edits) {
            self.disturbed = true;
            people::somebody(self);
        }
        if let Some((from, times, lie)) = self.weather.outage
            && self.calls >= from
            && times > 0
        {
            self.weather.outage = Some((from, times - 1, lie));
            self.disturbed = true;
            return Turn::Lying(lie);
        }
        if self.weather.lies > 0 && self.dice.per_mille(self.weather.lies) {
            self.disturbed = true;
            let lies = call.lies();
            return Turn::Lying(self.dice.one(lies));
        }
        Turn::Honest
    }

    /// Whether the process dies at this very call or commit.
    pub fn strikes(&mut self) -> Option<Moment> {
        self.calls += 1;
        let (at, moment) = self.weather.death?;
        (self.calls == at).then(|| {
            self.dead = true;
            self.disturbed = true;
            moment
        })
    }

    pub fn is_gone(&mut self, remote: &RemoteCalendarId) -> bool {
        let gone =
            self.weather.gone.as_ref().is_some_and(|(from, gone)| self.calls >= *from && gone == remote);
        self.disturbed |= gone;
        gone
    }

    /// The calendar that bookings go to, once there is one.
    #[must_use]
    pub fn target(&self) -> Option<RemoteCalendarId> {
        let ours = self.world.calendars.iter().find(|(_, c)| c.entry.as_ref().is_some_and(|e| e.ours));
        ours.map(|(id, _)| id.clone())
    }

    #[must_use]
    pub fn event(&self, place: &Place) -> Option<&RemoteEvent> {
        self.world.calendars.get(&place.0)?.events.get(&place.1)?.1.as_ref()
    }

    /// Live events of ours, with the booking each stands for.
    pub fn standing(&self) -> impl Iterator<Item = (&Place, &BookingId, &RemoteEvent)> {
        self.ours.iter().filter_map(|(place, booking)| Some((place, booking, self.event(place)?)))
    }

    #[must_use]
    pub fn standing_for(&self, booking: &BookingId) -> Vec<&RemoteEvent> {
        self.standing().filter(|(_, of, _)| *of == booking).map(|(_, _, event)| event).collect()
    }

    #[must_use]
    pub fn window(&self) -> Interval {
        window(self.now, &TimeZone::get(ZONE).unwrap_or(TimeZone::UTC), &Policy::default())
    }

    #[must_use]
    pub fn clipped(&self, spans: impl Iterator<Item = Interval>) -> Vec<Interval> {
        let window = self.window();
        let clip =
            |span: Interval| Interval::new(span.start().max(window.start()), span.end().min(window.end()));
        union(spans.filter_map(clip).collect())
    }

    /// Events of ours that stand elsewhere than booked: they may block too.
    pub fn elsewhere(&self, remote: &RemoteCalendarId) -> impl Iterator<Item = Interval> {
        self.standing().filter(move |(place, _, _)| place.0 == *remote).filter_map(|(_, booking, event)| {
            let booking = self.booked.get(booking)?;
            let (start, end) = times(event)?;
            let off =
                booking.status != BookingStatus::Cancelled && (start, end) != (booking.start, booking.end);
            Interval::new(start, end).filter(|_| off)
        })
    }

    #[must_use]
    pub fn published(&self, source: &CalendarId) -> Vec<Interval> {
        self.world.busy.get(source).map(|set| set.intervals.clone()).unwrap_or_default()
    }
}

#[must_use]
pub fn covers(outer: &[Interval], inner: &[Interval]) -> bool {
    inner.iter().all(|i| outer.iter().any(|o| o.start() <= i.start() && i.end() <= o.end()))
}

#[must_use]
pub fn spans(of: &[Interval]) -> String {
    let each: Vec<String> = of.iter().map(|i| format!("{}–{}", clock(i.start()), clock(i.end()))).collect();
    format!("[{}]", each.join(", "))
}
