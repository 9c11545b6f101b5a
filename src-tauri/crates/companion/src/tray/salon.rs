//! One tray for several vendors: it shows the worst of their states and says whose that is.

use std::time::Duration;

use jiff::Timestamp;

use super::{Speech, TrayState, next_booking};
use crate::view::{Overview, State};

/// One vendor, as the tray hears of her.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    pub overview: &'a Overview,
    /// For how long her engine has said nothing, where one runs.
    pub silence: Option<Duration>,
}

impl Seat<'_> {
    fn name(&self) -> Option<String> {
        self.overview.vendor.as_ref().map(|vendor| vendor.name.clone())
    }

    /// Somebody has taken it, or wants to and cannot.
    fn counts(&self) -> bool {
        self.overview.vendor.is_some() || self.overview.state > State::Paused
    }
}

impl TrayState {
    /// As [`TrayState::of`], of everybody on this computer: the one whom the window shows, and the others. Where one alone
    /// has a seat, nobody is named.
    #[must_use]
    pub fn of_all(shown: Seat<'_>, others: &[Seat<'_>], now: Timestamp, speech: Speech) -> Self {
        let of = |seat: Seat<'_>| Self::of(seat.overview, now, seat.silence, speech);
        let all = std::iter::once(&shown).chain(others).filter(|seat| seat.counts());
        let seen: Vec<(Seat<'_>, Self)> = all.map(|seat| (*seat, of(*seat))).collect();
        // Among equals the one that waits longest.
        let waits = |seat: &Seat<'_>| std::cmp::Reverse(seat.overview.last_sync_at);
        let worst = seen.iter().max_by_key(|(seat, tray)| (tray.state, waits(seat)));
        let (whose, worst) = match worst {
            Some((_, tray)) if seen.len() == 1 => return tray.clone(),
            Some(worst) => worst,
            None => return of(shown),
        };
        let coming = seen.iter().filter_map(|(seat, tray)| {
            let (booking, said) = (next_booking(seat.overview, now)?, tray.next_booking.as_ref()?);
            Some((booking.start, seat, said))
        });
        let next = coming.min_by_key(|(start, _, _)| *start).map(|(_, seat, said)| {
            let parts = [Some(said.clone()), seat.name()];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
        });
        Self {
            whose: whose.name().filter(|_| worst.state > State::Syncing),
            blocks_for: shown.name(),
            several: true,
            started: seen.iter().any(|(_, tray)| tray.started),
            paused: seen.iter().any(|(_, tray)| tray.paused),
            decisions: seen.iter().map(|(_, tray)| tray.decisions).sum(),
            syncing: seen.iter().all(|(_, tray)| tray.syncing),
            sample: seen.iter().any(|(_, tray)| tray.sample),
            next_booking: next,
            ..worst.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use sync::ids::Service;
    use sync::world::World;

    use super::*;
    use crate::tray::{Item, menu, tooltip};
    use crate::view::{self, Activity, BookingView, ConnectionView, Placement, VendorView};
    use crate::words::Language;

    const NOW: &str = "2026-11-26T10:40:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn account() -> ConnectionView {
        ConnectionView {
            id: "google-1".into(),
            service: Service::Google,
            account: "her@example.com".into(),
            files: false,
            state: State::UpToDate,
            problem: None,
            instead: None,
            last_sync_at: None,
            next_sync_at: None,
            calendars: Vec::new(),
        }
    }

    fn of(name: &str, state: State) -> Overview {
        let vendor = VendorView { name: name.into(), email: String::new(), time_zone: "Europe/Paris".into() };
        let nobody = view::overview(&World::default(), &[], at(NOW), &Activity::default());
        Overview {
            vendor: (!name.is_empty()).then_some(vendor),
            connections: vec![account()],
            last_sync_at: Some(at("2026-11-26T10:38:00Z")),
            state,
            ..nobody
        }
    }

    fn tray(all: &[Overview]) -> TrayState {
        let seats: Vec<Seat<'_>> = all.iter().map(|overview| Seat { overview, silence: None }).collect();
        TrayState::of_all(seats[0], &seats[1..], at(NOW), Language::English.into())
    }

    fn says(all: &[Overview]) -> String {
        tooltip(&tray(all), Language::English)
    }

    #[test]
    fn the_worst_state_shows_and_whose_it_is() {
        let zoe = of("Zoé", State::NeedsYou);
        assert_eq!(says(&[of("Anna", State::UpToDate), zoe.clone()]), "Bookiji · Zoé: Needs you · 2 min ago");
        let anna = of("Anna", State::Offline);
        assert_eq!(says(&[anna.clone(), zoe]), "Bookiji · Zoé: Needs you · 2 min ago");
        assert_eq!(says(&[anna, of("Zoé", State::Syncing)]), "Bookiji · Anna: Can’t be reached · 2 min ago");
    }

    #[test]
    fn where_all_is_well_nobody_is_named_and_the_oldest_sync_is_told() {
        let anna = Overview { last_sync_at: Some(at("2026-11-26T10:20:00Z")), ..of("Anna", State::UpToDate) };
        assert_eq!(says(&[anna, of("Zoé", State::UpToDate)]), "Bookiji · Up to date · 20 min ago");
    }

    #[test]
    fn one_alone_is_not_named_and_an_empty_seat_beside_her_changes_nothing() {
        let anna = of("Anna", State::NeedsYou);
        assert_eq!(says(std::slice::from_ref(&anna)), "Bookiji · Needs you · 2 min ago");
        assert_eq!(says(&[anna, of("", State::Paused)]), "Bookiji · Needs you · 2 min ago");
        assert_eq!(says(&[of("", State::Paused)]), "Bookiji · Not started");
    }

    #[test]
    fn a_profile_that_does_not_open_shows_although_nobody_knows_whose_it_is() {
        let shut = Overview { connections: Vec::new(), ..of("", State::Error) };
        assert_eq!(tray(&[of("Anna", State::UpToDate), shut]).state, State::Error);
    }

    #[test]
    fn decisions_are_added_up_and_the_next_booking_says_whose_it_is() {
        let booking = |start: &str| BookingView {
            id: start.into(),
            start: at(start),
            end: at(start),
            service: Some("Cut".into()),
            customer: None,
            pending: false,
            placement: Placement::Synced,
        };
        let mut anna = Overview { decisions: 1, ..of("Anna", State::NeedsYou) };
        anna.schedule.bookings = vec![booking("2026-11-26T15:00:00Z")];
        let mut zoe = Overview { decisions: 2, ..of("Zoé", State::NeedsYou) };
        zoe.schedule.bookings = vec![booking("2026-11-26T13:00:00Z")];
        let tray = tray(&[anna, zoe]);
        assert_eq!((tray.decisions, tray.next_booking.as_deref()), (3, Some("14:00 · Cut · Zoé")));
        let texts: Vec<String> = menu(&tray, Language::English)
            .into_iter()
            .filter_map(|item| match item {
                Item::Submenu { text, .. } => Some(text),
                Item::Text { .. } | Item::Separator | Item::Choice { .. } => None,
            })
            .collect();
        assert_eq!(texts, ["Pause for everybody", "Block Time for Anna"]);
    }
}
