//! A mirror that dies at its n-th write, before or after the write was done: what a process that is killed looks like
//! to the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::Booking;
use sync::closing::ClosedSlot;
use sync::decide::Question;
use sync::error::MirrorError;
use sync::ids::{BookingId, CalendarId, ConnectionId, RemoteId, RunId, SlotId};
use sync::import::{ImportedSlot, Intake, SlotKey};
use sync::journal::JournalEntry;
use sync::lease::LeaseRecord;
use sync::news::News;
use sync::ports::{Mirror, RemoteEvent};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy, RunRecord,
    Settled, Vendor, World,
};

/// Whether the write that kills the process is still done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

/// Counts writes; from the fatal one on, every call fails, as after a crash nothing runs.
pub struct DyingMirror {
    pub inside: Arc<dyn Mirror>,
    pub left: AtomicUsize,
    pub moment: Moment,
}

impl DyingMirror {
    #[must_use]
    pub fn new(inside: Arc<dyn Mirror>, after_writes: usize, moment: Moment) -> Self {
        Self { inside, left: AtomicUsize::new(after_writes), moment }
    }

    fn alive(&self) -> bool {
        self.left.load(Ordering::SeqCst) > 0
    }

    fn write<T>(&self, done: impl FnOnce() -> Result<T, MirrorError>) -> Result<T, MirrorError> {
        match self.left.load(Ordering::SeqCst) {
            0 => Err(dead()),
            1 => {
                self.left.store(0, Ordering::SeqCst);
                if self.moment == Moment::After {
                    done()?;
                }
                Err(dead())
            }
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                done()
            }
        }
    }

    fn read<T>(&self, done: impl FnOnce() -> Result<T, MirrorError>) -> Result<T, MirrorError> {
        if self.alive() { done() } else { Err(dead()) }
    }
}

fn dead() -> MirrorError {
    MirrorError::Failed { reason: "the process was killed here".to_owned() }
}

impl Mirror for DyingMirror {
    fn world(&self) -> Result<World, MirrorError> {
        self.read(|| self.inside.world())
    }

    fn set_vendor(&self, vendor: &Vendor) -> Result<(), MirrorError> {
        self.write(|| self.inside.set_vendor(vendor))
    }

    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_connection(connection))
    }

    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError> {
        self.write(|| self.inside.remove_connection(id))
    }

    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_calendar(calendar))
    }

    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError> {
        self.write(|| self.inside.take_bookings(news))
    }

    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError> {
        self.write(|| self.inside.take_events(calendar, news))
    }

    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError> {
        self.write(|| self.inside.forget_cursor(calendar))
    }

    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_full_reading(side, reading))
    }

    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError> {
        self.write(|| self.inside.take_import(calendar, intake))
    }

    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_imported_slots(rows, forgotten))
    }

    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_closed_slots(rows, forgotten))
    }

    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError> {
        self.write(|| self.inside.intend(run, operation, at))
    }

    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|| self.inside.attempted(operation, at))
    }

    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|| self.inside.settle(operation, settled, at))
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_mapping(mapping))
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.write(|| self.inside.remove_mapping(booking, calendar))
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_answers(answers))
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.write(|| self.inside.take_back_answer(card))
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.write(|| self.inside.set_standing(question, choice))
    }

    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError> {
        self.write(|| self.inside.put_unblocked(rows))
    }

    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError> {
        self.write(|| self.inside.take_back_unblocked(span))
    }

    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError> {
        self.write(|| self.inside.set_gone(calendar, since))
    }

    fn note_lease(&self, record: &LeaseRecord, in_doubt: bool) -> Result<(), MirrorError> {
        self.write(|| self.inside.note_lease(record, in_doubt))
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|| self.inside.begin_run(run))
    }

    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|| self.inside.end_run(run))
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, MirrorError> {
        self.read(|| self.inside.runs(limit))
    }

    fn journal(&self, run: &RunId) -> Result<Vec<JournalEntry>, MirrorError> {
        self.read(|| self.inside.journal(run))
    }

    fn published(&self) -> Result<BTreeMap<CalendarId, PublishedBusy>, MirrorError> {
        self.read(|| self.inside.published())
    }
}
