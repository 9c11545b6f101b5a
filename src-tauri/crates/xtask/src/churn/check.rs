//! Reads what is there after the churning, and names everything that should not be so.

use super::script::Version;
use super::{Folders, calendar};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// How often each version stands somewhere.
type Times = BTreeMap<u32, u32>;

/// Everything that is wrong, in words.
pub fn check(folders: &Folders, versions: &[Version], heard: &[Value], busy: &Value) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for name in names(&folders.inbox)? {
        wrong.push(format!("{name} was left in the watched folder"));
    }
    let imported = read(&folders.imported, versions, &mut wrong)?;
    let rejected = read(&folders.rejected, versions, &mut wrong)?;
    let events = events(busy);
    let told = told(heard, &imported.by_path);
    let known = |times: &Times, number: u32| times.get(&number).copied().unwrap_or_default();
    for version in versions {
        let number = version.number;
        let (in_imported, in_rejected) = (known(&imported.times, number), known(&rejected.times, number));
        let (in_mirror, imports) = (known(&events, number), known(&told, number));
        let (right, other) =
            if version.good { (in_imported, in_rejected) } else { (in_rejected, in_imported) };
        let kind = if version.good { "good" } else { "bad" };
        let mut say = |what: String| {
            wrong.push(format!("version {number} ({kind}): {what}; {}", version.story.join(", ")))
        };
        if other > 0 {
            say("lies in the wrong folder".to_owned());
        }
        if right > 1 {
            say(format!("lies there {right} times"));
        }
        if right == 0 && !version.superseded {
            say("is lost".to_owned());
        }
        if in_mirror > 1 {
            say(format!("is {in_mirror} times in the calendar"));
        }
        if !version.good && in_mirror > 0 {
            say("was taken in".to_owned());
        }
        if version.good && in_mirror == 0 && (right > 0 || !version.superseded) {
            say("is not in the calendar".to_owned());
        }
        if imports > 1 {
            say(format!("was imported {imports} times"));
        }
    }
    for unknown in events.keys().filter(|number| !versions.iter().any(|version| version.number == **number)) {
        wrong.push(format!("version {unknown} was never written"));
    }
    figures(versions, &imported.times, &rejected.times, &events, heard);
    Ok(wrong)
}

#[derive(Default)]
struct Read {
    times: Times,
    by_path: BTreeMap<String, u32>,
}

/// What lies in a folder, and whether every rejected file has its reason.
fn read(folder: &Path, versions: &[Version], wrong: &mut Vec<String>) -> Result<Read> {
    let mut read = Read::default();
    let all = names(folder)?;
    let rejects = folder.ends_with("rejected");
    for name in &all {
        let reason_of = name.strip_suffix(".txt").filter(|_| rejects);
        if let Some(file) = reason_of {
            if !all.iter().any(|name| name == file) {
                wrong.push(format!("{name} is the reason for a file that is not there"));
            }
            continue;
        }
        if rejects && !all.iter().any(|other| *other == format!("{name}.txt")) {
            wrong.push(format!("{name} was rejected without a reason"));
        }
        let path = folder.join(name);
        let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let marks = calendar::marks(&text);
        let whole = versions.iter().find(|version| marks == [version.number] && version.text == text);
        match whole {
            Some(version) => {
                *read.times.entry(version.number).or_default() += 1;
                read.by_path.insert(path.to_string_lossy().into_owned(), version.number);
            }
            None => wrong.push(format!(
                "{name} in {} holds {} bytes that nobody left there ({marks:?})",
                folder.display(),
                bytes.len()
            )),
        }
    }
    Ok(read)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn events(busy: &Value) -> Times {
    let mut times = Times::new();
    for event in busy["events"].as_array().into_iter().flatten() {
        for number in event["uid"].as_str().map(calendar::marks).unwrap_or_default() {
            *times.entry(number).or_default() += 1;
        }
    }
    times
}

/// How often the watcher said of a version that something of it was new.
fn told(heard: &[Value], by_path: &BTreeMap<String, u32>) -> Times {
    let mut times = Times::new();
    for file in heard.iter().filter_map(|line| line.get("file")) {
        let number = file["into"].as_str().and_then(|path| by_path.get(path));
        if let (Some(number), true) = (number, file["outcome"] == "imported") {
            *times.entry(*number).or_default() += 1;
        }
    }
    times
}

fn figures(versions: &[Version], imported: &Times, rejected: &Times, events: &Times, heard: &[Value]) {
    let count = |good: bool, superseded: bool| {
        versions.iter().filter(|version| version.good == good && version.superseded == superseded).count()
    };
    let said = |outcome: &str| heard.iter().filter(|line| line["file"]["outcome"] == outcome).count();
    println!(
        "Left to be taken in: {} good and {} bad files; written over or deleted before: {} and {}.",
        count(true, false),
        count(false, false),
        count(true, true),
        count(false, true)
    );
    println!(
        "There is: {} in imported/, {} in rejected/, {} events. Said: {} imported, {} unchanged, {} rejected.",
        imported.len(),
        rejected.len(),
        events.len(),
        said("imported"),
        said("unchanged"),
        said("rejected")
    );
}
