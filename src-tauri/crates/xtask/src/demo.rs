//! `cargo xtask demo`: the main job end to end, without a window. Plays one vendor's afternoon on the sandbox with the
//! real `companion` command, prints what happened with figures, and checks each of them.

pub mod cast;
mod files;
mod foreign;
mod ledger;
pub mod loopback;
mod story;

use crate::places::Scratch;
use crate::process::{self, BUILD};
use anyhow::{Context, Result};
use cast::{Companion, Sandbox};
use clap::Args;
use std::path::Path;
use std::time::Instant;
use story::Story;

#[derive(Args)]
pub struct Options {
    /// The vendor's life that the sandbox makes up.
    #[arg(long, default_value_t = SEED)]
    seed: u32,
}

/// A life with something of everything in it.
pub const SEED: u32 = 7;

/// Builds what it needs and plays the demo; answers whether every check held.
pub fn demo(options: &Options) -> Result<bool> {
    let mut build = process::cargo()?;
    build.args(["build", "--locked", "--package", "companion", "--package", "sandbox", "--bins"]);
    process::run(&mut build, BUILD)?;
    play(options.seed)
}

/// Plays the demo with the programs in the target folder.
pub fn play(seed: u32) -> Result<bool> {
    let started = Instant::now();
    let profile = Scratch::new("demo")?;
    let sandbox = Sandbox::start(profile.path(), seed)?;
    keep_secrets_in_a_file(&profile.path().join("settings.toml"))?;
    println!("A sandbox with the made-up life number {seed} serves at {}.", sandbox.url);
    println!("The companion has an empty profile; its secrets go to a file locked by a passphrase.");

    let companion = Companion { profile: &profile };
    let mut story = Story::begin(&sandbox, &companion)?;
    let told = story.tell();
    let mut ledger = story.end();
    if let Err(error) = &told {
        ledger.check(false, &format!("the story could not go on: {error:#}"));
    }
    foreign::read_files(&companion, &sandbox, &mut ledger)?;
    println!("\n{} in {:.1} s", ledger.sum(), started.elapsed().as_secs_f32());
    Ok(ledger.holds())
}

/// A keychain is not there on every machine that runs the demo.
pub fn keep_secrets_in_a_file(settings: &Path) -> Result<()> {
    let mut text = std::fs::read_to_string(settings).context("the sandbox left no settings")?;
    if !text.contains("[vault]") {
        text.push_str("\n[vault]\nkind = \"passphrase-file\"\n");
        std::fs::write(settings, text).context("adding the vault to the settings")?;
    }
    Ok(())
}
