//! `events.list`: which parameters go together, what matches, and in which pages.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event::{Moment, property};
use super::params;
use super::refusal::Refusal;
use super::series::{instance_fields, instances};
use super::token::{PageToken, SyncToken, fingerprint, open, seal};
use super::world::{Calendar, Record};
use super::write::{end_of, start_of};
use crate::wire::Call;

/// Sync tokens older than this are forgotten.
const SYNC_TOKEN_DAYS: i64 = 28;
const SECONDS_PER_DAY: i64 = 86_400;
/// How far `singleEvents` reaches where the caller sets no bound.
const EXPANSION_DAYS: i64 = 730;

const BESIDE_SYNC_TOKEN: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "sharedExtendedProperty",
    "q",
    "timeMin",
    "timeMax",
    "updatedMin",
];
const EVENT_TYPES: [&str; 6] =
    ["birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Id,
    StartTime,
    Updated,
}

/// A list request that Google would answer.
pub struct Question {
    max_results: usize,
    single_events: bool,
    show_deleted: bool,
    time_min: Option<Timestamp>,
    time_max: Option<Timestamp>,
    updated_min: Option<Timestamp>,
    uid: Option<String>,
    text: Option<String>,
    event_types: Vec<String>,
    private: Vec<(String, String)>,
    shared: Vec<(String, String)>,
    order: Order,
    since: Option<u64>,
    page: Option<PageToken>,
    fingerprint: String,
    sync_fingerprint: String,
    /// Whether a sync token may follow from the answer.
    syncable: bool,
}

/// How a list is bent on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bent {
    pub short: bool,
    pub duplicate: bool,
    pub reordered: bool,
    pub empty: bool,
}

pub struct Page {
    pub items: Vec<Map<String, Value>>,
    pub next_page: Option<String>,
    pub next_sync: Option<String>,
}

impl Question {
    /// # Errors
    /// As Google refuses.
    pub fn read(
        call: &Call,
        calendar: &Calendar,
        changes: u64,
        now: Timestamp,
        cursor_lost: bool,
    ) -> Result<Self, Refusal> {
        let time_min = params::instant(call, "timeMin")?;
        let time_max = params::instant(call, "timeMax")?;
        let updated_min = params::instant(call, "updatedMin")?;
        if time_min.zip(time_max).is_some_and(|(min, max)| max <= min) {
            return Err(Refusal::time_range_empty());
        }
        if updated_min.is_some_and(|min| min < crate::time::after(now, -SYNC_TOKEN_DAYS * SECONDS_PER_DAY)) {
            return Err(Refusal::updated_min_too_long_ago());
        }
        let single_events = params::flag(call, "singleEvents")?.unwrap_or(false);
        let order = match call.query("orderBy") {
            None => Order::Id,
            Some("updated") => Order::Updated,
            Some("startTime") if single_events => Order::StartTime,
            Some("startTime") => {
                return Err(Refusal::bad_request(
                    "The requested ordering is not available for the particular query.",
                ));
            }
            Some(other) => {
                return Err(Refusal::parameter(
                    "orderBy",
                    format!("Invalid string value: '{other}'. Allowed values: [startTime, updated]"),
                ));
            }
        };
        let event_types: Vec<String> = call.query_all("eventTypes").map(str::to_owned).collect();
        if let Some(other) = event_types.iter().find(|kind| !EVENT_TYPES.contains(&kind.as_str())) {
            return Err(Refusal::parameter("eventTypes", format!("Invalid string value: '{other}'.")));
        }
        let show_deleted = params::flag(call, "showDeleted")?;
        if let Some(zone) = call.query("timeZone") {
            jiff::tz::TimeZone::get(zone)
                .map_err(|_| Refusal::invalid_parameter_value("timeZone", "Invalid time zone."))?;
        }
        params::flag(call, "showHiddenInvitations")?;
        params::flag(call, "alwaysIncludeEmail")?;
        params::count(call, "maxAttendees", usize::MAX)?;
        let mut kinds = event_types.clone();
        kinds.sort();
        let sync_fingerprint =
            fingerprint(&[&calendar.id, if single_events { "single" } else { "" }, &kinds.join(",")]);
        let max_results = params::count(call, "maxResults", 2500)?.unwrap_or(250);
        let since = match call.query("syncToken") {
            None => None,
            Some(word) => {
                let beside = BESIDE_SYNC_TOKEN.iter().find(|name| call.query(name).is_some());
                if let Some(name) = beside {
                    return Err(Refusal::bad_request(format!(
                        "Sync token cannot be used together with {name}."
                    )));
                }
                if show_deleted == Some(false) {
                    return Err(Refusal::bad_request(
                        "Sync token cannot be used together with showDeleted=false.",
                    ));
                }
                let token: SyncToken = open(word).ok_or_else(|| {
                    Refusal::invalid_parameter_value("syncToken", "Invalid sync token value.")
                })?;
                let age_s = now.as_second() - token.issued_s;
                if cursor_lost || token.seen > changes || age_s > SYNC_TOKEN_DAYS * SECONDS_PER_DAY {
                    return Err(Refusal::full_sync_required());
                }
                if token.question != sync_fingerprint {
                    return Err(Refusal::invalid_parameter_value(
                        "syncToken",
                        "The sync token was made by a request with other parameters or for another calendar.",
                    ));
                }
                Some(token.seen)
            }
        };
        let fingerprint = fingerprint(
            &call
                .query
                .iter()
                .filter(|(key, _)| key != "pageToken" && key != "maxResults")
                .map(|(key, value)| format!("{key}={value}"))
                .chain([calendar.id.clone()])
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        let page = match call.query("pageToken") {
            None => None,
            Some(word) => Some(
                open::<PageToken>(word)
                    .filter(|token| token.question == fingerprint && token.as_of <= changes)
                    .ok_or_else(|| {
                        Refusal::invalid_parameter_value("pageToken", "Invalid page token value.")
                    })?,
            ),
        };
        let syncable =
            ["iCalUID", "orderBy", "privateExtendedProperty", "sharedExtendedProperty", "q", "updatedMin"]
                .iter()
                .all(|name| call.query(name).is_none());
        Ok(Self {
            max_results,
            single_events,
            show_deleted: show_deleted.unwrap_or(false) || since.is_some(),
            time_min,
            time_max,
            updated_min,
            uid: call.query("iCalUID").map(str::to_owned),
            text: call.query("q").map(str::to_lowercase),
            event_types,
            private: params::pairs(call, "privateExtendedProperty")?,
            shared: params::pairs(call, "sharedExtendedProperty")?,
            order,
            since,
            page,
            fingerprint,
            sync_fingerprint,
            syncable,
        })
    }

    #[must_use]
    pub fn answer(&self, calendar: &Calendar, changes: u64, now: Timestamp, bent: Bent) -> Page {
        let as_of = self.page.as_ref().map_or(changes, |page| page.as_of);
        let next_sync = || {
            let token =
                SyncToken { question: self.sync_fingerprint.clone(), seen: as_of, issued_s: now.as_second() };
            self.syncable.then(|| seal(&token))
        };
        if bent.empty {
            return Page { items: Vec::new(), next_page: None, next_sync: next_sync() };
        }
        let matching = self.matching(calendar, now);
        let after = self.page.as_ref().map_or("", |page| page.after.as_str());
        let mut from = matching.partition_point(|(key, _)| !after.is_empty() && key.as_str() <= after);
        let limit = match (bent.short, &self.page) {
            (false, _) => self.max_results,
            (true, None) => 0,
            (true, Some(_)) => 2.min(self.max_results),
        };
        let to = (from + limit).min(matching.len());
        let next_page = (to < matching.len()).then(|| {
            let after = if to == 0 { " ".to_owned() } else { matching[to - 1].0.clone() };
            seal(&PageToken { question: self.fingerprint.clone(), after, as_of })
        });
        if bent.duplicate {
            from = from.saturating_sub(2);
        }
        let mut items: Vec<_> = matching[from..to].iter().map(|(_, item)| item.clone()).collect();
        if bent.reordered {
            items.reverse();
        }
        let next_sync = if next_page.is_none() { next_sync() } else { None };
        Page { items, next_page, next_sync }
    }

    fn matching(&self, calendar: &Calendar, now: Timestamp) -> Vec<(String, Map<String, Value>)> {
        let mut found = Vec::new();
        for record in calendar.events.values() {
            if self.since.is_some_and(|seen| record.changed <= seen) || !self.fits(record) {
                continue;
            }
            if self.single_events && record.repeats() && !record.is_cancelled() {
                found.extend(self.expanded(calendar, record, now));
            } else if self.is_shown(calendar, record) {
                found.push((self.key(calendar, &record.fields), shown(record)));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// Everything but time and deletion.
    fn fits(&self, record: &Record) -> bool {
        let kind = record.fields.get("eventType").and_then(Value::as_str).unwrap_or("default");
        let has = |kind: &str, pairs: &[(String, String)]| {
            pairs.iter().all(|(key, value)| property(&record.fields, kind, key) == Some(value))
        };
        let says = |word: &str| {
            ["summary", "description", "location"]
                .iter()
                .any(|name| record.text(name).to_lowercase().contains(word))
        };
        (self.event_types.is_empty() || self.event_types.iter().any(|one| one == kind))
            && self.uid.as_deref().is_none_or(|uid| record.text("iCalUID") == uid)
            && self.text.as_deref().is_none_or(says)
            && self
                .updated_min
                .is_none_or(|min| record.text("updated").parse::<Timestamp>().is_ok_and(|at| at >= min))
            && has("private", &self.private)
            && has("shared", &self.shared)
    }

    fn is_shown(&self, calendar: &Calendar, record: &Record) -> bool {
        if record.is_cancelled() {
            let series = record.series().and_then(|id| calendar.events.get(id));
            let of_live_series = series.is_some_and(|master| !master.is_cancelled());
            let wanted =
                self.show_deleted || self.updated_min.is_some() || (of_live_series && !self.single_events);
            // An exception that went down with its series is not told of again.
            if !wanted || (record.series().is_some() && !of_live_series) {
                return false;
            }
        }
        // A delta tells of everything that changed, wherever it lies.
        if self.since.is_some() {
            return true;
        }
        let zone = calendar.zone();
        if record.repeats() {
            return self.time_max.is_none_or(|max| start_of(record, &zone).is_some_and(|start| start < max))
                && self.time_min.is_none_or(|min| reaches(calendar, record, min));
        }
        let original = Moment::stored(record.fields.get("originalStartTime")).map(|at| at.instant(&zone));
        let late = |min: Timestamp| {
            end_of(record, &zone).is_some_and(|end| end > min) || original.is_some_and(|start| start >= min)
        };
        self.time_max.is_none_or(|max| start_of(record, &zone).is_some_and(|start| start < max))
            && self.time_min.is_none_or(late)
    }

    fn expanded(
        &self,
        calendar: &Calendar,
        master: &Record,
        now: Timestamp,
    ) -> Vec<(String, Map<String, Value>)> {
        let zone = calendar.zone();
        let from = self.time_min.unwrap_or(crate::time::after(now, -EXPANSION_DAYS * SECONDS_PER_DAY));
        let to = self.time_max.unwrap_or(crate::time::after(now, EXPANSION_DAYS * SECONDS_PER_DAY));
        let Some(window) = Interval::new(from, to) else { return Vec::new() };
        let all_day = master.fields.get("start").is_some_and(|start| start.get("date").is_some());
        let start_zone = master.fields.get("start").and_then(|s| s.get("timeZone")).and_then(Value::as_str);
        instances(calendar, master, window)
            .into_iter()
            .filter_map(|one| {
                let original = if all_day {
                    Moment::Day(one.start.to_zoned(zone.clone()).date())
                } else {
                    Moment::At { at: one.start, zone: start_zone.map(str::to_owned) }
                };
                let fields = instance_fields(calendar, master, &original)?;
                let id = fields.get("id").and_then(Value::as_str)?;
                let excepted = calendar.events.contains_key(id);
                (!excepted).then(|| (self.key(calendar, &fields), with_etag(fields.clone(), master)))
            })
            .collect()
    }

    fn key(&self, calendar: &Calendar, fields: &Map<String, Value>) -> String {
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        match self.order {
            Order::Id => id.to_owned(),
            Order::Updated => {
                format!("{}|{id}", fields.get("updated").and_then(Value::as_str).unwrap_or_default())
            }
            Order::StartTime => {
                let record = Record { fields: fields.clone(), made: 0, changed: 0 };
                let start = start_of(&record, &calendar.zone()).unwrap_or(Timestamp::UNIX_EPOCH);
                format!("{start:020}|{id}")
            }
        }
    }
}

/// Whether a series has an instance that ends after `min`. Most have one soon; the far look is for yearly ones.
fn reaches(calendar: &Calendar, master: &Record, min: Timestamp) -> bool {
    [40, 366 * 5].into_iter().any(|days| {
        let window = Interval::new(min, crate::time::after(min, days * SECONDS_PER_DAY));
        window.is_some_and(|window| !instances(calendar, master, window).is_empty())
    })
}

/// An event as a list tells it: of a deleted one, only that it is deleted.
fn shown(record: &Record) -> Map<String, Value> {
    if !record.is_cancelled() {
        return with_etag(record.fields.clone(), record);
    }
    let told = ["id", "kind", "status", "recurringEventId", "originalStartTime"];
    let fields = record.fields.iter().filter(|(name, _)| told.contains(&name.as_str()));
    with_etag(fields.map(|(name, value)| (name.clone(), value.clone())).collect(), record)
}

#[must_use]
pub fn with_etag(mut fields: Map<String, Value>, record: &Record) -> Map<String, Value> {
    fields.insert("kind".to_owned(), json!("calendar#event"));
    fields.insert("etag".to_owned(), json!(record.etag()));
    fields
}
