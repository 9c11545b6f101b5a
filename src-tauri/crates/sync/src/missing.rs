//! What a whole list of a calendar does not show of our events: looks for each by its id before it counts as deleted. Some
//! lists come back empty although nothing is gone.

use std::collections::BTreeSet;

use crate::decide::{stands, times};
use crate::error::ServiceError;
use crate::ids::RemoteId;
use crate::ports::{Calendar, Coverage, Probe, RemoteEvent};
use crate::retry::with_retry;
use crate::run::Parts;
use crate::world::{LinkedCalendar, World};

/// The events of bookings which `listed` should hold and does not, and which stand all the same.
///
/// # Errors
/// When the service cannot be asked: then nothing may be concluded from the list.
pub(crate) async fn standing(
    parts: &Parts<'_>,
    world: &World,
    calendar: &LinkedCalendar,
    remote: &dyn Calendar,
    listed: &[RemoteEvent],
    coverage: Coverage,
) -> Result<Vec<RemoteEvent>, ServiceError> {
    let listed: BTreeSet<&RemoteId> = listed.iter().map(|event| &event.id).collect();
    let mut found = Vec::new();
    // The mirror keeps those outside the coverage: nobody said that they are gone.
    let reached = |event: &&RemoteEvent| times(event).is_none_or(|(start, end)| coverage.reaches(start, end));
    for event in known(world, calendar).filter(reached).filter(|event| !listed.contains(&event.id)) {
        match with_retry(parts.clock, &parts.policy.retry, || remote.probe(&event.id)).await? {
            Probe::Live(event) => found.push(event),
            Probe::Burnt | Probe::Absent => {}
        }
    }
    Ok(found)
}

/// Events that stand for bookings, as they were last seen.
fn known<'a>(world: &'a World, calendar: &'a LinkedCalendar) -> impl Iterator<Item = &'a RemoteEvent> {
    let events = world.events.get(&calendar.id);
    let ours = world.mappings.values().filter(|row| row.calendar == calendar.id && stands(row));
    ours.filter_map(move |row| events?.get(&row.event))
}
