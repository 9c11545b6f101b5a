//! What a table is to a query: its name and its columns.

use serde_json::Value;

use super::cell::{Cell, Kind};
use super::refusal::Refusal;

pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    pub embeds: &'static [Embed],
}

/// Another table's row that each row points at.
pub struct Embed {
    pub table: &'static str,
    /// The foreign key, where a request has to name it.
    pub hint: Option<&'static str>,
    /// Where the row holds it.
    pub from: &'static str,
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

    /// Where a row holds what it points at in another table.
    ///
    /// # Errors
    /// When there is no way there, or several and the request does not say which.
    pub fn embedded(&self, other: &str, hint: Option<&str>) -> Result<&'static str, Refusal> {
        let found = self.embeds.iter().find(|embed| embed.table == other && embed.hint == hint);
        if let Some(embed) = found {
            return Ok(embed.from);
        }
        let several = hint.is_none() && self.embeds.iter().any(|embed| embed.table == other);
        let (status, code, message) = if several {
            let message = "Could not embed because more than one relationship was found";
            (300, "PGRST201", format!("{message} for '{}' and '{other}'", self.name))
        } else {
            let message = "Could not find a relationship between";
            (400, "PGRST200", format!("{message} '{}' and '{other}' in the schema cache", self.name))
        };
        Err(Refusal::new(status, code, message))
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
