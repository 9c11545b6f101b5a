//! The two programs of the demo, each as itself: the sandbox with its people, and the vendor's `companion`.

use super::loopback;
use crate::places::{self, Scratch};
use crate::process::{self, Running};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A sandbox that is serving.
pub struct Sandbox {
    _program: Running,
    pub url: String,
}

impl Sandbox {
    /// Starts one with a seeded vendor's life, and lets it write the settings of `profile`.
    pub fn start(profile: &Path, seed: u32) -> Result<Self> {
        Self::start_with(profile, seed, &[])
    }

    /// The same, of a life that more is said about.
    pub fn start_with(profile: &Path, seed: u32, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(places::built("bookiji-sandbox")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--seed", &seed.to_string(), "--write-settings"]);
        command.arg(profile.join("settings.toml")).args(more).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut program = Running::start(&mut command)?;
        let mut line = String::new();
        BufReader::new(program.take_stdout()?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the sandbox did not say that it is ready")?;
        let url = ready["listening"].as_str().context("the sandbox did not say where it listens")?;
        Ok(Self { _program: program, url: url.to_owned() })
    }

    pub fn state(&self) -> Result<Value> {
        loopback::json("GET", &format!("{}/_sandbox/state", self.url), None)
    }

    pub fn edit(&self, edit: &Value) -> Result<Value> {
        loopback::json("POST", &format!("{}/_sandbox/edit", self.url), Some(edit))
            .with_context(|| format!("the edit {edit}"))
    }

    /// What clients asked since the last reset, by service.
    pub fn requests(&self) -> Result<Value> {
        loopback::json("GET", &format!("{}/_sandbox/requests", self.url), None)
    }

    pub fn reset_requests(&self) -> Result<()> {
        loopback::text("DELETE", &format!("{}/_sandbox/requests", self.url), None).map(drop)
    }

    pub fn feed(&self, name: &str) -> Result<String> {
        loopback::text("GET", &format!("{}/feeds/{name}", self.url), None)
    }
}

/// A vendor's computer: one profile, and the command she could type herself.
pub struct Companion<'a> {
    pub profile: &'a Scratch,
}

/// What a command said.
pub struct Said {
    pub status: Option<i32>,
    pub document: Value,
    pub errors: String,
}

impl Companion<'_> {
    /// Types a command and returns its document; any exit status but 0 is a failure.
    pub fn types(&self, words: &[&str], input: &str) -> Result<Value> {
        let said = self.says(words, input)?;
        if said.status != Some(0) {
            bail!("`companion {}` ended with {:?}: {}", words.join(" "), said.status, said.errors.trim());
        }
        Ok(said.document)
    }

    /// Types a command and returns whatever it says.
    pub fn says(&self, words: &[&str], input: &str) -> Result<Said> {
        let mut command = self.command(words)?;
        if input.is_empty() {
            let answer = process::output(&mut command, Duration::from_mins(2))?;
            return Ok(said(answer.status.code(), &answer.stdout, &answer.stderr));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process::furnished(&mut command).spawn().context("starting companion")?;
        child.stdin.take().context("its input")?.write_all(input.as_bytes())?;
        let answer = child.wait_with_output()?;
        Ok(said(answer.status.code(), &answer.stdout, &answer.stderr))
    }

    /// Links the Google account.
    pub fn connects_google(&self) -> Result<Value> {
        links_google(&mut self.command(&["connect", "google", "--no-browser"])?)
    }

    /// The command as it is typed, not started yet.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(places::built("companion")?);
        command.arg("--profile").arg(self.profile.path()).arg("--json").args(words);
        // The vault of this profile is a file: a keychain is not there on every machine that runs the demo.
        command.env("COMPANION_PASSPHRASE", "demo");
        Ok(command)
    }
}

/// Runs `companion connect google --no-browser`, and opens the address it prints as the vendor's browser would.
pub fn links_google(command: &mut Command) -> Result<Value> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = Running::start(command)?;
    let mut errors = BufReader::new(program.take_stderr()?);
    let mut heard = String::new();
    let address = loop {
        let mut line = String::new();
        if errors.read_line(&mut line)? == 0 {
            bail!("`companion connect google` printed no address: {}", heard.trim());
        }
        if line.starts_with("http://") {
            break line.trim().to_owned();
        }
        heard.push_str(&line);
    };
    loopback::text("GET", &address, None).context("signing in to Google")?;
    let mut document = String::new();
    program.take_stdout()?.read_to_string(&mut document)?;
    errors.read_to_string(&mut heard)?;
    let status = program.wait()?;
    if !status.success() {
        bail!("`companion connect google` ended with {status}: {}", heard.trim());
    }
    Ok(serde_json::from_str(&document)?)
}

fn said(status: Option<i32>, document: &[u8], errors: &[u8]) -> Said {
    Said {
        status,
        document: serde_json::from_slice(document).unwrap_or(Value::Null),
        errors: String::from_utf8_lossy(errors).into_owned(),
    }
}

/// An edit by the vendor in her own calendar app.
pub fn vendor(what: &str, details: Value) -> Value {
    edit("vendor", what, details)
}

/// An edit by a customer on Bookiji.
pub fn customer(what: &str, details: Value) -> Value {
    edit("customer", what, details)
}

fn edit(who: &str, what: &str, mut details: Value) -> Value {
    if let Some(details) = details.as_object_mut() {
        details.insert("as".to_owned(), json!(who));
        details.insert("do".to_owned(), json!(what));
    }
    details
}
