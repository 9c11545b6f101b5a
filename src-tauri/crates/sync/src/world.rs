//! What the mirror knows: the rows that planning reads and that runs write. Values only.

use std::collections::{BTreeMap, BTreeSet};

use calendar::busy::BusyRules;
use calendar::event::Uid;
use calendar::hours::Hours;
use calendar::interval::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::{Booking, Draft};
use crate::closing::ClosedSlot;
use crate::decide::Question;
use crate::error::Code;
use crate::ids::{
    BookingId, CalendarId, ConnectionId, Cursor, ETag, ProposalId, RemoteCalendarId, RemoteId, RunId,
    Service, SlotId, VendorId,
};
use crate::import::{ImportedSlot, Invitation, OnConflict, SlotKey};
use crate::lease::LeaseRecord;
use crate::ports::{BusySet, CalendarEntry, RemoteEvent, Slot};
use crate::reconcile::{FullReading, Side};
use crate::unblocked::Unblocked;

/// Everything planning needs, read in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Nobody before the first sign-in.
    pub vendor: Option<Vendor>,
    pub connections: BTreeMap<ConnectionId, Connection>,
    pub calendars: BTreeMap<CalendarId, LinkedCalendar>,
    pub bookings: BTreeMap<BookingId, Booking>,
    pub bookings_cursor: Option<Cursor>,
    pub events: BTreeMap<CalendarId, BTreeMap<RemoteId, RemoteEvent>>,
    pub mappings: BTreeMap<(BookingId, CalendarId), Mapping>,
    pub published: BTreeMap<CalendarId, PublishedBusy>,
    /// What she decided, by the id of the question that it answers.
    pub answers: BTreeMap<String, Answer>,
    /// How she wants every question of a kind answered.
    pub standing: BTreeMap<Question, Choice>,
    /// Calendars that their service says it does not have any more, and since when.
    pub gone: BTreeMap<CalendarId, Timestamp>,
    /// Imported events that came as an invitation.
    pub invitations: BTreeMap<(CalendarId, RemoteId), Invitation>,
    /// What she chose where an imported event's free times meet slots of hers.
    pub choices: BTreeMap<(CalendarId, Uid), OnConflict>,
    pub imported_slots: BTreeMap<SlotKey, ImportedSlot>,
    /// When each side was last read in full.
    pub full_readings: BTreeMap<Side, FullReading>,
    /// Slots of hers that we closed, where the platform does not close them itself.
    pub closed_slots: BTreeMap<SlotId, ClosedSlot>,
    /// Times that she lets be booked although a calendar blocks them.
    pub unblocked: BTreeSet<Unblocked>,
    /// Operations that were intended and never settled: a crash lies between.
    pub unsettled: Vec<(OperationId, Operation)>,
    /// Which of her computers writes, as far as this one knows.
    pub lease: LeaseRecord,
    /// When she works, as far as Bookiji says so. It is shown, and decides nothing.
    pub hours: Option<Hours>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    pub id: VendorId,
    pub name: String,
    pub email: String,
    /// IANA.
    pub time_zone: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub service: Service,
    /// The address she signed in with.
    pub account: String,
    pub state: ConnectionState,
    pub created_at: Timestamp,
    pub error: Option<SyncProblem>,
    /// Nothing is asked of this account before then.
    pub backoff_until: Option<Timestamp>,
    pub error_count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    Connected,
    /// She must sign in again.
    NeedsSignIn,
    /// She is leaving it: nothing is written for it any more, and what we wrote is taken back.
    Leaving,
}

/// What a calendar is for. The target is always read, so what she adds to it by hand blocks time too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Role {
    /// Its events block time.
    Busy,
    /// Bookings go here.
    Target,
    /// Left alone.
    Off,
}

/// The design's `calendar_sync_status`, one row per calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedCalendar {
    pub id: CalendarId,
    pub connection: ConnectionId,
    pub remote: RemoteCalendarId,
    pub name: String,
    pub time_zone: Option<String>,
    pub writable: bool,
    pub role: Role,
    pub rules: BusyRules,
    pub sync_frequency_minutes: u32,
    pub auto_sync_enabled: bool,
    pub cursor: Option<Cursor>,
    /// Read in full at least once: only then may its busy time be published.
    pub known: bool,
    pub last_sync_at: Option<Timestamp>,
    pub last_sync_status: Option<SyncOutcome>,
    pub last_sync_error: Option<SyncProblem>,
    pub next_sync_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl LinkedCalendar {
    /// A calendar as its account lists it, not read yet.
    #[must_use]
    pub fn new(
        connection: &ConnectionId,
        entry: &CalendarEntry,
        role: Role,
        sync_frequency_minutes: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            id: CalendarId::of(connection, &entry.remote),
            connection: connection.clone(),
            remote: entry.remote.clone(),
            name: entry.name.clone(),
            time_zone: entry.time_zone.clone(),
            writable: entry.writable,
            role,
            rules: BusyRules::default(),
            sync_frequency_minutes,
            auto_sync_enabled: true,
            cursor: None,
            known: false,
            last_sync_at: None,
            last_sync_status: None,
            last_sync_error: None,
            next_sync_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum SyncOutcome {
    Success,
    Partial,
    Error,
}

/// A code and the words of one case of it. The next step for a person follows from the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncProblem {
    pub code: Code,
    pub message: String,
}

/// The design's `calendar_events`: which event stands for which booking, and what the service last echoed of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    pub booking: BookingId,
    pub calendar: CalendarId,
    pub vendor: VendorId,
    pub event: RemoteId,
    pub generation: u32,
    pub state: MappingState,
    pub etag: Option<ETag>,
    /// [`Draft::checksum`] of what we last wrote, or the hold she put on it: see [`crate::decide::hold`].
    pub written: Option<String>,
    /// [`crate::decide::fingerprint`] of what the service echoed when we wrote it.
    pub echo: Option<String>,
    pub error: Option<SyncProblem>,
    pub last_synced_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingState {
    Synced,
    /// Intended, or waiting for the vendor.
    Pending,
    Error,
    /// We removed the event with its booking. The row stays so that the generation is known.
    Removed,
}

/// What she decided. It counts for the state that she was asked about and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// None where the question is about a whole calendar or account.
    pub booking: Option<BookingId>,
    pub calendar: CalendarId,
    /// What of it the question is about: a later answer about the same takes its place.
    pub topic: String,
    /// The question's id, which changes with what it asks about.
    pub card: String,
    pub choice: Choice,
    pub given: Given,
    pub at: Timestamp,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    ByHer,
    /// She had said that all of its kind are answered so.
    Standing,
    /// Nobody's any more: it could not be carried out, or was one of too many at once. She is asked, whatever stands.
    TakenBack,
}

/// What may be done about something that she changed or that came between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The booking goes to the event's time, and the customer is told.
    Move,
    /// The customer is asked to come at the event's time; until then both times stay blocked.
    Propose,
    /// The booking is cancelled, and the customer is told.
    Cancel,
    /// The event goes back to what the booking says.
    PutBack,
    /// The event of a cancelled booking goes too, or the second one of a booking that has two.
    Remove,
    /// A copy of our event does not take up its time.
    Unblock,
    /// Bookings get a new calendar in place of the one that is gone.
    Create,
    /// Bookings go to the account that she signed in to last.
    Switch,
    /// Nothing changes, and both times stay blocked.
    Leave,
}

impl Choice {
    pub const ALL: [Self; 9] = [
        Self::Move,
        Self::Propose,
        Self::Cancel,
        Self::PutBack,
        Self::Remove,
        Self::Unblock,
        Self::Create,
        Self::Switch,
        Self::Leave,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Propose => "propose",
            Self::Cancel => "cancel",
            Self::PutBack => "put_back",
            Self::Remove => "remove",
            Self::Unblock => "unblock",
            Self::Create => "create",
            Self::Switch => "switch",
            Self::Leave => "leave",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

/// What the platform was last sent for one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedBusy {
    pub set: BusySet,
    pub at: Timestamp,
}

/// A row of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub i64);

/// One write, as intended: enough to know afterwards whether it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Operation {
    CreateEvent {
        calendar: CalendarId,
        draft: Draft,
    },
    UpdateEvent {
        calendar: CalendarId,
        event: RemoteId,
        base: ETag,
        draft: Draft,
        before: Box<RemoteEvent>,
    },
    RemoveEvent {
        calendar: CalendarId,
        booking: BookingId,
        event: RemoteId,
        base: ETag,
        before: Box<RemoteEvent>,
        /// What to remember as written, where she took the event back although its booking stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remember: Option<String>,
    },
    /// She decided that the booking goes where she put its event.
    MoveBooking {
        calendar: CalendarId,
        booking: BookingId,
        to: Interval,
        /// The answer it carries out; the platform does the same key once.
        key: String,
        before: Option<Interval>,
    },
    /// She decided that the customer is asked to come where she put the event.
    ProposeMove {
        calendar: CalendarId,
        booking: BookingId,
        to: Interval,
        key: String,
    },
    /// She decided that the customer is not asked any more.
    WithdrawProposal {
        calendar: CalendarId,
        booking: BookingId,
        proposal: ProposalId,
        key: String,
    },
    /// She decided that the booking goes with its event.
    CancelBooking {
        calendar: CalendarId,
        booking: BookingId,
        key: String,
    },
    PublishBusy {
        set: BusySet,
        before: Option<BusySet>,
    },
    /// Makes bookable slots. Taken back by removing those that are still open.
    MakeSlots {
        source: CalendarId,
        slots: Vec<Slot>,
    },
    /// Removes a slot if it is still open. Taken back by making it again.
    RemoveSlot {
        source: CalendarId,
        slot: Slot,
    },
    /// Opens or closes slots as her busy time goes or comes, all of it together. Follows from that alone, both ways.
    SwitchSlots {
        open: bool,
        slots: Vec<Slot>,
    },
    /// Makes the calendar that bookings go to. Which one it became is known once it is there.
    MakeCalendar {
        connection: ConnectionId,
        name: String,
    },
    /// Removes that calendar, once nothing is in it, when she leaves its account.
    RemoveCalendar {
        calendar: CalendarId,
        name: String,
    },
}

impl Operation {
    /// The word it has in the journal.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateEvent { .. } => "create_event",
            Self::UpdateEvent { .. } => "update_event",
            Self::RemoveEvent { .. } => "remove_event",
            Self::MoveBooking { .. } => "move_booking",
            Self::ProposeMove { .. } => "propose_move",
            Self::WithdrawProposal { .. } => "withdraw_proposal",
            Self::CancelBooking { .. } => "cancel_booking",
            Self::PublishBusy { .. } => "publish_busy",
            Self::MakeSlots { .. } => "make_slots",
            Self::RemoveSlot { .. } => "remove_slot",
            Self::SwitchSlots { open: true, .. } => "open_slots",
            Self::SwitchSlots { open: false, .. } => "close_slots",
            Self::MakeCalendar { .. } => "make_calendar",
            Self::RemoveCalendar { .. } => "remove_calendar",
        }
    }

    /// Where it writes, or which source it speaks for; nothing where that is several, or is not there yet.
    #[must_use]
    pub fn calendar(&self) -> Option<&CalendarId> {
        Some(match self {
            Self::CreateEvent { calendar, .. }
            | Self::UpdateEvent { calendar, .. }
            | Self::RemoveEvent { calendar, .. }
            | Self::MoveBooking { calendar, .. }
            | Self::ProposeMove { calendar, .. }
            | Self::WithdrawProposal { calendar, .. }
            | Self::CancelBooking { calendar, .. }
            | Self::RemoveCalendar { calendar, .. } => calendar,
            Self::PublishBusy { set, .. } => &set.source,
            Self::MakeSlots { source, .. } | Self::RemoveSlot { source, .. } => source,
            Self::SwitchSlots { .. } | Self::MakeCalendar { .. } => return None,
        })
    }

    #[must_use]
    pub fn booking(&self) -> Option<&BookingId> {
        match self {
            Self::CreateEvent { draft, .. } | Self::UpdateEvent { draft, .. } => Some(&draft.booking),
            Self::RemoveEvent { booking, .. }
            | Self::MoveBooking { booking, .. }
            | Self::ProposeMove { booking, .. }
            | Self::WithdrawProposal { booking, .. }
            | Self::CancelBooking { booking, .. } => Some(booking),
            Self::PublishBusy { .. }
            | Self::MakeSlots { .. }
            | Self::RemoveSlot { .. }
            | Self::SwitchSlots { .. }
            | Self::MakeCalendar { .. }
            | Self::RemoveCalendar { .. } => None,
        }
    }

    /// Where a booking goes by it.
    #[must_use]
    pub fn moves_to(&self) -> Option<Interval> {
        if let Self::MoveBooking { to, .. } = self { Some(*to) } else { None }
    }
}

/// How an operation ended, with what follows from it for the mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// An event of ours stands as `event`; `mapping` points at it.
    Stored {
        mapping: Box<Mapping>,
        event: Box<RemoteEvent>,
    },
    Removed {
        mapping: Box<Mapping>,
    },
    /// A second event of a booking is gone; the first one stands, and so does its mapping.
    SecondRemoved {
        calendar: CalendarId,
        event: RemoteId,
    },
    /// The platform did what she decided about a booking; what it says now is read anew.
    BookingChanged,
    Published(Box<PublishedBusy>),
    /// The source is gone from the platform.
    Withdrawn {
        source: CalendarId,
    },
    /// Slots stand, or were refused one by one; the rows say which.
    SlotsMade {
        rows: Vec<ImportedSlot>,
    },
    /// A slot is not there, or not ours to remove any more.
    SlotRemoved {
        rows: Vec<ImportedSlot>,
        forgotten: Vec<SlotKey>,
    },
    /// Slots are open or closed; the rows say which.
    SlotsSwitched {
        rows: Vec<ClosedSlot>,
        forgotten: Vec<SlotId>,
    },
    CalendarMade,
    CalendarRemoved,
    /// Not done, and the mirror says why. `mapping` is what remains for the booking, if it has one.
    Failed {
        problem: SyncProblem,
        mapping: Option<Box<Mapping>>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Direction {
    Bidirectional,
    ToCalendar,
    FromCalendar,
}

/// One run, as history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    pub id: RunId,
    pub direction: Direction,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<SyncOutcome>,
    /// The run that this one took back, if that is what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// The run's report, as the CLI prints it.
    pub report: Option<serde_json::Value>,
}
