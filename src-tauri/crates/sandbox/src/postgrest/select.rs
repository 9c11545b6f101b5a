//! Which columns of a row are told, and what of other tables beside them: `select=a,alias:b,customers:profiles!hint(a,b)`;
//! without it, all of its own columns.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::table::Table;

/// What is told, in this order.
#[derive(Debug)]
pub struct Select(Vec<Told>);

#[derive(Debug)]
enum Told {
    Everything(Vec<&'static str>),
    Column {
        name: String,
        column: &'static str,
    },
    /// Some columns of the one row of another table that this row points at.
    Other {
        name: String,
        from: &'static str,
        columns: Vec<String>,
    },
}

impl Select {
    /// # Errors
    /// When it names what is no column, or asks for a computation or for a join that the table does not have.
    pub fn read(table: &Table, text: Option<&str>) -> Result<Self, Refusal> {
        let everything = || Told::Everything(table.columns.iter().map(|(name, _)| *name).collect());
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Self(vec![everything()])) };
        let unreadable = || Refusal::unparsable("select parameter", text);
        if text.contains("::") || text.contains('-') {
            return Err(unreadable());
        }
        let words = parts(text).ok_or_else(unreadable)?;
        let told = words.into_iter().map(|word| {
            if word == "*" {
                return Ok(everything());
            }
            let (name, what) = word.split_once(':').unwrap_or(("", word));
            let Some((other, columns)) = what.strip_suffix(')').and_then(|what| what.split_once('(')) else {
                let name = if name.is_empty() { what } else { name };
                return Ok(Told::Column { name: name.to_owned(), column: table.column(what)?.0 });
            };
            let (other, hint) = match other.split_once('!') {
                Some((other, hint)) => (other, Some(hint)),
                None => (other, None),
            };
            let name = if name.is_empty() { other } else { name };
            let columns = columns.split(',').map(str::to_owned).collect();
            Ok(Told::Other { name: name.to_owned(), from: table.embedded(other, hint)?, columns })
        });
        told.collect::<Result<_, Refusal>>().map(Self)
    }

    #[must_use]
    pub fn of(&self, row: Value) -> Value {
        let mut told = Map::new();
        for one in &self.0 {
            match one {
                Told::Everything(columns) => {
                    told.extend(columns.iter().map(|column| ((*column).to_owned(), row[*column].clone())));
                }
                Told::Column { name, column } => {
                    told.insert(name.clone(), row[*column].clone());
                }
                Told::Other { name, from, columns } => {
                    let other = &row[*from];
                    let some = || columns.iter().map(|column| (column.clone(), other[column].clone()));
                    let other = if other.is_null() { Value::Null } else { Value::Object(some().collect()) };
                    told.insert(name.clone(), other);
                }
            }
        }
        Value::Object(told)
    }
}

/// What stands between commas that are in no brackets.
fn parts(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
        if !(0..=1).contains(&depth) {
            return None;
        }
    }
    parts.push(&text[from..]);
    (depth == 0).then_some(parts)
}
