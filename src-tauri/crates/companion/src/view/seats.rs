//! Several vendors on one computer, as the window's switcher shows them: whose week it is, and who needs whom.

use serde::Serialize;
use sync::error::Code;

use super::{Overview, State};

/// One vendor among those of this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct SeatView {
    /// Hers for as long as the app runs.
    pub id: u32,
    /// Nobody before the first sign-in.
    pub name: Option<String>,
    pub state: State,
    pub problem: Option<Code>,
    pub decisions: u32,
    /// It is her week that the window shows.
    pub shown: bool,
}

/// Everybody who has a seat, in their order; nobody where one alone has. A seat that nobody has taken is there while
/// it is looked at.
#[must_use]
pub fn seats<'a>(all: impl IntoIterator<Item = (u32, &'a Overview)>, shown: u32) -> Vec<SeatView> {
    let seat = |(id, overview): (u32, &Overview)| SeatView {
        id,
        name: overview.vendor.as_ref().map(|vendor| vendor.name.clone()),
        state: overview.state,
        problem: overview.problem.as_ref().map(|problem| problem.code),
        decisions: overview.decisions,
        shown: id == shown,
    };
    let taken = |seat: &SeatView| seat.shown || seat.name.is_some() || seat.state > State::Paused;
    let seats: Vec<SeatView> = all.into_iter().map(seat).filter(taken).collect();
    if seats.len() > 1 { seats } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use sync::world::World;

    use super::*;
    use crate::view::{self, Activity, Problem, VendorView};

    fn of(name: &str, state: State) -> Overview {
        let nobody =
            view::overview(&World::default(), &[], jiff::Timestamp::UNIX_EPOCH, &Activity::default());
        let vendor = VendorView { name: name.into(), email: String::new(), time_zone: "UTC".into() };
        Overview { vendor: (!name.is_empty()).then_some(vendor), state, ..nobody }
    }

    fn names(all: &[Overview], shown: u32) -> Vec<(Option<String>, bool)> {
        let told = seats((0..).zip(all), shown);
        told.into_iter().map(|seat| (seat.name, seat.shown)).collect()
    }

    #[test]
    fn one_alone_has_no_switcher() {
        assert_eq!(names(&[of("Amélie", State::UpToDate)], 0), []);
        let left = [of("Amélie", State::UpToDate), of("", State::Paused)];
        assert_eq!(names(&left, 0), [], "nobody has taken the other seat");
    }

    #[test]
    fn a_seat_that_nobody_has_taken_is_there_while_it_is_looked_at() {
        let two = [of("Amélie", State::UpToDate), of("", State::Paused)];
        assert_eq!(names(&two, 1), [(Some("Amélie".into()), false), (None, true)]);
    }

    #[test]
    fn a_profile_that_does_not_open_keeps_its_seat_and_says_why() {
        let problem = Problem { code: Code::AlreadyRunning, message: String::new() };
        let shut = Overview { problem: Some(problem), ..of("", State::of_code(Code::AlreadyRunning)) };
        let told = seats([(0, &of("Amélie", State::UpToDate)), (1, &shut)], 0);
        assert_eq!(told[1].problem, Some(Code::AlreadyRunning), "{told:?}");
    }
}
