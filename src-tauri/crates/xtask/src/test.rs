//! `cargo xtask test`: sets up, then takes every step there is, and closes with a table. Each step says which
//! command repeats it alone.

use crate::display::Furniture;
use crate::process::{self, BUILD, STEP};
use crate::run::{self, APP, APP_FEATURE};
use crate::system::{self, For};
use crate::{churn, corpus, demo, deny, hygiene, node, places, screens};

use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Options {
    /// Takes only these steps, and those that they need.
    steps: Vec<String>,
    /// Names the steps.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    needs: &'static [&'static str],
    about: &'static str,
    take: fn() -> Result<Outcome>,
}

pub enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

const STEPS: &[Step] = &[
    Step { name: "system", needs: &[], about: "what the operating system must have", take: prepare },
    Step { name: "packages", needs: &[], about: "the window's packages", take: packages },
    Step { name: "ui-build", needs: &["packages"], about: "the window's pages", take: ui_build },
    Step { name: "ui-check", needs: &["packages"], about: "the window's types", take: ui_check },
    Step { name: "ui-test", needs: &["packages"], about: "the window's tests", take: ui_test },
    Step {
        name: "screens",
        needs: &["system", "packages"],
        about: "every page and state, as they are kept",
        take: compare_screens,
    },
    Step {
        name: "flows",
        needs: &["system", "packages"],
        about: "what she does in the window, on invented data",
        take: ui_flows,
    },
    Step { name: "fmt", needs: &[], about: "the layout of the code", take: fmt },
    Step { name: "clippy", needs: &["system", "ui-build"], about: "lints, none allowed", take: clippy },
    Step { name: "build", needs: &["system", "ui-build"], about: "every program and test", take: build },
    Step { name: "test", needs: &["build"], about: "the tests of every crate", take: cargo_test },
    Step {
        name: "doc",
        needs: &["system", "ui-build"],
        about: "the documentation of every crate",
        take: doc,
    },
    Step { name: "deny", needs: &["system"], about: "licences, bans, sources", take: deny_check },
    Step { name: "advisories", needs: &["system"], about: "known vulnerabilities", take: advisories },
    Step { name: "judges", needs: &["build"], about: "the sandbox, judged by others' tools", take: judges },
    Step { name: "corpus", needs: &["build"], about: "calendars, as others expect them", take: compare },
    Step { name: "demo", needs: &["build"], about: "the main job, end to end", take: play_demo },
    Step { name: "churn", needs: &["build"], about: "a watched folder that is churned", take: churn_folder },
    Step { name: "window", needs: &["build"], about: "the real window and tray", take: window },
    Step {
        name: "hygiene",
        needs: &["demo"],
        about: "no secret is left by any of them",
        take: hygiene::step,
    },
];

/// Takes the steps; answers whether all of them passed.
pub fn test(options: &Options) -> Result<bool> {
    if options.list {
        for step in STEPS {
            println!("{:<12} {}", step.name, step.about);
        }
        return Ok(true);
    }
    let chosen = chosen(&options.steps)?;
    let mut watched = !chosen.contains(&"hygiene");
    let mut taken: Vec<(&Step, Outcome, Duration)> = Vec::new();
    for step in STEPS.iter().filter(|step| chosen.contains(&step.name)) {
        println!("\n== {}: {} ==", step.name, step.about);
        if !watched && step.needs.contains(&"build") {
            // From here on it runs what was built; compilers leave too much to look through.
            hygiene::begin()?;
            watched = true;
        }
        let started = Instant::now();
        let lacking = step.needs.iter().find(|need| {
            taken
                .iter()
                .any(|(other, outcome, _)| other.name == **need && !matches!(outcome, Outcome::Passed))
        });
        let outcome = match lacking {
            Some(need) => Outcome::Failed(format!("not taken, because `{need}` did not pass")),
            None => (step.take)().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))),
        };
        let took = started.elapsed();
        match &outcome {
            Outcome::Passed => println!("-- {} passed in {:.1} s", step.name, took.as_secs_f32()),
            Outcome::Skipped(why) => println!("-- {} skipped: {why}", step.name),
            Outcome::Failed(why) => {
                println!("-- {} FAILED: {why}\n   again: cargo xtask test {}", step.name, step.name);
            }
        }
        taken.push((step, outcome, took));
    }
    Ok(close(&taken))
}

fn close(taken: &[(&Step, Outcome, Duration)]) -> bool {
    println!();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (step, outcome, took) in taken {
        let (count, word, why) = match outcome {
            Outcome::Passed => (&mut passed, "passed", ""),
            Outcome::Failed(why) => (&mut failed, "FAILED", why.as_str()),
            Outcome::Skipped(why) => (&mut skipped, "skipped", why.as_str()),
        };
        *count += 1;
        println!("{:<12} {word:<8} {:>7.1} s  {why}", step.name, took.as_secs_f32());
    }
    let all: Duration = taken.iter().map(|(_, _, took)| *took).sum();
    println!("{:<21} {:>7.1} s\n", "all", all.as_secs_f32());
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}

/// The names of the steps to take: all, or those asked for with everything they need.
fn chosen(asked: &[String]) -> Result<Vec<&'static str>> {
    if asked.is_empty() {
        return Ok(STEPS.iter().map(|step| step.name).collect());
    }
    let mut open: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut chosen = Vec::new();
    while let Some(name) = open.pop() {
        let Some(step) = STEPS.iter().find(|step| step.name == name) else {
            bail!("there is no step `{name}`; `cargo xtask test --list` names them");
        };
        if !chosen.contains(&step.name) {
            chosen.push(step.name);
            open.extend(step.needs);
        }
    }
    Ok(chosen)
}

fn prepare() -> Result<Outcome> {
    system::prepare(&[For::Window, For::VirtualDisplay, For::Tests])?;
    Ok(Outcome::Passed)
}

fn packages() -> Result<Outcome> {
    node::install()?;
    Ok(Outcome::Passed)
}

fn ui_build() -> Result<Outcome> {
    node::build()?;
    Ok(Outcome::Passed)
}

fn ui_check() -> Result<Outcome> {
    passed(node::npm(&["run", "check"])?, STEP)
}

fn ui_test() -> Result<Outcome> {
    passed(node::npm(&["test"])?, STEP)
}

fn ui_flows() -> Result<Outcome> {
    passed(node::npm(&["run", "flows"])?, STEP)
}

fn compare_screens() -> Result<Outcome> {
    screens::screens(&screens::KEPT)
        .context("look at what changed; `--keep` keeps it: cargo xtask screens")?;
    Ok(Outcome::Passed)
}

fn fmt() -> Result<Outcome> {
    cargo(&["fmt", "--all", "--check"], STEP)
}

fn clippy() -> Result<Outcome> {
    cargo(
        &[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--features",
            APP_FEATURE,
            "--",
            "-D",
            "warnings",
        ],
        BUILD,
    )
}

/// Builds programs and tests at once: one choice of features, so that no dependency is compiled twice.
fn build() -> Result<Outcome> {
    cargo(&["build", "--locked", "--workspace", "--all-targets", "--features", APP_FEATURE], BUILD)
}

fn cargo_test() -> Result<Outcome> {
    cargo(
        &["test", "--locked", "--no-fail-fast", "--workspace", "--all-targets", "--features", APP_FEATURE],
        BUILD,
    )
}

/// With the features of every other step, so that no dependency is read twice.
fn doc() -> Result<Outcome> {
    let mut doc = process::cargo()?;
    doc.args(["doc", "--locked", "--no-deps", "--document-private-items", "--workspace"]);
    doc.args(["--features", APP_FEATURE]).env("RUSTDOCFLAGS", "-D warnings");
    passed(doc, BUILD)
}

fn deny_check() -> Result<Outcome> {
    deny::check()?;
    Ok(Outcome::Passed)
}

fn advisories() -> Result<Outcome> {
    Ok(deny::check_advisories()?.map_or(Outcome::Passed, Outcome::Skipped))
}

fn judges() -> Result<Outcome> {
    let script = places::root()?.join("tests/judges/run.py");
    let mut judges = Command::new("python3");
    judges.current_dir(places::root()?).arg(script).arg(places::built("bookiji-sandbox")?);
    passed(judges, STEP)
}

fn compare() -> Result<Outcome> {
    corpus::compare(corpus::A_FEW).context("again, and longer: cargo xtask corpus")?;
    Ok(Outcome::Passed)
}

fn play_demo() -> Result<Outcome> {
    if demo::play(demo::SEED)? { Ok(Outcome::Passed) } else { bail!("some of it did not hold") }
}

fn churn_folder() -> Result<Outcome> {
    if churn::play(&churn::SHORT)? {
        Ok(Outcome::Passed)
    } else {
        Ok(Outcome::Failed("a file was lost, doubled or left".to_owned()))
    }
}

fn window() -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("only Linux has a virtual display".to_owned()));
    }
    let mut app = Command::new(places::built(APP)?);
    let path = places::artifacts()?.join("window.png");
    run::unattended(app.arg("--sandbox"), &path, Furniture::PanelAndKeychain, false)
        .context("again: cargo xtask run --sandbox")?;
    Ok(Outcome::Passed)
}

fn cargo(words: &[&str], limit: Duration) -> Result<Outcome> {
    let mut cargo = process::cargo()?;
    cargo.args(words);
    passed(cargo, limit)
}

fn passed(mut command: Command, limit: Duration) -> Result<Outcome> {
    process::run(&mut command, limit)?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_comes_after_those_it_needs() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                let before = STEPS[..index].iter().any(|other| other.name == *need);
                assert!(before, "`{}` needs `{need}`, which does not come before it", step.name);
            }
        }
    }

    #[test]
    fn a_step_asked_for_brings_all_that_it_needs() {
        let mut chosen = chosen(&["window".to_owned()]).unwrap();
        chosen.sort_unstable();
        assert_eq!(chosen, ["build", "packages", "system", "ui-build", "window"]);
    }

    #[test]
    fn a_step_that_does_not_exist_is_refused_by_name() {
        let error = chosen(&["windows".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("`windows`"), "{error}");
    }

    #[test]
    fn one_failed_step_fails_the_whole() {
        let taken = |outcome| [(&STEPS[0], Outcome::Passed, STEP), (&STEPS[1], outcome, STEP)];
        assert!(close(&taken(Outcome::Skipped(String::new()))));
        assert!(!close(&taken(Outcome::Failed(String::new()))));
    }
}
