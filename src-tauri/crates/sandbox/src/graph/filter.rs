//! `$filter`, as far as Graph lets events be filtered: by an extended property, by times, by a few words.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::same_property;
use super::moment::parameter;
use super::refusal::Refusal;
use super::world::Item;

/// Alternatives, each of conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub struct Filter(Vec<Vec<Condition>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Property { id: String, test: Test, value: String },
    Field { path: String, test: Test, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
    Contains,
    StartsWith,
}

const FIELDS: [&str; 13] = [
    "start/dateTime",
    "end/dateTime",
    "createdDateTime",
    "lastModifiedDateTime",
    "subject",
    "iCalUId",
    "seriesMasterId",
    "type",
    "showAs",
    "sensitivity",
    "isAllDay",
    "isCancelled",
    "importance",
];

impl Filter {
    /// # Errors
    /// When the text is no filter, or names what cannot be filtered by.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let alternatives = split(text, " or ").into_iter().map(|part| {
            split(part.trim(), " and ").into_iter().map(condition).collect::<Result<Vec<_>, _>>()
        });
        Ok(Self(alternatives.collect::<Result<_, _>>()?))
    }

    /// Whether the item, told as `told`, is meant.
    #[must_use]
    pub fn takes(&self, item: &Item, told: &Map<String, Value>) -> bool {
        self.0.iter().any(|all| all.iter().all(|one| one.holds(item, told)))
    }
}

impl Condition {
    fn holds(&self, item: &Item, told: &Map<String, Value>) -> bool {
        match self {
            Self::Property { id, test, value } => item
                .properties
                .iter()
                .any(|(known, held)| same_property(known, id) && test.of_text(held, value)),
            Self::Field { path, test, value } => {
                let mut held = told.get(path.split('/').next().unwrap_or_default());
                if let Some((_, part)) = path.split_once('/') {
                    held = held.and_then(|held| held.get(part));
                }
                match held {
                    Some(Value::String(held)) if path.to_lowercase().ends_with("datetime") => parameter(held)
                        .zip(parameter(value))
                        .is_some_and(|(held, asked)| test.of_time(held, asked)),
                    Some(Value::String(held)) => test.of_text(held, value),
                    Some(Value::Bool(held)) => test.of_text(&held.to_string(), value),
                    Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
                        (value == "null") == (*test == Test::Eq)
                    }
                }
            }
        }
    }
}

impl Test {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "le" => Self::Le,
            "lt" => Self::Lt,
            _ => return None,
        })
    }

    /// Values are compared in any case.
    fn of_text(self, held: &str, asked: &str) -> bool {
        let (held, asked) = (held.to_lowercase(), asked.to_lowercase());
        match self {
            Self::Eq => held == asked,
            Self::Ne => held != asked,
            Self::Contains => held.contains(&asked),
            Self::StartsWith => held.starts_with(&asked),
            Self::Ge => held >= asked,
            Self::Gt => held > asked,
            Self::Le => held <= asked,
            Self::Lt => held < asked,
        }
    }

    fn of_time(self, held: Timestamp, asked: Timestamp) -> bool {
        match self {
            Self::Eq => held == asked,
            Self::Ne => held != asked,
            Self::Ge => held >= asked,
            Self::Gt => held > asked,
            Self::Le => held <= asked,
            Self::Lt => held < asked,
            Self::Contains | Self::StartsWith => false,
        }
    }
}

fn condition(text: &str) -> Result<Condition, Refusal> {
    let text = text.trim();
    if let Some(inside) = text.strip_prefix("singleValueExtendedProperties/") {
        return property(inside);
    }
    if let Some((test, path, value)) = call(text) {
        return field(path, test, value);
    }
    let mut parts = text.splitn(3, ' ');
    let (Some(path), Some(word), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(syntax());
    };
    field(path, Test::named(word).ok_or_else(syntax)?, &literal(value.trim()).ok_or_else(syntax)?)
}

fn field(path: &str, test: Test, value: &str) -> Result<Condition, Refusal> {
    let known = FIELDS.iter().find(|known| known.eq_ignore_ascii_case(path));
    let path = known.ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorInvalidUrlQueryFilter",
            format!("The property '{path}' does not support filtering."),
        )
    })?;
    Ok(Condition::Field { path: (*path).to_owned(), test, value: value.to_owned() })
}

/// `Any(ep: ep/id eq '…' and ep/value eq '…')`.
fn property(text: &str) -> Result<Condition, Refusal> {
    let inside = text.get(..3).filter(|word| word.eq_ignore_ascii_case("any")).map(|_| text[3..].trim());
    let inside = inside.and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')).ok_or_else(syntax)?;
    let (variable, rest) = inside.split_once(':').ok_or_else(syntax)?;
    let (id_path, value_path) = (format!("{}/id", variable.trim()), format!("{}/value", variable.trim()));
    let parts = split(rest.trim(), " and ");
    let [id, value] = parts.as_slice() else { return Err(syntax()) };
    let id = id.trim().strip_prefix(&id_path).and_then(|rest| rest.trim().strip_prefix("eq "));
    let id = id.and_then(|quoted| literal(quoted.trim())).ok_or_else(syntax)?;
    if !super::fields::is_property_id(&id) {
        return Err(Refusal::new(
            400,
            "ErrorInvalidExtendedProperty",
            "The extended property id is invalid.",
        ));
    }
    let value = value.trim();
    let (test, value) = match call(value) {
        Some((test, path, value)) if path == value_path => (test, value.to_owned()),
        Some(_) => return Err(syntax()),
        None => {
            let rest = value.strip_prefix(&value_path).ok_or_else(syntax)?.trim();
            let (word, quoted) = rest.split_once(' ').ok_or_else(syntax)?;
            (Test::named(word).ok_or_else(syntax)?, literal(quoted.trim()).ok_or_else(syntax)?)
        }
    };
    Ok(Condition::Property { id, test, value })
}

/// `contains(path,'value')` and `startswith(path,'value')`.
fn call(text: &str) -> Option<(Test, &str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let test = match name.trim() {
        "contains" => Test::Contains,
        "startswith" => Test::StartsWith,
        _ => return None,
    };
    let (path, value) = rest.strip_suffix(')')?.split_once(',')?;
    Some((test, path.trim(), value.trim().strip_prefix('\'')?.strip_suffix('\'')?))
}

fn literal(text: &str) -> Option<String> {
    if let Some(inside) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let bare = inside.replace("''", "");
        return (!bare.contains('\'')).then(|| inside.replace("''", "'"));
    }
    (!text.is_empty() && !text.contains([' ', '\'', '('])).then(|| text.to_owned())
}

fn syntax() -> Refusal {
    Refusal::new(400, "RequestBroker--ParseUri", "Syntax error in the $filter clause.")
}

/// At a word outside quotes and brackets.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (place, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 && place >= from && text[place..].starts_with(word) => {
                parts.push(&text[from..place]);
                from = place + word.len();
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name bookijiBooking";

    #[test]
    fn a_property_filter_is_understood_in_its_several_spellings() {
        for text in [
            format!("singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and ep/value eq 'b1')"),
            format!("singleValueExtendedProperties/any(p:p/id eq '{ID}' and p/value eq 'it''s and so on')"),
            format!("singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and contains(ep/value,'b'))"),
            format!(
                "singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and startswith(ep/value,'b')) and start/dateTime ge '2026-01-01T00:00:00'"
            ),
            format!(
                "singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and ep/value eq 'a') or singleValueExtendedProperties/Any(ep: ep/id eq '{ID}' and ep/value eq 'b')"
            ),
        ] {
            assert!(Filter::read(&text).is_ok(), "{text}");
        }
        for text in [
            "singleValueExtendedProperties/Any(ep: ep/id eq 'x' and ep/value eq 'b1')",
            "singleValueExtendedProperties/Any(ep: ep/value eq 'b1')",
            "transactionId eq 'x'",
            "subject is 'x'",
            "subject eq 'it's'",
            "",
        ] {
            assert!(Filter::read(text).is_err(), "{text}");
        }
    }
}
