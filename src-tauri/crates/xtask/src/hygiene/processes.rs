//! Remembers with which arguments and in which environment the processes ran that were started by us: known by a mark in
//! their environment. Sees none where there is no `/proc`.

use std::collections::BTreeSet;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub arguments: Vec<u8>,
    pub environment: Vec<u8>,
}

pub struct Processes {
    mark: Vec<u8>,
    seen: BTreeSet<Seen>,
}

impl Processes {
    /// Those that have `name` set to `value`.
    pub fn marked(name: &str, value: &Path) -> Self {
        Self { mark: format!("{name}={}", value.display()).into_bytes(), seen: BTreeSet::new() }
    }

    pub fn look(&mut self) {
        let Ok(entries) = std::fs::read_dir("/proc") else { return };
        for entry in entries.flatten() {
            let read = |what: &str| std::fs::read(entry.path().join(what)).unwrap_or_default();
            let environment = read("environ");
            if environment.split(|byte| *byte == 0).any(|pair| pair == self.mark) {
                self.seen.insert(Seen { arguments: read("cmdline"), environment });
            }
        }
    }

    pub fn seen(&self) -> &BTreeSet<Seen> {
        &self.seen
    }
}

impl Seen {
    /// The program alone: what comes after it may be the secret.
    pub fn name(&self) -> String {
        let program = self.arguments.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(program).into_owned()
    }
}
