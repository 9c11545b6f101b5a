//! `cargo xtask kills`: the real `companion`, killed at random moments of syncs, answers and imports against the sandbox. The
//! test that does it is `companion/tests/command/killed.rs`; here it gets more time.

use crate::process;
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// How many commands are cut short.
    #[arg(long, default_value_t = 200)]
    times: u32,
    /// The same seed does the same things, as far as the computer's speed lets it.
    #[arg(long, default_value_t = 7)]
    seed: u32,
}

/// Builds the command and kills it; answers whether every kill was healed. The story is printed.
pub fn kills(options: &Options) -> Result<bool> {
    let mut test = process::cargo()?;
    test.args([
        "test",
        "--locked",
        "--package",
        "companion",
        "--test",
        "command",
        "killed::",
        "--",
        "--nocapture",
    ])
    .env("COMPANION_KILLS", options.times.to_string())
    .env("COMPANION_KILLS_SEED", options.seed.to_string());
    Ok(test.status()?.success())
}
