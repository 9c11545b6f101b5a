//! Engines that are wrong on purpose. Each differs from the real one by one rule that is broken between it and a port,
//! so that the production code needs no switch for it; the simulation must notice every one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::{Booking, Draft, event_id};
use sync::closing::ClosedSlot;
use sync::decide::Question;
use sync::error::{MirrorError, ServiceError};
use sync::ids::{
    BookingId, CalendarId, ConnectionId, Cursor, ETag, RemoteCalendarId, RemoteId, RunId, SlotId, VendorId,
};
use sync::import::{ImportedSlot, Intake, SlotKey};
use sync::journal::JournalEntry;
use sync::news::News;
use sync::ports::{
    Account, BusyReceipt, BusySet, Calendar, CalendarEntry, Coverage, Mirror, Platform, Probe, Reading,
    RemoteEvent, Slot, SlotMade,
};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy, RunRecord,
    Settled, Vendor, World,
};

use super::liar::Liar;
use super::stage::on;
use super::watched::Watched;
use crate::service::event_of;

/// One rule, broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Updates go out with whatever version stands there.
    SkipsPreconditionOfUpdates,
    SkipsPreconditionOfDeletes,
    /// Half a reading of a calendar counts as all of it.
    TakesHalfACalendarForAll,
    /// Half a reading of the bookings counts as all of them.
    TakesHalfTheBookingsForAll,
    /// A calendar that cannot be read counts as empty.
    TakesUnreadForEmpty,
    /// Bookings that cannot be read count as none.
    TakesUnreadBookingsForNone,
    /// A calendar's cursor is committed before its rows.
    CommitsCursorEarly,
    BookingsCursorEarly,
    IgnoresTombstones,
    /// What the service echoed is not written down.
    ForgetsEcho,
    /// Busy time is sent without writing the intent down first.
    ForgetsIntentToPublish,
    /// A write is sent without writing the intent down first.
    ForgetsIntentToWrite,
    /// After a lost answer nobody looks.
    RetriesWithoutProbe,
    /// A lost answer counts as done.
    BelievesLostReplies,
    BelievesLostPublications,
    /// Every try takes an id of its own.
    InventsIds,
    /// A deleted id is tried again and again.
    KeepsTheGeneration,
    /// A marker alone counts as proof: her copies are taken for ours.
    TrustsMarkers,
    /// Busy time that ended stays.
    NeverReopens,
    /// The journal is never closed.
    NeverSettlesPublications,
    /// Words are written along with times.
    WritesOverHerWords,
    /// A lost cursor empties the mirror's calendar and counts as read.
    TakesALostCursorForNothing,
}

impl Mutant {
    /// Those that break a promise only where two rare things meet: hundreds of stories may pass without one.
    pub const RARE: [Self; 5] = [
        Self::SkipsPreconditionOfUpdates,
        Self::SkipsPreconditionOfDeletes,
        Self::ForgetsEcho,
        Self::ForgetsIntentToPublish,
        Self::ForgetsIntentToWrite,
    ];

    pub const ALL: [Self; 22] = [
        Self::SkipsPreconditionOfUpdates,
        Self::SkipsPreconditionOfDeletes,
        Self::TakesHalfACalendarForAll,
        Self::TakesHalfTheBookingsForAll,
        Self::TakesUnreadForEmpty,
        Self::TakesUnreadBookingsForNone,
        Self::CommitsCursorEarly,
        Self::BookingsCursorEarly,
        Self::IgnoresTombstones,
        Self::ForgetsEcho,
        Self::ForgetsIntentToPublish,
        Self::ForgetsIntentToWrite,
        Self::RetriesWithoutProbe,
        Self::BelievesLostReplies,
        Self::BelievesLostPublications,
        Self::InventsIds,
        Self::KeepsTheGeneration,
        Self::TrustsMarkers,
        Self::NeverReopens,
        Self::NeverSettlesPublications,
        Self::WritesOverHerWords,
        Self::TakesALostCursorForNothing,
    ];
}

pub struct MutantMirror {
    pub inside: Watched,
    pub mutant: Mutant,
}

/// The journal's row of an intent that was not written down.
const NOWHERE: OperationId = OperationId(-1);

impl MutantMirror {
    fn forgets(&self, operation: &Operation) -> bool {
        let publishes = matches!(operation, Operation::PublishBusy { .. });
        self.mutant == Mutant::ForgetsIntentToPublish && publishes
            || self.mutant == Mutant::ForgetsIntentToWrite && !publishes
    }
}

impl Mirror for MutantMirror {
    fn world(&self) -> Result<World, MirrorError> {
        self.inside.world()
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, MirrorError> {
        self.inside.runs(limit)
    }

    fn journal(&self, run: &RunId) -> Result<Vec<JournalEntry>, MirrorError> {
        self.inside.journal(run)
    }

    fn published(&self) -> Result<BTreeMap<CalendarId, PublishedBusy>, MirrorError> {
        self.inside.published()
    }

    fn set_vendor(&self, vendor: &Vendor) -> Result<(), MirrorError> {
        self.inside.set_vendor(vendor)
    }

    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError> {
        self.inside.put_connection(connection)
    }

    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError> {
        self.inside.remove_connection(id)
    }

    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        self.inside.put_calendar(calendar)
    }

    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError> {
        if let (Mutant::BookingsCursorEarly, News::Changes { cursor, .. }) = (self.mutant, news) {
            self.inside.take_bookings(&News::Changes { changed: &[], removed: &[], cursor })?;
        }
        self.inside.take_bookings(news)
    }

    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError> {
        match (self.mutant, news) {
            (Mutant::CommitsCursorEarly, News::Changes { cursor, .. }) => {
                let nothing = News::Changes { changed: &[], removed: &[], cursor };
                self.inside.take_events(calendar, &nothing)?;
            }
            (Mutant::IgnoresTombstones, News::Changes { changed, cursor, .. }) => {
                let news = News::Changes { changed, removed: &[], cursor };
                return self.inside.take_events(calendar, &news);
            }
            (Mutant::IgnoresTombstones, News::Found { standing, .. }) => {
                let news = News::Found { standing, deleted: &[] };
                return self.inside.take_events(calendar, &news);
            }
            (_, _) => {}
        }
        self.inside.take_events(calendar, news)
    }

    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError> {
        self.inside.forget_cursor(calendar)
    }

    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError> {
        self.inside.put_full_reading(side, reading)
    }

    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError> {
        self.inside.take_import(calendar, intake)
    }

    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError> {
        self.inside.put_imported_slots(rows, forgotten)
    }

    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError> {
        self.inside.put_closed_slots(rows, forgotten)
    }

    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError> {
        if self.forgets(operation) { Ok(NOWHERE) } else { self.inside.intend(run, operation, at) }
    }

    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError> {
        if operation == NOWHERE { Ok(()) } else { self.inside.attempted(operation, at) }
    }

    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        if operation == NOWHERE {
            return self.follow(settled, at);
        }
        match (self.mutant, settled) {
            (Mutant::NeverSettlesPublications, Settled::Published(_)) => Ok(()),
            (Mutant::ForgetsEcho, Settled::Stored { mapping, event }) => {
                let mapping = Box::new(Mapping { echo: None, ..(**mapping).clone() });
                self.inside.settle(operation, &Settled::Stored { mapping, event: event.clone() }, at)
            }
            (_, settled) => self.inside.settle(operation, settled, at),
        }
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.inside.put_mapping(mapping)
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.inside.remove_mapping(booking, calendar)
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        self.inside.put_answers(answers)
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.inside.take_back_answer(card)
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.inside.set_standing(question, choice)
    }

    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError> {
        self.inside.put_unblocked(rows)
    }

    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError> {
        self.inside.take_back_unblocked(span)
    }

    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError> {
        self.inside.set_gone(calendar, since)
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.inside.begin_run(run)
    }

    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.inside.end_run(run)
    }
}

impl MutantMirror {
    /// What follows from a write whose intent stands nowhere: an intent and its end in one.
    fn follow(&self, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        let run = self.inside.runs(1)?.first().map(|run| run.id.clone());
        let Some(run) = run else { return Ok(()) };
        let (calendar, booking) = match settled {
            Settled::Stored { mapping, .. } | Settled::Removed { mapping } => {
                (mapping.calendar.clone(), mapping.booking.clone())
            }
            Settled::Published(published) => (published.set.source.clone(), BookingId(String::new())),
            Settled::Withdrawn { source } => (source.clone(), BookingId(String::new())),
            Settled::SecondRemoved { calendar, .. } => (calendar.clone(), BookingId(String::new())),
            Settled::BookingChanged
            | Settled::SlotsMade { .. }
            | Settled::SlotRemoved { .. }
            | Settled::Failed { .. } => (CalendarId(String::new()), BookingId(String::new())),
        };
        let set = BusySet::of(
            sync::ids::Service::Google,
            calendar,
            Interval::new(at, at.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(at))
                .expect("a second"),
            Vec::new(),
        );
        let _ = booking;
        let operation = self.inside.intend(&run, &Operation::PublishBusy { set, before: None }, at)?;
        self.inside.settle(operation, settled, at)
    }
}

pub struct MutantPlatform {
    pub inside: Liar,
    pub mutant: Mutant,
}

#[async_trait]
impl Platform for MutantPlatform {
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        self.inside.slots(window).await
    }

    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        self.inside.create_slots(slots).await
    }

    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError> {
        self.inside.remove_slot(slot).await
    }

    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        let whole = |items| Reading::Snapshot { items, coverage: Coverage::Everything, cursor: None };
        match (self.mutant, self.inside.bookings(cursor).await) {
            (Mutant::TakesHalfTheBookingsForAll, Reading::Partial { items, .. }) => whole(items),
            (Mutant::TakesUnreadBookingsForNone, Reading::Failed(_)) => whole(Vec::new()),
            (_, reading) => reading,
        }
    }

    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError> {
        self.inside.move_booking(booking, to, key).await
    }

    async fn cancel_booking(&self, booking: &BookingId, reason: &str, key: &str) -> Result<(), ServiceError> {
        self.inside.cancel_booking(booking, reason, key).await
    }

    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError> {
        let sent = if self.mutant == Mutant::NeverReopens {
            let before = on(&self.inside.0).published(&set.source);
            let all = set.intervals.iter().copied().chain(before).collect();
            BusySet::of(set.service, set.source.clone(), set.window, all)
        } else {
            set.clone()
        };
        match self.inside.put_busy(&sent).await {
            Err(error) if error.outcome_unknown() && self.mutant == Mutant::BelievesLostPublications => {
                Ok(BusyReceipt::default())
            }
            answer => answer,
        }
    }
}

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
    /// The version that stands there, whatever was planned on.
    fn standing(&self, id: &RemoteId, base: &ETag) -> ETag {
        let stage = on(&self.liar.0);
        stage
            .event(&(self.remote.clone(), id.clone()))
            .map_or_else(|| base.clone(), |event| event.etag.clone())
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
        let mut draft = draft.clone();
        if self.mutant == Mutant::InventsIds {
            draft.id = RemoteId(on(&self.liar.0).name("invented"));
        }
        match self.inside.create(&draft).await {
            Err(error) if error.outcome_unknown() && self.mutant == Mutant::BelievesLostReplies => {
                Ok(event_of(&draft))
            }
            answer => answer,
        }
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let mut draft = draft.clone();
        draft.times_only &= self.mutant != Mutant::WritesOverHerWords;
        let base = if self.mutant == Mutant::SkipsPreconditionOfUpdates {
            self.standing(id, base)
        } else {
            base.clone()
        };
        self.inside.update(id, &base, &draft).await
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        let base = if self.mutant == Mutant::SkipsPreconditionOfDeletes {
            self.standing(id, base)
        } else {
            base.clone()
        };
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
