//! A desk for a window where there is no display: a virtual screen, a session bus, a window manager, and a home
//! of its own. Knows when a window is painted; does not know what the window shows.

use crate::places::Scratch;
use crate::process::{self, Running, output, until};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Fewer colours than this are an empty page: text alone has dozens of greys along its edges.
pub const PAINTED_COLOURS: u32 = 48;

/// How much of the desk is seen beside the tray's menu.
const AROUND: u32 = 20;

const SHORT: Duration = Duration::from_secs(20);

/// What stands on the desk besides the window.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Furniture {
    Bare,
    /// A real panel with a tray, and a real keychain, unlocked.
    PanelAndKeychain,
}

/// Ends everything it started when dropped, in this order.
pub struct Desk {
    _furniture: Vec<Running>,
    _bus: Running,
    _screen: Running,
    display: String,
    bus_address: String,
    home: Scratch,
}

/// A picture that was taken.
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub colours: u32,
    /// Equal for equal pixels.
    signature: String,
}

/// Says whether a person could see a window that is opened now.
pub fn is_there() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

impl Desk {
    pub fn open(furniture: Furniture) -> Result<Self> {
        let home = Scratch::new("desk")?;
        let mut screen = Command::new("Xvfb");
        // With a panel there is room for it beside the window.
        let size = match furniture {
            Furniture::Bare => "1280x800x24",
            Furniture::PanelAndKeychain => "1440x960x24",
        };
        screen.args(["-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp", "-fbdir"]).arg(home.path());
        let (screen, number) = started_and_said(screen.stderr(Stdio::null()))?;
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).stderr(Stdio::null());
        let display = format!(":{number}");
        prepare(&mut bus, &display, home.path());
        let (bus, bus_address) = started_and_said(&mut bus)?;
        let mut desk =
            Self { _furniture: Vec::new(), _bus: bus, _screen: screen, display, bus_address, home };
        desk.furnish("openbox", &[])?;
        if furniture == Furniture::PanelAndKeychain {
            desk.unlock_keychain()?;
            desk.furnish("xfce4-panel", &["--disable-wm-check"])?;
        }
        Ok(desk)
    }

    /// Makes `command` open its windows here, find this bus, and leave its files in this desk's own home.
    pub fn seat<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        prepare(command, &self.display, self.home.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
    }

    /// Where what the screen shows stands, as it is drawn: a file in the form of `xwd`.
    pub fn screen_file(&self) -> PathBuf {
        self.home.path().join("Xvfb_screen0")
    }

    /// Closes the largest window of a program as a person would: by the window manager.
    pub fn close_window_of(&self, process: u32) -> Result<()> {
        let window = self.largest_window(process)?.context("there is no window to close")?;
        self.xdotool(&["windowactivate", "--sync", &window, "key", "alt+F4"]).map(drop)
    }

    /// Waits until the largest window of `app` shows more than an empty page and has come to rest, and keeps a
    /// picture of it at `path`.
    pub fn picture_of(&self, app: &mut Running, path: &Path) -> Result<Picture> {
        let mut last = None;
        let mut painted_since: Option<Instant> = None;
        let painted = until(Duration::from_secs(60), || {
            app.still_runs().context("the app did not stay up")?;
            let Some(window) = self.largest_window(app.id())? else { return Ok(None) };
            let Some(picture) = self.picture(&window, path)? else { return Ok(None) };
            let at_rest = last.as_ref() == Some(&picture.signature);
            last = Some(picture.signature.clone());
            if picture.colours < PAINTED_COLOURS {
                return Ok(None);
            }
            // Something on the page may move for ever; eight seconds are enough for it to settle down.
            let since = *painted_since.get_or_insert_with(Instant::now);
            if at_rest || since.elapsed() > Duration::from_secs(8) {
                return Ok(Some(picture));
            }
            process::pause(Duration::from_secs(1));
            Ok(None)
        })?;
        painted.with_context(|| {
            format!("after a minute there is no window, or an empty one: see {}", path.display())
        })
    }

    /// Keeps a picture of the whole desk, panel and tray included.
    pub fn picture_of_all(&self, path: &Path) -> Result<Picture> {
        self.picture("root", path)?.context("the screen could not be read")
    }

    /// Opens the first menu in the panel's tray, and keeps a picture of it with what stands around it.
    pub fn picture_of_tray(&self, path: &Path) -> Result<()> {
        let tray = self.process_of("libsystray.so")?.context("the panel shows no tray")?;
        let icon = until(SHORT, || self.tallest_window(tray))?.context("the tray holds no icon")?;
        self.xdotool(&["mousemove", &icon.middle_x(), &icon.middle_y(), "sleep", "0.3", "click", "1"])?;
        let menu =
            until(SHORT, || Ok(self.tallest_window(tray)?.filter(|window| window.height > 3 * icon.height)))?;
        let menu = menu.context("the menu does not open")?;
        // Nothing under the pointer, so that no line of it looks chosen.
        self.xdotool(&["mousemove", "4", "900", "sleep", "1"])?;
        let left = menu.x.min(icon.x).saturating_sub(AROUND);
        let right = (menu.x + menu.width).max(icon.x + icon.width) + AROUND;
        let part = format!("{}x{}+{left}+0", right - left, menu.y + menu.height + AROUND / 2);
        let mut import = Command::new("import");
        import.args(["-silent", "-window", "root", "-crop", &part, "+repage"]).arg(path);
        if !output(self.seat(&mut import), SHORT)?.status.success() {
            bail!("the screen could not be read");
        }
        self.xdotool(&["key", "Escape"]).map(drop)
    }

    /// The program on this desk that was started with such a word.
    fn process_of(&self, word: &str) -> Result<Option<u32>> {
        let here = format!("DISPLAY={}", self.display);
        let is_one = |process: &Path| {
            let read = |name: &str| std::fs::read(process.join(name)).unwrap_or_default();
            let (words, given) = (read("cmdline"), read("environ"));
            String::from_utf8_lossy(&words).contains(word)
                && given.split(|byte| *byte == 0).any(|variable| variable == here.as_bytes())
        };
        until(SHORT, || {
            let mut processes = std::fs::read_dir("/proc").context("looking for the panel")?.flatten();
            let found = processes.find(|entry| is_one(&entry.path()));
            Ok(found.and_then(|entry| entry.file_name().to_string_lossy().parse().ok()))
        })
    }

    fn tallest_window(&self, process: u32) -> Result<Option<Place>> {
        let found = self.xdotool(&["search", "--onlyvisible", "--pid", &process.to_string()])?;
        let mut places = Vec::new();
        for window in found.lines() {
            places.extend(Place::read(&self.xdotool(&["getwindowgeometry", "--shell", window])?));
        }
        Ok(places.into_iter().max_by_key(|place| place.height))
    }

    fn picture(&self, window: &str, path: &Path) -> Result<Option<Picture>> {
        let mut import = Command::new("import");
        import.args(["-silent", "-window", window]).arg(path);
        if !output(self.seat(&mut import), SHORT)?.status.success() {
            return Ok(None);
        }
        let mut identify = Command::new("identify");
        identify.args(["-format", "%w %h %k %#"]).arg(path);
        let answer = output(&mut identify, SHORT)?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let words: Vec<&str> = text.split_whitespace().collect();
        let [width, height, colours, signature] = words[..] else { return Ok(None) };
        let picture = Picture {
            width: width.parse()?,
            height: height.parse()?,
            colours: colours.parse()?,
            signature: signature.to_owned(),
        };
        Ok(Some(picture))
    }

    /// The largest window that a program shows, if it shows any.
    pub fn largest_window(&self, process: u32) -> Result<Option<String>> {
        let search = self.xdotool(&["search", "--onlyvisible", "--pid", &process.to_string()])?;
        let mut largest = None;
        for window in search.lines() {
            let geometry = self.xdotool(&["getwindowgeometry", "--shell", window])?;
            let value = |name: &str| {
                geometry.lines().find_map(|line| line.strip_prefix(name)?.parse::<u32>().ok()).unwrap_or(0)
            };
            let area = value("WIDTH=").saturating_mul(value("HEIGHT="));
            if area > 200 * 200 && largest.as_ref().is_none_or(|(other, _)| area > *other) {
                largest = Some((area, window.to_owned()));
            }
        }
        Ok(largest.map(|(_, window)| window))
    }

    fn xdotool(&self, words: &[&str]) -> Result<String> {
        let answer = output(self.seat(Command::new("xdotool").args(words)), SHORT)?;
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    fn furnish(&mut self, program: &str, words: &[&str]) -> Result<()> {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let piece = Running::start(self.seat(&mut command))?;
        // The window manager must be the last to go, or the panel complains to nobody.
        self._furniture.insert(0, piece);
        Ok(())
    }

    fn unlock_keychain(&mut self) -> Result<()> {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keychain = Running::start(self.seat(&mut command))?;
        keychain.take_stdin()?.write_all(b"desk")?;
        let name = "org.freedesktop.secrets";
        let answers = until(SHORT, || {
            keychain.still_runs().context("the keychain did not stay up")?;
            let mut ask = Command::new("dbus-send");
            ask.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
            ask.args(["org.freedesktop.DBus.GetNameOwner", &format!("string:{name}")]);
            Ok(output(self.seat(&mut ask), SHORT)?.status.success().then_some(()))
        })?;
        if answers.is_none() {
            bail!("the keychain did not come up");
        }
        self._furniture.insert(0, keychain);
        Ok(())
    }
}

/// Where a window stands.
struct Place {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Place {
    fn read(geometry: &str) -> Option<Self> {
        let value = |name: &str| geometry.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
        Some(Self { x: value("X=")?, y: value("Y=")?, width: value("WIDTH=")?, height: value("HEIGHT=")? })
    }

    fn middle_x(&self) -> String {
        (self.x + self.width / 2).to_string()
    }

    fn middle_y(&self) -> String {
        (self.y + self.height / 2).to_string()
    }
}

fn prepare(command: &mut Command, display: &str, home: &Path) {
    command.env("DISPLAY", display).env("HOME", home).env("XDG_RUNTIME_DIR", home);
    for name in ["WAYLAND_DISPLAY", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    // Without an accessibility bus every GTK program waits for one, and says so.
    command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none");
}

/// Starts a program that says one line when it is ready.
fn started_and_said(command: &mut Command) -> Result<(Running, String)> {
    let mut program = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut line = String::new();
    BufReader::new(program.take_stdout()?).read_line(&mut line)?;
    let line = line.trim().to_owned();
    if line.is_empty() {
        bail!("`{}` ended before it was ready", process::shown(command));
    }
    Ok((program, line))
}
