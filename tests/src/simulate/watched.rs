//! The real mirror, as a process that may die at any write to it: what was committed stays, and nothing after it is.

use std::collections::BTreeMap;
use std::sync::Arc;

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
use sync::plan::plan;
use sync::ports::{Mirror, RemoteEvent};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, Given, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy,
    RunRecord, Settled, Vendor, World,
};

use super::device::policy;
use super::questions::kind_of;
use super::stage::{Shared, Stage, clock, on};
use crate::crash::Moment;

pub struct Watched {
    pub inside: Arc<dyn Mirror>,
    pub stage: Shared,
    pub device: usize,
}

fn dead() -> MirrorError {
    MirrorError::Failed { reason: "the process was killed here".to_owned() }
}

impl Watched {
    fn write<T>(
        &self,
        what: impl FnOnce(&Stage) -> String,
        done: impl FnOnce() -> Result<T, MirrorError>,
    ) -> Result<T, MirrorError> {
        let strikes = {
            let stage = &mut *on(&self.stage);
            stage.device = self.device;
            if stage.run().dead {
                return Err(dead());
            }
            let strikes = stage.run().strikes(None);
            if let Some(moment) = strikes {
                stage.counts(format!("death at a write to the mirror, {moment:?}"));
            }
            let how = match strikes {
                None => "",
                Some(Moment::Before) => ": the process dies before it is written",
                Some(Moment::After) => ": written, and the process dies",
            };
            let line = format!("  notes {}{how}", what(stage));
            stage.say_within(line);
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
        if on(&self.stage).runs[self.device].dead { Err(dead()) } else { done() }
    }

    /// An answer that is given for her is one that she said stands for all.
    fn watch_standing(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        if answers.iter().all(|answer| answer.given != Given::Standing) {
            return Ok(());
        }
        let world = self.inside.world()?;
        let stage = &mut *on(&self.stage);
        stage.device = self.device;
        let cards = plan(&world, stage.now, &policy(None)).cards;
        for answer in answers.iter().filter(|answer| answer.given == Given::Standing) {
            let kind = kind_of(&answer.card);
            let stood = stage.stood_for_all.iter().any(|(device, question, choice)| {
                *device == self.device && question.as_str() == kind && *choice == answer.choice
            });
            if !stood {
                stage.breaks(format!(
                    "{} is answered {} for her, and she never said so",
                    answer.card,
                    answer.choice.as_str()
                ));
            }
            stage.counts("a standing answer counts");
            stage.note_answer(answer, &cards, &world);
        }
        Ok(())
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
        self.write(|_| "who she is".to_owned(), || self.inside.set_vendor(vendor))
    }

    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError> {
        self.write(|_| "how the account does".to_owned(), || self.inside.put_connection(connection))
    }

    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError> {
        self.write(|_| "that the account is left".to_owned(), || self.inside.remove_connection(id))
    }

    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        self.write(|_| "how the calendar does".to_owned(), || self.inside.put_calendar(calendar))
    }

    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError> {
        self.write(|_| format!("the bookings: {}", told(news)), || self.inside.take_bookings(news))
    }

    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError> {
        self.write(
            |stage| format!("{}: {}", stage.source_words(calendar), told(news)),
            || self.inside.take_events(calendar, news),
        )
    }

    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError> {
        self.write(|_| "that a cursor is lost".to_owned(), || self.inside.forget_cursor(calendar))
    }

    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError> {
        self.write(|_| "when it was read in full".to_owned(), || self.inside.put_full_reading(side, reading))
    }

    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError> {
        self.write(|_| "what a file said".to_owned(), || self.inside.take_import(calendar, intake))
    }

    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError> {
        self.write(
            |_| "what became of free times".to_owned(),
            || self.inside.put_imported_slots(rows, forgotten),
        )
    }

    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError> {
        self.write(
            |_| "which slots are closed by us".to_owned(),
            || self.inside.put_closed_slots(rows, forgotten),
        )
    }

    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError> {
        if let Some(booking) = operation.booking() {
            let stage = &mut *on(&self.stage);
            stage.device = self.device;
            stage.may_be_put_back(booking);
            stage.run().last_written = Some(booking.clone());
            if matches!(operation, Operation::RemoveEvent { .. }) {
                stage.past.leaving.insert(booking.clone());
                stage.past.deleted_by_her.remove(booking);
            }
        }
        let what = |stage: &Stage| format!("that it is about to {}", kind(stage, operation));
        self.write(what, || self.inside.intend(run, operation, at))
    }

    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|_| "a try".to_owned(), || self.inside.attempted(operation, at))
    }

    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|_| ending(settled), || self.inside.settle(operation, settled, at))?;
        if let Settled::Stored { mapping, .. } = settled {
            on(&self.stage).past.remembered.insert(mapping.event.clone());
        }
        Ok(())
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.write(
            |_| format!("the event of {}: {:?}", mapping.booking, mapping.state),
            || self.inside.put_mapping(mapping),
        )?;
        if mapping.echo.is_some() {
            on(&self.stage).past.remembered.insert(mapping.event.clone());
        }
        Ok(())
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.write(
            |_| "that an event is forgotten".to_owned(),
            || self.inside.remove_mapping(booking, calendar),
        )
    }

    fn note_lease(&self, record: &LeaseRecord, in_doubt: bool) -> Result<(), MirrorError> {
        self.write(|_| "who writes".to_owned(), || self.inside.note_lease(record, in_doubt))
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        self.watch_standing(answers)?;
        self.write(|_| "what is decided".to_owned(), || self.inside.put_answers(answers))
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.write(|_| "that she is to be asked again".to_owned(), || self.inside.take_back_answer(card))
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.write(|_| "what is decided for all".to_owned(), || self.inside.set_standing(question, choice))
    }

    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError> {
        self.write(|_| "a time that may be booked once".to_owned(), || self.inside.put_unblocked(rows))
    }

    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError> {
        self.write(|_| "that a time is blocked again".to_owned(), || self.inside.take_back_unblocked(span))
    }

    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError> {
        self.write(
            |_| "that a calendar is gone, or there again".to_owned(),
            || self.inside.set_gone(calendar, since),
        )
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|_| "that a run begins".to_owned(), || self.inside.begin_run(run))
    }

    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|_| "that the run is over".to_owned(), || self.inside.end_run(run))
    }
}

fn told<Item, Key>(news: &News<'_, Item, Key>) -> String {
    let until = news.cursor().map_or_else(|| "no cursor".to_owned(), |cursor| format!("up to {cursor}"));
    format!("{} rows, {} gone, {until}", news.items().len(), news.removed().len())
}

fn kind(stage: &Stage, operation: &Operation) -> String {
    match operation {
        Operation::CreateEvent { draft, .. } => format!("make an event of {}", draft.booking),
        Operation::UpdateEvent { draft, .. } => format!("change the event of {}", draft.booking),
        Operation::RemoveEvent { booking, .. } => format!("remove the event of {booking}"),
        Operation::MoveBooking { booking, to, .. } => format!("move {booking} to {}", clock(to.start())),
        Operation::ProposeMove { booking, to, .. } => {
            format!("ask the customer of {booking} to come {}", clock(to.start()))
        }
        Operation::WithdrawProposal { booking, .. } => format!("ask the customer of {booking} no more"),
        Operation::CancelBooking { booking, .. } => format!("cancel {booking}"),
        Operation::PublishBusy { set, .. } => {
            format!("publish busy time of {}", stage.source_words(&set.source))
        }
        Operation::MakeSlots { slots, .. } => format!("make {} slots", slots.len()),
        Operation::RemoveSlot { slot, .. } => format!("remove the slot at {}", clock(slot.span.start())),
        Operation::SwitchSlots { open, slots } => {
            format!("{} {} slots", if *open { "open" } else { "close" }, slots.len())
        }
        Operation::MakeCalendar { .. } => "make a calendar".to_owned(),
        Operation::RemoveCalendar { .. } => "remove a calendar".to_owned(),
    }
}

fn ending(settled: &Settled) -> String {
    match settled {
        Settled::Stored { mapping, .. } => format!("that the event of {} is stored", mapping.booking),
        Settled::Removed { mapping } => format!("that the event of {} is removed", mapping.booking),
        Settled::BookingChanged => "that the booking is changed".to_owned(),
        Settled::SecondRemoved { .. } => "that a second event is removed".to_owned(),
        Settled::Published(_) => "that it is published".to_owned(),
        Settled::Withdrawn { .. } => "that it is withdrawn".to_owned(),
        Settled::SlotsMade { .. } => "that the slots are made".to_owned(),
        Settled::SlotRemoved { .. } => "that the slot is removed".to_owned(),
        Settled::SlotsSwitched { .. } => "that the slots are switched".to_owned(),
        Settled::CalendarMade => "that the calendar is made".to_owned(),
        Settled::CalendarRemoved => "that the calendar is removed".to_owned(),
        Settled::Failed { problem, .. } => format!("that it failed: {}", problem.message),
    }
}
