//! A page of a table: filtered, ordered, cut to what one answer may hold, and told how much of all it is.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_RANGE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::filter::Filter;
use super::order;
use super::prefer::Prefer;
use super::refusal::Refusal;
use super::select::Select;
use super::table::Table;
use crate::wire::Call;

/// The most rows of one answer, whatever is asked for (`max_rows`).
pub const MOST: usize = 1000;

/// # Errors
/// When the query cannot be read, or starts after the last row and asked how many there are.
pub fn page(table: &Table, mut rows: Vec<Value>, call: &Call, most: usize) -> Result<Response, Refusal> {
    let filters = Filter::all(table, call)?;
    let select = Select::read(table, call.query("select"))?;
    let limit = number(call, "limit")?.unwrap_or(most).min(most);
    let offset = number(call, "offset")?.unwrap_or(0);
    rows.retain(|row| filters.iter().all(|filter| filter.passes(row)));
    order::sort(table, &mut rows, call.query("order"))?;
    let total = rows.len();
    let counted = Prefer::of(call).count;
    if counted && offset > total {
        return Err(Refusal::new(416, "PGRST103", "Requested range not satisfiable")
            .with_details(format!("An offset of {offset} was requested, but there are only {total} rows.")));
    }
    let told: Vec<Value> = rows.into_iter().skip(offset).take(limit).map(|row| select.of(row)).collect();
    let all = if counted { total.to_string() } else { "*".to_owned() };
    let range = match told.len() {
        0 => format!("*/{all}"),
        some => format!("{offset}-{}/{all}", offset + some - 1),
    };
    let whole = !counted || told.len() == total;
    let status = if whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    Ok((status, [(CONTENT_RANGE, range)], Json(told)).into_response())
}

fn number(call: &Call, name: &str) -> Result<Option<usize>, Refusal> {
    let read = |text: &str| text.parse().map_err(|_| Refusal::unparsable(&format!("{name} parameter"), text));
    call.query(name).map(read).transpose()
}
