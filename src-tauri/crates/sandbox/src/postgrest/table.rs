//! What a table is to a query: its name and its columns.

use serde_json::Value;

use super::cell::{Cell, Kind};
use super::refusal::Refusal;

pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

impl Table {
    #[must_use]
    pub fn kind(&self, column: &str) -> Option<Kind> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind)
    }

    /// # Errors
    /// When it has no such column.
    pub fn column(&self, column: &str) -> Result<(&'static str, Kind), Refusal> {
        let found = self.columns.iter().find(|(name, _)| *name == column);
        found.copied().ok_or_else(|| Refusal::no_such_column(self.name, column))
    }
}

/// What stands in a row's column.
#[must_use]
pub fn cell(row: &Value, (column, kind): (&str, Kind)) -> Cell {
    match &row[column] {
        Value::Null => Cell::Null,
        Value::String(text) => kind.read(text).unwrap_or(Cell::Null),
        Value::Bool(flag) => Cell::Flag(*flag),
        Value::Number(number) => number.as_f64().map_or(Cell::Null, Cell::Number),
        other @ (Value::Array(_) | Value::Object(_)) => Cell::Text(other.to_string()),
    }
}
