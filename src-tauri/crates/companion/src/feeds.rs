//! Links a calendar feed: looks at it once, tells what was found, and only then puts the link into the vault and a row
//! into the mirror. Also says how often a feed wants to be read.

use std::time::Duration;

use calendar::busy::BusyRules;
use calendar::ics::Calendar;
use connectors::ics::{self, AddressError, FeedAddress, Look};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use sync::busy_set::{busy_set, vendor_zone, window};
use sync::error::{Code, ServiceError};
use sync::ids::{CalendarId, ConnectionId, RemoteCalendarId, Service};
use sync::policy::{Policy, rhythm as every};
use sync::ports::{CalendarEntry, Clock, Mirror};
use sync::world::{Connection, ConnectionState, Role, Vendor, World};

use crate::problem::{Problem, sentence};
use crate::unusable::Unusable;
use crate::wiring::Wiring;
use crate::{roles, sign_in};

/// A name longer than this is cut: it is shown in lists.
const LONGEST_NAME: usize = 80;
/// How many of the next busy times are told.
const TOLD: usize = 3;

/// What a feed held when it was linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub events: usize,
    /// The next times it blocks, at most three.
    pub next_busy: Vec<(Timestamp, Timestamp)>,
    /// How often it will be read.
    pub every: Duration,
}

impl Found {
    #[must_use]
    pub fn document(&self) -> Value {
        let next: Vec<Value> =
            self.next_busy.iter().map(|(start, end)| json!({ "start": start, "end": end })).collect();
        json!({
            "name": self.name,
            "events": self.events,
            "next_busy": next,
            "read_every_minutes": self.every.as_secs() / 60,
        })
    }
}

/// Links the calendar behind `link`, or takes a new name for one that is linked already.
pub async fn connect(
    wiring: &Wiring,
    link: &str,
    name: Option<&str>,
) -> Result<(ConnectionId, Found), Problem> {
    let world = wiring.world()?;
    let vendor = world.vendor.clone().ok_or_else(sign_in::nobody)?;
    let address = FeedAddress::parse(link).map_err(unusable)?;
    let id = ConnectionId::of(Service::Ics, &address.digest());
    let world = sign_in::staying(world, &id);
    let look = ics::look(&wiring.fetcher()?, &address, &[&vendor.email]).await.map_err(unreadable)?;

    let remote = RemoteCalendarId(ics::REMOTE.to_owned());
    let known = world.calendars.get(&CalendarId::of(&id, &remote));
    let name = name
        .and_then(tidy)
        .or_else(|| known.map(|calendar| calendar.name.clone()))
        .or_else(|| look.calendar.name.as_deref().and_then(tidy))
        .unwrap_or_else(|| address.host());
    let entry = CalendarEntry {
        remote,
        name: name.clone(),
        time_zone: None,
        writable: false,
        // Nobody links a calendar that is to change nothing.
        primary: true,
        ours: false,
    };
    let known = world.connections.get(&id);
    wiring.keep_secret(&id, &SecretString::from(address.secret())).await?;
    let now = wiring.clock.now();
    let connection = Connection {
        id: id.clone(),
        service: Service::Ics,
        account: address.host(),
        state: ConnectionState::Connected,
        created_at: known.map_or(now, |known| known.created_at),
        error: None,
        backoff_until: None,
        error_count: 0,
    };
    let minutes = wiring.settings.sync.frequency_minutes;
    let written = wiring.mirror.put_connection(&connection).and_then(|()| {
        let calendars = roles::link(&world, &id, &[entry], minutes, now);
        calendars.into_iter().try_for_each(|calendar| wiring.mirror.put_calendar(&sign_in::healed(calendar)))
    });
    if let Err(error) = written {
        if known.is_none() {
            wiring.forget_secret(&id).await?;
        }
        return Err(error.into());
    }
    tracing::info!(connection = %id, events = look.calendar.events.len(), "connected");
    Ok((id, found(name, &look, &vendor, wiring.policy(), minutes, now)))
}

fn found(name: String, look: &Look, vendor: &Vendor, policy: Policy, minutes: u32, now: Timestamp) -> Found {
    let own = Duration::from_secs(u64::from(minutes) * 60);
    Found {
        name,
        events: look.calendar.events.len(),
        next_busy: next_busy(&look.calendar, vendor, policy, now),
        every: every(own, look.refresh),
    }
}

fn next_busy(
    calendar: &Calendar,
    vendor: &Vendor,
    policy: Policy,
    now: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let zone = vendor_zone(Some(vendor));
    let window = window(now, &zone, &policy);
    let nobody = CalendarId(String::new());
    let (set, _) =
        busy_set(Service::Ics, &nobody, &calendar.events, &BusyRules::default(), window, &zone, &[]);
    let ahead = set.intervals.iter().filter(|span| span.end() > now);
    ahead.take(TOLD).map(|span| (span.start(), span.end())).collect()
}

/// How often the calendars of a linked feed want to be read: as the most eager of them says.
#[must_use]
pub fn rhythm(world: &World, connection: &ConnectionId) -> Option<Duration> {
    world
        .calendars
        .values()
        .filter(|calendar| calendar.connection == *connection && calendar.role != Role::Off)
        .filter_map(|calendar| ics::rhythm(calendar.cursor.as_ref()?))
        .min()
}

/// A name fit for one line; nothing if none is left.
fn tidy(name: &str) -> Option<String> {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(LONGEST_NAME).collect();
    (!short.is_empty()).then_some(short)
}

fn unusable(error: AddressError) -> Problem {
    let step = match error {
        AddressError::PlainHttp(_) => {
            "Ask for the link that begins with https://, or try it with https:// yourself."
        }
        AddressError::SignInInside => {
            "Use the calendar's own private link, which needs no user name and password."
        }
        AddressError::NotALink
        | AddressError::TooLong
        | AddressError::Nowhere(_)
        | AddressError::Private(_)
        | AddressError::Downgrade
        | AddressError::OtherScheme => {
            "Copy the calendar's link again: its page calls it iCal, ICS, webcal or \"secret address\"."
        }
    };
    let why = match error {
        AddressError::PlainHttp(_) | AddressError::Downgrade => Unusable::PlainHttp,
        AddressError::SignInInside => Unusable::SignInInAddress,
        AddressError::NotALink
        | AddressError::TooLong
        | AddressError::Nowhere(_)
        | AddressError::Private(_)
        | AddressError::OtherScheme => Unusable::NoLink,
    };
    Problem::new(Code::InvalidInput, sentence(&error.to_string())).then(step).because(why)
}

/// Why a feed is not linked, and what she can do about it.
fn unreadable(error: ServiceError) -> Problem {
    let step = match &error {
        ServiceError::NotACalendar { .. } => {
            "Open the link in a private browser window: it must give a file, not a page or a sign-in."
        }
        ServiceError::Gone { .. } | ServiceError::Forbidden { .. } => {
            "Copy the link again from the calendar's settings: it may have been changed or withdrawn."
        }
        ServiceError::SignInExpired { .. }
        | ServiceError::NotLinked { .. }
        | ServiceError::SwitchedOff { .. }
        | ServiceError::OtherContract { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::Stale { .. }
        | ServiceError::Exists { .. }
        | ServiceError::Fenced { .. }
        | ServiceError::Rejected { .. }
        | ServiceError::Failing { .. }
        | ServiceError::Garbled { .. }
        | ServiceError::Unreachable { .. }
        | ServiceError::VaultUnavailable { .. } => return error.into(),
    };
    Problem::from(error).then(step)
}

/// When a busy time is, as people say it.
#[must_use]
pub fn told(span: (Timestamp, Timestamp), zone: &jiff::tz::TimeZone) -> String {
    let (start, end) = (span.0.to_zoned(zone.clone()), span.1.to_zoned(zone.clone()));
    let day = "%a %-d %b %H:%M";
    if span.1.duration_since(span.0) < SignedDuration::from_hours(24) && start.date() == end.date() {
        format!("{}–{}", start.strftime(day), end.strftime("%H:%M"))
    } else {
        format!("{} – {}", start.strftime(day), end.strftime(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_link_has_a_name() {
        let why = |link: &str| FeedAddress::parse(link).map_err(unusable).unwrap_err().why;
        assert_eq!(why("http://example.com/a.ics"), Some(Unusable::PlainHttp));
        assert_eq!(why("https://me:secret@example.com/a.ics"), Some(Unusable::SignInInAddress));
        assert_eq!(why("my calendar"), Some(Unusable::NoLink));
    }

    #[test]
    fn a_name_is_one_line_and_short_and_an_empty_one_is_none() {
        assert_eq!(tidy(" École\r\n des   Érables "), Some("École des Érables".to_owned()));
        assert_eq!(tidy(" \u{7}\n"), None);
        assert_eq!(tidy(&"é".repeat(500)).unwrap().chars().count(), LONGEST_NAME);
    }

    #[test]
    fn a_busy_time_is_told_in_her_zone_with_the_day_named_once_if_it_is_one() {
        let at = |text: &str| text.parse().unwrap();
        let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let short = (at("2026-12-01T09:00:00Z"), at("2026-12-01T10:30:00Z"));
        assert_eq!(told(short, &paris), "Tue 1 Dec 10:00–11:30");
        let long = (at("2026-12-01T23:00:00Z"), at("2026-12-02T23:00:00Z"));
        assert_eq!(told(long, &paris), "Wed 2 Dec 00:00 – Thu 3 Dec 00:00");
    }
}
