//! A vendor's computer beside a sandbox: one profile, and the real command run in it.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use sandbox::{Options, Running};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// A command that is not done by then never is.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct World {
    pub sandbox: Running,
    pub profile: TempDir,
    browser: reqwest::Client,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub document: Value,
    /// The `error` of the first JSON line on stderr that has one.
    pub error: Value,
    pub stderr: String,
}

impl Said {
    /// Why a time is as it is, by kind, without the birthdays that may fall on any day.
    pub fn kinds(&self) -> Vec<&str> {
        let because = self.document["because"].as_array().unwrap().iter();
        because
            .map(|because| because["kind"].as_str().unwrap())
            .filter(|kind| *kind != "all_day_free")
            .collect()
    }
}

impl World {
    /// A seeded sandbox and an empty profile that points at it.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// A sandbox of so many vendors, and an empty profile for the first of them.
    pub async fn start_of(vendors: usize) -> Self {
        Self::start_with(Options { vendors, ..Options::default() }).await
    }

    /// As [`World::start`], with services that have another time than this computer.
    pub async fn at(now: jiff::Timestamp) -> Self {
        Self::start_with(Options { now: Some(now), ..Options::default() }).await
    }

    /// A sandbox of which Bookiji is as it is today, and an empty profile.
    pub async fn start_today() -> Self {
        Self::start_with(Options { faithful: true, ..Options::default() }).await
    }

    /// As [`World::start`], with a life of another size.
    pub async fn start_with(options: Options) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let settings = profile.path().join("settings.toml");
        let options = Options { write_settings: Some(settings.clone()), ..options };
        let sandbox = sandbox::serve(options).await.unwrap();
        let mut text = std::fs::read_to_string(&settings).unwrap();
        text.push_str("\n[vault]\nkind = \"passphrase-file\"\n");
        std::fs::write(&settings, text).unwrap();
        let counters = connectors::http::Counters::default();
        // It brings the cryptography that any HTTP client here needs to be built.
        connectors::http::Http::new(counters, connectors::http::Timeouts::default()).unwrap();
        let browser = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, profile, browser }
    }

    /// As [`World::start`], with the vendor signed in and her Google account connected.
    pub async fn connected() -> Self {
        Self::start().await.with_account().await
    }

    /// Signs the vendor in and connects her Google account.
    pub async fn with_account(self) -> Self {
        let login = self.login().await;
        assert_eq!(login.status, 0, "{login:?}");
        let connect = self.connect().await;
        assert_eq!(connect.status, 0, "{connect:?}");
        self
    }

    pub async fn login(&self) -> Said {
        let password = format!("{}\n", self.sandbox.password);
        self.run_with(&["login", "--email", &self.sandbox.email], &password).await
    }

    /// Connects Google as her browser would: by opening the address that is printed.
    pub async fn connect(&self) -> Said {
        self.connect_with(&[]).await
    }

    pub async fn connect_with(&self, more: &[&str]) -> Said {
        self.sign_in_to("google", more, "").await
    }

    /// As [`World::connect`], choosing this account of hers.
    pub async fn connect_as(&self, email: &str) -> Said {
        self.sign_in_to("google", &[], &format!("&login_hint={email}")).await
    }

    /// Connects an account of a service; `chosen` is added to the address that is opened.
    pub async fn sign_in_to(&self, service: &str, more: &[&str], chosen: &str) -> Said {
        let mut child = self.spawn(&[&["connect", service, "--no-browser"], more].concat());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut stderr = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("http://") {
                self.browser.get(format!("{line}{chosen}")).send().await.unwrap();
                break;
            }
            stderr.push_str(&line);
            stderr.push('\n');
        }
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            stderr.push_str(&line);
            stderr.push('\n');
        }
        said(&Output { stderr: stderr.into_bytes(), ..output })
    }

    pub async fn run(&self, words: &[&str]) -> Said {
        self.run_with(words, "").await
    }

    pub async fn run_with(&self, words: &[&str], input: &str) -> Said {
        let mut child = self.spawn(words);
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        said(&tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap())
    }

    /// Starts a command with its streams open.
    pub fn spawn(&self, words: &[&str]) -> Child {
        command(self.profile.path()).arg("--json").args(words).spawn().unwrap()
    }

    /// Tells the sandbox to misbehave from now on.
    pub async fn fault(&self, fault: Value) {
        self.control("POST", "faults", Some(fault)).await;
    }

    /// Acts as a person; answers whether it was possible.
    pub async fn try_edit(&self, edit: Value) -> bool {
        let url = format!("{}/_sandbox/edit", self.sandbox.base_url);
        self.browser.post(url).json(&edit).send().await.unwrap().status().is_success()
    }

    pub async fn heal(&self) {
        self.control("DELETE", "faults", None).await;
    }

    /// Presses *Sync Now* on Bookiji's page, with a session of its own.
    pub async fn asks_for_a_sync(&self) {
        let base = &self.sandbox.base_url;
        let body = json!({"email": self.sandbox.email, "password": self.sandbox.password});
        let sign_in = self.browser.post(format!("{base}/supabase/auth/v1/token?grant_type=password"));
        let session = sign_in.header("apikey", "sb_publishable_sandbox").json(&body).send().await.unwrap();
        let session: Value = serde_json::from_str(&session.text().await.unwrap()).unwrap();
        let asked = self.browser.post(format!("{base}/bookiji/api/vendor/calendar/sync"));
        let asked = asked.bearer_auth(session["access_token"].as_str().unwrap());
        let asked = asked.json(&json!({"direction": "bidirectional"})).send().await.unwrap();
        assert!(asked.status().is_success());
    }

    /// What was asked of each service.
    pub async fn requests(&self) -> Value {
        self.control("GET", "requests", None).await
    }

    pub async fn state(&self) -> Value {
        self.control("GET", "state", None).await
    }

    /// What the sandbox has been asked since the last time, by service and route.
    pub async fn asked(&self) -> Value {
        let asked = self.control("GET", "requests", None).await;
        self.control("DELETE", "requests", None).await;
        asked
    }

    async fn control(&self, method: &str, what: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_sandbox/{what}", self.sandbox.base_url);
        let mut request = self.browser.request(method.parse().unwrap(), url);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{method} {what} {body:?}: {}", answer.text().await.unwrap());
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(json!(text))
    }
}

/// The real command in a profile, away from this computer's own settings.
pub fn command(profile: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_companion"));
    command
        .arg("--profile")
        .arg(profile)
        .env("COMPANION_PASSPHRASE", "a passphrase for tests")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub fn said(output: &Output) -> Said {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|line| line.get("error").cloned())
        .unwrap_or_default();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let document = if stdout.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("one JSON document: {stdout}"))
    };
    Said { status: output.status.code().unwrap_or(-1), document, error, stderr }
}
