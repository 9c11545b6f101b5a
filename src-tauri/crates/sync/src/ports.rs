//! What the engine asks of the world. Adapters behind these translate and decide nothing: no retries, no clock, no
//! conflict rule.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use calendar::event::Event;
use calendar::interval::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::{Booking, Draft};
use crate::closing::ClosedSlot;
use crate::decide::Question;
use crate::error::{MirrorError, ServiceError};
use crate::ids::{
    BookingId, CalendarId, ConnectionId, Cursor, ETag, ProposalId, RemoteCalendarId, RemoteId, RunId,
    Service, SlotId, VendorId,
};
use crate::import::{ImportedSlot, Intake, SlotKey};
use crate::journal::JournalEntry;
use crate::lease::{Fencing, Installation, Lease, LeaseRecord};
use crate::news::News;
use crate::reconcile::{FullReading, Side};
use crate::unblocked::Unblocked;
use crate::world::{
    Answer, Choice, Connection, LinkedCalendar, Mapping, Operation, OperationId, PublishedBusy, RunRecord,
    Settled, Vendor, World,
};

/// What one look at a remote side told us. Only a `Snapshot` may be read for absence, and only inside its coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<Item, Key> {
    /// Everything there is inside `coverage`.
    Snapshot {
        items: Vec<Item>,
        coverage: Coverage,
        cursor: Option<Cursor>,
    },
    /// What changed since the cursor; `removed` are explicit tombstones.
    Delta {
        changed: Vec<Item>,
        removed: Vec<Key>,
        cursor: Cursor,
    },
    /// Some of it, and then no more. Says nothing about what it does not hold.
    Partial {
        items: Vec<Item>,
        reason: ServiceError,
    },
    /// The service forgot our cursor: read again without one. Nothing is lost by it.
    CursorLost,
    Failed(ServiceError),
}

/// What a reading tells of, each under an id of its own.
pub trait Identified<Id> {
    fn id(&self) -> &Id;
}

impl Identified<BookingId> for Booking {
    fn id(&self) -> &BookingId {
        &self.id
    }
}

impl Identified<RemoteId> for RemoteEvent {
    fn id(&self) -> &RemoteId {
        &self.id
    }
}

/// A reading from here on is one of everything: no calendar service knows anything older.
pub const EVER: Timestamp = Timestamp::UNIX_EPOCH;

/// How far a snapshot reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    Everything,
    /// Everything that ends after this.
    EndingAfter(Timestamp),
    /// Everything that lies in this stretch, if only in part: of what begins after it, nothing is known.
    Overlapping(Interval),
}

impl Coverage {
    /// Whether what lies between `start` and `end` would have been shown.
    #[must_use]
    pub fn reaches(self, start: Timestamp, end: Timestamp) -> bool {
        match self {
            Self::Everything => true,
            Self::EndingAfter(after) => end > after,
            Self::Overlapping(stretch) => start < stretch.end() && end > stretch.start(),
        }
    }
}

/// An event as its service holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteEvent {
    pub id: RemoteId,
    pub etag: ETag,
    pub event: Event,
    /// What we wrote on it, if we did. A copy carries it too, so alone it proves nothing.
    pub marker: Option<Marker>,
    /// The key that it was created under, where the service gives ids of its own and remembers the key. See
    /// [`RemoteEvent::key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_as: Option<RemoteId>,
}

impl RemoteEvent {
    /// What only we would have chosen for it, if it is ours: its id, or where the service gives that, the key it was
    /// created under. A copy has another one.
    #[must_use]
    pub fn key(&self) -> &RemoteId {
        self.created_as.as_ref().unwrap_or(&self.id)
    }
}

/// The private properties of an event of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub booking: BookingId,
    pub generation: u32,
}

/// What stands under an id right now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
pub enum Probe {
    Live(RemoteEvent),
    /// Deleted; the id cannot be used again.
    Burnt,
    Absent,
}

/// A calendar as the account lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarEntry {
    pub remote: RemoteCalendarId,
    pub name: String,
    pub time_zone: Option<String>,
    pub writable: bool,
    pub primary: bool,
    /// Made by us for this vendor: see [`Account::create_calendar`].
    pub ours: bool,
}

/// A linked account.
#[async_trait]
pub trait Account: Send + Sync {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError>;
    /// Makes the calendar that bookings go to, marked as `vendor`'s so that [`Account::calendars`] tells it again.
    async fn create_calendar(
        &self,
        name: &str,
        time_zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError>;
    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar>;
    /// Deletes a calendar that we made, with everything that may be in it. There is no precondition to this: look first.
    async fn delete_calendar(&self, _remote: &RemoteCalendarId) -> Result<(), ServiceError> {
        let reason = "calendars cannot be deleted here".to_owned();
        Err(ServiceError::Rejected { service: "the calendar".to_owned(), reason })
    }
}

/// One remote calendar. What stands there is changed and deleted at the version that was seen, and no other way:
///
/// ```compile_fail
/// # use sync::{error::ServiceError, ids::RemoteId, ports::Calendar};
/// # async fn careless(calendar: &dyn Calendar, id: &RemoteId) -> Result<(), ServiceError> {
/// calendar.delete(id).await
/// # }
/// ```
///
/// ```
/// # use sync::{error::ServiceError, ids::RemoteId, ports::{Calendar, RemoteEvent}};
/// # async fn careful(calendar: &dyn Calendar, seen: &RemoteEvent) -> Result<(), ServiceError> {
/// calendar.delete(&seen.id, &seen.etag).await
/// # }
/// ```
#[async_trait]
pub trait Calendar: Send + Sync {
    /// Everything since `cursor`; without one, everything that ends after `since`, masters and exceptions unexpanded.
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId>;
    /// Creates the event under `draft.id`, and answers with what the service stored. A service that gives ids of its own
    /// takes `draft.id` as the key under which nothing is created twice.
    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError>;
    /// How many creates the service takes in one request.
    fn creates_at_once(&self) -> usize {
        1
    }
    /// As [`Calendar::create`] of each, at most [`Calendar::creates_at_once`] of them, with the answers in the order of
    /// `drafts`: one that is refused keeps none of the others from being done.
    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let mut answers = Vec::with_capacity(drafts.len());
        for draft in drafts {
            answers.push(self.create(draft).await);
        }
        answers
    }
    /// What a create of this draft has led to, if it was done.
    async fn find(&self, draft: &Draft) -> Result<Probe, ServiceError> {
        self.probe(&draft.id).await
    }
    /// Changes the event if it is still at `base`. What the draft does not speak of stays as it is.
    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError>;
    /// Deletes the event if it is still at `base`.
    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError>;
    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError>;
    /// How long its publisher asks to be left alone between two readings, as the one that ended at `cursor` said. Asks
    /// nobody.
    fn rhythm(&self, _cursor: Option<&Cursor>) -> Option<Duration> {
        None
    }
}

/// Her busy time from one source, for the whole window: the platform replaces what it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusySet {
    pub service: Service,
    /// The source's name on the platform. One calendar is one source, so that one can be withdrawn without the rest.
    pub source: CalendarId,
    pub window: Interval,
    /// Sorted and merged.
    pub intervals: Vec<Interval>,
    /// Of the interval set (platform notes §3.3).
    pub checksum: String,
}

/// What the platform did with a busy set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusyReceipt {
    pub slots_closed: usize,
    pub slots_reopened: usize,
    /// Bookings that the busy time lies over.
    pub conflicts: Vec<BookingId>,
}

/// A time that customers can book, or could until it was closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    pub span: Interval,
    pub id: SlotId,
    /// False once it is booked, blocked by her, or closed by busy time: the platform does not say which.
    pub open: bool,
}

/// What became of one slot that was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotMade {
    /// It stands under the id it was to have, from this call or an earlier one.
    Stands,
    /// Another slot has exactly these times.
    Taken,
    /// It overlaps a slot that is open.
    Overlaps,
    Refused(ServiceError),
}

/// Bookiji.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Every slot that overlaps `window`.
    async fn slots(&self, window: Interval) -> Result<Vec<Slot>, ServiceError>;
    /// Makes `slots`, each open and under its own id, so that the same call again makes no second. One that cannot be
    /// made keeps none of the others from being made. The answers are in the order of `slots`.
    async fn create_slots(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError>;
    /// Removes the slot if it still stands at exactly `slot.span`, open or closed as `slot` says.
    ///
    /// # Errors
    /// [`ServiceError::Stale`] when it is otherwise (booked meanwhile, perhaps) or elsewhere, [`ServiceError::Gone`] when it is not
    /// there.
    async fn remove_slot(&self, slot: &Slot) -> Result<(), ServiceError>;
    async fn bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId>;
    /// Moves the booking to a slot with exactly these times, and tells the customer. The same `key` is done once.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when the slot is not open or the booking is over.
    async fn move_booking(&self, booking: &BookingId, to: Interval, key: &str) -> Result<(), ServiceError>;
    /// Cancels the booking, and tells the customer. The same `key` is done once.
    async fn cancel_booking(&self, booking: &BookingId, reason: &str, key: &str) -> Result<(), ServiceError>;
    /// Asks the customer to come at another time, in place of what they were asked before. Whether the platform can is
    /// told with each booking: see [`crate::proposal::Proposal`].
    async fn propose_move(
        &self,
        _booking: &BookingId,
        _to: Interval,
        _key: &str,
    ) -> Result<(), ServiceError> {
        Err(asks_nobody())
    }
    /// The customer is not asked any more. Refused once they have accepted.
    async fn withdraw_proposal(
        &self,
        _booking: &BookingId,
        _proposal: &ProposalId,
        _key: &str,
    ) -> Result<(), ServiceError> {
        Err(asks_nobody())
    }
    /// Replaces the source's busy time. The same set again changes nothing.
    async fn put_busy(&self, set: &BusySet) -> Result<BusyReceipt, ServiceError>;

    /// Whether it closes the slots that busy time lies over, and opens them again, by itself. Where it does not,
    /// [`Platform::put_busy`] only takes note, and [`crate::closing`] closes them one by one.
    async fn closes_slots(&self) -> Result<bool, ServiceError> {
        Ok(true)
    }
    /// Opens, or closes, those of `slots` that still stand as they were seen, and answers with which. One that may not be
    /// opened keeps no other from it.
    async fn switch_slots(&self, _slots: &[Slot], _open: bool) -> Result<Vec<SlotId>, ServiceError> {
        let reason = "it closes and opens slots itself".to_owned();
        Err(ServiceError::Rejected { service: "bookiji".to_owned(), reason })
    }

    /// Asks for the lease, or for more of it: while it lives, one computer of hers writes. Asking again does no harm.
    async fn lease(&self, _me: &Installation, _term: Duration) -> Result<Lease, ServiceError> {
        Ok(Lease::NotOffered)
    }
    /// Gives the lease back before its end.
    async fn release_lease(&self, _me: &Installation, _fencing: Fencing) -> Result<(), ServiceError> {
        Ok(())
    }
    /// Every write from now on carries this number, and is refused with [`ServiceError::Fenced`] once there is a
    /// greater one.
    fn fence(&self, _fencing: Option<Fencing>) {}
    /// The greatest number given out, as the last reading of bookings told it. Asks nobody.
    fn fencing_seen(&self) -> Option<Fencing> {
        None
    }
}

fn asks_nobody() -> ServiceError {
    let reason = "it cannot ask a customer for another time".to_owned();
    ServiceError::Rejected { service: "bookiji".to_owned(), reason }
}

/// A clock that can wait. The engine knows no other.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    async fn wait(&self, duration: Duration);
    /// Between 0 and 1, to spread retries.
    fn jitter(&self) -> f64;
    /// Time since some moment of this process. Nobody can set it; it may stand still while the computer sleeps.
    fn steady(&self) -> Duration {
        self.now().duration_since(Timestamp::UNIX_EPOCH).try_into().unwrap_or_default()
    }
}

/// The local mirror. Every call is one transaction: all of it happened, or none.
pub trait Mirror: Send + Sync {
    /// All that planning needs.
    fn world(&self) -> Result<World, MirrorError>;

    fn set_vendor(&self, vendor: &Vendor) -> Result<(), MirrorError>;
    fn put_connection(&self, connection: &Connection) -> Result<(), MirrorError>;
    /// Removes the connection and its calendars, events and mappings.
    fn remove_connection(&self, id: &ConnectionId) -> Result<(), MirrorError>;
    /// On a calendar that is there already, cursor and `known` stay as they are: readings own them. A role of `Off`
    /// forgets both, and every event that stands for no booking; imported files cannot be read again, and keep all.
    fn put_calendar(&self, calendar: &LinkedCalendar) -> Result<(), MirrorError>;

    /// Rows and cursor of one reading of the platform's bookings.
    fn take_bookings(&self, news: &News<'_, Booking, BookingId>) -> Result<(), MirrorError>;
    /// Rows and cursor of one reading of a calendar. The events of bookings that lie outside what was read stay: nobody
    /// said that they are gone.
    fn take_events(
        &self,
        calendar: &CalendarId,
        news: &News<'_, RemoteEvent, RemoteId>,
    ) -> Result<(), MirrorError>;
    /// Drops the cursor alone; rows stay until a new reading replaces them.
    fn forget_cursor(&self, calendar: Option<&CalendarId>) -> Result<(), MirrorError>;

    /// When a side was read in full, or that it was tried.
    fn put_full_reading(&self, side: &Side, reading: &FullReading) -> Result<(), MirrorError>;

    /// What one imported file, or an answer of hers, changes.
    fn take_import(&self, calendar: &CalendarId, intake: &Intake) -> Result<(), MirrorError>;
    /// What became of imported free times without any write.
    fn put_imported_slots(&self, rows: &[ImportedSlot], forgotten: &[SlotKey]) -> Result<(), MirrorError>;

    /// What is known of slots that we closed.
    fn put_closed_slots(&self, rows: &[ClosedSlot], forgotten: &[SlotId]) -> Result<(), MirrorError>;

    /// Writes down what is about to be done, before it is done.
    fn intend(&self, run: &RunId, operation: &Operation, at: Timestamp) -> Result<OperationId, MirrorError>;
    /// Counts a try of an intended operation.
    fn attempted(&self, operation: OperationId, at: Timestamp) -> Result<(), MirrorError>;
    /// Writes down how it ended, with the row that follows from it.
    fn settle(&self, operation: OperationId, settled: &Settled, at: Timestamp) -> Result<(), MirrorError>;
    /// A mapping changed without any write of ours: adopted, refreshed or forgotten.
    fn put_mapping(&self, mapping: &Mapping) -> Result<(), MirrorError>;
    fn remove_mapping(&self, booking: &BookingId, calendar: &CalendarId) -> Result<(), MirrorError>;
    /// What she decided, each in place of what she decided about the same before. An answer about her words on an event
    /// is gone once words of ours are stored there: it was for those alone.
    fn put_answers(&self, answers: &[Answer]) -> Result<(), MirrorError>;
    /// The answer to this question could not be carried out: she is asked again.
    fn take_back_answer(&self, card: &str) -> Result<(), MirrorError>;
    /// How all questions of this kind are to be answered from now on; with nothing, she is asked.
    fn set_standing(&self, question: Question, choice: Option<Choice>) -> Result<(), MirrorError>;
    /// Lets these times be booked although their calendars block them.
    fn put_unblocked(&self, rows: &[Unblocked]) -> Result<(), MirrorError>;
    /// Every time that has to do with `span` is blocked again as its calendars say.
    fn take_back_unblocked(&self, span: Interval) -> Result<(), MirrorError>;
    /// Since when the service says that it does not have the calendar any more.
    fn set_gone(&self, calendar: &CalendarId, since: Option<Timestamp>) -> Result<(), MirrorError>;

    /// What is known of who writes. With `in_doubt`, another computer may have told the platform her busy time since:
    /// no source counts as told any more, and all of them are sent again.
    fn note_lease(&self, _record: &LeaseRecord, _in_doubt: bool) -> Result<(), MirrorError> {
        Ok(())
    }

    fn begin_run(&self, run: &RunRecord) -> Result<(), MirrorError>;
    fn end_run(&self, run: &RunRecord) -> Result<(), MirrorError>;
    /// The last `limit` runs, newest first.
    fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, MirrorError>;
    /// What a run wrote, in the order it was intended.
    fn journal(&self, run: &RunId) -> Result<Vec<JournalEntry>, MirrorError>;
    /// What the platform was last sent, per source.
    fn published(&self) -> Result<BTreeMap<CalendarId, PublishedBusy>, MirrorError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_would_have_shown_what_lies_in_its_coverage_if_only_in_part_and_nothing_beside_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let stretch = Coverage::Overlapping(Interval::new(at(10), at(20)).unwrap());
        for (coverage, start, end, expected) in [
            (Coverage::Everything, 0, 1, true),
            (Coverage::EndingAfter(at(10)), 5, 10, false),
            (Coverage::EndingAfter(at(10)), 5, 11, true),
            (Coverage::EndingAfter(at(10)), 50, 60, true),
            (stretch, 5, 10, false),
            (stretch, 5, 11, true),
            (stretch, 12, 13, true),
            (stretch, 19, 30, true),
            (stretch, 20, 30, false),
            (stretch, 0, 40, true),
        ] {
            assert_eq!(coverage.reaches(at(start), at(end)), expected, "{coverage:?} {start} {end}");
        }
    }
}
