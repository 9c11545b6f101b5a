//! Which rows a query means: `column=operator.value`, each of which a row has to pass.

use std::cmp::Ordering;

use serde_json::Value;

use super::cell::{Cell, Kind};
use super::refusal::Refusal;
use super::table::{Table, cell};
use crate::wire::Call;

/// Query parameters that are no filters.
const RESERVED: [&str; 7] = ["select", "order", "limit", "offset", "columns", "on_conflict", "apikey"];

#[derive(Debug)]
pub struct Filter {
    column: (&'static str, Kind),
    negated: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Compare(fn(Ordering) -> bool, Cell),
    In(Vec<Cell>),
    Is(Cell),
}

impl Filter {
    /// Every filter of a call.
    ///
    /// # Errors
    /// When one names no column of the table, no operator that is known, or no value of the column's type.
    pub fn all(table: &Table, call: &Call) -> Result<Vec<Self>, Refusal> {
        let filters = call.query.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
        filters.map(|(column, text)| Self::read(table, column, text)).collect()
    }

    fn read(table: &Table, column: &str, text: &str) -> Result<Self, Refusal> {
        if ["and", "or", "not.and", "not.or"].contains(&column) {
            return Err(Refusal::unparsable("logic tree", text).with_details("the sandbox reads none"));
        }
        let (negated, rest) = match text.strip_prefix("not.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let Some((operator, value)) = rest.split_once('.') else {
            return Err(Refusal::unparsable("filter", text));
        };
        let column = table.column(column)?;
        let compare = |test: fn(Ordering) -> bool| Ok(Test::Compare(test, column.1.read(value)?));
        let test = match operator {
            "eq" => compare(Ordering::is_eq),
            "neq" => compare(Ordering::is_ne),
            "gt" => compare(Ordering::is_gt),
            "gte" => compare(Ordering::is_ge),
            "lt" => compare(Ordering::is_lt),
            "lte" => compare(Ordering::is_le),
            "in" => list(value)
                .ok_or_else(|| Refusal::unparsable("filter", text))?
                .iter()
                .map(|one| column.1.read(one))
                .collect::<Result<_, _>>()
                .map(Test::In),
            "is" => is(value, column.1).ok_or_else(|| Refusal::unparsable("filter", text))?.map(Test::Is),
            _ => Err(Refusal::unparsable("filter", text)),
        };
        Ok(Self { column, negated, test: test? })
    }

    /// What is unknown, as any comparison with nothing is, does not pass, negated or not.
    #[must_use]
    pub fn passes(&self, row: &Value) -> bool {
        let held = cell(row, self.column);
        let verdict = match &self.test {
            Test::Is(wanted) => Some(held == *wanted),
            Test::Compare(..) | Test::In(_) if held == Cell::Null => None,
            Test::Compare(test, wanted) => held.partial_cmp(wanted).map(test),
            Test::In(wanted) => Some(wanted.contains(&held)),
        };
        verdict.is_some_and(|passes| passes != self.negated)
    }
}

fn is(word: &str, kind: Kind) -> Option<Result<Cell, Refusal>> {
    let flag = |flag: bool| match kind {
        Kind::Flag => Ok(Cell::Flag(flag)),
        Kind::Id | Kind::Instant | Kind::Number | Kind::Text | Kind::Json => {
            Err(Refusal::new(400, "42804", "argument of IS TRUE must be type boolean"))
        }
    };
    match word.to_ascii_lowercase().as_str() {
        "null" => Some(Ok(Cell::Null)),
        "true" => Some(flag(true)),
        "false" => Some(flag(false)),
        _ => None,
    }
}

/// `(a,b,"c,d")`.
fn list(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let (mut values, mut value, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => value.push(letters.next()?),
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(std::mem::take(&mut value)),
            _ => value.push(letter),
        }
    }
    if !(inner.is_empty()) {
        values.push(value);
    }
    (!quoted).then_some(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: Table = Table {
        name: "things",
        columns: &[("at", Kind::Instant), ("open", Kind::Flag), ("note", Kind::Text), ("size", Kind::Number)],
        embeds: &[],
    };

    #[track_caller]
    fn check(column: &str, text: &str, expected: &[usize]) {
        let rows = [
            json!({"at": "2030-01-02T10:00:00+00:00", "open": true, "note": "a,b", "size": 9}),
            json!({"at": "2030-01-02T11:00:00+00:00", "open": false, "note": null, "size": 10}),
        ];
        let filter = Filter::read(&TABLE, column, text).unwrap();
        let passing: Vec<usize> = (0..2).filter(|&at| filter.passes(&rows[at])).collect();
        assert_eq!(passing, expected, "{column}={text}");
    }

    #[test]
    fn a_filter_compares_by_type_and_nothing_equals_nothing() {
        check("at", "eq.2030-01-02T11:00:00+01:00", &[0]);
        check("at", "gt.2030-01-02T10:00:00Z", &[1]);
        check("at", "gte.2030-01-02T10:00:00Z", &[0, 1]);
        check("at", "lt.2030-01-02T10:00:00Z", &[]);
        check("at", "lte.2030-01-02T10:30:00Z", &[0]);
        check("size", "lt.10", &[0]);
        check("open", "is.true", &[0]);
        check("open", "not.is.true", &[1]);
        check("note", "is.null", &[1]);
        check("note", "neq.x", &[0]);
        check("note", "not.eq.x", &[0]);
        check("note", "in.(\"a,b\",c)", &[0]);
        check("note", "in.(a,b)", &[]);
        check("note", "in.()", &[]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (column, text, code) in [
            ("at", "2030-01-02T10:00:00Z", "PGRST100"),
            ("at", "like.2030", "PGRST100"),
            ("note", "in.a,b", "PGRST100"),
            ("note", "in.(\"a)", "PGRST100"),
            ("open", "is.1", "PGRST100"),
            ("or", "(a.eq.1)", "PGRST100"),
            ("note", "is.true", "42804"),
            ("colour", "eq.red", "42703"),
            ("at", "eq.noon", "22007"),
        ] {
            assert_eq!(Filter::read(&TABLE, column, text).unwrap_err().code(), code, "{column}={text}");
        }
    }
}
