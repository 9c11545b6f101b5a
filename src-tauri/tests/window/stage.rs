//! Where the app is tried: a virtual display, a session bus, a keychain, a panel that listens, a home and a temporary
//! folder of its own, and the browser's own driver. Takes everything down again when dropped.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::panel::Panel;

pub const APP: &str = env!("CARGO_BIN_EXE_bookiji-companion");
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Of the keychain.
const PASSWORD: &str = "desk";
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What stands in the room besides a display.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Furniture {
    /// Nobody shows tray icons or notifications, and nobody keeps secrets.
    Bare,
    PanelAndKeychain,
}

/// A session bus on which nothing starts by itself: a keychain that did would be a locked one.
const BUS: &str = include_str!("../../../tests/fixtures/session-bus.conf");

/// Her browser: it writes down where it was opened.
const BROWSER: &str =
    "#!/bin/sh\nprintf '%s\\n' \"$1\" > \"$HOME/opened.new\" && mv \"$HOME/opened.new\" \"$HOME/opened\"\n";

pub struct Stage {
    /// Whoever draws trays and notifications, and heard all of them.
    pub panel: Panel,
    home: TempDir,
    port: u16,
    driver: Child,
    apps: std::sync::Mutex<Vec<Child>>,
    env: BTreeMap<String, String>,
}

impl Stage {
    /// A room without an app in it.
    pub async fn set(furniture: Furniture) -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["tmp", "run", "profile", "bin"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let browser = home.path().join("bin/xdg-open");
        std::fs::write(&browser, BROWSER).unwrap();
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let env_file = home.path().join("env");
        let keychain = match furniture {
            Furniture::Bare => "",
            Furniture::PanelAndKeychain => &format!(
                "printf {PASSWORD} | gnome-keyring-daemon --foreground --unlock --components=secrets & "
            ),
        };
        let bus = home.path().join("bus.conf");
        std::fs::write(&bus, BUS.replace("FOLDER", &home.path().display().to_string())).unwrap();
        let driver = Command::new("dbus-run-session")
            .arg(format!("--config-file={}", bus.display()))
            .args(["--", "xvfb-run", "-a", "-s", "-screen 0 1280x900x24", "sh", "-c"])
            .arg(format!(
                "{keychain}openbox & env > '{0}.new'; mv '{0}.new' '{0}'; exec WebKitWebDriver --port={port}",
                env_file.display()
            ))
            .env("HOME", home.path())
            .env("PATH", format!("{}:{}", home.path().join("bin").display(), std::env::var("PATH").unwrap()))
            .env("TMPDIR", home.path().join("tmp"))
            .env("XDG_RUNTIME_DIR", home.path().join("run"))
            .env("LC_ALL", "C.UTF-8")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect(
                "dbus-run-session, xvfb-run and WebKitWebDriver: `cargo xtask test system` installs them",
            );
        until("there is a display and a bus", || env_file.exists()).await;
        let env = std::fs::read_to_string(env_file).unwrap();
        let env =
            env.lines().filter_map(|line| line.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
        let env: BTreeMap<String, String> = env.collect();
        let panel =
            Panel::open(&env["DBUS_SESSION_BUS_ADDRESS"], furniture == Furniture::PanelAndKeychain).await;
        Self { panel, driver, port, env, home, apps: std::sync::Mutex::default() }
    }

    /// Starts the app with `args` and waits for its page.
    pub async fn open(&self, args: &[&str]) -> Client {
        let mut words = vec!["--profile".to_owned(), self.profile().display().to_string()];
        words.extend(args.iter().map(|&word| word.to_owned()));
        connect(self.port, &words).await
    }

    /// Starts the app in the tray.
    pub fn start_hidden(&self) {
        let mut app = self.seated(APP);
        app.arg("--profile").arg(self.profile()).arg("--hidden").stdout(Stdio::null());
        self.apps.lock().unwrap().push(app.spawn().unwrap());
    }

    /// Opens the keychain with her password, as a new login does.
    pub fn unlock_keychain(&self) {
        let mut daemon = self.seated("gnome-keyring-daemon");
        daemon.args(["--foreground", "--replace", "--unlock", "--components=secrets"]);
        let mut daemon = daemon.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut daemon.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
        self.apps.lock().unwrap().push(daemon);
    }

    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.home.path().join("profile")
    }

    /// Where her browser was opened last, once it was.
    #[must_use]
    pub fn opened(&self) -> PathBuf {
        self.home.path().join("opened")
    }

    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What a sample leaves on disk while it runs.
    pub fn erasable(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(self.home.path().join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| named(path).starts_with("bookiji-sample-"))
    }

    /// Closes the window as she would: by the window manager, and once more where the key was lost. The first key of all
    /// makes the display announce its keyboard, upon which the window manager lets go of its keys and takes them anew.
    pub async fn close_window(&self) {
        until("the window is gone", || {
            if let Some(window) = self.windows().pop() {
                self.tool("xdotool", &["windowactivate", "--sync", &window, "key", "alt+F4"]);
            }
            self.windows().is_empty()
        })
        .await;
    }

    pub async fn window_comes_back(&self) {
        until("the window is back", || !self.windows().is_empty()).await;
    }

    #[must_use]
    pub fn app_runs(&self) -> bool {
        self.app().is_some()
    }

    /// Starts the app once more, beside the one that runs.
    pub async fn second_start(&self, args: &[&str]) -> ExitStatus {
        let mut second = self.seated(APP);
        second.arg("--profile").arg(self.profile()).args(args);
        tokio::time::timeout(PATIENCE, tokio::process::Command::from(second).status())
            .await
            .expect("the second start ends")
            .unwrap()
    }

    /// Asks the app to end, as a closing session does.
    pub async fn quit(&self) {
        self.signal("-TERM").await;
    }

    /// Ends it as a power cut would.
    pub async fn kill(&self) {
        self.signal("-KILL").await;
    }

    async fn signal(&self, which: &str) {
        let app = self.app().expect("the app runs").to_string();
        self.tool("kill", &[which, &app]);
        until("the app has ended", || {
            self.apps.lock().unwrap().retain_mut(|app| matches!(app.try_wait(), Ok(None)));
            self.app().is_none()
        })
        .await;
    }

    /// Drags a file out of another window onto the app's, as a hand would: slowly.
    pub async fn drag_in(&self, file: &Path) {
        let mut source = self.seated(Path::new(APP).with_file_name("examples/drag"));
        let source = source.arg(file).stdout(Stdio::null()).spawn().expect("cargo build --examples");
        self.apps.lock().unwrap().push(source);
        let found = || self.tool("xdotool", &["search", "--onlyvisible", "--name", "^Drag from here$"]);
        until("there is something to drag", || !found().trim().is_empty()).await;
        let middle = |window: &str| {
            let geometry = self.tool("xdotool", &["getwindowgeometry", "--shell", window]);
            let value = |name: &str| -> i32 {
                geometry.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap_or(0)
            };
            (value("X=") + value("WIDTH=") / 2, value("Y=") + value("HEIGHT=") / 2)
        };
        let (from, to) = (middle(found().trim()), middle(self.windows().first().expect("a window")));
        let at = |step: i32| [from.0 + (to.0 - from.0) * step / 20, from.1 + (to.1 - from.1) * step / 20];
        let mut script = format!("mousemove {} {} sleep 0.3 mousedown 1 sleep 0.3", from.0, from.1);
        for step in 1..=20 {
            let [x, y] = at(step);
            script.push_str(&format!(" mousemove {x} {y} sleep 0.05"));
        }
        script.push_str(" sleep 0.5 mouseup 1");
        self.tool("xdotool", &script.split(' ').collect::<Vec<_>>());
    }

    #[must_use]
    pub fn windows(&self) -> Vec<String> {
        let found = self.tool("xdotool", &["search", "--onlyvisible", "--name", "^Bookiji Companion$"]);
        found.lines().map(str::to_owned).collect()
    }

    /// The app's process: the one that runs from this profile.
    fn app(&self) -> Option<u32> {
        let profile = self.profile().display().to_string();
        std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let process: u32 = named(&entry.path()).parse().ok()?;
            let words = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            (words.starts_with(APP) && words.contains(&profile)).then_some(process)
        })
    }

    /// A program that will run in this room.
    pub fn seated(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.env).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub fn tool(&self, program: &str, words: &[&str]) -> String {
        let answer = self.seated(program).args(words).output().expect("a tool of the window's tests");
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let apps = self.apps.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        for app in apps {
            let _ = app.kill();
            let _ = app.wait();
        }
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.driver.wait();
    }
}

async fn connect(port: u16, words: &[String]) -> Client {
    let capabilities = json!({ "webkitgtk:browserOptions": { "binary": APP, "args": words } });
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        match builder.connect(&format!("http://127.0.0.1:{port}")).await {
            Ok(page) => return page,
            Err(error) => assert!(Instant::now() < deadline, "no session with the window: {error}"),
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Waits for what another process does, which nothing announces.
pub async fn until(what: &str, done: impl Fn() -> bool) {
    until_async(what, async || done()).await;
}

/// The same, where looking takes its time.
pub async fn until_async(what: &str, done: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < deadline, "{what}: it is not");
        sleep(LOOK_AGAIN).await;
    }
}

fn named(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
