//! The house rules that no compiler checks: who may know whom, how a file opens, and what never enters the
//! repository. Reads manifests and sources only.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every crate of ours with those of ours that it may use. Nothing below it knows anything above it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("calendar", &[]),
    ("sync", &["calendar"]),
    ("mirror", &["calendar", "sync"]),
    ("connectors", &["calendar", "sync"]),
    ("companion", &["calendar", "sync", "mirror", "connectors"]),
    ("sandbox", &["calendar"]),
    ("bookiji-companion", &["calendar", "sync", "mirror", "connectors", "companion", "sandbox"]),
    ("tests", &["calendar", "sync", "mirror", "connectors", "companion", "sandbox"]),
    ("xtask", &[]),
];

const WINDOWED: &[&str] = &["tauri", "tauri-runtime", "tauri-runtime-wry", "wry", "tao", "webkit2gtk", "gtk"];
const OUTSIDE_WORLD: &[&str] =
    &["rusqlite", "libsqlite3-sys", "reqwest", "hyper", "tokio", "mirror", "connectors"];

#[test]
fn every_crate_uses_only_those_below_it() {
    let house = House::read();
    let ours: BTreeSet<&str> = house.ours.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, listed, "a new crate takes its place in MAY_USE");
    for (name, allowed) in MAY_USE {
        for used in house.direct(name) {
            let known = !ours.contains(used.as_str()) || allowed.contains(&used.as_str());
            assert!(known, "`{name}` must not use `{used}`");
        }
    }
}

#[test]
fn only_the_shell_reaches_a_window() {
    let house = House::read();
    for (name, _) in MAY_USE.iter().filter(|(name, _)| *name != "bookiji-companion") {
        assert_unreached(&house, name, WINDOWED);
    }
}

#[test]
fn decisions_reach_neither_database_nor_network() {
    let house = House::read();
    assert_unreached(&house, "calendar", OUTSIDE_WORLD);
    assert_unreached(&house, "sync", OUTSIDE_WORLD);
}

#[test]
fn every_rust_file_opens_by_saying_what_it_is() {
    for path in files().iter().filter(|path| has_extension(path, "rs")) {
        let opens = read(path).is_some_and(|text| text.starts_with("//! "));
        assert!(opens, "{} does not open with `//!`", path.display());
    }
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let homes = [
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Use", "rs/"],
        ["C:\\Use", "rs\\"],
        ["/tmp/", "wt"],
        ["/wo", "rk/"],
    ]
    .map(|halves| halves.concat());
    for path in files() {
        for (number, line) in read(&path).unwrap_or_default().lines().enumerate() {
            for home in &homes {
                let at = line.find(home.as_str());
                // A web address may have any path: only what starts a path of its own is a folder.
                let starts = at.is_some_and(|at| {
                    !line[..at].ends_with(|before: char| before.is_alphanumeric() || "}.-_".contains(before))
                });
                assert!(!starts, "{}:{} names a folder of a machine: {line}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_lock_file_of_the_window_names_no_download_address() {
    let lock = read(Path::new("ui/package-lock.json")).expect("ui/package-lock.json is there");
    assert!(!lock.contains("\"resolved\": \"http"), "set omit-lockfile-registry-resolved and lock again");
}

#[test]
fn one_file_of_the_window_speaks_to_the_shell() {
    let speaking: Vec<PathBuf> = files()
        .into_iter()
        .filter(|path| path.starts_with("ui/src") && !path.starts_with("ui/src/generated"))
        .filter(|path| read(path).is_some_and(|text| imports_tauri(&text)))
        .collect();
    assert!(speaking.len() <= 1, "only one file in ui/src imports @tauri-apps: {speaking:?}");
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut names: Vec<String> = files()
        .iter()
        .filter(|path| path.starts_with("migrations") && has_extension(path, "sql"))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are migrations");
    for (index, name) in names.iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        assert!(name.starts_with(&number), "{name} should start with {number}");
    }
}

/// What cargo knows of the workspace: packages by id, and who uses whom outside of tests.
struct House {
    ours: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<String>>,
}

impl House {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let answer = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
            .current_dir(root())
            .output()
            .expect("cargo starts");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        let metadata: Value = serde_json::from_slice(&answer.stdout).expect("cargo metadata answers JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();

        let names: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let ours = list(&metadata["workspace_members"])
            .iter()
            .map(text)
            .map(|id| (names[&id].clone(), id))
            .collect();
        let uses = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let used = list(&node["deps"])
                    .iter()
                    .filter(|used| is_shipped(used))
                    .map(|used| text(&used["pkg"]))
                    .collect();
                (text(&node["id"]), used)
            })
            .collect();
        Self { ours, names, uses }
    }

    fn direct(&self, name: &str) -> Vec<String> {
        self.uses[&self.ours[name]].iter().map(|id| self.names[id].clone()).collect()
    }

    /// The shortest way from one of our crates to a package, by names.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![self.ours[from].clone()]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = way.last()?;
                if self.names[last] == to {
                    return Some(way.iter().map(|id| self.names[id].clone()).collect());
                }
                for next in &self.uses[last] {
                    if seen.insert(next.clone()) {
                        longer.push(way.iter().chain([next]).cloned().collect());
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn is_shipped(used: &Value) -> bool {
    used["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
}

fn assert_unreached(house: &House, from: &str, forbidden: &[&str]) {
    for to in forbidden {
        if let Some(way) = house.way(from, to) {
            panic!("`{from}` reaches `{to}`: {}", way.join(" -> "));
        }
    }
}

fn imports_tauri(text: &str) -> bool {
    text.contains("from '@tauri-apps/")
        || text.contains("from \"@tauri-apps/")
        || text.contains("import('@tauri-apps/")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie inside the repository").to_path_buf()
}

/// Every file that is, or would be, part of the repository, relative to its top.
fn files() -> Vec<PathBuf> {
    let answer = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git starts");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let names = String::from_utf8(answer.stdout).expect("our file names are UTF-8");
    let files: Vec<PathBuf> = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect();
    assert!(files.len() > 20, "git lists the repository");
    files
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The text of a file, or nothing for a picture.
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(root().join(path)).ok()
}

/// Papers that promise a test by name.
const PROMISES: &[&str] = &["ARCHITECTURE.md", "docs/files.md", "tests/pains.md"];

#[test]
fn every_test_that_a_paper_names_exists() {
    let sources: Vec<String> =
        files().iter().filter(|path| has_extension(path, "rs")).filter_map(|path| read(path)).collect();
    for paper in PROMISES {
        let text = read(&root().join(paper)).unwrap_or_default();
        let names = text.split('`').skip(1).step_by(2).filter(|name| is_sentence(name));
        for name in names {
            let signature = format!("fn {name}(");
            assert!(sources.iter().any(|text| text.contains(&signature)), "{paper} names `{name}`");
        }
    }
}

#[test]
fn every_pain_and_every_drill_has_its_row_and_each_row_its_test() {
    let text = read(&root().join("tests/pains.md")).unwrap_or_default();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| line.trim_end_matches(" |").split(" | ").collect())
        .collect();
    for number in 1..=40 {
        assert!(rows.iter().any(|row| row[0] == number.to_string()), "pain {number} has no row");
    }
    for row in rows.iter().filter(|row| row[0] != "#") {
        let test = row.get(2).copied().unwrap_or_default();
        assert!(test.contains('`') || test.starts_with("not the engine's"), "{} names no test", row[0]);
    }
}

/// The names of our tests are sentences; the names of files, types and commands are not.
fn is_sentence(name: &str) -> bool {
    name.matches('_').count() >= 3
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
