//! What may be in the dependency tree: licences, bans and sources by `deny.toml`; known vulnerabilities where
//! their list can be reached.

use crate::places;
use crate::process::{self, BUILD, STEP};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const VERSION: &str = "0.20.2";

/// Checks everything that needs no network but the packages themselves.
pub fn check() -> Result<()> {
    process::run(&mut deny(&["--log-level", "error", "check", "licenses", "bans", "sources"])?, STEP)
}

/// Checks for known vulnerabilities; returns why it could not, if their list could not be fetched.
pub fn check_advisories() -> Result<Option<String>> {
    let answer = process::output(&mut deny(&["check", "advisories"])?, Duration::from_mins(2));
    let said = match answer {
        Ok(answer) if answer.status.success() => return Ok(None),
        Ok(answer) => String::from_utf8_lossy(&answer.stderr).into_owned(),
        Err(error) => return Ok(Some(format!("the list of vulnerabilities did not come: {error:#}"))),
    };
    if said.contains("failed to fetch advisory database") {
        return Ok(Some("the list of vulnerabilities could not be fetched".to_owned()));
    }
    bail!("known vulnerabilities:\n{said}")
}

fn deny(words: &[&str]) -> Result<Command> {
    let mut deny = process::cargo()?;
    let cargo = deny.get_program().to_owned();
    let root = deny.get_current_dir().map(std::path::Path::to_path_buf).unwrap_or_default();
    deny = Command::new(installed()?);
    deny.current_dir(root).env("CARGO", cargo).args(words);
    Ok(deny)
}

/// Installs cargo-deny once for all checkouts; a debug build checks in seconds and compiles in half the time.
fn installed() -> Result<PathBuf> {
    let folder = places::cache(&format!("cargo-deny-{VERSION}"))?;
    let program = folder.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut install = process::cargo()?;
        install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root"]);
        process::run(install.arg(&folder).env_remove("CARGO_TARGET_DIR"), BUILD)?;
    }
    Ok(program)
}
