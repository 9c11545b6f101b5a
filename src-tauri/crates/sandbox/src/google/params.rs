//! Query parameters read as strictly as Google reads them.

use jiff::Timestamp;

use super::refusal::Refusal;
use crate::wire::Call;

/// # Errors
/// When it is there and not RFC 3339 with an offset.
pub fn instant(call: &Call, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = call.query(name) else { return Ok(None) };
    let well_formed = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && !text.contains('[');
    match text.parse() {
        Ok(at) if well_formed => Ok(Some(at)),
        Ok(_) | Err(_) => Err(Refusal::bad_request("Bad Request")),
    }
}

/// # Errors
/// When it is there and neither `true` nor `false`.
pub fn flag(call: &Call, name: &str) -> Result<Option<bool>, Refusal> {
    match call.query(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(Refusal::parameter(
            name,
            format!("Invalid boolean value: '{other}'. Allowed values: [true, false]"),
        )),
    }
}

/// A count of at least one, cut to `most`.
///
/// # Errors
/// When it is there and not a number above zero.
pub fn count(call: &Call, name: &str, most: usize) -> Result<Option<usize>, Refusal> {
    let Some(text) = call.query(name) else { return Ok(None) };
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(Some(number.min(most))),
        Ok(_) | Err(_) => Err(Refusal::parameter(
            name,
            format!("Invalid integer value: '{text}'. Values must be within the range: [1, {most}]"),
        )),
    }
}

/// Repeated `name=value` constraints.
///
/// # Errors
/// When one has no `=`.
pub fn pairs(call: &Call, name: &str) -> Result<Vec<(String, String)>, Refusal> {
    call.query_all(name)
        .map(|text| {
            text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| {
                Refusal::invalid_parameter_value(name, "Invalid constraint: expected name=value.")
            })
        })
        .collect()
}
