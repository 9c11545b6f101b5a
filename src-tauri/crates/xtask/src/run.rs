//! `cargo xtask run`: sets up, builds the app, and opens it; on a virtual display where there is no other.

use crate::display::{self, Desk, Furniture};
use crate::process::{self, BUILD, Running};
use crate::system::{self, For};
use crate::{node, places};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The desktop shell's package, and the feature without which the window looks for a development server.
pub const APP: &str = "bookiji-companion";
pub const APP_FEATURE: &str = "bookiji-companion/custom-protocol";

#[derive(Args)]
pub struct Options {
    /// Starts on the embedded sandbox: a made-up vendor's life, and no account touched.
    #[arg(long)]
    sandbox: bool,
    /// Without a display: stays after the screenshot, until interrupted.
    #[arg(long)]
    keep: bool,
    /// Without a display: where the screenshot goes.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// Given to the app as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut purposes = vec![For::Window];
    if !display::is_there() {
        purposes.push(For::VirtualDisplay);
    }
    system::prepare(&purposes)?;
    node::install()?;
    node::build()?;
    // A debug build: the first start comes after four minutes instead of ten, and nothing here is slow enough to tell.
    process::run(
        process::cargo()?.args(["build", "--locked", "--package", APP, "--features", APP_FEATURE]),
        BUILD,
    )?;
    let mut app = Command::new(places::built(APP)?);
    if options.sandbox {
        app.arg("--sandbox");
    }
    app.args(&options.args);
    if display::is_there() {
        return attended(&mut app);
    }
    let path = match &options.screenshot {
        Some(path) => path.clone(),
        None => places::artifacts()?.join("window.png"),
    };
    unattended(&mut app, &path, Furniture::Bare, options.keep)
}

fn attended(app: &mut Command) -> Result<()> {
    println!("$ {}", process::shown(app));
    let status = Running::start(app)?.wait()?;
    if !status.success() {
        bail!("the app ended with {status}");
    }
    Ok(())
}

/// Opens `app` on a virtual desk, keeps a picture of its window at `path`, and of the desk beside it if furnished.
pub fn unattended(app: &mut Command, path: &Path, furniture: Furniture, keep: bool) -> Result<()> {
    let desk = Desk::open(furniture)?;
    println!("$ {}   (on a virtual display)", process::shown(app));
    let mut app = Running::start(desk.seat(app.stdin(Stdio::null())))?;
    let picture = desk.picture_of(&mut app, path)?;
    println!(
        "screenshot: {} ({} x {}, {} colours)",
        path.display(),
        picture.width,
        picture.height,
        picture.colours
    );
    if furniture == Furniture::PanelAndKeychain {
        let all = path.with_file_name("desk.png");
        desk.picture_of_all(&all)?;
        println!("screenshot: {}", all.display());
    }
    if keep {
        println!("the window stays open on its virtual display until you interrupt this");
        let status = app.wait().context("waiting for the app")?;
        if !status.success() {
            bail!("the app ended with {status}");
        }
    }
    Ok(())
}
