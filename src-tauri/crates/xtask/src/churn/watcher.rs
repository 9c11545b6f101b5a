//! The real watcher as a process: started, listened to, killed without warning, started again.

use crate::demo::cast::Companion;
use crate::process::{self, Running};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

pub struct Watcher {
    program: Running,
    lines: Receiver<String>,
    heard: Vec<Value>,
    kills: u32,
}

impl Watcher {
    pub fn start(companion: &Companion) -> Result<Self> {
        let (program, lines) = run(companion)?;
        Ok(Self { program, lines, heard: Vec::new(), kills: 0 })
    }

    pub fn kills(&self) -> u32 {
        self.kills
    }

    pub fn still_runs(&mut self) -> Result<()> {
        self.listen();
        self.program.still_runs().context("the watcher")
    }

    /// Ends it as a power cut would, and starts another one after a while.
    pub fn kill(&mut self, companion: &Companion, dead_for: Duration) -> Result<()> {
        self.program.kill_at_once()?;
        self.kills += 1;
        // What it said before is in the pipe until its end.
        self.heard.extend(self.lines.iter().filter_map(|line| serde_json::from_str(&line).ok()));
        process::pause(dead_for);
        (self.program, self.lines) = run(companion)?;
        Ok(())
    }

    /// Asks it to end; answers every document it said on stderr in all its lives.
    pub fn stop(mut self) -> Result<Vec<Value>> {
        self.listen();
        drop(self.program);
        self.heard.extend(self.lines.iter().filter_map(|line| serde_json::from_str(&line).ok()));
        Ok(self.heard)
    }

    fn listen(&mut self) {
        self.heard.extend(self.lines.try_iter().filter_map(|line| serde_json::from_str(&line).ok()));
    }
}

fn run(companion: &Companion) -> Result<(Running, Receiver<String>)> {
    let mut command = companion.command(&["sync", "--watch"])?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut program = Running::start(&mut command)?;
    let errors = BufReader::new(program.take_stderr()?);
    let (say, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in errors.lines().map_while(Result::ok) {
            if say.send(line).is_err() {
                return;
            }
        }
    });
    Ok((program, lines))
}
