//! Calendar files that others wrote, read by `companion busy`. They come from packages at the time of the demo, lie in
//! the cache folder, and are never part of the repository. Ours, and the sandbox's feeds, are read beside them.

use super::cast::{Companion, Sandbox};
use super::ledger::Ledger;
use crate::packages::{From, Package};
use crate::places;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

const PACKAGES: &[Package] = &[
    Package { name: "icalendar", version: "7.3.0", from: From::Python },
    Package { name: "recurring-ical-events", version: "3.8.2", from: From::Python },
];

/// More files than any of the folders holds; a folder that holds more is not the one that was meant.
const MAX_FILES: usize = 2_000;

/// Wide enough for nearly everything that the files tell of. Feeds are about now, which is what is meant without it.
const THEN: &[&str] = &["--from", "2000-01-01", "--to", "2030-01-01"];
const NOW: &[&str] = &[];

/// What came of reading a folder of calendar files.
#[derive(Default)]
struct Harvest {
    files: usize,
    read: usize,
    /// Not a calendar, and said so with a code and a next step.
    refused: usize,
    events: usize,
    intervals: usize,
    /// Events that could not be placed exactly, each with a reason.
    withheld: usize,
    /// Lines that could not be used, each with its number.
    problems: usize,
    /// Neither an answer nor a reason.
    broken: Vec<PathBuf>,
}

pub fn read_files(companion: &Companion, sandbox: &Sandbox, ledger: &mut Ledger) -> Result<()> {
    ledger.scene("Calendar files that others wrote, and ours.");
    for package in PACKAGES {
        match package.fetch() {
            Ok(folder) => reap(&package.title(), &folder, THEN, companion, ledger)?,
            Err(error) => ledger.tell(&format!("{} is left out: {error:#}", package.name)),
        }
    }
    let ours = places::root()?.join("tests/fixtures/ics");
    if ours.is_dir() {
        reap("tests/fixtures/ics", &ours, THEN, companion, ledger)?;
    }
    let feeds = companion.profile.path().join("feeds");
    std::fs::create_dir_all(&feeds)?;
    for name in sandbox.state()?["feeds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let name = name.strip_suffix(".ics").unwrap_or(name);
        std::fs::write(feeds.join(format!("{name}.ics")), sandbox.feed(&format!("{name}.ics"))?)?;
    }
    reap("the sandbox's feeds", &feeds, NOW, companion, ledger)
}

fn reap(
    title: &str,
    folder: &Path,
    window: &[&str],
    companion: &Companion,
    ledger: &mut Ledger,
) -> Result<()> {
    let mut files = Vec::new();
    calendar_files(folder, &mut files)?;
    files.sort();
    let mut harvest = Harvest { files: files.len(), ..Harvest::default() };
    for file in files {
        harvest.take(companion, file, window)?;
    }
    let line = format!(
        "{title}: {} files, {} read, {} refused with a reason; {} events, {} busy intervals, {} withheld, {} problems",
        harvest.files,
        harvest.read,
        harvest.refused,
        harvest.events,
        harvest.intervals,
        harvest.withheld,
        harvest.problems
    );
    ledger.check(harvest.broken.is_empty() && harvest.read > 0, &line);
    for file in &harvest.broken {
        ledger.tell(&format!("neither read nor refused: {}", file.display()));
    }
    Ok(())
}

impl Harvest {
    fn take(&mut self, companion: &Companion, file: PathBuf, window: &[&str]) -> Result<()> {
        let name = file.to_string_lossy();
        let mut words = vec!["busy", &name, "--zone", "Europe/Paris"];
        words.extend(window);
        let said = companion.says(&words, "")?;
        let count = |name: &str| said.document[name].as_array().map_or(0, Vec::len);
        match said.status {
            Some(0) => {
                self.read += 1;
                self.events += count("events");
                self.intervals += count("intervals");
                self.withheld += count("withheld");
                self.problems += count("problems");
            }
            Some(1) if said.errors.contains("INVALID_ICS_FORMAT") => self.refused += 1,
            Some(_) | None => self.broken.push(file.clone()),
        }
        Ok(())
    }
}

fn calendar_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            calendar_files(&entry.path(), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "ics") {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            bail!("more than {MAX_FILES} calendar files below {}", folder.display());
        }
    }
    Ok(())
}
