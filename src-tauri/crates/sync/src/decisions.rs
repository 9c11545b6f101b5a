//! Everything that waits for the vendor, and what each answer of hers changes. A question's id changes with what it asks
//! about, so that an answer never counts for something she has not seen. Pure.

use std::collections::{BTreeMap, BTreeSet};

use calendar::event::Uid;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::busy_set::vendor_zone;
use crate::decide::Question;
use crate::ids::{CalendarId, ConnectionId};
use crate::import::{Given, ImportedSlot, Intake, Invitation, OnConflict, SlotKey, SlotState, hers, is_over};
use crate::plan::Card;
use crate::ports::RemoteEvent;
use crate::report::{DecisionReport, StandingReport};
use crate::standing::refusal;
use crate::words;
use crate::world::{Answer, Choice, World};

const ACCEPT: &str = "accept";
const DECLINE: &str = "decline";

/// Why an answer does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing with this id waits: it was answered, or what it asked about has changed.
    NotWaiting,
    NoSuchOption {
        options: Vec<String>,
    },
    /// This kind of question is hers to answer each time.
    NotForAll {
        why: &'static str,
    },
}

/// What her answer changes in the mirror; the next sync carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    Import {
        calendar: CalendarId,
        intake: Intake,
    },
    /// With the accounts that must be asked to act on it.
    Bookings {
        answers: Vec<Answer>,
        connections: BTreeSet<ConnectionId>,
    },
}

impl Decided {
    /// The accounts that must be asked to act on it.
    #[must_use]
    pub fn connections(&self, world: &World) -> BTreeSet<ConnectionId> {
        match self {
            Self::Import { calendar, .. } => {
                let calendar = world.calendars.get(calendar);
                calendar.map(|calendar| calendar.connection.clone()).into_iter().collect()
            }
            Self::Bookings { connections, .. } => connections.clone(),
        }
    }
}

/// One question that waits, with what it is about.
#[derive(Clone, Debug)]
pub enum Open<'a> {
    /// All removals that are held, where there are more than one. Each can be decided by itself too.
    AllHeld(Vec<&'a Card>),
    Card(&'a Card),
    Invitation(&'a Invitation, &'a RemoteEvent),
    /// Times of one imported event that meet slots: one choice counts for all of them.
    Conflict(&'a Uid, Vec<&'a ImportedSlot>),
}

impl Open<'_> {
    /// What [`answer`] knows it by.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::AllHeld(held) => held_id(held),
            Self::Card(card) => card.id(),
            Self::Invitation(invitation, _) => invitation_id(invitation),
            Self::Conflict(uid, rows) => conflict_id(uid, rows),
        }
    }

    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AllHeld(_) => HELD,
            Self::Card(card) => card.question.as_str(),
            Self::Invitation(..) => "invitation",
            Self::Conflict(..) => "import_conflict",
        }
    }

    /// What she may answer, the likeliest first.
    #[must_use]
    pub fn options(&self) -> Vec<&'static str> {
        match self {
            Self::AllHeld(held) => held[0].choices().iter().map(|choice| choice.as_str()).collect(),
            Self::Card(card) => card.choices().iter().map(|choice| choice.as_str()).collect(),
            Self::Invitation(..) => vec![ACCEPT, DECLINE],
            Self::Conflict(..) => OnConflict::ALL.map(OnConflict::as_str).to_vec(),
        }
    }

    /// Whether silence costs something.
    #[must_use]
    pub fn presses(&self) -> bool {
        if let Self::Card(card) = self { card.question.presses() } else { true }
    }

    /// Whether one answer may stand for all questions of its kind.
    #[must_use]
    pub fn may_stand(&self) -> bool {
        match self {
            Self::AllHeld(_) => refusal(Question::Held).is_none(),
            Self::Card(card) => refusal(card.question).is_none(),
            Self::Invitation(..) | Self::Conflict(..) => false,
        }
    }

    fn told(&self, world: &World) -> DecisionReport {
        let (booking_id, summary, outcomes): (_, _, Vec<String>) = match self {
            Self::AllHeld(held) => (
                None,
                words::held_summary(world, held),
                held[0].choices().iter().map(|choice| words::held_outcome(held.len(), *choice)).collect(),
            ),
            Self::Card(card) => (
                card.booking.clone(),
                words::card_summary(world, card),
                card.choices().iter().map(|choice| words::card_outcome(world, card, *choice)).collect(),
            ),
            Self::Invitation(_, row) => (
                None,
                words::invitation_summary(world, &row.event),
                [words::ACCEPT, words::DECLINE].map(str::to_owned).to_vec(),
            ),
            Self::Conflict(_, rows) => (
                None,
                words::conflict_summary(world, rows),
                OnConflict::ALL.map(|choice| words::conflict_outcome(choice).to_owned()).to_vec(),
            ),
        };
        DecisionReport {
            id: self.id(),
            kind: self.kind().to_owned(),
            booking_id,
            summary,
            options: self.options().into_iter().map(str::to_owned).collect(),
            outcomes,
        }
    }
}

/// All questions: bookings first, then invitations, then imported free times, and last those that do not press.
#[must_use]
pub fn open<'a>(world: &'a World, cards: &'a [Card], now: Timestamp) -> Vec<Open<'a>> {
    let held = held_cards(cards);
    let held = (held.len() > 1).then_some(Open::AllHeld(held));
    let invitations = invitations(world, now).map(|(invitation, row)| Open::Invitation(invitation, row));
    let conflicts = conflicts(world, &world.imported_slots).into_iter();
    let conflicts = conflicts.map(|((_, uid), rows)| Open::Conflict(uid, rows));
    let mut all: Vec<Open<'a>> =
        held.into_iter().chain(cards.iter().map(Open::Card)).chain(invitations).chain(conflicts).collect();
    all.sort_by_key(|open| !open.presses());
    all
}

/// As [`open`], in the words of the command.
#[must_use]
pub fn waiting(world: &World, cards: &[Card], now: Timestamp) -> Vec<DecisionReport> {
    open(world, cards, now).iter().map(|open| open.told(world)).collect()
}

/// A question that was answered as all of its kind are.
#[must_use]
pub fn told(world: &World, card: &Card, choice: Choice) -> StandingReport {
    StandingReport {
        id: card.id(),
        kind: card.question.as_str().to_owned(),
        booking_id: card.booking.clone(),
        summary: words::card_summary(world, card),
        option: choice.as_str().to_owned(),
        outcome: words::card_outcome(world, card, choice),
    }
}

fn held_cards(cards: &[Card]) -> Vec<&Card> {
    cards.iter().filter(|card| card.question == Question::Held).collect()
}

fn held_id(held: &[&Card]) -> String {
    format!("{HELD}-{}", digest(&json!(held.iter().map(|card| card.id()).collect::<Vec<_>>())))
}

/// What her answer changes, and in which calendar.
///
/// # Errors
/// When it answers nothing that waits, or not with one of its options.
pub fn answer(
    world: &World,
    cards: &[Card],
    now: Timestamp,
    id: &str,
    option: &str,
) -> Result<Decided, Refused> {
    if let Some((invitation, row)) =
        invitations(world, now).find(|(invitation, _)| invitation_id(invitation) == id)
    {
        let answer = match option {
            ACCEPT => Given::Accepted,
            DECLINE => Given::Declined,
            _ => return Err(no_such(&[ACCEPT, DECLINE])),
        };
        let mut row = row.clone();
        row.event.answer = hers(answer);
        let invitation = Invitation { answer, ..invitation.clone() };
        let calendar = invitation.calendar.clone();
        let intake = Intake { changed: vec![row], invitations: vec![invitation], ..Intake::default() };
        return Ok(Decided::Import { calendar, intake });
    }
    if let Some(((calendar, uid), _)) = conflicts(world, &world.imported_slots)
        .into_iter()
        .find(|((_, uid), rows)| conflict_id(uid, rows) == id)
    {
        let choice =
            OnConflict::parse(option).ok_or_else(|| no_such(&OnConflict::ALL.map(OnConflict::as_str)))?;
        let intake = Intake { choices: vec![(uid.clone(), Some(choice))], ..Intake::default() };
        return Ok(Decided::Import { calendar: calendar.clone(), intake });
    }
    let held = held_cards(cards);
    let asked: Vec<&Card> = if held.len() > 1 && held_id(&held) == id {
        held
    } else {
        cards.iter().filter(|card| card.id() == id).collect()
    };
    let first = asked.first().ok_or(Refused::NotWaiting)?;
    let choice = Choice::parse(option)
        .filter(|choice| first.choices().contains(choice))
        .ok_or_else(|| no_such(&first.choices().iter().map(|choice| choice.as_str()).collect::<Vec<_>>()))?;
    Ok(Decided::Bookings {
        answers: asked.iter().map(|card| card.answered(choice, now)).collect(),
        connections: asked.iter().flat_map(|card| card.concerns(world)).collect(),
    })
}

/// What stands for all questions of this kind from now on, if she answers this one so for all of them.
///
/// # Errors
/// When nothing may stand for questions of this kind.
pub fn for_all(cards: &[Card], id: &str, option: &str) -> Result<(Question, Choice), Refused> {
    let held = held_cards(cards);
    let is_all_held = held.len() > 1 && held_id(&held) == id;
    let card = if is_all_held { held.first().copied() } else { cards.iter().find(|card| card.id() == id) };
    let Some(card) = card else { return Err(Refused::NotForAll { why: ANOTHER_WAY }) };
    may_stand(card.question.as_str(), option)
}

/// A kind of question, and what is to stand for it.
///
/// # Errors
/// When there is no such kind or option, or nothing may stand for it.
pub fn may_stand(kind: &str, option: &str) -> Result<(Question, Choice), Refused> {
    let question = kind_of(kind)?;
    if let Some(why) = refusal(question) {
        return Err(Refused::NotForAll { why });
    }
    let choice = Choice::parse(option).filter(|choice| question.options().contains(choice));
    let words = || question.options().iter().map(|choice| choice.as_str()).collect::<Vec<_>>();
    Ok((question, choice.ok_or_else(|| no_such(&words()))?))
}

/// # Errors
/// When there is no such kind, or it is one that nothing may stand for.
pub fn kind_of(kind: &str) -> Result<Question, Refused> {
    match (Question::parse(kind), kind) {
        (Some(question), _) => Ok(question),
        (None, HELD) => Ok(Question::Held),
        (None, "invitation" | "import_conflict") => Err(Refused::NotForAll { why: ANOTHER_WAY }),
        (None, _) => Err(no_such(&Question::ALL.map(Question::as_str))),
    }
}

const HELD: &str = "held_deletions";
const ANOTHER_WAY: &str = "What files bring is decided with each of them; `companion import --on-conflict` decides \
                           about a whole file.";

fn no_such(options: &[&str]) -> Refused {
    Refused::NoSuchOption { options: options.iter().map(|option| (*option).to_owned()).collect() }
}

/// How many questions are about these events, if free times stand as `rows` say.
#[must_use]
pub fn concerning(
    world: &World,
    rows: &BTreeMap<SlotKey, ImportedSlot>,
    uids: &BTreeSet<Uid>,
    now: Timestamp,
) -> usize {
    let asked = invitations(world, now).filter(|(_, row)| uids.contains(&row.event.uid)).count();
    asked + conflicts(world, rows).keys().filter(|(_, uid)| uids.contains(*uid)).count()
}

/// Those that still lie ahead: nobody is asked about yesterday.
fn invitations(world: &World, now: Timestamp) -> impl Iterator<Item = (&Invitation, &RemoteEvent)> {
    let zone = vendor_zone(world.vendor.as_ref());
    world
        .invitations
        .values()
        .filter(|invitation| invitation.answer == Given::Waiting)
        .filter_map(|invitation| {
            Some((invitation, world.events.get(&invitation.calendar)?.get(&invitation.event)?))
        })
        .filter(move |(_, row)| !is_over(&row.event, now, &zone))
}

fn invitation_id(invitation: &Invitation) -> String {
    format!("invitation-{}", digest(&json!([invitation.calendar, invitation.event, invitation.asked])))
}

/// Free times that wait for a choice, by event: one choice counts for all of its times.
fn conflicts<'a>(
    world: &World,
    rows: &'a BTreeMap<SlotKey, ImportedSlot>,
) -> BTreeMap<(&'a CalendarId, &'a Uid), Vec<&'a ImportedSlot>> {
    let mut events: BTreeMap<(&CalendarId, &Uid), Vec<&ImportedSlot>> = BTreeMap::new();
    let chosen = |row: &&ImportedSlot| world.choices.contains_key(&(row.calendar.clone(), row.uid.clone()));
    for row in rows.values().filter(|row| row.state == SlotState::Waiting) {
        if !chosen(&row) {
            events.entry((&row.calendar, &row.uid)).or_default().push(row);
        }
    }
    events
}

fn conflict_id(uid: &Uid, rows: &[&ImportedSlot]) -> String {
    let met: Vec<_> = rows.iter().map(|row| (row.span, &row.conflicts)).collect();
    format!("import_conflict-{}", digest(&json!([uid, met])))
}

fn digest(value: &serde_json::Value) -> String {
    HEXLOWER.encode(&Sha256::digest(value.to_string())[..8])
}

#[cfg(test)]
mod tests;
