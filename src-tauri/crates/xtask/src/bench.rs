//! `cargo xtask bench`: the same real work on our side and on others', each side a process of its own, in turn, and the
//! medians compared. Knows how to run and compare; the work is in `tests/bench` and in the `companion` command.

mod app;

use crate::places;
use crate::process::{self, BUILD};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

#[derive(Args)]
pub struct Options {
    /// Only the benchmark of this name. `app` runs by its name alone: it needs a display and takes many minutes.
    name: Option<String>,
    /// Names the benchmarks.
    #[arg(long)]
    list: bool,
    /// How often each side runs, or the app is started and opened; the median counts.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// One comparison. All sides do the same work and print the same.
struct Bench {
    name: &'static str,
    about: &'static str,
    sides: fn() -> Result<Vec<Side>>,
}

/// The first side of a benchmark is ours.
struct Side {
    name: &'static str,
    /// The whole process is what is measured.
    command: Vec<String>,
}

/// What one run of a side cost.
#[derive(Clone, Copy)]
struct Cost {
    wall_ms: f64,
    cpu_ms: f64,
    peak_mb: f64,
}

const BENCHES: &[Bench] = &[
    Bench { name: "read", about: "one file of 20,000 events, from disk into the model", sides: read },
    Bench { name: "expand", about: "200 rules over their two years, 50 times", sides: expand },
    Bench { name: "seek", about: "200 rules since 1990, two years of today, 20 times", sides: seek },
];

const EVENTS: &str = "20000";
/// Far more than any side takes.
const RUN: Duration = Duration::from_mins(5);

pub fn bench(options: &Options) -> Result<bool> {
    if options.list {
        BENCHES.iter().for_each(|bench| println!("{:<8} {}", bench.name, bench.about));
        println!("{:<8} {}", "app", app::ABOUT);
        return Ok(true);
    }
    if options.name.as_deref() == Some("app") {
        return app::app(options.runs.max(1));
    }
    let chosen: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| options.name.as_deref().is_none_or(|name| name == bench.name))
        .collect();
    if chosen.is_empty() {
        bail!("there is no such benchmark; `cargo xtask bench --list` names them");
    }
    let mut build = process::cargo()?;
    build.args([
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        "tests/bench/Cargo.toml",
        "--target-dir",
    ]);
    process::run(build.arg(places::target()?.join("bench")), BUILD)?;
    for bench in chosen {
        take(bench, options.runs.max(1))?;
    }
    Ok(true)
}

fn take(bench: &Bench, runs: usize) -> Result<()> {
    let sides = (bench.sides)()?;
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); sides.len()];
    let mut came_to: Option<String> = None;
    for _ in 0..runs {
        // In turn, so that whatever else the machine does meets all sides alike.
        for (side, costs) in sides.iter().zip(&mut costs) {
            let (cost, said) = measured(side)?;
            let expected = came_to.get_or_insert_with(|| said.clone());
            if *expected != said {
                bail!("{}: {} came to {said}, others to {expected}", bench.name, side.name);
            }
            costs.push(cost);
        }
    }
    println!("\n{}: {} (came to {})", bench.name, bench.about, came_to.unwrap_or_default());
    let medians: Vec<Cost> = costs.iter().map(|costs| median(costs)).collect();
    table(&sides, &medians).iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn table(sides: &[Side], medians: &[Cost]) -> Vec<String> {
    let heads = format!(
        "{:<12} {:>9} {:>9} {:>9}   cpu and memory, as many times ours",
        "side", "cpu ms", "wall ms", "peak MB"
    );
    let Some(ours) = medians.first() else { return vec![heads] };
    let lines = sides.iter().zip(medians).map(|(side, cost)| {
        format!(
            "{:<12} {:>9.1} {:>9.1} {:>9.1}   {:>4.2}  {:>4.2}",
            side.name,
            cost.cpu_ms,
            cost.wall_ms,
            cost.peak_mb,
            cost.cpu_ms / ours.cpu_ms,
            cost.peak_mb / ours.peak_mb
        )
    });
    [heads].into_iter().chain(lines).collect()
}

fn median(costs: &[Cost]) -> Cost {
    let of = |part: fn(&Cost) -> f64| middle(costs.iter().map(part).collect());
    Cost { wall_ms: of(|c| c.wall_ms), cpu_ms: of(|c| c.cpu_ms), peak_mb: of(|c| c.peak_mb) }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Runs one side below a process that has no other child, and reads `wall_ms cpu_ms peak_kb` and what the side said.
fn measured(side: &Side) -> Result<(Cost, String)> {
    let mut command = Command::new(program()?);
    command.args(["measure", "--"]).args(&side.command);
    let answer = process::output(&mut command, RUN)?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let (first, said) = text
        .split_once('\n')
        .filter(|_| answer.status.success())
        .with_context(|| format!("{} failed: {}", side.name, String::from_utf8_lossy(&answer.stderr)))?;
    let numbers: Vec<f64> = first.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall_ms, cpu_ms, peak_kb] = numbers[..] else { bail!("not three numbers: {first}") };
    Ok((Cost { wall_ms, cpu_ms, peak_mb: peak_kb / 1_024.0 }, said.trim().to_owned()))
}

fn read() -> Result<Vec<Side>> {
    let file = places::cache("bench")?.join(format!("{EVENTS}.ics"));
    let file = file.display().to_string();
    process::run(Command::new(program()?).args(["file", EVENTS, &file]), RUN)?;
    ["ours", "calcard", "icalendar"].into_iter().map(|side| ask(side, &["read", side, &file])).collect()
}

fn expand() -> Result<Vec<Side>> {
    ["ours", "calcard", "rrule"].into_iter().map(|side| ask(side, &["expand", side, "50"])).collect()
}

/// calcard cannot be asked for a window.
fn seek() -> Result<Vec<Side>> {
    ["ours", "rrule"].into_iter().map(|side| ask(side, &["seek", side, "20"])).collect()
}

fn ask(name: &'static str, words: &[&str]) -> Result<Side> {
    let mut command = vec![program()?.display().to_string()];
    command.extend(words.iter().map(|word| (*word).to_owned()));
    Ok(Side { name, command })
}

fn program() -> Result<PathBuf> {
    Ok(places::target()?.join("bench/release").join(format!("bench{}", std::env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(cpu_ms: f64) -> Cost {
        Cost { wall_ms: 2.0 * cpu_ms, cpu_ms, peak_mb: 10.0 * cpu_ms }
    }

    #[test]
    fn one_slow_run_moves_no_median() {
        assert!((median(&[cost(1.0), cost(90.0), cost(2.0)]).cpu_ms - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_table_says_how_many_times_ours_another_side_takes() {
        let side = |name| Side { name, command: Vec::new() };
        let lines = table(&[side("ours"), side("other")], &[cost(2.0), cost(5.0)]);
        assert!(lines[1].ends_with("1.00  1.00"), "{}", lines[1]);
        assert!(lines[2].ends_with("2.50  2.50"), "{}", lines[2]);
    }
}
