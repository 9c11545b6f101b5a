//! The rows of the mirror that follow from an event standing, proving to be ours, or being gone.

use jiff::Timestamp;

use crate::booking::Draft;
use crate::decide::{fingerprint, fingerprint_of_draft, says, written};
use crate::ids::CalendarId;
use crate::ports::RemoteEvent;
use crate::world::{Mapping, MappingState};

/// A mapping that we removed leaves a burnt id behind; one whose create failed does not.
#[must_use]
pub fn next_generation(mapping: Option<&Mapping>) -> u32 {
    mapping.map_or(0, |mapping| mapping.generation + u32::from(mapping.state == MappingState::Removed))
}

/// The mapping that follows from an event of ours standing as `event`.
#[must_use]
pub fn stored(calendar: CalendarId, draft: &Draft, event: &RemoteEvent, now: Timestamp) -> Mapping {
    Mapping {
        booking: draft.booking.clone(),
        calendar,
        vendor: draft.vendor.clone(),
        event: event.id.clone(),
        generation: draft.generation,
        state: MappingState::Synced,
        etag: Some(event.etag.clone()),
        written: Some(written(draft)),
        echo: Some(fingerprint(event)),
        error: None,
        last_synced_at: Some(now),
        created_at: now,
        updated_at: now,
    }
}

/// The mapping of an event that proves to be ours although the mirror knew nothing of it.
///
/// What we once wrote there is not known. Where it differs from the booking, we act as if we had written the booking:
/// the difference is then hers, and asked about, never overwritten.
#[must_use]
pub fn found(calendar: CalendarId, draft: &Draft, event: &RemoteEvent, now: Timestamp) -> Mapping {
    let echo = if says(event, draft) { fingerprint(event) } else { fingerprint_of_draft(draft) };
    Mapping { echo: Some(echo), ..stored(calendar, draft, event, now) }
}

pub(super) fn adopted(mapping: &Mapping, event: &RemoteEvent, draft: &Draft, now: Timestamp) -> Mapping {
    Mapping { created_at: mapping.created_at, ..stored(mapping.calendar.clone(), draft, event, now) }
}

/// The mapping of a booking whose event is gone with it. It stays, so that the burnt id is known.
#[must_use]
pub fn removed(mapping: &Mapping, now: Timestamp) -> Mapping {
    Mapping {
        state: MappingState::Removed,
        etag: None,
        written: None,
        echo: None,
        error: None,
        last_synced_at: Some(now),
        updated_at: now,
        ..mapping.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::made::{at, draft, event, row, titled};
    use crate::world::SyncProblem;

    #[test]
    fn a_row_whose_event_is_gone_remembers_the_burnt_id_and_nothing_that_stood() {
        let problem = SyncProblem { code: Code::Internal, message: String::new() };
        let before = Mapping { error: Some(problem), generation: 3, ..row(&event(&draft(1), "1")) };
        let after = removed(&before, at(0));
        assert_eq!((after.state, after.generation, &after.event), (MappingState::Removed, 3, &before.event));
        assert_eq!((after.etag, after.written, after.echo, after.error), (None, None, None, None));
        assert_eq!((after.created_at, after.updated_at), (before.created_at, at(0)));
        assert_eq!(after.last_synced_at, Some(at(0)));
        assert_eq!(next_generation(Some(&removed(&before, at(0)))), 4);
    }

    #[test]
    fn a_row_is_as_old_as_it_was_however_its_event_is_taken_for_the_bookings() {
        let before = row(&event(&draft(1), "1"));
        let after = adopted(&before, &event(&draft(2), "2"), &draft(2), at(0));
        assert_eq!((after.created_at, after.updated_at), (before.created_at, at(0)));
    }

    #[test]
    fn what_was_found_otherwise_than_its_booking_is_hers_to_be_asked_about() {
        let (as_booked, hers) = (event(&draft(1), "1"), titled(&event(&draft(1), "1"), "Nadia"));
        let echo = |event| found(crate::made::calendar(), &draft(1), event, at(0)).echo;
        assert_eq!(echo(&as_booked), Some(fingerprint(&as_booked)));
        assert_eq!(echo(&hers), Some(fingerprint_of_draft(&draft(1))));
        assert_ne!(echo(&hers), Some(fingerprint(&hers)));
    }
}
