//! Everything that is true in a story: both services, the clock, the dice, whose every event is, and what each device
//! was told. The engine never sees this; it sees what [`super::liar`] answers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar::interval::{Interval, union};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus};
use sync::busy_set::window;
use sync::decide::{Question, times};
use sync::ids::{
    BookingId, CalendarId, ConnectionId, Cursor, ETag, RemoteCalendarId, RemoteId, Service, SlotId,
};
use sync::lease::Fencing;
use sync::policy::Policy;
use sync::ports::RemoteEvent;
use sync::world::Choice;

use super::dice::Dice;
use super::lease::PlatformLease;
use super::past::Past;
use super::people;
use super::trace::Trace;
use super::underway::UnderWay;
use super::weather::{Call, Emptied, Turn};
use crate::service::State;

/// An event that is hers, with every time it takes: worked out where it is made, not by what is tested.
#[derive(Clone, Debug)]
pub struct Hers {
    pub event: RemoteEvent,
    pub spans: Vec<Interval>,
}

pub type Place = (RemoteCalendarId, RemoteId);

/// What one device was told so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub bookings: BTreeMap<BookingId, Booking>,
    /// Her events of a calendar as of the last reading to the present; absent where nobody can say what the device
    /// made of it.
    pub hers: BTreeMap<RemoteCalendarId, BTreeMap<RemoteId, Vec<Interval>>>,
    pub versions: BTreeSet<ETag>,
    /// Until when, in truth, the other computer writes.
    pub stands_by_until: Option<SignedDuration>,
    /// The greatest number of a lease that a reading told.
    pub fencing: Option<Fencing>,
}

/// What she decided about one question, and what she saw when she did.
#[derive(Clone, Debug)]
pub struct Given {
    pub booking: BookingId,
    /// What of the booking it is about.
    pub topic: String,
    pub choice: Choice,
    pub found: Option<(Timestamp, Timestamp)>,
    /// Refused by the platform, or forgotten: she may be asked the same again.
    pub is_settled: bool,
    pub booked: Option<Booking>,
}

pub struct Stage {
    pub dice: Dice,
    /// What the computers' clocks say.
    pub now: Timestamp,
    /// The furthest that they ever stood.
    pub latest: Timestamp,
    /// How much time has passed in truth. Nobody can set that, and the platform goes by it.
    pub passed: SignedDuration,
    pub trace: Trace,
    pub world: State,
    pub lease: PlatformLease,
    /// Today's platform: it is left to us to close slots under busy time.
    pub leaves_slots: bool,
    /// Slots that she made herself there.
    pub made_by_her: BTreeSet<SlotId>,
    /// The slots that we closed there, and have not opened again.
    pub closed_by_us: BTreeSet<SlotId>,
    /// Those that we ever closed.
    pub once_closed_by_us: BTreeSet<SlotId>,
    /// How many events her calendar service makes in one request.
    pub creates_at_once: usize,
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
    pub past: Past,
    pub broken: Option<String>,
    /// Whose request or write is being served.
    pub device: usize,
    pub runs: [UnderWay; 2],
    /// Two computers run at the same time: at each request the other may come first.
    pub together: bool,
    pub names: usize,
    /// Of answers that the platform has carried out.
    pub keys: BTreeSet<String>,
    /// Her answers, by the device that heard them and the question's id.
    pub given: BTreeMap<(usize, String), Given>,
    /// Answers that ever stood for all questions of a kind, on a device.
    pub stood_for_all: BTreeSet<(usize, Question, Choice)>,
    /// Some device does not remember all that it, or another, wrote, or was shown too little to know: it may ask about what
    /// she never did. Asking is all that it may do.
    pub forgetful: bool,
    pub tally: BTreeMap<Cow<'static, str>, usize>,
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

#[must_use]
pub fn calendar_words(remote: &RemoteCalendarId) -> &'static str {
    if remote.as_str() == "personal" { "her calendar" } else { "the calendar of bookings" }
}

#[must_use]
pub fn from_words(cursor: Option<&Cursor>) -> String {
    cursor.map_or_else(|| "from the start".to_owned(), |cursor| format!("since {cursor}"))
}

impl Stage {
    #[must_use]
    pub fn of(seed: u64, now: Timestamp) -> Self {
        Self {
            dice: Dice::of(seed),
            now,
            latest: now,
            passed: SignedDuration::ZERO,
            trace: Trace::default(),
            world: State::default(),
            lease: PlatformLease::default(),
            leaves_slots: false,
            made_by_her: BTreeSet::new(),
            closed_by_us: BTreeSet::new(),
            once_closed_by_us: BTreeSet::new(),
            creates_at_once: 1,
            booked: BTreeMap::new(),
            ours: BTreeMap::new(),
            hers: BTreeMap::new(),
            reworded: BTreeMap::new(),
            unmarked: BTreeSet::new(),
            files: BTreeMap::new(),
            told: BTreeMap::new(),
            past: Past::default(),
            broken: None,
            device: 0,
            runs: Default::default(),
            together: false,
            names: 0,
            keys: BTreeSet::new(),
            given: BTreeMap::new(),
            stood_for_all: BTreeSet::new(),
            forgetful: false,
            tally: BTreeMap::new(),
        }
    }

    pub fn counts(&mut self, what: impl Into<Cow<'static, str>>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    pub fn say(&mut self, line: impl Into<String>) {
        self.trace.say(line.into());
    }

    /// A line of a run; where two are under way, it says whose.
    pub fn say_within(&mut self, line: String) {
        let line = if self.together {
            format!("    {}: {line}", DEVICES[self.device])
        } else {
            format!("    {line}")
        };
        self.trace.say(line);
    }

    /// What an event is called in a story.
    #[must_use]
    pub fn called(&self, place: &Place) -> String {
        match self.ours.get(place) {
            Some(booking) => format!("the event of {booking}"),
            None => place.1.to_string(),
        }
    }

    /// What a source of busy time is called in a story.
    #[must_use]
    pub fn source_words(&self, source: &CalendarId) -> &'static str {
        let remote =
            self.world.calendars.keys().find(|remote| CalendarId::of(&connection(), remote) == *source);
        remote.map_or("her files", |remote| calendar_words(remote))
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

    /// The run whose request is being served.
    pub fn run(&mut self) -> &mut UnderWay {
        &mut self.runs[self.device]
    }

    #[must_use]
    pub fn is_undoing(&self) -> bool {
        self.runs[self.device].undoing
    }

    pub fn disturb(&mut self) {
        self.run().disturbed = true;
    }

    /// Time goes by, and whoever sleeps does not notice.
    pub fn passes(&mut self, by: SignedDuration, sleeps: Option<usize>) {
        self.passed += by;
        self.set_clock(self.now.saturating_add(by).unwrap_or(self.now));
        for (device, run) in self.runs.iter_mut().enumerate() {
            if sleeps != Some(device) {
                run.steady += by;
            }
        }
    }

    pub fn set_clock(&mut self, now: Timestamp) {
        self.now = now;
        self.latest = self.latest.max(now);
    }

    /// What a run that takes another back leaves of a booking's event stays so, until the booking changes.
    pub fn may_be_put_back(&mut self, booking: &BookingId) {
        if self.is_undoing() {
            let known = self.told().bookings.get(booking).cloned();
            self.past.undone.entry(booking.clone()).or_default().push(known);
        }
    }

    pub fn told(&mut self) -> &mut Told {
        self.told.entry(self.device).or_default()
    }

    /// A call arrives at a service: time for others to act, and for the weather. `about` is the event it is about.
    pub fn arrive(&mut self, call: Call, about: Option<&Place>) -> Turn {
        if self.run().dead {
            return Turn::Dead;
        }
        self.counts(call.counted());
        if let Some(moment) = self.run().strikes(Some(call)) {
            self.counts(format!("death at {call:?}, {moment:?}"));
            return Turn::Dies(moment);
        }
        self.others_act(call, about);
        let lie = self.runs[self.device].lies(call, &mut self.dice);
        match lie {
            Some(lie) => {
                self.counts(lie.counted());
                Turn::Lying(lie)
            }
            None => Turn::Honest,
        }
    }

    fn others_act(&mut self, call: Call, about: Option<&Place>) {
        let edits = self.run().weather.edits;
        // Nothing on the platform keeps a slot from being made over a booking that is made in the same moment.
        let racing = matches!(call, Call::CreateSlots | Call::RemoveSlot);
        if racing || edits == 0 {
            return;
        }
        if let Some(place) = about.filter(|_| self.dice.per_mille(edits * 2)) {
            self.disturb();
            self.counts("edit of what is being written");
            people::touch(self, place);
        } else if self.dice.per_mille(edits) {
            self.disturb();
            self.counts("edit during a run");
            people::somebody(self);
        }
    }

    /// Whether this list is to come back empty in this run.
    pub fn is_emptied(&mut self, list: Emptied) -> bool {
        let emptied = self.run().weather.emptied == Some(list);
        self.run().disturbed |= emptied;
        emptied
    }

    pub fn is_gone(&mut self, remote: &RemoteCalendarId) -> bool {
        let run = self.run();
        let gone = run.weather.gone.as_ref().is_some_and(|(from, gone)| run.calls >= *from && gone == remote);
        if gone {
            self.disturb();
            self.counts("a calendar that is gone");
        }
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

    /// What a list read at the furthest clock still shows: a clock that goes back does not bring older events back, before
    /// the list is read from its start again.
    pub fn shown(&self, spans: impl Iterator<Item = Interval>) -> impl Iterator<Item = Interval> {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let since = window(self.latest, &zone, &Policy::default()).start();
        spans.filter(move |span| span.end() > since)
    }

    /// The times of hers that block: a copy of ours that she lets be booked over does not.
    pub fn blocking<'a>(&'a self, remote: &'a RemoteCalendarId) -> impl Iterator<Item = Interval> {
        let of_it = self.hers.iter().filter(move |(place, _)| place.0 == *remote);
        let blocks = |(place, _): &(&Place, &Hers)| !self.is_unblocked(&place.1);
        of_it.filter(blocks).flat_map(|(_, hers)| hers.spans.iter().copied())
    }

    #[must_use]
    pub fn is_unblocked(&self, event: &RemoteId) -> bool {
        let topic = format!("copy:{event}");
        self.given.values().any(|given| given.choice == Choice::Unblock && given.topic == topic)
    }

    #[must_use]
    pub fn clipped(&self, spans: impl Iterator<Item = Interval>) -> Vec<Interval> {
        clipped(self.window(), spans)
    }

    /// Events of ours that stand where no booking holds the time: they may block too.
    pub fn elsewhere(&self, remote: &RemoteCalendarId) -> impl Iterator<Item = Interval> {
        self.standing().filter(move |(place, _, _)| place.0 == *remote).filter_map(|(_, booking, event)| {
            let booking = self.booked.get(booking)?;
            let (start, end) = times(event)?;
            let off = matches!(booking.status, BookingStatus::Cancelled | BookingStatus::NoShow)
                || (start, end) != (booking.start, booking.end);
            // Put back by taking back a run, it takes its time as an event of hers would.
            Interval::new(start, end).filter(|_| off || self.past.undone.contains_key(&booking.id))
        })
    }

    #[must_use]
    pub fn published(&self, source: &CalendarId) -> Vec<Interval> {
        self.world.busy.get(source).map(|set| set.intervals.clone()).unwrap_or_default()
    }
}

#[must_use]
pub fn clipped(window: Interval, spans: impl Iterator<Item = Interval>) -> Vec<Interval> {
    let clip = |span: Interval| Interval::new(span.start().max(window.start()), span.end().min(window.end()));
    union(spans.filter_map(clip).collect())
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
