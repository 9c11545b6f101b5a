//! Decides for one booking in one calendar. The whole policy is in [`decide`]; read it top to bottom.

use crate::booking::{Booking, BookingStatus, Draft};
use crate::ports::RemoteEvent;
use crate::world::{Mapping, MappingState};
use calendar::event::{End, Event};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

/// What a booking asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An event that says what the booking says.
    Event,
    /// No event.
    Nothing,
    /// Whatever stands: it is over, or its status is one we do not know.
    AsItIs,
}

/// Pending and confirmed bookings that are not over have an event; a booking that was completed keeps the one it has.
#[must_use]
pub fn wish(booking: Option<&Booking>, now: Timestamp) -> Wish {
    let Some(booking) = booking else { return Wish::Nothing };
    match booking.status {
        BookingStatus::Pending | BookingStatus::Confirmed if booking.end > now => Wish::Event,
        BookingStatus::Pending
        | BookingStatus::Confirmed
        | BookingStatus::Completed
        | BookingStatus::Other(_) => Wish::AsItIs,
        BookingStatus::Cancelled | BookingStatus::NoShow => Wish::Nothing,
    }
}

/// What the calendar shows of our event, against what the service echoed when we last wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Same,
    /// Her words, at the time we wrote.
    Reworded,
    /// Another time than we wrote.
    Moved,
    Absent,
}

/// Whether what the booking says is what we last wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Same,
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Nothing,
    Update,
    /// As [`Verdict::Update`], leaving her words alone.
    UpdateTimes,
    Remove,
    /// The event is gone and so is the booking: only the mirror learns it.
    Forget,
    /// Hers to decide.
    Ask(Question),
}

/// What only the vendor may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// She moved the event; the booking stays where it was.
    Moved,
    /// She asked the customer for another time, and has no answer yet.
    Proposed,
    /// She made the event shorter or longer; the booking is as long as it was.
    Resized,
    /// She deleted the event; the booking stands.
    Deleted,
    /// She moved the event and the booking changed too.
    MovedBoth,
    /// She moved the event of a booking that has been cancelled.
    MovedCancelled,
    /// Its booking is over or gone, like those of many others at once: more than a run removes by itself.
    #[serde(rename = "held_deletion")]
    Held,
    /// She gave the event words of her own.
    Renamed,
    /// She copied the event, or two events prove to be the booking's.
    Duplicated,
    /// An event of hers lies over the booking.
    Overlap,
    /// The calendar that bookings go to is not there any more.
    TargetGone,
    /// She signed in to another account of the service whose calendar takes bookings.
    AccountChanged,
}

/// Decides what to do about an event that was written once and is known to the mirror.
#[must_use]
pub fn decide(wish: Wish, asked: Asked, seen: Seen) -> Verdict {
    use Asked::{Changed, Same as AsWritten};
    use Seen::{Absent, Moved, Reworded, Same};
    match (wish, asked, seen) {
        (Wish::AsItIs, _, _) => Verdict::Nothing,

        (Wish::Event, AsWritten, Same | Reworded) => Verdict::Nothing,
        (Wish::Event, Changed, Same) => Verdict::Update,
        (Wish::Event, Changed, Reworded) => Verdict::UpdateTimes,
        (Wish::Event, AsWritten, Moved) => Verdict::Ask(Question::Moved),
        (Wish::Event, Changed, Moved) => Verdict::Ask(Question::MovedBoth),
        (Wish::Event, _, Absent) => Verdict::Ask(Question::Deleted),

        (Wish::Nothing, _, Same | Reworded) => Verdict::Remove,
        (Wish::Nothing, _, Moved) => Verdict::Ask(Question::MovedCancelled),
        (Wish::Nothing, _, Absent) => Verdict::Forget,
    }
}

/// Compares the event with the echo. `intended` are drafts of writes that a crash left open: an event that says what
/// we were about to write was changed by us, and one that stands where we were about to put it was not moved by her.
#[must_use]
pub fn seen(event: Option<&RemoteEvent>, mapping: &Mapping, intended: &[&Draft]) -> Seen {
    let Some(event) = event else { return Seen::Absent };
    let now = fingerprint(event);
    let echo = mapping.echo.as_deref().unwrap_or_default();
    if intended.iter().any(|draft| says(event, draft)) {
        Seen::Same
    } else if now == echo {
        if kept_her_words(mapping) { Seen::Reworded } else { Seen::Same }
    } else if now.split_once('/').map(|(time, _)| time) == echo.split_once('/').map(|(time, _)| time)
        || intended.iter().any(|draft| stands_where(event, draft))
    {
        Seen::Reworded
    } else {
        Seen::Moved
    }
}

/// What to remember of a write: its checksum, and that the words were left as she had put them.
#[must_use]
pub fn written(draft: &Draft) -> String {
    match &draft.remember {
        Some(remember) => remember.clone(),
        None if draft.times_only => with_her_words(&draft.checksum),
        None => draft.checksum.clone(),
    }
}

/// Marks what is remembered of a write: the words are hers and stay.
#[must_use]
pub fn with_her_words(written: &str) -> String {
    format!("{HERS}{written}")
}

/// What to remember of an event that she had put back to what its booking does not ask for. While the booking asks for
/// nothing else, the event is left as it is: see [`is_held`].
#[must_use]
pub fn hold(wish: Wish, draft: Option<&Draft>) -> String {
    match (wish, draft) {
        (Wish::Event | Wish::AsItIs, Some(draft)) => format!("{HELD}{}", draft.checksum),
        (Wish::Nothing, _) | (_, None) => format!("{HELD}gone"),
    }
}

/// Whether a hold was put on it, lapsed or not.
#[must_use]
pub fn says_held(mapping: &Mapping) -> bool {
    let written = mapping.written.as_deref().unwrap_or_default();
    written.strip_prefix(HERS).unwrap_or(written).starts_with(HELD)
}

/// Whether she had this event put back, or taken out, and its booking has not changed since.
#[must_use]
pub fn is_held(mapping: &Mapping, wish: Wish, draft: Option<&Draft>) -> bool {
    let written = mapping.written.as_deref().map(|text| text.strip_prefix(HERS).unwrap_or(text));
    written == Some(hold(wish, draft).as_str())
}

/// Whether the booking still says what we last wrote.
#[must_use]
pub fn asked(mapping: &Mapping, draft: &Draft) -> Asked {
    let written = mapping.written.as_deref().map(|text| text.strip_prefix(HERS).unwrap_or(text));
    if written == Some(draft.checksum.as_str()) { Asked::Same } else { Asked::Changed }
}

/// Whether the words on the event are hers: she wrote them since we last wrote, or we left them as hers then.
#[must_use]
pub fn words_are_hers(event: &RemoteEvent, mapping: &Mapping) -> bool {
    let words = |print: &str| print.split_once('/').map(|(_, words)| words.to_owned());
    kept_her_words(mapping) || words(&fingerprint(event)) != mapping.echo.as_deref().and_then(words)
}

/// Whether we last wrote the times alone, since the words are hers.
#[must_use]
pub fn kept_her_words(mapping: &Mapping) -> bool {
    mapping.written.as_deref().is_some_and(|text| text.starts_with(HERS))
}

const HERS: &str = "times:";
const HELD: &str = "held:";

/// What we look at to see whether she changed an event of ours: `time/words`. Not its colour, not its reminders.
#[must_use]
pub fn fingerprint(event: &RemoteEvent) -> String {
    let e = &event.event;
    let time = match times(event) {
        Some(span) if !e.repeats() => json!(span),
        _ => json!([e.start, e.end, e.recurrence]),
    };
    format!("{}/{}", short_hash(&time), short_hash(&json!([e.summary, e.description, e.location])))
}

/// The fingerprint of an event that says exactly what the draft says.
#[must_use]
pub fn fingerprint_of_draft(draft: &Draft) -> String {
    format!(
        "{}/{}",
        short_hash(&json!((draft.start, draft.end))),
        short_hash(&json!([draft.title, draft.description, ""]))
    )
}

fn short_hash(value: &serde_json::Value) -> String {
    HEXLOWER.encode(&Sha256::digest(value.to_string())[..12])
}

/// Whether title or description are other than the booking's. A place of hers is no matter: we write none.
#[must_use]
pub fn is_reworded(event: &RemoteEvent, draft: &Draft) -> bool {
    event.event.summary != draft.title || event.event.description != draft.description
}

/// Whether the event already says what the draft would write.
#[must_use]
pub fn says(event: &RemoteEvent, draft: &Draft) -> bool {
    stands_where(event, draft)
        && (draft.times_only
            || (event.event.summary == draft.title && event.event.description == draft.description))
}

/// Whether the event is at the time that the draft would write.
#[must_use]
pub fn stands_where(event: &RemoteEvent, draft: &Draft) -> bool {
    times(event) == Some((draft.start, draft.end)) && !event.event.repeats()
}

/// Start and end as instants, for events that carry them as such. Ours do: we write them so.
#[must_use]
pub fn times(event: &RemoteEvent) -> Option<(Timestamp, Timestamp)> {
    event_times(&event.event)
}

/// As [`times`], of an event that is in no calendar.
#[must_use]
pub fn event_times(event: &Event) -> Option<(Timestamp, Timestamp)> {
    let end = match &event.end {
        End::At(end) => end.instant()?,
        End::Lasting { days: 0, seconds } => {
            event.start.instant()?.checked_add(jiff::SignedDuration::from_secs(*seconds)).ok()?
        }
        End::Lasting { .. } | End::Unstated => return None,
    };
    Some((event.start.instant()?, end))
}

/// A mapping that never led to an event, or whose event we removed ourselves, is as good as none.
#[must_use]
pub fn stands(mapping: &Mapping) -> bool {
    mapping.state != MappingState::Removed && mapping.echo.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, booking, draft, event, titled};

    #[track_caller]
    fn check(wish: Wish, asked: Asked, seen: Seen, verdict: Verdict) {
        assert_eq!(decide(wish, asked, seen), verdict, "{wish:?} {asked:?} {seen:?}");
    }

    #[test]
    fn a_settled_booking_needs_nothing() {
        check(Wish::Event, Asked::Same, Seen::Same, Verdict::Nothing);
    }

    #[test]
    fn what_the_platform_changed_is_written() {
        check(Wish::Event, Asked::Changed, Seen::Same, Verdict::Update);
        check(Wish::Nothing, Asked::Same, Seen::Same, Verdict::Remove);
    }

    #[test]
    fn her_words_survive_a_change_of_time() {
        check(Wish::Event, Asked::Changed, Seen::Reworded, Verdict::UpdateTimes);
        check(Wish::Event, Asked::Same, Seen::Reworded, Verdict::Nothing);
    }

    #[test]
    fn what_she_moved_or_deleted_is_hers_to_decide() {
        check(Wish::Event, Asked::Same, Seen::Moved, Verdict::Ask(Question::Moved));
        check(Wish::Event, Asked::Changed, Seen::Moved, Verdict::Ask(Question::MovedBoth));
        check(Wish::Event, Asked::Same, Seen::Absent, Verdict::Ask(Question::Deleted));
        check(Wish::Nothing, Asked::Same, Seen::Moved, Verdict::Ask(Question::MovedCancelled));
    }

    #[test]
    fn a_booking_that_ends_this_very_moment_is_over() {
        assert_eq!(wish(Some(&booking(1)), at(2)), Wish::AsItIs);
        let before = at(2).checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap();
        assert_eq!(wish(Some(&booking(1)), before), Wish::Event);
    }

    #[test]
    fn an_event_that_she_lets_repeat_has_another_time_than_we_wrote() {
        let once = event(&draft(1), "1");
        let mut weekly = once.clone();
        weekly.event.recurrence.rules.push("FREQ=WEEKLY".to_owned());
        let mut daily = once.clone();
        daily.event.recurrence.rules.push("FREQ=DAILY".to_owned());
        let time = |event: &RemoteEvent| fingerprint(event).split_once('/').unwrap().0.to_owned();
        assert_ne!(time(&once), time(&weekly));
        assert_ne!(time(&daily), time(&weekly));
        assert!(stands_where(&once, &draft(1)) && !stands_where(&weekly, &draft(1)));
    }

    #[test]
    fn a_title_or_a_description_of_hers_is_words_of_hers_and_a_place_is_not() {
        let ours = event(&draft(1), "1");
        let (mut described, mut placed) = (ours.clone(), ours.clone());
        "bring the dryer".clone_into(&mut described.event.description);
        "Main St".clone_into(&mut placed.event.location);
        assert!(is_reworded(&titled(&ours, "Nadia"), &draft(1)) && is_reworded(&described, &draft(1)));
        assert!(!is_reworded(&ours, &draft(1)) && !is_reworded(&placed, &draft(1)));
    }

    #[test]
    fn a_booking_that_is_over_is_left_alone() {
        for seen in [Seen::Same, Seen::Reworded, Seen::Moved, Seen::Absent] {
            check(Wish::AsItIs, Asked::Changed, seen, Verdict::Nothing);
        }
    }
}
