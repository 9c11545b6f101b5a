//! What Google holds: accounts, their calendars, and events as the JSON that was stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::names::Names;
use crate::oauth::grants::Grants;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Google {
    /// By e-mail address.
    pub accounts: BTreeMap<String, Account>,
    pub grants: Grants,
    /// Counts every change to anything; etags and sync tokens come from it.
    pub changes: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    pub time_zone: String,
    pub calendars: BTreeMap<String, Calendar>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    FreeBusyReader,
    Reader,
    Writer,
    Owner,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FreeBusyReader => "freeBusyReader",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calendar {
    pub id: String,
    pub summary: String,
    pub description: Option<String>,
    pub location: Option<String>,
    pub time_zone: String,
    pub role: Role,
    pub primary: bool,
    /// Made through the API, so that `calendar.app.created` reaches it.
    pub made_by_app: bool,
    pub public: bool,
    pub deleted: bool,
    /// When its list entry last changed.
    pub changed: u64,
    pub color: String,
    pub events: BTreeMap<String, Record>,
}

/// One event, live or not. Nothing is ever taken out: an id that was used stays used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub fields: Map<String, Value>,
    /// The change that made it.
    pub made: u64,
    /// The change that it is as of.
    pub changed: u64,
}

impl Record {
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.text("status") == "cancelled"
    }

    #[must_use]
    pub fn series(&self) -> Option<&str> {
        self.fields.get("recurringEventId").and_then(Value::as_str)
    }

    #[must_use]
    pub fn repeats(&self) -> bool {
        self.fields.contains_key("recurrence")
    }

    #[must_use]
    pub fn etag(&self) -> String {
        etag(self.changed)
    }
}

impl Calendar {
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// Quoted, as Google's are; the quotes belong to it.
#[must_use]
pub fn etag(changed: u64) -> String {
    format!("\"{}\"", 3_490_000_000_000_000 + changed * 2000)
}

/// One calendar of one account, ready to be changed.
pub struct Desk<'a> {
    pub account: String,
    pub calendar: &'a mut Calendar,
    pub changes: &'a mut u64,
    pub names: &'a mut Names,
    pub now: Timestamp,
}

impl Google {
    /// Finds a calendar that the account can see; `primary` is the one named like the account.
    ///
    /// # Errors
    /// `notFound`.
    pub fn calendar(&self, account: &str, id: &str) -> Result<&Calendar, Refusal> {
        let id = if id == "primary" { account } else { id };
        let calendars = &self.accounts.get(account).ok_or_else(Refusal::not_found)?.calendars;
        calendars.get(id).filter(|calendar| !calendar.deleted).ok_or_else(Refusal::not_found)
    }

    /// # Errors
    /// `notFound`.
    pub fn desk<'a>(
        &'a mut self,
        names: &'a mut Names,
        account: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Desk<'a>, Refusal> {
        let id = if id == "primary" { account } else { id };
        let calendars = &mut self.accounts.get_mut(account).ok_or_else(Refusal::not_found)?.calendars;
        let calendar = calendars.get_mut(id).filter(|c| !c.deleted).ok_or_else(Refusal::not_found)?;
        Ok(Desk { account: account.to_owned(), calendar, changes: &mut self.changes, names, now })
    }
}
