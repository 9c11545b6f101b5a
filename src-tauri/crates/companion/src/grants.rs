//! What a sign-in is worth that she gave only in part: which feature each missing permission switches off, and in which
//! words she is told. Pure.

use std::collections::BTreeSet;

use connectors::oauth::Granted;
use connectors::outlook;
use sync::ports::CalendarEntry;

/// What Google was asked for and did not grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// To read her events.
    Events,
    /// To see which calendars she has.
    List,
    /// To make a calendar of our own and write into it.
    OwnCalendar,
}

const SCOPES: &str = "https://www.googleapis.com/auth/";

impl Lack {
    fn of(scope: &str) -> Option<Self> {
        match scope.strip_prefix(SCOPES)? {
            "calendar.events" | "calendar.events.readonly" => Some(Self::Events),
            "calendar.calendarlist.readonly" => Some(Self::List),
            "calendar.app.created" => Some(Self::OwnCalendar),
            _ => None,
        }
    }

    /// What does not work now. How it would is said once, for all of them.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Events => {
                "Google may not show your events, so your calendars there block no time on Bookiji."
            }
            Self::List => {
                "Google may not show which calendars you have, so only your main one blocks time, and no booking is \
                 written there."
            }
            Self::OwnCalendar => {
                "Google may not let a Bookiji calendar be made, so no booking is written into this account."
            }
        }
    }

    /// The word for scripts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Events => "read_events",
            Self::List => "list_calendars",
            Self::OwnCalendar => "write_bookings",
        }
    }
}

/// How to give what is missing.
pub const NEXT_STEP: &str =
    "Connect again with `companion connect google` and leave every box ticked to have it all.";

/// What these missing scopes switch off; nothing at all if what is left is worth no connection.
#[must_use]
pub fn lacks(missing: &BTreeSet<String>) -> Option<BTreeSet<Lack>> {
    let lacks = self::missing(missing);
    // Without her events only our own calendar is of use, and that one is found again by the list.
    let worth = if lacks.contains(&Lack::Events) {
        !lacks.contains(&Lack::List) && !lacks.contains(&Lack::OwnCalendar)
    } else {
        true
    };
    worth.then_some(lacks)
}

/// What these missing scopes switch off, whatever that leaves.
#[must_use]
pub fn missing(scopes: &BTreeSet<String>) -> BTreeSet<Lack> {
    scopes.iter().filter_map(|scope| Lack::of(scope)).collect()
}

/// Microsoft asks for everything in her calendars with one word, and gives all of it or nothing.
#[must_use]
pub fn missing_at_microsoft(granted: &Granted) -> BTreeSet<Lack> {
    let calendars = outlook::missing(granted).contains(&outlook::ALL_CALENDARS);
    [Lack::Events, Lack::OwnCalendar].into_iter().filter(|_| calendars).collect()
}

/// The calendar that every account has, where the list of them may not be read: it goes by the account's address.
#[must_use]
pub fn main_calendar(account: &str) -> CalendarEntry {
    CalendarEntry {
        remote: sync::ids::RemoteCalendarId(account.to_owned()),
        name: account.to_owned(),
        time_zone: None,
        writable: false,
        primary: true,
        ours: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(missing: &[&str], expected: Option<&[Lack]>) {
        let missing = missing.iter().map(|scope| format!("{SCOPES}{scope}")).collect();
        assert_eq!(lacks(&missing), expected.map(|lacks| lacks.iter().copied().collect()), "{missing:?}");
    }

    #[test]
    fn each_missing_permission_switches_one_feature_off_and_what_is_worth_nothing_is_no_connection() {
        check(&[], Some(&[]));
        check(&["calendar.events.readonly"], Some(&[Lack::Events]));
        check(&["calendar.events"], Some(&[Lack::Events]));
        check(&["calendar.calendarlist.readonly"], Some(&[Lack::List]));
        check(&["calendar.app.created"], Some(&[Lack::OwnCalendar]));
        check(
            &["calendar.app.created", "calendar.calendarlist.readonly"],
            Some(&[Lack::List, Lack::OwnCalendar]),
        );
        check(&["calendar.events.readonly", "calendar.app.created"], None);
        check(&["calendar.events.readonly", "calendar.calendarlist.readonly"], None);
    }
}
