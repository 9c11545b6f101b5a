//! Which columns of a row are told: `select=a,alias:b`; without it, all.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::table::Table;

/// The told name and the column, or every column.
pub struct Select(Option<Vec<(String, &'static str)>>);

impl Select {
    /// # Errors
    /// When it names what is no column, or asks for a join or a computation.
    pub fn read(table: &Table, text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text.filter(|text| !["", "*"].contains(text)) else { return Ok(Self(None)) };
        if text.contains(['(', ')', '-']) || text.contains("::") {
            return Err(Refusal::unparsable("select parameter", text));
        }
        let columns = text.split(',').map(|word| {
            let (told, column) = word.split_once(':').unwrap_or((word, word));
            Ok((told.to_owned(), table.column(column)?.0))
        });
        Ok(Self(Some(columns.collect::<Result<_, Refusal>>()?)))
    }

    #[must_use]
    pub fn of(&self, row: Value) -> Value {
        match &self.0 {
            None => row,
            Some(columns) => {
                let told = columns.iter().map(|(told, column)| (told.clone(), row[*column].clone()));
                Value::Object(told.collect::<Map<_, _>>())
            }
        }
    }
}
