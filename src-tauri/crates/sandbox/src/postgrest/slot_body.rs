//! A slot as a client writes it: from a JSON object to a row, with the column's defaults where it says nothing.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cell::{Cell, Kind};
use super::refusal::Refusal;
use super::table::Table;
use crate::bookiji::platform::Slot;

/// A row to be written, still without the checks that the table makes.
#[derive(Clone, Debug)]
pub struct Draft {
    pub provider: String,
    /// Kept as a word: whether it is one of the known ones is a constraint's question.
    pub slot_type: String,
    pub recurring_rule: bool,
    pub slot: Slot,
}

/// The objects of a body, and one object is a list of one.
///
/// # Errors
/// When it is neither, when the objects differ in their keys, or when a key is no column.
pub fn objects(table: &Table, body: &[u8]) -> Result<Vec<Map<String, Value>>, Refusal> {
    let rows = match serde_json::from_slice(body) {
        Ok(Value::Array(rows)) => rows,
        Ok(row @ Value::Object(_)) => vec![row],
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | Err(_) => {
            return Err(Refusal::body());
        }
    };
    let object = |row| if let Value::Object(object) = row { Ok(object) } else { Err(Refusal::body()) };
    let rows = rows.into_iter().map(object).collect::<Result<Vec<_>, _>>()?;
    let keys = |row: &Map<String, Value>| row.keys().cloned().collect::<std::collections::BTreeSet<_>>();
    let Some(first) = rows.first().map(keys) else { return Ok(rows) };
    if rows.iter().any(|row| keys(row) != first) {
        return Err(Refusal::new(400, "PGRST102", "All object keys must match"));
    }
    if let Some(stranger) = first.iter().find(|key| table.kind(key).is_none()) {
        let message =
            format!("Could not find the '{stranger}' column of '{}' in the schema cache", table.name);
        return Err(Refusal::new(400, "PGRST204", message));
    }
    Ok(rows)
}

impl Draft {
    /// A new row.
    ///
    /// # Errors
    /// When a value is none of its column's type, or one that must be there is not.
    pub fn new(
        table: &Table,
        object: &Map<String, Value>,
        id: String,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut draft = Self {
            provider: String::new(),
            slot_type: "regular".to_owned(),
            recurring_rule: false,
            slot: Slot::open(id, now, now, now),
        };
        for needed in ["start_time", "end_time"] {
            if !object.contains_key(needed) {
                return Err(missing(needed));
            }
        }
        draft.take(table, object)?;
        Ok(draft)
    }

    /// A row that stands, for [`Draft::take`].
    #[must_use]
    pub fn of(slot: &Slot, provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            slot_type: slot.slot_type.as_str().to_owned(),
            recurring_rule: false,
            slot: slot.clone(),
        }
    }

    /// Takes over what the object says.
    ///
    /// # Errors
    /// As [`Draft::new`].
    pub fn take(&mut self, table: &Table, object: &Map<String, Value>) -> Result<(), Refusal> {
        for (column, value) in object {
            let kind = table.kind(column).unwrap_or(Kind::Text);
            let cell = read(kind, value)?;
            let slot = &mut self.slot;
            match (column.as_str(), cell) {
                ("id", Cell::Id(id)) => slot.id = id.to_string(),
                ("provider_id", Cell::Id(id)) => self.provider = id.to_string(),
                // Row-level security looks before the constraint that there must be one.
                ("provider_id", _) => self.provider = String::new(),
                ("start_time", Cell::Instant(at)) => slot.start = at,
                ("end_time", Cell::Instant(at)) => slot.end = at,
                ("is_available", Cell::Flag(flag)) => {
                    slot.is_available = flag;
                    slot.closed_by_busy = false;
                }
                ("slot_type", Cell::Text(word)) => self.slot_type = word,
                ("created_at", Cell::Instant(at)) => slot.created_at = at,
                ("updated_at", Cell::Instant(at)) => slot.updated_at = Some(at),
                ("version", Cell::Number(number)) => slot.version = number as i64,
                ("recurring_rule_id", cell) => self.recurring_rule = cell != Cell::Null,
                (column, _) => return Err(missing(column)),
            }
        }
        Ok(())
    }
}

/// JSON as the database casts it: through its text.
fn read(kind: Kind, value: &Value) -> Result<Cell, Refusal> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::String(text) => kind.read(text),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            kind.read(&other.to_string())
        }
    }
}

fn missing(column: &str) -> Refusal {
    let relation = "relation \"availability_slots\" violates not-null constraint";
    Refusal::new(400, "23502", format!("null value in column \"{column}\" of {relation}"))
}
