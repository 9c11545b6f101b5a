//! Slots as rows: read by pages that say how much is left, and removed only as they were last seen.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::Deserialize;
use sync::error::ServiceError;
use sync::ids::SlotId;
use sync::ports::Slot;

use super::database::{Database, error};
use super::lease::Fence;
use crate::http::{Answer, Method, Peer, Request, garbled};
use crate::tokens::Signed;

/// As many rows as one answer holds.
const PAGE: &str = "1000";
/// More pages than this are no table but a loop.
const PAGES: usize = 200;
pub(super) const COLUMNS: &str = "id,start_time,end_time,is_available";

/// The slots of whoever is signed in.
pub(super) struct Slots<'a> {
    pub(super) signed: &'a Signed,
    pub(super) database: &'a Database,
    pub(super) fence: &'a Fence,
}

#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) id: SlotId,
    start_time: Timestamp,
    end_time: Timestamp,
    is_available: bool,
}

impl Slots<'_> {
    /// Every slot that overlaps `window`, in order of time.
    ///
    /// Each page starts after the last id of the one before, so that rows which come and go meanwhile move no other
    /// across the edge of a page.
    pub(super) async fn overlapping(&self, window: Interval) -> Result<Vec<Slot>, ServiceError> {
        let mut found: BTreeMap<String, Slot> = BTreeMap::new();
        let mut last: Option<String> = None;
        for _ in 0..PAGES {
            let mut request = self
                .database
                .her_slots(Method::GET, "count=exact")
                .query("select", COLUMNS)
                .query("end_time", &format!("gt.{}", written(window.start())))
                .query("start_time", &format!("lt.{}", written(window.end())))
                .query("order", "id.asc")
                .query("limit", PAGE);
            if let Some(last) = &last {
                request = request.query("id", &format!("gt.{last}"));
            }
            let answer = self.send(request).await?;
            let rows: Vec<Row> = answer.json()?;
            let ended = rows.is_empty() || left(&answer) == Some(rows.len());
            for row in rows {
                let key = row.id.0.to_ascii_lowercase();
                if last.as_ref().is_some_and(|last| key <= *last) {
                    return Err(garbled(Peer::Bookiji, "its pages of slots go round in circles"));
                }
                last = Some(key.clone());
                if let Some(slot) = row.into_slot() {
                    found.insert(key, slot);
                }
            }
            if ended {
                let mut slots: Vec<Slot> = found.into_values().collect();
                slots.sort();
                return Ok(slots);
            }
        }
        Err(garbled(Peer::Bookiji, "its pages of slots do not end"))
    }

    /// Removes the slot if it is still open, at exactly these times.
    pub(super) async fn remove(&self, slot: &Slot) -> Result<(), ServiceError> {
        let id = format!("eq.{}", slot.id);
        let request = self
            .database
            .her_slots(Method::DELETE, "return=representation")
            .query("id", &id)
            .query("start_time", &format!("eq.{}", written(slot.span.start())))
            .query("end_time", &format!("eq.{}", written(slot.span.end())))
            .query("is_available", if slot.open { "is.true" } else { "is.false" })
            .query("select", COLUMNS);
        let removed: Vec<Row> = self.send(self.fence.on(request)).await?.json()?;
        if !removed.is_empty() {
            return Ok(());
        }
        let look = self.database.her_slots(Method::GET, "").query("id", &id).query("select", COLUMNS);
        let there: Vec<Row> = self.send(look).await?.json()?;
        let service = Peer::Bookiji.name().to_owned();
        Err(if there.is_empty() { ServiceError::Gone { service } } else { ServiceError::Stale { service } })
    }

    pub(super) async fn send(&self, request: Request) -> Result<Answer, ServiceError> {
        let answer = self.signed.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(error(&answer)) }
    }
}

impl Row {
    /// A row that ends before it starts takes up no time.
    pub(super) fn into_slot(self) -> Option<Slot> {
        let span = Interval::new(self.start_time, self.end_time)?;
        Some(Slot { span, id: self.id, open: self.is_available })
    }
}

/// How many rows there are from this page on: `0-999/2600`.
pub(super) fn left(answer: &Answer) -> Option<usize> {
    answer.header("content-range")?.rsplit_once('/')?.1.parse().ok()
}

/// `2030-01-02T10:00:00+00:00`: as the platform writes it, to the microsecond.
pub(super) fn written(at: Timestamp) -> String {
    let pattern =
        if at.subsec_nanosecond() == 0 { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S.%6f+00:00" };
    at.strftime(pattern).to_string()
}
