//! What is sent to whoever helps: one text that she can read before she sends it. It says how things went, and names
//! nobody: no title, no account, no calendar, no folder, no secret. Pure.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use sync::world::{RunRecord, World};

use crate::doctor::{Check, line};

/// One part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub name: &'static str,
    /// What it holds, for her.
    pub holds: &'static str,
    pub text: String,
}

/// Hides what names somebody or something of hers.
#[derive(Clone, Debug, Default)]
pub struct Veil(Vec<(String, String)>);

/// Shorter names are words like any other.
const SHORTEST: usize = 3;

impl Veil {
    /// Knows whom and what this profile names.
    #[must_use]
    pub fn of(world: &World, profile: &Path, home: Option<&Path>) -> Self {
        let mut hidden = vec![(profile.to_string_lossy().into_owned(), "(profile)".to_owned())];
        hidden.extend(home.map(|home| (home.to_string_lossy().into_owned(), "~".to_owned())));
        if let Some(vendor) = &world.vendor {
            hidden.push((vendor.name.clone(), "(vendor)".to_owned()));
            hidden.push((vendor.email.clone(), "(vendor's address)".to_owned()));
        }
        for (number, connection) in world.connections.values().enumerate() {
            hidden.push((connection.account.clone(), format!("(account {number})")));
            hidden.push((connection.id.to_string(), format!("(connection {number})")));
        }
        for (number, calendar) in world.calendars.values().enumerate() {
            hidden.push((calendar.name.clone(), format!("(calendar {number})")));
            hidden.push((calendar.remote.as_str().to_owned(), format!("(calendar {number})")));
        }
        let customers = world.bookings.values().filter_map(|booking| booking.customer_name.clone());
        hidden.extend(customers.map(|name| (name, "(customer)".to_owned())));
        // The calendar that the app makes is called so, and so is half of what is told.
        hidden.retain(|(name, _)| name.chars().count() >= SHORTEST && name != "Bookiji");
        // A name may be part of another.
        hidden.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self(hidden)
    }

    #[must_use]
    pub fn over(&self, text: &str) -> String {
        let named = self.0.iter().fold(text.to_owned(), |text, (name, instead)| text.replace(name, instead));
        pieces(&named, |c| c.is_whitespace() || "\"'<>`".contains(c))
            .map(|(word, end)| plain(word) + end)
            .collect()
    }
}

/// The words of a text, each with what ends it.
fn pieces(text: &str, ends: impl Fn(char) -> bool + Copy) -> impl Iterator<Item = (&str, &str)> {
    text.split_inclusive(ends).map(move |piece| piece.split_at(piece.trim_end_matches(ends).len()))
}

/// Of an address only where it leads, whatever follows; of a mail address, nothing.
fn plain(word: &str) -> String {
    let Some((before, rest)) = word.split_once("://") else {
        let parts = pieces(word, |c| "()[]{},;=".contains(c));
        return parts
            .map(|(part, end)| (if part.contains('@') { "(address)" } else { part }).to_owned() + end)
            .collect();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    let more = if rest[end..].trim_matches('/').is_empty() { "" } else { "/…" };
    format!("{before}://{host}{more}")
}

/// How accounts and calendars are, by number.
#[must_use]
pub fn state(world: &World) -> Value {
    let connections: Vec<Value> = world
        .connections
        .values()
        .enumerate()
        .map(|(number, connection)| {
            let calendars: Vec<Value> = world
                .calendars
                .values()
                .enumerate()
                .filter(|(_, calendar)| calendar.connection == connection.id)
                .map(|(number, calendar)| {
                    json!({
                        "calendar": number,
                        "role": calendar.role,
                        "known": calendar.known,
                        "last_sync_at": calendar.last_sync_at,
                        "next_sync_at": calendar.next_sync_at,
                        "last_sync_status": calendar.last_sync_status,
                        "error": calendar.last_sync_error.as_ref().map(|error| error.code),
                        "events": world.events.get(&calendar.id).map_or(0, std::collections::BTreeMap::len),
                    })
                })
                .collect();
            json!({
                "connection": number,
                "service": connection.service,
                "state": connection.state,
                "error": connection.error.as_ref().map(|error| error.code),
                "error_count": connection.error_count,
                "backoff_until": connection.backoff_until,
                "calendars": calendars,
            })
        })
        .collect();
    json!({
        "signed_in": world.vendor.is_some(),
        "time_zone": world.vendor.as_ref().map(|vendor| &vendor.time_zone),
        "connections": connections,
        "bookings": world.bookings.len(),
        "events_of_bookings": world.mappings.len(),
        "pending_operations": world.unsettled.len(),
        "stands_by": world.lease.standing_by.is_some(),
    })
}

/// How runs went: numbers and codes, and none of their words.
#[must_use]
pub fn runs(runs: &[RunRecord]) -> Value {
    let of = |run: &RunRecord| {
        let report = run.report.as_ref().unwrap_or(&Value::Null);
        let codes = |errors: &Value| -> Vec<Value> {
            errors.as_array().into_iter().flatten().map(|error| error["code"].clone()).collect()
        };
        json!({
            "run": run.id,
            "direction": run.direction,
            "undoes": run.undoes,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "outcome": run.outcome,
            "bookings": report["bookings"],
            "slots": report["slots"],
            "requests": report["requests"],
            "errors": codes(&report["errors"]),
            "decisions": report["decisions"].as_array().map(Vec::len),
        })
    };
    runs.iter().map(of).collect()
}

/// The checks of `companion doctor`, a line each.
#[must_use]
pub fn checks(checks: &[Check]) -> String {
    let lines = checks.iter().map(|check| line(check.name, check.ok, &check.detail, check.code));
    lines.collect::<Vec<_>>().join("\n")
}

/// The whole file: first what it holds, then that.
#[must_use]
pub fn text(sections: &[Section], version: &str, now: Timestamp, veil: &Veil) -> String {
    let mut text = format!(
        "Bookiji Companion {version} on {} {}, {now}\n\nThis file holds:\n",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    for section in sections {
        text.push_str(&format!("- {}: {}\n", section.name, section.holds));
    }
    text.push_str("It names no customer, account, calendar or folder, and holds no password and no token.\n");
    for section in sections {
        text.push_str(&format!("\n== {} ==\n{}\n", section.name, veil.over(section.text.trim_end())));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil() -> Veil {
        let hidden =
            [("/hers/anna/.companion", "(profile)"), ("/hers/anna", "~"), ("Salon Anna", "(vendor)")];
        Veil(hidden.map(|(name, instead)| (name.to_owned(), instead.to_owned())).to_vec())
    }

    #[test]
    fn names_folders_addresses_and_the_secret_part_of_links_are_hidden() {
        for (text, expected) in [
            ("Salon Anna reads /hers/anna/.companion/logs", "(vendor) reads (profile)/logs"),
            ("in /hers/anna/x", "in ~/x"),
            ("to anna@example.com, at once", "to (address), at once"),
            ("from=<anna@example.com>\n", "from=<(address)>\n"),
            ("GET https://cal.example/private-5f2c/basic.ics?key=1 200", "GET https://cal.example/… 200"),
            ("url=https://cal.example/x,y;z=secret&a=(b) end", "url=https://cal.example/… end"),
            ("url=\"https://anna:pw@cal.example/\"", "url=\"https://cal.example\""),
            ("webcal://cal.example", "webcal://cal.example"),
            ("read 12 events (3 ours)", "read 12 events (3 ours)"),
        ] {
            assert_eq!(veil().over(text), expected);
        }
    }

    #[test]
    fn a_file_says_first_what_it_holds() {
        let log = Section { name: "log", holds: "what it did", text: "anna@example.com\n".into() };
        let text = text(&[log], "1.2.3", Timestamp::UNIX_EPOCH, &veil());
        assert!(text.starts_with("Bookiji Companion 1.2.3 on "), "{text}");
        assert!(text.contains("\nThis file holds:\n- log: what it did\n"), "{text}");
        assert!(text.ends_with("\n== log ==\n(address)\n"), "{text}");
    }
}
