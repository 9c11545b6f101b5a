//! `cargo xtask fuzz`: coverage-guided fuzzing of the calendar crate. What an input must not do is said in
//! `tests::fuzz`; this knows only how to run the fuzzer and read what it says.

use crate::places;
use crate::process::{self, BUILD};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const VERSION: &str = "0.13.2";
const TARGETS: &[&str] = &["reader", "zones", "expander", "import"];
const MINUTE: u64 = 60;
const TRIES: usize = 3;

/// The fuzzer itself holds its corpus; one input's own memory is counted exactly, in the target.
const MOST_RSS_MB: u32 = 400;
/// Shadow memory comes on top.
const MOST_RSS_MB_SANITIZED: u32 = 2_048;

#[derive(Args)]
pub struct Options {
    /// Runs this target alone: reader, zones, expander or import.
    target: Option<String>,
    /// How long, shared by the targets.
    #[arg(long, default_value_t = 5)]
    minutes: u64,
    /// Watches every memory access too, in dependencies above all; several times slower.
    #[arg(long)]
    sanitizer: bool,
}

/// Fuzzes; answers whether nothing was found.
pub fn fuzz(options: &Options) -> Result<bool> {
    let targets: Vec<&str> = match options.target.as_deref() {
        None => TARGETS.to_vec(),
        Some(name) => match TARGETS.iter().find(|target| **target == name) {
            Some(target) => vec![*target],
            None => bail!("there is no target `{name}`: {}", TARGETS.join(", ")),
        },
    };
    process::run(&mut cargo_fuzz("build", options)?, BUILD)?;
    let seconds = (options.minutes * MINUTE / targets.len() as u64).max(1);
    let mut heard = Vec::new();
    for target in targets {
        println!("{target}: {seconds} s");
        heard.push((target, fuzz_for(target, seconds, options)?));
    }
    Ok(close(&heard))
}

/// What the fuzzer said at its end.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    executions: u64,
    coverage: u64,
    peak_mb: u64,
    found: Option<PathBuf>,
    failed: bool,
}

/// Fuzzes one target for so long. The fuzzer's second is one on the wall: an input that was slow only because the machine
/// was busy is no finding, and the time goes on.
fn fuzz_for(target: &str, seconds: u64, options: &Options) -> Result<Heard> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut executions = 0;
    loop {
        let left = until.saturating_duration_since(Instant::now()).as_secs().max(1);
        let heard = run(target, left, options)?;
        executions += heard.executions;
        let slow = heard.found.as_deref().filter(|path| is_timeout(path));
        match slow {
            Some(path) if !is_slow_by_itself(target, path, options)? => {
                println!("   slow because the machine was busy: {}", path.display());
                std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
                if left > 1 {
                    continue;
                }
                return Ok(Heard { executions, found: None, failed: false, ..heard });
            }
            _ => return Ok(Heard { executions, ..heard }),
        }
    }
}

fn is_timeout(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("-timeout-"))
}

/// Whether the input takes more than its second each time that it is tried alone.
fn is_slow_by_itself(target: &str, path: &Path, options: &Options) -> Result<bool> {
    for _ in 0..TRIES {
        let mut alone = cargo_fuzz("run", options)?;
        alone.arg(target).arg(path).args(["--", "-timeout=1"]);
        if process::output(&mut alone, Duration::from_secs(MINUTE))?.status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run(target: &str, seconds: u64, options: &Options) -> Result<Heard> {
    let root = places::root()?;
    let corpus = places::cache("fuzz")?.join(target);
    let found = places::cache("fuzz")?.join("found");
    std::fs::create_dir_all(&corpus).with_context(|| format!("making {}", corpus.display()))?;
    std::fs::create_dir_all(&found).with_context(|| format!("making {}", found.display()))?;
    let mut fuzz = cargo_fuzz("run", options)?;
    fuzz.arg(target).arg(&corpus);
    for folder in ["tests/fuzz/seeds", "tests/fixtures/fuzz"] {
        fuzz.args(Some(root.join(folder).join(target)).filter(|folder| folder.is_dir()));
    }
    let most = if options.sanitizer { MOST_RSS_MB_SANITIZED } else { MOST_RSS_MB };
    fuzz.arg("--").arg("-timeout=1").arg(format!("-rss_limit_mb={most}"));
    fuzz.arg(format!("-max_total_time={seconds}")).arg("-max_len=16384").arg("-print_final_stats=1");
    fuzz.arg(format!("-dict={}", root.join("tests/fuzz/calendar.dict").display()));
    fuzz.arg(format!("-artifact_prefix={}/{target}-", found.display()));
    let answer = process::output(&mut fuzz, Duration::from_secs(seconds + 10 * MINUTE))?;
    let said = String::from_utf8_lossy(&answer.stderr);
    let heard = Heard { failed: !answer.status.success(), ..hear(&said) };
    if heard.failed && heard.executions == 0 {
        bail!("the fuzzer did not start:\n{said}");
    }
    if heard.failed {
        let why = said.lines().skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR:"));
        why.take(12).for_each(|line| println!("   {line}"));
    }
    Ok(heard)
}

fn hear(said: &str) -> Heard {
    let number = |line: &str, after: &str| -> Option<u64> {
        line.split_once(after)?.1.split_whitespace().next()?.parse().ok()
    };
    let mut heard = Heard::default();
    for line in said.lines() {
        heard.coverage = number(line, " cov: ").unwrap_or(heard.coverage);
        heard.executions = number(line, "number_of_executed_units:").unwrap_or(heard.executions);
        heard.peak_mb = number(line, "peak_rss_mb:").unwrap_or(heard.peak_mb);
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            heard.found = Some(PathBuf::from(path.trim()));
        }
    }
    heard
}

fn close(heard: &[(&str, Heard)]) -> bool {
    println!("\n{:<10} {:>12} {:>9} {:>8}", "target", "executions", "coverage", "peak MB");
    for (target, heard) in heard {
        let word = if heard.failed { "FOUND SOMETHING" } else { "" };
        println!("{target:<10} {:>12} {:>9} {:>8}  {word}", heard.executions, heard.coverage, heard.peak_mb);
    }
    for (target, found) in heard.iter().filter_map(|(target, heard)| Some((target, heard.found.as_ref()?))) {
        println!("\n{target} fails on {}", found.display());
        println!(
            "   Make it small, say in its name what it is, and keep it in tests/fixtures/fuzz/{target}/:"
        );
        println!("   the ordinary tests run everything there.");
    }
    heard.iter().all(|(_, heard)| !heard.failed)
}

/// The one toolchain of this house is a stable one, so only the sanitizer needs its unstable flags opened.
fn cargo_fuzz(word: &str, options: &Options) -> Result<Command> {
    let cargo = process::cargo()?;
    let mut fuzz = Command::new(installed()?);
    fuzz.current_dir(places::root()?).env("CARGO", cargo.get_program()).env("RUST_BACKTRACE", "0");
    for (name, _) in cargo.get_envs().filter(|(_, value)| value.is_none()) {
        fuzz.env_remove(name);
    }
    fuzz.args(["fuzz", word, "--fuzz-dir", "tests/fuzz", "--target-dir"]).arg(places::target()?.join("fuzz"));
    if options.sanitizer {
        fuzz.args(["--sanitizer", "address"]).env("RUSTC_BOOTSTRAP", "1");
    } else {
        fuzz.args(["--sanitizer", "none"]);
    }
    Ok(fuzz)
}

/// Installs cargo-fuzz once for all checkouts.
fn installed() -> Result<PathBuf> {
    let folder = places::cache(&format!("cargo-fuzz-{VERSION}"))?;
    let program = folder.join("bin").join(format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut install = process::cargo()?;
        install.args(["install", "cargo-fuzz", "--version", VERSION, "--locked", "--debug", "--root"]);
        process::run(install.arg(&folder).env_remove("CARGO_TARGET_DIR"), BUILD)?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_at_its_end_is_heard() {
        let said = "#9\tNEW    cov: 17 ft: 20 corp: 2/9b\n#8\tDONE   cov: 3127 ft: 9179 corp: 1/2Kb\n\
            artifact_prefix='x'; Test unit written to found/zones-crash-1\n\
            stat::number_of_executed_units: 268488\nstat::peak_rss_mb:              37\n";
        let found = Some(PathBuf::from("found/zones-crash-1"));
        let expected = Heard { executions: 268_488, coverage: 3_127, peak_mb: 37, found, failed: false };
        assert_eq!(hear(said), expected);
    }

    #[test]
    fn every_target_has_seeds_and_a_program() {
        let fuzz = places::root().unwrap().join("tests/fuzz");
        for target in TARGETS {
            assert!(fuzz.join("targets").join(format!("{target}.rs")).is_file(), "{target}");
            assert!(std::fs::read_dir(fuzz.join("seeds").join(target)).unwrap().count() >= 3, "{target}");
        }
    }

    #[test]
    fn one_finding_fails_the_whole() {
        let quiet = || ("zones", Heard::default());
        assert!(close(&[quiet(), quiet()]));
        assert!(!close(&[quiet(), ("reader", Heard { failed: true, ..Heard::default() })]));
    }
}
