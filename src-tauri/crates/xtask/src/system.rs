//! What the operating system must have: finds what is missing and, on Debian and Ubuntu, installs it. Elsewhere it says
//! exactly what to install. What is there costs a look, never a call of apt. A C compiler is not among it: without one
//! this program could not have been linked.

use crate::places::Scratch;
use crate::process::{self, has_program};
use anyhow::{Context, Result, bail};
use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A reason for which something must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Building and opening the window.
    Window,
    /// A display where there is none, and a picture of it.
    VirtualDisplay,
    /// The tests that need a real keychain, a real panel or a driven window.
    Tests,
    /// What the app is measured beside.
    Peers,
}

/// How to see that a need is met.
enum Seen {
    Program(&'static str),
    Library(&'static str),
    /// Of Python's own library, which some systems split.
    Module(&'static str),
    /// Fonts and icons, which only the package database knows; not looked for elsewhere.
    Package,
}

struct Need {
    purpose: For,
    seen: Seen,
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
    /// Something else does in its place, only more slowly: it is installed where the system's sources have it.
    wished: bool,
}

const fn need(
    purpose: For,
    seen: Seen,
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
) -> Need {
    Need { purpose, seen, debian, fedora, arch, wished: false }
}

const fn wish(purpose: For, seen: Seen, debian: &'static str) -> Need {
    Need { purpose, seen, debian, fedora: "", arch: "", wished: true }
}

const NEEDS: &[Need] = &[
    need(For::Window, Seen::Program("pkg-config"), "pkg-config", "pkgconf-pkg-config", "pkgconf"),
    need(
        For::Window,
        Seen::Library("webkit2gtk-4.1"),
        "libwebkit2gtk-4.1-dev",
        "webkit2gtk4.1-devel",
        "webkit2gtk-4.1",
    ),
    need(
        For::Window,
        Seen::Library("ayatana-appindicator3-0.1"),
        "libayatana-appindicator3-dev",
        "libayatana-appindicator-gtk3-devel",
        "libayatana-appindicator",
    ),
    need(For::VirtualDisplay, Seen::Program("Xvfb"), "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    need(For::VirtualDisplay, Seen::Program("dbus-daemon"), "dbus", "dbus-daemon", "dbus"),
    need(For::VirtualDisplay, Seen::Program("openbox"), "openbox", "openbox", "openbox"),
    need(For::VirtualDisplay, Seen::Program("xdotool"), "xdotool", "xdotool", "xdotool"),
    need(For::VirtualDisplay, Seen::Program("import"), "imagemagick", "ImageMagick", "imagemagick"),
    need(For::VirtualDisplay, Seen::Package, "fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu"),
    need(For::VirtualDisplay, Seen::Package, "fonts-noto-core", "google-noto-sans-fonts", "noto-fonts"),
    need(
        For::VirtualDisplay,
        Seen::Package,
        "adwaita-icon-theme",
        "adwaita-icon-theme",
        "adwaita-icon-theme",
    ),
    need(For::Tests, Seen::Program("xauth"), "xauth", "xorg-x11-xauth", "xorg-xauth"),
    need(For::Tests, Seen::Module("ensurepip"), "python3-venv", "python3-pip", "python"),
    // Debian keeps the server's programs where no shell finds them.
    need(For::Tests, Seen::Package, "postgresql", "postgresql-server", "postgresql"),
    need(
        For::Tests,
        Seen::Program("gnome-keyring-daemon"),
        "gnome-keyring",
        "gnome-keyring",
        "gnome-keyring",
    ),
    need(For::Tests, Seen::Program("chromium"), "chromium", "chromium", "chromium"),
    // Opens no window for each page, as the whole browser does even without a screen.
    wish(For::Tests, Seen::Program("chromium-headless-shell"), "chromium-headless-shell"),
    need(For::Tests, Seen::Program("chromedriver"), "chromium-driver", "chromedriver", "chromium"),
    need(For::Tests, Seen::Program("xfce4-panel"), "xfce4-panel", "xfce4-panel", "xfce4-panel"),
    need(
        For::Tests,
        Seen::Program("WebKitWebDriver"),
        "webkit2gtk-driver",
        "webkit2gtk-driver",
        "webkit2gtk-4.1",
    ),
    // A CalDAV server, and what gives its accounts their passwords.
    need(For::Tests, Seen::Package, "cyrus-imapd", "cyrus-imapd", "cyrus-imapd"),
    need(For::Tests, Seen::Package, "cyrus-caldav", "cyrus-imapd", "cyrus-imapd"),
    need(For::Tests, Seen::Package, "sasl2-bin", "cyrus-sasl", "cyrus-sasl"),
    need(For::Tests, Seen::Package, "libsasl2-modules", "cyrus-sasl-plain", "cyrus-sasl"),
    need(For::Tests, Seen::Package, "libsasl2-modules-db", "cyrus-sasl-lib", "cyrus-sasl"),
    need(For::Peers, Seen::Program("nextcloud"), "nextcloud-desktop", "nextcloud-client", "nextcloud-client"),
];

/// Makes sure that everything for `purposes` is there.
///
/// # Errors
/// Says what to install, with the words to type, where it may not or cannot install it itself.
pub fn prepare(purposes: &[For]) -> Result<()> {
    if cfg!(target_os = "macos") {
        let tools = process::output(Command::new("xcode-select").arg("-p"), Duration::from_secs(20));
        if !tools.is_ok_and(|answer| answer.status.success()) {
            bail!("the command line tools are missing: run `xcode-select --install`");
        }
    }
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let wanted: Vec<&Need> = NEEDS.iter().filter(|need| purposes.contains(&need.purpose)).collect();
    let (wished, missing): (Vec<&Need>, Vec<&Need>) =
        missing(&wanted)?.into_iter().partition(|need| need.wished);
    let wished: Vec<&str> = wished.iter().map(|need| need.debian).collect();
    if missing.is_empty() {
        // Nobody is asked for a password, and no list fetched, for what is only wished for.
        if wished.iter().any(is_known)
            && let Err(error) = install(&[], &wished)
        {
            println!("it goes on without {}: {error:#}", wished.join(" "));
        }
        return Ok(());
    }
    let names = |name: fn(&Need) -> &'static str| {
        missing.iter().flat_map(|need| name(need).split(' ')).collect::<Vec<_>>()
    };
    if has_program("apt-get") {
        install(&names(|need| need.debian), &wished)?;
    } else if has_program("dnf") {
        bail!("please install what is missing: sudo dnf install {}", names(|need| need.fedora).join(" "));
    } else if has_program("pacman") {
        bail!("please install what is missing: sudo pacman -S {}", names(|need| need.arch).join(" "));
    } else {
        let names = names(|need| need.debian).join(" ");
        bail!("please install what is missing, here by its Debian names: {names}");
    }
    let mut left = self::missing(&wanted)?;
    left.retain(|need| !need.wished);
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|need| need.debian).collect();
        bail!("installed, yet not found: {}", names.join(" "));
    }
    Ok(())
}

fn missing<'a>(wanted: &[&'a Need]) -> Result<Vec<&'a Need>> {
    let mut missing = Vec::new();
    for need in wanted {
        let there = match need.seen {
            Seen::Program(name) => has_program(name),
            Seen::Library(name) => {
                has_program("pkg-config") && succeeds(Command::new("pkg-config").args(["--exists", name]))?
            }
            Seen::Module(name) => {
                has_program("python3")
                    && succeeds(Command::new("python3").args(["-c", &format!("import {name}")]))?
            }
            Seen::Package => !has_program("dpkg-query") || is_installed(need.debian)?,
        };
        if !there {
            missing.push(*need);
        }
    }
    Ok(missing)
}

fn is_installed(package: &str) -> Result<bool> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${db:Status-Abbrev}", package]);
    Ok(process::output(&mut query, Duration::from_secs(20))?.stdout.starts_with(b"ii"))
}

fn succeeds(command: &mut Command) -> Result<bool> {
    Ok(process::output(command, Duration::from_secs(20))?.status.success())
}

/// Whether apt's lists, as they are, have a package.
fn is_known(package: &&str) -> bool {
    has_program("apt-cache") && succeeds(Command::new("apt-cache").args(["show", package])).unwrap_or(false)
}

/// Installs Debian packages as root, in an archive folder of its own: the system's is emptied whenever another
/// apt on the machine finishes, even while this one is still unpacking.
fn install(packages: &[&str], wished: &[&str]) -> Result<()> {
    let root = succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]))?;
    let become_root: &[&str] = match (root, std::io::stdin().is_terminal()) {
        (true, _) => &[],
        (false, true) => &["sudo"],
        (false, false) => &["sudo", "-n"],
    };
    if !root && !has_program("sudo") {
        bail!("please install what is missing, as root: apt-get install {}", packages.join(" "));
    }
    let archive = Scratch::new("apt")?;
    std::fs::create_dir(archive.path().join("partial")).context("making a folder for apt")?;

    let update = as_root(become_root, &["apt-get", "-q", "update"]);
    let mut done = repeat(3, || with_terminal(update()));
    if let Err(error) = &done {
        println!("the package lists may be old: {error:#}");
    }
    let wished = wished.iter().filter(|name| is_known(name));
    let packages: Vec<&str> = packages.iter().chain(wished).copied().collect();
    println!("installing {}", packages.join(" "));
    let mut words = apt_words(archive.path());
    words.extend(packages.iter().map(|name| (*name).to_owned()));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (install, configure) =
        (as_root(become_root, &words), as_root(become_root, &["dpkg", "--configure", "-a"]));
    done = repeat(3, || {
        with_terminal(install()).or_else(|error| {
            with_terminal(configure())?;
            Err(error)
        })
    });
    // What apt downloaded belongs to root, so root has to remove it.
    let folder = archive.path().to_string_lossy().into_owned();
    let _ = with_terminal(as_root(become_root, &["rm", "-rf", &folder])());
    done.with_context(|| {
        format!("the system's packages could not be installed; try: apt-get install {}", packages.join(" "))
    })
}

/// Downloads as root too: apt's own user may not look into a folder that is ours alone.
fn apt_words(archive: &Path) -> Vec<String> {
    let archive = format!("Dir::Cache::archives={}", archive.display());
    ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        .iter()
        .chain(&["-o", &archive, "-o", "APT::Sandbox::User=root", "install", "--no-install-recommends"])
        .map(|word| (*word).to_owned())
        .collect()
}

fn as_root(become_root: &[&str], words: &[&str]) -> impl Fn() -> Command {
    let words: Vec<String> = become_root.iter().chain(words).map(|word| (*word).to_owned()).collect();
    move || {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

/// Runs with our own input, so that sudo can ask for a password.
fn with_terminal(mut command: Command) -> Result<()> {
    let shown = process::shown(&command);
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("starting `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

fn repeat(times: u32, mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
    let mut last = attempt();
    for _ in 1..times {
        if last.is_ok() {
            break;
        }
        process::pause(Duration::from_secs(5));
        last = attempt();
    }
    last
}
