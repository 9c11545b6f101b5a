//! Starts other programs: says what it runs, bounds how long it may take, and leaves none behind.

use crate::places;
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// Long enough for a cold build on two cores that are shared with others.
pub const BUILD: Duration = Duration::from_mins(40);

/// Long enough for anything that is not a cold build.
pub const STEP: Duration = Duration::from_mins(15);

/// What every program that is started here finds in its environment.
static GIVEN: Mutex<Vec<(String, PathBuf)>> = Mutex::new(Vec::new());

/// Gives every program that is started from now on these variables as well.
pub fn give_children(variables: &[(String, PathBuf)]) {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(variables);
}

/// What children find under this name, if it was given to them.
pub fn given(name: &str) -> Option<PathBuf> {
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    given.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone())
}

/// Puts what children are given into the environment of one.
pub fn furnished(command: &mut Command) -> &mut Command {
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    command.envs(given.iter().map(|(name, value)| (name, value)))
}

/// A cargo that runs at the top of the checkout, and builds again nothing that it has built.
pub fn cargo() -> Result<Command> {
    at_the_top(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// Makes `command` run at the top of the checkout, without what the cargo that started us told us about ourselves: some
/// build scripts would take those variables for a change and build again.
pub fn at_the_top(mut command: Command) -> Result<Command> {
    command.current_dir(places::root()?);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if about_us.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    Ok(command)
}

/// Runs `command` with its output shown, and fails with the words to repeat it.
pub fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let shown = shown(command);
    println!("$ {shown}");
    let mut child =
        furnished(command).stdin(Stdio::null()).spawn().with_context(|| format!("starting `{shown}`"))?;
    let Some(status) = finished(&mut child, limit)? else {
        stop(&mut child);
        bail!("`{shown}` was still running after {} minutes", limit.as_secs() / MINUTE.as_secs());
    };
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs `command` quietly and returns what it said, whether it succeeded or not.
pub fn output(command: &mut Command, limit: Duration) -> Result<Output> {
    let shown = shown(command);
    let mut child = furnished(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{shown}`"))?;
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let Some(status) = finished(&mut child, limit)? else {
        stop(&mut child);
        bail!("`{shown}` was still running after {} seconds", limit.as_secs());
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    Ok(Output { status, stdout: text(out), stderr: text(err) })
}

/// Says whether a program of this name is on the path.
pub fn has_program(name: &str) -> bool {
    let extension = std::env::consts::EXE_SUFFIX;
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(format!("{name}{extension}")).is_file())
    })
}

/// A program that runs until this value is dropped.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Result<Self> {
        let shown = shown(command);
        Ok(Self(furnished(command).spawn().with_context(|| format!("starting `{shown}`"))?))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Fails if the program has ended by itself.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            Some(status) => bail!("it ended with {status}"),
            None => Ok(()),
        }
    }

    /// Ends the program as a power cut would.
    pub fn kill_at_once(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Waits for the program to end by itself.
    pub fn wait(mut self) -> Result<std::process::ExitStatus> {
        Ok(self.0.wait()?)
    }

    pub fn take_stderr(&mut self) -> Result<std::process::ChildStderr> {
        self.0.stderr.take().context("its errors are not piped")
    }

    pub fn take_stdin(&mut self) -> Result<std::process::ChildStdin> {
        self.0.stdin.take().context("its input is not piped")
    }

    pub fn take_stdout(&mut self) -> Result<std::process::ChildStdout> {
        self.0.stdout.take().context("its output is not piped")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// Asks `ready` again and again until it answers, the limit is over, or it fails.
pub fn until<T>(limit: Duration, mut ready: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ready()? {
            return Ok(Some(answer));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        pause(Duration::from_millis(50));
    }
}

/// Waits without a runtime: there is none in this program.
#[expect(clippy::disallowed_methods, reason = "this program has no runtime whose thread could be blocked")]
pub fn pause(duration: Duration) {
    thread::sleep(duration);
}

/// The command as a person would type it at the top of the checkout.
pub fn shown(command: &Command) -> String {
    let root = places::root().unwrap_or_default();
    let mut words = Vec::new();
    if let Some(folder) = command.get_current_dir().filter(|folder| **folder != root) {
        let folder = folder.strip_prefix(&root).unwrap_or(folder);
        words.push(format!("cd {} &&", folder.display()));
    }
    let program = Path::new(command.get_program());
    let name = program.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    words.push(name.filter(|name| name == "cargo").unwrap_or_else(|| program.display().to_string()));
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = !argument.is_empty() && !argument.contains([' ', '"', '\'', '$', '*', '?', '&', '|']);
        words.push(if plain { argument.into_owned() } else { format!("'{argument}'") });
    }
    words.join(" ")
}

fn finished(child: &mut Child, limit: Duration) -> Result<Option<std::process::ExitStatus>> {
    until(limit, || Ok(child.try_wait()?))
}

/// Asks the program to end, and insists after a while.
fn stop(child: &mut Child) {
    // Its number may be another program's by now.
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    if cfg!(unix) {
        let asked = Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
        if asked.is_ok() && matches!(finished(child, Duration::from_secs(5)), Ok(Some(_))) {
            return;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut text);
        }
        text
    })
}
