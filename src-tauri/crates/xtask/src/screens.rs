//! `cargo xtask screens`: a picture of every page and state of the window, looked at by axe and held against those that
//! are kept in `ui/screens/kept`, and one page to look them all through. The taking is done by `ui/screens/take.mjs`.

mod readme;

use crate::process::{self, STEP};
use crate::system::{self, For};
use crate::{node, places};
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// Only pictures with this in their name.
    filter: Option<String>,
    /// Only those of which one is kept.
    #[arg(long)]
    kept: bool,
    /// Keeps what it takes, in place of what was kept.
    #[arg(long)]
    keep: bool,
    /// Takes those of the README, from the real app on a virtual desk.
    #[arg(long)]
    readme: bool,
}

/// What every test takes.
pub const KEPT: Options = Options { filter: None, kept: true, keep: false, readme: false };

/// Takes them, and fails on a picture that changed or that some people could not read.
pub fn screens(options: &Options) -> Result<()> {
    system::prepare(&[For::Tests])?;
    node::install()?;
    if options.readme {
        return readme::take();
    }
    let mut words = vec!["run", "screens", "--"];
    words.extend(options.filter.as_deref());
    words.extend(options.kept.then_some("--kept"));
    words.extend(options.keep.then_some("--keep"));
    process::run(&mut node::npm(&words)?, STEP)?;
    println!("look through them: {}", places::root()?.join("screens/index.html").display());
    Ok(())
}
