//! Sign-ins in a real browser: headless Chromium on the sandbox's own pages, with the real command waiting for it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::ChildStderr;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use url::Url;

use crate::world::{Said, World, said};

/// A machine under load takes its time to start a browser.
const PATIENCE: Duration = Duration::from_secs(120);

/// One browser is heavy enough.
static TURN: Mutex<()> = Mutex::const_new(());

struct Browser {
    page: Client,
    driver: Child,
    _home: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Nothing where there is none; `cargo xtask test system` installs one.
    async fn open() -> Option<Self> {
        let found = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
        };
        let (Some(chromium), Some(driver)) = (found("chromium"), found("chromedriver")) else {
            eprintln!("*** SKIPPED: install chromium and chromium-driver to test sign-ins in a browser ***");
            return None;
        };
        let turn = TURN.lock().await;
        let home = tempfile::Builder::new().prefix("browser-profile-").tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = format!("--user-data-dir={}", home.path().join("profile").display());
        let capabilities = json!({ "goog:chromeOptions": {
            "binary": chromium,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--no-proxy-server", "--disable-background-networking", "--lang=en", profile],
        }});
        let deadline = Instant::now() + PATIENCE;
        let page = loop {
            let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            builder.capabilities(capabilities.as_object().unwrap().clone());
            match builder.connect(&format!("http://127.0.0.1:{port}")).await {
                Ok(page) => break page,
                Err(error) => assert!(Instant::now() < deadline, "no browser: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Some(Self { page, driver, _home: home, _turn: turn })
    }

    async fn shows(&self, url: &str) -> String {
        self.page.goto(url).await.unwrap();
        self.heading().await
    }

    async fn heading(&self) -> String {
        self.page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css("h1"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    async fn press(&self, decision: &str) -> String {
        let button = format!("button[value={decision}]");
        self.page.find(Locator::Css(&button)).await.unwrap().click().await.unwrap();
        let left =
            format!("return !document.querySelector('{button}') && document.querySelector('h1') !== null");
        let deadline = Instant::now() + PATIENCE;
        while self.page.execute(&left, Vec::new()).await.ok() != Some(json!(true)) {
            assert!(Instant::now() < deadline, "the page does not change");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.heading().await
    }

    async fn untick(&self, scope: &str) {
        let tick = format!("input[value$='/{scope}']");
        self.page.find(Locator::Css(&tick)).await.unwrap().click().await.unwrap();
    }

    async fn close(mut self) {
        let _ = self.page.clone().close().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command that waits for a browser.
struct Waiting {
    child: tokio::process::Child,
    lines: Lines<BufReader<ChildStderr>>,
    url: String,
}

impl Waiting {
    async fn start(world: &World, words: &[&str]) -> Self {
        let mut child = world.spawn(words);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
        let url = line.expect("an address").trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "the address stands alone on its line: {url}");
        Self { child, lines, url }
    }

    async fn google(world: &World) -> Self {
        Self::start(world, &["connect", "google", "--no-browser"]).await
    }

    fn parameter(&self, name: &str) -> String {
        let url = Url::parse(&self.url).unwrap();
        url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    fn still_waits(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "the command has ended");
    }

    async fn end(mut self) -> Said {
        let output = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await.unwrap().unwrap();
        let mut stderr = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            stderr.push_str(&line);
            stderr.push('\n');
        }
        said(&std::process::Output { stderr: stderr.into_bytes(), ..output })
    }
}

/// A vendor who is signed in, and a sandbox that shows its pages.
async fn world() -> World {
    let world = World::start().await;
    let settings = world.profile.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("sandbox_auto_consent=1", "")).unwrap();
    assert_eq!(world.login().await.status, 0);
    world
}

/// How many lasting permissions the sandbox's Google has given.
async fn grants(world: &World) -> usize {
    let state = world.state().await;
    let tokens = state["tokens"].as_array().unwrap();
    tokens.iter().filter(|token| token["service"] == "google" && token["kind"] == "refresh").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_real_browser_her_refusal_connects_nothing_and_her_consent_connects() {
    let Some(browser) = Browser::open().await else { return };
    let world = world().await;

    let deny = Waiting::google(&world).await;
    assert!(browser.shows(&deny.url).await.contains("wants access"));
    assert_eq!(browser.press("cancel").await, "Nothing was connected");
    let denied = deny.end().await;
    assert_eq!((denied.status, &denied.error["code"]), (1, &json!("SIGN_IN_CANCELLED")), "{denied:?}");
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));
    assert_eq!(grants(&world).await, 0);

    let accept = Waiting::google(&world).await;
    browser.shows(&accept.url).await;
    assert_eq!(browser.press("allow").await, "Thank you");
    let at = browser.page.current_url().await.unwrap();
    assert_eq!(at.path(), "/signed-in");
    let source = browser.page.source().await.unwrap();
    let code = at.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert!(!source.contains(&code), "the page repeats nothing of what brought her there");
    let connected = accept.end().await;
    assert_eq!(connected.status, 0, "{connected:?}");
    assert_eq!(connected.document["connection"]["state"], "up_to_date", "{connected:?}");
    assert!(connected.document.get("missing").is_none());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_box_she_unticks_in_a_real_browser_costs_one_feature_and_is_said() {
    let Some(browser) = Browser::open().await else { return };
    for (scope, feature) in [
        ("calendar.events.readonly", "read_events"),
        ("calendar.calendarlist.readonly", "list_calendars"),
        ("calendar.app.created", "write_bookings"),
    ] {
        let world = world().await;
        let connect = Waiting::google(&world).await;
        browser.shows(&connect.url).await;
        browser.untick(scope).await;
        assert_eq!(browser.press("allow").await, "Thank you");
        let connected = connect.end().await;
        assert_eq!(connected.status, 0, "{scope}: {connected:?}");
        let missing = connected.document["missing"].as_array().unwrap();
        assert_eq!(missing.iter().map(|lack| &lack["feature"]).collect::<Vec<_>>(), [feature], "{scope}");
        assert!(missing[0]["message"].as_str().unwrap().ends_with('.'));

        let sync = world.run(&["sync"]).await;
        let published = sync.document["busy"]["sources"].as_array().unwrap().len();
        let created = &sync.document["bookings"]["created"];
        match feature {
            "read_events" => assert!(created.as_u64().unwrap() > 0, "bookings are written: {sync:?}"),
            _ => assert!(published > 0 && *created == json!(0), "{feature}: her time is blocked: {sync:?}"),
        }
    }
    let world = world().await;
    let connect = Waiting::google(&world).await;
    browser.shows(&connect.url).await;
    browser.untick("calendar.events.readonly").await;
    browser.untick("calendar.app.created").await;
    browser.press("allow").await;
    let refused = connect.end().await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("PERMISSION_DENIED")), "{refused:?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_tabs_strangers_and_second_answers_in_a_real_browser_change_nothing() {
    let Some(browser) = Browser::open().await else { return };
    let world = world().await;
    let mut connect = Waiting::google(&world).await;
    let (redirect, state) = (connect.parameter("redirect_uri"), connect.parameter("state"));

    // Wrong state, wrong host, wrong place.
    let stranger = browser.shows(&format!("{redirect}?code=evil&state=guess")).await;
    assert_eq!(stranger, "This is not the sign-in we wait for");
    let elsewhere = redirect.replace("127.0.0.1", "localhost");
    assert_eq!(browser.shows(&format!("{elsewhere}?code=evil&state={state}")).await, "Nothing here");
    assert_eq!(browser.shows(&format!("{redirect}/x?code=evil&state={state}")).await, "Nothing here");
    connect.still_waits();

    // The port is the command's alone, and a second sign-in takes another one.
    let port = Url::parse(&redirect).unwrap().port().unwrap();
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_err(), "nobody else gets her answer");
    let other_world = self::world().await;
    let other = Waiting::google(&other_world).await;
    assert_ne!(Url::parse(&other.parameter("redirect_uri")).unwrap().port().unwrap(), port);
    browser.shows(&other.url).await;
    assert_eq!(browser.press("allow").await, "Thank you");
    assert_eq!(other.end().await.status, 0);
    connect.still_waits();

    // She closes the tab, and opens the same page once more.
    browser.shows(&connect.url).await;
    let tab = browser.page.new_window(true).await.unwrap().handle;
    browser.page.close_window().await.unwrap();
    browser.page.switch_to_window(tab).await.unwrap();
    connect.still_waits();
    assert_eq!(grants(&world).await, 0);

    // She answers, and while that is taken in she answers again.
    world
        .fault(json!({ "service": "google_auth", "route": "/token", "kind": "slow:15000", "times": 1 }))
        .await;
    browser.shows(&connect.url).await;
    assert_eq!(browser.press("allow").await, "Thank you");
    browser.shows(&connect.url).await;
    assert_eq!(browser.press("allow").await, "This sign-in was answered already");
    browser.shows(&connect.url).await;
    assert_eq!(browser.press("cancel").await, "This sign-in was answered already");
    let connected = connect.end().await;
    assert_eq!(connected.status, 0, "{connected:?}");
    assert_eq!(grants(&world).await, 1, "one answer was exchanged");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookiji_is_signed_in_to_with_a_real_browser_or_not_at_all() {
    let Some(browser) = Browser::open().await else { return };
    let world = world().await;
    assert_eq!(world.run(&["logout"]).await.status, 0);

    let deny = Waiting::start(&world, &["login", "--no-browser"]).await;
    assert_eq!(browser.shows(&deny.url).await, "Sign in to Bookiji");
    assert_eq!(browser.press("cancel").await, "Nothing was connected");
    assert_eq!(deny.end().await.error["code"], "SIGN_IN_CANCELLED");
    let state = world.state().await;
    let mut sessions =
        state["tokens"].as_array().unwrap().iter().filter(|token| token["service"] == "bookiji");
    assert!(sessions.all(|session| session["revoked"] == true), "nobody is signed in: {}", state["tokens"]);

    let accept = Waiting::start(&world, &["login", "--no-browser"]).await;
    browser.shows(&accept.url).await;
    assert_eq!(browser.press("allow").await, "Thank you");
    let signed_in = accept.end().await;
    assert_eq!(signed_in.status, 0, "{signed_in:?}");
    assert_eq!(signed_in.document["vendor"]["email"], world.sandbox.email.as_str());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_is_signed_in_to_with_a_real_browser_that_comes_back_to_localhost_or_not_at_all() {
    let Some(browser) = Browser::open().await else { return };
    let world = world().await;
    let connect = ["connect", "outlook", "--no-browser"];

    let deny = Waiting::start(&world, &connect).await;
    assert_eq!(browser.shows(&deny.url).await, "Permissions requested");
    assert_eq!(browser.press("cancel").await, "Nothing was connected");
    assert_eq!(deny.end().await.error["code"], "SIGN_IN_CANCELLED");

    assert!(world.try_edit(json!({"as": "administrator", "do": "require_approval"})).await);
    let walled = Waiting::start(&world, &connect).await;
    browser.shows(&walled.url).await;
    assert_eq!(browser.press("allow").await, "Need admin approval");
    assert_eq!(browser.press("return").await, "Nothing was connected");
    let refused = walled.end().await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("PERMISSION_DENIED")), "{refused:?}");
    assert!(refused.error["next_step"].as_str().unwrap().contains("/adminconsent?client_id="), "{refused:?}");
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));

    assert!(world.try_edit(json!({"as": "administrator", "do": "approve"})).await);
    let mut accept = Waiting::start(&world, &connect).await;
    let (redirect, state) = (accept.parameter("redirect_uri"), accept.parameter("state"));
    let stranger = browser.shows(&format!("{redirect}/?code=evil&state=guess")).await;
    assert_eq!(stranger, "This is not the sign-in we wait for");
    let elsewhere = redirect.replace("localhost", "127.0.0.1");
    assert_eq!(browser.shows(&format!("{elsewhere}/?code=evil&state={state}")).await, "Nothing here");
    accept.still_waits();
    browser.shows(&accept.url).await;
    assert_eq!(browser.press("allow").await, "Thank you");
    let at = browser.page.current_url().await.unwrap();
    assert_eq!((at.host_str(), at.path()), (Some("localhost"), "/"));
    let connected = accept.end().await;
    assert_eq!(connected.status, 0, "{connected:?}");
    assert_eq!(connected.document["connection"]["service"], "outlook", "{connected:?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_browser_cannot_bring_back_she_pastes() {
    let world = world().await;
    let mut connect = Waiting::google(&world).await;
    let consent = connect.url.clone() + "&sandbox_auto_consent=1";
    let far =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = far.get(consent).send().await.unwrap();
    let ended_at = answer.headers()["location"].to_str().unwrap().to_owned();
    let mut typed = connect.child.stdin.take().unwrap();
    typed.write_all(b"what is this?\n").await.unwrap();
    let told = tokio::time::timeout(PATIENCE, connect.lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(told.contains("not the address"), "{told}");
    typed.write_all(format!("{ended_at}\n").as_bytes()).await.unwrap();
    let connected = connect.end().await;
    assert_eq!(connected.status, 0, "{connected:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_browser_that_is_opened_is_told_the_address_and_nothing_that_opens_her_secrets() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (opener, told) = (folder.path().join("xdg-open"), folder.path().join("told"));
    // Written beside first, so that what is there is whole.
    let script =
        format!("#!/bin/sh\n{{ env; echo \"page=$1\"; }} > {0}.part; mv {0}.part {0}\n", told.display());
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let login = crate::world::command(world.profile.path())
        .args(["--json", "login"])
        .env("PATH", path)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !told.exists() {
        assert!(Instant::now() < deadline, "no browser was opened");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = std::fs::read_to_string(&told).unwrap();
    assert!(!told.contains("a passphrase for tests") && !told.contains("COMPANION_PASSPHRASE"), "{told}");
    let page = told.lines().find_map(|line| line.strip_prefix("page=")).unwrap();
    reqwest::Client::builder().no_proxy().build().unwrap().get(page).send().await.unwrap();
    let done = tokio::time::timeout(PATIENCE, login.wait_with_output()).await.unwrap().unwrap();
    let signed_in = said(&done);
    assert_eq!(signed_in.status, 0, "{signed_in:?}");
    assert_eq!(signed_in.document["vendor"]["email"], world.sandbox.email.as_str());
}
