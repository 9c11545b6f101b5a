//! What the tray shows: its state and its menu, as plain data from one overview. Draws nothing.

mod menu;
mod salon;
mod words;

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::syncing::LONGEST_RUN;
use crate::view::{BookingView, Overview, State};

pub use menu::{Choice, Item, menu, tooltip};
pub use salon::Seat;
pub use words::Speech;

/// An engine that is awake says so twice a minute.
pub const PULSE: Duration = Duration::from_secs(30);

/// How many beats of the pulse may be missing.
const SILENCE: u32 = 4;

/// All that the tray knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayState {
    pub state: State,
    /// Somebody is signed in and something is connected.
    pub started: bool,
    /// Nothing was heard of the engine for too long.
    pub silent: bool,
    pub last_synced: Option<Ago>,
    pub paused: bool,
    pub paused_until: Option<String>,
    pub next_booking: Option<String>,
    pub decisions: u32,
    pub syncing: bool,
    pub sample: bool,
    /// Whose state that is, where several vendors are on this computer and not all is well.
    pub whose: Option<String>,
    /// Whose time is blocked from here, where there are several.
    pub blocks_for: Option<String>,
    pub several: bool,
}

/// How long something is over, as it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ago {
    Now,
    Minutes(i64),
    /// On her clock.
    At(String),
}

impl TrayState {
    /// As it is at `now`, which may be well after the overview was made; `silence` is for how long the engine has said
    /// nothing at all, where one runs.
    #[must_use]
    pub fn of(overview: &Overview, now: Timestamp, silence: Option<Duration>, speech: Speech) -> Self {
        let zone = overview.zone();
        let clock = |at: Timestamp| clock(at, now, &zone, speech);
        let silent = silence.is_some_and(|silence| is_silent(silence, overview.syncing));
        let paused = overview.paused_until.map_or(overview.paused, |until| now < until);
        // Whoever is silent may be wrong about everything else.
        let state = if silent { overview.state.max(State::NeedsYou) } else { overview.state };
        let ago = |at: Timestamp| match now.duration_since(at).as_mins() {
            ..1 => Ago::Now,
            minutes @ 1..60 => Ago::Minutes(minutes),
            60.. => Ago::At(clock(at)),
        };
        Self {
            state,
            started: overview.vendor.is_some() && !overview.connections.is_empty(),
            silent,
            last_synced: overview.last_sync_at.map(ago),
            paused,
            paused_until: overview.paused_until.filter(|until| now < *until).map(clock),
            next_booking: next_booking(overview, now).map(|booking| {
                let what = booking.service.iter().chain(&booking.customer).map(String::as_str);
                [clock(booking.start).as_str()].into_iter().chain(what).collect::<Vec<_>>().join(" · ")
            }),
            decisions: overview.decisions,
            syncing: overview.syncing,
            sample: overview.sample,
            whose: None,
            blocks_for: None,
            several: false,
        }
    }
}

/// Whether an engine that has said nothing for so long is stuck. While it syncs it says nothing, and may take its time.
fn is_silent(silence: Duration, syncing: bool) -> bool {
    silence > if syncing { LONGEST_RUN + PULSE } else { PULSE * SILENCE }
}

fn next_booking(overview: &Overview, now: Timestamp) -> Option<&BookingView> {
    let week = now.checked_add(SignedDuration::from_hours(24 * 7)).unwrap_or(Timestamp::MAX);
    overview.schedule.bookings.iter().find(|booking| booking.start >= now && booking.start < week)
}

/// "14:00" today, "Fri 14:00" within a week, "27 Nov 14:00" otherwise.
fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone, speech: Speech) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let words = words::words(speech.language);
    let time = speech.time(at.hour(), at.minute());
    let days = at.date().since(now.date()).map_or(i32::MAX, |span| span.get_days());
    match days {
        0 => time,
        1..7 => format!("{} {time}", words.weekday(at.weekday())),
        ..0 | 7.. => format!("{} {time}", words.day(at.month(), at.day())),
    }
}

#[cfg(test)]
mod tests {
    use sync::world::World;

    use super::*;
    use crate::view::{self, Activity, Placement, VendorView};
    use crate::words::Language;

    const NOW: &str = "2026-11-26T10:40:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn overview() -> Overview {
        let vendor = VendorView {
            name: "Studio Lumière".into(),
            email: "amelie@example.com".into(),
            time_zone: "Europe/Paris".into(),
        };
        Overview {
            vendor: Some(vendor),
            ..view::overview(&World::default(), &[], at(NOW), &Activity::default())
        }
    }

    fn of(overview: &Overview, now: &str) -> TrayState {
        TrayState::of(overview, at(now), None, Language::English.into())
    }

    #[test]
    fn the_next_booking_is_said_on_her_clock_and_those_that_began_are_not_next() {
        let booking = |start: &str, service: &str| BookingView {
            id: service.into(),
            start: at(start),
            end: at(start),
            service: Some(service.into()),
            customer: Some("Camille Roy".into()),
            pending: false,
            placement: Placement::Synced,
        };
        let mut shown = overview();
        shown.schedule.bookings = vec![
            booking("2026-11-26T10:00:00Z", "Cut"),
            booking("2026-11-26T13:00:00Z", "Colour"),
            booking("2026-11-27T08:30:00Z", "Blow-dry"),
        ];
        let next = |now: &str| of(&shown, now).next_booking;
        assert_eq!(next(NOW).as_deref(), Some("14:00 · Colour · Camille Roy"));
        assert_eq!(next("2026-11-26T13:01:00Z").as_deref(), Some("Fri 09:30 · Blow-dry · Camille Roy"));
        assert_eq!(next("2026-11-28T00:00:00Z"), None);
    }

    #[test]
    fn time_goes_on_between_two_overviews() {
        let mut shown = overview();
        shown.last_sync_at = Some(at("2026-11-26T10:38:00Z"));
        shown.paused = true;
        shown.paused_until = Some(at("2026-11-26T11:00:00Z"));
        let last = |now: &str| of(&shown, now).last_synced.unwrap();
        assert_eq!(last("2026-11-26T10:38:30Z"), Ago::Now);
        assert_eq!(last(NOW), Ago::Minutes(2));
        assert_eq!(last("2026-11-26T11:37:59Z"), Ago::Minutes(59));
        assert_eq!(last("2026-11-26T12:00:00Z"), Ago::At("11:38".into()));
        assert_eq!(last("2026-11-27T12:00:00Z"), Ago::At("26 Nov 11:38".into()));
        assert_eq!(of(&shown, NOW).paused_until.as_deref(), Some("12:00"));
        let over = of(&shown, "2026-11-26T11:00:00Z");
        assert_eq!((over.paused, over.paused_until), (false, None));
    }

    #[test]
    fn an_engine_that_falls_silent_turns_amber_by_itself_and_one_that_syncs_may_take_its_time() {
        let quiet = Overview { state: State::UpToDate, ..overview() };
        let check = |shown: &Overview, minutes: u64, silent: bool, state: State| {
            let silence = Some(Duration::from_secs(minutes * 60));
            let tray = TrayState::of(shown, at(NOW), silence, Language::English.into());
            assert_eq!((tray.silent, tray.state), (silent, state), "{minutes} min");
        };
        check(&quiet, 1, false, State::UpToDate);
        check(&quiet, 3, true, State::NeedsYou);
        check(&Overview { state: State::Error, ..quiet.clone() }, 3, true, State::Error);
        let syncing = Overview { state: State::Syncing, syncing: true, ..quiet };
        check(&syncing, 30, false, State::Syncing);
        check(&syncing, 40, true, State::NeedsYou);
    }
}
