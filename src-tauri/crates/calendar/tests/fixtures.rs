//! Every calendar file in `tests/fixtures/ics` against what a vendor in Berlin should see of it in the week of a clock
//! change. `UPDATE_SNAPSHOTS=1` rewrites what is expected; read the difference before it is committed.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use calendar::busy::{BusyRules, place};
use calendar::ics;
use calendar::interval::Interval;
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[test]
fn every_fixture_comes_to_what_is_written_beside_it() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ics" || extension == "vcs"));
    files.sort();
    assert!(files.len() >= 8, "only {} fixtures were found", files.len());
    for file in files {
        let shown = shown(&std::fs::read(&file).unwrap());
        let beside = file.with_extension("txt");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&beside, &shown).unwrap();
        }
        assert_eq!(shown, std::fs::read_to_string(&beside).unwrap_or_default(), "{}", file.display());
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/ics")
}

fn shown(bytes: &[u8]) -> String {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let window = Interval::new(at("2026-03-22T23:00:00Z"), at("2026-04-07T22:00:00Z")).unwrap();
    let (calendar, problems) = ics::read(bytes).unwrap();
    let placed =
        place(&calendar.events, &BusyRules::default(), window, &TimeZone::get("Europe/Berlin").unwrap());
    let mut out = String::new();
    for problem in problems {
        writeln!(out, "line {}: {}", problem.line, problem.message()).unwrap();
    }
    for occurrence in &placed.occurrences {
        let kind = if occurrence.all_day { " all day" } else { "" };
        let reason = serde_json::to_value(occurrence.reason).unwrap();
        let (start, end) = (occurrence.start, occurrence.end);
        writeln!(out, "{start} {end}{kind} {} {:?}", reason.as_str().unwrap(), occurrence.summary).unwrap();
    }
    for withheld in &placed.withheld {
        writeln!(out, "withheld {:?}: {}", withheld.uid.0, withheld.reason).unwrap();
    }
    for busy in placed.busy() {
        writeln!(out, "busy {} {}", busy.start(), busy.end()).unwrap();
    }
    out
}
