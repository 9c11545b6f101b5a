//! What of a damaged file still counts: rows that can be read and that prove themselves, and of those only what cannot
//! be had again from Bookiji and the calendars. What events and bookings the file held is never taken from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use ::calendar::event::Uid;
use jiff::tz::TimeZone;
use rusqlite::{Connection as Db, OpenFlags, Row, Transaction};
use sync::booking::event_id;
use sync::closing::ClosedSlot;
use sync::ids::{BookingId, CalendarId, ConnectionId, Cursor, RemoteId, SlotId};
use sync::import::{self, ImportedSlot, Invitation, OnConflict, SlotKey};
use sync::invite::SentInvite;
use sync::ports::RemoteEvent;
use sync::world::{Answer, Connection, LinkedCalendar, Mapping, Vendor};

use crate::column::Word;
use crate::failure::{Failure, is_unreadable};
use crate::table::pause::Pause;
use crate::table::{
    answer, calendar, closed_slot, connection, import_choice, imported_slot, invitation, mapping, pause,
    remote_event, sent_invite, vendor,
};

/// No table of one vendor has more rows than this.
const ROWS: usize = 200_000;
/// Reading a damaged file may take no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A calendar that seems to be read less often than once a day is read once a day.
const SELDOMEST: u32 = 24 * 60;

/// Everything that was found, by key; what is found first counts.
#[derive(Debug, Default)]
pub struct Salvaged {
    vendors: Vec<Vendor>,
    connections: BTreeMap<ConnectionId, Connection>,
    calendars: BTreeMap<CalendarId, LinkedCalendar>,
    mappings: BTreeMap<(BookingId, CalendarId), Mapping>,
    answers: BTreeMap<(CalendarId, Option<BookingId>, String), Answer>,
    imported: BTreeMap<(CalendarId, RemoteId), RemoteEvent>,
    invitations: BTreeMap<(CalendarId, RemoteId), Invitation>,
    choices: BTreeMap<(CalendarId, String), OnConflict>,
    slots: BTreeMap<SlotKey, ImportedSlot>,
    invites: BTreeMap<BookingId, SentInvite>,
    closed: BTreeMap<SlotId, ClosedSlot>,
    pauses: BTreeMap<(), Pause>,
    /// Tables of which every row was found: an older file has nothing to add to them but what she took away since.
    whole: BTreeSet<&'static str>,
    /// The newest file did not show everything that was ever imported.
    pub lost_imports: bool,
}

impl Salvaged {
    /// Adds what the file at `path` holds and no newer one does. A file that cannot be opened holds nothing.
    pub fn add(&mut self, path: &Path) {
        let first = self.whole.is_empty() && self.vendors.is_empty() && self.connections.is_empty();
        if let Ok(db) = Db::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            let since = Instant::now();
            // Without it a page that points in circles would be read for ever.
            let _ = db.progress_handler(10_000, Some(move || since.elapsed() > PATIENCE));
            let _ = db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
            self.read(&db);
        }
        if first {
            let needed = ["connections", "calendar_sync_status", "remote_events"];
            self.lost_imports = !needed.iter().all(|table| self.whole.contains(table));
        }
    }

    fn read(&mut self, db: &Db) {
        self.vendors.extend(rows(db, "vendor", vendor::read).0);
        let mut source = Source { db, whole: std::mem::take(&mut self.whole) };
        source.settle(&mut self.connections, "connections", |row| {
            let row = connection::read(row)?;
            Ok((row.id == ConnectionId::of(row.service, &row.account)).then(|| (row.id.clone(), row)))
        });
        source.settle(&mut self.calendars, "calendar_sync_status", |row| {
            let row = calendar::read(row)?;
            Ok((row.id == CalendarId::of(&row.connection, &row.remote)).then(|| (row.id.clone(), row)))
        });
        let calendars = &self.calendars;
        source.take(&mut self.mappings, "calendar_events", |row| {
            let row = mapping::read(row)?;
            let derived = |linked: &LinkedCalendar| event_id(&row.booking, &linked.remote, row.generation);
            let proven = calendars.get(&row.calendar).is_some_and(|linked| derived(linked) == row.event);
            Ok(proven.then(|| ((row.booking.clone(), row.calendar.clone()), row)))
        });
        source.take(&mut self.answers, "answers", |row| {
            let row = answer::read(row)?;
            Ok(Some(((row.calendar.clone(), row.booking.clone(), row.topic.clone()), row)))
        });
        let files = import::connection_id();
        let of_files = |row: &&LinkedCalendar| row.connection == files;
        let files: BTreeSet<&CalendarId> =
            self.calendars.values().filter(of_files).map(|row| &row.id).collect();
        // What was read from a service is passed over, not missed.
        let passed = CalendarId(String::new());
        source.take(&mut self.imported, "remote_events", |row| {
            let calendar = CalendarId(row.get("calendar_id")?);
            let event = remote_event::read(row)?;
            let key = if files.contains(&calendar) { calendar } else { passed.clone() };
            let counts = key == passed || import::says_what_it_said(&event);
            Ok(counts.then(|| ((key, event.id.clone()), event)))
        });
        self.imported.retain(|(calendar, _), _| *calendar != passed);
        if !source.whole.contains("calendar_sync_status") {
            // Which of the events are those of files is not known for sure.
            source.whole.remove("remote_events");
        }
        source.take(&mut self.invitations, "invitations", |row| {
            let row = invitation::read(row)?;
            Ok(Some(((row.calendar.clone(), row.event.clone()), row)))
        });
        source.take(&mut self.choices, "import_choices", |row| {
            let key = (CalendarId(row.get("calendar_id")?), row.get("uid")?);
            Ok(Some((key, row.get::<_, Word<OnConflict>>("choice")?.0)))
        });
        source.take(&mut self.slots, "imported_slots", |row| {
            let row = imported_slot::read(row)?;
            Ok(Some((row.key(), row)))
        });
        source.take(&mut self.invites, "sent_invites", |row| {
            Ok(Some((BookingId(row.get("booking_id")?), sent_invite::read(row)?)))
        });
        source.take(&mut self.closed, "closed_slots", |row| {
            let row = closed_slot::read(row)?;
            Ok(Some((row.id.clone(), row)))
        });
        source.take(&mut self.pauses, "pause", |row| Ok(Some(((), pause::read(row)?))));
        self.whole = source.whole;
    }

    /// Puts it into a new file. Every calendar is to be read from its beginning.
    pub fn write(&self, tx: &Transaction<'_>) -> Result<(), Failure> {
        if let Some(vendor) = self.vendor() {
            vendor::set(tx, vendor)?;
        }
        for row in self.connections.values() {
            let row = Connection { error: None, error_count: 0, backoff_until: None, ..row.clone() };
            connection::put(tx, &row)?;
        }
        let imports = import::connection_id();
        let linked = |row: &&LinkedCalendar| self.connections.contains_key(&row.connection);
        let calendars: BTreeMap<&CalendarId, &LinkedCalendar> =
            self.calendars.values().filter(linked).map(|row| (&row.id, row)).collect();
        for row in calendars.values() {
            let files = row.connection == imports;
            let cursor = files.then(|| Cursor(import::CURSOR.to_owned()));
            // No page says whether a number in it is right.
            let sync_frequency_minutes = row.sync_frequency_minutes.clamp(1, SELDOMEST);
            let row = LinkedCalendar { cursor, known: files, sync_frequency_minutes, ..(*row).clone() };
            calendar::put(tx, &row)?;
        }
        for row in self.mappings.values().filter(|row| calendars.contains_key(&row.calendar)) {
            mapping::put(tx, row)?;
        }
        for row in self.answers.values().filter(|row| calendars.contains_key(&row.calendar)) {
            answer::put(tx, row)?;
        }
        for ((calendar, _), event) in self.imported.iter().filter(|((id, _), _)| calendars.contains_key(id)) {
            remote_event::put(tx, calendar, event)?;
        }
        for row in self.invitations.values() {
            if calendars.contains_key(&row.calendar)
                && self.imported.contains_key(&(row.calendar.clone(), row.event.clone()))
            {
                invitation::put(tx, row)?;
            }
        }
        for ((calendar, uid), choice) in self.choices.iter().filter(|((id, _), _)| calendars.contains_key(id))
        {
            import_choice::set(tx, calendar, &Uid(uid.clone()), Some(*choice))?;
        }
        self.slots.values().try_for_each(|row| imported_slot::put(tx, row))?;
        self.closed.values().try_for_each(|row| closed_slot::put(tx, row))?;
        pause::set(tx, self.pauses.get(&()))?;
        self.invites.iter().try_for_each(|(booking, invite)| sent_invite::put(tx, booking, invite))
    }

    /// The one whom most bookings' events name; nobody whose zone does not exist.
    fn vendor(&self) -> Option<&Vendor> {
        let named = |vendor: &Vendor| self.mappings.values().filter(|row| row.vendor == vendor.id).count();
        let real = |vendor: &&Vendor| TimeZone::get(&vendor.time_zone).is_ok();
        // Of equals the last counts, which is that of the spare copy: it is whole.
        self.vendors.iter().filter(real).max_by_key(|vendor| named(vendor))
    }
}

struct Source<'a> {
    db: &'a Db,
    whole: BTreeSet<&'static str>,
}

impl Source<'_> {
    /// Adds the rows of one table that no newer file has. A row that does not prove itself is none.
    fn take<K: Ord, T>(
        &mut self,
        into: &mut BTreeMap<K, T>,
        table: &'static str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<(K, T)>>,
    ) {
        if !self.whole.contains(table) {
            for (key, row) in self.rows(table, read) {
                into.entry(key).or_insert(row);
            }
        }
    }

    /// As [`Source::take`], where the newer file says which rows there are and the older, whole one what they say.
    fn settle<K: Ord, T>(
        &mut self,
        into: &mut BTreeMap<K, T>,
        table: &'static str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<(K, T)>>,
    ) {
        let is_complete = self.whole.contains(table);
        for (key, row) in self.rows(table, read) {
            if !is_complete || into.contains_key(&key) {
                into.insert(key, row);
            }
        }
    }

    fn rows<K, T>(
        &mut self,
        table: &'static str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<(K, T)>>,
    ) -> Vec<(K, T)> {
        let (found, whole) = rows(self.db, table, read);
        if whole && found.iter().all(Option::is_some) {
            self.whole.insert(table);
        }
        found.into_iter().flatten().collect()
    }
}

/// Every row of a table that can be reached from its beginning or from its end, and whether those are all.
fn rows<T>(db: &Db, table: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> (Vec<T>, bool) {
    let mut walk = Walk { seen: BTreeSet::new(), rows: Vec::new(), whole: true };
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT rowid AS row_in_file, * FROM {table} ORDER BY rowid {order}");
        match walk.through(db, &sql, &read) {
            Ok(()) => break,
            Err(_) => walk.whole = false,
        }
    }
    (walk.rows, walk.whole)
}

struct Walk<T> {
    seen: BTreeSet<i64>,
    rows: Vec<T>,
    whole: bool,
}

impl<T> Walk<T> {
    fn through(
        &mut self,
        db: &Db,
        sql: &str,
        read: &impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<()> {
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if self.seen.len() >= ROWS {
                self.whole = false;
                return Ok(());
            }
            if !self.seen.insert(row.get("row_in_file")?) {
                continue;
            }
            match read(row) {
                Ok(value) => self.rows.push(value),
                Err(error) if is_unreadable(&error) => self.whole = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
