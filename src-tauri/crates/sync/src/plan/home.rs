//! Where bookings go, once that is in doubt: the calendar that takes them is gone, or she signed in to another account.
//! Until she has decided, nothing is written elsewhere and nothing is concluded about what stands there.

use jiff::Timestamp;
use serde_json::json;

use super::card::{About, Card, chosen, digest};
use crate::decide::{Question, Wish, stands, wish};
use crate::ids::{CalendarId, ConnectionId};
use crate::world::{Choice, Connection, ConnectionState, LinkedCalendar, Role, World};

/// Where bookings are to go from now on, by her word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub connection: ConnectionId,
    /// The calendar that took them until now.
    pub instead_of: CalendarId,
    /// What becomes of that one.
    pub role: Role,
}

pub(super) fn questions(world: &World, now: Timestamp) -> Vec<Card> {
    all(world, now).into_iter().filter(|card| chosen(world, card).is_none()).collect()
}

/// What she decided about where bookings go, if it is not done yet.
#[must_use]
pub fn decided_home(world: &World, now: Timestamp) -> Option<Home> {
    all(world, now).into_iter().find_map(|card| {
        let target = world.calendars.get(&card.calendar)?;
        let (connection, role) = match (chosen(world, &card)?, card.about) {
            (Choice::Create, _) => (target.connection.clone(), Role::Off),
            // What she adds there herself still blocks time.
            (Choice::Switch, About::Account { connection, .. }) => (connection, Role::Busy),
            (_, _) => return None,
        };
        Some(Home { connection, instead_of: target.id.clone(), role })
    })
}

fn all(world: &World, now: Timestamp) -> Vec<Card> {
    // Where she is about to leave, nothing is to be decided any more.
    let stays = |calendar: &&LinkedCalendar| {
        let connection = world.connections.get(&calendar.connection);
        connection.is_some_and(|connection| connection.state != ConnectionState::Leaving)
    };
    let targets = world.calendars.values().filter(|calendar| calendar.role == Role::Target).filter(stays);
    targets
        .flat_map(|target| gone(world, target, now).into_iter().chain(changed(world, target, now)))
        .collect()
}

fn gone(world: &World, target: &LinkedCalendar, now: Timestamp) -> Option<Card> {
    let since = world.gone.get(&target.id)?;
    Some(Card {
        question: Question::TargetGone,
        booking: None,
        calendar: target.id.clone(),
        about: About::Target { bookings: ahead(world, now) },
        booked: None,
        found: None,
        state: digest(&json!([target.id, since])),
        choices: Question::TargetGone.options().to_vec(),
    })
}

/// Every account of the same service that she signed in to after the one whose calendar takes bookings.
fn changed(world: &World, target: &LinkedCalendar, now: Timestamp) -> Vec<Card> {
    let Some(old) = world.connections.get(&target.connection) else { return Vec::new() };
    let is_later = |other: &&Connection| {
        let stays = other.state != ConnectionState::Leaving;
        stays && other.service == old.service && other.id != old.id && other.created_at > old.created_at
    };
    let stay = world.mappings.values().filter(|row| row.calendar == target.id && stands(row)).count();
    let card = |other: &Connection| Card {
        question: Question::AccountChanged,
        booking: None,
        calendar: target.id.clone(),
        about: About::Account { connection: other.id.clone(), bookings: ahead(world, now), stay },
        booked: None,
        found: None,
        state: digest(&json!([target.id, other.id])),
        choices: Question::AccountChanged.options().to_vec(),
    };
    world
        .connections
        .values()
        .filter(is_later)
        .filter(|other| other.service.holds_bookings())
        .map(card)
        .collect()
}

/// Bookings that are to have an event.
fn ahead(world: &World, now: Timestamp) -> usize {
    world.bookings.values().filter(|booking| wish(Some(booking), now) == Wish::Event).count()
}
