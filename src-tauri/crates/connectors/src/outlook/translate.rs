//! Between Graph's event and ours. An event that cannot be understood still comes out as one that blocks what it may.

use calendar::event::{Answer, End, Event, ShownAs, Status, Uid, When};
use calendar::zone::Zone;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use sync::booking::Draft;
use sync::ids::{ETag, RemoteId};
use sync::ports::RemoteEvent;

use super::{marker, wire};

/// Longer than what a booking's event says; meetings carry pages.
const MOST_WORDS: usize = 4000;
/// How every key of ours begins: see [`sync::booking::event_id`].
const KEY: &str = "bookiji";
/// What the words of every event of ours begin with. A copy has them too.
const HINT: &str = "Booking ID:";

/// The key it was created under, if that may be one of ours. Outlook gives its own events keys as well.
pub(super) fn key(event: &wire::Event) -> Option<RemoteId> {
    event.transaction.as_deref().filter(|key| key.starts_with(KEY)).map(RemoteId::from)
}

/// Whether it may be one of ours, or a copy of one, without the list having shown that it is.
pub(super) fn deserves_a_look(event: &wire::Event) -> bool {
    let hinted = event.body.as_deref().is_some_and(|words| words.trim_start().starts_with(HINT));
    hinted && event.properties.is_empty() && key(event).is_none()
}

/// One event that does not repeat.
pub(super) fn single(wire: wire::Event) -> RemoteEvent {
    let (start, end) = span(&wire);
    let event = described(&wire, start, end);
    remote(wire, event)
}

/// With what the service tells of it besides times.
pub(super) fn remote(wire: wire::Event, event: Event) -> RemoteEvent {
    RemoteEvent {
        created_as: key(&wire),
        marker: marker::on(&wire),
        etag: ETag(wire.etag),
        id: RemoteId(wire.id),
        event,
    }
}

/// The event at these times, with everything else that was said of it.
pub(super) fn described(wire: &wire::Event, start: When, end: End) -> Event {
    let mut event = Event::new(Uid(wire.ical_uid.clone().unwrap_or_else(|| wire.id.clone())), start, end);
    // What she keeps to herself is read by no other program than her calendar.
    if !wire.is_private || key(wire).is_some() {
        event.summary = wire.subject.clone().unwrap_or_default();
        event.description = plain(wire.body.as_deref().unwrap_or_default());
        event.location = wire.location.clone().unwrap_or_default();
    }
    event.status = if wire.is_cancelled { Status::Cancelled } else { Status::Confirmed };
    event.shown_as = shown_as(wire.show_as.as_deref());
    event.answer = answer(wire.response.as_deref());
    event.stamp = wire.modified.as_deref().and_then(|text| text.parse().ok());
    event
}

/// Nothing where it does not say: then it blocks.
pub(super) fn shown_as(word: Option<&str>) -> Option<ShownAs> {
    match word? {
        "free" => Some(ShownAs::Free),
        "tentative" => Some(ShownAs::Tentative),
        "busy" => Some(ShownAs::Busy),
        "oof" => Some(ShownAs::OutOfOffice),
        "workingElsewhere" => Some(ShownAs::WorkingElsewhere),
        _ => None,
    }
}

pub(super) fn answer(word: Option<&str>) -> Option<Answer> {
    match word? {
        "accepted" => Some(Answer::Accepted),
        "tentativelyAccepted" => Some(Answer::Tentative),
        "declined" => Some(Answer::Declined),
        "notResponded" => Some(Answer::NeedsAction),
        _ => None,
    }
}

/// The text as it was written: Exchange ends lines and texts in its own way.
fn plain(text: &str) -> String {
    let text: String = text.replace("\r\n", "\n").chars().take(MOST_WORDS).collect();
    text.trim_end().to_owned()
}

/// Start and end that fit each other. Where one is missing or they are of two kinds, the zone is called unknown: such
/// an event blocks generously and is reported.
pub(super) fn span(wire: &wire::Event) -> (When, End) {
    let read = |moment: &Option<wire::Moment>| {
        let moment = moment.as_ref()?;
        let day = || day(moment, wire.original_zone.as_deref()).map(When::Date);
        if wire.is_all_day { day().or_else(|| timed(moment)) } else { timed(moment) }
    };
    let vague = |wall: DateTime| When::Zoned { wall, zone: Zone::Unknown("no readable time".to_owned()) };
    match (read(&wire.start), read(&wire.end)) {
        (Some(start), Some(end)) if matches!(start, When::Date(_)) == matches!(end, When::Date(_)) => {
            (start, End::At(end))
        }
        (start, end) => {
            tracing::warn!(event = %wire.id, "an event's time cannot be read; it blocks what it may");
            let day = End::Lasting { days: 1, seconds: 0 };
            match (start, end) {
                (Some(When::Date(start)), _) => (When::Date(start), End::Unstated),
                (Some(start), _) => (vague(start.wall()), day),
                (None, Some(end)) => (vague(end.wall().saturating_sub(Span::new().days(1))), day),
                // No day to block, and blocking them all would close her calendar: it stands long past, and in the log.
                (None, None) => (vague(When::Utc(Timestamp::UNIX_EPOCH).wall()), day),
            }
        }
    }
}

fn timed(moment: &wire::Moment) -> Option<When> {
    let wall: DateTime = moment.date_time.parse().ok()?;
    let zone = Zone::named(moment.zone.as_deref()?);
    if zone == Zone::Iana("UTC".to_owned()) {
        return TimeZone::UTC.to_timestamp(wall).ok().map(When::Utc);
    }
    Some(When::Zoned { wall, zone })
}

/// The date of an all-day event: midnight where it is told, or else where it was made.
fn day(moment: &wire::Moment, original_zone: Option<&str>) -> Option<Date> {
    let wall: DateTime = moment.date_time.parse().ok()?;
    if wall.time() == Time::midnight() {
        return Some(wall.date());
    }
    let told = Zone::named(moment.zone.as_deref()?).time_zone()?;
    let made = Zone::named(original_zone?).time_zone()?;
    let there = made.to_datetime(told.to_ambiguous_timestamp(wall).compatible().ok()?);
    (there.time() == Time::midnight()).then(|| there.date())
}

/// The body of a create. Attendees are never named: Microsoft would write to them.
pub(super) fn create_body(draft: &Draft) -> Value {
    let mut body = change(draft);
    body["transactionId"] = json!(draft.id.as_str());
    body["showAs"] = json!("busy");
    body["isReminderOn"] = json!(false);
    describe(&mut body, draft);
    body
}

/// The body of a change: what the draft speaks of, and nothing else.
pub(super) fn patch_body(draft: &Draft) -> Value {
    let mut body = change(draft);
    // What she made a whole day of would keep it.
    body["isAllDay"] = json!(false);
    if !draft.times_only {
        describe(&mut body, draft);
    }
    body
}

/// In UTC: whatever year Microsoft's rules for a zone are of, it is the same instant.
fn change(draft: &Draft) -> Value {
    let moment =
        |at: Timestamp| json!({"dateTime": TimeZone::UTC.to_datetime(at).to_string(), "timeZone": "UTC"});
    json!({
        "start": moment(draft.start),
        "end": moment(draft.end),
        "singleValueExtendedProperties": [{"id": marker::BOOKING, "value": marker::text(draft)}],
    })
}

fn describe(body: &mut Value, draft: &Draft) {
    body["subject"] = json!(draft.title);
    body["body"] = json!({"contentType": "text", "content": draft.description});
}
