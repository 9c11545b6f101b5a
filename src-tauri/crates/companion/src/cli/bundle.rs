//! `companion bundle`: one text file for whoever helps, with nothing in it that names anybody.

use std::fs;
use std::path::{Path, PathBuf};

use mirror::Sqlite;
use serde_json::json;
use sync::ports::{Clock, Mirror};
use sync::world::World;

use super::output::Outcome;
use crate::bundle::{self, Section, Veil};
use crate::clock::SystemClock;
use crate::outfile::Place;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::{doctor, status};

/// Of the logs, their end.
const LOG_BYTES: usize = 256 * 1024;
const CRASHES: usize = 10;
const CRASH_BYTES: usize = 8 * 1024;
const RUNS: usize = 40;

/// A profile that is broken, or is none, has something to tell too.
pub async fn run(profile: &Profile, output: Option<&Path>) -> Result<Outcome, Problem> {
    let now = SystemClock.now();
    let usual = PathBuf::from(format!("companion-{}.txt", now.strftime("%Y%m%dT%H%M%SZ")));
    let place = Place::at(output.unwrap_or(&usual))?;
    let checks = doctor::examine(profile).await;
    let mirror = Sqlite::open_read_only(&profile.database()).ok();
    let world = mirror.as_ref().and_then(|mirror| mirror.world().ok());
    let runs = mirror.and_then(|mirror| mirror.runs(status::RUNS_READ).ok()).unwrap_or_default();
    let runs: Vec<_> = status::worth_telling(runs).into_iter().take(RUNS).collect();
    let home = etcetera::home_dir().ok();
    let veil = Veil::of(world.as_ref().unwrap_or(&World::default()), profile.root(), home.as_deref());
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let state =
        world.as_ref().map_or_else(|| "no database can be read".to_owned(), |w| pretty(&bundle::state(w)));
    let sections = [
        ("checks", "what `companion doctor` says", bundle::checks(&checks)),
        ("state", "how accounts and calendars are, by number", state),
        ("runs", "how the last syncs went: counts and codes", pretty(&bundle::runs(&runs))),
        ("crashes", "where the app stopped, if it did", crashes(profile)),
        ("log", "the end of the log", logs(profile)),
    ]
    .map(|(name, holds, text)| Section { name, holds, text });
    let text = bundle::text(&sections, env!("CARGO_PKG_VERSION"), now, &veil);
    place.write(&text)?;
    let holds: Vec<_> = sections
        .iter()
        .map(|section| json!({ "name": section.name, "holds": section.holds, "lines": section.text.lines().count() }))
        .collect();
    let list: Vec<String> =
        sections.iter().map(|section| format!("- {}: {}", section.name, section.holds)).collect();
    let path = place.path().display();
    Ok(Outcome::done(
        json!({ "path": path.to_string(), "holds": holds }),
        format!("{path} holds\n{}\nIt names nobody. Read it before you send it.", list.join("\n")),
    ))
}

/// The newest lines, and no more than `LOG_BYTES` of them.
fn logs(profile: &Profile) -> String {
    let of = |name: &str| fs::read(profile.logs().join(name)).unwrap_or_default();
    let mut bytes = of("companion.log");
    if bytes.len() < LOG_BYTES {
        bytes = [of("companion.log.1"), bytes].concat();
    }
    let from = bytes.len().saturating_sub(LOG_BYTES);
    let end = String::from_utf8_lossy(&bytes[from..]).into_owned();
    if from == 0 { end } else { end.split_once('\n').map(|(_, whole)| whole.to_owned()).unwrap_or_default() }
}

fn crashes(profile: &Profile) -> String {
    let named =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("crash-"));
    let mut notes: Vec<PathBuf> =
        fs::read_dir(profile.logs()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    notes.retain(named);
    notes.sort();
    let newest = notes.iter().rev().take(CRASHES).map(|path| fs::read(path).unwrap_or_default());
    let texts: Vec<String> = newest
        .map(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(CRASH_BYTES)]).into_owned())
        .collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join("\n") }
}
