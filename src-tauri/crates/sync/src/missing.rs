//! What a whole list of a calendar does not show of our events: looks for each by its id before it counts as deleted. Some
//! lists come back empty although nothing is gone.

use std::collections::BTreeSet;

use crate::decide::{Wish, stands, times, wish};
use crate::error::{MirrorError, ServiceError};
use crate::ids::{BookingId, RemoteId};
use crate::news::News;
use crate::ports::{Calendar, Coverage, Probe, RemoteEvent};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{LinkedCalendar, World};

/// What was found of events that a list does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// They stand all the same.
    pub standing: Vec<RemoteEvent>,
    /// They are gone.
    pub deleted: Vec<RemoteId>,
}

impl Found {
    /// Tells the mirror what no list will.
    pub fn note(&self, parts: &Parts<'_>, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        if self.deleted.is_empty() {
            return Ok(());
        }
        let news = News::Found { standing: &[], deleted: &self.deleted };
        parts.mirror.take_events(&calendar.id, &news)
    }
}

/// Looks for the events of bookings which `listed` should hold and does not. Where it cannot hold one, since that was
/// moved out of its reach, it is looked for as long as its booking asks for an event: nothing else tells that it went.
///
/// # Errors
/// When the service cannot be asked: then nothing may be concluded from the list.
pub(crate) async fn look(
    parts: &Parts<'_>,
    world: &World,
    calendar: &LinkedCalendar,
    remote: &dyn Calendar,
    listed: &[RemoteEvent],
    coverage: Coverage,
) -> Result<Found, ServiceError> {
    let listed: BTreeSet<&RemoteId> = listed.iter().map(|event| &event.id).collect();
    let mut found = Found::default();
    let reached = |event: &RemoteEvent| times(event).is_none_or(|(start, end)| coverage.reaches(start, end));
    let now = parts.clock.now();
    for (booking, event) in known(world, calendar).filter(|(_, event)| !listed.contains(&event.id)) {
        if !reached(event) && wish(world.bookings.get(booking), now) != Wish::Event {
            continue;
        }
        match with_retry(parts.clock, &parts.policy.retry, || remote.probe(&event.id)).await? {
            Probe::Live(event) => found.standing.push(event),
            // The mirror keeps what lies outside the coverage until it is told by name.
            Probe::Burnt | Probe::Absent => found.deleted.push(event.id.clone()),
        }
    }
    Ok(found)
}

/// Events that stand for bookings, as they were last seen.
fn known<'a>(
    world: &'a World,
    calendar: &'a LinkedCalendar,
) -> impl Iterator<Item = (&'a BookingId, &'a RemoteEvent)> {
    let events = world.events.get(&calendar.id);
    let ours = world.mappings.values().filter(|row| row.calendar == calendar.id && stands(row));
    ours.filter_map(move |row| Some((&row.booking, events?.get(&row.event)?)))
}
