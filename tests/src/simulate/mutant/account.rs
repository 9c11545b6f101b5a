//! An account between which and the engine one rule is broken.

use async_trait::async_trait;
use jiff::Timestamp;
use sync::booking::{Draft, event_id};
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry, Coverage, Probe, Reading, RemoteEvent};

use super::super::liar::{ANY, Liar};
use super::super::stage::on;
use super::Mutant;
use crate::service::event_of;

pub struct MutantAccount {
    pub inside: Liar,
    pub mutant: Mutant,
}

#[async_trait]
impl Account for MutantAccount {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        self.inside.calendars().await
    }

    async fn create_calendar(
        &self,
        name: &str,
        time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        self.inside.create_calendar(name, time_zone, vendor).await
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(MutantCalendar {
            inside: self.inside.calendar(remote),
            liar: self.inside.clone(),
            remote: remote.clone(),
            mutant: self.mutant,
        })
    }
}

struct MutantCalendar {
    inside: Box<dyn Calendar>,
    liar: Liar,
    remote: RemoteCalendarId,
    mutant: Mutant,
}

impl MutantCalendar {
    /// The precondition of a write, unless that is what is broken.
    fn precondition(&self, skipped: Mutant, base: &ETag) -> ETag {
        if self.mutant == skipped { ETag(ANY.to_owned()) } else { base.clone() }
    }

    fn drafted(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        if self.mutant == Mutant::InventsIds {
            draft.id = RemoteId(on(&self.liar.stage).name("invented"));
        }
        draft
    }

    fn believed(
        &self,
        draft: &Draft,
        answer: Result<RemoteEvent, ServiceError>,
    ) -> Result<RemoteEvent, ServiceError> {
        match answer {
            Err(error) if error.outcome_unknown() && self.mutant == Mutant::BelievesLostReplies => {
                Ok(event_of(draft))
            }
            answer => answer,
        }
    }

    /// Her copies of our events are not hers, if a marker is proof enough.
    fn without_copies(&self, items: Vec<RemoteEvent>) -> Vec<RemoteEvent> {
        let derived = |event: &RemoteEvent| {
            event.marker.as_ref().is_none_or(|marker| {
                (0..8).any(|generation| event.id == event_id(&marker.booking, &self.remote, generation))
            })
        };
        items.into_iter().filter(derived).collect()
    }
}

#[async_trait]
impl Calendar for MutantCalendar {
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        let whole = |items| Reading::Snapshot { items, coverage: Coverage::Everything, cursor: None };
        match (self.mutant, self.inside.read(cursor, since).await) {
            (Mutant::TakesHalfACalendarForAll, Reading::Partial { items, .. }) => whole(items),
            (Mutant::TakesUnreadForEmpty, Reading::Failed(_)) => whole(Vec::new()),
            (Mutant::TakesALostCursorForNothing, Reading::CursorLost) => whole(Vec::new()),
            (Mutant::TrustsMarkers, Reading::Snapshot { items, coverage, cursor }) => {
                Reading::Snapshot { items: self.without_copies(items), coverage, cursor }
            }
            (Mutant::TrustsMarkers, Reading::Delta { changed, removed, cursor }) => {
                Reading::Delta { changed: self.without_copies(changed), removed, cursor }
            }
            (_, reading) => reading,
        }
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let draft = self.drafted(draft);
        self.believed(&draft, self.inside.create(&draft).await)
    }

    fn creates_at_once(&self) -> usize {
        self.inside.creates_at_once()
    }

    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let drafts: Vec<Draft> = drafts.iter().map(|draft| self.drafted(draft)).collect();
        let answers = self.inside.create_all(&drafts).await;
        drafts.iter().zip(answers).map(|(draft, answer)| self.believed(draft, answer)).collect()
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let mut draft = draft.clone();
        draft.times_only &= self.mutant != Mutant::WritesOverHerWords;
        let base = self.precondition(Mutant::SkipsPreconditionOfUpdates, base);
        self.inside.update(id, &base, &draft).await
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        let base = self.precondition(Mutant::SkipsPreconditionOfDeletes, base);
        self.inside.delete(id, &base).await
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        match (self.mutant, self.inside.probe(id).await?) {
            (Mutant::RetriesWithoutProbe, _) | (Mutant::KeepsTheGeneration, Probe::Burnt) => {
                Ok(Probe::Absent)
            }
            (_, probe) => Ok(probe),
        }
    }
}
