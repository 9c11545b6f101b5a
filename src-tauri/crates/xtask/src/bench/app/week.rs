//! How fast a full week is drawn: the window's own pages, built as they are shipped but with the invented host of `npm run
//! dev`, in the WebKit that the app draws with, driven by that browser's own driver. The engine has no part in it.

use crate::demo::loopback;
use crate::display::Desk;
use crate::node;
use crate::places;
use crate::process::{self, Running, STEP};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
const MEASURED: Duration = Duration::from_mins(3);
/// How often each change is made. The browser's clock tells whole milliseconds.
const TIMES: u32 = 20;

/// What a change of the week took, in milliseconds, each run apart.
pub struct Redraw {
    pub script: Vec<f64>,
    /// Script and layout.
    pub laid_out: Vec<f64>,
    pub painted: Vec<f64>,
}

pub struct Weeks {
    pub events: u64,
    pub whole: Redraw,
    pub one_moved: Redraw,
}

/// Builds the pages and measures them on `desk`; keeps a picture of the week at `picture`.
pub fn measure(desk: &Desk, picture: &Path) -> Result<Weeks> {
    let pages = places::target()?.join("bench/ui");
    let mut build =
        node::npm(&["exec", "--", "vite", "build", "--mode", "bench", "--emptyOutDir", "--outDir"])?;
    process::run(build.arg(&pages), STEP)?;
    let port = free_port()?;
    let _server = serve(&pages, port)?;
    let browser = Browser::open(desk)?;
    browser.goes_to(&format!("http://127.0.0.1:{port}/?state=packed"))?;
    let ready = process::until(LIMIT, || {
        let there = browser.runs("return document.querySelectorAll('.sheet [data-key]').length", &[])?;
        Ok(there.as_u64().filter(|events| *events > 0))
    })?;
    ready.context("the week shows no event")?;
    browser.runs(include_str!("week.js"), &[json!(TIMES)])?;
    let said = process::until(MEASURED, || {
        process::pause(Duration::from_secs(1));
        let said = browser.runs("return window.measured ?? null", &[])?;
        Ok((!said.is_null()).then_some(said))
    })?;
    let said = said.context("the week was not measured in time")?;
    if let Some(error) = said["error"].as_str() {
        bail!("the week could not be measured: {error}");
    }
    browser.keeps_picture(picture)?;
    let runs = |name: &str| -> Result<Redraw> {
        let runs = said["ok"][name].as_array().with_context(|| format!("no runs of \"{name}\""))?;
        let of = |part: fn(&Value) -> f64| runs.iter().map(part).collect();
        let script = |run: &Value| run["script"].as_f64().unwrap_or(f64::NAN);
        Ok(Redraw {
            script: of(script),
            laid_out: of(|run| {
                run["script"].as_f64().unwrap_or(f64::NAN) + run["layout"].as_f64().unwrap_or(f64::NAN)
            }),
            painted: of(|run| run["painted"].as_f64().unwrap_or(f64::NAN)),
        })
    };
    Ok(Weeks {
        events: said["ok"]["events"].as_u64().context("no number of events")?,
        whole: runs("redrawn")?,
        one_moved: runs("moved")?,
    })
}

fn serve(pages: &Path, port: u16) -> Result<Running> {
    let mut server = Command::new("node");
    server.current_dir(places::root()?.join("ui")).args(["node_modules/vite/bin/vite.js", "preview"]);
    server.args(["--host", "127.0.0.1", "--strictPort", "--port", &port.to_string(), "--outDir"]).arg(pages);
    server.stdin(Stdio::null()).stdout(Stdio::null());
    let mut server = Running::start(&mut server)?;
    let answers = process::until(LIMIT, || {
        server.still_runs().context("the pages are not served")?;
        Ok(loopback::text("GET", &format!("http://127.0.0.1:{port}/"), None).ok())
    })?;
    answers.context("the pages are not served")?;
    Ok(server)
}

/// A WebKit that is driven. Ends with its driver.
struct Browser {
    session: String,
    _driver: Running,
}

impl Browser {
    fn open(desk: &Desk) -> Result<Self> {
        let port = free_port()?;
        let mut driver = Command::new("WebKitWebDriver");
        driver.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut driver = Running::start(desk.seat(&mut driver))?;
        let url = format!("http://127.0.0.1:{port}/session");
        let session = process::until(LIMIT, || {
            driver.still_runs().context("the driver did not stay up")?;
            Ok(loopback::json("POST", &url, Some(&json!({ "capabilities": {} }))).ok())
        })?;
        let session = session.context("the browser does not open")?;
        let id = session["value"]["sessionId"].as_str().context("a session without a name")?;
        let browser = Self { session: format!("{url}/{id}"), _driver: driver };
        browser.asks("window/rect", &json!({ "width": 1200, "height": 800 }))?;
        Ok(browser)
    }

    fn asks(&self, what: &str, body: &Value) -> Result<Value> {
        let mut answer = loopback::json("POST", &format!("{}/{what}", self.session), Some(body))?;
        Ok(answer["value"].take())
    }

    fn goes_to(&self, address: &str) -> Result<()> {
        self.asks("url", &json!({ "url": address })).map(drop)
    }

    fn runs(&self, script: &str, words: &[Value]) -> Result<Value> {
        self.asks("execute/sync", &json!({ "script": script, "args": words }))
    }

    fn keeps_picture(&self, path: &Path) -> Result<()> {
        let answer = loopback::json("GET", &format!("{}/screenshot", self.session), None)?;
        let text = answer["value"].as_str().context("no picture of the week")?;
        let encoded = path.with_extension("base64");
        std::fs::write(&encoded, text)?;
        let mut decode = Command::new("base64");
        let decoded = process::output(decode.arg("-d").arg(&encoded), LIMIT)?;
        std::fs::remove_file(&encoded)?;
        std::fs::write(path, decoded.stdout).context("keeping a picture of the week")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = loopback::text("DELETE", &self.session, None);
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
