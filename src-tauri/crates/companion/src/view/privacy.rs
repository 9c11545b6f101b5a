//! What Bookiji was sent, as she may look it through: what kind of message each was, and its very words. With one of her
//! own events beside what Bookiji knows of it. Pure.

use calendar::interval::Interval;
use connectors::http::{Body, Message};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sync::ids::Service;
use sync::world::{LinkedCalendar, Role, World};

use super::cards::SpanView;
use super::count;
use super::schedule::busy_of;

/// What is said of her words at the most: this page is no place to read them.
const LONGEST_TEXT: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct PrivacyView {
    /// Newest first.
    pub messages: Vec<MessageView>,
    /// Nothing where nothing of hers blocks time.
    pub example: Option<KnownView>,
}

/// One message, or several of one wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct MessageView {
    pub number: u32,
    pub kind: MessageKind,
    /// The calendar whose busy times they are.
    pub calendar: Option<String>,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub at: Timestamp,
    pub times: u32,
    pub bytes: u32,
    /// Bookiji took it.
    pub accepted: bool,
    pub method: String,
    /// Path and query.
    pub target: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum MessageKind {
    /// Stretches in which she is busy.
    BusyTimes,
    AskedBookings,
    ChangedBooking,
    AskedSlots,
    ChangedSlots,
    /// How its calendars do, for Bookiji's own page.
    Status,
    /// Which of her computers writes.
    Lease,
    Listening,
    Profile,
    Clock,
    SignIn,
    Other,
}

impl MessageKind {
    pub(crate) fn of(method: &str, route: &str) -> Self {
        let reads = method == "GET";
        match route {
            "/api/vendor/calendar/busy" => Self::BusyTimes,
            "/api/vendor/bookings" => Self::AskedBookings,
            "/rest/v1/bookings" if reads => Self::AskedBookings,
            "/rest/v1/bookings"
            | "/rest/v1/rpc/reschedule_booking_atomically"
            | "/api/bookings/reschedule"
            | "/api/vendor/bookings/{id}/proposals"
            | "/api/vendor/bookings/{id}/proposals/{proposal}"
            | "/api/vendor/bookings/{id}/cancel" => Self::ChangedBooking,
            "/rest/v1/availability_slots" if reads => Self::AskedSlots,
            "/rest/v1/availability_slots" => Self::ChangedSlots,
            "/api/vendor/calendar/connections/{provider}" | "/api/vendor/calendar/sync-status" => {
                Self::Status
            }
            "/api/vendor/calendar/lease" => Self::Lease,
            "/rest/v1/ops_events" | "/api/vendor/changes/stream" => Self::Listening,
            "/rest/v1/profiles" => Self::Profile,
            "/api/system/time" => Self::Clock,
            route if route.starts_with("/auth/") => Self::SignIn,
            _ => Self::Other,
        }
    }
}

/// The very words of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct WordsView {
    pub number: u32,
    /// Nothing where there is none, or it is withheld.
    pub body: Option<String>,
    /// It holds a password or a token.
    pub withheld: bool,
    /// It was longer than what is kept of it.
    pub cut: bool,
    /// The busy times in it.
    pub spans: Vec<SpanView>,
}

/// One of her events, and what Bookiji knows of it: the times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct KnownView {
    pub calendar: String,
    pub service: Service,
    /// For her eyes, on this computer.
    pub title: String,
    pub location: String,
    pub has_notes: bool,
    pub event: SpanView,
    pub sent: SpanView,
}

/// Puts together what she may look through.
#[must_use]
pub fn privacy(messages: &[Message], world: &World, now: Timestamp) -> PrivacyView {
    PrivacyView { messages: messages.iter().map(message).collect(), example: example(world, now) }
}

fn message(message: &Message) -> MessageView {
    let kind = MessageKind::of(&message.method, message.route);
    let calendar = parsed(&message.body)
        .filter(|_| kind == MessageKind::BusyTimes)
        .and_then(|body| body["connection_id"].as_str().map(str::to_owned));
    MessageView {
        number: u32::try_from(message.number).unwrap_or(u32::MAX),
        kind,
        calendar,
        at: message.at,
        times: message.times,
        bytes: count(message.bytes),
        accepted: message.status.is_some_and(|status| (200..300).contains(&status)),
        method: message.method.clone(),
        target: message.target.clone(),
    }
}

/// The words of one of them.
#[must_use]
pub fn words(message: &Message) -> WordsView {
    let (body, withheld, cut) = match &message.body {
        Body::None => (None, false, false),
        Body::Text(text) => (Some(text.clone()), false, false),
        Body::Beginning(text) => (Some(text.clone()), false, true),
        Body::Withheld => (None, true, false),
    };
    let intervals = parsed(&message.body).and_then(|body| body["intervals"].as_array().cloned());
    let span = |interval: &Value| {
        let time = |name: &str| interval[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        Some(SpanView { start: time("start")?, end: time("end")? })
    };
    WordsView {
        number: u32::try_from(message.number).unwrap_or(u32::MAX),
        body,
        withheld,
        cut,
        spans: intervals.into_iter().flatten().filter_map(|interval| span(&interval)).collect(),
    }
}

fn parsed(body: &Body) -> Option<Value> {
    match body {
        Body::Text(text) => serde_json::from_str(text).ok(),
        Body::None | Body::Beginning(_) | Body::Withheld => None,
    }
}

/// Her next event that blocks time and has a title: the one she would least like to be read elsewhere.
fn example(world: &World, now: Timestamp) -> Option<KnownView> {
    let zone = sync::busy_set::vendor_zone(world.vendor.as_ref());
    let ahead = now.checked_add(jiff::SignedDuration::from_hours(24 * 31)).ok()?;
    let window = Interval::new(now, ahead)?;
    let blocking = |calendar: &LinkedCalendar| {
        busy_of(world, calendar, window, &zone)
            .into_iter()
            .find(|busy| !busy.title.is_empty() && !busy.all_day)
    };
    let (calendar, busy) = world
        .calendars
        .values()
        .filter(|calendar| calendar.role != Role::Off)
        .filter_map(|calendar| Some((calendar, blocking(calendar)?)))
        .min_by_key(|(calendar, busy)| (busy.start, calendar.id.clone()))?;
    let connection = world.connections.get(&calendar.connection)?;
    let event = world
        .events
        .get(&calendar.id)?
        .values()
        .map(|event| &event.event)
        .find(|event| event.summary == busy.title)?;
    Some(KnownView {
        calendar: calendar.id.to_string(),
        service: connection.service,
        title: short(&busy.title),
        location: short(&event.location),
        has_notes: !event.description.trim().is_empty(),
        event: SpanView { start: busy.start, end: busy.end },
        sent: SpanView { start: busy.blocks_from, end: busy.blocks_to },
    })
}

fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: &str, route: &'static str, body: Body) -> Message {
        Message {
            number: 7,
            at: Timestamp::UNIX_EPOCH,
            times: 1,
            method: method.to_owned(),
            route,
            target: route.to_owned(),
            bytes: 0,
            body,
            status: Some(200),
        }
    }

    #[test]
    fn busy_times_are_told_by_their_calendar_and_in_words_of_their_own() {
        let body = r#"{"connection_id":"cal","intervals":[{"start":"2026-11-17T21:00:00Z","end":"2026-11-17T22:15:00Z"}]}"#;
        let put = sent("PUT", "/api/vendor/calendar/busy", Body::Text(body.to_owned()));
        let shown = message(&put);
        assert_eq!((shown.kind, shown.calendar.as_deref()), (MessageKind::BusyTimes, Some("cal")));
        let told = words(&put);
        assert_eq!(told.body.as_deref(), Some(body), "not a letter is different");
        assert_eq!(told.spans.len(), 1);
    }

    #[test]
    fn reading_and_changing_the_same_thing_are_two_kinds_of_message() {
        let of = |method: &str, route| message(&sent(method, route, Body::None)).kind;
        assert_eq!(of("GET", "/rest/v1/availability_slots"), MessageKind::AskedSlots);
        assert_eq!(of("PATCH", "/rest/v1/availability_slots"), MessageKind::ChangedSlots);
        assert_eq!(of("GET", "/rest/v1/bookings"), MessageKind::AskedBookings);
        assert_eq!(of("PATCH", "/rest/v1/bookings"), MessageKind::ChangedBooking);
        assert_eq!(of("GET", "/of/tomorrow"), MessageKind::Other);
    }

    #[test]
    fn what_is_withheld_or_cut_says_so() {
        let told = words(&sent("POST", "/auth/v1/token", Body::Withheld));
        assert_eq!((told.withheld, told.body), (true, None));
        assert!(words(&sent("PUT", "/api/vendor/calendar/busy", Body::Beginning("{".to_owned()))).cut);
    }
}
