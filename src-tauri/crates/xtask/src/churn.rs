//! `cargo xtask churn`: the real `companion sync --watch` on a folder that a seeded script creates, renames, truncates,
//! replaces and deletes files in, killing the watcher now and then. At the end every file that was left whole has been
//! taken in once, lies where it belongs, and nothing else is there.

mod calendar;
mod check;
mod dice;
mod script;
mod watcher;

use crate::demo::cast::{Companion, Sandbox};
use crate::demo::keep_secrets_in_a_file;
use crate::places::Scratch;
use crate::process::{self, BUILD};
use anyhow::{Context, Result, bail};
use clap::Args;
use script::Script;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use watcher::Watcher;

/// Longer than the longest that a file is left alone: half a minute for a calendar without its end.
const QUIET_LIMIT: Duration = Duration::from_mins(3);
/// Folders that are read every half minute show by then what was missed.
const QUIET: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(20);

#[derive(Args, Clone, Copy)]
pub struct Options {
    /// How long the folder is churned.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// How many files are put there, versions of the same name counted apart.
    #[arg(long, default_value_t = 100)]
    files: u32,
    /// The same seed does the same things, as far as the watcher leaves it the same files.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// What a test has time for.
pub const SHORT: Options = Options { minutes: 0.3, files: 80, seed: 1 };

/// The folders of one profile.
pub struct Folders {
    pub inbox: PathBuf,
    pub imported: PathBuf,
    pub rejected: PathBuf,
    /// Where files are made before they are moved in.
    pub outside: PathBuf,
}

impl Folders {
    fn of(profile: &Path) -> Result<Self> {
        let of = |name: &str| profile.join(name);
        let folders = Self {
            inbox: of("inbox"),
            imported: of("imported"),
            rejected: of("rejected"),
            outside: of("outside"),
        };
        std::fs::create_dir_all(&folders.outside)?;
        Ok(folders)
    }

    /// Whether nothing lies in the watched folder any more.
    fn inbox_is_empty(&self) -> Result<bool> {
        Ok(std::fs::read_dir(&self.inbox)?.next().is_none())
    }
}

/// Builds what it needs and churns; answers whether every check held.
pub fn churn(options: &Options) -> Result<bool> {
    let mut build = process::cargo()?;
    build.args(["build", "--locked", "--package", "companion", "--package", "sandbox", "--bins"]);
    process::run(&mut build, BUILD)?;
    play(options)
}

/// Churns with the programs in the target folder.
pub fn play(options: &Options) -> Result<bool> {
    if !(options.minutes > 0.0 && options.minutes <= 24.0 * 60.0) {
        bail!("--minutes must be above 0 and at most a day");
    }
    let profile = Scratch::new("churn")?;
    let sandbox = Sandbox::start(profile.path(), 7)?;
    keep_secrets_in_a_file(&profile.path().join("settings.toml"))?;
    let companion = Companion { profile: &profile };
    sign_in(&sandbox, &companion)?;
    let folders = Folders::of(profile.path())?;
    println!(
        "{} files in {} minutes, seed {}, watched by `companion sync --watch`.",
        options.files, options.minutes, options.seed
    );

    let mut watcher = Watcher::start(&companion)?;
    let inbox = &folders.inbox;
    process::until(Duration::from_secs(30), || Ok(inbox.is_dir().then_some(())))?
        .context("the watcher made no inbox")?;
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let mut script = Script::new(&folders, options.seed, options.files, length);
    let started = Instant::now();
    let mut told = Duration::ZERO;
    while script.step(started.elapsed())? {
        if script.wants_a_kill(started.elapsed()) {
            watcher.kill(&companion, script.dead_for())?;
        }
        watcher.still_runs()?;
        if started.elapsed() > told + Duration::from_mins(5) {
            told = started.elapsed();
            println!(
                "  {:>3} minutes: {} files, {} kills",
                told.as_secs() / 60,
                script.made(),
                watcher.kills()
            );
        }
        process::pause(TICK);
    }
    let churned = started.elapsed();
    let quiet = wait_until_quiet(&folders)?;
    println!(
        "Churned for {:.0} s with {} kills; the folder was quiet {:.1} s later.",
        churned.as_secs_f64(),
        watcher.kills(),
        quiet.as_secs_f64()
    );
    script.figures();
    let heard = watcher.stop()?;
    let events = companion.types(&["busy", "--from", calendar::FROM, "--to", calendar::TO], "")?;
    let violations = check::check(&folders, script.versions(), &heard, &events)?;
    for violation in violations.iter().take(40) {
        println!("  VIOLATION {violation}");
    }
    if violations.is_empty() {
        println!("Nothing was lost, doubled or left.");
        return Ok(true);
    }
    let again = format!(
        "cargo xtask churn --minutes {} --files {} --seed {}",
        options.minutes, options.files, options.seed
    );
    println!("{} violations; again: {again}", violations.len());
    println!("What there is lies in {}.", profile.keep().display());
    Ok(false)
}

fn sign_in(sandbox: &Sandbox, companion: &Companion) -> Result<()> {
    let state = sandbox.state()?;
    let word = |key: &str| state["vendor"][key].as_str().unwrap_or_default().to_owned();
    companion.types(&["login", "--email", &word("email")], &word("password"))?;
    companion.connects_google()?;
    Ok(())
}

/// Waits until nothing has been in the folder for a while; one that never is ends in the check.
fn wait_until_quiet(folders: &Folders) -> Result<Duration> {
    let started = Instant::now();
    let mut empty_since: Option<Instant> = None;
    while started.elapsed() < QUIET_LIMIT {
        if folders.inbox_is_empty()? {
            let since = *empty_since.get_or_insert_with(Instant::now);
            if since.elapsed() > QUIET {
                return Ok(since.duration_since(started));
            }
        } else {
            empty_since = None;
        }
        process::pause(TICK);
    }
    Ok(started.elapsed())
}
