//! What Outlook holds: mailboxes, their calendars, and events with their exceptions.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::ids::EventId;
use super::moment::Moment;
use super::recurrence::Recurrence;
use super::refusal::Refusal;
use crate::microsoft::grants::Grants;
use crate::names::Names;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outlook {
    /// Apart from everybody else's, so that a world without Outlook draws the names that it always drew.
    pub names: Names,
    /// By e-mail address.
    pub accounts: BTreeMap<String, Mailbox>,
    pub grants: Grants,
    /// Counts every change to anything; change keys and delta tokens come from it.
    pub changes: u64,
    /// How many times a repeated create was refused, since the two forms take turns.
    pub duplicates: u64,
    /// How many times a delta token was refused, since the spellings take turns.
    pub lost: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mailbox {
    pub name: String,
    /// Windows name, as mailboxes have.
    pub time_zone: String,
    /// outlook.com rather than work or school.
    pub personal: bool,
    /// Her administrator has to agree before she can let the app in.
    pub needs_approval: bool,
    pub calendars: BTreeMap<String, Calendar>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calendar {
    pub id: String,
    pub name: String,
    pub default: bool,
    pub can_edit: bool,
    pub owner: (String, String),
    pub color: String,
    pub deleted: bool,
    pub changed: u64,
    /// Single-value extended properties, by id.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// By key.
    pub events: BTreeMap<String, Item>,
}

/// A single event, the master of a series, or, inside a master, one changed occurrence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    pub key: String,
    /// How often it went to another calendar: its regular id changes with each.
    pub moves: u8,
    pub uid: String,
    /// The change that made it.
    pub made: u64,
    /// The change that it is as of; a series changes with each of its exceptions.
    pub changed: u64,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub deleted: bool,
    pub all_day: bool,
    pub start: Moment,
    pub end: Moment,
    /// Everything that is written and told alike.
    pub fields: Map<String, Value>,
    /// Single-value extended properties, by id.
    pub properties: BTreeMap<String, String>,
    pub transaction: Option<String>,
    pub recurrence: Option<Recurrence>,
    /// Changed occurrences, by the second of their original start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exceptions: BTreeMap<i64, Item>,
    /// Occurrences taken out, and the change that did it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cancelled: BTreeMap<i64, u64>,
    /// Occurrences that a change of the whole series left nothing of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vanished: BTreeMap<i64, u64>,
}

impl Item {
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    #[must_use]
    pub fn change_key(&self) -> String {
        change_key(&self.key, self.changed)
    }

    #[must_use]
    pub fn id(&self, original: Option<Timestamp>, immutable: bool) -> String {
        let moves = (!immutable).then_some(self.moves);
        EventId { item: self.key.clone(), moves, original }.write()
    }
}

#[must_use]
pub fn change_key(key: &str, changed: u64) -> String {
    let digest = Sha256::digest(key);
    let mut bytes = b"\x0f\x00\x00\x00\x16\x00\x00\x00".to_vec();
    bytes.extend(&digest[..8]);
    bytes.extend(changed.to_be_bytes());
    BASE64.encode(&bytes)
}

#[must_use]
pub fn etag(change_key: &str) -> String {
    format!("W/\"{change_key}\"")
}

/// Nobody's, for a life that was saved before there was an Outlook.
impl Default for Outlook {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Outlook {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            names: Names::new(seed ^ 0x6f75_746c_6f6f_6b00),
            accounts: BTreeMap::new(),
            grants: Grants::default(),
            changes: 0,
            duplicates: 0,
            lost: 0,
        }
    }

    #[must_use]
    pub fn waits_for_approval(&self, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|mailbox| mailbox.needs_approval)
    }

    /// An administrator agrees, for everyone.
    pub fn approve(&mut self) {
        self.accounts.values_mut().for_each(|mailbox| mailbox.needs_approval = false);
    }

    /// # Errors
    /// When the account has no mailbox.
    pub fn mailbox(&self, account: &str) -> Result<&Mailbox, Refusal> {
        self.accounts.get(account).ok_or_else(no_mailbox)
    }

    /// A mailbox with one empty calendar, which it cannot be without.
    pub fn open_mailbox(&mut self, email: &str, name: &str, time_zone: &str, personal: bool) {
        let id = super::ids::calendar(&self.names.uuid());
        self.changes += 1;
        let calendar = Calendar {
            id: id.clone(),
            name: "Calendar".to_owned(),
            default: true,
            can_edit: true,
            owner: (name.to_owned(), email.to_owned()),
            color: "auto".to_owned(),
            deleted: false,
            changed: self.changes,
            properties: BTreeMap::new(),
            events: BTreeMap::new(),
        };
        self.accounts.entry(email.to_owned()).or_insert_with(|| Mailbox {
            name: name.to_owned(),
            time_zone: time_zone.to_owned(),
            personal,
            needs_approval: false,
            calendars: [(id, calendar)].into(),
        });
    }
}

pub fn no_mailbox() -> Refusal {
    Refusal::new(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )
}

impl Mailbox {
    /// The calendar of this id, or the default one when there is none in the path.
    ///
    /// # Errors
    /// `ErrorItemNotFound`, or `ErrorInvalidIdMalformed` for what is no calendar's id.
    pub fn calendar(&self, id: &str) -> Result<&Calendar, Refusal> {
        let key = self.calendar_key(id)?;
        self.calendars.get(&key).ok_or_else(Refusal::not_found)
    }

    /// # Errors
    /// As [`Mailbox::calendar`].
    pub fn calendar_key(&self, id: &str) -> Result<String, Refusal> {
        let live = |calendar: &&Calendar| !calendar.deleted;
        if id.is_empty() {
            let default = self.calendars.values().filter(live).find(|calendar| calendar.default);
            return default.map(|calendar| calendar.id.clone()).ok_or_else(Refusal::not_found);
        }
        if !super::ids::is_calendar(id) {
            return Err(Refusal::malformed_id());
        }
        let found = self.calendars.get(id).filter(live);
        found.map(|calendar| calendar.id.clone()).ok_or_else(Refusal::not_found)
    }

    /// Where an event is, whatever its calendar: the calendar and the item, live.
    ///
    /// # Errors
    /// `ErrorItemNotFound`, also for a regular id from before a move.
    pub fn find(&self, id: &EventId) -> Result<(&Calendar, &Item), Refusal> {
        let calendars = self.calendars.values().filter(|calendar| !calendar.deleted);
        let mut found = calendars.filter_map(|calendar| Some((calendar, calendar.events.get(&id.item)?)));
        let live = found.find(|(_, item)| !item.deleted && id.moves.is_none_or(|moves| moves == item.moves));
        live.ok_or_else(Refusal::not_found)
    }
}
