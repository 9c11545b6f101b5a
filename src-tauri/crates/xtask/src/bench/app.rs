//! `cargo xtask bench app`: the real app, built as it is shipped, on a desk with a real panel and keychain, beside the limits
//! that were set for it, the Nextcloud client, and a Tauri app that does nothing. Decides what is measured and when it is
//! too much; how things are seen is told in the modules below. `painted` says why pixels are believed and no page.

mod cost;
mod painted;
mod report;
mod tray;
mod vendor;
mod week;

use crate::display::{Desk, Furniture};
use crate::node;
use crate::places::{self, Scratch};
use crate::process::{self, BUILD, Running};
use crate::run::{APP, APP_FEATURE};
use crate::system::{self, For};
use anyhow::{Context, Result, bail};
use cost::{Idle, Memory, Used};
use painted::{Painting, Screen};
use report::Report;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tray::Ear;
use vendor::Vendor;

pub const ABOUT: &str =
    "the real app: how soon it is painted, a full week, idle memory and processor time; minutes";

/// What the tray's menu calls it, in ours and in the empty one.
const OPEN: &str = "Open Bookiji Companion";
const OPEN_EMPTY: &str = "Open";
/// By then a start is over, and what it only needed to start is given back.
const SETTLE: Duration = Duration::from_secs(20);
/// How long nothing is done to see whether the app does anything.
const IDLE: Duration = Duration::from_secs(10);
const IDLE_TIMES: usize = 3;
/// An app that is at work this often is never idle.
const WORK_TIMES: usize = 9;
/// Cold starts are slow, and each is like the other.
const COLD: usize = 3;
const LIMIT: Duration = Duration::from_secs(60);

/// What one tray app costs while nobody looks.
#[derive(Clone)]
struct Rest {
    memory: Memory,
    idle: Vec<Idle>,
    /// Of the times in which it asked its services something: a sync is no idleness.
    at_work: Vec<Idle>,
}

/// A tray app from its start in the tray until its window has been opened and closed a few times.
struct Life {
    never_opened: Rest,
    closed: Rest,
    /// From the start to the icon in the tray.
    registered: Duration,
    /// The first time, the webview's own processes start with it.
    opened: Vec<Painting>,
}

/// Where everything is measured.
struct Room {
    desk: Desk,
    screen: Screen,
    ear: Ear,
    /// What the screen shows while no window is open.
    empty: Vec<u8>,
    pictures: PathBuf,
}

/// Builds what it needs and measures; answers whether every limit was kept.
pub fn app(runs: usize) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        bail!("the app is measured on Linux: elsewhere nothing tells what it costs in the same words");
    }
    system::prepare(&[For::Window, For::VirtualDisplay, For::Tests])?;
    let peer = system::prepare(&[For::Peers]);
    build()?;

    let mut report = Report::begin()?;
    let mut room = Room::open()?;
    let vendor = Vendor::settled(&room.desk)?;
    let ours = || -> Result<Command> {
        let mut app = Command::new(released(APP)?);
        app.arg("--profile").arg(vendor.profile.path());
        Ok(app)
    };
    println!("starting it, {runs} times warm and {COLD} times cold ...");
    starts(&mut room, &ours, runs, &mut report)?;

    println!("in the tray, and its window opened and closed {runs} times ...");
    let life = live(&mut room, ours()?.arg("--hidden"), OPEN, runs, &|| vendor.requests())?;
    report.ours(&life);
    let fresh = Scratch::new("fresh")?;
    let mut unused = Command::new(released(APP)?);
    unused.arg("--profile").arg(fresh.path()).arg("--hidden");
    let life = live(&mut room, &mut unused, OPEN, 1, &nothing)?;
    report.beside("ours, nobody signed in", &life);
    println!("an empty Tauri app, the same ...");
    let life = live(&mut room, &mut Command::new(released("empty-tray")?), OPEN_EMPTY, 1, &nothing)?;
    report.beside("empty Tauri app", &life);
    match peer {
        Ok(()) => {
            println!("the Nextcloud client, without an account and with its window closed ...");
            report.peer(&nextcloud(&room)?);
        }
        Err(error) => report.no_peer(&error),
    }

    println!("a week with 500 events ...");
    let weeks = week::measure(&room.desk, &room.pictures.join("week.png"))?;
    report.weeks(&weeks);
    println!("pictures of what was measured: {}", room.pictures.display());
    report.end()
}

fn build() -> Result<()> {
    node::install()?;
    node::build()?;
    let mut app = process::cargo()?;
    app.args(["build", "--release", "--locked", "--package", APP, "--features", APP_FEATURE]);
    process::run(&mut app, BUILD)?;
    // In the same folder, so that what both are made of is made once.
    let mut empty = process::cargo()?;
    empty.args(["build", "--release", "--locked", "--features", "custom-protocol", "--manifest-path"]);
    empty.args(["tests/bench/empty-tray/Cargo.toml", "--target-dir"]).arg(places::target()?);
    process::run(&mut empty, BUILD)?;
    let mut services = process::cargo()?;
    services.args(["build", "--locked", "--package", "companion", "--package", "sandbox", "--bins"]);
    process::run(&mut services, BUILD)
}

fn released(name: &str) -> Result<PathBuf> {
    Ok(places::target()?.join("release").join(name))
}

impl Room {
    fn open() -> Result<Self> {
        let desk = Desk::open(Furniture::PanelAndKeychain)?;
        tray::has_host(&desk)?;
        let ear = Ear::open(&desk)?;
        let mut screen = Screen::open(&desk.screen_file())?;
        process::pause(Duration::from_secs(3));
        let empty = screen.look()?;
        let pictures = places::artifacts()?.join("bench-app");
        std::fs::create_dir_all(&pictures)?;
        Ok(Self { desk, screen, ear, empty, pictures })
    }

    fn start(&self, command: &mut Command) -> Result<(Instant, Running)> {
        self.ear.forget();
        self.desk.seat(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        Ok((began, Running::start(command)?))
    }

    fn watch(&mut self, since: Instant, picture: &str) -> Result<Painting> {
        let kept = self.pictures.join("kept.xwd");
        let seen = self.screen.watch(since, &self.empty, Some(&kept))?;
        painted::picture(&kept, &self.pictures.join(picture))?;
        Ok(seen)
    }

    fn is_cleared(&mut self) -> Result<()> {
        self.screen.is_cleared(&self.empty)
    }
}

/// One start of the app with its window, seen from outside.
struct Start {
    painting: Painting,
    /// When its icon was in the tray.
    registered: Duration,
}

/// Starts the app with its window again and again.
fn starts(
    room: &mut Room,
    command: &dyn Fn() -> Result<Command>,
    runs: usize,
    report: &mut Report,
) -> Result<()> {
    let mut files = Vec::new();
    let mut once = |room: &mut Room, picture: &str, cold: bool| -> Result<Start> {
        if cold {
            cost::forget(&files)?;
        }
        let (began, app) = room.start(&mut command()?)?;
        let painting = room.watch(began, picture)?;
        let (registered, _) = room.ear.registered()?;
        files = cost::mapped_files(app.id())?;
        drop(app);
        room.is_cleared()?;
        Ok(Start { painting, registered: registered.duration_since(began) })
    };
    // The first tells which files it needs; those are in memory from then on.
    once(room, "start.png", false)?;
    let warm: Vec<Start> = (0..runs).map(|_| once(room, "start.png", false)).collect::<Result<_>>()?;
    let cold: Vec<Start> = (0..COLD).map(|_| once(room, "start-cold.png", true)).collect::<Result<_>>()?;
    report.starts(&warm, &cold);
    Ok(())
}

/// Lets a tray app start without a window and rest; opens its window by the tray's menu and closes it as often as is
/// wanted; and lets it rest again.
fn live(
    room: &mut Room,
    command: &mut Command,
    label: &str,
    times: usize,
    asked: &dyn Fn() -> Result<Value>,
) -> Result<Life> {
    let (began, app) = room.start(command)?;
    let (registered, item) = room.ear.registered()?;
    let never_opened = rest(&app, asked)?;
    let line = item.line(&room.desk, label)?;
    let mut opened = Vec::new();
    for time in 0..times {
        let (clicked, _click) = item.click(&room.desk, line)?;
        opened.push(room.watch(clicked, if time == 0 { "opened-first.png" } else { "opened.png" })?);
        process::pause(Duration::from_secs(1));
        room.desk.close_window_of(app.id())?;
        room.is_cleared()?;
        process::pause(Duration::from_secs(1));
    }
    let closed = rest(&app, asked)?;
    Ok(Life { never_opened, closed, registered: registered.duration_since(began), opened })
}

/// An app whose services are not ours to ask.
fn nothing() -> Result<Value> {
    Ok(Value::Null)
}

/// Lets an app come to rest, and looks at what it holds and does then. `asked` tells what its services were asked so far.
fn rest(app: &Running, asked: &dyn Fn() -> Result<Value>) -> Result<Rest> {
    process::pause(SETTLE);
    let (mut idle, mut at_work) = (Vec::new(), Vec::new());
    while idle.len() < IDLE_TIMES {
        let (asked_before, before) = (asked()?, Used::by(app.id())?);
        process::pause(IDLE);
        let used = Used::by(app.id())?.since(&before);
        let times = if asked()? == asked_before { &mut idle } else { &mut at_work };
        times.push(used);
        if at_work.len() > WORK_TIMES {
            bail!("it asks its services something in every ten seconds");
        }
    }
    Ok(Rest { memory: Memory::of(app.id())?, idle, at_work })
}

/// The client of another service, of nobody yet, as it is after a login: in the tray. It offers to add an account, and
/// that window is closed.
fn nextcloud(room: &Room) -> Result<Rest> {
    let config = Scratch::new("nextcloud")?;
    let mut command = Command::new("nextcloud");
    command.args(["--background", "--confdir"]).arg(config.path());
    let (_, mut client) = room.start(&mut command)?;
    let id = client.id();
    let shown = process::until(LIMIT, || room.desk.largest_window(id))?;
    if shown.is_some() {
        process::pause(Duration::from_secs(3));
        room.desk.close_window_of(id)?;
        let gone = || Ok(room.desk.largest_window(id)?.is_none().then_some(()));
        process::until(LIMIT, gone)?.context("its window does not close")?;
    }
    let rest = rest(&client, &nothing)?;
    client.still_runs().context("the client did not stay up")?;
    Ok(rest)
}
