//! Calendar files as a source of their own: what the mirror keeps of them beside their events. Values only; what of a
//! file is new is decided in `take`, what becomes of its free times in `crate::slots`.

pub mod key;
mod take;

use calendar::event::Uid;
use calendar::interval::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CalendarId, ConnectionId, Cursor, RemoteCalendarId, RemoteId, Service};
use crate::ports::{CalendarEntry, RemoteEvent, Slot};
use crate::world::{Connection, ConnectionState, LinkedCalendar, Role, World};

pub use take::{
    Counts, Holdings, Own, Skip, Skipped, Taken, asks_about_slots, hers, is_over, says_free,
    says_what_it_said,
};

/// What the connection is called, as an account.
pub const ACCOUNT: &str = "Imported files";

/// There is nothing to read behind it: files come by themselves.
pub const CURSOR: &str = "files";

/// The one connection of all imported files.
#[must_use]
pub fn connection_id() -> ConnectionId {
    ConnectionId::of(Service::Ics, ACCOUNT)
}

/// The calendar that imported events stand in, once there is one.
#[must_use]
pub fn calendar(world: &World) -> Option<&LinkedCalendar> {
    let connection = connection_id();
    world.calendars.values().find(|calendar| calendar.connection == connection)
}

#[must_use]
pub fn connection(now: Timestamp) -> Connection {
    Connection {
        id: connection_id(),
        service: Service::Ics,
        account: ACCOUNT.to_owned(),
        state: ConnectionState::Connected,
        created_at: now,
        error: None,
        backoff_until: None,
        error_count: 0,
    }
}

/// The calendar as it begins. It is known from the start: what was never imported is not there.
///
/// `unique` is different in every profile. Two computers may have been given different files, and a busy source that
/// both wrote would lose what the other one blocks.
#[must_use]
pub fn linked(unique: &str, frequency_minutes: u32, now: Timestamp) -> LinkedCalendar {
    let entry = CalendarEntry {
        remote: RemoteCalendarId(format!("files-{unique}")),
        name: ACCOUNT.to_owned(),
        time_zone: None,
        writable: false,
        primary: false,
        ours: false,
    };
    LinkedCalendar {
        cursor: Some(Cursor(CURSOR.to_owned())),
        known: true,
        ..LinkedCalendar::new(&connection_id(), &entry, Role::Busy, frequency_minutes, now)
    }
}

/// What becomes of free times that meet slots she already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum OnConflict {
    /// Open slots that nobody booked give way.
    Replace,
    /// The parts that nothing covers become slots.
    Merge,
    /// Her slots stay as they are.
    Skip,
}

impl OnConflict {
    pub const ALL: [Self; 3] = [Self::Replace, Self::Merge, Self::Skip];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Merge => "merge",
            Self::Skip => "skip",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

/// An event that came as an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub calendar: CalendarId,
    pub event: RemoteId,
    /// A digest of the times: an answer counts for these and no others.
    pub asked: String,
    pub answer: Given,
}

/// How an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// Its time is held until she answers.
    Waiting,
    Accepted,
    Declined,
    /// Nothing to ask: the file says how she answered, or it takes up no time.
    NotAsked,
}

/// A free time of an imported event within the horizon, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedSlot {
    pub calendar: CalendarId,
    /// Of the occurrence. One occurrence is one free time, whatever slots it leads to.
    pub span: Interval,
    /// What other imported free times left of it when this was decided.
    pub part: Option<Interval>,
    pub uid: Uid,
    pub summary: String,
    pub state: SlotState,
    /// The slots that we made for it.
    pub made: Vec<Slot>,
    /// What was chosen when this was decided.
    pub choice: Option<OnConflict>,
    /// A digest of the bookings and busy time that lay over it then: while it is the same, nothing is to be decided anew.
    pub under: String,
    pub conflicts: Vec<Conflict>,
    pub decided_at: Timestamp,
}

/// Which free time a row speaks of.
pub type SlotKey = (CalendarId, Interval);

impl ImportedSlot {
    #[must_use]
    pub fn key(&self) -> SlotKey {
        (self.calendar.clone(), self.span)
    }

    /// Not so of a slot that only waits to be taken back.
    #[must_use]
    pub fn is_of_a_file(&self) -> bool {
        self.uid != Uid::default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// `made` stands, or stood: what she takes away on the platform stays away.
    Made,
    /// A slot with exactly these times was there before.
    Stands,
    /// Nothing is made of it: she chose so, or nothing of it is left.
    Left,
    /// It meets slots of hers, and she has not chosen yet.
    Waiting,
    /// A booking or busy time lies over it: decided anew once that changes.
    Blocked,
}

/// Where an imported time meets something that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub kind: ConflictKind,
    pub uid: Uid,
    pub summary: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub with: Met,
    pub resolution: Resolution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum ConflictKind {
    /// A customer has this time.
    Booking,
    /// Her own busy time.
    Busy,
    /// A slot that customers can book.
    Slot,
    /// A slot that nobody can book: she closed it, or busy time did.
    Closed,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub summary: Option<String>,
    pub start: Timestamp,
    pub end: Timestamp,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Resolution {
    /// She must choose.
    Waiting,
    Replaced,
    Merged,
    Skipped,
    /// What is there stays, and so does what was imported: time that is both booked and busy.
    Kept,
    /// Made by itself once the time is free.
    Later,
}

/// What a file, or an answer of hers, changes in the mirror: written in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    pub changed: Vec<RemoteEvent>,
    pub removed: Vec<RemoteId>,
    /// After the events they belong to.
    pub invitations: Vec<Invitation>,
    /// Nothing forgets the choice: the times it was made for are others now.
    pub choices: Vec<(Uid, Option<OnConflict>)>,
}

impl Intake {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.removed.is_empty()
            && self.invitations.is_empty()
            && self.choices.is_empty()
    }
}

impl World {
    /// The world as [`crate::ports::Mirror::take_import`] leaves it.
    pub fn take_import(&mut self, calendar: &CalendarId, intake: &Intake) {
        let rows = self.events.entry(calendar.clone()).or_default();
        for id in &intake.removed {
            rows.remove(id);
            self.invitations.remove(&(calendar.clone(), id.clone()));
        }
        rows.extend(intake.changed.iter().map(|row| (row.id.clone(), row.clone())));
        for row in &intake.invitations {
            self.invitations.insert((calendar.clone(), row.event.clone()), row.clone());
        }
        for (uid, choice) in &intake.choices {
            let key = (calendar.clone(), uid.clone());
            match choice {
                Some(choice) => self.choices.insert(key, *choice),
                None => self.choices.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{at, draft, event};

    #[test]
    fn an_intake_that_changes_anything_at_all_is_not_empty() {
        assert!(Intake::default().is_empty());
        let row = event(&draft(1), "1");
        let invitation = Invitation {
            calendar: "files".into(),
            event: row.id.clone(),
            asked: String::new(),
            answer: Given::Waiting,
        };
        for intake in [
            Intake { removed: vec![row.id.clone()], ..Intake::default() },
            Intake { choices: vec![(row.event.uid.clone(), None)], ..Intake::default() },
            Intake { invitations: vec![invitation], ..Intake::default() },
            Intake { changed: vec![row], ..Intake::default() },
        ] {
            assert!(!intake.is_empty(), "{intake:?}");
        }
    }

    #[test]
    fn the_calendar_of_imported_files_is_known_from_the_start() {
        let calendar = linked("here", 5, at(0));
        assert!(calendar.known && calendar.cursor.is_some());
        assert_ne!(calendar.id, linked("there", 5, at(0)).id);
    }
}
