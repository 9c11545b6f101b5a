//! A vendor whose app is measured: signed in, her Google account connected, everything synced once. Her services are the
//! sandbox, her secrets lie in the desk's own keychain.

use crate::demo::cast::{self, Sandbox};
use crate::display::Desk;
use crate::places::{self, Scratch};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Vendor {
    pub profile: Scratch,
    sandbox: Sandbox,
}

impl Vendor {
    pub fn settled(desk: &Desk) -> Result<Self> {
        let profile = Scratch::new("vendor")?;
        let sandbox = Sandbox::start(profile.path(), 7)?;
        let state = sandbox.state()?;
        let word = |key: &str| state["vendor"][key].as_str().unwrap_or_default().to_owned();
        types(desk, profile.path(), &["login", "--email", &word("email")], &word("password"))?;
        let mut connect = companion(profile.path(), &["connect", "google", "--no-browser"])?;
        cast::links_google(desk.seat(&mut connect))?;
        types(desk, profile.path(), &["sync"], "")?;
        Ok(Self { profile, sandbox })
    }

    /// What her services were asked so far.
    pub fn requests(&self) -> Result<Value> {
        self.sandbox.requests()
    }
}

fn companion(profile: &Path, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(places::built("companion")?);
    command.arg("--profile").arg(profile).arg("--json").args(words);
    Ok(command)
}

fn types(desk: &Desk, profile: &Path, words: &[&str], input: &str) -> Result<Value> {
    let mut command = companion(profile, words)?;
    desk.seat(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("starting companion")?;
    child.stdin.take().context("its input")?.write_all(input.as_bytes())?;
    let answer = child.wait_with_output()?;
    if !answer.status.success() {
        bail!("`companion {}` failed: {}", words.join(" "), String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(serde_json::from_slice(&answer.stdout)?)
}
