//! The pictures of the README, from the real app: her week, a decision that waits, and the tray in a real panel. The life
//! in them is the sandbox's.

use crate::demo::cast::{Companion, Sandbox, vendor};
use crate::demo::{self, keep_secrets_in_a_file};
use crate::display::{Desk, Furniture};
use crate::places::{self, Scratch};
use crate::process::{self, BUILD, Running};
use crate::run::{APP, APP_FEATURE};
use crate::{node, system};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Enough that her week looks like a salon's, as in the sample.
const BOOKINGS: &str = "78";

/// What the page, or the engine, needs to come to rest.
const REST: Duration = Duration::from_secs(6);

pub fn take() -> Result<()> {
    system::prepare(&[system::For::Window, system::For::Tests])?;
    node::build()?;
    let mut build = process::cargo()?;
    build.args(["build", "--locked", "--package", "companion", "--package", "sandbox", "--package", APP]);
    build.args(["--bins", "--features", APP_FEATURE]);
    process::run(&mut build, BUILD)?;
    let folder = places::root()?.join("docs/pictures");

    let profile = Scratch::new("pictures")?;
    let sandbox = Sandbox::start_with(profile.path(), demo::SEED, &["--bookings", BOOKINGS])?;
    keep_secrets_in_a_file(&profile.path().join("settings.toml"))?;
    let companion = Companion { profile: &profile };
    begin(&sandbox, &companion)?;

    let desk = Desk::open(Furniture::PanelAndKeychain)?;
    let start = |words: &[&str]| -> Result<Running> {
        let mut app = Command::new(places::built(APP)?);
        app.arg("--profile").arg(profile.path()).args(words).stdin(Stdio::null());
        Running::start(desk.seat(app.env("COMPANION_PASSPHRASE", "demo").env("LC_ALL", "C.UTF-8")))
    };
    let mut app = start(&["--hidden"])?;
    process::pause(REST);
    desk.picture_of_tray(&folder.join("tray.png"))?;
    open(start(&["bookiji-companion://open/week"])?)?;
    process::pause(REST);
    desk.picture_of(&mut app, &folder.join("window.png"))?;

    // She moves an event of a booking in her own calendar, and is asked what she meant.
    let event = ahead(&sandbox.state()?)?;
    let moved = json!({"calendar": event.0, "booking": event.1, "by_minutes": 60});
    sandbox.edit(&vendor("move_event", moved))?;
    companion.says(&["sync"], "")?;
    open(start(&["bookiji-companion://open/decisions"])?)?;
    process::pause(REST);
    desk.picture_of(&mut app, &folder.join("decision.png"))?;
    println!("look at them: {}", folder.display());
    Ok(())
}

/// A second start hands its link over and ends.
fn open(second: Running) -> Result<()> {
    if !second.wait()?.success() {
        bail!("the app that runs did not take the link");
    }
    Ok(())
}

/// Signed in, connected, and in step.
fn begin(sandbox: &Sandbox, companion: &Companion) -> Result<()> {
    let state = sandbox.state()?;
    let word = |name: &str| state["vendor"][name].as_str().unwrap_or_default().to_owned();
    companion.types(&["login", "--email", &word("email")], &word("password"))?;
    companion.connects_google()?;
    companion.says(&["sync"], "").map(drop)
}

/// The calendar and the booking of the next event of ours that is some days away: nothing else asks about it.
fn ahead(state: &Value) -> Result<(Value, Value)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let now = state["now"].as_str().unwrap_or_default().to_owned();
    let mut events: Vec<(String, Value, Value)> = Vec::new();
    for calendar in list(&state["calendars"]) {
        for event in list(&calendar["events"]) {
            let start = event["start"].as_str().unwrap_or_default().to_owned();
            if event["booking_id"].is_string() && event["status"] != "cancelled" && start > now {
                events.push((start, calendar["id"].clone(), event["booking_id"].clone()));
            }
        }
    }
    events.sort_by(|one, other| one.0.cmp(&other.0));
    let (_, calendar, booking) = events.into_iter().nth(3).context("no event of a booking lies ahead")?;
    Ok((calendar, booking))
}
