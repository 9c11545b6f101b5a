//! What waits for the vendor, in facts: which booking, what times, whose account. The window has the words.

use std::collections::BTreeSet;

use calendar::event::Event;
use calendar::interval::Interval;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use sync::busy_set::vendor_zone;
use sync::decide::{Question, event_times};
use sync::decisions::{Open, open};
use sync::ids::ConnectionId;
use sync::plan::{About, Card, Over, Refusal};
use sync::world::World;

use super::count;

/// More are there, but nobody reads them at once.
pub const CARDS_SHOWN: usize = 200;

/// One question, with whatever of these it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CardView {
    pub id: String,
    pub kind: CardKind,
    /// Silence costs something.
    pub presses: bool,
    /// The likeliest first.
    pub options: Vec<CardOption>,
    /// One answer may stand for all questions of this kind.
    pub may_stand: bool,
    pub customer: Option<String>,
    pub service: Option<String>,
    /// Where the booking is.
    pub booked: Option<SpanView>,
    /// Where the event is, the copy, or what came with a file.
    pub found: Option<SpanView>,
    /// The calendar that it is about, by id and by name.
    pub calendar: Option<String>,
    pub calendar_name: Option<String>,
    /// What became of her asking the customer to come where the event is.
    pub refused: Option<Refused>,
    /// What an event or free time that is no booking is called.
    pub title: Option<String>,
    /// Her events over the booking, or slots that a free time meets: the first of them first.
    pub over: Vec<OverView>,
    /// The account that appointments would go to, and the one that they are in.
    pub account: Option<String>,
    pub former_account: Option<String>,
    /// Appointments that an answer would make events for.
    pub appointments: u32,
    /// Events that would stay where they are.
    pub staying: u32,
    /// Events, copies or free times that are asked about at once.
    pub events: u32,
    /// The single questions that this one stands for.
    pub stands_for: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum CardKind {
    #[default]
    Moved,
    /// The customer was asked for another time, and has not answered.
    Proposed,
    Resized,
    Deleted,
    MovedBoth,
    MovedCancelled,
    HeldDeletion,
    /// Many held removals at once.
    HeldDeletions,
    Renamed,
    /// A copy of a booking's event.
    Copied,
    /// Two events that prove to be the booking's.
    Doubled,
    Overlap,
    TargetGone,
    AccountChanged,
    Invitation,
    ImportConflict,
}

/// How a question to a customer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Refused {
    /// They cannot come then.
    Declined,
    /// They did not answer in time.
    Lapsed,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Declined => Self::Declined,
            Refusal::Lapsed => Self::Lapsed,
        }
    }
}

/// What she may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum CardOption {
    Move,
    Propose,
    Cancel,
    PutBack,
    Remove,
    Unblock,
    Create,
    Switch,
    Leave,
    Accept,
    Decline,
    Replace,
    Merge,
    Skip,
}

impl CardOption {
    /// By the word that the engine and the command know it by.
    fn of(word: &str) -> Option<Self> {
        let word: StrDeserializer<'_, Error> = word.into_deserializer();
        Self::deserialize(word).ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct SpanView {
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub start: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub end: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct OverView {
    /// Empty where it has none.
    pub title: String,
    pub calendar: Option<String>,
    pub all_day: bool,
    pub span: SpanView,
}

/// Everything that waits, those that press first.
#[must_use]
pub fn cards(world: &World, cards: &[Card], now: Timestamp) -> Vec<CardView> {
    open(world, cards, now).iter().take(CARDS_SHOWN).map(|open| card(world, open)).collect()
}

/// How many wait for her: what is asked about at once counts once.
pub(super) fn pressing(cards: &[CardView]) -> usize {
    let grouped: BTreeSet<&String> = cards.iter().flat_map(|card| &card.stands_for).collect();
    cards.iter().filter(|card| card.presses && !grouped.contains(&card.id)).count()
}

fn card(world: &World, open: &Open<'_>) -> CardView {
    let facts = match open {
        Open::AllHeld(held) => all_held(world, held),
        Open::Card(card) => of_card(world, card),
        Open::Invitation(_, row) => CardView {
            kind: CardKind::Invitation,
            title: Some(row.event.summary.clone()),
            found: invited(&row.event, &vendor_zone(world.vendor.as_ref())),
            ..CardView::default()
        },
        Open::Conflict(_, rows) => {
            let first = rows.first();
            let met = first.into_iter().flat_map(|row| &row.conflicts).map(|conflict| OverView {
                title: conflict.with.summary.clone().unwrap_or_default(),
                calendar: None,
                all_day: false,
                span: SpanView { start: conflict.with.start, end: conflict.with.end },
            });
            CardView {
                kind: CardKind::ImportConflict,
                title: first.map(|row| row.summary.clone()),
                found: first.map(|row| row.span.into()),
                over: met.collect(),
                events: count(rows.len()),
                ..CardView::default()
            }
        }
    };
    CardView {
        id: open.id(),
        presses: open.presses(),
        options: open.options().into_iter().filter_map(CardOption::of).collect(),
        may_stand: open.may_stand(),
        ..facts
    }
}

fn all_held(world: &World, held: &[&Card]) -> CardView {
    let calendar = held.first().map(|card| &card.calendar);
    CardView {
        kind: CardKind::HeldDeletions,
        events: count(held.len()),
        stands_for: held.iter().map(|card| card.id()).collect(),
        calendar: calendar.map(ToString::to_string),
        calendar_name: calendar.and_then(|id| Some(world.calendars.get(id)?.name.clone())),
        ..CardView::default()
    }
}

fn of_card(world: &World, card: &Card) -> CardView {
    let booking = card.booking.as_ref().and_then(|id| world.bookings.get(id));
    let calendar = world.calendars.get(&card.calendar);
    let facts = CardView {
        kind: kind(card),
        customer: booking.and_then(|booking| booking.customer_name.clone()),
        service: booking.and_then(|booking| booking.service_name.clone()),
        booked: card.booked.map(SpanView::from),
        found: card.found.map(SpanView::from),
        refused: card.refused(world).map(Refused::from),
        calendar: Some(card.calendar.to_string()),
        calendar_name: calendar.map(|calendar| calendar.name.clone()),
        ..CardView::default()
    };
    match &card.about {
        About::Event | About::Words | About::Proposal(_) | About::Copy(_) => facts,
        About::Seconds(seconds) => CardView { events: count(seconds.len() + 1), ..facts },
        About::Overlap(over) => CardView { over: over.iter().map(OverView::from).collect(), ..facts },
        About::Target { bookings } => CardView { appointments: count(*bookings), ..facts },
        About::Account { connection, bookings, stay } => CardView {
            account: account(world, Some(connection)),
            former_account: account(world, calendar.map(|calendar| &calendar.connection)),
            appointments: count(*bookings),
            staying: count(*stay),
            ..facts
        },
    }
}

fn account(world: &World, id: Option<&ConnectionId>) -> Option<String> {
    Some(world.connections.get(id?)?.account.clone())
}

fn kind(card: &Card) -> CardKind {
    match (card.question, &card.about) {
        (Question::Moved, _) => CardKind::Moved,
        (Question::Proposed, _) => CardKind::Proposed,
        (Question::Resized, _) => CardKind::Resized,
        (Question::Deleted, _) => CardKind::Deleted,
        (Question::MovedBoth, _) => CardKind::MovedBoth,
        (Question::MovedCancelled, _) => CardKind::MovedCancelled,
        (Question::Held, _) => CardKind::HeldDeletion,
        (Question::Renamed, _) => CardKind::Renamed,
        (Question::Duplicated, About::Seconds(_)) => CardKind::Doubled,
        (Question::Duplicated, _) => CardKind::Copied,
        (Question::Overlap, _) => CardKind::Overlap,
        (Question::TargetGone, _) => CardKind::TargetGone,
        (Question::AccountChanged, _) => CardKind::AccountChanged,
    }
}

/// The first time of it: whole days and wall times are hers.
fn invited(event: &Event, zone: &TimeZone) -> Option<SpanView> {
    if let Some(times) = event_times(event) {
        return Some(times.into());
    }
    let start = event.start.instant_in(zone)?;
    Some(SpanView { start, end: start })
}

impl From<(Timestamp, Timestamp)> for SpanView {
    fn from((start, end): (Timestamp, Timestamp)) -> Self {
        Self { start, end }
    }
}

impl From<Interval> for SpanView {
    fn from(span: Interval) -> Self {
        Self { start: span.start(), end: span.end() }
    }
}

impl From<&Over> for OverView {
    fn from(over: &Over) -> Self {
        Self {
            title: over.title.clone(),
            calendar: Some(over.calendar.to_string()),
            all_day: over.all_day,
            span: over.span.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sync::import::OnConflict;
    use sync::world::Choice;

    use super::*;

    #[test]
    fn what_is_asked_at_once_counts_once() {
        let card = |id: &str, stands_for: &[&str]| CardView {
            id: id.to_owned(),
            presses: true,
            stands_for: stands_for.iter().map(|&id| id.to_owned()).collect(),
            ..CardView::default()
        };
        let told = CardView { presses: false, ..card("told", &[]) };
        assert_eq!(
            pressing(&[card("all", &["a", "b"]), card("a", &[]), card("b", &[]), card("c", &[]), told]),
            2
        );
    }

    #[test]
    fn the_window_knows_every_answer_by_the_word_that_the_engine_knows_it_by() {
        let engine =
            Choice::ALL.map(Choice::as_str).into_iter().chain(OnConflict::ALL.map(OnConflict::as_str));
        for word in engine.chain(["accept", "decline"]) {
            let option = CardOption::of(word).unwrap_or_else(|| panic!("{word}"));
            assert_eq!(serde_json::to_value(option).unwrap(), word);
        }
        assert_eq!(CardOption::of("no such word"), None);
    }
}
