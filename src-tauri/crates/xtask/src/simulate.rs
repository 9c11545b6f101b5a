//! `cargo xtask simulate`: the engine's life from seeds, at full speed. The simulation itself is in `tests`.

use crate::places;
use crate::process::{self, BUILD};
use anyhow::Result;
use clap::Args;
use std::env;
use std::process::Command;

#[derive(Args)]
pub struct Options {
    /// How many stories are lived through.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// Builds the simulation and runs it; answers whether every promise was kept. A broken one is printed with its story.
pub fn simulate(options: &Options) -> Result<bool> {
    let mut build = process::cargo()?;
    build.args(["build", "--locked", "--profile", "simulation", "--package", "tests", "--bin", "simulate"]);
    process::run(&mut build, BUILD)?;
    let program = format!("simulate{}", env::consts::EXE_SUFFIX);
    let mut simulate = Command::new(places::target()?.join("simulation").join(program));
    simulate.args(["--seeds", &options.seeds.to_string(), "--from", &options.from.to_string()]);
    Ok(simulate.status()?.success())
}
