//! `cargo xtask`: the habits of the house, each one command from a fresh checkout.
#![expect(clippy::print_stdout, reason = "this program owns its standard output")]

mod bench;
mod churn;
mod corpus;
mod demo;
mod deny;
mod display;
mod fuzz;
mod hygiene;
mod kills;
mod node;
mod package;
mod packages;
mod places;
mod process;
mod run;
mod screens;
mod simulate;
mod system;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs, tests and shows Bookiji Companion; each command first sets up what it needs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    habit: Habit,
}

#[derive(Subcommand)]
enum Habit {
    /// Builds and starts the desktop app; without a display, on a virtual one, leaving a screenshot.
    Run(run::Options),
    /// Plays the main job on the sandbox, without a window, and checks what came of it.
    Demo(demo::Options),
    /// Compares what we read and expand with what other projects publish and other engines answer.
    Corpus(corpus::Options),
    /// Compares our side with others' on real work, and prints the ratios.
    Bench(bench::Options),
    /// Fuzzes the calendar crate; found inputs stay in the cache folder.
    Fuzz(fuzz::Options),
    /// Churns a watched folder under the real watcher, and checks that nothing is lost or taken in twice.
    Churn(churn::Options),
    /// Lives through the engine's life from seeds: lying services, dying processes, two computers.
    Simulate(simulate::Options),
    /// Kills the command at random moments of its work, and checks that the next run heals it.
    Kills(kills::Options),
    /// Watches a command, or the demo, and searches all that it left for secrets.
    Hygiene(hygiene::Options),
    /// Takes a picture of every page and state of the window, and compares them with those that are kept.
    Screens(screens::Options),
    /// Packs the installers of this system, and what an updater takes where a release is set up.
    Package(package::Options),
    /// Runs every test there is, or only the named steps.
    Test(test::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().habit {
        Habit::Run(options) => run::run(&options).map(|()| true),
        Habit::Demo(options) => demo::demo(&options),
        Habit::Corpus(options) => corpus::corpus(&options),
        Habit::Bench(options) => bench::bench(&options),
        Habit::Fuzz(options) => fuzz::fuzz(&options),
        Habit::Churn(options) => churn::churn(&options),
        Habit::Simulate(options) => simulate::simulate(&options),
        Habit::Kills(options) => kills::kills(&options),
        Habit::Hygiene(options) => hygiene::hygiene(&options),
        Habit::Screens(options) => screens::screens(&options).map(|()| true),
        Habit::Package(options) => package::package(&options).map(|()| true),
        Habit::Test(options) => test::test(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
