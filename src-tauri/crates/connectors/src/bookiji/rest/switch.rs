//! Opens and closes slots, each only if it still stands the other way round. The database opens a list whole or not at
//! all; what it refuses is halved until those that may not be opened are found.

use serde_json::json;
use sync::error::ServiceError;
use sync::ids::SlotId;
use sync::ports::Slot;

use super::Rest;
use crate::bookiji::database::{Refused, refused};
use crate::bookiji::slots::{COLUMNS, Row};
use crate::http::Method;

/// Requests that looking for slots in the way may cost, for one whole call. What is not found by then stays closed.
const SEARCHES: usize = 64;

impl Rest {
    pub(super) async fn switch(&self, slots: &[Slot], open: bool) -> Result<Vec<SlotId>, ServiceError> {
        let mut switched = Vec::new();
        let mut searches = SEARCHES;
        let mut groups = vec![slots];
        while let Some(group) = groups.pop().filter(|group| !group.is_empty()) {
            match self.switch_all(group, open).await? {
                Ok(done) => switched.extend(done),
                Err(_) if group.len() == 1 || searches < 2 => {}
                Err(_) => {
                    searches -= 2;
                    let (first, second) = group.split_at(group.len() / 2);
                    groups.extend([second, first]);
                }
            }
        }
        Ok(switched)
    }

    async fn switch_all(
        &self,
        slots: &[Slot],
        open: bool,
    ) -> Result<Result<Vec<SlotId>, Refused>, ServiceError> {
        let ids = slots.iter().map(|slot| slot.id.as_str()).collect::<Vec<_>>().join(",");
        let request = self
            .database
            .her_slots(Method::PATCH, "return=representation")
            .query("id", &format!("in.({ids})"))
            .query("is_available", if open { "is.false" } else { "is.true" })
            .query("select", COLUMNS)
            .json(&json!({ "is_available": open }));
        let answer = self.signed.send(request).await?;
        if !answer.status.is_success() {
            return match refused(&answer) {
                Refused::Call(error) => Err(error),
                about_a_row @ (Refused::Taken | Refused::Overlaps | Refused::Row(_)) => Ok(Err(about_a_row)),
            };
        }
        let rows: Vec<Row> = answer.json()?;
        // By the ids they were asked with, however the database writes them.
        let is_told = |slot: &&Slot| rows.iter().any(|row| row.id.0.eq_ignore_ascii_case(slot.id.as_str()));
        Ok(Ok(slots.iter().filter(is_told).map(|slot| slot.id.clone()).collect()))
    }
}
