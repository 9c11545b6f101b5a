//! A mirror between which and the engine one rule is broken.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::Booking;
use sync::closing::ClosedSlot;
use sync::decide::{Question, fingerprint};
use sync::error::MirrorError;
use sync::ids::{BookingId, CalendarId, ConnectionId, RemoteId, RunId, Service, SlotId};
use sync::import::{ImportedSlot, Intake, SlotKey};
use sync::journal::JournalEntry;
use sync::lease::LeaseRecord;
use sync::news::News;
use sync::plan::plan;
use sync::policy::Policy;
use sync::ports::{BusySet, Mirror, RemoteEvent};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, MappingState, Operation, OperationId, PublishedBusy,
    RunRecord, Settled, Vendor, World,
};

use super::super::stage::on;
use super::super::watched::Watched;
use super::Mutant;

pub struct MutantMirror {
    pub inside: Watched,
    pub mutant: Mutant,
}

/// The journal's row of an intent that was not written down.
const NOWHERE: OperationId = OperationId(-1);

impl MutantMirror {
    fn forgets(&self, operation: &Operation) -> bool {
        let publishes = matches!(operation, Operation::PublishBusy { .. });
        let forgotten = if publishes { Mutant::ForgetsIntentToPublish } else { Mutant::ForgetsIntentToWrite };
        self.mutant == forgotten
    }

    /// The world as an engine that is wrong sees it.
    fn bent(&self, mut world: World) -> World {
        if self.mutant == Mutant::TakesHerMovesForOurs {
            for mapping in world.mappings.values_mut().filter(|mapping| mapping.echo.is_some()) {
                let events = world.events.get(&mapping.calendar);
                if let Some(event) = events.and_then(|events| events.get(&mapping.event)) {
                    mapping.echo = Some(fingerprint(event));
                }
            }
        }
        if self.mutant == Mutant::ForgetsWhatSheDeleted {
            let events = &world.events;
            let stands = |mapping: &Mapping| {
                events.get(&mapping.calendar).is_some_and(|events| events.contains_key(&mapping.event))
            };
            world.mappings.retain(|_, mapping| mapping.state == MappingState::Removed || stands(mapping));
        }
        if self.mutant == Mutant::AnswersWhatWasNotAsked && !world.answers.is_empty() {
            let now = on(&self.inside.stage).now;
            for card in plan(&world, now, &Policy::default()).cards {
                let before = world.answers.values().find(|answer| {
                    answer.booking == card.booking
                        && answer.calendar == card.calendar
                        && answer.topic == card.topic()
                });
                if let Some(answer) = before.cloned() {
                    world.answers.insert(card.id(), Answer { card: card.id(), ..answer });
                }
            }
        }
        world
    }
}

impl Mirror for MutantMirror {
    fn world(&self) -> Result<World, MirrorError> {
        self.inside.world().map(|world| self.bent(world))
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, MirrorError> {
        self.inside.runs(limit)
    }

    fn journal(&self, run: &RunId) -> Result<Vec<JournalEntry>, MirrorError> {
        let mut entries = self.inside.journal(run)?;
        if self.mutant == Mutant::TakesBackWhatSheTouched {
            let events: BTreeMap<RemoteId, RemoteEvent> =
                self.inside.world()?.events.into_values().flatten().collect();
            for entry in &mut entries {
                let left = entry.echo.clone().and_then(|echo| serde_json::from_value(echo).ok());
                let Some(left) = left.filter(|left: &RemoteEvent| events.contains_key(&left.id)) else {
                    continue;
                };
                let untouched = RemoteEvent { etag: events[&left.id].etag.clone(), ..left };
                entry.echo = serde_json::to_value(untouched).ok();
            }
        }
        Ok(entries)
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
        let rows = if self.mutant == Mutant::ForgetsWhatItClosed { &[] } else { rows };
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
        if self.mutant == Mutant::NeverSettlesPublications && matches!(settled, Settled::Published(_)) {
            return Ok(());
        }
        if let Settled::SlotsSwitched { forgotten, .. } = settled
            && self.mutant == Mutant::ForgetsWhatItClosed
        {
            let settled = Settled::SlotsSwitched { rows: Vec::new(), forgotten: forgotten.clone() };
            return self.inside.settle(operation, &settled, at);
        }
        if let Settled::Stored { mapping, event } = settled
            && self.mutant == Mutant::KeepsTheOldEcho
        {
            let key = (mapping.booking.clone(), mapping.calendar.clone());
            let before = self.inside.world()?.mappings.remove(&key).and_then(|before| before.echo);
            let mapping = Box::new(Mapping { echo: before.or(mapping.echo.clone()), ..(**mapping).clone() });
            return self.inside.settle(operation, &Settled::Stored { mapping, event: event.clone() }, at);
        }
        self.inside.settle(operation, settled, at)
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.inside.put_mapping(mapping)
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.inside.remove_mapping(booking, calendar)
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        let kept = if self.mutant == Mutant::ForgetsAnswers { &[] } else { answers };
        self.inside.put_answers(kept)
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.inside.take_back_answer(card)
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.inside.set_standing(question, choice)
    }

    fn note_lease(&self, record: &LeaseRecord, in_doubt: bool) -> Result<(), MirrorError> {
        self.inside.note_lease(record, in_doubt)
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
        let Some(run) = self.inside.runs(1)?.first().map(|run| run.id.clone()) else { return Ok(()) };
        let calendar = match settled {
            Settled::Stored { mapping, .. } | Settled::Removed { mapping } => mapping.calendar.clone(),
            Settled::Published(published) => published.set.source.clone(),
            Settled::Withdrawn { source } => source.clone(),
            Settled::SecondRemoved { calendar, .. } => calendar.clone(),
            Settled::BookingChanged
            | Settled::SlotsMade { .. }
            | Settled::SlotRemoved { .. }
            | Settled::SlotsSwitched { .. }
            | Settled::CalendarMade
            | Settled::CalendarRemoved
            | Settled::Failed { .. } => CalendarId(String::new()),
        };
        let window = Interval::new(at, at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(at));
        let window = window.expect("a second");
        let set = BusySet::of(Service::Google, calendar, window, Vec::new());
        let operation = self.inside.intend(&run, &Operation::PublishBusy { set, before: None }, at)?;
        self.inside.settle(operation, settled, at)
    }
}
