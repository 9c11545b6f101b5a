//! `cargo xtask hygiene`: runs the demo, or any command, under a watch, and searches all that it left for secrets: files,
//! arguments and environments. `cargo xtask test` keeps the same watch over all of its steps.

mod hoard;
mod processes;
mod search;

use crate::places::Scratch;
use crate::process;
use crate::{demo, test};
use anyhow::{Context, Result, bail};
use clap::Args;
use hoard::Hoard;
use processes::Processes;
use search::Secrets;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where a sandbox tells what it hands out. Whoever has it in its environment was started by us.
const TELLS: &str = "BOOKIJI_SANDBOX_TELLS";
/// Short against the life of a test's folder.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

#[derive(Args)]
pub struct Options {
    /// The command to watch; the demo, if none is given.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Watches one command; answers whether it left no secret.
pub fn hygiene(options: &Options) -> Result<bool> {
    begin()?;
    let done = match options.command.split_first() {
        None => {
            demo::play(demo::SEED).and_then(|held| if held { Ok(()) } else { bail!("the demo did not hold") })
        }
        Some((program, words)) => process::run(Command::new(program).args(words), process::BUILD),
    };
    println!("{}", end()?);
    done.map(|()| true)
}

/// From now on everything that is started here is watched.
pub fn begin() -> Result<()> {
    let watch = Watch::start()?;
    process::give_children(&watch.environment());
    *WATCH.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    Ok(())
}

/// Ends the watch and says what was looked through.
///
/// # Errors
/// When a secret was found, or there was too little to look through for an empty hand to mean anything.
pub fn end() -> Result<String> {
    let watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner).take();
    let found = watch.context("nothing was watched")?.finish()?;
    if !found.leaks.is_empty() {
        bail!("{} leaks:\n  {}", found.leaks.len(), found.leaks.join("\n  "));
    }
    if found.secrets == 0 || found.databases == 0 || found.logs == 0 {
        bail!("there was too little to look through: {}", found.sum());
    }
    Ok(format!("no secret is left anywhere: {}", found.sum()))
}

/// What a search came to.
struct Found {
    secrets: usize,
    files: usize,
    databases: usize,
    logs: usize,
    processes: usize,
    leaks: Vec<String>,
}

impl Found {
    fn sum(&self) -> String {
        format!(
            "{} secrets were handed out, and {} files ({} databases, {} logs) and {} processes looked through",
            self.secrets, self.files, self.databases, self.logs, self.processes
        )
    }
}

/// Keeps what children leave in the temporary folder, and how they were called, until it is searched.
struct Watch {
    scratch: Scratch,
    stop: Arc<AtomicBool>,
    looking: JoinHandle<(Hoard, Processes)>,
}

impl Watch {
    fn start() -> Result<Self> {
        let scratch = Scratch::new("watch")?;
        for folder in ["t", "told", "kept"] {
            std::fs::create_dir(scratch.path().join(folder)).context("making the watch's folders")?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (mut hoard, mut processes) =
            (Hoard::new(scratch.path().join("kept")), Processes::marked(TELLS, &scratch.path().join("told")));
        let (temporary, stopped) = (scratch.path().join("t"), stop.clone());
        let looking = std::thread::spawn(move || {
            loop {
                let last = stopped.load(Ordering::SeqCst);
                let started = Instant::now();
                hoard.look(&temporary);
                processes.look();
                if last {
                    return (hoard, processes);
                }
                // Never more than a sixth of one core.
                process::pause(LOOK_AGAIN.max(started.elapsed() * 5));
            }
        });
        Ok(Self { scratch, stop, looking })
    }

    fn environment(&self) -> Vec<(String, std::path::PathBuf)> {
        let at = |folder| self.scratch.path().join(folder);
        vec![("TMPDIR".to_owned(), at("t")), (TELLS.to_owned(), at("told"))]
    }

    fn finish(self) -> Result<Found> {
        self.stop.store(true, Ordering::SeqCst);
        let Ok((hoard, processes)) = self.looking.join() else { bail!("the watch broke down") };
        let secrets = told(&self.scratch.path().join("told"))?;
        let mut found = Found {
            secrets: secrets.len(),
            files: hoard.files().len(),
            databases: 0,
            logs: 0,
            processes: processes.seen().len(),
            leaks: Vec::new(),
        };
        for (was, kept) in hoard.files() {
            let bytes = std::fs::read(kept).with_context(|| format!("reading what was {}", was.display()))?;
            let name = was.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.databases += usize::from(name == "companion.db");
            found.logs += usize::from(name.starts_with("companion.log"));
            found.leaks.extend(secrets.in_bytes(&bytes).map(|kind| format!("{}: {kind}", was.display())));
        }
        for process in processes.seen() {
            let leaks = |what, bytes: &[u8]| {
                secrets
                    .in_bytes(bytes)
                    .map(|kind| format!("{what} of `{}`: {kind}", process.name()))
                    .collect::<Vec<_>>()
            };
            found.leaks.extend(leaks("the arguments", &process.arguments));
            found.leaks.extend(leaks("the environment", &process.environment));
        }
        found.leaks.extend(hoard.lost().map(|path| format!("{} could not be kept", path.display())));
        found.leaks.sort();
        found.leaks.dedup();
        Ok(found)
    }
}

fn told(folder: &Path) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    for entry in std::fs::read_dir(folder).context("reading what sandboxes told")? {
        let text = std::fs::read_to_string(entry?.path())?;
        text.lines().for_each(|line| secrets.add(line));
    }
    Ok(secrets)
}

/// The step of `cargo xtask test`.
pub fn step() -> Result<test::Outcome> {
    println!("{}", end().context("again, for any command: cargo xtask hygiene COMMAND")?);
    Ok(test::Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Stdio;

    const SECRET: &str = "AbCdEfGhIjKlMnOpQrStUv";

    /// Lets a shell do something under a watch of its own, with the secret told by nothing but a pipe, and tells what was
    /// found.
    fn leaks(script: &str) -> Vec<String> {
        let watch = Watch::start_called(script);
        std::fs::write(watch.scratch.path().join("told/told-1"), format!("{SECRET}\nher-password\n"))
            .unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("read -r token password; {script}")]).envs(watch.environment());
        let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(shell.stdin.take().unwrap(), "{SECRET} her-password").unwrap();
        assert!(shell.wait().unwrap().success());
        watch.finish().unwrap().leaks
    }

    impl Watch {
        /// Tests of one process run at once, and a scratch folder's name is the process's.
        fn start_called(script: &str) -> Self {
            static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
            let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            let mut watch = Self::start();
            while watch.is_err() {
                process::pause(LOOK_AGAIN);
                watch = Self::start();
            }
            watch.unwrap_or_else(|error| panic!("{script}: {error}"))
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_leak_on_purpose_is_found_wherever_it_was_left_and_however_soon_it_was_removed() {
        let clean = leaks("echo 'bookings: 3' > $TMPDIR/companion.log; sleep 1");
        assert_eq!(clean, Vec::<String>::new());

        let removed = leaks("mkdir $TMPDIR/p; echo 1//0${token}x > $TMPDIR/p/log; sleep 1; rm -r $TMPDIR/p");
        assert!(removed.len() == 1 && removed[0].contains("p/log: a token"), "{removed:?}");

        let late = leaks("echo ok > $TMPDIR/log; sleep 1; echo $password >> $TMPDIR/log; rm $TMPDIR/log");
        assert!(late.len() == 1 && late[0].contains("log: a password"), "{late:?}");

        let argument = leaks("sh -c 'sleep 1; true' $token; true");
        assert_eq!(argument, ["the arguments of `sh`: a token"]);

        let environment = leaks("TOKEN=$token sh -c 'sleep 1; true'; true");
        assert!(environment.contains(&"the environment of `sh`: a token".to_owned()), "{environment:?}");
    }
}
