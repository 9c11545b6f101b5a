//! The tray as a panel meets it, over the session bus: who registers an icon and when, and a line of its menu chosen. Uses
//! the tools that come with the bus, so that nothing of ours stands between.

use crate::display::Desk;
use crate::process::{self, Running};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(30);
const MENU: &str = "com.canonical.dbusmenu";

/// Hears who registers an icon.
pub struct Ear {
    _monitor: Running,
    heard: Receiver<(Instant, Item)>,
}

/// An icon on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    owner: String,
    path: String,
}

impl Ear {
    pub fn open(desk: &Desk) -> Result<Self> {
        let mut command = Command::new("dbus-monitor");
        command.args([
            "--session",
            "interface='org.kde.StatusNotifierWatcher',member='RegisterStatusNotifierItem'",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut monitor = Running::start(desk.seat(&mut command))?;
        let mut lines = BufReader::new(monitor.take_stdout()?).lines().map_while(std::result::Result::ok);
        // It says first that it listens.
        lines.next().context("nobody can listen on the bus")?;
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let mut owner = None;
            for line in lines {
                let now = Instant::now();
                if line.starts_with("method call") {
                    owner = line.contains("RegisterStatusNotifierItem").then(|| sender(&line)).flatten();
                } else if let (Some(owner), Some(path)) = (&owner, quoted(&line)) {
                    let _ = tell.send((now, Item { owner: owner.clone(), path: path.to_owned() }));
                }
            }
        });
        Ok(Self { _monitor: monitor, heard })
    }

    /// Waits for the next one.
    pub fn registered(&self) -> Result<(Instant, Item)> {
        self.heard.recv_timeout(LIMIT).map_err(|error| match error {
            RecvTimeoutError::Timeout => anyhow::anyhow!("no tray icon was registered"),
            RecvTimeoutError::Disconnected => anyhow::anyhow!("the bus has ended"),
        })
    }

    /// Forgets those that were heard so far.
    pub fn forget(&self) {
        while self.heard.try_recv().is_ok() {}
    }
}

impl Item {
    /// The number of the line with this label.
    pub fn line(&self, desk: &Desk, label: &str) -> Result<i32> {
        let found = process::until(LIMIT, || {
            let words = ["int32:0", "int32:-1", "array:string:"];
            let layout = process::output(desk.seat(self.call(true, "GetLayout").args(words)), LIMIT)?;
            Ok(line(&String::from_utf8_lossy(&layout.stdout), label))
        })?;
        found.with_context(|| format!("the tray's menu has no line \"{label}\""))
    }

    /// Clicks on a line; answers when that began.
    pub fn click(&self, desk: &Desk, line: i32) -> Result<(Instant, Running)> {
        let line = format!("int32:{line}");
        let mut send = self.call(false, "Event");
        send.args([&line, "string:clicked", "variant:int32:0", "uint32:0"]);
        let began = Instant::now();
        Ok((began, Running::start(desk.seat(&mut send))?))
    }

    fn call(&self, asks: bool, method: &str) -> Command {
        let mut send = Command::new("dbus-send");
        send.args(["--session", "--type=method_call"]).args(asks.then_some("--print-reply"));
        send.arg(format!("--dest={}", self.owner)).arg(format!("{}/Menu", self.path));
        send.arg(format!("{MENU}.{method}"));
        send
    }
}

fn sender(line: &str) -> Option<String> {
    line.split_whitespace().find_map(|word| word.strip_prefix("sender=")).map(str::to_owned)
}

fn quoted(line: &str) -> Option<&str> {
    line.trim().strip_prefix("string \"")?.strip_suffix('"')
}

/// A line's number stands before its label.
fn line(layout: &str, label: &str) -> Option<i32> {
    let mut number = None;
    let wanted = format!("string \"{label}\"");
    for line in layout.lines().map(str::trim) {
        if let Some(word) = line.strip_prefix("int32 ") {
            number = word.parse().ok();
        } else if line.starts_with("variant") && line.ends_with(&wanted) {
            return number;
        }
    }
    None
}

/// Whether somebody shows icons by now.
pub fn has_host(desk: &Desk) -> Result<()> {
    let there = process::until(LIMIT, || {
        let mut ask = Command::new("dbus-send");
        ask.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
        ask.args(["org.freedesktop.DBus.GetNameOwner", "string:org.kde.StatusNotifierWatcher"]);
        Ok(process::output(desk.seat(&mut ask), LIMIT)?.status.success().then_some(()))
    })?;
    if there.is_none() {
        bail!("the panel shows no tray icons");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_label_and_not_by_another_lines() {
        let layout = "   struct {\n      int32 0\n      array [\n      ]\n      array [\n  variant  struct {\n  int32 4\n  array [\n  \
            dict entry(\n string \"label\"\n variant  string \"Open\"\n )\n dict entry(\n string \"toggle-state\"\n \
            variant  int32 9\n )\n ]\n }\n variant struct {\n int32 5\n array [\n dict entry(\n string \"label\"\n \
            variant  string \"Open it\"\n";
        assert_eq!(line(layout, "Open it"), Some(5));
        assert_eq!(line(layout, "Open"), Some(4));
        assert_eq!(line(layout, "label"), None);
    }

    #[test]
    fn who_registers_is_read_from_the_message() {
        let said = "method call time=1.5 sender=:1.9 -> destination=org.kde.StatusNotifierWatcher serial=7";
        assert_eq!(sender(said).as_deref(), Some(":1.9"));
        assert_eq!(quoted("   string \"/org/x\""), Some("/org/x"));
    }
}
