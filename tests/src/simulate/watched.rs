//! The real mirror, as a process that may die at any write to it: what was committed stays, and nothing after it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::interval::Interval;
use jiff::Timestamp;
use sync::booking::Booking;
use sync::closing::ClosedSlot;
use sync::decide::Question;
use sync::error::MirrorError;
use sync::ids::{BookingId, CalendarId, ConnectionId, Cursor, RemoteId, RunId, SlotId};
use sync::import::{ImportedSlot, Intake, SlotKey};
use sync::journal::JournalEntry;
use sync::news::News;
use sync::ports::{Mirror, RemoteEvent};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy, RunRecord,
    Settled, Vendor, World,
};

use super::stage::{Shared, clock, on};
use crate::crash::Moment;

pub struct Watched {
    pub inside: Arc<dyn Mirror>,
    pub stage: Shared,
}

fn dead() -> MirrorError {
    MirrorError::Failed { reason: "the process was killed here".to_owned() }
}

impl Watched {
    fn write<T>(&self, what: &str, done: impl FnOnce() -> Result<T, MirrorError>) -> Result<T, MirrorError> {
        let strikes = {
            let mut stage = on(&self.stage);
            if stage.dead {
                return Err(dead());
            }
            let strikes = stage.strikes();
            let how = match strikes {
                None => "",
                Some(Moment::Before) => ": the process dies before it is written",
                Some(Moment::After) => ": written, and the process dies",
            };
            stage.say(format!("      mirror {what}{how}"));
            strikes
        };
        match strikes {
            None => done(),
            Some(Moment::Before) => Err(dead()),
            Some(Moment::After) => {
                done()?;
                Err(dead())
            }
        }
    }

    fn read<T>(&self, done: impl FnOnce() -> Result<T, MirrorError>) -> Result<T, MirrorError> {
        if on(&self.stage).dead { Err(dead()) } else { done() }
    }
}

impl Mirror for Watched {
    fn world(&self) -> Result<World, MirrorError> {
        self.read(|| self.inside.world())
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

    fn set_vendor(&self, vendor: &Vendor) -> Result<(), MirrorError> {
        self.write("set_vendor", || self.inside.set_vendor(vendor))
    }

    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError> {
        self.write("put_connection", || self.inside.put_connection(connection))
    }

    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError> {
        self.write("remove_connection", || self.inside.remove_connection(id))
    }

    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        self.write("put_calendar", || self.inside.put_calendar(calendar))
    }

    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError> {
        let what = format!("take_bookings: {}", told(news));
        self.write(&what, || self.inside.take_bookings(news))
    }

    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError> {
        let what = format!("take_events {calendar}: {}", told(news));
        self.write(&what, || self.inside.take_events(calendar, news))
    }

    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError> {
        self.write("forget_cursor", || self.inside.forget_cursor(calendar))
    }

    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError> {
        self.write("put_full_reading", || self.inside.put_full_reading(side, reading))
    }

    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError> {
        self.write("take_import", || self.inside.take_import(calendar, intake))
    }

    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError> {
        self.write("put_imported_slots", || self.inside.put_imported_slots(rows, forgotten))
    }

    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError> {
        self.write("put_closed_slots", || self.inside.put_closed_slots(rows, forgotten))
    }

    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError> {
        self.write(&format!("intend {}", kind(operation)), || self.inside.intend(run, operation, at))
    }

    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError> {
        self.write("attempted", || self.inside.attempted(operation, at))
    }

    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        self.write(&format!("settle {}: {}", operation.0, ending(settled)), || {
            self.inside.settle(operation, settled, at)
        })
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.write(&format!("put_mapping {} {:?}", mapping.booking, mapping.state), || {
            self.inside.put_mapping(mapping)
        })
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.write("remove_mapping", || self.inside.remove_mapping(booking, calendar))
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        self.write("put_answers", || self.inside.put_answers(answers))
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.write("take_back_answer", || self.inside.take_back_answer(card))
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.write("set_standing", || self.inside.set_standing(question, choice))
    }

    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError> {
        self.write("put_unblocked", || self.inside.put_unblocked(rows))
    }

    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError> {
        self.write("take_back_unblocked", || self.inside.take_back_unblocked(span))
    }

    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError> {
        self.write("set_gone", || self.inside.set_gone(calendar, since))
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write("begin_run", || self.inside.begin_run(run))
    }

    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write("end_run", || self.inside.end_run(run))
    }
}

fn told<Item, Key>(news: &News<'_, Item, Key>) -> String {
    let cursor = news.cursor().map_or("-", Cursor::as_str);
    format!("{} rows, {} gone, cursor {cursor}", news.items().len(), news.removed().len())
}

fn kind(operation: &Operation) -> String {
    match operation {
        Operation::CreateEvent { draft, .. } => format!("create {} {}", draft.booking, draft.generation),
        Operation::UpdateEvent { draft, .. } => format!("update {}", draft.booking),
        Operation::RemoveEvent { booking, .. } => format!("remove {booking}"),
        Operation::MoveBooking { booking, to, .. } => format!("move {booking} to {}", clock(to.start())),
        Operation::CancelBooking { booking, .. } => format!("cancel {booking}"),
        Operation::PublishBusy { set, .. } => format!("publish {}", set.source),
        Operation::MakeSlots { slots, .. } => format!("make {} slots", slots.len()),
        Operation::RemoveSlot { .. } => "remove a slot".to_owned(),
    }
}

fn ending(settled: &Settled) -> String {
    match settled {
        Settled::Stored { mapping, .. } => format!("{} stored", mapping.booking),
        Settled::Removed { mapping } => format!("{} removed", mapping.booking),
        Settled::BookingChanged => "the booking changed".to_owned(),
        Settled::SecondRemoved { event, .. } => format!("second event {event} removed"),
        Settled::Published(_) => "published".to_owned(),
        Settled::Withdrawn { .. } => "withdrawn".to_owned(),
        Settled::SlotsMade { .. } => "slots made".to_owned(),
        Settled::SlotRemoved { .. } => "slot removed".to_owned(),
        Settled::Failed { problem, .. } => format!("failed: {}", problem.message),
    }
}
