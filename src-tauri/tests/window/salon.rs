//! A vendor with a life: a sandbox for Bookiji and her calendars, her profile that points at it, and the command that she
//! could type beside the app.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sandbox::{Options, Running};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::stage::{APP, Stage, until_async};

pub struct Salon<'a> {
    pub sandbox: Running,
    pub stage: &'a Stage,
    profile: PathBuf,
    browser: reqwest::Client,
}

impl<'a> Salon<'a> {
    /// Her services, and a profile that nobody has signed in to.
    pub async fn begin(stage: &'a Stage) -> Self {
        Self::begin_at(stage, stage.profile()).await
    }

    /// As [`Salon::connected`], of one more vendor on the same computer.
    pub async fn colleague(stage: &'a Stage, name: &str) -> Self {
        let profile = stage.profile().join("vendors").join(name);
        std::fs::create_dir_all(&profile).unwrap();
        let salon = Self::begin_at(stage, profile).await;
        salon.signs_in().await;
        salon.connects_google().await;
        salon
    }

    async fn begin_at(stage: &'a Stage, profile: PathBuf) -> Self {
        let settings = profile.join("settings.toml");
        let options =
            Options { bookings: 12, events: 20, write_settings: Some(settings), ..Options::default() };
        let sandbox = sandbox::serve(options).await.unwrap();
        // It brings the cryptography that any HTTP client here needs to be built.
        connectors::http::Http::new(Default::default(), Default::default()).unwrap();
        let browser = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, stage, profile, browser }
    }

    /// Somebody who is signed in and has connected her Google account.
    pub async fn connected(stage: &'a Stage) -> Self {
        let salon = Self::begin(stage).await;
        salon.signs_in().await;
        salon.connects_google().await;
        salon
    }

    pub async fn signs_in(&self) {
        let mut login = self.command(&["login", "--email", &self.sandbox.email]);
        let mut login = login.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(login.stdin.take().unwrap(), "{}", self.sandbox.password).unwrap();
        let ended = tokio::task::spawn_blocking(move || login.wait_with_output().unwrap()).await.unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }

    pub async fn connects_google(&self) {
        let connect = self.command(&["connect", "google", "--no-browser"]);
        let mut connect = tokio::process::Command::from(connect);
        let mut connect = connect.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(connect.stderr.take().unwrap()).lines();
        let mut heard = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("http://") {
                self.browser.get(&line).send().await.unwrap();
            }
            heard.push(line);
        }
        assert!(connect.wait().await.unwrap().success(), "{heard:?}");
    }

    /// Her browser was opened at a page, which sends her straight back.
    pub async fn answers_in_her_browser(&self) {
        let opened = self.stage.opened();
        until_async("the browser is opened", async || opened.exists()).await;
        let page = std::fs::read_to_string(&opened).unwrap();
        std::fs::remove_file(&opened).unwrap();
        self.browser.get(page.trim()).send().await.unwrap();
    }

    /// Types a command; answers its document.
    pub async fn types(&self, words: &[&str]) -> Value {
        let mut command = self.command(words);
        let said = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        serde_json::from_slice(&said.stdout)
            .unwrap_or_else(|_| panic!("one document: {}", String::from_utf8_lossy(&said.stderr)))
    }

    fn command(&self, words: &[&str]) -> std::process::Command {
        let companion: PathBuf = Path::new(APP).with_file_name("companion");
        assert!(companion.exists(), "cargo build -p companion builds what is missing here");
        let mut command = self.stage.seated(companion);
        command.arg("--profile").arg(&self.profile).arg("--json").args(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Does what a person does on Bookiji or in a calendar.
    pub async fn edit(&self, who: &str, what: &str, mut details: Value) -> Value {
        details["as"] = json!(who);
        details["do"] = json!(what);
        self.control("POST", "edit", Some(details)).await
    }

    pub async fn fault(&self, fault: Value) {
        self.control("POST", "faults", Some(fault)).await;
    }

    pub async fn heal(&self) {
        self.control("DELETE", "faults", None).await;
    }

    pub async fn state(&self) -> Value {
        self.control("GET", "state", None).await
    }

    async fn control(&self, method: &str, what: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{what}", self.sandbox.base_url);
        let mut request = self.browser.request(method.parse().unwrap(), url);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {what} {body:?}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The bookings whose events stand in a calendar, each as often as it does.
    pub async fn placed(&self) -> Vec<String> {
        let state = self.state().await;
        let calendars = state["calendars"].as_array().unwrap().clone();
        let events = calendars.iter().flat_map(|calendar| calendar["events"].as_array().unwrap().clone());
        let live = events.filter(|event| event["status"] != "cancelled");
        let mut placed: Vec<String> =
            live.filter_map(|event| event["booking_id"].as_str().map(str::to_owned)).collect();
        placed.sort();
        placed
    }

    /// Where a booking is on Bookiji.
    pub async fn booking(&self, id: &str) -> Value {
        let state = self.state().await;
        let bookings = state["bookings"].as_array().unwrap().clone();
        bookings.into_iter().find(|booking| booking["id"] == id).expect("the booking")
    }

    /// Waits until Bookiji was told that this time is busy.
    pub async fn is_busy_on_bookiji(&self, start: &str) {
        let at: jiff::Timestamp = start.parse().unwrap();
        let covers = |span: &Value| {
            let of = |name: &str| span[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            of("start").zip(of("end")).is_some_and(|(start, end)| start <= at && at < end)
        };
        until_async(&format!("{start} is busy on Bookiji"), async || {
            let state = self.state().await;
            flat(&state["busy"]).iter().any(covers)
        })
        .await;
    }
}

/// Every object with a start inside whatever holds them.
fn flat(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        Value::Object(fields) if fields.contains_key("start") => vec![value.clone()],
        Value::Object(fields) => fields.values().flat_map(flat).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
