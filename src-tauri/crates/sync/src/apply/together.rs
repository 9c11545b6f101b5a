//! Creates that a service takes at once. Each is intended before any is sent and settled by its own answer, so that what
//! holds for one create alone holds for each of these; what a first answer means is not decided here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Applied;
use crate::booking::Draft;
use crate::error::{MirrorError, ServiceError};
use crate::ids::{BookingId, CalendarId, RunId};
use crate::ports::RemoteEvent;
use crate::run::Parts;
use crate::world::{Operation, OperationId, World};

/// A create that was sent with others, and the answer that it got.
pub(crate) struct First {
    pub(crate) operation: OperationId,
    pub(crate) answer: Result<RemoteEvent, ServiceError>,
    /// When it came: what its service asks for counts from then, for all of them alike.
    pub(crate) came: Timestamp,
}

/// What was sent ahead of its turn.
#[derive(Default)]
pub(super) struct Ahead(BTreeMap<(CalendarId, BookingId), First>);

impl Ahead {
    /// The answer that this write has got already.
    pub(super) fn take(&mut self, operation: &Operation) -> Option<First> {
        let Operation::CreateEvent { calendar, draft } = operation else { return None };
        self.0.remove(&(calendar.clone(), draft.booking.clone()))
    }

    /// Sends the first of `writes` together with those after it that its service would take in the same request.
    /// Nothing, where it is no create or the only one.
    ///
    /// # Errors
    /// When the mirror cannot be written: nothing is sent then.
    pub(super) async fn send(
        &mut self,
        parts: &Parts<'_>,
        run: &RunId,
        world: &World,
        writes: &[Operation],
        applied: &Applied,
    ) -> Result<(), MirrorError> {
        let Some(Operation::CreateEvent { calendar: into, draft }) = writes.first() else { return Ok(()) };
        if self.0.contains_key(&(into.clone(), draft.booking.clone())) {
            return Ok(());
        }
        let Some(linked) = world.calendars.get(into) else { return Ok(()) };
        let Some(account) = parts.accounts.get(&linked.connection) else { return Ok(()) };
        let calendar = account.calendar(&linked.remote);
        let together: Vec<(&Operation, &Draft)> = writes
            .iter()
            .filter_map(|operation| {
                let Operation::CreateEvent { calendar, draft } = operation else { return None };
                (calendar == into).then_some((operation, draft))
            })
            .filter(|(_, draft)| applied.may_try(&linked.connection, into, &draft.booking))
            .take(calendar.creates_at_once())
            .collect();
        if together.len() < 2 || parts.writer.admit(parts).await.is_err() {
            // One alone goes its usual way, and meets there what keeps it from being written.
            return Ok(());
        }
        let mut intended = Vec::with_capacity(together.len());
        for (operation, _) in &together {
            intended.push(parts.mirror.intend(run, operation, parts.clock.now())?);
        }
        for operation in &intended {
            parts.mirror.attempted(*operation, parts.clock.now())?;
        }
        let drafts: Vec<Draft> = together.iter().map(|(_, draft)| (*draft).clone()).collect();
        let mut answers = calendar.create_all(&drafts).await;
        let came = parts.clock.now();
        answers.truncate(drafts.len());
        answers.resize_with(drafts.len(), || Err(unanswered()));
        for ((draft, operation), answer) in drafts.into_iter().zip(intended).zip(answers) {
            self.0.insert((into.clone(), draft.booking), First { operation, answer, came });
        }
        Ok(())
    }
}

/// Whether it was done is for a look under its key to tell.
fn unanswered() -> ServiceError {
    let reason = "one of several creates got no answer".to_owned();
    ServiceError::Garbled { service: "the calendar".to_owned(), reason }
}
