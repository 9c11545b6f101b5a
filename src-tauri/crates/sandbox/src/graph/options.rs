//! OData's query options on lists: what to leave out, what to add, how many, from where.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::{is_property_id, same_property};
use super::filter::Filter;
use super::refusal::Refusal;
use super::world::Item;
use crate::wire::Call;

pub const PAGE: usize = 10;
pub const LONGEST_PAGE: usize = 1000;

#[derive(Clone, Debug, Default)]
pub struct Options {
    pub select: Option<Vec<String>>,
    /// Extended properties to show, by id.
    pub properties: Vec<String>,
    pub exceptions: bool,
    pub filter: Option<Filter>,
    pub top: Option<usize>,
    pub skip: usize,
    pub order: Option<(String, bool)>,
    pub count: bool,
}

const KNOWN: [&str; 10] = [
    "$select",
    "$expand",
    "$filter",
    "$top",
    "$skip",
    "$orderby",
    "$count",
    "$search",
    "$skiptoken",
    "$format",
];

impl Options {
    /// # Errors
    /// As Graph refuses.
    pub fn read(call: &Call) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (name, value) in &call.query {
            let name = name.to_lowercase();
            if name.starts_with('$') && !KNOWN.contains(&name.as_str()) {
                return Err(Refusal::new(
                    400,
                    "RequestBroker--ParseUri",
                    format!("The query parameter '{name}' is not supported."),
                ));
            }
            match name.as_str() {
                "$select" => {
                    options.select = Some(value.split(',').map(|name| name.trim().to_owned()).collect())
                }
                "$expand" => expand(&mut options, value)?,
                "$filter" => options.filter = Some(Filter::read(value)?),
                "$top" => options.top = Some(number(value, "$top", 1, LONGEST_PAGE)?),
                "$skip" => options.skip = number(value, "$skip", 0, usize::MAX)?,
                "$orderby" => {
                    let (path, way) = value.trim().split_once(' ').unwrap_or((value.trim(), "asc"));
                    options.order = Some((path.to_owned(), way.trim() == "desc"));
                }
                "$count" => options.count = value == "true",
                "$search" => {
                    return Err(Refusal::invalid_query(
                        "The query parameter '$search' is not supported on events.",
                    ));
                }
                _ => {}
            }
        }
        Ok(options)
    }

    /// Leaves what was selected, and adds what was expanded.
    pub fn shape(&self, told: &mut Map<String, Value>, item: &Item) {
        if let Some(select) = &self.select {
            told.retain(|name, _| {
                name == "id"
                    || name.starts_with('@')
                    || select.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
            });
        }
        let shown = self.shown(&item.properties);
        if !shown.is_empty() {
            told.insert("singleValueExtendedProperties".to_owned(), Value::Array(shown));
        }
    }

    /// The extended properties that were asked for.
    #[must_use]
    pub fn shown(&self, properties: &BTreeMap<String, String>) -> Vec<Value> {
        let wanted = |id: &str| self.properties.iter().any(|wanted| same_property(wanted, id));
        let asked = properties.iter().filter(|(id, _)| wanted(id));
        asked.map(|(id, value)| json!({"id": id, "value": value})).collect()
    }

    /// Puts told events into the order that was asked for.
    pub fn sort(&self, told: &mut [Map<String, Value>]) {
        let Some((path, down)) = &self.order else { return };
        let key = |event: &Map<String, Value>| {
            let mut held = event.get(path.split('/').next().unwrap_or_default());
            if let Some((_, part)) = path.split_once('/') {
                held = held.and_then(|held| held.get(part));
            }
            held.map(|held| held.as_str().map_or_else(|| held.to_string(), str::to_owned)).unwrap_or_default()
        };
        told.sort_by_key(key);
        if *down {
            told.reverse();
        }
    }
}

fn number(text: &str, name: &str, least: usize, most: usize) -> Result<usize, Refusal> {
    match text.parse::<usize>() {
        Ok(number) if number >= least => Ok(number.min(most)),
        Ok(_) | Err(_) => Err(Refusal::new(
            400,
            "RequestBroker--ParseUri",
            format!("Invalid value '{text}' for {name} query option found."),
        )),
    }
}

/// `singleValueExtendedProperties($filter=id eq '…' or id eq '…')`; anything else that events can be expanded by is
/// taken and shows nothing.
fn expand(options: &mut Options, text: &str) -> Result<(), Refusal> {
    let Some(inside) = text.trim().strip_prefix("singleValueExtendedProperties") else {
        options.exceptions |= text.contains("exceptionOccurrences");
        let known = [
            "exceptionOccurrences",
            "attachments",
            "extensions",
            "multiValueExtendedProperties",
            "calendar",
            "instances",
        ];
        return if known.iter().any(|name| text.trim().starts_with(name)) {
            Ok(())
        } else {
            Err(Refusal::new(
                400,
                "RequestBroker--ParseUri",
                format!("Could not find a property named '{text}' on type 'microsoft.graph.event'."),
            ))
        };
    };
    let filter = inside.trim().strip_prefix("($filter=").and_then(|rest| rest.strip_suffix(')'));
    // All of them at once cannot be had.
    let filter = filter.ok_or_else(|| {
        Refusal::invalid_request("The $expand of extended properties needs a $filter by id.")
    })?;
    for part in filter.split(" or ") {
        let id = part.trim().strip_prefix("id eq '").and_then(|rest| rest.strip_suffix('\''));
        let id = id.filter(|id| is_property_id(id)).ok_or_else(|| {
            Refusal::new(400, "ErrorInvalidExtendedProperty", "The extended property id is invalid.")
        })?;
        options.properties.push(id.to_owned());
    }
    Ok(())
}
