//! The mirror as one object: every call is one transaction over the tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::calendar::hours::Hours;
use ::calendar::interval::Interval;
use jiff::Timestamp;
use rusqlite::{Connection as Db, Transaction, TransactionBehavior};
use sync::booking::Booking;
use sync::closing::ClosedSlot;
use sync::decide::Question;
use sync::error::MirrorError;
use sync::ids::{BookingId, CalendarId, ConnectionId, InstallationId, RemoteId, RunId, SlotId};
use sync::import::{self, ImportedSlot, Intake, SlotKey};
use sync::invite::SentInvite;
use sync::journal::JournalEntry;
use sync::lease::LeaseRecord;
use sync::news::News;
use sync::ports::{Coverage, Mirror, RemoteEvent};
use sync::reconcile::{FullReading, Side};
use sync::unblocked::Unblocked;
use sync::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy, Role,
    RunRecord, Settled, Vendor, World,
};

use crate::failure::Failure;
use crate::keep::Keeping;
use crate::left;
use crate::open;
use crate::overview::{self, Overview};
use crate::rebuild::Rebuilt;
use crate::table::pause::Pause;
use crate::table::{
    answer, booking, calendar, closed_slot, connection, full_reading, gone_calendar, hours, import_choice,
    imported_slot, invitation, lease, mapping, operation, pause, platform, published, rebuild, remote_event,
    run, sent_invite, standing_answer, unblocked, vendor,
};

/// One vendor's mirror, in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    db: Mutex<Db>,
    /// Closes behind it: dropped after the connection.
    keeping: Option<Keeping>,
}

impl Sqlite {
    /// Opens the file for writing; makes it, and its folder, if they are not there.
    ///
    /// # Errors
    /// [`MirrorError::TooNew`] when a newer version of the app made it: it is left as it is.
    pub fn open(path: &Path) -> Result<Self, MirrorError> {
        let absolute = open::absolute(path)?;
        left::begin(&absolute).map_err(|error| {
            open::from_io(
                &format!("{} cannot be written", path.display()),
                "; check the rights on it",
                &error,
            )
        })?;
        Self::open_as_it_is(&absolute)
    }

    pub(crate) fn open_as_it_is(path: &Path) -> Result<Self, MirrorError> {
        open::writable(path).map(Self::over)
    }

    /// As [`Sqlite::open`], for the one process that may write this profile: a file that was not closed in peace is looked
    /// at first, and a damaged one is set aside for a new one. When it is dropped it notes how it left the file.
    ///
    /// # Errors
    /// [`MirrorError::TooNew`] when a newer version of the app made it: it is left as it is.
    pub fn open_kept(path: &Path, now: Timestamp) -> Result<(Self, Option<Rebuilt>), MirrorError> {
        let (db, rebuilt) = crate::rebuild::open(path, now)?;
        let keeping = Keeping::new(path)?;
        Ok((Self { db: Mutex::new(db), keeping: Some(keeping) }, rebuilt))
    }

    /// Opens the file for reading while another process may write it. A profile without a file reads as an empty one.
    ///
    /// # Errors
    /// [`MirrorError::TooNew`] when a newer version of the app made it.
    pub fn open_read_only(path: &Path) -> Result<Self, MirrorError> {
        open::readable(path).map(Self::over)
    }

    /// A mirror that is gone when it is dropped.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Self, MirrorError> {
        open::in_memory().map(Self::over)
    }

    /// What a status line needs, without reading every event.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn overview(&self) -> Result<Overview, MirrorError> {
        self.read(overview::read)
    }

    /// The last invitation to this booking that was written here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sent_invite(&self, booking: &BookingId) -> Result<Option<SentInvite>, MirrorError> {
        self.read(|db| sent_invite::get(db, booking))
    }

    /// Who this profile is on this computer; `fresh` if it was nobody here yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn installation(
        &self,
        computer: &str,
        fresh: &InstallationId,
    ) -> Result<InstallationId, MirrorError> {
        self.write(|tx| lease::installation(tx, computer, fresh))
    }

    /// Remembers an invitation before it is handed out.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_sent_invite(&self, booking: &BookingId, invite: &SentInvite) -> Result<(), MirrorError> {
        self.write(|tx| sent_invite::put(tx, booking, invite))
    }

    /// Which of its interfaces the platform answered, by the word of whoever asked, and when.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn interface(&self) -> Result<Option<(String, Timestamp)>, MirrorError> {
        self.read(platform::get)
    }

    /// Remembers it. Under another one than before nothing counts as told: all busy time is sent again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_interface(&self, interface: &str, asked_at: Timestamp) -> Result<(), MirrorError> {
        self.write(|tx| {
            if platform::set(tx, interface, asked_at)? {
                published::doubt(tx)?;
            }
            Ok(())
        })
    }

    /// When she works, as Bookiji said it, and when it was asked; nothing before it ever was.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn hours(&self) -> Result<Option<(Option<Hours>, Timestamp)>, MirrorError> {
        self.read(hours::get)
    }

    /// Remembers what Bookiji says of when she works.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_hours(&self, hours: Option<&Hours>, asked_at: Timestamp) -> Result<(), MirrorError> {
        self.write(|tx| hours::set(tx, hours, asked_at))
    }

    /// The pause that she asked for last, over or not.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pause(&self) -> Result<Option<Pause>, MirrorError> {
        self.read(pause::get)
    }

    /// Begins a pause in place of the one before, or ends it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_pause(&self, pause: Option<&Pause>) -> Result<(), MirrorError> {
        self.write(|tx| pause::set(tx, pause))
    }

    /// Reads the whole file and says what is broken in it.
    ///
    /// # Errors
    /// When something is.
    pub fn check(&self) -> Result<(), MirrorError> {
        self.read(crate::rebuild::check)
    }

    /// Reads every row that anybody ever reads.
    pub(crate) fn read_everything(&self) -> Result<(), MirrorError> {
        self.world()?;
        for run in self.runs(usize::MAX)? {
            self.journal(&run.id)?;
        }
        Ok(())
    }

    /// The last time this file took the place of a damaged one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn rebuilt(&self) -> Result<Option<Rebuilt>, MirrorError> {
        self.read(rebuild::last)
    }

    /// What was lost of imported files has been taken in again, as far as there is anything to take in.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn imports_are_back(&self) -> Result<(), MirrorError> {
        self.write(rebuild::imports_are_back)
    }

    /// Sees to it that there is a second copy of what cannot be read again from anywhere. Costs nothing while the copy is
    /// fresh.
    ///
    /// # Errors
    /// When it cannot be written. The one before it then stays.
    pub fn keep_spare(&self, now: Timestamp) -> Result<(), MirrorError> {
        match &self.keeping {
            Some(keeping) => keeping.keep_spare(&self.db(), now),
            None => Ok(()),
        }
    }

    /// Lets the file grow to so many pages of 4 KB and no further, as on a disk that is full.
    ///
    /// # Errors
    /// When it is larger already.
    pub fn bound(&self, pages: u32) -> Result<(), MirrorError> {
        let db = self.db();
        let set: i64 = db
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0))
            .map_err(Failure::from)?;
        if set == i64::from(pages) {
            Ok(())
        } else {
            Err(Failure::Refused(format!("it has {set} pages")).into())
        }
    }

    fn over(db: Db) -> Self {
        Self { db: Mutex::new(db), keeping: None }
    }

    pub(crate) fn db(&self) -> MutexGuard<'_, Db> {
        // A panic in between dropped its transaction, which took it back.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Db) -> Result<T, Failure>) -> Result<T, MirrorError> {
        let mut db = self.db();
        self.watch(|| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            read(&tx)
        })
    }

    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, MirrorError> {
        let mut db = self.db();
        self.watch(|| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let written = write(&tx)?;
            tx.commit()?;
            Ok(written)
        })
    }

    /// A file that turned out to be damaged is looked at by the next one who opens it.
    fn watch<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, MirrorError> {
        let result = work().map_err(MirrorError::from);
        if let (Err(MirrorError::Damaged { .. }), Some(keeping)) = (&result, &self.keeping) {
            keeping.doubt();
        }
        result
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(keeping) = &self.keeping {
            keeping.settle(&self.db());
        }
    }
}

impl Mirror for Sqlite {
    fn world(&self) -> Result<World, MirrorError> {
        self.read(|db| {
            Ok(World {
                vendor: vendor::get(db)?,
                connections: keyed(connection::all(db)?, |row| row.id.clone()),
                calendars: keyed(calendar::all(db)?, |row| row.id.clone()),
                bookings: keyed(booking::all(db)?, |row| row.id.clone()),
                bookings_cursor: booking::cursor(db)?,
                events: remote_event::all(db)?,
                mappings: keyed(mapping::all(db)?, |row| (row.booking.clone(), row.calendar.clone())),
                published: keyed(published::all(db)?, |row| row.set.source.clone()),
                answers: keyed(answer::all(db)?, |row| row.card.clone()),
                standing: standing_answer::all(db)?,
                gone: gone_calendar::all(db)?,
                invitations: keyed(invitation::all(db)?, |row| (row.calendar.clone(), row.event.clone())),
                choices: import_choice::all(db)?,
                imported_slots: keyed(imported_slot::all(db)?, ImportedSlot::key),
                full_readings: full_reading::all(db)?,
                closed_slots: keyed(closed_slot::all(db)?, |row| row.id.clone()),
                unblocked: unblocked::all(db)?.into_iter().collect(),
                unsettled: operation::unsettled(db)?,
                lease: lease::get(db)?,
                hours: hours::get(db)?.and_then(|(hours, _)| hours),
            })
        })
    }

    fn set_vendor(&self, vendor: &Vendor) -> Result<(), MirrorError> {
        self.write(|tx| vendor::set(tx, vendor))
    }

    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError> {
        self.write(|tx| connection::put(tx, connection))
    }

    /// What the platform was last sent stays, so that it can be withdrawn; so does the journal, where open operations
    /// on these calendars are closed as abandoned.
    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError> {
        self.write(|tx| {
            operation::abandon(tx, id)?;
            connection::remove(tx, id)?;
            booking::inside(tx, Coverage::Everything)?
                .iter()
                .try_for_each(|id| booking::refresh_calendar_columns(tx, id))
        })
    }

    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError> {
        self.write(|tx| {
            calendar::put(tx, calendar)?;
            match calendar.role {
                Role::Busy | Role::Target => Ok(()),
                Role::Off if calendar.connection == import::connection_id() => Ok(()),
                Role::Off => {
                    calendar::forget(tx, &calendar.id)?;
                    remote_event::remove_foreign(tx, &calendar.id)
                }
            }
        })
    }

    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError> {
        self.write(|tx| {
            let mut absent = match news.coverage() {
                Some(coverage) => booking::inside(tx, coverage)?,
                None => news.removed().iter().cloned().collect(),
            };
            for booking in news.items() {
                absent.remove(&booking.id);
                booking::put(tx, booking)?;
                booking::refresh_calendar_columns(tx, &booking.id)?;
            }
            for id in &absent {
                booking::remove(tx, id)?;
            }
            match news.cursor() {
                Some(cursor) => booking::set_cursor(tx, cursor),
                None if news.coverage().is_some() => booking::forget_cursor(tx),
                None => Ok(()),
            }
        })
    }

    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError> {
        self.write(|tx| {
            calendar::took_reading(tx, calendar, news.coverage().is_some(), news.cursor())?;
            let mut absent = match news.coverage() {
                Some(coverage) => remote_event::inside(tx, calendar, coverage)?,
                None => news.removed().iter().cloned().collect(),
            };
            for event in news.items() {
                absent.remove(&event.id);
                remote_event::put(tx, calendar, event)?;
            }
            for id in &absent {
                remote_event::remove(tx, calendar, id)?;
            }
            Ok(())
        })
    }

    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError> {
        self.write(|tx| match calendar {
            Some(calendar) => calendar::forget_cursor(tx, calendar),
            None => booking::forget_cursor(tx),
        })
    }

    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError> {
        self.write(|tx| full_reading::put(tx, side, reading))
    }

    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError> {
        self.write(|tx| {
            for id in &intake.removed {
                remote_event::remove(tx, calendar, id)?;
            }
            for event in &intake.changed {
                remote_event::put(tx, calendar, event)?;
            }
            for row in &intake.invitations {
                invitation::put(tx, row)?;
            }
            for (uid, choice) in &intake.choices {
                import_choice::set(tx, calendar, uid, *choice)?;
            }
            Ok(())
        })
    }

    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError> {
        self.write(|tx| put_imported_slots(tx, rows, forgotten))
    }

    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError> {
        if rows.is_empty() && forgotten.is_empty() {
            return Ok(());
        }
        self.write(|tx| put_closed_slots(tx, rows, forgotten))
    }

    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError> {
        self.write(|tx| operation::intend(tx, run, operation, at))
    }

    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|tx| operation::attempted(tx, operation, at))
    }

    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError> {
        self.write(|tx| {
            operation::settle(tx, operation, settled, at)?;
            match settled {
                Settled::Stored { mapping, event } => {
                    remote_event::put(tx, &mapping.calendar, event)?;
                    answer::spend(tx, mapping)?;
                    put_mapping(tx, mapping)
                }
                Settled::Removed { mapping } => {
                    remote_event::remove(tx, &mapping.calendar, &mapping.event)?;
                    put_mapping(tx, mapping)
                }
                Settled::SecondRemoved { calendar, event } => remote_event::remove(tx, calendar, event),
                Settled::Published(published) => published::put(tx, published),
                Settled::Withdrawn { source } => published::remove(tx, source),
                Settled::SlotsMade { rows } => put_imported_slots(tx, rows, &[]),
                Settled::SlotRemoved { rows, forgotten } => put_imported_slots(tx, rows, forgotten),
                Settled::Failed { mapping: Some(mapping), .. } => put_mapping(tx, mapping),
                Settled::SlotsSwitched { rows, forgotten } => put_closed_slots(tx, rows, forgotten),
                Settled::BookingChanged
                | Settled::CalendarMade
                | Settled::CalendarRemoved
                | Settled::Failed { mapping: None, .. } => Ok(()),
            }
        })
    }

    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError> {
        self.write(|tx| put_mapping(tx, mapping))
    }

    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError> {
        self.write(|tx| {
            mapping::remove(tx, booking, calendar)?;
            booking::refresh_calendar_columns(tx, booking)
        })
    }

    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError> {
        self.write(|tx| answers.iter().try_for_each(|answer| answer::put(tx, answer)))
    }

    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError> {
        self.write(|tx| answer::take_back(tx, card))
    }

    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError> {
        self.write(|tx| standing_answer::set(tx, question, choice))
    }

    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError> {
        self.write(|tx| rows.iter().try_for_each(|row| unblocked::put(tx, row)))
    }

    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError> {
        self.write(|tx| unblocked::take_back(tx, span))
    }

    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError> {
        self.write(|tx| gone_calendar::set(tx, calendar, since))
    }

    fn note_lease(&self, record: &LeaseRecord, in_doubt: bool) -> Result<(), MirrorError> {
        self.write(|tx| {
            if in_doubt {
                published::doubt(tx)?;
            }
            lease::set(tx, record)
        })
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|tx| run::put(tx, run))
    }

    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError> {
        self.write(|tx| {
            run::put(tx, run)?;
            let ended = run.ended_at.unwrap_or(run.started_at);
            unblocked::prune(tx, ended)?;
            run::prune(tx, ended)
        })
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, MirrorError> {
        self.read(|db| run::recent(db, limit))
    }

    fn journal(&self, run: &RunId) -> Result<Vec<JournalEntry>, MirrorError> {
        self.read(|db| operation::of_run(db, run))
    }

    fn published(&self) -> Result<BTreeMap<CalendarId, PublishedBusy>, MirrorError> {
        self.read(|db| Ok(keyed(published::all(db)?, |row| row.set.source.clone())))
    }
}

fn put_closed_slots(tx: &Transaction<'_>, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), Failure> {
    forgotten.iter().try_for_each(|slot| closed_slot::remove(tx, slot))?;
    rows.iter().try_for_each(|row| closed_slot::put(tx, row))
}

fn put_imported_slots(
    tx: &Transaction<'_>,
    rows: &[ImportedSlot],
    forgotten: &[SlotKey],
) -> Result<(), Failure> {
    for key in forgotten {
        imported_slot::remove(tx, key)?;
    }
    rows.iter().try_for_each(|row| imported_slot::put(tx, row))
}

fn put_mapping(tx: &Transaction<'_>, mapping: &Mapping) -> Result<(), Failure> {
    mapping::put(tx, mapping)?;
    booking::refresh_calendar_columns(tx, &mapping.booking)
}

fn keyed<K: Ord, V>(rows: Vec<V>, key: impl Fn(&V) -> K) -> BTreeMap<K, V> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}
