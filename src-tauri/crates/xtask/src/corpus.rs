//! `cargo xtask corpus`: what the calendar crate reads and expands, against what other projects publish and what other
//! engines answer. The comparing is done by `tests/corpora`; this brings what it needs.

use crate::packages::{From, Package};
use crate::places;
use crate::process::{self, BUILD, STEP};
use anyhow::{Result, bail};
use clap::Args;
use std::process::Command;

#[derive(Args)]
pub struct Options {
    /// How many made-up rules are compared with other engines.
    #[arg(long, default_value_t = MADE_UP)]
    cases: u32,
}

const MADE_UP: u32 = 10_000;
/// As many as there is time for in every test.
pub const A_FEW: u32 = 1_500;

/// Each with what its folder is called by `tests/corpora/run.py`.
const PACKAGES: &[(&str, Package)] = &[
    ("calcard", Package { name: "calcard", version: "0.3.14", from: From::Cargo }),
    ("icalendar", Package { name: "icalendar", version: "7.3.0", from: From::Python }),
    (
        "recurring-ical-events",
        Package { name: "recurring-ical-events", version: "3.8.2", from: From::Python },
    ),
    ("khal", Package { name: "khal", version: "0.14.1", from: From::Python }),
    ("python-dateutil", Package { name: "python-dateutil", version: "2.9.0.post0", from: From::Python }),
    ("libical", Package { name: "libical3", version: "3.0.16-1", from: From::DebianSource }),
    ("libical-library", Package { name: "libical3", version: "installed", from: From::Debian }),
];

/// Builds what it needs and compares; answers whether everything held.
pub fn corpus(options: &Options) -> Result<bool> {
    let mut build = process::cargo()?;
    build.args(["build", "--locked", "--package", "calendar", "--example", "ask"]);
    process::run(&mut build, BUILD)?;
    compare(options.cases)?;
    Ok(true)
}

/// Compares with the program in the target folder.
pub fn compare(cases: u32) -> Result<()> {
    let mut compare = Command::new("python3");
    compare.current_dir(places::root()?).arg(places::root()?.join("tests/corpora/run.py"));
    compare.arg(places::built("examples/ask")?).arg(places::cache("corpora")?);
    compare.arg(cases.to_string());
    for (name, package) in PACKAGES {
        match package.fetch() {
            Ok(folder) => {
                compare.arg(format!("{name}={}", folder.display()));
            }
            // Only Debian has these, and not every release has this version.
            Err(error) if matches!(package.from, From::Debian | From::DebianSource) => {
                println!("{name} is left out: {error:#}");
            }
            Err(error) => bail!("{error:#}"),
        }
    }
    process::run(&mut compare, STEP)
}
