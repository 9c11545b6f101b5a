//! In which order rows come: `order=column.direction.nulls,…`. Without it, in no order that anybody may rely on.

use std::cmp::Ordering;

use serde_json::Value;

use super::cell::{Cell, Kind};
use super::refusal::Refusal;
use super::table::{Table, cell};

struct Term {
    column: (&'static str, Kind),
    descending: bool,
    nulls_first: bool,
}

/// # Errors
/// When a term names no column or says something else than a direction.
pub fn sort(table: &Table, rows: &mut [Value], order: Option<&str>) -> Result<(), Refusal> {
    let Some(text) = order else { return Ok(()) };
    let terms = text.split(',').map(|term| read(table, term)).collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_cached_key(|row| Key {
        cells: terms.iter().map(|term| cell(row, term.column)).collect(),
        terms: &terms,
    });
    Ok(())
}

fn read(table: &Table, text: &str) -> Result<Term, Refusal> {
    let mut parts = text.split('.');
    let column = table.column(parts.next().unwrap_or_default())?;
    let mut term = Term { column, descending: false, nulls_first: false };
    for part in parts {
        match part {
            "asc" => {}
            "desc" => (term.descending, term.nulls_first) = (true, true),
            "nullsfirst" => term.nulls_first = true,
            "nullslast" => term.nulls_first = false,
            _ => return Err(Refusal::unparsable("order", text)),
        }
    }
    Ok(term)
}

struct Key<'a> {
    cells: Vec<Cell>,
    terms: &'a [Term],
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.terms.iter().zip(self.cells.iter().zip(&other.cells)).fold(
            Ordering::Equal,
            |so_far, (term, (left, right))| {
                so_far.then_with(|| match (left == &Cell::Null, right == &Cell::Null) {
                    (true, true) => Ordering::Equal,
                    (true, false) if term.nulls_first => Ordering::Less,
                    (false, true) if !term.nulls_first => Ordering::Less,
                    (true, false) | (false, true) => Ordering::Greater,
                    (false, false) => {
                        let order = left.partial_cmp(right).unwrap_or(Ordering::Equal);
                        if term.descending { order.reverse() } else { order }
                    }
                })
            },
        )
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key<'_> {}
